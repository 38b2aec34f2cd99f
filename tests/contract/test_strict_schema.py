"""The strict subset of JSON Schema: what it refuses, where, and how large a schema may be."""

import pytest

from mockchat.contract.profile import load_profile
from mockchat.contract.strict_schema import strict_problems

LIMITS = load_profile("openai").settings["rules"]["request.function-is-strict"]
CLOSED = {"additionalProperties": False}


def obj(**properties):
    """Return an object of the strict subset."""
    return {"type": "object", "properties": properties, "required": [*properties], **CLOSED}


def problems(schema, **limits):
    """Return what is wrong with `schema` under the profile's limits, some of them changed."""
    return strict_problems(schema, LIMITS | limits)


@pytest.mark.parametrize(
    "schema",
    [
        obj(),
        obj(a={"type": "string", "pattern": "^a$"}, b={"type": ["integer", "null"]}),
        obj(a={"type": "array", "items": obj(b={"enum": ["x", "y"]})}),
        obj(a={"anyOf": [{"type": "null"}, obj(b={"const": 1})]}),
        obj(a={"anyOf": [obj(kind={"const": "x"}), obj(kind={"const": "y"}), obj()]}),
        obj(a={"anyOf": [True, obj(kind={"const": "y"})]}),
        obj(next={"anyOf": [{"$ref": "#"}, {"type": "null"}]}),
        obj(a={"$ref": "#/$defs/b"}) | {"$defs": {"b": obj()}},
        obj(default={"type": "string"}, allOf={"type": "string"}),
    ],
)
def test_schema_inside_the_subset_is_taken(schema):
    """What the SDK's helper makes of a model must pass."""
    assert problems(schema) == ()


OPEN = "'additionalProperties' is required to be supplied and to be false."


def missing(name):
    """Return the sentence on a property that is not required."""
    return (
        "'required' is required to be supplied and to be an array including every key in "
        f"properties. Missing '{name}'."
    )


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({}, ("", "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"None\"'.")),
        (
            {"type": "array"},
            ("", "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"array\"'."),
        ),
        (obj() | {"anyOf": [obj()]}, ("", "'anyOf' is not permitted at the top level.")),
        ({"type": "object"}, ("", OPEN)),
        (obj() | {"additionalProperties": True}, ("", OPEN)),
        (obj(a=True, b=True) | {"required": ["a"]}, ("", missing("b"))),
        (obj(a={"properties": {}}), ("/properties/a", OPEN)),
        (obj(a={"type": ["object", "null"]}), ("/properties/a", OPEN)),
        (obj(a={"items": {"type": "object"}}), ("/properties/a/items", OPEN)),
        (obj(a={"anyOf": [{"type": "object"}]}), ("/properties/a/anyOf/0", OPEN)),
        (obj() | {"$defs": {"x/y": {"type": "object"}}}, ("/$defs/x~1y", OPEN)),
        (
            obj(a={"anyOf": [obj(b={"type": "null"}), obj(b={"type": "null"})]}),
            ("/properties/a", "objects in 'anyOf' share the first key 'b'."),
        ),
        *(
            (obj(a={keyword: {}}), ("/properties/a", f"'{keyword}' is not permitted."))
            for keyword in LIMITS["refused_keywords"]
        ),
    ],
)
def test_schema_outside_the_subset_is_refused(schema, expected):
    """The first fault is what the API answers, with its place."""
    assert problems(schema)[0] == expected


def test_faults_come_in_the_order_of_the_document():
    """The API answers the first."""
    schema = obj(a={"type": "object"}, b={"default": 1})

    assert [pointer for pointer, _ in problems(schema)] == ["/properties/a", "/properties/b"]


@pytest.mark.parametrize(
    ("limit", "schema"),
    [
        ({"properties": 2}, obj(a=True, b=obj(c=True))),
        ({"depth": 2}, obj(a=obj(b=obj()))),
        ({"enum_values": 2}, obj(a={"enum": [1, 2]}, b={"const": 3})),
        ({"text": 3}, obj(ab={"enum": ["c", "d"]})),
        ({"text": 3}, obj() | {"$defs": {"abcd": True}}),
        ({"long_enum_text": 250}, obj(a={"enum": [f"{value:03}" for value in range(251)]})),
    ],
)
def test_size_is_bounded(limit, schema):
    """A schema over a limit is refused, one at it is not."""
    ((pointer, reason),) = problems(schema, **limit)
    (size,) = limit.values()
    over = int(reason.split()[0])

    assert pointer == ""
    assert over > size
    assert problems(schema, **dict.fromkeys(limit, over)) == ()


def test_short_enum_is_not_counted_as_long():
    """Only enums of many values have their text bounded by itself."""
    assert problems(obj(a={"enum": ["x" * 300]}), long_enum_text=250) == ()


def test_deep_schema_is_walked_without_recursion():
    """A hostile schema must not end in a RecursionError."""
    schema = {"type": "string"}
    for _ in range(5000):
        schema = {"type": "array", "items": schema}

    assert problems(obj(a=schema)) == ()
