"""One exchange with a real server as it went over the wire, timings included."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

from mockchat.exchange import Headers, header
from mockchat.server.wire import BadBody, decode_json
from mockchat.types import Json, JsonObject

Ended: TypeAlias = Literal["whole", "cut", "reset", "client left"]
"""How an answer ended: as HTTP says it does, broken off, with a reset, or because nobody listened."""

Piece: TypeAlias = tuple[float, bytes]
"""Bytes that arrived together, with the seconds since the request was sent."""


@dataclass(frozen=True, kw_only=True)
class RecordedExchange:
    """One request to a real server and what came back.

    Attributes:
        method: The HTTP method.
        path: The path the client asked for, without its query.
        query: What stands behind "?", credentials replaced.
        headers: Request fields, credentials replaced.
        body: The bytes of the request.
        status: The HTTP status of the answer.
        reply_headers: Response fields, credentials replaced.
        pieces: The body as it arrived, compression taken off.
        answered: Seconds from the request to the head of the answer.
        ended: How it ended.
        began: When the request was sent, in seconds since 1970; None where that is not known.
        secrets: The credentials that the request carried: no file may have them.
    """

    method: str = "POST"
    path: str = "/v1/chat/completions"
    query: str = ""
    headers: Headers = ()
    body: bytes = field(default=b"", repr=False)
    status: int = 200
    reply_headers: Headers = ()
    pieces: tuple[Piece, ...] = field(default=(), repr=False)
    answered: float = 0.0
    ended: Ended = "whole"
    began: float | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @cached_property
    def request(self) -> JsonObject | None:
        """The decoded body, None where it is no JSON object."""
        try:
            decoded = decode_json(self.body)
        except BadBody:
            return None
        return decoded if isinstance(decoded, dict) else None

    @cached_property
    def reply(self) -> Json:
        """The decoded body of the answer, None where it is no JSON."""
        try:
            return decode_json(self.reply_body)
        except BadBody:
            return None

    @property
    def reply_body(self) -> bytes:
        """All bytes of the answer's body."""
        return b"".join(data for _, data in self.pieces)

    @property
    def content_type(self) -> str:
        """The content type of the answer without parameters, in lower case; "" without one."""
        return (header(self.reply_headers, "content-type") or "").partition(";")[0].strip().lower()

    @property
    def seconds(self) -> float:
        """Seconds from the request to the last byte that arrived."""
        return self.pieces[-1][0] if self.pieces else self.answered
