"""The first tests of the server: what it is for."""

import pytest

from mockchat import by_word, check, error


@pytest.mark.mockchat(unmatched="generate")
def test_the_server_conforms(served):
    """Clients of the API need no change."""
    report = check(served.base_url, depth="quick")
    assert report.conforms, report.failures


def test_the_prompt_goes_first(mockchat, served):
    """Whatever the caller says comes after it."""
    mockchat.when(system_text="You are the assistant of Acme. Be brief.").reply("Hello.")
    assert served.ask() == {"text": "Hello."}


def test_a_stream_comes_in_pieces(mockchat, served):
    """It is passed on as it is, not put together first."""
    mockchat.reply("Grüße aus Oslo", plan=by_word())
    said = served.ask(stream=True)
    assert [piece for piece in said["pieces"] if piece] == ["Grüße", " aus", " Oslo"]


def test_a_rate_limit_is_passed_on(mockchat, served):
    """The caller's client knows what to do with it."""
    mockchat.reply(error(429, retry_after=7))
    assert served.ask() == {"error": "RateLimitError", "status": 429}
