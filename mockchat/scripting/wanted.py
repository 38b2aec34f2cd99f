"""What a condition may want of one value: equality, a pattern, a fragment, a schema, a predicate."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from mockchat.contract.validation import schema_problems, schema_violations
from mockchat.errors import BadArgument
from mockchat.scripting.arguments import is_filled_text, unsayable
from mockchat.scripting.request_view import is_list
from mockchat.types import Json, JsonView

_LONGEST = 120


@dataclass(frozen=True, slots=True)
class Contains:
    """A wanted text that may stand anywhere in the actual one. Made by `contains`."""

    fragment: str

    def __repr__(self) -> str:
        return f"contains({self.fragment!r})"


@dataclass(frozen=True, slots=True)
class MatchesSchema:
    """Any value that is valid against a JSON Schema. Made by `matches_schema`."""

    schema: JsonView | bool

    def __repr__(self) -> str:
        return f"matches_schema({self.schema!r})"


TextWanted: TypeAlias = str | re.Pattern[str] | Contains | MatchesSchema | Callable[[str], object]
"""Equality, `re.search`, substring, validity, or the truth of a callable given the text."""


def contains(fragment: str) -> Contains:
    """Match any text that has `fragment` in it, case and all.

    Raises:
        BadArgument: `fragment` is not a non-empty string (an empty one is in every text).
    """
    __tracebackhide__ = True
    if not is_filled_text(fragment):
        raise BadArgument("contains()", fragment, "a non-empty string")
    return Contains(fragment)


def matches_schema(schema: JsonView | bool) -> MatchesSchema:  # noqa: FBT001 - a schema may be true or false
    """Match any value that is valid against `schema`, wherever a condition wants a value.

    Args:
        schema: A JSON Schema of draft 2020-12.

    Raises:
        BadArgument: It is not a schema.
    """
    __tracebackhide__ = True
    if not is_schema(schema):
        raise BadArgument("matches_schema()", schema, "a JSON Schema")
    return MatchesSchema(schema)


def is_schema(value: object) -> bool:
    """Tell whether the value is a JSON Schema of draft 2020-12."""
    is_json = isinstance(value, dict | bool) and unsayable(value) is None
    return is_json and not schema_problems(value)


def is_text_wanted(value: object) -> bool:
    """Tell whether the value can be wanted of a text."""
    return isinstance(value, str | re.Pattern | Contains | MatchesSchema) or callable(value)


def accepts(wanted: object, actual: Json) -> bool:
    """Tell whether `actual` is what is wanted."""
    if isinstance(wanted, re.Pattern):
        return isinstance(actual, str) and wanted.search(actual) is not None
    if isinstance(wanted, Contains):
        return isinstance(actual, str) and wanted.fragment in actual
    if isinstance(wanted, MatchesSchema):
        return not schema_violations(wanted.schema, actual)
    if callable(wanted):
        return bool(wanted(actual))
    return same(wanted, actual)


def same(one: Json, other: Json) -> bool:
    """Compare as JSON does: true is not 1, 1 is 1.0."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if is_list(one) and is_list(other):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def short(value: object) -> str:
    """Return the `repr` of a value, cut where it would fill the screen."""
    shown = repr(value)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"


def described(wanted: object) -> str:
    """Return what is wanted, as words for a mismatch."""
    if isinstance(wanted, Mapping):
        return "{" + ", ".join(f"{k!r}: {described(v)}" for k, v in wanted.items()) + "}"
    return f"{name_of(wanted)} to be true" if callable(wanted) else short(wanted)


def name_of(function: object) -> str:
    """Return what a callable is called where it is defined."""
    return str(getattr(function, "__name__", function))
