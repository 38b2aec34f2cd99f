"""What a schema compiles to: nodes that say how to make a value, each with its place in the schema.

Nodes are built once and then only read. They may point at each other in circles, where a schema is
recursive, so they compare by identity.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeAlias

from mockchat.types import Json

NEVER = math.inf
"""The cost of what cannot be made."""


@dataclass(slots=True, eq=False, kw_only=True)
class Base:
    """What every node has.

    Attributes:
        pointer: JSON Pointer of the schema it comes from.
        tests: Schemas the finished value must satisfy and no drawing rule stands for; a value that
            fails is drawn again.
        cost: How many nodes the cheapest value has (`costs.price`); NEVER where there is none.
        height: How deep that value is nested.
    """

    pointer: str
    tests: list[Json] = field(default_factory=list)
    cost: float = NEVER
    height: float = NEVER


@dataclass(slots=True, eq=False, kw_only=True)
class Impossible(Base):
    """No value at all."""

    reason: str


@dataclass(slots=True, eq=False, kw_only=True)
class Anything(Base):
    """Any JSON value."""


@dataclass(slots=True, eq=False, kw_only=True)
class Constant(Base):
    """One of the listed values."""

    values: list[Json]


@dataclass(slots=True, eq=False, kw_only=True)
class Integer(Base):
    """A whole number: a multiple of `step` between the bounds, None being no bound."""

    least: int | None
    most: int | None
    step: int


@dataclass(slots=True, eq=False, kw_only=True)
class Number(Base):
    """A number between the bounds (both included); a multiple of `step` where there is one."""

    least: float | None
    most: float | None
    step: Fraction | None


@dataclass(slots=True, eq=False, kw_only=True)
class String(Base):
    """Text of `least` to `most` characters.

    Attributes:
        patterns: Regular expressions, all to be found in it.
        format: The format to follow, if any can be followed.
        example: A text known to meet all of it; None where the lengths are the only conditions.
        effort: How many steps of work a text takes.
    """

    least: int
    most: int | None
    patterns: tuple[str, ...]
    format: str | None
    example: str | None
    effort: int = 1


@dataclass(slots=True, eq=False, kw_only=True)
class Witness:
    """Items that `contains` asks for: `count` of them.

    Attributes:
        rest: What such an item is behind the tuple part.
        prefix: What it is at each position of the tuple part.
        count: How many there must be.
        most: How many there may be; None: any number.
    """

    rest: "Node"
    prefix: list["Node"]
    count: int
    most: int | None


@dataclass(slots=True, eq=False, kw_only=True)
class Array(Base):
    """A list: its tuple part by position, then any number of `rest`."""

    prefix: list["Node"]
    rest: "Node"
    least: int
    most: int | None
    unique: bool
    witnesses: list[Witness]


@dataclass(slots=True, eq=False, kw_only=True)
class Extra:
    """Members that no property names.

    Attributes:
        node: What their values are.
        matched: The patterns of `patternProperties` that their names match, no more and no less.
    """

    node: "Node"
    matched: frozenset[str]


@dataclass(slots=True, eq=False, kw_only=True)
class Object(Base):
    """An object.

    Attributes:
        properties: The named members that may be there, in the schema's order.
        required: Names that must be there; each is in `properties`.
        needs: What must be there as well where a name is (`dependentRequired`, closed).
        least, most: How many members there must and may be; None: no bound.
        extras: The kinds of members without a name.
        patterns: All patterns that sort names into kinds.
        names: What names are; None: any text.
    """

    properties: dict[str, "Node"]
    required: tuple[str, ...]
    needs: Mapping[str, tuple[str, ...]]
    least: int
    most: int | None
    extras: list[Extra]
    patterns: tuple[str, ...]
    names: "Node | None"


@dataclass(slots=True, eq=False, kw_only=True)
class Choice(Base):
    """One of the branches, the simplest first.

    Attributes:
        branches: What to choose from.
        hinted: Positions of the branches the schema is about, where it names no type but says
            something of one (`properties` without `type`); () where all are equal.
    """

    branches: list["Node"]
    hinted: tuple[int, ...] = ()


Node: TypeAlias = (
    Impossible | Anything | Constant | Integer | Number | String | Array | Object | Choice
)
