"""Identifiers in the shapes the real service gives them, each from one choice of the draw."""

import string
from collections.abc import Callable, Container
from functools import cache

from mockchat.contract.patterns import is_found
from mockchat.payloads.draw import Draw
from mockchat.payloads.seeded import ApartDraw

_LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits


def letters_and_digits(draw: Draw, length: int) -> str:
    """Return `length` ASCII letters and digits."""
    if isinstance(draw, ApartDraw):
        return draw.letters(length)
    # One large number instead of many small choices: quick, and one thing to shrink.
    number = draw.integer(0, _greatest(len(_LETTERS), length))
    pairs, base = _pairs(_LETTERS), len(_LETTERS) ** 2
    found = ""
    for _ in range(length // 2):
        number, pair = divmod(number, base)
        found += pairs[pair]
    return found + _LETTERS[number] if length % 2 else found


def spelt(draw: Draw, pattern: str | None, usual: Callable[[Draw], str]) -> str:
    """Return an identifier of the pattern that a profile's document has for it, else the usual one."""
    return usual(draw) if pattern is None else draw.pattern(pattern)


def told_apart(identifier: str, taken: Container[str], pattern: str | None = None) -> str:
    """Return an identifier that is not taken: as it is, or otherwise in one character.

    Hypothesis likes to draw the same again. Where the pattern allows no other, it stays as it is.
    """
    if identifier not in taken:
        return identifier
    others = (
        f"{identifier[:place]}{letter}{identifier[place + 1 :]}"
        for place in reversed(range(len(identifier)))
        for letter in _LETTERS
    )
    free = (other for other in others if other not in taken)
    return next((one for one in free if pattern is None or is_found(pattern, one)), identifier)


def completion_id(draw: Draw) -> str:
    """Return a completion's id: `chatcmpl-` and 29 letters or digits, as recorded."""
    return f"chatcmpl-{letters_and_digits(draw, 29)}"


def tool_call_id(draw: Draw) -> str:
    """Return a tool call's id: `call_` and 24 letters or digits, as recorded."""
    return f"call_{letters_and_digits(draw, 24)}"


def system_fingerprint(draw: Draw) -> str:
    """Return a fingerprint: `fp_` and 10 hexadecimal digits, as recorded."""
    return f"fp_{_hexadecimal_digits(draw, 10)}"


def audio_id(draw: Draw) -> str:
    """Return the id of an audio answer: `audio_` and 32 hexadecimal digits."""
    return f"audio_{_hexadecimal_digits(draw, 32)}"


def _hexadecimal_digits(draw: Draw, length: int) -> str:
    return f"{draw.integer(0, _greatest(16, length)):0{length}x}"[::-1]  # the lowest digit first


@cache
def _greatest(base: int, length: int) -> int:
    greatest: int = base**length - 1
    return greatest


@cache
def _pairs(digits: str) -> list[str]:
    """Return every two digits by their number, the lower digit first."""
    return [low + high for high in digits for low in digits]
