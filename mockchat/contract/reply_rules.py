"""Rules on a completion by itself.

They look at completions that satisfy the response schema at level `observed`. What only the
official pages promise is a rule of level `documented`, a note below it.
"""

from collections.abc import Iterator, Mapping

from mockchat.contract.rules import LIST_OF_TEXT, TEXT, Found, RuleBook, closed
from mockchat.types import Json, JsonView

REPLY: RuleBook[JsonView] = RuleBook()

_DETAILS = (
    ("prompt_tokens", "prompt_tokens_details", ("cached_tokens", "audio_tokens")),
    ("completion_tokens", "completion_tokens_details", ("reasoning_tokens", "audio_tokens")),
)


def choices_of(completion: JsonView) -> Iterator[tuple[str, JsonView, JsonView]]:
    """Yield each choice of a completion with its pointer and its message.

    A message that its server took away (Azure's filter) has no members.
    """
    for position, choice in enumerate(completion["choices"]):
        yield f"/choices/{position}", choice, choice.get("message") or {}


def calls_of(message: JsonView) -> list[Json]:
    """Return the tool calls of a message; several servers write null for none."""
    return message.get("tool_calls") or []


@REPLY.rule(
    "reply.choice-indices",
    "the indices of choices are not 0, 1, 2 … in order",
    looks_at=("response/choices/*/index",),
)
def choice_indices(completion: JsonView, _: JsonView) -> Iterator[Found]:
    """The choices are numbered 0 to n-1 (recorded without exception; clients index by position)."""
    for position, (pointer, choice, _message) in enumerate(choices_of(completion)):
        if choice["index"] != position:
            yield Found(pointer=f"{pointer}/index", actual=choice["index"], expected=position)


@REPLY.rule(
    "reply.finish-reason-tells-calls",
    "finish_reason and the presence of calls disagree",
    looks_at=(
        "response/choices/*/finish_reason=tool_calls | response/choices/*/finish_reason=function_call | response/choices/*/message/tool_calls | response/choices/*/message/function_call",
    ),
    parameters=closed({"also": LIST_OF_TEXT}),
)
def finish_reason_tells_calls(completion: JsonView, parameters: JsonView) -> Iterator[Found]:
    """A choice ends with `tool_calls` if and only if it calls tools (recorded, 113 of 113).

    Calls that end with `stop` count at level `documented` only: the documents once said so of
    forced calls, and servers that copied them still do. `length` and `content_filter` may cut a
    call short. The same holds for `function_call` and legacy functions. `also` lists what else a
    profile's servers say after calls.
    """
    cutting = {"length", "content_filter", *parameters.get("also", ())}
    for pointer, choice, message in choices_of(completion):
        reason = choice["finish_reason"]
        calls = {
            "tool_calls": bool(calls_of(message)),
            "function_call": message.get("function_call") is not None,
        }
        for name, is_calling in calls.items():
            if reason == name and not is_calling:
                yield Found(pointer=f"{pointer}/finish_reason", actual=reason, expected="stop")
            elif is_calling and reason not in {name, *cutting}:
                yield Found(
                    pointer=f"{pointer}/finish_reason",
                    actual=reason,
                    expected=name,
                    is_milder=reason == "stop",
                )


@REPLY.rule(
    "reply.content-or-something",
    "content is null, and nothing is said instead",
    looks_at=("response/choices/*/message/content=null",),
)
def content_or_something(completion: JsonView, _: JsonView) -> Iterator[Found]:
    """Content is null only beside calls, a refusal or audio (recorded, 113 of 113).

    A choice that was cut short or filtered may have nothing to say.
    """
    for pointer, choice, message in choices_of(completion):
        instead = (*calls_of(message), message.get("function_call"), message.get("audio"))
        is_cut = choice["finish_reason"] in {"length", "content_filter"}
        said = (message.get("content"), message.get("refusal"), *instead)
        if not is_cut and all(thing is None for thing in said):
            yield Found(pointer=f"{pointer}/message/content", expected="text")


