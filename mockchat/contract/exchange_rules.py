"""Rules on a completion as the answer to its request.

They look at completions that satisfy the response schema at level `observed`, and at the members of
the request that satisfy theirs. What a model may get wrong without its server being wrong is a note
(arguments outside a schema that is not strict), as is what honest servers leave out.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mockchat.contract.profile import Model
from mockchat.contract.reply_rules import calls_of, choices_of
from mockchat.contract.rules import Found, RuleBook
from mockchat.contract.validation import schema_problems, schema_violations
from mockchat.types import Json, JsonObject, JsonView


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchanged:
    """A request's valid members, the completion it got, and the model it asked for, if known."""

    request: JsonObject
    completion: JsonView
    model: Model | None

    @property
    def declared(self) -> dict[str, JsonObject]:
        """What each declared function or custom tool is, by name; `{}` for a custom tool."""
        tools = {
            tool[tool["type"]]["name"]: tool["function"] if tool["type"] == "function" else {}
            for tool in self.request.get("tools", ())
        }
        return tools | {each["name"]: each for each in self.request.get("functions", ())}


EXCHANGE: RuleBook[Exchanged] = RuleBook()

REQUIRED = frozenset({"required", "any"})
"""Values of `tool_choice` that ask for some call; "any" is Mistral's older word."""


def _called(exchanged: Exchanged) -> Iterator[tuple[str, str, JsonView]]:
    """Yield each function that is called: pointer, the choice's finish_reason, the call."""
    for pointer, choice, message in choices_of(exchanged.completion):
        reason = choice["finish_reason"]
        for index, call in enumerate(calls_of(message)):
            kind = "custom" if "custom" in call else "function"
            yield f"{pointer}/message/tool_calls/{index}/{kind}", reason, call[kind]
        if message.get("function_call") is not None:
            yield f"{pointer}/message/function_call", reason, message["function_call"]


@EXCHANGE.rule(
    "exchange.n",
    "the number of choices is not what was asked for",
    looks_at=("response/choices",),
)
def n_is_honoured(exchanged: Exchanged, _: JsonView) -> Iterator[Found]:
    """There are `n` choices, one by default (official document, recorded)."""
    wanted, given = exchanged.request.get("n", 1), len(exchanged.completion["choices"])
    if given != wanted:
        yield Found(pointer="/choices", actual=given, expected=wanted)


@EXCHANGE.rule(
    "exchange.stop-is-absent",
    "the text contains a stop sequence",
    looks_at=(
        "request/stop",
        "response/choices/*/message/content",
    ),
)
def stop_is_absent(exchanged: Exchanged, _: JsonView) -> Iterator[Found]:
    """The text ends before a stop sequence and does not contain it (official document)."""
    stop = exchanged.request.get("stop", ())
    sequences = [stop] if isinstance(stop, str) else stop
    for pointer, _choice, message in choices_of(exchanged.completion):
        for sequence in sequences:
            if sequence and sequence in (message.get("content") or ""):
                yield Found(pointer=f"{pointer}/message/content", actual=sequence)


@EXCHANGE.rule(
    "exchange.token-limit",
    "there are more tokens than were allowed",
    looks_at=(
        "request/max_tokens | request/max_completion_tokens",
        "response/usage/completion_tokens",
    ),
)
def token_limit(exchanged: Exchanged, _: JsonView) -> Iterator[Found]:
    """Each choice takes at most the limit; usage counts them together (official document)."""
    request, usage = exchanged.request, exchanged.completion.get("usage")
    limit = request.get("max_completion_tokens", request.get("max_tokens"))
    if limit is None or not usage:
        return
    most = limit * max(1, len(exchanged.completion["choices"]))
    if usage["completion_tokens"] > most:
        pointer = "/usage/completion_tokens"
        yield Found(pointer=pointer, actual=usage["completion_tokens"], expected=most)


