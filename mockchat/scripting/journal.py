"""The list of exchanges a test reads: thread-safe, bounded, free of credentials."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias, Unpack, overload

from mockchat.errors import BadArgument
from mockchat.exchange import Delivery, Exchange, Outcome
from mockchat.scripting import assertions
from mockchat.scripting.assertions import Request
from mockchat.scripting.attempts import Attempts, has_failed, key_of
from mockchat.scripting.entries import Entry
from mockchat.scripting.journal_weight import JOURNAL_BYTES, JointMemory, weight
from mockchat.scripting.later import Later
from mockchat.scripting.queries import Wanted, matching, view_of
from mockchat.scripting.request_view import RequestView
from mockchat.scripting.sharing import Sink, StateLost
from mockchat.scripting.verdicts import Thresholds, Verdict, verdicts
from mockchat.types import Json

if TYPE_CHECKING:
    from mockchat.scripting.tapping import Tap

__all__ = ["Journal", "has_failed"]

Noted: TypeAlias = Entry | Later[Any]
"""What is kept of an exchange."""

_MOMENT = 0.1
"""Seconds in which a delivery that is at its end is noted, on a busy machine too."""


class Journal:
    """Every exchange of a script, oldest first.

    A read waits until no delivery is in flight, for at most `patience` seconds: a client may hold
    the last byte before the server has noted that it was sent. `len` and `requests` do not wait,
    since an exchange is added before its first byte leaves.

    Args:
        limit: How many exchanges are kept; older ones are dropped and counted in `dropped`.
        memory: How many bytes they may take, by `journal_weight`; the newest one is kept at all
            events.
        patience: The longest wait for deliveries in flight, in seconds.
        clock: Gives the time in seconds; it must not go back.
        sink: Where every exchange is sent besides, when it is added and when it is over.
        joint: What is told how much memory this journal takes, among others.

    Attributes:
        clock: As given.
        patience: As given.
        tap: Called with every entry when it is added; None for nobody.
    """

    def __init__(  # noqa: PLR0913 - each a choice of its own
        self,
        *,
        limit: int = 1000,
        memory: int = JOURNAL_BYTES,
        patience: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
        sink: Sink | None = None,
        joint: JointMemory | None = None,
    ) -> None:
        if limit < 1:
            raise BadArgument("Journal(limit=)", limit, "1 or more")
        if memory < 1:
            raise BadArgument("Journal(memory=)", memory, "1 or more")
        self.clock = clock
        self.patience = patience
        self._kept: deque[Noted] = deque(maxlen=limit)
        self._memory = memory
        self._weights: deque[int] = deque()
        self._weight = 0
        self._added = 0
        self._linked = 0
        self._attempts = Attempts(limit)
        self._sink = sink
        self.tap: Tap | None = None
        self._joint = joint or JointMemory()
        self._in_flight: dict[int, int] = {}  # index to how often something left
        self._given_up: dict[int, int] = {}  # the same, as it was when a wait was over
        # Dropped in flight, while the sink waits for their end.
        self._gone: dict[int, tuple[Noted, int]] = {}
        self._left_at: dict[int, list[float]] = {}  # index to when something left, paced ones alone
        self._changed = threading.Condition()
        self._waiting = 0

    def add(self, exchange: Exchange) -> int:
        """Append an exchange and return its index; call it before the first byte leaves.

        Index and times are set here, and credentials are removed, whatever the caller did.

        Raises:
            StateLost: It could not be sent to where it should be kept besides; it is in the
                journal, as one whose delivery failed.
        """
        return self.note(Entry.of(exchange))

    def note(self, entry: Noted) -> int:
        """Append what is known of an exchange and return its index; otherwise as `add`."""
        entry.clean()
        weighs = weight(entry) if entry.weighs is None else entry.weighs
        with self._changed:
            before = self._weight
            while self._kept and self._is_full(weighs):
                self._drop()
            self._weights.append(weighs)
            self._weight += weighs
            self._tell_joint(before)
            entry.index = index = self._added
            self._added = index + 1
            entry.answered = self.clock() + entry.held
            self._kept.append(entry)
            if entry.outcome is Outcome.PENDING:
                self._in_flight[index] = 0
            else:
                self._end(entry, entry.outcome, entry.count)
            if self._waiting:
                self._changed.notify_all()
        if self.tap is not None:
            self.tap(entry)
        if self._sink is not None:
            try:
                self._sink.added(entry.exchange)
            except StateLost:
                self.finish(index, Outcome.FAILED)
                raise
        return index

    def wrote(self, index: int, sends: int) -> None:
        """Note how much of a delivery has left; an exchange that is over is ignored.

        Args:
            index: Which exchange.
            sends: How many times something left; writes without a delay leave with those before.
        """
        with self._changed:
            if index in self._in_flight:
                self._in_flight[index] = sends
                left_at = self._left_at.setdefault(index, [])
                left_at += [self.clock()] * (sends - len(left_at))
            elif index in self._gone:
                self._gone[index] = self._gone[index][0], sends

    def finish(self, index: int, outcome: Outcome) -> None:
        """Note how the delivery of the exchange `index` ended.

        If that was dropped meanwhile, it is told to the sink alone: there it may be kept for longer.
        """
        with self._changed:
            if index in self._in_flight:
                sends = self._in_flight.pop(index)
                entry = self._kept[index - self.dropped]
            elif index in self._gone:
                entry, sends = self._gone.pop(index)
            else:
                return
            entry.left_at = tuple(self._left_at.pop(index, ()))
            is_all = outcome is Outcome.DELIVERED
            self._end(entry, outcome, entry.count if is_all else _written(entry.delivery, sends))
            if self._waiting:
                self._changed.notify_all()
        if self._sink is not None:
            self._sink.ended(entry.exchange)

    @property
    def dropped(self) -> int:
        """How many exchanges were dropped because the journal is bounded."""
        return self._added - len(self._kept)

    @property
    def last(self) -> Exchange:
        """The newest exchange.

        Raises:
            IndexError: There is none.
        """
        return self[-1]

    @property
    def requests(self) -> tuple[Json, ...]:
        """The decoded request bodies, oldest first."""
        with self._changed:
            return tuple(entry.request for entry in self._kept)

    @property
    def views(self) -> tuple[RequestView, ...]:
        """The requests as typed views, as matchers see them, but without credentials."""
        with self._changed:
            return tuple(view_of(entry.exchange) for entry in self._kept)

    @property
    def retries(self) -> int:
        """How many exchanges repeat an earlier one: those whose `attempt` is above 1.

        A client that counts its attempts says so (`x-stainless-retry-count` above 0); otherwise a
        retry is a request whose path and body equal those of an exchange that failed last time: an
        error status, a broken delivery, or a client that left.
        """
        return sum(exchange.attempt > 1 for exchange in self)

    @property
    def unfinished(self) -> tuple[Exchange, ...]:
        """The exchanges whose delivery is still in flight when patience is at its end."""
        return tuple(one for one in self.settled(again=False) if one.outcome is Outcome.PENDING)

    def matching(self, **wanted: Unpack[Wanted]) -> tuple[Exchange, ...]:
        """Return the exchanges that meet all conditions: keywords of `when`, and of `Wanted`.

        Raises:
            BadArgument: A keyword does not exist, or its value cannot be compared.
        """
        __tracebackhide__ = True
        return matching(self, wanted)

    def assert_called_once(self, **wanted: Unpack[Wanted]) -> None:
        """Fail unless exactly one request arrived; with conditions, exactly one that meets them.

        Raises:
            RequestsDiffer: There was none, or more.
            BadArgument: As for `matching`.
        """
        __tracebackhide__ = True
        assertions.assert_called_once(self, wanted)

    def assert_not_called(self, **wanted: Unpack[Wanted]) -> None:
        """Fail if a request arrived; with conditions, if one arrived that meets them.

        Raises:
            RequestsDiffer: One arrived.
            BadArgument: As for `matching`.
        """
        __tracebackhide__ = True
        assertions.assert_not_called(self, wanted)

    def assert_requests(self, *wanted: Request, in_any_order: bool = False) -> None:
        """Fail unless exactly these requests arrived, each meeting its conditions.

        Args:
            wanted: For each request the keywords of `matching`, as a mapping, or a matcher.
            in_any_order: True: which is which does not matter.

        Raises:
            RequestsDiffer: One is missing, one too many arrived, or one is otherwise than wanted.
            BadArgument: As for `matching`.
        """
        __tracebackhide__ = True
        assertions.assert_requests(self, wanted, in_any_order=in_any_order)

    def assert_order(self, *wanted: Request) -> None:
        """Fail unless such requests arrived one after the other; others may stand between them.

        Arguments and errors are those of `assert_requests`.
        """
        __tracebackhide__ = True
        assertions.assert_order(self, wanted)

    def verdicts(self, **thresholds: Unpack[Thresholds]) -> tuple[Verdict, ...]:
        """Judge how the client behaved, one verdict or more for each rule: see `Thresholds`.

        Raises:
            BadArgument: A threshold does not exist, or is out of range.
        """
        __tracebackhide__ = True
        return verdicts(self.settled(), thresholds)

    def assert_well_behaved(self, **thresholds: Unpack[Thresholds]) -> None:
        """Fail if a verdict on the client is "broken", or if there is nothing to judge.

        Raises:
            CarelessClient: With what it did, and when.
            RequestsDiffer: No request arrived.
            BadArgument: As for `verdicts`.
        """
        __tracebackhide__ = True
        assertions.assert_well_behaved(self, verdicts(self.settled(), thresholds))

    def settled(self, *, again: bool = True) -> tuple[Exchange, ...]:
        """Return what is kept, after waiting for deliveries in flight.

        Args:
            again: False: those that were waited for in vain, and of which nothing left since, are
                waited for no longer than a moment.
        """
        with self._changed:
            is_hopeless = not again and self._in_flight == self._given_up
            patience = min(self.patience, _MOMENT) if is_hopeless else self.patience
            self._until(lambda: not self._in_flight, patience)
            self._given_up = dict(self._in_flight)
        return self.now()

    def now(self, *, after: int = -1) -> tuple[Exchange, ...]:
        """Return what is kept, deliveries in flight as far as they are.

        Args:
            after: Only those of a higher index: who reads in pieces pays for the piece.
        """
        with self._changed:
            self._link()
            first, linked = max(0, after + 1 - self.dropped), self._linked - self.dropped
            begin = min(first, linked)
            kept = tuple(map(self._as_it_is, islice(self._kept, begin, None)))
        final = linked - begin
        if final < len(kept):
            attempts = self._attempts.copy()  # a delivery in flight may yet end badly
            unsure = kept[final:]
            kept = (
                *kept[:final],
                *(replace(one, attempt=attempts.link(one, key_of(one)).attempt) for one in unsure),
            )
        return kept[first - begin :]

    def clear(self) -> None:
        """Drop all exchanges; the next one's index goes on, and `dropped` counts them."""
        with self._changed:
            before = self._weight
            while self._kept:
                self._drop()
            self._tell_joint(before)
            self._changed.notify_all()

    def wait(self, is_enough: Callable[[Sequence[Exchange]], bool], *, seconds: float) -> bool:
        """Wait until what has arrived is enough, and say whether it was.

        Args:
            is_enough: Asked about the exchanges now and after each that begins or ends; deliveries
                in flight are among them.
            seconds: The longest wait.
        """
        with self._changed:
            return self._until(
                lambda: is_enough([self._as_it_is(entry) for entry in self._kept]), seconds
            )

    def __len__(self) -> int:
        with self._changed:
            return len(self._kept)

    def __bool__(self) -> bool:
        return len(self) > 0

    @overload
    def __getitem__(self, index: int) -> Exchange: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Exchange, ...]: ...
    def __getitem__(self, index: int | slice) -> Exchange | tuple[Exchange, ...]:
        kept = self.settled()
        try:
            return kept[index]
        except IndexError:
            count = len(kept)
            noun = "exchange" if count == 1 else "exchanges"
            raise IndexError(f"journal[{index}]: the journal has {count} {noun}") from None

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self.settled())

    def __repr__(self) -> str:
        return f"<Journal of {len(self)} exchanges>"

    def _drop(self) -> None:
        """Make room for one, and let what it was an attempt at be remembered."""
        oldest = self._kept.popleft()
        if oldest.index >= self._linked:
            self._attempts.link(oldest, oldest.key)
            self._linked = oldest.index + 1
        sends = self._in_flight.pop(oldest.index, None)
        self._left_at.pop(oldest.index, None)
        if sends is not None and self._sink is not None:
            self._gone[oldest.index] = oldest, sends
        self._weight -= self._weights.popleft()

    def _tell_joint(self, before: int) -> None:
        """Say what all exchanges take now, where that has changed."""
        if self._weight != before:
            self._joint.take(self._weight - before)

    def _until(self, is_so: Callable[[], bool], seconds: float) -> bool:
        """Wait until something is so, and say whether it is; it is looked at after each change."""
        self._waiting += 1
        try:
            return self._changed.wait_for(is_so, seconds)
        finally:
            self._waiting -= 1

    def _is_full(self, weighs: int) -> bool:
        return len(self._kept) == self._kept.maxlen or self._weight + weighs > self._memory

    def _end(self, entry: Noted, outcome: Outcome, written: int) -> None:
        entry.outcome, entry.written, entry.finished = outcome, written, self.clock()

    def _as_it_is(self, entry: Noted) -> Exchange:
        sends = self._in_flight.get(entry.index)
        exchange = entry.exchange
        if not sends:
            return exchange
        left_at = tuple(self._left_at.get(entry.index, ()))
        return replace(exchange, written=_written(entry.delivery, sends), left_at=left_at)

    def _link(self) -> None:
        """Number the attempts of all exchanges before the first that is in flight."""
        for position in range(self._linked - self.dropped, len(self._kept)):
            entry = self._kept[position]
            if entry.outcome is Outcome.PENDING:
                return
            entry.attempt = self._attempts.link(entry, entry.key).attempt
            self._linked += 1


def _written(delivery: Delivery | None, sends: int) -> int:
    """Return how many writes have left with so many sends."""
    if delivery is None or not sends:
        return 0
    starts = [place for place, write in enumerate(delivery.writes) if place and write.delay > 0]
    return [*starts, len(delivery.writes)][min(sends, len(starts) + 1) - 1]
