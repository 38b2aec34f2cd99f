"""The engine for load: the bytes of the embedded server, one timer, threads for what takes time."""

import asyncio
import errno
import heapq
import re
import socket
import threading
import time
from itertools import pairwise

import pytest
from doubles import HELLO, FakeApp, RawClient
from hypothesis import given
from hypothesis import strategies as st
from waiting import wait_for

from mockchat.exchange import Delivery, Ending, Incoming, Outcome, Write
from mockchat.payloads.plans import chunks_of
from mockchat.scripting.builders import error, tool_call
from mockchat.scripting.fault_list import stream_faults
from mockchat.scripting.faults_connection import CutStream
from mockchat.scripting.faults_http import ProxyError
from mockchat.scripting.faults_timing import Pacing, SlowHeaders, Stall
from mockchat.scripting.script import Script
from mockchat.scripting.scripts import Scripts
from mockchat.server.app import App
from mockchat.server.engine.playing import Player, next_due
from mockchat.server.engine.requests import RequestParser
from mockchat.server.engine.server import EngineServer
from mockchat.server.engine.timers import Agenda, Deadlines
from mockchat.server.framing import Limits, Refused
from mockchat.server.settings import Settings
from mockchat.server.ticket import Ticket
from mockchat.server.werkzeug_server import LiveServer

GET = b"GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n"
WEATHER = b'{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}'
BODIES = {
    "json": b'{"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}',
    "stream": b'{"model": "gpt-4o", "stream": true, "messages": [{"role": "user", "content": "hi"}]}',
    "usage": b'{"model": "gpt-4o", "stream": true, "stream_options": {"include_usage": true}, '
    b'"messages": [{"role": "user", "content": "hi"}]}',
    "tool calls": b'{"model": "gpt-4o", "stream": true, "tools": [%b], '
    b'"messages": [{"role": "user", "content": "hi"}]}' % WEATHER,
}
_OWN = re.compile(rb"(?m)^(date|x-request-id|openai-processing-ms): .*\r\n")


def post(body, *, version=b"1.1", fields=b""):
    """Return a request for a completion."""
    return (
        b"POST /v1/chat/completions HTTP/%b\r\nhost: x\r\ncontent-type: application/json\r\n"
        b"%bcontent-length: %d\r\n\r\n%b" % (version, fields, len(body), body)
    )


def scripted(reply, **options):
    """Return a script of one reply, and the app that gives it."""
    script, scripts = Script(), Scripts()
    script.reply(reply, **options)
    scripts.open(script)
    return script, App(Settings(), scripts)


def received(kind, app, request):
    """Return all that a client of a server reads until its end; what differs each time is left out."""
    with kind(app) as server:
        client = RawClient(server.port)
        try:
            client.send(request)
            return _OWN.sub(b"", client.rest())
        finally:
            client.socket.close()


# --- the same bytes from both engines ------------------------------------------------------------

BROKEN = {
    "a JSON body cut": (CutStream(after_chunks=1), "json"),
    "a JSON body reset": (CutStream(after_chunks=1, reset=True), "json"),
    "a stream cut behind its head": (CutStream(after_chunks=0), "stream"),
    "a stream reset in an event": (CutStream(after_bytes=50, reset=True), "stream"),
    "nothing": (None, "json"),
    "nothing, streamed": (None, "stream"),
    "a proxy's page": (ProxyError(status=502), "stream"),
}
FAULTS = {
    **{str(fault): (fault, fault.occasion) for fault in stream_faults()},
    **BROKEN,
}


