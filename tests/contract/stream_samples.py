"""Streams written by hand, with the builders they are made of."""

import json
from dataclasses import dataclass, field

from mockchat.contract.profile import schemas_directory
from mockchat.contract.stream_chunk_rules import padding_length

OPENAI = json.loads((schemas_directory() / "openai" / "profile.json").read_text(encoding="utf-8"))
"""The settings of the openai profile."""

REQUEST = {"stream": True, "stream_options": {"include_obfuscation": False}}
"""A request whose stream is the plainest there is."""

WITH_USAGE = {
    "stream": True,
    "stream_options": {"include_obfuscation": False, "include_usage": True},
}

HEAD = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1700000000,
    "model": "gpt-4o-2024-08-06",
    "service_tier": "default",
    "system_fingerprint": "fp_0123456789",
}

ROLE = {"role": "assistant", "content": "", "refusal": None}
CALLING = {"role": "assistant", "content": None}
COUNTS = {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}
DONE = "[DONE]"


def settings(**axes):
    """Return the openai profile's settings with other axes of the stream."""
    return OPENAI | {"stream": OPENAI["stream"] | axes}


def entry(delta, finish_reason=None, index=0, **members):
    """Return an entry of `choices`."""
    return {"index": index, "delta": delta, "finish_reason": finish_reason, **members}


def chunk(*entries, **members):
    """Return a chunk around entries of `choices`."""
    return HEAD | {"choices": list(entries)} | members


def says(delta, finish_reason=None, index=0, **members):
    """Return a chunk with one choice; `members` are the chunk's."""
    return chunk(entry(delta, finish_reason, index), **members)


def header(index=0, name="get_weather", arguments=""):
    """Return the delta that opens a tool call."""
    function = {"name": name, "arguments": arguments}
    call = {"index": index, "id": f"call_{index}", "type": "function", "function": function}
    return {"tool_calls": [call]}


def part(arguments, index=0, **members):
    """Return the delta that goes on with a tool call."""
    return {"tool_calls": [{"index": index, "function": {"arguments": arguments}, **members}]}


TEXT = (says(ROLE), says({"content": "Hi"}), says({}, "stop"), DONE)
CALL = (
    says({**CALLING, **header()}),
    says(part('{"city":')),
    says(part('"Oslo"}')),
    says({}, "tool_calls"),
    DONE,
)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A stream with what it answers and the axes it is judged by."""

    events: tuple
    request: dict | None = field(default_factory=lambda: REQUEST)
    axes: dict = field(default_factory=dict)

    @property
    def settings(self):
        """The settings to judge it by."""
        return settings(**self.axes)


def with_padding(events):
    """Return the events with the padding each chunk should have."""
    return tuple(
        event if event == DONE else event | {"obfuscation": "x" * padding_length(event)}
        for event in events
    )


def nulled(*events):
    """Return the events with `usage` null on each chunk."""
    return tuple(event if event == DONE else event | {"usage": None} for event in events)


def framed(*events):
    """Return the bytes of a stream as OpenAI frames them."""
    texts = [
        event if isinstance(event, str) else json.dumps(event, separators=(",", ":"))
        for event in events
    ]
    return "".join(f"data: {text}\n\n" for text in texts).encode()
