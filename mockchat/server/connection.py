"""One client connection: requests are read one after the other, deliveries played with their timing.

Werkzeug's own handler closes after every reply; this one keeps the connection as HTTP/1.1 asks. The
head is still parsed by the standard library's well-kept parser; the rules of `framing` stand before
it, where it is more lenient than RFC 9112.
"""

import contextlib
import re
import selectors
import socket
import ssl
import struct
import time
from dataclasses import dataclass, replace
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Never

from werkzeug.serving import WSGIRequestHandler

from mockchat.exchange import Ending, Incoming, Outcome, Write
from mockchat.scripting.faults import Ability
from mockchat.server import framing
from mockchat.server.framing import Playback, Refused
from mockchat.server.marks import mark_of
from mockchat.server.reading import RequestReader
from mockchat.server.relaying import Relayed, RelayFraming, Source
from mockchat.server.reports import logger, report
from mockchat.server.ticket import Ticket, answered
from mockchat.server.tls import say_goodbye

if TYPE_CHECKING:
    from mockchat.server.werkzeug_server import ThreadedServer

ABILITIES = frozenset(Ability)
"""What this adapter can play: all there is."""
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_WITH_ONE_LENGTH = 3
"""Parts of a head that is split at its content-length, where it has one."""
_NO_LINGER = struct.pack("ii", 1, 0)
"""SO_LINGER on, with zero seconds: closing sends RST instead of FIN."""


class Interrupted(Exception):
    """The client left, or the server stops, while a delivery waits for its next write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """What a head says; clients that keep a connection often send the same one again.

    Attributes:
        read: Its bytes.
        incoming: The request without its body.
        version: The version of HTTP.
        closes: Whether the connection ends with this request.
        is_continue_expected: Whether the client waits before it sends the body.
        lengths: The values of `content-length`.
        codings: The values of `transfer-encoding`.
    """

    read: tuple[bytes, bytes]
    incoming: Incoming
    version: str
    closes: bool
    is_continue_expected: bool
    lengths: list[str]
    codings: list[str]


_LENGTH = re.compile(rb"(?im)^content-length:[ \t]*([0-9]+)[ \t]*\r\n")


def _resized(known: _Head | None, read: tuple[bytes, bytes]) -> _Head | None:
    """Return what a head says that differs from a known one in the body's length alone, or None."""
    if known is None or known.read[0] != read[0] or known.is_continue_expected:
        return None
    parts, others = _LENGTH.split(read[1]), _LENGTH.split(known.read[1])
    if len(parts) != _WITH_ONE_LENGTH or parts[::2] != others[::2]:
        return None
    length = parts[1].decode()
    headers = tuple(
        (name, length if name == "content-length" else value)
        for name, value in known.incoming.headers
    )
    return replace(
        known,
        read=read,
        incoming=replace(known.incoming, headers=headers, mark=mark_of(b"".join(read))),
        lengths=[length],
    )


