"""One client connection on the event loop: requests in order, deliveries played, limits kept."""

import asyncio
import contextlib
import logging
import socket
import struct
import time
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from mockchat.exchange import Incoming, Outcome
from mockchat.server import framing
from mockchat.server.engine.playing import Player
from mockchat.server.engine.requests import Head, RequestParser
from mockchat.server.engine.timers import Deadlines
from mockchat.server.framing import Refused
from mockchat.server.reports import logger, report
from mockchat.server.ticket import Sheet, Ticket, answered, takes_time

if TYPE_CHECKING:
    from mockchat.server.engine.engine import Engine

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_NO_LINGER = struct.pack("ii", 1, 0)
"""SO_LINGER on, with zero seconds: closing sends RST instead of FIN."""
_EARLY = 65_536
"""How many bytes of later requests are kept while one is being answered."""
_IN_A_ROW = 16
"""How many requests that arrived together are answered before other connections have their turn."""


class Connection(asyncio.BufferedProtocol):
    """Serve one connection, from the first request to the last.

    Args:
        engine: What all connections share.
    """

    def __init__(self, engine: "Engine") -> None:
        self.is_full = False
        self._engine = engine
        self._parser = RequestParser(engine.limits, engine.application.body_limit)
        self._transport: asyncio.Transport
        self._deadline: Deadlines[Connection] | None = None
        self._request: Incoming | None = None
        self._ticket: Ticket | None = None
        self._player: Player | None = None
        self._started = 0.0
        self._is_threaded = False
        self._is_looping = False
        self._has_ended = False
        self._is_held = False
        self._closes = False
        self._resets = False
        self._was_refused = False
        self._is_lingering = False
        self._is_given_up = False

    # --- what the transport tells -----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first request."""
        self._transport = cast("asyncio.Transport", transport)
        # That of TLS counts from the limit on: at none it would pause for ever.
        self._transport.set_write_buffer_limits(high=1 if self._is_encrypted else 0)
        self._engine.arrived(self)
        self._wait_for(self._engine.idle)
        if self._engine.is_draining:
            self.leave()
        self._engine.fell_silent()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - there is one size
        """Give the room that all connections share: what is in it is copied at once."""
        return self._engine.room

    def buffer_updated(self, nbytes: int) -> None:
        """Take bytes of requests."""
        if self._is_lingering or self._is_given_up:
            return
        self._parser.feed(bytes(self._engine.room[:nbytes]))
        if not self._is_busy:
            self._go_on()
        elif self._parser.kept > _EARLY:
            self._is_held = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """Take note that the client sends no more; it may read still."""
        self._has_ended = True
        if self._is_lingering or self._is_given_up:
            return False
        if self._player is not None and self._player.is_pausing:
            self._hear_the_end()
        elif not self._is_busy:
            self._go_on()
        return self._is_busy and not self._is_encrypted

    def pause_writing(self) -> None:
        """Wait until what was written has left: the client reads more slowly than we write."""
        self.is_full = True
        self._wait_for(self._engine.writing)

    def resume_writing(self) -> None:
        """Go on with the delivery."""
        self.is_full = False
        self._wait_for(None)
        if self._player is not None:
            self._player.play()
        elif not self._is_busy:
            self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - there is one way to be gone
        """Forget the connection; a delivery that was on its way did not arrive."""
        self._is_given_up = True
        self._wait_for(None)
        self._engine.left(self)
        failed = self._engine.is_stopping
        self._finish(Outcome.FAILED if failed else Outcome.CLIENT_LEFT)

    # --- requests ---------------------------------------------------------------------------------

    @property
    def _is_busy(self) -> bool:
        return self._request is not None or self._ticket is not None

    @property
    def _is_encrypted(self) -> bool:
        return self._transport.get_extra_info("sslcontext") is not None

    @property
    def _keeps_alive(self) -> bool:
        head = self._parser.head
        if head is None or self._was_refused or self._engine.is_draining:
            return False
        return head.keeps_alive

    def _go_on(self) -> None:
        """Answer what is there of requests, a few in a row, and wait for more."""
        if self._is_looping or self._is_given_up:
            return
        self._is_looping = True
        try:
            for _ in range(_IN_A_ROW):
                if not self._next():
                    return
        finally:
            self._is_looping = False
        self._engine.loop.call_soon(self._go_on)

    def _next(self) -> bool:
        """Answer the next request; False: nothing more can be done now."""
        if self._is_busy or self._is_given_up or self._is_lingering:
            return False
        try:
            request = self._parser.next()
            if request is None and self._has_ended:
                self._parser.end()
        except Refused as refused:
            self._refuse(refused)
            return False
        if request is not None:
            self._answer(request)
        elif self._has_ended or (self._engine.is_draining and self._parser.phase == "idle"):
            self.leave()
        else:
            self._wait_for_more()
        return request is not None

    def _wait_for_more(self) -> None:
        if self._parser.is_asking:
            self._parser.is_asking = False
            self._transport.write(_CONTINUE)
        self._wait_for(self._engine.waiting[self._parser.phase])
        if self._is_held:
            self._is_held = False
            self._transport.resume_reading()
        if self._parser.phase == "idle":
            self._engine.fell_silent()

    def _answer(self, request: Incoming) -> None:
        self._wait_for(None)
        self._request, self._started = request, time.monotonic()
        application = self._engine.application
        self._is_threaded = takes_time(application, request)
        if self._is_threaded:
            self._engine.ask(request, self._play)
        else:
            self._play(answered(application, request))

    def _refuse(self, refused: Refused) -> None:
        head = self._parser.head
        incoming = None if head is None else head.incoming
        self._wait_for(None)
        self._was_refused = True
        self._request = incoming or Incoming(method="", path="")
        logger.info("refused with %d: %s", refused.status, refused.message)
        self._play(self._engine.application.refuse(refused.status, refused.message, incoming))

    # --- deliveries -------------------------------------------------------------------------------

    def _play(self, ticket: Ticket) -> None:
        """Send a delivery and tell its ticket how that went."""
        self._ticket, head = ticket, self._parser.head
        if self._is_given_up:
            self._finish(Outcome.FAILED if self._engine.is_stopping else Outcome.CLIENT_LEFT)
            return
        if ticket.sheet is not None and self._takes_sheets(head):
            self._send(ticket, ticket.sheet)
            return
        try:
            playback = framing.playback(
                ticket.delivery,
                method="" if head is None else head.incoming.method,
                version="HTTP/1.1" if head is None else head.version,
                keeps_alive=self._keeps_alive,
            )
        except ValueError as error:
            report("a delivery could not be framed", error)
            self._finish(Outcome.FAILED)
            self._transport.close()
            return
        self._closes, self._resets = playback.closes, playback.resets
        self._player = Player(ticket, playback.sends, self, self._engine.agenda, self._done)
        self._player.play()

    def _takes_sheets(self, head: Head | None) -> bool:
        is_usual = (
            head is not None and head.version == "HTTP/1.1" and head.incoming.method == "POST"
        )
        return is_usual and self._keeps_alive

    def _send(self, ticket: Ticket, sheet: Sheet) -> None:
        """Send a whole answer at once."""
        self._closes = self._resets = False
        self._transport.write(framing.whole(*sheet))
        if self.is_full:
            self._player = Player(ticket, (), self, self._engine.agenda, self._done)
        else:
            self._done(Outcome.DELIVERED)

    def write(self, data: bytes) -> None:
        """Send bytes, or keep them until there is room."""
        self._transport.write(data)

    def pausing(self) -> bool:
        """Take note that the delivery waits; False: the client has left.

        One that closes its sending half while it waits counts as gone: HTTP clients do that when
        they give up, and it is the only sign there is before a write fails.
        """
        return not self._has_ended or self._parser.kept > 0

    def _hear_the_end(self) -> None:
        if not self.pausing():
            self._done(Outcome.CLIENT_LEFT)

    def _done(self, outcome: Outcome) -> None:
        """End a delivery, and the connection where that is part of it; else go on."""
        if outcome is not Outcome.DELIVERED or self._resets:
            self._reset()
        elif self._was_refused:
            self._linger()
        elif self._closes:
            self._is_given_up = True
            self._transport.close()
        self._finish(outcome)
        self._go_on()

    def _finish(self, outcome: Outcome) -> None:
        """Tell the ticket of the delivery that is under way, if one is."""
        ticket, player, request = self._ticket, self._player, self._request
        if ticket is None:
            return
        self._ticket = self._player = self._request = None
        if player is not None:
            player.stop()
        if self._is_threaded:  # whoever took time to answer may do so to hear how it went
            self._engine.tell(partial(ticket.finish, outcome))
        else:
            try:
                ticket.finish(outcome)
            except Exception as error:  # noqa: BLE001 - whatever it is, the other connections go on
                report("a connection failed", error)
                self._is_given_up = True
                self._transport.close()
        if request is not None and not self._was_refused and logger.isEnabledFor(logging.INFO):
            seconds = time.monotonic() - self._started
            logger.info("%s %r: %s, %.4f s", request.method, request.path, outcome.value, seconds)

    # --- endings ----------------------------------------------------------------------------------

    def leave(self) -> None:
        """Close without a word, as between requests; a delivery under way ends first."""
        if not self._is_busy:
            self._is_given_up = True
            self._transport.close()

    def leave_if_silent(self) -> None:
        """Close between requests; one that has begun is waited for."""
        if self._parser.phase == "idle":
            self.leave()

    def abandon(self) -> None:
        """Break off, whatever is under way."""
        self._reset()
        self._finish(Outcome.FAILED)

    def time_out(self) -> None:
        """Tell a client that its request did not arrive in time."""
        self._deadline = None
        self._refuse(Refused(HTTPStatus.REQUEST_TIMEOUT, "The request did not arrive in time."))

    def _wait_for(self, deadline: Deadlines["Connection"] | None) -> None:
        if self._deadline is not None:
            if self._deadline is deadline and deadline is not self._engine.idle:
                return  # a limit is for the whole, not for each packet
            self._deadline.end(self)
        self._deadline = deadline
        if deadline is not None:
            deadline.begin(self)

    def _reset(self) -> None:
        self._is_given_up = True
        connection = self._transport.get_extra_info("socket")
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._transport.abort()

    def _linger(self) -> None:
        """Close so that a client still sending reads the answer: at once would be a reset."""
        if self._has_ended or not self._transport.can_write_eof():
            self._is_given_up = True
            self._transport.close()
            return
        self._is_lingering = True
        self._transport.write_eof()
        self._transport.resume_reading()
        self._wait_for(self._engine.lingering)
