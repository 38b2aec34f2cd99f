"""Serve scenario files: one script of all their stubs, made again when a file changes."""

import hashlib
import json
import os
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mockchat.contract.contract import contract_of
from mockchat.errors import MockchatError
from mockchat.exchange import Incoming
from mockchat.scripting.faults import Ability
from mockchat.scripting.journal import Journal
from mockchat.scripting.journal_weight import JointMemory
from mockchat.scripting.scenario import BrokenScenario, Scenario, read_scenario, scenario_of
from mockchat.scripting.script import Script
from mockchat.scripting.scripts import Scripts
from mockchat.scripting.sharing import State, StateLost
from mockchat.scripting.steering import OwnSteerings, Steering, Steerings
from mockchat.server.app import App
from mockchat.server.dispatcher import Dispatcher
from mockchat.server.reports import logger
from mockchat.server.settings import Settings
from mockchat.server.ticket import Ticket
from mockchat.types import Json

_VERSIONS = 2

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Version:
    """What is served from one change to the next."""

    signature: Signature
    steering: Steering
    settings: Settings
    script: Script
    app: App
    token: str
    counts_of: str


class ScenarioApp:
    """Answers as scenario files say, and as it is told; looks before each request for changes.

    A changed file makes a new script: all replies are there again. A file that is broken then is
    told in the log once, and what was read before goes on answering. The journal goes on.

    Args:
        files: The scenario files; their stubs stand one file after the other. Without one there
            is no stub.
        settings_of: The settings of a server whose scenarios ask for these options.
        schemas: A folder of the caller's own profiles.
        state: What the workers share that serve the same files; the same texts, the same counts.
        abilities: What the adapter can do.
        session: Whose script it is; "" is everybody's who names no session.
        dispatcher: What leads requests to apps; sessions share it.
        joint: What the journals of several sessions take together.

    Raises:
        BrokenScenario: A file cannot be used.
        MockchatError: The settings that result cannot be.
        OSError: A file cannot be read.
    """

    def __init__(  # noqa: PLR0913 - what a session is made of
        self,
        files: Sequence[Path],
        settings_of: Callable[[Mapping[str, object]], Settings],
        schemas: Path | None = None,
        state: State | None = None,
        *,
        abilities: frozenset[Ability] = frozenset(Ability),
        session: str = "",
        dispatcher: Dispatcher | None = None,
        joint: JointMemory | None = None,
    ) -> None:
        self._files = files
        self._state = state
        self._schemas = schemas
        self._settings_of = settings_of
        self._abilities = abilities
        self._session = session
        self._joint = joint
        self._steerings: Steerings = OwnSteerings() if state is None else state.steerings
        self._dispatcher = dispatcher or Dispatcher(
            Scripts(), None if state is None else state.accounts
        )
        self._lock = threading.RLock()
        self._tokens: deque[tuple[str, Script]] = deque()
        self._seen = _signature(files), self._steerings.get(session)
        self._now = self._made(*self._seen, None)

    @property
    def settings(self) -> Settings:
        """How it answers now."""
        return self._now.settings

    @property
    def script(self) -> Script:
        """The stubs and the journal as they are now."""
        self._look()
        return self._now.script

    @property
    def session(self) -> str:
        """Whose script it is."""
        return self._session

    @property
    def shared(self) -> State | None:
        """What workers share, None where they share nothing."""
        return self._state

    @property
    def summary(self) -> str:
        """The files and how many stubs they have."""
        count = len(self._now.script.stubs)
        stubs = f"{count} stub{'' if count == 1 else 's'}"
        files = self._now.script.name if self._files else "no scenario"
        return f"{files}, {stubs}" + ("" if self._state is None else ", state shared")

    @property
    def counted(self) -> str | None:
        """The first stub that does not say one thing for ever, by its name; None: all do.

        Processes that serve the same files, and share no state, would each count for themselves.
        """
        return next((stub.name for stub in self._now.script.stubs if stub.is_counted), None)

    @property
    def body_limit(self) -> int:
        """The largest request body to be read, in bytes."""
        return self._now.app.body_limit

    def may_block(self, incoming: Incoming) -> bool:  # noqa: ARG002 - all have one script
        """Tell whether the answer may take its time: it does where the state is elsewhere."""
        return self._state is not None or self._now.script.may_block

    def handle(self, incoming: Incoming) -> Ticket:
        """Answer a request as the files say now, and what was said since."""
        self._look()
        now = self._now
        if not self._tokens:  # it is served no more, which the closed script's path tells
            return now.app.handle(self._ours(incoming))
        return now.app.handle(incoming, now.script)

    def refuse(self, status: int, message: str, incoming: Incoming | None = None) -> Ticket:
        """Answer what could not be read as a request, in the words of the profile."""
        ours = None if incoming is None else self._ours(incoming)
        return self._now.app.refuse(status, message, ours)

    def change(self, change: Callable[[Steering], Steering]) -> None:
        """Let it be told something else than before.

        Raises:
            BrokenScenario: A scenario that was added cannot be used; nothing has changed.
            MockchatError: The settings that result cannot be; nothing has changed.
        """
        with self._lock:
            self._look()
            before = self._now
            if self._state is None:
                changed = change(before.steering)
                if changed.extends(before.steering):
                    self._extend(before, changed)
                else:
                    self._now = self._made(before.signature, changed, before)
                self._seen = (
                    before.signature,
                    self._steerings.change(self._session, lambda _: changed),
                )
                return

            def tried(steering: Steering) -> Steering:
                changed = change(steering)
                self._made(before.signature, changed, before, is_trial=True)
                return changed

            self._steerings.change(self._session, tried)
            self._look()

    def _ours(self, incoming: Incoming) -> Incoming:
        return replace(incoming, path=f"/{self._now.token}{incoming.path}")

    def _look(self) -> None:
        try:
            signature, steering = _signature(self._files), self._steerings.get(self._session)
        except StateLost:
            return  # whatever is asked next meets that too, and tells it
        if (signature, steering) == self._seen:
            return
        with self._lock:
            before, now = self._now, (signature, steering)
            if now == self._seen:
                return
            self._seen = now
            if signature == before.signature and steering.extends(before.steering):
                self._extend(before, steering)
            else:
                self._renew(*now, before)

    def _extend(self, before: _Version, steering: Steering) -> None:
        for said in steering.said[len(before.steering.said) :]:
            scenario_of(said.text.encode(), said.name).add_to(before.script)
        self._now = replace(before, steering=steering)

    def _renew(self, signature: Signature, steering: Steering, before: _Version) -> None:
        try:
            self._now = self._made(signature, steering, before)
        except (MockchatError, OSError) as problem:
            logger.warning("the scenario of before goes on: %s", problem)
            return
        if signature != before.signature:
            logger.warning("the scenario was read again: %s", self.summary)

    def _made(
        self,
        signature: Signature,
        steering: Steering,
        before: _Version | None,
        *,
        is_trial: bool = False,
    ) -> _Version:
        files = self._files if steering.has_files else ()
        texts = [file.read_bytes() for file in files]
        scenarios = [read_scenario(file) for file in files]
        scenarios += [scenario_of(said.text.encode(), said.name) for said in steering.said]
        for scenario in scenarios:
            scenario.contract(self._schemas)
        settings = self._settings_of({**joint_options(scenarios), **options_of(steering.settings)})
        digest = hashlib.sha256(b"\0".join(texts)).hexdigest()
        counts_of = f"{digest}:{self._session}:{steering.epoch}"
        script = self._script(settings, counts_of, None if is_trial else before)
        for scenario in scenarios:
            scenario.add_to(script)
        for place in steering.removed:
            script.remove(place)
        return _Version(
            signature=signature,
            steering=steering,
            settings=settings,
            script=script,
            app=self._dispatcher.app(settings),
            token="" if is_trial else self._open(script, settings),
            counts_of=counts_of,
        )

    def _script(self, settings: Settings, counts_of: str, before: _Version | None) -> Script:
        state = self._state
        goes_on = before is not None and before.counts_of == counts_of
        counts = state.counts(counts_of) if state is not None else None
        sink = None if state is None else state.journal(self._session)
        journal = Journal(
            limit=settings.journal_limit,
            memory=settings.journal_bytes,
            sink=sink,
            joint=self._joint,
        )
        script = Script(
            contract_of(settings.profile),
            name=", ".join(file.name for file in self._files),
            unmatched=settings.unmatched,
            level=settings.level,
            abilities=self._abilities,
            counts=before.script.counts if before is not None and goes_on else counts,
            sink=sink,
            journal=journal if before is None else before.script.journal,
        )
        if before is not None and goes_on:
            for problem in before.script.charged:
                script.charge(problem)
        return script

    def _open(self, script: Script, settings: Settings) -> str:
        """Let a script be served, and let go of the one before the last: requests may be at it."""
        token = self._dispatcher.open(script, settings)
        self._tokens.append((token, script))
        if len(self._tokens) > _VERSIONS:
            self._dispatcher.close(*self._tokens.popleft())
        return token

    def clear(self) -> None:
        """Forget what was asked."""
        self._now.script.journal.clear()

    def close(self) -> None:
        """Serve it no more: what still comes for it is refused."""
        with self._lock:
            while self._tokens:
                self._dispatcher.close(*self._tokens.popleft())
        self.clear()


def options_of(settings: Mapping[str, Json]) -> Mapping[str, object]:
    """Return options of a script that came as JSON, as a scenario's are read.

    Raises:
        BrokenScenario: One does not exist, or has a value that is not allowed.
    """
    text = json.dumps({**settings, "stubs": []})
    return scenario_of(text.encode(), "settings.json").options


def _signature(files: Sequence[Path]) -> Signature:
    return tuple([_state(file) for file in files])


def _state(file: Path) -> tuple[int, int, int] | None:
    try:
        state = os.stat(file)  # noqa: PTH116 - asked before each request: half the time
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino
