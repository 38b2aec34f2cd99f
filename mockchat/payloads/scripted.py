"""Fill in what a scripted message leaves out: ids, types, the members every message has."""

import json
from collections.abc import Mapping

from mockchat.payloads.answering import Answering
from mockchat.payloads.audio import audio_of
from mockchat.payloads.choices import Answer
from mockchat.payloads.draw import Draw
from mockchat.payloads.names import spelt, tool_call_id
from mockchat.payloads.usage import Spent
from mockchat.types import Json, JsonObject, JsonView


def scripted_answer(
    message: JsonView,
    finish_reason: str | None,
    answering: Answering,
    draw: Draw,
    *,
    created: int = 0,
) -> Answer:
    """Return `message` as a choice; its finish reason follows from it unless one is given.

    `created` is the completion's: audio is kept for a time from then on.
    """
    filled: JsonObject = {"content": None, **message}
    if isinstance(filled.get("tool_calls"), list | tuple):
        pattern = answering.members.id_patterns.get("call")
        filled["tool_calls"] = [_filled_call(call, pattern, draw) for call in filled["tool_calls"]]
    if isinstance(filled.get("function_call"), Mapping):
        filled["function_call"] = _with_text(filled["function_call"])
    if isinstance(filled.get("audio"), Mapping):
        audio_format = answering.asked.audio_format or "wav"
        transcript = str(filled["audio"].get("transcript", ""))
        spoken = audio_of(transcript, audio_format, created, draw)
        filled["audio"] = {**spoken, **filled["audio"]}
    reason = finish_reason or _finish_of(filled)
    return Answer(message=filled, finish_reason=reason, spent=_spent_on(filled, answering))


def _finish_of(message: JsonView) -> str:
    return next((name for name in ("tool_calls", "function_call") if message.get(name)), "stop")


def _filled_call(call: JsonView, pattern: str | None, draw: Draw) -> JsonObject:
    kind = "custom" if "custom" in call else "function"
    filled: JsonObject = {"id": spelt(draw, pattern, tool_call_id), "type": kind, **call}
    if kind == "function":
        filled[kind] = _with_text(call.get(kind, {}))
    return filled


def _with_text(function: JsonView) -> JsonObject:
    arguments = function.get("arguments", {})
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return {**function, "arguments": text}


def _spent_on(message: JsonView, answering: Answering) -> Spent:
    count = answering.tokenizer.count
    texts = [message.get(name) for name in ("content", "refusal")]
    for call in message.get("tool_calls") or ():
        called: Json = call.get("function") or call.get("custom") or {}
        texts += [called.get(name) for name in ("name", "arguments", "input")]
    legacy: Json = message.get("function_call") or {}
    texts += [legacy.get(name) for name in ("name", "arguments")]
    audio: Json = message.get("audio") or {}
    spoken = audio.get("transcript", "")
    thought = message.get(answering.reasoning_field or "", "")
    return Spent(
        text=sum(count(text) for text in [*texts, spoken] if isinstance(text, str)),
        audio=count(spoken),
        reasoning=count(thought) if isinstance(thought, str) else 0,
    )
