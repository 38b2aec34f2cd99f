"""Prepare regular expressions for drawing: what each part may become, counted once for a pattern."""

from collections.abc import Callable
from dataclasses import dataclass, field

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

FREE = 1 << 30
"""The number of characters of what has no greatest one."""

_EXTRA_REPEATS = 2.0
_MOST_EXTRA = 8
_COUNTED_REPEATS = 4
_MOST_CHOICES = 64
_POOL = 96
_SURROGATES = range(0xD800, 0xE000)


@dataclass(slots=True)
class Sampling:
    """One sample in the making: how much longer than its minimum it must and may become.

    Attributes:
        draw: Where choices come from.
        lack: How many characters more than the fewest there must be.
        room: How many more there may be.
        taken: What the groups took, by number.
    """

    draw: Draw
    lack: int
    room: int
    taken: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Step:
    """How to draw one part of a pattern.

    Attributes:
        text: Draws a text of it.
        least: The fewest characters it takes.
        most: The greatest number; `FREE`: without bound.
        choices: About how many choices a text takes, those of few repeats included.
        options: Among how many answers they choose.
        row: What each character is one of, where there are always as many; None where not.
    """

    text: Callable[[Sampling], str]
    least: int
    most: int
    choices: int = 0
    options: frozenset[int] = frozenset()
    row: tuple[str, ...] | None = None


def step(node: Expression) -> Step:  # noqa: PLR0911 - one for each kind of node
    """Return how to draw `node`; conditions of no width are drawn as nothing."""
    match node:
        case Chars():
            return _character(pool(node))
        case Sequence(items=items):
            return _row([step(item) for item in items])
        case Alternatives(options=options):
            return _either([step(option) for option in options])
        case Repeat(item=item, least=least, most=most):
            return _repeated(step(item), least, FREE if most is None else most)
        case Group(item=item, number=number):
            return _group(step(item), number)
        case BackReference(number=number):
            return Step(text=lambda state: state.taken.get(number, ""), least=0, most=FREE)
        case Look():
            return Step(text=lambda _: "", least=0, most=0)
        case _:
            return Step(text=lambda _: "", least=0, most=0, row=())


def pool(node: Chars) -> str:
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


def _character(members: str) -> Step:
    count = len(members)

    def text(state: Sampling) -> str:
        return members[state.draw.index(count)] if count else ""

    is_choice = count > 1
    options = frozenset([count] if is_choice else [])
    return Step(
        text=text,
        least=1,
        most=1,
        choices=int(is_choice),
        options=options,
        row=(members,) if count else None,
    )


def _row(parts: list[Step]) -> Step:
    def text(state: Sampling) -> str:
        return "".join([part.text(state) for part in parts])

    return Step(
        text=text,
        least=sum(part.least for part in parts),
        most=min(FREE, sum(part.most for part in parts)),
        choices=min(_MOST_CHOICES, sum(part.choices for part in parts)),
        options=_options(*parts),
        row=_joined([part.row for part in parts]),
    )


def _joined(rows: list[tuple[str, ...] | None]) -> tuple[str, ...] | None:
    """Return the characters of all `rows`, if they are few enough to be chosen at once."""
    if None in rows or sum(len(row) for row in rows if row) > _MOST_CHOICES:
        return None
    return tuple(members for row in rows if row for members in row)


def _options(*parts: Step) -> frozenset[int]:
    return frozenset[int]().union(*[part.options for part in parts])


def _either(ways: list[Step]) -> Step:
    least = min(way.least for way in ways)

    def text(state: Sampling) -> str:
        fitting = [way for way in ways if way.least - least <= state.room]
        way = fitting[state.draw.index(len(fitting))]
        extra = way.least - least
        state.room -= extra
        state.lack -= min(state.lack, extra)
        return way.text(state)

    return Step(
        text=text,
        least=least,
        most=max(way.most for way in ways),
        choices=min(_MOST_CHOICES, 1 + max(way.choices for way in ways)),
        options=_options(*ways) | {len(ways)},
    )


def _repeated(item: Step, fewest: int, greatest: int) -> Step:
    each = item.least

    def text(state: Sampling) -> str:
        most = min(greatest, fewest + state.room // each) if each else greatest
        if not item.most:
            most = fewest
        wanted = fewest + -(-state.lack // max(each, 1)) if item.most else fewest
        low = min(most, wanted)
        count = state.draw.size(low, most, min(most, low + _EXTRA_REPEATS))
        extra = (count - fewest) * each
        state.room -= extra
        state.lack -= min(state.lack, extra)
        return "".join([item.text(state) for _ in range(count)])

    usual, sizes = min(greatest, fewest + _COUNTED_REPEATS), _sizes(greatest - fewest)
    return Step(
        text=text,
        least=min(FREE, item.least * fewest),
        most=min(FREE, item.most * greatest),
        choices=min(_MOST_CHOICES, len(sizes) + usual * item.choices),
        options=_options(item) | {*sizes},
        row=_joined([item.row] * fewest) if fewest == greatest <= _MOST_CHOICES else None,
    )


def _sizes(gap: int) -> tuple[int, ...]:
    """Return among how many answers each choice is that a number of repeats takes."""
    if gap <= _EXTRA_REPEATS:
        return (gap + 1,) if gap else ()
    return (4, 1 + min(gap, _MOST_EXTRA))


def _group(item: Step, number: int) -> Step:
    def text(state: Sampling) -> str:
        state.taken[number] = taken = item.text(state)
        return taken

    return Step(
        text=text,
        least=item.least,
        most=item.most,
        choices=item.choices,
        options=item.options,
        row=item.row,
    )
