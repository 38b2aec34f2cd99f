"""Requests: accepted by the strictest server, and over everything the profile knows."""

import base64
import json
from collections import Counter
from dataclasses import replace

import pytest

from mockchat.contract.contract import Contract, contract_for
from mockchat.contract.profile import profile_names
from mockchat.contract.strict_schema import strict_problems
from mockchat.payloads.caller_schemas import object_schema
from mockchat.payloads.conversations import mention_json
from mockchat.payloads.request_document import asking, items, objects
from mockchat.payloads.requests import make_request
from mockchat.payloads.seeded import SeededDraw
from mockchat.payloads.values import compile_schema, generate

CONTRACT = contract_for("openai")
DOCUMENT = CONTRACT.profile.document("request")
KINDS = ["plain", "wild"]


def requests(count, kind):
    """Return the requests of the first seeds."""
    return [make_request(CONTRACT, SeededDraw(seed), kind=kind) for seed in range(count)]


@pytest.mark.proof
@pytest.mark.parametrize("kind", KINDS)
def test_requests_break_no_rule(kind, proof_count):
    """Every request generated is one the strictest server takes; none was thrown away to get there."""
    for seed in range(proof_count(2000)):
        request = make_request(CONTRACT, SeededDraw(seed), kind=kind)
        assert CONTRACT.request_violations(request) == (), (seed, request)


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_are_base64(kind):
    """Whoever decodes the recordings and files of a request must be able to."""
    parts = [
        part
        for request in requests(400, kind)
        for message in request["messages"]
        if isinstance(message.get("content"), list)
        for part in message["content"]
    ]
    written = [part["input_audio"]["data"] for part in parts if part["type"] == "input_audio"]
    files = [part["file"] for part in parts if part["type"] == "file"]
    written += [file["file_data"] for file in files if "file_data" in file]
    assert len(written) > 10
    assert all(base64.b64decode(each, validate=True) for each in written)


@pytest.mark.parametrize("kind", KINDS)
def test_requests_cover_the_document(kind):
    """A member, role, part or tool that never turns up is never tested."""
    made = requests(600, kind)
    members = Counter(name for request in made for name in request)
    assert members.keys() == DOCUMENT["properties"].keys()
    messages = [message for request in made for message in request["messages"]]
    roles = {"user", "system", "developer", "assistant", "tool", "function"}
    assert {message["role"] for message in messages} == roles
    parts = {
        part["type"]
        for message in messages
        if isinstance(message.get("content"), list)
        for part in message["content"]
    }
    assert parts == {"text", "image_url", "input_audio", "file", "refusal"}
    assert {tool["type"] for request in made for tool in request.get("tools", ())} == {
        "function",
        "custom",
    }
    calls = {call["type"] for message in messages for call in message.get("tool_calls") or ()}
    assert calls == {"function", "custom"}
    choices = {
        str(request["tool_choice"]["type"])
        if isinstance(request["tool_choice"], dict)
        else request["tool_choice"]
        for request in made
        if "tool_choice" in request
    }
    assert choices == {"none", "auto", "required", "function", "custom", "allowed_tools"}
    formats = {
        request["response_format"]["type"] for request in made if request.get("response_format")
    }
    assert formats == {"text", "json_object", "json_schema"}
    assert {type(request.get("function_call")).__name__ for request in made} == {
        "NoneType",
        "str",
        "dict",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_calls_prefer_the_tools_offered(kind):
    """A conversation about tools nobody offered is legal, and no test of a tool loop."""
    offered = called = 0
    for request in requests(400, kind):
        names = {tool[tool["type"]]["name"] for tool in request.get("tools", ())}
        for message in request["messages"]:
            for call in message.get("tool_calls") or ():
                if any(tool["type"] == call["type"] for tool in request.get("tools", ())):
                    offered += 1
                    called += call[call["type"]]["name"] in names
    assert offered == called > 20


def test_plain_requests_have_readable_arguments():
    """Plain arguments parse and satisfy the tool's parameters; wild ones may be cut short."""
    for request in requests(300, "plain"):
        for message in request["messages"]:
            for call in message.get("tool_calls") or ():
                if call["type"] == "function":
                    assert isinstance(json.loads(call["function"]["arguments"]), dict)


def capable(**capabilities):
    """Return a contract whose only model has just these capabilities."""
    profile = CONTRACT.profile
    model = replace(profile.models[0], id="m", snapshot="m", capabilities=capabilities)
    return Contract(replace(profile, models=(model,)))


ABLE = {
    "reasoning": {"reasoning": True},
    "few efforts": {"reasoning": True, "efforts": ["low", "high"]},
    "no efforts": {"reasoning": False, "efforts": []},
    "no thinking beside tools": {"reasoning": True, "tools_with_effort": False},
    "no thinking at all beside tools": {"tools_with_effort": False, "efforts": ["low"]},
    "small": {"max_n": 1, "max_top_logprobs": 0, "max_output_tokens": 1},
    "no instructions": {"refused_roles": ["system", "developer"]},
    "no search": {"web_search": False},
    "unknown": {},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ABLE)
def test_requests_suit_the_model(name, kind):
    """What a model cannot do is not asked of it."""
    contract = capable(**ABLE[name])
    for seed in range(120):
        request = make_request(contract, SeededDraw(seed), kind=kind)
        assert contract.request_violations(request) == (), request


def test_profiles_without_models_are_asked_by_any_name():
    """A vendor's profile need not list models."""
    contract = Contract(replace(CONTRACT.profile, models=()))
    names = {make_request(contract, SeededDraw(seed))["model"] for seed in range(30)}
    assert len(names) > 10
    assert "" not in names


TEXT = {"type": "string"}
ROLES = {"enum": ["system", "user", "assistant", "function"]}
CALL = {
    "type": "object",
    "required": ["name", "arguments"],
    "properties": {"name": TEXT, "arguments": TEXT},
}


def old_contract(role, **members):
    """Return a contract like those of 2023: one kind of message, hardly any member."""
    message = {
        "type": "object",
        "required": ["role", "content"],
        "properties": {"role": role, "content": {"type": ["string", "null"]}, **members},
    }
    document = {
        "$id": "https://example.com/request.json",
        "type": "object",
        "required": ["model", "messages"],
        "additionalProperties": False,
        "properties": {
            "model": TEXT,
            "messages": {"type": "array", "minItems": 1, "items": message},
            "top_logprobs": {"type": "integer"},
            "functions": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {"name": TEXT, "parameters": {"type": "object"}},
                },
            },
        },
    }
    profile = CONTRACT.profile
    levels = {level: {"request": document} for level in profile.levels}
    settings = {**profile.settings, "rules": {"request.content-is-given": {}}}
    return Contract(replace(profile, levels=levels, settings=settings))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("contract", "roles"),
    [
        (old_contract(ROLES, function_call=CALL), {"system", "user", "assistant", "function"}),
        (old_contract(ROLES), {"system", "user", "assistant"}),
        (old_contract(TEXT), {"system", "user", "assistant"}),
        (old_contract({"enum": ["user", "system"]}), {"user", "system"}),
    ],
)
def test_older_profiles_get_what_they_know(contract, roles, kind):
    """A profile is a folder: its requests follow its own document, whatever it lacks."""
    made = [make_request(contract, SeededDraw(seed), kind=kind) for seed in range(150)]
    for request in made:
        assert contract.request_violations(request) == (), request
    assert {message["role"] for request in made for message in request["messages"]} == roles


