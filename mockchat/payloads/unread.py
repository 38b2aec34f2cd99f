"""Requests whose messages nobody looks at: what is made of one holds for all that differ in those.

A reply that is scripted goes by the members of its request, but hardly ever by its messages: they
only cost tokens. To prove that of a reply it is made with messages that refuse to be looked at, and
whose cost is unknown. Where that succeeds, the reply to the next request is the same with its figures.
"""

from collections.abc import Mapping
from typing import Any, Never

from mockchat.types import Json, JsonObject, JsonView


class Looked(Exception):
    """Something was to be known of messages that nobody may look at."""


def _refuse(*_: object) -> Never:
    raise Looked


class Sum:
    """A whole number and unknown ones, added up; nothing else can be done with it.

    Attributes:
        known: The number.
        unknown: The names of the others.
    """

    __slots__ = ("known", "unknown")

    def __init__(self, known: int, *unknown: str) -> None:
        self.known = known
        self.unknown = unknown

    def __add__(self, other: "int | Sum") -> "Sum":
        if isinstance(other, Sum):
            return Sum(self.known + other.known, *self.unknown, *other.unknown)
        return Sum(self.known + other, *self.unknown)

    __radd__ = __add__

    def of(self, numbers: Mapping[str, int]) -> int:
        """Return the number when the unknown ones are known, by their names."""
        return self.known + sum([numbers[name] for name in self.unknown])

    __bool__ = __ge__ = __gt__ = __index__ = __int__ = __le__ = __lt__ = _refuse
    __floordiv__ = __mod__ = __mul__ = __sub__ = __truediv__ = _refuse


class Unread:
    """Messages of a request that refuse to be looked at."""

    def __getattribute__(self, name: str) -> Any:
        """Refuse.

        Raises:
            Looked: Always.
        """
        raise Looked(name)

    # Operators are looked up where the method above is not asked.
    __bool__ = __contains__ = __eq__ = __getitem__ = __hash__ = __iter__ = __len__ = __repr__ = (
        _refuse
    )


UNREAD = Unread()


def unread(request: JsonView) -> JsonObject:
    """Return the request with messages that nobody can look at."""
    return {**request, "messages": UNREAD}


def counted(value: Json, numbers: Mapping[str, int]) -> Json:
    """Return a value with its sums as numbers.

    Args:
        value: Objects in which sums stand as members; those in arrays are not looked for.
        numbers: What was unknown, by name.
    """
    if isinstance(value, Sum):
        return value.of(numbers)
    if isinstance(value, dict):
        return {name: counted(member, numbers) for name, member in value.items()}
    return value


def has_sums(value: Json) -> bool:
    """Tell whether a sum stands in an object, or in an object within."""
    if isinstance(value, dict):
        return any(has_sums(member) for member in value.values())
    return isinstance(value, Sum)
