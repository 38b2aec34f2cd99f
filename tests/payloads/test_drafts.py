"""Older drafts: what callers still send is read as they mean it."""

import pytest
from jsonschema import Draft4Validator, Draft7Validator, Draft201909Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from mockchat.errors import ImpossibleSchema
from mockchat.payloads.drafts import Upgrade
from mockchat.payloads.schema_source import Source
from mockchat.payloads.seeded import SeededDraw
from mockchat.payloads.values import generate

DRAFT4 = "http://json-schema.org/draft-04/schema#"
DRAFT7 = "http://json-schema.org/draft-07/schema#"
DRAFT2019 = "https://json-schema.org/draft/2019-09/schema"

OLD = {
    "tuple": (Draft7Validator, {"$schema": DRAFT7, "type": "array", "items": [{"type": "integer"}, {"type": "string"}], "additionalItems": False, "minItems": 2}),
    "open tuple": (Draft7Validator, {"$schema": DRAFT7, "type": "array", "items": [{"type": "integer"}], "additionalItems": {"type": "null"}}),
    "empty tuple": (Draft7Validator, {"$schema": DRAFT7, "type": "array", "items": [], "minItems": 1}),
    "additional items alone": (Draft7Validator, {"$schema": DRAFT7, "type": "array", "items": {"type": "integer"}, "additionalItems": False, "minItems": 1}),
    "dependencies": (Draft7Validator, {"$schema": DRAFT7, "type": "object", "properties": {"a": {"type": "integer"}}, "dependencies": {"a": ["b"], "b": {"properties": {"b": {"type": "integer"}}}}}),
    "reference alone": (Draft7Validator, {"$schema": DRAFT7, "definitions": {"n": {"type": "integer"}}, "type": "object", "properties": {"a": {"$ref": "#/definitions/n", "type": "string"}}, "required": ["a"]}),
    "identifier as anchor": (Draft7Validator, {"$schema": DRAFT7, "definitions": {"n": {"$id": "#n", "type": "integer"}}, "allOf": [{"$ref": "#n"}]}),
    "strict bounds": (Draft4Validator, {"$schema": DRAFT4, "type": "number", "minimum": 1, "exclusiveMinimum": True, "maximum": 2, "exclusiveMaximum": False}),
    "strict without bound": (Draft4Validator, {"$schema": DRAFT4, "type": "number", "exclusiveMaximum": True}),
    "draft 4 identifier": (Draft4Validator, {"$schema": DRAFT4, "id": "http://example.com/x", "definitions": {"n": {"type": "integer"}}, "type": "array", "items": {"$ref": "x#/definitions/n"}, "minItems": 1}),
    "recursive reference": (Draft201909Validator, {"$schema": DRAFT2019, "$recursiveAnchor": True, "type": "object", "properties": {"a": {"$recursiveRef": "#"}}, "additionalProperties": False}),
}  # fmt: skip


@pytest.mark.parametrize("kind", ["plain", "wild"])
@pytest.mark.parametrize("name", OLD)
def test_values_are_valid_in_their_own_draft(name, kind):
    """The caller validates with the draft the schema names."""
    validator, schema = OLD[name]
    for seed in range(30):
        value = generate(schema, SeededDraw(seed), kind=kind)
        assert validator(schema).is_valid(value), value


def test_forms_tell_the_draft_where_nobody_names_it():
    """Callers leave `$schema` out, and generators of schemas still write the old tuple."""
    schema = {
        "type": "array",
        "items": [{"const": 1}, {"const": 2}],
        "additionalItems": False,
        "minItems": 2,
    }
    assert generate(schema, SeededDraw(1)) == [1, 2]


def test_upgraded_forms_are_those_of_2020():
    """The whole upgrade at a glance."""
    schema = {
        "$schema": DRAFT4,
        "items": [True],
        "additionalItems": False,
        "minimum": 1,
        "exclusiveMinimum": True,
        "required": True,
        "dependencies": {"a": ["b"], "c": {}},
        "properties": {"x": {"$ref": "#/y"}},
        "allOf": [{"$ref": ""}],
    }
    assert Upgrade(DRAFT4).copy(schema, "https://example.com/s") == {
        "prefixItems": [True],
        "items": False,
        "exclusiveMinimum": 1,
        "dependentRequired": {"a": ["b"]},
        "dependentSchemas": {"c": {}},
        "properties": {"x": {"$ref": "https://example.com/s#/y"}},
        "allOf": [{"$ref": "https://example.com/s"}],
    }


def test_references_reach_other_documents():
    """Documents of a profile refer to each other."""
    other = {
        "$id": "https://example.com/other.json",
        "$defs": {"n": {"const": 5}, "m": {"$ref": "#/$defs/n"}},
    }
    documents = Registry().with_resource(other["$id"], DRAFT202012.create_resource(other))
    schema = {"$id": "https://example.com/this.json", "$ref": "other.json#/$defs/m"}
    source = Source(schema, None, documents)
    assert source.resolve("https://example.com/other.json#/$defs/m", "") == {
        "$ref": "https://example.com/other.json#/$defs/n"
    }
    with pytest.raises(ImpossibleSchema, match="leads nowhere"):
        source.resolve("https://example.com/third.json", "/x")
