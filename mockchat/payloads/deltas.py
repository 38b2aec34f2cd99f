"""The deltas of one choice in order, before they are put into chunks.

The shapes are those recorded from api.openai.com; where a profile's servers differ, its stream
style says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate

from mockchat.payloads.plans import Plan
from mockchat.payloads.stream_style import StreamStyle
from mockchat.types import Json, JsonObject, JsonView

_ROLE_DELTA_ORDER = ("role", "content", "tool_calls", "function_call", "refusal")
_TEXTS = ("content", "refusal")
_AUDIO_PIECE = 4096  # characters of base64, a multiple of 4: each piece decodes on its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one chunk says about one choice.

    Attributes:
        delta: The delta.
        logprobs: The token entries that belong to it, None where there is nothing to tell.
        finish_reason: Set on the last step alone.
    """

    delta: JsonObject
    logprobs: JsonObject | None = None
    finish_reason: str | None = None


def steps_of(choice: JsonView, plan: Plan, style: StreamStyle) -> list[Step]:
    """Return the steps that say `choice`: its role first, its finish reason on the last."""
    message: JsonView = choice.get("message") or {}
    steps = list(_message_steps(message, choice.get("logprobs"), plan, style))
    if style.finish == "own":
        steps.append(Step(delta=dict(style.finish_delta)))
    steps[-1] = replace(steps[-1], finish_reason=choice.get("finish_reason"))
    return [replace(step, delta=spoken_role(message, step.delta, style)) for step in steps]


def spoken_role(message: JsonView, delta: JsonObject, style: StreamStyle) -> JsonObject:
    """Return `delta` with the role of its message, where the style repeats it."""
    is_told = style.role == "every" and "role" in message
    return {"role": message["role"], **delta} if is_told else dict(delta)


def is_lone_role(message: JsonView) -> bool:
    """Return whether the role delta of `message` is the bare one of parallel calls.

    Recorded from 2024 to 2026: two calls or more, no text; the delta is `{role, content: null}`
    and `refusal` is never mentioned.
    """
    calls = message.get("tool_calls")
    is_silent = message.get("content") is None and message.get("refusal") is None
    return is_silent and isinstance(calls, list | tuple) and len(calls) > 1


def _message_steps(
    message: JsonView, logprobs: JsonView | None, plan: Plan, style: StreamStyle
) -> Iterator[Step]:
    entries = {name: _aligned(message, logprobs, name) for name in _TEXTS}
    opening: JsonObject | None = None
    if logprobs is not None:
        opening = {name: [] if entries.get(name) else logprobs[name] for name in logprobs}
    delta = _role_delta(message, style)
    if style.opening == "role":
        delta = {name: value for name, value in delta.items() if value != "" or not message[name]}
    yield Step(delta=delta, logprobs=opening)
    reasoning = message.get(style.reasoning_field) if style.reasoning_field else None
    if isinstance(reasoning, str):
        thought = _text_steps(str(style.reasoning_field), reasoning, [], plan)
        yield from _beside_null(thought, "content", style)
    for name in _TEXTS:
        if isinstance(message.get(name), str):
            said = _text_steps(name, message[name], entries[name], plan)
            silent = style.reasoning_field if isinstance(reasoning, str) else None
            yield from _beside_null(said, silent, style)
    yield from _call_steps(message, plan, style)
    if isinstance(message.get("audio"), dict):
        yield from _audio_steps(message["audio"], plan)
    if message.get("annotations"):
        yield Step(delta={"annotations": message["annotations"]})


def _role_delta(message: JsonView, style: StreamStyle) -> JsonObject:
    """Make the first delta: every member the message has, its long texts still empty."""
    delta: JsonObject = {}
    for name in sorted(message, key=_place):
        value = message[name]
        match name:
            case "content" | "refusal":
                delta[name] = "" if isinstance(value, str) else value
            case "tool_calls" if value:
                if _opens_with_call(message):
                    delta[name] = [_call_header(0, value[0], style)]
            case "function_call" if isinstance(value, dict):
                delta[name] = {**value, "arguments": ""}
            case "annotations" if value:
                pass
            case "audio" if isinstance(value, dict):
                pass
            case style.reasoning_field if isinstance(value, str):
                pass
            case _:
                delta[name] = value
    if style.has_refusal and is_lone_role(message):
        delta.pop("refusal", None)
    return delta


