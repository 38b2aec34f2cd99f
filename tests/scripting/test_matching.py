"""A match is having nothing to say; what is said must tell the author what to change."""

import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockchat.errors import BadArgument
from mockchat.scripting.matching import RequestView, contains, matcher, matches_schema

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=6,
)

TOOLS = [
    {"type": "function", "function": {"name": "get_weather"}},
    {"type": "custom", "custom": {"name": "run_sql"}},
]


def view(path="/v1/chat/completions", headers=(), **body):
    """Make a request of the members a test cares about."""
    return RequestView(method="POST", path=path, headers=headers, body=body)


def user(text):
    """Make a message of the user."""
    return {"role": "user", "content": text}


def said(request, **conditions):
    """Return the mismatches as the lines a user reads."""
    return [str(mismatch) for mismatch in matcher(**conditions).mismatches(request)]


CONVERSATION = view(
    model="gpt-4o",
    messages=[
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
        user("Weather in Oslo?"),
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "tool", "tool_call_id": "call_1", "content": "4 degrees"},
        {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "rain"}]},
    ],
    tools=TOOLS,
    functions=[{"name": "old"}],
    response_format={"type": "json_object"},
    stream=True,
    temperature=0.5,
    headers=(),
)
CONVERSATION = RequestView(
    method="POST",
    path="/v1/chat/completions",
    headers=(("x-team", "blue"), ("authorization", "Bearer sk-secret-key")),
    body=CONVERSATION.body,
)


TEXT = "a string, re.compile(...), contains(...), matches_schema(...) or a callable"


def is_long(value):
    """Accept nothing that a test asks for."""
    return len(value) > 1000


MATCHES = [
    {},
    {"model": "gpt-4o"},
    {"model": re.compile("^gpt-")},
    {"model": contains("4o")},
    {"model": str.islower},
    {"last_role": "tool"},
    {"last_text": "rain"},
    {"last_user_text": "Weather in Oslo?"},
    {"last_user_text": contains("Oslo"), "last_role": "tool"},
    {"any_text": contains("Oslo")},
    {"system_text": "Be brief.\nBe kind."},
    {"turns": 1},
    {"turns": lambda count: count < 2},
    {"tools": "get_weather"},
    {"tools": re.compile("sql$")},
    {"tools": ["old", "run_sql", "get_weather"]},
    {"tool_result": "4 degrees"},
    {"tool_result": {"call_1": contains("4"), "call_2": "rain"}},
    {"response_format": "json_object"},
    {"response_format": {"type": "json_object"}},
    {"stream": True},
    {"headers": {"X-Team": "blue", "x-other": None}},
    {"headers": {"authorization": "Bearer sk-secret-key"}},
    {"path": "/v1/chat/completions"},
    {"pointer": {"/messages/2/content": contains("Weather"), "/temperature": 0.5}},
    {"pointer": {"": lambda body: "model" in body}},
    {"schema": {"required": ["tools"], "properties": {"temperature": {"maximum": 1}}}},
    {"schema": True},
    {"where": lambda request: request["model"] == "gpt-4o"},
    {"model": "gpt-4o", "stream": True, "last_role": "tool"},
    {"any_message": {"role": "user", "text": contains("Oslo")}},
    {"any_message": {"role": "tool", "tool_call_id": "call_2", "text": "rain"}},
    {"any_message": lambda message: message["role"] == "developer"},
    {"any_of": [{"model": "o3"}, {"stream": True, "turns": 1}]},
    {"not_": {"model": "o3"}},
    {"not_": {"model": "gpt-4o", "stream": False}},
    {"not_": {"any_of": [{"model": "o3"}, {"not_": {"stream": True}}]}},
    {"model": matches_schema({"minLength": 3})},
    {"pointer": {"/messages": matches_schema({"type": "array", "minItems": 6})}},
    {"response_format": matches_schema({"const": "json_object"})},
]

