"""The five pages this project was asked to implement, as tables, against the overlays' schemas.

PAGE is what a page says of each field, in its order. BEYOND is what the schema says besides, where
the page is silent: from the official document of its date, or what servers do. Together they are
the whole document: nothing more, nothing less.
"""

import pytest
from page_tables import field, fields, with_beyond
from profile_differences import operations

from mockchat.contract.profile import load_profile

NULL = {"null": True}
COUNT = {"minimum": 0}
TIME = {"minimum": 0, "format": "unixtime"}
OBJECT = {"type": "object", "required": False}
CLOSED = OBJECT | {"closed": True}
TEXT_ITEM = {"type": "string", "required": False}
INT64 = {"minimum": -(2**63), "maximum": 2**63 - 1}

SAMPLING_OF_2023 = {
    "": CLOSED,
    ".messages": {"minItems": 1},
    ".messages[]": CLOSED,
    ".temperature": {"default": 1} | NULL,
    ".top_p": {"minimum": 0, "maximum": 1, "default": 1} | NULL,
    ".n": {"minimum": 1, "maximum": 128, "default": 1} | NULL,
    ".stream": {"default": False} | NULL,
    ".stop": {"type": "array, string", "minItems": 1, "default": None} | NULL,
    ".stop[]": TEXT_ITEM,
    ".presence_penalty": {"default": 0} | NULL,
    ".frequency_penalty": {"default": 0} | NULL,
    ".logit_bias": {"default": None} | NULL,
}
PENALTY = {"minimum": -2, "maximum": 2}
BIAS = {"minimum": -100, "maximum": 100}

PAGE_001 = {
    ".model": field("string", required=True),
    ".messages": field("array", required=True),
    ".messages[].role": field("string", required=True),
    ".messages[].content": field("string", required=True),
    ".messages[].name": field("string"),
    ".temperature": field("number", minimum=0, maximum=2),
    ".top_p": field("number"),
    ".n": field("integer"),
    ".stream": field("boolean"),
    ".stop": field("", maxItems=4),
    ".max_tokens": field("integer"),
    ".presence_penalty": field("number", **PENALTY),
    ".frequency_penalty": field("number", **PENALTY),
    ".logit_bias": field("object"),
    ".logit_bias{}": field("number", **BIAS),
    ".user": field("string"),
}
BEYOND_001 = SAMPLING_OF_2023 | {
    ".messages[].role": {"enum": ["assistant", "system", "user"]},
}
REPLY_001 = {
    ".id": field("string"),
    ".object": field("string"),
    ".created": field("integer"),
    ".model": field("string"),
    ".choices": field("array"),
    ".choices[].index": field("integer"),
    ".choices[].message": field("object"),
    ".choices[].message.role": field("string"),
    ".choices[].message.content": field("string"),
    ".choices[].finish_reason": field("string"),
    ".usage": field("object"),
    ".usage.prompt_tokens": field("integer"),
    ".usage.completion_tokens": field("integer"),
    ".usage.total_tokens": field("integer"),
}
IS_THERE = {"required": True}
BEYOND_REPLY = {
    "": OBJECT,
    ".id": IS_THERE,
    ".object": IS_THERE,
    ".created": IS_THERE | TIME,
    ".model": IS_THERE,
    ".choices": IS_THERE,
    ".choices[]": OBJECT,
    ".choices[].index": IS_THERE | COUNT,
    ".choices[].message": IS_THERE,
    ".choices[].message.role": IS_THERE,
    ".choices[].message.content": IS_THERE,
    ".choices[].finish_reason": IS_THERE,
    ".usage.prompt_tokens": IS_THERE | COUNT,
    ".usage.completion_tokens": IS_THERE | COUNT,
    ".usage.total_tokens": IS_THERE | COUNT,
}

