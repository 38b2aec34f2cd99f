"""Answers that leave as they come in from another server: what a recorder passes on."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Protocol

from mockchat.exchange import Delivery, Ending, Headers, Outcome, Write
from mockchat.server import framing
from mockchat.server.ticket import Ticket

_LAST_CHUNK = b"0\r\n\r\n"
_NO_BODY = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


class Source(Protocol):
    """Where the bytes of an answer come from; another thread puts them there."""

    def fileno(self) -> int:
        """Return what can be waited for: it is readable while there is something to take."""
        ...

    def take(self) -> tuple[bytes, Ending | None]:
        """Return, without waiting, what has come since, and how it ended if it has."""
        ...

    def wait(self) -> tuple[bytes, Ending]:
        """Return all bytes that were not taken yet, when the end is there."""
        ...


class Relayed(Ticket):
    """A stream to be passed on as it comes.

    An adapter that cannot do so plays `delivery`, which waits for the end.

    Args:
        status: The HTTP status.
        headers: Response fields without framing ones.
        source: Where the body comes from.
        finish: To be called once, after the last byte or when there can be no more.
    """

    __slots__ = ("headers", "source", "status")

    def __init__(
        self, *, status: int, headers: Headers, source: Source, finish: Callable[[Outcome], None]
    ) -> None:
        super().__init__(delivery=self._whole, finish=finish)
        self.status = status
        self.headers = headers
        self.source = source

    def _whole(self) -> Delivery:
        data, ending = self.source.wait()
        return Delivery(
            status=self.status,
            headers=self.headers,
            writes=(Write(data=data),),
            is_stream=True,
            ending=ending,
        )


class RelayFraming:
    """A relayed answer as HTTP/1.1 on one connection.

    Args:
        relayed: The answer.
        method: That of the request.
        version: The client's version of HTTP.
        keeps_alive: Whether the connection may go on.

    Attributes:
        head: The bytes of the head.
        closes: Whether the connection ends with this answer.

    Raises:
        ValueError: A header's name is not an HTTP token.
    """

    def __init__(self, relayed: Relayed, *, method: str, version: str, keeps_alive: bool) -> None:
        empty = Delivery(status=relayed.status, headers=relayed.headers, is_stream=True)
        playback = framing.playback(empty, method=method, version=version, keeps_alive=keeps_alive)
        has_body = method != "HEAD" and relayed.status not in _NO_BODY
        self._is_chunked = version >= "HTTP/1.1" and has_body
        data = b"".join(send.data for send in playback.sends)
        self.head = data.removesuffix(_LAST_CHUNK) if self._is_chunked else data
        self.closes = playback.closes

    def framed(self, data: bytes) -> bytes:
        """Return bytes of the body as they leave."""
        return b"%x\r\n%b\r\n" % (len(data), data) if self._is_chunked else data

    def end(self, ending: Ending) -> tuple[bytes, bool]:
        """Return what the body ends with, and whether the connection is to be reset behind it.

        Without chunks a body that is cut looks like one that is whole, unless it is reset.
        """
        if ending is Ending.COMPLETE:
            return (_LAST_CHUNK if self._is_chunked else b""), False
        return b"", ending is Ending.RESET or not self._is_chunked
