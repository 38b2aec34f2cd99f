"""Requests whose members are right one by one and wrong together: each request rule broken alone."""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace

from mockchat.contract.contract import Contract
from mockchat.contract.profile import Model
from mockchat.payloads.draw import Draw
from mockchat.payloads.rule_keeping import UNKNOWN_MODEL
from mockchat.types import Json, JsonObject, JsonView

_GONE = ...
_LONGEST_TEXT = 60
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")
_OPEN = {"type": "object", "properties": {}}
_STRICT = {**_OPEN, "required": [], "additionalProperties": False}
_NO_SCHEMA = {"type": "no type"}
_CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
_USER = {"role": "user", "content": "hi"}
_CALLING = {"role": "assistant", "content": None, "tool_calls": [_CALL]}
_ANSWER = {"role": "tool", "tool_call_id": "call_1", "content": "4"}
_ANSWERED = [_USER, _CALLING, _ANSWER]
_IN_PARTS = {**_ANSWER, "content": [{"type": "text", "text": "4"}]}
_PICTURE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}


def _function(**members: Json) -> JsonObject:
    # Perplexity wants the description.
    return {"name": "f", "description": "Tells.", "parameters": _OPEN, **members}


def _tools(**members: Json) -> list[Json]:
    return [{"type": "function", "function": _function(**members)}]


def _named(name: str) -> JsonObject:
    return {"type": "function", "function": {"name": name}}


def _format(schema: Json, **members: Json) -> JsonObject:
    return {"type": "json_schema", "json_schema": {"name": "f", "schema": schema, **members}}


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestBreakage:
    """One way to break a request rule.

    Attributes:
        rule: The rule.
        variant: The way.
        reason: What is wrong then, in words.
        pointer: Where.
        parent: Members of the valid request besides model and message.
        changes: Members that make it wrong; an ellipsis takes one away.
    """

    rule: str
    variant: str
    reason: str
    pointer: str
    parent: JsonView = field(default_factory=dict)
    changes: Mapping[str, Json]

    @property
    def name(self) -> str:
        """What tells it from the others of its profile."""
        return f"{self.rule} {self.variant}"

    def requests(self, draw: Draw) -> tuple[JsonObject, JsonObject]:
        """Return a request that keeps the rule and one that breaks it; the draw words the message."""
        parent = {"model": UNKNOWN_MODEL, "messages": [_USER], **deepcopy(dict(self.parent))}
        if "messages" not in {*self.parent, *self.changes} and "response_format" not in parent:
            text = draw.text(0, _LONGEST_TEXT, "wild")
            parent["messages"] = [{"role": "user", "content": text}]
        changed = {**parent, **deepcopy(dict(self.changes))}
        return parent, {name: value for name, value in changed.items() if value is not _GONE}


def _broken(
    rule: str, pointer: str, reason: str, parent: JsonView, changes: Mapping[str, Json]
) -> RequestBreakage:
    return RequestBreakage(
        rule=f"request.{rule}",
        variant=pointer,
        reason=reason,
        pointer=pointer,
        parent=parent,
        changes=changes,
    )


