"""JSON as bytes in the API's two styles: pretty in bodies, compact in the events of a stream."""

import json

from mockchat.types import Json, JsonView

DONE = b"data: [DONE]\n\n"
"""The event that ends a stream."""

_PRETTY = json.JSONEncoder(ensure_ascii=False, allow_nan=False, indent=2)
_COMPACT = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def encode_json(value: Json) -> bytes:
    """Encode a reply body as the real service formats it: two spaces, key order kept, a newline.

    Characters leave as UTF-8, U+2028 and its kind included. Half a surrogate pair, which a test may
    script on purpose, leaves as its escape: the one spelling that is still valid UTF-8.

    Raises:
        ValueError: For NaN or an infinity, which JSON cannot say.
    """
    return _bytes(_PRETTY.encode(value)) + b"\n"


def encode_compact(value: Json) -> bytes:
    """Encode without white space, as the API does inside streams.

    Raises:
        ValueError: For NaN or an infinity, which JSON cannot say.
    """
    return _bytes(_COMPACT.encode(value))


def encode_chunk(chunk: JsonView) -> bytes:
    r"""Encode one event of a stream: `data: `, compact JSON, an empty line.

    Raises:
        ValueError: For NaN or an infinity, which JSON cannot say.
    """
    return b"data: " + encode_compact(chunk) + b"\n\n"


def _bytes(text: str) -> bytes:
    # Python's escape of a lone surrogate (\udc80) happens to be JSON's.
    return text.encode("utf-8", "backslashreplace")
