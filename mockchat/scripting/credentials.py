"""Keep credentials out of journals and error texts."""

import re

from mockchat.exchange import Headers
from mockchat.types import Json

REDACTED = "[redacted]"

CREDENTIAL_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "api-key", "x-api-key", "cookie", "set-cookie"}
)
"""Field names, lower case, whose value is a secret as a whole."""

# Keys as vendors hand them out ("sk-…", "pplx-…", "gsk_…") and any bearer token.
_KEY = re.compile(r"\b(?:sk|pk|gsk|pplx|xai)[-_][A-Za-z0-9_*.-]{4,}|(?<=Bearer )\S+", re.ASCII)


def is_credential(field_name: str) -> bool:
    """Tell whether the header called `field_name` (any case) carries a secret."""
    return field_name.lower() in CREDENTIAL_HEADERS


def redact(headers: Headers) -> Headers:
    """Return the fields with the values of credentials replaced, order and names kept."""
    return tuple((name, REDACTED if is_credential(name) else value) for name, value in headers)


def redact_text(text: str) -> str:
    """Return the text with everything that looks like an API key replaced."""
    return _KEY.sub(REDACTED, text)


def redact_json(value: Json) -> Json:
    """Return the JSON value with `redact_text` applied to every string in it, keys excepted."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, dict):
        return {key: redact_json(member) for key, member in value.items()}
    if isinstance(value, list):
        return [redact_json(item) for item in value]
    return value
