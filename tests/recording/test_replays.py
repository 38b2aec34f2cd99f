"""What was recorded is answered again: the same bytes or events, at the same times."""

import json
from dataclasses import replace

import pytest
from recorded_samples import (
    CONTRACT,
    EVENTS,
    JSON,
    QUESTION,
    delivered,
    drawn_request,
    planned,
    real_service,
    recorded,
    serving_file,
)

from mockchat.exchange import Ending
from mockchat.recording.exchanges import RecordedExchange
from mockchat.recording.scenario_text import recorded_stub, scenario_of, write_scenario
from mockchat.scripting.sse import json_events
from mockchat.server.wire import DONE

SOON = 0.02
"""How many seconds a replayed event may be away from when it was recorded."""
STREAM = {**QUESTION, "stream": True}


def replayed(tmp_path, body, *exchanges):
    """Return what the scenario of some exchanges answers to a request."""
    path = tmp_path / "recording.yaml"
    write_scenario(path, scenario_of(exchanges))
    return delivered(serving_file(path), body)


def test_every_answer_is_replayed_as_it_was(tmp_path, proof_count):
    """A recording that answers otherwise than the real server is worse than none."""
    for number in range(proof_count(150)):
        request = drawn_request(number)
        exchange = recorded(real_service(number, kind="wild"), request)
        again = replayed(tmp_path, request, exchange)
        assert again.status == exchange.status, again.body.decode()
        assert again.body == exchange.reply_body, request
        wanted = [seconds for seconds, _ in exchange.pieces]
        if again.is_stream:
            assert planned(again) == pytest.approx(wanted, abs=SOON)
        else:
            assert planned(again)[-1] == pytest.approx(wanted[-1], abs=SOON)


def test_every_stream_that_breaks_off_breaks_off_there(tmp_path, proof_count):
    """Whoever is shown a whole stream never tests what happens when it is none."""
    for number in range(proof_count(60)):
        request = {**drawn_request(number), "stream": True}
        whole = recorded(real_service(number), request)
        if whole.status != 200:
            continue
        kept = whole.pieces[: number % len(whole.pieces)]
        half = (whole.seconds, whole.pieces[len(kept)][1][:7])
        ended = ("cut", "reset", "client left")[number % 3]
        exchange = recorded(real_service(number), request, pieces=(*kept, half), ended=ended)
        again = replayed(tmp_path, request, exchange)
        assert json_events(again.body) == json_events(b"".join(data for _, data in kept))
        assert again.ending is (Ending.RESET if ended == "reset" else Ending.CUT)


def test_a_client_that_leaves_at_done_loses_nothing(tmp_path):
    """The openai SDK closes the connection there, before HTTP says that the body is over."""
    exchange = recorded(real_service(), STREAM, ended="client left")
    again = replayed(tmp_path, STREAM, exchange)
    assert (again.body, again.ending) == (exchange.reply_body, Ending.COMPLETE)


def test_a_late_done_is_late_again(tmp_path):
    """Some servers count usage before they say that it is over."""
    exchange = recorded(real_service(), STREAM)
    late = (exchange.pieces[-1][0] + 3.0, exchange.pieces[-1][1])
    again = replayed(
        tmp_path, STREAM, recorded(real_service(), STREAM, pieces=(*exchange.pieces[:-1], late))
    )
    assert planned(again)[-1] == pytest.approx(late[0], abs=SOON)


def test_events_that_came_in_pieces_leave_when_they_were_whole(tmp_path):
    """Networks cut anywhere; an event is there with its last byte."""
    whole = recorded(real_service(), STREAM).reply_body
    bytewise = tuple((0.001 * (at + 1), whole[at : at + 1]) for at in range(len(whole)))
    again = replayed(tmp_path, STREAM, recorded(real_service(), STREAM, pieces=bytewise))
    ends = [0.001 * (at + 2) for at in range(len(whole)) if whole[at : at + 2] == b"\n\n"]
    assert again.body == whole
    assert planned(again)[:-1] == pytest.approx(ends[:-1], abs=SOON)


def test_spaces_and_comments_of_a_stream_are_not_its_events(tmp_path):
    """Gateways write JSON with spaces and keep connections alive with comments."""
    whole = recorded(real_service(), STREAM).reply_body
    spaced = whole.replace(b'":', b'": ').replace(b"data: {", b": keep-alive\n\ndata: {")
    exchange = recorded(real_service(), STREAM, pieces=((0.1, spaced),))
    assert json_events(replayed(tmp_path, STREAM, exchange).body) == json_events(whole)


def test_a_stream_without_done_has_none_again(tmp_path):
    """Clients that wait for it are found this way."""
    exchange = recorded(real_service(), STREAM)
    exchange = recorded(real_service(), STREAM, pieces=exchange.pieces[:-1])
    again = replayed(tmp_path, STREAM, exchange)
    assert (DONE in again.body, again.ending) == (False, Ending.COMPLETE)
    assert again.body == exchange.reply_body


ERROR = {"message": "Slow down.", "type": "requests", "param": None, "code": "rate_limit_exceeded"}


def failed(status, body, headers=JSON):
    """Return an exchange that was refused."""
    return RecordedExchange(
        body=json.dumps(QUESTION).encode(),
        status=status,
        reply_headers=headers,
        pieces=((0.25, body),),
    )


