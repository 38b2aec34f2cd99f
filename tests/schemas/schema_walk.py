"""Walks over schema documents: every subschema with its pointer, references followed on demand."""

from collections.abc import Iterator, Mapping
from posixpath import basename

JsonObject = dict
MAPS = ("$defs", "properties", "patternProperties", "dependentSchemas")
LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
ONES = (
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
)


def walk(schema: object, pointer: str = "") -> Iterator[tuple[str, JsonObject]]:
    """Yield every schema in `schema`, itself first, with its JSON Pointer; booleans are left out.

    Members of `properties` are names, not keywords: a property called `enum` is not an enum.
    """
    if not isinstance(schema, dict):
        return
    yield pointer, schema
    for keyword, part in schema.items():
        at = f"{pointer}/{keyword}"
        if keyword in MAPS:
            for name, inner in part.items():
                yield from walk(inner, f"{at}/{_escaped(name)}")
        elif keyword in LISTS:
            for index, inner in enumerate(part):
                yield from walk(inner, f"{at}/{index}")
        elif keyword in ONES:
            yield from walk(part, at)


def walk_document(document: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """Yield every schema of a document of ours: a JSON Schema, or `openapi.json`."""
    if "openapi" not in document:
        yield from walk(document)
        return
    for name, schema in document["components"].get("schemas", {}).items():
        yield from walk(schema, f"/components/schemas/{name}")
    yield from _inline(document, "")


def resolve(documents: Mapping[str, JsonObject], home: str, reference: str) -> tuple[str, object]:
    """Return (document name, schema) of a `$ref` met in the document called `home`.

    Raises:
        LookupError: It leads nowhere.
    """
    uri, _, fragment = reference.partition("#")
    name = basename(uri).removesuffix(".json") or home
    target: object = documents[name]
    for token in fragment.split("/")[1:]:
        target = target[token.replace("~1", "/").replace("~0", "~")]
    return name, target


def used_properties(
    documents: Mapping[str, JsonObject], document: str, value: object
) -> set[tuple[str, str]]:
    """Return which properties of which documents `value` has, as (document, schema pointer).

    A union counts every branch whose tags are the value's: the walk is generous only where
    branches without tags name the same members.
    """
    used: set[tuple[str, str]] = set()
    pending = [((document, ""), documents[document], value)]
    while pending:
        place, schema, part = pending.pop()
        if not isinstance(schema, dict):
            continue
        members = list(_members(place, schema, part))
        used |= {at for at, _, _ in members}
        pending += [
            *members,
            *_same_value(documents, place, schema, part),
            *_rest(place, schema, part),
        ]
    return used


def _members(place, schema, value):
    """Yield the value's members that the schema names."""
    home, pointer = place
    for name, inner in schema.get("properties", {}).items():
        if isinstance(value, dict) and name in value:
            yield (home, f"{pointer}/properties/{_escaped(name)}"), inner, value[name]


def _rest(place, schema, value):
    """Yield the value's items, and the members that the schema does not name."""
    home, pointer = place
    if isinstance(value, dict):
        for name in value.keys() - schema.get("properties", {}).keys():
            more = schema.get("additionalProperties")
            yield (home, f"{pointer}/additionalProperties"), more, value[name]
    elif isinstance(value, list):
        for item in value:
            yield (home, f"{pointer}/items"), schema.get("items"), item


def _same_value(documents, place, schema, value):
    """Yield what else is asked of the value: a reference's target, the branch it is meant for."""
    home, pointer = place
    if "$ref" in schema:
        name, target = resolve(documents, home, schema["$ref"])
        yield (name, schema["$ref"].partition("#")[2]), target, value
    for index, branch in enumerate(schema.get("oneOf", [])):
        if _is_meant(documents, home, branch, value):
            yield (home, f"{pointer}/oneOf/{index}"), branch, value


def _is_meant(documents, home, branch, value):
    """Say whether a branch's tags (its `const` members) are those of `value`."""
    while "$ref" in branch:
        home, branch = resolve(documents, home, branch["$ref"])
    if not isinstance(value, dict):
        return True
    return all(
        value.get(name) == inner["const"]
        for name, inner in branch.get("properties", {}).items()
        if "const" in inner
    )


def _inline(part, pointer):
    if isinstance(part, dict):
        for key, inner in part.items():
            if key == "schema":
                yield from walk(inner, f"{pointer}/{key}")
            else:
                yield from _inline(inner, f"{pointer}/{_escaped(key)}")
    elif isinstance(part, list):
        for index, inner in enumerate(part):
            yield from _inline(inner, f"{pointer}/{index}")


def _escaped(name):
    return name.replace("~", "~0").replace("/", "~1")
