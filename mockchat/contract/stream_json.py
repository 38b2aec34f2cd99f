"""Whether a text in a stream (an event's data, a call's joined arguments) is JSON."""

import json


def is_json_text(text: str) -> bool:
    """Return whether `text` is JSON as RFC 8259 has it: no NaN, no Infinity.

    Text nested too deep for Python's parser counts as none: no client could read it either.
    """
    try:
        json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(constant: str) -> None:
    raise ValueError(constant)
