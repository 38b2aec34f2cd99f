"""Verdicts that are known from a value of the same outline: always those of the judge."""

import math
from collections import UserDict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mockchat.contract.contract import contract_for
from mockchat.contract.outlines import (
    MOST_REMEMBERED,
    AcceptedOutlines,
    NoOutline,
    ValidTexts,
    outlines_of,
)
from mockchat.contract.profile import profile_names
from mockchat.contract.validation import DocumentJudge
from mockchat.payloads.completions import complete
from mockchat.payloads.requests import make_request
from mockchat.payloads.seeded import SeededDraw

ID = "https://mockchat.invalid/x/d.json"
NUMBERS = st.integers(-3, 3) | st.sampled_from([-2.5, -1.0, 0.0, 0.5, 1.0, 2.0])
SCALARS = st.none() | st.booleans() | NUMBERS | st.sampled_from(["", "a", "b", "cc"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=6,
)
TYPES = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])


def keywords(inner):
    """Draw one keyword with its value; a few are beyond what outlines can tell."""
    members = st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    several = st.lists(inner, min_size=1, max_size=3)
    drawn = {
        "type": TYPES,
        "enum": st.lists(SCALARS, min_size=1, max_size=3),
        "const": VALUES,
        **dict.fromkeys(
            ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"],
            st.integers(-2, 2) | st.just(0.5),
        ),
        "multipleOf": st.just(2),
        "minLength": st.just(1),
        "pattern": st.sampled_from(["^a", "[bc]$"]),
        "minItems": st.just(2),
        "uniqueItems": st.just(True),
        "items": inner,
        "properties": members,
        "required": st.lists(st.sampled_from("abc"), max_size=2, unique=True),
        "additionalProperties": inner,
        "propertyNames": st.just({"enum": ["a", "b"]}),
        "minProperties": st.integers(0, 3),
        "allOf": several,
        "anyOf": several,
        "oneOf": several,
        "not": inner,
        "if": inner,
        "then": inner,
        "$ref": st.just("#/$defs/tree"),
    }
    return st.sampled_from(sorted(drawn)).flatmap(
        lambda name: st.tuples(st.just(name), drawn[name])
    )


SCHEMAS = st.recursive(
    st.booleans() | TYPES.map(lambda name: {"type": name}),
    lambda inner: st.lists(keywords(inner), min_size=1, max_size=3).map(dict),
    max_leaves=5,
)
TREE = {"type": ["object", "number", "string"], "additionalProperties": {"$ref": "#/$defs/tree"}}


def judged(schema):
    """Return a judge that has met nothing yet."""
    document = {"$id": ID, "allOf": [schema], "$defs": {"tree": TREE}}
    return DocumentJudge({"d": document}, "observed", is_quick=False)


@st.composite
def alike(draw, value):
    """Draw a value that differs from `value` in texts and numbers."""
    if isinstance(value, dict):
        return {name: draw(alike(each)) for name, each in value.items()}
    if isinstance(value, list):
        return [draw(alike(each)) for each in value]
    if isinstance(value, str):
        return draw(st.sampled_from(["", "a", "b", "cc", "d"]))
    return value if isinstance(value, bool) or value is None else draw(NUMBERS)


