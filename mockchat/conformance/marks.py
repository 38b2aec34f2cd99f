"""Where in the bytes of a body a JSON Pointer leads: what a report marks."""

import json
from json import JSONDecodeError

from mockchat.contract.pointers import tokens_of

Span = tuple[int, int]
"""Where a part of a text starts, and where it has ended."""

_SPACE = " \t\n\r"
_DECODER = json.JSONDecoder()


def span_of(text: str, pointer: str, *, is_stream: bool) -> Span | None:
    """Return where the value at `pointer` stands in `text`; None where nothing can be found.

    What is missing is shown as the object that lacks it.

    Args:
        text: A JSON text, or the events of a stream.
        pointer: Into the value; into a stream, its first token is the number of the event.
        is_stream: What `text` is.
    """
    tokens = list(tokens_of(pointer))
    start = 0
    if is_stream:
        event = _event(text, int(tokens.pop(0))) if tokens and tokens[0].isdecimal() else None
        if event is None:
            return None
        start = event[0]
        if text[start : event[1]].strip() in {"[DONE]", ""}:
            return event
    try:
        return _value(text, start, tokens)
    except (JSONDecodeError, IndexError, ValueError, RecursionError):
        return event if is_stream else None


def _event(text: str, number: int) -> Span | None:
    """Return where the data of an event stand."""
    at, seen = 0, -1
    for line in text.splitlines(keepends=True):
        if line.startswith("data:"):
            seen += 1
            if seen == number:
                start = at + 5 + (line[5:6] == " ")
                return start, at + len(line.rstrip("\r\n"))
        at += len(line)
    return None


def _value(text: str, start: int, tokens: list[str]) -> Span:
    start = _skip(text, start)
    whole = start, _end(text, start)
    for depth, token in enumerate(tokens):
        inner = _member(text, start, token) if text[start] == "{" else _item(text, start, token)
        if inner is None:
            return start, _end(text, start)
        start = inner
        whole = start, _end(text, start)
        if depth == len(tokens) - 1:
            return whole
    return whole


def _member(text: str, start: int, name: str) -> int | None:
    at = _skip(text, start + 1)
    while text[at] == '"':
        key, at = _DECODER.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)
        if key == name:
            return at
        at = _skip(text, _end(text, at))
        if text[at] != ",":
            return None
        at = _skip(text, at + 1)
    return None


def _item(text: str, start: int, token: str) -> int | None:
    if text[start] != "[" or not token.isdecimal():
        return None
    at = _skip(text, start + 1)
    for _ in range(int(token)):
        at = _skip(text, _end(text, at))
        if text[at] != ",":
            return None
        at = _skip(text, at + 1)
    return None if text[at] == "]" else at


def _end(text: str, start: int) -> int:
    return int(_DECODER.raw_decode(text, start)[1])


def _skip(text: str, at: int) -> int:
    while text[at : at + 1] in _SPACE and at < len(text):
        at += 1
    return at
