"""Sets of characters as ranges of code points: the classes of regular expressions."""

from collections.abc import Mapping
from functools import cache
from itertools import groupby
from unicodedata import category

Ranges = tuple[tuple[int, int], ...]
"""Code points from … to, ascending, both included."""

LAST = 0x10FFFF
DIGITS: Ranges = ((0x30, 0x39),)
WORD: Ranges = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
SPACE: Ranges = (
    (0x09, 0x0D), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A),
    (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF),
)  # fmt: skip
LINE_ENDS: Ranges = ((0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029))
_CATEGORIES = {
    "Letter": "L", "Uppercase_Letter": "Lu", "Lowercase_Letter": "Ll", "Mark": "M",
    "Number": "N", "Decimal_Number": "Nd", "Punctuation": "P", "Symbol": "S", "Separator": "Z",
    "Alphabetic": "L", "Alpha": "L", "Uppercase": "Lu", "Lowercase": "Ll",
}  # fmt: skip


def complement(ranges: Ranges) -> Ranges:
    """Return every code point outside `ranges`, surrogates left out."""
    found: list[tuple[int, int]] = []
    start = 0
    for low, high in merged((*ranges, (0xD800, 0xDFFF))):
        if start < low:
            found.append((start, low - 1))
        start = high + 1
    if start <= LAST:
        found.append((start, LAST))
    return tuple(found)


def merged(ranges: Ranges) -> Ranges:
    """Return the same set in ascending, disjoint ranges."""
    found: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if found and low <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return tuple(found)


@cache
def _categories() -> Mapping[str, Ranges]:
    """Return the characters of every two-letter Unicode category in the Basic Multilingual Plane.

    The higher planes are left out: reading them all takes a tenth of a second, and a sample
    needs only some member.
    """
    found: dict[str, list[tuple[int, int]]] = {}
    for name, points in groupby(range(0x10000), key=lambda point: category(chr(point))):
        run = [*points]
        found.setdefault(name, []).append((run[0], run[-1]))
    del found["Cs"]
    return {name: tuple(ranges) for name, ranges in found.items()}


def property_ranges(name: str) -> Ranges:
    """Return the characters with a Unicode property, such as L, Lu or Letter; () if unknown."""
    wanted = _CATEGORIES.get(name, name)
    if wanted == "Any":
        return complement(())
    every = _categories()
    return merged(
        tuple(span for each in every if wanted and each.startswith(wanted) for span in every[each])
    )
