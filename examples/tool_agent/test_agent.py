"""The first tests of the agent: what it is for."""

import pytest
from agent import Agent, NoAnswer, Tool

from mockchat import error, refusal, tool_call

ORDERS = {"A-1": "shipped", "A-2": "lost"}
PARAMETERS = {
    "type": "object",
    "properties": {"order": {"type": "string"}},
    "required": ["order"],
    "additionalProperties": False,
}


@pytest.fixture
def agent():
    """Return an agent that knows two orders."""
    return Agent({"status": Tool(lambda order: ORDERS[order], PARAMETERS)})


def test_the_order_is_looked_up(mockchat, agent):
    """The tool's result reaches the model, its answer the customer."""
    mockchat.when(last_role="user").reply(tool_call("status", order="A-1"))
    mockchat.when(tool_result='"shipped"').reply("It is on its way.")
    assert agent.ask("Where is A-1?") == "It is on its way."


def test_an_order_that_is_not_there_is_told_to_the_model(mockchat, agent):
    """It may ask the customer for the right number."""
    mockchat.when(last_role="user").reply(tool_call("status", order="B-7"))
    mockchat.when(tool_result="error: KeyError: 'B-7'").reply("Which order do you mean?")
    assert agent.ask("Where is B-7?") == "Which order do you mean?"


def test_a_refusal_is_no_answer(mockchat, agent):
    """It must not be shown as if the shop had said it."""
    mockchat.reply(refusal("I can't help with that."))
    with pytest.raises(NoAnswer, match="can't help"):
        agent.ask("Where do my neighbours live?")


def test_a_rate_limit_is_waited_for(mockchat, agent):
    """The customer does not notice."""
    mockchat.reply(error(429, retry_after=0)).then("Good morning!")
    assert agent.ask("Hello?") == "Good morning!"
    mockchat.journal.assert_well_behaved()
