"""What a document can tell of a value: two values with the same outline get the same verdict.

Replies differ in ids, texts and counts, which their documents look at only for the type, or for a
bound. Judging one of them says all about the others: their outlines are the same.
"""

import json
import math
from collections import deque
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from mockchat.contract.patterns import is_found
from mockchat.contract.schema_walk import walk
from mockchat.types import Json

MOST_REMEMBERED = 1024
"""How many outlines of one document are remembered."""

_MOST_PATTERNS = 4
_MOST_TEXTS, _LONGEST_TEXT = 16, 200_000

_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_BY_STRUCTURE = frozenset(
    {
        *("type", "const", "enum", "pattern", "$ref", "$defs", "definitions", *_BOUNDS),
        *("properties", "required", "additionalProperties", "patternProperties", "propertyNames"),
        *("dependentRequired", "dependentSchemas", "minProperties", "maxProperties", "items"),
        *("allOf", "anyOf", "oneOf", "not", "if", "then", "else"),
        *("$schema", "$id", "$comment", "title", "description", "default", "examples", "format"),
        *("deprecated", "readOnly", "writeOnly", "contentEncoding", "contentMediaType"),
    }
)
"""Keywords that tell values apart by types, names, listed values, bounds and patterns, or not at
all."""


class NoOutline(ValueError):
    """A value of which an outline would not say enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlines:
    """Draws the outlines of values, as one document sees them.

    Attributes:
        listed: The texts and numbers the document lists, with their types.
        bounds: The bounds it sets to numbers.
        patterns: The patterns it has for texts.
    """

    listed: frozenset[Hashable]
    bounds: tuple[float, ...]
    patterns: tuple[str, ...]

    def of(self, value: Json) -> Hashable:
        """Return the outline of `value`.

        Raises:
            NoOutline: It is not finite, or no JSON.
            RecursionError: It is nested too deep.
        """
        kind = type(value)
        if kind is str:
            found = tuple([is_found(pattern, value) for pattern in self.patterns])
            return (value if (str, value) in self.listed else str, found)
        if kind is dict:
            return frozenset([(name, self.of(each)) for name, each in value.items()])
        if kind is list:
            return (list, frozenset([self.of(each) for each in value]))
        if value is None or kind is bool:
            return (bool, value)
        if kind is int or (kind is float and math.isfinite(value)):
            place = tuple([(value > bound) - (value < bound) for bound in self.bounds])
            return (kind, value if (kind, value) in self.listed else None, place)
        raise NoOutline


def outlines_of(document: Json, targets: Mapping[str, tuple[Json, str]]) -> Outlines | None:
    """Return the outlines that `document` can be judged by; None where they would not say enough.

    Args:
        document: The schema, every reference absolute.
        targets: What the references lead to.
    """
    listed: list[Json] = []
    bounds: set[float] = set()
    patterns: dict[str, None] = {}
    pending, seen = [document], set[int]()
    while pending:
        for _, schema in walk(pending.pop()):
            if id(schema) in seen:
                continue
            seen.add(id(schema))
            if not _BY_STRUCTURE.issuperset(schema):
                return None
            if "$ref" in schema:
                pending.append(targets[schema["$ref"]][0])
            bounds.update(schema[name] for name in _BOUNDS if name in schema)
            patterns |= dict.fromkeys([schema["pattern"]] if "pattern" in schema else [])
            listed += schema.get("enum", ())
            listed += [schema["const"]] if "const" in schema else []
    if len(patterns) > _MOST_PATTERNS or not all(
        isinstance(value, str | int | float | None) for value in listed
    ):
        return None
    # A whole number is listed in both its spellings, as they equal each other.
    alike = [(kind, value) for value in listed for kind in (str, int, float)]
    return Outlines(listed=frozenset(alike), bounds=tuple(sorted(bounds)), patterns=tuple(patterns))


class AcceptedOutlines:
    """Remembers what the valid values of documents looked like; safe to share between threads.

    Args:
        schemas: The documents by name, every reference absolute.
        targets: What the references lead to.
    """

    def __init__(
        self, schemas: Mapping[str, Json], targets: Mapping[str, tuple[Json, str]]
    ) -> None:
        self._schemas = schemas
        self._targets = targets
        # Made when first asked for: most documents of a profile are never met.
        self._outlines: dict[str, Outlines | None] = {}
        self._accepted: dict[str, set[Hashable]] = {name: set() for name in schemas}

    def outline(self, document: str, value: Json) -> Hashable | None:
        """Return the outline of `value`; None where there is none that says enough."""
        if document not in self._outlines:
            self._outlines[document] = outlines_of(self._schemas[document], self._targets)
        outlines = self._outlines[document]
        try:
            return None if outlines is None else outlines.of(value)
        except (NoOutline, RecursionError):
            return None

    def has(self, document: str, outline: Hashable | None) -> bool:
        """Say whether a value with this outline is certainly valid; False says nothing."""
        return outline is not None and outline in self._accepted[document]

    def add(self, document: str, outline: Hashable | None) -> None:
        """Remember that a value with this outline is valid."""
        accepted = self._accepted[document]
        if outline is not None:
            if len(accepted) >= MOST_REMEMBERED:
                accepted.clear()
            accepted.add(outline)


class ValidTexts:
    """The last few valid values, by their JSON text; safe to share between threads."""

    def __init__(self) -> None:
        self._texts: deque[str] = deque(maxlen=_MOST_TEXTS)

    def text(self, value: Json) -> str | None:
        """Return the JSON text of `value`; None where it is too long or not JSON."""
        try:
            text = json.dumps(value)
        except (TypeError, ValueError, RecursionError):
            return None
        return text if len(text) <= _LONGEST_TEXT else None

    def __contains__(self, text: str | None) -> bool:
        """Say whether the value with this text was found valid not long ago."""
        return text in self._texts

    def add(self, text: str | None) -> None:
        """Remember that the value with this text is valid."""
        if text is not None and text not in self._texts:
            self._texts.append(text)
