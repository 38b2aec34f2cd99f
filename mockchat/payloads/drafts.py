"""Rewrite schemas of drafts 4 to 2019-09 as draft 2020-12, with every reference absolute.

Older forms are told by their shape, since callers leave `$schema` out: an array under `items`, a
boolean `exclusiveMinimum`, `dependencies`. Only what has no shape of its own (a `$ref` that
silences its neighbours, `id`) needs the draft to be named.
"""

from collections.abc import Mapping
from urllib.parse import urljoin

from mockchat.payloads.vocabulary import LIST_KEYWORDS, MAP_KEYWORDS, REFERENCES, SCHEMA_KEYWORDS
from mockchat.types import Json, JsonObject, JsonView

_REF_STANDS_ALONE = ("draft-04", "draft-06", "draft-07")
_KEPT_BESIDE_REF = ("$ref", "definitions", "$defs", "$schema")


class Upgrade:
    """One pass over one document; remembers the copy of every schema it rewrote.

    Args:
        dialect: The document's `$schema`, "" where it has none.
    """

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self.copies: dict[int, Json] = {}

    def copy(self, schema: Json, base: str) -> Json:
        """Return `schema` as draft 2020-12, its references resolved against `base`."""
        if not isinstance(schema, Mapping):
            return schema
        known = self.copies.get(id(schema))
        if known is not None:
            return known
        copy: JsonObject = {}
        self.copies[id(schema)] = copy
        source = self._without_silenced(schema)
        base = urljoin(base, self._identifier(source))
        for keyword, value in source.items():
            copy[keyword] = self._value(keyword, value, base)
        if self._identifier(source):
            copy["$id"] = base
        _upgrade_forms(copy)
        return copy

    def _without_silenced(self, schema: JsonView) -> JsonView:
        if "$ref" in schema and any(name in self.dialect for name in _REF_STANDS_ALONE):
            return {key: value for key, value in schema.items() if key in _KEPT_BESIDE_REF}
        return schema

    def _identifier(self, schema: JsonView) -> str:
        name = schema.get("id" if "draft-04" in self.dialect else "$id", "")
        return name if isinstance(name, str) and not name.startswith("#") else ""

    def _value(self, keyword: str, value: Json, base: str) -> Json:
        if keyword in REFERENCES:
            return urljoin(base, value) if value else base
        if keyword == "$recursiveRef":
            return urljoin(base, value)
        if keyword in MAP_KEYWORDS:
            return {name: self.copy(each, base) for name, each in value.items()}
        if keyword in LIST_KEYWORDS or (keyword == "items" and isinstance(value, list)):
            return [self.copy(each, base) for each in value]
        if keyword in SCHEMA_KEYWORDS:
            return self.copy(value, base)
        return value


def _upgrade_forms(schema: JsonObject) -> None:
    """Replace the forms that 2020-12 no longer has, in place."""
    for limit, strict in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(schema.get(strict), bool) and schema.pop(strict) and limit in schema:
            schema[strict] = schema.pop(limit)
    others = schema.pop("additionalItems", True)
    if isinstance(schema.get("items"), list):
        tuple_part = schema.pop("items")
        if tuple_part:
            schema["prefixItems"] = tuple_part
        schema["items"] = others
    if "$recursiveRef" in schema:
        schema.setdefault("$ref", schema.pop("$recursiveRef"))
    if isinstance(schema.get("required"), bool):
        del schema["required"]
    identifier = schema.get("$id")
    if isinstance(identifier, str) and identifier.startswith("#"):
        schema["$anchor"] = schema.pop("$id")[1:]
    schema.pop("$schema", None)
    schema.pop("$recursiveAnchor", None)
    for name, needs in schema.pop("dependencies", {}).items():
        kind = "dependentRequired" if isinstance(needs, list) else "dependentSchemas"
        schema[kind] = {**schema.get(kind, {}), name: needs}
