"""The shapes a stream can have beside what its chunks hold: how its pieces lie behind each other."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

from mockchat.contract.profile import Profile
from mockchat.contract.sites import missing_sites
from mockchat.contract.stream_axes import StreamAxes, stream_axes
from mockchat.scripting.faults import NamedFault
from mockchat.types import Json, JsonView

Chunks = Sequence[JsonView]

_APART = "own"
"""Where usage stands in a chunk without choices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Streams:
    """What streams of a profile can be.

    Attributes:
        axes: How they look.
        has_usage: Whether their chunks have usage.
        has_calls: Whether their pieces have tool calls.
        has_choices: Whether a request can ask for several choices.
    """

    axes: StreamAxes
    has_usage: bool
    has_calls: bool
    has_choices: bool

    @classmethod
    def of(cls, profile: Profile) -> Self:
        """Return what streams of `profile` can be."""
        return cls(
            axes=stream_axes(profile.settings),
            has_usage=_is_there(profile, "chunk/usage"),
            has_calls=_is_there(profile, "chunk/choices/*/delta/tool_calls"),
            has_choices=asks_for_several(profile),
        )

    def room_for(self, fault: NamedFault) -> str:
        """Return why streams give a fault no room; "" where they do."""
        is_of_calls = fault.occasion == "tool calls"
        if is_of_calls and not self.has_calls:
            return "its streams have no tool calls"
        if fault.occasion == "usage" and not (self.has_usage and self.axes.usage == _APART):
            return "its streams have no chunk of usage alone"
        if fault.name in _OF_FRAGMENTS and self.axes.tool_calls == "whole":
            return "its streams have calls in one piece"
        if fault.name == "role-repeated" and self.axes.role == "every":
            return "its streams tell the role in every chunk"
        return ""


_OF_FRAGMENTS = frozenset({"call-header-repeated", "call-header-emptied"})


def _is_there(profile: Profile, site: str) -> bool:
    return not any(missing_sites(profile, (site,), {}))


def asks_for_several(profile: Profile) -> bool:
    """Tell whether a request can ask for more than one choice."""
    member = profile.documents["request"].get("properties", {}).get("n")
    return member is not None and member.get("maximum", 2) > 1 and member.get("const") != 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One shape of a stream.

    Attributes:
        name: What its item is called behind "stream/".
        meaning: What is so, in words.
        is_possible: Whether streams of such a profile can have it and can lack it.
        is_met: Whether these chunks have it.
    """

    name: str
    meaning: str
    is_possible: Callable[["Streams"], bool]
    is_met: Callable[[Chunks], bool]


def _choices(chunks: Chunks) -> Iterator[JsonView]:
    for chunk in chunks:
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, Mapping):
                yield choice


def _deltas(chunks: Chunks) -> Iterator[tuple[Json, JsonView]]:
    """Yield the delta of every choice of every chunk, with the choice's index."""
    for choice in _choices(chunks):
        delta = choice.get("delta")
        if isinstance(delta, Mapping):
            yield choice.get("index"), delta


def _calls(chunks: Chunks) -> Iterator[tuple[Json, JsonView]]:
    """Yield every piece of a call with its place: the indices of choice and call."""
    for index, delta in _deltas(chunks):
        for call in delta.get("tool_calls") or ():
            if isinstance(call, Mapping):
                yield (index, call.get("index")), call


def _pieces(chunks: Chunks) -> Counter[Json]:
    """Count the pieces of text of each choice."""
    return Counter(index for index, delta in _deltas(chunks) if delta.get("content"))


def _has_usage(chunk: JsonView) -> bool:
    return isinstance(chunk.get("usage"), Mapping)


def _goes_back(chunks: Chunks) -> bool:
    indices = [choice.get("index") for choice in _choices(chunks)]
    changes = sum(bool(one != other) for one, other in pairwise(indices))
    return changes >= len(set(indices)) > 1


def _has_calls_in_pieces(chunks: Chunks) -> bool:
    texts = Counter(
        place
        for place, call in _calls(chunks)
        if any((call.get(kind) or {}).get(text) for kind, text in _TEXTS)
    )
    return max(texts.values(), default=0) > 1


_TEXTS = (("function", "arguments"), ("custom", "input"))


def _has_parallel_calls(chunks: Chunks) -> bool:
    places = {place for place, _ in _calls(chunks)}
    return max(Counter(index for index, _ in places).values(), default=0) > 1


def _has_text_and_calls(chunks: Chunks) -> bool:
    return not _pieces(chunks).keys().isdisjoint({index for (index, _), _ in _calls(chunks)})


SHAPES = (
    Shape(
        name="usage-apart",
        meaning="usage in a chunk without choices",
        is_possible=lambda streams: streams.has_usage and streams.axes.usage == _APART,
        is_met=lambda chunks: any(_has_usage(one) and not one.get("choices") for one in chunks),
    ),
    Shape(
        name="usage-beside-choices",
        meaning="usage in a chunk that has choices",
        is_possible=lambda streams: streams.has_usage and streams.axes.usage != _APART,
        is_met=lambda chunks: any(_has_usage(one) and one.get("choices") for one in chunks),
    ),
    Shape(
        name="no-usage",
        meaning="a stream without usage",
        is_possible=lambda streams: streams.has_usage and not streams.axes.usage_always,
        is_met=lambda chunks: bool(chunks) and not any(map(_has_usage, chunks)),
    ),
    Shape(
        name="several-choices",
        meaning="pieces of several choices",
        is_possible=lambda streams: streams.has_choices,
        is_met=lambda chunks: len({choice.get("index") for choice in _choices(chunks)}) > 1,
    ),
    Shape(
        name="choices-in-turns",
        meaning="a piece of a choice behind those of another one that came after it",
        is_possible=lambda streams: streams.has_choices,
        is_met=_goes_back,
    ),
    Shape(
        name="text-in-one-piece",
        meaning="the text of a choice in a single chunk",
        is_possible=lambda _: True,
        is_met=lambda chunks: 1 in _pieces(chunks).values(),
    ),
    Shape(
        name="text-in-pieces",
        meaning="the text of a choice in several chunks",
        is_possible=lambda _: True,
        is_met=lambda chunks: max(_pieces(chunks).values(), default=0) > 1,
    ),
    Shape(
        name="no-text",
        meaning="a stream of choices without any text",
        is_possible=lambda _: True,
        is_met=lambda chunks: any(_choices(chunks)) and not _pieces(chunks),
    ),
    Shape(
        name="parallel-calls",
        meaning="several tool calls of one choice",
        is_possible=lambda streams: streams.has_calls,
        is_met=_has_parallel_calls,
    ),
    Shape(
        name="call-in-pieces",
        meaning="the arguments of a call in several chunks",
        is_possible=lambda streams: streams.has_calls and streams.axes.tool_calls == "fragments",
        is_met=_has_calls_in_pieces,
    ),
    Shape(
        name="text-and-calls",
        meaning="text and tool calls in one choice",
        is_possible=lambda streams: streams.has_calls,
        is_met=_has_text_and_calls,
    ),
)
"""Every shape, the simplest first."""
