"""How to mend what a check found: one sentence for whoever maintains the server."""

from collections.abc import Callable, Mapping

from mockchat.conformance.observed import Finding
from mockchat.conformance.report import check_of
from mockchat.contract.pointers import tokens_of
from mockchat.contract.wording import shown
from mockchat.types import Json

BY_KEYWORD: Mapping[str, str] = {
    "required": "Send the member {last} in {parent}.",
    "type": "Send {types} at {place}.",
    "enum": "Send one of {expected} at {place}.",
    "const": "Send {expected} at {place}.",
    "pattern": "Send a text that matches {expected} at {place}.",
    "minimum": "Send {expected} or more at {place}.",
    "maximum": "Send {expected} or less at {place}.",
    "minItems": "Send at least {expected} items at {place}.",
    "additionalProperties": "Leave {last} out of {parent}: the API has no such member there.",
}

BY_CHECK: Mapping[str, str] = {
    "reply.choice-indices": "Number the choices from 0, in the order they are sent.",
    "reply.finish-reason-tells-calls": (
        'Finish a choice with "tool_calls" when it calls tools, and with another reason when not.'
    ),
    "reply.content-or-something": (
        "Send a text as content, or calls, a refusal or audio beside the null."
    ),
    "reply.call-ids-differ": "Make a new id for each call.",
    "reply.usage-adds-up": "Send the sum of prompt_tokens and completion_tokens as total_tokens.",
    "reply.usage-details-fit": "Count details within their total, never besides.",
    "reply.id-prefix": "Start ids with `chatcmpl-` and `call_`, as the service does.",
    "reply.logprobs-spell-content": "Send tokens that join to the text they belong to.",
    "exchange.model": "Name the model that was asked for, or a dated snapshot of it.",
    "exchange.n": "Send as many choices as `n` asks for, or refuse `n` with status 400.",
    "exchange.stop-is-absent": "End the text before the stop sequence; do not send it.",
    "exchange.token-limit": 'Stop at the limit and finish with "length".',
    "exchange.tool-choice": (
        "Call a tool where tool_choice requires one, the one it names, none for none; or refuse"
        " tool_choice with status 400."
    ),
    "exchange.parallel-tool-calls": (
        "Keep to one call in a choice where parallel_tool_calls is false."
    ),
    "exchange.called-tool-exists": "Pass on calls of declared tools only.",
    "exchange.arguments": "Send arguments as JSON text that the function's parameters accept.",
    "exchange.response-format": (
        "Send text in the form that response_format asks for, or refuse it with status 400."
    ),
    "exchange.logprobs": "Send logprobs where they are asked for, and only there.",
    "stream.event-object": "Send one JSON object in each event.",
    "stream.done-once": "Send `data: [DONE]` once.",
    "stream.done-last": "Send every chunk before `data: [DONE]`.",
    "stream.error-last": "End the stream after the error event.",
    "stream.one-id": "Make the id once for each stream and repeat it in every chunk.",
    "stream.one-object": 'Send "chat.completion.chunk" as the object of every chunk.',
    "stream.one-model": "Send the same model in every chunk.",
    "stream.one-created": "Take the time once, when the stream starts.",
    "stream.usage-unasked": "Leave usage out unless stream_options.include_usage is true.",
    "stream.usage-once": "Send the counts in one chunk only.",
    "stream.usage-missing": (
        "Send a chunk with empty choices and the counts before [DONE] where include_usage is true."
    ),
    "stream.usage-sum": "Send the sum of prompt_tokens and completion_tokens as total_tokens.",
    "stream.choice-index": "Number choices from 0, below the `n` asked for.",
    "stream.choice-order": "Begin choice 0 first, then 1, and so on.",
    "stream.role-first": 'Send "role": "assistant" in the first delta of each choice.',
    "stream.role-once": "Send the role in the first delta of a choice only.",
    "stream.finish-once": "Send a finish reason in one chunk of a choice; null in the others.",
    "stream.content-after-finish": "Send all content before the finish reason.",
    "stream.call-index": "Number the calls of a choice from 0 without a gap.",
    "stream.call-header": "Send id, type and name in the first fragment of each call.",
    "stream.call-header-once": "Send index and arguments alone in later fragments of a call.",
    "stream.finish-needs-calls": 'Finish with "stop" where no call was streamed.',
    "stream.calls-need-finish": 'Finish with "tool_calls" where calls were streamed.',
    "stream.arguments-json": "Stream the arguments whole: joined, they are one JSON text.",
    "stream.done-missing": "Send `data: [DONE]` and a blank line when a stream is complete.",
    "stream.choice-missing": "Stream every choice asked for, or refuse `n` with status 400.",
    "stream.finish-missing": "Send a finish reason for each choice before [DONE].",
    "stream.content-type": "Send `content-type: text/event-stream; charset=utf-8`.",
    "stream.bom": "Send no byte order mark.",
    "stream.utf-8": "Encode the stream as UTF-8; do not split a character between events.",
    "stream.blank-line": "Send a blank line after each event.",
    "stream.data-json": "Encode each chunk as JSON on one line.",
    "stream.is-one": (
        "Answer `stream: true` with server-sent events, or refuse it with status 400."
    ),
    "answer.whole": (
        "Answer every request to its end; look in the server's log at the time of this one."
    ),
    "answer.no-server-error": (
        "Look in the server's log for what failed; answer a bad request with 4xx, not 5xx."
    ),
    "answer.content-type": "Send `content-type: application/json`.",
    "answer.json": "Answer with a JSON body, errors included.",
    "answer.request-id": "Send an id of the request in the field x-request-id.",
    "request.accepted": "Answer a completion with status 200.",
    "refusal.refused": "Validate the request, and answer status 400 with an error object.",
    "refusal.not-a-stream": "Answer a refusal with a JSON body also where a stream was asked for.",
    "auth.refused": "Answer a missing or wrong key with status 401.",
    "models.not-found": "Answer an unknown model with status 404 and code model_not_found.",
}


def how_to_mend(finding: Finding) -> str:
    """Return what a server should do instead, in one or two sentences.

    A fault of a schema is mended as its keyword says, everything else as its check says; where
    there is nothing better to tell, that is the sentence of the check.
    """
    violation = finding.violation
    template = BY_KEYWORD.get(violation.keyword or "")
    if template is not None:
        *above, last = tokens_of(violation.pointer) or ("",)
        parent = "/" + "/".join(above) if above else "the object itself"
        return template.format(
            last=shown(last),
            parent=parent,
            place=violation.pointer or "the top",
            expected=_listed(violation.expected, ", ", shown),
            types=_listed(violation.expected, " or ", _with_article),
        )
    if finding.check in {"refusal.status", "refusal.type", "refusal.param", "refusal.code"}:
        return f"Send {shown(violation.expected)} instead of {shown(violation.actual)}."
    return BY_CHECK.get(finding.check) or check_of(finding).sentence


def _listed(expected: Json, between: str, told: Callable[[Json], str]) -> str:
    """Return one value or several in words."""
    return between.join(map(told, expected if isinstance(expected, list) else [expected]))


def _with_article(kind: Json) -> str:
    if kind == "null":
        return str(kind)
    return f"{'an' if str(kind)[:1] in 'aeiou' else 'a'} {kind}"
