"""What a regular expression is made of: a small tree, whatever dialect it was written in."""

from dataclasses import dataclass
from typing import TypeAlias

from mockchat.contract.charsets import Ranges


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
    """What group `number` took, in either case of its letters where `ignores_case`."""

    number: int
    ignores_case: bool


@dataclass(frozen=True, slots=True)
class Assertion:
    r"""A condition of no width: Python's own text for it (`\A`, `\Z`, `\b`, `\B`)."""

    python: str


@dataclass(frozen=True, slots=True)
class Look:
    """A look-around; `opening` is its text up to the body, as `(?=`."""

    item: "Expression"
    opening: str


Expression: TypeAlias = (
    Chars | Sequence | Alternatives | Repeat | Group | BackReference | Assertion | Look
)
