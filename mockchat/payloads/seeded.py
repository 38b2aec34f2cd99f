"""Answer a generator from a seed, and find the seed of a reply: the purity law."""

import hashlib
import json
import random
import string
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Self, TypeVar

from mockchat.payloads import formats, regexes
from mockchat.types import Json, JsonView

_Made = TypeVar("_Made")

_WORDS = (
    "river", "table", "green", "small", "light", "paper", "music", "seven", "cloud", "stone",
    "early", "bread", "north", "quiet", "glass", "plant", "round", "story", "field", "water",
    "a", "to", "in", "of", "and", "with", "from", "under", "after", "city", "day", "open", "fine",
)  # fmt: skip

_AWKWARD = (
    "data: [DONE]", "\n\n", "\r\n", "\u2028", "\u2029", "\u0000", "\ufeff", "\t", "\\", '"', "'",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f600", "\U0010ffff", "e\u0301", "\u202e",
    "\u0647", "\u6f22", "\ud55c", "</script>", "{", "}", "%00", "null", "NaN", " ", "0", "\x7f",
)  # fmt: skip

_NAME_START = "abcdefghijklmnopqrstuvwxyz"
_NAME_REST = _NAME_START + "0123456789_"

_USUAL_LENGTH = 24
_LONG_LENGTH = 1500
_EDGE = 0.3


def canonical_json(value: Json) -> str:
    """Return the one JSON text of `value`: members sorted, no spaces, ASCII only.

    Raises:
        ValueError: A number is not finite.
        RecursionError: The value is nested deeper than the interpreter allows.
    """
    return _CANONICAL.encode(value)


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


class SeededDraw:
    """Draw from `random.Random`: the same seed gives the same answers on every Python and machine.

    Args:
        seed: Where the stream of answers starts.
        locale: The language of prose, as Faker names it; generators of text read it.
    """

    def __init__(self, seed: int | str | bytes, *, locale: str = "en_US") -> None:
        self.locale = locale
        self._seed = seed

    @cached_property
    def random(self) -> random.Random:
        """Where the answers come from; to begin it costs more than many a reply, so few do."""
        return random.Random(self._seed)

    def apart(self, what: str) -> "ApartDraw":
        """Return a draw that begins at once, for a few answers."""
        return ApartDraw(f"{what}:".encode() + _seed_bytes(self._seed), locale=self.locale)

    def index(self, n: int) -> int:
        """Return a whole number below `n`, all equally likely."""
        return self.random.randrange(n)

    def chance(self, p: float) -> bool:
        """Return True with probability `p`."""
        return self.random.random() < p

    def size(self, lo: int, hi: int, average: float) -> int:
        """Return a count that is `average` on average, where the bounds let it."""
        spread = max(0.0, average - lo)
        # A product of two uniform numbers: a quarter on average, small more often than large, and
        # without the logarithm that rounds differently from one C library to another.
        share = self.random.random() * self.random.random()
        return min(hi, lo + int(share * spread * 4 + 0.5))

    def edge(self, n: int) -> int | None:
        """Return the number of an extreme value in three cases of ten."""
        return self.index(n) if self.chance(_EDGE) else None

    def together(self, make: Callable[[], _Made]) -> _Made:
        """Return what `make` makes."""
        return make()

    def ahead(self, choices: int, options: AbstractSet[int]) -> Self:
        """Return this draw: its questions cost nothing."""
        del choices, options
        return self

    def several(self, options: tuple[int, ...]) -> None:
        """Return None: its questions cost nothing."""
        del options

    def integer(self, lo: int, hi: int) -> int:
        """Return a whole number between the bounds, all equally likely.

        Raises:
            ValueError: `hi` is less than `lo`.
        """
        count = hi - lo + 1
        if count < 1:
            raise ValueError(f"there is no whole number from {lo} to {hi}")
        # What `random.randint` does, without what it looks at before.
        bits = count.bit_length()
        found = self.random.getrandbits(bits)
        while found >= count:
            found = self.random.getrandbits(bits)
        return lo + found

    def number(self, lo: float, hi: float) -> float:
        """Return a float between the bounds; their distance may exceed the greatest float."""
        share = self.random.random()
        return min(max(lo * (1 - share) + hi * share, lo), hi)

    def text(self, lo: int, hi: int, hint: str) -> str:
        """Return words, an identifier, or the characters that trouble clients most."""
        if hint == "wild":
            return self._wild_text(lo, hi)
        length = self.size(lo, hi, max(lo, min(hi, _USUAL_LENGTH / (2 if hint == "name" else 1))))
        if hint == "name":
            return "".join(
                self.random.choice(_NAME_REST if position else _NAME_START)
                for position in range(length)
            )
        return self._words(length)

    def pattern(self, pattern: str) -> str:
        """Return text in which `pattern` is found."""
        return regexes.sample(pattern, self)

    def format(self, name: str) -> str:
        """Return text in the format `name`."""
        return formats.sample(name, self)

    def _words(self, length: int) -> str:
        pieces: list[str] = []
        total = 0
        while total < length:
            pieces.append(self.random.choice(_WORDS))
            total += len(pieces[-1]) + 1
        text = " ".join(pieces)[:length]
        return text if not text.endswith(" ") else text[:-1] + "s"

    def _wild_text(self, lo: int, hi: int) -> str:
        average = _LONG_LENGTH if self.chance(0.02) else self.random.choice((0, 1, 3, 20))
        length = self.size(lo, hi, max(lo, min(hi, average)))
        pieces: list[str] = []
        total = 0
        while total < length:
            awkward = self.random.choice(_AWKWARD if self.chance(0.5) else _WORDS)
            pieces.append(awkward)
            total += len(awkward)
        return "".join(pieces)[:length]


