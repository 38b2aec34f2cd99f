"""What `mockchat coverage suggest` named as never given to the gateway, with what it should make of it.

The replies, errors and faults are as they were suggested; audio, log probabilities and other things
that pass through like text are left out.
"""

import pytest
from gateway import NoService
from litellm.exceptions import AuthenticationError, BadRequestError, NotFoundError

from mockchat import chunks_of, error, refusal, stream_fault, text, tool_call

TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


@pytest.mark.parametrize(
    "name", ["server_error", "overloaded", "slow_down", "insufficient_quota", "rate_limit_tokens"]
)
def test_another_service_is_asked_after_an_error(site, name):
    """Each of these is a service's own trouble."""
    site.first.reply(error(name))
    site.second.reply("Hello.")
    assert site.complete()["choices"][0]["message"]["content"] == "Hello."


@pytest.mark.parametrize("fault", ["html-502", "empty-200", "truncated-json"])
def test_another_service_is_asked_after_no_answer(site, fault):
    """A page of a proxy is no refusal."""
    site.first.reply("Hello", fault=stream_fault(fault))
    site.second.reply("Hello.")
    assert site.complete()["choices"][0]["message"]["content"] == "Hello."


@pytest.mark.parametrize(
    "fault", ["html-502", "empty-200", "cut-in-event", "json-for-stream", "error-frame-first"]
)
def test_another_service_streams_where_nothing_came(site, fault):
    """Nothing was shown yet, so nothing is lost."""
    site.first.reply("Hello, world.", plan=chunks_of(5), fault=stream_fault(fault))
    site.second.reply("From the second.")
    assert "".join(site.stream()) == "From the second."


@pytest.mark.parametrize("fault", ["cut", "malformed-json", "error-frame", "error-in-chunk"])
def test_a_stream_that_broke_is_not_begun_again(site, fault):
    """The caller would show the beginning of one answer and another one whole."""
    site.first.reply("Hello, world.", plan=chunks_of(5), fault=stream_fault(fault))
    with pytest.raises(NoService):
        site.stream()
    site.second.assert_not_called()


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("invalid_api_key", AuthenticationError),
        ("model_not_found", NotFoundError),
        ("context_length_exceeded", BadRequestError),
        ("two_token_limits", BadRequestError),
    ],
)
def test_what_is_wrong_with_the_request_goes_back(site, name, refused):
    """No other service mends it."""
    site.first.reply(error(name))
    with pytest.raises(refused):
        site.complete()
    site.second.assert_not_called()


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_how_an_answer_ended_is_passed_on(site, reason):
    """response/choices/finish_reason: the caller must know that it is not whole."""
    site.first.reply(text("Hello, wor", finish_reason=reason))
    assert site.complete()["choices"][0]["finish_reason"] == reason


def test_calls_are_passed_on(site):
    """response/choices/message/tool_calls#many: with the ids that their results need."""
    site.first.reply([tool_call("get_weather", city="Oslo"), tool_call("get_weather", city="Rome")])
    calls = site.complete(tools=[TOOL])["choices"][0]["message"]["tool_calls"]
    sent = site.first.journal[0].reply["choices"][0]["message"]["tool_calls"]
    assert [call["id"] for call in calls] == [call["id"] for call in sent]


def test_a_refusal_is_passed_on(site):
    """response/choices/message/refusal#given: LiteLLM keeps it among the provider's own members."""
    site.first.reply(refusal("I cannot help with that."))
    message = site.complete()["choices"][0]["message"]
    assert message["provider_specific_fields"]["refusal"] == "I cannot help with that."
