"""Names for the JSON that travels: aliases, literals and the TypedDicts of the wire objects.

Wire objects stay plain dicts, because users compare them with JSON.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

Json: TypeAlias = Any
"""Any value `json.loads` can return."""

JsonObject: TypeAlias = dict[str, Json]
"""A JSON object, as decoded."""

JsonArray: TypeAlias = list[Json]
"""A JSON array, as decoded."""

JsonView: TypeAlias = Mapping[str, Json]
"""A JSON object that the receiver only reads."""

Level: TypeAlias = Literal["documented", "observed"]
"""`documented`: what the official pages promise. `observed`: what real servers send and clients need."""

Kind: TypeAlias = Literal["plain", "wild"]
"""`plain`: what every client accepts. `wild`: everything the contract allows."""

Validation: TypeAlias = Literal["strict", "schema", "warn", "off"]
"""What is asked of requests: schemas and rules, schemas alone, record only, nothing."""

Models: TypeAlias = Literal["any", "known"]
"""Whether an unknown model name is accepted or answered with the API's 404."""

Unmatched: TypeAlias = Literal["fail", "generate"]
"""What a request that no stub matches gets: an error, or a generated completion."""

Unused: TypeAlias = Literal["fail", "ignore"]
"""Whether a scripted reply that nothing asked for fails the test."""

Document: TypeAlias = Literal[
    "request", "response", "chunk", "error", "model", "model-list", "model-deleted"
]
"""A schema document every profile has. Other documents (stored completions) are named by `str`."""


class FunctionCall(TypedDict):
    """The function half of a tool call; `arguments` is JSON text, not an object."""

    name: str
    arguments: str


class ToolCall(TypedDict, total=False):
    """One call of a function tool (`function`) or of a custom tool (`custom`)."""

    id: str
    type: Literal["function", "custom"]
    function: FunctionCall
    custom: JsonObject


class Message(TypedDict, total=False):
    """A message of a request or of a choice."""

    role: str
    content: str | Sequence[JsonView] | None
    refusal: str | None
    name: str
    tool_calls: Sequence[ToolCall]
    tool_call_id: str
    function_call: FunctionCall | None
    annotations: Sequence[JsonView]
    audio: JsonObject | None


class Choice(TypedDict):
    """One alternative answer of a completion."""

    index: int
    message: Message
    finish_reason: str
    logprobs: NotRequired[JsonObject | None]


class Usage(TypedDict, total=False):
    """Token counts of one completion, in tokens."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: JsonObject
    completion_tokens_details: JsonObject


class ChatRequest(TypedDict, total=False):
    """The body of `POST /v1/chat/completions`: the members that most code reads."""

    model: str
    messages: Sequence[Message]
    stream: bool | None
    stream_options: JsonObject | None
    n: int | None
    stop: str | Sequence[str] | None
    max_tokens: int | None
    max_completion_tokens: int | None
    tools: Sequence[JsonObject]
    tool_choice: str | JsonObject
    parallel_tool_calls: bool
    response_format: JsonObject
    logprobs: bool | None
    top_logprobs: int | None


class Completion(TypedDict, total=False):
    """A `chat.completion` object."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: Sequence[Choice]
    usage: Usage
    service_tier: str | None
    system_fingerprint: str | None


class Chunk(TypedDict, total=False):
    """A `chat.completion.chunk` object, one event of a stream."""

    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    model: str
    service_tier: str | None
    system_fingerprint: str | None
    choices: Sequence[JsonObject]
    usage: Usage | None
    obfuscation: str
