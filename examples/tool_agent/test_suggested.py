"""What `mockchat coverage suggest` named as never given to the agent, with what it should make of it.

The replies and errors are as they were suggested, those for streams, audio and other things that
the agent never asks for left out; the tools are the agent's own.
"""

import pytest
from agent import Agent, NoAnswer, Tool
from openai import APIError, OpenAIError

from mockchat import at_once, error, refusal, stream_fault, text, tool_call

PARAMETERS = {
    "type": "object",
    "properties": {"order": {"type": "string"}},
    "required": ["order"],
    "additionalProperties": False,
}


@pytest.fixture
def agent():
    """Return an agent for which every order is on its way."""
    return Agent({"status": Tool(lambda order: f"{order} is on its way", PARAMETERS)})


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(text("Hello, wor", finish_reason="length"), id="finish_reason=length"),
        pytest.param(
            text("Hello.", finish_reason="content_filter"), id="finish_reason=content_filter"
        ),
        pytest.param(refusal("I cannot help with that."), id="refusal#given"),
    ],
)
def test_what_is_not_whole_is_no_answer(mockchat, agent, reply):
    """Half a sentence must not be shown as the shop's word."""
    mockchat.reply(reply)
    with pytest.raises(NoAnswer):
        agent.ask("Hello?")


def test_several_calls_are_all_answered(mockchat, agent):
    """choices/message/tool_calls#many: the API refuses a conversation that owes a result."""
    mockchat.reply([tool_call("status", order="A-1"), tool_call("status", order="A-2")])
    mockchat.when(last_role="tool").reply("Both are on their way.")
    assert agent.ask("Where are A-1 and A-2?") == "Both are on their way."
    said = [
        message["content"]
        for message in mockchat.journal[-1].request["messages"]
        if message["role"] == "tool"
    ]
    assert said == ['"A-1 is on its way"', '"A-2 is on its way"']


@pytest.mark.parametrize(
    "failure",
    [error(400), error(401), error(403), error(404), error(413), error("insufficient_quota")],
)
def test_an_error_that_stays_is_raised(mockchat, agent, failure):
    """It is for the shop, not for the customer, and asking again does not help."""
    mockchat.reply(failure).forever()
    with pytest.raises(APIError):
        agent.ask("Hello?")


@pytest.mark.parametrize("failure", [error(500), error(503, retry_after=0)])
def test_an_error_that_passes_is_waited_for(mockchat, agent, failure):
    """The customer gets an answer."""
    mockchat.reply(failure).then("Good morning!")
    assert agent.ask("Hello?") == "Good morning!"


@pytest.mark.parametrize("name", ["html-502", "status-429-retry-after"])
def test_a_proxy_in_the_way_is_an_error(mockchat, agent, name):
    """A page of HTML is no answer."""
    mockchat.reply("Hello!", fault=stream_fault(name), plan=at_once()).forever()
    with pytest.raises(OpenAIError):
        agent.ask("Hello?")