PAGE_000 = {
    ".model": field("string", required=True),
    ".messages": field("array", required=True),
    ".messages[].role": field("string", required=True, enum=["assistant", "system", "user"]),
    ".messages[].content": field("string", required=True),
    ".messages[].name": field("string", pattern="^[a-zA-Z0-9_]{1,64}$"),
    ".temperature": field("number", minimum=0, maximum=2),
    ".top_p": field("number"),
    ".n": field("integer"),
    ".stream": field("boolean"),
    ".stop": field("array, string", maxItems=4),
    ".max_tokens": field("integer"),
    ".presence_penalty": field("number", **PENALTY),
    ".frequency_penalty": field("number", **PENALTY),
    ".logit_bias": field("object"),
    ".logit_bias{}": field("number", **BIAS),
    ".user": field("string"),
}

PAGE_002 = {
    ".model": field("string", required=True),
    ".messages": field("array", required=True),
    ".messages[]": field("object"),
    ".messages[].role": field("string", enum=["assistant", "function", "system", "user"]),
    ".messages[].content": field("string"),
    ".temperature": field("integer"),
    ".top_p": field("integer"),
    ".n": field("integer"),
    ".stream": field("boolean"),
    ".stop": field("string"),
    ".max_tokens": field("integer"),
    ".presence_penalty": field("number"),
    ".frequency_penalty": field("number"),
    ".logit_bias": field("", null=True),
    ".user": field("string"),
}
REPLY_002 = {
    ".id": field("string", required=True),
    ".object": field("string", required=True),
    ".created": field("integer", required=True),
    ".choices": field("array", required=True),
    ".choices[]": field("object"),
    ".choices[].index": field("integer"),
    ".choices[].message": field("object"),
    ".choices[].finish_reason": field("string"),
    ".usage": field("object", required=True),
    ".usage.prompt_tokens": field("integer", required=True),
    ".usage.completion_tokens": field("integer", required=True),
    ".usage.total_tokens": field("integer", required=True),
}
BEYOND_REPLY_002 = {
    "": OBJECT,
    ".created": TIME,
    ".model": {"type": "string", "required": True},
    ".choices[].index": COUNT,
    ".choices[].message.role": {"type": "string", "required": True},
    ".choices[].message.content": {"type": "string", "required": True} | NULL,
    ".choices[].message.function_call": OBJECT,
    ".choices[].message.function_call.name": {"type": "string", "required": True},
    ".choices[].message.function_call.arguments": {"type": "string", "required": True},
    ".usage.prompt_tokens": COUNT,
    ".usage.completion_tokens": COUNT,
    ".usage.total_tokens": COUNT,
}

