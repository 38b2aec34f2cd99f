"""What all connections of an engine share: its clock, its limits, its threads, its doors."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from functools import partial

from mockchat.exchange import Incoming, Outcome
from mockchat.server.engine.connection import Connection
from mockchat.server.engine.doors import Doors
from mockchat.server.engine.hands import Hands
from mockchat.server.engine.timers import Agenda, Deadlines
from mockchat.server.framing import Limits
from mockchat.server.ticket import Servable, Ticket, answered

_ROOM = 65_536


class Engine:
    """Answers the connections of one listening socket on one event loop.

    Args:
        loop: The event loop; its thread is the only one that calls.
        application: What answers the requests.
        limits: How long, how much and how many to wait for.
        listener: The socket to accept from; it is closed at the end.
        tls: What encrypts the connections; None: nothing does.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        application: Servable,
        limits: Limits,
        listener: socket.socket,
        tls: ssl.SSLContext | None,
    ) -> None:
        self.loop = loop
        self.application = application
        self.limits = limits
        self.room = memoryview(bytearray(_ROOM))
        self.agenda = Agenda(loop)
        self.is_draining = False
        self.is_stopping = False
        self.is_empty = threading.Event()
        self.idle = self._deadlines(limits.idle_time, Connection.leave)
        self.waiting: Mapping[str, Deadlines[Connection]] = {
            "idle": self.idle,
            "head": self._deadlines(limits.head_time, Connection.time_out),
            "body": self._deadlines(limits.body_time, Connection.time_out),
        }
        self.writing = self._deadlines(limits.write_time, Connection.abandon)
        self.lingering = self._deadlines(limits.linger_time, Connection.leave)
        self._connections: set[Connection] = set()
        self._hands = Hands()
        self._doors = Doors(self, listener, tls, partial(Connection, self))

    def _deadlines(
        self, seconds: float, late: Callable[[Connection], None]
    ) -> Deadlines[Connection]:
        return Deadlines(self.loop, seconds, late)

    # --- connections ------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """How many connections there are."""
        return len(self._connections)

    def open(self) -> None:
        """Accept connections."""
        self._doors.open()

    def arrived(self, connection: Connection) -> None:
        """Count a connection."""
        self._connections.add(connection)

    def fell_silent(self) -> None:
        """Take note of a connection that could go, where others wait for room."""
        self._doors.someone_fell_silent()

    def left(self, connection: Connection) -> None:
        """Forget a connection; there is room for another one."""
        self._connections.discard(connection)
        self._doors.someone_left()
        self.look_around()

    # --- requests ---------------------------------------------------------------------------------

    def ask(self, incoming: Incoming, play: Callable[[Ticket], None]) -> None:
        """Let the application answer in a thread, and play its answer on the loop."""

        def answer() -> None:
            ticket = answered(self.application, incoming)
            try:
                self.loop.call_soon_threadsafe(play, ticket)
            except RuntimeError:  # the loop has been closed: nobody waits any more
                ticket.finish(Outcome.FAILED)

        self._hands.do(answer)

    def tell(self, note: Callable[[], None]) -> None:
        """Call this in a thread."""
        self._hands.do(note)

    # --- the end ----------------------------------------------------------------------------------

    def drain(self) -> None:
        """Take no new connections, close silent ones, let the others end the request they are at."""
        self.is_draining = True
        self._doors.close()
        for connection in tuple(self._connections):
            connection.leave_if_silent()
        self.look_around()

    def stop(self) -> None:
        """End every connection, then the loop."""
        self.is_stopping = True
        self.drain()
        for connection in tuple(self._connections):
            connection.abandon()
        self.look_around()

    def look_around(self) -> None:
        """See whether all is over."""
        if self.is_draining and not self._connections and self._doors.is_quiet:
            self.is_empty.set()
            if self.is_stopping:
                self._hands.rest()
                self.loop.stop()
