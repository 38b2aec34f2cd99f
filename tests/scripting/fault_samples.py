"""Undamaged deliveries of each kind, and what the judges say of a damaged one."""

import json

from mockchat.contract.contract import contract_for
from mockchat.contract.stream_framing import FramingJudge
from mockchat.exchange import Delivery, Write, header
from mockchat.payloads.chunking import split
from mockchat.payloads.completions import completion_of
from mockchat.payloads.encoding import DONE, encode_chunk, encode_json
from mockchat.payloads.plans import chunks_of
from mockchat.payloads.seeded import SeededDraw
from mockchat.server.wire import SseDecoder

CONTRACT = contract_for()
TEXT = "Grüße, \u2028 Welt 👩\u200d👧"
FUNCTION = {"name": "get_weather", "arguments": '{"city": "Oslo"}'}
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
CALLING = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"type": "function", "function": FUNCTION}],
}
ASKED = {
    "model": "gpt-4o",
    "messages": [{"role": "user", "content": "hi"}],
    "stream": True,
}
REQUESTS = {
    "stream": ASKED,
    "usage": ASKED | {"stream_options": {"include_usage": True}},
    "tool calls": ASKED | {"tools": [TOOL]},
}


def draw(seed=0):
    """Return a draw."""
    return SeededDraw(seed)


def completion(occasion="stream"):
    """Return the completion that the samples say."""
    message = CALLING if occasion == "tool calls" else {"role": "assistant", "content": TEXT}
    return completion_of(REQUESTS[occasion], draw(), contract=CONTRACT, message=message)


def streamed(occasion="stream", size=6, **changes):
    """Return an undamaged stream, one write an event."""
    chunks = split(
        completion(occasion),
        chunks_of(size),
        include_usage=occasion == "usage",
        obfuscation=True,
        draw=draw(),
    )
    headers = (("content-type", "text/event-stream; charset=utf-8"), ("x-request-id", "req_1"))
    writes = (*(Write(data=encode_chunk(chunk)) for chunk in chunks), Write(data=DONE))
    return Delivery(status=200, headers=headers, writes=writes, is_stream=True, **changes)


def whole():
    """Return an undamaged JSON reply."""
    body = encode_json(completion())
    return Delivery(
        status=200, headers=(("content-type", "application/json"),), writes=(Write(data=body),)
    )


def received(delivery):
    """Return the data of the events that a standard client gets, cuts included."""
    decoder = SseDecoder()
    return [event.data for event in (*decoder.feed(delivery.body), *decoder.finish())]


def broken_rules(delivery, occasion="stream", level="documented"):
    """Return the rules that the judges of bytes and of events find broken."""
    framing = FramingJudge(
        CONTRACT.profile.settings,
        level=level,
        content_type=header(delivery.headers, "content-type"),
    )
    found = [*framing.feed(delivery.body), *framing.finish()]
    judge = CONTRACT.stream_judge(request=REQUESTS[occasion], level=level)
    for data in received(delivery):
        try:
            found += judge.feed("[DONE]" if data == "[DONE]" else json.loads(data))
        except ValueError:
            continue  # that it is no JSON, the judge of bytes has told
    return {violation.rule for violation in (*found, *judge.finish()) if not violation.is_note}
