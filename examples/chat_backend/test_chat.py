"""The first tests of the chat: what it is for."""

from chat_backend import create_app
from conftest import Page
from starlette.testclient import TestClient

from mockchat import by_word, chunks_of, error, stream_fault


def said(exchange):
    """Return the texts of a request, without the instructions."""
    return [message["content"] for message in exchange.request["messages"][1:]]


def test_the_answer_comes_in_pieces(mockchat, page):
    """A user who sees nothing for a minute leaves."""
    mockchat.reply("Grüße aus Oslo", plan=by_word())
    assert page.ask("Hello?") == (["Grüße", " aus", " Oslo"], "done")


def test_each_session_has_a_memory_of_its_own(mockchat, page):
    """The second question is asked together with the first; another user's is not."""
    mockchat.reply("Hello, Ada.").then("You are Ada.").then("I do not know.")
    page.ask("I am Ada.")
    page.ask("Who am I?")
    page.ask("Who am I?", session="bob")
    assert said(mockchat.journal[1]) == ["I am Ada.", "Hello, Ada.", "Who am I?"]
    assert said(mockchat.journal[2]) == ["Who am I?"]


def test_an_answer_that_breaks_off_is_forgotten(mockchat, page):
    """The model would take half an answer in the history for a whole one."""
    mockchat.reply("Hello, Ada.", plan=chunks_of(4), fault=stream_fault("cut"))
    mockchat.reply("I do not know.", plan=chunks_of(20))
    assert page.ask("I am Ada.") == (["Hell"], "interrupted")
    assert page.ask("Who am I?") == (["I do not know."], "done")
    assert said(mockchat.journal[1]) == ["Who am I?"]


def test_a_rate_limit_is_waited_for(mockchat):
    """The user does not notice a short one."""
    mockchat.reply(error(429, retry_after=0)).then("Hello.")
    with TestClient(create_app()) as client:
        pieces, ending = Page(client).ask("Hello?")
    assert ("".join(pieces), ending) == ("Hello.", "done")
    mockchat.assert_well_behaved()


def test_a_rate_limit_that_stays_is_told(mockchat, page):
    """The page can say when to come back, instead of nothing."""
    mockchat.reply(error(429))
    assert page.ask("Hello?") == ([], "busy")


def test_what_is_no_question_is_not_asked(mockchat, page):
    """Neither costs anything nor ends up in the memory."""
    statuses = [page.post(body).status_code for body in ("{", "[]", "{}", '{"question": ""}')]
    assert statuses == [400] * 4
    mockchat.assert_not_called()
