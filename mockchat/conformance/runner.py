"""Run a check: send the probes in their order, judge what comes back, keep to the budgets.

What a target lacks is told once: when the first probe of a capability is refused, the capability is
`unsupported` and its other probes are not sent. Every attempt is judged and stays in the report, so
that no retry hides anything.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field

from mockchat.conformance.answers import Answered, Failure
from mockchat.conformance.checks import CHECKS, judge, unjudged
from mockchat.conformance.connecting import started
from mockchat.conformance.observed import Observed
from mockchat.conformance.probe import Probe
from mockchat.conformance.report import Outcome, Report, Sending
from mockchat.conformance.target import Client
from mockchat.contract.contract import Contract
from mockchat.exchange import header
from mockchat.types import Level

_CORE = "chat"
_PATIENCE = 3
"""After how many probes in a row without an answer a target is given up."""

_NO_ANSWER = frozenset(
    {Failure.UNREACHABLE, Failure.TIMEOUT, Failure.TLS, Failure.NOT_HTTP, Failure.TOO_LARGE}
)
_LIMITED = 429
_NOT_IMPLEMENTED = 501
_LOST = frozenset({Failure.UNREACHABLE, Failure.CUT})
_PAUSE = 0.5
"""Seconds before a retry that the target says nothing about."""

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
        retries: How often a probe is sent again that met a rate limit, a failing server or a lost
            connection.
        patience: The longest that is waited before a retry, in seconds; who asks for more is not
            asked again.
    """

    probes: Sequence[Probe]
    contract: Contract
    level: Level = "observed"
    checks: frozenset[str] = field(default_factory=lambda: frozenset(CHECKS))
    concurrency: int = 1
    requests: int | None = None
    tokens: int | None = None
    retries: int = 0
    patience: float = 30.0


