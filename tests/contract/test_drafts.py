"""Older drafts: what callers still send is read as they mean it."""

import pytest
from jsonschema import Draft4Validator, Draft7Validator, Draft201909Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from mockchat.contract.drafts import Upgrade, draft_of, modernized, pointer_before
from mockchat.contract.validation import schema_problems, schema_violations
from mockchat.errors import ImpossibleSchema
from mockchat.payloads.schema_source import Source
from mockchat.payloads.seeded import SeededDraw
from mockchat.payloads.values import compile_schema, generate

DRAFT4 = "http://json-schema.org/draft-04/schema#"
DRAFT7 = "http://json-schema.org/draft-07/schema#"
DRAFT2019 = "https://json-schema.org/draft/2019-09/schema"
DRAFT2020 = "https://json-schema.org/draft/2020-12/schema"

OLD = {
    "tuple": (Draft7Validator, {"$schema": DRAFT7, "type": "array", "items": [{"type": "integer"}, {"type": "string"}], "additionalItems": False, "minItems": 2}),
    "open tuple": (Draft7Validator, {"$schema": DRAFT7, "type": "array", "items": [{"type": "integer"}], "additionalItems": {"type": "null"}}),
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
        "dependencies": {"a": ["b"], "c": {}},
        "properties": {"x": {"$ref": "#/y"}},
        "allOf": [{"$ref": ""}],
    }
    assert Upgrade("draft-04").copy(schema, "https://example.com/s") == {
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


TUPLE = {"type": "array", "items": [{"type": "integer"}, {"type": "string"}], "minItems": 2}
UNNAMED = {
    "tuple": (TUPLE, [1, "a"], ["a", "b"], "/0"),
    "empty tuple": ({"type": "array", "items": [], "additionalItems": {"type": "null"}, "minItems": 1}, [None], [1], "/0"),
    "closed tuple": ({**TUPLE, "additionalItems": False}, [1, "a"], [1, "a", 2], "/2"),
    "nested tuple": ({"properties": {"a/b": TUPLE}, "required": ["a/b"]}, {"a/b": [1, "a"]}, {"a/b": [1, 2]}, "/a~1b/1"),
    "flags": ({"type": "integer", "minimum": 1, "exclusiveMinimum": True, "maximum": 2, "exclusiveMaximum": False}, 2, 1, ""),
    "dependent names": ({"type": "object", "dependencies": {"a": ["b"]}}, {"a": 1, "b": 2}, {"a": 1}, "/b"),
    "dependent schema": ({"type": "object", "dependencies": {"a": {"properties": {"b": False}}}}, {"a": 1}, {"a": 1, "b": 2}, "/b"),
    "identifier": ({"definitions": {"n": {"$id": "#n", "type": "integer"}}, "$ref": "#n"}, 5, "a", ""),
    "references": ({"definitions": {"n": TUPLE}, "$ref": "#/definitions/n"}, [1, "a"], [1, 2], "/1"),
    "root reference": ({"type": "array", "items": [{"type": "integer"}, {"$ref": "#"}]}, [1, [2]], [1, ["a"]], "/1/0"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNNAMED)
def test_judge_and_generator_read_unnamed_drafts_alike(name):
    """Old forms tell the draft: a request with them is neither refused nor answered wrongly."""
    schema, good, bad, pointer = UNNAMED[name]
    assert schema_problems(schema) == ()
    assert schema_violations(schema, good) == ()
    assert [violation.pointer for violation in schema_violations(schema, bad)] == [pointer]
    for seed in range(20):
        assert schema_violations(schema, generate(schema, SeededDraw(seed), kind="wild")) == ()


REFUSED = {
    "tuple of 2020": ({"$schema": DRAFT2020, "items": [True]}, "/items"),
    "tuple of a draft nobody knows": ({"$schema": "https://unknown.example", "items": [True]}, "/items"),
    "empty tuple of draft 7": ({"$schema": DRAFT7, "items": []}, "/items"),
    "identifier of today": ({"$schema": DRAFT2019, "$id": "#a"}, "/$id"),
    "two tuples": ({"prefixItems": [True], "items": [True]}, "/items"),
    "flag of draft 7": ({"$schema": DRAFT7, "minimum": 1, "exclusiveMinimum": True}, "/exclusiveMinimum"),
    "required as in draft 3": ({"properties": {"a": {"required": True}}}, "/properties/a/required"),
    "no schema in a tuple": ({"items": [True, 5]}, "/items/1"),
    "no schema behind a tuple": ({"items": [True], "additionalItems": 5}, "/additionalItems"),
    "bound in a tuple": ({"items": [{"items": [{"minimum": "1"}]}]}, "/items/0/items/0/minimum"),
    "bound in a dependency": ({"dependencies": {"a~b": {"minimum": "1"}}}, "/dependencies/a~0b/minimum"),
    "name in a dependency": ({"dependencies": {"a": [5]}}, "/dependencies/a/0"),
    "pattern in a union": ({"items": [], "anyOf": [{"pattern": "("}]}, "/anyOf/0/pattern"),
    "no branches": ({"items": [], "anyOf": 5}, "/anyOf"),
    "no properties": ({"items": [], "properties": [5]}, "/properties"),
    "no reference": ({"items": [], "$ref": 5}, "/$ref"),
    "no dependencies": ({"items": [], "dependencies": 5}, "/dependencies"),
    "no reference to the top": ({"items": [], "$recursiveRef": True}, "/$recursiveRef"),
    "no names": ({"dependentRequired": None, "dependencies": {"a": ["b"]}}, "/dependentRequired"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_judge_and_generator_refuse_the_same(name):
    """What is no schema is none for both, at the place where the caller wrote it."""
    schema, pointer = REFUSED[name]
    assert [at for at, _ in schema_problems(schema)] == [pointer]
    with pytest.raises(ImpossibleSchema) as refusal:
        compile_schema(schema)
    assert pointer.startswith(refusal.value.pointer)


def test_schemas_of_today_are_not_copied():
    """Most schemas have nothing to rewrite."""
    for schema in (True, {"items": {"type": "null"}}, {"$schema": DRAFT7, "items": [True]}):
        assert modernized(schema) is schema


@pytest.mark.parametrize(
    ("schema", "draft"),
    [
        (True, ""), ({}, ""), ({"$schema": DRAFT4}, "draft-04"), ({"$schema": DRAFT7}, "draft-07"),
        ({"$schema": DRAFT2019}, "2019-09"), ({"$schema": DRAFT2020}, "2020-12"),
        ({"$schema": "https://unknown.example"}, "2020-12"),
    ],
)  # fmt: skip
def test_drafts_are_told_by_name(schema, draft):
    """The name decides where there is one."""
    assert draft_of(schema) == draft


def test_places_are_told_as_they_were_written():
    """A caller has never heard of the keywords of 2020-12 in a schema of draft 7."""
    schema = {"items": [{"allOf": [{"items": [True]}]}], "dependencies": {"a": {}}}
    places = {
        "": "",
        "/items/type": "/additionalItems/type",
        "/prefixItems/0/allOf/0/prefixItems/0/x": "/items/0/allOf/0/items/0/x",
        "/dependentSchemas/a/x/y": "/dependencies/a/x/y",
    }
    assert {place: pointer_before(place, schema) for place in places} == places


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ({"$ref": "http://["}, "'http://[' refers to nothing in it"),
        ({"items": [{"$ref": "http://["}]}, "'http://[' refers to nothing in it"),
        ({"$id": "http://a/b", "items": [{"$ref": "http://["}]}, "'http://[' and the $id it is relative to make no URL"),
        ({"$id": "//[", "items": [{"$ref": "b"}]}, "'b' and the $id it is relative to make no URL"),
        ({"$dynamicRef": "http://["}, "'http://[' refers to nothing in it"),
        ({"$id": "http://[", "properties": {"a": {"$ref": "b"}}}, "'b' and the $id it is relative to make no URL"),
        ({"$id": "http://a", "$ref": "#", "properties": {"a": {"$id": "http://["}}}, "'http://[' is not a URL"),
    ],
)  # fmt: skip
def test_what_is_no_url_is_told(schema, problem):
    """A library's ValueError would be a fault of the server."""
    assert (problem in [words for _, words in schema_problems(schema)]) is True


def test_a_draft_that_is_no_url_is_the_newest():
    """Nothing else is known of it."""
    schema = {"$schema": "http://[", "type": "string"}
    assert schema_problems(schema) == ()
    assert [each.keyword for each in schema_violations(schema, 1)] == ["type"]
