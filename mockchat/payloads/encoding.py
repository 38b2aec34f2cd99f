"""JSON as bytes in the API's two styles: pretty in bodies, compact in the events of a stream."""

import json
from json.encoder import encode_basestring

from mockchat.types import Json, JsonView

DONE = b"data: [DONE]\n\n"
"""The event that ends a stream."""

_PRETTY = json.JSONEncoder(ensure_ascii=False, allow_nan=False, indent=2)
_COMPACT = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def compact(value: Json) -> str:
    """Return the text of `encode_compact`."""
    return _COMPACT.encode(value)


def encode_json(value: Json) -> bytes:
    """Encode a reply body as the real service formats it: two spaces, key order kept, a newline.

    Characters leave as UTF-8, U+2028 and its kind included. Half a surrogate pair, which a test may
    script on purpose, leaves as its escape: the one spelling that is still valid UTF-8.

    Raises:
        ValueError: For NaN or an infinity, which JSON cannot say.
    """
    try:
        text = pretty(value, "\n")
    except (TypeError, ValueError, RecursionError):
        text = _PRETTY.encode(value)  # keys that are no text, and errors in its own words
    return as_bytes(text) + b"\n"


def encode_compact(value: Json) -> bytes:
    """Encode without white space, as the API does inside streams.

    Raises:
        ValueError: For NaN or an infinity, which JSON cannot say.
    """
    return as_bytes(compact(value))


def encode_chunk(chunk: JsonView) -> bytes:
    r"""Encode one event of a stream: `data: `, compact JSON, an empty line.

    Raises:
        ValueError: For NaN or an infinity, which JSON cannot say.
    """
    return b"data: " + encode_compact(chunk) + b"\n\n"


def pretty(value: Json, line: str) -> str:
    """Return text as the standard encoder does with an indent, which it does without its C half.

    Args:
        value: What to encode.
        line: A line break with the indent of `value`.

    Raises:
        TypeError: A key is no text.
        ValueError: For NaN or an infinity.
    """
    if isinstance(value, str):
        return encode_basestring(value)
    if type(value) is int:
        return repr(value)
    if value and isinstance(value, dict):
        deeper = f"{line}  "
        members = [
            f"{encode_basestring(key)}: {encode_basestring(member)}"
            if type(member) is str
            else f"{encode_basestring(key)}: {pretty(member, deeper)}"
            for key, member in value.items()
        ]
        return f"{{{deeper}{f',{deeper}'.join(members)}{line}}}"
    if value and isinstance(value, list | tuple):
        deeper = f"{line}  "
        return f"[{deeper}{f',{deeper}'.join(pretty(item, deeper) for item in value)}{line}]"
    if value is None:
        return "null"
    return _COMPACT.encode(value)


def as_bytes(text: str) -> bytes:
    """Return text as UTF-8, half a surrogate pair as its escape."""
    # Python's escape of a lone surrogate (\udc80) happens to be JSON's.
    return text.encode("utf-8", "backslashreplace")
