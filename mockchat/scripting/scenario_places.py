"""What a scenario file says, as JSON, and in which line each part of it stands."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from mockchat.contract.pointers import pointer_of
from mockchat.errors import MockchatError
from mockchat.types import Json, JsonObject

MOST_VALUES = 100_000
"""How many values a file may hold, those behind aliases counted each time they are used."""

DEEPEST = 100
"""How many lists and mappings may stand inside one another."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands in a file; both count from 1."""

    line: int
    column: int


START = Place(1, 1)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a scenario file."""

    file: str
    place: Place
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.place.line}:{self.place.column}: {self.message}"


class BrokenScenario(MockchatError, ValueError):
    """A scenario file that cannot be used.

    Args:
        problems: What is wrong, in the order of the file.
    """

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


class Misread(MockchatError):
    """What a reader stumbled over, before the file's name is known to it.

    Args:
        place: Where.
        message: What is wrong and what to do, in a line.
    """

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(place, message)
        self.place = place
        self.message = message


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text, number, boolean or null."""

    place: Place
    value: Json


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    place: Place
    items: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Members:
    """A mapping, in the order written, repeated keys included."""

    place: Place
    members: "tuple[tuple[Scalar, Node], ...]"


Node: TypeAlias = Scalar | Items | Members
"""What a reader makes of a file; where aliases are used, nodes are shared."""


@dataclass(frozen=True, slots=True)
class Located:
    """A JSON value with the places of its parts.

    Attributes:
        value: The value.
        values: The place of each value, by JSON Pointer.
        keys: The place of each member's key, by JSON Pointer to the member.
    """

    value: Json
    values: Mapping[str, Place] = field(repr=False)
    keys: Mapping[str, Place] = field(repr=False)

    def value_place(self, pointer: str) -> Place:
        """Return where the value at `pointer` stands, or the nearest one around it."""
        while pointer and pointer not in self.values:
            pointer = pointer.rpartition("/")[0]
        return self.values[pointer]

    def key_place(self, pointer: str) -> Place:
        """Return where the key of the member at `pointer` stands, or the nearest value around it."""
        found = self.keys.get(pointer)
        return self.value_place(pointer) if found is None else found


def located(root: Node) -> Located:
    """Return the value of a node, with the places of all its parts.

    Raises:
        Misread: A key stands twice in one mapping, a value is none of JSON's, or aliases make more
            of the file than MOST_VALUES.
    """
    reading = _Reading()
    value = reading.value(root, "")
    return Located(value, reading.values, reading.keys)


class _Reading:
    def __init__(self) -> None:
        self.values: dict[str, Place] = {}
        self.keys: dict[str, Place] = {}

    def value(self, node: Node, pointer: str) -> Json:
        if len(self.values) >= MOST_VALUES:
            raise Misread(node.place, f"the file holds more than {MOST_VALUES:,} values")
        self.values[pointer] = node.place
        if isinstance(node, Items):
            return [
                self.value(item, f"{pointer}/{position}")
                for position, item in enumerate(node.items)
            ]
        if isinstance(node, Members):
            return self._object(node, pointer)
        return _json_scalar(node)

    def _object(self, node: Members, pointer: str) -> JsonObject:
        members: JsonObject = {}
        for key, member in node.members:
            name = whole_text(key)
            inner = pointer + pointer_of((name,))
            if inner in self.keys:
                first = self.keys[inner].line
                raise Misread(
                    key.place,
                    f"the key {name!r} stands in line {first} already; one of them would be lost",
                )
            self.keys[inner] = key.place
            members[name] = self.value(member, inner)
        return members


def _json_scalar(node: Scalar) -> Json:
    if isinstance(node.value, float) and not math.isfinite(node.value):
        raise Misread(node.place, f"{node.value} is a number that JSON cannot carry")
    return whole_text(node) if isinstance(node.value, str) else node.value


def whole_text(node: Scalar) -> str:
    """Return a text with the halves of surrogate pairs joined, which escapes may write apart.

    Raises:
        Misread: A half stands alone: no such text can be sent.
    """
    try:
        encoded = node.value.encode("utf-16-le", "surrogatepass")
        text: str = encoded.decode("utf-16-le")
    except UnicodeDecodeError:
        raise Misread(node.place, "the text has half of a surrogate pair in it") from None
    return text


def check_depth(place: Place, depth: int) -> None:
    """Refuse what nests deeper than any reply needs.

    Raises:
        Misread: `depth` is more than DEEPEST.
    """
    if depth > DEEPEST:
        raise Misread(place, f"more than {DEEPEST} lists and mappings stand inside one another")
