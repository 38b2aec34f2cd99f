"""An app of a few lines and a client of raw bytes, for the tests of the server."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager

from mockchat.exchange import Delivery, Incoming, Outcome, Write
from mockchat.server.ticket import Ticket
from mockchat.server.werkzeug_server import LiveServer

JSON = (("content-type", "application/json"),)
HELLO = Delivery(status=200, headers=JSON, writes=(Write(data=b'{"hello": true}\n'),))


class FakeApp:
    """Answers everything with one delivery and remembers what it was asked and told."""

    body_limit = 1000

    def __init__(self, delivery=HELLO):
        self.delivery = delivery
        self.incoming: list[Incoming] = []
        self.outcomes: list[Outcome] = []
        self.refused: list[tuple[int, str, Incoming | None]] = []

    def handle(self, incoming):
        """Answer with the one delivery."""
        self.incoming.append(incoming)
        return Ticket(delivery=self.delivery, finish=self.outcomes.append)

    def may_block(self, incoming):
        """Say that it answers at once."""
        return False

    def refuse(self, status, message, incoming=None):
        """Answer with the status alone."""
        self.refused.append((status, message, incoming))
        body = Write(data=f'{{"refused": {status}}}'.encode())
        return Ticket(
            delivery=Delivery(status=status, headers=JSON, writes=(body,)),
            finish=self.outcomes.append,
        )


class RawClient:
    """A connection that sends and reads bytes, without an opinion about HTTP."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self._read = b""

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(data)

    def reply(self, *, head: bool = False) -> bytes:
        """Read one reply, by its own framing."""
        top = self.until(b"\r\n\r\n")
        if head:
            return top
        if b"transfer-encoding: chunked" in top:
            return top + self.until(b"0\r\n\r\n")
        length = int(top.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        while len(self._read) < length:
            self._more()
        body, self._read = self._read[:length], self._read[length:]
        return top + body

    def rest(self) -> bytes:
        """Read until the server closes; a reset ends it as well."""
        while True:
            try:
                more = self.socket.recv(65_536)
            except ConnectionResetError:
                more, self._read = b"", self._read + b"<reset>"
            if not more:
                data, self._read = self._read, b""
                return data
            self._read += more

    def until(self, end: bytes) -> bytes:
        """Read up to some bytes, these included."""
        while end not in self._read:
            self._more()
        data, _, self._read = self._read.partition(end)
        return data + end

    def _more(self) -> None:
        more = self.socket.recv(65_536)
        assert more, f"the server closed after {self._read!r}"
        self._read += more


@contextmanager
def raw(server: LiveServer) -> Iterator[RawClient]:
    """Open one raw connection."""
    client = RawClient(server.port)
    with closing(client.socket):
        yield client
