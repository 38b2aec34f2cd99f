"""Faults of what chunks say: members missing, repeated, misplaced or unknown."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from mockchat.contract.stream_chunk_rules import padding_length
from mockchat.exchange import Delivery, Write
from mockchat.payloads.draw import Draw
from mockchat.payloads.encoding import encode_chunk
from mockchat.scripting.faults import NOTHING, Ability, FaultMissed, NamedFault, Occasion
from mockchat.scripting.sent_events import SentStream, later
from mockchat.types import Json, JsonObject

Change: TypeAlias = Callable[[Sequence[JsonObject]], Iterable[Sequence[JsonObject]]]
"""Gives for each chunk what is sent in its place; the chunks are its own to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _ChunkFault:
    """A change of the chunks before they are encoded; known by its name alone."""

    name: str
    change: Change
    lack: str
    needs: ClassVar[frozenset[Ability]] = NOTHING

    def apply(self, delivery: Delivery, draw: Draw) -> Delivery:
        """Return the delivery with changed chunks; those that stay keep their bytes.

        Raises:
            FaultMissed: Nothing would change, or the stream is damaged already.
        """
        del draw
        stream = SentStream.of(delivery, self)
        chunks = stream.chunks()
        if not all(map(_is_ordinary, chunks)):
            raise FaultMissed(repr(self), "the stream is damaged already")
        changed = dict(zip(stream.places, self.change(chunks), strict=True))
        writes: list[Write] = []
        held = 0.0
        for place, event in enumerate(stream.events):
            group = changed.get(place)
            data = [event.data] if group is None else [_event(chunk, event) for chunk in group]
            held += event.delay
            if data:
                writes += later(tuple(Write(data=part) for part in data), held)
                held = 0.0
        if tuple(writes) == stream.events:
            raise FaultMissed(repr(self), f"the stream has {self.lack}")
        return stream.sending(tuple(writes))

    def __repr__(self) -> str:
        return f"stream_fault({self.name!r})"


def _event(chunk: JsonObject, event: Write) -> bytes:
    """Encode a chunk; one that is changed is padded anew, so that the damage is the only one."""
    data = encode_chunk(chunk)
    if data == event.data or not isinstance(chunk.get("obfuscation"), str):
        return data
    return encode_chunk({**chunk, "obfuscation": "0" * padding_length(chunk)})


def _edited(edit: Callable[[JsonObject], object]) -> Change:
    """Make a change of an edit that every chunk undergoes by itself."""

    def change(chunks: Sequence[JsonObject]) -> Iterator[Sequence[JsonObject]]:
        for chunk in chunks:
            edit(chunk)
            yield (chunk,)

    return change


def _is_ordinary(chunk: JsonObject) -> bool:
    """Tell whether a chunk has what changes rely on: what a test sends unchecked may be anything."""
    choices = chunk.get("choices")
    return isinstance(choices, list) and all(
        isinstance(choice, dict)
        and isinstance(choice.get("index"), int)
        and isinstance(choice.get("delta"), dict)
        and all(_is_fragment(call) for call in choice["delta"].get("tool_calls") or ())
        for choice in choices
    )


def _is_fragment(call: Json) -> bool:
    if not isinstance(call, dict) or not isinstance(call.get("index"), int):
        return False
    return isinstance(call.get("function", call.get("custom")), dict)


def _choices(chunk: JsonObject) -> list[JsonObject]:
    choices: list[JsonObject] = chunk["choices"]
    return choices


def _calls(choice: JsonObject) -> list[JsonObject]:
    return choice["delta"].get("tool_calls") or []


def _in_choices(edit: Callable[[JsonObject], object]) -> Change:
    return _edited(lambda chunk: [edit(choice) for choice in _choices(chunk)])


def _in_calls(edit: Callable[[JsonObject], object]) -> Change:
    return _in_choices(lambda choice: [edit(call) for call in _calls(choice)])


