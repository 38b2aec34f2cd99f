"""The report of a run as data: what was sent, what applied, what was found, what was left out."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum

from mockchat.conformance.answers import Answered
from mockchat.conformance.checks import CHECKS
from mockchat.conformance.observed import Check, Finding
from mockchat.conformance.probe import Probe
from mockchat.conformance.shrunk import Shrunk
from mockchat.types import Level

_KEPT = 64 * 1024 * 1024
"""How many bytes of bodies a report keeps whole."""

_KEPT_OF_EACH = 4096


class Outcome(Enum):
    """What became of a probe."""

    ANSWERED = "answered"
    """The target answered; checks say how well."""
    UNSUPPORTED = "unsupported"
    """The target does not offer what was asked for, and said so."""
    LIMITED = "rate limited"
    """The target was asked too often, and said nothing else."""
    ERROR = "error"
    """There was no whole answer."""


class Verdict(Enum):
    """What a check came to over a whole run."""

    PASSED = "passed"
    FAILED = "failed"
    ADVICE = "advice"
    """It found something that fails nothing."""
    SKIPPED = "skipped"
    """It never applied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One probe that was sent.

    Attributes:
        probe: The probe.
        answered: What came back.
        outcome: What became of it.
        applied: The ids of the checks that looked at it.
        findings: What they found.
        attempt: Which time the probe was sent, from 1. What an attempt showed stays, whatever the
            next one shows.
        shrunk: How a drawn request came to be this one; None for all that were sent as they are.
    """

    probe: Probe
    answered: Answered
    outcome: Outcome
    applied: frozenset[str]
    findings: tuple[Finding, ...]
    attempt: int = 1
    shrunk: Shrunk | None = None


@dataclass(slots=True, kw_only=True)
class Report:
    """What a run came to; grows while it runs.

    Attributes:
        profile: The profile judged by.
        level: How strictly.
        checks: The ids of the checks that count.
        sendings: What was sent, in the order of the answers.
        skipped: What was not sent, with the reason.
        unsupported: The capabilities the target lacks, each with the probe that showed it.
        unjudged: The checks that could not judge what they are made for, each with the reason.
        shrunk: For each check that only drawn requests failed, the simplest exchange that shows it.
        stopped: Why the run ended early, None where it did not.
        seconds: How long it took.
    """

    profile: str
    level: Level
    checks: frozenset[str]
    sendings: list[Sending] = field(default_factory=list)
    skipped: list[tuple[Probe, str]] = field(default_factory=list)
    unsupported: dict[str, str] = field(default_factory=dict)
    unjudged: dict[str, str] = field(default_factory=dict)
    shrunk: list[Sending] = field(default_factory=list)
    stopped: str | None = None
    seconds: float = 0.0
    _kept: int = field(default=0, init=False, repr=False)

    def add(self, sending: Sending) -> None:
        """Take in one probe with what was found; of bodies that are too much to keep, the start."""
        body = sending.answered.body
        if self._kept + len(body) > _KEPT:
            body = body[:_KEPT_OF_EACH]
            sending = replace(sending, answered=replace(sending.answered, body=body))
        self._kept += len(body)
        self.sendings.append(sending)

    def skip(self, probe: Probe, reason: str) -> None:
        """Take in a probe that is not sent."""
        self.skipped.append((probe, reason))

    @property
    def requests(self) -> int:
        """How many requests were sent, those that shrank findings among them."""
        spent = (sending.shrunk.requests for sending in self.shrunk if sending.shrunk is not None)
        return len(self.sendings) + sum(spent)

    @property
    def findings(self) -> Iterator[Finding]:
        """Everything found, notes among it, in the order of the answers."""
        return (finding for sending in self.sendings for finding in sending.findings)

    @property
    def limited(self) -> tuple[str, ...]:
        """The probes that the target's rate limit kept from being judged."""
        last = {sending.probe.id: sending.outcome for sending in self.sendings}
        return tuple(name for name, outcome in last.items() if outcome is Outcome.LIMITED)

    @property
    def repeated(self) -> dict[str, int]:
        """The probes that were sent more than once, with how often."""
        return {each.probe.id: each.attempt for each in self.sendings if each.attempt > 1}

    @property
    def failures(self) -> tuple[Finding, ...]:
        """What fails the run."""
        return tuple(filter(fails, self.findings))

    @property
    def conforms(self) -> bool:
        """Whether the target passed: everything was asked, and nothing failed."""
        return self.stopped is None and not self.failures

    def verdicts(self) -> dict[str, Verdict]:
        """Return what each check came to, in the order of the catalogue."""
        applied = frozenset().union(*(sending.applied for sending in self.sendings))
        failed = {finding.check for finding in self.failures}
        noted = {finding.check for finding in self.findings}
        told = {}
        for check_id in CHECKS:
            if check_id not in self.checks:
                continue
            if check_id in failed:
                told[check_id] = Verdict.FAILED
            elif check_id in noted:
                told[check_id] = Verdict.ADVICE
            else:
                told[check_id] = Verdict.PASSED if check_id in applied else Verdict.SKIPPED
        return told


def fails(finding: Finding) -> bool:
    """Tell whether a finding fails a run: it is neither a note, nor advice, nor of a new check."""
    check = check_of(finding)
    counts = check.severity == "error" and not check.is_advisory
    return counts and not finding.violation.is_note


def check_of(finding: Finding) -> Check:
    """Return the check that made a finding."""
    return CHECKS[finding.check]
