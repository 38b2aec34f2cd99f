"""The apps for servers of other people: the same answers under uvicorn, gunicorn and granian."""

import asyncio
import importlib.util
import io
import json
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from doubles import HELLO, FakeApp, RawClient
from serving import server_environment

from mockchat.errors import MockchatError
from mockchat.exchange import Delivery, Ending, Incoming, Outcome, Write
from mockchat.hosted import BadVariable, application_of_environment
from mockchat.server.app import App
from mockchat.server.asgi import AsgiApp
from mockchat.server.engine.server import EngineServer
from mockchat.server.hosting import BrokenOff
from mockchat.server.scenarios import ScenarioApp
from mockchat.server.wsgi import WsgiApp

PROJECT = Path(__file__).parents[2]
QUESTION = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
BODY = json.dumps(QUESTION).encode()
STREAM = json.dumps({**QUESTION, "stream": True}).encode()


# --- the interfaces ------------------------------------------------------------------------------


def asked_by_asgi(app, *, body=(b"",), leaves=False, **scope):
    """Return what an ASGI host is told, and whether it is left to break the connection."""
    incoming = [
        {"type": "http.request", "body": piece, "more_body": number + 1 < len(body)}
        for number, piece in enumerate(body)
    ]
    if leaves:
        incoming.append({"type": "http.disconnect"})
    sent = []

    async def receive():
        if incoming:
            return incoming.pop(0)
        return await asyncio.get_running_loop().create_future()

    async def send(message):
        sent.append(message)

    base = {
        "type": "http",
        "method": "POST",
        "path": "/v1/a b",
        "raw_path": b"/v1/a%20b",
        "query_string": b"x=%31",
        "headers": [(b"X-A", b"1"), (b"x-a", b"\xe4")],
    }
    try:
        asyncio.run(AsgiApp(app)({**base, **scope}, receive, send))
    except BrokenOff:
        sent.append("broken off")
    return sent


def asked_by_wsgi(app, *, body=b"", leaves=False, **environ):
    """Return what a WSGI host is told, and whether it is left to break the connection."""
    told = []
    base = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/v1/a b",
        "QUERY_STRING": "x=%31",
        "CONTENT_LENGTH": str(len(body)) if body else "",
        "CONTENT_TYPE": "",
        "HTTP_X_A": "1, \xe4",
        "wsgi.input": io.BytesIO(body),
    }
    reply = WsgiApp(app)({**base, **environ}, lambda *head: told.append(head))
    try:
        for piece in reply:
            told.append(piece)
            if leaves:
                break
    except BrokenOff:
        told.append("broken off")
    finally:
        reply.close()
    return told


def test_a_request_arrives_through_asgi_as_sent():
    """Path and query undecoded, names in lower case, the body in one piece."""
    app = FakeApp()
    sent = asked_by_asgi(app, body=(b"ab", b"c"))
    assert app.incoming == [
        Incoming(
            method="POST",
            path="/v1/a%20b",
            query="x=%31",
            headers=(("x-a", "1"), ("x-a", "ä")),
            body=b"abc",
        )
    ]
    fields = [(b"content-type", b"application/json"), (b"content-length", b"16")]
    assert sent == [
        {"type": "http.response.start", "status": 200, "headers": fields},
        {"type": "http.response.body", "body": HELLO.body, "more_body": False},
    ]
    assert app.outcomes == [Outcome.DELIVERED]


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        ({"raw_path": None, "path": "/v1/ä%"}, "/v1/%C3%A4%"),
        ({"root_path": "/mock", "raw_path": b"/mock/v1/models"}, "/v1/models"),
        ({"root_path": "/mock", "raw_path": b"/mock"}, "/"),
    ],
)
def test_asgi_hosts_tell_paths_in_their_own_ways(scope, path):
    """Some decode, some mount an app below a prefix."""
    app = FakeApp()
    asked_by_asgi(app, **scope)
    assert app.incoming[0].path == path


@pytest.mark.parametrize(
    ("environ", "path", "query"),
    [
        ({}, "/v1/a%20b", "x=%31"),
        ({"RAW_URI": "/v1/a%2Fb?y"}, "/v1/a%2Fb", "y"),
        ({"REQUEST_URI": "http://h/v1/x?z=1"}, "/v1/x", "z=1"),
        ({"RAW_URI": "/mock/v1", "SCRIPT_NAME": "/mock"}, "/v1", ""),
        ({"PATH_INFO": "/\xc3\xa4"}, "/%C3%A4", "x=%31"),
    ],
)
def test_wsgi_hosts_tell_paths_in_their_own_ways(environ, path, query):
    """PEP 3333 knows decoded paths alone; most hosts add the one that was sent."""
    app = FakeApp()
    asked_by_wsgi(app, **environ)
    assert (app.incoming[0].path, app.incoming[0].query) == (path, query)


