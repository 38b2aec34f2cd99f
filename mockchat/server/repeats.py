"""How often one request came before: what lets a retry meet another reply than the first try."""

import hashlib
import threading
from collections import OrderedDict

from mockchat.payloads.seeded import canonical_json
from mockchat.types import Json

_REMEMBERED = 10_000


class Repeats:
    """Counts requests by path and body; the ones unseen for longest are forgotten.

    Args:
        counts: False: every request is the first of its kind.
    """

    def __init__(self, *, counts: bool) -> None:
        self._counts = counts
        self._seen: OrderedDict[bytes, int] = OrderedDict()
        self._lock = threading.Lock()

    def count(self, path: str, body: Json) -> int:
        """Return how often this request came before, and count it."""
        if not self._counts:
            return 0
        key = hashlib.sha256(canonical_json([path, body]).encode("ascii")).digest()
        with self._lock:
            before = self._seen.pop(key, 0)
            self._seen[key] = before + 1
            if len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
            return before
