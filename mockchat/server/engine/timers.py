"""Time for many connections at once: one timer of the event loop behind each kind of waiting."""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from typing import Generic, TypeAlias, TypeVar

from mockchat.server.reports import report

T = TypeVar("T")
Appointment: TypeAlias = list[Callable[[], None]]
"""What `Agenda.add` gives back: emptied, nothing happens when it is due."""


class Agenda:
    """What is due when: one heap, and one timer, for the writes of all paced deliveries.

    Args:
        loop: Whose clock it is.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._heap: list[tuple[float, int, Appointment]] = []
        self._order = itertools.count()
        self._timer: asyncio.TimerHandle | None = None
        self._is_running = False

    def time(self) -> float:
        """Return what the clock of the loop says."""
        return self._loop.time()

    def add(self, due: float, action: Callable[[], None]) -> Appointment:
        """Call `action` when the clock of the loop says `due`, or as soon after as can be."""
        appointment = [action]
        heapq.heappush(self._heap, (due, next(self._order), appointment))
        if not self._is_running:
            self._arm()
        return appointment

    def _arm(self) -> None:
        due = self._heap[0][0]
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._run)

    def _run(self) -> None:
        self._timer, self._is_running = None, True
        now = self._loop.time()
        while self._heap and self._heap[0][0] <= now:
            for action in heapq.heappop(self._heap)[2]:
                try:
                    action()
                except Exception as error:  # noqa: BLE001 - one stream's trouble is not another's
                    report("a delivery failed", error)
        self._is_running = False
        if self._heap:
            self._arm()


class Deadlines(Generic[T]):
    """Who must be done in time: as all have the same time, who began first is due first.

    Args:
        loop: Whose clock it is.
        seconds: How long each one has.
        late: Called with each one that did not end in time.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, seconds: float, late: Callable[[T], None]
    ) -> None:
        self._loop = loop
        self._seconds = seconds
        self._late = late
        self._since: dict[T, float] = {}
        self._is_armed = False

    @property
    def oldest(self) -> tuple[T, float] | None:
        """Who began first, and when; None where nobody did."""
        return next(iter(self._since.items()), None)

    def begin(self, one: T) -> None:
        """Count the time of one that is not counted yet."""
        self._since[one] = self._loop.time()
        if not self._is_armed:
            self._arm()

    def end(self, one: T) -> None:
        """Count no more."""
        self._since.pop(one, None)

    def _arm(self) -> None:
        oldest = self.oldest
        self._is_armed = oldest is not None
        if oldest is not None:
            self._loop.call_at(oldest[1] + self._seconds, self._look)

    def _look(self) -> None:
        now = self._loop.time()
        while (oldest := self.oldest) is not None and oldest[1] + self._seconds <= now:
            self.end(oldest[0])
            self._late(oldest[0])
        self._arm()
