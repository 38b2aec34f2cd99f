"""`mockchat check --recorded` on every recording of real servers: what is found, one by one."""

import json
from collections import defaultdict

import pytest
from click.testing import CliRunner

from mockchat.cli import main

OPENAI, AZURE = "api.openai.com", "traceloop-stg.openai.azure.com"
MISTRAL, TOGETHER = "api.mistral.ai", "api.together.xyz"
GROQ, DEEPSEEK = "api.groq.com", "api.deepseek.com"

_FILTERED = "schema.chunk /0/object"
"""A chunk before the first, with the results of a content filter: its `object` is empty."""

FOUND = {
    # `tool_calls` is null where there are none.
    (MISTRAL, "schema.response /choices/0/message/tool_calls"): {
        *range(106, 109),
        *range(112, 116),
    },
    (AZURE, _FILTERED): {*range(135, 145), *range(157, 167)},
    # What a content filter kept back has no message.
    (AZURE, "schema.response /choices/0/message"): {145},
    # An error of the gateway before the service, without `param`.
    (AZURE, "schema.error /error/param"): {156},
    # An error of the filter, with status 200.
    (AZURE, "schema.response /id"): {175},
    (AZURE, "schema.response /object"): {175},
    (AZURE, "schema.response /created"): {175},
    (AZURE, "schema.response /model"): {175},
    (AZURE, "schema.response /choices"): {175},
    # A finish reason of its own, "eos".
    (TOGETHER, "schema.response /choices/0/finish_reason"): {360},
    # A gateway recorded under OpenAI's host name: the role in every chunk, calls without a finish.
    (OPENAI, "stream.role-once"): {*range(380, 387)},
    (OPENAI, "stream.call-header-once"): {380},
    (OPENAI, "stream.finish-missing"): {380, 382},
    (OPENAI, "schema.chunk /1/choices/0/delta/tool_calls/0/function/arguments"): {385},
    # An edit of that recording: a space before the first field.
    (OPENAI, "stream.field"): {383},
}
"""What fails by the profile `openai`: host, check with its place, and the lines of the file."""

KEPT = {each for each in FOUND if each[0] == OPENAI} | {(AZURE, "schema.response /id")}
"""What is wrong by the vendor's own profile too: an error with status 200, and the gateway."""

VENDORS = {
    OPENAI: "openai",
    AZURE: "azure",
    MISTRAL: "mistral",
    TOGETHER: "together",
    GROQ: "groq",
    DEEPSEEK: "deepseek",
    "localhost:8000": "openai",
}


def checked(folder, lines, *options):
    """Return the report on recordings, as the command writes it."""
    recording, report = folder / "recording.jsonl", folder / "report.json"
    recording.write_text("\n".join(lines))
    words = ["check", "--recorded", str(recording), "--json", str(report), *options]
    outcome = CliRunner().invoke(main, words)
    assert outcome.exit_code in {0, 1}, outcome.output
    return json.loads(report.read_bytes())


def named(finding):
    """Return a finding's check, with its place where it is one of a schema's."""
    check = finding["check"]
    return f"{check} {finding['pointer']}" if check.startswith("schema.") else check


@pytest.fixture(scope="module")
def recordings(shared):
    """Return the lines of all files of recordings."""
    files = sorted((shared / "wire").glob("*.jsonl"))
    assert [file.name for file in files] == ["chat-exchanges.jsonl"]
    return files[0].read_text().splitlines()


def test_each_finding_on_recordings_is_known(recordings, tmp_path):
    """Real servers answered real clients so; whatever else is found is a fault of the checker."""
    report = checked(tmp_path, recordings)
    hosts = [json.loads(line)["host"] for line in recordings]
    found = defaultdict(set)
    for finding in report["findings"]:
        if finding["fails"]:
            line = int(finding["probe"].removeprefix("record "))
            found[hosts[line - 1], named(finding)].add(line)
    assert dict(found) == FOUND
    assert report["requests"] == len(recordings) == 410
    passed = [name for name, told in report["checks"].items() if told["verdict"] == "passed"]
    assert len(passed) > 40


@pytest.mark.parametrize("host", VENDORS)
def test_recordings_of_a_vendor_keep_to_its_profile(recordings, tmp_path, host):
    """A profile that its vendor breaks is wrong, but for what its own gateway gets wrong."""
    lines = [line for line in recordings if json.loads(line)["host"] == host]
    report = checked(tmp_path, lines, "--profile", VENDORS[host])
    assert report["requests"] == len(lines) > 0
    failing = {each["probe"] for each in report["findings"] if each["fails"]}
    known = {line for each in KEPT for line in FOUND[each]}
    theirs = {recordings[line - 1] for line in known}
    broken = {f"record {number}" for number, line in enumerate(lines, 1) if line in theirs}
    assert failing == broken
