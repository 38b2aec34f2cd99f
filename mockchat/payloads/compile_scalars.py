"""Compile what holds of numbers and of text."""

import math
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TypeAlias

from mockchat.contract.patterns import is_found
from mockchat.payloads import regexes
from mockchat.payloads.draw import Draw
from mockchat.payloads.formats import BASE64, FORMATS
from mockchat.payloads.goals import Flat, greatest, smallest
from mockchat.payloads.regexes import Sample, sampled
from mockchat.payloads.schema_nodes import Constant, Impossible, Integer, Node, Number, String
from mockchat.payloads.seeded import SeededDraw
from mockchat.types import Json

_FEW = 64
_FORMAT_TRIES = 20
_PER_PATTERN = 10
_CHARACTERS_PER_STEP = 10

Spend: TypeAlias = Callable[[int, str], None]
"""Counts steps of work at a pointer."""


def _values(flats: Sequence[Flat], keyword: str) -> list[Json]:
    return [flat.schema[keyword] for flat in flats if keyword in flat.schema]


def exact(value: float) -> Fraction:
    """Return the number that was written, not its nearest binary fraction: 0.1 is one tenth."""
    return Fraction(str(value))


def common_multiple(steps: Sequence[Fraction]) -> Fraction:
    """Return the smallest number that is a multiple of every step."""
    found = steps[0]
    for step in steps[1:]:
        found = Fraction(
            math.lcm(found.numerator * step.denominator, step.numerator * found.denominator),
            found.denominator * step.denominator,
        )
    return found


def integer(flats: Sequence[Flat], pointer: str) -> Node:
    """Compile the integers that meet every bound and every `multipleOf`."""
    step = common_multiple([Fraction(1), *map(exact, _values(flats, "multipleOf"))]).numerator
    lows = [math.ceil(value) for value in _values(flats, "minimum")]
    lows += [math.floor(value) + 1 for value in _values(flats, "exclusiveMinimum")]
    highs = [math.floor(value) for value in _values(flats, "maximum")]
    highs += [math.ceil(value) - 1 for value in _values(flats, "exclusiveMaximum")]
    least = -(-max(lows) // step) * step if lows else None
    most = min(highs) // step * step if highs else None
    if least is not None and most is not None:
        if least > most:
            return Impossible(pointer=pointer, reason="no integer lies within the bounds")
        if (most - least) // step < _FEW:
            return Constant(pointer=pointer, values=[*range(least, most + 1, step)])
    return Integer(pointer=pointer, least=least, most=most, step=step)


def number(flats: Sequence[Flat], pointer: str) -> Node:
    """Compile the numbers that meet every bound and every `multipleOf`."""
    steps = [exact(value) for value in _values(flats, "multipleOf")]
    lows = [_float(value) for value in _values(flats, "minimum")]
    lows += [
        math.nextafter(_float(value), math.inf) for value in _values(flats, "exclusiveMinimum")
    ]
    highs = [_float(value) for value in _values(flats, "maximum")]
    highs += [
        math.nextafter(_float(value), -math.inf) for value in _values(flats, "exclusiveMaximum")
    ]
    least, most = max(lows, default=None), min(highs, default=None)
    step = common_multiple(steps) if steps else None
    if least is not None and most is not None:
        is_empty = least > most
        if step is not None:
            is_empty = math.ceil(Fraction(least) / step) > math.floor(Fraction(most) / step)
        if is_empty:
            return Impossible(pointer=pointer, reason="no number lies within the bounds")
    return Number(pointer=pointer, least=least, most=most, step=step)


def _float(value: float) -> float:
    """Return `value` as a float; a whole number beyond the greatest float becomes that."""
    return float(max(-sys.float_info.max, min(sys.float_info.max, value)))


def string(flats: Sequence[Flat], pointer: str, spend: Spend) -> Node:
    """Compile the text that has the lengths, the patterns and where possible the format.

    Args:
        flats: The schemas.
        pointer: Where they stand.
        spend: Counts work, in steps; raises once it is too much.
    """
    least, most = greatest(flats, "minLength"), smallest(flats, "maxLength")
    if most is not None and least > most:
        return Impossible(pointer=pointer, reason=f"no text has {least} to {most} characters")
    patterns = tuple(dict.fromkeys(_values(flats, "pattern")))
    formats = [name for name in _values(flats, "format") if name in FORMATS]
    formats += [BASE64 for name in _values(flats, "contentEncoding") if name == "base64"]
    node = String(
        pointer=pointer, least=least, most=most, patterns=patterns, format=None, example=None
    )
    # Whether all of it can be met is found out by trying, once, with a draw of its own.
    for name in formats[:1]:
        text = formatted(name, node, SeededDraw("probe"))
        if text is not None:
            node.format, node.example, node.effort = name, text, _FORMAT_TRIES
            return node
    spend(sum(_PER_PATTERN + len(pattern) for pattern in patterns), pointer)
    if patterns:
        try:
            found = _matched(node, SeededDraw("probe"))
        except ValueError as problem:
            spend(regexes.TRIES, pointer)
            return Impossible(pointer=pointer, reason=str(problem))
        node.example = found.text
        node.effort = found.tries * (1 + len(found.text) // _CHARACTERS_PER_STEP)
        spend(node.effort, pointer)
    return node


def fits(node: String, text: str) -> bool:
    """Tell whether `text` has the lengths and the patterns of `node`."""
    if len(text) < node.least or (node.most is not None and len(text) > node.most):
        return False
    return all(is_found(pattern, text) for pattern in node.patterns)


def formatted(name: str, node: String, draw: Draw) -> str | None:
    """Return text in the format that also has the lengths and patterns; None if none turns up."""
    for _ in range(_FORMAT_TRIES):
        text = draw.format(name)
        if fits(node, text):
            return text
    return None


def matched(node: String, draw: Draw) -> str:
    """Return text that has all patterns: a sample of one of them, or samples of all in a row.

    Raises:
        NoSample: None turned up.
        BadPattern: A pattern uses what is not supported.
    """
    if len(node.patterns) == 1 and not node.least and node.most is None:
        return draw.pattern(node.patterns[0])
    return _matched(node, draw).text


def _matched(node: String, draw: Draw) -> Sample:
    if len(node.patterns) == 1:
        return sampled(node.patterns[0], draw, least=node.least, most=node.most)
    tries = 0
    while tries < regexes.TRIES * 2:
        parts = [
            sampled(pattern, draw, least=node.least, most=node.most) for pattern in node.patterns
        ]
        short = [sampled(pattern, draw) for pattern in node.patterns]
        tries += sum(part.tries for part in (*parts, *short))
        texts = [part.text for part in short]
        for text in (*(part.text for part in parts), "".join(texts), "".join(reversed(texts))):
            if fits(node, text):
                return Sample(text=text, tries=tries)
    raise regexes.NoSample(f"no text was found that matches all of {', '.join(node.patterns)}")