MISMATCHES = [
    ({"model": "gpt-4o-mini"}, "model is 'gpt-4o', wanted 'gpt-4o-mini'"),
    ({"model": re.compile("^o3")}, "model is 'gpt-4o', wanted re.compile('^o3')"),
    ({"last_text": contains("sun")}, "last_text is 'rain', wanted contains('sun')"),
    ({"model": is_long}, "model is 'gpt-4o', wanted is_long to be true"),
    ({"last_role": "user"}, "last_role is 'tool', wanted 'user'"),
    ({"system_text": "x"}, r"system_text is 'Be brief.\nBe kind.', wanted 'x'"),
    ({"turns": 2}, "turns is 1, wanted 2"),
    ({"tools": "fly"}, "tools is ['get_weather', 'run_sql', 'old'], wanted 'fly'"),
    ({"tools": []}, "tools is ['get_weather', 'run_sql', 'old'], wanted []"),
    ({"tool_result": "9"}, "tool_result is ['4 degrees', 'rain'], wanted '9'"),
    ({"tool_result": {"call_9": "x"}}, "tool_result['call_9'] is None, wanted 'x'"),
    ({"response_format": "text"}, "response_format is 'json_object', wanted 'text'"),
    (
        {"response_format": {"type": "text"}},
        "response_format is {'type': 'json_object'}, wanted {'type': 'text'}",
    ),
    ({"stream": False}, "stream is True, wanted False"),
    ({"headers": {"x-team": "red"}}, "headers['x-team'] is 'blue', wanted 'red'"),
    ({"headers": {"x-team": None}}, "headers['x-team'] is 'blue', wanted None"),
    ({"headers": {"x-none": "red"}}, "headers['x-none'] is None, wanted 'red'"),
    (
        {"headers": {"Authorization": "Bearer sk-other-key"}},
        "headers['Authorization'] is '[redacted]', wanted '[redacted]'",
    ),
    ({"path": "/v1/models"}, "path is '/v1/chat/completions', wanted '/v1/models'"),
    ({"pointer": {"/n": 1}}, "pointer['/n']: the request has nothing there, wanted 1"),
    (
        {"pointer": {"/messages/9/role": is_long}},
        "pointer['/messages/9/role']: the request has nothing there, wanted is_long to be true",
    ),
    ({"pointer": {"/temperature": True}}, "pointer['/temperature'] is 0.5, wanted True"),
    ({"where": lambda request: 0}, "where: <lambda> returned 0"),
    (
        {"any_message": {"role": "user", "text": "rain"}},
        "any_message: none of 6 is {'role': 'user', 'text': 'rain'}",
    ),
    ({"any_message": {"name": "kim"}}, "any_message: none of 6 is {'name': 'kim'}"),
    ({"any_message": lambda message: False}, "any_message: <lambda> is true of none of 6"),
    (
        {"any_of": [{"model": "o3"}, {"stream": False, "turns": 2}]},
        (
            "any_of: none holds: model is 'gpt-4o', wanted 'o3'; "
            "or stream is True, wanted False and turns is 1, wanted 2"
        ),
    ),
    (
        {"not_": {"model": re.compile("^gpt"), "stream": True}},
        "not_: the request has model=re.compile('^gpt'), stream=True",
    ),
    (
        {"not_": {"any_of": [{"turns": 1}, {"not_": {"turns": 2}}]}},
        "not_: the request has any_of=[{turns=1}, {not_={turns=2}}]",
    ),
    (
        {"not_": {"headers": {"Authorization": "Bearer sk-secret-key", "x-team": "blue"}}},
        "not_: the request has headers={'Authorization': '[redacted]', 'x-team': 'blue'}",
    ),
    (
        {"model": matches_schema({"maxLength": 3})},
        "model is 'gpt-4o', wanted matches_schema({'maxLength': 3})",
    ),
    ({"any_text": "x" * 150}, None),
]