_BLOCK = 128
"""Bytes of a digest that are taken at once: what most replies need."""
_LETTERS = (string.ascii_uppercase + string.ascii_lowercase + string.digits).encode()
_LETTER_OF = bytes(_LETTERS[byte % len(_LETTERS)] for byte in range(256))


class ApartDraw(SeededDraw):
    """Draw whole numbers and letters from a digest: `random.Random` costs more to begin with.

    Args:
        seed: What is digested.
        locale: As for any draw.
    """

    def __init__(self, seed: bytes, *, locale: str = "en_US") -> None:
        super().__init__(seed, locale=locale)
        self._bytes = seed
        self._blocks = 0
        self._left = b""

    def index(self, n: int) -> int:
        """Return a whole number below `n`, all equally likely."""
        return self.integer(0, n - 1)

    def integer(self, lo: int, hi: int) -> int:
        """Return a whole number between the bounds, all equally likely but for one part in 2^64.

        Raises:
            ValueError: `hi` is less than `lo`.
        """
        count = hi - lo + 1
        if count < 1:
            raise ValueError(f"there is no whole number from {lo} to {hi}")
        return lo + int.from_bytes(self._taken((count.bit_length() + 71) // 8)) % count

    def letters(self, length: int) -> str:
        """Return so many ASCII letters and digits, some a little more likely than others."""
        return self._taken(length).translate(_LETTER_OF).decode("ascii")

    def _taken(self, size: int) -> bytes:
        while len(self._left) < size:
            whole = self._blocks.to_bytes(4) + self._bytes
            self._left += hashlib.shake_128(whole).digest(_BLOCK)
            self._blocks += 1
        taken, self._left = self._left[:size], self._left[size:]
        return taken


def _seed_bytes(seed: int | str | bytes) -> bytes:
    return seed if isinstance(seed, bytes) else f"{type(seed).__name__} {seed}".encode()


def draw_for(  # noqa: PLR0913 - each is a part of the law
    *,
    seed: int | str,
    profile: str,
    settings: JsonView,
    method: str,
    path: str,
    body: Json,
    repeat: int = 0,
    locale: str = "en_US",
) -> SeededDraw:
    """Return the draw of one reply: a pure function of all that may shape it.

    Headers, clocks, threads and earlier requests are not parts, so every worker of every replica
    answers the same request with the same bytes.

    Args:
        seed: What the user chose.
        profile: The profile's name.
        settings: Whatever else shapes a reply, as JSON.
        method: The HTTP method.
        path: The path without query and token.
        body: The decoded request body; member order and spacing do not count.
        repeat: Which reply to this very request this is, from 0.
        locale: The language of prose.

    Raises:
        ValueError: A number in `settings` or `body` is not finite.
    """
    return Draws(
        seed=seed,
        profile=profile,
        settings=settings,
        method=method,
        path=path,
        body=body,
        locale=locale,
    ).draw(repeat)


class Draws:
    """The draws of all replies to one request; arguments as for `draw_for`."""

    def __init__(  # noqa: PLR0913 - each is a part of the law
        self,
        *,
        seed: int | str,
        profile: str,
        settings: JsonView,
        method: str,
        path: str,
        body: Json,
        locale: str = "en_US",
    ) -> None:
        parts = canonical_json([seed, profile, settings, method, path, body])
        self._parts = hashlib.sha256(parts.removesuffix("]").encode("ascii"))
        self._locale = locale
        self._end = canonical_json([locale]).removeprefix("[")

    def draw(self, repeat: int = 0) -> SeededDraw:
        """Return the draw of a reply: which reply to this very request it is, from 0."""
        whole = self._parts.copy()
        whole.update(f",{repeat},{self._end}".encode("ascii"))
        return SeededDraw(whole.digest(), locale=self._locale)
