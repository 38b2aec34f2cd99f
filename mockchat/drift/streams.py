"""How a stream goes: what its events say of roles, endings and counts, whatever the text is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

from mockchat.conformance.offline import decoded_event
from mockchat.contract.stream_axes import DONE
from mockchat.scripting.sse import SseDecoder
from mockchat.types import Json, JsonView

EXPLAINED: Mapping[str, tuple[str, ...]] = {
    "role": ("stream.role-",),
    "finish": (
        "stream.finish-",
        "stream.content-after-finish",
        "stream.calls-need-finish",
        "stream.choice-missing",
    ),
    "usage": ("stream.usage-", "stream.side-chunk"),
    "usage_null": ("stream.usage-null",),
    "leading_empty": ("stream.side-chunk",),
    "done": ("stream.done-", "stream.ending"),
}
"""How the ids of rules begin that are broken when one of these changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How one stream goes, in the words of a profile's axes.

    Attributes:
        role: Which deltas name a role: "first", "every", "some" or "none".
        finish: Where the finish reason stands: "own", "with-last-content" or "none".
        usage: Where the counts stand: "own", "finish", "behind", "every" or "none".
        usage_null: What chunks say that have no counts: "null", "absent" or "mixed".
        leading_empty: Whether it opens with a chunk without choices.
        done: Whether it ends with `[DONE]`.
        events: The names that events have, joined; "" where they have none.
    """

    role: str
    finish: str
    usage: str
    usage_null: str
    leading_empty: str
    done: str
    events: str


AXES = tuple(axis.name for axis in fields(Manner))


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamed:
    """The events of a stream.

    Attributes:
        chunks: Those that are objects.
        manner: How they follow one another.
    """

    chunks: tuple[JsonView, ...]
    manner: Manner

    @property
    def error(self) -> Json:
        """What an event says went wrong; None where none does."""
        return next((chunk["error"] for chunk in self.chunks if chunk.get("error")), None)


def streamed(body: bytes) -> Streamed:
    """Return the events of a stream's bytes."""
    decoder = SseDecoder()
    events = (*decoder.feed(body), *decoder.finish())
    said = [decoded_event(event.data) for event in events]
    chunks = tuple(each for each in said if isinstance(each, Mapping))
    names = {event.event for event in events} - {"message"}
    manner = Manner(
        role=_role(chunks),
        finish=_finish(chunks),
        usage=_usage(chunks),
        usage_null=_usage_null(chunks),
        leading_empty="yes" if chunks and not entries(chunks[0]) else "no",
        done="yes" if said and said[-1] == DONE else "no",
        events=", ".join(sorted(names)),
    )
    return Streamed(chunks=chunks, manner=manner)


def entries(chunk: JsonView) -> tuple[JsonView, ...]:
    """Return the choices of a chunk that are objects."""
    choices = chunk.get("choices")
    found = choices if isinstance(choices, list) else []
    return tuple(each for each in found if isinstance(each, Mapping))


def delta_of(entry: JsonView) -> JsonView:
    """Return the delta of a choice, empty where it has none."""
    delta = entry.get("delta")
    return delta if isinstance(delta, Mapping) else {}


def _deltas(chunks: Sequence[JsonView]) -> Iterator[tuple[Json, JsonView]]:
    for chunk in chunks:
        for entry in entries(chunk):
            yield entry.get("index"), delta_of(entry)


def _role(chunks: Sequence[JsonView]) -> str:
    """Tell which deltas name a role; those without a member are no news."""
    named: dict[str, list[bool]] = {}
    for index, delta in _deltas(chunks):
        if delta:
            named.setdefault(repr(index), []).append(delta.get("role") is not None)
    said = [each for choice in named.values() for each in choice]
    if not any(said):
        return "none"
    if all(choice[0] and not any(choice[1:]) for choice in named.values()):
        return "first"
    return "every" if all(said) else "some"


def _finish(chunks: Sequence[JsonView]) -> str:
    last = [
        entry
        for chunk in chunks
        for entry in entries(chunk)
        if entry.get("finish_reason") is not None
    ]
    if not last:
        return "none"
    says = [any(delta_of(entry).get(name) for name in ("content", "tool_calls")) for entry in last]
    return "with-last-content" if any(says) else "own"


def _usage(chunks: Sequence[JsonView]) -> str:
    counted = [chunk for chunk in chunks if isinstance(chunk.get("usage"), Mapping)]
    if not counted:
        return "none"
    if len(counted) > 1:
        return "every"
    (chunk,) = counted
    if not entries(chunk):
        return "own"
    ends = any(entry.get("finish_reason") is not None for entry in entries(chunk))
    return "finish" if ends else "behind"


def _usage_null(chunks: Sequence[JsonView]) -> str:
    others = [chunk for chunk in chunks if not isinstance(chunk.get("usage"), Mapping)]
    said = {"usage" in chunk for chunk in others}
    if len(said) > 1:
        return "mixed"
    return "null" if said == {True} else "absent"
