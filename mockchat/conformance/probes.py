"""Probes: the requests a check sends, made from the profile; none of them judges anything.

What a profile does not know is not asked for: a probe whose request breaks the contract of the
profile is left out.
"""

from collections.abc import Iterator
from functools import lru_cache

from mockchat.conformance.answers import Sent
from mockchat.conformance.probe import (
    CHAT,
    Depth,
    Probe,
    Wanted,
    asked_of,
    base_request,
    chat,
)
from mockchat.conformance.series import series
from mockchat.contract.contract import Contract
from mockchat.contract.pointers import tokens_of
from mockchat.exchange import Violation
from mockchat.payloads.boundaries import boundaries, payload_at
from mockchat.payloads.mutants import mutations_of
from mockchat.payloads.simplest import SimplestDraw
from mockchat.payloads.wire_faults import WIRE_FAULTS
from mockchat.types import Json, JsonObject, Level

__all__ = [
    "CHAT",
    "Depth",
    "Probe",
    "Wanted",
    "asked_of",
    "base_request",
    "chat",
    "level_of",
    "probes",
]

_GREATEST_N = 2
_FEATURES = frozenset(
    {
        "model",
        "messages",
        "tools",
        "tool_choice",
        "functions",
        "function_call",
        "modalities",
        "audio",
        "moderation",
    }
)
_LONGEST = 32_768
"""The longest body of a boundary, in bytes: beyond it, servers have limits of their own."""

_JSON_WORD = "Answer in JSON."

_WEATHER: JsonObject = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Look up the weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
_TIME: JsonObject = {
    "type": "function",
    "function": {
        "name": "get_time",
        "description": "Look up the time in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
_NAMED: JsonObject = {"type": "function", "function": {"name": "get_weather"}}
_SCHEMA: JsonObject = {
    "type": "json_schema",
    "json_schema": {
        "name": "city",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "people": {"type": "integer"}},
            "required": ["city", "people"],
            "additionalProperties": False,
        },
    },
}
_ASK_WEATHER = [{"role": "user", "content": "What is the weather in Oslo, and what time is it?"}]
_CALLED: JsonObject = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {
            "id": "call_1",
            "type": "function",
            "function": {"name": "get_weather", "arguments": '{"city":"Oslo"}'},
        }
    ],
}
_TURNS = [
    {"role": "system", "content": "You are brief."},
    {"role": "user", "content": "Say one."},
    {"role": "assistant", "content": "One."},
    {"role": "user", "content": "Say two."},
]
_AFTER_CALL = [
    *_ASK_WEATHER,
    _CALLED,
    {"role": "tool", "tool_call_id": "call_1", "content": "4 degrees"},
]
_CALLED_TWICE: JsonObject = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {
            "id": f"call_{number}",
            "type": "function",
            "function": {"name": name, "arguments": '{"city":"Oslo"}'},
        }
        for number, name in enumerate(("get_weather", "get_time"), 1)
    ],
}
_AFTER_CALLS = [
    *_ASK_WEATHER,
    _CALLED_TWICE,
    {"role": "tool", "tool_call_id": "call_2", "content": "noon"},
    {"role": "tool", "tool_call_id": "call_1", "content": "4 degrees"},
    {"role": "assistant", "content": "It is noon, and 4 degrees."},
    {"role": "user", "content": "And in Bergen?"},
]
_STREAM: JsonObject = {"stream": True}
_USAGE: JsonObject = {"stream": True, "stream_options": {"include_usage": True}}
_ALL_TOOLS: JsonObject = {"messages": _ASK_WEATHER, "tools": [_WEATHER, _TIME]}
_ONE_CALL: JsonObject = {"tool_choice": "required", "parallel_tool_calls": False}
_JSON: JsonObject = {
    "messages": [{"role": "user", "content": f"Name a city. {_JSON_WORD}"}],
    "response_format": {"type": "json_object"},
}

