"""The live server on raw sockets: framing, limits, endings, and nothing left behind."""

import errno
import http.client
import pickle
import re
import socket
import struct
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from doubles import HELLO, FakeApp, RawClient, raw
from waiting import wait_for

from mockchat.errors import BadArgument, MockchatError
from mockchat.exchange import Delivery, Ending, Incoming, Outcome, Write
from mockchat.server.framing import Limits
from mockchat.server.listening import CannotListen
from mockchat.server.reading import RequestReader
from mockchat.server.ticket import Ticket
from mockchat.server.werkzeug_server import LiveServer, ThreadedServer

GET = b"GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n"
HELLO_BODY = b'{"hello": true}\n'


WERKZEUG = pytest.mark.parametrize("engine", [LiveServer], ids=["werkzeug"])
"""What is true of one engine alone: how its threads and its sockets are used."""


def stream(*pieces, delay=0.0, ending=Ending.COMPLETE):
    """Make a stream of pieces, a delay before each but the first."""
    writes = tuple(
        Write(data=piece, delay=delay if position else 0.0) for position, piece in enumerate(pieces)
    )
    return Delivery(status=200, writes=writes, is_stream=True, ending=ending)


def silent(server):
    """Count the connections that are between requests."""
    if isinstance(server, LiveServer):
        return len(server._server._idle)
    return len(server._engine.idle._since)


# --- requests ------------------------------------------------------------------------------------


def test_a_request_arrives_as_sent(live, fake_app, connect):
    """Path and query undecoded, names in lower case, repeated fields in order: matchers see these."""
    client = connect(live(fake_app))
    client.send(
        b"POST /v1/a%20b?x=%31&y HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nx-a:  2 \r\n"
        b"Content-Length: 3\r\n\r\nabc"
    )
    client.reply()
    assert fake_app.incoming == [
        Incoming(
            method="POST",
            path="/v1/a%20b",
            query="x=%31&y",
            headers=(("host", "h"), ("x-a", "1"), ("x-a", "2"), ("content-length", "3")),
            body=b"abc",
        )
    ]


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"http://other.example/v1/x?a=b", "/v1/x", "a=b"),
        (b"http://other.example", "/", ""),
        (b"*", "*", ""),
        (b"//double/slash", "/double/slash", ""),
        (b"/a?b?c", "/a", "b?c"),
    ],
)
def test_targets_of_every_form_become_a_path(live, fake_app, connect, target, path, query):  # noqa: PLR0913, PLR0917 - one name for each column
    """Clients behind a configured proxy send absolute targets; OPTIONS sends an asterisk."""
    client = connect(live(fake_app))
    client.send(b"GET " + target + b" HTTP/1.1\r\n\r\n")
    client.reply()
    assert (fake_app.incoming[0].path, fake_app.incoming[0].query) == (path, query)


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_chunked_bodies_are_joined(live, fake_app, connect, end):
    """Clients that stream their body send no length; extensions and trailers mean nothing to us."""
    client = connect(live(fake_app))
    client.send(
        b"POST / HTTP/1.1"
        + end
        + b"Transfer-Encoding: chunked"
        + end
        + end
        + b"3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nx-trailer: 1\r\n\r\n"
        + GET
    )
    client.reply()
    client.reply()
    assert [incoming.body for incoming in fake_app.incoming] == [b"abc0123456789", b""]


