"""The one interface of choices: everything generated is a function of what a `Draw` answers."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Protocol, TypeVar, runtime_checkable

_Made = TypeVar("_Made")


class Draw(Protocol):
    """The only source of choice of every generator.

    Zero, False, the lower bound and the shortest text are the simplest answers, so that whoever
    shrinks the answers shrinks the payload. A generator asks and never looks behind the answer;
    the server answers from a seed (`seeded.SeededDraw`), a property test from Hypothesis.
    """

    def index(self, n: int) -> int:
        """Return a whole number from 0 to `n - 1`; `n` is at least 1."""
        ...

    def chance(self, p: float) -> bool:
        """Return True with probability `p` (0 to 1)."""
        ...

    def size(self, lo: int, hi: int, average: float) -> int:
        """Return a count from `lo` to `hi`, near `average` most of the time."""
        ...

    def edge(self, n: int) -> int | None:
        """Return which of `n` extreme values to take, now and then; None for an ordinary one."""
        ...

    def together(self, make: Callable[[], _Made]) -> _Made:
        """Return what `make` makes of this draw's answers.

        They belong together: whoever shrinks answers may make all of them simple at once, or leave
        them out. A part that may be missing asks for that within, so that it goes as a whole.
        """
        ...

    def apart(self, what: str) -> "Draw":
        """Return a draw for what stands apart: nothing else goes by it, nor does it by anything.

        Args:
            what: The same draw gives the same answers for it, whatever else is asked of either.
        """
        ...

    def ahead(self, choices: int, options: AbstractSet[int]) -> "Draw":
        """Return the draw to ask in this one's place about the next part.

        A draw that pays for each question may answer many of them at once.

        Args:
            choices: About how many questions will be asked.
            options: Among how many answers they will choose.
        """
        ...

    def several(self, options: tuple[int, ...]) -> tuple[int, ...] | None:
        """Return whole numbers from 0 to one less than each of `options`, 256 at the most.

        None: they are to be asked for one after the other, as nothing is gained by asking at once.
        """
        ...

    def integer(self, lo: int, hi: int) -> int:
        """Return a whole number from `lo` to `hi`, both included."""
        ...

    def number(self, lo: float, hi: float) -> float:
        """Return a finite float from `lo` to `hi`, both included."""
        ...

    def text(self, lo: int, hi: int, hint: str) -> str:
        """Return text of `lo` to `hi` characters.

        `hint` says what for: "plain" (simple printable words), "wild" (whatever JSON can carry),
        "name" (an identifier: ASCII letters, digits, underscore). Others mean "plain".
        """
        ...

    def pattern(self, pattern: str) -> str:
        """Return text in which the ECMA-262 regular expression `pattern` is found."""
        ...

    def format(self, name: str) -> str:
        """Return text in the JSON Schema format `name`; one of `formats.FORMATS`."""
        ...


@runtime_checkable
class LarkDraw(Draw, Protocol):
    """A source of choice that can follow Lark grammars as well: Hypothesis' own, not the server's."""

    def lark(self, grammar: str) -> str:
        """Return text of the language that a Lark grammar describes, from its rule `start`.

        Raises:
            NoGrammar: It is no Lark grammar, or the package lark is not installed.
        """
        ...


class NoGrammar(Exception):
    """No text can be drawn from a grammar; the text of the exception is the reason."""
