"""JSON files with the place of each part: the standard reader judges, a second look finds places."""

import json
import re
from bisect import bisect_right
from collections.abc import Iterator

from mockchat.scripting.scenario_places import (
    START,
    Items,
    Members,
    Misread,
    Node,
    Place,
    Scalar,
    check_depth,
)
from mockchat.types import Json

_TOKEN = re.compile(r'[{}\[\],:]|"(?:[^"\\]|\\.)*"|[^\s{}\[\],:"]+')


def compose_json(text: str) -> Node:
    """Return what a JSON text says.

    Raises:
        Misread: It is not JSON (RFC 8259), or nests too deeply.
    """
    if not text.strip():
        raise Misread(START, "the file is empty; a scenario has stubs: docs/scenarios.md")
    try:
        json.loads(text, parse_constant=_no_json)
    except json.JSONDecodeError as error:
        place = Place(error.lineno, error.colno)
        raise Misread(place, f"no JSON: {error.msg[0].lower()}{error.msg[1:]}") from None
    except RecursionError:
        raise Misread(START, "too many lists and mappings stand inside one another") from None
    except ValueError as error:
        raise Misread(START, f"no JSON: {error}") from None
    return _Tokens(text).node(0)


def _no_json(constant: str) -> Json:
    raise ValueError(f"{constant} is a number that JSON cannot carry")


class _Tokens:
    """The tokens of a text that is known to be JSON."""

    def __init__(self, text: str) -> None:
        self._lines = [0, *(found.end() for found in re.finditer("\n", text))]
        self._tokens: Iterator[re.Match[str]] = _TOKEN.finditer(text)

    def node(self, depth: int) -> Node:
        return self._after(next(self._tokens), depth)

    def _after(self, token: re.Match[str], depth: int) -> Node:
        place = self._place(token)
        check_depth(place, depth)
        if token[0] == "[":
            return Items(place, tuple(self._items(depth)))
        if token[0] == "{":
            return Members(place, tuple(self._members(depth)))
        return Scalar(place, json.loads(token[0]))

    def _items(self, depth: int) -> Iterator[Node]:
        while (token := next(self._tokens))[0] != "]":
            if token[0] != ",":
                yield self._after(token, depth + 1)

    def _members(self, depth: int) -> Iterator[tuple[Scalar, Node]]:
        while (token := next(self._tokens))[0] != "}":
            if token[0] != ",":
                key = Scalar(self._place(token), json.loads(token[0]))
                next(self._tokens)  # the colon
                yield key, self.node(depth + 1)

    def _place(self, token: re.Match[str]) -> Place:
        line = bisect_right(self._lines, token.start())
        return Place(line, token.start() - self._lines[line - 1] + 1)
