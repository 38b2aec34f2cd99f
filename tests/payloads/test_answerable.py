"""Requests to which a completion can be made up: no draw of a completion may end in a refusal."""

import copy

import pytest

from mockchat.contract.contract import contract_for
from mockchat.payloads import answerable
from mockchat.payloads.answerable import answerable_request
from mockchat.payloads.completions import complete
from mockchat.payloads.seeded import SeededDraw

OPENAI = contract_for("openai")
LARK = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: "}}
REGEX = {"type": "grammar", "grammar": {"syntax": "regex", "definition": "x{3}"}}
MESSAGES = [{"role": "user", "content": "hi"}]


@pytest.mark.parametrize(("form", "wanted"), [(LARK, str.islower), (REGEX, "xxx".__eq__)])
def test_a_grammar_that_has_no_sampler_is_replaced(form, wanted, monkeypatch):
    """Inputs are made for one of the two grammar languages; the other would end the user's test."""
    tools = [{"type": "custom", "custom": {"name": "c", "format": form}}]
    request = {"model": "gpt-4o", "messages": MESSAGES, "tools": tools, "tool_choice": "required"}
    monkeypatch.setattr(answerable, "make_request", lambda *_, **__: copy.deepcopy(request))
    draw = SeededDraw(0)
    body = answerable_request(OPENAI, draw)
    message = complete(body, draw, contract=OPENAI)["choices"][0]["message"]
    assert wanted(message["tool_calls"][0]["custom"]["input"])


def test_every_request_is_one_of_the_profile():
    """What is replaced must still be what the profile accepts."""
    for seed in range(50):
        body = answerable_request(OPENAI, SeededDraw(seed), kind="wild")
        assert OPENAI.request_violations(body) == (), seed
