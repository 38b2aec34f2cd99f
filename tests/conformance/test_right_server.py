"""A right server is accused of nothing: at no level, at no seed, under no profile."""

import pytest
from in_process import AppClient

from mockchat.conformance.checks import CHECKS
from mockchat.conformance.probes import probes
from mockchat.conformance.report import Verdict
from mockchat.conformance.runner import Plan, Run
from mockchat.contract.contract import contract_for
from mockchat.contract.profile import profile_names

NEVER = {"auth.refused", "limit.retry-after", "models.not-found", "refusal.not-a-stream"}
"""What only applies to a server that asks for keys, knows its models, refuses a stream, or is busy."""


def run(client, *, profile="openai", level="documented", depth="full", model=None):
    """Check a client and return the report."""
    contract = contract_for(profile)
    named = model or next((each.id for each in contract.profile.models), "gpt-4o-mini")
    asked = probes(contract, model=named, depth=depth)
    return Run(client, Plan(probes=asked, contract=contract, level=level)).go()


def told(report):
    """Return what was found, short enough to read."""
    return [
        (each.check, each.probe, each.violation.pointer, each.violation.message)
        for each in report.findings
    ]


@pytest.mark.parametrize("level", ["observed", "documented"])
@pytest.mark.parametrize("kind", ["plain", "wild"])
def test_our_server_has_no_finding(level, kind, proof_count):
    """A checker that cries wolf once is not run twice."""
    for seed in range(proof_count(50)):
        depth = "full" if seed % 10 == 0 else "quick"
        report = run(AppClient(seed=seed, kind=kind), level=level, depth=depth)
        assert told(report) == []
        assert report.conforms
        assert report.unsupported == {}


@pytest.mark.parametrize("profile", profile_names())
def test_every_profile_finds_its_own_server_right(profile, proof_count):
    """Vendors differ from OpenAI on purpose: judged by their own profile they are right."""
    depth = "full" if proof_count(10) == 10 else "quick"
    report = run(AppClient(profile=profile), profile=profile, depth=depth)
    assert told(report) == []


def test_every_check_applies_to_something():
    """A check that never looks at anything would pass for ever."""
    verdicts = run(AppClient()).verdicts()
    assert verdicts.keys() == CHECKS.keys()
    assert {name for name, verdict in verdicts.items() if verdict is Verdict.SKIPPED} == NEVER
