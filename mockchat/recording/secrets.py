"""The credentials of a request to a real server: better too many than one too few."""

import re

from mockchat.exchange import Headers
from mockchat.scripting.credentials import CREDENTIAL_HEADERS, secrets_of

_SOUNDS_SECRET = re.compile(
    r"key|token|secret|auth|cookie|passw|credential|signature|session|organi[sz]ation|project",
    re.IGNORECASE,
)
"""What stands in the names of fields that gateways and vendors carry credentials in."""

_NAMED = min(CREDENTIAL_HEADERS)


def all_secrets_of(headers: Headers, query: str = "") -> tuple[str, ...]:
    """Return what must not be found in a recording, longest first.

    Args:
        headers: The fields of a request, all of them.
        query: What stands behind "?".
    """
    told = tuple(
        (_NAMED if _SOUNDS_SECRET.search(name) else name, value)
        for name, value in headers
        if name.lower() not in CREDENTIAL_HEADERS
    )
    return tuple(
        sorted({*secrets_of(headers, query), *secrets_of(told)}, key=lambda one: (-len(one), one))
    )
