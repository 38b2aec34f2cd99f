"""Targets that do their worst: each comes to an outcome, within the time, in little memory."""

import datetime as dt
import gzip
import socket
import ssl
import struct
import threading
import time
import tracemalloc

import pytest
import trustme
from click.testing import CliRunner
from test_target import ASK, HEAD, mute, peer, sending, trickle

from mockchat.cli_check import check
from mockchat.conformance import checking
from mockchat.conformance.answers import Answered, Failure
from mockchat.conformance.checks import judge
from mockchat.conformance.connecting import context_of
from mockchat.conformance.observed import Observed
from mockchat.conformance.probes import probes
from mockchat.conformance.report import Outcome, Report, Sending
from mockchat.conformance.target import Target
from mockchat.contract.contract import contract_for
from mockchat.errors import BadArgument
from mockchat.scripting.scripts import Scripts
from mockchat.server.app import App
from mockchat.server.settings import Settings
from mockchat.server.werkzeug_server import LiveServer

PIECE = b"x" * 65_536
GIBIBYTE = 2**30
SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
BOUND = 40 * 2**20
"""How much memory an answer may take, in bytes: what is read of it at most, a few times over."""


def endless(start, piece, count=16_384):
    """Return what sends a start, and then one piece again and again."""

    def act(_, connection):
        connection.sendall(start)
        for _ in range(count):
            connection.sendall(piece)

    return act


def framed(piece):
    """Return a piece as a chunk of HTTP."""
    return b"%x\r\n%b\r\n" % (len(piece), piece)


def resetting(start):
    """Return what sends a start and then breaks the connection."""

    def act(_, connection):
        connection.sendall(start)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return act


LENGTH = b"Content-Length: %d\r\n\r\n" % GIBIBYTE
EVENT = b"data: {}\n\n"
LATE = "no whole answer within 0.5 s"

WORST = {
    "a gibibyte of JSON with its length": (
        endless(HEAD + LENGTH, PIECE),
        Failure.TOO_LARGE,
        "more than 8388608 bytes",
    ),
    "a gibibyte of JSON in chunks": (
        endless(HEAD + CHUNKED, framed(PIECE)),
        Failure.TOO_LARGE,
        "more than 8388608 bytes",
    ),
    "a gibibyte of JSON until the end": (
        endless(HEAD + b"\r\n", PIECE),
        Failure.TOO_LARGE,
        "more than 8388608 bytes",
    ),
    "a gibibyte of events": (
        endless(SSE + CHUNKED, framed(EVENT * 6000)),
        Failure.TOO_LARGE,
        "more than 8388608 bytes",
    ),
    "one event of a gibibyte": (
        endless(SSE + CHUNKED + framed(b"data: "), framed(PIECE)),
        Failure.TOO_LARGE,
        "more than 8388608 bytes",
    ),
    "a gibibyte in a few bytes": (
        sending(HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(bytes(2**24))),
        Failure.TOO_LARGE,
        "more than 8388608 bytes, unpacked",
    ),
    "more lines than anybody reads": (
        sending(SSE + b"\r\n" + b"data: x\n\n" * 30_000),
        Failure.TOO_LARGE,
        "more than 50000 lines",
    ),
    "header fields without end": (
        endless(b"HTTP/1.1 200 OK\r\n", b"A: a\r\n", 1_000_000),
        Failure.NOT_HTTP,
        "more than 100 headers",
    ),
    "a header field without end": (
        endless(b"HTTP/1.1 200 OK\r\nA: ", PIECE),
        Failure.NOT_HTTP,
        "header line",
    ),
    "a status line without end": (endless(b"HTTP/1.1 200 ", PIECE), Failure.NOT_HTTP, "line"),
    "asked to continue for ever": (
        trickle(b"HTTP/1.1 100 Continue\r\n\r\n" * 100 + b"HTTP/1.1 10"),
        Failure.TIMEOUT,
        LATE,
    ),
    "a stream that never ends": (trickle(SSE + b"\r\n" + EVENT), Failure.TIMEOUT, LATE),
    "a trailer that never ends": (trickle(HEAD + CHUNKED + b"0\r\nA: "), Failure.TIMEOUT, LATE),
    "silence": (mute, Failure.TIMEOUT, LATE),
    "silence after the head": (
        lambda made, connection: (connection.sendall(HEAD + LENGTH), mute(made, connection)),
        Failure.TIMEOUT,
        LATE,
    ),
    "a reset before the answer": (resetting(b""), Failure.UNREACHABLE, "reset"),
    "a reset in the status line": (resetting(b"HTTP/1.1 2"), Failure.UNREACHABLE, "reset"),
    "a reset in the head": (resetting(HEAD), Failure.UNREACHABLE, "reset"),
    "a reset in the body": (resetting(HEAD + LENGTH + b"{"), Failure.CUT, "reset"),
    "a reset in a chunk": (resetting(HEAD + CHUNKED + b"9\r\n{"), Failure.CUT, ""),
    "garbage": (sending(bytes(range(256)) * 4), Failure.NOT_HTTP, "no HTTP response"),
    "nothing": (sending(b""), Failure.UNREACHABLE, "closed without an answer"),
}


