"""Walks over schema documents: every subschema with its pointer, references followed on demand."""

from collections.abc import Iterator, Mapping
from urllib.parse import urljoin

from mockchat.contract.pointers import pointer_of, tokens_of, value_at
from mockchat.types import Json, JsonObject, JsonView

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

VALUES = frozenset({"const", "enum", "default", "examples"})
"""Keywords that hold values, where "$ref" is a member like any other."""

_SAME_VALUE = ("allOf", "anyOf", "oneOf")

Documents = Mapping[str, JsonObject]
"""The documents of a profile by name."""


def walk(schema: Json, pointer: str = "") -> Iterator[tuple[str, JsonObject]]:
    """Yield every schema in `schema`, itself first, with its JSON Pointer; booleans are left out.

    Members of `properties` are names, not keywords: a property called `enum` is not an enum.
    """
    if not isinstance(schema, dict):
        return
    yield pointer, schema
    for keyword, part in schema.items():
        if keyword in MAPS and isinstance(part, dict):
            for name, inner in part.items():
                yield from walk(inner, pointer + pointer_of((keyword, name)))
        elif keyword in LISTS and isinstance(part, list):
            for index, inner in enumerate(part):
                yield from walk(inner, pointer + pointer_of((keyword, index)))
        elif keyword in ONES:
            yield from walk(part, pointer + pointer_of((keyword,)))


def walk_document(document: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """Yield every schema of a document of a profile: a JSON Schema, or `openapi.json`."""
    if "openapi" not in document:
        yield from walk(document)
        return
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        yield from walk(schema, pointer_of(("components", "schemas", name)))
    yield from _inline(document, "")


def references(document: JsonObject) -> Iterator[tuple[str, str]]:
    """Yield every reference of a document, with the pointer of its `$ref`.

    In an OpenAPI document parameters and responses are referred to as well.
    """
    places = _objects(document, "") if "openapi" in document else walk(document)
    for pointer, part in places:
        if isinstance(part.get("$ref"), str):
            yield f"{pointer}/$ref", part["$ref"]


def resolve(documents: Documents, home: str, reference: str) -> tuple[str, Json]:
    """Return (document name, schema) of a `$ref` met in the document called `home`.

    The documents of a profile stand side by side: a reference names another one by its file, or by
    its `$id`.

    Raises:
        LookupError: It leads nowhere.
    """
    uri, _, fragment = reference.partition("#")
    name = _named(documents, home, uri)
    return name, value_at(documents[name], tokens_of(fragment))


def branches(documents: Documents, home: str, schema: Json) -> Iterator[tuple[str, JsonObject]]:
    """Yield every schema that speaks of the same value as `schema`, with its document.

    References, parts of `allOf` and the alternatives of unions are followed, each once.

    Raises:
        LookupError: A reference leads nowhere.
    """
    seen: set[int] = set()
    pending = [(home, schema)]
    while pending:
        home, part = pending.pop(0)
        if not isinstance(part, dict) or id(part) in seen:
            continue
        seen.add(id(part))
        yield home, part
        if isinstance(part.get("$ref"), str):
            pending.append(resolve(documents, home, part["$ref"]))
        for keyword in _SAME_VALUE:
            pending += [(home, inner) for inner in part.get(keyword, ())]


def absolute(schema: Json, base: str) -> Json:
    """Copy `schema` with every reference written in full, so that no place has to be remembered."""
    if isinstance(schema, list):
        return [absolute(part, base) for part in schema]
    if not isinstance(schema, dict):
        return schema
    copy = {key: part if key in VALUES else absolute(part, base) for key, part in schema.items()}
    if isinstance(copy.get("$ref"), str):
        copy["$ref"] = urljoin(base, copy["$ref"])
    return copy


def _named(documents: Documents, home: str, uri: str) -> str:
    if not uri:
        return home
    for name, document in documents.items():
        if uri in {f"{name}.json", document.get("$id")}:
            return name
    raise LookupError(uri)


def _inline(part: Json, pointer: str) -> Iterator[tuple[str, JsonObject]]:
    for at, holder in _objects(part, pointer):
        if "schema" in holder:
            yield from walk(holder["schema"], f"{at}/schema")


def _objects(part: Json, pointer: str) -> Iterator[tuple[str, JsonView]]:
    if isinstance(part, dict):
        yield pointer, part
        for key, inner in part.items():
            yield from _objects(inner, pointer + pointer_of((key,)))
    elif isinstance(part, list):
        for index, inner in enumerate(part):
            yield from _objects(inner, f"{pointer}/{index}")