@REPLY.rule(
    "reply.call-ids-differ",
    "two calls have the same id",
    looks_at=("response/choices/*/message/tool_calls/*/id",),
)
def call_ids_differ(completion: JsonView, _: JsonView) -> Iterator[Found]:
    """Each call of a choice has an id of its own: answers refer to it (official document)."""
    for pointer, _choice, message in choices_of(completion):
        seen = set()
        for index, call in enumerate(calls_of(message)):
            if call["id"] in seen:
                yield Found(pointer=f"{pointer}/message/tool_calls/{index}/id", actual=call["id"])
            seen.add(call["id"])


@REPLY.rule(
    "reply.usage-adds-up",
    "total_tokens is not the sum of the others",
    level="documented",
    looks_at=("response/usage/total_tokens",),
)
def usage_adds_up(completion: JsonView, _: JsonView) -> Iterator[Found]:
    """Total tokens are prompt and completion tokens (official document; all recorded OpenAI bodies).

    Servers that leave thinking out of the completion break it, hence level `documented`.
    """
    usage = completion.get("usage")
    if usage:
        total = usage["prompt_tokens"] + usage["completion_tokens"]
        if usage["total_tokens"] != total:
            yield Found(pointer="/usage/total_tokens", actual=usage["total_tokens"], expected=total)


@REPLY.rule(
    "reply.usage-details-fit",
    "a part of the usage is more than the whole",
    level="documented",
    looks_at=("response/usage/prompt_tokens_details | response/usage/completion_tokens_details",),
)
def usage_details_fit(completion: JsonView, _: JsonView) -> Iterator[Found]:
    """Cached, audio and reasoning tokens are counted within their total (official document)."""
    usage = completion.get("usage") or {}
    for total, details, parts in _DETAILS:
        counts = usage.get(details) or {}
        for part in parts:
            count = counts.get(part) or 0
            if count > usage.get(total, 0):
                pointer = f"/usage/{details}/{part}"
                yield Found(pointer=pointer, actual=count, expected=usage[total])


@REPLY.rule(
    "reply.id-prefix",
    "an id does not start as the service's do",
    looks_at=("response/id",),
    parameters=closed({"completion": TEXT, "call": TEXT}, "completion", "call"),
)
def id_prefix(completion: JsonView, prefixes: JsonView) -> Iterator[Found]:
    """Ids start with `chatcmpl-` and `call_` (recorded; no document says so, vendors differ)."""
    if not completion["id"].startswith(prefixes["completion"]):
        expected = prefixes["completion"]
        yield Found(pointer="/id", actual=completion["id"], expected=expected, is_note=True)
    for pointer, _choice, message in choices_of(completion):
        for index, call in enumerate(calls_of(message)):
            if not call["id"].startswith(prefixes["call"]):
                yield Found(
                    pointer=f"{pointer}/message/tool_calls/{index}/id",
                    actual=call["id"],
                    expected=prefixes["call"],
                    is_note=True,
                )


@REPLY.rule(
    "reply.logprobs-spell-content",
    "the tokens of logprobs do not spell the text",
    looks_at=("response/choices/*/logprobs",),
)
def logprobs_spell_content(completion: JsonView, _: JsonView) -> Iterator[Found]:
    """The tokens of `logprobs` join to the text they belong to (recorded).

    A note: tokens that end within a character, and stop sequences left out, break it honestly.
    """
    for pointer, choice, message in choices_of(completion):
        for name, entries in (choice.get("logprobs") or {}).items():
            text = message.get(name)
            if not isinstance(entries, list) or not isinstance(text, str):
                continue
            tokens: Json = [
                entry.get("token") if isinstance(entry, Mapping) else None for entry in entries
            ]
            if not all(isinstance(token, str) for token in tokens):
                continue  # some vendors send null
            spelt = "".join(tokens)
            if spelt != text:
                at = f"{pointer}/logprobs/{name}"
                yield Found(pointer=at, actual=spelt, expected=text, is_note=True)
