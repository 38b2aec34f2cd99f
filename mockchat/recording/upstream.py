"""The real server: a request passed on to it, and its answer as it comes in."""

import contextlib
import http.client
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from mockchat.conformance.connecting import Watch, context_of, failure_of, opened
from mockchat.conformance.target import Target
from mockchat.errors import MockchatError
from mockchat.exchange import Ending, Headers, Incoming, header
from mockchat.recording.exchanges import Ended, Piece  # noqa: TC001 - attributes of ours

LARGEST = 8 * 1024 * 1024
"""The largest answer that is written down, in bytes; larger ones are passed on only."""

_PIECE = 65_536
_CONNECT = 30.0
"""Seconds that names, addresses and TLS may take."""

_HOPS = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Fields that are meant for the next machine alone (RFC 9110, section 7.6.1)."""

_OURS = frozenset({"host", "content-length", "expect", "accept-encoding", "x-mockchat-session"})
_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


class UpstreamFailed(MockchatError):
    """The real server could not be asked.

    Args:
        url: Where it should be.
        reason: What went wrong, as a user would say it.
    """

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, reason)
        self.url = url
        self.reason = reason

    def __str__(self) -> str:
        return f"The upstream {self.url} gave no answer: {self.reason}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """A real server behind a URL.

    Attributes:
        base_url: What stands before "/chat/completions", as the SDKs take it.
        prefix: What stands before it where clients ask us.
        headers: Fields that replace those of the clients, credentials among them; never shown.
        timeout: Seconds without a byte after which it is given up.
        ca_file: Certificates of authorities that are trusted besides the system's.

    Raises:
        BadArgument: `base_url` is no http or https URL, `timeout` is not above 0, or `ca_file`
            holds no certificate.
    """

    base_url: str
    prefix: str = "/v1"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = 600.0
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        Target(base_url=self.base_url, timeout=self.timeout, ca_file=self.ca_file)

    def ask(self, incoming: Incoming) -> "Passing":
        """Pass a request on and return its answer, whose body is still to come.

        Raises:
            UpstreamFailed: There is no head of an answer.
        """
        began, started = time.time(), time.monotonic()
        connection = self._connection()
        try:
            watch = Watch(_CONNECT)
            try:
                connection.sock = opened(self.base_url, watch, self._context)
            finally:
                watch.stop()
            connected = connection.sock
            connected.settimeout(self.timeout)
            self._send(connection, incoming)
            response = connection.getresponse()
        except Exception as error:
            connection.close()
            raise UpstreamFailed(self.base_url, failure_of(error)[1]) from error
        return Passing(connected, response, began=began, started=started)

    def target(self, path: str, query: str) -> str:
        """Return what is asked for: the client's path below our prefix, below that of the URL."""
        base = urlsplit(self.base_url).path.rstrip("/")
        rest = path
        for prefix in (base, self.prefix):
            if prefix and (path == prefix or path.startswith(f"{prefix}/")):
                rest = path.removeprefix(prefix)
                break
        return f"{base}{rest}" + (f"?{query}" if query else "")

    @property
    def _context(self) -> ssl.SSLContext | None:
        is_secure = urlsplit(self.base_url).scheme == "https"
        return context_of(self.ca_file, True) if is_secure else None

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.base_url)
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        return kind(parts.hostname or "", parts.port)

    def _send(self, connection: http.client.HTTPConnection, incoming: Incoming) -> None:
        target = self.target(incoming.path, incoming.query)
        connection.putrequest(incoming.method, target, skip_accept_encoding=True)
        for name, value in self._fields(incoming):
            connection.putheader(name, value)
        connection.endheaders(incoming.body or None)

    def _fields(self, incoming: Incoming) -> Iterator[tuple[str, str]]:
        own = {name.lower(): value for name, value in self.headers.items()}
        for name, value in passed_on(incoming.headers):
            if name not in _OURS and name not in own:
                yield name, value
        yield from own.items()
        yield "accept-encoding", "identity"
        yield "connection", "close"
        if incoming.body or header(incoming.headers, "content-length") is not None:
            yield "content-length", str(len(incoming.body))