@pytest.mark.parametrize("name", WORST)
def test_the_worst_has_an_outcome_in_little_memory(name):
    """A checker that hangs, dies or swallows the machine tells nothing about the target."""
    act, failure, detail = WORST[name]
    tracemalloc.start()
    try:
        with peer(act) as made:
            answered = Target(base_url=made.url, timeout=0.5).send(ASK)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # Which end of a connection is heard first where it is reset is the kernel's choice.
    lost = {Failure.UNREACHABLE, Failure.CUT}
    assert answered.failure is failure or {answered.failure, failure} <= lost
    assert detail in answered.detail or {answered.failure, failure} == lost
    assert peak < BOUND
    assert len(answered.body) < 2**20


def test_a_report_keeps_a_bounded_part_of_bodies(monkeypatch):
    """Four hundred answers of eight mebibytes are three gibibytes."""
    monkeypatch.setattr("mockchat.conformance.report._KEPT", 10_000)
    report = Report(profile="openai", level="observed", checks=frozenset())
    probe = probes(contract_for("openai"), model="gpt-4o-mini", depth="quick")[0]
    for _ in range(3):
        report.add(
            Sending(
                probe=probe,
                answered=Answered(status=200, body=b"x" * 6000),
                outcome=Outcome.ANSWERED,
                applied=frozenset(),
                findings=(),
            )
        )
    assert [len(each.answered.body) for each in report.sendings] == [6000, 4096, 4096]


def test_one_answer_is_told_of_within_reason():
    """A stream that breaks a rule in every line is one broken stream."""
    probe = next(
        each
        for each in probes(contract_for("openai"), model="gpt-4o-mini", depth="quick")
        if each.id == "stream.plain"
    )
    answered = Answered(
        status=200, headers=(("content-type", "text/event-stream"),), body=b"data: x\n\n" * 300
    )
    seen = Observed(probe=probe, answered=answered, contract=contract_for("openai"))
    found = [each for each in judge(seen)[1] if each.check == "stream.data-json"]
    assert len(found) == 100


def test_an_old_and_a_packed_answer_are_read():
    """What HTTP allows is no reason to fail: HTTP/1.0, and compression that nobody asked for."""
    old = b'HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{"a": 1}'
    packed = HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b'{"a": 1}')
    wrong = HEAD + b'Content-Encoding: gzip\r\n\r\n{"a": 1}'
    for data in (old, packed, wrong):
        with peer(sending(data)) as made:
            answered = Target(base_url=made.url).send(ASK)
        assert (answered.failure, answered.json) == (None, {"a": 1})


class Secure:
    """A server with a certificate; it answers every request alike."""

    def __init__(self, certificate):
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        certificate.configure_cert(self.context)

    def __call__(self, _, connection):
        """Answer one connection."""
        try:
            with self.context.wrap_socket(connection, server_side=True) as secured:
                while not secured.recv(65_536).endswith(b"{}"):
                    continue
                secured.sendall(HEAD + b"Content-Length: 2\r\n\r\n{}")
        except OSError:
            return  # the client did not trust us


class Listening:
    """A peer that leaves the first bytes to its act, as TLS needs."""

    def __init__(self, act):
        self.act = act
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self.serve)
        self.stopped = threading.Event()

    def serve(self):
        """Hand one connection to the act."""
        connection, _ = self.listener.accept()
        with connection:
            try:
                self.act(self, connection)
            except OSError:
                return

    def __enter__(self):
        self.thread.start()
        return f"https://localhost:{self.listener.getsockname()[1]}/v1"

    def __exit__(self, *_):
        self.stopped.set()
        socket.create_connection(self.listener.getsockname()).close()
        self.thread.join()
        self.listener.close()


LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
AUTHORITY = trustme.CA()
CERTIFICATES = {
    "signed by nobody known": (lambda: trustme.CA().issue_cert("localhost"), "certificate"),
    "of another host": (lambda: AUTHORITY.issue_cert("other.test"), "not valid for 'localhost'"),
    "expired": (
        lambda: AUTHORITY.issue_cert(
            "localhost", not_before=LONG_AGO, not_after=LONG_AGO + dt.timedelta(days=1)
        ),
        "expired",
    ),
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """Return the file of an authority to trust."""
    file = tmp_path_factory.mktemp("ca") / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(file))
    return file


@pytest.mark.parametrize("name", CERTIFICATES)
def test_a_certificate_not_to_trust_is_told(name, authority):
    """Whoever forgot the authority of the house must read so; --insecure asks for nothing."""
    made, told = CERTIFICATES[name]
    certificate = made()
    with Listening(Secure(certificate)) as url:
        answered = Target(base_url=url, ca_file=authority).send(ASK)
    assert answered.failure is Failure.TLS
    assert answered.detail.startswith("the certificate is not trusted: ")
    assert told in answered.detail
    with Listening(Secure(certificate)) as url:
        assert Target(base_url=url, is_verified=False).send(ASK).body == b"{}"


