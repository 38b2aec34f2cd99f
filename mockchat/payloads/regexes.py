"""Make text that a regular expression finds.

Samples are built along the expression, then tested: look-arounds, word boundaries and anchors in
odd places are met by trying again, up to `TRIES` times. What look-aheads ask for is put into the
text at random places, since passwords are described that way: `(?=.*[A-Z])(?=.*[0-9]).{8,}`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from mockchat.contract.patterns import regular_expression
from mockchat.contract.regex_syntax import parse
from mockchat.contract.regex_tree import (
    Alternatives,
    BackReference,
    Chars,
    Expression,
    Group,
    Look,
    Repeat,
    Sequence,
)
from mockchat.payloads.draw import Draw

TRIES = 200
"""How often a sample is drawn before a pattern counts as one that cannot be met."""

MOST_CHARACTERS = 10_000
"""How long the shortest text of a pattern may be, and how much is drawn for one sample."""

_FREE = 1 << 30
_EXTRA_REPEATS = 2.0
_POOL = 96
_MOST_SPLICED = 8
_SURROGATES = range(0xD800, 0xE000)


class NoSample(ValueError):
    """No text found that matches, within `TRIES` tries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A text that matches, and how many had to be drawn to find it."""

    text: str
    tries: int


def sample(pattern: str, draw: Draw, *, least: int = 0, most: int | None = None) -> str:
    """Return text of `least` to `most` characters in which `pattern` is found.

    Raises:
        BadPattern: The pattern cannot be read, or not be run.
        NoSample: No such text was found.
    """
    return sampled(pattern, draw, least=least, most=most).text


def sampled(pattern: str, draw: Draw, *, least: int = 0, most: int | None = None) -> Sample:
    """Return text as `sample` does, and how often it was tried."""
    expression = regular_expression(pattern)
    tree = parse(pattern)
    limit = _FREE if most is None else most
    shortest = max(least, lengths(tree)[0])
    if shortest > MOST_CHARACTERS:
        raise NoSample(f"what {pattern!r} matches has more than {MOST_CHARACTERS} characters")
    wanted = _looked_for(tree)
    for tries in range(1, min(TRIES, 1 + MOST_CHARACTERS // max(1, shortest)) + 1):
        text = _sampled(tree, draw, least, limit)
        for candidate in _padded(_spliced(text, wanted, draw), least):
            if len(candidate) <= limit and expression.search(candidate):
                return Sample(text=candidate, tries=tries)
    bounds = f" and has at least {least} characters" if least else ""
    if most is not None:
        bounds = f" and has {least} to {most} characters"
    raise NoSample(f"no text was found that matches {pattern!r}{bounds}")


def _padded(text: str, least: int) -> tuple[str, ...]:
    """Return `text`, or where it is too short the ways to lengthen it around an open end."""
    lack = least - len(text)
    if lack <= 0:
        return (text,)
    return (text + "a" * lack, "a" * lack + text)


@lru_cache(maxsize=1024)
def _looked_for(node: Expression) -> tuple[Chars, ...]:
    """Return the characters that look-aheads need to find somewhere."""
    match node:
        case Look(item=item, opening="(?="):
            return tuple(_needed(item))
        case Sequence(items=items):
            return tuple(each for item in items for each in _looked_for(item))
        case Group(item=item):
            return _looked_for(item)
        case _:
            return ()


def _needed(node: Expression) -> Iterator[Chars]:
    match node:
        case Chars():
            yield node
        case Sequence(items=items):
            for item in items:
                yield from _needed(item)
        case Group(item=item):
            yield from _needed(item)
        case Repeat(item=item, least=least):
            for _ in range(min(least, _MOST_SPLICED)):
                yield from _needed(item)


def _spliced(text: str, wanted: tuple[Chars, ...], draw: Draw) -> str:
    """Return `text` with each of `wanted` somewhere in it, as far as there is room."""
    characters = [*text]
    places = [*range(len(characters))]
    for each in wanted[:_MOST_SPLICED]:
        if places and _pool(each):
            place = places.pop(draw.index(len(places)))
            characters[place] = _pool(each)[draw.index(len(_pool(each)))]
    return "".join(characters)


@dataclass(slots=True)
class _Sampling:
    """One sample in the making: how much longer than its minimum it must and may become."""

    draw: Draw
    lack: int
    room: int
    taken: dict[int, str] = field(default_factory=dict)


def _sampled(tree: Expression, draw: Draw, least: int, most: int) -> str:
    shortest, _ = lengths(tree)
    state = _Sampling(draw, max(0, least - shortest), max(0, most - shortest))
    return _text(tree, state)


def _text(node: Expression, state: _Sampling) -> str:  # noqa: PLR0911 - one for each kind of node
    match node:
        case Chars():
            pool = _pool(node)
            return pool[state.draw.index(len(pool))] if pool else ""
        case Sequence():
            return "".join([_text(item, state) for item in node.items])
        case Alternatives():
            return _alternative(node, state)
        case Repeat():
            return _repeated(node, state)
        case Group():
            state.taken[node.number] = text = _text(node.item, state)
            return text
        case BackReference():
            return state.taken.get(node.number, "")
        case _:
            return ""


def _alternative(node: Alternatives, state: _Sampling) -> str:
    base = lengths(node)[0]
    fitting = [option for option in node.options if lengths(option)[0] - base <= state.room]
    option = fitting[state.draw.index(len(fitting))]
    extra = lengths(option)[0] - base
    state.room -= extra
    state.lack -= min(state.lack, extra)
    return _text(option, state)


def _repeated(node: Repeat, state: _Sampling) -> str:
    each, longest = lengths(node.item)
    most = _FREE if node.most is None else node.most
    if each:
        most = min(most, node.least + state.room // each)
    if not longest:
        most = node.least
    wanted = node.least + -(-state.lack // max(each, 1)) if longest else node.least
    low = min(most, wanted)
    count = state.draw.size(low, most, min(most, low + _EXTRA_REPEATS))
    extra = (count - node.least) * each
    state.room -= extra
    state.lack -= min(state.lack, extra)
    return "".join([_text(node.item, state) for _ in range(count)])


@lru_cache(maxsize=4096)
def lengths(node: Expression) -> tuple[int, int]:  # noqa: PLR0911 - one for each kind of node
    """Return the least and the greatest number of characters `node` takes (2**30: no bound)."""
    match node:
        case Chars():
            return 1, 1
        case Sequence():
            parts = [lengths(item) for item in node.items]
            return sum(low for low, _ in parts), min(_FREE, sum(high for _, high in parts))
        case Alternatives():
            parts = [lengths(option) for option in node.options]
            return min(low for low, _ in parts), max(high for _, high in parts)
        case Repeat():
            low, high = lengths(node.item)
            most = _FREE if node.most is None else node.most
            return min(_FREE, low * node.least), min(_FREE, high * most)
        case Group():
            return lengths(node.item)
        case BackReference():
            return 0, _FREE
        case _:
            return 0, 0


@lru_cache(maxsize=1024)
def _pool(node: Chars) -> str:
    """Return the members to choose from: printable ASCII where there is any, else the first ones."""
    printable = [
        chr(point)
        for low, high in node.ranges
        for point in range(max(low, 0x20), min(high, 0x7E) + 1)
    ]
    simple = [char for char in printable if char.isalnum()]
    if simple:
        return "".join(simple)
    if printable:
        return "".join(printable)
    points: list[str] = []
    for low, high in node.ranges:
        first = _SURROGATES.stop if low in _SURROGATES else low
        points.extend(chr(point) for point in range(first, min(high + 1, first + _POOL)))
    return "".join(points[:_POOL])
