"""Plans: how the text and the arguments of one completion are cut into deltas."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from mockchat.errors import BadArgument
from mockchat.payloads.draw import Draw
from mockchat.payloads.seeded import SeededDraw
from mockchat.payloads.shown import ShownAsCode
from mockchat.payloads.tokens import approximate_tokens
from mockchat.types import Kind

Unit = Literal["character", "word", "token", "whole"]

_WORDS = re.compile(r"\s*\S+\s*\Z|\s*\S+|\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(ShownAsCode):
    """Where text is cut: the sizes of its pieces, counted in units.

    Attributes:
        unit: What the sizes count. `whole`: the text stays in one piece.
        sizes: The sizes in order; a 0 is an empty delta, which is legal and which clients must
            bear.
        repeats: True: the sizes start over at their end. False: what is left is one last piece.
    """

    unit: Unit
    sizes: tuple[int, ...] = (1,)
    repeats: bool = True

    def __post_init__(self) -> None:
        if any(size < 0 for size in self.sizes) or (self.repeats and not any(self.sizes)):
            raise BadArgument("sizes", self.sizes, "sizes of at least 0, one of them at least 1")

    def __repr__(self) -> str:
        """Show the plan as the call that makes it."""
        units = {"whole": "at_once()", "word": "by_word()", "token": "by_token()"}
        if self.repeats and self.sizes == (1,) and self.unit in units:
            return units[self.unit]
        if self.unit == "character" and not self.repeats:
            return f"exactly({[*self.sizes]})"
        if self.unit == "character" and len(self.sizes) == 1:
            return f"chunks_of({self.sizes[0]})"
        return f"Plan(unit={self.unit!r}, sizes={self.sizes!r}, repeats={self.repeats!r})"

    def cut(self, text: str) -> tuple[str, ...]:
        """Return the pieces of `text` in order; joined they are `text` again; () for ""."""
        if not text:
            return ()
        atoms = _atoms(text, self.unit)
        pieces: list[str] = []
        at = 0
        for size in self._sizes():
            if at >= len(atoms):
                break
            pieces.append("".join(atoms[at : at + size]))
            at += size
        if at < len(atoms):
            pieces.append("".join(atoms[at:]))
        return tuple(pieces)

    def _sizes(self) -> Iterator[int]:
        yield from self.sizes
        while self.repeats:
            yield from self.sizes


def chunks_of(size: int) -> Plan:
    """Cut every `size` characters (never inside a code point).

    Raises:
        BadArgument: `size` is less than 1.
    """
    return Plan(unit="character", sizes=(size,))


def by_word() -> Plan:
    """Cut before the space of each word."""
    return Plan(unit="word")


def by_token() -> Plan:
    """Cut as real services do: a token a chunk."""
    return Plan(unit="token")


def at_once() -> Plan:
    """Send each text in one piece."""
    return Plan(unit="whole")


def exactly(sizes: Iterable[int]) -> Plan:
    """Cut pieces of these sizes in characters; what is left is one last piece.

    Raises:
        BadArgument: A size is negative.
    """
    return Plan(unit="character", sizes=tuple(sizes), repeats=False)


def random_plan(draw: Draw, *, kind: Kind = "plain") -> Plan:
    """Return a plan the draw decides on: concrete sizes, so that it can be shown and repeated.

    Plain plans send a few tokens at a time. Wild ones send single characters, odd sizes, empty
    deltas, or all at once.
    """
    if kind == "plain":
        return Plan(unit="token", sizes=_drawn_sizes(draw, 1, 3) if draw.chance(0.2) else (1,))
    match draw.index(5):
        case 0:
            return chunks_of(1)
        case 1:
            return at_once()
        case 2:
            return by_token()
        case 3:
            return Plan(unit="character", sizes=(*_drawn_sizes(draw, 0, 9), 1))
        case _:
            return exactly(_drawn_sizes(draw, 0, 40))


def at_random(seed: int, *, kind: Kind = "wild") -> Plan:
    """Cut as chance has it; the same seed gives the same plan.

    Args:
        seed: Where the chances start.
        kind: "wild": single characters, odd sizes, empty deltas, or all at once. "plain": a few
            tokens at a time.
    """
    return random_plan(SeededDraw(seed), kind=kind)


def _drawn_sizes(draw: Draw, lo: int, hi: int) -> tuple[int, ...]:
    return tuple(draw.integer(lo, hi) for _ in range(1 + draw.index(6)))


def _atoms(text: str, unit: Unit) -> list[str] | str:
    if unit == "token":
        return approximate_tokens().split(text)
    if unit == "word":
        return _WORDS.findall(text)
    return text if unit == "character" else [text]
