"""What an app remembers of requests that came before, so that it answers them again at less cost.

A request without fault is known again by its path and its bytes, and with it what was found out: that
it has no fault, where its draws start, and what was made for it. Nothing of this changes an answer.
Headers are no part of it, so that no credential is kept.
"""

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from mockchat.scripting.attempts import request_digest
from mockchat.scripting.contents import Reply
from mockchat.scripting.journal_weight import weight_of
from mockchat.types import JsonObject

if TYPE_CHECKING:
    from mockchat.payloads.seeded import Draws
    from mockchat.server.ready import Ready
    from mockchat.server.service import Result

MEMORY_BYTES = 16 * 1024 * 1024
"""How many bytes of requests and replies are remembered unless told otherwise."""

_MOST_KNOWN = 4096
_MOST_REPLIES = 8
"""Replies remembered for one request: tests ask the same question again and again."""
_OWN_SIZE = 2048
"""About what a known request takes besides its bytes and those of its replies."""


class Known:
    """A request that came before and broke nothing.

    Attributes:
        body: Its bytes.
        size: About how many bytes it takes, with all that is remembered of it.
        draws: The draws of its replies, None until the first.
        generated: What is answered without a script, None until it was.
        has_model: Whether its model was found.
        is_repeated: Whether it came again: most requests never do.
    """

    __slots__ = (
        "_digest",
        "_ready",
        "_weight",
        "body",
        "draws",
        "generated",
        "has_model",
        "is_repeated",
        "size",
    )

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.size = len(body) + _OWN_SIZE
        self.draws: Draws | None = None
        self.generated: Result | None = None
        self.has_model = False
        self.is_repeated = False
        self._digest: bytes | None = None
        self._weight: int | None = None
        self._ready: dict[int, Ready] = {}

    def digest(self, request: JsonObject) -> bytes:
        """Return the digest of the decoded body: see `request_digest`."""
        if self._digest is None:
            self._digest = request_digest(request)
        return self._digest

    def weight(self, request: JsonObject) -> int:
        """Return how much memory the decoded body takes: see `weight_of`."""
        if self._weight is None:
            self._weight = weight_of(request)
        return self._weight

    def ready(self, reply: Reply) -> "Ready | None":
        """Return what was made of a scripted reply for this request, None if nothing was."""
        found = self._ready.get(id(reply))
        return found if found is not None and found.reply is reply else None

    def keep(self, ready: "Ready") -> None:
        """Remember what was made of a scripted reply; that it is held keeps its `id` its own."""
        kept = dict(self._ready)
        kept[id(ready.reply)] = ready
        while len(kept) > _MOST_REPLIES:
            del kept[next(iter(kept))]
        self._ready = kept  # at once: other threads read it


class Memory:
    """The known requests of an app, those met last; safe to share between threads.

    Args:
        size: About how many bytes they may take together; 0: nothing is remembered.
    """

    def __init__(self, size: int = MEMORY_BYTES) -> None:
        self._limit = size
        self._size = 0
        self._known: OrderedDict[tuple[str, bytes], Known] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._known)

    @property
    def size(self) -> int:
        """About how many bytes are taken."""
        return self._size

    def get(self, path: str, body: bytes) -> Known | None:
        """Return a request that came before, None if it is not known."""
        with self._lock:
            known = self._known.get((path, body))
            if known is not None:
                self._known.move_to_end((path, body))
            return known

    def keep(self, path: str, body: bytes) -> Known | None:
        """Remember a request that breaks nothing; None where there is no room for it."""
        known = Known(body)
        if known.size > self._limit:
            return None
        with self._lock:
            before = self._known.pop((path, body), None)
            self._size += known.size - (0 if before is None else before.size)
            self._known[path, body] = known
            self._make_room()
        return known

    def grow(self, path: str, known: Known, size: int) -> None:
        """Count what was added to a known request, in bytes."""
        with self._lock:
            if self._known.get((path, known.body)) is known:  # else it was forgotten meanwhile
                known.size += size
                self._size += size
                self._make_room()

    def _make_room(self) -> None:
        while self._size > self._limit or len(self._known) > _MOST_KNOWN:
            self._size -= self._known.popitem(last=False)[1].size
