"""Thirty schemas that trouble others, through the real SDK: each answered right, whichever door it takes."""

import json
from pathlib import Path

import openai
import pytest
from jsonschema import validators
from serving import serving

from mockchat.contract.drafts import modernized

MODEL = "gpt-4o-mini"
QUESTION = [{"role": "user", "content": "Fill it in."}]
AWKWARD = {
    row["name"]: row
    for row in json.loads(Path(__file__).with_name("awkward_schemas.json").read_text("utf-8"))
}
PATTERNS_OF_PYTHON = {"patterns of ECMA-262"}
"""Schemas whose patterns the stock validator cannot read; our tests of patterns judge them."""


@pytest.fixture(scope="module")
def client():
    """Talk to a server with default settings."""
    with (
        serving() as served,
        openai.OpenAI(base_url=served.base_url, api_key="sk-test", max_retries=0) as made,
    ):
        yield made


def by_response_format(client, schema):
    """Ask for a reply that fits the schema."""
    wanted = {"type": "json_schema", "json_schema": {"name": "awkward", "schema": schema}}
    completion = client.chat.completions.create(
        model=MODEL, messages=QUESTION, response_format=wanted
    )
    return json.loads(completion.choices[0].message.content)


def by_tool(client, schema):
    """Ask for a call whose arguments fit the schema."""
    tool = {"type": "function", "function": {"name": "awkward", "parameters": schema}}
    completion = client.chat.completions.create(
        model=MODEL, messages=QUESTION, tools=[tool], tool_choice="required"
    )
    return json.loads(completion.choices[0].message.tool_calls[0].function.arguments)


DOORS = [by_response_format, by_tool]
INVALID = {
    by_response_format: ("response_format", None),
    by_tool: ("tools[0].function.parameters", "invalid_function_parameters"),
}


def named(answer):
    """Return the names of the schemas that are answered so."""
    return [name for name, row in AWKWARD.items() if row["answer"] == answer]


@pytest.mark.parametrize("ask", DOORS)
@pytest.mark.parametrize("name", named("value"))
def test_a_schema_gets_a_value(client, name, ask):
    """A value that its schema refuses would send the application down a path no model takes."""
    schema = AWKWARD[name]["schema"]
    value = ask(client, schema)
    if name not in PATTERNS_OF_PYTHON:
        current = modernized(schema)
        assert validators.validator_for(current)(current).is_valid(value), value
    if ask is by_tool:
        assert isinstance(value, dict)


@pytest.mark.parametrize("ask", DOORS)
@pytest.mark.parametrize("name", named("impossible"))
def test_a_schema_without_a_value_is_refused(client, name, ask):
    """Our own error says which schema and why, so that nobody looks for the fault in the client."""
    with pytest.raises(openai.BadRequestError) as refusal:
        ask(client, AWKWARD[name]["schema"])
    error = refusal.value.body
    assert error["code"] == "mockchat_impossible_schema"
    assert error["message"].startswith("mockchat can make no value for a schema of this request: ")
    start = {by_tool: "/tools/0/function/parameters", by_response_format: "/response_format"}[ask]
    assert error["param"].startswith(start)


@pytest.mark.parametrize("ask", DOORS)
@pytest.mark.parametrize("name", named("invalid"))
def test_a_schema_that_is_none_is_refused_as_the_api_does(client, name, ask):
    """The API's own error is what the application meets in production."""
    with pytest.raises(openai.BadRequestError) as refusal:
        ask(client, AWKWARD[name]["schema"])
    error = refusal.value.body
    assert (error["param"], error["code"]) == INVALID[ask]
    assert error["message"].startswith("Invalid schema for ")
