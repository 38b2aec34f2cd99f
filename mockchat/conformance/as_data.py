"""A report as JSON, as a badge, and two reports compared; no credential is in any of them."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version

from mockchat.conformance.as_curl import as_curl
from mockchat.conformance.as_test import told_again
from mockchat.conformance.as_text import group_of, grouped
from mockchat.conformance.asked_probes import is_drawn
from mockchat.conformance.observed import Finding
from mockchat.conformance.report import Outcome, Report, Sending, check_of, fails
from mockchat.types import JsonObject, JsonView

_SHOWN = 65_536
"""How much of a body a report keeps, in characters."""


def as_json(report: Report, *, target: str) -> JsonObject:
    """Return a report as JSON; `mockchat check --compare` reads it again.

    Args:
        report: The report.
        target: What was checked, as it is shown.
    """
    verdicts = report.verdicts()
    counted = dict.fromkeys(verdicts, 0)
    for finding in report.findings:
        counted[finding.check] += 1
    return {
        "mockchat": version("mockchat"),
        "target": target,
        "profile": report.profile,
        "level": report.level,
        "conforms": report.conforms,
        "stopped": report.stopped,
        "seconds": round(report.seconds, 3),
        "requests": report.requests,
        "unsupported": dict(report.unsupported),
        "unjudged": dict(report.unjudged),
        "limited": list(report.limited),
        "repeated": report.repeated,
        "skipped": {probe.id: reason for probe, reason in report.skipped},
        "capabilities": _capabilities(report),
        "checks": {
            name: {"verdict": verdict.value, "findings": counted[name]}
            for name, verdict in verdicts.items()
        },
        "findings": [
            _finding(sending, finding)
            for sending in report.sendings
            if not is_drawn(sending.probe)
            for finding in sending.findings
        ]
        + [
            _finding(sending, finding) | _drawn(report, finding, count, sending, target)
            for finding, count, sending in grouped(report)
            if is_drawn(sending.probe)
        ],
    }


def _drawn(
    report: Report, finding: Finding, count: int, sending: Sending, target: str
) -> JsonObject:
    """Return what a finding of drawn requests has besides: how often, and how it is seen again."""
    again = told_again(report, finding, sending, target=target)
    if again is None or sending.shrunk is None:
        return {"times": count}
    shrunk = asdict(sending.shrunk) | {"is_flaky": sending.shrunk.is_flaky}
    curl = as_curl(sending.probe.sent, target)
    return {"times": count, "curl": curl, "test": again.test, "shrunk": shrunk}


def _capabilities(report: Report) -> JsonObject:
    """Return of each capability how many probes were sent, failed, and asked for what is lacking."""
    told: dict[str, dict[str, int]] = {}
    for sending in report.sendings:
        counts = told.setdefault(
            group_of(sending.probe), {"sent": 0, "failed": 0, "unsupported": 0}
        )
        counts["sent"] += 1
        counts["failed"] += any(map(fails, sending.findings))
        counts["unsupported"] += sending.outcome is Outcome.UNSUPPORTED
    return {name: dict(counts) for name, counts in told.items()}


def _finding(sending: Sending, finding: Finding) -> JsonObject:
    violation, check = finding.violation, check_of(finding)
    return {
        "check": finding.check,
        "fails": fails(finding),
        "level": violation.level,
        "probe": finding.probe,
        "attempt": sending.attempt,
        "capability": sending.probe.capability,
        "pointer": violation.pointer,
        "message": violation.message,
        "expected": violation.expected,
        "actual": violation.actual,
        "reason": check.sentence,
        "source": check.source,
        "clients": list(check.clients),
        "severity": check.severity,
        "since": check.since,
        "advisory": check.is_advisory,
        "skip": f"--skip {check.id}",
        "request": {
            "method": sending.probe.sent.method,
            "path": sending.probe.sent.path,
            "body": _text(sending.probe.sent.body or b""),
        },
        "answer": {
            "status": sending.answered.status,
            "content_type": sending.answered.content_type,
            "body": _text(sending.answered.body),
        },
    }


def _text(data: bytes) -> str:
    return data[:_SHOWN].decode("utf-8", "replace")


def as_badge(report: Report) -> JsonObject:
    """Return a badge for shields.io's endpoint."""
    failed = len({finding.check for finding in report.failures})
    if report.stopped is not None:
        message, color = "not checked", "lightgrey"
    elif failed:
        message, color = f"{failed} check{'' if failed == 1 else 's'} failed", "red"
    else:
        message, color = "conforms", "brightgreen"
    label = f"chat completions ({report.profile})"
    return {"schemaVersion": 1, "label": label, "message": message, "color": color}


def compared(old: JsonView, new: JsonView) -> tuple[str, ...]:
    """Return what changed from one report to another, a line each; () where nothing did.

    Args:
        old: What `as_json` gave once.
        new: What it gave later.
    """
    before, after = _verdicts(old), _verdicts(new)
    lines = [
        f"{name}: {before.get(name, 'not there')} -> {after.get(name, 'not there')}"
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]
    for word, one, other in (("now", new, old), ("no longer", old, new)):
        lines += [
            f"{name}: {word} unsupported"
            for name in one["unsupported"]
            if name not in other["unsupported"]
        ]
    return tuple(lines)


def _verdicts(report: JsonView) -> Mapping[str, str]:
    return {name: told["verdict"] for name, told in report["checks"].items()}


def is_report(value: object) -> bool:
    """Tell whether a value is what `as_json` gives, as far as comparing needs."""
    if not isinstance(value, Mapping) or not isinstance(value.get("unsupported"), Mapping):
        return False
    checks = value.get("checks")
    return isinstance(checks, Mapping) and all(
        isinstance(told, Mapping) and isinstance(told.get("verdict"), str)
        for told in checks.values()
    )


def dumped(value: JsonObject) -> str:
    """Return JSON for a file."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
