"""Invent the JSON Schemas that callers send: tool parameters and response formats.

Every schema made here has a value, by construction: bounds are drawn in order, listed values are of
the listed type, and recursion is always optional.
"""

from typing import TYPE_CHECKING

from mockchat.payloads.draw import Draw
from mockchat.types import Json, JsonObject, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

_NAMES = (
    "city", "unit", "query", "count", "date", "tags", "user", "items", "limit", "note", "status",
    "location", "amount", "options", "enabled", "id", "path", "score", "next", "kind",
)  # fmt: skip
_FORMATS = ("date-time", "date", "time", "duration", "email", "hostname", "ipv4", "ipv6", "uuid")
_PATTERNS = ("^[a-z]{2,8}$", "^[A-Z]{3}-[0-9]{4}$", "^(on|off)$", "^[0-9]+(\\.[0-9]{1,2})?$")
_MOST_DEPTH = 3
_MOST_MEMBERS = 5


def object_schema(draw: Draw, *, kind: Kind = "plain", strict: bool = False) -> JsonObject:
    """Return a schema whose values are objects.

    Args:
        draw: Where choices come from.
        kind: "plain": what most callers send; "wild": also what few do (patterns, tuples,
            conditions, open objects).
        strict: Keep to the subset that `strict: true` allows: every member required, no others
            allowed, no keyword beyond types, listed values, unions and references.
    """
    making = _Making(draw, kind, strict)
    schema = making.object(0)
    if making.definitions:
        schema["$defs"] = making.definitions
    return schema


class _Making:
    """One schema in the making."""

    def __init__(self, draw: Draw, kind: Kind, strict: bool) -> None:  # noqa: FBT001 - private, called once
        self.draw = draw
        self.kind = kind
        self.strict = strict
        self.definitions: dict[str, Json] = {}
        simple: list[Callable[[int], JsonObject]] = [
            self.text, self.integer, self.number, self.boolean, self.listed, self.nullable,
        ]  # fmt: skip
        nested = [self.array, self.object, self.union, self.reference]
        self.simple = simple if strict or kind == "plain" else [*simple, self.constrained_text]
        self.nested = nested if strict or kind == "plain" else [*nested, self.tuple, self.mapping]

    def any(self, depth: int) -> JsonObject:
        """Return a schema of any type, flat ones only below the greatest depth."""
        makers = self.simple if depth >= _MOST_DEPTH else [*self.simple, *self.nested]
        return makers[self.draw.index(len(makers))](depth)

    def object(self, depth: int) -> JsonObject:
        names = self.names(self.draw.size(0, _MOST_MEMBERS, 2))
        properties: JsonObject = {name: self.any(depth + 1) for name in names}
        schema: JsonObject = {"type": "object", "properties": properties}
        if self.strict:
            return schema | {"required": names, "additionalProperties": False}
        required = [name for name in names if self.draw.chance(0.5)]
        if required:
            schema["required"] = required
        if self.draw.chance(0.4):
            schema["additionalProperties"] = False
        elif self.kind == "wild" and names and self.draw.chance(0.3):
            schema["dependentRequired"] = {names[0]: [names[-1]]}
        return schema

    def names(self, count: int) -> list[str]:
        first = self.draw.index(len(_NAMES))
        return [_NAMES[(first + offset) % len(_NAMES)] for offset in range(count)]

    def text(self, _: int) -> JsonObject:
        schema: JsonObject = {"type": "string"}
        if self.draw.chance(0.3):
            schema["description"] = self.draw.text(1, 40, "plain")
        return schema

    def constrained_text(self, _: int) -> JsonObject:
        if self.draw.chance(0.3):
            return {"type": "string", "pattern": _PATTERNS[self.draw.index(len(_PATTERNS))]}
        if self.draw.chance(0.5):
            return {"type": "string", "format": _FORMATS[self.draw.index(len(_FORMATS))]}
        least = self.draw.integer(0, 10)
        return {"type": "string", "minLength": least, "maxLength": least + self.draw.integer(0, 20)}

    def integer(self, _: int) -> JsonObject:
        return {"type": "integer", **self.bounds()}

    def number(self, _: int) -> JsonObject:
        return {"type": "number", **self.bounds()}

    def bounds(self) -> JsonObject:
        if self.strict or not self.draw.chance(0.4):
            return {}
        least = self.draw.integer(-100, 100)
        return {"minimum": least, "maximum": least + self.draw.integer(0, 1000)}

    def boolean(self, _: int) -> JsonObject:
        return {"type": "boolean"}

    def listed(self, _: int) -> JsonObject:
        if self.draw.chance(0.2):
            return {"type": "string", "const": self.names(1)[0]}
        return {"type": "string", "enum": self.names(self.draw.size(1, 5, 3))}

    def nullable(self, _: int) -> JsonObject:
        types = ("string", "integer", "number", "boolean")
        return {"type": [types[self.draw.index(len(types))], "null"]}

    def array(self, depth: int) -> JsonObject:
        schema: JsonObject = {"type": "array", "items": self.any(depth + 1)}
        if not self.strict and self.draw.chance(0.3):
            least = self.draw.integer(0, 3)
            schema |= {"minItems": least, "maxItems": least + self.draw.integer(0, 3)}
        return schema

    def union(self, depth: int) -> JsonObject:
        return {"anyOf": [self.text(depth), self.array(depth + 1), {"type": "null"}]}

    def reference(self, _: int) -> JsonObject:
        """Return a reference to a definition, which may hold itself where nothing needs it to."""
        known = [*self.definitions]
        is_new = not known or self.draw.chance(0.5)
        name = self.names(1)[0] if is_new else known[self.draw.index(len(known))]
        if name not in self.definitions:
            itself = {"$ref": f"#/$defs/{name}"}
            definition: JsonObject = {
                "type": "object",
                "properties": {
                    "value": self.any(_MOST_DEPTH),
                    "next": {"anyOf": [itself, {"type": "null"}]},
                },
                "required": ["value", "next"],
                "additionalProperties": False,
            }
            self.definitions[name] = definition
        return {"$ref": f"#/$defs/{name}"}

    def tuple(self, depth: int) -> JsonObject:
        parts = [self.any(depth + 1) for _ in range(self.draw.size(1, 3, 2))]
        return {"type": "array", "prefixItems": parts, "items": False, "minItems": len(parts)}

    def mapping(self, depth: int) -> JsonObject:
        return {"type": "object", "additionalProperties": self.any(depth + 1)}