def passed_on(headers: Headers) -> Headers:
    """Return the fields that are meant for whoever is behind the next machine, in lower case."""
    named = {
        option.strip().lower()
        for name, value in headers
        if name.lower() == "connection"
        for option in value.split(",")
    }
    return tuple(
        (name.lower(), value)
        for name, value in headers
        if name.lower() not in _HOPS and name.lower() not in named
    )


class Passing:
    """An answer on its way: read in a thread of its own, taken by whoever passes it on.

    Args:
        connected: Where it comes from; closed at its end.
        response: Its head, and the body.
        began: When the request was sent, in seconds since 1970.
        started: The same on the monotonic clock.

    Attributes:
        status: The HTTP status.
        headers: The fields that are passed on.
        began: As given.
        answered: Seconds until the head was there.
        pieces: What has come so far, without compression, with the seconds since the request.
        ended: How it ended; "client left" until it does.
        is_too_large: Whether there is more than is written down; `pieces` are not all then.
    """

    def __init__(
        self,
        connected: socket.socket,
        response: http.client.HTTPResponse,
        *,
        began: float,
        started: float,
    ) -> None:
        self.status = response.status
        self.headers = passed_on(tuple(response.getheaders()))
        self.began = began
        self.answered = time.monotonic() - started
        self.pieces: list[Piece] = []
        self.ended: Ended = "client left"
        self.is_too_large = False
        self._connected = connected
        self._response = response
        self._started = started
        self._waiting = bytearray()
        self._ending: Ending | None = None
        self._size = 0
        window = _WINDOWS.get((header(self.headers, "content-encoding") or "").strip().lower())
        self._unpacker = None if window is None else zlib.decompressobj(window)
        self._signal, self._switch = socket.socketpair()
        self._signal.setblocking(False)
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, name="mockchat-upstream", daemon=True)
        self._thread.start()

    def fileno(self) -> int:
        """Return what can be waited for: it is readable while there is something to take."""
        return self._signal.fileno()

    def take(self) -> tuple[bytes, Ending | None]:
        """Return, without waiting, what has come since, and how it ended if it has."""
        with self._changed:
            data, ending = bytes(self._waiting), self._ending
            self._waiting.clear()
            if self._signal.fileno() >= 0:
                _empty(self._signal)
            return data, ending

    def wait(self) -> tuple[bytes, Ending]:
        """Return all bytes that were not taken yet, when the end is there."""
        with self._changed:
            self._changed.wait_for(lambda: self._ending is not None)
        data, ending = self.take()
        return data, ending or Ending.CUT

    def close(self) -> None:
        """Let go of the connection, whether or not the answer is whole."""
        with self._changed:
            is_over = self._ending is not None
        if not is_over:
            with contextlib.suppress(OSError):  # it ended at the same moment
                # That of plain sockets: a TLS socket's own takes its state away, which is read.
                socket.socket.shutdown(self._connected, socket.SHUT_RDWR)
        self._thread.join()
        if not is_over:
            self.ended = "client left"
        self._signal.close()
        self._switch.close()

    def _read(self) -> None:
        ended: Ended = "cut"
        ending = Ending.CUT
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            try:
                while data := self._response.read1(_PIECE):
                    self._came(data)
                if not self._response.length:
                    ended, ending = "whole", Ending.COMPLETE
            except ConnectionResetError:
                ended, ending = "reset", Ending.RESET
        with self._changed:
            self.ended, self._ending = ended, ending
            self._tell()
        self._response.close()
        self._connected.close()

    def _came(self, data: bytes) -> None:
        seconds = time.monotonic() - self._started
        plain = data
        if self._unpacker is not None:
            plain = self._unpacked(data)
        self._size += len(plain)
        self.is_too_large = self.is_too_large or self._size > LARGEST
        with self._changed:
            if not self.is_too_large:
                self.pieces.append((seconds, plain))
            self._waiting += data
            self._tell()

    def _unpacked(self, data: bytes) -> bytes:
        if self._unpacker is None or self.is_too_large:
            return b""
        try:
            return self._unpacker.decompress(data, LARGEST + 1)
        except zlib.error:
            return data

    def _tell(self) -> None:
        self._changed.notify_all()
        with contextlib.suppress(OSError):  # it was told already, and nobody has listened yet
            self._switch.send(b"!", socket.MSG_DONTWAIT)


def _empty(signal: socket.socket) -> None:
    with contextlib.suppress(BlockingIOError):
        while signal.recv(_PIECE):
            pass
