"""What several requests together show: equal ones, streams at once, stored ones; and attempts."""

import threading
import time
from dataclasses import replace

import pytest
from in_process import AppClient

from mockchat.conformance.answers import Answered, Failure
from mockchat.conformance.probes import probes
from mockchat.conformance.report import Outcome, Verdict
from mockchat.conformance.runner import Plan, Run
from mockchat.contract.contract import contract_for

CONTRACT = contract_for("openai")
FULL = probes(CONTRACT, model="gpt-4o-mini")
SERIES = ("same.", "at-once.", "stored.")
TOGETHER = tuple(probe for probe in FULL if probe.id.startswith(SERIES))
ONE = tuple(probe for probe in FULL if probe.id == "stream.plain")
REFUSED = b'{"error": {"message": "slow", "type": "requests", "param": null, "code": null}}'


def run(client, asked=TOGETHER, **plan):
    """Send probes to a client and return the report."""
    return Run(client, Plan(probes=asked, contract=CONTRACT, level="documented", **plan)).go()


def failed(report):
    """Return the ids of the checks that failed."""
    return {finding.check for finding in report.failures}


class Mixing(AppClient):
    """A server that gives every stream what the first one under way says."""

    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()
        self.barrier = threading.Barrier(3, action=self.choose)
        self.met = []

    def choose(self):
        """Take the answer that all get."""
        self.answer = self.met[0]

    def send(self, sent):
        """Answer; streams that come together wait for each other, as on a busy server."""
        answered = super().send(sent)
        is_together = threading.current_thread() is not threading.main_thread()
        if not is_together:
            return answered
        with self.lock:
            self.met.append(answered)
        self.barrier.wait(60)
        return self.answer


def test_streams_that_come_together_are_under_way_together():
    """Only a server that is asked several things at a time can mix them up."""
    client = Mixing()
    report = run(client)
    assert len(client.met) == 3
    assert "series.own-id" in failed(report)


@pytest.mark.parametrize("concurrency", [1, 4])
def test_what_belongs_together_is_judged_at_any_concurrency(concurrency):
    """A probe that builds on others waits for them, however many are under way."""
    report = run(AppClient(), FULL, concurrency=concurrency)
    assert report.failures == ()
    assert report.skipped == []
    assert report.verdicts()["series.same-at-once"] is Verdict.PASSED
    assert report.verdicts()["stored.same"] is Verdict.PASSED


def test_a_target_that_varies_is_not_accused():
    """A model with a temperature says something else each time; that is told once."""
    report = run(AppClient(vary_repeats=True))
    assert report.failures == ()
    reason = "the target answers two equal requests differently"
    assert report.unjudged == {"series.same-streamed": reason, "series.same-at-once": reason}
    assert report.verdicts()["series.same-streamed"] is Verdict.SKIPPED


def test_a_target_that_refuses_a_part_is_not_accused():
    """What was not answered cannot be compared."""

    def spoil(sent, answered):
        is_stream = sent.body is not None and b'"stream": true' in sent.body
        return replace(answered, body=b"data: {}\n\n") if is_stream else answered

    report = run(AppClient(spoil=spoil))
    assert set(report.unjudged) == {"series.same-streamed", "series.same-at-once"}


@pytest.mark.parametrize("status", [404, 405])
def test_a_target_that_stores_nothing_is_told_once(status):
    """Most servers take `store` and keep nothing."""

    def spoil(sent, answered):
        is_stored = sent.path.startswith(("/chat/completions/", "/chat/completions?"))
        return replace(answered, status=status, body=REFUSED) if is_stored else answered

    report = run(AppClient(spoil=spoil))
    assert report.unsupported == {"stored completions": "stored.any"}
    lacking = [probe.id for probe, _ in report.skipped]
    assert lacking[0] == "stored.retrieve"


def test_what_builds_on_a_missing_answer_is_left_out():
    """Without an id there is nothing to ask for."""
    report = run(AppClient(spoil=lambda _, answered: replace(answered, body=b"{}")))
    told = {probe.id: reason for probe, reason in report.skipped}
    assert told["stored.retrieve"] == "it builds on stored.create"


class Flaky(AppClient):
    """A server that does something else at first."""

    def __init__(self, *first):
        super().__init__()
        self.first = list(first)

    def send(self, sent):
        """Answer as it was told, and then well."""
        return self.first.pop(0) if self.first else super().send(sent)


def limited(after=None):
    """Return an answer that asks to come again later."""
    fields = () if after is None else (("retry-after", after),)
    headers = (("content-type", "application/json"), ("x-request-id", "a"), *fields)
    return Answered(status=429, headers=headers, body=REFUSED)


BROKEN = Answered(status=500, headers=(("content-type", "application/json"),), body=REFUSED)
LOST = Answered(failure=Failure.UNREACHABLE, detail="the connection was closed")


@pytest.mark.parametrize(
    ("first", "check"), [(BROKEN, "answer.no-server-error"), (LOST, "answer.whole")]
)
def test_a_retry_hides_nothing(first, check):
    """A server that fails every other time is broken, though every second attempt is fine."""
    report = run(Flaky(first), ONE, retries=1)
    assert [each.attempt for each in report.sendings] == [1, 2]
    assert report.sendings[-1].findings == ()
    assert failed(report) == {check, *failed(report)}
    assert not report.conforms
    assert report.repeated == {"stream.plain": 2}


def test_a_rate_limit_is_waited_for_and_is_no_fault():
    """A busy server does not lack a feature."""
    report = run(Flaky(limited("0"), limited()), ONE, retries=2)
    assert [each.outcome for each in report.sendings] == [
        Outcome.LIMITED,
        Outcome.LIMITED,
        Outcome.ANSWERED,
    ]
    assert report.unsupported == {}
    assert report.limited == ()


@pytest.mark.parametrize(("after", "plan"), [("3600", {"retries": 3}), ("1", {})])
def test_a_rate_limit_that_lasts_is_told(after, plan):
    """Nobody waits an hour for a probe, and a probe that was not judged is told as such."""
    began = time.monotonic()
    report = run(Flaky(limited(after)), ONE, **plan)
    assert time.monotonic() - began < 60
    assert [each.outcome for each in report.sendings] == [Outcome.LIMITED]
    assert report.limited == ("stream.plain",)
    assert report.failures == ()


@pytest.mark.parametrize("budget", [{"requests": 2}, {"tokens": 200}])
def test_retries_are_paid_from_the_budget(budget):
    """A budget that retries may exceed is none."""
    report = run(Flaky(*[BROKEN] * 9), ONE, retries=9, **budget)
    assert 1 < len(report.sendings) < 5


def test_a_timeout_is_not_repeated():
    """Who hangs once would be waited for again and again."""
    late = Answered(failure=Failure.TIMEOUT, detail="late")
    assert len(run(Flaky(late), ONE, retries=5).sendings) == 1