def test_a_request_arrives_through_wsgi_as_far_as_wsgi_goes():
    """Repeated fields are joined by the host, the rest is as sent."""
    app = FakeApp()
    told = asked_by_wsgi(app, body=b"abc")
    incoming = app.incoming[0]
    assert (incoming.method, incoming.body) == ("POST", b"abc")
    assert set(incoming.headers) == {("x-a", "1, ä"), ("content-length", "3")}
    fields = [("content-type", "application/json"), ("content-length", "16")]
    assert told == [("200 OK", fields), HELLO.body]
    assert app.outcomes == [Outcome.DELIVERED]


@pytest.mark.parametrize(("size", "status"), [(1000, 200), (1001, 413)])
def test_a_body_over_the_limit_is_refused(size, status):
    """The limit is the app's, whoever reads the bytes."""
    for ask, body in (
        (asked_by_wsgi, b"x" * size),
        (asked_by_asgi, (b"x" * 600, b"x" * (size - 600))),
    ):
        told = ask(FakeApp(), body=body)[0]
        assert str(status) in str(told)
    chunked = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}
    source = io.BytesIO(b"x" * size)
    assert str(status) in str(asked_by_wsgi(FakeApp(), **chunked, **{"wsgi.input": source})[0])


TIMED = Delivery(
    status=200, writes=(Write(data=b"a", delay=0.02), Write(data=b"b", delay=0.02)), is_stream=True
)


@pytest.mark.parametrize("ask", [asked_by_asgi, asked_by_wsgi])
def test_writes_leave_one_by_one_in_their_time(ask):
    """A paced stream is paced under any host."""
    app, started = FakeApp(TIMED), time.monotonic()
    told = str(ask(app))
    assert time.monotonic() - started >= 0.04
    assert "b'a'" in told
    assert "b'b'" in told
    assert app.outcomes == [Outcome.DELIVERED]


@pytest.mark.parametrize("ask", [asked_by_asgi, asked_by_wsgi])
def test_a_client_that_leaves_is_noted(ask):
    """The journal tells it apart from a delivery, under any host."""
    app = FakeApp(TIMED)
    assert "b'b'" not in str(ask(app, leaves=True))
    assert app.outcomes == [Outcome.CLIENT_LEFT]


@pytest.mark.parametrize("ask", [asked_by_asgi, asked_by_wsgi])
@pytest.mark.parametrize("ending", [Ending.CUT, Ending.RESET])
def test_what_is_to_break_is_never_sent_whole(ask, ending):
    """A host cannot be told how to break a connection, but that the reply is none."""
    app = FakeApp(Delivery(status=200, writes=(Write(data=b"a"),), is_stream=True, ending=ending))
    told = ask(app)
    assert told[-1] == "broken off"
    assert "'more_body': False" not in str(told)


def test_asgi_hosts_may_begin_and_end_and_try_websockets():
    """Uvicorn asks for the lifespan first; a websocket is none of ours."""

    def talk(kind, *messages):
        waiting, sent = list(messages), []

        async def receive():
            return waiting.pop(0)

        async def send(message):
            sent.append(message)

        asyncio.run(AsgiApp(FakeApp())({"type": kind}, receive, send))
        return [message["type"] for message in sent]

    begin, end = {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}
    assert talk("lifespan", begin, end) == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
    assert talk("websocket", {"type": "websocket.connect"}) == ["websocket.close"]


# --- variables -----------------------------------------------------------------------------------


def test_variables_have_the_names_of_the_options(tmp_path):
    """Whoever knows `mockchat serve` knows what to set."""
    app = application_of_environment(
        {
            "MOCKCHAT_SEED": "7",
            "MOCKCHAT_KIND": "wild",
            "MOCKCHAT_SHAPE": "text=1 tool_calls=0.5",
            "MOCKCHAT_API_KEY": "one two",
            "MOCKCHAT_VARY_REPEATS": "1",
            "MOCKCHAT_REQUESTS_PER_MINUTE": "9",
            "PATH": "/bin",
        }
    )
    assert isinstance(app, App)
    settings = app._settings
    assert (settings.seed, settings.kind, settings.vary_repeats) == (7, "wild", True)
    assert settings.shapes == {"text": 1.0, "tool_calls": 0.5}
    assert settings.api_keys == ("one", "two")
    assert settings.limits.requests == 9

    files = [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    for file in files:
        file.write_text("stubs:\n  - reply: hello\n")
    app = application_of_environment({"MOCKCHAT_SCENARIO": ":".join(map(str, files))})
    assert isinstance(app, ScenarioApp)
    assert app.summary.startswith("a.yaml, b.yaml")


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("MOCKCHAT_KIND", "tame", "'tame' is not one of 'plain', 'wild'."),
        ("MOCKCHAT_SEED", "x", "'x' is not a valid integer."),
        ("MOCKCHAT_VARY_REPEATS", "yes", "'yes' is neither 1 nor 0"),
        ("MOCKCHAT_SHAPE", "text", "'text' has no weight: write NAME=WEIGHT, as tool_calls=0.3"),
    ],
)
def test_a_wrong_value_is_told_with_the_name_of_its_variable(variable, value, said):
    """The log of a container that does not start is all there is to go by."""
    with pytest.raises(BadVariable) as caught:
        application_of_environment({variable: value})
    assert str(caught.value) == f"{variable}: {said}"


