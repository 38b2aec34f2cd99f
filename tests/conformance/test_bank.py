"""Every check fires on a server that is broken in just that way."""

import pytest
from bank import CONTRACT, kinds
from in_process import AppClient

from mockchat.conformance.checks import CHECKS, judge
from mockchat.conformance.observed import Observed
from mockchat.conformance.probes import probes

NEVER_BROKEN_HERE = {
    "exchange.model",  # only ever notes
    "reply.logprobs-spell-content",
    "reply.id-prefix",
    "stream.comment",
    "stream.choice-member-place",  # streams of other profiles alone
    "stream.ending",  # said as stream.done-missing where [DONE] is missing
    "stream.member-place",
    "stream.padding-presence",
    "stream.reasoning-null",
    "answer.whole",  # the tests of targets break answers off
    "auth.refused",  # asks for a server with keys: see test_checks
    "models.not-found",  # asks for a server that knows its models: see test_checks
    "refusal.not-a-stream",  # needs a target that refuses streams: see test_checks
}


@pytest.fixture(scope="module")
def right():
    """Return what the right server answers to each probe, those of a quick look first."""
    client = AppClient()
    asked = sorted(probes(CONTRACT, model="gpt-4o-mini"), key=lambda probe: probe.depth != "quick")
    return [(probe, client.send(probe.sent)) for probe in asked]


def detected(right, check, spoil):
    """Return the probe that first shows `check`; False where none does, None where nothing broke."""
    is_touched = False
    for probe, answered in right:
        spoilt = spoil(probe.sent, answered)
        if spoilt == answered:
            continue
        is_touched = True
        seen = Observed(probe=probe, answered=spoilt, contract=CONTRACT, level="documented")
        if any(found.check == check for found in judge(seen)[1]):
            return probe
    return False if is_touched else None


@pytest.mark.proof
def test_every_broken_server_is_detected(right, proof_count):
    """A check that cannot fail proves nothing; a quick look must find nine of ten."""
    step = 10 if proof_count(10) == 1 else 1
    bank = dict(list(kinds().items())[::step])
    shown = {name: detected(right, *kind) for name, kind in bank.items()}
    assert [name for name, probe in shown.items() if probe is False] == []
    by = [probe for probe in shown.values() if probe is not None]
    assert len(by) >= 1200 // step // 2
    quick = sum(probe.depth == "quick" for probe in by)
    assert quick >= 0.9 * len(by)


def test_every_check_has_a_broken_server():
    """Whoever adds a check adds what breaks it."""
    broken = {check for check, _ in kinds().values()}
    assert CHECKS.keys() - broken == NEVER_BROKEN_HERE
    assert broken <= CHECKS.keys()
