"""How the tests of a streaming chat read with the fixture."""

import asyncio

import pytest
from streaming_chat import AnswerLost, Chat

from mockchat import Pacing, by_word, chunks_of, stream_fault

LOST = [
    "html-502",
    "empty-200",
    "cut",
    "truncated",
    "malformed-json",
    "error-frame",
    "missing-finish",
]
READ = ["byte-cuts", "crlf", "keep-alive-comments", "role-repeated", "leading-empty-choices"]


def talk(*questions):
    """Return what the chat shows for each question; None where it lost the answer."""

    async def shown(chat, question):
        try:
            return [piece async for piece in chat.ask(question)]
        except AnswerLost:
            return None

    async def talking():
        async with Chat(retries=0) as chat:
            return [await shown(chat, question) for question in questions]

    return asyncio.run(talking())


def said(exchange):
    """Return the messages of a request, without the instructions."""
    _, *messages = exchange.request["messages"]
    return [message["content"] for message in messages]


def test_the_answer_comes_in_pieces(mockchat):
    """A user who sees nothing for a minute leaves."""
    mockchat.reply("Grüße aus Oslo", plan=by_word(), pacing=Pacing(inter_token=0.001))

    assert talk("Hello?") == [["Grüße", " aus", " Oslo"]]


def test_the_chat_remembers(mockchat):
    """The second question is asked together with all before it."""
    mockchat.reply("Hello, Ada.")
    mockchat.reply("Your name is Ada.")

    talk("I am Ada.", "Who am I?")

    assert said(mockchat.journal[1]) == ["I am Ada.", "Hello, Ada.", "Who am I?"]


@pytest.mark.parametrize("fault", LOST)
def test_an_answer_that_breaks_off_is_not_remembered(mockchat, fault):
    """The model would take half an answer in the history for a whole one."""
    mockchat.reply("Hello, Ada.", plan=chunks_of(4), fault=stream_fault(fault))
    mockchat.reply("I do not know.", plan=chunks_of(20))

    assert talk("I am Ada.", "Who am I?") == [None, ["I do not know."]]
    assert said(mockchat.journal[1]) == ["Who am I?"]


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_an_answer_that_was_stopped_is_not_remembered(mockchat, reason):
    """The service says so itself, without any error."""
    mockchat.reply("Hello, A", finish_reason=reason)

    assert talk("I am Ada.") == [None]


@pytest.mark.parametrize("fault", READ)
def test_a_strange_stream_that_is_all_there_is_read(mockchat, fault):
    """Other servers send their streams otherwise."""
    mockchat.reply("Hello, Ada.", plan=chunks_of(4), fault=stream_fault(fault))

    assert talk("I am Ada.") == [["Hell", "o, A", "da."]]