def test_a_fault_that_breaks_the_connection_is_refused_at_start(tmp_path):
    """A host would send it whole, and the client would seem to be proven."""
    file = tmp_path / "cut.yaml"
    file.write_text("stubs:\n  - reply: hello\n    fault: {CutStream: {after_chunks: 1}}\n")
    with pytest.raises(MockchatError, match=r"CutStream\(after_chunks=1\) cannot be played here"):
        application_of_environment({"MOCKCHAT_SCENARIO": str(file)})


# --- real hosts ----------------------------------------------------------------------------------

HOSTS = {
    "uvicorn": ["-m", "uvicorn", "mockchat.asgi:app", "--port", "{port}", "--log-level", "error"],
    "gunicorn": [
        *("-m", "gunicorn", "mockchat.wsgi:app", "--bind", "127.0.0.1:{port}"),
        *("--threads", "4", "--log-level", "error", "--no-control-socket"),
    ],
    "granian": [
        *("-m", "granian", "mockchat.asgi:app", "--interface", "asgi", "--no-log"),
        *("--port", "{port}"),
    ],
    "granian, WSGI": [
        *("-m", "granian", "mockchat.wsgi:app", "--interface", "wsgi", "--no-log"),
        *("--port", "{port}"),
    ],
}


@contextmanager
def hosted(name, tmp_path, **variables):
    """Run an app in a host of somebody else and give its port."""
    package = name.partition(",")[0]
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed here")
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    command = [sys.executable, *(word.format(port=port) for word in HOSTS[name])]
    environment = server_environment(**variables)
    with (tmp_path / "log").open("wb") as log:
        host = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=tmp_path)
    try:
        wait_for(port, host, tmp_path / "log")
        yield port
    finally:
        host.terminate()
        try:
            host.wait(20)
        except subprocess.TimeoutExpired:
            host.kill()
            host.wait()
            raise


def wait_for(port, host, log):
    """Wait until somebody listens."""
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert host.poll() is None, log.read_text()
            time.sleep(0.05)
        else:
            return
    raise AssertionError(log.read_text())


def asked(port, body, path="/v1/chat/completions"):
    """Return the status and the body of an answer."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", body, {"content-type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()


ASKED = {
    "a completion": (BODY, "/v1/chat/completions"),
    "a stream": (STREAM, "/v1/chat/completions"),
    "a refusal": (b'{"model": 1}', "/v1/chat/completions"),
    "no JSON": (b"{", "/v1/chat/completions"),
    "a large body": (BODY[:-1] + b" " * 100_000 + b"}", "/v1/chat/completions"),
    "nothing there": (None, "/v1/nothing%20there"),
    "models": (None, "/v1/models"),
}


@pytest.mark.parametrize("name", HOSTS)
def test_a_host_gives_the_answers_of_the_engine(name, tmp_path):
    """The purity law holds across servers: any replica, under any host, answers alike."""
    application = application_of_environment({"MOCKCHAT_SEED": "7"})
    with EngineServer(application) as ours:
        expected = {what: asked(ours.port, *how) for what, how in ASKED.items()}
    with hosted(name, tmp_path, MOCKCHAT_SEED="7") as port:
        found = {what: asked(port, *how) for what, how in ASKED.items()}
        client = RawClient(port)
        client.send(b"HEAD /v1/models HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        head = client.rest()
        client.socket.close()
    assert found == expected
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert head.endswith(b"\r\n\r\n")
    assert re.search(rb"(?i)\r\nx-request-id: req_", head)


def test_a_host_is_told_what_is_wrong(tmp_path):
    """It does not start, and its log names the variable."""
    if shutil.which("uvicorn") is None and importlib.util.find_spec("uvicorn") is None:
        pytest.skip("uvicorn is not installed here")
    run = subprocess.run(
        [sys.executable, "-m", "uvicorn", "mockchat.asgi:app", "--port", "0"],
        env=server_environment(MOCKCHAT_KIND="tame"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode
    said = "mockchat.hosted.BadVariable: MOCKCHAT_KIND: 'tame' is not one of 'plain', 'wild'."
    assert run.stderr.splitlines()[-1] == said