def _place(name: str) -> int:
    known = len(_ROLE_DELTA_ORDER)
    return _ROLE_DELTA_ORDER.index(name) if name in _ROLE_DELTA_ORDER else known


def _aligned(message: JsonView, logprobs: JsonView | None, name: str) -> list[JsonView]:
    """Return the entries of a text whose tokens join to it: only those can follow its pieces."""
    entries = (logprobs or {}).get(name) or []
    tokens = [entry["token"] for entry in entries]
    is_spelt = all(tokens) and "".join(tokens) == message.get(name)
    return list(entries) if is_spelt else []


def _text_steps(name: str, text: str, entries: list[JsonView], plan: Plan) -> Iterator[Step]:
    pieces = plan.cut(text)
    if not entries:
        for piece in pieces:
            yield Step(delta={name: piece})
        return
    # A chunk carries the entries of its own tokens, so a cut inside a token moves to its end.
    other = next(text_name for text_name in _TEXTS if text_name != name)
    told = 0
    ends = list(accumulate(len(entry["token"]) for entry in entries))
    for end in accumulate(map(len, pieces)):
        upto = told
        while upto < len(ends) and (ends[upto - 1] if upto else 0) < end:
            upto += 1
        if upto > told:
            own = entries[told:upto]
            piece = "".join(entry["token"] for entry in own)
            yield Step(delta={name: piece}, logprobs=_in_order({name: own, other: None}))
            told = upto


def _beside_null(steps: Iterator[Step], other: str | None, style: StreamStyle) -> Iterator[Step]:
    """Yield `steps`, each saying that the other text has no piece here, where the style does."""
    null = {other: None} if style.reasoning_null and other is not None else {}
    for step in steps:
        yield replace(step, delta={**step.delta, **null})


def _in_order(logprobs: JsonObject) -> JsonObject:
    return {name: logprobs[name] for name in _TEXTS}


def _opens_with_call(message: JsonView) -> bool:
    return len(message["tool_calls"]) == 1 and not message.get("content")


def _call_steps(message: JsonView, plan: Plan, style: StreamStyle) -> Iterator[Step]:
    for index, call in enumerate(message.get("tool_calls") or ()):
        if not _opens_with_call(message):
            yield Step(delta={"tool_calls": [_call_header(index, call, style)]})
        kind, member = _call_text(call)
        text = call.get(kind, {}).get(member)
        if style.tool_calls == "fragments" and isinstance(text, str):
            for piece in plan.cut(text):
                yield Step(delta={"tool_calls": [{"index": index, kind: {member: piece}}]})
    legacy = message.get("function_call")
    if isinstance(legacy, dict):
        for piece in plan.cut(legacy["arguments"]):
            yield Step(delta={"function_call": {"arguments": piece}})


def _call_text(call: JsonView) -> tuple[str, str]:
    return ("custom", "input") if "custom" in call else ("function", "arguments")


def _call_header(index: int, call: JsonView, style: StreamStyle) -> JsonObject:
    kind, member = _call_text(call)
    named: Json = dict(call.get(kind, {}))
    if style.tool_calls == "fragments" and isinstance(named.get(member), str):
        named[member] = ""
    return {"index": index, **{name: call[name] for name in call if name != kind}, kind: named}


def _audio_steps(audio: JsonView, plan: Plan) -> Iterator[Step]:
    texts = ("transcript", "data")
    opening = {name: value for name, value in audio.items() if name not in (*texts, "expires_at")}
    yield Step(delta={"audio": opening | {name: "" for name in texts if name in audio}})
    for piece in plan.cut(audio.get("transcript", "")):
        yield Step(delta={"audio": {"transcript": piece}})
    data: str = audio.get("data", "")
    for start in range(0, len(data), _AUDIO_PIECE):
        yield Step(delta={"audio": {"data": data[start : start + _AUDIO_PIECE]}})
    if "expires_at" in audio:
        yield Step(delta={"audio": {"expires_at": audio["expires_at"]}})
