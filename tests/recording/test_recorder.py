"""`mockchat record` between a client and a real server: live, whole, and silent about keys."""

import gzip
import json
import re
import socket
import threading
import time
import urllib.request
from contextlib import contextmanager

import openai
import pytest
import trustme
from recorded_samples import CONTRACT, QUESTION, delivered, planned, serving_file

from mockchat import CutStream, MockServer, Pacing, by_word, error
from mockchat.errors import BadArgument
from mockchat.recording.book import Book
from mockchat.recording.recorder import Recorder
from mockchat.recording.redaction import Redaction
from mockchat.recording.upstream import Upstream
from mockchat.scripting.scenario import read_scenario
from mockchat.scripting.scripts import Scripts
from mockchat.server.app import App
from mockchat.server.settings import Settings
from mockchat.server.tls import server_context
from mockchat.server.werkzeug_server import LiveServer

KEY = "sk-very-secret-4711"
WAIT = 10
STREAM = {**QUESTION, "stream": True}


class Noted:
    """The exchanges a recorder has told of, to be waited for."""

    def __init__(self):
        self.exchanges, self.notes = [], []
        self._changed = threading.Condition()

    def __call__(self, exchange, notes):
        """Take note of one."""
        with self._changed:
            self.exchanges.append(exchange)
            self.notes.append(notes)
            self._changed.notify_all()

    def wait(self, count):
        """Wait until so many exchanges are written down."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.exchanges) >= count, WAIT)


@contextmanager
def recording(path, base_url, *, rules=(), **options):
    """Give a recorder's base URL, and what it notes."""
    noted = Noted()
    recorder = Recorder(
        Upstream(base_url=base_url, **options),
        Book(path, CONTRACT, redaction=Redaction.of_rules(rules)),
        CONTRACT,
        body_limit=1 << 20,
        noted=noted,
    )
    with LiveServer(recorder) as server:
        yield server.base_url, noted


@pytest.fixture(scope="module")
def real_server():
    """Give one server for the tests of this module."""
    with MockServer() as server:
        yield server


