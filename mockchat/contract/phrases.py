"""The API's own way of saying things: articles, lists, elisions, printed values, near misses.

Measured against api.openai.com in 2026: serial commas from three members on, "and" between values
and "or" between types, the article on the first of several types only.
"""

from collections.abc import Iterable, Sequence

from mockchat.contract.pointers import tokens_of
from mockchat.contract.unions import json_type
from mockchat.types import Json

_TYPES = {
    "string": ("a", "string"),
    "integer": ("an", "integer"),
    "number": ("a", "decimal"),
    "boolean": ("a", "boolean"),
    "object": ("an", "object"),
    "array": ("an", "array"),
    "null": ("", "null"),
}
_GOT = {
    "string": "a string",
    "integer": "an integer",
    "number": "a decimal number",
    "boolean": "a boolean",
    "object": "an object",
    "array": "an array",
    "null": "null",
}
_ELIDED_ABOVE = 12
_NEAR = 2


def joined(words: Sequence[str], last: str) -> str:
    """Return "a", "a and b" or "a, b, and c" for `last` "and"."""
    if len(words) < 3:  # noqa: PLR2004 - the serial comma starts at three
        return f" {last} ".join(words)
    return f"{', '.join(words[:-1])}, {last} {words[-1]}"


def quoted(values: Iterable[Json], last: str) -> str:
    """Return values in quotes, joined."""
    return joined([f"'{printed(value)}'" for value in values], last)


def printed(value: Json) -> str:
    """Return `value` as the service prints it: text as it is, anything else as Python writes it."""
    if isinstance(value, str):
        return value
    try:
        return repr(value)
    except (RecursionError, ValueError):
        # Nested beyond the stack, or an integer of more digits than Python writes.
        return _GOT[json_type(value)]


def got(value: Json) -> str:
    """Return what was given, as "but got … instead" names it."""
    return _GOT[json_type(value)]


def expected(wanted: Sequence[Json]) -> str:
    """Return what was wanted, as "expected …" names it.

    Args:
        wanted: Types ("string", "array of object") and listed values ({"enum": […]}). Null is not
            mentioned beside others.
    """
    named = [entry for entry in wanted if entry != "null"] or list(wanted)
    words = [_alternative(entry, with_article=index == 0) for index, entry in enumerate(named)]
    return words[0] if len(words) == 1 else f"one of {joined(words, 'or')}"


def _alternative(entry: Json, *, with_article: bool) -> str:
    if isinstance(entry, dict):
        return f"one of {quoted(entry['enum'], 'or')}"
    name, _, items = str(entry).partition(" of ")
    article, noun = _TYPES[name]
    if items:
        noun = f"{noun} of {_TYPES[items][1]}s"
    return f"{article} {noun}".strip() if with_article else noun


def elided(name: str) -> str:
    """Return a long name as `abc...xyz`."""
    return name if len(name) <= _ELIDED_ABOVE else f"{name[:3]}...{name[-3:]}"


def path_of(pointer: str, value: Json = None, *, style: str = "brackets") -> str:
    """Return a pointer in the API's spelling.

    Args:
        pointer: Into `value`.
        value: The body, which tells indices from members named by digits; without it digits are
            indices.
        style: "brackets" gives `messages[1].content`, "dots" `messages.1.content`.
    """
    path = ""
    for token in tokens_of(pointer):
        is_index = isinstance(value, list) if value is not None else token.isdecimal()
        if is_index and style == "brackets":
            path += f"[{token}]"
        else:
            path += f".{token}" if path else token
        value = _step(value, token)
    return path


def _step(value: Json, token: str) -> Json:
    if isinstance(value, list):
        return value[int(token)] if token.isdecimal() and int(token) < len(value) else None
    return value.get(token) if isinstance(value, dict) else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'stop' or 'store'?", nearest first then by the alphabet, or ""."""
    near = sorted(
        (distance, other) for other in known if (distance := _edits(name, other)) <= _NEAR
    )
    return f" Did you mean {quoted((other for _, other in near), 'or')}?" if near else ""


def _edits(one: str, other: str) -> int:
    """Return the edit distance, or any larger number than `_NEAR` where it is above."""
    if abs(len(one) - len(other)) > _NEAR:
        return _NEAR + 1
    row = list(range(len(other) + 1))
    for above, left in enumerate(one, start=1):
        corner, row[0] = row[0], above
        for index, right in enumerate(other, start=1):
            step = min(row[index] + 1, row[index - 1] + 1, corner + (left != right))
            corner, row[index] = row[index], step
    return row[-1]
