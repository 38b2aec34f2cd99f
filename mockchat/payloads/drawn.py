"""Answer a generator from Hypothesis: what it finds it can repeat and shrink.

The only module of this room that needs Hypothesis; it needs the public interface alone.
"""

import math
from collections.abc import Callable, Collection
from collections.abc import Set as AbstractSet
from contextvars import ContextVar
from fractions import Fraction
from functools import cache, lru_cache
from typing import TypeVar, cast

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from mockchat.payloads import formats, regexes
from mockchat.payloads.draw import NoGrammar
from mockchat.payloads.values import Prepared, generate
from mockchat.types import Json, Kind

_Made = TypeVar("_Made")

_MOST_ODDS = 10
_WORDY = "abcdefghijklmnopqrstuvwxyz "
_NAME_START = "abcdefghijklmnopqrstuvwxyz"
_NAME_REST = _NAME_START + "0123456789_"
_MOST_DRAWN = 100
_FEWEST_AHEAD, _MOST_OPTIONS = 2, 256
_FIRST_OF_TAPE = ord("0")
_EVEN = 0.5
_OFTEN, _WIDE, _NARROW = 0.25, 4.0, 4 / 3


class HypothesisDraw:
    """Draw what Hypothesis decides; the simplest answers are those it shrinks to.

    Args:
        draw: The `draw` of a composite strategy, or the `draw` method of `st.data()`.
        locale: The language of prose, as Faker names it; generators of text read it.
    """

    def __init__(self, draw: st.DrawFn, *, locale: str = "en_US") -> None:
        self._draw = draw
        self.locale = locale

    def index(self, n: int) -> int:
        """Return a whole number below `n`."""
        return self.integer(0, n - 1)

    def chance(self, p: float) -> bool:
        """Return True with probability `p`, as a fraction of small numbers; False is simpler."""
        if p == _EVEN:
            return self._draw(_booleans())
        hits, of = _odds(p)
        return self.integer(0, of - 1) >= of - hits if hits < of else True

    def edge(self, n: int) -> None:
        """Return None: Hypothesis itself tries bounds and notorious numbers.

        A choice between an extreme and an ordinary number would not shrink from the one to the other.
        """

    def together(self, make: Callable[[], _Made]) -> _Made:
        """Return what `make` makes of answers that Hypothesis simplifies, or leaves out, at once."""

        def made(draw: st.DrawFn) -> _Made:
            outer, self._draw = self._draw, draw
            try:
                return make()
            finally:
                self._draw = outer

        before = _MAKING.set(made)
        try:
            return cast("_Made", self._draw(_parts()))
        finally:
            _MAKING.reset(before)

    def size(self, lo: int, hi: int, average: float) -> int:
        """Return a count that is `average` on average, now and then much more."""
        spread = max(0.0, average - lo)
        if hi <= lo or not spread:
            return lo
        if hi - lo <= spread * _NARROW:
            return self.integer(lo, hi)
        width = spread * (_WIDE if self.chance(_OFTEN) else _NARROW)
        return self.integer(lo, min(hi, lo + math.ceil(width)))

    def apart(self, what: str) -> "HypothesisDraw":
        """Return this draw: all choices are of one example."""
        del what
        return self

    def ahead(self, choices: int, options: AbstractSet[int]) -> "HypothesisDraw":
        """Return a draw that has its answers from one text, a character for each.

        Hypothesis pays for every choice ten times what its answer costs; and it looks among equal
        ones for pairs to make the same, which finds little among the characters of a pattern.
        """
        if choices < _FEWEST_AHEAD:
            return self
        tape = self._draw(_tapes(choices, frozenset(options)))
        return _AheadDraw(self._draw, tape, locale=self.locale)

    def several(self, options: tuple[int, ...]) -> tuple[int, ...]:
        """Return answers that are the characters of one text: each is simplified by itself."""
        if len(options) < _FEWEST_AHEAD:
            return tuple([self.index(n) for n in options])
        tape = self._draw(_tapes(len(options), options))
        return tuple(
            [(ord(char) - _FIRST_OF_TAPE) % n for char, n in zip(tape, options, strict=True)]
        )

    def integer(self, lo: int, hi: int) -> int:
        """Return a whole number between the bounds."""
        if lo == hi:
            return lo
        return self._draw(_integers(lo, hi))

    def number(self, lo: float, hi: float) -> float:
        """Return a finite float between the bounds."""
        return self._draw(_floats(lo, hi))

    def text(self, lo: int, hi: int, hint: str) -> str:
        """Return words, an identifier, or any Unicode text but surrogates."""
        if lo > _MOST_DRAWN:
            # More than Hypothesis has entropy for: what is drawn is repeated.
            piece = self.text(1, _MOST_DRAWN, hint)
            return (piece * (lo // len(piece) + 1))[:lo]
        most = min(hi, _MOST_DRAWN)
        if hint != "name":
            return self._draw(_texts(lo, most, hint))
        if not most:
            return ""
        first = self._draw(_texts(min(lo, 1), 1, "start"))
        return first + self._draw(_texts(max(0, lo - 1), most - 1, "name")) if first else first

    def pattern(self, pattern: str) -> str:
        """Return text in which `pattern` is found.

        Not `st.from_regex`: that one reads patterns as Python does, filters for look-arounds, and
        takes seconds to prepare one class of characters left out (11 for `[^ <]`).
        """
        return regexes.sample(pattern, self)

    def format(self, name: str) -> str:
        """Return text in the format `name`."""
        return formats.sample(name, self)

    def lark(self, grammar: str) -> str:
        """Return text that follows a Lark grammar, from its rule `start`.

        Raises:
            NoGrammar: It is no Lark grammar, or the package lark is not installed.
        """
        return self._draw(_larks(grammar))


class _AheadDraw(HypothesisDraw):
    """Answer with the characters of a text, as long as there are any; "0" stands for the simplest."""

    def __init__(self, draw: st.DrawFn, tape: str, *, locale: str) -> None:
        super().__init__(draw, locale=locale)
        self._answers = [ord(char) - _FIRST_OF_TAPE for char in reversed(tape)]

    def integer(self, lo: int, hi: int) -> int:
        """Return what the next character says, in turn where the bounds are closer together."""
        if lo == hi:
            return lo
        span = hi - lo + 1
        if self._answers and span <= _MOST_OPTIONS:
            return lo + self._answers.pop() % span
        return super().integer(lo, hi)


_MAKING: ContextVar[Callable[[st.DrawFn], object]] = ContextVar("making")
"""What the next of `_parts` is made by: one strategy for all parts, as making one takes longer than a draw."""


def _bare(strategy: st.SearchStrategy[_Made]) -> st.SearchStrategy[_Made]:
    """Return the strategy that `strategy` stands for until it is first drawn from.

    Hypothesis looks it up at every draw, which takes longer than many a draw. The attribute is none
    of its public ones: where it is missing, the lookups remain.
    """
    return cast("st.SearchStrategy[_Made]", getattr(strategy, "wrapped_strategy", strategy))


@st.composite
def _part(draw: st.DrawFn) -> object:
    """Make what is to be made, within a span of its own."""
    return _MAKING.get()(draw)


@cache
def _parts() -> st.SearchStrategy[object]:
    return _bare(_part())


@st.composite
def from_schema(draw: st.DrawFn, schema: Prepared, *, kind: Kind = "wild") -> Json:
    """Draw a value of a prepared schema; the name is the one that `mockchat.strategies` prints."""
    return generate(schema.compiled, HypothesisDraw(draw), kind=kind)


@lru_cache(maxsize=1024)
def _odds(p: float) -> tuple[int, int]:
    """Return `p` as so many of so many, as few as will do: one less of them is the other answer."""
    few = Fraction(p).limit_denominator(_MOST_ODDS)
    return (few.numerator, few.denominator) if few or not p else (1, math.ceil(1 / p))


@cache
def _booleans() -> st.SearchStrategy[bool]:
    return _bare(st.booleans())


@lru_cache(maxsize=1024)
def _integers(lo: int, hi: int) -> st.SearchStrategy[int]:
    return _bare(st.integers(lo, hi))


@lru_cache(maxsize=256)
def _floats(lo: float, hi: float) -> st.SearchStrategy[float]:
    # The cache holds 0.0 and -0.0 for one key; as bounds they are the same to JSON Schema.
    return _bare(st.floats(lo + 0.0, hi + 0.0, allow_nan=False, allow_infinity=False))


@lru_cache(maxsize=1024)
def _texts(lo: int, hi: int, hint: str) -> st.SearchStrategy[str]:
    alphabet = {"wild": None, "name": _NAME_REST, "start": _NAME_START}.get(hint, _WORDY)
    if alphabet is None:
        return _bare(st.text(min_size=lo, max_size=hi))
    return _bare(st.text(alphabet, min_size=lo, max_size=hi))


@lru_cache(maxsize=1024)
def _tapes(length: int, options: Collection[int]) -> st.SearchStrategy[str]:
    # In the order in which Hypothesis simplifies characters, "0" is the first, and those after it follow.
    # As many of them as are fair to choices among each of `options`, if that can be.
    last = _FIRST_OF_TAPE + min(math.lcm(*options), _MOST_OPTIONS) - 1
    alphabet = st.characters(min_codepoint=_FIRST_OF_TAPE, max_codepoint=last)
    return _bare(st.text(alphabet, min_size=length, max_size=length))


@lru_cache(maxsize=64)
def _larks(grammar: str) -> st.SearchStrategy[str]:
    try:
        # Only here: lark is an extra.
        from hypothesis.extra.lark import from_lark  # noqa: PLC0415
        from lark import Lark  # noqa: PLC0415
        from lark.exceptions import LarkError  # noqa: PLC0415
    except ImportError:
        raise NoGrammar(
            "inputs for Lark grammars are drawn with the package lark: pip install 'mockchat[lark]'"
        ) from None
    try:
        strategy = from_lark(Lark(grammar, start="start"))
        strategy.validate()
    except (LarkError, InvalidArgument) as problem:
        raise NoGrammar(f"not a Lark grammar that can be followed: {problem}") from None
    return strategy
