"""HTTP/1.1 framing as rules without I/O: which heads are refused, how a delivery becomes sends.

Sources: RFC 9112 sections 2, 3, 5, 6 (framing, and what makes request smuggling possible) and
RFC 9110 section 5.5 (field values).
"""

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import urlsplit

from mockchat.errors import MockchatError
from mockchat.exchange import Delivery, Ending, Headers, Write


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long, how much and how many an adapter waits for; sizes in bytes, times in seconds.

    Attributes:
        head_size: Request line and header fields together.
        head_fields: How many header fields; the embedded server can read 100.
        head_time: From the first byte of a request to the end of its head.
        body_time: From the end of the head to the end of the body.
        idle_time: How long a kept-alive connection may stay silent between requests.
        write_time: How long one send may wait for a client that does not read.
        linger_time: How long a refused upload is read and thrown away, so that its sender gets to
            see the answer instead of a reset.
        connections: How many are served at once, a thread each. At the limit the one that has been
            silent for longest is closed; where none is silent, new ones wait.
        grace_time: How long a connection must have been silent to be closed for another.
        queue_time: How long new connections wait for room before they are told to come again.
    """

    head_size: int = 65_536
    head_fields: int = 100
    head_time: float = 10.0
    body_time: float = 60.0
    idle_time: float = 120.0
    write_time: float = 60.0
    linger_time: float = 2.0
    connections: int = 1_024
    grace_time: float = 1.0
    queue_time: float = 10.0


class Refused(MockchatError):
    """A request that is not taken from the connection; the connection closes after the answer.

    Args:
        status: The HTTP status to answer.
        message: The sentence for the client.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message

    def __str__(self) -> str:
        return f"{self.status}: {self.message}"


_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_LINE = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [\x21-\x7e]+ HTTP/[0-9]\.[0-9]\r?\n"
_FIELD = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r?\n"
_REQUEST_LINE = re.compile(_LINE)
_FIELD_LINE = re.compile(_FIELD)
_EACH_LINE = re.compile(rb"[^\n]*\n")
_HEAD = re.compile(b"%b(?:%b)*\r?\n" % (_LINE, _FIELD))
_LENGTH = re.compile(r"[0-9]{1,18}")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[\t ]*(?:;[\t\x20-\x7e\x80-\xff]*)?\r\n")
_UNSAFE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_WITHOUT_BODY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
_SERVER = ("server", "mockchat")
_FIELDS_KEPT = 1_024
"""How many encoded fields are kept: most of a reply's are those of the one before."""
_ADAPTERS_OWN = frozenset(
    {"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding", "upgrade"}
)


def check_request_line(line: bytes) -> None:
    """Refuse a request line that is not `METHOD target HTTP/x.y`.

    Raises:
        Refused: With status 400; HTTP/0.9 is among it.
    """
    if not _REQUEST_LINE.fullmatch(line):
        raise Refused(HTTPStatus.BAD_REQUEST, "The request line is not valid HTTP/1.1.")


def is_plain_head(head: bytes) -> bool:
    """Tell whether a head, its empty line included, has nothing that the checks of lines refuse."""
    return _HEAD.fullmatch(head) is not None


def check_field_line(line: bytes) -> None:
    """Refuse a header line that parsers read differently: folded, a bare CR, a space before ":".

    Raises:
        Refused: With status 400.
    """
    if not _FIELD_LINE.fullmatch(line):
        raise Refused(HTTPStatus.BAD_REQUEST, "A header field of the request is not valid HTTP.")


def check_head(head: bytes) -> None:
    """Refuse a request's whole head, blank line included, as its lines one by one would be.

    Raises:
        Refused: With status 400.
    """
    if _HEAD.fullmatch(head) is None:
        line, *fields = _EACH_LINE.findall(head)
        check_request_line(line)
        for field in fields[:-1]:
            check_field_line(field)


def origin_form(target: str) -> str:
    """Return path and query of a request target; absolute targets are what proxies send.

    Raises:
        Refused: With status 400: an absolute target that is no URL.
    """
    if target.startswith("//"):
        return "/" + target.lstrip("/")  # not a host: a path is never taken for another server
    if target.startswith("/") or "://" not in target:
        return target
    try:
        parts = urlsplit(target)
    except ValueError:
        raise Refused(HTTPStatus.BAD_REQUEST, "The request's target is not a valid URL.") from None
    path = parts.path or "/"
    return f"{path}?{parts.query}" if parts.query else path


def keeps_alive(options: Sequence[str], version: str) -> bool:
    """Tell whether a client wants its connection after a request (RFC 9112, section 9.3).

    Args:
        options: The values of `connection`.
        version: Of the request, as "HTTP/1.1".
    """
    said = {option.strip() for option in ",".join(options).lower().split(",")} if options else set()
    return "close" not in said and (version >= "HTTP/1.1" or "keep-alive" in said)


