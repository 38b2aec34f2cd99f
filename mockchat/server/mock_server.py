"""The server behind the fixture: one for each process, a clean and verified script for each test."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias, Unpack, cast

from mockchat.contract.contract import contract_of
from mockchat.contract.profile import load_profile
from mockchat.errors import MockchatError
from mockchat.scripting.callers import caller_line
from mockchat.scripting.failures import LateRequest
from mockchat.scripting.scenario import scenario_beside
from mockchat.scripting.script import Script
from mockchat.scripting.scripts import Scripts
from mockchat.scripting.tapping import Tapped
from mockchat.server import connection
from mockchat.server.dispatcher import Dispatcher
from mockchat.server.face import Mockchat, verified
from mockchat.server.script_options import ScriptOptions, check_options
from mockchat.server.settings import Settings
from mockchat.server.transports import transport
from mockchat.server.werkzeug_server import LiveServer

_REMEMBERED = 8

ScriptTap: TypeAlias = Callable[[Script, Tapped], None]
"""Takes note of an exchange that begins, with the script it is of."""


class MockServer:
    """One live server for all tests of a process.

    Use it as a context manager, or call `start` and `stop`. Requests of different scripts are told
    apart by a token in the path, so threads and event loops may use several at once.

    Args:
        host: Name or address to listen on.
        port: Port to listen on; 0 takes any free one.
        **options: What scripts are that say nothing else; see `ScriptOptions`.

    Attributes:
        tap: Called with every exchange of every script when it begins; None for nobody.

    Raises:
        BadArgument: An option does not exist, or has a value that is not allowed.
    """

    def __init__(
        self, *, host: str = "127.0.0.1", port: int = 0, **options: Unpack[ScriptOptions]
    ) -> None:
        check_options(options)
        self._scripts = Scripts()
        self._dispatcher = Dispatcher(self._scripts)
        self._live = LiveServer(self._dispatcher, host=host, port=port)
        self._options = options
        self._recent: deque[Mockchat] = deque(maxlen=_REMEMBERED)
        self.tap: ScriptTap | None = None

    def start(self) -> Self:
        """Listen; requests are taken as soon as this returns.

        Raises:
            CannotListen: The address is taken or not available.
        """
        self._live.start()
        return self

    def stop(self) -> None:
        """Stop listening and free every thread and socket."""
        self._live.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def base_url(self) -> str:
        """The base URL without a token: it leads to the script opened last."""
        return self._live.base_url

    @property
    def late(self) -> tuple[LateRequest, ...]:
        """The requests that came after their test had ended: the first thousand, oldest first."""
        return self._scripts.late

    @property
    def late_count(self) -> int:
        """How many requests came after their test had ended."""
        return self._scripts.late_count

    def recent(self, name: str) -> tuple[Mockchat, ...]:
        """Return the scripts called `name` among those opened last, oldest first."""
        return tuple(face for face in self._recent if face.name == name)

    def script(
        self, *, name: str | None = None, **options: Unpack[ScriptOptions]
    ) -> AbstractContextManager[Mockchat]:
        """Open a clean script for a block; verify it at the end, without hiding what it raised.

        Args:
            name: Whose script it is; the running test's id, or the caller's line.
            **options: See `ScriptOptions`.

        Raises:
            BadArgument: An option does not exist, or has a value that is not allowed.
            UnknownProfile: There is no such profile.
            BrokenScenario: The scenario file cannot be used.
            NoStubMatched: At the end: a request matched no stub.
            UnusedReply: At the end: a reply was not asked for.
            InvalidReply: At the end: a reply was no answer to its request.
            ServerFailed: At the end: the server's thread met an error.
        """
        __tracebackhide__ = True
        return verified(self.unverified(name=name, **options))

    def unverified(
        self, *, name: str | None = None, **options: Unpack[ScriptOptions]
    ) -> AbstractContextManager[Mockchat]:
        """Open a clean script for a caller that verifies it at a time of its own choice.

        Arguments and errors are those of `script`, except for what verifying raises.
        """
        __tracebackhide__ = True
        check_options(options)
        options = {**self._options, **options}
        try:
            scenario = scenario_beside(options["scenario"]) if "scenario" in options else None
            if scenario is not None:
                scenario.contract(_folder(options))
                options = {**cast("ScriptOptions", scenario.options), **options}
            settings = _settings(options)
            script = Script(
                contract_of(settings.profile),
                name=name or running_test() or caller_line() or "script",
                unmatched=options.get("unmatched", "fail"),
                unused=options.get("unused", "fail"),
                level=options.get("level", "observed"),
                abilities=connection.ABILITIES & transport.ABILITIES,
            )
            if scenario is not None:
                scenario.add_to(script)
        except MockchatError as error:
            raise error.with_traceback(None) from None  # the frames between are ours
        return self._opened(script, settings)

    @contextmanager
    def _opened(self, script: Script, settings: Settings) -> Iterator[Mockchat]:
        if self.tap is not None:
            script.journal.tap = partial(self.tap, script)
        token = self._dispatcher.open(script, settings)
        face = Mockchat(
            script,
            url=f"{self._live.url}/{token}",
            settings=settings,
            application=self._dispatcher,
        )
        self._recent.append(face)
        try:
            yield face
        finally:
            self._dispatcher.close(token, script)


def _folder(options: ScriptOptions) -> Path | None:
    schemas = options.get("schemas")
    return None if schemas is None else Path(schemas)


def _settings(options: ScriptOptions) -> Settings:
    return Settings(
        profile=load_profile(options.get("profile", "openai"), _folder(options)),
        seed=options.get("seed", 0),
        kind=options.get("kind", "plain"),
        validation=options.get("validation", "strict"),
        level=options.get("level", "observed"),
        models=options.get("models", "any"),
        unmatched=options.get("unmatched", "fail"),
        locale=options.get("locale", "en_US"),
        limits=options.get("limits"),
    )


def running_test() -> str | None:
    """Return the id of the test that pytest runs in this process, None outside of one."""
    current = os.environ.get("PYTEST_CURRENT_TEST")
    return None if current is None else current.rpartition(" (")[0]
