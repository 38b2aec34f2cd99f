"""Requests out of bytes, pushed in as they come: httptools behind the rules of `framing`. No I/O."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal, TypeAlias

import httptools

from mockchat.exchange import Incoming, header
from mockchat.server import framing
from mockchat.server.chunked import ChunkedBody
from mockchat.server.framing import Limits, Refused
from mockchat.server.marks import mark_of

Phase: TypeAlias = Literal["idle", "head", "body"]
"""What is being waited for: the first byte of a request, the rest of its head, or of its body."""

_REMEMBERED = 16_384
"""Bytes of a body that a connection keeps, to know it again."""
_VERSIONS = ("1.1", "1.0", "0.9")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A request without its body, and what its connection must know of it.

    Attributes:
        incoming: The request.
        version: The client's, as "HTTP/1.1".
        keeps_alive: Whether the client wants the connection afterwards.
        asks: Whether the client waits for "100 Continue" before it sends the body.
    """

    incoming: Incoming
    version: str
    keeps_alive: bool
    asks: bool


class RequestParser:
    """The requests of one connection, one after the other; what came early is kept for the next.

    httptools reads the head alone: it would take what follows a request that asks for an upgrade
    for another protocol, and does not tell where in its bytes a message ends.

    Args:
        limits: The sizes.
        body_limit: The largest body, in bytes.

    Attributes:
        phase: What is being waited for.
        head: Of the request that `next` returned, or whose body is being waited for; None where
            there is none.
        is_asking: Whether the client waits for "100 Continue" now.
    """

    __slots__ = (
        "_body",
        "_body_limit",
        "_checked",
        "_chunks",
        "_is_waiting",
        "_kept",
        "_last",
        "_length",
        "_limits",
        "_missing",
        "_request",
        "_whole",
        "head",
        "is_asking",
        "phase",
    )

    def __init__(self, limits: Limits, body_limit: int) -> None:
        self.phase: Phase = "idle"
        self.head: Head | None = None
        self.is_asking = False
        self._limits = limits
        self._body_limit = body_limit
        self._kept = b""
        self._checked = 0
        self._last = b""
        self._whole = b""
        self._request: Incoming | None = None
        self._length: int | None = 0
        self._is_waiting = False
        self._missing = 0
        self._body = bytearray()
        self._chunks: ChunkedBody | None = None

    @property
    def kept(self) -> int:
        """How many bytes came early."""
        return len(self._kept)

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self._kept = self._kept + data if self._kept else data

    def next(self) -> Incoming | None:
        """Return the next request that is whole, None where more bytes are needed.

        Raises:
            Refused: What came is no request, or over a limit; there will be no further one.
        """
        if not self._kept:
            return None
        if not self._is_waiting:
            again = self._once_more()
            if again is not None:
                return again
            data = self._next_head()
            if data is None:
                return None
            # The requests of one connection often begin alike, to the byte.
            if self.head is None or data != self._last:
                self.head = None
                self.head = self._parsed(data)
                self._length, self._last = _length(self.head), data
            if self._length == 0:
                self.phase = "head" if self._kept else "idle"
                return self.head.incoming
            self._expect_body(self.head)
        return None if self.head is None else self._with_body(self.head)

    def _once_more(self) -> Incoming | None:
        """Return the request that came last, where it is what has come now, to the byte."""
        if self._kept != self._whole or self._request is None:
            return None
        self._kept = b""
        self.phase = "idle"
        return self._request

    def end(self) -> None:
        """Take note that the client sends no more.

        Raises:
            Refused: With status 400: in the middle of a request.
        """
        if self.phase != "idle":
            part = "its head does" if self.phase == "head" else "its body does"
            raise Refused(HTTPStatus.BAD_REQUEST, f"The request ends before {part}.")

    def _next_head(self) -> bytes | None:
        """Cut off and return the next head when it is whole.

        Raises:
            Refused: With status 400 (malformed), 414 or 431 (too large).
        """
        data = self._kept
        if not self._checked and data.startswith((b"\r\n", b"\n")):
            # RFC 9112 section 2.2: an empty line before a request is to be ignored.
            data = self._kept = data.partition(b"\n")[2]
        self.phase = "head" if data else "idle"
        end = _end_of_head(data)
        if not end or end > self._limits.head_size:
            self.head = None
            self._check_part(data)
            return None
        self._kept, self._checked = data[end:], 0
        return data[:end]

    def _check_part(self, data: bytes) -> None:
        """Check the lines that are whole: a client that sends nonsense need not be waited for."""
        while end := data.find(b"\n", self._checked) + 1:
            self._check_room(end)
            line = data[self._checked : end]
            check = framing.check_field_line if self._checked else framing.check_request_line
            check(line)
            self._checked = end
        self._check_room(len(data))

    def _check_room(self, size: int) -> None:
        if size > self._limits.head_size:
            status = (
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
                if self._checked
                else HTTPStatus.REQUEST_URI_TOO_LONG
            )
            raise framing.head_too_large(status, self._limits.head_size)

    def _parsed(self, data: bytes) -> Head:
        framing.check_head(data)
        head = _parsed(data)
        if len(head.incoming.headers) > self._limits.head_fields:
            raise framing.too_many_fields(self._limits.head_fields)
        return head

    def _expect_body(self, head: Head) -> None:
        self.phase = "body"
        if self._length is not None and self._length > self._body_limit:
            raise framing.too_large(self._body_limit)
        self._is_waiting = True
        self.is_asking = head.asks
        self._missing = self._length or 0
        is_chunked = self._length is None
        self._chunks = ChunkedBody(self._body_limit, self._limits) if is_chunked else None

    def _with_body(self, head: Head) -> Incoming | None:
        if self._chunks is not None:
            rest = self._chunks.feed(self._kept)
            self._kept = rest or b""
            return None if rest is None else self._over(head, bytes(self._chunks.data))
        if not self._body and len(self._kept) >= self._missing:
            body, self._kept = self._kept[: self._missing], self._kept[self._missing :]
            return self._over(head, body)
        piece = self._kept[: self._missing - len(self._body)]
        self._body += piece
        self._kept = self._kept[len(piece) :]
        if len(self._body) < self._missing:
            return None
        body, self._body = bytes(self._body), bytearray()
        return self._over(head, body)

    def _over(self, head: Head, body: bytes) -> Incoming:
        """Return the request with its body, and begin anew."""
        self._is_waiting = self.is_asking = False
        self.phase = "head" if self._kept else "idle"
        incoming = head.incoming
        request = Incoming(
            method=incoming.method,
            path=incoming.path,
            query=incoming.query,
            headers=incoming.headers,
            body=body,
            mark=mark_of(self._last),
        )
        # One that asks before it sends its body, or sends it in chunks, is told from its bytes later.
        is_plain = self._length is not None and not head.asks and len(body) <= _REMEMBERED
        self._whole = self._last + body if is_plain else b""
        self._request = request if is_plain else None
        return request


