"""The extended validator: exact leaves, unions explained, and the verdicts of the stock one."""

import math
import threading

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mockchat.contract import judges
from mockchat.contract.judges import MAX_HOPS
from mockchat.contract.keywords import json_equal
from mockchat.contract.profile import load_profile
from mockchat.contract.unions import wanted
from mockchat.contract.validation import DocumentJudge, schema_problems, schema_violations
from mockchat.contract.wording import LONGEST, sentence, shown
from mockchat.errors import ImpossibleSchema


def judge_of(**documents):
    """Return a judge of documents that refer to each other by name."""
    named = {
        name: {"$id": f"https://mockchat.invalid/x/{name}.json", **document}
        for name, document in documents.items()
    }
    return DocumentJudge(named, "observed")


def leaves(schema, value):
    """Return rule and pointer of each violation, judged as a document."""
    return [(each.rule, each.pointer) for each in judge_of(d=schema).violations("d", value)]


def caller_leaves(schema, value):
    """Return rule and pointer of each violation, judged as a caller's schema."""
    return [(each.rule, each.pointer) for each in schema_violations(schema, value)]


LEAVES = [
    ({"type": "integer"}, 1.0, [("schema.type", "")]),
    ({"type": "integer"}, True, [("schema.type", "")]),
    ({"type": ["string", "null"]}, 5, [("schema.type", "")]),
    ({"enum": [1, "a"]}, True, [("schema.enum", "")]),
    ({"enum": [[1, {"a": None}]]}, [1.0, {"a": None}], []),
    ({"enum": [[1]]}, [1, 2], [("schema.enum", "")]),
    ({"const": False}, 0, [("schema.const", "")]),
    ({"const": {"a": 1}}, {"a": 2}, [("schema.const", "")]),
    ({"type": "string", "enum": ["a"]}, 5, [("schema.type", "")]),
    ({"type": ["string"], "const": "a"}, 5, [("schema.type", "")]),
    ({"pattern": "^a$"}, "a\n", [("schema.pattern", "")]),
    ({"pattern": r"^\d$"}, "\u0663", [("schema.pattern", "")]),
    ({"pattern": r"^[$]\$$"}, "$$", []),
    ({"minimum": 0, "maximum": 1}, 2, [("schema.maximum", "")]),
    ({"minimum": 0}, -0.5, [("schema.minimum", "")]),
    ({"exclusiveMinimum": 0, "exclusiveMaximum": 1}, 0, [("schema.exclusiveMinimum", "")]),
    ({"exclusiveMaximum": 1}, 1, [("schema.exclusiveMaximum", "")]),
    ({"multipleOf": 2}, 3, [("schema.multipleOf", "")]),
    ({"multipleOf": 0.5}, 0.75, [("schema.multipleOf", "")]),
    ({"multipleOf": 0.5}, 1e308, []),
    ({"multipleOf": 0.1}, 1e308, [("schema.multipleOf", "")]),
    ({"minLength": 2}, "a", [("schema.minLength", "")]),
    ({"maxLength": 2}, "abc", [("schema.maxLength", "")]),
    ({"minItems": 1, "maxItems": 0}, [], [("schema.minItems", "")]),
    ({"minProperties": 1}, {}, [("schema.minProperties", "")]),
    ({"maxProperties": 1}, {"a": 1, "b": 2}, [("schema.maxProperties", "")]),
    ({"uniqueItems": True}, [1, True, 0, False, "1"], []),
    ({"uniqueItems": True}, [{"a": [1]}, {"a": [1.0]}], [("schema.uniqueItems", "")]),
    ({"uniqueItems": False}, [1, 1], []),
    ({"items": {"type": "string"}}, ["a", 5, 6], [("schema.type", "/1"), ("schema.type", "/2")]),
    ({"items": False}, [5, 6], [("schema.items", "/0"), ("schema.items", "/1")]),
    ({"prefixItems": [True], "items": False}, [5, 6], [("schema.items", "/1")]),
    ({"contains": {"type": "string"}}, [5], [("schema.contains", "")]),
    ({"contains": True, "minContains": 2}, [5], [("schema.minContains", "")]),
    ({"contains": True, "maxContains": 1}, [5, 6], [("schema.maxContains", "")]),
    ({"contains": True, "minContains": 0}, [], []),
    ({"required": ["a", "b"]}, {}, [("schema.required", "/a"), ("schema.required", "/b")]),
    (
        {"dependentRequired": {"a": ["b", "c"], "x": ["y"]}},
        {"a": 1, "b": 1},
        [("schema.dependentRequired", "/c")],
    ),
    (
        {"dependentSchemas": {"a": {"required": ["b"]}}},
        {"a": 1},
        [("schema.required", "/b")],
    ),
    ({"propertyNames": {"maxLength": 1}}, {"a": 1, "bc": 1}, [("schema.maxLength", "/bc")]),
    ({"propertyNames": False}, {"a/b": 1}, [("schema.false", "/a~1b")]),
    (
        {"patternProperties": {"^x": {"type": "null"}}, "additionalProperties": False},
        {"x1": 5, "y": 1},
        [("schema.type", "/x1"), ("schema.additionalProperties", "/y")],
    ),
    (
        {"properties": {"a": True}, "additionalProperties": False},
        {"a": 1, "b": 1, "c": 1},
        [("schema.additionalProperties", "/b"), ("schema.additionalProperties", "/c")],
    ),
    ({"additionalProperties": {"type": "null"}}, {"a": 1}, [("schema.type", "/a")]),
    (
        {"allOf": [{"properties": {"a": True}}], "unevaluatedProperties": False},
        {"a": 1, "b": 1, "c": 1},
        [("schema.unevaluatedProperties", "/b"), ("schema.unevaluatedProperties", "/c")],
    ),
    ({"unevaluatedProperties": {"type": "null"}}, {"a": 1}, [("schema.type", "/a")]),
    (
        {"allOf": [{"prefixItems": [True]}], "unevaluatedItems": False},
        [1, 2, 3],
        [("schema.unevaluatedItems", "/1"), ("schema.unevaluatedItems", "/2")],
    ),
    ({"unevaluatedItems": {"type": "null"}}, [1], [("schema.type", "/0")]),
    ({"not": {"type": "null"}}, None, [("schema.not", "")]),
    ({"properties": {"a": False}}, {"a": 1}, [("schema.false", "/a")]),
    ({"allOf": [{"type": "null"}, False]}, 5, [("schema.type", ""), ("schema.false", "")]),
    (
        {"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"type": "null"}},
        "a",
        [("schema.minLength", "")],
    ),
    ({"minimum": 5, "maxLength": 1, "minItems": 1, "required": ["a"]}, None, []),
    ({"items": False, "uniqueItems": True, "contains": False}, "text", []),
    ({"propertyNames": False, "dependentRequired": {"a": ["b"]}}, [], []),
    ({"additionalProperties": False, "patternProperties": {"a": False}}, [], []),
    ({"unevaluatedItems": False, "unevaluatedProperties": False}, 5, []),
]


@pytest.mark.parametrize(("schema", "value", "expected"), LEAVES)
@pytest.mark.parametrize("judged", [leaves, caller_leaves])
def test_leaf(judged, schema, value, expected):
    """One violation per fault, at the very place."""
    assert judged(schema, value) == expected


USER = {
    "type": "object",
    "required": ["role", "content"],
    "properties": {"role": {"const": "user"}, "content": {"type": "string"}},
}
TOOL = {
    "type": "object",
    "required": ["role", "id"],
    "properties": {"role": {"const": "tool"}, "id": {"type": "string"}},
}
TEXT = {"type": "string"}
ROLES = {"oneOf": [{"$ref": "#/$defs/user"}, {"$ref": "#/$defs/tool"}, {"$ref": "#/$defs/text"}]}
DEFS = {"$defs": {"user": USER, "tool": TOOL, "text": TEXT}}

UNIONS = [
    (ROLES, {"role": "user"}, [("schema.required", "/content")]),
    (ROLES, {"role": "tool", "id": 5}, [("schema.type", "/id")]),
    (ROLES, {"role": "wizard"}, [("schema.enum", "/role")]),
    (ROLES, {"role": 5}, [("schema.enum", "/role")]),
    (ROLES, {}, [("schema.required", "/role")]),
    (ROLES, 5, [("schema.type", "")]),
    (ROLES, "text", []),
    ({"anyOf": ROLES["oneOf"]}, {"role": "user", "content": 5}, [("schema.type", "/content")]),
    ({"anyOf": [{"const": "auto"}, {"enum": ["none", "auto"]}]}, "x", [("schema.enum", "")]),
    ({"anyOf": [{"const": "auto"}, {"enum": ["none", "auto"]}]}, "auto", []),
    ({"oneOf": [{"const": "auto"}, {"enum": ["none", "auto"]}]}, "auto", [("schema.oneOf", "")]),
    ({"oneOf": [{"minimum": 0}, {"maximum": 10}]}, 5, [("schema.oneOf", "")]),
    ({"oneOf": [{"minimum": 6}, {"maximum": 10}]}, 5, []),
    ({"anyOf": [{"minimum": 6}, {"maximum": 10}]}, 5, []),
    # The branch that refuses only a part is nearer than one that refuses the whole.
    (
        {"anyOf": [{"const": 1}, {"type": "array", "items": {"type": "null"}}, {"minItems": 9}]},
        [5],
        [("schema.type", "/0")],
    ),
    # An open list of values: the text branch is the nearest.
    (
        {"anyOf": [{"enum": ["a"]}, {"type": "string", "maxLength": 1}]},
        "xy",
        [("schema.maxLength", "")],
    ),
    # Nested unions lend their tags to the outer one.
    (
        {
            "oneOf": [
                {"type": "null"},
                {"oneOf": [{"$ref": "#/$defs/user"}, {"$ref": "#/$defs/tool"}]},
            ]
        },
        {"role": "x"},
        [("schema.enum", "/role")],
    ),
    # What stands in allOf counts, too.
    (
        {"oneOf": [{"allOf": [{"$ref": "#/$defs/user"}]}, {"$ref": "#/$defs/tool"}]},
        {"role": "tool"},
        [("schema.required", "/id")],
    ),
    ({"oneOf": [{"type": "integer"}, {"type": "string"}]}, 5, []),
    ({"oneOf": [{"type": "number"}, {"type": "string"}]}, 5, []),
    ({"oneOf": [{"allOf": [{"type": "number"}, {"type": "integer"}]}, {"type": "null"}]}, 5, []),
    ({"oneOf": [{"enum": [1.0]}, {"type": "null"}]}, 1, []),
    ({"oneOf": [{"type": "number", "allOf": [{"type": "integer"}]}, {"type": "null"}]}, 5, []),
    ({"oneOf": [{"enum": ["a"], "allOf": [{"const": "a"}]}, {"type": "null"}]}, "a", []),
    # What stands beside a union and within it is said once.
    ({"required": ["role"], **ROLES}, {}, [("schema.required", "/role")]),
    ({"oneOf": [True, False]}, 5, []),
    ({"oneOf": [False, False]}, 5, [("schema.type", "")]),
    (
        {"anyOf": [{"$ref": "#/$defs/user"}, {"$ref": "#/$defs/user"}]},
        {},
        [("schema.required", "/role")],
    ),
]


@pytest.mark.parametrize(("schema", "value", "expected"), UNIONS)
def test_union(schema, value, expected):
    """A failed union is told by the branch that was meant."""
    assert leaves(schema | DEFS, value) == expected
    assert judge_of(d=schema | DEFS).is_valid("d", value) is (expected == [])
    assert Draft202012Validator(schema | DEFS).is_valid(value) is (expected == [])


@pytest.mark.parametrize(("schema", "value", "expected"), UNIONS)
def test_union_of_a_caller_has_the_same_verdict(schema, value, expected):
    """A caller's references are not looked behind; the verdict does not depend on it."""
    assert bool(schema_violations(schema | DEFS, value)) is bool(expected)


def test_unknown_tag_lists_all_known_ones_in_order():
    """The API lists the values in the order of the document."""
    (violation,) = judge_of(d=ROLES | DEFS).violations("d", {"role": "x"})

    assert violation.expected == ["user", "tool"]
    assert violation.actual == "x"
    assert violation.message == "'x' is not one of 'user', 'tool'"


def test_wrong_type_lists_all_types():
    """One violation says all a union takes."""
    (violation,) = judge_of(d=ROLES | DEFS).violations("d", 5)

    assert violation.expected == ["object", "string"]
    assert violation.details["wanted"] == ["object", "string"]


def test_tag_behind_a_loop_of_references_is_not_looked_for():
    """A schema that refers to itself must not hang the judge."""
    loop = {
        "oneOf": [{"$ref": "#/$defs/a"}, {"type": "string"}],
        "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}]}},
    }

    assert leaves(loop, "x") == [("schema.depth", "")]
    assert wanted(loop["oneOf"][0], lambda ref: loop["$defs"]["a"]) == []


def test_judge_forgets_unions_it_met_long_ago(monkeypatch):
    """A server judges the schemas of all its callers; it must not grow with them."""
    monkeypatch.setattr(judges, "MAX_UNIONS", 1)
    schema = {"oneOf": [{"anyOf": [{"type": "string"}]}, {"type": "null"}]}

    assert [leaves(schema, value) for value in ("a", None, 5)] == [[], [], [("schema.type", "")]]


def test_caller_s_reference_is_not_described():
    """What a caller's schema accepts is told as far as it is written in place."""
    schema = {"type": "array", "items": {"$ref": "#/$defs/a"}, "$defs": {"a": {"type": "null"}}}
    (violation,) = schema_violations(schema, 5)

    assert violation.details["wanted"] == ["array"]


def test_violation_says_where_its_keyword_stands():
    """A reader of the report must find the line of the document."""
    judge = judge_of(
        a={"properties": {"x": {"$ref": "b.json#/$defs/y"}, "z": {"maximum": 1}}},
        b={"$defs": {"y": {"items": {"$ref": "#/$defs/w"}}, "w": {"minimum": 3}}},
    )

    found = judge.violations("a", {"x": [1], "z": 5})

    assert [each.schema_pointer for each in found] == [
        "b.json#/$defs/w/minimum",
        "a.json#/properties/z/maximum",
    ]
    assert [each.keyword for each in found] == ["minimum", "maximum"]


def test_values_called_ref_are_values():
    """A constant may hold a member called $ref, and a property may be called $schema."""
    schema = {
        "const": {"$ref": "x"},
        "properties": {"$ref": {"type": "string"}, "$schema": {"type": "string"}},
    }

    assert leaves(schema, {"$ref": "x"}) == []
    assert leaves(schema, {"$ref": 5})[-1] == ("schema.type", "/$ref")


def test_document_without_an_id_is_no_schema():
    """The OpenAPI document lies in the same folder."""
    judge = DocumentJudge({"openapi": {"openapi": "3.1.0"}}, "observed")

    assert "openapi" not in judge
    assert judge.names == ()


def nested(depth):
    """Return lists in lists."""
    value = []
    for _ in range(depth):
        value = [value]
    return value


TREE = {"type": "array", "items": {"$ref": "#"}}


@pytest.mark.parametrize("depth", [MAX_HOPS + 1, 200, 800])
@pytest.mark.parametrize("judged", [leaves, caller_leaves])
def test_too_deep_value_is_one_violation(judged, depth):
    """A hostile value must not end in a RecursionError."""
    assert judged(TREE, nested(depth)) == [("schema.depth", "")]


@pytest.mark.parametrize("judged", [leaves, caller_leaves])
def test_deep_value_is_judged_in_any_thread(judged):
    """How deep is judged must not depend on the stack a request happens to have."""
    found = []
    thread = threading.Thread(target=lambda: found.append(judged(TREE, nested(MAX_HOPS - 1))))
    thread.start()
    thread.join()

    assert [*found, judged(TREE, nested(MAX_HOPS - 1))] == [[], []]


def test_too_deep_value_is_invalid():
    """The quick verdict agrees with the long one."""
    judge = judge_of(d=TREE)

    assert not judge.is_valid("d", nested(500))
    assert judge.is_valid("d", nested(20))
    assert judge.violations("d", nested(20)) == ()


def test_open_parts_may_be_as_deep_as_they_like():
    """A schema that leaves a value open does not look into it."""
    value = nested(50_000)

    assert leaves({"type": ["array", "null"], "minItems": 1}, value) == []
    assert leaves({"type": "string"}, value) == [("schema.type", "")]


def test_listed_value_too_deep_to_compare_is_one_violation():
    """Comparing follows both sides down."""
    assert leaves({"uniqueItems": True}, [nested(50_000)]) == [("schema.depth", "")]


@pytest.mark.parametrize(
    ("draft", "schema", "value", "expected"),
    [
        (
            "http://json-schema.org/draft-04/schema#",
            {"minimum": 5, "exclusiveMinimum": True},
            5,
            "minimum",
        ),
        ("http://json-schema.org/draft-04/schema#", {"required": ["a"]}, {}, "required"),
        ("http://json-schema.org/draft-06/schema#", {"exclusiveMinimum": 5}, 5, "exclusiveMinimum"),
        ("http://json-schema.org/draft-07/schema#", {"items": [{"type": "null"}]}, [5], "type"),
        (
            "http://json-schema.org/draft-07/schema#",
            {"dependencies": {"a": ["b"]}},
            {"a": 1},
            "dependencies",
        ),
        (
            "http://json-schema.org/draft-07/schema#",
            {"properties": {"a": False}},
            {"a": 1},
            "false",
        ),
        ("https://json-schema.org/draft/2019-09/schema", {"anyOf": [{"type": "null"}]}, 5, "anyOf"),
        (
            "https://json-schema.org/draft/2020-12/schema",
            {"prefixItems": [{"type": "null"}]},
            [5],
            "type",
        ),
    ],
)
def test_caller_s_draft_is_respected(draft, schema, value, expected):
    """Tool parameters in the wild are written for several drafts."""
    (violation,) = schema_violations({"$schema": draft, **schema}, value)

    assert violation.keyword in {expected, "type"}


@pytest.mark.parametrize(
    ("schema", "pointer", "reason"),
    [
        ([], "", "a schema is an object or a boolean"),
        ({"type": "strin"}, "/type", "'strin' is not one of"),
        ({"properties": {"a": {"type": "x"}}}, "/properties/a/type", "'x' is not one of"),
        ({"required": "a"}, "/required", "is not of type 'array'"),
        ({"pattern": "("}, "/pattern", "'(' is not a regular expression"),
        (
            {"properties": {"a": {"pattern": "a{2,1}"}}},
            "/properties/a/pattern",
            "not a reg",
        ),
        (
            {"patternProperties": {"[": True}},
            "/patternProperties",
            "'[' is not a regular expression",
        ),
        ({"$ref": "#/$defs/none"}, "", "'#/$defs/none' refers to nothing in it"),
        ({"items": {"$ref": "https://example.com/x"}}, "", "refers to nothing in it"),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "items": 5}, "/items", "5 is not"),
    ],
)
def test_bad_schema_is_told_with_its_place(schema, pointer, reason):
    """The API refuses a request whose schema is none, and says where."""
    (first, *_) = schema_problems(schema)

    assert first[0] == pointer
    assert reason in first[1]
    with pytest.raises(ImpossibleSchema, match="not a schema"):
        schema_violations(schema, 5)


