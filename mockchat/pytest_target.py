"""`pytest --mockchat-target URL`: each check of a server as a test, with the id of the check."""

import os
from typing import TYPE_CHECKING, cast

import pytest

from mockchat.pytest_options import defaults

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mockchat.conformance.checking import AnyDepth
    from mockchat.conformance.report import Report

_OPTIONS = {
    "target": "Check the server at this base URL: one test for each check.",
    "target-model": "The model to ask the target for; the first it lists without it.",
    "target-key-env": "Environment variable that holds the target's key (default: OPENAI_API_KEY).",
    "target-depth": "How much to ask the target: quick (default), full or fuzz.",
}

_report_key = pytest.StashKey["Report"]()


def add_target_options(parser: pytest.Parser) -> None:
    """Add the options of a target to the command line."""
    group = parser.getgroup("mockchat")
    for name, help_text in _OPTIONS.items():
        metavar = "URL" if name == "target" else name.rpartition("-")[2].upper()
        group.addoption(f"--mockchat-{name}", metavar=metavar, help=help_text)


def target_items(session: pytest.Session) -> list[pytest.Item]:
    """Return a test for each check; none where no target is given."""
    url = session.config.getoption("mockchat_target")
    if url is None:
        return []
    node = TargetNode.from_parent(session, name="mockchat-target", nodeid="mockchat-target")
    return list(node.collect())


class TargetNode(pytest.Collector):
    """The parent of the checks of one target."""

    def collect(self) -> "Iterator[CheckItem]":
        """Yield an item for each check, in the order of the catalogue."""
        from mockchat.conformance.checks import CHECKS

        for check_id in CHECKS:
            yield CheckItem.from_parent(self, name=check_id)


class CheckItem(pytest.Item):
    """One check of the target; the first to run asks the target everything."""

    def runtest(self) -> None:
        """Fail with what the check found, skip where it never applied."""
        from mockchat.conformance.as_text import as_failure
        from mockchat.conformance.report import Verdict

        report = self._report()
        verdict = report.verdicts()[self.name]
        if verdict is Verdict.SKIPPED:
            pytest.skip(report.stopped or "no answer it applies to")
        if verdict is Verdict.FAILED:
            told = as_failure(report, self.name, target=self._option("target") or "")
            pytest.fail(told, pytrace=False)

    def reportinfo(self) -> tuple[str, None, str]:
        """Name the check in reports."""
        return "mockchat-target", None, f"mockchat-target::{self.name}"

    def _report(self) -> "Report":
        from mockchat.conformance.checking import check

        stash = self.session.stash
        if _report_key not in stash:
            said = defaults(self.config)
            stash[_report_key] = check(
                self._option("target") or "",
                model=self._option("target-model"),
                api_key=os.environ.get(self._option("target-key-env") or "OPENAI_API_KEY", "none"),
                profile=said.get("profile", "openai"),
                level=said.get("level", "observed"),
                depth=self._depth(),
            )
        return stash[_report_key]

    def _depth(self) -> "AnyDepth":
        depth = self._option("target-depth") or "quick"
        if depth not in ("quick", "full", "fuzz"):
            allowed = "quick, full, fuzz"
            raise pytest.UsageError(f"--mockchat-target-depth is {depth!r}; allowed: {allowed}")
        return cast("AnyDepth", depth)

    def _option(self, name: str) -> str | None:
        value: str | None = self.config.getoption(f"mockchat_{name.replace('-', '_')}")
        return value
