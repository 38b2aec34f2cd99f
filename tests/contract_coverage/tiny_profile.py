"""A profile so small that its items can be counted by hand."""

import json

_TEXT = {"type": "string"}
_REASON = {"enum": ["stop", "length"]}

REQUEST = {
    "$id": "https://mockchat.invalid/tiny/request.json",
    "type": "object",
    "required": ["model", "messages"],
    "properties": {
        "model": _TEXT,
        "messages": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/message"}},
        "stream": {"type": "boolean"},
    },
    "$defs": {
        "message": {
            "type": "object",
            "required": ["role", "content"],
            "properties": {
                "role": {"enum": ["user", "assistant"]},
                "content": {"type": ["string", "null"]},
            },
        }
    },
}
RESPONSE = {
    "$id": "https://mockchat.invalid/tiny/response.json",
    "type": "object",
    "required": ["id", "object", "created", "model", "choices"],
    "properties": {
        "id": _TEXT,
        "object": {"const": "chat.completion"},
        "created": {"type": "integer"},
        "model": _TEXT,
        "choices": {"type": "array", "items": {"$ref": "#/$defs/choice"}},
    },
    "$defs": {
        "choice": {
            "type": "object",
            "required": ["index", "message", "finish_reason"],
            "properties": {
                "index": {"type": "integer"},
                "finish_reason": _REASON,
                "message": {
                    "type": "object",
                    "required": ["role", "content"],
                    "properties": {
                        "role": {"const": "assistant"},
                        "content": {"type": ["string", "null"]},
                    },
                },
            },
        }
    },
}
CHUNK = {
    "$id": "https://mockchat.invalid/tiny/chunk.json",
    "type": "object",
    "required": ["id", "object", "created", "model", "choices"],
    "properties": {
        "id": _TEXT,
        "object": {"const": "chat.completion.chunk"},
        "created": {"type": "integer"},
        "model": _TEXT,
        "choices": {"type": "array", "items": {"$ref": "#/$defs/choice"}},
    },
    "$defs": {
        "choice": {
            "type": "object",
            "required": ["index", "delta", "finish_reason"],
            "properties": {
                "index": {"type": "integer"},
                "finish_reason": {"oneOf": [{"type": "null"}, _REASON]},
                "delta": {
                    "type": "object",
                    "properties": {"role": {"const": "assistant"}, "content": _TEXT},
                },
            },
        }
    },
}
ERROR = {
    "$id": "https://mockchat.invalid/tiny/error.json",
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "code"],
            "properties": {"message": _TEXT, "code": {"type": ["string", "null"]}},
        }
    },
}
OPENAPI = {
    "openapi": "3.1.0",
    "servers": [{"url": "/v1"}],
    "paths": {"/chat/completions": {"post": {"operationId": "createChatCompletion"}}},
}
ERRORS = {
    "server_error": {"status": 500, "type": "server_error", "message": "It failed."},
    "slow": {"status": 429, "type": "limit", "code": "slow", "message": "Wait {seconds} s."},
}
SETTINGS = {
    "summary": "One choice, text alone.",
    "errors": {"envelope": {"error": {"message": "{message}", "code": "{code}"}}},
    "models": [{"id": "tiny-1"}],
    "stream": {
        "role": "first",
        "opening": "message",
        "message_so_far": False,
        "finish": "own",
        "finish_delta": {},
        "usage": "own",
        "usage_always": False,
        "usage_null": False,
        "tool_calls": "fragments",
        "obfuscation": False,
        "leading_empty": False,
        "comments": [],
        "done": True,
    },
}

REPLY_ITEMS = [
    "response/choices#one",
    "response/choices/message/content#null",
    "response/choices/message/content#given",
    "response/choices/finish_reason=stop",
    "response/choices/finish_reason=length",
    "chunk/choices#none",
    "chunk/choices#one",
    "chunk/choices/finish_reason#null",
    "chunk/choices/finish_reason#given",
    "chunk/choices/finish_reason=stop",
    "chunk/choices/finish_reason=length",
    "chunk/choices/delta/role#absent",
    "chunk/choices/delta/role#given",
    "chunk/choices/delta/content#absent",
    "chunk/choices/delta/content#given",
    "error/error/code#null",
    "error/error/code#given",
    "stream/text-in-one-piece",
    "stream/text-in-pieces",
    "stream/no-text",
    "errors/server_error",
    "errors/slow",
    "status/429",
    "status/429/retry-after#absent",
    "status/429/retry-after#given",
    "status/500",
]
"""Counted by hand: what a client can be given, without faults."""

REQUEST_ITEMS = [
    "request/stream#absent",
    "request/stream#given",
    "request/stream=true",
    "request/stream=false",
    "request/messages#one",
    "request/messages#many",
    "request/messages/role=user",
    "request/messages/role=assistant",
    "request/messages/content#null",
    "request/messages/content#given",
]
"""Counted by hand: what a client can send."""

EXCLUDED = [
    "response/choices#none",
    "response/choices#many",
    "chunk/choices#many",
    "fault/usage-early",
    "fault/call-header-repeated",
    "fault/call-header-emptied",
    "fault/call-index-missing",
    "fault/call-index-from-1",
    "fault/call-type-missing",
]
"""What nobody can meet: one choice alone, no usage, no calls."""


def write_tiny(folder):
    """Write the profile `tiny` into a folder of profiles."""
    own = folder / "tiny"
    own.mkdir(parents=True)
    files = {
        "profile": SETTINGS,
        "errors": ERRORS,
        "request": REQUEST,
        "response": RESPONSE,
        "chunk": CHUNK,
        "error": ERROR,
        "openapi": OPENAPI,
    }
    for name, value in files.items():
        (own / f"{name}.json").write_text(json.dumps(value))
    return folder
