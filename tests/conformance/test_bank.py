"""Every check fires on a server that is broken in just that way."""

from functools import cache

import pytest
from bank import SERVERS, contract_of, kinds

from mockchat.conformance.checks import CHECKS, judge
from mockchat.conformance.observed import Observed
from mockchat.conformance.probes import probes


@cache
def right(server):
    """Return what a right server answers to each probe, those of a quick look first."""
    make, model = SERVERS[server]
    contract, client, answers = contract_of(server), make(), {}
    for probe in probes(contract, model=model):
        ready = probe.built_on({name: answered for name, (_, answered) in answers.items()})
        answers[probe.id] = (ready, client.send(ready.sent))
    return contract, sorted(answers.values(), key=lambda each: each[0].depth != "quick")


def detected(kind):
    """Return the probe that first shows a kind; False where none does, None where nothing broke."""
    contract, exchanges = right(kind.server)
    answers = {probe.id: (probe.sent, answered) for probe, answered in exchanges}

    @cache
    def spoilt(name):
        sent, answered = answers[name]
        found = kind.spoil(sent, answered) if name.startswith(kind.only) else answered
        return answered if found == answered else found

    is_touched = False
    for probe, answered in exchanges:
        group = [each.id for each, _ in exchanges if probe.group and each.group == probe.group]
        beside = group[: group.index(probe.id)] if group else []
        is_broken = spoilt(probe.id) is not answered
        is_touched |= is_broken
        if not is_broken and not probe.after and not beside:
            continue
        seen = Observed(
            probe=probe,
            answered=spoilt(probe.id),
            contract=contract,
            level="documented",
            earlier={name: spoilt(name) for name in (*probe.after, *beside)},
        )
        if any(found.check == kind.check for found in judge(seen)[1]):
            return probe
    return False if is_touched else None


@pytest.mark.proof
def test_every_broken_server_is_detected(proof_count):
    """A check that cannot fail proves nothing; a quick look must find nine of ten."""
    step = 10 if proof_count(10) == 1 else 1
    bank = dict(list(kinds().items())[::step])
    shown = {name: detected(kind) for name, kind in bank.items()}
    assert [name for name, probe in shown.items() if probe is False] == []
    by = [probe for probe in shown.values() if probe is not None]
    assert len(by) >= 1000 // step
    quick = sum(probe.depth == "quick" for probe in by)
    assert quick >= 0.9 * len(by)


def test_every_check_is_shown_to_fire():
    """Whoever adds a check adds a server that breaks it, and sees the check find it."""
    by_check = {}
    for kind in kinds().values():
        by_check.setdefault(kind.check, []).append(kind)
    assert by_check.keys() == CHECKS.keys()
    silent = {check for check, found in by_check.items() if not any(map(detected, found))}
    assert silent == set()
