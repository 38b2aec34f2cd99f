"""Checks of what was recorded: the judgements of a run, and nothing is sent."""

import json
import re
from collections.abc import Iterator

from mockchat.conformance.answers import JSON_TYPE, Answered, Sent
from mockchat.conformance.checks import CHECKS, judge
from mockchat.conformance.kinds import FileKind, UnreadableFile
from mockchat.conformance.observed import Observed
from mockchat.conformance.offline import chat_paths, records_of
from mockchat.conformance.probes import Probe, Wanted, level_of
from mockchat.conformance.records import Record, Stream
from mockchat.conformance.report import Outcome, Report, Sending
from mockchat.contract.contract import Contract
from mockchat.contract.stream_framing import MEDIA_TYPE
from mockchat.exchange import Violation
from mockchat.types import Level

_MODELS = re.compile(r"/models(?:/(?P<name>[^/]+))?$")
_SUCCESS = range(200, 300)
_OK, _REFUSED = 200, 400
_UNSEEN = frozenset({"answer.request-id", "answer.whole"})
"""Checks of what recordings leave out: header fields, and connections that broke."""


def recorded_report(
    contract: Contract,
    data: bytes,
    kind: FileKind,
    *,
    level: Level = "observed",
    checks: frozenset[str] = frozenset(CHECKS),
) -> Report:
    """Return what the checks find in recorded exchanges.

    Whether a server offers a capability cannot be seen here: a refusal of a lawful request is
    judged as a refusal. Exchanges of other endpoints are left out.

    Args:
        contract: What they are judged by.
        data: The content of a file.
        kind: What it is: "har", or "exchanges".
        level: How strictly.
        checks: The ids of the checks that count.

    Raises:
        UnreadableFile: It is not of that kind, or holds no exchange with an answer.
    """
    checks -= _UNSEEN
    report = Report(profile=contract.profile.name, level=level, checks=checks)
    for record in records_of(data, kind):
        probe = _probe(contract, record)
        if probe is None or record.reply is None:
            continue
        seen = Observed(
            probe=probe,
            answered=_answered(record),
            contract=contract,
            level=level,
            is_recorded=True,
        )
        applied, findings = judge(seen)
        report.add(
            Sending(
                probe=probe,
                answered=seen.answered,
                outcome=Outcome.ANSWERED,
                applied=applied & checks,
                findings=tuple(each for each in findings if each.check in checks),
            )
        )
    if not report.sendings:
        raise UnreadableFile("it holds no exchange of a chat completion, or of models")
    return report


def _probe(contract: Contract, record: Record) -> Probe | None:
    """Return what a recorded request asked for; None where it is of another endpoint."""
    asked = record.request.value if record.request is not None else None
    path = record.path or "/chat/completions"
    name = f"record {record.place}".strip()
    sent = Sent(
        method=record.method,
        path=path,
        body=None if record.request is None else json.dumps(asked).encode(),
    )
    models = _MODELS.search(path)
    if record.method == "GET" and models is not None:
        wanted: Wanted = "model" if models["name"] else "model-list"
        return Probe(id=name, capability="models", sent=sent, wanted=wanted)
    if record.method != "POST" or not chat_paths(contract).search(path):
        return None
    found = next(_faults(contract, record), None)
    if found is None:
        return Probe(id=name, capability="recorded", sent=sent, asked=asked)
    return Probe(
        id=name,
        capability="refusals",
        sent=sent,
        asked=asked,
        wanted="refusal",
        error=contract.api_error(found, asked),
        reason=found.message.removesuffix("."),
        level=level_of(found),
    )


def _faults(contract: Contract, record: Record) -> Iterator[Violation]:
    if record.request is not None and record.request.problem is None:
        found = contract.request_violations(record.request.value)
        yield from (each for each in found if not each.is_note)


def _answered(record: Record) -> Answered:
    reply = record.reply
    if isinstance(reply, Stream):
        content_type, body = reply.content_type or MEDIA_TYPE, reply.data
        status = record.status or _OK
    else:
        content_type = (reply.content_type if reply is not None else None) or JSON_TYPE
        is_json = reply is not None and reply.problem is None
        body = json.dumps(reply.value, ensure_ascii=False).encode() if is_json and reply else b""
        part = reply.part if reply is not None else "error"
        status = record.status or (_REFUSED if part == "error" else _OK)
    return Answered(status=status, headers=(("content-type", content_type),), body=body)
