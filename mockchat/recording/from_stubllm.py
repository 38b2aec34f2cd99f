"""Fixtures of stubllm as stubs: the most specific of its rules answers, so that one stands first.

Source: stubllm 0.1.5 from the Python package index, its `fixtures/models.py`, `fixtures/matcher.py`
and `providers/openai.py`.
"""

import json
from collections.abc import Iterator, Mapping

from mockchat.recording.imported import Notes, Ruled, containing_any_case, together
from mockchat.scripting.credentials import is_credential
from mockchat.types import Json, JsonObject, JsonView

_PATH = "/v1/chat/completions"
_ERRORS = range(400, 600)
_OK = 200
_MILLISECONDS = 1000

_TEXT = {"type": ["string", "null"]}
_RESPONSE: JsonObject = {
    "type": "object",
    "properties": {
        "content": _TEXT,
        "tool_calls": {
            "type": ["array", "null"],
            "items": {
                "type": "object",
                "properties": {
                    "id": {"type": "string"},
                    "type": {"type": "string"},
                    "function": {
                        "type": "object",
                        "properties": {"name": {"type": "string", "minLength": 1}},
                        "required": ["name"],
                    },
                },
                "required": ["function"],
            },
        },
        "finish_reason": {"type": "string"},
        "usage": {"type": "object", "additionalProperties": {"type": "integer"}},
        "latency_ms": {"type": "integer", "minimum": 0},
        "stream_chunk_delay_ms": {"type": "integer", "minimum": 0},
        "http_status": {"type": "integer"},
        "error_message": _TEXT,
        "error_code": _TEXT,
    },
}
_CONTENT = {
    "oneOf": [
        {"type": ["string", "null"]},
        {
            "type": "object",
            "properties": {"exact": _TEXT, "contains": _TEXT, "regex": _TEXT},
            "anyOf": [
                {"properties": {name: {"type": "string"}}, "required": [name]}
                for name in ("exact", "contains", "regex")
            ],
        },
    ]
}
_FIXTURE: JsonObject = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "match": {
            "type": "object",
            "properties": {
                "provider": _TEXT,
                "endpoint": _TEXT,
                "model": _TEXT,
                "messages": {
                    "type": ["array", "null"],
                    "items": {
                        "type": "object",
                        "properties": {"role": _TEXT, "content": _CONTENT},
                    },
                },
                "tools_present": {"type": ["boolean", "null"]},
                "headers": {
                    "type": ["object", "null"],
                    "additionalProperties": {"type": "string"},
                },
            },
        },
        "response": _RESPONSE,
        "sequence": {"type": ["array", "null"], "items": _RESPONSE},
    },
    "not": {"required": ["response", "sequence"]},
}
_FORM: JsonObject = {
    "if": {"type": "array"},
    "then": {"items": _FIXTURE},
    "else": {
        "if": {"required": ["fixtures"]},
        "then": {"properties": {"fixtures": {"type": "array", "items": _FIXTURE}}},
        "else": _FIXTURE,
    },
}

_MATCH_KEYS = ("provider", "endpoint", "model", "messages", "tools_present", "headers")
_RESPONSE_KEYS = (*_RESPONSE["properties"], "model")
OWN_KEYS = {*_MATCH_KEYS, *_RESPONSE["properties"]} - {"endpoint", "model", "content", "usage"}
"""Members of a match or a response that tell these fixtures from others."""

_SCORES: Mapping[str, int] = {
    "provider": 1,
    "endpoint": 1,
    "model": 2,
    "tools_present": 2,
    "role": 1,
    "exact": 10,
    "contains": 5,
    "regex": 4,
    "content": 3,
}
"""How much each condition adds to the specificity of a rule."""

_IGNORED = "stubllm knows no such member, and passes over it too"


def stubllm_stubs(notes: Notes) -> list[Ruled]:
    """Return the stubs that answer as the fixtures of a file do.

    Args:
        notes: The file; takes what cannot be kept.

    Raises:
        Unimportable: stubllm would refuse it too.
    """
    notes.check(_FORM)
    scored: list[tuple[int, Ruled]] = []
    for pointer, fixture in fixtures_of(notes.said.value):
        notes.unknown(pointer, fixture, ("name", "match", "response", "sequence"), _IGNORED)
        match = fixture.get("match") or {}
        reason = _elsewhere(match)
        if reason is not None:
            notes.add(pointer, f"the fixture is not imported: {reason}")
            continue
        stub = _stub(fixture, pointer, notes)
        if stub is not None:
            scored.append((_score(match), Ruled(stub=stub, pointer=pointer)))
    # Sorted without changing the order of equals: of those, the first answers.
    return [stub for _, stub in sorted(scored, key=lambda each: -each[0])]


def fixtures_of(value: Json) -> Iterator[tuple[str, JsonObject]]:
    """Yield the fixtures of a file with their places, whichever of three forms it has."""
    if isinstance(value, list):
        yield from ((f"/{at}", one) for at, one in enumerate(value))
    elif isinstance(value, dict) and isinstance(value.get("fixtures"), list):
        yield from ((f"/fixtures/{at}", one) for at, one in enumerate(value["fixtures"]))
    elif isinstance(value, dict):
        yield "", value