@pytest.mark.parametrize(
    "schema",
    [
        True,
        {},
        {"$ref": "#"},
        {"$id": "https://a.example/b", "$ref": "b"},
        {"$defs": {"a": {"$anchor": "x"}}, "$ref": "#x"},
        {"properties": {"$ref": {"type": "string"}, "pattern": {"type": "string"}}},
        {"enum": [{"$ref": "#/none", "pattern": "("}]},
        {"$schema": "https://unknown.example/draft", "type": "string"},
        {
            "$id": "https://a.example/b#",
            "$anchor": "x-1",
            "$vocabulary": {"https://a.example": True},
        },
    ],
)
def test_good_schema_has_no_problems(schema):
    """A schema that is odd but right must pass."""
    assert schema_problems(schema) == ()


def test_schema_too_deep_to_write_down_is_a_problem():
    """A schema can be hostile, too."""
    schema = {}
    for _ in range(50_000):
        schema = {"not": schema}

    assert schema_problems(schema) == (("", "it nests too deeply"),)


def test_schema_too_deep_to_read_is_a_problem():
    """Between what can be written down and what is looked at there is a gap."""
    schema = {}
    for _ in range(150):
        schema = {"not": schema}

    ((pointer, reason),) = schema_problems(schema)

    assert pointer == "/not" * 101
    assert reason == "nested more than 100 levels deep"


