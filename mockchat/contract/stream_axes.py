"""The axes of a profile's streams: what `profile.json` says under "stream", read and checked.

Servers that speak the same schema still stream differently, and only in these few ways. A profile
names its own; whoever cuts a completion into chunks and whoever judges a stream read them here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Literal, get_args

from mockchat.contract.pointers import pointer_of
from mockchat.errors import BrokenProfile
from mockchat.types import Json, JsonObject, JsonView

DONE = "[DONE]"
"""The data of the event that ends a stream."""

RoleAxis = Literal["first", "every"]
OpeningAxis = Literal["message", "role"]
FinishAxis = Literal["own", "with-last-content"]
UsageAxis = Literal["own", "finish", "behind", "every"]
CallsAxis = Literal["fragments", "whole"]
ReasoningAxis = Literal["reasoning_content", "reasoning"]
NamedCallAxis = Literal["tool_calls", "stop"]
Place = Literal["leading", "edges", "last"]
ChoicePlace = Literal["text", "null-first"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamAxes:
    """How the streams of one profile differ from those of another.

    Attributes:
        role: Whether the first delta of a choice alone carries the role, or every one.
        opening: Whether the first delta of a choice names all members of its message, or is the role
            alone, as in the spring of 2023.
        finish: Whether the finish reason comes in a chunk of its own or with the last content.
        finish_delta: The delta of a finish chunk of its own.
        usage: Where the counts stand: in a chunk of their own without choices, in the finish
            chunk, in a chunk behind it whose choice says nothing, or in every chunk.
        usage_always: Whether the counts come unasked.
        usage_null: Whether every other chunk says `"usage": null` when the counts are asked for.
        tool_calls: Whether arguments come in fragments behind a header, or whole with it.
        obfuscation: Whether chunks are padded against guessing text from their size.
        leading_empty: Whether the stream may open with chunks that no client reads (Azure).
        comments: The comment lines the server sends, without their colon, stripped.
        message_so_far: Whether every choice also carries its message as far as it has come, beside
            the delta (Perplexity).
        done: Whether the stream ends with `[DONE]`.
        reasoning_field: The member of a delta that carries reasoning, or None.
        reasoning_null: Whether a delta of reasoning also says that its content is null, and the
            other way round (DeepSeek).
        padding_field: The member that pads all chunks but the first to lengths of no rule, or None
            (Mistral's `p`).
        member_places: Members of the completion that not every chunk carries: "leading" for the
            chunk that no client reads, "edges" for the first chunk of a choice and the finish chunk
            (where it also carries the counts, asked for or not: Groq's `x_groq`), "last" for the
            finish chunk.
        choice_member_places: Members of a choice that not its finish chunk alone carries: "text"
            for full beside text and empty elsewhere (Azure's filter results), "null-first" for null
            until the finish (OpenRouter's `native_finish_reason`).
        named_call_finish: How a choice ends whose call the request named (vLLM: with "stop").
    """

    role: RoleAxis
    opening: OpeningAxis = "message"
    finish: FinishAxis
    finish_delta: JsonObject
    usage: UsageAxis
    usage_always: bool
    usage_null: bool
    tool_calls: CallsAxis
    obfuscation: bool
    leading_empty: bool
    comments: tuple[str, ...]
    message_so_far: bool = False
    done: bool
    reasoning_field: ReasoningAxis | None
    reasoning_null: bool = False
    padding_field: str | None = None
    member_places: Mapping[str, Place] = field(default_factory=dict)
    choice_member_places: Mapping[str, ChoicePlace] = field(default_factory=dict)
    named_call_finish: NamedCallAxis = "tool_calls"

    def members_at(self, place: Place) -> frozenset[str]:
        """Return the members of the completion that stand at `place` alone."""
        return frozenset(name for name, at in self.member_places.items() if at == place)


_CHOICES: dict[str, tuple[Json, ...]] = {
    "role": get_args(RoleAxis),
    "opening": get_args(OpeningAxis),
    "finish": get_args(FinishAxis),
    "usage": get_args(UsageAxis),
    "tool_calls": get_args(CallsAxis),
    "reasoning_field": (None, *get_args(ReasoningAxis)),
    "named_call_finish": get_args(NamedCallAxis),
}
_PLACES: dict[str, tuple[Json, ...]] = {
    "member_places": get_args(Place),
    "choice_member_places": get_args(ChoicePlace),
}
_DEFAULTS: JsonView = {
    "reasoning_field": None,
    "reasoning_null": False,
    "padding_field": None,
    "member_places": {},
    "choice_member_places": {},
    "named_call_finish": "tool_calls",
}
_AXES = tuple(axis.name for axis in fields(StreamAxes))


def stream_axes(settings: JsonView) -> StreamAxes:
    """Return the axes of a profile from its settings.

    Args:
        settings: `profile.json`, parents merged in. What few servers do may be left out; a missing
            `reasoning_field` means None: a merge patch that takes it back can only remove it.

    Raises:
        BrokenProfile: An axis is missing, unknown or has a value that is not allowed.
    """
    where = f"{settings.get('name', 'profile')}/profile.json"
    stream = settings.get("stream")
    if not isinstance(stream, dict):
        raise BrokenProfile(where, "/stream", "an object with the axes of the stream is wanted")
    values = {**_DEFAULTS, **stream}
    for name in (*_AXES, *values):
        problem = _problem(name, values)
        if problem is not None:
            raise BrokenProfile(where, pointer_of(("stream", name)), problem)
    values["comments"] = tuple(comment.strip() for comment in values["comments"])
    return StreamAxes(**values)


def _problem(name: str, values: JsonView) -> str | None:
    if name not in values:
        return "this axis is missing"
    if name not in _AXES:
        return f"there is no such axis; known: {', '.join(_AXES)}"
    is_right, wanted = _judged(name, values[name])
    return None if is_right else wanted


def _judged(name: str, value: Json) -> tuple[bool, str]:
    """Return whether an axis may have a value, and what it may have."""
    if name in _CHOICES:
        return value in _CHOICES[name], f"{value!r} is none of {_CHOICES[name]}"
    if name in _PLACES:
        is_placed = isinstance(value, dict) and all(at in _PLACES[name] for at in value.values())
        return is_placed, f"an object of names to {_PLACES[name]} is wanted"
    if name == "finish_delta":
        return isinstance(value, dict), "a JSON object is wanted"
    if name == "padding_field":
        return value is None or isinstance(value, str), "a member's name is wanted"
    if name == "comments":
        is_text = isinstance(value, list) and all(isinstance(item, str) for item in value)
        return is_text, "an array of strings is wanted"
    return isinstance(value, bool), "true or false is wanted"
