"""A report for people in a terminal, and what all its forms have in common."""

import json
import re
from collections.abc import Collection, Iterator

from mockchat.conformance.as_curl import as_curl
from mockchat.conformance.as_test import told_again
from mockchat.conformance.asked_probes import is_drawn
from mockchat.conformance.marks import span_of
from mockchat.conformance.observed import Finding
from mockchat.conformance.probes import Probe
from mockchat.conformance.report import Outcome, Report, Sending, Verdict, check_of, fails
from mockchat.contract.wording import shown

_AROUND = 60
_NUMBER = re.compile(r"/\d+")
_DRAWN = "drawn"
_MOST = 3
"""How many examples of one finding are shown in full."""

Row = tuple[str, int, int, int, str]


def rows(report: Report) -> list[Row]:
    """Return a row for each capability: its name, probes, failures, notes, and its state."""
    told: dict[str, list[int]] = {}
    for sending in report.sendings:
        counts = told.setdefault(group_of(sending.probe), [0, 0, 0, 0])
        failed = sum(map(fails, sending.findings))
        counts[0] += 1
        counts[1] += failed
        counts[2] += len(sending.findings) - failed
        counts[3] += sending.outcome is Outcome.UNSUPPORTED
    return [
        (name, sent, failed, notes, _state(sent, failed, lacking))
        for name, (sent, failed, notes, lacking) in told.items()
    ]


def group_of(probe: Probe) -> str:
    """Return the row a probe belongs to: members are one together."""
    return "members" if probe.capability.startswith("member ") else probe.capability


def _state(sent: int, failed: int, lacking: int) -> str:
    if failed:
        return "FAILED"
    return "unsupported" if lacking == sent else "ok"


def as_terminal(report: Report, *, target: str) -> Iterator[str]:
    """Yield the lines of a report: a table of capabilities, each finding, the verdict."""
    yield f"{target} by {report.profile}, level {report.level}"
    yield ""
    table = rows(report)
    width = max([len(name) for name, *_ in table], default=0)
    for name, sent, failed, notes, state in table:
        counts = f"{failed} failed" if failed else ""
        told = ", ".join(filter(None, [counts, f"{notes} notes" if notes else ""]))
        yield f"  {name:<{width}}  {sent:>4} sent  {state:<11}  {told}".rstrip()
    yield ""
    for finding, count, sending in grouped(report):
        yield from _explained(report, finding, count, sending, target=target)
    yield from remarks(report)
    yield summary(report)


def remarks(report: Report) -> Iterator[str]:
    """Yield what is to be said of a run besides its findings, a line each."""
    for name, reason in report.unjudged.items():
        yield f"not judged: {name}, for {reason}"
    for name, times in report.repeated.items():
        yield f"sent {times} times: {name}; every attempt was judged"
    if report.limited:
        yield f"rate limited: {', '.join(report.limited)}; --retries N asks again"
    if report.stopped is not None:
        yield f"ended early: {report.stopped}"


def grouped(report: Report) -> list[tuple[Finding, int, Sending]]:
    """Return what was found, the same thing of the same check once, failures first.

    What drawn requests alone showed stands once for each check, by the simplest that shows it.
    """
    first: dict[tuple[str, str], tuple[Finding, int, Sending]] = {}
    for sending in sorted(report.sendings, key=lambda each: is_drawn(each.probe)):
        for finding in sending.findings:
            key = _key(finding, sending, first)
            known = first.get(key)
            first[key] = (
                (finding, 1, sending) if known is None else (known[0], known[1] + 1, known[2])
            )
    for sending in report.shrunk:
        for finding in sending.findings[:1]:
            key = (finding.check, _DRAWN)
            first[key] = (finding, first[key][1], sending)
    return sorted(first.values(), key=lambda each: not fails(each[0]))


def _key(finding: Finding, sending: Sending, known: Collection[tuple[str, str]]) -> tuple[str, str]:
    """Return what a finding is counted with."""
    if not fails(finding):
        return finding.check, ""
    if not is_drawn(sending.probe):
        return finding.check, _place(finding)
    same = (key for key in known if key[0] == finding.check and key[1])
    return next(same, (finding.check, _DRAWN))


def _place(finding: Finding) -> str:
    """Return where a finding is, whatever the number of the choice, the call or the event."""
    violation = finding.violation
    where = _NUMBER.sub("/*", violation.pointer)
    return f"{where} {violation.keyword}" if where else violation.message


