"""What `mockchat coverage suggest` named as never given to the chat, with what its page should see.

The replies, errors and faults are as they were suggested for streams; those with tools, several
choices and other things that the chat never asks for are left out.
"""

import pytest

from mockchat import chunks_of, error, refusal, stream_fault, text


@pytest.mark.parametrize(
    ("reply", "ending"),
    [
        pytest.param(
            text("Hello, wor", finish_reason="length"),
            "too long",
            id="chunk/choices/finish_reason=length",
        ),
        pytest.param(
            text("Hello.", finish_reason="content_filter"),
            "refused",
            id="chunk/choices/finish_reason=content_filter",
        ),
        pytest.param(
            refusal("I cannot help with that."),
            "refused",
            id="chunk/choices/delta/content#null and 2 more",
        ),
    ],
)
def test_what_is_not_whole_is_told_and_forgotten(mockchat, page, reply, ending):
    """An answer that the service itself stopped must not be remembered as one."""
    mockchat.reply(reply).then("Hello again.")
    assert page.ask("Hello?")[1] == ending
    page.ask("And now?")
    assert [message["role"] for message in mockchat.journal[1].request["messages"]] == [
        "system",
        "user",
    ]


@pytest.mark.parametrize(
    "fault",
    [
        "html-502",
        "empty-200",
        "truncated-json",
        "json-for-stream",
        "cut-in-event",
        "malformed-json",
        "truncated",
        "missing-finish",
        "error-frame-without-done",
        "error-frame-first",
    ],
)
def test_what_is_not_all_there_is_interrupted(mockchat, page, fault):
    """Not every stream that breaks raises an error in the client."""
    mockchat.reply("Hello, world.", plan=chunks_of(5), fault=stream_fault(fault))
    assert page.ask("Hello?")[1] == "interrupted"


@pytest.mark.parametrize(
    "fault",
    ["byte-cuts", "crlf", "keep-alive-comments", "leading-empty-choices", "role-missing"],
)
def test_a_strange_stream_that_is_all_there_is_read(mockchat, page, fault):
    """Other servers send their streams otherwise."""
    mockchat.reply("Hello, world.", plan=chunks_of(5), fault=stream_fault(fault))
    assert page.ask("Hello?") == (["Hello", ", wor", "ld."], "done")


@pytest.mark.parametrize(
    ("failure", "ending"),
    [
        (error("insufficient_quota"), "busy"),
        (error("invalid_api_key"), "interrupted"),
        (error("context_length_exceeded"), "interrupted"),
        (error("server_error"), "interrupted"),
        (error(503, retry_after=0), "interrupted"),
    ],
    ids=repr,
)
def test_an_error_ends_the_answer(mockchat, page, failure, ending):
    """A page that is never told waits for ever."""
    mockchat.reply(failure)
    assert page.ask("Hello?") == ([], ending)
