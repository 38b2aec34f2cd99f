"""The shapes a stream can have beside what its chunks hold: how its pieces lie behind each other."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from mockchat.contract.stream_axes import StreamAxes
from mockchat.types import Json, JsonView

Chunks = Sequence[JsonView]

_APART = frozenset({"own", "behind"})
"""Where usage stands in a chunk without choices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One shape of a stream.

    Attributes:
        name: What its item is called behind "stream/".
        meaning: What is so, in words.
        is_possible: Whether streams of such axes can have it and can lack it.
        is_met: Whether these chunks have it.
    """

    name: str
    meaning: str
    is_possible: Callable[[StreamAxes], bool]
    is_met: Callable[[Chunks], bool]


def _always(axes: StreamAxes) -> bool:
    del axes
    return True


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
        is_possible=lambda axes: axes.usage in _APART,
        is_met=lambda chunks: any(_has_usage(one) and not one.get("choices") for one in chunks),
    ),
    Shape(
        name="usage-beside-choices",
        meaning="usage in a chunk that has choices",
        is_possible=lambda axes: axes.usage not in _APART,
        is_met=lambda chunks: any(_has_usage(one) and one.get("choices") for one in chunks),
    ),
    Shape(
        name="no-usage",
        meaning="a stream without usage",
        is_possible=lambda axes: not axes.usage_always,
        is_met=lambda chunks: bool(chunks) and not any(map(_has_usage, chunks)),
    ),
    Shape(
        name="several-choices",
        meaning="pieces of several choices",
        is_possible=_always,
        is_met=lambda chunks: len({choice.get("index") for choice in _choices(chunks)}) > 1,
    ),
    Shape(
        name="choices-in-turns",
        meaning="a piece of a choice behind those of another one that came after it",
        is_possible=_always,
        is_met=_goes_back,
    ),
    Shape(
        name="text-in-one-piece",
        meaning="the text of a choice in a single chunk",
        is_possible=_always,
        is_met=lambda chunks: 1 in _pieces(chunks).values(),
    ),
    Shape(
        name="text-in-pieces",
        meaning="the text of a choice in several chunks",
        is_possible=_always,
        is_met=lambda chunks: max(_pieces(chunks).values(), default=0) > 1,
    ),
    Shape(
        name="no-text",
        meaning="a stream of choices without any text",
        is_possible=_always,
        is_met=lambda chunks: any(_choices(chunks)) and not _pieces(chunks),
    ),
    Shape(
        name="parallel-calls",
        meaning="several tool calls of one choice",
        is_possible=_always,
        is_met=_has_parallel_calls,
    ),
    Shape(
        name="call-in-pieces",
        meaning="the arguments of a call in several chunks",
        is_possible=lambda axes: axes.tool_calls == "fragments",
        is_met=_has_calls_in_pieces,
    ),
    Shape(
        name="text-and-calls",
        meaning="text and tool calls in one choice",
        is_possible=_always,
        is_met=_has_text_and_calls,
    ),
)
"""Every shape, the simplest first."""
