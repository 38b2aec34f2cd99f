"""Checks of recordings: the judgements of a run, and nothing is sent."""

import base64
import json
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner
from in_process import AppClient

from mockchat.cli import main
from mockchat.conformance.checks import CHECKS
from mockchat.conformance.kinds import UnreadableFile
from mockchat.conformance.probes import probes
from mockchat.conformance.recorded import recorded_report
from mockchat.conformance.report import Verdict
from mockchat.contract.contract import contract_for

CONTRACT = contract_for("openai")
ASKED = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture(scope="module")
def answers():
    """Return what the right server answers to each probe of a quick look."""
    client = AppClient()
    asked = probes(CONTRACT, model="gpt-4o-mini", depth="quick")
    return [(probe, client.send(probe.sent)) for probe in asked]


def as_lines(answers):
    """Return recorded exchanges as JSON lines."""
    lines = [
        {
            "method": probe.sent.method,
            "path": f"/v1{probe.sent.path}",
            "request": probe.asked,
            "status": answered.status,
            "content_type": dict(answered.headers)["content-type"],
            "body": answered.json if answered.json is not None else answered.body.decode(),
        }
        for probe, answered in answers
        if probe.asked is not None or probe.sent.body is None
    ]
    return "\n".join(map(json.dumps, lines)).encode()


def as_archive(answers):
    """Return recorded exchanges as an HTTP archive."""
    entries = [
        {
            "request": {
                "method": probe.sent.method,
                "url": f"https://api.example/v1{probe.sent.path}",
                "postData": {"text": (probe.sent.body or b"").decode()},
            },
            "response": {
                "status": answered.status,
                "headers": [{"name": name, "value": text} for name, text in answered.headers],
                "content": {
                    "text": base64.b64encode(answered.body).decode(),
                    "encoding": "base64",
                },
            },
        }
        for probe, answered in answers
    ]
    return json.dumps({"log": {"entries": entries}}).encode()


@pytest.mark.parametrize(("form", "kind"), [(as_lines, "exchanges"), (as_archive, "har")])
@pytest.mark.parametrize("level", ["observed", "documented"])
def test_recordings_of_a_right_server_have_no_finding(answers, form, kind, level):
    """What is no fault when it is asked for is none when it was recorded."""
    report = recorded_report(CONTRACT, form(answers), kind, level=level)
    assert [(each.check, each.probe, each.violation.message) for each in report.findings] == []
    assert report.conforms
    applied = {name for name, verdict in report.verdicts().items() if verdict is Verdict.PASSED}
    assert {"schema.response", "schema.chunk", "schema.error", "stream.one-id"} <= applied
    assert {"schema.model", "schema.model-list", "refusal.refused", "exchange.n"} <= applied


def test_what_was_wrong_is_found_with_its_place():
    """The line of a recording is where a reader looks."""
    lines = [
        {"request": {**ASKED, "temperature": 3}, "body": {"object": "chat.completion"}},
        {"request": {**ASKED, "stream": True}, "status": 200, "body": "data: {}\n\n"},
        {"request": ASKED, "status": 400, "body": "no", "content_type": "text/plain"},
        {"request": ASKED, "body": None},
        {"request": ASKED, "path": "/v1/embeddings", "body": {}},
    ]
    data = "\n".join(map(json.dumps, lines)).encode()
    report = recorded_report(CONTRACT, data, "exchanges", level="documented")
    found = {(each.probe, each.check) for each in report.findings}
    assert {
        ("record 1", "refusal.refused"),
        ("record 1", "schema.response"),
        ("record 2", "schema.chunk"),
        ("record 3", "answer.json"),
    } <= found
    assert len(report.sendings) == 3


def test_a_recording_without_anything_to_judge_is_told():
    """Nothing judged is not the same as nothing wrong."""
    data = json.dumps({"request": {}, "path": "/v1/embeddings", "body": {}}).encode()
    with pytest.raises(UnreadableFile, match="no exchange of a chat completion"):
        recorded_report(CONTRACT, data, "exchanges")


def test_the_command_judges_a_file(answers, tmp_path):
    """The same report, options and exit status as for a server."""
    file = tmp_path / "traffic.har"
    file.write_bytes(as_archive(answers))
    page = tmp_path / "page.html"
    outcome = CliRunner().invoke(main, ["check", "--har", str(file), "--html", str(page)])
    assert outcome.exit_code == 0, outcome.output
    assert outcome.stdout.startswith(f"{file} by openai, level observed\n")
    assert str(file) in page.read_text()


def test_a_file_that_is_no_recording_is_refused(tmp_path):
    """What else it is, is told."""
    file = tmp_path / "request.json"
    file.write_text(json.dumps(ASKED))
    outcome = CliRunner().invoke(main, ["check", "--recorded", str(file)])
    assert outcome.exit_code == 2
    assert "a recording is wanted, an HTTP archive or exchanges; it is a request" in outcome.stderr


def test_recorded_traffic_of_the_real_service_has_no_finding(shared, tmp_path):
    """No rule may fire on honest traffic of the service it describes."""
    lines = (shared / "wire" / "chat-exchanges.jsonl").read_text().splitlines()
    ours = [line for line in lines if json.loads(line).get("host") == "api.openai.com"]
    report = recorded_report(CONTRACT, "\n".join(ours).encode(), "exchanges")
    assert Counter(each.check for each in report.failures) == KNOWN
    assert len(report.sendings) > 100


KNOWN = {
    # A gateway recorded under OpenAI's host name: roles in every chunk, calls without their finish.
    "stream.role-once": 59,
    "stream.call-header-once": 2,
    "stream.finish-missing": 2,
    "schema.chunk": 1,
    # An edit of the recording: a space before the first field.
    "stream.field": 1,
}
"""What is found in exchanges of api.openai.com, and why it is no false alarm."""


def test_the_page_of_checks_is_up_to_date(tmp_path):
    """Ids are looked up in the page; one that is missing there does not exist."""
    page = tmp_path / "checks.md"
    outcome = CliRunner().invoke(main, ["check", "--list", "--markdown", str(page)])
    assert outcome.exit_code == 0
    assert (Path(__file__).parents[2] / "docs" / "checks.md").read_text() == page.read_text()
    assert page.read_text().count("\n| `") == len(CHECKS)
