"""How the tests of a tool-calling agent read with the fixture."""

import contextlib

import pytest
from hypothesis import given, settings
from tool_agent import Agent, NoAnswer, Tool

from mockchat import contains, error, strategies, tool_call, unchecked

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
DEGREES = {"Oslo": "4 °C", "Bergen": "7 °C"}
AGENT = Agent(tools={"get_weather": Tool(run=lambda city: DEGREES[city], parameters=CITY)})


def test_it_asks_the_tool(mockchat):
    """The way it is meant to go."""
    mockchat.when(last_role="user").reply(tool_call("get_weather", city="Oslo"))
    mockchat.when(tool_result="4 °C").reply("It is 4 °C in Oslo.")

    assert AGENT.ask("Weather in Oslo?") == "It is 4 °C in Oslo."


def test_parallel_calls_each_get_their_own_result(mockchat):
    """Results in another order, or under another id, are another answer."""
    calls = [tool_call("get_weather", city="Oslo"), tool_call("get_weather", city="Bergen")]
    mockchat.when(last_role="user").reply(calls)
    mockchat.when(last_role="tool").reply("Bergen is warmer.")

    AGENT.ask("Oslo or Bergen?")

    *_, asked, oslo, bergen = mockchat.journal[1].request["messages"]
    assert [call["id"] for call in asked["tool_calls"]] == [
        oslo["tool_call_id"],
        bergen["tool_call_id"],
    ]
    assert [oslo["content"], bergen["content"]] == ["4 °C", "7 °C"]


def test_a_tool_that_fails_is_told_to_the_model(mockchat):
    """The model can ask for another city; a traceback cannot."""
    mockchat.when(last_role="user").reply(tool_call("get_weather", city="Atlantis"))
    mockchat.when(tool_result=contains("KeyError")).reply("I do not know Atlantis.")

    assert AGENT.ask("Weather in Atlantis?") == "I do not know Atlantis."


@pytest.mark.parametrize("arguments", ['{"city": ', '{"town": "Oslo"}', "[]"])
def test_arguments_that_break_the_schema_are_told_to_the_model(mockchat, arguments):
    """Models write such arguments, so `unchecked` sends them although the contract forbids them."""
    mockchat.when(last_role="user").reply(unchecked(tool_call("get_weather", arguments)))
    mockchat.when(tool_result=contains("error")).reply("Let me try that again.")

    assert AGENT.ask("Weather in Oslo?") == "Let me try that again."


def test_it_stops_asking(mockchat):
    """A model that calls tools for ever costs money for ever."""
    mockchat.reply(tool_call("get_weather", city="Oslo")).forever()

    with pytest.raises(NoAnswer, match="after 4 requests"):
        AGENT.ask("Weather in Oslo?")

    assert len(mockchat.journal) == 4


def test_a_rate_limit_is_waited_for(mockchat):
    """The SDK asks again; the question must not be lost on the way."""
    mockchat.reply(error(429, retry_after=0)).then("4 °C")

    assert AGENT.ask("Weather in Oslo?") == "4 °C"
    assert mockchat.journal.retries == 1


def test_a_truncated_answer_is_none(mockchat):
    """Half a sentence may say the opposite of the whole one."""
    mockchat.reply("It is not", finish_reason="length")

    with pytest.raises(NoAnswer, match="length"):
        AGENT.ask("Is it warm in Oslo?")


@settings(max_examples=15)  # each builds a client
@given(reply=strategies.replies())
def test_any_legal_reply_is_an_answer_or_none(mockchat_server, reply):
    """What nobody has thought of, within what the API may send; what follows a call is generated."""
    with (
        mockchat_server.script(unmatched="generate") as mockchat,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("OPENAI_BASE_URL", mockchat.base_url)
        patch.setenv("OPENAI_API_KEY", mockchat.api_key)
        mockchat.reply(reply)
        with contextlib.suppress(NoAnswer):
            assert AGENT.ask("Weather in Oslo?")
