"""Count tokens: the unit of limits, of usage, of logprobs and of a stream's steps.

The real tokenizers are large tables that must be downloaded; a mock needs counts that are
plausible, add up and never change, so ours is a rule over characters.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, cast

from mockchat.payloads.unread import Sum, Unread
from mockchat.types import Json, JsonView

# Scripts written without spaces: each character is a piece of its own.
_SINGLE = (
    "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff"
)
_PIECES = re.compile(
    rf"[{_SINGLE}]"
    rf"| ?(?:(?![{_SINGLE}])[^\W\d_]){{1,8}}"
    r"| ?\d{1,3}"
    r"| ?(?:[^\w\s]|_){1,3}"
    r"|\s{1,16}(?!\S)"
    r"|\s"
)

# What a conversation costs around its text, as OpenAI's cookbook counts it.
_REPLY_PRIMING = 3
_PER_MESSAGE = 3
_PER_NAME = 1
_PER_TOOL = 7

# Images cost a base, and tiles where they are looked at closely (the four tiles of 1024 x 1024).
_IMAGE_LOW = 85
_IMAGE_HIGH = 765

_BASE64_PER_AUDIO_TOKEN = 4000
_BASE64_PER_FILE_TOKEN = 16


class Tokenizer(Protocol):
    """Cuts text into tokens."""

    def split(self, text: str) -> list[str]:
        """Return the pieces of `text`; joined they are `text` again."""
        ...

    def count(self, text: str) -> int:
        """Return how many pieces `text` has."""
        ...


class _ApproximateTokens:
    """Words with their leading space, punctuation, digits by three, one CJK character each."""

    def split(self, text: str) -> list[str]:
        return _PIECES.findall(text)

    def count(self, text: str) -> int:
        return len(_PIECES.findall(text))


_APPROXIMATE = _ApproximateTokens()


def approximate_tokens() -> Tokenizer:
    """Return the tokenizer used everywhere: deterministic, no data, about one token a word.

    A word of more than eight letters is several tokens, as in the real ones; a space belongs to
    the word behind it.
    """
    return _APPROXIMATE


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptTokens:
    """What a request costs, in tokens, by the kind of its input."""

    text: int = 0
    image: int = 0
    audio: int = 0

    @property
    def total(self) -> int:
        """All kinds together: `usage.prompt_tokens`."""
        return self.text + self.image + self.audio


_UNKNOWN = PromptTokens(
    text=cast("int", Sum(0, "text")),
    image=cast("int", Sum(0, "image")),
    audio=cast("int", Sum(0, "audio")),
)


def message_token_kinds(messages: Json, tokenizer: Tokenizer) -> PromptTokens:
    """Count the messages of a request alone; of messages that nobody looks at it is unknown."""
    if isinstance(messages, Unread):
        return _UNKNOWN
    text, image, audio = 0, 0, 0
    for message in messages if isinstance(messages, list | tuple) else ():
        for part, kind, cost in _message_costs(message):
            text += tokenizer.count(part) if part else 0
            image += cost if kind == "image" else 0
            audio += cost if kind == "audio" else 0
            text += cost if kind == "text" else 0
    return PromptTokens(text=text, image=image, audio=audio)


def prompt_token_kinds(request: JsonView, tokenizer: Tokenizer) -> PromptTokens:
    """Count what `request` sends: messages with their overhead, images, audio, tools, schemas.

    Reads tolerantly: a member of the wrong type counts as its JSON text, so that a server that
    does not validate can still answer.
    """
    messages = message_token_kinds(request.get("messages"), tokenizer)
    text = messages.text + _REPLY_PRIMING
    for name in ("tools", "functions", "response_format"):
        member = request.get(name)
        for item in member if isinstance(member, list | tuple) else (member or ()) and (member,):
            text += _PER_TOOL + tokenizer.count(_as_text(item))
    return PromptTokens(text=text, image=messages.image, audio=messages.audio)


def prompt_tokens(request: JsonView, tokenizer: Tokenizer) -> int:
    """Return `usage.prompt_tokens` of `request`."""
    return prompt_token_kinds(request, tokenizer).total


_Cost = tuple[str, str, int]


def _message_costs(message: Json) -> Iterable[_Cost]:
    yield "", "text", _PER_MESSAGE
    if not isinstance(message, Mapping):
        yield _as_text(message), "text", 0
        return
    for name, value in message.items():
        if name == "content" and isinstance(value, list | tuple):
            for part in value:
                yield _part_cost(part)
        elif name == "name":
            yield _as_text(value), "text", _PER_NAME
        elif value is not None:
            yield _as_text(value), "text", 0


def _part_cost(part: Json) -> _Cost:
    if not isinstance(part, Mapping):
        return _as_text(part), "text", 0
    match part.get("type"):
        case "image_url":
            image = part.get("image_url")
            detail = image.get("detail") if isinstance(image, Mapping) else None
            return "", "image", _IMAGE_LOW if detail == "low" else _IMAGE_HIGH
        case "input_audio":
            return (
                "",
                "audio",
                1 + _data_length(part, "input_audio", "data") // (_BASE64_PER_AUDIO_TOKEN),
            )
        case "file":
            length = _data_length(part, "file", "file_data")
            return "", "text", 1 + length // _BASE64_PER_FILE_TOKEN
        case kind:
            return _as_text(part.get(kind, part) if isinstance(kind, str) else part), "text", 0


def _data_length(part: JsonView, member: str, name: str) -> int:
    holder = part.get(member)
    data = holder.get(name) if isinstance(holder, Mapping) else None
    return len(data) if isinstance(data, str) else 0


def _as_text(value: Json) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
