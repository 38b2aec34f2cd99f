r"""Read ECMA-262 regular expressions, the dialect of JSON Schema, into a small tree.

Python's own parser is private and reads another dialect: `\d` there takes Arabic digits, `$`
forgives a final newline, and `\p{L}`, `\u{1F600}` or `(?<name>…)` are errors. The tree says what a
sampler needs, and can be written back as a Python expression of the same meaning.
"""

from dataclasses import dataclass
from functools import lru_cache

from mockchat.payloads.charsets import (
    DIGITS,
    LAST,
    LINE_ENDS,
    SPACE,
    WORD,
    Ranges,
    complement,
    merged,
    property_ranges,
)

_CONTROLS = {"t": 0x09, "n": 0x0A, "v": 0x0B, "f": 0x0C, "r": 0x0D, "0": 0x00}


class BadPattern(ValueError):
    """A regular expression that cannot be read; the text says why and where."""


@dataclass(frozen=True, slots=True)
class Chars:
    """One character out of a set."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Sequence:
    """All items, one after the other."""

    items: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Alternatives:
    """One of the options."""

    options: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """The item `least` to `most` times; `most` None: without bound."""

    item: "Expression"
    least: int
    most: int | None


@dataclass(frozen=True, slots=True)
class Group:
    """A capturing group, numbered from 1."""

    item: "Expression"
    number: int


@dataclass(frozen=True, slots=True)
class BackReference:
    """What group `number` took."""

    number: int


@dataclass(frozen=True, slots=True)
class Assertion:
    r"""A condition of no width: Python's own text for it (`\A`, `\Z`, `\b`, `\B`)."""

    python: str


@dataclass(frozen=True, slots=True)
class Look:
    """A look-around; `opening` is its text up to the body, as `(?=`."""

    item: "Expression"
    opening: str


Expression = Chars | Sequence | Alternatives | Repeat | Group | BackReference | Assertion | Look


@lru_cache(maxsize=512)
def parse(pattern: str) -> Expression:
    """Read `pattern` into its tree.

    Raises:
        BadPattern: It is not a regular expression, or uses what is not supported.
    """
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
        start = self.position
        if not self.accept("{"):
            return None
        low, comma, high = self.until("}").partition(",")
        if not low.isdecimal() or not (high.isdecimal() or not high):
            self.position = start
            raise self.problem("a lone '{'")
        least = int(low)
        most = least if not comma else int(high) if high else None
        if most is not None and most < least:
            raise self.problem("a repetition whose bounds are out of order")
        return least, most

    def atom(self) -> Expression:
        char = self.take()
        if char == "(":
            return self.group()
        if char == "[":
            return self.char_class()
        if char == "\\":
            return self.escape()
        if char == ".":
            return Chars(complement(LINE_ENDS))
        if char in "^$":
            return Assertion("\\A" if char == "^" else "\\Z")
        if char in "*+?":
            raise self.problem("nothing to repeat")
        if char == "{" and self.pattern[self.position : self.position + 1].isdecimal():
            raise self.problem("nothing to repeat")
        return Chars(((ord(char), ord(char)),))

    def group(self) -> Expression:
        wrap = None
        if self.accept("?:"):
            pass
        elif self.pattern.startswith(("?=", "?!", "?<=", "?<!"), self.position):
            opening = "(" + self.pattern[self.position : self.position + 2]
            self.position += 2
            if opening == "(?<":
                opening += self.take()
            wrap = opening
        elif self.accept("?P="):
            return self.reference(self.names.get(self.until(")"), -1))
        else:
            self.groups += 1
            number = self.groups
            if self.accept("?<") or self.accept("?P<"):
                self.names[self.until(">")] = number
            elif self.peek() == "?":
                raise self.problem("a group of an unknown kind")
            return Group(self.closed(), number)
        body = self.closed()
        return body if wrap is None else Look(body, wrap)

    def closed(self) -> Expression:
        body = self.alternatives()
        if not self.accept(")"):
            raise self.problem("a group is not closed")
        return body

    def reference(self, number: int) -> Expression:
        if number < 1:
            raise self.problem("a back-reference to a group that does not exist")
        self.references.append(number)
        return BackReference(number)

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
        return Chars(self.escaped_set())

    def escaped_set(self) -> Ranges:
        """Read what follows a backslash, in a class or outside: a set of characters."""
        char = self.take()
        lower = char.lower()
        sets = {"d": DIGITS, "w": WORD, "s": SPACE}
        if lower in sets:
            return sets[lower] if char == lower else complement(sets[lower])
        if lower == "p":
            if not self.accept("{"):
                raise self.problem("a character property without its name")
            name = self.until("}").rpartition("=")[2]
            found = property_ranges(name)
            if not found:
                raise self.problem(f"the unknown character property {name!r}")
            return found if char == "p" else complement(found)
        point = self.code_point(char)
        return ((point, point),)

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
            return self.hexadecimal("".join(self.take() for _ in range(4)))
        if char.isalnum():
            raise self.problem(f"the unknown escape '\\{char}'")
        return ord(char)

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
        return Chars(complement(tuple(ranges)) if negated else merged(tuple(ranges)))

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
