"""What each JSON Schema keyword holds, of drafts 4 to 2020-12: the quick check of a caller's schema.

By table instead of by meta-schema, which takes a hundred times as long, and runs for schemas that
arrive with requests. What passes here passes the meta-schema of its draft.
"""

import math
import re
from collections.abc import Callable, Mapping

from mockchat.contract.drafts import (
    LIST_KEYWORDS,
    MAP_KEYWORDS,
    SCHEMA_KEYWORDS,
    allows_anchor_as_id,
    allows_flags,
    allows_tuples,
    subschemas,
)
from mockchat.contract.patterns import pattern_problem
from mockchat.contract.pointers import pointer_of
from mockchat.contract.unions import ALL_TYPES
from mockchat.errors import ImpossibleSchema
from mockchat.types import Json

MOST_DEPTH = 100
"""How deep a schema may be nested; deeper ones would exhaust the stack of any validator."""

MOST_PARTS = 2_000
"""How many schemas a schema may consist of; more are not looked at, and no values are made of them."""

_CHARACTERS_PER_PART = 8

_IDENTIFIER = re.compile(r"[^#]*#?|#[A-Za-z_][-A-Za-z0-9._]*")
_ANCHOR = re.compile(r"[A-Za-z_][-A-Za-z0-9._]*")


def _is_number(value: Json) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, int) or math.isfinite(value)


def _is_count(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_schema(value: Json) -> bool:
    return isinstance(value, bool | Mapping)


def _are_names(value: Json) -> bool:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        return False
    return len(set(value)) == len(value)


def _is_type(value: Json) -> bool:
    names = value if isinstance(value, list) and value else [value]
    return _are_names(names) and all(name in ALL_TYPES for name in names)


_Check = tuple[Callable[[Json], bool], str]

_NUMBER: _Check = (_is_number, "a finite number")
_LIMIT: _Check = (lambda value: isinstance(value, bool) or _is_number(value), "a finite number")
_COUNT: _Check = (_is_count, "a whole number of 0 or more")
_TEXT: _Check = (lambda value: isinstance(value, str), "a string")
_FLAG: _Check = (lambda value: isinstance(value, bool), "true or false")
_LIST: _Check = (lambda value: isinstance(value, list), "an array")
_NAMES: _Check = (_are_names, "an array of distinct strings")
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
        "an object of schemas or arrays of distinct strings",
    ),
    "dependentRequired": (
        lambda value: isinstance(value, Mapping) and all(map(_are_names, value.values())),
        "an object of arrays of distinct strings",
    ),
    "type": (_is_type, f"one of {', '.join(ALL_TYPES)}, or an array of them"),
    "enum": _LIST,
    "examples": _LIST,
    "required": _NAMES,
    "minimum": _NUMBER,
    "maximum": _NUMBER,
    "exclusiveMinimum": _LIMIT,
    "exclusiveMaximum": _LIMIT,
    "multipleOf": (lambda value: _is_number(value) and value > 0, "a number above 0"),
    "$id": (
        lambda value: isinstance(value, str) and _IDENTIFIER.fullmatch(value) is not None,
        "a URI without a fragment",
    ),
    **dict.fromkeys(
        ["$anchor", "$dynamicAnchor"],
        (
            lambda value: isinstance(value, str) and _ANCHOR.fullmatch(value) is not None,
            "a name of letters, digits, hyphens, dots and underscores",
        ),
    ),
    "$vocabulary": (
        lambda value: isinstance(value, Mapping) and all(map(_FLAG[0], value.values())),
        "an object of true or false",
    ),
    **dict.fromkeys(
        ["uniqueItems", "readOnly", "writeOnly", "deprecated", "$recursiveAnchor"], _FLAG
    ),
    **dict.fromkeys(
        [
            "pattern",
            "format",
            "title",
            "description",
            "contentEncoding",
            "contentMediaType",
            "$comment",
            "$ref",
            "$dynamicRef",
            "$recursiveRef",
            "$schema",
            "id",
        ],
        _TEXT,
    ),
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


def has_many_parts(schema: Json, most: int = MOST_PARTS) -> bool:
    """Tell whether a schema is larger than `most` schemas; counts no further.

    Patterns count by their length, as reading them takes longer than anything else.
    """
    count, pending = 0, [schema]
    while pending and count <= most:
        current = pending.pop()
        count += 1
        if isinstance(current, Mapping):
            count += sum(map(len, _patterns(current))) // _CHARACTERS_PER_PART
            pending.extend(each for _, each in subschemas(current))
    return count > most


def _patterns(schema: Mapping[str, Json]) -> list[str]:
    named = schema.get("patternProperties")
    found = [schema.get("pattern"), *(named if isinstance(named, Mapping) else ())]
    return [each for each in found if isinstance(each, str)]


def check(schema: Json, draft: str = "") -> None:
    """Raise where `schema` is not a JSON Schema of the draft it is read as (`drafts.draft_of`).

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
        if fits is not None and not fits(value):
            reason = f"not a JSON Schema: {keyword!r} must be {words}"
            raise ImpossibleSchema(pointer + pointer_of((keyword,)), reason)
        if keyword in {"pattern", "patternProperties"}:
            for pattern in [value] if keyword == "pattern" else value:
                problem = pattern_problem(pattern)
                if problem is not None:
                    reason = f"{pattern!r} is not a regular expression: {problem}"
                    raise ImpossibleSchema(f"{pointer}/{keyword}", reason)


def _check_forms(schema: Mapping[str, Json], pointer: str, draft: str) -> None:
    """Refuse the forms that other drafts have."""
    refused: list[tuple[str, type, str]] = []
    if not allows_tuples(schema, draft) or (draft and schema.get("items") == []):
        refused.append(("items", list, _SCHEMA[1]))
    if not allows_anchor_as_id(schema, draft):
        refused.append(("$id", str, _CHECKS["$id"][1]))
    if draft == "2020-12":
        refused.append(("$recursiveAnchor", bool, "left out: it is of draft 2019-09"))
    if not allows_flags(draft):
        limits = ("exclusiveMinimum", "exclusiveMaximum")
        refused += [(name, bool, _NUMBER[1]) for name in limits]
    for keyword, form, words in refused:
        if isinstance(schema.get(keyword), form):
            reason = f"not a JSON Schema: {keyword!r} must be {words}"
            raise ImpossibleSchema(f"{pointer}/{keyword}", reason)