def body_length(lengths: Sequence[str], codings: Sequence[str], version: str) -> int | None:
    """Return how many bytes of body follow the head, or None for a chunked body.

    Args:
        lengths: The values of `content-length`.
        codings: Those of `transfer-encoding`.
        version: Of the request, as "HTTP/1.1".

    Raises:
        Refused: With status 400 where length and encoding contradict each other or cannot be read
            one way only, 501 for a transfer coding other than "chunked".
    """
    if codings:
        if lengths or version < "HTTP/1.1" or len(codings) > 1:
            raise Refused(HTTPStatus.BAD_REQUEST, "The request frames its body in two ways.")
        if codings[0].strip(" \t").lower() != "chunked":
            raise Refused(HTTPStatus.NOT_IMPLEMENTED, "Only the transfer coding chunked is known.")
        return None
    if not lengths:
        return 0
    length = lengths[0].strip(" \t")
    if len(lengths) > 1 or not _LENGTH.fullmatch(length):
        raise Refused(HTTPStatus.BAD_REQUEST, "The request's content-length is not one number.")
    return int(length)


def chunk_size(line: bytes) -> int:
    """Return the size that a chunk's first line announces.

    Raises:
        Refused: With status 400 where the line is not a size.
    """
    match = _CHUNK_SIZE.fullmatch(line)
    if match is None:
        raise Refused(HTTPStatus.BAD_REQUEST, "The request's chunked body is not well formed.")
    return int(match[1], 16)


def too_large(limit: int) -> Refused:
    """Return the refusal of a body over `limit` bytes."""
    return Refused(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The request's body is over {limit} bytes."
    )


def too_many_fields(limit: int) -> Refused:
    """Return the refusal of a head with more fields than the limit."""
    return Refused(
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        f"The request's head has over {limit} header fields.",
    )


