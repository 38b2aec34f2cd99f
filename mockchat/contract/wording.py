"""Violations in our own words: one sentence a keyword."""

from collections.abc import Mapping, Sequence

from mockchat.contract.unions import json_type
from mockchat.types import Json

LONGEST = 60
"""How many characters of a value a sentence shows."""
MOST_BITS = 128
"""Larger integers are not written out."""

_SENTENCES: Mapping[str, str] = {
    "type": "{actual} is not of type {expected}",
    "enum": "{actual} is not one of {expected}",
    "const": "{actual} is not {expected}",
    "pattern": "{actual} does not match the pattern {expected}",
    "minimum": "{actual} is less than {expected}",
    "maximum": "{actual} is more than {expected}",
    "exclusiveMinimum": "{actual} is not more than {expected}",
    "exclusiveMaximum": "{actual} is not less than {expected}",
    "multipleOf": "{actual} is not a multiple of {expected}",
    "minLength": "the text has {size} characters, at least {expected} are wanted",
    "maxLength": "the text has {size} characters, at most {expected} are allowed",
    "minItems": "the array has {size} items, at least {expected} are wanted",
    "maxItems": "the array has {size} items, at most {expected} are allowed",
    "minProperties": "the object has {size} members, at least {expected} are wanted",
    "maxProperties": "the object has {size} members, at most {expected} are allowed",
    "uniqueItems": "two items of the array are the same",
    "contains": "the array has no item of the wanted kind",
    "minContains": "the array has fewer than {expected} items of the wanted kind",
    "maxContains": "the array has more than {expected} items of the wanted kind",
    "items": "item {last} is one too many",
    "unevaluatedItems": "item {last} is one too many",
    "required": "{last} is missing",
    "dependentRequired": "{last} is missing, which another member asks for",
    "additionalProperties": "{last} is not a known member",
    "unevaluatedProperties": "{last} is not a known member",
    "oneOf": "{actual} fits {expected} alternatives that exclude each other",
    "not": "{actual} is refused by name",
    "false": "nothing is allowed here",
}


def sentence(keyword: str, expected: Json, actual: Json, path: Sequence[str | int]) -> str:
    """Return what is wrong, without the place: a violation carries that in its pointer."""
    template = _SENTENCES.get(keyword, "{actual} breaks the keyword {keyword}")
    return template.format(
        keyword=keyword,
        expected=_listed(expected) if isinstance(expected, list) else shown(expected),
        actual=shown(actual),
        size=len(actual) if isinstance(actual, str | list | tuple | Mapping) else 0,
        last=repr(path[-1]) if path else "",
    )


def shown(value: Json) -> str:
    """Return `value` for a sentence: scalars as Python writes them, the rest by kind and size."""
    kind = json_type(value)
    if kind in {"array", "object"}:
        noun = "items" if kind == "array" else "members"
        return f"an {kind} of {len(value)} {noun}"
    if kind == "integer" and value.bit_length() > MOST_BITS:
        return "an integer of many digits"
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _listed(values: Sequence[Json]) -> str:
    return ", ".join(map(shown, values))