_Answers = Callable[[], tuple[Answered, ...]]


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
        self._needed = frozenset(name for probe in plan.probes for name in probe.after)
        self._earlier: dict[str, Answered] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()

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
                for batch in self._batches():
                    self._together(batch)
            else:
                self._go_at_once()
        finally:
            self._over.set()
            self._report.seconds = time.monotonic() - started
        return self._report

    def _go_at_once(self) -> None:
        """Send several probes at a time; what builds on earlier answers waits for all of them."""
        pending: dict[Future[tuple[Answered, ...]], Probe] = {}
        for batch in self._batches(before=lambda probe: self._settle(pending, probe)):
            if len(batch) > 1:
                self._together(batch)
                continue
            pending[started(self._asking(batch[0]))] = batch[0]
            if len(pending) >= self._plan.concurrency:
                self._take_done(pending)
        while pending:
            self._take_done(pending)

    def _settle(self, pending: "dict[Future[tuple[Answered, ...]], Probe]", probe: Probe) -> None:
        while pending and (probe.after or probe.group):
            self._take_done(pending)

    def _take_done(self, pending: "dict[Future[tuple[Answered, ...]], Probe]") -> None:
        done, _ = wait(pending, return_when=FIRST_COMPLETED)
        for each in done:
            self._take(pending.pop(each), each.result(), {})

    def _together(self, batch: Sequence[Probe]) -> None:
        """Send probes at the same moment; each is judged beside those before it."""
        if len(batch) == 1:
            self._take(batch[0], self._asking(batch[0])(), {})
            return
        ready = threading.Barrier(len(batch))
        running = [started(self._asking(probe, ready)) for probe in batch]
        beside: dict[str, Answered] = {}
        for probe, future in zip(batch, running, strict=True):
            attempts = future.result()
            self._take(probe, attempts, beside)
            beside[probe.id] = attempts[-1]

    def _batches(
        self, *, before: Callable[[Probe], None] = lambda _: None
    ) -> Iterator[list[Probe]]:
        """Yield what may still be sent, a group at once, deciding at the last moment."""
        batch: list[Probe] = []
        for probe in self._plan.probes:
            if batch and batch[0].group != probe.group:
                yield batch
                batch = []
            before(probe)
            ready = probe.built_on(self._earlier)
            reason = self._reason_against(probe)
            if reason is None and ready is None:
                reason = f"it builds on {' and '.join(probe.after)}"
            if reason is not None or ready is None:
                self._report.skip(probe, str(reason))
                continue
            self._tokens += probe.tokens
            self._sent += 1
            if probe.group:
                batch.append(ready)
            else:
                yield [ready]
        if batch:
            yield batch

    def _asking(self, probe: Probe, ready: threading.Barrier | None = None) -> _Answers:
        """Return what sends a probe, again where that may help, and gives every answer."""

        def ask() -> tuple[Answered, ...]:
            if ready is not None:
                ready.wait()
            answers = [self._client.send(probe.sent)]
            while len(answers) <= self._plan.retries:
                pause = _pause_after(answers[-1])
                if pause is None or pause > self._plan.patience or not self._may_send(probe):
                    break
                if self._over.wait(pause):
                    break
                answers.append(self._client.send(probe.sent))
            return tuple(answers)

        return ask

    def _may_send(self, probe: Probe) -> bool:
        """Tell whether the budgets allow a retry, and count it."""
        with self._lock:
            if self._over_budget(probe) is not None:
                return False
            self._sent += 1
            self._tokens += probe.tokens
            return True

    def _reason_against(self, probe: Probe) -> str | None:
        if self._report.stopped is not None:
            return "the run ended before it"
        if probe.capability in self._lacking:
            return f"the target does not offer {probe.capability}"
        with self._lock:
            return self._over_budget(probe)

    def _over_budget(self, probe: Probe) -> str | None:
        plan = self._plan
        if plan.requests is not None and self._sent >= plan.requests:
            return f"the budget of {plan.requests} requests is spent"
        if plan.tokens is not None and self._tokens + probe.tokens > plan.tokens:
            return f"the budget of {plan.tokens} tokens does not allow it"
        return None

    def _take(
        self, probe: Probe, attempts: tuple[Answered, ...], beside: Mapping[str, Answered]
    ) -> None:
        """Judge every attempt; the last is what other probes build on."""
        earlier = {**{name: self._earlier[name] for name in probe.after}, **beside}
        for number, answered in enumerate(attempts, 1):
            is_last = number == len(attempts)
            outcome = self._outcome_of(probe, answered) if is_last else _passing(answered)
            self._judge(probe, answered, earlier, outcome, number)
        last = attempts[-1]
        if probe.id in self._needed and last.is_success and last.failure is None:
            self._earlier[probe.id] = last
        self._note_silence(last)
        self._on_progress(
            sum(each.attempt == 1 for each in self._report.sendings) + len(self._report.skipped)
        )

    def _judge(
        self,
        probe: Probe,
        answered: Answered,
        earlier: Mapping[str, Answered],
        outcome: Outcome,
        attempt: int,
    ) -> None:
        plan = self._plan
        seen = Observed(
            probe=probe,
            answered=answered,
            contract=plan.contract,
            level=plan.level,
            earlier=earlier,
        )
        applied, findings = judge(seen)
        for name, reason in unjudged(seen).items():
            if name in plan.checks:
                self._report.unjudged[name] = reason
        self._report.add(
            Sending(
                probe=probe,
                answered=answered,
                outcome=outcome,
                applied=applied & plan.checks,
                findings=tuple(each for each in findings if each.check in plan.checks),
                attempt=attempt,
            )
        )

    def _outcome_of(self, probe: Probe, answered: Answered) -> Outcome:
        """Tell whether a probe was answered, or asks for what the target does not offer."""
        capability = probe.capability
        if answered.failure is not None:
            return Outcome.ERROR
        if answered.status == _LIMITED and capability != _CORE:
            return Outcome.LIMITED
        is_told = answered.is_refusal or answered.status == _NOT_IMPLEMENTED
        is_elsewhere = answered.is_redirect and capability == _CORE
        lacks = probe.wanted != "refusal" and (is_told or is_elsewhere)
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
        is_first = len({each.probe.id for each in self._report.sendings}) == 1
        if self._silent and answered.failure and (is_first or self._silent >= _PATIENCE):
            kind = answered.failure.value
            self._report.stopped = f"the target does not answer ({kind}): {answered.detail}"


def _passing(answered: Answered) -> Outcome:
    """Return what became of an attempt that another one followed."""
    if answered.failure is not None:
        return Outcome.ERROR
    return Outcome.LIMITED if answered.status == _LIMITED else Outcome.ANSWERED


def _pause_after(answered: Answered) -> float | None:
    """Return the seconds to wait before a probe is sent again; None where that would not help."""
    if answered.failure is not None:
        return _PAUSE if answered.failure in _LOST else None
    status = answered.status or 0
    is_passing = status == _LIMITED or (status >= 500 and status != _NOT_IMPLEMENTED)  # noqa: PLR2004
    if not is_passing:
        return None
    told = header(answered.headers, "retry-after") or ""
    return float(told) if told.isascii() and told.isdigit() else _PAUSE


def _told_core(answered: Answered) -> str:
    if answered.is_redirect:
        place = header(answered.headers, "location")
        return f"the simplest request is redirected to {place!r} (status {answered.status})"
    body = answered.json
    error = body.get("error") if isinstance(body, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    told = f": {message}" if isinstance(message, str) else ""
    return f"the simplest request is refused with status {answered.status}{told}"
