"""The table of keywords: what passes it is a schema, and it is quick."""

import re

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mockchat.contract.drafts import draft_of, modernized
from mockchat.contract.schema_table import _CHECKS, MOST_PARTS, check, has_many_parts
from mockchat.contract.validation import schema_problems, schema_violations
from mockchat.errors import ImpossibleSchema

META = "https://json-schema.org/draft/2020-12/schema"
DRAFTS = (
    None,
    "http://json-schema.org/draft-04/schema#",
    "http://json-schema.org/draft-06/schema#",
    "http://json-schema.org/draft-07/schema#",
    "https://json-schema.org/draft/2019-09/schema",
    META,
)
ODD = st.sampled_from(
    [
        None,
        True,
        False,
        0,
        1,
        -1,
        1.5,
        2.0,
        "",
        "a",
        "#a",
        "http://[",
        "null",
        [],
        [1],
        ["a"],
        ["a", "a"],
        {},
        ["null", "null"],
        ["nul"],
        {"a": 1},
        {"a": []},
        {"a": ["b"]},
        {"a": {}},
        [{}],
        [5],
        {"a": "("},
    ]
)
REFERENCE = re.compile("refers to nothing|is not a URL|make no URL")
WORDS = st.sampled_from(
    [*_CHECKS, "const", "default", "enum", "definitions", "$defs", "unknown", "$comment"]
)


SCHEMAS = st.recursive(
    st.dictionaries(WORDS, ODD, max_size=3),
    lambda inner: (
        st.dictionaries(
            st.sampled_from(["items", "not", "then", "contentSchema", "propertyNames"]), inner
        )
        | st.lists(inner, min_size=1, max_size=2).map(lambda several: {"anyOf": several})
        | inner.map(lambda each: {"properties": {"a": each}})
    ),
    max_leaves=3,
)


def test_what_the_table_lets_pass_is_a_schema(proof_count):
    """Meta-schemas are too slow for every request; what stands in for them must miss nothing."""

    @given(schema=SCHEMAS, draft=st.sampled_from(DRAFTS))
    @settings(max_examples=proof_count(5000), deadline=None)
    def judged(schema, draft):
        schema = schema if draft is None else {**schema, "$schema": draft}
        problems = schema_problems(schema)
        try:
            check(schema, draft_of(schema))
        except ImpossibleSchema:
            assert problems
            return
        current = modernized(schema)
        stock = jsonschema.validators.validator_for(current, default=Draft202012Validator)
        is_schema = stock(stock.META_SCHEMA).is_valid(current)
        assert is_schema is (not problems) or REFERENCE.search(problems[0][1])
        if not problems:
            assert isinstance(schema_violations(schema, {"a": [1]}), tuple)

    judged()


@pytest.mark.parametrize(
    ("schema", "most", "is_more"),
    [
        (True, 1, False), ({}, 0, True), ({"items": {"not": {}}}, 3, False),
        ({"items": {"not": {}}}, 2, True), ({"properties": {"a": 5, "b": {}}}, 2, False),
        ({"enum": [{"items": {}}]}, 1, False),
    ],
)  # fmt: skip
def test_parts_are_counted(schema, most, is_more):
    """Size is told before anything else is done."""
    assert has_many_parts(schema, most) is is_more


def test_huge_schemas_are_not_looked_at():
    """Nobody waits seconds to hear what is wrong; the generator refuses them for their size."""
    wide = {"properties": {f"p{n}": {"type": "string"} for n in range(MOST_PARTS)}}
    assert schema_problems({**wide, "type": "strin"}) == ()
    large = {"properties": {f"p{n}": {"type": "string"} for n in range(200)}}
    assert schema_problems(large) == ()
    ((pointer, reason),) = schema_problems({**large, "type": "strin"})
    assert (pointer, reason.partition(" must ")[0]) == ("/type", "not a JSON Schema: 'type'")


@pytest.mark.parametrize("draft", [draft for draft in DRAFTS if draft not in (None, META)])
@pytest.mark.parametrize(
    ("items", "more", "count"),
    [(True, False, 0), (False, True, 2), ({}, False, 0), ([{}], False, 1), ([{}], True, 0)],
)
def test_what_follows_a_tuple_is_judged_behind_tuples_alone(draft, items, more, count):
    """`items` may be true or false since draft 6: nothing follows a tuple that is not there."""
    if draft.endswith("draft-04/schema#") and isinstance(items, bool):
        pytest.skip("draft 4 has no boolean schemas")
    schema = {"$schema": draft, "items": items, "additionalItems": more}
    assert len(schema_violations(schema, [1, 2])) == count


@pytest.mark.parametrize("items", [True, False])
def test_behind_true_or_false_nothing_is_left_to_evaluate(items):
    """The stock judge of draft 2019-09 raises there, also where it is asked from outside."""
    draft = next(each for each in DRAFTS if "2019-09" in str(each))
    count = 0 if items else 2
    schema = {"$schema": draft, "items": items, "unevaluatedItems": False}
    assert len(schema_violations(schema, [1, 2])) == count
    schema = {"$schema": draft, "allOf": [{"items": items}], "unevaluatedItems": False}
    assert bool(schema_violations(schema, [1, 2])) is not items
    assert schema_violations({"$schema": draft, "unevaluatedItems": False}, [1])
