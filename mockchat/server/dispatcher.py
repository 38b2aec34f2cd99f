"""One port for many scripts: leads each request to the app of its script."""

import threading
from collections import OrderedDict

from mockchat.exchange import Incoming
from mockchat.scripting.script import Script
from mockchat.scripting.scripts import Scripts
from mockchat.scripting.sharing import Accounts
from mockchat.server.app import App
from mockchat.server.settings import Settings
from mockchat.server.ticket import Ticket

_KEPT = 16
"""Apps kept for the next script with the same settings; a suite has a few combinations."""


class Dispatcher:
    """The application behind the port: leads each request to the app of its script.

    Scripts with equal settings share an app, open at once or one after the other.

    Args:
        scripts: The open scripts, shared with the apps.
        accounts: What clients have used, where workers share it.
    """

    def __init__(self, scripts: Scripts, accounts: Accounts | None = None) -> None:
        self._scripts = scripts
        self._accounts = accounts
        self._serving: dict[Script, App] = {}
        self._kept: OrderedDict[Settings, App] = OrderedDict()  # the one unused for longest first
        self._lock = threading.Lock()
        # For what belongs to no script: refused, and charged to the test that is over.
        self._nobody = App(Settings(unmatched="fail"), scripts)

    def open(self, script: Script, settings: Settings) -> str:
        """Serve a script under `settings` and return its token.

        Raises:
            BrokenProfile: The profile cannot be read as a contract.
        """
        app = self.app(settings)
        with self._lock:
            self._serving[script] = app
        return self._scripts.open(script)

    def close(self, token: str, script: Script) -> None:
        """Refuse what still comes for a script."""
        self._scripts.close(token)
        with self._lock:
            del self._serving[script]

    @property
    def body_limit(self) -> int:
        """The largest request body to be read, in bytes."""
        return self._nobody.body_limit

    def may_block(self, incoming: Incoming) -> bool:
        """Tell whether somebody's own code may be asked for the answer, which may take its time."""
        return self._nobody.may_block(incoming)

    def handle(self, incoming: Incoming) -> Ticket:
        """Answer a request as its script says."""
        script = self._scripts.owner(incoming.path)
        app = None if script is None else self._serving.get(script)
        return (app or self._nobody).handle(incoming)

    def refuse(self, status: int, message: str, incoming: Incoming | None = None) -> Ticket:
        """Answer what could not be read as a request, in the words of the default profile."""
        return self._nobody.refuse(status, message, incoming)

    def app(self, settings: Settings) -> App:
        """Return the app of all scripts under these settings.

        Raises:
            BrokenProfile: The profile cannot be read as a contract.
        """
        with self._lock:
            app = self._kept.pop(settings, None) or App(settings, self._scripts, self._accounts)
            self._kept[settings] = app
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return app