def head_too_large(status: int, limit: int) -> Refused:
    """Return the refusal of a head, or of trailers, over `limit` bytes."""
    return Refused(status, f"The request's head is over {limit} bytes.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """A delivery as one client will see it, whether or not bytes of HTTP/1.1 are written for it.

    Attributes:
        fields: The response's fields, the adapter's own among them, as bytes without the space that
            may stand around a value.
        sends: Pieces of the body that leave together, after their delay; the first takes the head
            along. Empty data only waits.
        is_chunked: True: the body is framed in chunks. False: by its length, or by the close.
        is_short: True: the client waits for more of the body than comes.
        closes: True: the connection ends with this delivery.
        resets: True: it ends by a reset, the only way left to look broken.
    """

    fields: tuple[tuple[bytes, bytes], ...]
    sends: tuple[Write, ...]
    is_chunked: bool
    is_short: bool
    closes: bool
    resets: bool


@dataclass(slots=True, kw_only=True)
class _Shape:
    """A delivery for one client, its fields as text still."""

    fields: list[tuple[str, str]]
    sends: Iterator[tuple[float, bytes]]
    is_chunked: bool
    is_short: bool
    closes: bool
    resets: bool


def arrangement(delivery: Delivery, *, method: str, version: str, keeps_alive: bool) -> Arrangement:
    """Arrange a delivery as the fewest sends that keep its timing.

    Head and body leave together; writes without a delay join the one before them. A cut is visible
    in the framing: a chunked body misses its last chunk, a sized one announces a byte more than
    comes; where neither is possible (HTTP/1.0 streams, replies without a body) the cut becomes a
    reset.

    Raises:
        ValueError: When a header's name is not an HTTP token.
    """
    shape = _shape(delivery, method, version, keeps_alive=keeps_alive)
    date = ("date", _date(int(time.time())))
    return Arrangement(
        fields=tuple([_seen_field(name, value) for name, value in (date, _SERVER, *shape.fields)]),
        sends=tuple([Write(data=data, delay=delay) for delay, data in shape.sends]),
        is_chunked=shape.is_chunked,
        is_short=shape.is_short,
        closes=shape.closes,
        resets=shape.resets,
    )


def _shape(delivery: Delivery, method: str, version: str, *, keeps_alive: bool) -> _Shape:
    has_body = (
        method != "HEAD"
        and delivery.status >= HTTPStatus.OK
        and delivery.status not in _WITHOUT_BODY
    )
    is_chunked = delivery.is_stream and version >= "HTTP/1.1"
    is_until_close = delivery.is_stream and not is_chunked
    is_broken = delivery.ending is not Ending.COMPLETE
    is_cut = delivery.ending is Ending.CUT
    # A connection that breaks has not said before that it would: Node's fetch takes a body that ends
    # too early for a whole one where the head says close.
    announces_close = not keeps_alive or is_until_close

    fields = [field for field in delivery.headers if _is_apps(field[0])]
    if is_chunked:
        fields.append(("transfer-encoding", "chunked"))
    elif not is_until_close and (has_body or method == "HEAD"):
        length = sum(len(write.data) for write in delivery.writes)
        fields.append(("content-length", str(length + int(is_broken))))
    if announces_close:
        fields.append(("connection", "close"))
    elif version < "HTTP/1.1":
        fields.append(("connection", "keep-alive"))

    first = delivery.writes[0].delay if delivery.writes else 0.0
    return _Shape(
        fields=fields,
        sends=_joined(delivery.writes) if has_body else iter([(first, b"")]),
        is_chunked=is_chunked and has_body,
        is_short=is_broken and has_body,
        closes=announces_close or is_broken,
        resets=delivery.ending is Ending.RESET or (is_cut and (is_until_close or not has_body)),
    )


@lru_cache(maxsize=_FIELDS_KEPT)
def _is_apps(name: str) -> bool:
    return name.lower() not in _ADAPTERS_OWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Playback:
    """A delivery framed for one connection.

    Attributes:
        sends: Bytes that leave in one send each, after their delay; empty data only waits.
        closes: True: the connection ends with this delivery.
        resets: True: it ends by a reset, the only way left to look broken.
    """

    sends: Iterable[Write]
    closes: bool
    resets: bool


def playback(delivery: Delivery, *, method: str, version: str, keeps_alive: bool) -> Playback:
    """Frame a delivery for one connection: its arrangement, written as HTTP/1.1.

    The sends can be read once; each is made when it is asked for, so that ten thousand streams do
    not stand in memory twice.

    Raises:
        ValueError: When a header's name is not an HTTP token.
    """
    shape = _shape(delivery, method, version, keeps_alive=keeps_alive)
    head = _head(delivery.status, shape.fields)
    return Playback(sends=_framed(head, shape), closes=shape.closes, resets=shape.resets)


def lines(headers: Headers) -> bytes:
    """Write fields as lines of a head; those that are the adapter's are left out.

    Raises:
        ValueError: When a name is not an HTTP token.
    """
    return b"".join([_line(name, value) for name, value in headers if _is_apps(name)])


def whole(status: int, app_lines: bytes, body: bytes, is_stream: bool) -> bytes:  # noqa: FBT001 - a sheet
    """Frame an answer that leaves at once, to a connection of HTTP/1.1 that goes on.

    It is what `playback` makes of its delivery.

    Args:
        status: The HTTP status, of an answer that has a body.
        app_lines: The app's fields, as `lines` writes them.
        body: All bytes of the body.
        is_stream: True: they are sent as chunks.
    """
    head = _status_line(status), _first_lines(int(time.time())), app_lines
    if not is_stream:
        return b"".join([*head, b"content-length: %d\r\n\r\n" % len(body), body])
    chunk = (b"%x\r\n" % len(body), body, b"\r\n") if body else ()
    return b"".join([*head, b"transfer-encoding: chunked\r\n\r\n", *chunk, b"0\r\n\r\n"])


def _framed(head: bytes, shape: _Shape) -> Iterator[Write]:
    if not shape.is_chunked:
        for delay, data in shape.sends:
            yield Write(data=head + data, delay=delay)
            head = b""
        return
    due, waiting = 0.0, b""
    for number, (delay, data) in enumerate(shape.sends):
        if number:
            yield Write(data=waiting, delay=due)
        due, waiting, head = delay, head + _chunk(data), b""
    yield Write(data=waiting if shape.is_short else waiting + b"0\r\n\r\n", delay=due)


def _joined(writes: Sequence[Write]) -> Iterator[tuple[float, bytes]]:
    """Give the bytes that leave together, with the delay before them."""
    delay, parts = writes[0].delay if writes else 0.0, list[bytes]()
    for position, write in enumerate(writes):
        if write.delay > 0 and position:
            yield delay, b"".join(parts)
            delay, parts = write.delay, []
        parts.append(write.data)
    yield delay, b"".join(parts)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def _head(status: int, fields: Iterable[tuple[str, str]]) -> bytes:
    """Write the head of a response, `date` and `server` first.

    Raises:
        ValueError: When a header's name is not an HTTP token.
    """
    lines = [_line(name, value) for name, value in fields]
    return b"".join([_status_line(status), _first_lines(int(time.time())), *lines, b"\r\n"])


@lru_cache(maxsize=_FIELDS_KEPT)
def _status_line(status: int) -> bytes:
    return f"HTTP/1.1 {status} {phrase(status)}\r\n".encode()


@lru_cache(maxsize=1)
def _first_lines(second: int) -> bytes:
    return _line("date", _date(second)) + _line(*_SERVER)


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)


@lru_cache(maxsize=_FIELDS_KEPT)
def _line(name: str, value: str) -> bytes:
    """Write a field; most are those of the reply before."""
    return b"%b: %b\r\n" % _field(name, value)


@lru_cache(maxsize=_FIELDS_KEPT)
def _seen_field(name: str, value: str) -> tuple[bytes, bytes]:
    """Encode a field as a client reads it: the space around its value is none of it (RFC 9112, 5)."""
    encoded, said = _field(name, value)
    return encoded, said.strip(b" \t")


def _field(name: str, value: str) -> tuple[bytes, bytes]:
    """Encode a field; what could break out of it becomes a space.

    Raises:
        ValueError: When its name is not an HTTP token.
    """
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"{name!r} is not a header name")
    return name.encode(), _UNSAFE.sub(" ", value).encode("latin-1", "backslashreplace")


def phrase(status: int) -> str:
    """Return the reason phrase of a status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
