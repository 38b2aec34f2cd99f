"""Every request rule: what breaks it alone, what keeps them all, in which order they are checked."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from request_samples import (
    ANSWER,
    BREAKING,
    CALL,
    CALLING,
    KEEPING,
    TOOL,
    USER,
    function_tool,
    json_schema,
    request,
)

from mockchat.contract.capability_rules import BY_MODEL
from mockchat.contract.contract import Contract, contract_for
from mockchat.contract.profile import load_profile
from mockchat.contract.request_rules import REQUEST, RESTATING

RULES = RESTATING.rules | REQUEST.rules | BY_MODEL.rules
OFF = {"request.metadata-needs-store"}


def contract_with(**rules):
    """Return the `openai` contract with rules switched."""
    profile = load_profile("openai")
    settings = profile.settings | {"rules": profile.settings["rules"] | rules}
    return Contract(dataclasses.replace(profile, settings=settings))


def said(body, contract=None):
    """Return the rules `body` breaks, in order."""
    found = (contract or contract_for()).request_violations(body)
    return [violation.rule for violation in found]


def test_every_rule_has_a_payload():
    """A rule nobody can break is a rule nobody has tested."""
    assert BREAKING.keys() == RULES.keys()


@pytest.mark.parametrize(
    ("rule", "body"),
    [
        pytest.param(rule, body, id=f"{rule}-{index}")
        for rule, bodies in BREAKING.items()
        for index, body in enumerate(bodies)
    ],
)
def test_payload_breaks_its_rule_alone(rule, body):
    """A rule that fires beside another would hide which of the two is wrong."""
    contract = contract_with(**{rule: {}}) if rule in OFF else contract_for()

    assert said(body, contract) == [rule]
    assert said(body, contract_with(**{rule: False})) != [rule]


@pytest.mark.parametrize("body", KEEPING)
def test_keeping_request_breaks_nothing(body):
    """A rule that refuses what the service accepts makes the mock useless."""
    assert said(body) == []


def test_rules_that_are_off_say_nothing():
    """A rule whose evidence contradicts itself stands by until a profile asks for it."""
    assert [said(body) for rule in OFF for body in BREAKING[rule]] == [[]]


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_rule_tells_its_evidence(rule):
    """Whoever doubts a rule must find how we know."""
    assert any(word in rule.summary for word in ("measured", "reported", "recorded", "document"))


def test_every_rule_is_named_by_the_profile():
    """A rule the profile forgets is silently off."""
    named = load_profile("openai").settings["rules"]

    assert {name for name in named if name.startswith("request.")} == set(RULES)


def test_schema_mode_asks_no_rules():
    """The validation mode `schema` must let combinations pass that the service refuses."""
    broken = [body for bodies in BREAKING.values() for body in bodies]
    kept = [body for body in broken if not contract_for().request_violations(body, rules=False)]

    # Missing content and foreign parts are faults of the schema too.
    assert len(broken) - len(kept) == 4


@pytest.mark.parametrize(
    ("body", "first"),
    [
        ([], "schema.type"),
        (request(model=..., messages=...), "schema.required:/model"),
        (request(model="", messages=...), "schema.minLength:/model"),
        (request(messages=..., tempurature=1), "schema.required:/messages"),
        (request(messages=5, tempurature=1), "schema.additionalProperties:/tempurature"),
        (request(messages=[5], tools=[]), "schema.type:/messages/0"),
        (request(n=0, temperature="x"), "schema.minimum:/n"),
        (request(temperature="x", n=0), "schema.minimum:/n"),
        (
            request(messages=[USER, {"content": 5, "role": "user"}, {"role": "x"}]),
            "schema.type:/messages/1/content",
        ),
        (
            request(messages=[{"tool_calls": [], "content": 5, "role": "assistant"}]),
            "schema.type:/messages/0/content",
        ),
        (request(tool_choice="auto", verbosity="x"), "request.tool-choice-needs-tools"),
        (request(model="o3", temperature=0, verbosity="x"), "schema.enum:/verbosity"),
        (request(model="o3", max_tokens=1, max_completion_tokens=1), "max_tokens"),
        (request(messages=[{"role": "user"}], top_p=7), "schema.maximum:/top_p"),
        (request(messages=[{"role": "user"}, ANSWER]), "request.tool-answers-call"),
        (request(messages=[*[USER] * 10, {"role": "x"}]), "schema.enum:/messages/10/role"),
        (request(stream_options={"x": 1}), "schema.additionalProperties:/stream_options/x"),
    ],
)
def test_first_fault_is_the_api_s_first(body, first):
    """The API answers one fault; a test that asserts on it must see the same one."""
    violation = contract_for().request_violations(body)[0]

    assert first in f"{violation.rule}:{violation.pointer}"


def test_rules_leave_faulty_members_alone():
    """A rule must not complain of what is missing only because it is wrong."""
    body = request(tools=5, tool_choice="auto", stream=5, stream_options={}, functions=5)

    assert said(body | {"function_call": {"name": "f"}}) == ["schema.type"] * 3


def test_pointer_escapes_the_member():
    """A name with a slash must not look like a path."""
    (violation,) = contract_for().request_violations(request(logit_bias={"a/b~c": 1}))

    assert violation.pointer == "/logit_bias/a~1b~0c"


def test_nulls_are_omitted_only_where_the_profile_says_so():
    """The 2023 service refused the nulls that today's ignores."""
    profile = load_profile("openai")
    strict = dataclasses.replace(profile, settings=profile.settings | {"nulls_as_omitted": False})
    body = request(user=None)

    assert said(body) == []
    assert said(body, Contract(strict)) == ["schema.type"]


def test_unknown_member_is_refused_even_as_null():
    """A misspelt name must not pass because its value is null."""
    assert said(request(tempurature=None)) == ["schema.additionalProperties"]


def test_snapshot_has_its_alias_s_capabilities():
    """A dated name is the same model."""
    assert said(request(model="o3-2025-04-16", stop="x")) == ["request.reasoning-refuses"]


def test_details_name_what_is_missing():
    """The API lists the calls that nobody answered."""
    other = CALL | {"id": "call_2"}
    calling = CALLING | {"tool_calls": [CALL, other, CALL | {"id": "call_3"}]}
    answered = ANSWER | {"tool_call_id": "call_2"}

    (violation,) = contract_for().request_violations(request(messages=[calling, answered, USER]))

    assert violation.actual == ["call_1", "call_3"]


def test_caller_schema_is_looked_at_once_per_function():
    """One fault of a schema is enough; the API answers the first."""
    bad = function_tool(parameters={"type": 5, "required": 5})

    assert said(request(tools=[bad, TOOL], response_format=json_schema({"type": 5}))) == [
        "request.function-parameters-are-a-schema",
        "request.response-format-is-a-schema",
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "type", "function", "name", "id", "text", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
FIELDS = sorted(load_profile("openai").documents["request"]["properties"])


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6))
def test_no_body_breaks_the_judge(body):
    """Whatever a client sends, it gets an answer and no traceback."""
    contract = contract_for()

    for violation in contract.request_violations(body):
        assert contract.api_error(violation, body).status == 400
