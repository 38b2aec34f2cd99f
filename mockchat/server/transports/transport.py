"""Transports: they hand a client's request to the app, and play its delivery without a socket.

What a client sees and what the journal says are those of a connection to the server: the same
fields, the same pieces at the same times, the same exceptions. The classes here know no library;
`adapters` joins them with the base classes of one.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import chain
from types import ModuleType
from typing import Any, TypeAlias

from mockchat.exchange import Headers, Incoming, Outcome, Write, header
from mockchat.scripting.faults import Ability
from mockchat.scripting.scripts import parted
from mockchat.server.framing import Arrangement, arrangement, phrase, whole
from mockchat.server.marks import mark_of
from mockchat.server.reports import report
from mockchat.server.ticket import Application, Sheet, Ticket, answered
from mockchat.server.transports.playing import Playing

_Request: TypeAlias = Any  # of httpx, or of httpx2
_Response: TypeAlias = Any
_Head: TypeAlias = tuple[str, bytes, list[tuple[bytes, bytes]]]
"""Method, target and fields of a request."""

ABILITIES = frozenset(Ability)
"""What transports can play: all there is."""


class Stream:
    """The body of a response that is read piece by piece.

    Who reads it again goes on where the first reader stopped: the openai package does, to take what
    follows `[DONE]`.
    """

    def __init__(self, playing: Playing) -> None:
        self._playing = playing
        self._steps = playing.body()

    def __iter__(self) -> Iterator[bytes]:
        for step in self._steps:
            if isinstance(step, bytes):
                yield step
            else:
                time.sleep(step)

    def close(self) -> None:
        """End the delivery where it stands."""
        self._playing.close()


class AsyncStream:
    """The same for an event loop."""

    sleep: Callable[[float], Awaitable[None]]

    def __init__(self, playing: Playing) -> None:
        self._playing = playing
        self._steps = playing.body()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for step in self._steps:
            if isinstance(step, bytes):
                yield step
            else:
                await type(self).sleep(step)

    async def aclose(self) -> None:
        """End the delivery where it stands."""
        self._playing.close()


class _Transport:
    library: ModuleType
    stream: Callable[[Playing], object]

    def __init__(self, application: Application, *, prefix: str = "") -> None:
        self._application = application
        self._prefix = prefix
        self._known: tuple[_Head, Headers, bytes] | None = None

    def _started(self, request: _Request) -> tuple[Playing | None, _Response]:
        """Answer a request whose body is read; the response is not to be used before its head.

        There is nothing to play where all of it is there at once.
        """
        incoming = self._incoming(request)
        ticket = answered(self._application, incoming)
        try:
            arranged = _arranged(ticket, incoming)
        except ValueError as error:
            report("a delivery could not be framed", error)
            ticket.finish(Outcome.FAILED)
            message = "Server disconnected without sending a response."
            raise self.library.RemoteProtocolError(message) from None
        playing, stream = None, None
        if _is_there_at_once(arranged):
            stream = self.library.ByteStream(arranged.sends[0].data)
            ticket.finish(Outcome.DELIVERED)
        else:
            timeout = request.extensions.get("timeout", {})
            playing = Playing(ticket, arranged, errors=self.library, patience=timeout.get("read"))
            stream = type(self).stream(playing)
        status = int(ticket.delivery.status if ticket.sheet is None else ticket.sheet.status)
        response = self.library.Response(
            status,
            headers=arranged.fields,
            stream=stream,
            extensions={
                "http_version": b"HTTP/1.1",
                "reason_phrase": phrase(status).encode(),
            },
        )
        return playing, response

    def _incoming(self, request: _Request) -> Incoming:
        target = request.url.raw_path
        headers, mark = self._read((request.method, target, request.headers.raw))
        path, _, query = target.decode("ascii").partition("?")
        if self._prefix and parted(path)[0] is None:
            path = self._prefix + path
        return Incoming(
            method=request.method,
            path=path,
            query=query,
            headers=headers,
            body=request.content,
            mark=mark,
        )

    def _read(self, head: _Head) -> tuple[Headers, bytes]:
        """Decode a head's fields and mark it; a client often sends the same head again."""
        known = self._known
        if known is None or known[0] != head:
            fields = tuple([_decoded(field) for field in head[2]])
            self._known = known = head, fields, _mark(head)  # at once: other threads read it
        return known[1:]


