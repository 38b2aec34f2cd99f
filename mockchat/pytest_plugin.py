"""The pytest plugin; imports pytest alone, so that merely installed it costs a suite nothing.

Everything else of mockchat is imported by the first test that asks for a fixture.
"""

import sysconfig
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from itertools import islice, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from mockchat.pytest_options import (
    COVERAGE,
    add_options,
    defaults,
    draw_seed,
    marked,
    repeating,
    seed,
    tell_worker,
)
from mockchat.pytest_scripts import (
    environment,
    held,
    held_by,
    held_or_failed,
    point_clients,
    running_server,
    started_server,
    verify,
)
from mockchat.pytest_target import add_target_options, target_items

if TYPE_CHECKING:
    from typing import Unpack

    from mockchat.server.face import Mockchat
    from mockchat.server.mock_server import MockServer
    from mockchat.server.script_options import ScriptOptions

_ENVIRONMENTS = ("test", "session")
_LATE = "mockchat_late"
_INSTALLED = {"site-packages", "dist-packages"}

_late_key = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of scripts, and the ini option `mockchat_env`."""
    add_options(parser)
    add_target_options(parser)
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
        patch = pytest.MonkeyPatch()
        early_config.add_cleanup(patch.undo)
        point_clients(patch, started_server(early_config).base_url)


def pytest_configure(config: pytest.Config) -> None:
    """Describe the marker, and refuse options that cannot be before anything runs."""
    config.stash[_late_key] = []
    config.addinivalue_line(
        "markers",
        "mockchat(profile=..., unmatched=..., unused=..., ...): options of the mockchat fixture, "
        "merged from module to test.",
    )
    draw_seed(config)
    defaults(config)
    if config.getoption(COVERAGE) is not None:
        # Only here: it reads a whole profile, of which other runs want to know nothing.
        from mockchat.pytest_coverage import cover  # noqa: PLC0415

        cover(config)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Add a test for each check of the target that the command line names."""
    items += target_items(session)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Tell the seed of a run where it is not the usual one."""
    number = seed(config)
    return f"mockchat: seed {number}" if number else None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a test whose marker has an option that does not exist or cannot be."""
    marked(item)
    for entry in held_by(item):
        entry.since = entry.face.journal.dropped + len(entry.face.journal)


@pytest.fixture(scope="session")
def mockchat_server(pytestconfig: pytest.Config) -> "MockServer":
    """Give the server of this process; `mockchat_server.script()` opens a clean, verified script.

    Right inside `@given`, where each example needs a state of its own.
    """
    return started_server(pytestconfig)


@pytest.fixture
def mockchat(request: pytest.FixtureRequest) -> "Iterator[Mockchat]":
    """Give a clean script of the server, verified when the test ends.

    `OPENAI_BASE_URL`, `OPENAI_API_BASE`, `OPENAI_API_KEY` and `NO_PROXY` lead clients here for the
    time of the test. Options stand in `@pytest.mark.mockchat(...)`.
    """
    with held_or_failed(request, {}) as face, environment(request.config, face.base_url):
        yield face


@pytest.fixture
def mockchat_factory(request: pytest.FixtureRequest) -> "Iterator[Callable[..., Mockchat]]":
    """Give a function that opens one more script for the test, with the options of `script`.

    Each has an address of its own (`base_url`) on the one server, so that one test can speak to
    several services, of one profile or of several. All are verified when the test ends. The
    environment is left as it is: no one of them is what a client means.
    """
    with ExitStack() as opened:

        def open_script(**options: "Unpack[ScriptOptions]") -> "Mockchat":
            __tracebackhide__ = True
            return opened.enter_context(held(request, options))

        yield open_script


def script_fixture(
    *,
    scope: Literal["function", "class", "module", "package", "session"] = "function",
    name: str | None = None,
    autouse: bool = False,
    **options: "Unpack[ScriptOptions]",
) -> Any:
    """Make a fixture that gives a script which is open for a whole class, module or session.

    Assign it to a name in a test module or a conftest, as with `pytest.fixture`. Tests that share
    the script share its stubs and its journal. A request that matches nothing fails the test in
    which it comes; replies left over are told when the script's time is over.

    Args:
        scope: How long the script is open, as for `pytest.fixture`.
        name: The fixture's name, if it is not the one it is assigned to.
        autouse: Whether tests use it without asking.
        **options: See `ScriptOptions`; they go before those of markers.

    Raises:
        BadArgument: An option does not exist, or has a value that is not allowed.
    """
    __tracebackhide__ = True
    # Imported late: this module is loaded by every suite, used or not.
    from mockchat.server.script_options import check_options  # noqa: PLC0415

    check_options(options)

    @pytest.fixture(scope=scope, name=name, autouse=autouse)
    def script(request: pytest.FixtureRequest) -> "Iterator[Mockchat]":
        with held_or_failed(request, options) as face, environment(request.config, face.base_url):
            yield face

    return script


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Verify the scripts when the body ends, so that the test fails rather than its teardown."""
    try:
        result = yield
    except BaseException as error:
        entries = held_by(item)
        for entry in entries:
            entry.has_failed = True
            entry.face.verify(error, is_over=not entry.is_wide)
        if any(entry.face.is_quoted_by(error) for entry in entries):
            _end_at_own_line(error, item.config)
        raise
    entries = held_by(item)
    for entry in entries:
        entry.has_run = True
    verify(entries)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the journal to the report of a test that failed, and how to run it again."""
    report = yield
    server = running_server(item.config)
    if server is None or not report.failed:
        return report
    entries = held_by(item)
    faces = [entry.face for entry in entries]
    # A block of the test's own, opened after its fixtures: of many, under @given, the last.
    opened = takewhile(lambda face: face not in faces, reversed(server.recent(item.nodeid)))
    shown = [(entry.face, entry.since) for entry in entries]
    shown += [(face, 0) for face in islice(opened, 1)]
    texts = [face.transcript(since=since) for face, since in shown]
    if any(face.journal for face, _ in shown):
        texts.append(f"The same replies again: {repeating(item)}")
    if texts:
        report.sections.append(("mockchat journal", "\n\n".join(texts)))
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a session in which requests came after their test had ended."""
    config = session.config
    server = running_server(config)
    late = config.stash[_late_key]
    if server is not None:
        late.extend(map(str, server.late))
        if server.late_count > len(server.late):
            late.append(f"… and {server.late_count - len(server.late)} more.")
    workeroutput: dict[str, object] | None = getattr(config, "workeroutput", None)
    if workeroutput is not None:
        workeroutput[_LATE] = late
    elif late and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist what this process has chosen."""
    tell_worker(node)


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


def _end_at_own_line(error: BaseException, config: pytest.Config) -> None:
    """Drop the frames of an installed client: the text tells all, a hundred lines of theirs nothing.

    What is left ends in the last line that is neither installed nor Python's own; `--full-trace`
    keeps the rest.
    """
    if config.getoption("fulltrace"):
        return
    python = sysconfig.get_path("stdlib")
    last, frame = None, error.__traceback__
    while frame is not None:
        name = frame.tb_frame.f_code.co_filename
        if not name.startswith(python) and _INSTALLED.isdisjoint(Path(name).parts):
            last = frame
        frame = frame.tb_next
    if last is not None:
        last.tb_next = None
