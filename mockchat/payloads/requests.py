"""Invent requests that the strictest server of a profile accepts, over all members it knows.

Members are drawn from the profile's own document. What a schema cannot say (an option that needs
another one, a limit of a model) is put right where it is drawn, never drawn again.
"""

from collections.abc import Mapping, Sequence
from functools import partial

from mockchat.contract.contract import Contract
from mockchat.contract.profile import Model
from mockchat.payloads import tool_offers
from mockchat.payloads.caller_schemas import object_schema
from mockchat.payloads.conversations import conversation, mention_json
from mockchat.payloads.draw import Draw
from mockchat.payloads.request_document import Asking, asking, most_of
from mockchat.types import Json, JsonObject, JsonView, Kind

_SHARE: Mapping[Kind, float] = {"plain": 0.12, "wild": 0.3}
"""How likely each optional member is there."""

_MOST_CHOICES = 8
_MOST_TOKENS = 4096
_NEEDS_TRUE = {"top_logprobs": "logprobs", "stream_options": "stream", "metadata": "store"}
"""Options that are only allowed beside another one that is true."""

_BUILT = ("model", "messages", "tools", "functions", "tool_choice", "function_call")
_TOKEN_LIMITS = ("max_completion_tokens", "max_tokens")


def make_request(
    contract: Contract, draw: Draw, *, kind: Kind = "plain", model: str | None = None
) -> JsonObject:
    """Return the body of a request that breaks neither schema nor rule of the contract.

    Every member of the profile's request document turns up, every role, content part and kind of
    tool; tools and formats come with schemas that have values.

    Args:
        contract: Whose requests.
        draw: Where choices come from.
        kind: "plain": what most clients send; "wild": whatever is accepted.
        model: The model that is asked; None: one is drawn.
    """
    making = asking(contract.profile, draw, kind)
    name = _model(making, contract.profile.models) if model is None else model
    known = contract.profile.model(name)
    body: JsonObject = {"model": name}
    for member in making.root.properties:
        if member not in _BUILT:
            draw.together(partial(_add_member, making, member, body))
    draw.together(partial(_offer_tools, making, body))
    offered, functions = tool_offers.offers(body), body.get("functions") or ()
    body["messages"] = conversation(making, offered, functions, known)
    _settle(making, body)
    if known is not None:
        _suit(body, known, contract.profile.settings.get("rules", {}))
    return {member: body[member] for member in making.root.properties if member in body}


def _model(making: Asking, models: Sequence[Model]) -> str:
    """Return a model's name, mostly one whose capabilities the profile knows."""
    draw = making.draw
    if models and not draw.chance(0.2):
        return models[draw.index(len(models))].id
    return str(making.plain_value(making.root.properties["model"]))


def _add_member(making: Asking, name: str, body: JsonObject) -> None:
    """Add an optional member, or do not: the choice and the value go together."""
    if making.draw.chance(_SHARE[making.kind]):
        body[name] = _member(making, name)


def _member(making: Asking, name: str) -> Json:
    """Return a value of a top-level member."""
    draw = making.draw
    value = making.value(making.root.properties[name])
    if value is None:
        return None
    if name == "n":
        most = most_of(making.root.properties[name])
        return draw.size(1, _MOST_CHOICES if most is None else min(most, _MOST_CHOICES), 1.5)
    if name in _TOKEN_LIMITS:
        return draw.size(1, _MOST_TOKENS, 200)
    if name == "logit_bias" and isinstance(value, dict):
        return {str(draw.integer(0, 200_000)): bias for bias in value.values()}
    if name == "response_format" and value["type"] == "json_schema":
        form = value["json_schema"]
        is_strict = form.get("strict") is True
        if is_strict or "schema" in form:
            form["schema"] = object_schema(draw, kind=making.kind, strict=is_strict)
    return value


def _offer_tools(making: Asking, body: JsonObject) -> None:
    """Add tools or legacy functions, and a choice among them."""
    draw, members = making.draw, making.root.properties
    if "tools" in members and draw.chance(0.4):
        body["tools"] = tool_offers.tools(making)
        if "tool_choice" in members and draw.chance(0.5):
            body["tool_choice"] = tool_offers.tool_choice(making, tool_offers.offers(body))
    elif "functions" in members and draw.chance(0.15):
        body["functions"] = tool_offers.functions(making)
        if "function_call" in members and draw.chance(0.5):
            body["function_call"] = tool_offers.function_call(making, body["functions"])


def _settle(making: Asking, body: JsonObject) -> None:
    """Give every option what it needs beside it."""
    members = making.root.properties
    if "tools" not in body:
        body.pop("parallel_tool_calls", None)
    for option, needed in _NEEDS_TRUE.items():
        if body.get(option) is not None and needed in members:
            body[needed] = True
    if all(body.get(limit) is not None for limit in _TOKEN_LIMITS):
        del body["max_tokens"]
    if "audio" in (body.get("modalities") or ()) and body.get("audio") is None:
        body["audio"] = making.plain_value(members["audio"])
    if (body.get("response_format") or {}).get("type") == "json_object":
        mention_json(body["messages"])


def _suit(body: JsonObject, model: Model, rules: Mapping[str, Json]) -> None:
    """Ask the model for nothing it cannot do, as far as the profile's rules know."""
    able = model.capabilities
    _suit_effort(body, able)
    if able.get("reasoning") is True:
        _suit_reasoning(body, rules)
    if able.get("web_search") is False:
        body.pop("web_search_options", None)
    limits = {
        "n": able.get("max_n"),
        "top_logprobs": able.get("max_top_logprobs"),
        **dict.fromkeys(_TOKEN_LIMITS, able.get("max_output_tokens")),
    }
    for name, most in limits.items():
        if most is not None and body.get(name) is not None:
            body[name] = min(body[name], most)


def _suit_effort(body: JsonObject, able: JsonView) -> None:
    """Keep to the efforts the model knows, and to none where it takes no tools beside another."""
    efforts = able.get("efforts")
    effort = body.get("reasoning_effort")
    if effort is None:
        return
    has_functions = any(tool["type"] == "function" for tool in body.get("tools") or ())
    if efforts is not None and effort not in efforts:
        effort = efforts[0] if efforts else None
    if has_functions and able.get("tools_with_effort") is False:
        effort = "none" if efforts is None or "none" in efforts else None
    body["reasoning_effort"] = effort
    if effort is None:
        del body["reasoning_effort"]


def _suit_reasoning(body: JsonObject, rules: Mapping[str, Json]) -> None:
    """Leave out what a reasoning model refuses; the profile's rules list it."""
    refused = [*(rules.get("request.reasoning-refuses") or {}).get("names", ())]
    fixed = {**(rules.get("request.reasoning-fixes") or {}).get("defaults", {})}
    if body.get("reasoning_effort") != "none":
        thinking = rules.get("request.reasoning-refuses-while-thinking") or {}
        fixed |= thinking.get("defaults", {})
    for name in refused:
        body.pop(name, None)
    for name, default in fixed.items():
        if body.get(name) is not None:
            body[name] = default
    if body.get("logprobs") is not True:
        body.pop("top_logprobs", None)
    if isinstance(rules.get("request.reasoning-counts-completion-tokens"), Mapping):
        limit = body.pop("max_tokens", None)
        if limit is not None:
            body["max_completion_tokens"] = limit
