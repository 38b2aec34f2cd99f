"""HTTPS on raw sockets, and servers that end what they are at before they stop."""

import contextlib
import socket
import ssl
import threading
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from doubles import HELLO, FakeApp, RawClient
from waiting import wait_for

from mockchat.errors import BadArgument
from mockchat.exchange import Delivery, Ending, Outcome, Write
from mockchat.server.framing import Limits
from mockchat.server.tls import server_context
from mockchat.server.werkzeug_server import LiveServer

GET = b"GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n"
HELLO_BODY = b'{"hello": true}\n'


def stream(*pieces, delay=0.0, ending=Ending.COMPLETE):
    """Make a stream of pieces, a delay before each but the first."""
    writes = tuple(
        Write(data=piece, delay=delay if place else 0.0) for place, piece in enumerate(pieces)
    )
    return Delivery(status=200, writes=writes, is_stream=True, ending=ending)


class SecureClient(RawClient):
    """A raw connection that speaks TLS."""

    def __init__(self, port, context):
        super().__init__(port)
        self.socket = context.wrap_socket(self.socket, server_hostname="localhost")


@pytest.fixture(scope="module", name="certificates")
def _certificates(tmp_path_factory):
    """Make an authority and a certificate of localhost."""
    folder = tmp_path_factory.mktemp("certificates")
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    issued.private_key_and_cert_chain_pem.write_to_path(folder / "both.pem")
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    return folder / "both.pem", trusting


@pytest.fixture
def secure(engine, certificates):
    """Start servers that speak TLS; give them with what makes clients."""
    with contextlib.ExitStack() as stack:

        def start(app, **limits):
            server = engine(app, limits=Limits(**limits), tls=server_context(certificates[0]))
            stack.enter_context(server)

            def connect():
                client = SecureClient(server.port, certificates[1])
                stack.callback(client.socket.close)
                return client

            return server, connect

        yield start


def test_requests_follow_each_other_on_a_secure_connection(secure, fake_app):
    """A handshake costs more than a request: the connection is kept, and the URL says https."""
    server, connect = secure(fake_app)
    client = connect()
    for _ in range(3):
        client.send(GET)
        assert client.reply().endswith(HELLO_BODY)
    assert client.socket.version() in {"TLSv1.2", "TLSv1.3"}
    assert server.url == f"https://127.0.0.1:{server.port}"


def test_a_secure_stream_that_ends_by_closing_ends_in_order(secure, fake_app):
    """Without the goodbye of TLS, clients take the end for an attack that cut it off."""
    fake_app.delivery = stream(b"a", b"b", delay=0.02)
    client = secure(fake_app)[1]()
    client.send(b"GET / HTTP/1.0\r\n\r\n")
    data = b""
    while more := client.socket.recv(65_536):
        data += more
    assert data.endswith(b"\r\n\r\nab")


def test_a_secure_client_that_leaves_during_a_pause_is_noticed(secure, fake_app):
    """Readable bytes may be its goodbye, which is none of its own."""
    fake_app.delivery = stream(b"a", b"b", delay=60.0)
    client = secure(fake_app)[1]()
    client.send(GET)
    client.until(b"a\r\n")
    client.socket.close()
    wait_for(lambda: fake_app.outcomes == [Outcome.CLIENT_LEFT])


