"""Hostile clients: whatever is sent is refused or bounded, and the next client is served."""

import json
import re
import socket
import threading
import time
from http import HTTPStatus
from pathlib import Path

import pytest
from doubles import FakeApp, RawClient
from hostile import AFTER, ANSWERED, BODY_SIZE, HEAD_FIELDS, HEAD_SIZE, REFUSED

from mockchat.errors import BadArgument
from mockchat.exchange import Delivery, Write
from mockchat.scripting.builders import error
from mockchat.scripting.faults_http import ProxyError
from mockchat.scripting.script import Script
from mockchat.scripting.scripts import Scripts
from mockchat.server.app import App
from mockchat.server.settings import Settings

MANUAL = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
LIMITS = {"head_size": HEAD_SIZE, "head_fields": HEAD_FIELDS, "linger_time": 0.05}
GET = b"GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n"
HALF = b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: 5\r\n\r\nab"


@pytest.fixture(scope="module")
def app():
    """Give the application itself: what is refused must be worded as the API's errors are."""
    return App(Settings(body_limit=BODY_SIZE, models="known"), Scripts())


def ids(attacks):
    """Name cases by what is sent."""
    return [f"{attack.kind}: {attack.name}" for attack in attacks]


def parted(answer):
    """Split an answer into its status, the lines of its fields, and its body."""
    head, _, body = answer.partition(b"\r\n\r\n")
    line, *fields = head.decode("latin-1").split("\r\n")
    return int(line.split()[1]), fields, body


@pytest.mark.parametrize("attack", REFUSED, ids=ids(REFUSED))
def test_what_parsers_read_differently_is_refused(live, app, connect, attack):
    """One answer in the API's form, then the end: what stands behind it is never a request."""
    server = live(app, **LIMITS)
    client = connect(server)
    client.send(attack.data + AFTER)
    answer = client.rest().replace(b"<reset>", b"")
    status, fields, body = parted(answer)
    assert status == attack.status
    assert "connection: close" in fields
    assert json.loads(body)["error"]["message"]  # a second answer would be no JSON

    other = connect(server)
    other.send(GET)
    assert other.reply().startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("attack", ANSWERED, ids=ids(ANSWERED))
def test_what_is_a_request_gets_its_answer(live, app, connect, attack):
    """Paths lead nowhere but to operations; nothing of a request comes back as a field."""
    client = connect(live(app, **LIMITS))
    client.send(attack.data)
    status, fields, body = parted(client.reply())
    assert status == attack.status
    assert all(re.fullmatch(r"[a-z0-9-]+: [ -~]*", line) for line in fields)
    assert "set-cookie" not in " ".join(fields)
    assert ("error" in json.loads(body)) == (status != HTTPStatus.OK)
    client.send(GET)
    assert client.reply().startswith(b"HTTP/1.1 200 ")


def test_the_manual_lists_what_is_sent_and_what_is_answered():
    """Whoever audits reads the table there, not the tests."""
    told = dict(re.findall(r"^\| ([^|`]+) \| (\d{3})[ ,;|]", MANUAL, re.MULTILINE))
    answers = {attack.kind: str(attack.status) for attack in (*REFUSED, *ANSWERED)}
    assert answers.items() <= told.items()


# --- slow and silent -----------------------------------------------------------------------------


@pytest.mark.parametrize("begun", [b"GET /v1/mo", b"GET / HTTP/1.1\r\na: b\r\n", HALF])
def test_who_is_slow_is_told_and_left(live, app, connect, begun):
    """Head and body have one deadline each, however the bytes drip."""
    client = connect(live(app, head_time=0.05, body_time=0.05, linger_time=0.01))
    client.send(begun)
    status, _, body = parted(client.rest())
    assert status == 408
    assert json.loads(body)["error"]["message"] == "The request did not arrive in time."


@pytest.mark.parametrize("begun", [b"GET /v1/mo", b"GET / HTTP/1.1\r\na: b\r\n", HALF])
def test_who_closes_half_is_told_at_once(live, app, connect, begun):
    """A request that can never be whole is not waited for."""
    client = connect(live(app, head_time=60.0, body_time=60.0, linger_time=0.01))
    client.send(begun)
    client.socket.shutdown(socket.SHUT_WR)
    assert parted(client.rest())[0] == 400


def test_silent_connections_without_number_hold_up_nobody(live, app, connect):
    """Twenty may be open; two hundred come and say nothing, and a request is still answered."""
    before = threading.active_count()
    server = live(app, connections=20, grace_time=0.0, queue_time=60.0)
    silent = [RawClient(server.port) for _ in range(200)]
    try:
        client = connect(server)
        client.send(GET)
        assert client.reply().startswith(b"HTTP/1.1 200 ")
        assert threading.active_count() - before < 30
        closed = sum(one.rest() == b"" for one in silent[:100])
    finally:
        for one in silent:
            one.socket.close()
    assert closed == 100