@pytest.mark.parametrize(("fault", "occasion"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_the_same_bytes_from_both_engines(fault, occasion):
    """A client that is proven on one engine must have been proven for the other."""
    reply = tool_call("weather") if occasion == "tool calls" else "Hello, world"
    request = post(BODIES[occasion], fields=b"connection: close\r\n")
    found = []
    for kind in (LiveServer, EngineServer):
        script, app = scripted(reply, plan=chunks_of(3), fault=fault)
        data = received(kind, app, request)
        (exchange,) = script.journal
        found.append((data, exchange.sent, exchange.outcome, exchange.ending))
    assert found[1] == found[0]


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
@pytest.mark.parametrize("ending", Ending)
@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
def test_an_ending_is_the_same_bytes_from_both_engines(version, ending, is_stream, method):
    """How a reply breaks shows in its framing, and each version of HTTP has its own."""
    writes = tuple(Write(data=data) for data in (b"a", b"", b"bc"))
    app = FakeApp(Delivery(status=200, writes=writes, is_stream=is_stream, ending=ending))
    request = b"%b / HTTP/%b\r\nconnection: close\r\n\r\n" % (method, version)
    assert received(EngineServer, app, request) == received(LiveServer, app, request)
    assert app.outcomes[0] is app.outcomes[1]


TIMED = {
    "pacing": {"pacing": Pacing(ttft=0.02, inter_token=0.005)},
    "slow headers": {"fault": SlowHeaders(seconds=0.05)},
    "a stall": {"fault": Stall(seconds=0.05, after_chunks=2)},
}


@pytest.mark.parametrize("options", TIMED.values(), ids=TIMED)
def test_nothing_leaves_before_its_time(options):
    """A chunk that comes early proves a client that is never kept waiting."""
    script, app = scripted("Hello, world", plan=chunks_of(3), **options)
    started = time.monotonic()
    with EngineServer(app) as server:
        client = RawClient(server.port)
        client.send(post(BODIES["stream"]))
        client.reply()
        client.socket.close()
    (exchange,) = script.journal
    planned = sum(write.delay for write in exchange.delivery.writes)
    assert time.monotonic() - started >= planned > 0
    assert exchange.outcome is Outcome.DELIVERED


# --- requests ------------------------------------------------------------------------------------

CHUNKED = (
    b"POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\t\r\n\r\n"
    b"3;x=y\r\n\r\n\r\r\nA\r\n0123456789\r\n0\r\nx-trailer: 1\r\n\r\n"
)
REQUESTS = (
    (b"GET /v1/models?a=b HTTP/1.1\r\nHost: x\r\n\r\n", b""),
    (b"\r\nPOST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab\r\nc", b"ab\r\nc"),
    (CHUNKED, b"\r\n\r0123456789"),
    (b"GET / HTTP/1.1\nhost: x\n\n", b""),
    (
        b"POST / HTTP/1.1\r\nconnection: upgrade\r\nupgrade: h2c\r\ncontent-length: 2\r\n\r\nab",
        b"ab",
    ),
    (b"BREW /pot HTTP/1.1\r\ncontent-length: 3\r\n\r\ntea", b"tea"),
    (b"CONNECT example:1 HTTP/1.1\r\ncontent-length: 1\r\n\r\nx", b"x"),
    (b"OPTIONS * HTTP/1.0\r\nx: \xe4 \t\r\n\r\n", b""),
)
WHOLE = b"".join(data for data, _ in REQUESTS)


def parsed(pieces):
    """Return all requests in pieces of bytes."""
    parser, found = RequestParser(Limits(), 1000), []
    for piece in pieces:
        parser.feed(piece)
        while (incoming := parser.next()) is not None:
            found.append((parser.head.version, incoming))
    parser.end()
    return found


def test_every_kind_of_request_is_read():
    """Bodies by length and by chunks, methods nobody knows, upgrades nobody takes up."""
    found = [incoming for _, incoming in parsed([WHOLE])]
    assert [incoming.body for incoming in found] == [body for _, body in REQUESTS]
    methods = ["GET", "POST", "POST", "GET", "POST", "BREW", "CONNECT", "OPTIONS"]
    assert [incoming.method for incoming in found] == methods
    assert found[0] == Incoming(
        method="GET", path="/v1/models", query="a=b", headers=(("host", "x"),)
    )
    assert found[-1].headers == (("x", "ä"),)


@given(st.lists(st.integers(0, len(WHOLE)), max_size=30).map(sorted))
def test_bytes_may_end_anywhere(cuts):
    """Packets know nothing of requests: neither of lines nor of chunks."""
    ends = [0, *cuts, len(WHOLE)]
    pieces = [WHOLE[a:b] for a, b in pairwise(ends)]
    assert parsed(pieces) == parsed([WHOLE])


@given(st.data())
def test_a_refusal_does_not_depend_on_where_bytes_end(data):
    """What is refused in one piece must not get through in two."""
    wrong = data.draw(
        st.sampled_from(
            [
                b"GET / x HTTP/1.1\r\na: b\r\n\r\n",
                b"GET / HTTP/1.1\r\na b: c\r\n\r\n",
                b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 101 + b"\r\n",
                b"POST / HTTP/1.1\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n",
                b"POST / HTTP/1.1\r\ncontent-length: 1001\r\n\r\n",
                b"POST / HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\n",
                b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc",
                b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3e9\r\n",
                b"GET / HTTP/3.0\r\n\r\n",
                b"GET / HTTP/1.7\r\n\r\n",
                b"GET foo HTTP/1.1\r\n\r\n",
            ]
        )
    )
    cut = data.draw(st.integers(0, len(wrong)))
    statuses = set()
    for pieces in ([wrong], [wrong[:cut], wrong[cut:]]):
        with pytest.raises(Refused) as caught:
            parsed(pieces)
        statuses.add(caught.value.status)
    assert len(statuses) == 1


def test_many_requests_in_one_packet_are_answered_in_order(connect):
    """A client that does not wait gets all its answers, and other clients get theirs between."""
    app = FakeApp()
    with EngineServer(app) as server:
        client, other = connect(server), connect(server)
        client.send(b"".join(b"GET /%d HTTP/1.1\r\n\r\n" % number for number in range(1000)))
        other.send(GET)
        other.reply()
        for _ in range(1000):
            client.reply()
    paths = [incoming.path for incoming in app.incoming]
    assert [path for path in paths if path != "/v1/models"] == [f"/{n}" for n in range(1000)]


def sent_until_full(connection):
    """Send requests until nobody takes them, and return how many bytes that were."""
    sent = 0
    while True:
        try:
            sent += connection.send(GET * 1000)
        except TimeoutError:
            return sent


def test_requests_that_come_while_one_is_answered_are_bounded(connect):
    """Whoever sends without reading fills the system's buffers, not our memory."""
    app = FakeApp(Delivery(status=200, writes=(Write(data=b"x", delay=60.0),)))
    with EngineServer(app) as server:
        client = connect(server)
        client.socket.settimeout(0.3)
        sent = sent_until_full(client.socket)
        (connection,) = server._engine._connections
        assert connection._parser.kept < 300_000 < sent


def test_a_slow_reader_gets_all_there_is(live, connect):
    """What does not fit into the system's buffers waits, and only that client with it."""
    body = b"0123456789" * 1_000_000
    app = FakeApp(Delivery(status=200, writes=(Write(data=body), Write(data=b"end", delay=0.01))))
    server = live(app)
    client, other = connect(server), connect(server)
    client.send(GET)
    client.until(b"\r\n\r\n")
    body = body.removeprefix(client._read)
    app.delivery = HELLO
    other.send(GET)
    assert other.reply().endswith(b'{"hello": true}\n')
    count, last = 0, b""
    while not last.endswith(b"end"):
        last = client.socket.recv(1_000_000)
        count += len(last)
    assert count == len(body) + 3


# --- time ----------------------------------------------------------------------------------------


class FakeLoop:
    """A clock that is moved by hand, and what it calls."""

    def __init__(self):
        self.now = 0.0
        self.handles = []
        self.made = 0

    def time(self):
        """Tell the time."""
        return self.now

    def call_at(self, due, call):
        """Remember a call."""
        self.made += 1
        handle = FakeHandle(due, call)
        heapq.heappush(self.handles, handle)
        return handle

    def advance(self, seconds):
        """Move the clock and call what is due."""
        self.now += seconds
        while self.handles and self.handles[0].due <= self.now:
            handle = heapq.heappop(self.handles)
            if not handle.is_cancelled:
                handle.call()


class FakeHandle:
    """One call to come."""

    def __init__(self, due, call):
        self.due = due
        self.call = call
        self.is_cancelled = False

    def __lt__(self, other):
        return self.due < other.due

    def when(self):
        """Tell the time of the call."""
        return self.due

    def cancel(self):
        """Call nothing."""
        self.is_cancelled = True


@given(st.lists(st.floats(0, 10), min_size=1, max_size=50))
def test_what_is_due_is_called_in_order_and_never_early(dues):
    """One timer stands for all streams: it must be none's undoing."""
    loop = FakeLoop()
    agenda, called = Agenda(loop), []
    for due in dues:
        agenda.add(due, lambda due=due: called.append((due, loop.now)))
    while loop.handles:
        loop.advance(0.5)
    assert [due for due, _ in called] == sorted(dues)
    assert all(due <= now < due + 0.5 + 1e-9 for due, now in called)


def test_ten_thousand_streams_need_one_timer():
    """A timer of the loop for each chunk would cost more than the chunk."""
    loop = FakeLoop()
    agenda, called = Agenda(loop), []
    for number in range(10_000):
        agenda.add(1.0, lambda number=number: called.append(number))
    assert loop.made == 1
    loop.advance(1.0)
    assert called == list(range(10_000))


def test_one_streams_trouble_is_not_anothers(caplog):
    """What is raised while one chunk leaves must not stop all the others."""
    loop = FakeLoop()
    agenda, called = Agenda(loop), []
    agenda.add(1.0, lambda: 1 / 0)
    agenda.add(1.0, lambda: called.append(1))
    agenda.add(2.0, lambda: called.append(2)).clear()
    loop.advance(3.0)
    assert called == [1]
    assert "division by zero" in caplog.text


def test_whoever_began_first_is_late_first():
    """A limit of time costs two entries of a dictionary a request, no timer."""
    loop, late = FakeLoop(), []
    deadlines = Deadlines(loop, 10.0, late.append)
    for name in ("a", "b", "c"):
        deadlines.begin(name)
        loop.advance(1.0)
    deadlines.end("a")
    deadlines.begin("a")
    assert deadlines.oldest == ("b", 1.0)
    loop.advance(8.0)
    assert late == ["b"]
    deadlines.end("c")
    loop.advance(1.9)
    assert late == ["b"]
    loop.advance(0.1)
    assert (late, deadlines.oldest, loop.handles) == (["b", "a"], None, [])
    assert loop.made == 3


@given(st.integers(1, 1024), st.integers(0, 3072))
def test_small_latenesses_do_not_add_up_and_large_ones_are_not_made_up_for(delay, lateness):
    """Fifty chunks, each a millisecond late, must not end fifty late; nor fifty come at once."""
    delay, lateness = delay / 1024, lateness / 1024  # such fractions add up without rounding
    due = next_due(100.0, delay, 100.0 + lateness)
    assert due >= 100.0 + lateness
    assert due == (100.0 + delay if lateness < delay else 100.0 + lateness + delay)


class FakeStage:
    """Takes what is written, and says when it is full or gone."""

    def __init__(self):
        self.is_full = False
        self.fills = False
        self.is_waited_for = True
        self.written = []

    def write(self, data):
        """Remember the bytes."""
        self.written.append(data)
        self.is_full = self.fills

    def pausing(self):
        """Say whether anybody waits."""
        return self.is_waited_for


def playing(*writes):
    """Return a player, its stage, its clock, and what it told."""
    loop, stage, told = FakeLoop(), FakeStage(), []
    ticket = Ticket(delivery=HELLO, finish=told.append, wrote=told.append)
    sends = tuple(Write(data=data, delay=delay) for delay, data in writes)
    player = Player(ticket, sends, stage, Agenda(loop), told.append)
    return player, stage, loop, told


def test_a_delivery_waits_for_its_time():
    """Each write leaves when it is due, and what has left is told before the next is waited for."""
    player, stage, loop, told = playing((0.5, b"a"), (0, b"b"), (1.0, b"c"))
    player.play()
    assert (stage.written, told, player.is_pausing) == ([], [], True)
    loop.advance(0.5)
    assert (stage.written, told) == ([b"a", b"b"], [1, 2])
    loop.advance(1.0)
    assert (stage.written, told) == ([b"a", b"b", b"c"], [1, 2, Outcome.DELIVERED])


def test_a_delivery_waits_for_a_slow_reader():
    """Bytes that have not left are not delivered, and no more are made of them."""
    player, stage, loop, told = playing((0, b"a"), (1.0, b"b"))
    stage.fills = True
    player.play()
    player.play()
    loop.advance(5.0)
    assert (stage.written, told) == ([b"a"], [])
    stage.is_full = False
    player.play()
    loop.advance(1.0)
    assert (stage.written, told) == ([b"a", b"b"], [1])
    stage.is_full = False
    player.play()
    assert told == [1, Outcome.DELIVERED]


def test_a_delivery_nobody_waits_for_ends():
    """A client that left must not be written to for minutes."""
    player, stage, loop, told = playing((0, b"a"), (1.0, b"b"))
    stage.is_waited_for = False
    player.play()
    assert (stage.written, told) == ([b"a"], [1, Outcome.CLIENT_LEFT])
    player, stage, loop, told = playing((1.0, b"a"))
    player.play()
    player.stop()
    loop.advance(2.0)
    assert (stage.written, told) == ([], [])


# --- threads -------------------------------------------------------------------------------------


class Deciding(FakeApp):
    """Takes its time for one path; tells in which thread it answered."""

    body_limit = 200_000

    def __init__(self):
        super().__init__()
        self.may_go_on = threading.Event()
        self.threads = {}

    def may_block(self, incoming):
        """Say which requests take time."""
        return incoming.path == "/slow"

    def handle(self, incoming):
        """Answer, late or at once."""
        self.threads[incoming.path] = threading.current_thread().name
        if incoming.path == "/slow":
            assert self.may_go_on.wait(5)
        return super().handle(incoming)


def test_somebodys_own_code_holds_up_nobody(connect):
    """A callable that sleeps must not stop the streams of all others."""
    app = Deciding()
    with EngineServer(app) as server:
        slow, quick = connect(server), connect(server)
        slow.send(b"GET /slow HTTP/1.1\r\n\r\nGET /next HTTP/1.1\r\n\r\n")
        quick.send(GET)
        assert quick.reply().endswith(b'{"hello": true}\n')
        app.may_go_on.set()
        slow.reply()
        slow.reply()
    assert app.threads == {
        "/slow": "mockchat-hand",
        "/v1/models": "mockchat-engine",
        "/next": "mockchat-engine",
    }
    # Of an answer that took its time a thread is told how it went.
    wait_for(lambda: app.outcomes == [Outcome.DELIVERED] * 3)


def test_a_large_body_is_read_in_a_thread(connect):
    """Milliseconds of judging are milliseconds that every stream is late."""
    app = Deciding()
    with EngineServer(app) as server:
        client = connect(server)
        client.send(b"POST /large HTTP/1.1\r\ncontent-length: 100000\r\n\r\n" + b"x" * 100_000)
        client.reply()
    assert app.threads == {"/large": "mockchat-hand"}


def test_a_client_that_leaves_while_its_answer_is_made_is_noted(connect):
    """The answer is thrown away, and the journal says what became of it."""
    app = Deciding()
    with EngineServer(app) as server:
        client = connect(server)
        client.send(b"GET /slow HTTP/1.1\r\n\r\n")
        while "/slow" not in app.threads:
            time.sleep(0.001)
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.socket.close()
        while server._engine.count:
            time.sleep(0.001)
        app.may_go_on.set()
        while not app.outcomes:
            time.sleep(0.001)
    assert app.outcomes == [Outcome.CLIENT_LEFT]


@pytest.mark.parametrize(
    ("write", "may_block"),
    [
        (lambda script: script.reply("Hello"), False),
        (lambda script: script.when(model="gpt-4o").reply("Hello"), False),
        (lambda script: script.reply(error(503)).then("ok"), False),
        (lambda script: script.when(headers={"x": re.compile("y")}).reply("Hello"), False),
        (lambda script: script.reply(lambda request: "Hello"), True),
        (lambda script: script.reply("ok").then(lambda request: "Hello"), True),
        (lambda script: script.when(where=lambda body: True).reply("Hello"), True),
        (lambda script: script.when(not_={"last_text": str.islower}).reply("Hello"), True),
        (lambda script: script.when(any_of=[{"turns": lambda n: True}]).reply("Hello"), True),
        (lambda script: script.when(headers={"x": str.islower}).reply("Hello"), True),
    ],
)
def test_only_what_asks_somebodys_code_may_block(write, may_block):
    """Data is answered on the loop, in microseconds; a thread costs more than the answer."""
    script, scripts = Script(), Scripts()
    scripts.open(script)
    app = App(Settings(), scripts)
    incoming = Incoming(method="POST", path="/v1/chat/completions")
    assert not app.may_block(incoming)
    write(script)
    assert app.may_block(incoming) is may_block


# --- the server ----------------------------------------------------------------------------------


class Short:
    """A listening socket of a machine without file handles, for a while."""

    def __init__(self, inner, troubles):
        self._inner = inner
        self._troubles = troubles

    def accept(self):
        """Accept, or fail as the system does."""
        if self._troubles:
            raise self._troubles.pop()
        return self._inner.accept()

    def __getattr__(self, name):
        return getattr(self._inner, name)


@pytest.mark.parametrize("engine", [EngineServer], ids=["asyncio"])
def test_a_machine_out_of_handles_goes_on(live, connect, caplog):
    """Under load the server refuses what it cannot take, and takes the next."""
    server = live()
    full = OSError(errno.EMFILE, "no handles")
    doors = server._engine._doors
    doors._listener = Short(doors._listener, [OSError(errno.ECONNABORTED, "gone"), full, full])
    client = connect(server)
    client.send(GET)
    assert client.reply().endswith(b'{"hello": true}\n')
    assert caplog.text.count("no handles") == 1


def test_a_delivery_under_way_ends_before_the_server_does(connect):
    """A deploy must not cut the streams of those who are reading."""
    writes = (Write(data=b"a"), Write(data=b"b", delay=0.1))
    app = FakeApp(Delivery(status=200, writes=writes, is_stream=True))
    server = EngineServer(app).start()
    client, idle, half = connect(server), connect(server), connect(server)
    half.send(GET[:10])
    client.send(GET)
    client.until(b"a\r\n")
    drained = threading.Thread(target=server.drain, args=(5.0,))
    drained.start()
    assert idle.rest() == b""
    assert client.rest().endswith(b"b\r\n0\r\n\r\n")
    half.send(GET[10:])
    assert half.rest().endswith(b"b\r\n0\r\n\r\n")
    drained.join()
    with pytest.raises(ConnectionRefusedError):
        RawClient(server.port)
    server.stop()
    assert app.outcomes == [Outcome.DELIVERED] * 2


def test_a_stream_longer_than_the_grace_is_broken_off(connect):
    """Nobody waits for ever: what is left is reset, and told so."""
    app = FakeApp(
        Delivery(
            status=200, writes=(Write(data=b"a"), Write(data=b"b", delay=60.0)), is_stream=True
        )
    )
    server = EngineServer(app).start()
    client = connect(server)
    client.send(GET)
    client.until(b"a\r\n")
    server.drain(0.05)
    server.stop()
    assert client.rest() == b"<reset>"
    assert app.outcomes == [Outcome.FAILED]


def test_it_serves_a_socket_that_listens_already():
    """Workers share a port: the socket is made once, and outlives each of them."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        for kind in (EngineServer, LiveServer, EngineServer):
            with kind(FakeApp(), listener=listener) as server:
                assert server.port == port
                client = RawClient(port)
                client.send(GET)
                client.reply()
                client.socket.close()


def test_a_thousand_paced_streams_at_once_are_complete():
    """That many threads would be the end of the embedded server."""
    count, writes = 1_000, tuple(Write(data=b"data: x\n\n", delay=0.02) for _ in range(10))
    app = FakeApp(Delivery(status=200, writes=writes, is_stream=True))

    async def read(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET)
        data = await reader.readuntil(b"0\r\n\r\n")
        writer.close()
        return data.count(b"data: x")

    async def read_all(port):
        return await asyncio.gather(*(read(port) for _ in range(count)))

    before = threading.active_count()
    with EngineServer(app) as server:
        assert asyncio.run(read_all(server.port)) == [10] * count
        assert threading.active_count() <= before + 1
