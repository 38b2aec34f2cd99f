"""What the workers that serve one script may share; without workers each process keeps its own."""

import threading
from collections.abc import Callable
from typing import Protocol, TypeAlias, TypeVar

from mockchat.errors import MockchatError
from mockchat.exchange import Exchange

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


class Count(Protocol):
    """How many replies of one stub were given."""

    def take(self, most: int | None) -> int | None:
        """Count one more and return how many there were before; None, uncounted, where `most` were."""

    @property
    def taken(self) -> int:
        """How many were given so far."""


class OwnCount:
    """A count of this process alone; safe to use from many threads."""

    def __init__(self) -> None:
        self.taken = 0
        self._lock = threading.Lock()

    def take(self, most: int | None) -> int | None:
        """Count one more, as `Count` says."""
        with self._lock:
            before = self.taken
            if most is not None and before >= most:
                return None
            self.taken = before + 1
            return before


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


class State(Protocol):
    """What all workers of one server share."""

    def counts(self, script: str) -> Callable[[int], Count]:
        """Return what makes the count of a stub, by its place in the script of this name."""

    @property
    def accounts(self) -> Accounts:
        """What clients have used."""

    @property
    def sink(self) -> Sink:
        """Where exchanges go."""


def own_count(place: int) -> Count:  # noqa: ARG001 - the place matters where counts are shared
    """Return a count that nobody else knows."""
    return OwnCount()
