"""What a stream judge reads of an event and remembers of those before it.

The views are taken once per chunk and shown to every rule; the memories are all a judge keeps:
first values, a few marks per choice, and the arguments of a call until its choice has finished.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mockchat.contract.stream_axes import StreamAxes
from mockchat.types import Json, JsonView

IDENTITY = ("id", "object", "created", "model", "system_fingerprint", "service_tier")
"""Members of a chunk that have one value per stream."""

_SPEECH = ("content", "refusal", "tool_calls", "function_call", "audio")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the request asked of the stream; None where the request is not known.

    Attributes:
        usage: Whether `stream_options.include_usage` is true.
        obfuscation: Whether `stream_options.include_obfuscation` is not false.
        logprobs: Whether `logprobs` is true.
        n: How many choices; 1 unless said.
        running_usage: Whether vLLM's `stream_options.continuous_usage_stats` is true: the counts so
            far come with every chunk, whatever the axis `usage` says.
    """

    usage: bool | None = None
    obfuscation: bool | None = None
    logprobs: bool | None = None
    n: int | None = None
    running_usage: bool = False


def asked_by(request: JsonView | None) -> Asked:
    """Read what `request` asked of its stream. A value that is not valid counts as not given."""
    if request is None:
        return Asked()
    options = _object(request.get("stream_options"))
    n = _integer(request.get("n"))
    return Asked(
        usage=options.get("include_usage") is True,
        obfuscation=options.get("include_obfuscation") is not False,
        logprobs=request.get("logprobs") is True,
        n=1 if n is None else n,
        running_usage=options.get("continuous_usage_stats") is True,
    )


@dataclass(slots=True, kw_only=True)
class CallMemory:
    """One call, of a tool or of the legacy function: its header and its arguments so far."""

    kind: str
    id: str = ""
    name: str = ""
    fragments: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class ChoiceMemory:
    """One choice: what it has said of itself, what it called, how it finished.

    `latest` is the index of the call that began last, -1 before the first.
    """

    index: int
    has_role: bool = False
    has_audio: bool = False
    finish_reason: str | None = None
    calls: dict[int, CallMemory] = field(default_factory=dict)
    latest: int = -1
    function_call: CallMemory | None = None

    @property
    def is_finished(self) -> bool:
        """Whether it has a finish reason, or needs none because it streamed audio."""
        return self.finish_reason is not None or self.has_audio


@dataclass(slots=True, kw_only=True)
class StreamMemory:
    """One stream, up to the event that is judged now."""

    axes: StreamAxes
    asked: Asked
    identity: dict[str, Json] = field(default_factory=dict)
    choices: dict[int, ChoiceMemory] = field(default_factory=dict)
    has_usage: bool = False
    is_usage_last: bool = False
    has_error: bool = False
    is_done: bool = False

    @property
    def is_finished(self) -> bool:
        """Whether at least one choice began and every one that did is finished."""
        return bool(self.choices) and all(choice.is_finished for choice in self.choices.values())

    def next_index(self) -> int:
        """Return the lowest index that no choice has yet."""
        return next(index for index in range(len(self.choices) + 1) if index not in self.choices)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkView:
    """A chunk, read once.

    Attributes:
        chunk: The chunk itself.
        entries: The objects of its `choices`, with their positions there.
        usage: Its counts, or None.
        is_side: True for a chunk that no client reads: no delta, no finish reason, no usage, no
            moderation. Azure opens with one and sends its asynchronous filter results so.
    """

    chunk: JsonView
    entries: tuple[tuple[int, JsonView], ...]
    usage: JsonView | None
    is_side: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryView:
    """One entry of `choices`, with what came before it for the same choice.

    Attributes:
        at: Its pointer inside the chunk.
        members: The entry itself.
        delta: Its delta; empty where there is none.
        said: The members of the delta that carry something a client would append.
        role: The role, or "".
        finish_reason: The finish reason, or None where none (or an empty one) is given.
        logprobs: Its log probabilities, or None.
        has_usage: Whether the chunk around it carries the counts.
        choice: The choice as the events before left it.
    """

    at: str
    members: JsonView
    delta: JsonView
    said: tuple[str, ...]
    role: str
    finish_reason: str | None
    logprobs: Json
    has_usage: bool
    choice: ChoiceMemory


@dataclass(frozen=True, slots=True, kw_only=True)
class FragmentView:
    """One piece of a call: a header, a part of its arguments, or both.

    Attributes:
        at: Its pointer inside the chunk.
        kind: "function" and "custom" for a tool's call, "function_call" for the legacy one.
        index: The call's index; 0 for the legacy one.
        id: The id given here, or "". Likewise `type` and `name`.
        text: The part of the arguments given here, or "".
        call: The call as the fragments before left it, or None for its first.
        choice: The choice that calls, with the calls before.
    """

    at: str
    kind: str
    index: int
    id: str
    type: str
    name: str
    text: str
    call: CallMemory | None
    choice: ChoiceMemory


