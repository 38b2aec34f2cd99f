"""Make text that a regular expression finds.

Samples are built along the expression, then tested: look-arounds, word boundaries and anchors in
odd places are met by trying again, up to `TRIES` times.
"""

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
    Repeat,
    Sequence,
)
from mockchat.payloads.draw import Draw

TRIES = 200
"""How often a sample is drawn before a pattern counts as one that cannot be met."""

_FREE = 1 << 30
_EXTRA_REPEATS = 2.0
_POOL = 96
_SURROGATES = range(0xD800, 0xE000)


class NoSample(ValueError):
    """No text found that matches, within `TRIES` tries."""


def sample(pattern: str, draw: Draw, *, least: int = 0, most: int | None = None) -> str:
    """Return text of `least` to `most` characters in which `pattern` is found.

    Raises:
        BadPattern: The pattern cannot be read, or not be run.
        NoSample: No such text was found.
    """
    expression = regular_expression(pattern)
    tree = parse(pattern)
    limit = _FREE if most is None else most
    for _ in range(TRIES):
        text = _sampled(tree, draw, least, limit)
        for candidate in _padded(text, least):
            if len(candidate) <= limit and expression.search(candidate):
                return candidate
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