_LAWFUL: tuple[tuple[str, str, Depth, JsonObject], ...] = (
    ("chat.plain", "chat", "quick", {}),
    ("chat.turns", "chat", "full", {"messages": _TURNS}),
    ("stream.plain", "stream", "quick", _STREAM),
    ("stream.turns", "stream", "full", {"messages": _TURNS, **_STREAM}),
    ("stream.usage", "stream usage", "quick", _USAGE),
    ("stop.text", "stop", "quick", {"stop": ["e"]}),
    ("stop.stream", "stop", "full", {"stop": ["e", "\n"], **_STREAM}),
    ("limit.one-token", "token limit", "quick", {"max_tokens": 1}),
    ("limit.stream", "token limit", "full", {"max_tokens": 1, **_USAGE}),
    ("n.two", "n", "quick", {"n": 2}),
    ("n.stream", "n", "quick", {"n": 2, **_USAGE}),
    ("logprobs.plain", "logprobs", "quick", {"logprobs": True, "top_logprobs": 2}),
    ("logprobs.none", "logprobs", "full", {"logprobs": True, "top_logprobs": 0}),
    ("logprobs.stream", "logprobs", "quick", {"logprobs": True, "top_logprobs": 2, **_STREAM}),
    ("tools.required", "tools", "quick", {**_ALL_TOOLS, "tool_choice": "required"}),
    ("tools.stream", "tools", "quick", {**_ALL_TOOLS, "tool_choice": "required", **_STREAM}),
    ("tools.named", "tools", "quick", {**_ALL_TOOLS, "tool_choice": _NAMED}),
    ("tools.named-stream", "tools", "full", {**_ALL_TOOLS, "tool_choice": _NAMED, **_USAGE}),
    ("tools.auto", "tools", "full", _ALL_TOOLS),
    ("tools.auto-stream", "tools", "quick", {**_ALL_TOOLS, **_USAGE}),
    ("tools.none", "tools", "full", {**_ALL_TOOLS, "tool_choice": "none"}),
    ("tools.one-at-a-time", "tools", "full", {**_ALL_TOOLS, **_ONE_CALL}),
    ("tools.result", "tools", "quick", {**_ALL_TOOLS, "messages": _AFTER_CALL}),
    ("tools.results", "tools", "full", {**_ALL_TOOLS, "messages": _AFTER_CALLS}),
    ("tools.result-stream", "tools", "full", {**_ALL_TOOLS, "messages": _AFTER_CALL, **_USAGE}),
    ("json.object", "json_object", "quick", _JSON),
    ("json.object-stream", "json_object", "full", {**_JSON, **_STREAM}),
    ("json.schema", "json_schema", "quick", {"response_format": _SCHEMA}),
    ("json.schema-stream", "json_schema", "full", {"response_format": _SCHEMA, **_USAGE}),
)
"""What any request may ask for: id, capability, depth, members."""

_QUICK_REFUSALS = (
    "/ without messages",
    "/messages string",
    "/temperature above",
    "/temperature string",
)
_QUICK_WIRE = ("cut short",)
_EVERY_SERVER = ("/messages", "")
_BASIC = frozenset({"required", "type"})


@lru_cache(maxsize=16)
def probes(contract: Contract, *, model: str, depth: Depth = "full") -> tuple[Probe, ...]:
    """Return the probes of a profile, in the order they are best sent.

    Args:
        contract: The profile's contract.
        model: The model every request names.
        depth: "quick": under thirty. "full": every boundary and every rule, one violation each.
    """
    made = (
        *_lawful(contract, model),
        *_of_models(contract, model),
        *series(contract, model),
        *(_boundaries(contract, model) if depth == "full" else ()),
        *_refusals(contract, model, depth),
        *_places(contract, model),
        *_manners(contract, model),
        *_wire(),  # last: there are servers that never answer what is no JSON
    )
    return tuple(probe for probe in made if depth == "full" or probe.depth == "quick")


def _lawful(contract: Contract, model: str) -> Iterator[Probe]:
    for name, capability, depth, members in _LAWFUL:
        body = base_request(contract, model, **members)
        if not contract.request_violations(body):
            yield Probe(id=name, capability=capability, depth=depth, sent=chat(body), asked=body)


def _of_models(contract: Contract, model: str) -> Iterator[Probe]:
    paths = contract.profile.document("openapi")["paths"]
    if "/models" in paths:
        sent = Sent(method="GET", path="/models")
        yield Probe(
            id="models.list", capability="models", depth="quick", sent=sent, wanted="model-list"
        )
    if "/models/{model}" in paths:
        sent = Sent(method="GET", path=f"/models/{model}")
        yield Probe(
            id="models.retrieve", capability="models", depth="quick", sent=sent, wanted="model"
        )
        unknown = f"{model}-that-is-not-there"
        yield Probe(
            id="models.retrieve-unknown",
            capability="unknown models",
            sent=Sent(method="GET", path=f"/models/{unknown}"),
            wanted="model",
            error=contract.error("model_not_found", model=unknown),
        )


def _boundaries(contract: Contract, model: str) -> Iterator[Probe]:
    """Yield a request for each edge of each member, of members within members as well.

    What opens a feature of its own is left to the probes of the feature, and to drawn requests.
    """
    for name, boundary in boundaries(contract, "request").items():
        path = tokens_of(boundary.pointer)
        if not path or path[0] in _FEATURES:
            continue
        drawn = payload_at(contract, "request", boundary)
        value = drawn.get(path[0])
        if path[0] == "n" and (value or 1) > _GREATEST_N:
            continue
        # What belongs to it comes along: the stream of stream_options, the tools of a tool_choice.
        others = {each: drawn[each] for each in drawn if each not in {"model", "messages"}}
        is_plain = not isinstance(value, dict | list)
        members = {path[0]: value} if is_plain else {**others, **_words_for(value)}
        body = base_request(contract, model, **members)
        sent = chat(body)
        if len(sent.body or b"") < _LONGEST and not contract.request_violations(body):
            yield Probe(
                id=f"boundary {name}", capability=f"member {path[0]}", sent=sent, asked=body
            )


