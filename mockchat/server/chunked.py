"""A chunked request body, as its bytes come: the rules of `framing` applied piece by piece. No I/O."""

from http import HTTPStatus

from mockchat.server import framing
from mockchat.server.framing import Limits, Refused

_LONGEST_SIZE_LINE = 65_536
_BLANK = (b"\r\n", b"\n")


class ChunkedBody:
    """One body that is sent in chunks (RFC 9112, section 7.1); extensions and trailers mean nothing.

    Args:
        limit: The largest body, in bytes.
        limits: `head_size` is the room for trailers.

    Attributes:
        data: The body so far.
    """

    def __init__(self, limit: int, limits: Limits) -> None:
        self.data = bytearray()  # a list of small chunks would weigh many times what they hold
        self._limit = limit
        self._head_size = self._room = limits.head_size
        self._kept = b""
        self._missing = 0
        self._is_chunk_over = False
        self._is_trailer = False

    def feed(self, data: bytes) -> bytes | None:
        """Take the next bytes; return what follows the body when it is whole, None before that.

        Raises:
            Refused: With status 400 (malformed), 413 (over the limit), 431 (trailers too large).
        """
        data, self._kept = self._kept + data, b""
        start = 0
        while True:
            start = self._chunk(data, start)
            if self._missing or self._is_chunk_over:
                self._kept = data[start:]
                return None
            end = data.find(b"\n", start) + 1
            line = data[start:end] if end else data[start:]
            self._check_length(line)
            if not end:
                self._kept = line
                return None
            start = end
            if self._is_trailer:
                if line in _BLANK:
                    return data[start:]
                framing.check_field_line(line)
                self._room -= len(line)
            else:
                self._announce(framing.chunk_size(line))

    def _chunk(self, data: bytes, start: int) -> int:
        """Take what is there of a chunk and of the line end behind it; return where that ends."""
        if self._missing:
            piece = data[start : start + self._missing]
            self.data += piece
            self._missing -= len(piece)
            self._is_chunk_over = not self._missing
            start += len(piece)
        if self._is_chunk_over:
            line_end = data[start : start + 2]
            if not b"\r\n".startswith(line_end):
                raise Refused(
                    HTTPStatus.BAD_REQUEST, "The request's chunked body is not well formed."
                )
            if len(line_end) == len(b"\r\n"):
                self._is_chunk_over = False
                start += len(line_end)
        return start

    def _announce(self, size: int) -> None:
        if len(self.data) + size > self._limit:
            raise framing.too_large(self._limit)
        self._missing = size
        self._is_trailer = not size

    def _check_length(self, line: bytes) -> None:
        if self._is_trailer and len(line) > self._room:
            raise framing.head_too_large(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, self._head_size
            )
        if len(line) > _LONGEST_SIZE_LINE:
            raise framing.head_too_large(HTTPStatus.BAD_REQUEST, self._head_size)
