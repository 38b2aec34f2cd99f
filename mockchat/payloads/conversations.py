"""Invent the messages of a request: a conversation in which every call is answered at once."""

from collections.abc import Sequence
from functools import partial

from mockchat.contract.profile import Model
from mockchat.payloads.names import tool_call_id
from mockchat.payloads.request_document import Asking, items, listed, objects, tag
from mockchat.payloads.schema_nodes import Object
from mockchat.payloads.tool_offers import Offer, arguments
from mockchat.types import Json, JsonObject

_SPEAKING = ("user", "assistant", "system")
"""The roles of a profile that takes any text for one."""

_INSTRUCTING = ("system", "developer")
_INSTEAD = ("tool_calls", "function_call", "refusal", "audio")
_CALLS = ("tool_calls", "function_call")
_RARE = ("refusal", "audio")
_MOST_TURNS = 6
_MOST_CALLS = 3


def conversation(
    asking: Asking,
    offered: Sequence[Offer],
    functions: Sequence[JsonObject],
    model: Model | None,
) -> list[JsonObject]:
    """Return messages of every role that the profile and the model take, in a legal order.

    Args:
        asking: What is drawn from.
        offered: The tools whose names the calls of earlier turns prefer.
        functions: The legacy functions, likewise.
        model: The model asked, None for one the profile does not know.
    """
    capabilities = {} if model is None else model.capabilities
    refused = capabilities.get("refused_roles") or ()
    roles = {
        role: variant
        for variant in items(asking.member("messages"))
        for role in listed(variant.properties.get("role")) or _SPEAKING
        if role not in refused
    }
    making = _Conversation(asking, roles, offered, functions)
    instructing = [role for role in _INSTRUCTING if role in roles]
    draw = asking.draw
    if instructing:
        draw.together(partial(making.open, instructing))
    for _ in range(draw.size(0, _MOST_TURNS, 1.5)):
        draw.together(making.turn)
    draw.together(making.close)
    return making.messages


class _Conversation:
    """Messages in the making."""

    def __init__(
        self,
        asking: Asking,
        roles: dict[str, Object],
        offered: Sequence[Offer],
        functions: Sequence[JsonObject],
    ) -> None:
        self.messages: list[JsonObject] = []
        self._asking = asking
        self._roles = roles
        self._offered = offered
        self._functions = functions
        self._kinds = [self._user_turn]
        if "assistant" in roles:
            self._kinds.append(self._assistant_turn)
            has = roles["assistant"].properties
            if "tool" in roles and "tool_calls" in has:
                self._kinds.append(self._tool_turn)
            if "function" in roles and "function_call" in has:
                self._kinds.append(self._function_turn)

    def open(self, instructing: list[str]) -> None:
        """Begin with instructions, or do not; now and then with a user where they could stand."""
        draw = self._asking.draw
        if draw.chance(0.45):
            # The simplest opening is what any other message of a user is.
            roles = ["user", *instructing, *instructing]
            self.say(roles[draw.index(len(roles))])

    def close(self) -> None:
        """End with a user, or do not; a conversation has at least this message."""
        if not self.messages or self._asking.draw.chance(0.5):
            self.say("user")

    def turn(self) -> None:
        """Add a turn of some kind, with the answers it needs."""
        self._kinds[self._asking.draw.index(len(self._kinds))]()

    def say(self, role: str, **instead: Json) -> JsonObject:
        """Add a message of `role` with nothing in it that would have to be answered.

        Where `instead` gives members that may stand in place of a content, it needs none.
        """
        message: JsonObject = self._asking.value(self._roles[role])
        message["role"] = role
        is_rare = self._asking.kind == "plain" and not self._asking.draw.chance(0.1)
        for name in (*_CALLS, *(_RARE if is_rare else ())):
            message.pop(name, None)
        message |= instead
        if isinstance(message.get("content"), list):
            _keep_one_refusal(message)
        if message.get("content") is None and all(message.get(name) is None for name in _INSTEAD):
            message["content"] = self._asking.draw.text(1, 60, "plain")
        self.messages.append(message)
        return message

    def _user_turn(self) -> None:
        self.say("user")

    def _assistant_turn(self) -> None:
        self.say("assistant")

    def _tool_turn(self) -> None:
        draw = self._asking.draw
        calls = [draw.together(self._call) for _ in range(draw.size(1, _MOST_CALLS, 1.3))]
        message = self.say("assistant", tool_calls=calls)
        if draw.chance(0.7):
            message["content"] = None
        while calls:
            call = calls[draw.index(len(calls)) if self._asking.kind == "wild" else 0]
            calls = [other for other in calls if other is not call]
            draw.together(partial(self.say, "tool"))["tool_call_id"] = call["id"]

    def _call(self) -> JsonObject:
        draw = self._asking.draw
        variants = {
            kind: variant
            for variant in items(self._roles["assistant"].properties["tool_calls"])
            if (kind := tag(variant, "type")) is not None
        }
        usable = [offer for offer in self._offered if offer.kind in variants]
        offer = usable[draw.index(len(usable))] if usable else None
        kind = offer.kind if offer else [*variants][draw.index(len(variants))]
        call: JsonObject = self._asking.value(variants[kind])
        call["id"] = tool_call_id(draw)
        if offer is not None:
            call[kind]["name"] = offer.name
        if "arguments" in call[kind]:
            call[kind]["arguments"] = arguments(self._asking, offer.parameters if offer else None)
        return call

    def _function_turn(self) -> None:
        draw = self._asking.draw
        variant = objects(self._roles["assistant"].properties["function_call"])[0]
        call: JsonObject = self._asking.value(variant)
        function: JsonObject = {}
        if self._functions:
            function = self._functions[draw.index(len(self._functions))]
            call["name"] = function["name"]
        call["arguments"] = arguments(self._asking, function.get("parameters"))
        message = self.say("assistant", function_call=call)
        if draw.chance(0.7):
            message["content"] = None
        self.say("function")["name"] = call["name"]


def _keep_one_refusal(message: JsonObject) -> None:
    """Keep the first refusal part alone, where there is one: text and refusal exclude each other."""
    refusals = [part for part in message["content"] if part.get("type") == "refusal"]
    if refusals:
        message["content"] = refusals[:1]


def mention_json(messages: list[JsonObject]) -> None:
    """Let some message contain the word json, which json_object formats ask for.

    Only where no message has room for it another one is added.
    """
    note = "Answer in JSON."
    for message in sorted(messages, key=lambda each: each["role"] != "user"):
        content: Json = message.get("content")
        if isinstance(content, str):
            message["content"] = f"{content}\n{note}" if content else note
            return
        if isinstance(content, list) and message["role"] == "user":
            content.append({"type": "text", "text": note})
            return
    messages.insert(0, {"role": "user", "content": note})
