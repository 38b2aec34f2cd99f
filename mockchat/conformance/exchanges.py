"""Exchanges as JSON lines: one object a line, as recorders of HTTP traffic write them.

Members: `request` (the decoded body), `status`, `content_type`, `body` (decoded JSON, or text: a
stream as it was sent), `path` and `method` (POST where it is missing); others, such as `host`, are
for the reader.
"""

from collections.abc import Iterator

from mockchat.conformance.kinds import UnreadableFile, is_exchange
from mockchat.conformance.records import Payload, Record, Stream, reply_of, reply_part
from mockchat.server.wire import BadBody, decode_json
from mockchat.types import Json, JsonObject

_OK = 200


def exchange_records(data: bytes) -> tuple[Record, ...]:
    """Return the exchanges of `data`; their places are line numbers.

    One object that is spread over several lines is one exchange.

    Raises:
        UnreadableFile: A line is not JSON or no exchange.
    """
    try:
        value = decode_json(data)
    except BadBody:
        return tuple(_lines(data))
    return (_record(value, 1),)


def _lines(data: bytes) -> Iterator[Record]:
    count = 0
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.strip():
            count += 1
            yield _record(_decoded(line, number), number)
    if not count:
        raise UnreadableFile("it holds no exchange")


def _decoded(line: bytes, number: int) -> Json:
    try:
        return decode_json(line)
    except BadBody as bad:
        # Decoded again at its place, so that the text names the line of the file.
        try:
            return decode_json(b"\n" * (number - 1) + line)
        except BadBody as placed:
            at = "" if bad.kind == "malformed" else f" in line {number}"
            raise UnreadableFile(f"not JSON: {placed.detail}{at}") from None


def _record(value: Json, number: int) -> Record:
    if not is_exchange(value):
        problem = "an object with `request` and `body` or `status` is wanted"
        raise UnreadableFile(f"line {number} is no exchange: {problem}")
    request = value["request"]
    return Record(
        place=str(number),
        method=str(value.get("method", "POST")),
        path=_path(value.get("path"), number),
        request=None if request is None else Payload(part="request", value=request),
        reply=_reply(value, number),
        status=value.get("status", _OK),
    )


def _path(path: Json, number: int) -> str | None:
    if path is None or isinstance(path, str):
        return None if path is None else path.partition("?")[0]
    raise UnreadableFile(f"line {number} is no exchange: `path` is not text")


def _reply(value: JsonObject, number: int) -> Payload | Stream | None:
    body, status, content_type = (
        value.get("body"),
        value.get("status", _OK),
        value.get("content_type"),
    )
    if not isinstance(status, int) or not isinstance(content_type, str | None):
        problem = "`status` is a number and `content_type` text or null"
        raise UnreadableFile(f"line {number} is no exchange: {problem}")
    if body is None:
        return None
    if isinstance(body, str):
        return reply_of(body.encode(), status=status, content_type=content_type)
    return Payload(part=reply_part(status), value=body, content_type=content_type)
