"""The official document of 2026-08-21 as JSON Schema 2020-12: what other tests judge by.

It is written in OpenAPI 3.0's dialect here and there: `nullable` becomes a union with null, the
rest means the same in both.
"""

import json
from pathlib import Path

JsonObject = dict
NAMES = {
    "request": "CreateChatCompletionRequest",
    "response": "CreateChatCompletionResponse",
    "chunk": "CreateChatCompletionStreamResponse",
    "error": "ErrorResponse",
    "model": "Model",
    "model-list": "ListModelsResponse",
    "model-deleted": "DeleteModelResponse",
    "stored-list": "ChatCompletionList",
    "stored-messages": "ChatCompletionMessageList",
    "stored-deleted": "ChatCompletionDeleted",
}
"""The official name of each of our documents."""


def official_definitions(shared: Path) -> JsonObject:
    """Return the schemas of the official document by name, as they are written."""
    return json.loads((shared / "facts" / "openai-spec" / "chat-2026-08-21.json").read_text())


def official_schema(shared: Path, document: str) -> JsonObject:
    """Return the official schema of what we call `document`, whole, in draft 2020-12."""
    definitions = _without_nullable(official_definitions(shared))
    uri = f"https://mockchat.invalid/official/{document}.json"
    return {"$id": uri, "$ref": f"#/$defs/{NAMES[document]}", "$defs": definitions}


def _without_nullable(part):
    if isinstance(part, list):
        return [_without_nullable(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    copy = {key: _without_nullable(inner) for key, inner in part.items() if key != "nullable"}
    if isinstance(copy.get("$ref"), str):
        copy["$ref"] = "#/$defs/" + copy["$ref"].rpartition("/")[2]
    return {"anyOf": [copy, {"type": "null"}]} if part.get("nullable") is True else copy
