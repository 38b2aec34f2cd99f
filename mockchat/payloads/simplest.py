"""The draw that always answers with the simplest there is: for a text that has little room."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Self, TypeVar

from mockchat.payloads import formats, regexes

_Made = TypeVar("_Made")


class SimplestDraw:
    """Draw zero, False, the lower bound and the shortest text; see `draw.Draw`."""

    def index(self, n: int) -> int:
        """Return 0."""
        del n
        return 0

    def chance(self, p: float) -> bool:
        """Return False, unless True is certain."""
        return p >= 1

    def size(self, lo: int, hi: int, average: float) -> int:
        """Return `lo`."""
        del hi, average
        return lo

    def edge(self, n: int) -> None:
        """Return None: ordinary values are the simplest."""

    def together(self, make: Callable[[], _Made]) -> _Made:
        """Return what `make` makes."""
        return make()

    def apart(self, what: str) -> Self:
        """Return this draw: it has one answer."""
        del what
        return self

    def ahead(self, choices: int, options: AbstractSet[int]) -> Self:
        """Return this draw: it has one answer."""
        del choices, options
        return self

    def several(self, options: tuple[int, ...]) -> None:
        """Return None: it has one answer."""
        del options

    def integer(self, lo: int, hi: int) -> int:
        """Return the number next to zero."""
        return min(max(0, lo), hi)

    def number(self, lo: float, hi: float) -> float:
        """Return the number next to zero."""
        return min(max(0.0, lo), hi)

    def text(self, lo: int, hi: int, hint: str) -> str:
        """Return `lo` letters."""
        del hi, hint
        return "a" * lo

    def pattern(self, pattern: str) -> str:
        """Return the text `pattern` matches when every choice is the first."""
        return regexes.sample(pattern, self)

    def format(self, name: str) -> str:
        """Return the format's simplest text."""
        return formats.sample(name, self)