class ConnectionHandler(WSGIRequestHandler):
    """Serve one connection, from the first request to the last, in a thread of its own."""

    server: "ThreadedServer"
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        """Prepare reading with deadlines, through a file that holds no second handle."""
        super().setup()
        self.rfile.close()
        self._reader = RequestReader(self.connection, self.server.limits)
        self._known: _Head | None = None

    def finish(self) -> None:
        """Give up the buffers."""
        super().finish()
        say_goodbye(self.connection)
        self._reader.close()

    def handle_one_request(self) -> None:
        """Read a request, answer it, and leave `close_connection` saying whether that was all."""
        self.close_connection = True
        self._method, self._version = "", "HTTP/1.1"
        with self.server.idling():
            has_request = self._reader.wait()
        if not has_request:
            return
        started = time.monotonic()
        incoming = None
        try:
            head = self._read_head()
            incoming = head.incoming
            incoming = self._read_body(head)
        except Refused as refused:
            self.close_connection = True
            if self.server.is_stopping:
                return
            self._play(self.server.application.refuse(refused.status, refused.message, incoming))
            logger.info("refused with %d: %s", refused.status, refused.message)
            self._linger()
            return
        outcome = self._play(answered(self.server.application, incoming))
        seconds = time.monotonic() - started
        logger.info("%s %r: %s, %.4f s", incoming.method, incoming.path, outcome.value, seconds)

    def _read_head(self) -> "_Head":
        read = self._reader.head()
        if self._known is None or self._known.read is not read:
            known, self._known = self._known, None  # nothing is known of one that is refused now
            self._known = _resized(known, read) or self._parsed(read)
        self._method, self._version = self._known.incoming.method, self._known.version
        self.close_connection = self._known.closes
        return self._known

    def _parsed(self, read: tuple[bytes, bytes]) -> "_Head":
        self.raw_requestline, fields = read
        self._is_continue_expected = False
        self.rfile = BytesIO(fields)
        self.parse_request()
        self._method, self._version = self.command, self.request_version
        options = ",".join(self.headers.get_all("connection", [])).lower().split(",")
        if "close" in (option.strip() for option in options):
            self.close_connection = True
        path, _, query = framing.origin_form(self.path).partition("?")
        return _Head(
            read=read,
            incoming=Incoming(
                method=self._method,
                path=path,
                query=query,
                headers=tuple(
                    (name.lower(), str(value).strip(" \t")) for name, value in self.headers.items()
                ),
                mark=mark_of(b"".join(read)),
            ),
            version=self._version,
            closes=self.close_connection,
            is_continue_expected=self._is_continue_expected,
            lengths=[str(value) for value in self.headers.get_all("content-length", [])],
            codings=[str(value) for value in self.headers.get_all("transfer-encoding", [])],
        )

    def _read_body(self, head: "_Head") -> Incoming:
        limit = self.server.application.body_limit
        length = framing.body_length(head.lengths, head.codings, head.version)
        incoming = head.incoming
        if length == 0:
            return incoming
        if head.is_continue_expected and (length is None or length <= limit):
            self._send(_CONTINUE)
        return Incoming(
            method=incoming.method,
            path=incoming.path,
            query=incoming.query,
            headers=incoming.headers,
            body=self._reader.body(length, limit),
            mark=incoming.mark,
        )

    def handle_expect_100(self) -> bool:
        """Only take note: whether to go on is decided when the body's length is known."""
        self._is_continue_expected = True
        return True

    def send_error(
        self, code: int, message: str | None = None, explain: str | None = None
    ) -> Never:
        """Turn what the standard library's parser refuses into an answer in the API's format.

        Raises:
            Refused: Always.
        """
        raise Refused(code, message or explain or HTTPStatus(code).phrase)

    def _play(self, ticket: Ticket) -> Outcome:
        """Send a delivery and tell its ticket how that went."""
        outcome = Outcome.FAILED
        try:
            outcome = self._relay(ticket) if isinstance(ticket, Relayed) else self._deliver(ticket)
        finally:
            ticket.finish(outcome)
        return outcome

    def _deliver(self, ticket: "Ticket") -> Outcome:
        try:
            playback = self._framed(ticket)
        except ValueError as error:
            report("a delivery could not be framed", error)
            self.close_connection = True
            return Outcome.FAILED
        self.close_connection = playback.closes
        try:
            for sent, send in enumerate(playback.sends):
                if sent:
                    ticket.wrote(sent)
                if send.delay > 0:
                    self._pause(send.delay)
                if send.data:
                    self._send(send.data)
        except TimeoutError:
            self._abandon()
            return Outcome.FAILED
        except (ConnectionError, Interrupted):
            self._abandon()
            return Outcome.FAILED if self.server.is_stopping else Outcome.CLIENT_LEFT
        if playback.resets:
            self._reset()
        return Outcome.DELIVERED

    def _relay(self, relayed: Relayed) -> Outcome:
        """Send what comes in elsewhere, as it comes."""
        try:
            framed = RelayFraming(
                relayed,
                method=self._method,
                version=self._version,
                keeps_alive=not (self.close_connection or self.server.is_draining),
            )
        except ValueError as error:
            report("an answer could not be passed on", error)
            self.close_connection = True
            return Outcome.FAILED
        self.close_connection = framed.closes
        ending: Ending | None = None
        try:
            self._send(framed.head)
            while ending is None:
                data, ending = relayed.source.take()
                if data:
                    self._send(framed.framed(data))
                if ending is None:
                    self._await(relayed.source)
            last, resets = framed.end(ending)
            self._send(last)
        except TimeoutError:
            self._abandon()
            return Outcome.FAILED
        except (ConnectionError, Interrupted):
            self._abandon()
            return Outcome.FAILED if self.server.is_stopping else Outcome.CLIENT_LEFT
        self.close_connection = self.close_connection or ending is not Ending.COMPLETE
        if resets:
            self._reset()
        return Outcome.DELIVERED

    def _await(self, source: Source) -> None:
        """Wait until something comes; see `_pause`.

        Raises:
            Interrupted: When the client left, or the server stops.
        """
        if self.server.is_stopping:
            raise Interrupted
        with selectors.DefaultSelector() as selector:
            selector.register(self.server.stop_signal, selectors.EVENT_READ)
            selector.register(self.connection, selectors.EVENT_READ)
            selector.register(source, selectors.EVENT_READ)
            while True:
                ready = [key.fileobj for key, _ in selector.select()]
                if self.server.stop_signal in ready:
                    raise Interrupted
                if source in ready:
                    return
                if self._has_left():
                    raise Interrupted
                selector.unregister(self.connection)  # a pipelined request: it can wait

    def _framed(self, ticket: Ticket) -> Playback:
        """Frame a delivery for this connection.

        Raises:
            ValueError: When a header's name is not an HTTP token.
        """
        keeps_alive = not (self.close_connection or self.server.is_draining)
        is_usual = (self._method, self._version) == ("POST", "HTTP/1.1")
        if ticket.sheet is not None and is_usual and keeps_alive:
            whole = Write(data=framing.whole(*ticket.sheet))
            return Playback(sends=(whole,), closes=False, resets=False)
        return framing.playback(
            ticket.delivery, method=self._method, version=self._version, keeps_alive=keeps_alive
        )

    def _send(self, data: bytes) -> None:
        self.connection.settimeout(self.server.limits.write_time)
        try:
            self.connection.sendall(data)
        except ssl.SSLError as error:
            raise ConnectionAbortedError(str(error)) from None

    def _pause(self, seconds: float) -> None:
        """Wait, but not for a client that has left nor for a server that stops.

        A client that closes its sending half while it waits counts as gone: HTTP clients do that
        when they give up, and it is the only sign there is before a write fails.

        Raises:
            Interrupted: When either happens.
        """
        end = time.monotonic() + seconds
        if self.server.is_stopping:
            raise Interrupted
        with selectors.DefaultSelector() as selector:
            selector.register(self.server.stop_signal, selectors.EVENT_READ)
            selector.register(self.connection, selectors.EVENT_READ)
            while (remaining := end - time.monotonic()) > 0:
                ready = [key.fileobj for key, _ in selector.select(remaining)]
                if self.server.stop_signal in ready:
                    raise Interrupted
                if self.connection in ready:
                    if self._has_left():
                        raise Interrupted
                    selector.unregister(self.connection)  # a pipelined request: it can wait

    def _has_left(self) -> bool:
        if isinstance(self.connection, ssl.SSLSocket):
            return self._reader.has_ended()  # bytes of the connection are not the client's
        return not self.connection.recv(1, socket.MSG_PEEK)

    def _abandon(self) -> None:
        self.close_connection = True
        self._reset()

    def _reset(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.connection.close()

    def _linger(self) -> None:
        """Close so that a client still sending reads the answer: at once would be a reset."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self._reader.drain()
