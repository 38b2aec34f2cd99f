"""A target may do anything: every answer ends, in time and in bounds, with what went wrong."""

import re
import socket
import threading
from contextlib import contextmanager

import pytest

from mockchat.conformance.answers import Answered, Failure, Sent
from mockchat.conformance.as_curl import as_curl
from mockchat.conformance.target import Target
from mockchat.errors import BadArgument
from mockchat.server.mock_server import MockServer

ASK = Sent(path="/chat/completions", body=b"{}")
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class Peer:
    """A server that reads a request's head and then does what a test says."""

    def __init__(self, act):
        self.act = act
        self.stopped = threading.Event()
        self.heads = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    @property
    def url(self):
        """The base URL."""
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/v1"

    def serve(self):
        """Answer one connection."""
        connection, _ = self.listener.accept()
        with connection:
            self.heads.append(whole_request(connection))
            try:
                self.act(self, connection)
            except OSError:
                return  # the client has left: that is what some tests are about

    def stop(self):
        """End the thread, whether or not somebody came."""
        self.stopped.set()
        socket.create_connection(self.listener.getsockname()).close()
        self.thread.join()
        self.listener.close()


def whole_request(connection):
    """Read a request to its end: a socket that is closed with bytes unread resets the connection."""
    data = connection.recv(65_536)
    while data[:1].isalpha() and b"\r\n\r\n" not in data:
        data += connection.recv(65_536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int((re.findall(rb"content-length: (\d+)", head) or [b"0"])[0])
    while len(body) < length:
        body += connection.recv(65_536)
    return head


@contextmanager
def peer(act):
    """Give a peer for one test."""
    made = Peer(act)
    try:
        yield made
    finally:
        made.stop()


def sending(data):
    """Return what sends bytes and closes."""
    return lambda _, connection: connection.sendall(data)


def trickle(start):
    """Return what sends a byte again and again, never an end."""

    def act(made, connection):
        connection.sendall(start)
        while not made.stopped.wait(0.01):
            connection.sendall(b"1")

    return act


def mute(made, _):
    """Say nothing until the test is over."""
    made.stopped.wait()


def flood(_, connection):
    """Send without end."""
    connection.sendall(HEAD + b"\r\n")
    while True:
        connection.sendall(b"x" * 65_536)


OUTCOMES = {
    "closed at once": (sending(b""), Failure.UNREACHABLE, "closed without an answer"),
    "not HTTP": (sending(b"220 mail.example ESMTP\r\n"), Failure.NOT_HTTP, "no HTTP response"),
    "a status of letters": (sending(b"HTTP/1.1 abc\r\n\r\n"), Failure.NOT_HTTP, "abc"),
    "a header without end": (
        sending(b"HTTP/1.1 200 OK\r\nA: " + b"a" * 70_000),
        Failure.NOT_HTTP,
        "header line",
    ),
    "cut by length": (
        sending(HEAD + b"Content-Length: 10\r\n\r\n{}"),
        Failure.CUT,
        "8 of the announced bytes are missing",
    ),
    "cut in chunks": (
        sending(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{}"),
        Failure.CUT,
        "before the last chunk",
    ),
    "a chunk size of letters": (
        sending(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}"),
        Failure.CUT,
        "before the last chunk",
    ),
    "never a byte": (mute, Failure.TIMEOUT, "within 0.3 s"),
    "a head byte by byte": (trickle(b"HTTP/1.1 200 O"), Failure.TIMEOUT, "within 0.3 s"),
    "a body byte by byte": (trickle(HEAD + b"\r\n"), Failure.TIMEOUT, "within 0.3 s"),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_whatever_a_target_does_has_an_outcome(name):
    """A checker that hangs or crashes says nothing about the server."""
    act, failure, detail = OUTCOMES[name]
    with peer(act) as made:
        answered = Target(base_url=made.url, timeout=0.3).send(ASK)
    assert answered.failure is failure
    assert detail in answered.detail


def test_a_body_without_end_is_not_kept():
    """A target that sends a gigabyte must not fill the memory of who looks at it."""
    with peer(flood) as made:
        answered = Target(base_url=made.url, largest=100_000).send(ASK)
    assert answered.failure is Failure.TOO_LARGE
    assert answered.body == b"x" * 4096
    assert answered.detail == "more than 100000 bytes"


def test_a_redirect_is_an_answer():
    """A redirect followed for ever would be a loop; SDKs are told the URL itself."""
    with peer(sending(b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /v1\r\n\r\n")) as made:
        answered = Target(base_url=made.url).send(ASK)
    assert (answered.status, answered.failure) == (307, None)
    assert not answered.is_success
    assert not answered.is_refusal


def test_nobody_there():
    """The most common mistake is a wrong port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    answered = Target(base_url=f"http://127.0.0.1:{port}/v1").send(ASK)
    assert answered.failure is Failure.UNREACHABLE
    assert "refused" in answered.detail


def test_a_certificate_that_is_none():
    """Who speaks no TLS is told apart from who is not there."""
    with peer(sending(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as made:
        answered = Target(base_url=made.url.replace("http:", "https:")).send(ASK)
    assert answered.failure is Failure.TLS


@pytest.mark.parametrize(
    "url", ["ftp://a/v1", "localhost:8000", "http://", "http://a:0/", "http://["]
)
def test_a_url_that_is_none_is_refused(url):
    """What to write is said before anything is sent."""
    with pytest.raises(BadArgument, match="an http or https URL such as"):
        Target(base_url=url)


def test_a_fragment_is_refused():
    """It would be left out in silence."""
    with pytest.raises(BadArgument, match="one without #"):
        Target(base_url="http://localhost:8000/v1#x")


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/models", "/v1/models?api-version=2024-10-21&a=%20"),
        ("/models?limit=2", "/v1/models?api-version=2024-10-21&a=%20&limit=2"),
    ],
)
def test_the_query_of_a_base_url_is_sent_with_every_request(path, asked):
    """Azure's deployments answer 404 without `api-version`."""
    sent = Sent(method="GET", path=path)
    with peer(sending(b"HTTP/1.1 204 No Content\r\n\r\n")) as made:
        url = f"{made.url}/?api-version=2024-10-21&a=%20"
        Target(base_url=url).send(sent)
    assert made.heads[0].decode().split("\r\n")[0] == f"GET {asked} HTTP/1.1"
    assert f"'{url.partition('/v1')[0]}{asked}'" in as_curl(sent, url)


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_timeout_that_is_none_is_refused(timeout):
    """Never to wait is never to hear."""
    with pytest.raises(BadArgument, match="seconds above 0"):
        Target(base_url="http://localhost:1/v1", timeout=timeout)


def test_fields_of_run_and_probe():
    """A probe may leave the key out, or say it otherwise; nothing else is sent twice."""
    sent = Sent(method="GET", path="/models", headers=(("X-A", "2"),), drops=frozenset({"api-key"}))
    with peer(sending(b"HTTP/1.1 204 No Content\r\n\r\n")) as made:
        headers = {"Authorization": "Bearer k", "api-key": "k", "x-a": "1"}
        answered = Target(base_url=f"{made.url}/", headers=headers).send(sent)
    lines = made.heads[0].decode().split("\r\n")
    assert lines[0] == "GET /v1/models HTTP/1.1"
    assert {line.lower() for line in lines[2:] if line} == {
        "user-agent: mockchat-check",
        "accept: */*",
        "accept-encoding: identity",
        "connection: close",
        "authorization: bearer k",
        "x-a: 2",
    }
    assert answered.status == 204
    assert "Bearer" not in repr(Target(base_url="http://a/v1", headers=headers))


def test_a_server_of_ours_answers():
    """Bodies of known length and bodies in chunks both come whole, with the time they took."""
    with MockServer() as server, server.script(unmatched="generate") as script:
        target = Target(base_url=script.base_url)
        answers = [
            target.send(Sent(path="/chat/completions", body=body % b"hi"))
            for body in (
                b'{"model": "gpt-4o", "messages": [{"role": "user", "content": "%s"}]}',
                b'{"model": "gpt-4o", "stream": true, "messages": [{"role": "user", "content": "%s"}]}',
            )
        ]
    assert [answer.content_type for answer in answers] == ["application/json", "text/event-stream"]
    assert answers[0].json["object"] == "chat.completion"
    assert answers[1].body.endswith(b"data: [DONE]\n\n")
    assert all(0 < answer.first_byte <= answer.seconds for answer in answers)
    assert "chat.completion" not in repr(answers[0])


def test_an_answer_that_never_came_is_nothing():
    """Checks ask every answer the same questions."""
    nothing = Answered()
    assert (nothing.content_type, nothing.json) == ("", None)
    assert not nothing.is_success
    assert not nothing.is_refusal
