"""What a check is and what it sees: one probe with its answer. Nothing here sends."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from mockchat.conformance.answers import Answered
from mockchat.conformance.offline import NOT_JSON, judge_record, stream_violations
from mockchat.conformance.probes import Probe, asked_of
from mockchat.conformance.records import Payload, Record, Stream, payload_of
from mockchat.contract.contract import Contract
from mockchat.exchange import Violation, header
from mockchat.types import Level

Severity: TypeAlias = Literal["error", "advice"]
"""What a finding does to the exit status: fails it, or is only told."""


@dataclass(frozen=True, kw_only=True)
class Observed:
    """One probe with its answer, as checks see it.

    Attributes:
        probe: What was sent and what a right server answers.
        answered: What came back.
        contract: The contract of the profile.
        level: How strictly it is judged.
    """

    probe: Probe
    answered: Answered
    contract: Contract
    level: Level = "observed"

    @property
    def asks_stream(self) -> bool:
        """Whether a stream was asked for."""
        asked = asked_of(self.probe)
        return asked is not None and asked.get("stream") is True

    @property
    def is_whole(self) -> bool:
        """Whether there is an answer, to its end."""
        return self.answered.failure is None and self.answered.status is not None

    @property
    def is_accepted(self) -> bool:
        """Whether the answer is whole and says that all went well."""
        return self.is_whole and self.answered.is_success

    @property
    def is_refused(self) -> bool:
        """Whether the answer is whole and says anything else."""
        return self.is_whole and not self.answered.is_success

    @property
    def document(self) -> str:
        """The document that a whole answer is judged by; "chunk" for a stream."""
        if not self.is_accepted:
            return "error"
        if self.probe.wanted in {"model", "model-list"}:
            return self.probe.wanted
        is_stream = self.asks_stream and not isinstance(self.answered.json, Mapping)
        return "chunk" if is_stream else "response"

    @cached_property
    def violations(self) -> tuple[Violation, ...]:
        """What the body breaks in the contract, whatever it is the body of."""
        return tuple(_contract_violations(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A named judgement.

    Attributes:
        id: Its stable name.
        sentence: What a right server does, in one sentence.
        source: How we know.
        level: The lowest level at which a finding counts; below it is a note.
        severity: Whether a finding fails the run.
        clients: Which real clients break on it, and how; () where none is known to.
    """

    id: str
    sentence: str
    source: str
    level: Level = "observed"
    severity: Severity = "error"
    clients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with one answer.

    Attributes:
        check: The id of the check.
        probe: The id of the probe.
        violation: Where and what.
    """

    check: str
    probe: str
    violation: Violation


def _contract_violations(seen: Observed) -> Iterator[Violation]:
    if not seen.is_whole:
        return
    document, answered = seen.document, seen.answered
    asked = asked_of(seen.probe) if seen.probe.wanted == "completion" else None
    content_type = header(answered.headers, "content-type")
    if document == "chunk":
        stream = Stream(data=answered.body, content_type=content_type)
        yield from stream_violations(seen.contract, stream, asked, seen.level)
    elif document == "response":
        request = None if asked is None else Payload(part="request", value=asked)
        record = Record(request=request, reply=payload_of("response", answered.body))
        for judgement in judge_record(seen.contract, record, seen.level):
            if judgement.part == "response" and judgement.violation.rule != NOT_JSON:
                yield judgement.violation
    else:
        payload = payload_of("error", answered.body)  # what is no JSON is told elsewhere
        if payload.problem is None:
            yield from seen.contract.violations(document, payload.value, level=seen.level)
