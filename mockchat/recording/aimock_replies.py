"""What a fixture of aimock answers, and when, in the words of a scenario."""

import json
import math
from collections.abc import Iterator

from mockchat.recording.imported import Notes
from mockchat.types import Json, JsonObject, JsonView

_TEXT = {"type": "string"}
_ARGUMENTS = {"type": ["string", "object", "array"]}
_CALL: JsonObject = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "arguments": _ARGUMENTS,
        "id": _TEXT,
    },
    "required": ["name", "arguments"],
}
RESPONSE: JsonObject = {
    "type": "object",
    "properties": {
        "content": {"type": ["string", "object", "array"]},
        "toolCalls": {"type": "array", "items": _CALL},
        "blocks": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"type": {"enum": ["text", "toolCall"]}},
                "required": ["type"],
                "if": {"properties": {"type": {"const": "text"}}},
                "then": {"properties": {"text": _TEXT}, "required": ["text"]},
                "else": _CALL,
            },
        },
        "reasoning": _TEXT,
        "finishReason": _TEXT,
        "usage": {"type": "object"},
        "error": {
            "type": "object",
            "properties": {
                "message": _TEXT,
                "type": _TEXT,
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
            "required": ["message"],
        },
        "status": {"type": "integer"},
        "retryAfter": {"type": "number", "minimum": 0},
    },
}
"""The form of a response, as far as it is imported."""

REPLY_KEYS = frozenset(RESPONSE["properties"])
"""The members of a response that are imported."""

_ENVELOPE = ("id", "created", "model", "systemFingerprint", "role")
_ERRORS = range(400, 600)
_USUAL_ERROR = 500
_SECOND = 1000
_CHUNK_SIZE = 20
"""Characters of a piece, unless a fixture says so."""

_ENDLESS = math.inf

_USAGE = {
    "prompt_tokens": "prompt_tokens",
    "completion_tokens": "completion_tokens",
    "total_tokens": "total_tokens",
    "input_tokens": "prompt_tokens",
    "output_tokens": "completion_tokens",
}


def step_of(
    fixture: JsonObject, pointer: str, notes: Notes, *, has_reasoning: bool
) -> JsonObject | None:
    """Return `reply` and what goes with it; None, and a note, where none of it can be said.

    Args:
        fixture: The fixture, whose form is sound.
        pointer: Where it stands.
        notes: Takes what cannot be kept.
        has_reasoning: Whether messages of the profile can tell what the model thought.
    """
    response, place = fixture["response"], f"{pointer}/response"
    if "error" in response:
        step = _error(response, place, notes)
    elif REPLY_KEYS & {"content", "toolCalls", "blocks"} & response.keys():
        step = _said(response, place, notes, has_reasoning=has_reasoning)
    else:
        named = ", ".join(response) or "nothing"
        notes.add(place, f"the fixture is not imported: it answers {named}, no chat completion")
        return None
    if step is None:
        return None
    for name in ("disconnectAfterMs", "chaos", "openRouterProcessing"):
        if fixture.get(name):
            notes.add(f"{pointer}/{name}", f"{name} is not imported: docs/faults.md has the faults")
    return step | dict(_timing(fixture, is_error="error" in response))


def _error(response: JsonObject, pointer: str, notes: Notes) -> JsonObject | None:
    status = response.get("status", _USUAL_ERROR)
    if status not in _ERRORS:
        notes.add(
            f"{pointer}/status", f"the fixture is not imported: {status} is no status of an error"
        )
        return None
    told = response["error"]
    kept = ("message", "type", "code", "param")
    notes.unknown(f"{pointer}/error", told, kept, "errors have no such member")
    notes.unknown(
        pointer, response, ("error", "status", "retryAfter"), "an error has no such member"
    )
    reply: JsonObject = {"error": status, **{name: told[name] for name in kept if name in told}}
    if "retryAfter" in response:
        reply["retry_after"] = response["retryAfter"]
    return {"reply": reply}