_ANY_MODEL = (
    _broken(
        "tool-answers-call", "/messages/3/role", "a tool message answers a call nobody made",
        {"messages": _ANSWERED}, {"messages": [*_ANSWERED, {**_ANSWER, "tool_call_id": "call_2"}]},
    ),
    _broken(
        "calls-are-answered", "/messages/1/tool_calls", "a call has no answer",
        {"messages": _ANSWERED}, {"messages": _ANSWERED[:2]},
    ),
    _broken(
        "content-is-given", "/messages/0/content", "a message says nothing at all",
        {}, {"messages": [{"role": "user"}]},
    ),
    _broken(
        "tool-content-is-text", "/messages/2/content/0", "a tool answers with a picture",
        {"messages": [_USER, _CALLING, _IN_PARTS]},
        {"messages": [_USER, _CALLING, {**_ANSWER, "content": [_PICTURE]}]},
    ),
    _broken(
        "tool-choice-needs-tools", "/tool_choice", "a choice among tools that are not there",
        {"tools": _tools(), "tool_choice": "auto"}, {"tools": _GONE},
    ),
    _broken(
        "parallel-tool-calls-needs-tools", "/parallel_tool_calls",
        "a limit on calls of tools that are not there",
        {"tools": _tools(), "parallel_tool_calls": False}, {"tools": _GONE},
    ),
    _broken(
        "named-tool-exists", "/tool_choice/function/name", "the tool to call is not offered",
        {"tools": _tools(), "tool_choice": _named("f")}, {"tool_choice": _named("g")},
    ),
    _broken(
        "named-tool-exists", "/function_call/name", "the function to call is not offered",
        {"functions": [_function()], "function_call": {"name": "f"}},
        {"function_call": {"name": "g"}},
    ),
    _broken(
        "top-logprobs-needs-logprobs", "/top_logprobs", "alternatives without log probabilities",
        {"logprobs": True, "top_logprobs": 2}, {"logprobs": _GONE},
    ),
    _broken(
        "stream-options-needs-stream", "/stream_options", "options of a stream that is not asked for",
        {"stream": True, "stream_options": {"include_usage": True}}, {"stream": _GONE},
    ),
    _broken(
        "one-token-limit", "/max_tokens", "two limits that exclude each other",
        {"max_completion_tokens": 9}, {"max_tokens": 9},
    ),
    _broken(
        "json-object-needs-the-word", "/messages", "JSON is asked for and no message says so",
        {"response_format": {"type": "json_object"}, "messages": [{**_USER, "content": "JSON"}]},
        {"messages": [_USER]},
    ),
    _broken(
        "metadata-needs-store", "/metadata", "labels for what is not stored",
        {"store": True, "metadata": {}}, {"store": _GONE},
    ),
    _broken(
        "audio-needs-its-options", "/audio", "speech is asked for without saying which",
        {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}},
        {"audio": _GONE},
    ),
    _broken(
        "logit-bias-names-tokens", "/logit_bias/word", "a word where the number of a token is wanted",
        {"logit_bias": {"50256": -100}}, {"logit_bias": {"50256": -100, "word": 1}},
    ),
    _broken(
        "function-parameters-are-a-schema", "/tools/0/function/parameters/type",
        "parameters of a type that does not exist",
        {"tools": _tools()}, {"tools": _tools(parameters=_NO_SCHEMA)},
    ),
    _broken(
        "function-parameters-are-a-schema", "/functions/0/parameters/type",
        "parameters of a type that does not exist",
        {"functions": [_function()]}, {"functions": [_function(parameters=_NO_SCHEMA)]},
    ),
    _broken(
        "function-is-strict", "/tools/0/function/parameters",
        "a strict function whose parameters allow further members",
        {"tools": _tools(strict=True, parameters=_STRICT)},
        {"tools": _tools(strict=True, parameters=_OPEN)},
    ),
    _broken(
        "response-format-is-a-schema", "/response_format/json_schema/schema/type",
        "a format of a type that does not exist",
        {"response_format": _format(_OPEN)}, {"response_format": _format(_NO_SCHEMA)},
    ),
    _broken(
        "response-format-is-strict", "/response_format/json_schema/schema",
        "a strict format that allows further members",
        {"response_format": _format(_STRICT, strict=True)},
        {"response_format": _format(_OPEN, strict=True)},
    ),
)  # fmt: skip


def request_breakages(contract: Contract) -> Iterator[RequestBreakage]:
    """Yield every way to break a request rule that the profile and its models know of.

    A profile without the rule, or without the members, has no use for some; `mutants` leaves those
    out that break nothing.
    """
    yield from _ANY_MODEL
    for find, make in _BY_MODEL:
        for model in contract.profile.models:
            if find(model.capabilities):
                yield from make(model, contract.profile.settings.get("rules", {}))
                break


def _of_model(
    model: Model, rule: str, name: str, reason: str, value: Json, **parent: Json
) -> RequestBreakage:
    return _broken(rule, f"/{name}", reason, {"model": model.id, **parent}, {name: value})


