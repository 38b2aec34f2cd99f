"""Each exchange told when it is over: to whoever counts them, or writes them down."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from mockchat.exchange import Exchange, Incoming, Outcome
from mockchat.scripting.tapping import Tapped
from mockchat.server.routes import NotRouted, Routes
from mockchat.server.ticket import Servable, Ticket

_CONTROL = "/_mockchat"
_MOST_PATHS = 256
NO_OPERATION = "none"
"""What a request asks for that leads to no operation of the API."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One exchange that is over.

    Attributes:
        operation: The `operationId` of what was asked for; `NO_OPERATION` where that is nothing.
        status: The HTTP status.
        outcome: What became of the delivery.
        seconds: From the request to the last byte.
        exchange: As the journal has it; None for what belongs to no session, such as half a head.
    """

    operation: str
    status: int
    outcome: Outcome
    seconds: float
    exchange: Exchange | None

    @property
    def source(self) -> str:
        """Who answered: "stub", "upstream", "generated", or "refused" for errors of the API."""
        stub = None if self.exchange is None else self.exchange.stub
        if stub is not None:
            return "stub" if stub.startswith("stub") else "upstream"
        return "refused" if self.status >= _FIRST_ERROR else "generated"


_FIRST_ERROR = 400


class Observer(Protocol):
    """Whoever wants to know of exchanges."""

    def began(self) -> None:
        """Take note that a request is being answered."""
        ...

    def ended(self, observed: Observation) -> None:
        """Take note that one is over; called once for each that began."""
        ...


class ObservedApp:
    """An application whose exchanges are told; requests to the control API are none.

    Args:
        app: What answers.
        routes: The operations of its profile.
        observers: Who is told.
        noticed: Whose `tap` the journals call.
        clock: Gives the time in seconds; it must not go back.
    """

    def __init__(
        self,
        app: Servable,
        routes: Routes,
        observers: Sequence[Observer],
        *,
        noticed: "Noticed",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._observers = tuple(observers)
        self._noticed = noticed
        self._clock = clock
        self._routes = routes
        self._operation = lru_cache(maxsize=_MOST_PATHS)(self._found)

    @property
    def body_limit(self) -> int:
        """The largest request body to be read, in bytes."""
        return self._app.body_limit

    @property
    def counted(self) -> str | None:
        """The first stub that does not say one thing for ever: see `ScenarioApp.counted`."""
        stub: str | None = getattr(self._app, "counted", None)
        return stub

    def may_block(self, incoming: Incoming) -> bool:
        """Tell whether the answer may take its time."""
        return self._app.may_block(incoming)

    def handle(self, incoming: Incoming) -> Ticket:
        """Answer a request."""
        if incoming.path == _CONTROL or incoming.path.startswith(f"{_CONTROL}/"):
            return self._app.handle(incoming)
        return self._observed(incoming, lambda: self._app.handle(incoming))

    def refuse(self, status: int, message: str, incoming: Incoming | None = None) -> Ticket:
        """Answer what could not be read as a request, in the words of the profile."""
        return self._observed(incoming, lambda: self._app.refuse(status, message, incoming))

    def _observed(self, incoming: Incoming | None, answer: Callable[[], Ticket]) -> Ticket:
        started = self._clock()
        for observer in self._observers:
            observer.began()
        self._noticed.take()
        try:
            ticket = answer()
        except Exception:
            self._tell(incoming, 500, Outcome.FAILED, started, self._noticed.take())
            raise
        noted, finish = self._noticed.take(), ticket.finish

        def finished(outcome: Outcome) -> None:
            finish(outcome)
            # What is passed on from elsewhere is noted when it is over.
            entry = noted or self._noticed.take()
            status = ticket.delivery.status if entry is None else entry.exchange.status
            self._tell(incoming, status, outcome, started, entry)

        ticket.finish = finished
        return ticket

    def _tell(
        self,
        incoming: Incoming | None,
        status: int,
        outcome: Outcome,
        started: float,
        entry: Tapped | None,
    ) -> None:
        operation = NO_OPERATION
        if incoming is not None:
            operation = self._operation(incoming.method, incoming.path)
        observed = Observation(
            operation=operation,
            status=int(status),
            outcome=outcome,
            seconds=self._clock() - started,
            exchange=None if entry is None else entry.exchange,
        )
        for observer in self._observers:
            observer.ended(observed)

    def _found(self, method: str, path: str) -> str:
        try:
            return self._routes.find(method, path).operation.id
        except NotRouted:
            return NO_OPERATION


class Noticed(threading.local):
    """What the journals have noted last, in this thread."""

    def __init__(self) -> None:
        self._entry: Tapped | None = None

    def tap(self, entry: Tapped) -> None:
        """Take note of an entry; to be called by journals."""
        self._entry = entry

    def take(self) -> Tapped | None:
        """Return what was noted since this was asked for."""
        entry, self._entry = self._entry, None
        return entry


_KINDS = {"prompt": "prompt_tokens", "completion": "completion_tokens"}


def used_by(exchange: Exchange) -> Mapping[str, int]:
    """Return what an answer says it used, by kind; {} where it does not say."""
    reply = exchange.reply
    usage = reply.get("usage") if isinstance(reply, dict) else None
    if not isinstance(usage, dict):
        return {}
    counts = {kind: usage.get(name) for kind, name in _KINDS.items()}
    return {
        kind: count
        for kind, count in counts.items()
        if isinstance(count, int) and not isinstance(count, bool) and count >= 0
    }
