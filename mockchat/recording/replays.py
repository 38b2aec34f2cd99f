"""One recorded exchange as the words of a scenario that answer it again."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mockchat.contract.contract import Contract
from mockchat.errors import MockchatError
from mockchat.exchange import Headers, Violation, header
from mockchat.payloads.stream_style import StreamStyle, stream_style
from mockchat.recording.exchanges import RecordedExchange
from mockchat.scripting.contents import Failure
from mockchat.scripting.replies import api_error
from mockchat.scripting.request_view import RequestView
from mockchat.scripting.scenario_words import replied
from mockchat.scripting.sse import SseDecoder, SseEvent
from mockchat.server.wire import BadBody, decode_json
from mockchat.types import Json, JsonObject, JsonView, Level

_DONE = "[DONE]"
_FIRST_FAILURE, _SUCCESS = 400, range(200, 300)
_DECIMALS = 4
_SOON = 0.005
"""Seconds within which `[DONE]` follows at once."""

_TELLING = ("retry-after", "x-ratelimit-", "x-should-retry")
"""How the names of the fields begin that clients of a refused request heed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What a scenario says to one exchange.

    Attributes:
        step: `reply`, `pacing` and `fault`, as a scenario writes them.
        violations: What the answer broke in the contract.
    """

    step: JsonObject
    violations: tuple[Violation, ...] = ()


def replay_of(exchange: RecordedExchange, contract: Contract, *, level: Level) -> Replay:
    """Return the words that answer an exchange again.

    What the words for completions, streams and errors cannot say is written byte by byte, as
    `Verbatim`.

    Args:
        exchange: Its request is a JSON object.
        contract: Judges the answer.
        level: How strictly.
    """
    request = exchange.request or {}
    is_stream = exchange.content_type == "text/event-stream"
    if exchange.status in _SUCCESS and is_stream == (request.get("stream") is True):
        found = _streamed if is_stream else _completed
        replay = found(exchange, request, contract, level)
    else:
        replay = _refused(exchange, request, contract)
    return replay or _verbatim(exchange)


def _completed(
    exchange: RecordedExchange, request: JsonView, contract: Contract, level: Level
) -> Replay | None:
    completion = exchange.reply
    if exchange.ended != "whole" or not isinstance(completion, dict):
        return None
    found = contract.violations("response", completion, level=level)
    if not _wrong(found):
        found = contract.exchange_violations(request, completion, level=level)
    reply = _marked({"completion": completion}, is_checked=not _wrong(found))
    return Replay(step={"reply": reply, **_held(exchange)}, violations=_wrong(found))


def _refused(exchange: RecordedExchange, request: JsonView, contract: Contract) -> Replay | None:
    body = exchange.reply
    told = body.get("error") if isinstance(body, dict) else None
    if exchange.status < _FIRST_FAILURE or exchange.ended != "whole" or not isinstance(told, dict):
        return None
    kept = ("message", "type", "code", "param")
    reply: JsonObject = {"error": exchange.status, **{k: told[k] for k in kept if k in told}}
    fields = _telling(exchange.reply_headers)
    if fields:
        reply["headers"] = fields
    view = RequestView(method=exchange.method, path=exchange.path, body=dict(request))
    try:
        content = replied(reply).content
        if not isinstance(content, Failure):
            return None
        error = api_error(content, contract, view)
    except MockchatError:  # a status without an error of its own, or members of another type
        return None
    same = contract.envelope(error) == body and _telling(error.headers) == fields
    return Replay(step={"reply": reply, **_held(exchange)}) if same else None


def _streamed(
    exchange: RecordedExchange, request: JsonView, contract: Contract, level: Level
) -> Replay | None:
    style = stream_style(contract.profile)
    events = tuple(_events(exchange))
    is_over = bool(events) and events[-1][1].data == _DONE
    said = events[:-1] if is_over else events
    chunks = [chunk for _, event in said if (chunk := _chunk(event)) is not None]
    if len(chunks) < len(said) or (is_over and not style.done):
        return None
    fault = _ending(exchange, len(chunks), style, is_over=is_over)
    if not chunks:
        if exchange.ended == "whole" or is_over:
            return None
        return Replay(step={"reply": {"generated": {}}, **_held(exchange), "fault": fault})
    judge = contract.stream_judge(request=request, level=level)
    fed = _wrong([found for chunk in chunks for found in judge.feed(chunk)])
    unfinished = _wrong([*judge.feed(_DONE), *judge.finish()])
    step: JsonObject = {
        "reply": _marked({"chunks": chunks}, is_checked=not (fed or unfinished)),
        "pacing": {"delays": _delays(events, style, is_over=is_over)},
    }
    if fault is not None:
        step["fault"] = fault
    return Replay(step=step, violations=(*fed, *(unfinished if exchange.ended == "whole" else ())))


def _ending(exchange: RecordedExchange, count: int, style: StreamStyle, *, is_over: bool) -> Json:
    """Return the fault that ends a stream as it ended; what follows `[DONE]` does not count."""
    if is_over:
        return None
    if exchange.ended == "whole":
        return "missing-done" if style.done else None
    cut: JsonObject = {"after_chunks": count}
    if exchange.ended == "reset":
        cut["reset"] = True
    return {"CutStream": cut}


def _events(exchange: RecordedExchange) -> Iterator[tuple[float, SseEvent]]:
    """Yield the events of a stream, each with the time at which it was there."""
    decoder = SseDecoder()
    for seconds, data in exchange.pieces:
        for event in decoder.feed(data):
            yield seconds, event
    if exchange.ended == "whole":  # what a broken stream has left open never was an event
        for event in decoder.finish():
            yield exchange.seconds, event


def _chunk(event: SseEvent) -> JsonObject | None:
    """Return the chunk of an event, None where it is none."""
    try:
        chunk = decode_json(event.data.encode())
    except BadBody:
        return None
    return chunk if isinstance(chunk, dict) and event.event == "message" else None


def _delays(
    events: Sequence[tuple[float, SseEvent]], style: StreamStyle, *, is_over: bool
) -> list[float]:
    times = [round(seconds, _DECIMALS) for seconds, _ in events]
    if is_over and (len(times) == 1 or times[-1] - times[-2] < _SOON):
        times.pop()
    waits = [
        round(now - before, _DECIMALS) for before, now in zip([0.0, *times], times, strict=False)
    ]
    return [0.0] * len(style.comments) + waits


def _verbatim(exchange: RecordedExchange) -> Replay:
    """Return the bytes of an answer as they came, under a reply that does not matter."""
    pieces, before = [], 0.0
    try:
        whole = [data.decode() for _, data in exchange.pieces]
    except UnicodeDecodeError:
        whole = [base64.b64encode(data).decode() for _, data in exchange.pieces]
    is_text = all(
        text.encode() == data for text, (_, data) in zip(whole, exchange.pieces, strict=True)
    )
    for text, (seconds, _) in zip(whole, exchange.pieces, strict=True):
        now = round(seconds, _DECIMALS)
        pieces.append([round(now - before, _DECIMALS), text])
        before = now
    content_type = header(exchange.reply_headers, "content-type")
    fields = {} if content_type is None else {"content-type": content_type}
    said: JsonObject = {
        "status": exchange.status,
        "headers": fields | _telling(exchange.reply_headers),
    }
    said["pieces"] = pieces
    if not is_text:
        said["base64"] = True
    if exchange.content_type == "text/event-stream":
        said["is_stream"] = True
    if exchange.ended != "whole":
        said["ending"] = "reset" if exchange.ended == "reset" else "cut"
    return Replay(step={"reply": {"unchecked": ""}, "fault": {"Verbatim": said}})


def _held(exchange: RecordedExchange) -> JsonObject:
    return {"pacing": {"ttft": round(exchange.seconds, _DECIMALS)}}


def _telling(headers: Headers) -> dict[str, str]:
    return {name: value for name, value in headers if name.lower().startswith(_TELLING)}


def _marked(reply: JsonObject, *, is_checked: bool) -> JsonObject:
    return reply if is_checked else {"unchecked": reply}


def _wrong(violations: Sequence[Violation]) -> tuple[Violation, ...]:
    return tuple(one for one in violations if not one.is_note)
