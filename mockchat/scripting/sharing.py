"""What the workers that serve one script may share; without workers each process keeps its own."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, TypeAlias, TypeVar

from mockchat.errors import MockchatError
from mockchat.exchange import Exchange
from mockchat.scripting.steering import Steerings
from mockchat.types import JsonObject

T = TypeVar("T")

Account: TypeAlias = dict[str, float]
"""What a client has used, number by number; empty before its first request."""


class StateLost(MockchatError):
    """The store that workers share did not answer.

    Args:
        store: Where it is, without credentials.
        reason: What was met, in words.
    """

    def __init__(self, store: str, reason: str) -> None:
        super().__init__(store, reason)
        self.store = store
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"the shared state at {self.store} cannot be used: {self.reason}. "
            "Requests are answered again as soon as it is back."
        )


class Counts(Protocol):
    """How many replies of each stub of one script were given; a stub is known by its place."""

    def take(self, wanted: Iterable[tuple[int, int | None]]) -> tuple[int, int] | None:
        """Count one more reply of the first stub that has one left.

        Args:
            wanted: Places in order, each with how many replies there are in all; None: no end.

        Returns:
            The place, and how many replies of it were given before; None where none has one left.
        """

    def taken(self, place: int) -> int:
        """Return how many replies of a stub were given so far."""


class OwnCounts:
    """The counts of this process alone; safe to use from many threads."""

    def __init__(self) -> None:
        self._taken: dict[int, int] = {}
        self._lock = threading.Lock()

    def take(self, wanted: Iterable[tuple[int, int | None]]) -> tuple[int, int] | None:
        """Count one more reply, as `Counts` says; `wanted` is read no further than needed."""
        for place, most in wanted:
            with self._lock:
                before = self._taken.get(place, 0)
                if most is None or before < most:
                    self._taken[place] = before + 1
                    return place, before
        return None

    def taken(self, place: int) -> int:
        """Return how many replies of a stub were given so far."""
        return self._taken.get(place, 0)


class Accounts(Protocol):
    """What each client has used."""

    def change(self, client: str, use: Callable[[Account, float], T]) -> T:
        """Call `use` with the client's account and the time in seconds, and keep what it changes.

        Nobody else changes the account meanwhile; `use` may be called again where somebody did.
        """


class Sink(Protocol):
    """Where a journal sends what it keeps, for whoever reads it elsewhere."""

    def added(self, exchange: Exchange) -> None:
        """Take note of an exchange before its first byte leaves.

        Raises:
            StateLost: It cannot.
        """

    def ended(self, exchange: Exchange) -> None:
        """Take note of how its delivery ended."""


class SharedExchanges(Sink, Protocol):
    """The exchanges of one session at all workers."""

    def indexes(self) -> Sequence[int]:
        """Return the indexes of all that are kept, in order.

        Raises:
            StateLost: They are out of reach.
        """

    def exchanges(self, is_wanted: Callable[[int], bool] | None = None) -> Iterator[JsonObject]:
        """Return what is kept, oldest first, as `exchange_lines` writes them.

        Args:
            is_wanted: Tells by its index whether one is asked for; all are where it is not given.

        Raises:
            StateLost: It is out of reach.
        """

    def clear(self) -> None:
        """Drop them all; the next one's index goes on.

        Raises:
            StateLost: They are out of reach.
        """


class State(Protocol):
    """What all workers of one server share."""

    def counts(self, script: str) -> Counts:
        """Return the counts of the script of this name."""

    @property
    def accounts(self) -> Accounts:
        """What clients have used."""

    def journal(self, session: str) -> SharedExchanges:
        """Return where the exchanges of a session go."""

    @property
    def steerings(self) -> Steerings:
        """What was said about each session."""
