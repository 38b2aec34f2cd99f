"""Halves of exchanges as other recorders keep them, made into exchanges of ours."""

import zlib
from dataclasses import dataclass

from mockchat.exchange import Headers, header
from mockchat.recording.exchanges import Piece, RecordedExchange
from mockchat.scripting.credentials import redact, redact_query, redact_text, secrets_of
from mockchat.scripting.sse import SseDecoder

LARGEST_BODY = 8 * 1024 * 1024
"""The largest body that is unpacked, in bytes."""

_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
"""What zlib is told to read each encoding."""

_STATUSES = range(200, 600)
_STREAM = "text/event-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Fields and body of a request or of an answer, as it was kept."""

    headers: Headers
    body: bytes


def exchange_of(  # noqa: PLR0913 - what an exchange is made of, by name
    *,
    asked: Message,
    answered: Message,
    method: str,
    path: str,
    query: str,
    status: int,
    wait: float = 0.0,
    seconds: float = 0.0,
    began: float | None = None,
) -> RecordedExchange | str:
    """Return an exchange without compression and credentials, or why there is none.

    Args:
        asked: The request.
        answered: The answer.
        method: The request's method.
        path: Its path.
        query: What stands behind "?".
        status: The answer's status.
        wait: Seconds before the first byte of the answer.
        seconds: Seconds until its last one.
        began: When the request was sent, in seconds since 1970.
    """
    if status not in _STATUSES:
        return f"{status} is no status of an answer"
    asking, answer = _unpacked(asked), _unpacked(answered)
    if asking is None or answer is None:
        which = "request" if asking is None else "answer"
        return f"the body of the {which} is compressed in a way that is not read, or broken"
    secrets = secrets_of(asked.headers, query)
    return RecordedExchange(
        method=method,
        path=path,
        query=redact_query(query),
        headers=redact(asked.headers),
        body=_clean(asking, secrets),
        status=status,
        reply_headers=redact(answered.headers),
        pieces=_pieces(_clean(answer, secrets), answered.headers, wait, seconds),
        answered=wait,
        ended="whole",
        began=began,
        secrets=secrets,
    )


def _pieces(body: bytes, fields: Headers, wait: float, seconds: float) -> tuple[Piece, ...]:
    """Return the body in pieces: events of a stream, spread over the time that is known."""
    if not body:
        return ()
    kind = (header(fields, "content-type") or "").partition(";")[0].strip().lower()
    if kind != _STREAM or seconds <= wait:
        return ((seconds, body),)
    events = [*_events(body)]
    step = (seconds - wait) / max(1, len(events) - 1)
    return tuple((wait + step * at, event) for at, event in enumerate(events))


def _events(body: bytes) -> list[bytes]:
    """Return a stream cut behind each of its events."""
    decoder, pieces, open_ = SseDecoder(), [], b""
    for line in body.splitlines(keepends=True):
        open_ += line
        if [*decoder.feed(line)]:
            pieces.append(open_)
            open_ = b""
    return [*pieces, open_] if open_ else pieces


def _clean(body: bytes, secrets: tuple[str, ...]) -> bytes:
    try:
        return redact_text(body.decode(), secrets).encode()
    except UnicodeDecodeError:
        return body


def _unpacked(message: Message) -> bytes | None:
    """Return a body without its compression; as it is where the recorder took that off already."""
    named = (header(message.headers, "content-encoding") or "identity").strip().lower()
    body = message.body
    if named in {"identity", ""} or not body:
        return body
    window = _WINDOWS.get(named)
    if window is None:
        return body if _is_text(body) else None
    unpacker = zlib.decompressobj(window)
    try:
        unpacked = unpacker.decompress(body, LARGEST_BODY + 1)
    except zlib.error:
        return body if _is_text(body) else None
    return unpacked if len(unpacked) <= LARGEST_BODY else None


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
