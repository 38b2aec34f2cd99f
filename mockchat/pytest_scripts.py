"""The scripts that the fixtures of a suite have open: whose they are, when each is verified."""

import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from mockchat.pytest_options import defaults, marked

if TYPE_CHECKING:
    from mockchat.server.face import Mockchat
    from mockchat.server.mock_server import MockServer, ScriptTap
    from mockchat.server.script_options import ScriptOptions

tap_key: "pytest.StashKey[ScriptTap]" = pytest.StashKey()
"""Who takes note of every exchange of the run's server, if anybody does."""

_server_key = pytest.StashKey["MockServer"]()
_held_key = pytest.StashKey["list[Held]"]()


@dataclass(slots=True, kw_only=True, eq=False)
class Held:
    """A script that a fixture holds open.

    Attributes:
        face: The script's face.
        fixture: The fixture's name.
        scope: How long it is open, as pytest says it: "function", "module" and so on.
        since: The first exchange that is of the running test.
        has_run: Whether the body of a test that uses it has passed.
        has_failed: Whether one has failed: what that left over is no news.
    """

    face: "Mockchat"
    fixture: str
    scope: str
    since: int = 0
    has_run: bool = False
    has_failed: bool = False

    @property
    def is_wide(self) -> bool:
        """Whether several tests share it."""
        return self.scope != "function"


def running_server(config: pytest.Config) -> "MockServer | None":
    """Return the server of this process if a test has asked for it."""
    return config.stash.get(_server_key, None)


def started_server(config: pytest.Config) -> "MockServer":
    """Return the server of this process; the first call starts it, the session's end stops it."""
    server = running_server(config)
    if server is None:
        # Imported late: werkzeug and jsonschema take longer than most tests.
        from mockchat.server.mock_server import MockServer  # noqa: PLC0415

        server = config.stash[_server_key] = MockServer(**defaults(config)).start()
        server.tap = config.stash.get(tap_key, None)
        config.add_cleanup(server.stop)
    return server


def held(
    request: pytest.FixtureRequest, options: "ScriptOptions"
) -> "AbstractContextManager[Mockchat]":
    """Open a script for a fixture and verify it at the end, unless a test has failed with it.

    Args:
        request: Of the fixture; its scope decides how long the script is open.
        options: The fixture's own options, over those of markers, command line and ini file.

    Raises:
        MockchatError: There is no such profile or locale; the markers were looked at before.
    """
    __tracebackhide__ = True
    node = request.node
    server = started_server(node.config)
    # The session's node has no id of its own.
    name = node.nodeid or str(request.fixturename)
    merged: ScriptOptions = {**marked(node), **options}
    if "scenario" in merged:
        # The path of a marker is meant from the test's file, wherever pytest was started.
        folder = node.path if node.path.is_dir() else node.path.parent
        merged["scenario"] = folder / merged["scenario"]
    return _held(request, server.unverified(name=name, **merged))


def held_or_failed(
    request: pytest.FixtureRequest, options: "ScriptOptions"
) -> "AbstractContextManager[Mockchat]":
    """Do as `held`, and fail with the text alone where no line of the test asked for the script."""
    from mockchat.errors import MockchatError  # noqa: PLC0415 - loaded with the server

    try:
        return held(request, options)
    except MockchatError as error:
        problem = str(error)
    is_marked = request.node.get_closest_marker("mockchat") is not None
    source = "@pytest.mark.mockchat" if is_marked else "mockchat"
    where = f"script_fixture {request.fixturename!r}" if options else source
    pytest.fail(f"{where}: {problem}", pytrace=False)


@contextmanager
def _held(
    request: pytest.FixtureRequest, script: "AbstractContextManager[Mockchat]"
) -> "Iterator[Mockchat]":
    entries = request.node.stash.setdefault(_held_key, [])
    with script as face:
        entry = Held(face=face, fixture=str(request.fixturename), scope=request.scope)
        entries.append(entry)
        try:
            yield face
        finally:
            entries.remove(entry)
    # What a body met was told when it ended; this is for what came since, and for replies left.
    if entry.has_run and not entry.has_failed:
        verify([entry], is_over=True)


def held_by(item: pytest.Item) -> list[Held]:
    """Return the open scripts that a test uses, the widest first."""
    names = set(getattr(item, "fixturenames", ()))
    return [
        entry
        for node in item.listchain()
        for entry in node.stash.get(_held_key, ())
        if not entry.is_wide or entry.fixture in names
    ]


def verify(entries: Iterable[Held], *, is_over: bool = False) -> None:
    """Fail with the text of all problems alone: the frames between are ours.

    Args:
        entries: The scripts to verify.
        is_over: Whether also those that other tests share get no more requests.
    """
    found = (_problem(entry.face, is_over=is_over or not entry.is_wide) for entry in entries)
    problems = [problem for problem in found if problem is not None]
    if problems:
        pytest.fail("\n\n".join(problems), pytrace=False)


def _problem(face: "Mockchat", *, is_over: bool) -> str | None:
    from mockchat.errors import MockchatError  # noqa: PLC0415 - loaded long ago, where a face exists

    try:
        face.verify(is_over=is_over)
    except MockchatError as error:
        notes = "".join(f"\n{note}" for note in getattr(error, "__notes__", ()))
        return f"{type(error).__name__}: {error}{notes}"
    return None


@contextmanager
def environment(config: pytest.Config, base_url: str) -> Iterator[None]:
    """Lead clients to `base_url` for a block, unless they are led to the server all the time."""
    if config.getini("mockchat_env") == "session":
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        point_clients(patch, base_url)
        yield


def point_clients(patch: pytest.MonkeyPatch, base_url: str) -> None:
    """Set what official clients read, and keep proxies out of the way of loopback."""
    from mockchat.server.face import API_KEY  # noqa: PLC0415 - loaded with the server

    for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE"):
        patch.setenv(name, base_url)
    patch.setenv("OPENAI_API_KEY", API_KEY)
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [host for host in os.environ.get(name, "").split(",") if host]
        patch.setenv(name, ",".join([*hosts, "127.0.0.1", "localhost"]))
