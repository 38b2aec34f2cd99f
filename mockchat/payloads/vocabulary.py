"""What each JSON Schema keyword holds: one table for checking, upgrading and walking schemas."""

import math
from collections.abc import Callable, Mapping

from mockchat.contract.drafts import (
    LIST_KEYWORDS,
    MAP_KEYWORDS,
    SCHEMA_KEYWORDS,
    allows_flags,
    allows_tuples,
    subschemas,
)
from mockchat.contract.patterns import pattern_problem
from mockchat.errors import ImpossibleSchema
from mockchat.types import Json

TYPES: tuple[str, ...] = ("null", "boolean", "integer", "number", "string", "array", "object")
"""The names `type` may have."""

MOST_DEPTH = 100
"""How deep a schema may be nested; deeper ones would exhaust the stack of any validator."""

HINTS: Mapping[str, tuple[str, ...]] = {
    "object": (
        "properties", "required", "additionalProperties", "patternProperties", "propertyNames",
        "minProperties", "maxProperties", "dependentRequired", "dependentSchemas",
        "unevaluatedProperties",
    ),
    "array": (
        "items", "prefixItems", "contains", "minItems", "maxItems", "uniqueItems",
        "unevaluatedItems",
    ),
    "string": ("pattern", "minLength", "maxLength", "format"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}  # fmt: skip
"""The keywords that say something about values of one type only."""


def escaped(name: object) -> str:
    """Return `name` as a reference token of a JSON Pointer."""
    return str(name).replace("~", "~0").replace("/", "~1")


def _is_number(value: Json) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, int) or math.isfinite(value)


def _is_count(value: Json) -> bool:
    return _is_number(value) and value >= 0 and value == int(value)


def _is_schema(value: Json) -> bool:
    return isinstance(value, bool | Mapping)


def _are_names(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _is_type(value: Json) -> bool:
    names = value if isinstance(value, list) and value else [value]
    return all(isinstance(name, str) and name in TYPES for name in names)


_Check = tuple[Callable[[Json], bool], str]

_NUMBER: _Check = (_is_number, "a finite number")
_LIMIT: _Check = (lambda value: isinstance(value, bool) or _is_number(value), "a finite number")
_COUNT: _Check = (_is_count, "a whole number of 0 or more")
_TEXT: _Check = (lambda value: isinstance(value, str), "a string")
_FLAG: _Check = (lambda value: isinstance(value, bool), "true or false")
_NAMES: _Check = (_are_names, "an array of strings")
_SCHEMA: _Check = (_is_schema, "a schema (an object, true or false)")
_SCHEMAS: _Check = (
    lambda value: isinstance(value, list) and bool(value) and all(map(_is_schema, value)),
    "a non-empty array of schemas",
)
_SCHEMA_MAP: _Check = (
    lambda value: isinstance(value, Mapping) and all(map(_is_schema, value.values())),
    "an object of schemas",
)

_CHECKS: Mapping[str, _Check] = {
    **dict.fromkeys(SCHEMA_KEYWORDS, _SCHEMA),
    **dict.fromkeys(LIST_KEYWORDS, _SCHEMAS),
    **dict.fromkeys(MAP_KEYWORDS, _SCHEMA_MAP),
    "items": (
        lambda value: (
            _is_schema(value) or (isinstance(value, list) and all(map(_is_schema, value)))
        ),
        "a schema or an array of schemas",
    ),
    "dependencies": (
        lambda value: (
            isinstance(value, Mapping)
            and all(_is_schema(each) or _are_names(each) for each in value.values())
        ),
        "an object of schemas or arrays of strings",
    ),
    "dependentRequired": (
        lambda value: isinstance(value, Mapping) and all(map(_are_names, value.values())),
        "an object of arrays of strings",
    ),
    "type": (_is_type, f"one of {', '.join(TYPES)}, or an array of them"),
    "enum": (lambda value: isinstance(value, list), "an array"),
    "required": _NAMES,
    "minimum": _NUMBER,
    "maximum": _NUMBER,
    "exclusiveMinimum": _LIMIT,
    "exclusiveMaximum": _LIMIT,
    "multipleOf": (lambda value: _is_number(value) and value > 0, "a number above 0"),
    "uniqueItems": _FLAG,
    "pattern": _TEXT,
    "format": _TEXT,
    "$ref": _TEXT,
    "$dynamicRef": _TEXT,
    "$recursiveRef": _TEXT,
    "$anchor": _TEXT,
    "$dynamicAnchor": _TEXT,
    "$id": _TEXT,
    "$schema": _TEXT,
    **dict.fromkeys(
        [
            "minLength",
            "maxLength",
            "minItems",
            "maxItems",
            "minProperties",
            "maxProperties",
            "minContains",
            "maxContains",
        ],
        _COUNT,
    ),
}


def check(schema: Json, draft: str = "") -> None:
    """Raise where `schema` is not a JSON Schema of the draft it is read as (`drafts.draft_of`).

    Checked by table instead of by meta-schema, because that takes a hundred times as long and this
    runs for schemas that arrive with requests.

    Raises:
        ImpossibleSchema: With the pointer of the keyword at fault.
    """
    pending: list[tuple[str, Json, int]] = [("", schema, 0)]
    while pending:
        pointer, current, depth = pending.pop()
        if isinstance(current, bool):
            continue
        if not isinstance(current, Mapping):
            raise ImpossibleSchema(pointer, "a schema is an object, true or false")
        if depth > MOST_DEPTH:
            raise ImpossibleSchema(pointer, f"nested more than {MOST_DEPTH} levels deep")
        _check_keywords(current, pointer)
        _check_forms(current, pointer, draft)
        pending.extend(
            (pointer + token, each, depth + 1) for token, each in reversed([*subschemas(current)])
        )


def _check_keywords(schema: Mapping[str, Json], pointer: str) -> None:
    for keyword, value in schema.items():
        fits, words = _CHECKS.get(keyword, (None, ""))
        where = f"{pointer}/{escaped(keyword)}"
        if fits is not None and not fits(value):
            raise ImpossibleSchema(where, f"not a JSON Schema: {keyword!r} must be {words}")
        patterns = [value] if keyword == "pattern" else []
        if keyword == "patternProperties":
            patterns = [*value]
        for pattern in patterns:
            problem = pattern_problem(pattern)
            if problem is not None:
                reason = f"not a regular expression: {pattern!r} ({problem})"
                raise ImpossibleSchema(where, reason)


def _check_forms(schema: Mapping[str, Json], pointer: str, draft: str) -> None:
    """Refuse the forms that other drafts have."""
    refused: list[tuple[str, type, str]] = []
    if not allows_tuples(schema, draft):
        refused.append(("items", list, _SCHEMA[1]))
    if not allows_flags(draft):
        limits = ("exclusiveMinimum", "exclusiveMaximum")
        refused += [(name, bool, _NUMBER[1]) for name in limits]
    for keyword, form, words in refused:
        if isinstance(schema.get(keyword), form):
            reason = f"not a JSON Schema: {keyword!r} must be {words}"
            raise ImpossibleSchema(f"{pointer}/{keyword}", reason)