def test_an_error_keeps_its_words_and_the_fields_that_clients_heed(tmp_path):
    """A retry after the wrong time tests nothing."""
    fields = (*JSON, ("retry-after", "20"), ("x-ratelimit-remaining-tokens", "0"), ("server", "x"))
    again = replayed(tmp_path, QUESTION, failed(429, json.dumps({"error": ERROR}).encode(), fields))
    assert (again.status, json.loads(again.body)) == (429, {"error": ERROR})
    assert set(fields[1:3]) <= set(again.headers)
    assert planned(again) == [0.25]


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (502, (("content-type", "text/html"),), b"<html>Bad gateway</html>"),
        (200, JSON, b'{"id": "chatcmpl-1", "choi'),
        (200, JSON, b"\xff\x00 no text"),
        (200, JSON, b"[1, 2]"),
        (200, EVENTS, b'data: {"no": "stream was asked for"}\n\ndata: [DONE]\n\n'),
        (429, JSON, b'{"detail": "Not our words"}'),
        (418, JSON, b'{"error": {"message": "A status without a usual error", "type": null}}'),
        (204, (), b""),
        (307, (("content-type", "text/plain"), ("location", "/")), b"elsewhere"),
    ],
)
def test_what_no_words_can_say_is_replayed_byte_by_byte(tmp_path, status, headers, body):
    """Odd answers are what clients break on."""
    again = replayed(tmp_path, QUESTION, failed(status, body, headers))
    assert (again.status, again.body) == (status, body)
    assert dict(headers).get("content-type") == dict(again.headers).get("content-type")


@pytest.mark.parametrize(
    "body",
    [
        b"event: error\ndata: {}\n\n",
        b"data: no JSON\n\ndata: [DONE]\n\n",
        b"data: {}\n\ndata: [DONE]\n\ndata: {}\n\n",
        b": nothing but a comment\n\n",
        b"",
    ],
)
def test_a_stream_of_other_events_is_replayed_byte_by_byte(tmp_path, body):
    """So are streams that no chunk list can say."""
    exchange = recorded(real_service(), STREAM, pieces=((0.1, body),))
    again = replayed(tmp_path, STREAM, exchange)
    assert (again.body, again.is_stream) == (body, True)


def test_an_answer_that_is_cut_in_its_json_is_cut_there(tmp_path):
    """Half of a body is not a body."""
    exchange = recorded(real_service(), QUESTION)
    half = exchange.reply_body[:40]
    exchange = recorded(real_service(), QUESTION, pieces=((0.2, half),), ended="cut")
    again = replayed(tmp_path, QUESTION, exchange)
    assert (again.body, again.ending) == (half, Ending.CUT)


def test_an_answer_that_breaks_the_contract_is_unchecked_and_told(tmp_path):
    """A recording tells the truth about the real server, also where that is wrong."""
    completion = json.loads(recorded(real_service(), QUESTION).reply_body)
    completion["choices"][0]["finish_reason"] = "nope"
    exchange = recorded(real_service(), QUESTION, pieces=((0.1, json.dumps(completion).encode()),))
    stub = recorded_stub(exchange, CONTRACT)
    assert stub.step["reply"] == {"unchecked": {"completion": completion}}
    assert any("/choices/0/finish_reason" in note for note in stub.notes[1:])
    assert json.loads(replayed(tmp_path, QUESTION, exchange).body) == completion


def test_equal_requests_get_their_answers_in_order(tmp_path):
    """A retry that succeeded does so again."""
    path = tmp_path / "recording.yaml"
    good = recorded(real_service(), QUESTION)
    bad = failed(
        503, b'{"error": {"message": "Busy.", "type": "server_error", "param": null, "code": null}}'
    )
    write_scenario(path, scenario_of([bad, good]))
    app = serving_file(path)
    assert [delivered(app, QUESTION).status for _ in range(3)] == [503, 200, 200]


@pytest.mark.parametrize(
    ("match", "change", "status"),
    [
        ("request", {"temperature": 0.5}, 400),
        ("conversation", {"temperature": 0.5}, 200),
        ("conversation", {"model": "gpt-4.1"}, 400),
        ("conversation", {"stream": True}, 400),
    ],
)
def test_match_says_which_requests_get_a_recorded_answer(tmp_path, match, change, status):
    """A parameter that varies must not make a recording useless, if its user says so."""
    path = tmp_path / "recording.yaml"
    write_scenario(path, scenario_of([recorded(real_service(), QUESTION)], match=match))
    assert delivered(serving_file(path), {**QUESTION, **change}).status == status


def test_what_no_stub_can_answer_is_no_stub():
    """Other endpoints, requests that are no JSON, and answers that nobody waited for."""
    exchange = recorded(real_service(), QUESTION)
    lost = [
        recorded(real_service(), QUESTION, method="GET"),
        recorded(real_service(), QUESTION, path="/v1/embeddings"),
        replace(exchange, body=b"{"),
        recorded(real_service(), QUESTION, ended="client left"),
    ]
    assert [recorded_stub(one, CONTRACT) for one in lost] == [None] * 4
    assert recorded_stub(exchange, CONTRACT) is not None