def whole_request(connection):
    """Read a request to its end: bytes left unread would reset the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(re.search(rb"(?i)content-length: ([0-9]+)", head)[1])
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def canned(*answers):
    """Give the base URL of a server that sends these bytes, one connection each, and what came."""
    came = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            for parts, resets in answers:
                connection, _ = listener.accept()
                with connection:
                    came.append(whole_request(connection))
                    for part in parts:
                        connection.sendall(part)
                    if resets:
                        linger = b"\x01\0\0\0\0\0\0\0"
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/real/v9", came
        thread.join(WAIT)


def client_of(base_url):
    """Return the SDK as an application has it."""
    return openai.OpenAI(base_url=base_url, api_key=KEY, max_retries=0)


def post(base_url, body, **fields):
    """Return status, fields and bytes of an answer."""
    request = urllib.request.Request(
        f"{base_url}/chat/completions?api-key={KEY}&version=1",
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json", **fields},
    )
    try:
        with urllib.request.urlopen(request, timeout=WAIT) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.headers, refused.read()


def test_the_sdk_is_recorded_and_gets_the_same_again(tmp_path, real_server):
    """The whole way: a client, a recorder, a real server; then the file alone."""
    path = tmp_path / "recording.yaml"
    pacing = Pacing(ttft=0.05, inter_token=0.01)
    text = f"Oslo is in Norway, {KEY} is no place"
    with real_server.script() as real, recording(path, real.base_url) as (base_url, noted):
        real.reply(text, plan=by_word(), pacing=pacing)
        real.reply(text)
        real.reply(error(429, retry_after=3))
        client = client_of(base_url)
        chunks = list(client.chat.completions.create(**STREAM))
        noted.wait(1)
        whole = client.chat.completions.create(**QUESTION)
        noted.wait(2)
        with pytest.raises(openai.RateLimitError):
            client.chat.completions.create(**QUESTION, n=2)
        noted.wait(3)
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert (said, whole.choices[0].message.content) == (text, text)
    assert noted.exchanges[0].ended in {"whole", "client left"}
    written = path.read_text()
    assert KEY not in written
    assert "Oslo is in Norway" in written
    app = serving_file(path)
    stream, plain, refused = (delivered(app, exchange.request) for exchange in noted.exchanges)
    assert b"".join(plain.body.split(b"[redacted]")) == b"".join(
        noted.exchanges[1].reply_body.split(KEY.encode())
    )
    assert (refused.status, dict(refused.headers)["retry-after"]) == (429, "3")
    assert stream.body.endswith(b"data: [DONE]\n\n")
    wanted = [
        seconds for seconds, data in noted.exchanges[0].pieces for _ in data.split(b"\n\n")[1:]
    ]
    assert planned(stream) == pytest.approx(wanted, abs=0.02)


def test_a_stream_is_passed_on_before_it_is_whole(tmp_path):
    """A recorder that waits for the end would make every client look slow."""
    path = tmp_path / "recording.yaml"
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
    goes_on = threading.Event()

    def parts():
        yield head + b'data: {"choices": []}\n\n'
        goes_on.wait(WAIT)
        yield b"data: [DONE]\n\n"

    with canned((parts(), False)) as (url, _), recording(path, url) as (base_url, noted):
        request = urllib.request.Request(
            f"{base_url}/chat/completions", data=json.dumps(STREAM).encode()
        )
        with urllib.request.urlopen(request, timeout=WAIT) as response:
            assert response.readline() == b'data: {"choices": []}\n'
            goes_on.set()
            assert response.read() == b"\ndata: [DONE]\n\n"
        noted.wait(1)
    assert noted.exchanges[0].reply_body == b'data: {"choices": []}\n\ndata: [DONE]\n\n'


@pytest.mark.parametrize(("reset", "ended"), [(False, "cut"), (True, "reset")])
def test_a_stream_that_breaks_off_breaks_off_at_the_client(tmp_path, real_server, reset, ended):
    """The client must see what it would see without a recorder between."""
    path = tmp_path / "recording.yaml"
    with real_server.script() as real, recording(path, real.base_url) as (base_url, noted):
        # The pause lets what was sent arrive before a reset takes it away.
        real.reply(
            "Hello, world",
            plan=by_word(),
            pacing=Pacing(inter_token=0.05),
            fault=CutStream(after_chunks=2, reset=reset),
        )
        with pytest.raises(openai.APIConnectionError):
            list(client_of(base_url).chat.completions.create(**STREAM))
        noted.wait(1)
    assert noted.exchanges[0].ended in {ended, "cut"}
    again = delivered(serving_file(path), noted.exchanges[0].request)
    assert again.ending.value == noted.exchanges[0].ended


def test_a_client_that_leaves_ends_the_request_at_the_real_server(tmp_path):
    """Tokens that nobody reads cost money."""
    path = tmp_path / "recording.yaml"
    left = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            connection, _ = listener.accept()
            with connection:
                whole_request(connection)
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
                connection.sendall(b'data: {"choices": []}\n\n')
                connection.settimeout(WAIT)
                if not connection.recv(1):
                    left.set()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        with recording(path, url) as (base_url, noted):
            request = urllib.request.Request(
                f"{base_url}/chat/completions", data=json.dumps(STREAM).encode()
            )
            with urllib.request.urlopen(request, timeout=WAIT) as response:
                response.readline()
            assert left.wait(WAIT)
            noted.wait(1)
        thread.join(WAIT)
    assert noted.exchanges[0].ended == "client left"
    assert "client left" in path.read_text()


def test_fields_for_the_next_machine_alone_are_not_passed_on(tmp_path):
    """Hop-by-hop fields passed on break connections; bodies must not be compressed."""
    path = tmp_path / "recording.yaml"
    body = json.dumps({"error": {"message": "No."}}).encode()
    head = (
        f"HTTP/1.1 400 Bad\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        "connection: close, x-hop\r\nkeep-alive: 5\r\nx-hop: 1\r\nx-end: 2\r\n\r\n"
    ).encode()
    with (
        canned(([head + body], False)) as (url, came),
        recording(path, url, headers={"Authorization": "Bearer other"}) as (base_url, noted),
    ):
        status, headers, answer = post(base_url, QUESTION, TE="trailers", Authorization=KEY)
        noted.wait(1)
    assert (status, answer, headers["x-end"], headers["x-hop"]) == (400, body, "2", None)
    sent = came[0].decode().lower()
    assert sent.startswith(f"post /real/v9/chat/completions?api-key={KEY}&version=1 http/1.1\r\n")
    assert "\r\nte:" not in sent
    assert "\r\naccept-encoding: identity\r\n" in sent
    assert sent.count("authorization:") == 1
    assert "authorization: bearer other" in sent
    assert KEY not in path.read_text()


def test_a_compressed_answer_is_passed_on_as_it_is_and_written_as_it_reads(tmp_path):
    """Some servers compress whatever they are asked."""
    path = tmp_path / "recording.yaml"
    events = b'data: {"choices": []}\n\ndata: [DONE]\n\n'
    packed = gzip.compress(events)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: gzip\r\n\r\n"
    with canned(([head + packed], False)) as (url, _), recording(path, url) as (base_url, noted):
        _, headers, answer = post(base_url, STREAM)
        noted.wait(1)
    assert (answer, headers["content-encoding"]) == (packed, "gzip")
    assert noted.exchanges[0].reply_body == events
    assert "Verbatim" not in path.read_text()


def test_a_real_server_that_is_not_there_is_told_in_the_apis_words(tmp_path):
    """A client shows the message; a traceback in a log helps nobody."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}/v1"
    with (
        recording(tmp_path / "recording.yaml", url) as (base_url, _),
        pytest.raises(openai.InternalServerError) as caught,
    ):
        client_of(base_url).chat.completions.create(**QUESTION)
    assert caught.value.status_code == 502
    assert caught.value.body["code"] == "mockchat_upstream_failed"
    reason = "the connection is refused: nothing listens at this port"
    assert caught.value.body["message"] == f"The upstream {url} gave no answer: {reason}."