def _elsewhere(match: JsonView) -> str | None:
    """Return why no chat completion of OpenAI's matches, None where one may."""
    if match.get("provider") not in {None, "", "openai", "any"}:
        return f"provider {match['provider']!r} is no chat completion of OpenAI's"
    if match.get("endpoint") not in {None, "", _PATH}:
        return f"endpoint {match['endpoint']!r} is no chat completion"
    return None


def _score(match: JsonView) -> int:
    named = [name for name in _SCORES if name in _MATCH_KEYS and _asks(match, name)]
    return (
        sum(_SCORES[name] for name in named)
        + len(match.get("headers") or {})
        + sum(_SCORES[_strategy(one)] for one in match.get("messages") or ())
    )


def _asks(match: JsonView, name: str) -> bool:
    if name == "tools_present":
        return match.get(name) is not None
    return bool(match.get(name)) and match.get(name) != "any"


def _strategy(wanted: JsonView) -> str:
    content = wanted.get("content")
    if content is None:
        return "role"
    given = content if isinstance(content, dict) else {}
    return next((name for name in ("exact", "contains", "regex") if given.get(name)), "content")


def _stub(fixture: JsonObject, pointer: str, notes: Notes) -> JsonObject | None:
    match = fixture.get("match") or {}
    notes.unknown(f"{pointer}/match", match, _MATCH_KEYS, _IGNORED)
    when = together(*_conditions(match, f"{pointer}/match", notes))
    sequence = fixture.get("sequence")
    if sequence:
        replies = [(f"{pointer}/sequence/{at}", one) for at, one in enumerate(sequence)]
    else:
        replies = [(f"{pointer}/response", fixture.get("response") or {})]
    steps: list[JsonObject] = []
    for place, response in replies:
        notes.unknown(place, response, _RESPONSE_KEYS, _IGNORED)
        step = _step(response, place, notes)
        if step is not None:
            steps.append(step)
    if not steps:
        return None
    steps[-1]["forever"] = True
    first, *others = steps
    return {**({"when": when} if when else {}), **first, **({"then": others} if others else {})}


def _conditions(match: JsonView, pointer: str, notes: Notes) -> Iterator[JsonObject]:
    asked: JsonObject = {}
    if match.get("model"):
        asked["model"] = match["model"]
    if match.get("tools_present") is not None:
        none: JsonObject = {"tools": []}
        asked |= {"not_": none} if match["tools_present"] else none
    fields = match.get("headers") or {}
    if fields:
        asked["headers"] = {
            name.lower(): _field(name, value, pointer, notes) for name, value in fields.items()
        }
    yield asked
    for wanted in match.get("messages") or ():
        message: JsonObject = {"role": wanted["role"]} if wanted.get("role") is not None else {}
        if wanted.get("content") is not None:
            message["text"] = _text(wanted["content"])
        if message:
            yield {"any_message": message}


def _field(name: str, value: str, pointer: str, notes: Notes) -> Json:
    if not is_credential(name):
        return value
    notes.add(
        f"{pointer}/headers/{name}", f"{name} is a credential and not written: any value matches"
    )
    return {"regex": "."}


def _text(content: Json) -> Json:
    if isinstance(content, str):
        return containing_any_case(content)
    if content.get("exact") is not None:
        return content["exact"]
    if content.get("contains") is not None:
        return containing_any_case(content["contains"])
    return {"regex": f"(?is){content['regex']}"}


def _step(response: JsonView, pointer: str, notes: Notes) -> JsonObject | None:
    status = response.get("http_status", _OK)
    if status >= _ERRORS.start:
        if status not in _ERRORS:
            notes.add(f"{pointer}/http_status", f"the reply is not imported: {status} is no status")
            return None
        return {"reply": _error(response, status), **_pacing(response)}
    if status != _OK:
        notes.add(f"{pointer}/http_status", f"the status {status} is not imported: 200 is sent")
    step: JsonObject = {"reply": _said(response)}
    calls = response.get("tool_calls")
    if not calls and response.get("finish_reason", "stop") != "stop":
        step["finish_reason"] = response["finish_reason"]
    if calls and response.get("content"):
        notes.add(f"{pointer}/content", "content is not imported: stubllm sends the calls alone")
    if response.get("usage"):
        step["usage"] = response["usage"]
    return step | _pacing(response)


def _error(response: JsonView, status: int) -> JsonObject:
    reply: JsonObject = {"error": status}
    if response.get("error_message"):
        reply["message"] = response["error_message"]
    if response.get("error_code"):
        reply |= {"type": response["error_code"], "code": response["error_code"], "param": None}
    return reply


def _said(response: JsonView) -> Json:
    calls = response.get("tool_calls")
    if not calls:
        content = response.get("content")
        return {"text": content} if content is not None else "Mock response."
    return {"message": {"tool_calls": [_call(call) for call in calls]}}


def _call(call: JsonView) -> JsonObject:
    arguments = call["function"].get("arguments", {})
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False)
    named = {"id": call["id"]} if "id" in call else {}
    return {
        **named,
        "type": call.get("type", "function"),
        "function": {"name": call["function"]["name"], "arguments": arguments},
    }


def _pacing(response: JsonView) -> JsonObject:
    pacing: JsonObject = {}
    if response.get("latency_ms"):
        pacing["ttft"] = response["latency_ms"] / _MILLISECONDS
    if response.get("stream_chunk_delay_ms"):
        pacing["inter_token"] = response["stream_chunk_delay_ms"] / _MILLISECONDS
    return {"pacing": pacing} if pacing else {}
