"""Serve scenario files: one script of all their stubs, made again when a file changes."""

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mockchat.contract.contract import contract_of
from mockchat.errors import MockchatError
from mockchat.exchange import Incoming
from mockchat.scripting.faults import Ability
from mockchat.scripting.scenario import BrokenScenario, Scenario, read_scenario
from mockchat.scripting.script import Script
from mockchat.scripting.scripts import Scripts
from mockchat.scripting.sharing import State
from mockchat.server import connection
from mockchat.server.app import App
from mockchat.server.reports import logger
from mockchat.server.settings import Settings
from mockchat.server.ticket import Ticket

Signature = tuple[tuple[int, int, int] | None, ...]
"""Of each file: when it was written, its size, its inode; None where it is not there."""


def joint_options(scenarios: Sequence[Scenario]) -> Mapping[str, object]:
    """Return the options that several scenarios ask for together.

    Raises:
        BrokenScenario: Two ask for different values of one option.
    """
    joint: dict[str, tuple[object, str]] = {}
    for scenario in scenarios:
        for name, value in scenario.options.items():
            known, file = joint.setdefault(name, (value, scenario.file))
            if known != value:
                message = f"{name} is {value!r}, and {known!r} in {file}"
                raise BrokenScenario(scenario.problem(f"/{name}", message))
    return {name: value for name, (value, _) in joint.items()}


class ScenarioApp:
    """Answers as scenario files say, and looks before each request whether they have changed.

    A changed file makes a new script: all replies are there again. A file that is broken then is
    told in the log once, and what was read before goes on answering.

    Args:
        files: The scenario files; their stubs stand one file after the other. Without one there
            is no stub.
        settings_of: The settings of a server whose scenarios ask for these options.
        schemas: A folder of the caller's own profiles.
        state: What the workers share that serve the same files; the same texts, the same counts.
        abilities: What the adapter that plays the deliveries can do.

    Raises:
        BrokenScenario: A file cannot be used.
        MockchatError: The settings that result cannot be.
        OSError: A file cannot be read.
    """

    def __init__(
        self,
        files: Sequence[Path],
        settings_of: Callable[[Mapping[str, object]], Settings],
        schemas: Path | None = None,
        state: State | None = None,
        *,
        abilities: frozenset[Ability] = connection.ABILITIES,
    ) -> None:
        self._files = files
        self._state = state
        self._abilities = abilities
        self._schemas = schemas
        self._settings_of = settings_of
        self._lock = threading.Lock()
        self._seen = _signature(files)
        self._app, self.settings, self._script = self._made()

    @property
    def summary(self) -> str:
        """The files and how many stubs they have."""
        count = len(self._script.stubs)
        stubs = f"{count} stub{'' if count == 1 else 's'}"
        files = self._script.name if self._files else "no scenario"
        return f"{files}, {stubs}" + ("" if self._state is None else ", state shared")

    @property
    def counted(self) -> str | None:
        """The first stub that does not say one thing for ever, by its name; None: all do.

        Processes that serve the same files, and share no state, would each count for themselves.
        """
        return next((stub.name for stub in self._script.stubs if stub.is_counted), None)

    @property
    def body_limit(self) -> int:
        """The largest request body to be read, in bytes."""
        return self._app.body_limit

    def may_block(self, incoming: Incoming) -> bool:
        """Tell whether the answer may take its time: it does where the state is elsewhere."""
        return self._state is not None or self._app.may_block(incoming)

    def handle(self, incoming: Incoming) -> Ticket:
        """Answer a request as the files say now."""
        self._look()
        return self._app.handle(incoming)

    def refuse(self, status: int, message: str, incoming: Incoming | None = None) -> Ticket:
        """Answer what could not be read as a request, in the words of the profile."""
        return self._app.refuse(status, message, incoming)

    def _look(self) -> None:
        if _signature(self._files) == self._seen:
            return
        with self._lock:
            now = _signature(self._files)
            if now != self._seen:
                self._seen = now
                self._renew()

    def _renew(self) -> None:
        try:
            self._app, self.settings, self._script = self._made()
        except (MockchatError, OSError) as problem:
            logger.warning("the scenario of before goes on: %s", problem)
        else:
            logger.warning("the scenario was read again: %s", self.summary)

    def _made(self) -> tuple[App, Settings, Script]:
        texts = [file.read_bytes() for file in self._files]
        scenarios = [read_scenario(file) for file in self._files]
        state, digest = self._state, hashlib.sha256(b"\0".join(texts)).hexdigest()
        for scenario in scenarios:
            scenario.contract(self._schemas)
        options = joint_options(scenarios)
        settings = self._settings_of(options)
        script = Script(
            contract_of(settings.profile),
            name=", ".join(file.name for file in self._files),
            unmatched=settings.unmatched,
            unused="ignore",
            level=settings.level,
            journal_limit=settings.journal_limit,
            journal_bytes=settings.journal_bytes,
            abilities=self._abilities,
            counts=None if state is None else state.counts(digest),
            sink=None if state is None else state.sink,
        )
        for scenario in scenarios:
            scenario.add_to(script)
        scripts = Scripts()
        scripts.open(script)
        accounts = None if state is None else state.accounts
        return App(settings, scripts, accounts), settings, script


def _signature(files: Sequence[Path]) -> Signature:
    return tuple(_state(file) for file in files)


def _state(file: Path) -> tuple[int, int, int] | None:
    try:
        state = file.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino
