"""Run a check: send the probes in their order, judge what comes back, keep to the budgets.

What a target lacks is told once: when the first probe of a capability is refused, the capability is
`unsupported` and its other probes are not sent. Nothing is sent twice, so no retry hides anything.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice

from mockchat.conformance.answers import Answered, Failure
from mockchat.conformance.checks import CHECKS, judge
from mockchat.conformance.observed import Observed
from mockchat.conformance.probes import Probe
from mockchat.conformance.report import Outcome, Report, Sending
from mockchat.conformance.target import Client
from mockchat.contract.contract import Contract
from mockchat.types import Level

_CORE = "chat"
_PATIENCE = 3
"""After how many probes in a row without an answer a target is given up."""

_NO_ANSWER = frozenset({Failure.UNREACHABLE, Failure.TIMEOUT, Failure.TLS, Failure.NOT_HTTP})
_NOT_CAPABILITIES = frozenset({"refusals", "errors", "authorization", "unknown models"})
"""What is not a feature: refusing is what these probes are about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run may do.

    Attributes:
        probes: What is sent, in order.
        contract: What answers are judged by.
        level: How strictly.
        checks: The ids of the checks that count.
        concurrency: How many requests are under way at once.
        requests: The most requests that are sent, None for no limit.
        tokens: The most tokens that are asked for, by our own estimate; None for no limit.
    """

    probes: Sequence[Probe]
    contract: Contract
    level: Level = "observed"
    checks: frozenset[str] = field(default_factory=lambda: frozenset(CHECKS))
    concurrency: int = 1
    requests: int | None = None
    tokens: int | None = None


class Run:
    """One run over a target; `report` may be asked for at any time, also after an interruption.

    Args:
        client: The target.
        plan: What may be done.
        on_progress: Called after each probe with how many are done.
    """

    def __init__(
        self, client: Client, plan: Plan, *, on_progress: Callable[[int], None] | None = None
    ) -> None:
        self._client = client
        self._plan = plan
        self._on_progress = on_progress or (lambda _: None)
        self._report = Report(
            profile=plan.contract.profile.name, level=plan.level, checks=plan.checks
        )
        self._silent = 0
        self._tokens = 0
        self._sent = 0
        self._answered: set[str] = set()
        self._lacking: set[str] = set()

    @property
    def report(self) -> Report:
        """What is known so far."""
        return self._report

    def go(self) -> Report:
        """Send every probe; return the report.

        An interruption (Ctrl+C) leaves the report as it is at that moment and is raised on.
        """
        started = time.monotonic()
        try:
            if self._plan.concurrency == 1:
                for probe in self._allowed():
                    self._take(probe, self._client.send(probe.sent))
            else:
                self._go_at_once()
        finally:
            self._report.seconds = time.monotonic() - started
        return self._report

    def _go_at_once(self) -> None:
        """Send several probes at a time."""
        pending: dict[Future[Answered], Probe] = {}
        queue, at_once = self._allowed(), self._plan.concurrency
        pool = ThreadPoolExecutor(max_workers=at_once)
        try:
            while True:
                for probe in islice(queue, at_once - len(pending)):
                    pending[pool.submit(self._client.send, probe.sent)] = probe
                if not pending:
                    return
                done, _ = wait(pending, return_when=FIRST_COMPLETED)
                for each in done:
                    self._take(pending.pop(each), each.result())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _allowed(self) -> Iterator[Probe]:
        """Yield what may still be sent, deciding at the last moment."""
        for probe in self._plan.probes:
            reason = self._reason_against(probe)
            if reason is None:
                self._tokens += probe.tokens
                self._sent += 1
                yield probe
            else:
                self._report.skip(probe, reason)

    def _reason_against(self, probe: Probe) -> str | None:
        plan, sent = self._plan, self._sent
        if self._report.stopped is not None:
            return "the run ended before it"
        if probe.capability in self._lacking:
            return f"the target does not offer {probe.capability}"
        if plan.requests is not None and sent >= plan.requests:
            return f"the budget of {plan.requests} requests is spent"
        if plan.tokens is not None and self._tokens + probe.tokens > plan.tokens:
            return f"the budget of {plan.tokens} tokens does not allow it"
        return None

    def _take(self, probe: Probe, answered: Answered) -> None:
        seen = Observed(
            probe=probe, answered=answered, contract=self._plan.contract, level=self._plan.level
        )
        outcome = self._outcome_of(probe, answered)
        applied, findings = judge(seen)
        wanted = self._plan.checks
        self._report.add(
            Sending(
                probe=probe,
                answered=answered,
                outcome=outcome,
                applied=applied & wanted,
                findings=tuple(each for each in findings if each.check in wanted),
            )
        )
        self._note_silence(answered)
        self._on_progress(len(self._report.sendings) + len(self._report.skipped))

    def _outcome_of(self, probe: Probe, answered: Answered) -> Outcome:
        """Tell whether a probe was answered, or asks for what the target does not offer."""
        capability = probe.capability
        if answered.failure is not None:
            return Outcome.ERROR
        lacks = probe.wanted != "refusal" and (answered.is_refusal or answered.status == 501)  # noqa: PLR2004
        if capability in _NOT_CAPABILITIES or not lacks:
            self._answered.add(capability)
            return Outcome.ANSWERED
        if capability == _CORE:
            self._report.stopped = _told_core(answered)
            return Outcome.ANSWERED
        if capability in self._answered:
            return Outcome.UNSUPPORTED  # this form of it alone
        self._lacking.add(capability)
        self._report.unsupported[capability] = probe.id
        return Outcome.UNSUPPORTED

    def _note_silence(self, answered: Answered) -> None:
        """Give a target up that does not answer."""
        self._silent = self._silent + 1 if answered.failure in _NO_ANSWER else 0
        is_first = len(self._report.sendings) == 1
        if self._silent and answered.failure and (is_first or self._silent >= _PATIENCE):
            kind = answered.failure.value
            self._report.stopped = f"the target does not answer ({kind}): {answered.detail}"


def _told_core(answered: Answered) -> str:
    body = answered.json
    error = body.get("error") if isinstance(body, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    told = f": {message}" if isinstance(message, str) else ""
    return f"the simplest request is refused with status {answered.status}{told}"