def _said(
    response: JsonObject, pointer: str, notes: Notes, *, has_reasoning: bool
) -> JsonObject | None:
    for name in response.keys() - REPLY_KEYS:
        reason = "it is made for each request" if name in _ENVELOPE else "it has no counterpart"
        notes.add(f"{pointer}/{name}", f"{name} is not imported: {reason}")
    content, calls = _parts(response, pointer, notes)
    step: JsonObject = {"reply": _reply(content, calls)}
    if "reasoning" in response:
        if not has_reasoning:
            fact = "messages of this profile show none; --profile names another"
            notes.add(f"{pointer}/reasoning", f"reasoning is not imported: {fact}")
        elif calls:
            notes.add(
                f"{pointer}/reasoning", "reasoning is not imported: it stands beside tool calls"
            )
        else:
            step["reply"] = {"text": content or "", "reasoning": response["reasoning"]}
    if "finishReason" in response:
        step["finish_reason"] = response["finishReason"]
    usage = dict(_usage(response.get("usage", {}), f"{pointer}/usage", notes))
    return {**step, "usage": usage} if usage else step


def _parts(response: JsonObject, pointer: str, notes: Notes) -> tuple[str | None, list[JsonObject]]:
    """Return text and calls: of the blocks where there are some, as aimock does."""
    blocks = response.get("blocks")
    if not blocks:
        content = response.get("content")
        text = content if content is None or isinstance(content, str) else _compact(content)
        return text, [_call(call) for call in response.get("toolCalls", ())]
    kinds = [block["type"] for block in blocks]
    if kinds != sorted(kinds):  # "text" comes before "toolCall" in a completion
        notes.add(f"{pointer}/blocks", "the order of blocks is not imported: text is sent first")
    texts = [block["text"] for block in blocks if block["type"] == "text"]
    calls = [_call(block) for block in blocks if block["type"] == "toolCall"]
    return "".join(texts) if texts else None, calls


def _call(call: JsonView) -> JsonObject:
    arguments = call["arguments"]
    text = arguments if isinstance(arguments, str) else _compact(arguments)
    named = {"id": call["id"]} if "id" in call else {}
    return {**named, "type": "function", "function": {"name": call["name"], "arguments": text}}


def _compact(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _reply(content: str | None, calls: list[JsonObject]) -> JsonObject:
    if not calls:
        return {"text": content or ""}
    text = {} if content is None else {"content": content}
    return {"message": {**text, "tool_calls": calls}}


def _usage(usage: JsonView, pointer: str, notes: Notes) -> Iterator[tuple[str, Json]]:
    for name, count in usage.items():
        if name in _USAGE and isinstance(count, int):
            yield _USAGE[name], count
        else:
            notes.add(f"{pointer}/{name}", f"{name} is not imported: it is no count of OpenAI's")


def _timing(fixture: JsonView, *, is_error: bool) -> Iterator[tuple[str, Json]]:
    """Yield `plan`, `pacing` and `fault`; the first of three ways to tell delays counts."""
    pacing = _pacing(fixture, fixture.get("replaySpeed", 1))
    if pacing:
        yield "pacing", pacing
    if is_error:
        return
    yield "plan", {"chunks_of": fixture.get("chunkSize", _CHUNK_SIZE)}
    # aimock looks behind each chunk, so that one is always sent.
    sent = max(1, fixture.get("truncateAfterChunks", _ENDLESS))
    if sent < _most_chunks(fixture):
        yield "fault", {"CutStream": {"after_chunks": sent}}


def _most_chunks(fixture: JsonView) -> float:
    """Return how many chunks the text has, with the first and the last, which say none of it."""
    text = fixture["response"].get("content")
    if not isinstance(text, str) or "toolCalls" in fixture["response"]:
        return _ENDLESS
    size: int = fixture.get("chunkSize", _CHUNK_SIZE)
    return 2 + math.ceil(len(text) / size)


def _pacing(fixture: JsonView, speed: float) -> JsonObject:
    by = _SECOND * (speed if speed > 0 else 1)
    profile, recorded = fixture.get("streamingProfile"), fixture.get("recordedTimings")
    if profile:
        each = 1 / profile["tps"] if profile.get("tps", 0) > 0 else _latency(fixture)
        said = {
            "ttft": max(0.0, profile.get("ttft", each * _SECOND) / by),
            "inter_token": each * _SECOND / by,
            "jitter": min(1.0, max(0.0, profile.get("jitter", 0.0))),
        }
    elif recorded:
        waits = [recorded.get("ttftMs", 0), *recorded.get("interChunkDelaysMs", ())]
        return {"delays": [max(0.0, wait) / by for wait in waits]}
    else:
        said = dict.fromkeys(("ttft", "inter_token"), _latency(fixture) * _SECOND / by)
    return {name: round(seconds, 6) for name, seconds in said.items() if seconds}


def _latency(fixture: JsonView) -> float:
    """Return the seconds before each chunk."""
    return float(max(0, fixture.get("latency", 0))) / _SECOND
