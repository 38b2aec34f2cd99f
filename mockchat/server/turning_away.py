"""Answer a connection that will not be served, at once and without waiting for its request."""

import socket
from collections import deque
from contextlib import suppress

from mockchat.exchange import Outcome
from mockchat.server import framing
from mockchat.server.ticket import Application

_READ = 65_536
_LINGERING = 128


class Turnstile:
    """Turns connections away; the last ones stay half open for a while.

    A connection that closes before its request was read is reset, and a reset throws away the
    answer. So each stays open for reading until many others have come.

    Args:
        application: Whose words are sent.
    """

    def __init__(self, application: Application) -> None:
        self._application = application
        self._leaving: deque[socket.socket] = deque()

    def turn_away(self, connection: socket.socket, status: int, message: str) -> None:
        """Send an answer as far as that takes no time; the connection is used up.

        Args:
            connection: As accepted.
            status: The HTTP status.
            message: The sentence for the client.
        """
        ticket = self._application.refuse(status, message)
        played = framing.playback(ticket.delivery, method="", version="HTTP/1.1", keeps_alive=False)
        outcome = Outcome.FAILED
        with suppress(OSError):
            connection.settimeout(0)
            connection.sendall(b"".join(send.data for send in played.sends))
            connection.shutdown(socket.SHUT_WR)
            outcome = Outcome.DELIVERED
        ticket.finish(outcome)
        with suppress(OSError):
            connection.recv(_READ)
        self._leaving.append(connection)
        if len(self._leaving) > _LINGERING:
            self._leaving.popleft().close()

    def close(self) -> None:
        """Close those that are half open."""
        while self._leaving:
            self._leaving.popleft().close()
