"""How much memory an exchange takes in a journal: an estimate from above, made in one walk."""

import threading
from collections.abc import Mapping
from itertools import chain

from mockchat.scripting.entries import Entry
from mockchat.types import Json

JOURNAL_BYTES = 256 * 1024 * 1024
"""How much memory the exchanges of a journal may take unless told otherwise."""

# Bytes of CPython 3.11 to 3.14 on 64 bits, rounded up; a test compares them with what is allocated.
_EXCHANGE = 3_000
_TEXT = 80
_CONTAINER = 90
_ITEM = 10
_MEMBER = 110
_NUMBER = 32
_FIELD = 240
_WRITE = 3_000
_ANSWERED = 8


class JointMemory:
    """What several journals take together.

    Args:
        limit: How many bytes that may be. The journals only say what they take; who holds them all
            makes room.

    Attributes:
        limit: As given.
    """

    def __init__(self, limit: int = JOURNAL_BYTES) -> None:
        self.limit = limit
        self._taken = 0
        self._lock = threading.Lock()

    def take(self, size: int) -> None:
        """Note that so many bytes more are taken, or fewer where `size` is negative."""
        with self._lock:
            self._taken += size

    @property
    def is_full(self) -> bool:
        """Whether they take more than they may."""
        return self._taken > self.limit


def weight(entry: Entry) -> int:
    """Return how many bytes an exchange takes in memory, at most, somebody's reading it included.

    The request is looked at member by member, since clients decide on it: `[[],[],…]` takes thirty
    times its own length. What is answered is ours, and goes by its length.
    """
    writes = () if entry.delivery is None else entry.delivery.writes
    answered = sum([len(write.data) for write in writes])
    fields = sum(map(len, chain.from_iterable(entry.headers))) + _FIELD * len(entry.headers)
    texts = len(entry.path) + len(entry.query) + sum(map(len, entry.mismatches))
    return (
        _EXCHANGE
        + texts
        + fields
        + (weight_of(entry.request) if entry.same is None else entry.same.weight(entry.request))
        + len(writes) * _WRITE
        + answered * _ANSWERED
    )


def weight_of(value: Json) -> int:
    """Return how many bytes a decoded body takes in memory, at most."""
    total, waiting = 0, [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            total += _TEXT + len(one) * _width(one)
        elif isinstance(one, Mapping):
            total += _CONTAINER + len(one) * _MEMBER
            for name, member in one.items():
                total += _TEXT + len(name) * _width(name)
                waiting.append(member)
        elif isinstance(one, list | tuple):
            total += _CONTAINER + len(one) * _ITEM
            waiting += one
        else:
            total += _NUMBER
    return total


def _width(text: str) -> int:
    """Return how many bytes a character takes: the widest decides."""
    return 1 if text.isascii() else 4