PAGE_003 = {
    ".messages": field("array", required=True),
    ".model": field("string", required=True),
    ".frequency_penalty": field("number", default=0, **PENALTY),
    ".logit_bias": field("object"),
    ".logit_bias{}": field("integer", **BIAS),
    ".logprobs": field("boolean", default=False),
    ".max_tokens": field("integer", deprecated=True),
    ".n": field("integer", default=1),
    ".presence_penalty": field("number", default=0, **PENALTY),
    ".response_format": field("object"),
    ".seed": field("integer"),
    ".stop": field("array, string", maxItems=4),
    ".stream": field("boolean", default=False),
    ".temperature": field("number", minimum=0, maximum=2, default=1),
    ".top_p": field("number", default=1),
    ".tools": field("array"),
    ".tool_choice": field("object, string", enum=["auto", "none", "required"]),
    ".tool_choice.type": field("string", required=True, enum=["function"]),
    ".tool_choice.function": field("object", required=True),
    ".tool_choice.function.name": field("string", required=True),
    ".user": field("string"),
    ".messages[].role": field(
        "string", required=True, enum=["assistant", "developer", "system", "tool", "user"]
    ),
    ".messages[].content": field("array, string", required=["developer", "system", "tool", "user"]),
    ".messages[].name": field("string"),
    ".messages[].tool_calls": field("array"),
    ".messages[].tool_call_id": field("string", required=["tool"]),
    ".messages[].content[].type": field("string", required=True, enum=["image_url", "text"]),
    ".messages[].content[].image_url.detail": field("string", enum=["auto", "high", "low"]),
    ".tools[].type": field("string", required=True, enum=["function"]),
    ".tools[].function": field("object", required=True),
    ".tools[].function.name": field(
        "string", required=True, pattern="^[a-zA-Z0-9_-]+$", maxLength=64
    ),
    ".tools[].function.description": field("string"),
    ".tools[].function.parameters": field("object"),
}
BEYOND_003 = {
    "": CLOSED,
    ".messages": {"minItems": 1},
    ".messages[]": OBJECT,
    ".messages[].content": NULL,
    ".messages[].content[]": OBJECT,
    ".messages[].content[].text": field(
        "string", required=["assistant", "developer", "system", "text", "tool"]
    ),
    ".messages[].content[].image_url": field("object", required=["image_url"]),
    ".messages[].content[].image_url.url": field("string", required=True),
    ".messages[].name": {"pattern": r"^[^ \t\n\r\f\v<|\\/>]+$"},
    ".messages[].tool_calls": {"minItems": 1},
    ".messages[].tool_calls[]": OBJECT,
    ".messages[].tool_calls[].id": field("string", required=True),
    ".messages[].tool_calls[].type": field("string", required=True, enum=["function"]),
    ".messages[].tool_calls[].function": field("object", required=True),
    ".messages[].tool_calls[].function.name": field(
        "string", required=True, pattern="^[a-zA-Z0-9_-]+$", minLength=1, maxLength=64
    ),
    ".messages[].tool_calls[].function.arguments": field("string", required=True),
    ".model": {"minLength": 1},
    ".n": {"minimum": 1, "maximum": 128},
    ".response_format.type": field("string", required=True, enum=["json_object", "text"]),
    ".seed": INT64,
    ".stop": {"minItems": 1},
    ".stop[]": TEXT_ITEM,
    ".tools": {"minItems": 1, "maxItems": 128},
    ".tools[]": OBJECT,
    ".tools[].function.name": {"minLength": 1},
    ".top_p": {"minimum": 0, "maximum": 1},
}
REPLY_003 = {
    ".id": field("string"),
    ".object": field("string", enum=["chat.completion"]),
    ".created": field("integer"),
    ".model": field("string"),
    ".choices": field("array"),
    ".usage": field("object"),
    ".system_fingerprint": field("string"),
    ".choices[].index": field("integer"),
    ".choices[].message": field("object"),
    ".choices[].finish_reason": field(
        "string", enum=["content_filter", "length", "stop", "tool_calls"]
    ),
    ".choices[].logprobs": field("object", null=True),
    ".choices[].message.role": field("string", enum=["assistant"]),
    ".choices[].message.content": field("string", null=True),
    ".choices[].message.tool_calls": field("array"),
    ".choices[].message.tool_calls[].id": field("string"),
    ".choices[].message.tool_calls[].type": field("string", enum=["function"]),
    ".choices[].message.tool_calls[].function": field("object"),
    ".choices[].message.tool_calls[].function.name": field("string"),
    ".choices[].message.tool_calls[].function.arguments": field("string"),
    ".usage.prompt_tokens": field("integer"),
    ".usage.completion_tokens": field("integer"),
    ".usage.total_tokens": field("integer"),
}
BEYOND_REPLY_003 = BEYOND_REPLY | {
    ".system_fingerprint": {"deprecated": True},
    ".choices[].logprobs": IS_THERE,
    ".choices[].message.tool_calls[]": OBJECT,
    ".choices[].message.tool_calls[].id": IS_THERE,
    ".choices[].message.tool_calls[].type": IS_THERE,
    ".choices[].message.tool_calls[].function": IS_THERE,
    ".choices[].message.tool_calls[].function.name": IS_THERE,
    ".choices[].message.tool_calls[].function.arguments": IS_THERE,
}
CHUNK_003 = {
    ".id": field("string"),
    ".object": field("string", enum=["chat.completion.chunk"]),
    ".created": field("integer"),
    ".model": field("string"),
    ".choices": field("array"),
    ".choices[].delta": field("object"),
    ".choices[].delta.role": field("string"),
    ".choices[].delta.content": field("string"),
    ".choices[].delta.tool_calls": field("array"),
    ".choices[].delta.tool_calls[].function": field("object"),
    ".choices[].delta.tool_calls[].function.name": field("string"),
    ".choices[].delta.tool_calls[].function.arguments": field("string"),
}
BEYOND_CHUNK_003 = {
    "": OBJECT,
    ".id": IS_THERE,
    ".object": IS_THERE,
    ".created": IS_THERE | TIME,
    ".model": IS_THERE,
    ".choices": IS_THERE,
    ".choices[]": OBJECT,
    ".choices[].delta": IS_THERE,
    ".choices[].delta.role": {"enum": ["assistant", "developer", "system", "tool", "user"]},
    ".choices[].delta.content": NULL,
    ".choices[].delta.tool_calls[]": OBJECT,
    ".choices[].delta.tool_calls[].index": field("integer", required=True, **COUNT),
    ".choices[].delta.tool_calls[].id": field("string"),
    ".choices[].delta.tool_calls[].type": field("string", enum=["function"]),
    ".choices[].finish_reason": field(
        "string", required=True, enum=["content_filter", "length", "stop", "tool_calls"], null=True
    ),
    ".choices[].index": field("integer", required=True, **COUNT),
    ".choices[].logprobs": field("object", null=True),
    ".system_fingerprint": field("string", deprecated=True),
}
MODEL_003 = {
    ".id": field("string"),
    ".object": field("string", enum=["model"]),
    ".created": field("integer"),
    ".owned_by": field("string"),
}
BEYOND_MODEL_003 = {
    "": OBJECT,
    ".id": IS_THERE,
    ".object": IS_THERE,
    ".created": IS_THERE | TIME,
    ".owned_by": IS_THERE,
}

