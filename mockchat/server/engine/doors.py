"""Who comes in: connections are accepted while there is room, then wait, then are turned away."""

import asyncio
import errno
import math
import socket
import ssl
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from mockchat.server.reports import logger
from mockchat.server.turning_away import Turnstile

if TYPE_CHECKING:
    from mockchat.server.engine.engine import Engine

_AT_ONCE = 64
"""How many are accepted before those that are in have their turn."""
_QUIET_TIME = 10.0
"""Seconds between two complaints about one shortage."""
_BREATH = 0.05
"""Seconds until a connection is accepted again where no file handle was left."""


class Doors:
    """The way in to one engine.

    Args:
        engine: Where it leads.
        listener: The socket to accept from; it is closed at the end.
        tls: What encrypts the connections; None: nothing does.
        welcome: Makes the protocol of a connection.
    """

    def __init__(
        self,
        engine: "Engine",
        listener: socket.socket,
        tls: ssl.SSLContext | None,
        welcome: Callable[[], asyncio.BaseProtocol],
    ) -> None:
        self._engine = engine
        self._listener = listener
        self._tls = tls
        self._welcome = welcome
        self._turnstile = Turnstile(engine.application)
        self._arriving: set[asyncio.Task[None]] = set()
        self._is_open = False
        self._is_closed = False
        self._opens_at = math.inf
        self._full_since: float | None = None
        self._next_complaint = 0.0

    @property
    def is_quiet(self) -> bool:
        """Whether nobody is on the way in."""
        return not self._arriving

    def open(self) -> None:
        """Accept connections."""
        if not self._is_open and not self._is_closed:
            self._is_open = True
            self._engine.loop.add_reader(self._listener.fileno(), self._accept)

    def close(self) -> None:
        """Accept none any more; who has not come in by now does not."""
        if not self._is_closed:
            self._shut()
            self._is_closed = True
            self._listener.close()
            self._turnstile.close()
            for task in tuple(self._arriving):
                task.cancel()

    def someone_left(self) -> None:
        """Take note that there is room for another connection."""
        self._full_since = None
        self.open()

    def someone_fell_silent(self) -> None:
        """Take note of a connection that could go, where others wait for room."""
        if not self._is_open and not self._is_closed:
            self._make_room()

    def _shut(self) -> None:
        if self._is_open:
            self._is_open = False
            self._engine.loop.remove_reader(self._listener.fileno())

    def _accept(self) -> None:
        for count in range(_AT_ONCE):
            is_full = self._engine.count + len(self._arriving) >= self._engine.limits.connections
            if is_full and count:
                return  # that somebody waits is known of the first alone
            if is_full and not self._is_over_patience():
                self._make_room()
                return
            try:
                connection, _ = self._listener.accept()
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE):
                    self._wait_for_a_handle(error)
                return
            if is_full:
                self._turn_away(connection)
            else:
                task = self._engine.loop.create_task(self._come_in(connection))
                self._arriving.add(task)
                task.add_done_callback(partial(self._came, connection))

    async def _come_in(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        try:
            await self._engine.loop.connect_accepted_socket(
                self._welcome,
                connection,
                ssl=self._tls,
                ssl_handshake_timeout=None if self._tls is None else self._engine.limits.head_time,
            )
        except OSError as error:  # it left before it was in, or does not speak TLS
            logger.info("no connection came about: %s", error)

    def _came(self, connection: socket.socket, task: asyncio.Task[None]) -> None:
        self._arriving.discard(task)
        if task.cancelled():  # perhaps before it began
            connection.close()
        self._engine.look_around()

    def _is_over_patience(self) -> bool:
        now = self._engine.loop.time()
        self._full_since = self._full_since or now
        return now - self._full_since >= self._engine.limits.queue_time

    def _make_room(self) -> None:
        """Close the connection that has been silent for longest, if long enough; accept no more."""
        self._shut()
        limits, now = self._engine.limits, self._engine.loop.time()
        oldest = self._engine.idle.oldest
        if oldest is not None and oldest[1] + limits.grace_time <= now:
            oldest[0].leave()
            return
        dues = [now + _BREATH if self._full_since is None else self._full_since + limits.queue_time]
        if oldest is not None:
            dues.append(oldest[1] + limits.grace_time)
        self._open_at(min(dues))

    def _turn_away(self, connection: socket.socket) -> None:
        """Tell a client that there is no room for it, as far as that takes no time."""
        limit = self._engine.limits.connections
        self._complain("%d connections are open, which is the limit: more are refused", limit)
        if self._tls is not None:  # a handshake would take time
            connection.close()
            return
        message = f"The server is at its limit of {limit} connections. Please try again later."
        self._turnstile.turn_away(connection, HTTPStatus.SERVICE_UNAVAILABLE, message)

    def _wait_for_a_handle(self, error: OSError) -> None:
        self._complain("no file handle is left for a new connection: %s", error)
        self._make_room()
        self._open_at(self._engine.loop.time() + _BREATH)

    def _complain(self, words: str, about: object) -> None:
        now = self._engine.loop.time()
        if now > self._next_complaint:
            logger.warning(words, about)
            self._next_complaint = now + _QUIET_TIME

    def _open_at(self, due: float) -> None:
        if due < self._opens_at:
            self._opens_at = due
            self._engine.agenda.add(due, self._open_again)

    def _open_again(self) -> None:
        self._opens_at = math.inf
        self.open()
