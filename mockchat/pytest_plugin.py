"""The pytest plugin; imports pytest alone, so that merely installed it costs a suite nothing.

Everything else of mockchat is imported by the first test that asks for a fixture.
"""

import os
import sysconfig
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mockchat.server.face import Mockchat
    from mockchat.server.mock_server import MockServer
    from mockchat.server.script_options import ScriptOptions

_ENVIRONMENTS = ("test", "session")
_LATE = "mockchat_late"
_INSTALLED = {"site-packages", "dist-packages"}

_server_key = pytest.StashKey["MockServer"]()
_environment_key = pytest.StashKey[pytest.MonkeyPatch]()
_late_key = pytest.StashKey[list[str]]()
_face_key = pytest.StashKey["Mockchat"]()
_called_key = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--mockchat-seed` and the ini option `mockchat_env`."""
    parser.getgroup("mockchat").addoption(
        "--mockchat-seed",
        type=int,
        default=0,
        metavar="N",
        help="Where generated parts of mockchat's replies start (default: 0).",
    )
    parser.addini(
        "mockchat_env",
        "When OPENAI_BASE_URL leads to mockchat: in each test that uses the fixture (test), or for "
        "the whole session, set before collection, for clients built at import (session).",
        default="test",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Set the environment before a conftest builds a client, if the ini option says so."""
    scope = early_config.getini("mockchat_env")
    if scope not in _ENVIRONMENTS:
        raise pytest.UsageError(f"mockchat_env is {scope!r}; allowed: {', '.join(_ENVIRONMENTS)}")
    if scope == "session":
        environment = early_config.stash[_environment_key] = pytest.MonkeyPatch()
        server = _start(early_config)
        _point_clients(environment, server.base_url)


def pytest_configure(config: pytest.Config) -> None:
    """Describe the marker."""
    config.stash[_late_key] = []
    config.addinivalue_line(
        "markers",
        "mockchat(profile, unmatched, unused, validation, kind, seed, models, level, locale): "
        "options of the mockchat fixture, merged from module to test.",
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server and give the environment back."""
    server = config.stash.get(_server_key, None)
    if server is not None:
        server.stop()
    environment = config.stash.get(_environment_key, None)
    if environment is not None:
        environment.undo()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a test whose marker has an option that does not exist or cannot be."""
    _options(item)


@pytest.fixture(scope="session")
def mockchat_server(pytestconfig: pytest.Config) -> "MockServer":
    """Give the server of this process; `mockchat_server.script()` opens a clean, verified script.

    Right inside `@given`, where each example needs a state of its own.
    """
    return _start(pytestconfig)


@pytest.fixture
def mockchat(request: pytest.FixtureRequest, mockchat_server: "MockServer") -> "Iterator[Mockchat]":
    """Give a clean script of the server, verified when the test ends.

    `OPENAI_BASE_URL`, `OPENAI_API_BASE`, `OPENAI_API_KEY` and `NO_PROXY` lead clients here for the
    time of the test. Options stand in `@pytest.mark.mockchat(...)`.
    """
    node: pytest.Item = request.node
    with (
        _script_of(node, mockchat_server) as face,
        _environment(request.config, face.base_url),
    ):
        node.stash[_face_key] = face
        yield face
    # What the body met was told when it ended; this is for what other fixtures asked since then.
    if node.stash.get(_called_key, False):
        _verified(face)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Verify the script when the body ends, so that the test fails rather than its teardown."""
    face = item.stash.get(_face_key, None)
    try:
        result = yield
    except BaseException as error:
        if face is not None:
            face.verify(error)
            if face.is_quoted_by(error) and not item.config.getoption("fulltrace"):
                _end_at_own_line(error)
        raise
    if face is not None:
        item.stash[_called_key] = True
        _verified(face)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the journal to the report of a test that failed."""
    report = yield
    server = item.config.stash.get(_server_key, None)
    if server is not None and report.failed:
        for face in server.recent(item.nodeid)[-1:]:
            report.sections.append(("mockchat journal", face.transcript()))
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a session in which requests came after their test had ended."""
    config = session.config
    server = config.stash.get(_server_key, None)
    late = config.stash[_late_key]
    if server is not None:
        late.extend(map(str, server.late))
    workeroutput: dict[str, object] | None = getattr(config, "workeroutput", None)
    if workeroutput is not None:
        workeroutput[_LATE] = late
    elif late and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker of pytest-xdist has found."""
    found = getattr(node, "workeroutput", {}).get(_LATE, ())
    node.config.stash[_late_key].extend(found)


# Quoted: pytest 8.0 has the class under a private name.
def pytest_terminal_summary(
    terminalreporter: "pytest.TerminalReporter", config: pytest.Config
) -> None:
    """Name the tests whose requests came late."""
    late = config.stash[_late_key]
    if late:
        terminalreporter.section("mockchat: late requests", red=True)
        for line in late:
            terminalreporter.line(line)


def _start(config: pytest.Config) -> "MockServer":
    server = config.stash.get(_server_key, None)
    if server is None:
        # Imported late: werkzeug and jsonschema take longer than most tests.
        from mockchat.server.mock_server import MockServer  # noqa: PLC0415

        server = MockServer(seed=config.getoption("--mockchat-seed")).start()
        config.stash[_server_key] = server
    return server


def _options(item: pytest.Item) -> "ScriptOptions":
    marks = list(item.iter_markers("mockchat"))
    if not marks:
        return {}
    # Imported late, and by those alone who use the marker.
    from mockchat.errors import BadArgument  # noqa: PLC0415
    from mockchat.server.script_options import check_options  # noqa: PLC0415

    merged: ScriptOptions = {}
    for mark in reversed(marks):
        problem = f"takes options by name only, got {mark.args[0]!r}" if mark.args else None
        try:
            check_options(mark.kwargs)
        except BadArgument as error:
            problem = str(error)
        if problem is not None:
            pytest.fail(f"@pytest.mark.mockchat: {problem}", pytrace=False)
        merged.update(mark.kwargs)  # type: ignore[typeddict-item]  # just checked
    return merged


def _script_of(item: pytest.Item, server: "MockServer") -> "AbstractContextManager[Mockchat]":
    from mockchat.errors import MockchatError  # noqa: PLC0415 - loaded with the server

    problem = None
    try:
        return server.unverified(name=item.nodeid, **_options(item))
    except MockchatError as error:
        problem = str(error)
    pytest.fail(f"@pytest.mark.mockchat: {problem}", pytrace=False)


def _end_at_own_line(error: BaseException) -> None:
    """Drop the frames of an installed client: the text tells all, a hundred lines of theirs nothing.

    What is left ends in the last line that is neither installed nor Python's own; `--full-trace`
    keeps the rest.
    """
    python = sysconfig.get_path("stdlib")
    last, frame = None, error.__traceback__
    while frame is not None:
        name = frame.tb_frame.f_code.co_filename
        if not name.startswith(python) and _INSTALLED.isdisjoint(Path(name).parts):
            last = frame
        frame = frame.tb_next
    if last is not None:
        last.tb_next = None


def _verified(face: "Mockchat") -> None:
    """Fail with the text alone: the frames between are ours."""
    from mockchat.errors import MockchatError  # noqa: PLC0415 - loaded long ago, where a face exists

    problem = None
    try:
        face.verify()
    except MockchatError as error:
        notes = "".join(f"\n{note}" for note in getattr(error, "__notes__", ()))
        problem = f"{type(error).__name__}: {error}{notes}"
    if problem is not None:  # outside of the handler: a chain would show the text twice
        pytest.fail(problem, pytrace=False)


@contextmanager
def _environment(config: pytest.Config, base_url: str) -> Iterator[None]:
    if config.getini("mockchat_env") == "session":
        yield
        return
    with pytest.MonkeyPatch.context() as environment:
        _point_clients(environment, base_url)
        yield


def _point_clients(environment: pytest.MonkeyPatch, base_url: str) -> None:
    from mockchat.server.face import API_KEY  # noqa: PLC0415 - loaded with the server

    for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE"):
        environment.setenv(name, base_url)
    environment.setenv("OPENAI_API_KEY", API_KEY)
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [host for host in os.environ.get(name, "").split(",") if host]
        environment.setenv(name, ",".join([*hosts, "127.0.0.1", "localhost"]))
