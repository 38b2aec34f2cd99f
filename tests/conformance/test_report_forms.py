"""The other forms of a report: Markdown for issues, JUnit XML for build servers, a badge."""

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
import sample_reports

from mockchat.conformance.as_data import as_badge
from mockchat.conformance.as_junit import as_junit
from mockchat.conformance.as_markdown import as_markdown
from mockchat.conformance.report import Report, Verdict

REPORTS = ("right", "flawed", "wrong", "hopeless")
TARGET = sample_reports.TARGET

# What Jenkins' schema of JUnit files and Ant's agree on: which attributes an element must have and
# may have, and which elements may stand in it. Numbers and times are decimal.
NUMBERS = {"tests", "failures", "errors", "skipped", "time"}
RULES = {
    "testsuite": (
        {"name", "tests", "failures", "errors", "time"},
        {"skipped", "timestamp", "hostname", "id", "package"},
        {"properties", "testcase", "system-out", "system-err"},
    ),
    "testcase": (
        {"name", "classname", "time"},
        {"status", "assertions"},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    "failure": ({"type"}, {"message"}, set()),
    "error": ({"type"}, {"message"}, set()),
    "skipped": (set(), {"message", "type"}, set()),
    "system-out": (set(), set(), set()),
}


def report_of(name):
    """Return a sample, or one that ended early."""
    if name == "stopped":
        return replace(sample_reports.flawed(), stopped="no more\x00 \u2028 <b>")
    return getattr(sample_reports, name)()


@pytest.mark.parametrize("name", [*REPORTS, "stopped"])
def test_junit_is_what_build_servers_read(name):
    """A file that a build server cannot read turns a build red for the wrong reason."""
    suite = ET.fromstring(as_junit(report_of(name), target=TARGET))
    assert suite.tag == "testsuite"
    for element in suite.iter():
        must, may, inner = RULES[element.tag]
        assert must <= set(element.keys()) <= must | may
        assert {child.tag for child in element} <= inner
        assert all(re.fullmatch(r"\d+(\.\d+)?", element.get(n, "0")) for n in NUMBERS)
    cases = suite.findall("testcase")
    assert len({case.get("name") for case in cases}) == len(cases) == int(suite.get("tests"))
    for tag, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        assert len(suite.findall(f"testcase/{tag}")) == int(suite.get(attribute))
    assert all(len(case) <= 1 for case in cases)


def test_junit_tells_verdicts():
    """What the terminal calls failed is failed on the build server, with the same words."""
    report = report_of("wrong")
    told = {}
    for case in ET.fromstring(as_junit(report, target=TARGET)):
        told[case.get("name")] = case[0].tag if len(case) else "passed"
    words = {
        Verdict.FAILED: "failure",
        Verdict.PASSED: "passed",
        Verdict.SKIPPED: "skipped",
        Verdict.ADVICE: "system-out",
    }
    assert told == {name: words[verdict] for name, verdict in report.verdicts().items()}


@pytest.mark.parametrize("name", REPORTS)
def test_markdown_is_not_ended_from_inside(name):
    """It is pasted into an issue: what a target said must neither format it nor call anybody."""
    page = as_markdown(report_of(name), target="http://a/v1?who=@me")
    prose, fence = [], None
    for line in page.splitlines():
        found = re.match(r"(`{3,})(\w*)$", line)
        if fence is None and found and found[2]:
            fence = found[1]
        elif fence is not None and line == fence:
            fence = None
        elif fence is None:
            prose.append(re.sub(r"(`+) ?.*? ?\1", "", line))
    assert fence is None
    text = "\n".join(prose)
    assert re.findall(r"(?<!\\)<(?!!-- -->)", text) == []
    assert re.findall(r"@(?!<!-- -->)", text) == []
    assert all(each.isprintable() or each == "\n" for each in page)


def test_markdown_tells_how_to_mend_it():
    """An issue is written for whoever mends the server."""
    page = as_markdown(report_of("flawed"), target=TARGET)
    finding = page.partition("### reply.choice-indices\n\n")[2].partition("\n### ")[0]
    assert finding.startswith("The indices of choices are not 0, 1, 2 … in order.\n")
    assert "- To mend it: Number the choices from 0, in the order they are sent.\n" in finding
    assert "- Where: `/choices/1/index`, status 200, probe `n.two`\n" in finding
    assert "- Wanted `1`, found `0`\n" in finding
    assert '"index": »0«' in finding
    assert "## Notes" in page


def test_a_fence_is_longer_than_what_it_holds():
    """Models answer in Markdown, so that backticks in an answer are nothing special."""
    report = report_of("wrong")
    spoilt = [
        replace(
            each,
            findings=tuple(
                replace(found, probe="a`b``c", violation=replace(found.violation, actual="```"))
                for found in each.findings
            ),
        )
        for each in report.sendings
    ]
    page = as_markdown(replace(report, sendings=spoilt), target=TARGET)
    assert "``` a`b``c ```" in page
    assert "```` '```' ````" in page


@pytest.mark.parametrize(
    ("name", "message", "color"),
    [
        ("right", "conforms", "brightgreen"),
        ("flawed", "3 checks failed", "red"),
        ("stopped", "not checked", "lightgrey"),
    ],
)
def test_a_badge_is_what_shields_reads(name, message, color):
    """Its endpoint refuses a badge with a member it does not know."""
    label = "chat completions (openai)"
    wanted = {"schemaVersion": 1, "label": label, "message": message, "color": color}
    assert as_badge(report_of(name)) == wanted


def test_a_run_that_told_nothing_has_every_form():
    """Nobody there: the reason is what is read."""
    report = Report(profile="openai", level="observed", checks=frozenset())
    report.stopped = "the target does not answer"
    assert "Ended early: the target does not answer" in as_markdown(report, target=TARGET)
    suite = ET.fromstring(as_junit(report, target=TARGET))
    assert [case[0].get("message") for case in suite] == ["the target does not answer"]