def test_where_all_are_busy_others_are_told_to_come_again(live, connect, app):
    """Waiting without end looks like a server that is dead; 503 is retried by the official clients."""
    hold = Delivery(
        status=200, writes=(Write(data=b"a"), Write(data=b"b", delay=60.0)), is_stream=True
    )
    busy = FakeApp(hold)
    busy.refuse = app.refuse
    server = live(busy, connections=2, queue_time=0.05)
    clients = [connect(server) for _ in range(2)]
    for client in clients:
        client.send(GET)
        client.until(b"a\r\n")
    for _ in range(3):
        late = connect(server)
        late.send(GET)
        status, fields, body = parted(late.rest())
        assert (status, "retry-after: 1" in fields) == (503, True)
        assert json.loads(body)["error"]["message"] == (
            "The server is at its limit of 2 connections. Please try again later."
        )
    clients[0].socket.close()
    busy.delivery = Delivery(status=200, writes=(Write(data=b"ok"),))
    end = time.monotonic() + 10
    while True:
        again = connect(server)
        again.send(GET)
        if parted(again.reply())[0] == 200:
            break
        assert time.monotonic() < end, "there was no room again"


def test_who_never_reads_is_given_up(live, fake_app, connect):
    """Its connection is reset; the rest of the stream is not kept for it."""
    fake_app.delivery = Delivery(
        status=200, writes=tuple(Write(data=b"x" * 1_000_000) for _ in range(40)), is_stream=True
    )
    server = live(fake_app, write_time=0.05)
    client = connect(server)
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    client.send(GET * 3)
    end = time.monotonic() + 10
    while not fake_app.outcomes:
        assert time.monotonic() < end, "it was not given up"
        threading.Event().wait(0.01)
    assert [outcome.value for outcome in fake_app.outcomes] == ["failed"]
    other = connect(server)
    fake_app.delivery = Delivery(status=200, writes=(Write(data=b"ok"),))
    other.send(GET)
    assert other.reply().endswith(b"ok")


# --- many at once --------------------------------------------------------------------------------


def test_a_thousand_pipelined_requests_are_answered_in_order(live, connect):
    """They arrive in a few packets: none is lost, doubled, or read as the body of another."""

    class Counting(FakeApp):
        def handle(self, incoming):
            self.delivery = Delivery(status=200, writes=(Write(data=incoming.path.encode()),))
            return super().handle(incoming)

    client = connect(live(Counting()))
    sender = threading.Thread(
        target=client.send,
        args=(b"".join(b"GET /%04d HTTP/1.1\r\n\r\n" % number for number in range(1000)),),
    )
    sender.start()
    answers = [client.reply()[-5:] for _ in range(1000)]
    sender.join()
    assert answers == [b"/%04d" % number for number in range(1000)]


def test_a_chunk_extension_is_skipped_however_long_it_may_be(live, fake_app, connect):
    """It means nothing to anybody; over the limit of a line it is refused."""
    head = b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n"
    client = connect(live(fake_app))
    client.send(head + b"3;" + b"a=b;" * 100 + b"\r\nabc\r\n0\r\n\r\n")
    client.reply()
    assert fake_app.incoming[0].body == b"abc"
    client.send(head + b"3;" + b"a" * 200_000 + b"\r\nabc\r\n0\r\n\r\n")
    assert client.rest().startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 431 "))


# --- what a script says --------------------------------------------------------------------------


def test_an_error_with_such_a_field_is_refused_where_it_is_written():
    """Before anything is sent, with the line of the test."""
    with pytest.raises(BadArgument, match="names to lines of text, as in HTTP"):
        error(429, headers={"x-a": SPLIT})


SPLIT = "1\r\nset-cookie: stolen=1\r\n\r\n<html>"


@pytest.mark.parametrize(
    "written",
    [
        lambda script: script.reply(
            "Hello", fault=ProxyError(status=502, headers=(("x-a", SPLIT),))
        ),
        lambda script: script.reply(error(400, message=SPLIT)),
    ],
    ids=["a proxy's fields", "an error's text"],
)
def test_values_of_a_script_cannot_break_out_of_a_field(live, connect, written):
    """Values come from files and from tests' data: a line end in one must not begin a field."""
    scripts, script = Scripts(), Script()
    written(script)
    token = scripts.open(script)
    client = connect(live(App(Settings(), scripts)))
    body = b'{"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}'
    head = f"POST /{token}/v1/chat/completions HTTP/1.1\r\ncontent-length: {len(body)}\r\n\r\n"
    client.send(head.encode() + body)
    _, fields, _ = parted(client.reply())
    assert not [line for line in fields if line.startswith("set-cookie")]


@pytest.mark.parametrize("name", ["gpt\r\nset-cookie: a=b", "gpt\x00", "gpt\u2028", "模型"])
def test_names_of_a_request_cannot_break_out_of_a_field(live, connect, name):
    """Some services send the model back in a field; the body has it as JSON alone."""
    client = connect(live(App(Settings(), Scripts())))
    body = json.dumps({"model": name, "messages": [{"role": "user", "content": "hi"}]}).encode()
    client.send(
        b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    )
    status, fields, answered = parted(client.reply())
    assert (status, json.loads(answered)["model"]) == (200, name)
    assert not [line for line in fields if line.startswith("set-cookie")]
