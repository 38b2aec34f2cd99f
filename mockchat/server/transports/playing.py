"""One delivery on its way to a client of this process: what comes, when, and how it ends; no I/O.

A socket has its own clock: bytes arrive whether or not they are read. It is the same here. Each send
has its time from the start, and what was due when a client leaves counts as sent.
"""

import time
from collections.abc import Iterator
from typing import Protocol

from mockchat.exchange import Outcome
from mockchat.server.framing import Arrangement
from mockchat.server.ticket import Ticket

_CUT = "peer closed connection without sending complete message body"
_RESET = "[Errno 104] Connection reset by peer"
_SLOW = "timed out"


class Errors(Protocol):
    """The exceptions of an HTTP library that a broken delivery raises: httpx has them, and httpx2."""

    @property
    def ReadError(self) -> type[Exception]:  # noqa: N802 - the library's names
        """The connection was reset."""
        ...

    @property
    def ReadTimeout(self) -> type[Exception]:  # noqa: N802
        """Nothing came for longer than the request allows."""
        ...

    @property
    def RemoteProtocolError(self) -> type[Exception]:  # noqa: N802
        """The connection was closed too early."""
        ...


class Playing:
    """A delivery while it is played.

    `head` and `body` yield seconds, which the caller waits in its own way before it goes on; `body`
    yields bytes between them.

    Args:
        ticket: The delivery, and where to tell how it ended.
        arranged: The same delivery as the client sees it.
        errors: What is raised when it breaks.
        patience: The client's read timeout in seconds, None for none.
    """

    def __init__(
        self, ticket: Ticket, arranged: Arrangement, *, errors: Errors, patience: float | None
    ) -> None:
        self._ticket = ticket
        self._arranged = arranged
        self._errors = errors
        self._patience = patience
        self._due = time.monotonic()
        self._sent = 0
        self._is_over = False
        self._is_closed = False

    def head(self) -> Iterator[float]:
        """Wait until the head has come.

        Raises:
            ReadTimeout: That would take longer than the client waits.
        """
        yield from self._next()

    def body(self) -> Iterator[float | bytes]:
        """Give the body, send by send, and end it as planned.

        Raises:
            ReadTimeout: The next send would take longer than the client waits.
            RemoteProtocolError: The body was cut.
            ReadError: The connection was reset.
        """
        for place, send in enumerate(self._arranged.sends):
            if self._is_closed:
                return
            if place:
                yield from self._next()
            if send.data:
                yield send.data
        if self._arranged.is_short:
            raise self._ending()

    def close(self) -> None:
        """End it where it stands: the client reads no more."""
        self._is_closed = True
        if self._is_over:
            return
        now = time.monotonic()
        for send in self._arranged.sends[self._sent :]:
            self._due += send.delay
            if self._due > now:
                self._finish(Outcome.CLIENT_LEFT)
                return
            self._count()

    def __del__(self) -> None:
        """Count a client as gone that forgot to close."""
        self.close()

    def _next(self) -> Iterator[float]:
        """Wait for the next send, on a clock that runs since the request."""
        delay = self._arranged.sends[self._sent].delay
        self._due += delay
        wait = self._due - time.monotonic() if delay > 0 else 0.0
        if self._patience is not None and wait > self._patience:
            yield self._patience
            self._finish(Outcome.CLIENT_LEFT)
            raise self._errors.ReadTimeout(_SLOW)
        if wait > 0:
            yield wait
        self._count()

    def _count(self) -> None:
        self._sent += 1
        if self._sent < len(self._arranged.sends):
            self._ticket.wrote(self._sent)
        else:
            self._finish(Outcome.DELIVERED)

    def _finish(self, outcome: Outcome) -> None:
        self._is_over = True
        self._ticket.finish(outcome)

    def _ending(self) -> Exception:
        if self._arranged.resets:
            return self._errors.ReadError(_RESET)
        if self._arranged.is_chunked:
            return self._errors.RemoteProtocolError(f"{_CUT} (incomplete chunked read)")
        received = sum(len(send.data) for send in self._arranged.sends)
        sizes = f"(received {received} bytes, expected {received + 1})"
        return self._errors.RemoteProtocolError(f"{_CUT} {sizes}")
