"""Values for any schema: valid for every seed, of the right kind, refused where there is none."""

import json
import math
from random import Random

import pytest
from jsonschema import Draft202012Validator

from mockchat.payloads import scalars
from mockchat.payloads.schema_nodes import Array, Impossible, String
from mockchat.payloads.seeded import SeededDraw
from mockchat.payloads.values import compile_schema, generate
from mockchat.payloads.walk import BUDGET, Unlucky, Walk

TEXT = {"type": "string"}
WHOLE = {"type": "integer"}

SCHEMAS = {
    "anything": True,
    "no condition": {},
    "flat object": {
        "type": "object",
        "properties": {"city": TEXT, "unit": {"enum": ["c", "f"]}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "nullable": {"type": ["string", "null"]},
    "two types": {"type": ["number", "integer", "boolean"]},
    "linked list": {
        "$defs": {
            "node": {
                "type": "object",
                "properties": {"v": WHOLE, "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
                "required": ["v", "next"],
            }
        },
        "$ref": "#/$defs/node",
    },
    "tree": {
        "type": "object",
        "properties": {"children": {"type": "array", "items": {"$ref": "#"}}},
        "required": ["children"],
        "additionalProperties": False,
    },
    "integer bounds": {"type": "integer", "minimum": -3, "exclusiveMaximum": 200, "multipleOf": 7},
    "integer above": {"type": "integer", "exclusiveMinimum": 10},
    "integer below": {"type": "integer", "maximum": -10},
    "number open": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1e-300},
    "number above": {"type": "number", "minimum": 1e300},
    "number below": {"type": "number", "maximum": -5},
    "number tenths": {"type": "number", "multipleOf": 0.1, "minimum": 0, "maximum": 3},
    "number steps": {"type": "number", "multipleOf": 2.5},
    "two steps": {"allOf": [{"multipleOf": 4}, {"multipleOf": 6}], "type": "integer"},
    "huge bounds": {"type": "number", "minimum": -(10**400), "maximum": 10**400},
    "text lengths": {"type": "string", "minLength": 3, "maxLength": 5},
    "long text": {"type": "string", "minLength": 20000},
    "empty text": {"type": "string", "maxLength": 0},
    "pattern and lengths": {"type": "string", "pattern": "^[a-z]+$", "minLength": 9, "maxLength": 12},
    "two patterns": {"allOf": [{"pattern": "^a"}, {"pattern": "z$"}], "type": "string"},
    "look-ahead": {"type": "string", "pattern": "^(?=.*[A-Z])(?=.*[0-9])[A-Za-z0-9]{8,}$"},
    "format": {"type": "string", "format": "uuid"},
    "format and pattern": {"type": "string", "format": "date", "pattern": "^20"},
    "format beside its length": {"type": "string", "format": "date", "minLength": 99},
    "format beside its pattern": {"type": "string", "format": "date", "pattern": "^[a-z]$"},
    "base64": {"type": "string", "contentEncoding": "base64"},
    "enum of a type": {"type": "string", "enum": ["a", 1, None, ""]},
    "const": {"const": {"a": [1]}},
    "tuple": {"type": "array", "prefixItems": [WHOLE, TEXT], "items": False, "minItems": 2},
    "open tuple": {"type": "array", "prefixItems": [WHOLE], "items": TEXT},
    "contains": {
        "type": "array", "items": {"type": ["integer", "string"]}, "contains": WHOLE,
        "minContains": 2, "maxContains": 3, "maxItems": 6,
    },
    "contains in a tuple": {"prefixItems": [TEXT, True, WHOLE], "items": False, "contains": {"const": 5}, "type": "array"},
    "contains behind a tuple": {"prefixItems": [TEXT], "contains": {"const": 5}, "type": "array"},
    "contains no more than": {"type": "array", "contains": TEXT, "minContains": 0, "maxContains": 1, "minItems": 3},
    "distinct few": {"type": "array", "items": {"enum": [1, 2, 3]}, "uniqueItems": True, "minItems": 3},
    "distinct flags": {"type": "array", "items": {"type": "boolean"}, "uniqueItems": True},
    "distinct unions": {"type": "array", "uniqueItems": True, "minItems": 3, "items": {"anyOf": [{"enum": [1, 2]}, {"type": ["boolean", "null"]}]}},
    "distinct many": {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 90}, "uniqueItems": True, "minItems": 8},
    "pattern properties": {
        "type": "object", "patternProperties": {"^x_": WHOLE, "y$": TEXT},
        "additionalProperties": False, "minProperties": 1,
    },
    "overlapping patterns": {"type": "object", "patternProperties": {"^x": {"minimum": 3}, "[^~]": WHOLE}, "minProperties": 2},
    "property names": {
        "type": "object", "propertyNames": {"pattern": "^[a-z]{2,4}$"}, "additionalProperties": WHOLE,
        "minProperties": 2, "maxProperties": 4,
    },
    "listed names": {"type": "object", "propertyNames": {"enum": ["p", "q"]}, "minProperties": 2},
    "refused name": {"type": "object", "properties": {"long": WHOLE, "a": WHOLE}, "propertyNames": {"maxLength": 2}},
    "no names": {"type": "object", "propertyNames": False},
    "least members": {"type": "object", "properties": {"a": WHOLE, "b": WHOLE}, "minProperties": 2},
    "most members": {"type": "object", "properties": {"a": WHOLE, "b": WHOLE}, "maxProperties": 1},
    "extra members": {"type": "object", "properties": {"a": WHOLE}, "minProperties": 3, "additionalProperties": TEXT},
    "dependent": {
        "type": "object", "properties": {"a": WHOLE, "b": WHOLE, "c": WHOLE},
        "dependentRequired": {"a": ["b"], "b": ["c"]}, "maxProperties": 3,
    },
    "dependent schema": {"type": "object", "properties": {"a": WHOLE}, "dependentSchemas": {"a": {"required": ["z"], "properties": {"z": {"const": 1}}}}},
    "unevaluated": {
        "type": "object",
        "allOf": [{"properties": {"a": TEXT}, "required": ["a"]}],
        "anyOf": [{"properties": {"b": WHOLE}, "required": ["b"]}, {"properties": {"c": WHOLE}}],
        "unevaluatedProperties": False,
    },
    "unevaluated beside additional": {"type": "object", "allOf": [{"additionalProperties": WHOLE}], "unevaluatedProperties": False},
    "unevaluated twice": {"type": "object", "allOf": [{"unevaluatedProperties": WHOLE}], "unevaluatedProperties": False, "minProperties": 1},
    "unevaluated items": {
        "type": "array", "prefixItems": [WHOLE],
        "anyOf": [{"prefixItems": [True, TEXT], "minItems": 2}, {"type": "array"}],
        "unevaluatedItems": False,
    },
    "unevaluated items twice": {"type": "array", "allOf": [{"unevaluatedItems": WHOLE}], "unevaluatedItems": False, "minItems": 1},
    "contained is evaluated": {"type": "array", "contains": {"type": "boolean"}, "unevaluatedItems": {"enum": [1, 2]}},
    "if": {
        "type": "object", "required": ["k"], "properties": {"k": {"enum": ["a", "b"]}, "v": True},
        "if": {"properties": {"k": {"const": "a"}}, "required": ["k"]},
        "then": {"required": ["v"], "properties": {"v": WHOLE}},
        "else": {"properties": {"v": TEXT}},
    },
    "one of by tag": {
        "oneOf": [
            {"type": "object", "properties": {"t": {"const": name}, name: WHOLE}, "required": ["t", name]}
            for name in ("x", "y")
        ]
    },
    "one of by type": {"oneOf": [TEXT, WHOLE, {"type": "null"}]},
    "one of by value": {"oneOf": [{"const": "a"}, {"enum": ["b", "c"]}]},
    "one of by member": {"type": "object", "properties": {"a": WHOLE, "b": TEXT}, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
    "one of overlapping": {"type": "number", "oneOf": [{"multipleOf": 3}, {"multipleOf": 5}]},
    "one of three": {"type": "integer", "oneOf": [{"multipleOf": 2}, {"multipleOf": 3}, {"multipleOf": 5}]},
    "one of with true": {"oneOf": [True, TEXT]},
    "one of numbers": {"oneOf": [{"type": "number"}, WHOLE]},
    "any of and one of": {"anyOf": [TEXT, WHOLE], "oneOf": [{"maxLength": 3, "type": "string"}, {"minimum": 5}]},
    "untyped properties": {"properties": {"a": TEXT}},
    "untyped minimum": {"minimum": 5},
    "absolute references": {
        "$id": "https://example.com/root",
        "$defs": {
            "A": {"$anchor": "here", "type": "integer"},
            "B": {"$id": "b", "$defs": {"c": TEXT}, "type": "array", "items": {"$ref": "#/$defs/c"}},
        },
        "type": "object", "properties": {"x": {"$ref": "#here"}, "y": {"$ref": "b"}},
        "required": ["x", "y"],
    },
    "reference into an unknown keyword": {"components": {"X": {"type": "integer", "components": {"Y": True}}}, "$ref": "#/components/X"},
    "dynamic reference": {
        "$id": "https://example.com/tree", "$dynamicAnchor": "node", "type": "object",
        "properties": {"kids": {"type": "array", "items": {"$dynamicRef": "#node"}}},
        "unevaluatedProperties": False,
    },
    "dynamic reference elsewhere": {
        "$defs": {"n": {"$dynamicAnchor": "n", "type": "integer"}}, "type": "array", "items": {"$dynamicRef": "#n"},
    },
    "a name nobody has": {"type": "object", "patternProperties": {"a^b": True}},
    "steps far out": {"type": "number", "minimum": 1e300, "multipleOf": 2.5},
    "distinct beside nothing": {"type": "array", "items": {"anyOf": [False, {"enum": [1, 2]}]}, "uniqueItems": True, "minItems": 2},
    "some members": {"type": "object", "properties": dict.fromkeys("abcde", WHOLE), "minProperties": 3, "additionalProperties": False},
    "costly items": {"type": "array", "items": {"type": "array", "minItems": 120, "items": WHOLE}},
    "costly members": {"type": "object", "additionalProperties": {"type": "array", "minItems": 180, "items": WHOLE}},
    "a pattern and other names": {"type": "object", "patternProperties": {"[^~]": WHOLE}, "minProperties": 1, "maxProperties": 3},
    "annotations": {"title": "x", "type": "string", "default": "d", "examples": ["e"], "x-own": {"type": 1}},
}  # fmt: skip

NOTS = {
    "type": TEXT,
    "types": {"type": ["string", "number"]},
    "integer": WHOLE,
    "every type but one": {"type": ["null", "boolean", "number", "string", "array"]},
    "enum": {"enum": [1, "a", None]},
    "const": {"const": True},
    "bounds": {"type": "number", "minimum": 5, "exclusiveMaximum": 9},
    "bounds the other way": {"type": "integer", "maximum": 5, "exclusiveMinimum": 1},
    "lengths": {"type": "string", "minLength": 2, "maxLength": 5},
    "least length of none": {"type": "string", "minLength": 0},
    "pattern": {"type": "string", "pattern": "^[a-m]"},
    "multiple": {"type": "integer", "multipleOf": 2},
    "required": {"required": ["a", "b"]},
    "properties": {"type": "object", "properties": {"a": WHOLE, "b": True}},
    "closed object": {"type": "object", "properties": {"a": True}, "additionalProperties": False},
    "names": {"type": "object", "propertyNames": {"pattern": "^[abc]$"}},
    "member counts": {"type": "object", "minProperties": 1, "maxProperties": 2},
    "item counts": {"type": "array", "minItems": 1, "maxItems": 2},
    "items": {"type": "array", "prefixItems": [TEXT, True], "items": WHOLE},
    "any items": {"type": "array", "items": True},
    "contains": {"type": "array", "contains": WHOLE},
    "contains two": {"type": "array", "contains": WHOLE, "minContains": 2},
    "contains at most": {"type": "array", "contains": WHOLE, "minContains": 0, "maxContains": 1},
    "distinct": {"type": "array", "items": {"type": "boolean"}, "minItems": 2, "uniqueItems": True},
    "all of": {"allOf": [TEXT, {"minLength": 2}]},
    "any of": {"anyOf": [TEXT, WHOLE]},
    "one of": {"oneOf": [{"type": "integer"}, {"minimum": 2}]},
    "not": {"not": TEXT},
    "if": {"if": TEXT, "then": {"minLength": 3}, "else": WHOLE},
    "dependent required": {"type": "object", "dependentRequired": {"a": ["b"]}},
    "dependent schemas": {"type": "object", "dependentSchemas": {"a": {"required": ["b"]}}},
    "unevaluated": {"type": "object", "properties": {"a": True}, "unevaluatedProperties": False},
    "reference": {"$ref": "#/$defs/text"},
    "false": False,
    "recursive": {"type": "object", "properties": {"next": {"$ref": "#/not"}, "v": WHOLE}},
    "format": {"type": "string", "format": "date", "minLength": 3},
}


def stock_accepts(schema, value):
    """Judge by the stock validator, which knows nothing of us."""
    return Draft202012Validator(schema).is_valid(value)


def leaves(value):
    """Yield every scalar of a value."""
    if isinstance(value, dict):
        for each in value.values():
            yield from leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from leaves(each)
    else:
        yield value


@pytest.mark.parametrize("kind", ["plain", "wild"])
@pytest.mark.parametrize("name", SCHEMAS)
def test_values_are_valid(name, kind):
    """An invalid value under a caller's schema would be a lie about that caller's tool."""
    schema = SCHEMAS[name]
    for seed in range(40):
        value = generate(schema, SeededDraw(seed), kind=kind)
        assert stock_accepts(schema, value), value
        json.dumps(value, allow_nan=False).encode()


@pytest.mark.parametrize("kind", ["plain", "wild"])
@pytest.mark.parametrize("name", NOTS)
def test_values_fail_what_is_refused(name, kind):
    """`not` is met by building its opposite, not by hoping."""
    schema = {"not": NOTS[name], "$defs": {"text": TEXT}}
    for seed in range(25):
        value = generate(schema, SeededDraw(seed), kind=kind)
        assert stock_accepts(schema, value), value


def shuffled(value, seed):
    """Return the same JSON with the members of every object in another order."""
    if isinstance(value, dict):
        members = [(name, shuffled(each, seed)) for name, each in value.items()]
        Random(seed).shuffle(members)
        return dict(members)
    return [shuffled(each, seed) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("kind", ["plain", "wild"])
@pytest.mark.parametrize("name", [*SCHEMAS, *(f"not {name}" for name in NOTS)])
def test_the_order_of_members_changes_no_value(name, kind):
    """A body means the same however its members are ordered; only the order of the reply follows."""
    refused = {"not": NOTS.get(name.removeprefix("not ")), "$defs": {"text": TEXT}}
    schema = SCHEMAS.get(name, refused)
    for seed in range(10):
        value = generate(schema, SeededDraw(seed), kind=kind)
        assert generate(shuffled(schema, seed), SeededDraw(seed), kind=kind) == value


def test_members_stand_in_the_order_of_the_schema():
    """A model writes the members in the order in which its schema names them."""
    names = ["b", "a", "d", "c"]
    schema = {"type": "object", "properties": dict.fromkeys(names, TEXT), "required": ["c", "a"]}
    schema |= {"dependentRequired": {"d": ["e"]}, "additionalProperties": False}
    schema["properties"]["e"] = TEXT
    for seed in range(20):
        value = generate(schema, SeededDraw(seed))
        assert [*value] == [name for name in schema["properties"] if name in value]


def test_every_branch_turns_up():
    """A choice that always falls the same way hides half of the contract."""
    for name in ("one of by type", "one of by tag", "if", "nullable", "two types"):
        schema = SCHEMAS[name]
        kinds = {
            (
                type(value).__name__,
                str(value.get("t", value.get("k"))) if isinstance(value, dict) else "",
            )
            for value in (generate(schema, SeededDraw(seed), kind="wild") for seed in range(60))
        }
        assert len(kinds) >= 2, name


def test_integers_are_wire_integers():
    """1.0 is an integer to JSON Schema, and breaks clients that read integers."""
    for name, schema in SCHEMAS.items():
        if name.startswith("integer"):
            for seed in range(30):
                value = generate(schema, SeededDraw(seed), kind="wild")
                found = [leaf for leaf in leaves(value) if isinstance(leaf, float)]
                assert found == []


def test_numbers_are_finite():
    """NaN and Infinity are no JSON."""
    for seed in range(300):
        for schema in ({"type": "number"}, SCHEMAS["huge bounds"], SCHEMAS["number above"]):
            assert math.isfinite(generate(schema, SeededDraw(seed), kind="wild"))


def test_plain_values_surprise_no_client():
    """Plain: text that is not empty, no members without a name, no null where there is a choice."""
    schema = {
        "type": "object",
        "properties": {
            "a": TEXT,
            "b": {"type": ["null", "string"]},
            "c": {"enum": ["", None, "x"]},
            "d": {"type": "array", "items": TEXT},
            "e": {"anyOf": [{"type": "null"}, {"oneOf": [{"type": "null"}, WHOLE]}]},
        },
        "required": ["a", "b", "c", "d", "e"],
    }
    for seed in range(100):
        value = generate(schema, SeededDraw(seed))
        assert value.keys() == set("abcde")
        assert all(leaf not in ("", None) for leaf in leaves(value))
        assert value["d"]
    assert generate({"type": "object"}, SeededDraw(1)) == {}
    assert generate({"type": "object", "properties": {}}, SeededDraw(1)) == {}


def test_plain_objects_have_a_fair_share_of_what_is_optional():
    """Always all members, or never any, would leave half of a client untested."""
    schema = {"type": "object", "properties": {str(number): WHOLE for number in range(10)}}
    sizes = {len(generate(schema, SeededDraw(seed))) for seed in range(100)}
    assert {3, 4, 5, 6, 7} <= sizes


def test_wild_values_use_what_is_allowed():
    """The wild kind finds trouble only where it goes to the edges."""
    schema = {
        "type": "object",
        "properties": {"a": TEXT, "n": {"type": ["integer", "null"]}, "l": {"type": "array"}},
    }
    values = [generate(schema, SeededDraw(seed), kind="wild") for seed in range(400)]
    assert any(value.keys() - {"a", "n", "l"} for value in values)
    assert any(value.get("a") == "" for value in values)
    assert any("n" in value and value["n"] is None for value in values)
    assert any(value.get("n") == 2**63 - 1 for value in values)
    assert any(value.get("l") == [] for value in values)
    assert any("data: [DONE]" in value.get("a", "") for value in values)


def test_members_keep_the_order_of_the_schema():
    """The real service writes members in the order of `properties`."""
    names = ["z", "m", "a", "q"]
    schema = {
        "type": "object",
        "properties": dict.fromkeys(names, WHOLE),
        "required": sorted(names),
    }
    assert [*generate(schema, SeededDraw(1))] == names


def test_values_are_the_receivers_own():
    """Changing a generated value must not change the schema it came from."""
    schema = {"const": {"a": [1]}}
    generate(schema, SeededDraw(1))["a"].append(2)
    assert generate(schema, SeededDraw(1)) == {"a": [1]}


def test_recursion_stays_within_the_budget():
    """A recursive schema must not make a value that never ends."""
    schema = {
        "type": "object",
        "properties": {
            "kids": {"type": "array", "items": {"$ref": "#"}, "maxItems": 9},
            "x": {"$ref": "#"},
        },
    }

    def size(value):
        inside = (
            value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        )
        return 1 + sum(map(size, inside))

    for seed in range(60):
        assert size(generate(schema, SeededDraw(seed), kind="wild")) <= BUDGET * 2


def test_references_reach_the_enclosing_document():
    """A part of a document is generated by the document's own definitions."""
    root = {"$defs": {"n": {"type": "integer", "minimum": 3, "maximum": 3}}, "type": "object"}
    assert generate({"$ref": "#/$defs/n"}, SeededDraw(1), root=root) == 3
    assert generate(root["$defs"]["n"], SeededDraw(1), root=root) == 3


def test_the_same_text_is_compiled_once():
    """A tool's parameters arrive with every request; compiling them each time would cost most of it."""
    assert compile_schema({"type": "string"}) is compile_schema({"type": "string"})
    for count in range(300):
        compile_schema({"const": count})
    assert generate({"type": "null"}, SeededDraw(1)) is None


def test_compiled_schemas_are_taken_as_they_are():
    """Whoever draws often compiles once."""
    compiled = compile_schema({"const": 4})
    assert generate(compiled, SeededDraw(1)) == 4


def test_simple_schemas_are_drawn_without_waste():
    """What can be built must not be found by throwing away."""
    for name in (
        "flat object",
        "linked list",
        "one of by tag",
        "if",
        "unevaluated",
        "dependent",
        "one of by type",
    ):
        compiled = compile_schema(SCHEMAS[name])
        assert compiled.tests == 0
        for seed in range(50):
            walk = Walk(SeededDraw(seed), "wild", compiled.source.accepts)
            walk.value(compiled.node)
            assert walk.retries == 0


def test_samples_fall_back_on_the_known_one():
    """A pattern met once in a hundred tries must not fail on an unlucky seed."""
    node = String(pointer="", least=0, most=None, patterns=("a^b",), format=None, example="known")
    assert scalars.string(node, SeededDraw(1), "plain") == "known"
    dated = String(pointer="", least=0, most=3, patterns=(), format="date", example="abc")
    assert scalars.string(dated, SeededDraw(1), "plain") == "abc"


def test_nodes_without_a_value_are_never_made():
    """A walk over what cannot be made must say so, not invent something."""
    nowhere = Impossible(pointer="/x", reason="why")
    empty = Array(
        pointer="/y", prefix=[], rest=nowhere, least=2, most=1, unique=False, witnesses=[]
    )
    for node in (nowhere, empty):
        with pytest.raises(Unlucky) as bad_luck:
            Walk(SeededDraw(1), "plain", lambda _schema, _value: True).value(node)
        assert bad_luck.value.pointer == node.pointer


def test_unions_cut_short_are_tested_for_instead():
    """Where following one branch of each union leads nowhere, another way is tried."""
    schema = {
        "type": "integer",
        "minimum": 0,
        "allOf": [
            {"anyOf": [{"multipleOf": 1}, {"maximum": -position}]} for position in range(1, 13)
        ],
    }
    compiled = compile_schema(schema)
    assert compiled.tests
    assert generate(schema, SeededDraw(1)) >= 0


def test_work_is_bounded():
    """Awkward schemas are answered in milliseconds: few places, few draws."""
    for name, schema in SCHEMAS.items():
        compiled = compile_schema(schema)
        assert len(compiled.places) < 60, name
        for seed in range(10):
            walk = Walk(SeededDraw(seed), "wild", compiled.source.accepts)
            walk.value(compiled.node)
            assert walk.work <= 600, name


def test_values_judged_often_are_judged_alike():
    """The quick judge is made for schemas that are drawn from often, and changes no verdict."""
    source = compile_schema({"type": "object", "required": ["a"], "title": "often"}).source
    for _ in range(12):
        assert source.accepts(source.schema, {"a": 1})
        assert not source.accepts(source.schema, {"b": 1})
