"""Fuzz a target: all probes first, then requests drawn by Hypothesis, then what they showed shrunk.

The requests are drawn before anything is sent, so that they are the same for every target; of a
lawful one, what the target does not offer is left out before it is sent.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from mockchat.conformance.asked_probes import LAWFUL, is_drawn
from mockchat.conformance.fuzz_draws import Drawer
from mockchat.conformance.fuzz_shrink import Allowance, Shrinking
from mockchat.conformance.lacks import (
    capability_of,
    members_of,
    refused_member,
    told_members,
    without,
)
from mockchat.conformance.probes import Probe, asked_of, base_request, chat
from mockchat.conformance.report import Outcome, Report, Sending, fails
from mockchat.conformance.runner import Plan, Run
from mockchat.conformance.target import Client

DRAWN = 200
"""How many requests are drawn where no budget says otherwise."""

MOST_TO_SHRINK = 150
"""How many requests the shrinking of one finding takes at most."""

_TIMEOUTS = 4
"""How many timeouts the shrinking of one finding may take."""

_MOST_REFUSALS = 3
"""How many refusals that do not name what is refused are shrunk."""

_OF_REST = 0.8
"""The share of what a budget leaves that drawn requests take; the rest is for shrinking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fuzzing:
    """What is drawn.

    Attributes:
        model: The model all requests name.
        seed: The same seed draws the same requests.
        timeout: Seconds one request may take.
        count: How many requests are drawn where no budget of requests says otherwise.
    """

    model: str
    seed: int = 0
    timeout: float = 30.0
    count: int = DRAWN