def test_caller_schemas_have_values():
    """A tool whose parameters no value satisfies could not be called by anyone."""
    for seed in range(200):
        for kind in KINDS:
            schema = object_schema(SeededDraw(seed), kind=kind)
            generate(schema, SeededDraw(seed), kind=kind)
            assert compile_schema(schema).tests == 0


def test_strict_schemas_keep_to_the_subset():
    """`strict: true` beside any other schema is refused by the API."""
    limits = CONTRACT.profile.settings["rules"]["request.function-is-strict"]
    for seed in range(300):
        schema = object_schema(SeededDraw(seed), kind="wild", strict=True)
        assert strict_problems(schema, limits) == ()


def test_the_document_is_compiled_once():
    """Compiling the request document takes a hundred times as long as one request."""
    first = asking(CONTRACT.profile, SeededDraw(1), "plain")
    assert asking(CONTRACT.profile, SeededDraw(2), "wild").root is first.root


def test_places_that_are_missing_have_no_variants():
    """A profile lacks members that another one has."""
    assert objects(None) == []
    assert items(None) == []


@pytest.mark.proof
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", profile_names())
def test_every_profile_has_requests(name, kind, proof_count):
    """A profile is a folder: nothing about its requests is written anywhere else."""
    contract = contract_for(name)
    for seed in range(proof_count(500)):
        request = make_request(contract, SeededDraw(seed), kind=kind)
        assert contract.request_violations(request) == (), request


NOTE = "Answer in JSON."


@pytest.mark.parametrize(
    ("messages", "mentioned"),
    [
        ([{"role": "user", "content": ""}], [{"role": "user", "content": NOTE}]),
        (
            [{"role": "system", "content": "Be kind."}],
            [{"role": "system", "content": f"Be kind.\n{NOTE}"}],
        ),
        (
            [{"role": "user", "content": []}],
            [{"role": "user", "content": [{"type": "text", "text": NOTE}]}],
        ),
        (
            [{"role": "assistant", "content": None, "refusal": "No."}],
            [
                {"role": "user", "content": NOTE},
                {"role": "assistant", "content": None, "refusal": "No."},
            ],
        ),
    ],
)
def test_json_is_mentioned_where_there_is_room(messages, mentioned):
    """A message more than was drawn would keep failing examples from shrinking."""
    mention_json(messages)
    assert messages == mentioned
