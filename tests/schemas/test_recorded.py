"""Real traffic against the documents, at level `observed`: no false alarm but the listed ones."""

import json
import re
from collections import Counter
from typing import NamedTuple

import pytest

AZURE = "traceloop-stg.openai.azure.com"
TOGETHER = "api.together.xyz"


class Exempt(NamedTuple):
    """Recorded payloads that our `openai` profile refuses, and why that is right.

    Attributes:
        host: Who answered.
        document: Which document refuses.
        place: The violation's pointer, numbers as `*`.
        keyword: The schema keyword.
        exchanges: In how many exchanges.
        reason: Why the profile stands.
    """

    host: str
    document: str
    place: str
    keyword: str
    exchanges: int
    reason: str


NOT_OPENAI = "A parameter of Together's own, which a closed request refuses."
NULLED = "The client sends null for what it leaves out; the server drops nulls before it looks."
FILTERED = "Azure answered a filtered prompt with status 200 and an error object."
EXEMPT = (
    Exempt(
        "api.openai.com",
        "chunk",
        "/choices/*/delta/tool_calls/*/function/arguments",
        "type",
        1,
        "Not OpenAI: recorded from a gateway (id `gen-…`, a `provider` member, a model of Meta's).",
    ),
    Exempt(
        "api.mistral.ai",
        "response",
        "/choices/*/message/tool_calls",
        "type",
        7,
        "Mistral writes null where OpenAI leaves the key out.",
    ),
    *(
        Exempt(TOGETHER, "request", f"/{name}", "additionalProperties", 1, NOT_OPENAI)
        for name in ("echo", "min_p", "repetition_penalty", "safety_model", "top_k")
    ),
    *(
        Exempt(TOGETHER, "request", f"/{name}", "type", 1, NULLED)
        for name in ("response_format", "tool_choice", "tools")
    ),
    Exempt(
        TOGETHER,
        "response",
        "/choices/*/finish_reason",
        "enum",
        1,
        "Together's `eos`, a reason of its own.",
    ),
    Exempt(
        AZURE,
        "chunk",
        "/object",
        "const",
        20,
        "Azure starts each stream with a chunk of filter results, its id, model and object empty.",
    ),
    Exempt(AZURE, "error", "/error/param", "required", 1, "Azure's own errors have no param."),
    Exempt(
        AZURE,
        "response",
        "/choices/*/message",
        "required",
        1,
        "Azure leaves the message out where its filter removed it.",
    ),
    *(
        Exempt(AZURE, "response", f"/{name}", "required", 1, FILTERED)
        for name in ("choices", "created", "id", "model", "object")
    ),
)


def _read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def recorded(shared):
    """Give the recorded exchanges."""
    return _read(shared / "wire" / "chat-exchanges.jsonl")


def _chunks(text):
    """Return the JSON events of a recorded stream; its framing is another room's business."""
    datas = re.findall(r"^data: ?(\{.*)$", text, re.MULTILINE)
    return [json.loads(data) for data in datas]


def _payloads(exchange):
    yield "request", exchange["request"]
    body = exchange["body"]
    if isinstance(body, str):
        yield from (("chunk", chunk) for chunk in _chunks(body))
    elif body is not None:
        yield ("response" if exchange["status"] == 200 else "error"), body


def _refused(judge, exchange):
    """Return what our documents refuse in an exchange, each kind of fault once."""
    return {
        (exchange["host"], document, re.sub(r"\d+", "*", found.pointer), found.keyword)
        for document, value in _payloads(exchange)
        for found in judge().violations(document, value)
    }


def test_recorded_traffic_is_accepted(recorded, judge):
    """A document that refuses honest traffic would fail honest tests."""
    refused = Counter(fault for each in recorded for fault in _refused(judge, each))
    listed = {(row.host, row.document, row.place, row.keyword): row.exchanges for row in EXEMPT}
    assert refused == listed


def test_recordings_are_many(recorded):
    """An empty file would pass."""
    kinds = Counter(document for each in recorded for document, _ in _payloads(each))
    assert kinds == {"request": 410, "response": 295, "chunk": 2429, "error": 5}
