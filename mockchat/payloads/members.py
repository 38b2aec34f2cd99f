"""Which members a profile's replies have: read from its documents, so that nothing else is sent.

A profile of 2023 has no `service_tier`; a completion for it must not invent one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from mockchat.contract.profile import Profile
from mockchat.types import Json, JsonView

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
        usage: Of the usage, details included.
        prompt_details: Of `usage.prompt_tokens_details`, in their order.
        completion_details: Of `usage.completion_tokens_details`, in their order.
        finish_reasons: The values `finish_reason` may have; empty where any text may stand.
        call_types: The `type`s a tool call may have; empty where any text may stand.
        chunk_object: The `object` of a chunk.
    """

    top: frozenset[str]
    choice: frozenset[str]
    message: frozenset[str]
    usage: frozenset[str]
    prompt_details: tuple[str, ...]
    completion_details: tuple[str, ...]
    finish_reasons: frozenset[str]
    call_types: frozenset[str]
    chunk_object: str

    def allows_finish(self, reason: str) -> bool:
        """Return whether a choice may end with `reason`."""
        return not self.finish_reasons or reason in self.finish_reasons

    def allows_call(self, kind: str) -> bool:
        """Return whether a message may call a tool of this `type`."""
        return not self.call_types or kind in self.call_types


@lru_cache(maxsize=64)
def reply_members(profile: Profile) -> ReplyMembers:
    """Return what the response document of `profile` declares, and how it calls a chunk."""
    reader = _Reader(profile, "response")
    choice: Path = ("choices", "*")
    return ReplyMembers(
        top=frozenset(reader.names(())),
        choice=frozenset(reader.names(choice)),
        message=frozenset(reader.names((*choice, "message"))),
        usage=frozenset(reader.names(("usage",))),
        prompt_details=tuple(reader.names(("usage", "prompt_tokens_details"))),
        completion_details=tuple(reader.names(("usage", "completion_tokens_details"))),
        finish_reasons=frozenset(reader.values((*choice, "finish_reason"))),
        call_types=frozenset(reader.values((*choice, "message", "tool_calls", "*", "type"))),
        chunk_object=next(iter(_Reader(profile, "chunk").values(("object",))), _CHUNK),
    )


class _Reader:
    """Walks a document's schemas along a path of members, through references and unions."""

    def __init__(self, profile: Profile, name: str) -> None:
        self._documents = profile.documents
        self._name = name

    def names(self, path: Path) -> list[str]:
        found: dict[str, None] = {}
        for schema, _ in self._at(path):
            found |= dict.fromkeys(schema.get("properties", {}))
        return list(found)

    def values(self, path: Path) -> list[str]:
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