def test_a_certificate_of_an_authority_is_trusted(authority):
    """--ca-file is for the gateway of the house, whose authority no system knows."""
    with Listening(Secure(AUTHORITY.issue_cert("localhost"))) as url:
        assert Target(base_url=url, ca_file=authority).send(ASK).body == b"{}"


@pytest.mark.parametrize("trusts", [False, True])
def test_the_function_trusts_as_the_command_does(trusts, authority):
    """`mockchat.check` is the command in a suite: what one can be told, the other can."""
    secure = Secure(AUTHORITY.issue_cert("127.0.0.1"))
    with LiveServer(App(Settings(), Scripts()), tls=secure.context) as server:
        told = {"ca_file": authority} if trusts else {"retries": 1}
        report = checking.check(server.base_url, model="gpt-4o-mini", budget_requests=2, **told)
    statuses = {sending.answered.status for sending in report.sendings}
    assert statuses == ({200} if trusts else {None})


def test_a_handshake_byte_by_byte_ends():
    """Bytes that come one by one keep every single read alive, never the whole."""
    with Listening(trickle(b"\x16\x03\x03\x3f\xff")) as url:
        began = time.monotonic()
        answered = Target(base_url=url, timeout=0.5).send(ASK)
        taken = time.monotonic() - began
    assert (answered.failure, answered.detail) == (Failure.TIMEOUT, LATE)
    assert taken < 30


def test_https_and_http_mixed_up_is_told():
    """One letter in a URL is the most common mistake after the port."""
    with peer(sending(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as made:
        answered = Target(base_url=made.url.replace("http:", "https:")).send(ASK)
    assert answered.detail == "no TLS is spoken there; is it an http URL?"
    with peer(sending(b"\x15\x03\x01\x00\x02\x02\x46")) as made:
        answered = Target(base_url=made.url).send(ASK)
    assert answered.detail == "TLS is spoken there; is it an https URL?"


def test_a_name_that_nobody_knows_is_told(monkeypatch):
    """A typing error in the host's name is told as one, and a resolver that hangs does not hang us."""

    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    answered = Target(base_url="http://nowhere.test/v1").send(ASK)
    assert answered.failure is Failure.UNREACHABLE
    assert answered.detail == "the name of the host is not known (Name or service not known)"
    asked = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: asked.wait() and [])
    answered = Target(base_url="http://slow.test/v1", timeout=0.1).send(ASK)
    asked.set()
    assert answered.failure is Failure.TIMEOUT


def test_the_next_address_is_tried(monkeypatch):
    """`localhost` is two addresses, and many servers listen at one of them."""
    with peer(sending(HEAD + b"Content-Length: 2\r\n\r\n{}")) as made:
        port = made.listener.getsockname()[1]
        with socket.create_server(("127.0.0.1", 0)) as closed:
            nobody = closed.getsockname()[1]
        kind = (socket.AF_INET, socket.SOCK_STREAM, 0, "")
        found = [(*kind, ("127.0.0.1", nobody)), (*kind, ("127.0.0.1", port))]
        real, names = socket.getaddrinfo, {"two.test": found, "none.test": []}
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda host, *rest, **more: names.get(host) or real(host, *rest, **more),
        )
        assert Target(base_url="http://two.test/v1").send(ASK).body == b"{}"


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_a_file_without_authorities_is_refused(tmp_path, text):
    """A wrong file that is ignored would show as a certificate not to trust."""
    file = tmp_path / "ca.pem"
    if text is not None:
        file.write_text(text)
    with pytest.raises(BadArgument, match="a file of certificates in PEM form"):
        Target(base_url="https://localhost/v1", ca_file=file)
    assert context_of(None, True) is context_of(None, True)


@pytest.mark.parametrize(
    ("data", "told", "status"),
    [
        (None, "the target does not answer (unreachable): the connection is refused", 2),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "the target does not answer (not HTTP): no HTTP response", 2),
        (
            b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /v1/chat/completions\r\n\r\n",
            "the simplest request is redirected to '/v1/chat/completions' (status 307)",
            1,
        ),
    ],
)
def test_the_command_says_why_it_could_not_judge(data, told, status):
    """Exit status 2 and one line that says what to look at, not thirty findings."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        stopped = threading.Event()

        def serve():
            while not stopped.is_set():
                connection, _ = listener.accept()
                with connection:
                    if data is not None and connection.recv(65_536):
                        connection.sendall(data)

        thread = threading.Thread(target=serve)
        if data is None:
            listener.close()
        else:
            thread.start()
        result = CliRunner().invoke(check, [url, "--model", "m"])
        stopped.set()
        if data is not None:
            socket.create_connection(listener.getsockname()).close()
            thread.join()
    assert result.exit_code == status, result.output
    assert f"ended early: {told}" in result.output