class FuzzRun:
    """One run over a target, of written probes and drawn ones.

    `report` may be asked for at any time, also after an interruption. Of a budget that does not
    suffice for everything, half is for the written probes.

    Args:
        client: The target.
        plan: The written probes and what may be done; its budgets are for everything together.
        fuzzing: What is drawn.
        on_progress: Called after each probe with how many are done.
        on_shrink: Called with the check before each request that shrinks what it found.
    """

    def __init__(
        self,
        client: Client,
        plan: Plan,
        fuzzing: Fuzzing,
        *,
        on_progress: Callable[[int], None] | None = None,
        on_shrink: Callable[[str], None] | None = None,
    ) -> None:
        self._client = client
        self._plan = plan
        self._fuzzing = fuzzing
        self._on_progress = on_progress or (lambda _: None)
        self._on_shrink = on_shrink or (lambda _: None)
        self._drawer = Drawer(plan.contract, model=fuzzing.model, seed=fuzzing.seed)
        self._control = self._still_there()
        requests = _share(plan.requests, len(plan.probes), int(fuzzing.count / _OF_REST))
        rest = fuzzing.count
        if plan.requests is not None and requests is not None:
            rest = max(0, int((plan.requests - requests) * _OF_REST) - 1)
        self._drawn = (self._control, *self._drawer.probes(rest))
        tokens = _share(plan.tokens, _tokens(plan.probes), _tokens(self._drawn))
        written = replace(plan, requests=requests, tokens=tokens)
        self._first = Run(client, written, on_progress=on_progress)

    @property
    def report(self) -> Report:
        """What is known so far."""
        return self._first.report

    @property
    def probes(self) -> tuple[Probe, ...]:
        """All that may be sent, what shrinking takes left out."""
        return (*self._plan.probes, *self._drawn)

    def go(self) -> Report:
        """Send every probe, then shrink what only drawn ones showed; return the report.

        An interruption (Ctrl+C) leaves the report as it is at that moment and is raised on.
        """
        started = time.monotonic()
        report = self.report
        try:
            self._first.go()
            if report.stopped is None:
                self._send_drawn()
            if report.stopped is None:
                self._shrink()
        finally:
            report.seconds = time.monotonic() - started
        return report

    def _still_there(self) -> Probe:
        """Return a request that every target answers which can be judged at all."""
        body = base_request(self._plan.contract, self._fuzzing.model)
        return Probe(id="drawn control", capability=LAWFUL, sent=chat(body), asked=body)

    def _send_drawn(self) -> None:
        """Send the drawn probes without what the target lacks, and take in what they came to."""
        report, lacking = self.report, members_of(self.report.unsupported)
        suited = [without(self._plan.contract, probe, lacking) for probe in self._drawn]
        done = len(self._plan.probes)
        left = self._left()
        plan = replace(
            self._plan,
            probes=[probe for probe in suited if probe is not None],
            requests=None if left.requests is None else int(left.requests * _OF_REST),
            tokens=left.tokens,
        )
        run = Run(self._client, plan, on_progress=lambda count: self._on_progress(done + count))
        try:
            run.go()
        finally:
            for sending in run.report.sendings:
                report.add(sending)
            report.skipped += run.report.skipped
            report.skipped += [
                (probe, f"the target does not offer {', '.join(report.unsupported)}")
                for probe, kept in zip(self._drawn, suited, strict=True)
                if kept is None
            ]
            report.stopped = run.report.stopped
            report.unsupported |= dict(_refused(run.report))

    def _left(self) -> Allowance:
        """Return what the budgets still allow."""
        plan, sent = self._plan, self.report.sendings
        spent = _tokens(sending.probe for sending in sent)
        return Allowance(
            requests=None if plan.requests is None else max(0, plan.requests - len(sent)),
            tokens=None if plan.tokens is None else max(0, plan.tokens - spent),
        )

    def _shrink(self) -> None:
        """Shrink the first finding of each check that no written probe has shown already."""
        numbers = {probe.id: number for number, probe in enumerate(self._drawn[1:])}
        found = {
            check: first for check, first in _only_drawn(self.report) if first.probe.id in numbers
        }
        shrinking = Shrinking(
            client=self._client,
            plan=self._plan,
            drawer=self._drawer,
            lacking=members_of(self.report.unsupported),
            control=self._control,
            allowance=self._left(),
            most=MOST_TO_SHRINK,
            seconds=_TIMEOUTS * self._fuzzing.timeout,
            on_step=self._on_shrink,
        )
        for check, first in found.items():
            shrinking.shrink(check, first, numbers[first.probe.id], self.report.shrunk.append)
        self._name_refusals(shrinking, numbers)

    def _name_refusals(self, shrinking: Shrinking, numbers: Mapping[str, int]) -> None:
        """Shrink lawful requests that were refused, and call what is left of them unsupported."""
        report = self.report
        refused = [
            each
            for each in report.sendings
            if each.probe.id in numbers
            and each.outcome is Outcome.UNSUPPORTED
            and not (members_of(report.unsupported) & {*told_members(each.probe)})
        ]
        offered = {
            each.probe.capability
            for each in report.sendings
            if each.outcome is not Outcome.UNSUPPORTED
        }
        for _ in range(_MOST_REFUSALS):
            if not refused:
                return
            first = min(refused, key=lambda each: len(each.probe.sent.body or b""))
            shrinking.shrink("", first, numbers[first.probe.id], report.shrunk.append)
            members = told_members(report.shrunk[-1].probe)
            name = " with ".join(members) or "some messages"
            # What its own probes met is offered: something else of the request is not.
            name = f"some requests with {name}" if name in offered else name
            report.unsupported[name] = first.probe.id
            refused = [each for each in refused if not {*members} <= {*told_members(each.probe)}]


def _share(budget: int | None, written: int, rest: int) -> int | None:
    """Return what the written probes may take of a budget."""
    if budget is None:
        return None
    return written if budget - written >= rest else min(written, budget // 2)


def _tokens(probes: Iterable[Probe]) -> int:
    return sum(probe.tokens for probe in probes)


def _refused(report: Report) -> Iterator[tuple[str, str]]:
    """Yield each member that a refusal names and no answered request had, with the probe."""
    lawful = [each for each in report.sendings if each.probe.capability == LAWFUL]
    taken = {
        member
        for sending in lawful
        if sending.answered.is_success
        for member in asked_of(sending.probe) or ()
    }
    for sending in lawful:
        if sending.outcome is Outcome.UNSUPPORTED:
            member = refused_member(sending.probe, sending.answered)
            if member is not None and member not in taken:
                yield capability_of(member), sending.probe.id


def _only_drawn(report: Report) -> Iterator[tuple[str, Sending]]:
    """Yield each check that drawn probes alone failed, with the shortest request that showed it."""
    written = {
        finding.check
        for sending in report.sendings
        if not is_drawn(sending.probe)
        for finding in filter(fails, sending.findings)
    }
    shortest = sorted(
        (each for each in report.sendings if is_drawn(each.probe)),
        key=lambda each: len(each.probe.sent.body or b""),
        reverse=True,
    )
    for sending in shortest:
        for finding in filter(fails, sending.findings):
            if finding.check not in written:
                yield finding.check, sending
