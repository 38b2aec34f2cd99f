"""A result as a delivery: bodies and events encoded, timing and damage applied."""

from collections.abc import Iterator
from http import HTTPStatus

from mockchat.exchange import Delivery, Headers, Write
from mockchat.payloads.stream_style import StreamStyle
from mockchat.server import wire
from mockchat.server.service import Result

_JSON = ("content-type", "application/json")
_EVENTS = ("content-type", "text/event-stream; charset=utf-8")
_UNCACHED = ("cache-control", "no-cache")


def delivery_of(result: Result, fields: Headers, style: StreamStyle) -> Delivery:
    """Return the delivery of a result: one write for a JSON body, one for each event of a stream.

    Args:
        result: What is answered.
        fields: Response fields besides those of the result.
        style: How the profile streams: its comment lines, and whether `[DONE]` ends a stream.

    Raises:
        FaultMissed: The result gives its fault no room.
        ValueError: A scripted body has a number that JSON cannot say.
    """
    if result.status == HTTPStatus.NO_CONTENT:
        delivery = Delivery(status=result.status, headers=(*fields, *result.headers))
    elif not result.is_stream:
        body = wire.encode_json(result.body) if result.written is None else result.written[0]
        delivery = Delivery(
            status=result.status,
            headers=(_JSON, *fields, *result.headers),
            writes=(Write(data=body),),
        )
    else:
        delivery = Delivery(
            status=result.status,
            headers=(_EVENTS, _UNCACHED, *fields, *result.headers),
            writes=tuple([Write(data=data) for data in _events(result, style)]),
            is_stream=True,
        )
    return delivery if result.effects is None else result.effects.on(delivery)


def ends_of(result: Result, style: StreamStyle) -> tuple[bytes, bytes]:
    """Return what stands before and behind what is written of a result: of a stream's events."""
    if not result.is_stream:
        return b"", b""
    return b"".join(_comments(style)), wire.DONE if style.done else b""


def _comments(style: StreamStyle) -> Iterator[bytes]:
    for comment in style.comments:
        yield f": {comment}\n\n".encode()


def _events(result: Result, style: StreamStyle) -> Iterator[bytes]:
    yield from _comments(style)
    if result.written is None:
        yield from map(wire.encode_chunk, result.chunks or ())
    else:
        yield from result.written
    if style.done:
        yield wire.DONE
