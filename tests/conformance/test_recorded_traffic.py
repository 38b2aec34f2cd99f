"""Recorded traffic through `judge_file`: what the `openai` profile says of each host, counted."""

import json
from collections import Counter

from mockchat.conformance.kinds import detected_kind
from mockchat.conformance.offline import judge_file
from mockchat.contract.contract import contract_for

AZURE = "traceloop-stg.openai.azure.com"
TOGETHER = "api.together.xyz"
FOUND = {
    # A gateway recorded under OpenAI's host name: roles in every chunk, calls without their finish.
    ("api.openai.com", "stream", "stream.role-once"): 59,
    ("api.openai.com", "stream", "stream.call-header-once"): 2,
    ("api.openai.com", "stream", "stream.finish-missing"): 2,
    ("api.openai.com", "stream", "schema.type"): 1,
    # An edit of the recording: a space before the first field.
    ("api.openai.com", "stream", "stream.field"): 1,
    # `tool_calls` is null where there are none.
    ("api.mistral.ai", "response", "schema.type"): 7,
    # Parameters and a finish reason of its own.
    (TOGETHER, "request", "schema.additionalProperties"): 5,
    (TOGETHER, "response", "schema.enum"): 1,
    # Filter results: a chunk of their own, a message left out, an error with status 200.
    (AZURE, "stream", "schema.const"): 20,
    (AZURE, "response", "schema.required"): 6,
    (AZURE, "error", "schema.required"): 1,
}
"""Violations of the `openai` profile by host, part and rule, with what is different there."""


def test_recorded_traffic_breaks_what_its_hosts_do_differently(shared):
    """No false alarm: whatever counts is a known difference of a host, or of a recording."""
    data = (shared / "wire" / "chat-exchanges.jsonl").read_bytes()
    hosts = [json.loads(line)["host"] for line in data.splitlines()]
    verdict = judge_file(contract_for(), data, detected_kind(data, contract_for()))
    assert (verdict.kind, verdict.records, verdict.passed_over) == ("exchanges", 410, 0)
    assert (
        Counter(
            (hosts[int(each.place) - 1], each.part, each.violation.rule)
            for each in verdict.judgements
            if not each.violation.is_note
        )
        == FOUND
    )
    assert verdict.violations == sum(FOUND.values())