def _words_for(value: Json) -> JsonObject:
    """Return the messages that go with a member: JSON is only made where the word is said."""
    is_json = isinstance(value, dict) and value.get("type") == "json_object"
    return {"messages": _JSON["messages"]} if is_json else {}


def _refusals(contract: Contract, model: str, depth: Depth) -> Iterator[Probe]:
    """Yield every request that is wrong in one member of its top, or by one rule."""
    for name, making in mutations_of(contract, "request").items():
        if depth == "quick" and name not in _QUICK_REFUSALS:
            continue
        mutant = making(SimplestDraw(), "wild")
        body, rule = mutant.payload, mutant.mutation.rule
        if rule.startswith("schema.") and len(tokens_of(mutant.mutation.pointer)) > 1:
            continue
        if isinstance(body, dict) and isinstance(body.get("model"), str) and "model" not in name:
            known = contract.profile.model(body["model"])
            body = {**body, "model": model} if known is None else body
        found = [each for each in contract.request_violations(body) if not each.is_note]
        if not found or found[0].rule != rule:
            continue
        yield Probe(
            id=f"refuses {name}",
            capability="refusals",
            depth="quick" if name in _QUICK_REFUSALS else "full",
            sent=chat(body),
            asked=body,
            wanted="refusal",
            error=contract.api_error(found[0], body),
            reason=mutant.mutation.reason,
            level=level_of(found[0]),
        )


def level_of(violation: Violation) -> Level:
    """Return the lowest level at which accepting such a request counts.

    Any server must notice that the messages are missing, or are none.
    """
    is_basic = violation.keyword in _BASIC and violation.pointer in _EVERY_SERVER
    return "observed" if is_basic else "documented"


def _wire() -> Iterator[Probe]:
    for name, (data, reason) in WIRE_FAULTS.items():
        yield Probe(
            id=f"refuses {name}",
            capability="refusals",
            depth="quick" if name in _QUICK_WIRE else "full",
            sent=Sent(path=CHAT, body=data),
            wanted="refusal",
            reason=reason,
            level="observed" if name in _QUICK_WIRE else "documented",
        )


def _places(contract: Contract, model: str) -> Iterator[Probe]:
    """Yield wrong paths, methods, models and keys."""
    body = base_request(contract, model)
    unknown = base_request(contract, f"{model}-that-is-not-there")
    yield Probe(
        id="models.unknown",
        capability="unknown models",
        depth="quick",
        sent=chat(unknown),
        asked=unknown,
        wanted="anything",
        error=contract.error("model_not_found", model=unknown["model"]),
    )
    yield Probe(
        id="path.unknown",
        capability="errors",
        depth="quick",
        sent=Sent(path="/chat/no-such-path", body=b"{}"),
        wanted="refusal",
        reason="there is nothing at this path",
        error=contract.error("invalid_url", method="POST", path="/v1/chat/no-such-path"),
    )
    yield Probe(
        id="method.wrong",
        capability="errors",
        depth="quick",
        sent=Sent(method="DELETE", path=CHAT),
        wanted="refusal",
        reason="a completion is asked for by POST",
    )
    yield Probe(
        id="auth.missing",
        capability="authorization",
        depth="quick",
        sent=Sent(path=CHAT, body=chat(body).body, drops=frozenset({"authorization", "api-key"})),
        asked=body,
        wanted="anything",
        reason="no key came with it",
    )
    wrong = (("authorization", "Bearer sk-mockchat-wrong"), ("api-key", "sk-mockchat-wrong"))
    yield Probe(
        id="auth.wrong",
        capability="authorization",
        depth="quick",
        sent=Sent(path=CHAT, body=chat(body).body, headers=wrong),
        asked=body,
        wanted="anything",
        reason="its key is wrong",
    )


def _manners(contract: Contract, model: str) -> Iterator[Probe]:
    """Yield what HTTP allows and the API says nothing of: it must not break the server."""
    body = base_request(contract, model)
    for method, path in (("HEAD", "/models"), ("OPTIONS", CHAT)):
        yield Probe(
            id=f"method.{method.lower()}",
            capability="errors",
            sent=Sent(method=method, path=path),
            wanted="anything",
        )
    yield Probe(
        id="wire.labelled-text",
        capability="errors",
        sent=Sent(path=CHAT, body=chat(body).body, headers=(("content-type", "text/plain"),)),
        wanted="anything",
    )
