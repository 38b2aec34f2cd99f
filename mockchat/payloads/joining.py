"""Put chunks together again, as a client does: the inverse of `chunking.split`."""

from collections.abc import Iterable
from typing import cast

from mockchat.errors import BadArgument
from mockchat.payloads.deltas import is_lone_role
from mockchat.payloads.members import EMPTY_DELTA, MESSAGE_ORDER
from mockchat.payloads.stream_style import OPENAI_STYLE, StreamStyle
from mockchat.types import Completion, Json, JsonObject, JsonView

_HEAD = ("id", "created", "model", "service_tier", "system_fingerprint")
_OWN = frozenset((*_HEAD, "object", "choices", "usage", "moderation", "obfuscation"))
_IN_CHOICE = frozenset(("index", "message", "delta", "logprobs", "finish_reason"))


def join(chunks: Iterable[JsonView], *, style: StreamStyle = OPENAI_STYLE) -> Completion:
    """Return the completion that `chunks` say.

    Reads more than `split` writes: chunks of a stream that was cut (its finish reason is None),
    calls without an index, counts in every chunk. `join(split(c, include_usage=True)) == c`.

    Args:
        chunks: The decoded chunks in order, without `[DONE]`.
        style: The stream style they were written in.

    Raises:
        BadArgument: There is no chunk at all.
    """
    head: JsonObject = {}
    others: JsonObject = {}
    choices: dict[int, _Choice] = {}
    usage: Json = None
    for chunk in chunks:
        for name in _HEAD:
            # A leading empty chunk says "" and 0; vLLM tells its fingerprint in the last chunk.
            if name in chunk and not head.get(name):
                head[name] = chunk[name]
        told = {name: chunk[name] for name in chunk if name not in {*_OWN, style.padding_field}}
        for name in style.members_at("edges") & told.keys():
            told[name], counts = _without_counts(told[name])
            usage = counts or usage
        others |= told
        others |= {"moderation": chunk["moderation"]} if "moderation" in chunk else {}
        usage = chunk.get("usage") or usage
        for choice in chunk.get("choices") or ():
            index = choice.get("index", 0)
            choices.setdefault(index, _Choice(index)).add(choice)
    if not head and not choices:
        raise BadArgument("chunks", (), "at least one chunk")
    joined: JsonObject = {
        "id": head.pop("id", None),
        "object": "chat.completion",
        "created": head.pop("created", None),
        "model": head.pop("model", None),
        "choices": [choices[index].joined(style) for index in sorted(choices)],
        **({"usage": usage} if usage else {}),
        **head,
        **others,
    }
    return cast("Completion", joined)


class _Choice:
    """One choice, as far as its chunks have come."""

    def __init__(self, index: int) -> None:
        self._index = index
        self._message: JsonObject = {}
        self._pieces: dict[str, list[str]] = {}
        self._calls: dict[int, JsonObject] = {}
        self._others: JsonObject = {}
        self._logprobs: JsonObject = {}
        self._finish_reason: str | None = None

    def add(self, choice: JsonView) -> None:
        for name, value in (choice.get("delta") or {}).items():
            self._add_member(name, value)
        if "logprobs" in choice:
            self._logprobs["logprobs"] = _more(
                self._logprobs.get("logprobs"), choice["logprobs"], texts=()
            )
        self._finish_reason = choice.get("finish_reason") or self._finish_reason
        for name, value in choice.items():
            # What one chunk tells, an empty value in a later one does not take back.
            if name not in _IN_CHOICE and (value or name not in self._others):
                self._others[name] = value

    def joined(self, style: StreamStyle) -> JsonObject:
        message = dict(self._message)
        message |= {name: "".join(pieces) for name, pieces in self._pieces.items()}
        if self._calls:
            message["tool_calls"] = [self._calls[index] for index in sorted(self._calls)]
        if style.has_refusal and is_lone_role(message):
            message.setdefault("refusal", None)
        places = {name: place for place, name in enumerate(MESSAGE_ORDER)}
        ordered = sorted(message, key=lambda name: places.get(name, len(places)))
        return {
            "index": self._index,
            "message": {name: message[name] for name in ordered},
            **self._logprobs,
            **({"delta": dict(EMPTY_DELTA)} if style.has_delta else {}),
            "finish_reason": self._finish_reason,
            **self._others,
        }

    def _add_member(self, name: str, value: Json) -> None:
        known = self._message.get(name)
        if value == "" and name in self._message:
            return  # says nothing new: null content stays null
        if name == "role":
            self._message.setdefault(name, value)
        elif name == "tool_calls" and value:
            for fragment in value:
                self._add_call(fragment)
        elif isinstance(value, str):
            self._pieces.setdefault(name, [known or ""]).append(value)
            self._message[name] = None
        elif isinstance(value, dict):
            self._message[name] = _more(known, value, texts=("arguments", "transcript", "data"))
        elif isinstance(value, list) and isinstance(known, list):
            self._message[name] = known + value
        elif name not in self._message or value is not None:
            self._message[name] = value

    def _add_call(self, fragment: JsonView) -> None:
        index = fragment.get("index")
        if not isinstance(index, int):
            is_new = bool(fragment.get("id")) or not self._calls
            index = len(self._calls) - (0 if is_new else 1)
        call = self._calls.setdefault(index, {})
        for name, value in fragment.items():
            if isinstance(value, dict):
                call[name] = _more(call.get(name), value, texts=("arguments", "input"))
            elif name != "index" and not call.get(name):
                call[name] = value


def _without_counts(member: Json) -> tuple[Json, Json]:
    """Return a member that stands at both edges of a stream, and the counts it carries at the end."""
    if not isinstance(member, dict):
        return member, None
    return {name: member[name] for name in member if name != "usage"}, member.get("usage")


def _more(known: Json, value: Json, *, texts: tuple[str, ...]) -> Json:
    """Return the object `known` with what `value` adds: texts and lists grow, the rest is set."""
    if not isinstance(value, dict):
        return known
    grown: JsonObject = dict(known or {})
    for name, added in value.items():
        before = grown.get(name)
        is_text = name in texts and isinstance(added, str) and isinstance(before, str)
        is_list = isinstance(added, list) and isinstance(before, list)
        if is_text or is_list:
            grown[name] = before + added
        elif added is not None or name not in grown:
            grown[name] = added
    return grown