@EXCHANGE.rule(
    "exchange.tool-choice",
    "the calls are not what tool_choice asks for",
    looks_at=(
        "request/tool_choice | request/function_call",
        "response/choices/*/message/tool_calls | response/choices/*/message/function_call",
    ),
)
def tool_choice(exchanged: Exchanged, _: JsonView) -> Iterator[Found]:
    """`none` calls nothing, `required` calls, a named tool is the one called (official document).

    A choice that refuses, is cut short or filtered owes no call, nor does any where no tool was
    offered. `function_call` likewise.
    """
    request = exchanged.request
    has_tools = bool(request.get("tools") or request.get("functions"))
    choice = request.get("tool_choice", request.get("function_call"))
    named, must_call = _wanted_calls(choice)
    for pointer, answer, message in choices_of(exchanged.completion):
        calls = [*calls_of(message), *filter(None, [message.get("function_call")])]
        if choice == "none" and calls:
            yield Found(pointer=f"{pointer}/message", actual=len(calls), expected=0)
        is_owed = (
            must_call and has_tools and answer["finish_reason"] not in {"length", "content_filter"}
        )
        if is_owed and not calls and not message.get("refusal"):
            yield Found(pointer=f"{pointer}/message", actual=0, expected="a call")
    for pointer, _reason, call in _called(exchanged):
        if named is not None and call["name"] not in named:
            yield Found(pointer=f"{pointer}/name", actual=call["name"], expected=sorted(named))


def _wanted_calls(choice: Json) -> tuple[set[str] | None, bool]:
    """Return the names that may be called, None for any, and whether something must be."""
    if not isinstance(choice, Mapping):
        return None, choice in REQUIRED
    kind = choice.get("type", "")
    if kind == "allowed_tools":
        allowed = choice["allowed_tools"]
        listed = [tool.get(tool.get("type", ""), {}) for tool in allowed["tools"]]
        names = {each["name"] for each in listed if isinstance(each, Mapping) and "name" in each}
        return names or None, allowed["mode"] == "required" and bool(listed)
    return {choice[kind]["name"] if kind else choice["name"]}, True


@EXCHANGE.rule(
    "exchange.parallel-tool-calls",
    "there are several calls where one was asked for",
    looks_at=(
        "request/parallel_tool_calls",
        "response/choices/*/message/tool_calls",
    ),
)
def parallel_tool_calls(exchanged: Exchanged, _: JsonView) -> Iterator[Found]:
    """`parallel_tool_calls: false` gives at most one call (official document)."""
    if exchanged.request.get("parallel_tool_calls") is False:
        for pointer, _choice, message in choices_of(exchanged.completion):
            count = len(calls_of(message))
            if count > 1:
                yield Found(pointer=f"{pointer}/message/tool_calls", actual=count, expected=1)


@EXCHANGE.rule(
    "exchange.called-tool-exists",
    "a tool is called that was not declared",
    looks_at=("response/choices/*/message/tool_calls | response/choices/*/message/function_call",),
)
def called_tool_exists(exchanged: Exchanged, _: JsonView) -> Iterator[Found]:
    """A call names a declared tool; without any there is no call (official document).

    A model may invent a name beside others, so that counts at level `documented` only.
    """
    declared = exchanged.declared
    for pointer, _reason, call in _called(exchanged):
        if call["name"] not in declared:
            yield Found(
                pointer=f"{pointer}/name",
                actual=call["name"],
                expected=sorted(declared),
                is_milder=bool(declared),
            )


@EXCHANGE.rule(
    "exchange.arguments",
    "the arguments do not satisfy the function's parameters",
    looks_at=(
        "response/choices/*/message/tool_calls/*/function/arguments | response/choices/*/message/function_call/arguments",
    ),
)
def arguments_are_valid(exchanged: Exchanged, _: JsonView) -> Iterator[Found]:
    """Arguments are JSON text that satisfies the parameters of the function (official document).

    The document warns that a model may write neither, so it counts for strict functions alone and
    is a note for others. A choice cut short may end within its arguments.
    """
    declared = exchanged.declared
    for pointer, reason, call in _called(exchanged):
        function = declared.get(call["name"], {})
        if "arguments" not in call or reason in {"length", "content_filter"}:
            continue
        problem = _problem(call["arguments"], function.get("parameters", True))
        if problem is not None:
            yield Found(
                pointer=f"{pointer}/arguments",
                actual=call["arguments"],
                expected=problem,
                is_note=function.get("strict") is not True,
            )