def chunk_view(chunk: JsonView) -> ChunkView:
    """Read a chunk. Members of a wrong type count as absent: the schema judges those."""
    entries = tuple(
        (position, entry)
        for position, entry in enumerate(_array(chunk.get("choices")))
        if isinstance(entry, Mapping)
    )
    usage = chunk.get("usage")
    has_counts = isinstance(usage, Mapping)
    says_something = any(
        isinstance(entry.get("delta"), Mapping) or entry.get("finish_reason")
        for _, entry in entries
    )
    return ChunkView(
        chunk=chunk,
        entries=entries,
        usage=usage if has_counts else None,
        is_side=not (says_something or has_counts or chunk.get("moderation")),
    )


def entry_views(stream: StreamMemory, view: ChunkView) -> Iterator[EntryView]:
    """Read the entries of a chunk, one after the other is judged and remembered.

    An entry without a usable index belongs to no choice and is left to the schema.
    """
    reasoning = stream.axes.reasoning_field
    speech = _SPEECH if reasoning is None else (*_SPEECH, reasoning)
    for position, entry in view.entries:
        index = _integer(entry.get("index"))
        if index is None:
            continue
        delta = _object(entry.get("delta"))
        yield EntryView(
            at=f"/choices/{position}",
            members=entry,
            delta=delta,
            said=tuple(name for name in speech if delta.get(name)),
            role=_text(delta.get("role")),
            finish_reason=_text(entry.get("finish_reason")) or None,
            logprobs=entry.get("logprobs"),
            has_usage=view.usage is not None,
            choice=stream.choices.get(index) or ChoiceMemory(index=index),
        )


def fragment_views(entry: EntryView) -> Iterator[FragmentView]:
    """Read the pieces of calls in a delta, one after the other is judged and remembered."""
    for position, piece in enumerate(_array(entry.delta.get("tool_calls"))):
        if isinstance(piece, Mapping):
            yield _tool_fragment(entry, f"{entry.at}/delta/tool_calls/{position}", piece)
    piece = _object(entry.delta.get("function_call"))
    if piece:
        yield FragmentView(
            at=f"{entry.at}/delta/function_call",
            kind="function_call",
            index=0,
            id="",
            type="",
            name=_text(piece.get("name")),
            text=_arguments(piece.get("arguments")),
            call=entry.choice.function_call,
            choice=entry.choice,
        )


def _tool_fragment(entry: EntryView, at: str, piece: JsonView) -> FragmentView:
    calls = entry.choice.calls
    index = _integer(piece.get("index"))
    if index is None:
        # Some servers leave the index out; clients then go by the id, as is done here.
        latest = calls.get(entry.choice.latest)
        is_same = latest is not None and piece.get("id") in {None, "", latest.id}
        index = entry.choice.latest if is_same else len(calls)
    call = calls.get(index)
    kind = "custom" if "custom" in piece or (call and call.kind == "custom") else "function"
    body = _object(piece.get(kind))
    return FragmentView(
        at=at,
        kind=kind,
        index=index,
        id=_text(piece.get("id")),
        type=_text(piece.get("type")),
        name=_text(body.get("name")),
        text=_arguments(body.get("input" if kind == "custom" else "arguments")),
        call=call,
        choice=entry.choice,
    )


def remember_chunk(stream: StreamMemory, view: ChunkView) -> None:
    """Take over what a chunk says of the stream as a whole."""
    for member in IDENTITY:
        if stream.identity.get(member) is None:
            stream.identity[member] = view.chunk.get(member)
    if stream.is_usage_last and view.usage is None and view.entries:
        stream.is_usage_last = False
    if view.usage is not None:
        stream.has_usage = stream.is_usage_last = True


def remember_entry(stream: StreamMemory, entry: EntryView) -> None:
    """Take over what an entry says of its choice, its calls excepted."""
    choice = entry.choice
    stream.choices[choice.index] = choice
    choice.has_role = choice.has_role or bool(entry.role)
    choice.has_audio = choice.has_audio or "audio" in entry.said


def remember_fragment(fragment: FragmentView) -> None:
    """Take over a piece of a call; the first id and name it was given stay."""
    choice = fragment.choice
    call = fragment.call or CallMemory(kind=fragment.kind)
    call.id = call.id or fragment.id
    call.name = call.name or fragment.name
    if choice.finish_reason is None:
        call.fragments.append(fragment.text)
    if fragment.kind == "function_call":
        choice.function_call = call
    else:
        choice.calls[fragment.index] = call
        choice.latest = choice.latest if fragment.call else fragment.index


def remember_finish(entry: EntryView) -> None:
    """Close a choice; what its calls were given is no longer needed."""
    choice = entry.choice
    choice.finish_reason = choice.finish_reason or entry.finish_reason
    for call in choice.calls.values():
        call.fragments.clear()
    if choice.function_call is not None:
        choice.function_call.fragments.clear()


def _arguments(value: Json) -> str:
    # Arguments that are no text break the schema; as JSON they are not unreadable as well.
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


def _object(value: Json) -> JsonView:
    return value if isinstance(value, Mapping) else {}


def _array(value: Json) -> Sequence[Json]:
    return value if isinstance(value, list | tuple) else ()


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _integer(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