class _Told:
    """What httptools tells of a head."""

    def __init__(self) -> None:
        self.target = b""
        self.fields: list[tuple[str, str]] = []
        self.is_whole = False

    def on_url(self, url: bytes) -> None:
        """Take the request's target."""
        self.target = url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field, as text: each byte is a character, as it is for the embedded server."""
        self.fields.append((name.decode("latin-1").lower(), value.decode("latin-1").strip(" \t")))

    def on_headers_complete(self) -> None:
        """Note that all fields were taken: what is wrong now is the framing of the body."""
        self.is_whole = True


def _end_of_head(data: bytes) -> int:
    """Return where the first empty line ends, 0 where there is none."""
    end = data.find(b"\n\r\n") + len(b"\n\r\n")
    is_found = end >= len(b"\n\r\n")
    bare = data.find(b"\n\n", 0, end if is_found else None)
    return bare + len(b"\n\n") if bare >= 0 else end * is_found


def _parsed(head: bytes, known_as: bytes | None = None) -> Head:
    """Read a head whose lines are well formed.

    Args:
        head: The head.
        known_as: The method that stands in the head in place of one that the parser does not know:
            which are served is the app's to say.

    Raises:
        Refused: With status 400 (target, or framing of the body), 431 (too many fields) or 505.
    """
    if head.count(b"\n") != head.count(b"\r\n"):
        # RFC 9112 section 2.2 lets lines end in a bare LF; the parser does not.
        head = head.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    told = _Told()
    parser = httptools.HttpRequestParser(told)
    try:
        parser.feed_data(head)
    except httptools.HttpParserUpgrade:
        pass  # RFC 9110 section 7.8: a server that does not want to switch goes on
    except httptools.HttpParserInvalidMethodError:
        method, space, rest = head.partition(b" ")
        return _parsed(b"POST" + space + rest, method)
    except httptools.HttpParserError:
        if not told.is_whole:
            raise _unreadable(head) from None
    if parser.get_http_version() not in _VERSIONS:
        raise _unreadable(head)
    version = f"HTTP/{parser.get_http_version()}"
    method = known_as or parser.get_method()
    path, _, query = framing.origin_form(told.target.decode("ascii")).partition("?")
    fields = tuple(told.fields)
    expected = header(fields, "expect") or ""
    return Head(
        incoming=Incoming(method=method.decode("ascii"), path=path, query=query, headers=fields),
        version=version,
        keeps_alive=framing.keeps_alive(
            [value for name, value in fields if name == "connection"], version
        ),
        asks=expected.lower() == "100-continue" and version >= "HTTP/1.1",
    )


def _length(head: Head) -> int | None:
    """Return how long the body is, None where it is chunked.

    Raises:
        Refused: Where that cannot be read one way only.
    """
    fields = head.incoming.headers
    return framing.body_length(
        [value for name, value in fields if name == "content-length"],
        [value for name, value in fields if name == "transfer-encoding"],
        head.version,
    )


def _unreadable(head: bytes) -> Refused:
    version = head.partition(b"\n")[0].rstrip(b"\r").rpartition(b"/")[2]
    if version.decode("ascii") not in _VERSIONS:
        return Refused(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "Only HTTP/1.1 is served.")
    return Refused(HTTPStatus.BAD_REQUEST, "The request's head is not valid HTTP/1.1.")
