"""What pipelines rely on: ids that stay, new checks that are advisory at first, texts that explain."""

import re
from dataclasses import replace

import pytest
from click.testing import CliRunner
from in_process import AppClient

from mockchat.cli_check import check
from mockchat.conformance import as_text
from mockchat.conformance import report as reports
from mockchat.conformance.as_data import as_json
from mockchat.conformance.breaks import BREAKS
from mockchat.conformance.catalogue import catalogue, explained
from mockchat.conformance.checks import CHECKS
from mockchat.conformance.probes import probes
from mockchat.conformance.report import Verdict
from mockchat.conformance.runner import Plan, Run
from mockchat.conformance.since import FIRST, SINCE, is_advisory
from mockchat.conformance.sources import source_in_words
from mockchat.contract.contract import contract_for

CONTRACT = contract_for("openai")
QUICK = probes(CONTRACT, model="gpt-4o-mini", depth="quick")
ACCEPTING = {"validation": "off"}


def test_every_check_says_since_when():
    """Whoever adds a check adds it to the list of its release; an id that vanishes is noticed."""
    assert SINCE.keys() == CHECKS.keys()


@pytest.mark.parametrize(
    ("since", "running", "is_new"),
    [(FIRST, FIRST, False), ("0.2", "0.2", True), ("0.2", "0.3", False), (FIRST, "0.2", False)],
)
def test_a_check_is_advisory_for_one_minor_release(since, running, is_new):
    """A pipeline must not turn red because the checker learned something."""
    assert is_advisory(since, running=running) is is_new


def test_an_advisory_check_is_reported_and_fails_nothing(monkeypatch):
    """Told, listed, and left out of the exit status."""
    monkeypatch.setattr("mockchat.conformance.since.RUNNING", "9.9")
    new = replace(CHECKS["refusal.refused"], since="0.2")
    monkeypatch.setattr("mockchat.conformance.observed.is_advisory", lambda since: since == "0.2")
    monkeypatch.setattr(reports, "CHECKS", {**CHECKS, "refusal.refused": new})
    monkeypatch.setattr("mockchat.conformance.catalogue.CHECKS", {"refusal.refused": new})
    plan = Plan(probes=QUICK, contract=CONTRACT, checks=frozenset({"refusal.refused"}))
    report = Run(AppClient(**ACCEPTING), plan).go()
    assert report.failures == ()
    assert report.conforms
    assert report.verdicts() == {"refusal.refused": Verdict.ADVICE}
    told = as_json(report, target="t")["findings"][0]
    assert (told["fails"], told["advisory"], told["since"]) == (False, True, "0.2")
    lines = list(as_text.as_terminal(report, target="t"))
    assert any(line.startswith("note refusal.refused") for line in lines)
    assert "| advisory | 0.2 |" in catalogue()
    assert "    advisory: it fails nothing before the next release" in explained(new)


def test_the_same_run_fails_where_the_check_counts():
    """The test above would pass on a checker that finds nothing."""
    plan = Plan(probes=QUICK, contract=CONTRACT, checks=frozenset({"refusal.refused"}))
    assert not Run(AppClient(**ACCEPTING), plan).go().conforms


def test_every_stream_check_says_who_breaks():
    """A rule that no client minds is worth less than one that loses text: the reader must know."""
    silent = [each.id for each in CHECKS.values() if "stream" in each.id and not each.clients]
    assert silent == []
    assert BREAKS.keys() <= CHECKS.keys()


def test_sources_are_words():
    """A sign that only we can read proves nothing to others."""
    signs = re.compile(r"[Ff]acts \d|\([SWKRD][,:)]")
    assert [each.id for each in CHECKS.values() if signs.search(each.source)] == []
    assert source_in_words("Facts 3.2 (S, W: 12 chunks). So (facts 6, K).") == (
        "The official document, recorded traffic: 12 chunks. So"
        " (code of clients and servers, read or run)."
    )


def test_a_finding_tells_all_a_doubter_asks():
    """What was sent, what came back, how we know, who breaks, and how to turn it off."""
    client = AppClient(
        spoil=lambda _, answered: replace(
            answered, body=answered.body.replace(b'"chat.completion"', b'"other"')
        )
    )
    lines = list(
        as_text.as_terminal(
            Run(client, Plan(probes=QUICK, contract=CONTRACT)).go(), target="http://h/v1"
        )
    )
    begin = lines.index(next(line for line in lines if line.startswith("FAILED schema.response")))
    told = lines[begin : lines.index("", begin)]
    starts = [
        "FAILED",
        "    A comp",
        "    probe chat.plain, at /object",
        "    wanted",
        "    sent: curl",
    ]
    starts += ["    received: status 200, application/json … ", "    breaks: openai-python"]
    assert [line[: len(start)] for line, start in zip(told, starts, strict=False)] == starts
    assert '»"other"«' in told[5]
    assert told[-2:] == [
        "    source: response.json of the profile",
        "    to leave it out: --skip schema.response; more of it: --explain schema.response",
    ]


@pytest.mark.parametrize("name", CHECKS)
def test_every_check_can_be_explained(name):
    """`--explain ID` is where a doubter looks first."""
    result = CliRunner().invoke(check, ["--explain", name])
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == name
    assert lines[-1] == f"    this check alone: --only {name}; all but it: --skip {name}"


def test_an_unknown_check_cannot_be_explained():
    """A typing error is told with what was meant."""
    result = CliRunner().invoke(check, ["--explain", "stream.bomb"])
    assert result.exit_code == 2
    assert "did you mean stream.bom?" in result.stderr
