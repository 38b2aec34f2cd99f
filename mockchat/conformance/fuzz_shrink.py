"""Shrink what a drawn request showed to the simplest request that shows it, against the live target.

Hypothesis proposes, the target answers. Bounded by requests, tokens and time, and ended by a target
that falls silent; whatever ends it, the simplest request so far is told.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from mockchat.conformance.answers import Answered, Failure
from mockchat.conformance.checks import judge
from mockchat.conformance.fuzz_draws import Drawer
from mockchat.conformance.lacks import is_refused, smaller, without
from mockchat.conformance.observed import Observed
from mockchat.conformance.probes import Probe
from mockchat.conformance.report import Sending, fails
from mockchat.conformance.runner import Plan
from mockchat.conformance.shrunk import Shrunk
from mockchat.conformance.target import Client

_REPEATS = 3
"""How often a request that showed something is repeated before it is called flaky."""

_OF_HYPOTHESIS = 0.8
"""The share of the requests that Hypothesis may take; the rest takes away what is left over."""

_PATIENCE = 3
"""How many answers may stay out before shrinking ends."""

_GONE = frozenset({Failure.TIMEOUT, Failure.UNREACHABLE, Failure.NOT_HTTP, Failure.TLS})


class _Enough(BaseException):
    """Shrinking ends here; no exception of a test's, so that Hypothesis lets it pass."""


class _Spent(_Enough):
    """What one finding may take is spent; a few more requests may be kept for its end."""


@dataclass(slots=True, kw_only=True)
class Allowance:
    """What may still be spent; None is no limit.

    Attributes:
        requests: How many requests.
        tokens: How many tokens, by our own estimate.
    """

    requests: int | None = None
    tokens: int | None = None

    def refusal(self, probe: Probe) -> str:
        """Return why a probe may not be sent; "" where it may."""
        if self.requests is not None and self.requests < 1:
            return "the budget of requests is spent"
        if self.tokens is not None and self.tokens < probe.tokens:
            return "the budget of tokens is spent"
        return ""

    def spend(self, probe: Probe) -> None:
        """Take off what a probe costs."""
        if self.requests is not None:
            self.requests -= 1
        if self.tokens is not None:
            self.tokens -= probe.tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrinking:
    """How findings on one target are shrunk.

    Attributes:
        client: The target.
        plan: How answers are judged.
        drawer: What drew the requests, and draws simpler ones.
        lacking: The members the target does not offer.
        control: A request the target answers: whether it still does is asked with it.
        allowance: What all findings together may cost.
        most: How many requests one finding may take.
        seconds: How long one finding may take.
        on_step: Called with the check before each request.
    """

    client: Client
    plan: Plan
    drawer: Drawer
    lacking: frozenset[str]
    control: Probe
    allowance: Allowance
    most: int
    seconds: float
    on_step: Callable[[str], None] = lambda _: None

    def shrink(
        self, check: str, first: Sending, number: int, keep: Callable[[Sending], None]
    ) -> None:
        """Keep the simplest exchange that shows what `first` showed, also after an interruption.

        Where it does not show again, `first` itself is kept, as flaky.

        Args:
            check: The id of the check; "" to shrink the refusal of a lawful request.
            first: The drawn exchange in which it fired.
            number: The number of its draw.
            keep: Takes the exchange.
        """
        step = _Step(self, check, first)
        ended = ""
        try:
            if step.repeats():
                ended = step.simplify(self.drawer, number)
                step.leave_out(self.drawer)
                step.confirm()
        except _Enough as enough:
            ended = str(enough)
        except KeyboardInterrupt:
            ended = "interrupted"
            raise
        finally:
            keep(step.told(ended))