def test_an_answer_that_is_too_large_is_passed_on_only(tmp_path, monkeypatch):
    """A recorder must not fill the memory of a machine."""
    monkeypatch.setattr("mockchat.recording.upstream.LARGEST", 1000)
    path = tmp_path / "recording.yaml"
    body = b'"' + b"x" * 5000 + b'"'
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n"
    with canned(([head + body], False)) as (url, _), recording(path, url) as (base_url, noted):
        assert post(base_url, QUESTION)[2] == body
        noted.wait(1)
    assert "too large" in noted.notes[0][0]
    assert read_scenario(path).stubs == 0


def test_equal_requests_at_once_are_all_answered(tmp_path, real_server):
    """A suite runs in parallel."""
    path = tmp_path / "recording.yaml"
    with real_server.script() as real, recording(path, real.base_url) as (base_url, noted):
        real.reply("Hello").times(8)
        threads = [threading.Thread(target=post, args=(base_url, QUESTION)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WAIT)
        noted.wait(8)
    assert read_scenario(path).stubs == 1
    read_scenario(path).check()


def test_an_url_that_is_none_is_refused():
    """Before anything listens."""
    with pytest.raises(BadArgument, match="URL is"):
        Upstream(base_url="api.openai.com")


@pytest.mark.parametrize(
    ("base_url", "path", "target"),
    [
        ("https://api.openai.com/v1", "/v1/models", "/v1/models"),
        ("https://api.openai.com/v1/", "/chat/completions", "/v1/chat/completions"),
        ("https://api.groq.com/openai/v1", "/v1/models", "/openai/v1/models"),
        ("https://api.groq.com/openai/v1", "/openai/v1/models", "/openai/v1/models"),
        ("http://localhost:8000", "/v1/models", "/models"),
        ("https://api.openai.com/v1", "/v1beta", "/v1/v1beta"),
    ],
)
def test_paths_are_those_of_the_real_server(base_url, path, target):
    """A client is given our base URL in place of the real one, and nothing else changes."""
    assert Upstream(base_url=base_url).target(path, "") == target
    assert Upstream(base_url=base_url).target(path, "a=1") == f"{target}?a=1"


def test_a_recorder_stops_with_a_stream_on_its_way(tmp_path):
    """Ctrl+C must not wait for a model that thinks."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: {}\n\n"
    stopped = threading.Event()

    def parts():
        yield head
        stopped.wait(WAIT)

    with canned((parts(), False)) as (url, _):
        with recording(tmp_path / "recording.yaml", url) as (base_url, noted):
            request = urllib.request.Request(
                f"{base_url}/chat/completions", data=json.dumps(STREAM).encode()
            )
            response = urllib.request.urlopen(request, timeout=WAIT)
            response.readline()
            began = time.monotonic()
        assert time.monotonic() - began < WAIT
        stopped.set()
        response.close()
    noted.wait(1)


def test_a_real_server_is_trusted_by_the_authority_that_was_named(tmp_path, real_server):
    """Gateways inside a company have certificates of their own."""
    path = tmp_path / "recording.yaml"
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
        tmp_path / "server.pem"
    )
    tls = server_context(tmp_path / "server.pem", None)
    app = App(Settings(), Scripts())
    with LiveServer(app, tls=tls) as real:
        with recording(path, real.base_url, ca_file=tmp_path / "ca.pem") as (base_url, noted):
            chunks = list(client_of(base_url).chat.completions.create(**STREAM))
            noted.wait(1)
        with recording(tmp_path / "other.yaml", real.base_url) as (base_url, _):
            status, _, answer = post(base_url, QUESTION)
    assert len(chunks) > 2
    assert read_scenario(path).stubs == 1
    assert (status, b"--ca-file names an authority to trust" in answer) == (502, True)
