"""Rules on requests that hold for every model.

Evidence is tagged as in the error catalogue: measured (a public project's recorded bodies against
api.openai.com, 2026), reported (public issues and tests), recorded (test recordings).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mockchat.contract.profile import Model
from mockchat.contract.rules import LIST_OF_TEXT, Found, RuleBook, closed
from mockchat.contract.strict_schema import STRICT_LIMITS, strict_problems
from mockchat.contract.validation import schema_problems
from mockchat.types import Json, JsonObject, JsonView


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedFor:
    """A request as rules look at it.

    Attributes:
        body: The members that satisfy their schema, nulls left out: rules need not be wary.
        given: The names of all members sent with a value, right or wrong.
        model: The model asked for, or None for one the profile does not know.
    """

    body: JsonObject
    given: frozenset[str]
    model: Model | None

    @property
    def messages(self) -> Sequence[JsonObject]:
        """The conversation, () where it is not valid."""
        messages: Sequence[JsonObject] = self.body.get("messages", ())
        return messages


REQUEST: RuleBook[AskedFor] = RuleBook()
"""Rules that look at what has passed its schema."""

RESTATING: RuleBook[Json] = RuleBook()
"""Rules that say of `messages`, whatever it is, what the schema may say too, in the API's words.

They take the place of the schema's violations there and below.
"""

_SPEAKERS = ("system", "user", "assistant", "tool")
_INSTEAD = ("tool_calls", "function_call", "refusal", "audio")


@REQUEST.rule(
    "request.tool-answers-call",
    "a tool message answers no call of the assistant turn before it",
    error="tool_without_call",
    looks_at=("request/messages/*/role=tool",),
)
def tool_answers_call(asked: AskedFor, _: JsonView) -> Iterator[Found]:
    """A tool message answers a call of the directly preceding assistant turn (reported)."""
    open_calls: set[str] = set()
    for index, message in enumerate(asked.messages):
        if message["role"] != "tool":
            open_calls = {call["id"] for call in message.get("tool_calls") or ()}
        elif message["tool_call_id"] not in open_calls:
            yield Found(pointer=f"/messages/{index}/role", actual="tool", details={"index": index})


@REQUEST.rule(
    "request.calls-are-answered",
    "calls of an assistant turn have no answer before the next turn",
    error="calls_without_answer",
    looks_at=("request/messages/*/tool_calls",),
)
def calls_are_answered(asked: AskedFor, _: JsonView) -> Iterator[Found]:
    """Every call of an assistant turn is answered before any other role speaks (reported).

    The param is reported both as `messages` (older) and as `messages.[i].role` (newer): the
    catalogue's entry decides.
    """
    for index, message in enumerate(asked.messages):
        calls = [call["id"] for call in message.get("tool_calls") or ()]
        if not calls:
            continue
        answered = set()
        for later in asked.messages[index + 1 :]:
            if later["role"] != "tool":
                break
            answered.add(later["tool_call_id"])
        missing = [call for call in calls if call not in answered]
        if missing:
            yield Found(
                pointer=f"/messages/{index}/tool_calls",
                actual=missing,
                details={"index": index, "ids": ", ".join(missing)},
            )


@RESTATING.rule(
    "request.content-is-given",
    "content is missing, and nothing else is said instead",
    error="content_missing",
    looks_at=(
        "request/messages/*/content",
        "request/messages/*/role={roles}",
    ),
    parameters=closed({"roles": LIST_OF_TEXT}),
)
def content_is_given(messages: Json, parameters: JsonView) -> Iterator[Found]:
    """A message has content, unless an assistant calls, refuses or spoke (measured, reported).

    It is the last check of all. A developer message without content is a schema fault instead,
    and a function message may carry null. `roles` says whose content is looked at, where a profile
    leaves those of others to its schema.
    """
    speakers = parameters.get("roles", _SPEAKERS)
    for index, message in _objects(messages):
        if message.get("content") is None and message.get("role") in speakers:
            is_assistant = message["role"] == "assistant"
            if not (is_assistant and any(message.get(key) is not None for key in _INSTEAD)):
                yield Found(pointer=f"/messages/{index}/content", details={"index": index})


@RESTATING.rule(
    "request.tool-content-is-text",
    "a tool message has content that is not text",
    error="tool_content_not_text",
    looks_at=(
        "request/messages/*/role=tool",
        "request/messages/*/content/*/type",
    ),
)
def tool_content_is_text(messages: Json, _: JsonView) -> Iterator[Found]:
    """The parts of a tool message are text (recorded)."""
    for index, message in _objects(messages):
        if message.get("role") == "tool":
            for part_index, part in _objects(message.get("content")):
                kind = part.get("type")
                if isinstance(kind, str) and kind != "text":
                    pointer = f"/messages/{index}/content/{part_index}"
                    yield Found(pointer=pointer, actual=part, details={"index": index})


@REQUEST.rule(
    "request.tool-choice-needs-tools",
    "tool_choice is given without tools",
    error="tool_choice_without_tools",
    looks_at=("request/tool_choice",),
)
def tool_choice_needs_tools(asked: AskedFor, _: JsonView) -> Iterator[Found]:
    """`tool_choice` is only allowed beside `tools` (reported)."""
    if "tool_choice" in asked.body and "tools" not in asked.given:
        yield Found(pointer="/tool_choice", actual=asked.body["tool_choice"])


@REQUEST.rule(
    "request.parallel-tool-calls-needs-tools",
    "parallel_tool_calls is given without tools",
    error="parallel_tool_calls_without_tools",
    looks_at=("request/parallel_tool_calls",),
)
def parallel_tool_calls_needs_tools(asked: AskedFor, _: JsonView) -> Iterator[Found]:
    """`parallel_tool_calls` is only allowed beside `tools` (reported)."""
    if "parallel_tool_calls" in asked.body and "tools" not in asked.given:
        yield Found(pointer="/parallel_tool_calls", actual=asked.body["parallel_tool_calls"])


@REQUEST.rule(
    "request.named-tool-exists",
    "the tool that is named was not declared",
    error="named_tool_unknown",
    looks_at=(
        "request/tool_choice/function/name | request/tool_choice/custom/name | request/function_call/name",
    ),
)
def named_tool_exists(asked: AskedFor, _: JsonView) -> Iterator[Found]:
    """A tool or function that is named has been declared (measured).

    The API's param is `function_call` even where `tool_choice` names the tool.
    """
    choice = asked.body.get("tool_choice")
    if isinstance(choice, Mapping) and "tools" in asked.body:
        kind = choice["type"]
        declared = [tool[kind]["name"] for tool in asked.body["tools"] if tool["type"] == kind]
        name = choice[kind]["name"] if kind in {"function", "custom"} else None
        if name is not None and name not in declared:
            pointer = f"/tool_choice/{kind}/name"
            yield Found(pointer=pointer, actual=name, expected=declared, details={"name": name})
    call = asked.body.get("function_call")
    if isinstance(call, Mapping):
        declared = [function["name"] for function in asked.body.get("functions", ())]
        if call["name"] not in declared and ("functions" in asked.body) == (
            "functions" in asked.given
        ):
            yield Found(
                pointer="/function_call/name",
                actual=call["name"],
                expected=declared,
                details={"name": call["name"]},
            )


@REQUEST.rule(
    "request.top-logprobs-needs-logprobs",
    "top_logprobs is given without logprobs",
    error="top_logprobs_without_logprobs",
    looks_at=("request/top_logprobs",),
)
def top_logprobs_needs_logprobs(asked: AskedFor, _: JsonView) -> Iterator[Found]:
    """`top_logprobs` is only allowed beside `logprobs: true` (measured)."""
    if (
        "top_logprobs" in asked.body
        and asked.body.get("logprobs", "logprobs" in asked.given) is not True
    ):
        yield Found(pointer="/top_logprobs", actual=asked.body["top_logprobs"])


@REQUEST.rule(
    "request.stream-options-needs-stream",
    "stream_options is given without stream",
    error="stream_options_without_stream",
    looks_at=("request/stream_options",),
)
def stream_options_needs_stream(asked: AskedFor, _: JsonView) -> Iterator[Found]:
    """`stream_options` is only allowed beside `stream: true` (reported)."""
    if (
        "stream_options" in asked.body
        and asked.body.get("stream", "stream" in asked.given) is not True
    ):
        yield Found(pointer="/stream_options", actual=asked.body["stream_options"])


@REQUEST.rule(
    "request.one-token-limit",
    "max_tokens and max_completion_tokens are given both",
    error="two_token_limits",
    looks_at=(
        "request/max_tokens",
        "request/max_completion_tokens",
    ),
)
def one_token_limit(asked: AskedFor, _: JsonView) -> Iterator[Found]:
    """`max_tokens` and `max_completion_tokens` exclude each other (reported)."""
    if {"max_tokens", "max_completion_tokens"} <= asked.body.keys():
        yield Found(pointer="/max_tokens", actual=asked.body["max_tokens"])


@REQUEST.rule(
    "request.json-object-needs-the-word",
    "no message contains the word json, which response_format json_object asks for",
    error="json_word_missing",
    looks_at=("request/response_format/type=json_object",),
)
def json_object_needs_the_word(asked: AskedFor, _: JsonView) -> Iterator[Found]:
    """`response_format` json_object needs the word json, in any case, in some message (reported)."""
    wanted = asked.body.get("response_format", {}).get("type") == "json_object"
    is_there = any("json" in text.casefold() for text in _texts(asked.messages))
    if wanted and "messages" in asked.body and not is_there:
        yield Found(pointer="/messages", expected="the word json")


@REQUEST.rule(
    "request.metadata-needs-store",
    "metadata is given without store",
    error="metadata_without_store",
    looks_at=("request/metadata",),
)
def metadata_needs_store(asked: AskedFor, _: JsonView) -> Iterator[Found]:
    """`metadata` is only allowed beside `store: true` (reported; measured otherwise in 2026)."""
    if "metadata" in asked.body and asked.body.get("store", "store" in asked.given) is not True:
        yield Found(pointer="/metadata", actual=asked.body["metadata"])


@REQUEST.rule(
    "request.audio-needs-its-options",
    "modalities asks for audio, and audio does not say which",
    error="audio_options_missing",
    looks_at=("request/modalities/*=audio",),
)
def audio_needs_its_options(asked: AskedFor, _: JsonView) -> Iterator[Found]:
    """`modalities` with audio needs the `audio` object (official document, prose)."""
    if "audio" in asked.body.get("modalities", ()) and "audio" not in asked.given:
        yield Found(pointer="/audio")


@REQUEST.rule(
    "request.logit-bias-names-tokens",
    "a key of logit_bias is not the number of a token",
    error="logit_bias_key",
    looks_at=("request/logit_bias",),
)
def logit_bias_names_tokens(asked: AskedFor, _: JsonView) -> Iterator[Found]:
    """Keys of `logit_bias` are token ids, written in digits (official document, prose)."""
    for key in asked.body.get("logit_bias", ()):
        if not (key.isascii() and key.isdecimal()):
            yield Found(pointer=f"/logit_bias/{_escaped(key)}", actual=key, details={"name": key})


@REQUEST.rule(
    "request.function-parameters-are-a-schema",
    "the parameters of a function are not a JSON Schema",
    error="invalid_function_schema",
    looks_at=("request/tools/*/function/parameters | request/functions/*/parameters",),
)
def function_parameters_are_a_schema(asked: AskedFor, _: JsonView) -> Iterator[Found]:
    """The `parameters` of a function are a JSON Schema (reported)."""
    for pointer, function in _functions(asked.body):
        for at, reason in schema_problems(function.get("parameters", True))[:1]:
            yield _bad_schema(f"{pointer}/parameters", function, at, reason)


@REQUEST.rule(
    "request.function-is-strict",
    "the parameters of a strict function are outside the strict subset",
    error="invalid_function_schema",
    looks_at=("request/tools/*/function/strict | request/functions/*/strict",),
    parameters=STRICT_LIMITS,
)
def function_is_strict(asked: AskedFor, limits: JsonView) -> Iterator[Found]:
    """The `parameters` of a function with `strict: true` keep to the strict subset (reported)."""
    for pointer, function in _functions(asked.body):
        schema = function.get("parameters")
        if function.get("strict") and schema is not None and not schema_problems(schema):
            for at, reason in strict_problems(schema, limits)[:1]:
                yield _bad_schema(f"{pointer}/parameters", function, at, reason)


@REQUEST.rule(
    "request.response-format-is-a-schema",
    "the schema of response_format is not a JSON Schema",
    error="invalid_response_schema",
    looks_at=("request/response_format/json_schema/schema",),
)
def response_format_is_a_schema(asked: AskedFor, _: JsonView) -> Iterator[Found]:
    """The `schema` of a json_schema format is a JSON Schema (reported)."""
    wanted = asked.body.get("response_format", {}).get("json_schema", {})
    for at, reason in schema_problems(wanted.get("schema", True))[:1]:
        yield _bad_schema("/response_format/json_schema/schema", wanted, at, reason)


@REQUEST.rule(
    "request.response-format-is-strict",
    "the schema of a strict response_format is outside the strict subset",
    error="invalid_response_schema",
    looks_at=(
        "request/response_format/json_schema/schema",
        "request/response_format/json_schema/strict",
    ),
    parameters=STRICT_LIMITS,
)
def response_format_is_strict(asked: AskedFor, limits: JsonView) -> Iterator[Found]:
    """The `schema` of a json_schema format with `strict: true` keeps to the subset (reported)."""
    wanted = asked.body.get("response_format", {}).get("json_schema", {})
    schema = wanted.get("schema")
    if wanted.get("strict") and schema is not None and not schema_problems(schema):
        for at, reason in strict_problems(schema, limits)[:1]:
            yield _bad_schema("/response_format/json_schema/schema", wanted, at, reason)


def _functions(body: JsonView) -> Iterator[tuple[str, JsonObject]]:
    for index, tool in enumerate(body.get("tools", ())):
        if tool["type"] == "function":
            yield f"/tools/{index}/function", tool["function"]
    for index, function in enumerate(body.get("functions", ())):
        yield f"/functions/{index}", function


def _bad_schema(pointer: str, named: JsonView, at: str, reason: str) -> Found:
    context = repr(tuple(part for part in at.split("/") if part))
    return Found(
        pointer=pointer + at,
        expected="a JSON Schema",
        details={
            "tool": pointer.removesuffix("/parameters"),
            "name": named.get("name", ""),
            "detail": f"In context={context}, {reason}",
        },
    )


def _objects(values: Json) -> Iterator[tuple[int, JsonObject]]:
    for index, value in enumerate(values if isinstance(values, list) else ()):
        if isinstance(value, dict):
            yield index, value


def _texts(messages: Sequence[JsonObject]) -> Iterator[str]:
    for message in messages:
        content: Json = message.get("content")
        if isinstance(content, str):
            yield content
        for part in content if isinstance(content, list) else ():
            yield part.get("text", "")


def _escaped(token: str) -> str:
    return token.replace("~", "~0").replace("/", "~1")
