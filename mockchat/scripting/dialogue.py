"""What was said in a conversation, whoever wrote it down: to compare both sides' memories of it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from mockchat.errors import MockchatError
from mockchat.scripting.request_view import objects, text_of
from mockchat.types import Json, JsonView

_LONGEST = 300


class ConversationBroken(MockchatError, AssertionError):
    """A client reports, remembers or asks otherwise than the conversation went.

    Args:
        fact: What is wrong, in one sentence.
        wanted: What was sent, or what should have been.
        found: What the client made of it.
    """

    def __init__(self, fact: str, wanted: object, found: object) -> None:
        super().__init__(fact, wanted, found)
        self.fact = fact
        self.wanted = wanted
        self.found = found

    def __str__(self) -> str:
        return f"{self.fact}\n\n- wanted: {_short(self.wanted)}\n- found: {_short(self.found)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidCall:
    """A tool call as both sides must have it.

    Attributes:
        id: Its id.
        name: The tool's name.
        input: The arguments of a function, parsed where they are JSON; the input of a custom tool.
    """

    id: str | None
    name: str
    input: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """One message without what clients may write one way or the other: null, empty or left out.

    Attributes:
        role: Who says it.
        text: What is said, "" for nothing.
        refusal: What a refusal says, "" for none.
        calls: The tool calls, in their order.
        answers: The id of the call that a tool message answers.
    """

    role: str
    text: str = ""
    refusal: str = ""
    calls: tuple[SaidCall, ...] = ()
    answers: str | None = None

    def difference(self, other: "Utterance") -> tuple[str, object, object] | None:
        """Return what differs by name, with this side's value and the other's; None for nothing."""
        for name in self.__slots__:
            ours, theirs = getattr(self, name), getattr(other, name)
            if ours != theirs:
                return name, ours, theirs
        return None


def utterance(message: object) -> Utterance:
    """Return what a message says.

    Args:
        message: A message in wire form, or an object of a client library that can `model_dump()`.

    Raises:
        ConversationBroken: It is neither.
    """
    wire = _wire(message)
    if wire is None:
        raise ConversationBroken(
            "The client reports what is no message.",
            "a message or a choice, as a mapping or as an object of the openai package",
            message,
        )
    refusal = wire.get("refusal")
    return Utterance(
        role=str(wire.get("role", "assistant")),
        text=text_of(wire) or "",
        refusal=refusal if isinstance(refusal, str) else "",
        calls=tuple(_call(call) for call in objects(wire.get("tool_calls"))),
        answers=wire.get("tool_call_id"),
    )


def reported(result: object) -> tuple[object, str | None]:
    """Return the message that a client reports, and the finish reason if it gives a whole choice."""
    choice = _wire(result)
    if choice is None or "message" not in choice:
        return result, None
    # An object of a client library stays one: it is what such a client sends back.
    message = choice["message"] if isinstance(result, Mapping) else getattr(result, "message", None)
    return message, choice.get("finish_reason")


def conversation(messages: Iterable[object]) -> tuple[Utterance, ...]:
    """Return what was said, but for what a client tells the model about itself."""
    said = (utterance(message) for message in messages)
    return tuple(each for each in said if each.role not in {"system", "developer"})


def _wire(value: object) -> JsonView | None:
    if isinstance(value, Mapping):
        return value
    dump = getattr(value, "model_dump", None)
    return cast("JsonView", dump()) if callable(dump) else None


def _call(call: JsonView) -> SaidCall:
    kind = "custom" if "custom" in call and call["custom"] is not None else "function"
    named = call.get(kind)
    said = named if isinstance(named, Mapping) else {}
    name = str(said.get("name"))
    if kind == "custom":
        return SaidCall(id=call.get("id"), name=name, input=said.get("input"))
    return SaidCall(id=call.get("id"), name=name, input=_parsed(said.get("arguments")))


def _parsed(arguments: Json) -> Json:
    try:
        return json.loads(arguments)
    except (TypeError, ValueError):
        return arguments


def _short(value: object) -> str:
    text = value if isinstance(value, str) and "\n" not in value else repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
