"""What a file holds: told by its content, or given."""

from typing import Literal, TypeAlias, get_args

from mockchat.contract.contract import Contract
from mockchat.errors import MockchatError
from mockchat.server.wire import BadBody, decode_json
from mockchat.types import Json, JsonObject

FileKind: TypeAlias = Literal["request", "response", "chunk", "error", "stream", "har", "exchanges"]
"""A payload of one document; a stream's bytes; a HAR; exchanges, one JSON object a line."""

FILE_KINDS: tuple[FileKind, ...] = get_args(FileKind)

BOM = b"\xef\xbb\xbf"

_FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")
"""How a line of a server-sent-event stream may begin; no JSON text begins so."""

_PAYLOADS: tuple[FileKind, ...] = ("request", "response", "chunk", "error")
_OBJECTS: dict[str, FileKind] = {"chat.completion": "response", "chat.completion.chunk": "chunk"}


class UnreadableFile(MockchatError, ValueError):
    """A file that cannot be judged: not JSON where JSON is wanted, or of no known kind.

    Args:
        problem: What is wrong, with line and column where that helps, in one line.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return self.problem


def detected_kind(data: bytes, contract: Contract) -> FileKind:
    """Return what `data` holds, told by its first line or by the members of its JSON.

    JSON that satisfies one document of the profile alone is of that kind; what satisfies none, or
    several, is told by the members that OpenAI's have.

    Args:
        data: A file's content.
        contract: The contract it is to be judged by.

    Raises:
        UnreadableFile: It is neither a stream nor JSON, or JSON that could be anything.
    """
    text = data.removeprefix(BOM)
    if starts_stream(text):
        return "stream"
    try:
        value = decode_json(text)
    except BadBody as bad:
        if _is_exchange_line(text):
            return "exchanges"
        raise UnreadableFile(f"not JSON: {bad.detail}") from None
    kind = _kind_of_value(value, contract)
    if kind is None:
        raise UnreadableFile(f"JSON of no known kind; name it: --as {'|'.join(FILE_KINDS)}")
    return kind


def starts_stream(data: bytes) -> bool:
    """Say whether bytes begin as server-sent events do, which JSON never does."""
    return data.removeprefix(BOM).lstrip().startswith(_FIELDS)


def is_exchange(value: Json) -> bool:
    """Say whether `value` looks like a recorded exchange: a request and what came of it."""
    return isinstance(value, dict) and "request" in value and ("body" in value or "status" in value)


def _is_exchange_line(text: bytes) -> bool:
    first, _, others = text.lstrip().partition(b"\n")
    try:
        return bool(others.strip()) and is_exchange(decode_json(first))
    except BadBody:
        return False


def _kind_of_value(value: Json, contract: Contract) -> FileKind | None:
    if isinstance(value, dict) and isinstance(value.get("log"), dict):
        return "har"
    if is_exchange(value):
        return "exchanges"
    fitting = [
        kind
        for kind in _PAYLOADS
        if kind in contract.profile.documents and contract.is_valid(kind, value, rules=False)
    ]
    if len(fitting) == 1:
        return fitting[0]
    return _kind_by_members(value) if isinstance(value, dict) else None


def _kind_by_members(value: JsonObject) -> FileKind | None:
    kind = _OBJECTS.get(str(value.get("object")))
    if kind is not None:
        return kind
    if "messages" in value:
        return "request"
    if "choices" in value:
        choices = value["choices"] if isinstance(value["choices"], list) else []
        is_chunk = any(isinstance(choice, dict) and "delta" in choice for choice in choices)
        return "chunk" if is_chunk else "response"
    if "error" in value:
        return "error"
    return "request" if "model" in value and "object" not in value else None
