"""A reply calls the tools a request allows, as it allows them, with arguments that fit."""

import json
import re

import pytest

from mockchat.contract.contract import contract_for
from mockchat.contract.validation import schema_violations
from mockchat.errors import ImpossibleSchema
from mockchat.payloads.completions import complete
from mockchat.payloads.seeded import SeededDraw
from mockchat.payloads.tokens import approximate_tokens

SEEDS = range(40)
KINDS = ("plain", "wild")
CONTRACT = contract_for("openai")
COUNT = approximate_tokens().count

PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
    "required": ["city", "days"],
}
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": PARAMETERS}}
PING = {"type": "function", "function": {"name": "ping"}}
NOTE = {"type": "custom", "custom": {"name": "note"}}
CODE = {
    "type": "custom",
    "custom": {
        "name": "code",
        "format": {
            "type": "grammar",
            "grammar": {"syntax": "regex", "definition": "^[A-Z]{3}-[0-9]{2}$"},
        },
    },
}
LARK = {
    "type": "custom",
    "custom": {
        "name": "lark",
        "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: A"}},
    },
}
IMPOSSIBLE = {
    "type": "function",
    "function": {
        "name": "impossible",
        "parameters": {"type": "string", "minLength": 2, "maxLength": 1},
    },
}
ALL = [WEATHER, PING, NOTE, CODE]


def choices(kind="plain", role="user", shapes=None, **fields):
    """Return the choices of one request under many seeds."""
    messages = [{"role": role, "content": "Hello"}]
    request = {"model": "gpt-4o", "messages": messages, "n": 2, **fields}
    return [
        choice
        for seed in SEEDS
        for choice in complete(
            request, SeededDraw(seed), contract=CONTRACT, kind=kind, shapes=shapes
        )["choices"]
    ]


def names(choice):
    """Return the names of the tools a choice calls."""
    calls = choice["message"].get("tool_calls", [])
    return [call[call["type"]]["name"] for call in calls]


@pytest.mark.parametrize("kind", KINDS)
def test_required_calls_are_made_with_arguments_that_fit(kind):
    """An agent that runs the call must be able to parse it and find what it asked for."""
    called = set()
    for choice in choices(kind=kind, tools=ALL, tool_choice="required"):
        assert choice["finish_reason"] == "tool_calls"
        assert choice["message"]["content"] is None
        for call in choice["message"]["tool_calls"]:
            assert re.fullmatch(r"call_[A-Za-z0-9]{24}", call["id"])
            called.add(call[call["type"]]["name"])
            match call:
                case {"function": {"name": "weather", "arguments": text}}:
                    assert not schema_violations(PARAMETERS, json.loads(text))
                case {"function": {"name": "ping", "arguments": text}}:
                    assert text == "{}"
                case {"custom": {"name": "code", "input": text}}:
                    assert re.fullmatch("[A-Z]{3}-[0-9]{2}", text)
                case {"custom": {"name": "note", "input": text}}:
                    assert text or kind == "wild"
    assert called == {"weather", "ping", "code", "note"}


def test_ids_of_calls_are_distinct():
    """Results are matched to calls by id."""
    found = choices(kind="wild", tools=ALL, tool_choice="required")
    ids = [call["id"] for choice in found for call in choice["message"]["tool_calls"]]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("kind", KINDS)
def test_parallel_calls_can_be_forbidden(kind):
    """`parallel_tool_calls: false` means one call at most."""
    fields = {"kind": kind, "tools": ALL, "tool_choice": "required"}
    assert {len(names(one)) for one in choices(**fields, parallel_tool_calls=False)} == {1}
    most = {"plain": {1, 2}, "wild": {1, 2, 3, 4}}[kind]
    assert {len(names(one)) for one in choices(**fields)} == most


@pytest.mark.parametrize("kind", KINDS)
def test_none_and_no_tools_mean_text(kind):
    """A call nobody allowed would have nowhere to go."""
    for fields in ({"tools": ALL, "tool_choice": "none"}, {"tools": []}, {}):
        for choice in choices(kind=kind, **fields):
            assert "tool_calls" not in choice["message"]


def test_auto_means_either():
    """A model that may call sometimes does and sometimes answers."""
    found = {choice["finish_reason"] for choice in choices(tools=ALL)}
    assert found == {"stop", "tool_calls"}
    assert {one["finish_reason"] for one in choices(tools=ALL, shapes={"text": 1})} == {"stop"}


@pytest.mark.parametrize("role", ["tool", "function"])
def test_an_agents_loop_comes_to_an_end(role):
    """A plain reply to a tool's result is text, unless calls are asked for."""
    fields = {"role": role, "tools": ALL}
    assert {one["finish_reason"] for one in choices(**fields)} == {"stop"}
    called = choices(**fields, shapes={"tool_calls": 1})
    assert {one["finish_reason"] for one in called} == {"tool_calls"}


@pytest.mark.parametrize(
    ("choice", "allowed"),
    [
        ({"type": "function", "function": {"name": "ping"}}, ["ping"]),
        ({"type": "custom", "custom": {"name": "code"}}, ["code"]),
    ],
)
def test_a_named_tool_is_called_once(choice, allowed):
    """Recorded since 2025: a named call ends with `tool_calls` too."""
    for one in choices(tools=ALL, tool_choice=choice):
        assert names(one) == allowed
        assert one["finish_reason"] == "tool_calls"