def test_a_body_in_the_smallest_chunks_costs_what_it_holds():
    """A list of its pieces takes thirty times the memory: a body within the limit would hurt."""
    size, step = 2**17, 2
    ours, theirs = socket.socketpair()
    data = b"%x\r\n%b\r\n" % (step, b"x" * step) * (size // step) + b"0\r\n\r\n"
    sender = threading.Thread(target=ours.sendall, args=(data,))
    with ours, theirs:
        sender.start()
        reader = RequestReader(theirs, Limits())
        tracemalloc.start()
        try:
            body = reader.body(None, size)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            reader.close()
        sender.join()
    assert body == b"x" * size
    assert peak < 4 * size


def test_a_request_in_single_bytes_is_one_request(live, fake_app, connect):
    """Packets may end anywhere."""
    client = connect(live(fake_app))
    for byte in b"POST / HTTP/1.1\r\ncontent-length: 4\r\n\r\nab\r\n":
        client.send(bytes([byte]))
    assert client.reply().endswith(HELLO_BODY)
    assert fake_app.incoming[0].body == b"ab\r\n"


def test_pipelined_requests_are_answered_in_order(live, fake_app, connect):
    """A second request that arrived with the first must neither get lost nor be read as its body."""
    client = connect(live(fake_app))
    client.send(
        b"POST /1 HTTP/1.1\r\ncontent-length: 2\r\n\r\nab"
        b"\r\nGET /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\nconnection: close\r\n\r\n"
    )
    assert client.rest().count(b"HTTP/1.1 200 OK") == 3
    assert [incoming.path for incoming in fake_app.incoming] == ["/1", "/2", "/3"]


def test_a_client_that_asks_first_is_told_to_go_on(live, fake_app, connect):
    """A client like curl sends large bodies only after 100 Continue, or after a second's wait."""
    client = connect(live(fake_app))
    client.send(b"POST / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n")
    assert client.reply(head=True) == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.send(b"ab")
    assert client.reply().endswith(HELLO_BODY)
    client.send(b"POST / HTTP/1.1\r\nexpect: 100-continue\r\n\r\n")
    assert client.reply().startswith(b"HTTP/1.1 200 OK")


def test_a_body_over_the_limit_is_refused_before_it_is_sent(live, fake_app, connect):
    """Whoever asks first learns that the body is too large without sending it."""
    client = connect(live(fake_app))
    client.send(b"POST /p HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 1001\r\n\r\n")
    assert client.reply().startswith(b"HTTP/1.1 413 ")
    status, message, incoming = fake_app.refused[0]
    assert (status, message) == (413, "The request's body is over 1000 bytes.")
    assert incoming.path == "/p"


def test_a_client_in_the_middle_of_a_large_upload_reads_the_refusal(live, fake_app, connect):
    """Closing at once would reset the connection and throw the answer away."""
    client = connect(live(fake_app))
    client.send(b"POST / HTTP/1.1\r\ncontent-length: 9000000\r\n\r\n" + b"x" * 9_000_000)
    answer = client.rest()
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert answer.endswith(b'{"refused": 413}')


REFUSED = [
    ("no version", b"GET /\r\n\r\n", 400),
    ("three spaces", b"GET / x HTTP/1.1\r\n\r\n", 400),
    ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\n", 400),
    ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ("target no URL", b"GET http://[::1/v1/models HTTP/1.1\r\n\r\n", 400),
    ("target no address", b"GET http://[zz]/v1/models HTTP/1.1\r\n\r\n", 400),
    ("long target", b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
    ("long field", b"GET / HTTP/1.1\r\na: " + b"x" * 70_000 + b"\r\n\r\n", 431),
    ("many fields", b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 12_000 + b"\r\n", 431),
    ("101 fields", b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 101 + b"\r\n", 431),
    ("folded field", b"GET / HTTP/1.1\r\na: b\r\n c\r\n\r\n", 400),
    ("space before colon", b"POST / HTTP/1.1\r\ncontent-length : 3\r\n\r\nabc", 400),
    ("two lengths", b"POST / HTTP/1.1\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc", 400),
    ("negative length", b"POST / HTTP/1.1\r\ncontent-length: -3\r\n\r\nabc", 400),
    (
        "length and chunks",
        b"POST / HTTP/1.1\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    ("unknown coding", b"POST / HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\nabc", 501),
    ("chunks without size", b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n", 400),
    ("chunk too long", b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc\r\n", 400),
    ("chunks over the limit", b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3e9\r\n", 413),
    (
        "bad trailer",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\nbad trailer\r\n\r\n",
        400,
    ),
]


@pytest.mark.parametrize(
    ("data", "status"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_what_is_no_request_is_refused_and_the_connection_closed(
    live, fake_app, connect, data, status
):
    """What follows a request of unclear length must never be read as another one."""
    server = live(fake_app)
    client = connect(server)
    client.send(data + GET)
    answer = client.rest()
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert answer.count(b"HTTP/1.1") == 1
    assert b"connection: close\r\n" in answer
    assert fake_app.incoming == []

    other = connect(server)
    other.send(GET)
    assert other.reply().endswith(HELLO_BODY)


HALVES = [
    ("head", b"GET / HTT", 400, 408),
    ("fields", b"GET / HTTP/1.1\r\na: b\r\n", 400, 408),
    ("body", b"POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nab", 400, 408),
    ("chunk", b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab", 400, 408),
]


@pytest.mark.parametrize(
    ("data", "ended", "slow"), [case[1:] for case in HALVES], ids=[case[0] for case in HALVES]
)
def test_half_a_request_is_answered(live, fake_app, connect, data, ended, slow):  # noqa: PLR0913, PLR0917 - one name for each column
    """A client that stops in the middle is told so: at once if it says so, else after the limit."""
    server = live(fake_app, head_time=0.05, body_time=0.05, linger_time=0.05)
    client = connect(server)
    client.send(data)
    client.socket.shutdown(socket.SHUT_WR)
    assert client.rest().startswith(f"HTTP/1.1 {ended} ".encode())

    client = connect(server)
    client.send(data)
    assert client.rest().startswith(f"HTTP/1.1 {slow} ".encode())


def test_a_client_that_resets_after_a_refusal_is_no_trouble(live, fake_app, connect, capfd):
    """Whoever is told that its upload is too large may hang up at once."""
    others = set(threading.enumerate())
    client = connect(live(fake_app))
    client.send(b"POST / HTTP/1.1\r\ncontent-length: 9000000\r\n\r\nxxx")
    client.reply()
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.socket.close()
    wait_for(
        lambda: (
            "mockchat-connection"
            not in {thread.name for thread in threading.enumerate() if thread not in others}
        )
    )
    assert capfd.readouterr() == ("", "")


def test_a_limit_of_nothing_is_over_at_once(live, connect):
    """A deadline that has passed already must not become a wait without one."""
    client = connect(live(head_time=-1.0, linger_time=0.01))
    client.send(b"G")
    assert client.rest().startswith(b"HTTP/1.1 408 ")


def test_a_drip_of_bytes_does_not_extend_the_limit(live, fake_app, connect):
    """The limit is for the whole head: a byte now and then would hold a thread for ever."""
    client = connect(live(fake_app, head_time=0.1, linger_time=0.01))
    client.send(b"GET / HTTP/1.1\r\n")
    answered = threading.Event()

    def drip():
        while not answered.wait(0.01):
            try:
                client.send(b"a: b\r\n")
            except OSError:
                return

    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        assert client.reply().startswith(b"HTTP/1.1 408 ")
    finally:
        answered.set()
        dripping.join()


def test_an_idle_connection_is_closed_without_a_word(live, connect):
    """An answer nobody asked for would be taken for the answer to the next request."""
    client = connect(live(idle_time=0.05))
    assert client.rest() == b""
    client = connect(live(idle_time=0.05))
    client.send(GET)
    assert client.rest().endswith(HELLO_BODY)


def test_a_slow_client_holds_up_nobody(live, connect):
    """Twenty half-sent requests, and the next one is answered at once."""
    server = live()
    for _ in range(20):
        connect(server).send(b"POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nab")
    client = connect(server)
    client.send(GET)
    assert client.reply().endswith(HELLO_BODY)


# --- replies -------------------------------------------------------------------------------------


class Counting:
    """A socket that counts what is sent through it, and in how many calls."""

    def __init__(self, inner):
        self._inner = inner
        self.sends = []
        self.peeks = 0

    def recv(self, size, flags=0):
        """Receive and count."""
        self.peeks += flags == socket.MSG_PEEK
        return self._inner.recv(size, flags)

    def sendall(self, data):
        """Send and remember."""
        self.sends.append(bytes(data))
        self._inner.sendall(data)

    def __getattr__(self, name):
        return getattr(self._inner, name)


@pytest.fixture
def counted(monkeypatch):
    """Make the server's sockets count their sends."""
    sockets = []
    accept = ThreadedServer.get_request

    def get_request(self):
        connection, address = accept(self)
        sockets.append(Counting(connection))
        return sockets[-1], address

    monkeypatch.setattr(ThreadedServer, "get_request", get_request)
    return sockets


@WERKZEUG
def test_a_reply_is_one_send_on_a_kept_connection_without_delay(live, fake_app, connect, counted):
    """p50 under 5 ms needs exactly this: one send per reply, no Nagle, no new connection."""
    client = connect(live(fake_app))
    for _ in range(3):
        client.send(GET)
        client.reply()
    fake_app.delivery = stream(*[b"data: %d\n\n" % number for number in range(50)])
    client.send(GET)
    client.reply()

    (connection,) = counted
    assert len(connection.sends) == 4
    assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    wait_for(lambda: fake_app.outcomes == [Outcome.DELIVERED] * 4)


@WERKZEUG
def test_delays_are_honoured_between_sends(live, fake_app, connect, counted):
    """Chunks leave when they are due: none early, in one send each."""
    fake_app.delivery = stream(b"a", b"b", b"c", delay=0.05)
    client = connect(live(fake_app))
    started = time.monotonic()
    client.send(GET)
    client.reply()
    assert time.monotonic() - started >= 0.1
    assert len(counted[0].sends) == 3


def test_the_first_delay_holds_back_the_head(live, fake_app, connect):
    """Time to first token counts from the request; a head sent early would start clients' timers."""
    fake_app.delivery = Delivery(status=200, writes=(Write(data=b"x", delay=0.1),))
    client = connect(live(fake_app))
    client.socket.settimeout(0.05)
    client.send(GET)
    with pytest.raises(TimeoutError):
        client.socket.recv(1)
    client.socket.settimeout(5)
    assert client.reply().endswith(b"\r\n\r\nx")


@WERKZEUG
def test_a_pipelined_request_waits_for_a_delayed_reply(live, fake_app, connect, counted):
    """Bytes that arrive during a pause are the next request: no client that left, no busy wait."""
    fake_app.delivery = stream(b"a", b"b", delay=0.1)
    client = connect(live(fake_app))
    client.send(GET)
    client.reply(head=True)
    client.send(GET)
    assert client.until(b"0\r\n\r\n") == b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n"
    assert client.reply().endswith(b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n")
    assert counted[0].peeks == 1


@WERKZEUG
def test_a_stall_before_the_end_is_waited_for(live, fake_app, connect, counted):
    """A last pause without bytes is how a stalled server looks: nothing is sent, nothing skipped."""
    stalled = stream(b"a", b"", delay=0.05, ending=Ending.CUT)
    fake_app.delivery = stalled
    client = connect(live(fake_app))
    started = time.monotonic()
    client.send(GET)
    assert client.rest().endswith(b"1\r\na\r\n")
    assert time.monotonic() - started >= 0.05
    assert len(counted[0].sends) == 1


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("is_stream", [True, False])
def test_a_cut_reply_is_broken_for_real_clients(live, fake_app, version, is_stream):
    """The client must raise: a cut that reads as the end tests nothing."""
    fake_app.delivery = Delivery(
        status=200, writes=(Write(data=b"half"),), is_stream=is_stream, ending=Ending.CUT
    )
    connection = http.client.HTTPConnection("127.0.0.1", live(fake_app).port, timeout=5)
    connection._http_vsn_str = f"HTTP/{version}"
    connection.request("GET", "/")
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        connection.getresponse().read()
    connection.close()
    wait_for(lambda: fake_app.outcomes == [Outcome.DELIVERED])


def test_a_reset_reaches_the_client_as_one(live, fake_app, connect):
    """RST after the bytes, never an orderly end."""
    fake_app.delivery = stream(b"half", ending=Ending.RESET)
    client = connect(live(fake_app))
    client.send(GET)
    answer = client.rest()
    assert answer.endswith(b"<reset>")
    wait_for(lambda: fake_app.outcomes == [Outcome.DELIVERED])


def test_http_1_0_clients_are_served(live, fake_app, connect):
    """Old load generators: closed after one reply unless they ask, streams end by closing."""
    server = live(fake_app)
    client = connect(server)
    client.send(b"GET / HTTP/1.0\r\n\r\n")
    assert client.rest().endswith(b"connection: close\r\n\r\n" + HELLO_BODY)

    client = connect(server)
    for _ in range(2):
        client.send(b"GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")
        assert b"connection: keep-alive\r\n" in client.reply()

    fake_app.delivery = stream(b"a", b"b")
    client.send(b"GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")
    assert client.rest().endswith(b"connection: close\r\n\r\nab")


@pytest.mark.parametrize("value", [b"close", b"Close", b"keep-alive, close", b"x,close"])
def test_a_client_may_ask_for_the_end(live, connect, value):
    """`Connection: close` is honoured and confirmed."""
    client = connect(live())
    client.send(b"GET / HTTP/1.1\r\nconnection: " + value + b"\r\n\r\n")
    assert b"connection: close\r\n" in client.rest()


def test_head_has_a_length_and_no_body(live, connect):
    """A body after HEAD would be read as the next reply."""
    client = connect(live())
    client.send(b"HEAD / HTTP/1.1\r\n\r\n" + GET)
    assert b"content-length: 16\r\n" in client.reply(head=True)
    assert client.reply().endswith(HELLO_BODY)


# --- clients that leave, apps that fail ----------------------------------------------------------


@pytest.mark.parametrize("is_reset", [False, True])
def test_a_client_that_leaves_during_a_pause_is_noticed(live, fake_app, connect, is_reset):
    """A cancelled stream shows in the journal at once, and its thread is free again."""
    fake_app.delivery = stream(b"a", b"b", delay=60.0)
    client = connect(live(fake_app))
    client.send(GET)
    client.reply(head=True)
    if is_reset:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.socket.close()
    wait_for(lambda: fake_app.outcomes == [Outcome.CLIENT_LEFT])


def test_a_client_that_leaves_while_bytes_flow_is_noticed(live, fake_app, connect):
    """Half a reply handed to a closed connection was not delivered."""
    fake_app.delivery = stream(b"x" * 50_000_000)
    client = connect(live(fake_app))
    client.send(GET)
    client.socket.recv(10)
    client.socket.close()
    wait_for(lambda: fake_app.outcomes == [Outcome.CLIENT_LEFT])


def test_a_client_that_does_not_read_is_given_up(live, fake_app, connect):
    """A full window must not hold a thread for ever."""
    fake_app.delivery = stream(b"x" * 50_000_000)
    client = connect(live(fake_app, write_time=0.05))
    client.send(GET)
    wait_for(lambda: fake_app.outcomes == [Outcome.FAILED])
    assert client.socket.recv(10).startswith(b"HTTP/1.1 2")


class Failing(FakeApp):
    """Fails at every request."""

    def handle(self, incoming):
        """Fail."""
        raise RuntimeError("secret detail")


def test_an_app_that_fails_is_answered_for(live, connect, caplog, capfd):
    """The client gets the API's 500, the connection stays, and nothing is printed."""
    app = Failing()
    client = connect(live(app))
    for _ in range(2):
        client.send(GET)
        assert client.reply().startswith(b"HTTP/1.1 500 ")
    assert app.refused[0][:2] == (500, "The server failed to answer.")
    assert "secret detail" in caplog.text
    assert capfd.readouterr() == ("", "")


def test_a_delivery_that_cannot_be_framed_is_failed(live, fake_app, connect, caplog):
    """A header that is none ends the connection and is told, instead of leaving a client waiting."""
    fake_app.delivery = Delivery(status=200, headers=(("no name", "x"),))
    client = connect(live(fake_app))
    client.send(GET)
    assert client.rest() == b""
    assert fake_app.outcomes == [Outcome.FAILED]
    assert "'no name' is not a header name" in caplog.text


def test_what_escapes_a_handler_is_logged_not_printed(live, connect, caplog, capfd):
    """Whatever `finish` raises: one line in the log, an ended connection, a server that goes on."""

    class Careless(FakeApp):
        def handle(self, incoming):
            def finish(outcome):
                raise RuntimeError("finish failed")

            return Ticket(delivery=HELLO, finish=finish)

    server = live(Careless())
    for _ in range(2):
        client = connect(server)
        client.send(GET)
        assert client.rest().endswith(HELLO_BODY)
    assert "finish failed" in caplog.text
    assert capfd.readouterr() == ("", "")


# --- the server ----------------------------------------------------------------------------------


def test_one_hundred_clients_at_once_are_served(live):
    """Every connection has a thread of its own, and a burst of them waits in the backlog."""
    server = live()

    def ask(_):
        with raw(server) as client:
            client.send(GET)
            return client.reply().endswith(HELLO_BODY)

    with ThreadPoolExecutor(20) as pool:
        assert all(pool.map(ask, range(100)))


def open_files():
    """Count the handles of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


def test_the_connection_silent_for_longest_makes_room(live, connect):
    """Ten thousand open connections would be as many threads, and nobody else served."""
    server = live(connections=2, grace_time=0.0)
    clients = []
    for count in (1, 2):
        clients.append(connect(server))
        clients[-1].send(GET)
        clients[-1].reply()
        wait_for(lambda: silent(server) == count)  # noqa: B023 - called at once
    oldest, newer = clients
    newest = connect(server)
    newest.send(GET)
    assert newest.reply().endswith(HELLO_BODY)
    assert oldest.rest() == b""
    newer.send(GET)
    assert newer.reply().endswith(HELLO_BODY)


def test_a_connection_that_spoke_just_now_is_kept(live, connect):
    """Clients in a burst connect first and speak a moment later: those that wait lose nothing."""
    server = live(connections=1, grace_time=60.0)
    first, second = connect(server), connect(server)
    second.send(GET)
    first.send(GET)
    first.reply()
    first.socket.close()
    assert second.reply().endswith(HELLO_BODY)


def test_connections_at_work_are_waited_for(live, fake_app, connect):
    """A stream in its pauses is no idle connection: it ends before the next one begins."""
    fake_app.delivery = stream(b"a", b"b", delay=0.1)
    server = live(fake_app, connections=1, grace_time=0.0)
    first = connect(server)
    first.send(GET)
    first.until(b"a\r\n")
    second = connect(server)
    second.send(GET)
    assert second.reply().endswith(b"0\r\n\r\n")
    assert first.rest().endswith(b"0\r\n\r\n")
    assert fake_app.outcomes[0] is Outcome.DELIVERED


def test_a_full_server_stops(live, connect):
    """Who waits for room must hear that there will be none."""
    server = live(connections=1, grace_time=60.0)
    clients = [connect(server) for _ in range(3)]
    clients[0].send(GET)
    clients[0].reply()
    started = time.monotonic()
    server.stop()
    assert time.monotonic() - started < 1.0


def test_fifty_starts_and_stops_leave_nothing(engine, fake_app):
    """Threads, sockets and ports are free again, with connections idle, busy and half-sent."""
    fake_app.delivery = stream(b"a", b"b", delay=60.0)
    before = (open_files(), set(threading.enumerate()))
    for _ in range(50):
        clients = []
        with engine(fake_app) as server:
            for data in (b"", GET, b"GET / HT", b"POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\n"):
                clients.append(RawClient(server.port))
                clients[-1].send(data)
            clients[1].reply(head=True)
            started = time.monotonic()
        assert time.monotonic() - started < 0.5
        for client in clients:
            client.socket.close()
    assert (open_files(), set(threading.enumerate())) == before
    assert fake_app.outcomes == [Outcome.FAILED] * 50


def test_a_stop_does_not_wait_for_somebody_elses_code(live, connect, monkeypatch):
    """A callable of a test that hangs must not hang the session."""
    monkeypatch.setattr("mockchat.server.werkzeug_server._STOP_TIME", 0.05)
    asked, go_on = threading.Event(), threading.Event()

    class Hanging(FakeApp):
        def may_block(self, incoming):
            return True

        def handle(self, incoming):
            asked.set()
            go_on.wait(10)
            return Ticket(delivery=stream(b"a", b"b", delay=1.0), finish=self.outcomes.append)

    app = Hanging()
    server = live(app)
    connect(server).send(GET)
    assert asked.wait(5)
    server.stop()
    go_on.set()
    wait_for(lambda: app.outcomes == [Outcome.FAILED])


def test_a_server_starts_and_stops_again(engine, fake_app):
    """Both calls may be repeated; the port asked for is known in between."""
    server = engine(fake_app)
    assert (server.port, server.url) == (0, "http://127.0.0.1:0")
    for _ in range(2):
        assert server.start() is server
        port = server.port
        assert server.start().port == port
        with raw(server) as client:
            client.send(GET)
            client.reply()
        server.stop()
        server.stop()
        with pytest.raises(ConnectionRefusedError):
            RawClient(port)


def test_it_listens_on_loopback_alone_unless_told(engine, fake_app):
    """A test double open to the network would be somebody's surprise."""
    with engine(fake_app) as server:
        assert server.base_url == f"http://127.0.0.1:{server.port}/v1"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", server.port), timeout=5)
    with engine(fake_app, host="0.0.0.0") as server:
        assert server.url == f"http://127.0.0.1:{server.port}"


def test_addresses_of_the_sixth_version_stand_in_brackets(engine, fake_app):
    """`http://::1:4010` is no URL."""
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    try:
        server = engine(fake_app, host="::1").start()
    except CannotListen:
        pytest.skip("this machine has no IPv6 loopback")
    with server:
        assert server.url == f"http://[::1]:{server.port}"


def test_a_taken_port_is_one_clear_line(engine, fake_app, capfd):
    """Werkzeug prints and exits the process; we raise what a caller can catch."""
    with engine(fake_app) as first:
        port = first.port
        with pytest.raises(CannotListen) as caught:
            engine(fake_app, port=port).start()
    error = caught.value
    assert isinstance(error, OSError)
    assert isinstance(error, MockchatError)
    assert error.errno == errno.EADDRINUSE
    assert str(error) == (
        f"cannot listen on 127.0.0.1 port {port}: Address already in use. "
        "Choose another address, or port 0 for any free port."
    )
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.errno) == (CannotListen, str(error), error.errno)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "host", ["nowhere.invalid", "a..b", "a" * 300, "unix:///tmp/socket", "http://x", "[::1]", "a b"]
)
def test_a_host_that_is_none_is_one_clear_line(engine, fake_app, host):
    """A name nobody knows has an error number of another kind, some names have none at all."""
    with pytest.raises(CannotListen, match=rf"^cannot listen on {re.escape(host)} port 0: [^\n]+$"):
        engine(fake_app, host=host).start()


def test_no_host_is_not_every_host(engine, fake_app):
    """An empty variable in a script must not open the server to the network."""
    with pytest.raises(BadArgument, match="host is ''; allowed: a host name or an address"):
        engine(fake_app, host="")


@pytest.mark.parametrize(
    ("addresses", "bound"),
    [(["::1"], "::1"), (["::1", "127.0.0.1"], "127.0.0.1"), (["127.0.0.1"], "127.0.0.1")],
)
def test_a_name_is_listened_on_where_it_leads(engine, fake_app, monkeypatch, addresses, bound):
    """Machines have names with an address of the sixth version alone, others with both."""
    looked_up = socket.getaddrinfo

    def getaddrinfo(host, *further, **options):
        hosts = addresses if host == "box" else [host]
        return [entry for each in hosts for entry in looked_up(each, *further, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with engine(fake_app, host="box") as server:
        assert server.url == f"http://box:{server.port}"
        with socket.create_connection((bound, server.port), timeout=5) as client:
            client.sendall(GET)
            assert client.recv(12) == b"HTTP/1.1 200"


@pytest.mark.parametrize("port", [-1, 65_536])
def test_a_port_out_of_range_is_refused(engine, fake_app, port):
    """Python raises OverflowError for it, from deep inside."""
    with pytest.raises(BadArgument, match=f"port is {port}; allowed: an integer from 0 to 65535"):
        engine(fake_app, port=port)


@WERKZEUG
def test_a_machine_out_of_handles_or_threads_goes_on(live, connect, monkeypatch, caplog):
    """Under load the server refuses what it cannot take, and takes the next."""
    server = live()
    full = OSError(errno.EMFILE, "no handles")
    troubles = [OSError(errno.ECONNABORTED, "gone"), full, full, full]
    accept = ThreadedServer.get_request

    def get_request(self):
        if troubles:
            raise troubles.pop()
        return accept(self)

    monkeypatch.setattr(ThreadedServer, "get_request", get_request)
    client = connect(server)
    client.send(GET)
    assert client.reply().endswith(HELLO_BODY)
    assert caplog.text.count("no handles") == 1

    with monkeypatch.context() as patch:
        started = threading.Thread.start

        def start(self):
            if self.name == "mockchat-connection":
                raise RuntimeError("can't start new thread")
            started(self)

        patch.setattr(threading.Thread, "start", start)
        assert connect(server).rest() == b""
    client = connect(server)
    client.send(GET)
    assert client.reply().endswith(HELLO_BODY)


def test_requests_are_logged_on_demand(live, connect, caplog):
    """One line each at INFO: method, path, outcome; or why it was none."""
    caplog.set_level("INFO", "mockchat.server")
    client = connect(live())
    client.send(GET + b"GET /2 HTTP/1.1\r\n\r\n")
    client.reply()
    wait_for(lambda: "'/2'" in caplog.text)
    assert "GET '/v1/models': delivered, 0." in caplog.text
    client.send(b"?\r\n\r\n")
    wait_for(lambda: "refused with 400: The request line is not valid HTTP/1.1." in caplog.text)


def test_no_key_is_logged_whatever_carries_it(live, fake_app, connect, monkeypatch, caplog):
    """Logs are pasted into issues; a key stands in paths and bodies by mistake, and in exceptions."""
    key = "sk-proj-0123456789abcdef"

    def handle(incoming):
        raise ValueError(incoming.path)

    monkeypatch.setattr(fake_app, "handle", handle)
    caplog.set_level("DEBUG", "mockchat.server")
    client = connect(live(fake_app))
    client.send(f"GET /{key} HTTP/1.1\r\n\r\n".encode())
    client.reply()
    wait_for(lambda: "GET '/[redacted]': delivered" in caplog.text)
    assert "the app failed: ValueError: /[redacted]" in caplog.text
    assert "Traceback" in caplog.text
    assert key not in caplog.text