def shown(value):
    """Name a parameter alike in every worker of pytest-xdist: without addresses."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(value))[:60]


@pytest.mark.parametrize("conditions", MATCHES, ids=shown)
def test_conditions_that_hold_say_nothing(conditions):
    """Every keyword must accept what it promises to accept, in every form of wanted value."""
    assert said(CONVERSATION, **conditions) == []
    assert matcher(**conditions).matches(CONVERSATION)


@pytest.mark.parametrize(("conditions", "line"), MISMATCHES, ids=shown)
def test_a_mismatch_names_keyword_actual_and_wanted(conditions, line):
    """The line is all a user sees of why a stub did not answer."""
    (text,) = said(CONVERSATION, **conditions)
    if line is None:
        assert text.endswith(f"wanted '{'x' * 119}…")
    else:
        assert text == line
    assert not matcher(**conditions).matches(CONVERSATION)


def test_a_schema_mismatch_tells_every_violation():
    """One unmet schema may have several causes; the author needs all of them."""
    lines = said(CONVERSATION, schema={"properties": {"temperature": {"maximum": 0.1}}})
    assert len(lines) == 1
    assert lines[0].startswith("schema: /temperature: ")
    assert said(view(), schema={"required": ["model"]})[0].startswith("schema: /model: ")


def test_all_unmet_conditions_are_told_in_written_order():
    """Fixing a stub one condition at a time costs a test run each."""
    assert said(CONVERSATION, stream=False, turns=7, model="x") == [
        "stream is True, wanted False",
        "turns is 1, wanted 7",
        "model is 'gpt-4o', wanted 'x'",
    ]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"messages": None},
        {"messages": "text"},
        {"messages": [1, None]},
        {"messages": [{"role": 1}]},
        {"messages": [{"content": [{"type": "image_url"}]}], "tools": [{}], "functions": 3},
        {"tools": [{"type": "function", "function": 1}], "response_format": 4},
    ],
    ids=repr,
)
def test_a_request_of_any_shape_can_be_matched(body):
    """Validation may be off: a broken request is a mismatch, never an error in the server."""
    everything = {
        "model": "m",
        "last_role": "user",
        "last_text": is_long,
        "any_text": is_long,
        "system_text": is_long,
        "turns": 3,
        "tools": "x",
        "tool_result": "x",
        "response_format": "text",
        "stream": True,
        "pointer": {"/messages/0/content/x": 1},
    }
    lines = said(view(**body), **everything)
    assert [re.split(r"[\[: ]", line)[0] for line in lines] == list(everything)


def test_tool_results_are_those_since_the_assistant_spoke():
    """An agent's second round must not match on the results of its first."""
    request = view(
        messages=[
            {"role": "tool", "tool_call_id": "1", "content": "old"},
            {"role": "assistant", "content": "hm"},
            {"role": "function", "name": "legacy", "content": "new"},
        ]
    )
    assert said(request, tool_result="new") == []
    assert said(request, tool_result={"legacy": "new"}) == []
    assert said(request, tool_result="old") == ["tool_result is ['new'], wanted 'old'"]


@given(wanted=JSON, actual=JSON)
def test_pointers_compare_as_json_does(wanted, actual):
    """`True == 1` is Python's opinion, not JSON's."""

    def canonical(value):
        if isinstance(value, bool) or value is None or isinstance(value, str):
            return repr(value)
        if isinstance(value, list):
            return [canonical(item) for item in value]
        if isinstance(value, dict):
            return {key: canonical(item) for key, item in value.items()}
        return float(value)

    matches = matcher(pointer={"/x": wanted}).matches(view(x=actual))
    assert matches == (canonical(wanted) == canonical(actual))


@given(text=st.text(), start=st.integers(0, 20), length=st.integers(1, 5))
def test_contains_accepts_exactly_the_texts_with_the_fragment(text, start, length):
    """`contains` is the matcher most tests use."""
    fragment = text[start : start + length] or "\x00never"
    assert matcher(model=contains(fragment)).matches(view(model=text)) == (fragment in text)


@pytest.mark.parametrize(
    ("conditions", "name", "allowed"),
    [
        ({"model": 4}, "when(model=)", TEXT),
        ({"turns": "2"}, "when(turns=)", "a number or a callable"),
        ({"turns": True}, "when(turns=)", "a number or a callable"),
        ({"stream": 1}, "when(stream=)", "True or False"),
        ({"where": "x"}, "when(where=)", "a callable"),
        ({"schema": 3}, "when(schema=)", "a JSON Schema"),
        ({"schema": {"type": "nothing"}}, "when(schema=)", "a JSON Schema"),
        (
            {"pointer": {"x": 1}},
            "when(pointer=)",
            'a mapping of JSON Pointers ("" or "/…") to wanted values',
        ),
    ],
)
def test_a_wrong_type_is_refused_at_the_call(conditions, name, allowed):
    """A condition that can never hold must not wait for a request to say so."""
    with pytest.raises(BadArgument) as caught:
        matcher(**conditions)
    assert (caught.value.name, caught.value.allowed) == (name, allowed)


