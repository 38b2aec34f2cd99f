"""Files judged by a contract: bytes to records, records to judgements. No I/O.

A request is judged as the server judges it, a reply by its document and rules, and both together
where both are there.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from mockchat.conformance.exchanges import exchange_records
from mockchat.conformance.har import har_records
from mockchat.conformance.kinds import BOM, FileKind, UnreadableFile
from mockchat.conformance.records import Part, Payload, Record, Stream
from mockchat.contract.contract import Contract
from mockchat.contract.pointers import tokens_of
from mockchat.contract.stream_axes import DONE
from mockchat.contract.stream_framing import FramingJudge
from mockchat.exchange import Violation
from mockchat.server.wire import BadBody, SseDecoder, decode_json
from mockchat.types import JsonView, Level

NOT_JSON = "body.json"
"""The rule that a body which should be JSON is JSON."""

_CHAT = "createChatCompletion"
_PLACEHOLDER = re.compile(r"\\\{[^{}]+\\\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A violation and where it was found.

    Attributes:
        place: The record's place in its file.
        part: What the violation's pointer leads into.
        violation: What is wrong, or worth a note.
    """

    place: str
    part: Part
    violation: Violation


@dataclass(frozen=True, slots=True, kw_only=True)
class FileVerdict:
    """All that is to be said of one file.

    Attributes:
        kind: What it was read as.
        records: How many records were judged.
        passed_over: How many were not, because they are no chat completions.
        judgements: What was found, in the order of the file.
    """

    kind: FileKind
    records: int
    passed_over: int
    judgements: tuple[Judgement, ...]

    @property
    def violations(self) -> int:
        """How many judgements count at the level asked for."""
        return sum(not judgement.violation.is_note for judgement in self.judgements)

    @property
    def notes(self) -> int:
        """How many judgements are notes, which fail nothing."""
        return len(self.judgements) - self.violations


def records_of(data: bytes, kind: FileKind) -> tuple[Record, ...]:
    """Return what `data` holds, read as `kind`.

    Raises:
        UnreadableFile: It is not of that kind: not JSON, a line that is no exchange, no HAR.
    """
    if kind == "stream":
        return (Record(reply=Stream(data=data)),)
    text = data.removeprefix(BOM)
    if kind == "exchanges":
        return exchange_records(text)
    try:
        value = decode_json(text)
    except BadBody as bad:
        raise UnreadableFile(f"not JSON: {bad.detail}") from None
    if kind == "har":
        return har_records(value)
    payload = Payload(part=kind, value=value)
    return (Record(request=payload) if kind == "request" else Record(reply=payload),)


def judge_file(
    contract: Contract, data: bytes, kind: FileKind, *, level: Level = "observed"
) -> FileVerdict:
    """Return the verdict on a file's content.

    Args:
        contract: The profile's contract.
        data: The content.
        kind: What it is; `detected_kind` tells.
        level: How strictly replies are judged.

    Raises:
        UnreadableFile: It cannot be read as `kind`.
        BadArgument: The profile has no document for it.
    """
    records = records_of(data, kind)
    is_chat = chat_paths(contract)
    judged = [
        record
        for record in records
        if record.path is None or (record.method == "POST" and is_chat.search(record.path))
    ]
    return FileVerdict(
        kind=kind,
        records=len(judged),
        passed_over=len(records) - len(judged),
        judgements=tuple(
            judgement for record in judged for judgement in judge_record(contract, record, level)
        ),
    )


def judge_record(
    contract: Contract, record: Record, level: Level = "observed"
) -> Iterator[Judgement]:
    """Yield what is wrong with a record: its request, its reply, and how they fit together."""
    request, reply = record.request, record.reply
    asked = request.value if request is not None and isinstance(request.value, dict) else None
    found: list[tuple[Part, Violation]] = []
    if request is not None:
        found += (("request", each) for each in _of_payload(contract, request, level))
    if isinstance(reply, Stream):
        found += (("stream", each) for each in stream_violations(contract, reply, asked, level))
    elif reply is not None:
        found += ((reply.part, each) for each in _of_payload(contract, reply, level))
        if reply.part == "response" and asked is not None:
            found += _answered(contract, asked, reply, level)
    for part, violation in found:
        yield Judgement(place=record.place, part=part, violation=violation)


def _answered(
    contract: Contract, asked: JsonView, reply: Payload, level: Level
) -> Iterator[tuple[Part, Violation]]:
    for each in contract.exchange_violations(asked, reply.value, level=level):
        yield "response", each
    if asked.get("stream") is True:
        # JSON where a stream was asked for: its type alone can be judged as a stream's.
        content_type = reply.content_type or "application/json"
        settings = contract.profile.settings
        for each in FramingJudge(settings, level=level, content_type=content_type).feed(b""):
            yield "stream", each


def stream_violations(
    contract: Contract, stream: Stream, request: JsonView | None, level: Level
) -> list[Violation]:
    """Return what a stream breaks in its bytes and in its events, in the order of the events.

    Args:
        contract: The profile's contract.
        stream: Its bytes and content type.
        request: What was asked, None where that is not known.
        level: How strictly.
    """
    framing = FramingJudge(contract.profile.settings, level=level, content_type=stream.content_type)
    judge = contract.stream_judge(request=request, level=level)
    decoder = SseDecoder()
    found = [*framing.feed(stream.data), *framing.finish()]
    for event in (*decoder.feed(stream.data), *decoder.finish()):
        found += judge.feed(decoded_event(event.data))
    found += judge.finish()
    return sorted(_told_once(found), key=lambda violation: int(tokens_of(violation.pointer)[0]))


def _told_once(found: list[Violation]) -> Iterator[Violation]:
    """Leave out what both judges of a stream say: events that are not JSON, a missing [DONE]."""
    unread = {each.pointer for each in found if each.rule == "stream.data-json"}
    is_open = any(each.rule == "stream.done-missing" for each in found)
    for each in found:
        is_said = each.rule == "stream.event-object" and each.pointer in unread
        is_said |= each.rule == "stream.ending" and each.expected == DONE and is_open
        if not is_said:
            yield each


def decoded_event(data: str) -> JsonView | str:
    """Return the chunk that an event's data is; the text where it is none, as of `[DONE]`."""
    if data == DONE:
        return DONE
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return data
    return value if isinstance(value, Mapping) else data


def _of_payload(contract: Contract, payload: Payload, level: Level) -> tuple[Violation, ...]:
    if payload.problem is None:
        return contract.violations(payload.part, payload.value, level=level)
    return (
        Violation(rule=NOT_JSON, pointer="", message=f"the body is not JSON: {payload.problem}"),
    )


@lru_cache(maxsize=64)
def chat_paths(contract: Contract) -> re.Pattern[str]:
    """Return what finds the profile's paths of chat completions at the end of a path.

    What stands before them is the base URL of the server that was recorded.
    """
    paths = contract.profile.document("openapi")["paths"]
    ours = [
        path for path, item in paths.items() if item.get("post", {}).get("operationId") == _CHAT
    ]
    either = "|".join(_PLACEHOLDER.sub("[^/]+", re.escape(path)) for path in ours)
    return re.compile(f"(?:{either})$")
