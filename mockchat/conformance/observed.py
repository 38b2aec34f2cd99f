"""What a check is and what it sees: one probe with its answer. Nothing here sends."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

from mockchat.conformance.answers import Answered
from mockchat.conformance.lenient import beyond_schema, readable
from mockchat.conformance.offline import decoded_event, stream_violations
from mockchat.conformance.probe import Probe, asked_of
from mockchat.conformance.records import Stream, payload_of
from mockchat.conformance.since import FIRST, is_advisory
from mockchat.contract.contract import Contract
from mockchat.exchange import Violation, header
from mockchat.payloads.joining import join
from mockchat.payloads.stream_style import stream_style
from mockchat.server.wire import SseDecoder
from mockchat.types import Json, JsonView, Level

_DOCUMENTS = frozenset({"model", "model-list", "stored-list", "stored-messages", "stored-deleted"})

_NOTHING_THERE = frozenset({404, 405, 501})

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
        earlier: The answers that the probe builds on or is compared with, by their probes' ids.
        is_recorded: Whether both were recorded, and not asked for.
    """

    probe: Probe
    answered: Answered
    contract: Contract
    level: Level = "observed"
    earlier: Mapping[str, Answered] = field(default_factory=dict)
    is_recorded: bool = False

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
    def is_broken(self) -> bool:
        """Whether the answer is whole and says that the server failed."""
        status = self.answered.status
        return self.is_whole and status is not None and status >= 500  # noqa: PLR2004 - HTTP's range

    @property
    def is_redirect(self) -> bool:
        """Whether the answer leads elsewhere."""
        return self.answered.is_redirect

    @property
    def is_limited(self) -> bool:
        """Whether the target only says that it was asked too often."""
        return self.is_whole and self.answered.status == 429  # noqa: PLR2004 - HTTP's number

    @property
    def sent_to_api(self) -> bool:
        """Whether the method is one of the API's: HEAD and OPTIONS are HTTP's own business."""
        return self.probe.sent.method not in {"HEAD", "OPTIONS"}

    @property
    def is_judged(self) -> bool:
        """Whether the contract says what the body is to be.

        It does not where a probe was accepted that should have been refused: that is told once, by
        `refusal.refused`; whoever recorded such a request meant it. Nor does it where there is
        nothing at a path that a server need not offer: what routes its requests has answered, as
        it does for `path.unknown`.
        """
        if not self.is_whole or not self.sent_to_api or self.is_redirect:
            return False
        if self.is_accepted:
            return self.probe.wanted != "refusal" or self.is_recorded
        is_offered = self.probe.wanted not in _DOCUMENTS or self.probe.error is not None
        return is_offered or self.answered.status not in _NOTHING_THERE

    @cached_property
    def readable(self) -> JsonView | None:
        """The completion as clients read it; None where there is none that rules can be asked of."""
        payload = payload_of("response", self.answered.body)
        return None if payload.problem else readable(self.contract, payload.value)

    @property
    def document(self) -> str:
        """The document that a whole answer is judged by; "chunk" for a stream."""
        if not self.is_accepted:
            return "error"
        if self.probe.wanted in _DOCUMENTS:
            return self.probe.wanted
        is_stream = self.asks_stream and not isinstance(self.answered.json, Mapping)
        return "chunk" if is_stream else "response"

    def completion_of(self, answered: Answered) -> Json:
        """Return the completion that an answer is, put together if it is a stream.

        None where it is neither, or where its chunks are no chunks.
        """
        if not answered.is_success or answered.failure is not None:
            return None
        if isinstance(answered.json, Mapping):
            return answered.json
        chunks = _chunks_of(answered)
        if not chunks or any(map(self._breaks_schema, chunks)):
            return None
        return join(chunks, style=stream_style(self.contract.profile))

    def _breaks_schema(self, chunk: JsonView) -> bool:
        return not self.contract.is_valid("chunk", chunk, rules=False)

    def ids_of(self, answered: Answered) -> tuple[tuple[int, str], ...]:
        """Return the ids in an answer's chunks, each with the number of its event."""
        return tuple(
            (number, chunk["id"])
            for number, chunk in enumerate(_chunks_of(answered))
            if isinstance(chunk.get("id"), str) and chunk["id"]
        )

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
        since: The minor release it came with.
    """

    id: str
    sentence: str
    source: str
    level: Level = "observed"
    severity: Severity = "error"
    clients: tuple[str, ...] = ()
    since: str = FIRST

    @property
    def is_advisory(self) -> bool:
        """Whether it is too new to fail a run."""
        return is_advisory(self.since)


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


def _chunks_of(answered: Answered) -> tuple[JsonView, ...]:
    """Return the events of a stream that are objects."""
    decoder = SseDecoder()
    decoded = (
        decoded_event(each.data) for each in (*decoder.feed(answered.body), *decoder.finish())
    )
    return tuple(each for each in decoded if isinstance(each, Mapping))


def _contract_violations(seen: Observed) -> Iterator[Violation]:
    if not seen.is_judged:
        return
    document, answered = seen.document, seen.answered
    asked = asked_of(seen.probe) if seen.probe.wanted == "completion" else None
    content_type = header(answered.headers, "content-type") or ""
    if document == "chunk":
        stream = Stream(data=answered.body, content_type=content_type)
        found = stream_violations(seen.contract, stream, asked, seen.level)
        yield from found
        completion = (
            None if any(not each.is_note for each in found) else seen.completion_of(answered)
        )
        if asked is not None and completion is not None:
            yield from seen.contract.exchange_violations(asked, completion, level=seen.level)
    elif document == "response":
        payload = payload_of("response", answered.body)
        if payload.problem is None:
            found = list(seen.contract.violations(document, payload.value, level=seen.level))
            yield from (each for each in found if each.rule.startswith("schema."))
        if seen.readable is not None:
            yield from beyond_schema(seen.contract, seen.readable, asked, seen.level)
    else:
        payload = payload_of("error", answered.body)  # what is no JSON is told elsewhere
        if payload.problem is None:
            yield from _one_cause(
                seen.contract.violations(document, payload.value, level=seen.level)
            )


def _one_cause(found: Sequence[Violation]) -> Sequence[Violation]:
    """Return the one that says it is another object altogether; where none does, all."""
    other = [each for each in found if each.pointer == "/object" and each.keyword == "const"]
    return other or found
