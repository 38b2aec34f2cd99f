"""The first tests of the gateway: what it is for."""

import pytest
from gateway import NoService
from litellm.exceptions import BadRequestError

from mockchat import by_word, error


def test_the_first_service_answers(site):
    """The second is not asked without need."""
    site.first.reply("Hello.")
    assert site.complete()["choices"][0]["message"]["content"] == "Hello."
    site.second.assert_not_called()


@pytest.mark.parametrize("failure", [error(503), error(429)], ids=repr)
def test_the_second_service_answers_where_the_first_fails(site, failure):
    """The caller does not notice."""
    site.first.reply(failure)
    site.second.reply("Hello.")
    assert site.complete()["choices"][0]["message"]["content"] == "Hello."


def test_a_service_is_asked_again_when_it_said_so(site):
    """A short rate limit is no reason to go elsewhere."""
    site.retries = 1
    site.first.reply(error(429, retry_after=1)).then("Hello.")
    assert site.complete()["choices"][0]["message"]["content"] == "Hello."
    site.first.assert_well_behaved()


def test_a_bad_request_goes_back_to_the_caller(site):
    """Each service would refuse it, and each retry takes time."""
    site.retries = 1
    site.first.reply(error("two_token_limits"))
    with pytest.raises(BadRequestError):
        site.complete()
    site.second.assert_not_called()


def test_a_stream_comes_in_pieces(site):
    """The caller shows what is there already."""
    site.first.reply(error(503))
    site.second.reply("Grüße aus Oslo", plan=by_word())
    assert "".join(site.stream()) == "Grüße aus Oslo"


def test_the_caller_is_told_when_all_fail(site):
    """The cause says what the last one said."""
    site.first.reply(error(503))
    site.second.reply(error(500))
    with pytest.raises(NoService):
        site.complete()
