"""Cut a completion into the chunks of a stream; `joining.join` puts them together again."""

import json
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from mockchat.contract.stream_axes import ChoicePlace, Place
from mockchat.contract.stream_chunk_rules import bare_choices
from mockchat.payloads.deltas import Step, spoken_role, steps_of
from mockchat.payloads.draw import Draw
from mockchat.payloads.joining import join
from mockchat.payloads.names import letters_and_digits
from mockchat.payloads.plans import (
    Plan,
    at_once,
    by_token,
    by_word,
    chunks_of,
    exactly,
    random_plan,
)
from mockchat.payloads.stream_style import OPENAI_STYLE, StreamStyle, stream_style
from mockchat.types import Chunk, Completion, Json, JsonObject, JsonView

__all__ = [
    "OPENAI_STYLE",
    "Plan",
    "StreamStyle",
    "at_once",
    "by_token",
    "by_word",
    "chunks_of",
    "exactly",
    "join",
    "random_plan",
    "split",
    "stream_style",
]

_HEAD = ("id", "object", "created", "model", "service_tier", "system_fingerprint")
_TAIL = frozenset(("choices", "usage", "moderation"))
_IN_CHOICE = frozenset(("index", "message", "delta", "logprobs", "finish_reason"))
_EMPTY_HEAD: JsonObject = {"id": "", "object": "", "created": 0, "model": "", "choices": []}
_BLOCK = 16
_POOL = 64


PADDED = "obfuscation"
"""The member of a chunk that hides how long its text is."""
_PADDING = string.ascii_lowercase + string.digits


def split(  # noqa: PLR0913 - what a stream depends on; all but two are named by keyword
    completion: Completion | JsonView,
    plan: Plan,
    *,
    style: StreamStyle = OPENAI_STYLE,
    include_usage: bool = False,
    obfuscation: bool = False,
    draw: Draw | None = None,
) -> tuple[Chunk, ...]:
    """Return the chunks that say `completion`, without `[DONE]`.

    Args:
        completion: A whole completion. Members nobody knows travel too: those of the completion in
            every chunk, those of a choice in its last one, those of a message with its role.
        plan: Where text and arguments are cut. Where there are token logprobs, a cut inside a
            token moves to its end: a chunk carries its own tokens' entries.
        style: How the profile's servers stream.
        include_usage: `stream_options.include_usage`.
        obfuscation: `stream_options.include_obfuscation`; counts where the style knows it.
        draw: What decides on the letters of the obfuscation; without one they are all alike.
    """
    whole = cast("JsonView", completion)
    frame = _Frame.of(whole, style, include_usage=include_usage)
    chunks = list(frame.chunks(plan, style))
    if style.padding_field is not None:
        chunks = list(_padded(chunks, style.padding_field, style, draw))
    if obfuscation and style.obfuscation:
        ordinary = _compact_size({**frame.head, "choices": [], **frame.tail})
        chunks = list(_obfuscated(chunks, ordinary, style, draw))
    return tuple(cast("Chunk", chunk) for chunk in chunks)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """What all chunks of one stream have in common."""

    head: JsonObject
    completion: JsonView
    usage: JsonView | None
    tail: JsonObject

    @classmethod
    def of(cls, completion: JsonView, style: StreamStyle, *, include_usage: bool) -> "_Frame":
        names = [name for name in _HEAD if name in completion]
        names += [name for name in completion if name not in {*_HEAD, *_TAIL}]
        names = [name for name in names if name not in style.member_places]
        head = {name: completion[name] for name in names} | {"object": style.chunk_object}
        is_told = include_usage or style.usage_always
        usage = completion.get("usage") if is_told else None
        tail = {"usage": None} if usage is not None and style.usage_null else {}
        return cls(head=head, completion=completion, usage=usage, tail=tail)

    def chunks(self, plan: Plan, style: StreamStyle) -> Iterator[JsonObject]:
        if style.leading_empty:
            yield {**_EMPTY_HEAD, **self._members_at("leading", style)}
        said = list(self._said(plan, style))
        for number, entry in enumerate(said, start=1):
            placed = self._placed(number, len(said), style)
            tail = self._tail(number, len(said), style)
            yield {**self.head, **placed, "choices": [entry], **tail}
        if self.usage is not None and style.usage == "own":
            yield {**self.head, "choices": [], "usage": self.usage}
        if "moderation" in self.completion:
            yield {
                **self.head,
                "choices": [],
                "moderation": self.completion["moderation"],
                **self.tail,
            }

    def _said(self, plan: Plan, style: StreamStyle) -> Iterator[JsonObject]:
        """Yield the entries of `choices` in their order."""
        choices: Sequence[JsonView] = self.completion["choices"]
        so_far: dict[int, str] = {}
        for place, step in _interleaved([steps_of(choice, plan, style) for choice in choices]):
            entry = _choice_entry(choices[place], step, style)
            if style.message_so_far:
                so_far[place] = so_far.get(place, "") + (step.delta.get("content") or "")
                role = choices[place]["message"]["role"]
                entry["message"] = {"role": role, "content": so_far[place]}
            yield entry
        if self.usage is not None and style.usage == "behind" and choices:
            silent = Step(delta=spoken_role(choices[0]["message"], style.finish_delta, style))
            yield _choice_entry(choices[0], silent, style)

    def _members_at(self, place: Place, style: StreamStyle) -> JsonObject:
        here = style.members_at(place)
        return {name: value for name, value in self.completion.items() if name in here}

    def _placed(self, number: int, of: int, style: StreamStyle) -> JsonObject:
        finish = of - (self.usage is not None and style.usage == "behind")
        edges = self._members_at("edges", style) if number in {1, finish} else {}
        if number != finish:
            return edges
        usage = {"usage": self.completion["usage"]} if "usage" in self.completion else {}
        told = {
            name: {**value, **usage} if isinstance(value, dict) else value
            for name, value in edges.items()
        }
        return {**told, **self._members_at("last", style)}

    def _tail(self, number: int, of: int, style: StreamStyle) -> JsonObject:
        if self.usage is None or style.usage == "own":
            return self.tail
        if number == of:
            return {"usage": self.usage}
        return {"usage": _so_far(self.usage, number, of)} if style.usage == "every" else self.tail


