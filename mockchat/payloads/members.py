"""Which members a profile's replies have: read from its documents, so that nothing else is sent.

A profile of 2023 has no `service_tier`; a completion for it must not invent one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from mockchat.contract.profile import Profile
from mockchat.contract.unions import ALL_TYPES, json_type
from mockchat.types import Json, JsonView, Level

MESSAGE_ORDER = (
    "role", "content", "reasoning_content", "reasoning", "tool_calls", "function_call", "refusal",
    "annotations", "audio",
)  # fmt: skip
"""The order in which recorded messages name their members."""

EMPTY_DELTA: JsonView = {"role": "assistant", "content": ""}
"""The delta of a choice outside a stream, in profiles whose choices have one there."""

_CHUNK = "chat.completion.chunk"

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyMembers:
    """The members the response document declares, object by object.

    Attributes:
        top: Of the completion.
        choice: Of a choice.
        message: Of a choice's message.
        delta: Of a choice's delta in a chunk.
        usage: Of the usage, details included.
        prompt_details: Of `usage.prompt_tokens_details`, in their order.
        completion_details: Of `usage.completion_tokens_details`, in their order.
        finish_reasons: The values `finish_reason` may have; empty where any text may stand.
        call_types: The `type`s a tool call may have; empty where any text may stand.
        service_tiers: The values `service_tier` may have; empty where any text may stand.
        served_tiers: The tier a reply names, by the tier asked for.
        chunk_object: The `object` of a chunk.
        nullable: The members of a message that may be null; others are left out instead.
        only_null: The members of the completion that are there and never say anything.
        has_null_logprobs: Whether a choice says that it has none.
        has_refusals: Whether a message can refuse.
        id_patterns: The patterns of `id`, of a call's ("call") and of `system_fingerprint`, where
            the document has one at level documented.
    """

    top: frozenset[str]
    choice: frozenset[str]
    message: frozenset[str]
    delta: frozenset[str]
    usage: frozenset[str]
    prompt_details: tuple[str, ...]
    completion_details: tuple[str, ...]
    finish_reasons: frozenset[str]
    call_types: frozenset[str]
    service_tiers: tuple[str, ...]
    served_tiers: Mapping[str, str]
    chunk_object: str
    nullable: frozenset[str]
    only_null: frozenset[str]
    has_null_logprobs: bool
    has_refusals: bool
    id_patterns: Mapping[str, str]

    def allows_finish(self, reason: str) -> bool:
        """Return whether a choice may end with `reason`."""
        return not self.finish_reasons or reason in self.finish_reasons

    def allows_call(self, kind: str) -> bool:
        """Return whether a message may call a tool of this `type`."""
        return not self.call_types or kind in self.call_types


@lru_cache(maxsize=64)
def reply_members(profile: Profile) -> ReplyMembers:
    """Return what the response document of `profile` declares, and how it calls a chunk."""
    reader, chunk = DocumentReader(profile, "response"), DocumentReader(profile, "chunk")
    choice: Path = ("choices", "*")
    message: Path = (*choice, "message")
    top, said = reader.names(()), reader.names(message)
    return ReplyMembers(
        top=frozenset(top),
        choice=frozenset(reader.names(choice)),
        message=frozenset(said),
        delta=frozenset(chunk.names((*choice, "delta"))),
        usage=frozenset(reader.names(("usage",))),
        prompt_details=tuple(reader.names(("usage", "prompt_tokens_details"))),
        completion_details=tuple(reader.names(("usage", "completion_tokens_details"))),
        finish_reasons=frozenset(reader.values((*choice, "finish_reason"))),
        call_types=frozenset(reader.values((*message, "tool_calls", "*", "type"))),
        service_tiers=tuple(reader.values(("service_tier",))),
        served_tiers=profile.settings.get("reply", {}).get("service_tiers", {}),
        chunk_object=next(iter(chunk.values(("object",))), _CHUNK),
        nullable=frozenset(name for name in said if "null" in reader.types((*message, name))),
        only_null=frozenset(name for name in top if reader.types((name,)) == {"null"}),
        has_null_logprobs="null" in reader.types((*choice, "logprobs")),
        has_refusals="refusal" in said and "string" in reader.types((*message, "refusal")),
        id_patterns=_id_patterns(DocumentReader(profile, "response", "documented"), message),
    )


def _id_patterns(reader: "DocumentReader", message: Path) -> dict[str, str]:
    places: dict[str, Path] = {
        "id": ("id",),
        "call": (*message, "tool_calls", "*", "id"),
        "system_fingerprint": ("system_fingerprint",),
    }
    found = {name: reader.keyword(path, "pattern") for name, path in places.items()}
    return {name: pattern for name, pattern in found.items() if pattern is not None}


class DocumentReader:
    """Walks a document's schemas along a path of members, through references and unions.

    A path has the names of members, and "*" for the items of an array.
    """

    def __init__(self, profile: Profile, name: str, level: Level = "observed") -> None:
        self._documents = profile.levels[level]
        self._name = name

    def names(self, path: Path) -> list[str]:
        """Return the members that are named at `path`, in the document's order."""
        found: dict[str, None] = {}
        for schema, _ in self._at(path):
            found |= dict.fromkeys(schema.get("properties", {}))
        return list(found)

    def required(self, path: Path) -> list[str]:
        """Return the members that must be there at `path`."""
        return [name for schema, _ in self._at(path) for name in schema.get("required", ())]

    def types(self, path: Path) -> frozenset[str]:
        """Return the JSON types that a value at `path` may have: all where no keyword tells."""
        found: set[str] = set()
        for schema, _ in self._at(path):
            declared = schema.get("type", ())
            found |= {declared} if isinstance(declared, str) else set(declared)
            literals = [*schema.get("enum", ()), *([schema["const"]] if "const" in schema else ())]
            found |= {json_type(literal) for literal in literals}
        return frozenset(found or ALL_TYPES)

    def keyword(self, path: Path, name: str) -> Json:
        """Return the first value of a keyword at `path`, None where no schema has it."""
        return next((schema[name] for schema, _ in self._at(path) if name in schema), None)

    def schema(self, path: Path) -> Json:
        """Return the schema at `path` as it is written, for use within its document."""
        return next((schema for schema, _ in self._at(path)), {})

    def values(self, path: Path) -> list[str]:
        """Return the texts that are listed at `path`."""
        found: list[Json] = []
        for schema, _ in self._at(path):
            found += schema.get("enum", ())
            found += [schema["const"]] if "const" in schema else []
        return [value for value in found if isinstance(value, str)]

    def _at(self, path: Path) -> Iterator[tuple[JsonView, str]]:
        """Yield every schema that judges the value at `path`, with its document's name."""
        here = list(self._spread(self._documents[self._name], self._name))
        for step in path:
            here = [
                found
                for schema, document in here
                for inner in self._inner(schema, step)
                for found in self._spread(inner, document)
            ]
        yield from here

    @staticmethod
    def _inner(schema: JsonView, step: str) -> Iterator[Json]:
        if step == "*" and "items" in schema:
            yield schema["items"]
        if step in schema.get("properties", {}):
            yield schema["properties"][step]

    def _spread(self, schema: Json, document: str) -> Iterator[tuple[JsonView, str]]:
        if not isinstance(schema, Mapping):
            return
        yield schema, document
        if "$ref" in schema:
            target, name = self._target(schema["$ref"], document)
            yield from self._spread(target, name)
        for union in ("allOf", "anyOf", "oneOf"):
            for branch in schema.get(union, ()):
                yield from self._spread(branch, document)

    def _target(self, reference: str, document: str) -> tuple[Json, str]:
        file, _, pointer = reference.partition("#")
        name = file.removesuffix(".json") or document
        value: Json = self._documents[name]
        for part in pointer.split("/")[1:]:
            value = value[part.replace("~1", "/").replace("~0", "~")]
        return value, name