def _explained(
    report: Report, finding: Finding, count: int, sending: Sending, *, target: str
) -> Iterator[str]:
    violation, check = finding.violation, check_of(finding)
    word = "FAILED" if fails(finding) else "note"
    more = f" ({count} times)" if count > 1 else ""
    yield f"{word} {finding.check}: {violation.message.removesuffix('.')}{more}"
    if not fails(finding):
        return
    yield f"    {check.sentence}"
    yield f"    probe {finding.probe}, at {violation.pointer or 'the whole answer'}"
    if violation.expected is not None:
        yield f"    wanted {shown(violation.expected)}, found {shown(violation.actual)}"
    yield f"    sent: {as_curl(sending.probe.sent, target)}"
    yield f"    received: {_received(finding, sending)}"
    yield from (f"    breaks: {client}" for client in check.clients)
    yield f"    source: {check.source}"
    yield f"    to leave it out: --skip {check.id}; more of it: --explain {check.id}"
    again = told_again(report, finding, sending, target=target)
    if again is not None:
        yield f"    {again.told}; as a test:"
        yield from (f"        {line}".rstrip() for line in again.test.splitlines())
    yield ""


def _received(finding: Finding, sending: Sending) -> str:
    """Return what came back in one line: its status, and the bytes around the fault."""
    answered = sending.answered
    attempt = f", attempt {sending.attempt}" if sending.attempt > 1 else ""
    head = f"status {answered.status}, {answered.content_type or 'no content type'}{attempt}"
    excerpt = excerpt_of(finding, sending)
    if excerpt is not None:
        before, marked, after = excerpt
        return f"{head} … {_one_line(before)}»{_one_line(marked)}«{_one_line(after)} …"
    text = answered.body[: 2 * _AROUND].decode("utf-8", "replace")
    more = "…" if len(answered.body) > 2 * _AROUND else ""
    return f"{head}, {len(answered.body)} bytes: {_one_line(text)}{more}"


def as_failure(report: Report, check_id: str, *, target: str) -> str:
    """Return what one check found, as the text of a failed test."""
    found = [each for each in grouped(report) if each[0].check == check_id and fails(each[0])]
    lines = [line for each in found[:_MOST] for line in _explained(report, *each, target=target)]
    more = len(found) - _MOST
    return "\n".join([*lines, *([f"and {more} more"] if more > 0 else [])]).rstrip()


def _one_line(text: str) -> str:
    return json.dumps(text, ensure_ascii=True)[1:-1].replace('\\"', '"')


def excerpt_of(
    finding: Finding, sending: Sending, *, around: int = _AROUND
) -> tuple[str, str, str] | None:
    """Return the bytes before, at and after what a finding is about; None where there are none."""
    text = sending.answered.body.decode("utf-8", "replace")
    is_stream = finding.check.startswith("stream.") or finding.check == "schema.chunk"
    if not finding.violation.pointer:
        return None
    span = span_of(text, finding.violation.pointer, is_stream=is_stream)
    if span is None or not text:
        return None
    start, end = span
    marked = text[start:end]
    if len(marked) > 2 * around:
        marked = f"{marked[:around]}…{marked[-around:]}"
    return text[max(0, start - around) : start], marked, text[end : end + around]


def summary(report: Report) -> str:
    """Return the verdict in one line."""
    verdicts = list(report.verdicts().values())
    parts = [
        f"{verdicts.count(verdict)} {word}"
        for verdict, word in (
            (Verdict.PASSED, "passed"),
            (Verdict.FAILED, "failed"),
            (Verdict.ADVICE, "with notes"),
            (Verdict.SKIPPED, "not applicable"),
        )
        if verdict in verdicts
    ]
    lacking = f"; unsupported: {', '.join(report.unsupported)}" if report.unsupported else ""
    word = "conforms" if report.conforms else "does not conform"
    if report.stopped is not None and not answered(report):
        word = "not judged to the end"
    sent = f"{report.requests} requests in {report.seconds:.1f} s"
    return f"{word}: checks {', '.join(parts)}{lacking}; {sent}"


def answered(report: Report) -> bool:
    """Tell whether the target answered anything at all: else there is no verdict on it."""
    return any(sending.answered.failure is None for sending in report.sendings)
