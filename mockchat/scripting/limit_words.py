"""Rate limits as one line of text: `requests=3, window=60`, for command lines and ini files."""

import difflib
from dataclasses import fields

from mockchat.errors import BadArgument
from mockchat.scripting.quotas import Limits

_NAMES = tuple(one.name for one in fields(Limits) if one.name != "clock")
_ALLOWED = f"NAME=VALUE, separated by commas: {', '.join(_NAMES)}"


def limits_said(text: str) -> Limits:
    """Return the limits that a text says: the keywords of `Limits` with their values.

    Raises:
        BadArgument: It is no list of keywords, or a value is not allowed.
    """
    __tracebackhide__ = True
    said: dict[str, object] = {}
    for part in text.split(","):
        name, separator, value = (piece.strip() for piece in part.partition("="))
        if not separator or not value or name in said:
            raise BadArgument("limits", text, _ALLOWED)
        if name not in _NAMES:
            close = next(iter(difflib.get_close_matches(name, _NAMES, n=1)), None)
            raise BadArgument("limits", name, ", ".join(_NAMES), close)
        said[name] = _value(value)
    return Limits(**said)  # type: ignore[arg-type]  # it looks at each itself


def _value(text: str) -> float | str:
    """Return a number where it is one, and the word as it is otherwise: both mean something."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