PAGE_004 = {
    ".model": field("string", required=True),
    ".messages": field("array", required=True),
    ".max_tokens": field("integer"),
    ".frequency_penalty": field("number", default=1),
    ".presence_penalty": field("number", minimum=0, maximum=2, default=0),
    ".temperature": field("number", minimum=0, maximum=2, default=0.2),
    ".top_k": field("integer", default=0),
    ".top_p": field("number", minimum=0, maximum=1, default=0.9),
    ".messages[].content": field("string", required=True),
    ".messages[].role": field("string", required=True, enum=["assistant", "system", "user"]),
}
ROLES_004 = {"enum": ["assistant", "system", "user"]}
REPLY_004 = {
    ".id": field("string"),
    ".model": field("string"),
    ".object": field("string", enum=["chat.completion"]),
    ".created": field("integer"),
    ".citations": field("array"),
    ".choices": field("array"),
    ".choices[].index": field("integer"),
    ".choices[].finish_reason": field("string", enum=["length", "stop"]),
    ".choices[].message": field("object"),
    ".choices[].message.role": field("string", **ROLES_004),
    ".choices[].message.content": field("string"),
    ".choices[].delta": field("object"),
    ".choices[].delta.role": field("string", **ROLES_004),
    ".choices[].delta.content": field("string"),
    ".usage": field("object"),
    ".usage.prompt_tokens": field("integer"),
    ".usage.completion_tokens": field("integer"),
    ".usage.total_tokens": field("integer"),
}
BEYOND_REPLY_004 = BEYOND_REPLY | {
    ".citations[]": TEXT_ITEM | {"format": "uri"},
    ".choices[].delta": IS_THERE,
    ".choices[].delta.role": IS_THERE,
    ".choices[].delta.content": IS_THERE,
}
BEYOND_CHUNK_004 = BEYOND_REPLY_004 | {".choices[].finish_reason": IS_THERE | NULL}

