"""Rewrite schemas of drafts 4 to 2019-09 as draft 2020-12, with every reference absolute.

Older forms are told by their shape, since callers leave `$schema` out: an array under `items`, a
boolean `exclusiveMinimum`, `dependencies`. Only what has no shape of its own (a `$ref` that
silences its neighbours, `id`) needs the draft to be named.
"""

from collections.abc import Iterator, Mapping
from urllib.parse import urljoin

from mockchat.contract.pointers import pointer_of, tokens_of
from mockchat.contract.schema_walk import LISTS, MAPS, ONES
from mockchat.types import Json, JsonObject, JsonView

SCHEMA_KEYWORDS = frozenset({*ONES, "additionalItems"})
"""Keywords whose value is one schema (`items`: or, before 2020-12, a list of them)."""

LIST_KEYWORDS = frozenset(LISTS)
"""Keywords whose value is a list of schemas."""

MAP_KEYWORDS = frozenset({*MAPS, "definitions", "dependencies"})
"""Keywords whose value is an object of schemas (`dependencies`: or of lists of names)."""

_HOLDERS = SCHEMA_KEYWORDS | LIST_KEYWORDS | MAP_KEYWORDS

REFERENCES = ("$ref", "$dynamicRef")
"""Keywords that name another schema whose conditions hold here too."""

_RESOLVED = (*REFERENCES, "$recursiveRef")

