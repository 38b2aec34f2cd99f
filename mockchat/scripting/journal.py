"""The list of exchanges a test reads: thread-safe, bounded, free of credentials."""

import json
import re
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import overload

from mockchat.errors import BadArgument
from mockchat.exchange import Ending, Exchange, Outcome, header
from mockchat.scripting.credentials import redact, redact_json
from mockchat.types import Json

_FIRST_FAILURE = 400


class Journal:
    """Every exchange of a script, oldest first.

    A read waits until no delivery is in flight, for at most `patience` seconds: a client may hold
    the last byte before the server has noted that it was sent. `len` and `requests` do not wait,
    since an exchange is added before its first byte leaves.

    Args:
        limit: How many exchanges are kept; older ones are dropped and counted in `dropped`.
        patience: The longest wait for deliveries in flight, in seconds.
    """

    def __init__(self, *, limit: int = 1000, patience: float = 2.0) -> None:
        if limit < 1:
            raise BadArgument("Journal(limit=)", limit, "1 or more")
        self._kept: deque[Exchange] = deque(maxlen=limit)
        self._added = 0
        self._pending = 0
        self._patience = patience
        self._changed = threading.Condition()

    def add(self, exchange: Exchange) -> int:
        """Append an exchange and return its index; call it before the first byte leaves.

        The index is set here, and credentials are removed, whatever the caller did.
        """
        with self._changed:
            index = self._added
            failed = exchange.status >= _FIRST_FAILURE
            clean = replace(
                exchange,
                index=index,
                headers=redact(exchange.headers),
                reply=redact_json(exchange.reply) if failed else exchange.reply,
            )
            if len(self._kept) == self._kept.maxlen:
                self._pending -= self._kept[0].outcome is Outcome.PENDING
            self._kept.append(clean)
            self._added += 1
            self._pending += exchange.outcome is Outcome.PENDING
            return index

    def finish(self, index: int, outcome: Outcome) -> None:
        """Note how the delivery of the exchange `index` ended; a dropped exchange is ignored."""
        with self._changed:
            position = index - self.dropped
            if position < 0:
                return
            before = self._kept[position]
            self._kept[position] = replace(before, outcome=outcome)
            self._pending -= before.outcome is Outcome.PENDING
            self._pending += outcome is Outcome.PENDING
            self._changed.notify_all()

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
            return tuple(exchange.request for exchange in self._kept)

    @property
    def retries(self) -> int:
        """How many exchanges repeat an earlier one.

        A client that counts its attempts says so (`x-stainless-retry-count` above 0); otherwise a
        retry is a request whose path and body equal those of an exchange that failed last time: an
        error status, a broken delivery, or a client that left.
        """
        failed: dict[tuple[str, str], bool] = {}
        count = 0
        for exchange in self:
            key = (exchange.path, json.dumps(exchange.request, sort_keys=True))
            counted = header(exchange.headers, "x-stainless-retry-count")
            count += _is_above_zero(counted) or failed.get(key, False)
            failed[key] = has_failed(exchange)
        return count

    def settled(self) -> tuple[Exchange, ...]:
        """Return what is kept, after waiting for deliveries in flight."""
        with self._changed:
            self._changed.wait_for(lambda: not self._pending, self._patience)
            return tuple(self._kept)

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


def _is_above_zero(number: str | None) -> bool:
    # A header holds any text: no int() of it, which refuses thousands of digits.
    return number is not None and re.fullmatch("0*[1-9][0-9]*", number) is not None


def has_failed(exchange: Exchange) -> bool:
    """Tell whether a client had reason to try again."""
    return (
        exchange.status >= _FIRST_FAILURE
        or exchange.ending is not Ending.COMPLETE
        or exchange.outcome in (Outcome.CLIENT_LEFT, Outcome.FAILED)
    )