@pytest.mark.parametrize("mode", ["auto", "required"])
def test_only_allowed_tools_are_called(mode):
    """`allowed_tools` narrows the tools, in the nested and in the flat spelling."""
    references = [
        {"type": "function", "function": {"name": "ping"}},
        {"type": "custom", "name": "note"},
    ]
    choice = {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": references}}
    found = choices(tools=ALL, tool_choice=choice)
    assert {name for one in found for name in names(one)} == {"ping", "note"}
    assert any(not names(one) for one in found) == (mode == "auto")


@pytest.mark.parametrize(
    "choice",
    [
        {"type": "function", "function": {"name": "nowhere"}},
        {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [3]}},
        {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [{"type": 3}]}},
    ],
)
def test_a_choice_of_nothing_is_text(choice):
    """Requests that only a server without rules accepts still get an answer."""
    for one in choices(tools=ALL, tool_choice=choice):
        assert one["finish_reason"] == "stop"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("parameters", [{}, {"properties": {}}, {"description": "nothing"}])
def test_arguments_are_an_object(parameters, kind):
    """Parameters that forget to say `type: object` still mean one."""
    tool = {"type": "function", "function": {"name": "f", "parameters": parameters}}
    for one in choices(kind=kind, tools=[tool], tool_choice="required"):
        for call in one["message"]["tool_calls"]:
            arguments = json.loads(call["function"]["arguments"])
            assert isinstance(arguments, dict)
            assert kind == "wild" or arguments == {}


def test_arguments_follow_a_reference():
    """A root that is only a reference must not be turned into another schema."""
    parameters = {"$ref": "#/$defs/city", "$defs": {"city": PARAMETERS}}
    tool = {"type": "function", "function": {"name": "f", "parameters": parameters}}
    for one in choices(tools=[tool], tool_choice="required"):
        for call in one["message"]["tool_calls"]:
            value = json.loads(call["function"]["arguments"])
            assert not schema_violations(PARAMETERS, value)


@pytest.mark.parametrize(
    ("tool", "pointer"),
    [
        (LARK, "/tools/0/custom/format/grammar"),
        (IMPOSSIBLE, "/tools/0/function/parameters"),
        (
            {
                "type": "custom",
                "custom": {
                    "name": "bad",
                    "format": {
                        "type": "grammar",
                        "grammar": {"syntax": "regex", "definition": "("},
                    },
                },
            },
            "/tools/0/custom/format/grammar/definition",
        ),
    ],
)
def test_a_call_that_cannot_be_made_is_refused_where_it_must_be(tool, pointer):
    """A Lark grammar or an impossible schema is an error only for a call that is required."""
    with pytest.raises(ImpossibleSchema) as caught:
        choices(tools=[tool], tool_choice="required")
    assert caught.value.pointer.startswith(pointer)
    for one in choices(tools=[tool]):
        assert one["finish_reason"] == "stop"


def test_a_tool_that_can_be_called_is_preferred():
    """One impossible tool among others is simply not chosen."""
    for one in choices(tools=[LARK, PING, IMPOSSIBLE], tool_choice="required"):
        assert set(names(one)) == {"ping"}


@pytest.mark.parametrize("limit", [0, 1, 2, 4])
def test_a_required_call_is_cut_at_the_limit(limit):
    """Arguments that do not fit are cut, and `length` says so."""
    fields = {"tools": [WEATHER], "tool_choice": "required", "max_completion_tokens": limit}
    for one in choices(**fields):
        (call,) = one["message"]["tool_calls"]
        assert one["finish_reason"] == "length"
        assert COUNT(call["function"]["arguments"]) <= limit
    for one in choices(**(fields | {"tool_choice": "auto"})):
        assert "tool_calls" not in one["message"]


def test_arguments_are_made_short_before_they_are_cut():
    """A limit that the simplest arguments keep is no reason to cut."""
    fields = {"tools": [WEATHER], "tool_choice": "required", "max_completion_tokens": 16}
    for one in choices(**fields):
        assert one["finish_reason"] == "tool_calls"
        assert all(
            json.loads(call["function"]["arguments"]) for call in one["message"]["tool_calls"]
        )


def test_a_pattern_without_simplest_arguments_is_cut():
    """The shortest arguments are only a second try; what they cannot meet must not raise."""
    parameters = {
        "type": "object",
        "properties": {"a": {"type": "string", "pattern": "^(?!a)[a-z]{30}$"}},
        "required": ["a"],
    }
    tool = {"type": "function", "function": {"name": "f", "parameters": parameters}}
    for one in choices(tools=[tool], tool_choice="required", max_completion_tokens=3):
        assert one["finish_reason"] == "length"


FUNCTIONS = [{"name": "weather", "parameters": PARAMETERS}, {"name": "ping"}]


@pytest.mark.parametrize("kind", KINDS)
def test_legacy_functions_are_called_the_legacy_way(kind):
    """Clients of 2023 read `function_call` and its own finish reason."""
    found = choices(kind=kind, functions=FUNCTIONS, shapes={"text": 1, "tool_calls": 1})
    called = [one for one in found if "function_call" in one["message"]]
    assert 0 < len(called) < len(found)
    for one in called:
        assert one["finish_reason"] == "function_call"
        assert "tool_calls" not in one["message"]
        call = one["message"]["function_call"]
        schema = PARAMETERS if call["name"] == "weather" else {"const": {}}
        assert not schema_violations(schema, json.loads(call["arguments"]))


@pytest.mark.parametrize(
    ("choice", "found"),
    [("none", {None}), ({"name": "ping"}, {"ping"}), ({"name": "nowhere"}, {None})],
)
def test_function_call_forces_or_forbids(choice, found):
    """`function_call` is the older `tool_choice`."""
    calls = [
        one["message"].get("function_call")
        for one in choices(functions=FUNCTIONS, function_call=choice)
    ]
    assert {call and call["name"] for call in calls} == found