class _Step:
    """One finding on its way to a simpler request."""

    def __init__(self, by: Shrinking, check: str, first: Sending) -> None:
        self._by = by
        self._check = check
        self._first = first
        self._best = first
        self._known: dict[bytes, bool] = {}
        self._sent = 0
        self._silent = 0
        self._again: list[bool] = []
        self._most = by.most
        self._until = time.monotonic() + by.seconds

    def repeats(self) -> bool:
        """Tell whether the same request shows the finding at once; if not, look how often it does."""
        for _ in range(_REPEATS):
            self.confirm()
            if self._again[0]:
                return True
        return False

    def simplify(self, drawer: Drawer, number: int) -> str:
        """Let Hypothesis propose simpler requests; return why it was ended, "" where it was not."""
        self._most = int(self._by.most * _OF_HYPOTHESIS)
        try:
            drawer.shrink(number, self.shows)
        except _Spent as spent:
            return str(spent)
        finally:
            self._most = self._by.most
        return ""

    def confirm(self) -> None:
        """Send the simplest request so far once more."""
        self._again.append(self._shown_by(self._best.probe) is not None)

    def shows(self, probe: Probe) -> bool:
        """Tell whether a simpler request shows the finding; each is sent once."""
        suited = without(self._by.plan.contract, probe, self._by.lacking)
        if suited is None:
            return False
        data = suited.sent.body or b""
        if data not in self._known:
            sending = self._shown_by(suited)
            self._known[data] = sending is not None
            if sending is not None and len(data) <= len(self._best.probe.sent.body or b""):
                self._best = sending
        return self._known[data]

    def leave_out(self, drawer: Drawer) -> None:
        """Try the request without each part of it: some only came along with another."""
        tried: set[str] = set()
        while True:
            found = (
                (where, rest) for where, rest in smaller(self._best.probe) if where not in tried
            )
            where, rest = next(found, ("", None))
            if not where:
                return
            tried.add(where)
            probe = drawer.probe(rest)
            if probe.wanted == self._best.probe.wanted:
                self.shows(probe)

    def told(self, ended: str) -> Sending:
        """Return the simplest exchange so far, with how it was found."""
        shrunk = Shrunk(
            check=self._check,
            drawn=self._first.probe.id,
            size=len(self._first.probe.sent.body or b""),
            requests=self._sent,
            repeats=len(self._again),
            shown=sum(self._again),
            ended=ended,
        )
        probe = replace(self._best.probe, id=self._first.probe.id)
        findings = tuple(
            replace(each, probe=probe.id)
            for each in self._best.findings
            if each.check == self._check
        )
        return replace(self._best, probe=probe, findings=findings, shrunk=shrunk)

    def _shown_by(self, probe: Probe) -> Sending | None:
        """Send a request; return the exchange if it shows the finding."""
        answered = self._send(probe)
        plan = self._by.plan
        seen = Observed(probe=probe, answered=answered, contract=plan.contract, level=plan.level)
        applied, findings = judge(seen)
        found = tuple(each for each in findings if each.check == self._check and fails(each))
        sending = replace(
            self._first, probe=probe, answered=answered, applied=applied, findings=found
        )
        if answered.failure in _GONE:
            self._look_for_target(answered, sending)
        is_shown = bool(found) if self._check else is_refused(probe, answered)
        return sending if is_shown else None

    def _look_for_target(self, answered: Answered, sending: Sending) -> None:
        """End where the target answers nothing any more: then any request would show that."""
        if self._send(self._by.control).failure in _GONE:
            self._best = sending if sending.findings else self._best
            raise _Enough("the target has not answered since")
        self._silent += answered.failure is Failure.TIMEOUT
        if self._silent >= _PATIENCE:
            raise _Enough(f"{_PATIENCE} answers stayed out")

    def _send(self, probe: Probe) -> Answered:
        by = self._by
        reason = by.allowance.refusal(probe)
        if self._sent >= self._most:
            raise _Spent(f"{self._most} requests did not suffice")
        if time.monotonic() > self._until:
            reason = f"{by.seconds:g} s did not suffice"
        if reason:
            raise _Enough(reason)
        self._sent += 1
        by.allowance.spend(probe)
        by.on_step(self._check or "a refusal")
        return by.client.send(probe.sent)