def test_caller_s_boolean_schema():
    """`true` and `false` are schemas."""
    assert schema_violations(True, 5) == ()
    assert [each.rule for each in schema_violations(False, 5)] == ["schema.false"]


def test_level_is_marked():
    """A report tells at which level a violation counts."""
    (violation,) = schema_violations({"type": "null"}, 5, level="documented")

    assert violation.level == "documented"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        ("a", "'a'"),
        ([1, 2], "an array of 2 items"),
        ({"a": 1}, "an object of 1 members"),
        pytest.param(10**5000, "an integer of many digits", id="huge"),
        ("x" * 100, "'" + "x" * (LONGEST - 2) + "…"),
    ],
)
def test_value_is_shown_short(value, text):
    """A message must stay one readable line."""
    assert shown(value) == text


def test_keyword_without_a_sentence_is_named():
    """Older drafts have keywords of their own."""
    assert sentence("dependencies", {}, 5, []) == "5 breaks the keyword dependencies"


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(-3, 3).filter(lambda number: not number.is_integer()),
    st.text("ab$", max_size=3),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=6,
)
NAMES = st.sampled_from("abc")
TYPES = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])


def keywords(inner):
    """Draw one keyword with its value; `inner` draws subschemas."""
    several = st.lists(inner, min_size=1, max_size=3)
    size = st.integers(0, 3)
    members = st.dictionaries(NAMES, inner, max_size=3)
    drawn = {
        "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
        "enum": st.lists(VALUES, min_size=1, max_size=3),
        "const": VALUES,
        "minimum": st.integers(-2, 2),
        "maximum": st.integers(-2, 2),
        "exclusiveMinimum": st.integers(-2, 2),
        "exclusiveMaximum": st.integers(-2, 2),
        "multipleOf": st.integers(1, 3),
        "minLength": size,
        "maxLength": size,
        "pattern": st.sampled_from(["^a", "b$", "[ab]{2}", r"\$"]),
        "minItems": size,
        "maxItems": size,
        "uniqueItems": st.booleans(),
        "items": inner,
        "prefixItems": several,
        "contains": inner,
        "minContains": size,
        "maxContains": size,
        "minProperties": size,
        "maxProperties": size,
        "required": st.lists(NAMES, max_size=2, unique=True),
        "properties": members,
        "patternProperties": st.dictionaries(st.sampled_from(["^a", "b$"]), inner, max_size=2),
        "additionalProperties": inner,
        "propertyNames": inner,
        "dependentRequired": st.dictionaries(NAMES, st.lists(NAMES, max_size=2, unique=True)),
        "dependentSchemas": members,
        "allOf": several,
        "anyOf": several,
        "oneOf": several,
        "not": inner,
        "if": inner,
        "then": inner,
        "else": inner,
        "unevaluatedProperties": inner,
        "unevaluatedItems": inner,
        "$ref": st.sampled_from(["#/$defs/user", "#/$defs/tool", "#/$defs/text"]),
    }
    return st.sampled_from(sorted(drawn)).flatmap(
        lambda name: st.tuples(st.just(name), drawn[name])
    )


