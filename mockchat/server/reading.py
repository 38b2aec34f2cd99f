"""Reading requests off a socket under limits of size and time."""

import io
import socket
import ssl
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from mockchat.server import framing
from mockchat.server.chunked import ChunkedBody
from mockchat.server.framing import Limits, Refused

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_END = b"\r\n\r\n"
_BLANK = (b"\r\n", b"\n")
_PIECE = 65_536
_AT_ONCE = 0.001


class TimedSource(io.RawIOBase):
    """A socket's bytes until a deadline: one limit for all of a head, not one for each packet."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__()
        self._connection = connection
        self._deadline = 0.0

    def allow(self, seconds: float) -> None:
        """Set the deadline `seconds` from now."""
        self._deadline = time.monotonic() + seconds

    def readable(self) -> bool:
        """Say yes: that is all this file can do."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Receive what is there, waiting until the deadline.

        Raises:
            TimeoutError: When nothing arrived in time.
            ConnectionError: When the connection is over, or what arrived is no TLS any more.
        """
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("the deadline has passed")
        self._connection.settimeout(remaining)
        try:
            return self._connection.recv_into(buffer)
        except ssl.SSLError as error:
            raise ConnectionAbortedError(str(error)) from None


class RequestReader:
    """The requests of one connection, one after the other; what came early is kept for the next."""

    def __init__(self, connection: socket.socket, limits: Limits) -> None:
        self._source = TimedSource(connection)
        self._file = io.BufferedReader(self._source, _PIECE)
        self._limits = limits
        self._last: tuple[bytes, bytes] | None = None

    def wait(self) -> bool:
        """Wait for the first byte of a request; False: the client left or stayed silent."""
        self._source.allow(self._limits.idle_time)
        try:
            return bool(self._file.peek(1))
        except (TimeoutError, ConnectionError):
            return False

    def has_ended(self) -> bool:
        """Tell, without waiting, whether the client has sent its last byte."""
        self._source.allow(_AT_ONCE)
        try:
            return not self._file.peek(1)
        except TimeoutError:
            return False

    def head(self) -> tuple[bytes, bytes]:
        """Read and return a request line and the block of header lines with its empty line.

        A head that has the very bytes of the one before is the same object.

        Raises:
            Refused: With status 400 (malformed, ends early), 408 (slow), 414 or 431 (too large).
            ConnectionError: When the client resets the connection.
        """
        self._source.allow(self._limits.head_time)
        if self._last is not None and self._is_here(*self._last):
            return self._last
        plain = self._at_once()
        if plain is not None:
            self._last = plain
            return plain
        room = self._limits.head_size
        line = self._line(room, HTTPStatus.REQUEST_URI_TOO_LONG)
        if line in _BLANK:  # RFC 9112 section 2.2: an empty line before a request is to be ignored
            line = self._line(room, HTTPStatus.REQUEST_URI_TOO_LONG)
        framing.check_request_line(line)
        request_line, fields = line, []
        while True:
            room -= len(line)
            line = self._line(room, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            fields.append(line)
            if line in _BLANK:
                self._last = request_line, b"".join(fields)
                return self._last
            framing.check_field_line(line)
            if len(fields) > self._limits.head_fields:
                raise framing.too_many_fields(self._limits.head_fields)

    def body(self, length: int | None, limit: int) -> bytes:
        """Read a body of `length` bytes, or a chunked one where that is None.

        Raises:
            Refused: With status 400 (malformed, ends early), 408 (slow), 413 (over `limit`).
            ConnectionError: When the client resets the connection.
        """
        self._source.allow(self._limits.body_time)
        if length is None:
            return self._chunked(limit)
        if length > limit:
            raise framing.too_large(limit)
        return self._exactly(length)

    def drain(self) -> None:
        """Throw away what the client still sends, until it stops or the linger time is over."""
        self._source.allow(self._limits.linger_time)
        try:
            while self._file.read1(_PIECE):
                pass
        except OSError:
            return

    def close(self) -> None:
        """Give up the buffers; the socket belongs to someone else."""
        self._file.close()

    def _at_once(self) -> tuple[bytes, bytes] | None:
        """Take a head off the connection that has arrived as a whole; None where lines must tell."""
        try:
            arrived = self._file.peek(1)
        except TimeoutError:
            return None  # whoever reads on says so
        size = arrived.find(_END) + len(_END)
        if not len(_END) <= size <= self._limits.head_size:
            return None
        head = arrived[:size]
        is_short = head.count(b"\n") <= self._limits.head_fields
        if not is_short or not framing.is_plain_head(head):
            return None
        self._file.read(size)
        start = head.find(b"\n") + 1
        return head[:start], head[start:]

    def _is_here(self, request_line: bytes, fields: bytes) -> bool:
        """Take a head off the connection if it is what has arrived already."""
        size = len(request_line) + len(fields)
        try:
            is_same = self._file.peek(1)[:size] == request_line + fields
        except TimeoutError:
            return False  # whoever reads on says so
        if is_same:
            self._file.read(size)
        return is_same

    def _chunked(self, limit: int) -> bytes:
        body = ChunkedBody(limit, self._limits)
        while True:
            piece = self._timely(lambda: self._file.peek(1))
            if not piece:
                raise _ends_early()
            rest = body.feed(piece)
            self._file.read(len(piece) - len(rest or b""))
            if rest is not None:
                return bytes(body.data)

    def _exactly(self, size: int) -> bytes:
        data = self._timely(lambda: self._file.read(size))
        if len(data) < size:
            raise _ends_early()
        return data

    def _line(self, room: int, status: HTTPStatus) -> bytes:
        line = self._timely(lambda: self._file.readline(max(room, 0) + 1))
        if len(line) > room:
            raise framing.head_too_large(status, self._limits.head_size)
        if not line.endswith(b"\n"):
            raise Refused(HTTPStatus.BAD_REQUEST, "The request ends before its head does.")
        return line

    def _timely(self, read: Callable[[], bytes]) -> bytes:
        try:
            return read()
        except TimeoutError:
            raise Refused(
                HTTPStatus.REQUEST_TIMEOUT, "The request did not arrive in time."
            ) from None


def _ends_early() -> Refused:
    return Refused(HTTPStatus.BAD_REQUEST, "The request ends before its body does.")
