"""Which script a request belongs to: a token in the path says so."""

import re
import secrets
import threading
from collections import OrderedDict

from mockchat.scripting.failures import LateRequest
from mockchat.scripting.script import Script

_TOKEN = re.compile(r"/(script-[0-9a-f]{12})(?=[/*]|\Z)", re.ASCII)
_REMEMBERED = 10_000
_LATE_KEPT = 1_000


class Scripts:
    """The open scripts of one server, and what came for closed ones.

    A token is drawn at random: a port is soon used again, and a request meant for another process
    must not look like one of ours.
    """

    def __init__(self) -> None:
        self._open: dict[str, Script] = {}
        self._closed: OrderedDict[str, str] = OrderedDict()
        self._late: list[LateRequest] = []
        self._late_count = 0
        self._lock = threading.Lock()

    def open(self, script: Script) -> str:
        """Make the script the current one and return its token, a path without slashes."""
        token = f"script-{secrets.token_hex(6)}"
        with self._lock:
            self._open[token] = script
        return token

    def close(self, token: str) -> None:
        """End a script; requests that still come for it are refused and charged to it."""
        with self._lock:
            script = self._open.pop(token)
            self._closed[token] = script.name
            if len(self._closed) > _REMEMBERED:
                self._closed.popitem(last=False)

    @property
    def current(self) -> Script | None:
        """The script opened last of those that are open: requests without a token belong to it."""
        with self._lock:
            return next(reversed(self._open.values()), None)

    @property
    def late(self) -> tuple[LateRequest, ...]:
        """The requests that were refused, oldest first: the first thousand of them."""
        with self._lock:
            return tuple(self._late)

    @property
    def late_count(self) -> int:
        """How many requests were refused, those included that `late` leaves out."""
        with self._lock:
            return self._late_count

    def owner(self, path: str) -> Script | None:
        """Return the open script a path belongs to, None if there is none; charges nobody."""
        return self._owner(parted(path)[0])

    def resolve(self, path: str, *, method: str = "") -> tuple[Script | None, str]:
        """Return the script a path belongs to, and the path without the token.

        Without a token that is the current script, or None where none is open. `method` is for the
        error's text.

        Raises:
            LateRequest: The token is of a closed script, or not of ours; the request is charged.
        """
        token, bare = parted(path)
        script = self._owner(token)
        if token is not None and script is None:
            raise self.refuse(f"{method} {bare}".lstrip(), self._closed.get(token))
        return script, bare

    def _owner(self, token: str | None) -> Script | None:
        if token is None:
            return self.current
        with self._lock:
            return self._open.get(token)

    def refuse(self, request: str, test: str | None) -> LateRequest:
        """Record a request that came when no script of `test` was open, and return the error."""
        late = LateRequest(test, request)
        with self._lock:
            self._late_count += 1
            if len(self._late) < _LATE_KEPT:  # the first ones tell where the trouble began
                self._late.append(late)
        return late


def parted(path: str) -> tuple[str | None, str]:
    """Return the token of a path, or None, and the path without it."""
    found = _TOKEN.match(path)
    return (None, path) if found is None else (found[1], path[found.end() :] or "/")
