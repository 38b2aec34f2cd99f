"""Probes: the requests a check sends, made from the profile; none of them judges anything.

What a profile does not know is not asked for: a probe whose request breaks the contract of the
profile is left out.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, TypeAlias

from mockchat.conformance.answers import Sent
from mockchat.contract.contract import Contract
from mockchat.contract.pointers import tokens_of
from mockchat.exchange import ApiError, Violation
from mockchat.payloads.boundaries import boundaries, payload_at
from mockchat.payloads.mutants import mutations_of
from mockchat.payloads.simplest import SimplestDraw
from mockchat.payloads.tokens import approximate_tokens, prompt_tokens
from mockchat.payloads.wire_faults import WIRE_FAULTS
from mockchat.types import Json, JsonObject, JsonView, Level

Depth: TypeAlias = Literal["quick", "full"]
"""How much is asked: a first look, or everything."""

Wanted: TypeAlias = Literal["completion", "refusal", "model", "model-list", "anything"]
"""What a right server answers: the document of its body, or a refusal."""

CHAT = "/chat/completions"
_LIMIT = 64
_GREATEST_N = 2
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
    ("chat.turns", "chat", "quick", {"messages": _TURNS}),
    ("stream.plain", "stream", "quick", _STREAM),
    ("stream.usage", "stream usage", "quick", _USAGE),
    ("stop.text", "stop", "quick", {"stop": ["e"]}),
    ("stop.stream", "stop", "full", {"stop": ["e", "\n"], **_STREAM}),
    ("limit.one-token", "token limit", "quick", {"max_tokens": 1}),
    ("limit.stream", "token limit", "full", {"max_tokens": 1, **_USAGE}),
    ("n.two", "n", "quick", {"n": 2}),
    ("n.stream", "n", "quick", {"n": 2, **_USAGE}),
    ("logprobs.plain", "logprobs", "quick", {"logprobs": True, "top_logprobs": 2}),
    ("logprobs.none", "logprobs", "full", {"logprobs": True, "top_logprobs": 0}),
    ("logprobs.stream", "logprobs", "full", {"logprobs": True, "top_logprobs": 2, **_STREAM}),
    ("tools.required", "tools", "quick", {**_ALL_TOOLS, "tool_choice": "required"}),
    ("tools.stream", "tools", "quick", {**_ALL_TOOLS, "tool_choice": "required", **_STREAM}),
    ("tools.named", "tools", "quick", {**_ALL_TOOLS, "tool_choice": _NAMED}),
    ("tools.named-stream", "tools", "full", {**_ALL_TOOLS, "tool_choice": _NAMED, **_USAGE}),
    ("tools.auto", "tools", "full", _ALL_TOOLS),
    ("tools.auto-stream", "tools", "quick", {**_ALL_TOOLS, **_USAGE}),
    ("tools.none", "tools", "full", {**_ALL_TOOLS, "tool_choice": "none"}),
    ("tools.one-at-a-time", "tools", "full", {**_ALL_TOOLS, **_ONE_CALL}),
    ("tools.result", "tools", "quick", {**_ALL_TOOLS, "messages": _AFTER_CALL}),
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
    "request.tool-choice-needs-tools /tool_choice",
)
_QUICK_WIRE = ("cut short",)
_EVERY_SERVER = ("/messages", "")
_BASIC = frozenset({"required", "type"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One request to a target, and what a right server answers.

    Attributes:
        id: Its stable name, "tools.required".
        capability: What it needs of the target.
        depth: From which depth on it is sent.
        sent: The request.
        asked: Its body as JSON; None where it has none, or is no JSON on purpose.
        wanted: What a right server answers.
        error: The refusal the API answers, as the contract words it; None for a lawful request.
        reason: Why a right server refuses it, in words; "" for a lawful request.
        level: The lowest level at which not refusing it counts.
        is_offered: False for what many servers do not have at all: refusing it is no fault.
    """

    id: str
    capability: str
    depth: Depth = "full"
    sent: Sent
    asked: Json = None
    wanted: Wanted = "completion"
    error: ApiError | None = field(default=None)
    reason: str = ""
    level: Level = "observed"

    @property
    def tokens(self) -> int:
        """About how many tokens the target will spend on it."""
        if self.wanted != "completion" or not isinstance(self.asked, Mapping):
            return 0
        told = (self.asked.get(name) for name in ("max_completion_tokens", "max_tokens"))
        limit = next((limit for limit in told if isinstance(limit, int)), _LIMIT)
        choices = int(self.asked.get("n") or 1)
        return prompt_tokens(self.asked, approximate_tokens()) + limit * choices


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
        *(_boundaries(contract, model) if depth == "full" else ()),
        *_refusals(contract, model, depth),
        *_wire(),
        *_places(contract, model),
    )
    return tuple(probe for probe in made if depth == "full" or probe.depth == "quick")


def base_request(contract: Contract, model: str, **members: Json) -> JsonObject:
    """Return a short request with `members`, its reply limited as the model allows."""
    body: JsonObject = {
        "model": model,
        "messages": [{"role": "user", "content": "Say hello."}],
        **members,
    }
    for limit in ("max_tokens", "max_completion_tokens"):
        if limit in body:
            return body
    for limit in ("max_tokens", "max_completion_tokens"):
        if not contract.request_violations({**body, limit: _LIMIT}):
            return {**body, limit: _LIMIT}
    return body


def chat(body: Json) -> Sent:
    """Return the request for a chat completion."""
    return Sent(path=CHAT, body=json.dumps(body, ensure_ascii=False).encode())


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


def _boundaries(contract: Contract, model: str) -> Iterator[Probe]:
    """Yield a request for each edge of each member that is a plain value."""
    for name, boundary in boundaries(contract, "request").items():
        path = tokens_of(boundary.pointer)
        if len(path) != 1 or path[0] in {"model", "messages"}:
            continue
        value = payload_at(contract, "request", boundary).get(path[0])
        if isinstance(value, dict | list) or (path[0] == "n" and (value or 1) > _GREATEST_N):
            continue
        body = base_request(contract, model, **{path[0]: value})
        if not contract.request_violations(body):
            yield Probe(
                id=f"boundary {name}", capability=f"member {path[0]}", sent=chat(body), asked=body
            )


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


def asked_of(probe: Probe) -> JsonView | None:
    """Return what a probe asked, where it is an object."""
    return probe.asked if isinstance(probe.asked, Mapping) else None