def union(inner):
    """Draw a tagged union: the shape this validator judges its own way."""
    branch = st.tuples(NAMES, inner).map(
        lambda drawn: {
            "type": "object",
            "required": ["a"],
            "properties": {"a": {"const": drawn[0]}, "b": drawn[1]},
        }
    )
    branches = st.lists(branch | inner, min_size=1, max_size=4)
    return st.tuples(st.sampled_from(["oneOf", "anyOf"]), branches).map(
        lambda drawn: {drawn[0]: drawn[1]}
    )


SCHEMAS = st.recursive(
    st.booleans() | TYPES.map(lambda name: {"type": name}),
    lambda inner: st.lists(keywords(inner), min_size=1, max_size=3).map(dict) | union(inner),
    max_leaves=6,
)


def test_verdict_is_the_stock_one(proof_count):
    """Explaining must not change what is valid: neither for documents nor for callers."""

    @settings(
        max_examples=proof_count(5000),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(SCHEMAS, VALUES)
    def verdicts_agree(schema, value):
        document = {"allOf": [schema], **DEFS}
        stock = Draft202012Validator(document).is_valid(value)
        judge = judge_of(d=document)

        assert judge.is_valid("d", value) is stock
        assert (judge.violations("d", value) == ()) is stock
        assert (schema_violations(document, value) == ()) is stock
        assert jsonschema_rs.Draft202012Validator(document).is_valid(value) is stock

    verdicts_agree()


DIFFERENCES = [
    pytest.param({"type": "integer"}, 1.0, id="an integer is written as one"),
    pytest.param({"pattern": "^a$"}, "a\n", id="$ is the very end"),
    pytest.param({"pattern": r"^\d$"}, "\u0663", id="classes are ASCII"),
    pytest.param(TREE, nested(60), id="deep values are refused"),
]


@pytest.mark.parametrize(("schema", "value"), DIFFERENCES)
def test_listed_difference_from_the_stock_verdict(schema, value):
    """These and no others: stock accepts, we refuse."""
    assert Draft202012Validator(schema).is_valid(value)
    assert not judge_of(d=schema).is_valid("d", value)


@given(VALUES, VALUES)
def test_json_equality_is_the_stock_one(one, other):
    """True is not 1 at any depth."""
    assert json_equal(one, other) is Draft202012Validator({"const": one}).is_valid(other)
    assert json_equal(one, one)


def test_request_document_has_the_stock_verdict(proof_count):
    """The document everything hangs on, judged three ways over broken and whole requests."""
    document = load_profile("openai").document("request")
    judge = DocumentJudge(load_profile("openai").documents, "observed")
    stock = Draft202012Validator(document)
    fast = jsonschema_rs.Draft202012Validator(document)
    part = st.fixed_dictionaries({"type": st.sampled_from(["text", "refusal", "file", "x"])})
    content = st.none() | st.text(max_size=2) | st.lists(part, max_size=2) | st.integers()
    message = st.fixed_dictionaries(
        {},
        optional={
            "role": st.sampled_from(["user", "system", "assistant", "tool", "function", "x", 5]),
            "content": content,
            "name": st.text(max_size=2),
            "tool_call_id": st.text(max_size=2),
            "tool_calls": st.lists(VALUES, max_size=1),
        },
    )
    field = st.sampled_from([*sorted(set(document["properties"]) - {"messages"}), "unknown"])

    @settings(max_examples=proof_count(2000), deadline=None, database=None)
    @given(st.lists(message, max_size=3), st.dictionaries(field, VALUES, max_size=2))
    def verdicts_agree(messages, others):
        body = {"model": "m", "messages": messages} | others
        assert judge.is_valid("request", body) is stock.is_valid(body) is fast.is_valid(body)

    verdicts_agree()


def test_infinity_is_a_number():
    """Python's decoder can make one; judging must not fail on it."""
    assert leaves({"maximum": 2}, math.inf) == [("schema.maximum", "")]


def test_what_is_kept_of_unions_is_bounded(monkeypatch):
    """A server that is shown a million schemas must not keep a million unions."""
    monkeypatch.setattr("mockchat.contract.judges.MAX_UNIONS", 1)
    union = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    other = {"anyOf": [{"type": "integer"}, {"type": "null"}]}
    schema = {"properties": {"one": union, "other": other}}

    found = schema_violations(schema, {"one": 1, "other": "x"})

    assert [violation.pointer for violation in found] == ["/one", "/other"]
