"""The sessions of a server: for each name a script of its own, made when it is first asked for."""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable

from mockchat.errors import BadArgument
from mockchat.exchange import Headers, header
from mockchat.scripting.journal_weight import JointMemory
from mockchat.server.scenarios import ScenarioApp

HEADER = "x-mockchat-session"

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ALLOWED = "1 to 64 letters, digits, dots, hyphens or underscores"


class Sessions:
    """Finds the session of a request; the ones unused for longest make room for others.

    That is: they are forgotten where there are too many, and their journals cleared where all
    journals together take too much memory.

    Args:
        make: Makes the session of a name.
        everybody: The session of all who name none.
        most: How many named sessions are kept.
        joint: What the journals of those that `make` makes take together.
    """

    def __init__(
        self,
        make: Callable[[str], ScenarioApp],
        everybody: ScenarioApp,
        *,
        most: int = 1000,
        joint: JointMemory | None = None,
    ) -> None:
        self._make = make
        self._most = most
        self._joint = joint or JointMemory()
        self._named: OrderedDict[str, ScenarioApp] = OrderedDict()
        self._lock = threading.Lock()
        self.everybody = everybody

    def named(self, headers: Headers) -> ScenarioApp:
        """Return the session that a request's header names.

        Raises:
            BadArgument: The name is none.
        """
        name = header(headers, HEADER)
        if name is None:
            return self.everybody
        if not _NAME.fullmatch(name):
            raise BadArgument(f"the header {HEADER}", name, _ALLOWED)
        with self._lock:
            session = self._named.pop(name, None) or self._make(name)
            self._named[name] = session
            gone = self._named.popitem(last=False)[1] if len(self._named) > self._most else None
            older = list(self._named.values())[:-1] if self._joint.is_full else []
        if gone is not None:
            gone.close()
        for one in older:
            if self._joint.is_full:
                one.clear()
        return session

    @property
    def names(self) -> tuple[str, ...]:
        """The names of those there are, the one used last at the end."""
        with self._lock:
            return tuple(self._named)

    def __len__(self) -> int:
        return len(self._named)
