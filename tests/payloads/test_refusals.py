"""Schemas without a value: refused before anything is drawn, at the right place, for the reason."""

import pytest

from mockchat.contract.schema_table import MOST_DEPTH
from mockchat.errors import ImpossibleSchema
from mockchat.payloads.seeded import SeededDraw
from mockchat.payloads.values import compile_schema, generate
from mockchat.payloads.walk import Unlucky, Walk

WHOLE = {"type": "integer"}


def nested(levels, inner, **beside):
    """Wrap a schema in arrays."""
    for _ in range(levels):
        inner = {"type": "array", "items": inner, **beside}
    return inner


def chain(length):
    """Return a schema whose smallest value is nested `length` objects deep."""
    inner = WHOLE
    for _ in range(length):
        inner = {"type": "object", "properties": {"a": inner}, "required": ["a"]}
    return inner


ENDLESS = "every value of it would contain another one, without end"
LARGE = "its smallest value has more than 3000 parts"
ENTANGLED = "it is too large or too entangled"
UNLISTED = "no listed value meets the other conditions"

REFUSED = {
    "false": (False, "", "the schema false allows no value"),
    "bounds": (
        {"type": "object", "properties": {"a": {"type": "integer", "minimum": 5, "maximum": 3}}, "required": ["a"]},
        "/properties/a", "no integer lies within the bounds",
    ),
    "number bounds": ({"type": "number", "exclusiveMinimum": 1, "maximum": 1}, "", "no number lies within the bounds"),
    "number steps": ({"type": "number", "multipleOf": 5, "minimum": 1, "maximum": 4}, "", "no number lies within the bounds"),
    "lengths": ({"type": "string", "minLength": 3, "maxLength": 2}, "", "no text has 3 to 2 characters"),
    "pattern": ({"type": "string", "pattern": "a^b"}, "", "no text was found that matches 'a^b'"),
    "patterns": (
        {"type": "string", "allOf": [{"pattern": "^a$"}, {"pattern": "^b$"}]}, "",
        "no text was found that matches all of ^a$, ^b$",
    ),
    "types": ({"allOf": [{"type": "string"}, WHOLE]}, "", "its types contradict each other"),
    "enum": ({"type": "string", "enum": [1, 2]}, "", UNLISTED),
    "empty enum": ({"enum": []}, "", UNLISTED),
    "flags": ({"type": "boolean", "not": {"enum": [True, False]}}, "/not", UNLISTED),
    "integer and not": ({"type": "integer", "not": {"type": "integer"}}, "/not", "its types contradict each other"),
    "closed but required": (
        {"type": "object", "required": ["x"], "additionalProperties": False}, "", "the member 'x' is not allowed",
    ),
    "name refused": (
        {"type": "object", "required": ["long"], "propertyNames": {"maxLength": 2}}, "",
        "propertyNames refuses the name 'long'",
    ),
    "too few names": ({"type": "object", "properties": {"a": WHOLE}, "additionalProperties": False, "minProperties": 2}, "", "it needs 2 members and can have fewer"),
    "no names": ({"type": "object", "propertyNames": False, "minProperties": 1}, "", "it needs 1 members and can have fewer"),
    "member counts": ({"type": "object", "required": ["a", "b"], "maxProperties": 1}, "", "no object has 2 to 1 members"),
    "item counts": ({"type": "array", "minItems": 2, "maxItems": 1}, "", "no array has 2 to 1 items"),
    "items": ({"type": "array", "items": {"type": "string", "minLength": 2, "maxLength": 1}, "minItems": 1}, "/items", "no text has 2 to 1 characters"),
    "tuple": ({"type": "array", "prefixItems": [False], "minItems": 1}, "/prefixItems/0", "the schema false allows no value"),
    "distinct": ({"type": "array", "items": {"enum": [1, 2, 3]}, "uniqueItems": True, "minItems": 4}, "", "it needs more items than it can have"),
    "contains": ({"type": "array", "contains": False}, "/contains", "the schema false allows no value"),
    "contains in a short tuple": (
        {"type": "array", "prefixItems": [WHOLE], "items": False, "contains": WHOLE, "minContains": 2}, "/items",
        "the schema false allows no value",
    ),
    "contains counts": ({"type": "array", "contains": WHOLE, "minContains": 3, "maxContains": 2}, "", "no array has at least 3 and at most 2 such items"),
    "not anything": ({"not": {}}, "", "the schema false allows no value"),
    "same text twice": (
        {"type": "array", "items": {"type": "string", "pattern": "^a$"}, "uniqueItems": True, "minItems": 2},
        "", "no value was found that meets all its conditions at once",
    ),
    "same number twice": (
        {"type": "array", "prefixItems": [{"const": 1}], "items": {"enum": [1, 2]}, "uniqueItems": True, "minItems": 3},
        "", "no value was found that meets all its conditions at once",
    ),
    "much work": (
        {"type": "array", "items": WHOLE, "minItems": 2500, "not": {"uniqueItems": False}},
        "", "no value was found that meets all its conditions at once",
    ),
    "infinite": ({"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}, "/properties/a", ENDLESS),
    "infinite in turn": (
        {
            "$defs": {
                "a": {"type": "array", "items": {"$ref": "#/$defs/b"}, "minItems": 1},
                "b": {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "required": ["a"]},
            },
            "$ref": "#/$defs/a",
        },
        "/$defs/a/items", ENDLESS,
    ),
    "refers to itself": ({"$ref": "#"}, "", "it refers to itself without end"),
    "union of itself": ({"anyOf": [{"$ref": "#"}, False]}, "", "no value was found that meets all its conditions at once"),
    "ten million items": ({"type": "array", "items": WHOLE, "minItems": 10**7}, "", LARGE),
    "ten million members": ({"type": "object", "minProperties": 10**7}, "", LARGE),
    "ten million contained": ({"type": "array", "contains": WHOLE, "minContains": 10**7}, "", LARGE),
    "ten million characters": ({"type": "string", "minLength": 10**7}, "", LARGE),
    "large member": (
        {"type": "object", "properties": {"a": {"anyOf": [nested(7, WHOLE, minItems=4)]}}, "required": ["a"]},
        "/properties/a/anyOf/0/items", LARGE,
    ),
    "large tuple": ({"type": "array", "prefixItems": [{"type": "string", "minLength": 10**7}], "minItems": 1}, "/prefixItems/0", LARGE),
    "four to the ten": (nested(10, WHOLE, minItems=4), "/items/items/items/items", LARGE),
    "large constant": ({"const": [[], *range(6000)]}, "", LARGE),
    "deep value": (chain(60), "", "its smallest value is nested more than 40 levels deep"),
    "deep schema": (nested(500, WHOLE), "/items" * (MOST_DEPTH + 1), "nested more than 100 levels deep"),
    "deeper schema": (nested(100_000, WHOLE), "", "it is nested too deep"),
    "lost reference": ({"$ref": "#/$defs/x"}, "/$ref", "the reference '#/$defs/x' leads nowhere"),
    "foreign reference": ({"$ref": "https://example.com/x"}, "/$ref", "the reference 'https://example.com/x' leads nowhere"),
    "reference to a text": ({"title": "x", "$ref": "#/title"}, "", "a schema is an object, true or false"),
    "unknown type": ({"type": "strin"}, "/type", "not a JSON Schema: 'type' must be one of null, boolean, integer, number, string, array, object, or an array of them"),
    "no types": ({"type": []}, "/type", "not a JSON Schema: 'type' must be one of null, boolean, integer, number, string, array, object, or an array of them"),
    "properties as list": ({"properties": []}, "/properties", "not a JSON Schema: 'properties' must be an object of schemas"),
    "member no schema": ({"properties": {"a/b": 1}}, "/properties", "not a JSON Schema: 'properties' must be an object of schemas"),
    "deep fault": ({"properties": {"a/b": {"items": {"minItems": -1}}}}, "/properties/a~1b/items/minItems", "not a JSON Schema: 'minItems' must be a whole number of 0 or more"),
    "names": ({"required": "a"}, "/required", "not a JSON Schema: 'required' must be an array of distinct strings"),
    "no branches": ({"anyOf": []}, "/anyOf", "not a JSON Schema: 'anyOf' must be a non-empty array of schemas"),
    "flag as number": ({"minimum": True}, "/minimum", "not a JSON Schema: 'minimum' must be a finite number"),
    "step of nothing": ({"multipleOf": 0}, "/multipleOf", "not a JSON Schema: 'multipleOf' must be a number above 0"),
    "bad pattern": ({"pattern": "(a"}, "/pattern", "'(a' is not a regular expression: a group is not closed at position 2"),
    "bad pattern property": ({"patternProperties": {"[": True}}, "/patternProperties", "'[' is not a regular expression: the pattern ends too early at position 1"),
    "not a schema": ([1], "", "a schema is an object, true or false"),
    "not JSON": ({"const": {1, 2}}, "", "it is not JSON"),
    "not a number": ({"const": float("nan")}, "", "it is not JSON"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_schemas_without_a_value_are_refused(name):
    """The caller has to learn where and why; the server must neither hang nor serve nonsense."""
    schema, pointer, reason = REFUSED[name]
    with pytest.raises(ImpossibleSchema) as refusal:
        generate(schema, SeededDraw(1))
    assert (refusal.value.pointer, refusal.value.reason) == (pointer, reason)


def test_refusals_are_remembered():
    """The same impossible tool arrives with every retry."""
    for _ in range(2):
        with pytest.raises(ImpossibleSchema, match="false allows no value"):
            compile_schema(False)


@pytest.mark.parametrize(
    "name", ["ten million items", "four to the ten", "infinite", "ten million contained"]
)
def test_refusals_come_before_drawing(name):
    """Work on a hostile schema is bounded by its own size, not by the size of its values."""
    schema, _, _ = REFUSED[name]
    with pytest.raises(ImpossibleSchema):
        compile_schema(schema)


def test_explosive_unions_are_bounded():
    """Every union in an allOf doubles the branches; twenty of them must not make a million."""
    schema = {
        "type": "object",
        "allOf": [{"anyOf": [{"required": [f"a{n}"]}, {"required": [f"b{n}"]}]} for n in range(20)],
    }
    compiled = compile_schema(schema)
    assert len(compiled.places) < 1000
    value = generate(compiled, SeededDraw(1))
    assert all(f"a{n}" in value or f"b{n}" in value for n in range(20))


def test_too_many_places_are_refused():
    """A schema as long as a book would keep the server busy for a book's time."""
    schema = {
        "type": "object",
        "properties": {
            f"p{n}": {"type": "object", "properties": {"a": {"const": n}}} for n in range(6000)
        },
    }
    with pytest.raises(ImpossibleSchema, match="it is larger than 2000 schemas"):
        compile_schema(schema)


HOPELESS = {
    "type": "array",
    "items": {"type": "integer"},
    "minItems": 1,
    "not": {"uniqueItems": True},
    "maxItems": 1,
}


def test_what_the_author_wrote_stands_in():
    """Where no value is found, the schema's own default or example may be one."""
    schema = {"type": "string", "not": {"pattern": "^(?!magic word$)"}}
    with pytest.raises(
        ImpossibleSchema, match="no value was found that meets all its conditions at once"
    ):
        generate(schema, SeededDraw(1))
    for name, value in (
        ("default", "magic word"),
        ("example", "magic word"),
        ("examples", ["no", "magic word"]),
    ):
        assert generate({**schema, name: value}, SeededDraw(1)) == "magic word"
    with pytest.raises(ImpossibleSchema, match="no value was found"):
        generate({**schema, "default": "other", "examples": ["others"]}, SeededDraw(1))


def test_hopeless_tests_end_soon():
    """Trying again is bounded for a whole value, however many parts have no luck."""
    schema = {"type": "array", "items": HOPELESS, "minItems": 50}
    compiled = compile_schema(schema)
    walk = Walk(SeededDraw(1), "wild", compiled.source.accepts)
    with pytest.raises(Unlucky):
        walk.value(compiled.node)
    assert walk.retries <= 400


def test_optional_parts_without_luck_are_left_out():
    """A part that may be missing must not cost the whole value."""
    schema = {
        "type": "object",
        "properties": {"a": HOPELESS, "b": {"type": "array", "items": HOPELESS}, "c": {"const": 1}},
        "required": ["c"],
    }
    for seed in range(10):
        value = generate(schema, SeededDraw(seed))
        assert value["c"] == 1
        assert "a" not in value
        assert value.get("b", []) == []


@pytest.mark.parametrize(
    "schema",
    [
        {"anyOf": [HOPELESS, {**HOPELESS, "title": "another"}]},
        {"type": "object", "properties": {"a": HOPELESS}, "required": ["a"]},
        {
            "type": "object",
            "properties": {"a": HOPELESS},
            "minProperties": 1,
            "additionalProperties": False,
        },
        {"type": "object", "additionalProperties": HOPELESS, "minProperties": 1},
    ],
)
def test_needed_parts_without_luck_are_reported(schema):
    """A part that must be there, and is not found, leaves no value at all."""
    with pytest.raises(ImpossibleSchema, match="no value was found that meets all its conditions"):
        generate(schema, SeededDraw(1))