def test_values_of_one_outline_get_one_verdict(proof_count):
    """What is remembered of one reply is said of every other that looks the same."""

    @settings(
        max_examples=proof_count(2000), deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(schema=SCHEMAS, value=VALUES, data=st.data())
    def agree(schema, value, data):
        judge = judged(schema)
        judge.violations("d", value)
        for _ in range(5):
            other = data.draw(alike(value))
            assert judge.violations("d", other) == judged(schema).violations("d", other)
            assert judge.is_valid("d", other) is judged(schema).is_valid("d", other)

    agree()


@pytest.mark.parametrize(
    ("schema", "valid", "other"),
    [
        ({"minimum": 0}, 1, -1), ({"exclusiveMinimum": 0}, 1, 0), ({"maximum": 2.5}, 1, 3),
        ({"type": "integer"}, 1, 1.5), ({"type": "boolean"}, True, 1), ({"const": 1}, 1, 2),
        ({"enum": ["a"]}, "a", "b"), ({"pattern": "^a"}, "ab", "ba"), ({"const": 0}, 0, False),
        ({"items": {"minimum": 0}}, [1, 2], [1, -2]), ({"required": ["a"]}, {"a": 1}, {"b": 1}),
        ({"additionalProperties": {"type": "null"}}, {"a": None}, {"a": "b"}),
        ({"type": "array"}, [], {}), ({"type": "null"}, None, ""), ({"$ref": "#/$defs/tree"}, {"a": {"b": 1}}, {"a": {"b": None}}),
    ],
)  # fmt: skip
def test_what_a_document_tells_apart_has_two_outlines(schema, valid, other):
    """One keyword after the other: the valid value must not vouch for the other."""
    judge = judged(schema)
    assert judge.violations("d", valid) == ()
    assert judge.is_valid("d", valid)
    assert judge.violations("d", other) != ()
    assert not judge.is_valid("d", other)


@pytest.mark.parametrize("profile", profile_names())
def test_replies_of_every_profile_are_known_again(profile):
    """Memory that never hits is a cost and no gain."""
    contract = contract_for(profile)
    judge = DocumentJudge(contract.profile.levels["observed"], "observed", is_quick=False)
    request = {
        "model": contract.profile.models[0].id,
        "messages": [{"role": "user", "content": "a"}],
    }
    first, second = (complete(request, SeededDraw(n), contract=contract) for n in (1, 4))
    assert judge.violations("response", first) == ()
    outlines = [judge._accepted.outline("response", each) for each in (first, second)]
    assert outlines[0] is not None
    assert judge._accepted.has("response", outlines[1]) is (outlines[0] == outlines[1])


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, (1,), UserDict(), {"a": [math.nan]}, b"", {"a": {1}}]
)
def test_what_is_no_json_has_no_outline(value):
    """Python can hold what no document has a word for."""
    outlines = outlines_of({"minimum": 0}, {})
    assert outlines is not None
    with pytest.raises(NoOutline):
        outlines.of(value)
    memory = AcceptedOutlines({"d": {}}, {})
    assert memory.outline("d", value) is None
    memory.add("d", None)
    assert not memory.has("d", None)


@pytest.mark.parametrize(
    "document",
    [
        {"allOf": [{"pattern": f"a{n}"} for n in range(5)]}, {"items": {"minLength": 1}}, {"$ref": "x"}, {"enum": [["a"]]},
        {"unheard": 1}, {"const": {}},
    ],
)  # fmt: skip
def test_documents_that_look_closer_have_no_outlines(document):
    """A keyword that outlines do not tell about must not be answered by them."""
    assert outlines_of(document, {"x": ({"uniqueItems": True}, "")}) is None
    memory = AcceptedOutlines({"d": document}, {"x": ({"uniqueItems": True}, "")})
    assert memory.outline("d", "a") is None


def test_deep_values_have_no_outline():
    """Whatever can be decoded must be answered."""
    value = []
    for _ in range(5000):
        value = [value]
    assert AcceptedOutlines({"d": {}}, {}).outline("d", value) is None


def test_memory_is_bounded():
    """A server that runs for weeks meets ever new outlines."""
    memory = AcceptedOutlines({"d": {}}, {})
    for number in range(MOST_REMEMBERED + 1):
        memory.add("d", memory.outline("d", {f"a{number}": 1}))
    assert len(memory._accepted["d"]) == 1


def test_texts_of_valid_requests_are_known_again():
    """A request is judged when it comes, not once more for its reply."""
    texts = ValidTexts()
    bodies = [make_request(contract_for(), SeededDraw(seed)) for seed in range(40)]
    for body in bodies:
        texts.add(texts.text(body))
        texts.add(texts.text(body))
        assert texts.text(body) in texts
    assert texts.text(bodies[0]) not in texts
    assert texts.text(["a" * 300_000]) is None
    assert texts.text({"a": {1}}) is None
    assert None not in texts
    texts.add(None)
    assert None not in texts


def test_changed_requests_are_judged_anew():
    """A callable may change the request it is given."""
    contract = contract_for()
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "a"}]}
    assert contract.request_violations(body) == ()
    body["messages"][0]["role"] = "nobody"
    assert contract.request_violations(body) != ()
