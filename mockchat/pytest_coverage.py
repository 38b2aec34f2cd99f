"""What `pytest --mockchat-coverage` does; loaded and registered only where that option is given."""

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mockchat.contract.contract import contract_for
from mockchat.coverage.as_text import WIDEST, as_text
from mockchat.coverage.catalogue import catalogue_of
from mockchat.coverage.data_file import (
    FILE,
    BrokenCoverage,
    as_data,
    combined,
    of_data,
    read,
    write,
)
from mockchat.coverage.tally import Tally, counted
from mockchat.errors import MockchatError, UnknownProfile
from mockchat.exchange import Outcome
from mockchat.pytest_options import COVERAGE, COVERAGE_APPEND, COVERAGE_UNDER, defaults
from mockchat.pytest_scripts import tap_key

if TYPE_CHECKING:
    from mockchat.scripting.script import Script
    from mockchat.scripting.tapping import Tapped

_SENT = "mockchat_coverage"


def cover(config: pytest.Config) -> None:
    """Register what marks and tells, and have the fixture's server tell it of every exchange.

    Raises:
        UsageError: There is no such profile, or the file to go on with cannot be used.
    """
    plugin = CoveragePlugin(config)
    config.stash[tap_key] = plugin.tap
    config.pluginmanager.register(plugin, "mockchat-coverage")


class CoveragePlugin:
    """Marks what the tests of this process meet, and tells it when they are over.

    Args:
        config: Of the run, whose option names the profile; "" for that of the fixture.

    Raises:
        UsageError: There is no such profile, or the file to go on with cannot be used.
    """

    def __init__(self, config: pytest.Config) -> None:
        options = defaults(config)
        profile = config.getoption(COVERAGE) or options.get("profile", "openai")
        folder = options.get("schemas")
        self._config = config
        self._path = config.rootpath / FILE
        self._workeroutput: dict[str, object] | None = getattr(config, "workeroutput", None)
        try:
            contract = contract_for(profile, None if folder is None else Path(folder))
            self._tally = self._begun(contract.profile.name)
        except UnknownProfile as error:
            hint = "write --mockchat-coverage=PROFILE, or name paths before it"
            raise pytest.UsageError(f"--mockchat-coverage: {error} ({hint})") from None
        except MockchatError as error:
            raise pytest.UsageError(f"--mockchat-coverage: {error}") from None
        self._catalogue = catalogue_of(contract)
        self._met: list[tuple[Script, Tapped]] = []
        self._passed: dict[str, bool] = {}
        self._problem: str | None = None

    def _begun(self, profile: str) -> Tally:
        """Return what the run goes on with: nothing, or what the file has."""
        begun = Tally(profile=profile)
        is_worker = self._workeroutput is not None
        if self._config.getoption(COVERAGE_APPEND) and not is_worker and self._path.exists():
            return combined([begun, read(self._path)])
        return begun

    def tap(self, script: "Script", entry: "Tapped") -> None:
        """Take note of an exchange that begins; it is looked at when its test is over."""
        self._met.append((script, entry))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Mark what a test has met, when it is known whether it passed."""
        self._mark(went_well=False)
        result = yield
        self._mark(went_well=self._passed.pop(item.nodeid, False))
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Take note of whether a test passed: its set-up, its body and its end."""
        report = yield
        before = report.when == "setup" or self._passed.get(item.nodeid, False)
        self._passed[item.nodeid] = before and report.passed
        return report

    def _mark(self, *, went_well: bool) -> None:
        met, self._met = self._met, []
        for script, entry in met:
            if script.contract.profile.name != self._tally.profile:
                self._tally.others += 1
                continue
            if entry.outcome is Outcome.PENDING:
                script.journal.settled(again=False)
            self._tally.add(self._catalogue.marks(entry.exchange), went_well=went_well)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take in what a worker of pytest-xdist has met."""
        found = getattr(node, "workeroutput", {}).get(_SENT)
        if found is not None:
            self._tally.merge(of_data(found, "what a worker sent"))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand over what was met, or keep it in the file and judge how much it is."""
        self._mark(went_well=False)
        if self._workeroutput is not None:
            self._workeroutput[_SENT] = as_data(self._tally)
            return
        if self._config.getoption("collectonly"):
            return
        try:
            write(self._path, self._tally)
        except BrokenCoverage as error:
            self._problem = str(error)
        self._problem = self._problem or self._too_little()
        if self._problem is not None and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _too_little(self) -> str | None:
        least = self._config.getoption(COVERAGE_UNDER)
        percent = counted(self._catalogue.items, self._tally).percent
        if least is None or percent >= least:
            return None
        return (
            f"{percent:.2f} % of what clients can be given went well, {least:g} % is wanted:"
            " mockchat coverage suggest writes tests of what is missing"
        )

    @property
    def _width(self) -> int:
        return max(WIDEST, self._config.get_terminal_writer().fullwidth)

    def pytest_terminal_summary(self, terminalreporter: "pytest.TerminalReporter") -> None:
        """Print the table."""
        if self._config.getoption("collectonly"):
            return
        found = counted(self._catalogue.items, self._tally)
        terminalreporter.section("mockchat coverage")
        for line in as_text(found, self._tally, width=self._width):
            terminalreporter.line(line)
        if self._problem is not None:
            terminalreporter.line(f"mockchat coverage: {self._problem}", red=True)