@pytest.mark.parametrize(
    ("conditions", "name"),
    [
        ({"any_of": []}, "when(any_of=)"),
        ({"any_of": {"model": "x"}}, "when(any_of=)"),
        ({"any_of": [{}]}, "when(any_of=)"),
        ({"any_of": [{"modle": "x"}]}, "keyword of when()"),
        ({"not_": {}}, "when(not_=)"),
        ({"not_": "x"}, "when(not_=)"),
        ({"not_": {"turns": "x"}}, "when(turns=)"),
        ({"any_message": {}}, "when(any_message=)"),
        ({"any_message": {"rule": "user"}}, "when(any_message=)"),
        ({"any_message": {"role": 1}}, "when(any_message=)"),
        ({"any_message": "x"}, "when(any_message=)"),
    ],
    ids=shown,
)
def test_combined_conditions_are_checked_as_single_ones_are(conditions, name):
    """A typo two levels down would otherwise never match, or always."""
    with pytest.raises(BadArgument) as caught:
        matcher(**conditions)
    assert caught.value.name == name


@given(first=st.booleans(), second=st.booleans())
def test_any_of_and_not_follow_the_laws_of_logic(first, second):
    """`not (a and b)` is `not a or not b`, and any_of is the other way about."""
    a, b = {"stream": first}, {"turns": int(second)}
    request = view(stream=True, messages=[user("hi")])
    holds = first, second
    assert matcher(any_of=[a, b]).matches(request) == any(holds)
    assert matcher(not_={**a, **b}).matches(request) == (not all(holds))
    assert matcher(any_of=[{"not_": a}, {"not_": b}]).matches(request) == (not all(holds))
    assert matcher(not_={"not_": a}).matches(request) == first


@pytest.mark.parametrize("schema", [3, None, {"type": "nothing"}, {"enum": {1}}, "x"], ids=repr)
def test_matches_schema_takes_schemas_only(schema):
    """What is no schema would fail in the server's thread instead."""
    with pytest.raises(BadArgument, match=r"matches_schema\(\) is"):
        matches_schema(schema)


@pytest.mark.parametrize("keyword", ["headers", "tools", "tool_result", "response_format"])
def test_every_structured_keyword_refuses_a_number(keyword):
    """Each keyword with a form of its own checks it."""
    with pytest.raises(BadArgument, match=rf"when\({keyword}=\) is 5"):
        matcher(**{keyword: 5})


def test_a_typo_gets_the_closest_keyword():
    """The commonest wrong argument is a misspelt keyword."""
    with pytest.raises(BadArgument) as caught:
        matcher(last_rule="user")
    assert caught.value.suggestion == "last_role"
    with pytest.raises(BadArgument) as caught:
        matcher(zzz="user")
    assert caught.value.suggestion is None


@pytest.mark.parametrize("fragment", ["", 3, None])
def test_contains_refuses_what_is_in_every_text(fragment):
    """An empty fragment would match everything in silence."""
    with pytest.raises(BadArgument, match=r"contains\(\) is"):
        contains(fragment)


def test_a_summary_tells_requests_apart():
    """The summary is the Request line of NoStubMatched."""
    assert CONVERSATION.summary == (
        "model='gpt-4o', 6 messages, last role 'tool', stream=True, tools get_weather, run_sql, old"
    )
    assert view(messages=[user("x")]).summary == (
        "model=None, 1 message, last role 'user', stream=False"
    )


def test_a_mismatch_pickles():
    """Mismatches travel between the processes of pytest-xdist."""
    (mismatch,) = matcher(model="x").mismatches(CONVERSATION)
    assert pickle.loads(pickle.dumps(mismatch)) == mismatch
