"""What is judged: a request, its reply, or both, wherever they were recorded."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from mockchat.conformance.kinds import starts_stream
from mockchat.contract.stream_framing import MEDIA_TYPE
from mockchat.server.wire import BadBody, decode_json
from mockchat.types import Json

Part: TypeAlias = Literal["request", "response", "chunk", "error", "stream"]
"""Which half of an exchange, and what it is: the document's name, or a stream."""

_SUCCESS = range(200, 300)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """A body that is, or should be, JSON.

    Attributes:
        part: The document it is judged by.
        value: The decoded body.
        problem: Why it is not JSON; None where it is.
        content_type: The field of its message, None where that was not recorded.
    """

    part: Part
    value: Json = None
    problem: str | None = None
    content_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """The bytes of a stream, with its content type: None where that was not recorded."""

    data: bytes
    content_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One thing to judge.

    Attributes:
        place: Where in its file: a line's number, a JSON Pointer, "" for a file that is one thing.
        method: The HTTP method.
        path: The URL's path without its query; None where nothing but a chat completion fits.
        request: What was asked, None where only the reply is known.
        reply: What was answered, None where only the request is known.
        status: The HTTP status of the answer, None where it was not recorded.
    """

    place: str = ""
    method: str = "POST"
    path: str | None = None
    request: Payload | None = None
    reply: Payload | Stream | None = None
    status: int | None = None


def payload_of(part: Part, data: bytes, content_type: str | None = None) -> Payload:
    """Return the payload whose bytes are `data`; that they are no JSON is a fault to be judged."""
    try:
        return Payload(part=part, value=decode_json(data), content_type=content_type)
    except BadBody as bad:
        return Payload(part=part, problem=bad.detail, content_type=content_type)


def reply_part(status: int) -> Part:
    """Return the document of a JSON body answered with `status`."""
    return "response" if status in _SUCCESS else "error"


def reply_of(data: bytes, *, status: int, content_type: str | None) -> Payload | Stream:
    """Return what a server answered: a stream, an error or a completion, by status and type.

    Bytes that begin as a stream does are one, whatever their content type says.
    """
    part = reply_part(status)
    if part == "response" and (starts_stream(data) or _is_stream_type(content_type or "")):
        return Stream(data=data, content_type=content_type)
    return payload_of(part, data, content_type)


def _is_stream_type(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == MEDIA_TYPE