_REF_STANDS_ALONE = ("draft-04", "draft-06", "draft-07")
_KEPT_BESIDE_REF = ("$ref", "definitions", "$defs", "$schema")
_OLD_TUPLES = ("", "draft-03", "draft-04", "draft-06", "draft-07", "2019-09")
_OLD_LIMITS = ("", "draft-03", "draft-04")
_NEWEST = "2020-12"
_LIMITS = (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum"))


def draft_of(schema: Json) -> str:
    """Return the draft a schema names ("draft-07", "2019-09" …), "" where it names none.

    A draft nobody knows is read as the newest.
    """
    named = schema.get("$schema") if isinstance(schema, Mapping) else None
    if named is None:
        return ""
    return next((each for each in _OLD_TUPLES if each and each in str(named)), _NEWEST)


def allows_tuples(schema: JsonView, draft: str) -> bool:
    """Tell whether an array under `items` of `schema` is a tuple, as drafts before 2020-12 have it.

    Where no draft is named it is, unless `prefixItems` beside it says that this is 2020-12.
    """
    return draft in _OLD_TUPLES and not (draft == "" and "prefixItems" in schema)


def allows_flags(draft: str) -> bool:
    """Tell whether `exclusiveMinimum` may be true or false, as draft 4 has it."""
    return draft in _OLD_LIMITS


def allows_anchor_as_id(schema: JsonView, draft: str) -> bool:
    """Tell whether the `$id` of `schema` may name an anchor, as in drafts before 2019-09."""
    return not _names_anchor(schema) or draft not in {"2019-09", _NEWEST}


def modernized(schema: Json) -> Json:
    """Return a schema that names no draft, but has forms that only old ones have, as 2020-12.

    A schema that names its draft, or has no such forms, is returned as it is. It need not be one:
    what is not understood stays where it was. One of 2019-09 that says true or false under `items`
    is upgraded where it asks what was not evaluated: the stock judge of that draft raises there.
    """
    if draft_of(schema) == "2019-09" and _asks_behind_all_items(schema):
        upgraded = Upgrade("2019-09").copy(schema, "")
        return {name: upgraded[name] for name in upgraded if name != "$schema"}
    if draft_of(schema) != "" or not any(map(_has_old_form, _parts(schema))):
        return schema
    return Upgrade("").copy(schema, "")


def _asks_behind_all_items(schema: Json) -> bool:
    parts = [*_parts(schema)]
    asks = any("unevaluatedItems" in part for part in parts)
    return asks and any(isinstance(part.get("items"), bool) for part in parts)


def pointer_before(pointer: str, schema: Json) -> str:
    """Return where the place `pointer` of the modernized `schema` is in the schema itself."""
    found: list[str] = []
    current: Json = schema
    for token in tokens_of(pointer):
        step = token
        if isinstance(current, Mapping):
            if isinstance(current.get("items"), list):
                step = {"prefixItems": "items", "items": "additionalItems"}.get(token, token)
            if token in {"dependentRequired", "dependentSchemas"} and token not in current:
                step = "dependencies"
            if "$recursiveRef" in current and token not in current:
                step = "$recursiveRef"  # the only other name that "$ref" can have had
            current = current.get(step)
        elif isinstance(current, list) and token.isdecimal():
            current = current[int(token)]
        found.append(step)
    return pointer_of(found)


def subschemas(schema: JsonView) -> Iterator[tuple[str, Json]]:
    """Yield every schema right inside `schema` with its pointer relative to it; of any draft."""
    for keyword, value in schema.items():
        if keyword not in _HOLDERS:
            continue
        if isinstance(value, dict) and keyword in MAP_KEYWORDS:
            for name, each in value.items():
                if isinstance(each, bool | dict):
                    token = pointer_of((name,)) if "/" in name or "~" in name else f"/{name}"
                    yield f"/{keyword}{token}", each
        elif isinstance(value, list) and (keyword in LIST_KEYWORDS or keyword == "items"):
            for position, each in enumerate(value):
                yield f"/{keyword}/{position}", each
        elif keyword in SCHEMA_KEYWORDS:
            yield f"/{keyword}", value


def _parts(schema: Json) -> Iterator[JsonView]:
    pending = [schema]
    while pending:
        current = pending.pop()
        if isinstance(current, Mapping):
            yield current
            pending.extend(each for _, each in subschemas(current))


def _names_anchor(schema: JsonView) -> bool:
    return str(schema.get("$id", "")).startswith("#")


def _has_old_form(schema: JsonView) -> bool:
    if isinstance(schema.get("items"), list):
        return allows_tuples(schema, "")
    if isinstance(schema.get("dependencies"), Mapping) or _names_anchor(schema):
        return True
    if "$recursiveRef" in schema or "$recursiveAnchor" in schema:
        return True
    return any(isinstance(schema.get(strict), bool) for _, strict in _LIMITS)


class Upgrade:
    """One pass over one document; remembers the copy of every schema it rewrote.

    Args:
        draft: The draft the document names, as `draft_of` tells it.
    """

    def __init__(self, draft: str) -> None:
        self.draft = draft
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
        base = _resolved(base, self._identifier(source))
        for keyword, value in source.items():
            copy[keyword] = self._value(keyword, value, base)
        if self._identifier(source):
            copy["$id"] = base
        _upgrade_forms(copy, self.draft)
        return copy

    def _without_silenced(self, schema: JsonView) -> JsonView:
        if "$ref" in schema and self.draft in _REF_STANDS_ALONE:
            return {key: value for key, value in schema.items() if key in _KEPT_BESIDE_REF}
        return schema

    def _identifier(self, schema: JsonView) -> str:
        name = schema.get("id" if self.draft == "draft-04" else "$id", "")
        return name if isinstance(name, str) and not name.startswith("#") else ""

    def _value(self, keyword: str, value: Json, base: str) -> Json:
        if keyword in _RESOLVED and isinstance(value, str):
            return _resolved(base, value)
        if keyword in MAP_KEYWORDS and isinstance(value, Mapping):
            return {name: self.copy(each, base) for name, each in value.items()}
        if isinstance(value, list) and (keyword in LIST_KEYWORDS or keyword == "items"):
            return [self.copy(each, base) for each in value]
        if keyword in SCHEMA_KEYWORDS:
            return self.copy(value, base)
        return value


def _resolved(base: str, reference: str) -> str:
    try:
        return urljoin(base, reference)
    except ValueError:  # not a URL at all, such as "http://["; it will be found to refer to nothing
        return reference


def _upgrade_forms(schema: JsonObject, draft: str) -> None:
    """Replace the forms that 2020-12 no longer has, in place."""
    for limit, strict in _LIMITS:
        if isinstance(schema.get(strict), bool) and schema.pop(strict) and limit in schema:
            schema[strict] = schema.pop(limit)
    others = schema.pop("additionalItems", True)
    if isinstance(schema.get("items"), list) and allows_tuples(schema, draft):
        tuple_part = schema.pop("items")
        if tuple_part:
            schema["prefixItems"] = tuple_part
        schema["items"] = others
    if "$recursiveRef" in schema:
        schema.setdefault("$ref", schema.pop("$recursiveRef"))
    if _names_anchor(schema):
        schema["$anchor"] = schema.pop("$id")[1:]
    schema.pop("$schema", None)
    schema.pop("$recursiveAnchor", None)
    if isinstance(schema.get("dependencies"), Mapping):
        for name, needs in schema.pop("dependencies").items():
            kind = "dependentRequired" if isinstance(needs, list) else "dependentSchemas"
            known = schema.setdefault(kind, {})
            if isinstance(known, Mapping):  # anything else is wrong already, and is told as it is
                schema[kind] = {**known, name: needs}
