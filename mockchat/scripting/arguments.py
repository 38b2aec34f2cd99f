"""Checks of what a test hands over: its author may not run a type checker."""

import math
import re

from mockchat.contract.pointers import pointer_of

_FIELD_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", re.ASCII)


def is_whole_number(value: object, *, lowest: int) -> bool:
    """Tell whether the value is an integer, not a boolean, and at least `lowest`."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= lowest


def is_seconds(value: object) -> bool:
    """Tell whether the value is a finite number, not a boolean, and not negative."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value < float("inf")


def is_share(value: object) -> bool:
    """Tell whether the value is a number from 0 to 1, not a boolean."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value <= 1


def is_line(value: object) -> bool:
    """Tell whether the value is a string without a line break."""
    return (
        isinstance(value, str) and len(value.splitlines()) <= 1 and not value.endswith(("\n", "\r"))
    )


def is_filled_text(value: object) -> bool:
    """Tell whether the value is a string with something in it."""
    return isinstance(value, str) and value != ""


def is_field(name: object, value: object) -> bool:
    """Tell whether the two make an HTTP field (RFC 9110 section 5.1): a token and one line of text."""
    return isinstance(name, str) and _FIELD_NAME.fullmatch(name) is not None and is_line(value)


def unsayable(value: object) -> tuple[str, object] | None:
    """Return the JSON Pointer and the value of the first part that JSON cannot carry, or None."""
    waiting: list[tuple[tuple[str, ...], object]] = [((), value)]
    while waiting:
        place, part = waiting.pop()
        if isinstance(part, dict):
            keys = [key for key in part if not isinstance(key, str)]
            if keys:
                return pointer_of(place), keys[0]
            waiting += [((*place, key), member) for key, member in reversed(part.items())]
        elif isinstance(part, list | tuple):
            places = [(*place, str(position)) for position in range(len(part))]
            waiting += reversed(list(zip(places, part, strict=True)))
        elif not (part is None or isinstance(part, str | int) or _is_finite(part)):
            return pointer_of(place), part
    return None


def _is_finite(value: object) -> bool:
    return isinstance(value, float) and math.isfinite(value)
