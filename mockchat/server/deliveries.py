"""A result as a delivery: bodies and events encoded, timing and damage applied."""

from collections.abc import Iterator
from http import HTTPStatus

from mockchat.exchange import Delivery, Headers, Write
from mockchat.payloads.stream_style import StreamStyle
from mockchat.server import wire
from mockchat.server.service import Result
from mockchat.types import JsonView

_JSON = ("content-type", "application/json")
_EVENTS = ("content-type", "text/event-stream; charset=utf-8")


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
    elif result.chunks is None:
        delivery = Delivery(
            status=result.status,
            headers=(_JSON, *fields, *result.headers),
            writes=(Write(data=wire.encode_json(result.body)),),
        )
    else:
        delivery = Delivery(
            status=result.status,
            headers=(_EVENTS, ("cache-control", "no-cache"), *fields, *result.headers),
            writes=tuple(Write(data=data) for data in _events(result.chunks, style)),
            is_stream=True,
        )
    return delivery if result.effects is None else result.effects.on(delivery)


def _events(chunks: tuple[JsonView, ...], style: StreamStyle) -> Iterator[bytes]:
    for comment in style.comments:
        yield f": {comment}\n\n".encode()
    yield from map(wire.encode_chunk, chunks)
    if style.done:
        yield wire.DONE
