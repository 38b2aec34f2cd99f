"""Every broken request, sent by the real openai SDK: the right exception with the API's words."""

import json

import openai
import pytest
from contract.request_samples import BREAKING
from serving import serving

from mockchat.contract.contract import contract_for

RULES = contract_for().profile.settings["rules"]
CASES = [
    pytest.param(body, id=f"{rule}-{number}")
    for rule, bodies in BREAKING.items()
    if RULES[rule] is not False
    for number, body in enumerate(bodies)
]


@pytest.fixture(scope="module")
def client():
    """Give a client of a server that asks for everything the API asks for."""
    with serving() as served:
        yield openai.OpenAI(base_url=served.base_url, api_key="sk-any", max_retries=0)


@pytest.mark.parametrize("body", CASES)
def test_a_request_that_breaks_a_rule(body, client):
    """Code that handles the API's errors reads their class, code, param and message."""
    assert_refused(body, client)


def test_the_requests_that_other_servers_let_pass(client, shared):
    """A mock that accepts what the API refuses hides the bug until production."""
    lines = (shared / "facts" / "broken-requests.jsonl").read_text().splitlines()
    bodies = [case["body"] for case in map(json.loads, lines) if "body" in case]

    assert len(bodies) == 10  # the eleventh is no JSON, which this client cannot send
    for body in bodies:
        assert_refused(body, client)


def assert_refused(body, client):
    """Assert that the client raises the contract's own error for `body`."""
    contract = contract_for()
    wanted = contract.api_error(contract.request_violations(body)[0], body)

    with pytest.raises(openai.BadRequestError) as caught:
        client.post("/chat/completions", body=body, cast_to=object)

    error = caught.value
    assert (error.status_code, error.type, error.code, error.param) == (
        400,
        wanted.type,
        wanted.code,
        wanted.param,
    )
    assert error.body["message"] == wanted.message
