"""Bodies that are no JSON text, or say nothing a server may accept: bytes no schema can describe."""

import json
from collections.abc import Mapping

from mockchat.types import JsonObject

_REQUEST: JsonObject = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
_BODY = json.dumps(_REQUEST).encode()
_OPEN = _BODY.removesuffix(b"}")
_DEEP = 100_000
_DIGITS = 5_000

WIRE_FAULTS: Mapping[str, tuple[bytes, str]] = {
    "nothing": (b"", "an empty body is no JSON text"),
    "white space": (b" \n", "white space is no JSON text"),
    "cut short": (_BODY[:-8], "the text ends within a value"),
    "two values": (_BODY * 2, "a JSON text is one value"),
    "trailing comma": (_OPEN + b",}", "a comma is followed by a member"),
    "single quotes": (_BODY.replace(b'"', b"'"), "strings have double quotes"),
    "comment": (_OPEN + b" /* no */}", "JSON has no comments"),
    "unquoted name": (_OPEN + b", n: 1}", "names have double quotes"),
    "byte order mark": (b"\xef\xbb\xbf" + _BODY, "a JSON text has no byte order mark"),
    "UTF-16": (json.dumps(_REQUEST).encode("utf-16"), "JSON travels as UTF-8"),
    "Latin-1": (_OPEN + b', "user": "\xe9"}', "JSON travels as UTF-8"),
    "half a character": (_OPEN + b', "user": "\xc3"}', "the bytes of a character are missing"),
    "half a surrogate pair": (
        _OPEN + b', "user": "\\ud800"}',
        "the escape stands for half a character",
    ),
    "control character": (_OPEN + b', "user": "a\nb"}', "a line break in a string is escaped"),
    "NaN": (_OPEN + b', "temperature": NaN}', "JSON has no NaN; Python's json reads it"),
    "Infinity": (_OPEN + b', "temperature": Infinity}', "JSON has no infinity"),
    "number out of range": (
        _OPEN + b', "temperature": 1e999}',
        "no float can hold the number; Python's json reads infinity",
    ),
    "very long integer": (
        _OPEN + b', "seed": ' + b"9" * _DIGITS + b"}",
        "no number has thousands of digits; Python's int refuses to read it",
    ),
    "leading zero": (_OPEN + b', "n": 01}', "numbers have no leading zeros"),
    "hexadecimal number": (_OPEN + b', "n": 0x1}', "numbers are decimal"),
    "deep nesting": (
        _OPEN + b', "user": ' + b"[" * _DEEP + b"]" * _DEEP + b"}",
        "it nests deeper than any reader may have to follow",
    ),
    "open brackets": (b"[" * _DEEP, "it nests deeper than any reader may have to follow"),
}
"""Bodies by name, each with why a server must refuse it."""
