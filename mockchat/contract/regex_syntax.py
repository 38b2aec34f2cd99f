r"""Read ECMA-262 regular expressions, the dialect of JSON Schema, into a small tree.

Python's own parser is private and reads another dialect: `\d` there takes Arabic digits, `$`
forgives a final newline, and `\p{L}`, `\u{1F600}` or `(?<name>…)` are errors. What ECMA-262 says
with and without the flag `u` is read, and beside it what schemas made by other languages contain:
`(?P<name>…)`, `(?i)`, `\A` and `\Z`.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from mockchat.contract.charsets import (
    ANY,
    DIGITS,
    LAST,
    LINE_ENDS,
    SPACE,
    WORD,
    Ranges,
    complement,
    merged,
    property_ranges,
    with_cases,
)
from mockchat.contract.regex_tree import (
    Alternatives,
    Assertion,
    BackReference,
    Chars,
    Expression,
    Group,
    Look,
    Repeat,
    Sequence,
)

MOST_CHARACTERS = 4_000
"""How long a pattern may be to be read; reading takes microseconds for each character."""

_CONTROLS = {"t": 0x09, "n": 0x0A, "v": 0x0B, "f": 0x0C, "r": 0x0D, "0": 0x00}
_BOUNDS = re.compile(r"\{([0-9]+)(?:(,)([0-9]*))?\}")
_FLAGS = re.compile(r"\?([ims]*)(?:-([ims]+))?([:)])")
_LOW_SURROGATE = re.compile(r"\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_LINE_START = "(?<![^\\n\\r\\u2028\\u2029])"
_LINE_END = "(?![^\\n\\r\\u2028\\u2029])"


class BadPattern(ValueError):
    """A regular expression that cannot be read; the text says why and where."""


class UnsupportedPattern(BadPattern):
    """A regular expression that is right, as far as can be told, and that cannot be run here."""


@dataclass(frozen=True, slots=True)
class _Flags:
    """How letters, dots and the ends of lines are read at one place of a pattern."""

    i: bool = False
    m: bool = False
    s: bool = False


@lru_cache(maxsize=1024)
def parse(pattern: str) -> Expression:
    """Read `pattern` into its tree.

    Raises:
        BadPattern: It is not a regular expression.
        UnsupportedPattern: It is too long, or uses a Unicode property that Python's
            own tables do not tell.
    """
    if len(pattern) > MOST_CHARACTERS:
        raise UnsupportedPattern(f"it has more than {MOST_CHARACTERS} characters")
    reader = _Reader(pattern)
    try:
        tree = reader.alternatives()
    except RecursionError:
        raise BadPattern("the groups are nested too deep") from None
    if not reader.at_end():
        raise reader.problem("a closing bracket without its opening one")
    if any(number > reader.groups for number in reader.references):
        raise BadPattern("a back-reference to a group that does not exist")
    return tree


class _Reader:
    """Recursive descent over one pattern."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.position = 0
        self.groups = 0
        self.names: dict[str, int] = {}
        self.references: list[int] = []
        self.flags = _Flags()

    def problem(self, what: str) -> BadPattern:
        return BadPattern(f"{what} at position {self.position}")

    def at_end(self) -> bool:
        return self.position >= len(self.pattern)

    def peek(self) -> str:
        return self.pattern[self.position : self.position + 1]

    def take(self) -> str:
        if self.at_end():
            raise self.problem("the pattern ends too early")
        self.position += 1
        return self.pattern[self.position - 1]

    def accept(self, text: str) -> bool:
        if self.pattern.startswith(text, self.position):
            self.position += len(text)
            return True
        return False

    def until(self, end: str) -> str:
        stop = self.pattern.find(end, self.position)
        if stop < 0:
            raise self.problem(f"no {end!r} follows")
        text = self.pattern[self.position : stop]
        self.position = stop + len(end)
        return text

    def alternatives(self) -> Expression:
        options = [self.sequence()]
        while self.accept("|"):
            options.append(self.sequence())
        return options[0] if len(options) == 1 else Alternatives(tuple(options))

    def sequence(self) -> Expression:
        items: list[Expression] = []
        while not self.at_end() and self.peek() not in "|)":
            items.append(self.quantified())
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def quantified(self) -> Expression:
        item = self.atom()
        bounds = self.quantifier()
        if bounds is None:
            return item
        if isinstance(item, Assertion):
            raise self.problem("nothing to repeat")
        self.accept("?")
        return Repeat(item, *bounds)

    def quantifier(self) -> tuple[int, int | None] | None:
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self.accept(sign):
                return bounds
        found = _BOUNDS.match(self.pattern, self.position)
        if found is None:  # a brace that is no quantifier stands for itself
            return None
        self.position = found.end()
        low, comma, high = found.groups()
        least = int(low)
        most = least if not comma else int(high) if high else None
        if most is not None and most < least:
            raise self.problem("a repetition whose bounds are out of order")
        return least, most

    def atom(self) -> Expression:  # noqa: PLR0911 - one for each kind of atom
        char = self.take()
        if char == "(":
            return self.group()
        if char == "[":
            return self.char_class()
        if char == "\\":
            return self.escape()
        if char == ".":
            return Chars(ANY if self.flags.s else complement(LINE_ENDS))
        if char == "^":
            return Assertion(_LINE_START if self.flags.m else "\\A")
        if char == "$":
            return Assertion(_LINE_END if self.flags.m else "\\Z")
        if char in "*+?" or _BOUNDS.match(self.pattern, self.position - 1):
            raise self.problem("nothing to repeat")
        return self.chars(((ord(char), ord(char)),))

    def chars(self, ranges: Ranges) -> Chars:
        """Return a set of characters, as the flags at this place have it."""
        return Chars(with_cases(ranges) if self.flags.i else ranges)

    def group(self) -> Expression:
        flags = _FLAGS.match(self.pattern, self.position)
        if flags is not None and flags[0] != "?)":
            self.position = flags.end()
            return self.flagged(*flags.groups(default=""))
        if self.accept("?P="):
            return self.reference(self.names.get(self.until(")"), -1))
        if self.pattern.startswith(("?=", "?!", "?<=", "?<!"), self.position):
            opening = "(" + self.take() + self.take()
            if opening == "(?<":
                opening += self.take()
            return Look(self.closed(), opening)
        self.groups += 1
        number = self.groups
        if self.accept("?<") or self.accept("?P<"):
            self.names[self.until(">")] = number
        elif self.peek() == "?":
            raise self.problem("a group of an unknown kind")
        return Group(self.closed(), number)

    def flagged(self, on: str, off: str, end: str) -> Expression:
        """Read `?:…)`, `?i:…)`, or `?i)`, which holds up to the end of the group around it."""
        outer = self.flags
        self.flags = replace(outer, **dict.fromkeys(on, True), **dict.fromkeys(off, False))
        if end == ")":
            return Sequence(())
        body = self.closed()
        self.flags = outer
        return body

    def closed(self) -> Expression:
        outer = self.flags
        body = self.alternatives()
        if not self.accept(")"):
            raise self.problem("a group is not closed")
        self.flags = outer
        return body

    def reference(self, number: int) -> Expression:
        if number < 1:
            raise self.problem("a back-reference to a group that does not exist")
        self.references.append(number)
        return BackReference(number, self.flags.i)

    def escape(self) -> Expression:
        char = self.peek()
        if char in "bBAZz" and char:
            self.position += 1
            return Assertion("\\Z" if char == "z" else "\\" + char)
        if char in "123456789" and char:
            start = self.position
            while self.peek().isdecimal():
                self.position += 1
            return self.reference(int(self.pattern[start : self.position]))
        if self.accept("k<"):
            return self.reference(self.names.get(self.until(">"), -1))
        return self.chars(self.escaped_set())

    def escaped_set(self) -> Ranges:
        """Read what follows a backslash, in a class or outside: a set of characters."""
        char = self.take()
        lower = char.lower()
        sets = {"d": DIGITS, "w": WORD, "s": SPACE}
        if lower in sets:
            return sets[lower] if char == lower else complement(sets[lower])
        if lower == "p":
            found = self.character_property()
            return found if char == "p" else complement(found)
        point = self.code_point(char)
        return ((point, point),)

    def character_property(self) -> Ranges:
        if not self.accept("{"):
            raise self.problem("a character property without its name")
        name = self.until("}")
        kind, _, value = name.rpartition("=")
        found = property_ranges(value) if kind in {"", "gc", "General_Category"} else ()
        if not name:
            raise self.problem("a character property without its name")
        if not found:
            raise UnsupportedPattern(f"the character property {name!r} is not known here")
        return found

    def code_point(self, char: str) -> int:
        if char in _CONTROLS:
            return _CONTROLS[char]
        if char == "c":
            return ord(self.take()) % 32
        if char == "x":
            return self.hexadecimal(self.take() + self.take())
        if char == "u":
            if self.accept("{"):
                return self.hexadecimal(self.until("}"))
            return self.paired(self.hexadecimal("".join(self.take() for _ in range(4))))
        if char.isalnum():
            raise self.problem(f"the unknown escape '\\{char}'")
        return ord(char)

    def paired(self, point: int) -> int:
        """Return the character of which `point` is the first half, if the second half follows."""
        low = _LOW_SURROGATE.match(self.pattern, self.position)
        if low is None or not 0xD800 <= point <= 0xDBFF:  # noqa: PLR2004 - Unicode's own bounds
            return point
        self.position = low.end()
        return 0x10000 + ((point - 0xD800) << 10) + int(low[1], 16) - 0xDC00

    def hexadecimal(self, digits: str) -> int:
        try:
            point = int(digits, 16)
        except ValueError:
            raise self.problem("a character code that is not hexadecimal") from None
        if point > LAST:
            raise self.problem("a character code beyond Unicode")
        return point

    def char_class(self) -> Expression:
        negated = self.accept("^")
        ranges: list[tuple[int, int]] = []
        while not self.accept("]"):
            first = self.class_member()
            is_range = self.peek() == "-" and self.pattern[self.position + 1 :][:1] != "]"
            if is_range:
                self.position += 1
                first = self.class_range(first, self.class_member())
            ranges.extend(first)
        found = self.chars(merged(tuple(ranges)))
        return Chars(complement(found.ranges)) if negated else found

    def class_range(self, first: Ranges, last: Ranges) -> Ranges:
        r"""Return the range between two characters; a dash beside a class, as in `[\w-.]`, is one."""
        (low, to), (since, high) = first[0], last[-1]
        if (len(first), low) != (1, to) or (len(last), since) != (1, high):
            return (*first, (ord("-"), ord("-")), *last)
        if low > high:
            raise self.problem("a range whose ends are out of order")
        return ((low, high),)

    def class_member(self) -> Ranges:
        char = self.take()
        if char != "\\":
            return ((ord(char), ord(char)),)
        if self.accept("b"):
            return ((0x08, 0x08),)
        return self.escaped_set()