def test_a_secure_pipelined_request_waits_for_a_delayed_reply(secure, fake_app):
    """What arrives during a pause is the next request."""
    fake_app.delivery = stream(b"a", b"b", delay=0.1)
    client = secure(fake_app)[1]()
    client.send(GET)
    client.until(b"a\r\n")
    client.send(GET)
    client.until(b"0\r\n\r\n")
    assert client.reply().endswith(b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n")


@pytest.mark.parametrize("ending", [Ending.CUT, Ending.RESET])
def test_a_secure_stream_that_breaks_looks_broken(secure, fake_app, ending):
    """The bytes miss the last chunk, or the connection is reset."""
    fake_app.delivery = stream(b"half", ending=ending)
    client = secure(fake_app)[1]()
    client.send(GET)
    data = b""
    with contextlib.suppress(OSError):
        while more := client.socket.recv(65_536):
            data += more
    assert b"0\r\n\r\n" not in data
    wait_for(lambda: fake_app.outcomes == [Outcome.DELIVERED])


def test_who_speaks_no_tls_holds_up_nobody(secure, fake_app, caplog):
    """Silence and noise end after a time; meanwhile others shake hands."""
    server, connect = secure(fake_app, head_time=0.3)
    silent, noisy = RawClient(server.port), RawClient(server.port)
    noisy.send(b"\x00" * 100)
    other = connect()
    other.send(GET)
    assert other.reply().endswith(HELLO_BODY)
    for client in (silent, noisy):
        assert not client.rest().startswith(b"HTTP/1.1 200")
        client.socket.close()
    assert len(fake_app.incoming) == 1
    assert not [record for record in caplog.records if record.levelname != "INFO"]


def test_who_speaks_plain_http_is_told(certificates, fake_app):
    """`http://` in the URL of a server with a certificate is the most common mistake of all."""
    with LiveServer(fake_app, tls=server_context(certificates[0])) as server:
        client = RawClient(server.port)
        client.send(GET)
        assert client.rest().startswith(b"HTTP/1.1 400 ")
        client.socket.close()
    assert [refused[:2] for refused in fake_app.refused] == [
        (400, "This port speaks HTTPS: write https:// in the URL.")
    ]


def test_stops_of_secure_servers_leave_nothing(engine, certificates, fake_app):
    """Clients in the middle of a handshake, silent ones, and one with half a stream."""
    fake_app.delivery = stream(b"a", b"b", delay=60.0)
    before = (len(list(Path("/proc/self/fd").iterdir())), threading.active_count())
    for _ in range(3):
        clients = []
        with engine(fake_app, tls=server_context(certificates[0])) as server:
            clients = [RawClient(server.port), SecureClient(server.port, certificates[1])]
            clients.append(SecureClient(server.port, certificates[1]))
            clients[2].send(GET)
            clients[2].until(b"a\r\n")
        for client in clients:
            client.socket.close()
    wait_for(lambda: threading.active_count() <= before[1])
    assert len(list(Path("/proc/self/fd").iterdir())) == before[0]
    assert fake_app.outcomes == [Outcome.FAILED] * 3


def test_a_key_with_a_passphrase_is_told(tmp_path):
    """Asking for it on the terminal would hang a service for ever."""
    encrypted = tmp_path / "key.pem"
    issued = trustme.CA().issue_cert("localhost")
    key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
    encrypted.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    with pytest.raises(BadArgument, match=r"key is '.*key\.pem'; allowed: a key without a pass"):
        server_context(tmp_path / "cert.pem", encrypted)


# --- the end -------------------------------------------------------------------------------------


def draining(server, seconds=60.0):
    """Drain a server in a thread of its own, and return that."""
    thread = threading.Thread(target=server.drain, args=(seconds,))
    thread.start()
    return thread


def silent_connections(server):
    """Count the connections that are between two requests."""
    if isinstance(server, LiveServer):
        return len(server._server._idle)
    return len(server._engine.idle._since)


def is_refused(server_port):
    """Tell whether nobody listens any more."""
    try:
        socket.create_connection(("127.0.0.1", server_port), timeout=5).close()
    except OSError:
        return True
    return False


def test_what_is_under_way_ends_before_the_server(live, fake_app, connect):
    """Streams go on to their end; the silent are closed, newcomers refused, nobody else waited for."""
    server = live(fake_app)
    port = server.port
    busy, silent, half = (connect(server) for _ in range(3))
    for client in (busy, silent, half):
        client.send(GET)
        client.reply()
    wait_for(lambda: silent_connections(server) == 3)
    fake_app.delivery = stream(b"a", b"b", b"c", delay=0.2)
    half.send(b"GET /half HTTP/1.1\r\n")
    busy.send(GET)
    busy.until(b"a\r\n")
    wait_for(lambda: silent_connections(server) == 1)
    thread = draining(server)
    assert silent.rest() == b""
    wait_for(lambda: is_refused(port))
    half.send(b"\r\n")
    assert busy.rest() == b"1\r\nb\r\n1\r\nc\r\n0\r\n\r\n"
    answer = half.rest()
    assert b"connection: close\r\n" in answer
    assert answer.endswith(b"1\r\nc\r\n0\r\n\r\n")
    thread.join(10)
    assert not thread.is_alive()
    wait_for(lambda: fake_app.outcomes == [Outcome.DELIVERED] * 5)


def test_what_takes_longer_is_cut_when_the_time_is_over(live, fake_app, connect):
    """A stream of an hour must not hold up a deployment."""
    fake_app.delivery = stream(b"a", b"b", delay=3600.0)
    server = live(fake_app)
    client = connect(server)
    client.send(GET)
    client.until(b"a\r\n")
    server.drain(0.05)
    assert fake_app.outcomes == []
    server.stop()
    wait_for(lambda: fake_app.outcomes == [Outcome.FAILED])


def test_a_stop_from_elsewhere_ends_the_wait(live, fake_app, connect):
    """A second signal means at once."""
    fake_app.delivery = stream(b"a", b"b", delay=3600.0)
    server = live(fake_app)
    client = connect(server)
    client.send(GET)
    client.until(b"a\r\n")
    thread = draining(server, 3600.0)
    wait_for(lambda: is_refused(client.socket.getpeername()[1]))
    server.stop()
    thread.join(10)
    assert not thread.is_alive()


def test_a_server_may_be_drained_at_any_time(engine):
    """Before its start and after its stop there is nothing to wait for; and it starts again."""
    app = FakeApp(HELLO)
    server = engine(app)
    server.drain(60.0)
    for _ in range(2):
        server.start()
        client = RawClient(server.port)
        client.send(GET)
        assert client.reply().endswith(HELLO_BODY)
        server.drain(60.0)
        client.socket.close()
        server.stop()
        server.drain(60.0)
