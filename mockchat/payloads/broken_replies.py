"""Completions that are right member by member and wrong as a whole, or as the answer to a request."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field

from mockchat.contract.contract import Contract
from mockchat.payloads.completions import completion_of
from mockchat.payloads.draw import Draw
from mockchat.payloads.rule_keeping import UNKNOWN_MODEL
from mockchat.types import Completion, Json, JsonObject, JsonView

_LONGEST_TEXT = 60
_STRICT = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
_TOOLS = [{"type": "function", "function": {"name": "f", "strict": True, "parameters": _STRICT}}]
_TOKEN = {"token": "a", "logprob": -0.1, "bytes": [97]}


_ARGUMENTS = '{"city": "Oslo"}'
_FUNCTION_CALL = {"name": "f", "arguments": _ARGUMENTS}
_FORMAT = {"name": "f", "strict": True, "schema": _STRICT}


def _call(**function: str) -> JsonObject:
    said = {**_FUNCTION_CALL, **function}
    return {"id": "call_0", "type": "function", "function": said}


_SAYS: JsonView = {"role": "assistant", "content": "Hello"}
_CALLS: JsonView = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{name: value for name, value in _call().items() if name != "id"}],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyBreakage:
    """One way to break a rule on replies.

    Attributes:
        rule: The rule.
        reason: What is wrong then, in words.
        pointer: Where.
        request: What is answered, besides model and messages.
        message: What the valid completion says; None: any text.
        change: Spoils the completion it is given.
        number: Tells ways of one rule apart.
    """

    rule: str
    reason: str
    pointer: str
    request: Mapping[str, Json] = field(default_factory=dict)
    message: JsonView | None = None
    change: Callable[[JsonObject], None]
    number: int = 1

    @property
    def variant(self) -> str:
        """The way: where the fault is, and which one where there are several."""
        return f"{self.pointer} ({self.number})" if self.number > 1 else self.pointer

    @property
    def name(self) -> str:
        """What tells it from the others."""
        return f"{self.rule} {self.variant}"

    @property
    def is_about_request(self) -> bool:
        """Whether the completion is wrong as the answer to its request alone."""
        return self.rule.startswith("exchange.")

    def asked(self) -> JsonObject:
        """Return the request."""
        messages = [{"role": "user", "content": "hi"}]
        return {"model": UNKNOWN_MODEL, "messages": messages, **deepcopy(dict(self.request))}

    def completions(self, contract: Contract, draw: Draw) -> tuple[Completion, JsonObject]:
        """Return a completion that keeps the rule and one that breaks it."""
        message = self.message
        if message is None:
            message = {**_SAYS, "content": draw.text(1, _LONGEST_TEXT, "plain")}
        parent = completion_of(
            self.asked(), draw, contract=contract, message=deepcopy(dict(message))
        )
        payload: JsonObject = deepcopy(dict(parent))
        self.change(payload)
        return parent, payload


def _choice(name: str, value: Json) -> Callable[[JsonObject], None]:
    def change(completion: JsonObject) -> None:
        completion["choices"][0][name] = deepcopy(value)

    return change


def _message(**members: Json) -> Callable[[JsonObject], None]:
    def change(completion: JsonObject) -> None:
        completion["choices"][0]["message"].update(deepcopy(members))

    return change


def _turned(reason: str, **members: Json) -> Callable[[JsonObject], None]:
    """Let a choice say something else, and finish as one that says that."""

    def change(completion: JsonObject) -> None:
        message = completion["choices"][0]["message"]
        message.pop("tool_calls", None)
        message.update(deepcopy(members))
        completion["choices"][0]["finish_reason"] = reason

    return change


def _called(**function: str) -> Callable[[JsonObject], None]:
    """Change what the one call of a message says."""

    def change(completion: JsonObject) -> None:
        completion["choices"][0]["message"]["tool_calls"][0]["function"].update(function)

    return change


def _call_again(*, is_other: bool) -> Callable[[JsonObject], None]:
    """Add a second call, of another id or of the same."""

    def change(completion: JsonObject) -> None:
        calls = completion["choices"][0]["message"]["tool_calls"]
        again = deepcopy(calls[0])
        again["id"] = (
            again["id"][:-1] + "01"[again["id"].endswith("0")] if is_other else again["id"]
        )
        calls.append(again)

    return change


def _usage(name: str, by: int) -> Callable[[JsonObject], None]:
    def change(completion: JsonObject) -> None:
        completion["usage"][name] += by
        if name != "total_tokens":
            completion["usage"]["total_tokens"] += by

    return change


def _cached_above_prompt(completion: JsonObject) -> None:
    usage = completion["usage"]
    details = usage.setdefault("prompt_tokens_details", {})
    details["cached_tokens"] = usage["prompt_tokens"] + 1


def _drop_choice(completion: JsonObject) -> None:
    completion["choices"].pop()


def _add(text: str) -> Callable[[JsonObject], None]:
    def change(completion: JsonObject) -> None:
        completion["choices"][0]["message"]["content"] += text

    return change


def _broken(
    rule: str, pointer: str, reason: str, change: Callable[[JsonObject], None], **more: Json
) -> ReplyBreakage:
    number = more.pop("number", 1)
    message = more.pop("message", None)
    return ReplyBreakage(
        rule=rule,
        pointer=pointer,
        reason=reason,
        change=change,
        message=message,
        request=more,
        number=number,
    )


_CONTENT = "/choices/0/message/content"
_MADE = "/choices/0/message/tool_calls"

REPLY_BREAKAGES = (
    _broken(
        "reply.choice-indices", "/choices/0/index", "the first choice is not number 0",
        _choice("index", 1),
    ),
    _broken(
        "reply.finish-reason-tells-calls", "/choices/0/finish_reason",
        "a text that finishes as a call does", _choice("finish_reason", "tool_calls"),
    ),
    _broken(
        "reply.finish-reason-tells-calls", "/choices/0/finish_reason",
        "a text that finishes as a function call does", _choice("finish_reason", "function_call"),
        number=2,
    ),
    _broken(
        "reply.finish-reason-tells-calls", "/choices/0/finish_reason",
        "a call that finishes as a text does", _choice("finish_reason", "stop"),
        tools=_TOOLS, message=_CALLS, number=3,
    ),
    _broken(
        "reply.content-or-something", _CONTENT, "no text, and nothing instead",
        _message(content=None),
    ),
    _broken(
        "reply.call-ids-differ", f"{_MADE}/1/id", "two calls of one id",
        _call_again(is_other=False),
        tools=_TOOLS, message=_CALLS,
    ),
    _broken(
        "reply.usage-adds-up", "/usage/total_tokens", "a total that is not the sum",
        _usage("total_tokens", 1),
    ),
    _broken(
        "reply.usage-details-fit", "/usage/prompt_tokens_details/cached_tokens",
        "more cached tokens than tokens", _cached_above_prompt,
    ),
    _broken("exchange.n", "/choices", "one choice where two were asked for", _drop_choice, n=2),
    _broken(
        "exchange.stop-is-absent", _CONTENT, "the text goes on after a stop sequence",
        _add("<end>more"), stop="<end>",
    ),
    _broken(
        "exchange.token-limit", "/usage/completion_tokens", "more tokens than were allowed",
        _usage("completion_tokens", 100), max_tokens=50, message=_SAYS,
    ),
    _broken(
        "exchange.tool-choice", "/choices/0/message", "a call where none was allowed",
        _turned("tool_calls", tool_calls=[_call()]), tools=_TOOLS, tool_choice="none",
    ),
    _broken(
        "exchange.tool-choice", "/choices/0/message", "no call where one was demanded",
        _turned("stop", content="No."), tools=_TOOLS, tool_choice="required", message=_CALLS,
        number=2,
    ),
    _broken(
        "exchange.tool-choice", "/choices/0/message", "a function call where none was allowed",
        _turned("function_call", function_call=_FUNCTION_CALL),
        functions=[{"name": "f", "parameters": _STRICT}], function_call="none", number=3,
    ),
    _broken(
        "exchange.parallel-tool-calls", _MADE, "two calls where one was allowed",
        _call_again(is_other=True),
        tools=_TOOLS, parallel_tool_calls=False, message=_CALLS,
    ),
    _broken(
        "exchange.called-tool-exists", f"{_MADE}/0/function/name", "a call though no tool is offered",
        _turned("tool_calls", tool_calls=[_call()]),
    ),
    _broken(
        "exchange.called-tool-exists", f"{_MADE}/0/function/name", "a call of a tool not offered",
        _called(name="g"), tools=_TOOLS, message=_CALLS, number=2,
    ),
    _broken(
        "exchange.arguments", f"{_MADE}/0/function/arguments",
        "arguments of a strict function that are no JSON",
        _called(arguments="{"), tools=_TOOLS, message=_CALLS,
    ),
    _broken(
        "exchange.arguments", f"{_MADE}/0/function/arguments",
        "arguments of a strict function that its parameters refuse",
        _called(arguments="{}"), tools=_TOOLS, message=_CALLS, number=2,
    ),
    _broken(
        "exchange.response-format", _CONTENT, "a text where JSON was asked for",
        _message(content="Hello"),
        response_format={"type": "json_object"}, messages=[{"role": "user", "content": "JSON!"}],
        message={"role": "assistant", "content": "{}"},
    ),
    _broken(
        "exchange.response-format", _CONTENT, "JSON that the strict schema refuses",
        _message(content="{}"),
        response_format={"type": "json_schema", "json_schema": _FORMAT},
        message={"role": "assistant", "content": _ARGUMENTS}, number=2,
    ),
    _broken(
        "exchange.logprobs", "/choices/0/logprobs/content/0/top_logprobs",
        "more alternatives than were asked for",
        _choice("logprobs", {"content": [{**_TOKEN, "top_logprobs": [_TOKEN]}], "refusal": None}),
        logprobs=True, message={"role": "assistant", "content": "a"},
    ),
    _broken(
        "exchange.logprobs", "/choices/0/logprobs", "log probabilities that nobody asked for",
        _choice("logprobs", {"content": [{**_TOKEN, "top_logprobs": []}], "refusal": None}),
        message={"role": "assistant", "content": "a"}, number=2,
    ),
)  # fmt: skip
"""Every way to break a rule on replies, the rules on a completion by itself first."""
