"""Which tools a reply may call, and the text of a call."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from mockchat.contract.regex_syntax import BadPattern
from mockchat.errors import ImpossibleSchema
from mockchat.payloads import regexes
from mockchat.payloads.asked import Asked, member
from mockchat.payloads.draw import Draw, LarkDraw, NoGrammar
from mockchat.payloads.members import ReplyMembers
from mockchat.payloads.text import prose, wild_text
from mockchat.payloads.values import generate
from mockchat.types import Json, JsonObject, JsonView, Kind

ToolKind = Literal["function", "custom", "legacy"]
Mode = Literal["none", "auto", "required"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One thing a reply can call.

    Attributes:
        kind: A function tool, a custom tool, or a function of the legacy `functions`.
        name: Its name.
        pointer: Where it stands in the request, as a JSON Pointer.
        definition: Its definition: `parameters` of a function, `format` of a custom tool.
    """

    kind: ToolKind
    name: str
    pointer: str
    definition: JsonView


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolUse:
    """What a request allows and asks of calls.

    Attributes:
        tools: What may be called.
        mode: Whether it must not, may or must be.
        at_most: How many calls a message may have, None for any number.
        is_named: Whether the request names the one tool to be called.
    """

    tools: tuple[Tool, ...] = ()
    mode: Mode = "none"
    at_most: int | None = None
    is_named: bool = False


def tool_use(asked: Asked, members: ReplyMembers) -> ToolUse:
    """Return what `asked` allows: none where the profile's messages have no calls.

    A named tool that does not exist is a request that only a server without rules accepts; it is
    answered with text.
    """
    request = asked.request
    tools = tuple(tool for tool in offered_tools(request) if members.allows_call(tool.kind))
    if tools and "tool_calls" in members.message:
        at_most = 1 if request.get("parallel_tool_calls") is False else None
        return _chosen(tools, request.get("tool_choice", "auto"), at_most)
    functions = tuple(_functions(request))
    if functions and "function_call" in members.message:
        return _chosen_function(functions, request.get("function_call", "auto"))
    return ToolUse()


def call_text(tool: Tool, draw: Draw, kind: Kind) -> str:
    """Return the arguments of a function as JSON text, or the input of a custom tool.

    Raises:
        ImpossibleSchema: No value fits the parameters, or the input follows a grammar that cannot
            be sampled: a regular expression out of reach, or a Lark grammar, which only strategies
            follow.
    """
    if tool.kind == "custom":
        return _custom_input(tool, draw, kind)
    parameters = tool.definition.get("parameters")
    if not isinstance(parameters, Mapping):
        return "{}"
    value = _arguments(tool, parameters, draw, kind)
    spaced = kind == "wild" and draw.chance(0.2)
    return json.dumps(value, ensure_ascii=False, separators=None if spaced else (",", ":"))


def offered_tools(request: JsonView) -> Iterator[Tool]:
    """Yield the tools a request offers, in their order; what is malformed is no tool."""
    for place, tool in enumerate(member(request, "tools", list) or ()):
        kind = tool.get("type") if isinstance(tool, Mapping) else None
        if kind in {"function", "custom"}:
            definition: JsonObject = member(tool, kind, dict) or {}
            name = member(definition, "name", str)
            if name is not None:
                at = f"/tools/{place}/{kind}"
                yield Tool(kind=kind, name=name, pointer=at, definition=definition)


def _functions(request: JsonView) -> Iterator[Tool]:
    for place, definition in enumerate(member(request, "functions", list) or ()):
        name = member(definition, "name", str) if isinstance(definition, Mapping) else None
        if name is not None:
            at = f"/functions/{place}"
            yield Tool(kind="legacy", name=name, pointer=at, definition=definition)


def _chosen(tools: tuple[Tool, ...], choice: Json, at_most: int | None) -> ToolUse:
    match choice:
        case "none":
            return ToolUse()
        case "required" | "any":
            return ToolUse(tools=tools, mode="required", at_most=at_most)
        case {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": [*references]}}:
            wanted = [_reference(reference) for reference in references]
            allowed = tuple(tool for tool in tools if (tool.kind, tool.name) in wanted)
            if not allowed:
                return ToolUse()
            is_required = mode == "required"
            return ToolUse(
                tools=allowed, mode="required" if is_required else "auto", at_most=at_most
            )
        case {"type": "function" | "custom"}:
            named = tuple(tool for tool in tools if (tool.kind, tool.name) == _reference(choice))
            return _named(named)
        case _:
            return ToolUse(tools=tools, mode="auto", at_most=at_most)


def _named(tools: tuple[Tool, ...]) -> ToolUse:
    return ToolUse(tools=tools, mode="required", at_most=1, is_named=True) if tools else ToolUse()


def _reference(reference: Json) -> tuple[Json, Json] | None:
    if not isinstance(reference, Mapping):
        return None
    kind = reference.get("type")
    named = reference.get(kind) if isinstance(kind, str) else None
    # The official example names an allowed function flat, the schema leaves the shape open.
    holder = named if isinstance(named, Mapping) else reference
    return kind, holder.get("name")


def _chosen_function(functions: tuple[Tool, ...], choice: Json) -> ToolUse:
    if choice == "none":
        return ToolUse()
    if isinstance(choice, Mapping):
        named = tuple(tool for tool in functions if tool.name == choice.get("name"))
        return _named(named)
    return ToolUse(tools=functions, mode="auto", at_most=1)


def _arguments(tool: Tool, parameters: JsonView, draw: Draw, kind: Kind) -> Json:
    at = f"{tool.pointer}/parameters"
    # Arguments are an object even where the caller's schema forgets to say so.
    is_open = not parameters.keys() & {"type", "$ref", "allOf", "anyOf", "oneOf", "enum", "const"}
    try:
        return generate(
            {"type": "object", **parameters} if is_open else parameters, draw, kind=kind
        )
    except ImpossibleSchema as impossible:
        raise ImpossibleSchema(at + impossible.pointer, impossible.reason) from impossible


def _custom_input(tool: Tool, draw: Draw, kind: Kind) -> str:
    match tool.definition.get("format"):
        case {"type": "grammar", "grammar": {"syntax": "regex", "definition": str(definition)}}:
            try:
                return draw.pattern(definition)
            except (BadPattern, regexes.NoSample) as problem:
                at = f"{tool.pointer}/format/grammar/definition"
                raise ImpossibleSchema(at, f"no text for this regex: {problem}") from problem
        case {"type": "grammar", "grammar": {"syntax": "lark", "definition": str(definition)}} if (
            isinstance(draw, LarkDraw)
        ):
            try:
                return draw.lark(definition)
            except NoGrammar as problem:
                at = f"{tool.pointer}/format/grammar/definition"
                raise ImpossibleSchema(at, str(problem)) from problem
        case {"type": "grammar"}:
            at = f"{tool.pointer}/format/grammar"
            raise ImpossibleSchema(at, "inputs are made for regex grammars, not for Lark")
        case _:
            return wild_text(draw) if kind == "wild" else prose(draw)