BEYOND_004 = {
    "": OBJECT,
    ".messages[]": OBJECT,
    # The page describes the deltas of a stream, and no parameter that asks for one.
    ".stream": field("boolean", default=False),
}
TABLES = [
    pytest.param("openai-2023-03", "request", PAGE_001, BEYOND_001, id="001 request"),
    pytest.param("openai-2023-03", "response", REPLY_001, BEYOND_REPLY, id="001 reply"),
    pytest.param("openai-2023-05", "request", PAGE_000, SAMPLING_OF_2023, id="000 request"),
    pytest.param("apifox-2023-06", "request", PAGE_002, {"": CLOSED}, id="002 request"),
    pytest.param("apifox-2023-06", "response", REPLY_002, BEYOND_REPLY_002, id="002 reply"),
    pytest.param("openai-2025-summary", "request", PAGE_003, BEYOND_003, id="003 request"),
    pytest.param("openai-2025-summary", "response", REPLY_003, BEYOND_REPLY_003, id="003 reply"),
    pytest.param("openai-2025-summary", "chunk", CHUNK_003, BEYOND_CHUNK_003, id="003 chunk"),
    pytest.param("openai-2025-summary", "model", MODEL_003, BEYOND_MODEL_003, id="003 model"),
    pytest.param("perplexity-outcode", "request", PAGE_004, BEYOND_004, id="004 request"),
    pytest.param("perplexity-outcode", "response", REPLY_004, BEYOND_REPLY_004, id="004 reply"),
    pytest.param("perplexity-outcode", "chunk", REPLY_004, BEYOND_CHUNK_004, id="004 chunk"),
]
OF_THE_PARENT = ".choices[].logprobs."
"""What stands inside the object that page 003 names and does not describe."""

GET_MODELS = {"GET /models": "operation", "GET /models/{model}": "operation"}
HEADERS_002 = {
    "POST /chat/completions[header Content-Type]": True,
    "POST /chat/completions[header Accept]": True,
    "POST /chat/completions[header Authorization]": False,
}


@pytest.mark.parametrize(("profile", "document", "page", "beyond"), TABLES)
def test_schema_is_the_page_s_table(profile, document, page, beyond):
    """Whoever knows the page knows the profile: each field, range, default and role."""
    schema = fields(profile, document, "documented")
    assert {name: row for name, row in schema.items() if not name.startswith(OF_THE_PARENT)} == (
        with_beyond(page, beyond)
    )


@pytest.mark.parametrize(
    ("profile", "paths"),
    [
        ("openai-2023-03", {"/chat/completions", "/models", "/models/{model}"}),
        ("openai-2025-summary", {"/chat/completions", "/models", "/models/{model}"}),
        ("perplexity-outcode", {"/chat/completions"}),
    ],
)
def test_operations_are_those_of_the_time(profile, paths):
    """A client that asks for what did not exist must hear so."""
    assert set(load_profile(profile).documents["openapi"]["paths"]) == paths


def test_page_003_reads_models_and_deletes_none():
    """The page has two operations on models."""
    told = operations(load_profile("openai-2025-summary"))
    assert {at for at, _ in told if "models" in at and "[" not in at} == set(GET_MODELS)


def test_page_002_has_header_parameters():
    """The importer made parameters of the headers: two required, the key optional."""
    told = operations(load_profile("apifox-2023-06"))
    headers = {at: value for (at, keyword), value in told.items() if keyword == "required"}
    assert {at: headers[at] for at in HEADERS_002} == HEADERS_002
    parent = operations(load_profile("openai-2023-06"))
    assert {at for at, _ in told.keys() - parent.keys()} == set(HEADERS_002)
