"""JSON values as YAML that every reader takes for the same, and that people like to read."""

import json
import re
from collections.abc import Iterator, Sequence

from mockchat.types import Json

_WIDE = 96
"""Characters of what stands in one line; longer lists and mappings take a line for each member."""

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_NO_TEXT = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""Words that some reader of YAML takes for something else than text."""

_ESCAPED = re.compile(
    "[^ -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
"""What JSON may have in a text as it is, and YAML may not, or reads as the end of a line."""


def yaml_lines(value: Json, *, one_line: Sequence[str] = (), indent: int = 0) -> Iterator[str]:
    """Yield the lines of a mapping or a list; every text is quoted.

    Args:
        value: What is written: a mapping or a list with something in it.
        one_line: Keys whose items stand in one line each, however long they are.
        indent: How far the lines are moved to the right.
    """
    space = " " * indent
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _member(f"{space}{_key(key)}:", member, one_line, indent, key in one_line)
    else:
        for item in value:
            yield from _item(item, one_line, indent)


def flow(value: Json) -> str:
    """Return a value in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)}: {flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, float):
        return _number(value)
    text = json.dumps(value, ensure_ascii=False)
    return _ESCAPED.sub(_escape, text) if isinstance(value, str) else text


def _member(
    start: str,
    member: Json,
    one_line: Sequence[str],
    indent: int,
    is_wide: bool,  # noqa: FBT001 - of `_lines` alone
) -> Iterator[str]:
    if is_wide and isinstance(member, list) and member:
        yield start
        yield from (f"{' ' * indent}  - {flow(item)}" for item in member)
    elif _is_short(member, len(start)):
        yield f"{start} {flow(member)}"
    else:
        yield start
        yield from yaml_lines(member, one_line=one_line, indent=indent + 2)


def _item(item: Json, one_line: Sequence[str], indent: int) -> Iterator[str]:
    space = " " * indent
    if _is_short(item, indent):
        yield f"{space}- {flow(item)}"
        return
    first, *others = yaml_lines(item, one_line=one_line, indent=indent + 2)
    yield f"{space}- {first.lstrip(' ')}"
    yield from others


def _is_short(value: Json, taken: int) -> bool:
    if not isinstance(value, dict | list | tuple) or not value:
        return True
    return not _is_deep(value) and len(flow(value)) + taken <= _WIDE


def _is_deep(value: Json) -> bool:
    """Tell at once what cannot be short: a long one need not be written to find out."""
    return len(value) > _WIDE // 3


def _key(key: str) -> str:
    is_plain = _PLAIN_KEY.fullmatch(key) is not None and key.lower() not in _NO_TEXT
    return key if is_plain else flow(key)


def _number(value: float) -> str:
    """Write a number with a point and, if at all, a signed exponent, as YAML 1.1 wants it."""
    text = repr(value)
    mantissa, separator, exponent = text.partition("e")
    if separator and "." not in mantissa:
        mantissa += ".0"
    return mantissa + separator + exponent


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