def _repeat_role(choice: JsonObject) -> None:
    if not choice.get("finish_reason"):
        choice["delta"] = {"role": "assistant", **choice["delta"]}


def _raise_index(entry: JsonObject) -> None:
    entry["index"] += 1


def _rename_finish(choice: JsonObject) -> None:
    if choice.get("finish_reason"):
        choice["finish_reason"] = "eos"


def _add_members(chunk: JsonObject) -> None:
    chunk["x_gateway"] = {"region": "north"}
    for choice in _choices(chunk):
        choice["x_gateway"] = 1
        if choice["delta"]:
            choice["delta"]["x_gateway"] = None


def _lead_empty(chunks: Sequence[JsonObject]) -> Iterator[Sequence[JsonObject]]:
    for number, chunk in enumerate(chunks):
        yield (chunk,) if number else ({**chunk, "choices": []}, chunk)


def _lead_foreign(chunks: Sequence[JsonObject]) -> Iterator[Sequence[JsonObject]]:
    foreign = {"id": "", "object": "", "created": 0, "model": "", "choices": []}
    for number, chunk in enumerate(chunks):
        yield (chunk,) if number else (foreign, chunk)


def _without_finish(chunks: Sequence[JsonObject]) -> Iterator[Sequence[JsonObject]]:
    for chunk in chunks:
        finishing = [choice for choice in _choices(chunk) if choice.get("finish_reason")]
        for choice in finishing:
            choice["finish_reason"] = None
        # A chunk that only finishes goes; one that says something besides stays.
        is_bare = bool(finishing) and not any(choice["delta"] for choice in finishing)
        yield () if is_bare else (chunk,)


def _early_usage(chunks: Sequence[JsonObject]) -> Iterator[Sequence[JsonObject]]:
    counts = [chunk for chunk in chunks if chunk.get("usage") and not _choices(chunk)]
    waiting = counts
    for chunk in chunks:
        if chunk in counts:
            yield ()
        elif any(choice.get("finish_reason") for choice in _choices(chunk)):
            yield (*waiting, chunk)
            waiting = []
        else:
            yield (chunk,)


def _with_headers(*, emptied: bool) -> Change:
    """Return the change that says id and name of a call in each of its fragments."""

    def change(chunks: Sequence[JsonObject]) -> Iterator[Sequence[JsonObject]]:
        headers: dict[tuple[int, int], tuple[str, str]] = {}
        for chunk in chunks:
            for choice in _choices(chunk):
                for call in _calls(choice):
                    _say_header(call, headers, choice["index"], emptied=emptied)
            yield (chunk,)

    return change


def _say_header(
    call: JsonObject,
    headers: dict[tuple[int, int], tuple[str, str]],
    choice: int,
    *,
    emptied: bool,
) -> None:
    place, kind = (choice, call["index"]), "custom" if "custom" in call else "function"
    if place not in headers:
        said = (call.get("id", ""), call[kind].get("name", ""))
        headers[place] = ("", "") if emptied else said
        return
    call["id"], name = headers[place]
    call[kind] = {"name": name, **call[kind]}


def _fault(  # noqa: PLR0913 - one keyword for each column of the table
    name: str,
    change: Change,
    *,
    meaning: str,
    source: str,
    occasion: Occasion = "stream",
    is_survivable: bool = False,
    breaks: Iterable[str] = (),
) -> NamedFault:
    return NamedFault(
        name=name,
        meaning=meaning,
        source=source,
        fault=_ChunkFault(name=name, change=change, lack=_LACKS[occasion]),
        occasion=occasion,
        is_survivable=is_survivable,
        breaks=frozenset(breaks),
    )


_LACKS = {
    "stream": "no chunk where it could",
    "tool calls": "no tool call",
    "usage": "no chunk with usage alone",
}
_RUN = "openai 1.109 to 3.51, run"