@EXCHANGE.rule(
    "exchange.response-format",
    "the text is not what response_format asks for",
    looks_at=(
        "request/response_format",
        "response/choices/*/message/content",
    ),
)
def response_format(exchanged: Exchanged, _: JsonView) -> Iterator[Found]:
    """The text is JSON for json_object, and satisfies the schema for json_schema (official document).

    A schema that is not strict is followed as well as the model can: at level `documented` the
    text must still be JSON. Calls, refusals and choices cut short owe no such text; where a stop
    sequence may have cut it, which `finish_reason` does not tell, the fault is a note.
    """
    wanted = exchanged.request.get("response_format", {})
    if wanted.get("type") not in {"json_object", "json_schema"}:
        return
    named = wanted.get("json_schema", {})
    is_strict = named.get("strict") is True
    schema = named.get("schema", True) if wanted["type"] == "json_schema" else {"type": "object"}
    for pointer, choice, message in choices_of(exchanged.completion):
        is_whole = choice["finish_reason"] == "stop" and not calls_of(message)
        text = message.get("content")
        problem = _problem(text, schema) if is_whole and isinstance(text, str) else None
        if problem is not None:
            yield Found(
                pointer=f"{pointer}/message/content",
                actual=text,
                expected=problem,
                is_milder=wanted["type"] == "json_schema" and not is_strict,
                is_note=bool(exchanged.request.get("stop")),
            )


def _problem(text: Json, schema: Json) -> str | None:
    try:
        # Several servers hand arguments over as the object they are.
        value = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        return "JSON"
    if schema_problems(schema):
        return None
    violations = schema_violations(schema, value)
    return (
        f"{violations[0].pointer or 'the value'}: {violations[0].message}" if violations else None
    )


@EXCHANGE.rule(
    "exchange.logprobs",
    "log probabilities are not what was asked for",
    looks_at=("response/choices/*/logprobs",),
)
def logprobs(exchanged: Exchanged, _: JsonView) -> Iterator[Found]:
    """Log probabilities come when they are asked for, with at most `top_logprobs` alternatives.

    Official document. Servers and models that have none leave them out, so absence counts at level
    `documented`, and so does sending them unasked; too many alternatives count at both.
    """
    is_asked = exchanged.request.get("logprobs") is True
    most = exchanged.request.get("top_logprobs", 0)
    for pointer, choice, message in choices_of(exchanged.completion):
        given = choice.get("logprobs")
        at = f"{pointer}/logprobs"
        if given is not None and not is_asked:
            yield Found(pointer=at, expected=None, is_milder=True)
        if given is None and is_asked and message.get("content"):
            yield Found(pointer=at, expected="log probabilities", is_milder=True)
        for name, entries in (given or {}).items() if is_asked else ():
            for index, entry in enumerate(entries if isinstance(entries, list) else ()):
                count = len(entry["top_logprobs"])
                if count > most:
                    place = f"{at}/{name}/{index}/top_logprobs"
                    yield Found(pointer=place, actual=count, expected=most)


@EXCHANGE.rule(
    "exchange.model",
    "another model answers than was asked",
    looks_at=(
        "request/model",
        "response/model",
    ),
)
def model_is_echoed(exchanged: Exchanged, _: JsonView) -> Iterator[Found]:
    """The reply names the model asked for or a dated snapshot of it (recorded).

    A note: gateways route to other models and say so.
    """
    asked, answers = exchanged.request.get("model", ""), exchanged.completion["model"]
    snapshot = asked if exchanged.model is None else exchanged.model.snapshot
    if answers not in {asked, snapshot} and not answers.startswith(f"{asked}-"):
        yield Found(pointer="/model", actual=answers, expected=snapshot, is_note=True)
