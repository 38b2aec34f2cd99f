"""Invent the tools and legacy functions that a request offers, and choices among them."""

import json
from dataclasses import dataclass
from functools import partial

from mockchat.payloads.caller_schemas import object_schema
from mockchat.payloads.request_document import Asking, items, listed, objects, tag
from mockchat.payloads.schema_nodes import Object
from mockchat.payloads.values import generate
from mockchat.types import Json, JsonObject

_NAMES = (
    "get_weather", "search", "send_email", "run_code", "lookup-user", "add", "book_flight",
    "read_file", "translate", "plot",
)  # fmt: skip
_REGEXES = ("[a-z]{1,8}", "^[0-9]{4}-[0-9]{2}$", "(yes|no)", "[A-Za-z_][A-Za-z0-9_]*")
_LARK = 'start: WORD\nWORD: "a".."z"+'
_MOST_TOOLS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One tool a conversation may have called.

    Attributes:
        kind: "function" or "custom".
        name: Its name.
        parameters: The schema of its arguments, None where it has none.
    """

    kind: str
    name: str
    parameters: JsonObject | None = None


def tools(asking: Asking) -> list[JsonObject]:
    """Return tools with names of their own and parameters that have values."""
    variants = items(asking.member("tools"))
    count = asking.draw.size(1, _MOST_TOOLS, 1.5)
    return [
        asking.draw.together(partial(_tool, asking, variants, position))
        for position in range(count)
    ]


def _tool(asking: Asking, variants: list[Object], position: int) -> JsonObject:
    tool: JsonObject = asking.value(asking.pick(variants))
    definition = tool[tool["type"]]
    definition["name"] = _name(asking, position)
    if tool["type"] == "function":
        _give_parameters(asking, definition)
    elif definition.get("format", {}).get("type") == "grammar":
        _give_grammar(asking, definition["format"])
    return tool


def functions(asking: Asking) -> list[JsonObject]:
    """Return legacy functions with names of their own and parameters that have values."""
    variants = items(asking.member("functions"))
    count = asking.draw.size(1, _MOST_TOOLS, 1.5)
    return [
        asking.draw.together(partial(_function, asking, variants, position))
        for position in range(count)
    ]


def _function(asking: Asking, variants: list[Object], position: int) -> JsonObject:
    function: JsonObject = asking.value(asking.pick(variants))
    function["name"] = _name(asking, position)
    _give_parameters(asking, function)
    return function


def _name(asking: Asking, position: int) -> str:
    name = _NAMES[asking.draw.index(len(_NAMES))]
    return f"{name}_{position}" if position else name


def _give_parameters(asking: Asking, definition: JsonObject) -> None:
    is_strict = definition.get("strict") is True
    if is_strict or "parameters" in definition:
        definition["parameters"] = object_schema(asking.draw, kind=asking.kind, strict=is_strict)


def _give_grammar(asking: Asking, form: JsonObject) -> None:
    """Write a grammar in the language that was drawn."""
    # The documented form wraps definition and syntax in `grammar`.
    grammar = form.get("grammar", form)
    is_regex = grammar.get("syntax") == "regex"
    grammar["definition"] = _REGEXES[asking.draw.index(len(_REGEXES))] if is_regex else _LARK


def offers(body: JsonObject) -> list[Offer]:
    """Return the tools that `body` offers, legacy functions left out."""
    found = []
    for tool in body.get("tools") or ():
        definition = tool[tool["type"]]
        parameters = definition.get("parameters")
        found.append(Offer(kind=tool["type"], name=definition["name"], parameters=parameters))
    return found


def tool_choice(asking: Asking, offered: list[Offer]) -> Json:
    """Return a choice among the tools offered: a mode, one by name, or some of them."""
    place = asking.member("tool_choice")
    kinds = {"allowed_tools", *(offer.kind for offer in offered)}
    variants = [variant for variant in objects(place) if tag(variant, "type") in kinds]
    position = asking.draw.index(1 + len(variants))
    if not position:
        modes = [mode for mode in listed(place) if mode is not None]
        return modes[asking.draw.index(len(modes))]
    choice = asking.value(variants[position - 1])
    if choice["type"] == "allowed_tools":
        last = asking.draw.integer(1, len(offered))
        choice["allowed_tools"]["tools"] = [_named(offer) for offer in offered[:last]]
        return choice
    fitting = [offer for offer in offered if offer.kind == choice["type"]]
    offer = fitting[asking.draw.index(len(fitting))]
    choice[offer.kind]["name"] = offer.name
    return choice


def _named(offer: Offer) -> JsonObject:
    return {"type": offer.kind, offer.kind: {"name": offer.name}}


def function_call(asking: Asking, offered: list[JsonObject]) -> Json:
    """Return a choice among the legacy functions offered."""
    modes = [mode for mode in listed(asking.member("function_call")) if mode is not None]
    position = asking.draw.index(len(modes) + len(offered))
    if position < len(modes):
        return modes[position]
    return {"name": offered[position - len(modes)]["name"]}


def arguments(asking: Asking, parameters: JsonObject | None) -> str:
    """Return arguments as a model writes them: JSON text; wild ones are sometimes cut short."""
    known = {} if parameters is None else generate(parameters, asking.draw, kind=asking.kind)
    text = json.dumps(known)
    if known and asking.kind == "wild" and asking.draw.chance(0.1):
        return text[: asking.draw.index(len(text) + 1)]
    return text
