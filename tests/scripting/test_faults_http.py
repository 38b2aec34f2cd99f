"""Answers of what stands between: a proxy's page, nothing, half, or the wrong kind."""

import json

import pytest
from fault_samples import completion, draw, received, streamed, whole

from mockchat.errors import BadArgument
from mockchat.exchange import Delivery, Ending, Write, header
from mockchat.scripting.faults import FaultMissed
from mockchat.scripting.faults_http import (
    EmptyBody,
    JsonForStream,
    ProxyError,
    TruncatedJson,
    WrongContentType,
)
from mockchat.scripting.faults_timing import Pacing

BARE = Delivery(status=204)


@pytest.mark.parametrize("delivery", [streamed(), whole(), BARE])
def test_a_proxy_answers_instead(delivery):
    """Nothing of the API is left: no JSON, no request id."""
    fault = ProxyError(status=503, headers=(("retry-after", "1"),))
    page = fault.apply(Pacing(ttft=2).apply(delivery, draw()), draw())
    assert page == Delivery(
        status=503,
        headers=(("content-type", "text/html"), ("retry-after", "1")),
        writes=(
            Write(
                data=b"<html>\n<head><title>503 Service Unavailable</title></head>\n"
                b"<body><h1>503 Service Unavailable</h1></body>\n</html>\n",
                delay=2.0,
            ),
        ),
    )


def test_a_status_that_only_proxies_know_has_a_page_too():
    """Cloudflare's 520 has no phrase in any RFC."""
    assert b"520 Unknown" in ProxyError(status=520).apply(whole(), draw()).body


@pytest.mark.parametrize("status", [399, 600, "502", True])
def test_a_proxy_error_is_an_error(status):
    """A page under 200 is another fault."""
    with pytest.raises(BadArgument, match=r"ProxyError\(status=\) is"):
        ProxyError(status=status)


@pytest.mark.parametrize("delivery", [streamed(), whole(), BARE])
def test_an_empty_body_keeps_head_and_time(delivery):
    """The status says all is well; only the body tells."""
    empty = EmptyBody().apply(Pacing(ttft=2).apply(delivery, draw()), draw())
    assert (empty.status, empty.headers, empty.is_stream) == (
        delivery.status,
        delivery.headers,
        False,
    )
    assert empty.writes == (Write(data=b"", delay=2.0),)


def test_truncated_json_is_whole_for_http():
    """The connection is fine; the JSON is not."""
    half = TruncatedJson().apply(whole(), draw())
    assert half.ending is Ending.COMPLETE
    assert half.body == whole().body[: len(whole().body) // 2]
    with pytest.raises(json.JSONDecodeError):
        json.loads(half.body)


def test_a_truncated_stream_ends_inside_its_last_chunk():
    """All events before it are whole."""
    cut = TruncatedJson().apply(streamed(), draw())
    *before, last = received(cut)
    assert before == received(streamed())[:-2]
    assert received(streamed())[-2].startswith(last)
    assert cut.ending is Ending.COMPLETE
    with pytest.raises(FaultMissed, match="the stream has 0 chunks"):
        TruncatedJson().apply(Delivery(status=200, is_stream=True), draw())


def test_a_wrong_content_type_changes_one_field():
    """The bytes are right, their label is not."""
    wrong = WrongContentType(content_type="text/plain").apply(streamed(), draw())
    assert header(wrong.headers, "content-type") == "text/plain"
    assert header(wrong.headers, "x-request-id") == "req_1"
    assert wrong.writes == streamed().writes


@pytest.mark.parametrize("delivery", [whole(), BARE])
def test_a_content_type_that_stays_is_no_fault(delivery):
    """A fault that does nothing makes a test pass for the wrong reason."""
    with pytest.raises(FaultMissed) as caught:
        WrongContentType(content_type="application/json").apply(delivery, draw())
    assert str(caught.value) == (
        "WrongContentType(content_type='application/json') cannot happen: "
        "the reply has this content type, or none"
    )


def test_a_content_type_is_text():
    """None would be another fault: a missing field."""
    with pytest.raises(BadArgument, match=r"WrongContentType\(content_type=\) is None"):
        WrongContentType(content_type=None)


def test_json_comes_instead_of_a_stream():
    """Servers that do not know `stream` answer so."""
    answer = JsonForStream().apply(Pacing(ttft=2, inter_token=1).apply(streamed(), draw()), draw())
    assert header(answer.headers, "content-type") == "application/json"
    assert not answer.is_stream
    assert answer.writes[0].delay == 2.0
    wanted = {name: value for name, value in completion().items() if name != "usage"}
    assert json.loads(answer.body) == wanted
    with pytest.raises(FaultMissed, match="the reply is no stream"):
        JsonForStream().apply(whole(), draw())
