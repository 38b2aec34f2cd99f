"""Sets of characters as ranges of code points: the classes of regular expressions."""

from collections.abc import Callable, Mapping
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
ANY: Ranges = ((0, LAST),)

_UNIFORM = ((0x40000, 0xDFFFF), (0xE1000, 0xEFFFF), (0xF0000, 0xFFFFD), (0x100000, 0x10FFFD))
"""Where nothing is assigned, or everything is for private use: the first character tells all."""

_MOST_CASED = 4096
"""How many characters of a set are given their other case; larger sets get that of ASCII alone."""

_CATEGORIES = {
    "Letter": "L", "Cased_Letter": "LC", "Uppercase_Letter": "Lu", "Lowercase_Letter": "Ll",
    "Titlecase_Letter": "Lt", "Modifier_Letter": "Lm", "Other_Letter": "Lo", "Mark": "M",
    "Combining_Mark": "M", "Nonspacing_Mark": "Mn", "Spacing_Mark": "Mc", "Enclosing_Mark": "Me",
    "Number": "N", "Decimal_Number": "Nd", "digit": "Nd", "Letter_Number": "Nl",
    "Other_Number": "No", "Punctuation": "P", "punct": "P", "Connector_Punctuation": "Pc",
    "Dash_Punctuation": "Pd", "Open_Punctuation": "Ps", "Close_Punctuation": "Pe",
    "Initial_Punctuation": "Pi", "Final_Punctuation": "Pf", "Other_Punctuation": "Po",
    "Symbol": "S", "Math_Symbol": "Sm", "Currency_Symbol": "Sc", "Modifier_Symbol": "Sk",
    "Other_Symbol": "So", "Separator": "Z", "Space_Separator": "Zs", "Line_Separator": "Zl",
    "Paragraph_Separator": "Zp", "Other": "C", "Control": "Cc", "cntrl": "Cc", "Format": "Cf",
    "Surrogate": "Cs", "Private_Use": "Co", "Unassigned": "Cn",
}  # fmt: skip


def complement(ranges: Ranges) -> Ranges:
    """Return every code point outside `ranges`."""
    found: list[tuple[int, int]] = []
    start = 0
    for low, high in merged(ranges):
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


def with_cases(ranges: Ranges) -> Ranges:
    """Return the set with the other case of its letters; of ASCII letters alone if it is large."""
    is_small = sum(high - low + 1 for low, high in ranges) <= _MOST_CASED
    points = [
        point
        for low, high in ranges
        for point in range(low, (high if is_small else min(high, 0x7F)) + 1)
    ]
    others = (other for point in points for other in (chr(point).lower(), chr(point).upper()))
    return merged((*ranges, *((ord(each), ord(each)) for each in others if len(each) == 1)))


def property_ranges(name: str) -> Ranges:
    """Return the characters with a Unicode property, such as L, Lu or Letter; () if unknown here.

    General categories by both their names, and the binary properties Python's own tables tell.
    `Alphabetic` lacks the few marks and symbols that Unicode counts among letters.
    """
    if name in _DERIVED:
        return _DERIVED[name]()
    wanted = _CATEGORIES.get(name, name)
    names = ("Lu", "Ll", "Lt") if wanted == "LC" else (wanted,)
    every = _categories()
    return merged(
        tuple(span for each in every if wanted and each.startswith(names) for span in every[each])
    )


@cache
def _categories() -> Mapping[str, Ranges]:
    """Return the characters of every two-letter Unicode category."""
    found: dict[str, list[tuple[int, int]]] = {}
    start = 0
    for low, high in (*_UNIFORM, (LAST, LAST)):
        for name, points in groupby(range(start, low), key=lambda point: category(chr(point))):
            run = [*points]
            found.setdefault(name, []).append((run[0], run[-1]))
        found.setdefault(category(chr(low)), []).append((low, high))
        start = high + 1
    return {name: merged(tuple(ranges)) for name, ranges in found.items()}


@cache
def _cased(*, is_upper: bool) -> Ranges:
    tells = str.isupper if is_upper else str.islower
    spans = (*property_ranges("L"), *property_ranges("Nl"), *property_ranges("So"))
    points = (point for low, high in spans for point in range(low, high + 1))
    return merged(tuple((point, point) for point in points if tells(chr(point))))


_DERIVED: Mapping[str, Callable[[], Ranges]] = {
    "Any": lambda: ANY,
    "ASCII": lambda: ((0, 0x7F),),
    "Assigned": lambda: complement(property_ranges("Cn")),
    **dict.fromkeys(
        ["Alphabetic", "Alpha"],
        lambda: merged((*property_ranges("L"), *property_ranges("Nl"))),
    ),
    **dict.fromkeys(["Uppercase", "Upper"], lambda: _cased(is_upper=True)),
    **dict.fromkeys(["Lowercase", "Lower"], lambda: _cased(is_upper=False)),
    **dict.fromkeys(
        ["ASCII_Hex_Digit", "AHex"], lambda: ((0x30, 0x39), (0x41, 0x46), (0x61, 0x66))
    ),
    **dict.fromkeys(
        ["White_Space", "space"],
        lambda: merged(tuple({*SPACE, (0x85, 0x85)} - {(0xFEFF, 0xFEFF)})),
    ),
}
