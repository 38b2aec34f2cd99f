"""Rules on requests that depend on what the model can do.

They ask the capabilities that the profile lists for the model; a model it does not know, and a
capability it does not list, is judged by no rule.
"""

from collections.abc import Iterator

from mockchat.contract.request_rules import AskedFor
from mockchat.contract.rules import LIST_OF_TEXT, Found, RuleBook, closed
from mockchat.types import Json, JsonView

BY_MODEL: RuleBook[AskedFor] = RuleBook()
"""Rules that look at what has passed its schema, and at the model."""


def _capability(asked: AskedFor, name: str) -> Json:
    return None if asked.model is None else asked.model.capabilities.get(name)


def _is_reasoning(asked: AskedFor) -> bool:
    return _capability(asked, "reasoning") is True


def _same(one: Json, other: Json) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


@BY_MODEL.rule(
    "request.reasoning-refuses",
    "a reasoning model does not take this parameter",
    error="unsupported_parameter",
    looks_at=(
        "request/{names}",
        "models/reasoning=true",
    ),
    parameters=closed({"names": LIST_OF_TEXT}, "names"),
)
def reasoning_refuses(asked: AskedFor, parameters: JsonView) -> Iterator[Found]:
    """A reasoning model takes no `stop`, `logit_bias` or `prediction` (measured)."""
    for name in parameters["names"] if _is_reasoning(asked) else ():
        if name in asked.body:
            yield Found(pointer=f"/{name}", actual=asked.body[name], details={"name": name})


@BY_MODEL.rule(
    "request.reasoning-refuses-while-thinking",
    "a reasoning model takes this parameter only with reasoning_effort none",
    error="unsupported_parameter",
    looks_at=(
        "request/{defaults}",
        "models/reasoning=true",
    ),
    parameters=closed({"defaults": {"type": "object"}}, "defaults"),
)
def reasoning_refuses_while_thinking(asked: AskedFor, parameters: JsonView) -> Iterator[Found]:
    """A thinking model takes no penalties and no log probabilities (measured).

    What the parameter would be if it were absent is not counted as taken.
    """
    if not _is_reasoning(asked) or asked.body.get("reasoning_effort") == "none":
        return
    for name, default in parameters["defaults"].items():
        if name in asked.body and not _same(asked.body[name], default):
            yield Found(pointer=f"/{name}", actual=asked.body[name], details={"name": name})


@BY_MODEL.rule(
    "request.reasoning-fixes",
    "a reasoning model takes only the default of this parameter",
    error="unsupported_value",
    looks_at=(
        "request/{defaults}",
        "models/reasoning=true",
    ),
    parameters=closed({"defaults": {"type": "object"}}, "defaults"),
)
def reasoning_fixes(asked: AskedFor, parameters: JsonView) -> Iterator[Found]:
    """A reasoning model takes `temperature` and `top_p` as 1 only (measured, reported)."""
    for name, default in parameters["defaults"].items() if _is_reasoning(asked) else ():
        if name in asked.body and not _same(asked.body[name], default):
            value = asked.body[name]
            details = {"name": name, "default": default}
            yield Found(pointer=f"/{name}", actual=value, expected=default, details=details)


@BY_MODEL.rule(
    "request.reasoning-counts-completion-tokens",
    "a reasoning model takes max_completion_tokens instead of max_tokens",
    error="max_tokens_unsupported",
    looks_at=(
        "request/max_tokens",
        "models/reasoning=true",
    ),
)
def reasoning_counts_completion_tokens(asked: AskedFor, _: JsonView) -> Iterator[Found]:
    """A reasoning model takes no `max_tokens` (measured, reported)."""
    if _is_reasoning(asked) and "max_tokens" in asked.body:
        yield Found(pointer="/max_tokens", actual=asked.body["max_tokens"])


@BY_MODEL.rule(
    "request.effort-is-supported",
    "the model does not know this reasoning effort",
    error="unsupported_effort",
    looks_at=(
        "request/reasoning_effort",
        "models/efforts",
    ),
)
def effort_is_supported(asked: AskedFor, _: JsonView) -> Iterator[Found]:
    """`reasoning_effort` is one of the model's efforts (measured)."""
    efforts = _capability(asked, "efforts")
    effort = asked.body.get("reasoning_effort")
    if efforts is not None and effort is not None and effort not in efforts:
        yield Found(pointer="/reasoning_effort", actual=effort, expected=efforts)


