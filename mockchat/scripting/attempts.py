"""Which request repeats which: what makes several exchanges attempts at one."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from mockchat.exchange import Ending, Exchange, Headers, Outcome, header
from mockchat.types import Json

FIRST_FAILURE = 400
"""The lowest status of an error."""


class Seen(Protocol):
    """What is looked at of an exchange; what a journal notes of one has it too."""

    @property
    def index(self) -> int:
        """As of an exchange, like the others."""
        ...

    @property
    def retry_count(self) -> int | None: ...  # noqa: D102 - see index
    @property
    def status(self) -> int: ...  # noqa: D102
    @property
    def ending(self) -> Ending: ...  # noqa: D102
    @property
    def outcome(self) -> Outcome: ...  # noqa: D102
    @property
    def received(self) -> float: ...  # noqa: D102
    @property
    def answered(self) -> float: ...  # noqa: D102


Key = tuple[str, str, str | None, bytes]


def has_failed(exchange: Seen) -> bool:
    """Tell whether a client had reason to try again."""
    return (
        exchange.status >= FIRST_FAILURE
        or exchange.ending is not Ending.COMPLETE
        or exchange.outcome in (Outcome.CLIENT_LEFT, Outcome.FAILED)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What an exchange repeats.

    Attributes:
        attempt: Which attempt it is, from 1.
        before: The indexes of the exchanges it may repeat: none where it is a first attempt or the
            one before it was not seen, several where equal requests were in flight side by side.
    """

    attempt: int
    before: tuple[int, ...] = ()


class Attempts:
    """Links exchanges to those they repeat; give it every exchange once, in order, when it is over.

    A request repeats one with the same method, path, body and `idempotency-key` that has failed: an
    error status, a broken delivery, or a client that left. One that the client counts as a retry
    (`x-stainless-retry-count` above 0) repeats even what looked well from here, or was not seen.

    Args:
        limit: How many different requests are remembered.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._tries: OrderedDict[Key, tuple[_Try, ...]] = OrderedDict()

    def link(self, exchange: Seen, key: Key) -> Link:
        """Return what an exchange repeats, and remember it.

        Args:
            exchange: The exchange.
            key: What its repetitions have in common with it: its `request_key`.
        """
        tries = self._tries.pop(key, ())
        count = exchange.retry_count or 0
        found = _link(exchange, tries, count) if tries or count else FIRST
        # Where it is open which of several it repeats, it stays open for the next one as well.
        taken = found.before if len(found.before) == 1 else ()
        this = _Try(
            place=exchange.index,
            attempt=found.attempt,
            has_failed=has_failed(exchange),
            retries=count,
            answered=exchange.answered,
        )
        failed = [one for one in tries if one.has_failed and one.place not in taken]
        self._tries[key] = (*failed[-_SIDE_BY_SIDE:], this)  # of those that went well, the last
        if len(self._tries) > self._limit:
            self._tries.popitem(last=False)
        return found

    def copy(self) -> "Attempts":
        """Return one with the same memory, for exchanges whose end may yet change."""
        other = Attempts(self._limit)
        other._tries.update(self._tries)
        return other


_SIDE_BY_SIDE = 64
"""How many failed attempts at equal requests wait for the one that repeats them."""


FIRST = Link(attempt=1)


class _Try(NamedTuple):
    place: int
    attempt: int
    has_failed: bool
    retries: int
    answered: float


def _link(exchange: Seen, tries: Sequence[_Try], count: int) -> Link:
    # What was answered only after this request came can be no reason for it, except for a client
    # that says it gave up waiting.
    before = [one for one in tries if one.has_failed and one.answered <= exchange.received]
    if not (before or count):
        return FIRST
    if count:
        said = [one for one in tries if one.retries == count - 1]
        before = [one for one in said if one in before] or said[-1:]
    attempt = max([count, *(one.attempt for one in before)]) + 1
    return Link(attempt=attempt, before=tuple(one.place for one in before))


def request_key(method: str, path: str, headers: Headers, digest: bytes) -> Key:
    """Return what equal requests have in common; `digest` is that of the decoded body."""
    return method, path, header(headers, "idempotency-key"), digest


def request_digest(request: Json) -> bytes:
    """Return what is the same for equal bodies, however they are spelt."""
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode("utf-8", "replace")).digest()


def key_of(exchange: Exchange) -> Key:
    """Return the `request_key` of an exchange."""
    digest = request_digest(exchange.request)
    return request_key(exchange.method, exchange.path, exchange.headers, digest)


def linked(exchanges: Sequence[Exchange]) -> dict[int, Link]:
    """Return what each of the exchanges repeats of them, by its index."""
    attempts = Attempts(max(1, len(exchanges)))
    return {exchange.index: attempts.link(exchange, key_of(exchange)) for exchange in exchanges}