def _of_reasoning(model: Model, rules: JsonView) -> Iterator[RequestBreakage]:
    refused = {
        "stop": "end",
        "logit_bias": {"50256": 1},
        "prediction": {"type": "content", "content": "hi"},
    }
    thinking = {"presence_penalty": 1, "frequency_penalty": 1, "logprobs": True}
    reason = "what a reasoning model does not take"
    for name in (rules.get("request.reasoning-refuses") or {}).get("names", ()):
        yield _of_model(model, "reasoning-refuses", name, reason, refused.get(name))
    rule = "reasoning-refuses-while-thinking"
    for name in (rules.get(f"request.{rule}") or {}).get("defaults", {}):
        yield _of_model(model, rule, name, reason, thinking.get(name))
    for name in (rules.get("request.reasoning-fixes") or {}).get("defaults", {}):
        fixed = "another value than the one a reasoning model works with"
        yield _of_model(model, "reasoning-fixes", name, fixed, 0.5)
    yield _of_model(model, "reasoning-counts-completion-tokens", "max_tokens", reason, 9)


def _of_effort(model: Model, _: JsonView) -> Iterator[RequestBreakage]:
    unknown = [effort for effort in _EFFORTS if effort not in model.capabilities["efforts"]]
    reason = "an effort the model does not know"
    for effort in unknown[:1]:
        yield _of_model(model, "effort-is-supported", "reasoning_effort", reason, effort)


def _of_tools(model: Model, _: JsonView) -> Iterator[RequestBreakage]:
    efforts = model.capabilities.get("efforts") or _EFFORTS
    effort = next(effort for effort in efforts if effort != "none")
    reason = "function tools beside an effort"
    yield _of_model(
        model, "effort-without-tools", "reasoning_effort", reason, effort, tools=_tools()
    )


def _of_roles(model: Model, _: JsonView) -> Iterator[RequestBreakage]:
    for role in model.capabilities["refused_roles"]:
        messages = [{**_USER, "role": role}]
        reason = "a role the model does not take"
        made = _broken(
            "role-is-supported",
            "/messages/0/role",
            reason,
            {"model": model.id},
            {"messages": messages},
        )
        yield replace(made, variant=role)


def _of_limits(
    name: str, limit: str, rule: str
) -> Callable[[Model, JsonView], Iterator[RequestBreakage]]:
    def made(model: Model, _: JsonView) -> Iterator[RequestBreakage]:
        able = model.capabilities
        parent: JsonObject = {}
        if name == "top_logprobs":
            parent = {"logprobs": True} | (
                {"reasoning_effort": "none"} if able.get("reasoning") is True else {}
            )
        reason = "more than the model gives"
        yield _of_model(model, rule, name, reason, able[limit] + 1, **parent)

    return made


def _of_search(model: Model, _: JsonView) -> Iterator[RequestBreakage]:
    reason = "a model that does not search the web"
    yield _of_model(model, "web-search-is-supported", "web_search_options", reason, {})


_BY_MODEL: tuple[
    tuple[
        Callable[[JsonView], bool],
        Callable[[Model, JsonView], Iterator[RequestBreakage]],
    ],
    ...,
] = (
    (lambda able: able.get("reasoning") is True, _of_reasoning),
    (lambda able: able.get("efforts") is not None, _of_effort),
    (lambda able: able.get("tools_with_effort") is False, _of_tools),
    (lambda able: bool(able.get("refused_roles")), _of_roles),
    (lambda able: able.get("web_search") is False, _of_search),
    (lambda able: able.get("max_n") is not None, _of_limits("n", "max_n", "n-within-model")),
    (
        lambda able: able.get("max_top_logprobs") is not None,
        _of_limits("top_logprobs", "max_top_logprobs", "top-logprobs-within-model"),
    ),
    (
        lambda able: able.get("max_output_tokens") is not None,
        _of_limits("max_completion_tokens", "max_output_tokens", "max-tokens-within-model"),
    ),
)
"""For each capability: which models have it, and what breaks its rule."""