@BY_MODEL.rule(
    "request.effort-without-tools",
    "the model takes function tools on this endpoint only without reasoning effort",
    error="effort_with_tools",
    looks_at=(
        "request/reasoning_effort",
        "request/tools/*/type=function",
        "models/tools_with_effort=false",
    ),
)
def effort_without_tools(asked: AskedFor, _: JsonView) -> Iterator[Found]:
    """The gpt-5.6 family refuses function tools beside a reasoning effort (measured, no text)."""
    effort = asked.body.get("reasoning_effort", "none")
    tools = asked.body.get("tools", ())
    has_functions = any(tool["type"] == "function" for tool in tools)
    if _capability(asked, "tools_with_effort") is False and effort != "none" and has_functions:
        yield Found(pointer="/reasoning_effort", actual=effort, expected="none")


@BY_MODEL.rule(
    "request.role-is-supported",
    "the model does not take messages of this role",
    error="unsupported_role",
    looks_at=(
        "request/messages/*/role",
        "models/refused_roles",
    ),
)
def role_is_supported(asked: AskedFor, _: JsonView) -> Iterator[Found]:
    """o1-mini takes no system and no developer messages (recorded)."""
    refused = _capability(asked, "refused_roles") or ()
    for index, message in enumerate(asked.messages):
        if message["role"] in refused:
            role = message["role"]
            details = {"index": index, "role": role}
            yield Found(pointer=f"/messages/{index}/role", actual=role, details=details)


@BY_MODEL.rule(
    "request.web-search-is-supported",
    "the model does not search the web",
    error="web_search_unsupported",
    looks_at=(
        "request/web_search_options",
        "models/web_search=false",
    ),
)
def web_search_is_supported(asked: AskedFor, _: JsonView) -> Iterator[Found]:
    """Only search models take `web_search_options` (recorded)."""
    if _capability(asked, "web_search") is False and "web_search_options" in asked.body:
        yield Found(pointer="/web_search_options", actual=asked.body["web_search_options"])


@BY_MODEL.rule(
    "request.n-within-model",
    "the model gives fewer choices",
    error="integer_above_max_value",
    looks_at=(
        "request/n",
        "models/max_n",
    ),
)
def n_within_model(asked: AskedFor, _: JsonView) -> Iterator[Found]:
    """`n` is at most what the model gives: 8 in the gpt-5.6 family (measured)."""
    most = _capability(asked, "max_n")
    if most is not None and asked.body.get("n", 1) > most:
        yield Found(pointer="/n", actual=asked.body["n"], expected=most)


@BY_MODEL.rule(
    "request.top-logprobs-within-model",
    "the model lists fewer alternatives",
    error="top_logprobs_above_model",
    looks_at=(
        "request/top_logprobs",
        "models/max_top_logprobs",
    ),
)
def top_logprobs_within_model(asked: AskedFor, _: JsonView) -> Iterator[Found]:
    """`top_logprobs` is at most what the model lists: 5 in the gpt-5.6 family (measured)."""
    most = _capability(asked, "max_top_logprobs")
    if most is not None and asked.body.get("top_logprobs", 0) > most:
        yield Found(pointer="/top_logprobs", actual=asked.body["top_logprobs"], expected=most)


@BY_MODEL.rule(
    "request.max-tokens-within-model",
    "the model writes fewer tokens",
    error="max_tokens_above_model",
    looks_at=(
        "request/max_tokens | request/max_completion_tokens",
        "models/max_output_tokens",
    ),
)
def max_tokens_within_model(asked: AskedFor, _: JsonView) -> Iterator[Found]:
    """A token limit is at most what the model writes (reported)."""
    most = _capability(asked, "max_output_tokens")
    for name in ("max_tokens", "max_completion_tokens"):
        if most is not None and asked.body.get(name, 0) > most:
            value = asked.body[name]
            details = {"name": name}
            yield Found(pointer=f"/{name}", actual=value, expected=most, details=details)
