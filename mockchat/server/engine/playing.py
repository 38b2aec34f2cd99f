"""One delivery on its way out: what is due is written, the rest waits for its time and for room."""

from collections.abc import Callable, Iterable
from typing import Protocol

from mockchat.exchange import Outcome, Write
from mockchat.server.engine.timers import Agenda, Appointment
from mockchat.server.ticket import Ticket


class Stage(Protocol):
    """What a delivery is played to: a connection, or a test's few lines."""

    is_full: bool
    """Whether bytes written before have not left yet."""

    def write(self, data: bytes) -> None:
        """Send bytes, or keep them until there is room."""
        ...

    def pausing(self) -> bool:
        """Take note that nothing leaves for a while; False: nobody waits for it any more."""
        ...


def next_due(previous: float, delay: float, now: float) -> float:
    """Return when a write is due whose delay begins with the one before.

    Small latenesses do not add up: the delay counts from when that one was due. Where it was late
    by more than this delay, nothing is made up for.
    """
    return (previous if now - previous < delay else now) + delay


class Player:
    """Plays one delivery.

    Args:
        ticket: The delivery, and where to tell how it goes.
        sends: Its bytes as the connection frames them.
        stage: Where they go.
        agenda: What calls when something is due.
        done: Called once when all is written, or the stage said that nobody waits.
    """

    __slots__ = (
        "_agenda",
        "_appointment",
        "_done",
        "_due",
        "_send",
        "_sends",
        "_sent",
        "_stage",
        "_ticket",
    )

    def __init__(
        self,
        ticket: Ticket,
        sends: Iterable[Write],
        stage: Stage,
        agenda: Agenda,
        done: Callable[[Outcome], None],
    ) -> None:
        self._ticket = ticket
        self._sends = iter(sends)
        self._send = next(self._sends, None)
        self._stage = stage
        self._agenda = agenda
        self._done = done
        self._due = 0.0
        self._sent = 0
        self._appointment: Appointment | None = None

    @property
    def is_pausing(self) -> bool:
        """Whether it waits for the time of its next write."""
        return self._appointment is not None

    def play(self) -> None:
        """Write all that is due, up to the next delay; call again when a full stage has room."""
        while not self._stage.is_full:
            send = self._send
            if send is None:
                self._done(Outcome.DELIVERED)
                return
            if self._sent:
                self._ticket.wrote(self._sent)
            if send.delay > 0:
                self._wait(send.delay)
                return
            self._write(send)

    def stop(self) -> None:
        """Write nothing more."""
        if self._appointment is not None:
            self._appointment.clear()
            self._appointment = None

    def _wait(self, delay: float) -> None:
        if not self._stage.pausing():
            self._done(Outcome.CLIENT_LEFT)
            return
        self._due = next_due(self._due, delay, self._agenda.time())
        self._appointment = self._agenda.add(self._due, self._wake)

    def _wake(self) -> None:
        self._appointment = None
        if self._send is not None:
            self._write(self._send)
        self.play()

    def _write(self, send: Write) -> None:
        self._sent += 1
        self._send = next(self._sends, None)
        if send.data:
            self._stage.write(send.data)
