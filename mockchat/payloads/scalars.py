"""Draw numbers, text and whatever else needs no further nodes."""

import math
import sys
from fractions import Fraction

from mockchat.payloads.compile_scalars import formatted, matched
from mockchat.payloads.draw import Draw
from mockchat.payloads.regexes import NoSample
from mockchat.payloads.schema_nodes import Integer, Number, String
from mockchat.types import Json, Kind

_PLAIN_SPAN = 100
_WILD_INTEGER = 2**53 - 1
_WILD_NUMBERS = (0.0, -0.0, 1.0, -1.0, 0.1, 5e-324, 1e-7, 1e21, 1.7976931348623157e308, -1e308)
_WILD_INTEGERS = (0, 1, -1, 2**31, -(2**31) - 1, 2**53 - 1, 2**63 - 1, -(2**63))
_PLAIN_DIGITS = 2
_MOST_TEXT = 200
_MOST_WILD_TEXT = 4000
_STEPS = 16
_USUAL_TEXT = 40
_MOST_NESTED = 3


def integer(node: Integer, draw: Draw, kind: Kind) -> int:
    """Draw an integer; wild: often at the edge of what is allowed or representable."""
    if kind == "wild":
        edges = [value for value in (node.least, node.most) if value is not None]
        edges += [value for value in _WILD_INTEGERS if _is_within(value, node)]
        edge = draw.edge(len(edges))
        if edge is not None:
            return edges[edge]
    low, high = _integer_range(node, _PLAIN_SPAN if kind == "plain" else _WILD_INTEGER)
    return node.step * draw.integer(-(-low // node.step), high // node.step)


def _is_within(value: int, node: Integer) -> bool:
    if node.least is not None and value < node.least:
        return False
    return value % node.step == 0 and (node.most is None or value <= node.most)


def _integer_range(node: Integer, span: int) -> tuple[int, int]:
    width = span * node.step
    if node.least is None and node.most is None:
        return (0 if span == _PLAIN_SPAN else -width), width
    if node.least is None:
        most = node.most or 0
        return min(0, most) - width, most
    if node.most is None:
        return node.least, max(0, node.least) + width
    return node.least, node.most


def number(node: Number, draw: Draw, kind: Kind) -> float:
    """Draw a finite number; plain: with few digits; wild: often an extreme one."""
    if node.step is not None:
        return _multiple(node, node.step, draw, kind)
    value = _any_number(node, draw, kind)
    # A whole number is written as one, so that validators agree on whether it is an integer.
    return int(value) if value.is_integer() and abs(value) <= _WILD_INTEGER else value


def _any_number(node: Number, draw: Draw, kind: Kind) -> float:
    low, high = _number_range(node, kind)
    if kind == "wild":
        edges = [value for value in (*_WILD_NUMBERS, low, high) if low <= value <= high]
        edge = draw.edge(len(edges))
        if edge is not None:
            return edges[edge]
    value = draw.number(low, high)
    short = round(value, _PLAIN_DIGITS)
    return short if kind == "plain" and low <= short <= high else value


def _number_range(node: Number, kind: Kind) -> tuple[float, float]:
    span = float(_PLAIN_SPAN) if kind == "plain" else sys.float_info.max
    if node.least is None and node.most is None:
        return (0.0 if kind == "plain" else -span), span
    if node.least is None:
        most = node.most or 0.0
        return max(-sys.float_info.max, min(0.0, most) - span), most
    if node.most is None:
        return node.least, min(sys.float_info.max, max(0.0, node.least) + span)
    return node.least, node.most


def _multiple(node: Number, step: Fraction, draw: Draw, kind: Kind) -> float:
    """Draw a multiple of `step` that binary fractions show as one, stepping on where they do not."""
    low, high = _number_range(node, kind)
    first, last = math.ceil(Fraction(low) / step), math.floor(Fraction(high) / step)
    if kind == "wild":
        # Beyond 2**53 steps a float no longer tells a multiple from its neighbours.
        first, last = _narrowed(first, last)
    start = draw.integer(first, last)
    counts = range(min(_STEPS, last - first + 1))
    values = [_shown((first + (start - first + n) % (last - first + 1)) * step) for n in counts]
    return next((value for value in values if _is_multiple(value, step)), values[0])


def _is_multiple(value: float, step: Fraction) -> bool:
    """Tell whether a validator that divides floats will find `value` to be a multiple."""
    return value % 1 == 0 or (value / float(step)).is_integer()


def _narrowed(first: int, last: int) -> tuple[int, int]:
    if first <= _WILD_INTEGER and last >= -_WILD_INTEGER:
        return max(first, -_WILD_INTEGER), min(last, _WILD_INTEGER)
    return first, last


def _shown(value: Fraction) -> float:
    return value.numerator if value.denominator == 1 else float(value)


def string(node: String, draw: Draw, kind: Kind) -> str:
    """Draw text that has the lengths, the format and the patterns of `node`."""
    if node.format is not None:
        return formatted(node.format, node, draw) or node.example or ""
    if node.patterns:
        try:
            return matched(node, draw)
        except NoSample:
            return node.example or ""
    least = node.least
    if kind == "plain" and node.most != 0:
        least = max(1, least)
    room = _MOST_TEXT if kind == "plain" else _MOST_WILD_TEXT
    most = least + room if node.most is None else min(node.most, least + room)
    return draw.text(least, most, kind)


def anything(draw: Draw, kind: Kind, depth: int = 0) -> Json:
    """Draw any JSON value, a small one; plain: text."""
    if kind == "plain":
        return draw.text(1, _USUAL_TEXT, "plain")
    simple = (
        lambda: None,
        lambda: draw.chance(0.5),
        lambda: draw.integer(-_WILD_INTEGER, _WILD_INTEGER),
        lambda: draw.number(-1e9, 1e9),
        lambda: draw.text(0, _USUAL_TEXT, "wild"),
    )
    choice = draw.index(len(simple) + (2 if depth < _MOST_NESTED else 0))
    if choice < len(simple):
        return simple[choice]()
    parts = [anything(draw, kind, depth + 1) for _ in range(draw.size(0, 4, 1))]
    if choice == len(simple):
        return parts
    return {draw.text(0, 12, "wild"): part for part in parts}
