"""One port for many scripts: leads each request to the app of its script."""

import threading

from mockchat.exchange import Incoming
from mockchat.scripting.script import Script
from mockchat.scripting.scripts import Scripts
from mockchat.server.app import App
from mockchat.server.settings import Settings
from mockchat.server.ticket import Ticket


class Dispatcher:
    """The application behind the port: leads each request to the app of its script.

    Args:
        scripts: The open scripts, shared with the apps.
    """

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts
        self._apps: dict[Settings, App] = {}
        self._settings: dict[Script, Settings] = {}
        self._lock = threading.Lock()
        # For what belongs to no script: refused, and charged to the test that is over.
        self._nobody = self._app(Settings(unmatched="fail"))

    def open(self, script: Script, settings: Settings) -> str:
        """Serve a script under `settings` and return its token."""
        with self._lock:
            self._settings[script] = settings
        return self._scripts.open(script)

    def close(self, token: str, script: Script) -> None:
        """Refuse what still comes for a script."""
        self._scripts.close(token)
        with self._lock:
            del self._settings[script]

    @property
    def body_limit(self) -> int:
        """The largest request body to be read, in bytes."""
        return self._nobody.body_limit

    def handle(self, incoming: Incoming) -> Ticket:
        """Answer a request as its script says."""
        script = self._scripts.owner(incoming.path)
        settings = None if script is None else self._settings.get(script)
        app = self._nobody if settings is None else self._app(settings)
        return app.handle(incoming)

    def refuse(self, status: int, message: str, incoming: Incoming | None = None) -> Ticket:
        """Answer what could not be read as a request, in the words of the default profile."""
        return self._nobody.refuse(status, message, incoming)

    def _app(self, settings: Settings) -> App:
        with self._lock:
            app = self._apps.get(settings)
            if app is None:
                app = self._apps[settings] = App(settings, self._scripts)
            return app
