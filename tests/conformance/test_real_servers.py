"""Answers of real servers that were judged wrongly once; docs/servers.md tells where they are from."""

import json
from collections import Counter

import pytest
from in_process import AppClient

from mockchat.conformance.answers import JSON_TYPE, Answered
from mockchat.conformance.as_data import as_json
from mockchat.conformance.checks import judge
from mockchat.conformance.observed import Observed
from mockchat.conformance.probes import probes
from mockchat.conformance.runner import Plan, Run
from mockchat.contract.contract import contract_for
from mockchat.payloads.wire_faults import WIRE_FAULTS

CONTRACT = contract_for("openai")
FULL = probes(CONTRACT, model="gpt-4o-mini", depth="full")
PROBES = {probe.id: probe for probe in FULL}

COMPLETION = {
    "id": "chatcmpl-lKYhiu_PUyzAws9l",
    "object": "chat.completion",
    "created": 1795211139,
    "model": "gpt-4o-mini",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello.", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 2, "completion_tokens": 1, "total_tokens": 3},
}


def judged(name, body, *, status=200, content_type=JSON_TYPE, level="observed"):
    """Return which checks applied to an answer to a probe, and what fails it."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = (("content-type", content_type),) if content_type else ()
    answered = Answered(status=status, headers=fields, body=data)
    seen = Observed(probe=PROBES[name], answered=answered, contract=CONTRACT, level=level)
    applied, findings = judge(seen)
    failing = [each for each in findings if not each.violation.is_note]
    return applied, [(each.check, each.violation.pointer) for each in failing]


def with_message(**members):
    """Return the completion with other members in its message."""
    choice = COMPLETION["choices"][0]
    return {**COMPLETION, "choices": [{**choice, "message": {**choice["message"], **members}}]}


def test_the_reply_to_a_request_that_should_have_been_refused_is_not_judged():
    """A server that takes null for a model gives it back: one fault, and it is told."""
    applied, found = judged("refuses /model null", {**COMPLETION, "model": None})
    assert found == []
    assert "refusal.refused" in applied
    assert not any(name.startswith(("schema.", "reply.", "exchange.")) for name in applied)


def test_a_forbidden_null_hides_nothing_else():
    """One null in every reply is no reason to believe that two choices came."""
    applied, found = judged("n.two", with_message(tool_calls=None))
    assert found == [
        ("schema.response", "/choices/0/message/tool_calls"),
        ("exchange.n", "/choices"),
    ]
    assert "exchange.token-limit" in applied


@pytest.mark.parametrize(
    "broken",
    [
        {name: value for name, value in COMPLETION.items() if name != "created"},
        {**COMPLETION, "choices": None},
        {**COMPLETION, "choices": [None]},
        [COMPLETION],
    ],
    ids=["created missing", "no choices", "a choice that is null", "a list"],
)
def test_rules_that_cannot_be_asked_are_not_passed(broken):
    """Whoever reads `passed` must be able to rely on its having been looked at."""
    applied, found = judged("n.two", broken)
    assert found
    assert {check for check, _ in found} == {"schema.response"}
    assert not any(name.startswith(("reply.", "exchange.")) for name in applied)


def test_a_stream_without_a_label_is_found():
    """A field that is missing was taken for one that nobody had recorded."""
    stream = b'data: {"id": "c"}\n\ndata: [DONE]\n\n'
    assert ("stream.content-type", "/0") in judged("stream.plain", stream, content_type="")[1]


def test_a_crash_is_told_once():
    """A server that fails says so in plain text more often than not."""
    crash = b"Internal Server Error"
    applied, found = judged("chat.turns", crash, status=500, content_type="text/plain")
    assert found == [("answer.no-server-error", "")]
    assert "answer.json" not in applied


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_path_that_is_not_there_is_no_fault(status):
    """A server without a list of models answers as it does to any path it does not know."""
    detail = {"detail": "Not Found"}
    applied, found = judged("models.list", detail, status=status)
    assert "schema.error" not in applied
    assert [check for check, _ in found if check != "answer.no-server-error"] == []
    assert judged("path.unknown", detail, status=404)[1] == [("schema.error", "/error")]
    assert judged("models.list", detail, status=400)[1] == [("schema.error", "/error")]


@pytest.mark.parametrize(
    ("label", "found"),
    [
        ("application/problem+json", []),
        ("text/plain", [("answer.content-type", "")]),
        ("", [("answer.content-type", "")]),
    ],
)
def test_a_kind_of_json_is_read_as_json(label, found):
    """Clients look at the end of the label; the official document still names one alone."""
    assert judged("chat.plain", COMPLETION, content_type=label)[1] == found
    strict = judged("chat.plain", COMPLETION, content_type=label, level="documented")[1]
    assert ("answer.content-type", "") in strict


def test_another_object_is_told_once():
    """A list where one model is due lacks whatever a model has; that says nothing more."""
    models = {"object": "list", "data": []}
    assert judged("models.retrieve", models)[1] == [("schema.model", "/object")]


def test_what_is_no_json_is_sent_last():
    """There are servers that never answer it; what comes after would not be asked any more."""
    last = [probe.id for probe in FULL[-len(WIRE_FAULTS) :]]
    assert last == [f"refuses {name}" for name in WIRE_FAULTS]


def test_a_report_counts_the_probes_of_each_capability():
    """Tables of several servers are made from it."""
    quick = probes(CONTRACT, model="gpt-4o-mini", depth="quick")

    def spoil(sent, answered):
        two = sent.body is not None and b'"n": 2' in sent.body and b'"stream"' not in sent.body
        lists = sent.path == "/models"
        fault = Answered(status=404, headers=answered.headers, body=b"{}") if lists else answered
        return Answered(status=500, body=b"no") if two else fault

    report = as_json(
        Run(AppClient(spoil=spoil), Plan(probes=quick, contract=CONTRACT)).go(), target=""
    )
    sent = Counter(probe.capability for probe in quick)
    told = report["capabilities"]
    assert told["chat"] == {"sent": sent["chat"], "failed": 0, "unsupported": 0}
    assert told["n"] == {"sent": sent["n"], "failed": 1, "unsupported": 0}
    assert told["models"] == {"sent": 1, "failed": 0, "unsupported": 1}
    assert sum(counts["sent"] for counts in told.values()) == report["requests"]