CHUNK_FAULTS = (
    _fault(
        "missing-finish",
        _without_finish,
        meaning="No chunk has a finish reason.",
        source=f"{_RUN}: finish_reason None; openai-node 7, run: `.stream()` throws",
        breaks=["stream.finish-missing"],
    ),
    _fault(
        "role-repeated",
        _in_choices(_repeat_role),
        meaning="Each delta has the role.",
        source=f"OpenRouter and z.ai, recorded; {_RUN}: the helper joins the roles",
        is_survivable=True,
        breaks=["stream.role-once"],
    ),
    _fault(
        "role-missing",
        _in_choices(lambda choice: choice["delta"].pop("role", None)),
        meaning="No delta has a role.",
        source=f"{_RUN}: role None; openai-node 7, run: `.stream()` throws",
        is_survivable=True,
        breaks=["stream.role-first"],
    ),
    _fault(
        "choice-index-1",
        _in_choices(_raise_index),
        meaning="The choices count from 1.",
        source=f"{_RUN}: IndexError in the helper",
        breaks=["stream.choice-index"],
    ),
    _fault(
        "leading-empty-choices",
        _lead_empty,
        meaning="The first chunk has no choice.",
        source=f"LiteLLM, read; {_RUN}: fine, but `choices[0]` breaks",
        is_survivable=True,
        breaks=["stream.side-chunk"],
    ),
    _fault(
        "leading-foreign-object",
        _lead_foreign,
        meaning="The first event is an object of no name, without id, model and choices.",
        source=f"Azure, recorded; {_RUN}: the helper skips it",
        is_survivable=True,
        breaks=["schema.const", "stream.side-chunk"],
    ),
    _fault(
        "finish-reason-unknown",
        _in_choices(_rename_finish),
        meaning="The finish reason is one that nobody documents.",
        source=f"Together, recorded; {_RUN}: accepted",
        is_survivable=True,
        breaks=["schema.enum"],
    ),
    _fault(
        "extra-members",
        _edited(_add_members),
        meaning="Chunks, choices and deltas have members that nobody documents.",
        source=f"most compatible servers, recorded; {_RUN}: accepted",
        is_survivable=True,
    ),
    _fault(
        "error-null",
        _edited(lambda chunk: chunk.update(error=None)),
        meaning="Each chunk has `error`, which is null.",
        source=f"{_RUN}: fine",
        is_survivable=True,
    ),
    _fault(
        "usage-early",
        _early_usage,
        meaning="The chunk with usage comes before the one with the finish reason.",
        source=f"{_RUN}: the helper loses the counts",
        occasion="usage",
        is_survivable=True,
        breaks=["stream.usage-last"],
    ),
    _fault(
        "call-header-repeated",
        _with_headers(emptied=False),
        meaning="Each fragment of a tool call has its id and name.",
        source=f"{_RUN}: the helper joins them",
        occasion="tool calls",
        is_survivable=True,
        breaks=["stream.call-header-once"],
    ),
    _fault(
        "call-header-emptied",
        _with_headers(emptied=True),
        meaning="Each further fragment of a tool call has an empty id and name.",
        source=f"{_RUN}: fine",
        occasion="tool calls",
        is_survivable=True,
    ),
    _fault(
        "call-index-missing",
        _in_calls(lambda call: call.pop("index")),
        meaning="Tool calls have no index.",
        source=f"Gemini, reported; {_RUN}: TypeError in the helper",
        occasion="tool calls",
        breaks=["schema.required"],
    ),
    _fault(
        "call-index-from-1",
        _in_calls(_raise_index),
        meaning="Tool calls count from 1.",
        source=f"{_RUN}: IndexError in the helper",
        occasion="tool calls",
        breaks=["stream.call-index"],
    ),
    _fault(
        "call-type-missing",
        _in_calls(lambda call: call.pop("type", None)),
        meaning="Tool calls have no type.",
        source=f"{_RUN}: type None; openai-node 7, run: `.stream()` throws",
        occasion="tool calls",
        is_survivable=True,
        breaks=["stream.call-header"],
    ),
)
"""The named faults of this room."""
