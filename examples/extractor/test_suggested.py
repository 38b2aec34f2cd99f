"""What `mockchat coverage suggest` named as never given to the extractor, and what it makes of it."""

import json

import pytest
from extractor import Unreadable, extract
from test_extractor import GOOD

from mockchat import at_once, error, refusal, stream_fault, text

WHOLE = json.dumps(GOOD)


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(text(WHOLE, finish_reason="length"), id="finish_reason=length"),
        pytest.param(text(WHOLE[:40], finish_reason="length"), id="cut within the JSON"),
        pytest.param(
            text(WHOLE, finish_reason="content_filter"), id="finish_reason=content_filter"
        ),
        pytest.param(refusal("I cannot help with that."), id="refusal#given"),
    ],
)
def test_what_is_not_whole_is_unreadable(mockchat, reply):
    """JSON that happens to be whole may still lack the lines that were filtered out."""
    mockchat.reply(reply).forever()
    with pytest.raises(Unreadable):
        extract("Invoice 2026-11 …")


@pytest.mark.parametrize(
    "failure", [error(400), error(401), error(404), error("insufficient_quota")]
)
def test_an_error_that_stays_is_told(mockchat, failure):
    """One kind of exception for whoever calls."""
    mockchat.reply(failure).forever()
    with pytest.raises(Unreadable):
        extract("Invoice 2026-11 …")


@pytest.mark.parametrize("failure", [error(429, retry_after=0), error(500), error(503)])
def test_an_error_that_passes_is_waited_for(mockchat, failure):
    """The invoice is read nevertheless."""
    mockchat.reply(failure).then(WHOLE)
    assert extract("Invoice 2026-11 …").number == "2026-11"


def test_a_proxy_in_the_way_is_told(mockchat):
    """A page of HTML is no invoice."""
    mockchat.reply(WHOLE, fault=stream_fault("html-502"), plan=at_once()).forever()
    with pytest.raises(Unreadable):
        extract("Invoice 2026-11 …")
