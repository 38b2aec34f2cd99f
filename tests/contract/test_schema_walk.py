"""Walks over documents: each schema once, each reference where it leads."""

import pytest

from mockchat.contract.schema_walk import (
    absolute,
    branches,
    references,
    resolve,
    walk,
    walk_document,
)

SCHEMA = {
    "properties": {"enum": {"enum": [{"$ref": "#/x"}]}, "a/b": True},
    "oneOf": [{"$ref": "#/$defs/x"}, {"type": "null"}],
    "items": {"not": {"type": "string"}},
    "$defs": {"x": {"const": {"$ref": "no reference"}}},
    "dependentSchemas": [],
    "allOf": {},
}
OPENAPI = {
    "openapi": "3.1.0",
    "paths": {
        "/x": {"get": {"parameters": [{"$ref": "#/components/parameters/P"}, {"schema": {}}]}}
    },
    "components": {
        "parameters": {"P": {"schema": {"type": "string"}}},
        "schemas": {"S": {"items": {"$ref": "a.json#/$defs/x"}}},
    },
}


def test_walk_names_every_schema_with_its_pointer():
    """A member called like a keyword is a member; a malformed part is no schema."""
    assert [pointer for pointer, _ in walk(SCHEMA)] == [
        "",
        "/properties/enum",
        "/oneOf/0",
        "/oneOf/1",
        "/items",
        "/items/not",
        "/$defs/x",
    ]
    assert list(walk(True)) == []


def test_walk_of_openapi_names_its_schemas_wherever_they_stand():
    """Parameters carry schemas as well as components do."""
    assert [pointer for pointer, _ in walk_document(OPENAPI)] == [
        "/components/schemas/S",
        "/components/schemas/S/items",
        "/paths/~1x/get/parameters/1/schema",
        "/components/parameters/P/schema",
    ]
    assert list(walk_document({"openapi": "3.1.0"})) == []
    assert [pointer for pointer, _ in walk_document(SCHEMA)] == [at for at, _ in walk(SCHEMA)]


def test_references_are_those_of_schemas_and_of_openapi():
    """What stands in a value is none."""
    assert list(references(SCHEMA)) == [("/oneOf/0/$ref", "#/$defs/x")]
    assert list(references(OPENAPI)) == [
        ("/paths/~1x/get/parameters/0/$ref", "#/components/parameters/P"),
        ("/components/schemas/S/items/$ref", "a.json#/$defs/x"),
    ]


DOCUMENTS = {
    "a": {"$id": "https://x.invalid/a.json", "$defs": {"x": {"type": "null"}}},
    "b": {"$id": "https://x.invalid/b.json", "$defs": {"y": {"$ref": "a.json#/$defs/x"}}},
}


@pytest.mark.parametrize(
    ("home", "reference", "found"),
    [
        ("a", "#/$defs/x", ("a", {"type": "null"})),
        ("b", "a.json#/$defs/x", ("a", {"type": "null"})),
        ("b", "https://x.invalid/a.json#/$defs/x", ("a", {"type": "null"})),
        ("a", "", ("a", DOCUMENTS["a"])),
    ],
)
def test_a_reference_leads_to_its_schema(home, reference, found):
    """By the file's name or by the document's."""
    assert resolve(DOCUMENTS, home, reference) == found


@pytest.mark.parametrize("reference", ["#/$defs/z", "c.json", "../a.json", "https://y.invalid/"])
def test_a_reference_into_nothing_is_an_error(reference):
    """A dangling reference fails only when a payload happens to reach it."""
    with pytest.raises(LookupError):
        resolve(DOCUMENTS, "a", reference)


def test_branches_follow_what_speaks_of_the_same_value():
    """References, unions and conjunctions, a circle once."""
    circle = {"allOf": [{"$ref": "b.json#/$defs/y"}, True], "anyOf": [{"$ref": "#"}]}
    documents = DOCUMENTS | {"c": circle}
    assert [home for home, _ in branches(documents, "c", circle)] == ["c", "c", "c", "b", "a"]


def test_absolute_writes_references_in_full_and_leaves_values_alone():
    """What looks like a reference in an enum is a value."""
    whole = absolute(SCHEMA | {"x": {"$ref": "a.json"}}, "https://x.invalid/c.json")
    assert whole["oneOf"][0] == {"$ref": "https://x.invalid/c.json#/$defs/x"}
    assert whole["x"] == {"$ref": "https://x.invalid/a.json"}
    assert whole["$defs"] == SCHEMA["$defs"]
    assert whole["properties"] == SCHEMA["properties"]
