"""One port for many scripts: leads each request to the app of its script, and carries failures back."""

import threading
import traceback
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

from mockchat.errors import MockchatError
from mockchat.exchange import Incoming
from mockchat.scripting.failures import ServerFailed
from mockchat.scripting.script import Script
from mockchat.scripting.scripts import Scripts, parted
from mockchat.server.app import App
from mockchat.server.service import NEVER_RETRY
from mockchat.server.settings import Settings
from mockchat.server.ticket import Ticket

_PACKAGE = str(Path(__file__).parents[1])


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
        """Answer a request as its script says; what goes wrong here is charged to the script."""
        script = self._scripts.owner(incoming.path)
        settings = None if script is None else self._settings.get(script)
        if script is None or settings is None:
            return self._nobody.handle(incoming)
        try:
            return self._app(settings).handle(incoming)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must hear of it
            problem = carried(error, f"{incoming.method} {parted(incoming.path)[1]}")
            script.charge(problem)
            return self._refusal(problem, incoming)

    def refuse(self, status: int, message: str, incoming: Incoming | None = None) -> Ticket:
        """Answer what could not be read as a request, in the words of the default profile."""
        return self._nobody.refuse(status, message, incoming)

    def _refusal(self, problem: MockchatError, incoming: Incoming) -> Ticket:
        text = f"{type(problem).__name__}: {problem}"
        ticket = self.refuse(HTTPStatus.INTERNAL_SERVER_ERROR, text, incoming)
        headers = (*ticket.delivery.headers, NEVER_RETRY)
        return replace(ticket, delivery=replace(ticket.delivery, headers=headers))

    def _app(self, settings: Settings) -> App:
        with self._lock:
            app = self._apps.get(settings)
            if app is None:
                app = self._apps[settings] = App(settings, self._scripts)
            return app


def carried(error: Exception, request: str) -> MockchatError:
    """Return the error as one that pickles and can be raised in the test's thread.

    Frames of mockchat itself are left out: what failed is a callable of the test.
    """
    if isinstance(error, MockchatError):
        return error
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(_PACKAGE)
    ]
    trace = "".join(traceback.format_list(frames))
    return ServerFailed(request, f"{type(error).__name__}: {error}", trace)
