"""What `mockchat coverage suggest` named as never given to the server, with what callers should get.

The errors and faults are as they were suggested; what passes through like text is left to the check
of the first tests.
"""

import json
from http.client import IncompleteRead
from urllib.error import HTTPError

import pytest

from mockchat import chunks_of, error, stream_fault, text


@pytest.mark.parametrize(
    ("failure", "wanted"),
    [
        (error("insufficient_quota"), (429, "insufficient_quota", None)),
        (error("invalid_api_key"), (401, "invalid_api_key", None)),
        (error("context_length_exceeded"), (400, "context_length_exceeded", None)),
        (error("server_error"), (500, None, None)),
        (error(503, retry_after=7), (503, None, "7")),
    ],
    ids=repr,
)
def test_an_error_is_passed_on(mockchat, served, failure, wanted):
    """With its status, its code and the field that says when to come back."""
    mockchat.reply(failure)
    with pytest.raises(HTTPError) as refused, served.post():
        pass
    with refused.value as answer:
        told = (answer.status, json.load(answer)["error"]["code"], answer.headers["retry-after"])
    assert told == wanted


@pytest.mark.parametrize("is_stream", [False, True], ids=["response", "stream"])
@pytest.mark.parametrize("fault", ["html-502", "empty-200"])
def test_no_answer_is_an_error_of_the_api(mockchat, served, fault, is_stream):
    """A client of the API cannot read a proxy's page."""
    mockchat.reply("Hello.", fault=stream_fault(fault))
    with pytest.raises(HTTPError) as refused, served.post(stream=is_stream):
        pass
    with refused.value as answer:
        assert (answer.status, json.load(answer)["error"]["type"]) == (502, "server_error")


@pytest.mark.parametrize(
    "fault", ["cut", "truncated", "missing-finish", "malformed-json", "error-frame"]
)
def test_a_stream_that_breaks_off_breaks_off(mockchat, served, fault):
    """Ended in order, half an answer would be taken for a whole one."""
    mockchat.reply("Hello, world.", plan=chunks_of(5), fault=stream_fault(fault))
    with served.post(stream=True) as answer, pytest.raises(IncompleteRead) as broken:
        answer.read()
    assert b"[DONE]" not in broken.value.partial


def test_a_stream_that_breaks_off_is_an_error_of_the_client(mockchat, served):
    """fault/truncated: an application behind the server notices."""
    mockchat.reply("Hello, world.", plan=chunks_of(5), fault=stream_fault("truncated"))
    assert "error" in served.ask(stream=True)


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_how_a_stream_ended_is_passed_on(mockchat, served, reason):
    """chunk/choices/finish_reason, and chunk/usage: the last chunk has no choices."""
    mockchat.reply(text("Hello, wor", finish_reason=reason))
    with served.post(stream=True, stream_options={"include_usage": True}) as answer:
        *events, done = answer.read().decode().removesuffix("\n\n").split("\n\n")
    assert done == "data: [DONE]"
    assert [json.loads(event.removeprefix("data: ")) for event in events] == list(
        mockchat.journal[0].chunks
    )
