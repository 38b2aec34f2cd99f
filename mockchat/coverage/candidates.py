"""Exchanges that may meet what is missing: a request and a stub for it, the plainest first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from mockchat.contract.contract import Contract
from mockchat.contract.stream_axes import stream_axes
from mockchat.coverage.error_items import RETRY_AFTER, fields_of
from mockchat.payloads.plans import at_once
from mockchat.payloads.rule_keeping import UNKNOWN_MODEL
from mockchat.scripting.builders import audio, choices, error, message, refusal, text, tool_call
from mockchat.scripting.contents import Reply, reply_of
from mockchat.scripting.fault_list import stream_faults
from mockchat.types import Json, JsonObject, JsonView

HELLO: JsonView = {"role": "user", "content": "hi"}
"""What is asked where it does not matter."""

_PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
_WEATHER = {"name": "get_weather", "parameters": _PARAMETERS}
_TOOLS: JsonView = {"tools": [{"type": "function", "function": _WEATHER}]}
_CUSTOM: JsonView = {"tools": [{"type": "custom", "custom": {"name": "note"}}]}
_FUNCTIONS: JsonView = {"functions": [_WEATHER]}
_AUDIO: JsonView = {
    "modalities": ["text", "audio"],
    "audio": {"voice": "alloy", "format": "pcm16"},
}
_LOGPROBS: JsonView = {"logprobs": True, "top_logprobs": 2}
_STREAM: JsonView = {"stream": True}
_USAGE: JsonView = {"stream": True, "stream_options": {"include_usage": True}}
_UNPADDED: JsonView = {"stream": True, "stream_options": {"include_obfuscation": False}}
_LONG = "Hello, world: this is a text of several tokens."
_OSLO = tool_call("get_weather", city="Oslo")
_BERGEN = tool_call("get_weather", city="Bergen")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One exchange to try.

    Attributes:
        request: What the client sends, besides model and messages.
        reply: What it is given.
        options: The keywords of `reply`.
        body: The whole request, where it is not `request` with a greeting.
    """

    request: JsonView = field(default_factory=dict)
    reply: Reply
    options: Mapping[str, Any] = field(default_factory=dict)
    body: JsonView | None = None

    @property
    def asked(self) -> JsonObject:
        """The body that the client sends."""
        if self.body is not None:
            return dict(self.body)
        return {"model": UNKNOWN_MODEL, "messages": [dict(HELLO)], **self.request}

    @property
    def code(self) -> str:
        """The stub, as a test writes it."""
        said = ", ".join([repr(self.reply), *(f"{k}={v!r}" for k, v in self.options.items())])
        return f"mockchat.reply({said})"


def plain_candidates(contract: Contract) -> Iterator[Candidate]:
    """Yield replies as a test writes them, whole and streamed, then errors and faults."""
    for request, reply in _said():
        yield Candidate(request=request, reply=reply)
        for stream in (_STREAM, _USAGE):
            yield Candidate(request={**request, **stream}, reply=reply)
    hello = reply_of(_LONG)
    yield Candidate(request=_STREAM, reply=hello, options={"plan": at_once()})
    if stream_axes(contract.profile.settings).obfuscation:
        yield Candidate(request=_UNPADDED, reply=hello)
    yield from _errors(contract)
    occasions: Mapping[str, tuple[JsonView, Reply]] = {
        "stream": (_STREAM, hello),
        "tool calls": ({**_STREAM, **_TOOLS}, _OSLO),
        "usage": (_USAGE, hello),
    }
    for fault in stream_faults():
        request, reply = occasions[fault.occasion]
        yield Candidate(request=request, reply=reply, options={"fault": fault})


def _said() -> Iterator[tuple[JsonView, Reply]]:
    hello = reply_of("Hello, world.")
    yield {}, hello
    yield {}, reply_of(_LONG)
    yield {}, text("Hello, wor", finish_reason="length")
    yield {}, text("Hello.", finish_reason="content_filter")
    yield {}, refusal("I cannot help with that.")
    yield {"n": 2}, hello
    yield {"n": 2}, choices(["Hello.", refusal("I cannot help with that.")])
    yield _TOOLS, _OSLO
    yield _TOOLS, reply_of([_OSLO, _BERGEN])
    yield _TOOLS, reply_of(["One moment.", _OSLO])
    yield _CUSTOM, tool_call("note", "buy milk")
    yield (
        _FUNCTIONS,
        message({"function_call": {"name": "get_weather", "arguments": '{"city":"Oslo"}'}}),
    )
    yield _LOGPROBS, hello
    yield {"logprobs": True}, hello
    yield {"logprobs": True}, refusal("No.")
    yield _AUDIO, audio("Hello.")
    yield {}, text("Hello.", reasoning="A greeting.")
    for count in (1, 2):
        yield {}, message({"content": "Hello.", "annotations": [_annotation()] * count})
    yield {"moderation": {"model": "omni-moderation-latest"}}, hello
    for tier in ("auto", "default", "flex", "priority"):
        yield {"service_tier": tier}, hello
    yield {"store": True, "metadata": {"topic": "greeting"}}, hello


def _annotation() -> JsonObject:
    cited = {"start_index": 0, "end_index": 5, "url": "https://example.com/", "title": "Example"}
    return {"type": "url_citation", "url_citation": cited}


def _errors(contract: Contract) -> Iterator[Candidate]:
    profile = contract.profile
    samples = profile.settings.get("scripted_errors", {}).get("samples", {})
    for name, entry in profile.errors.items():
        known = {"model", "method", "path", *samples.get(name, {})}
        fields = {each: "x" for each in fields_of(contract, name) if each not in known}
        made: Json = {"fields": fields} if fields else {}
        yield Candidate(reply=error(name, **made))
        if entry["status"] in RETRY_AFTER:
            yield Candidate(reply=error(name, retry_after=1, **made))
    for code, param, type_ in product((None, "text"), repeat=3):
        yield Candidate(reply=error(400, code=code, param=param, type=type_))