class Transport(_Transport):
    """A transport for a `Client`.

    Args:
        application: What answers.
        prefix: The path of the script that requests belong to whose path names none: whatever base
            URL a client has, it reaches its script.
    """

    def handle_request(self, request: _Request) -> _Response:
        """Answer a request; returns when the head has come.

        Raises:
            ReadTimeout: The head takes longer than the request's read timeout.
            RemoteProtocolError: The delivery cannot be sent.
        """
        request.read()
        playing, response = self._started(request)
        for seconds in () if playing is None else playing.head():
            time.sleep(seconds)
        return response


class AsyncTransport(_Transport):
    """A transport for an `AsyncClient`; arguments as for `Transport`."""

    sleep: Callable[[float], Awaitable[None]]

    async def handle_async_request(self, request: _Request) -> _Response:
        """Answer a request; returns when the head has come. Errors as for `Transport`."""
        await request.aread()
        playing, response = self._started(request)
        if playing is None:
            return response
        try:
            for seconds in playing.head():
                await type(self).sleep(seconds)
        except BaseException:
            playing.close()  # a cancelled task may be kept, and with it all that it was doing
            raise
        return response


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapters:
    """The transports of one HTTP library, as classes of that library."""

    sync: type[Transport]
    asynchronous: type[AsyncTransport]


@cache
def adapters(library: ModuleType) -> Adapters:
    """Return the transports of a library; their base classes are its own, since it checks them."""
    sleep = staticmethod(
        import_module("anyio").sleep
    )  # asyncio's or trio's: both libraries need it
    stream = type("Stream", (Stream, library.SyncByteStream), {})
    async_stream = type("AsyncStream", (AsyncStream, library.AsyncByteStream), {"sleep": sleep})
    return Adapters(
        sync=type(
            "Transport",
            (Transport, library.BaseTransport),
            {"library": library, "stream": stream},
        ),
        asynchronous=type(
            "AsyncTransport",
            (AsyncTransport, library.AsyncBaseTransport),
            {"library": library, "stream": async_stream, "sleep": sleep},
        ),
    )


def _arranged(ticket: Ticket, incoming: Incoming) -> Arrangement:
    """Arrange a ticket's delivery.

    Raises:
        ValueError: When a header's name is not an HTTP token.
    """
    closes = "close" in (header(incoming.headers, "connection") or "").lower()
    sheet = ticket.sheet
    if sheet is not None and incoming.method == "POST" and not closes:
        return _read_off(sheet)
    return arrangement(
        ticket.delivery, method=incoming.method, version="HTTP/1.1", keeps_alive=not closes
    )


def _read_off(sheet: Sheet) -> Arrangement:
    """Arrange a whole answer: its fields are read off the head that a connection is sent."""
    _, *lines = whole(*sheet).partition(b"\r\n\r\n")[0].split(b"\r\n")
    fields = [line.partition(b":") for line in lines]
    return Arrangement(
        fields=tuple([(name, value.strip(b" \t")) for name, _, value in fields]),
        sends=(Write(data=sheet.body),),
        is_chunked=sheet.is_stream,
        is_short=False,
        closes=False,
        resets=False,
    )


def _is_there_at_once(arranged: Arrangement) -> bool:
    """Tell whether an answer is whole when its head has come, and not cut into chunks."""
    is_whole = not (arranged.is_chunked or arranged.is_short or arranged.resets)
    return is_whole and len(arranged.sends) == 1 and arranged.sends[0].delay <= 0


def _decoded(field: tuple[bytes, bytes]) -> tuple[str, str]:
    name, value = field
    return name.decode("ascii").lower(), value.decode("latin-1").strip(" \t")


def _mark(head: _Head) -> bytes:
    """Return the mark of a head; b"" where it has line ends that no head on a connection has."""
    method, target, fields = head
    lines = b"\n".join((method.encode(), target, *chain.from_iterable(fields)))
    return mark_of(lines) if lines.count(b"\n") == 2 * len(fields) + 1 else b""