def _interleaved(steps: list[list[Step]]) -> Iterator[tuple[int, Step]]:
    """Yield the steps of all choices in turn, with the place of their choice.

    The first turn of a choice is two steps long, its role and its first text, as recorded.
    """
    at = [0] * len(steps)
    while any(done < len(own) for done, own in zip(at, steps, strict=True)):
        for place, own in enumerate(steps):
            upto = at[place] + (1 if at[place] else 2)
            for step in own[at[place] : upto]:
                yield place, step
            at[place] = upto


def _choice_entry(choice: JsonView, step: Step, style: StreamStyle) -> JsonObject:
    entry: JsonObject = {"index": choice["index"], "delta": step.delta}
    if "logprobs" in choice:
        entry["logprobs"] = step.logprobs
    entry["finish_reason"] = step.finish_reason
    is_last = step.finish_reason is not None
    for name in choice:
        if name in _IN_CHOICE:
            continue
        place = style.choice_member_places.get(name)
        is_full = is_last or (place == "text" and bool(step.delta.get("content")))
        if place is not None or is_full:
            entry[name] = choice[name] if is_full else _unsaid(choice[name], place)
    return entry


def _unsaid(value: Json, place: ChoicePlace | None) -> Json:
    return {} if place == "text" and isinstance(value, dict) else None


def _so_far(usage: JsonView, number: int, of: int) -> JsonObject:
    prompt = usage.get("prompt_tokens", 0)
    completion = usage.get("completion_tokens", 0) * number // of
    counts = {"completion_tokens": completion, "total_tokens": prompt + completion}
    return {name: counts.get(name, value) for name, value in usage.items() if name in _COUNTS}


_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")


def _obfuscated(
    chunks: Sequence[JsonObject], ordinary: int, style: StreamStyle, draw: Draw | None
) -> Iterator[JsonObject]:
    """Add the padding that hides the length of a chunk's text.

    The bytes of the compact JSON without the member, and the padding, are together a multiple of
    16: so on all 3,743 chunks recorded. `ordinary` is the size of a chunk without choices, usage
    and moderation, so that only what differs is encoded. What stands beside text is not counted,
    and a chunk that no client reads is not padded (recorded from Azure).
    """
    padding = Padding(draw)
    is_ordinary = not style.member_places and style.padding_field is None
    for number, chunk in enumerate(chunks):
        if style.leading_empty and number == 0:
            yield chunk
            continue
        if is_ordinary and chunk["choices"] and chunk.get("usage") is None:
            size = ordinary + _compact_size(bare_choices(chunk, style)) - len("[]")
        else:
            size = _compact_size({**chunk, "choices": bare_choices(chunk, style)})
        yield {**chunk, PADDED: padding.letters(-size % _BLOCK)}


_STARTS = _POOL - _BLOCK
_STEP = 29
"""From where one chunk's padding starts to where the next one's does: all places have their turn."""


class Padding:
    """The letters that chunks of one stream are padded with; all alike without a draw.

    Attributes:
        pool: The letters that all of it is taken from.
    """

    def __init__(self, draw: Draw | None) -> None:
        self.pool = "0" * _POOL
        if draw is not None:
            self.pool = letters_and_digits(draw.apart("padding"), _POOL)
        self._start = 0

    def letters(self, length: int) -> str:
        """Return the padding of the next chunk: fewer than 16 letters."""
        return self.pool[self.place(length)]

    def place(self, length: int) -> slice:
        """Return where in the pool the padding of the next chunk stands."""
        start = self._start
        self._start = (start + _STEP) % _STARTS
        return slice(start, start + length)


def _padded(
    chunks: Sequence[JsonObject], name: str, style: StreamStyle, draw: Draw | None
) -> Iterator[JsonObject]:
    """Add Mistral's padding to all chunks behind the first: so many letters from the front."""
    first = 1 if style.leading_empty else 0
    for number, chunk in enumerate(chunks):
        length = draw.integer(1, len(_PADDING)) if draw else len(_PADDING)
        yield {**chunk, name: _PADDING[:length]} if number > first else chunk


def _compact_size(value: Json) -> int:
    # A lone surrogate has no UTF-8; on the wire it is an escape, and so it is here.
    text = _encode(value)
    return len(text) if text.isascii() else len(text.encode("utf-8", "backslashreplace"))


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
