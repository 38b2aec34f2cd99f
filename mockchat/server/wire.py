"""JSON and server-sent events as bytes: strict decoders and the encoders of the API's two styles.

No I/O and no opinion about a payload's meaning; the contract has that.
"""

import json
import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import Literal, Never

from mockchat.errors import MockchatError
from mockchat.payloads.encoding import DONE, encode_chunk, encode_compact, encode_json
from mockchat.scripting.sse import SseDecoder, SseEvent
from mockchat.types import Json, JsonObject

__all__ = [
    "DONE",
    "MAX_DEPTH",
    "BadBody",
    "BadBodyKind",
    "Decoded",
    "SseDecoder",
    "SseEvent",
    "decode_body",
    "decode_json",
    "encode_chunk",
    "encode_compact",
    "encode_json",
]

MAX_DEPTH = 128
"""Deepest nesting of arrays and objects that is read. Far above any real request, far below what
the recursive parts of Python (its JSON scanner, `copy.deepcopy`, a schema walk) can follow."""

BadBodyKind = Literal[
    "empty",
    "encoding",
    "byte-order-mark",
    "malformed",
    "constant",
    "number",
    "nesting",
    "surrogate",
]


class BadBody(MockchatError, ValueError):
    """Bytes that are not one interoperable JSON text.

    Args:
        kind: What is wrong: "empty" (nothing but white space), "encoding" (not UTF-8),
            "byte-order-mark", "malformed" (not JSON), "constant" (NaN, Infinity, -Infinity),
            "number" (outside the range of double precision), "nesting" (deeper than MAX_DEPTH),
            "surrogate" (an escape that is half of a character).
        detail: Where and what, in words.
    """

    def __init__(self, kind: BadBodyKind, detail: str) -> None:
        super().__init__(kind, detail)
        self.kind: BadBodyKind = kind
        self.detail = detail

    def __str__(self) -> str:
        return f"the body is not usable JSON ({self.kind}): {self.detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A decoded body and what is worth saying about its spelling.

    Attributes:
        value: The JSON value.
        duplicate_keys: Names that one object carries more than once, in order of discovery; the
            last value of each is in `value`, as JSON parsers do.
    """

    value: Json
    duplicate_keys: tuple[str, ...] = ()


def decode_json(data: bytes) -> Json:
    """Decode a request body, refusing whatever JSON parsers disagree about.

    Accepts exactly one RFC 8259 text in UTF-8. A repeated key keeps its last value
    (`decode_body` tells which). Half a surrogate pair, which RFC 8259 section 8.2 calls
    unpredictable, is refused, so that every string behind this door can be encoded again.

    Raises:
        BadBody: For anything else; its `kind` says which of the known troubles it is.
    """
    return decode_body(data).value


def decode_body(data: bytes) -> Decoded:
    """Decode as `decode_json` does and tell which keys were repeated.

    Raises:
        BadBody: As for `decode_json`.
    """
    text = _decode_text(data)
    duplicates: list[str] = []

    def object_of(pairs: list[tuple[str, Json]]) -> JsonObject:
        members = dict(pairs)
        if len(members) != len(pairs):
            counts = Counter(key for key, _ in pairs)
            duplicates.extend(key for key, count in counts.items() if count > 1)
        return members

    try:
        value = json.loads(
            text,
            object_pairs_hook=object_of,
            parse_constant=_refuse_constant,
            parse_float=_finite_float,
            parse_int=_bounded_int,
        )
    except json.JSONDecodeError as error:
        raise BadBody(
            "malformed", f"{error.msg} at line {error.lineno}, column {error.colno}"
        ) from None
    except RecursionError:
        raise _too_deep() from None
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
        raise _too_deep()
    if _SURROGATE_ESCAPE.search(text):
        _refuse_surrogates(value)
    return Decoded(value=value, duplicate_keys=tuple(dict.fromkeys(duplicates)))


_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_DOUBLE_DIGITS = 308
"""An integer of so many digits always fits into double precision (its maximum has 309)."""


def _decode_text(data: bytes) -> str:
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise BadBody("byte-order-mark", "it starts with a byte order mark")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise BadBody("encoding", f"byte {error.start} is not UTF-8") from None
    if not text.strip(" \t\r\n"):
        raise BadBody("empty", "it holds no value")
    return text


def _refuse_constant(name: str) -> Never:
    raise BadBody("constant", f"{name} is not a JSON number")


def _finite_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise BadBody("number", f"{text[:20]} is outside the range of double precision")
    return number


def _bounded_int(text: str) -> int:
    if len(text) > _DOUBLE_DIGITS and math.isinf(float(text)):
        raise BadBody("number", f"an integer of {len(text)} characters is outside double precision")
    return int(text)


def _too_deep() -> BadBody:
    return BadBody("nesting", f"it nests deeper than {MAX_DEPTH} levels")


def _is_deeper(value: Json, limit: int) -> bool:
    """Walk level by level: recursion is what this protects the others from."""
    level = [value]
    for _ in range(limit):
        level = [
            child
            for node in level
            if isinstance(node, (dict, list))
            for child in (node.values() if isinstance(node, dict) else node)
        ]
        if not level:
            return False
    return any(isinstance(node, (dict, list)) for node in level)


def _refuse_surrogates(value: Json) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise BadBody("surrogate", "a \\u escape stands for half a surrogate pair") from None
