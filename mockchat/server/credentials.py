"""Whether a request may be answered: the API's check of keys."""

import base64
import binascii
import hmac

from mockchat.exchange import Headers, header

_SHOWN_HEAD = 8
_SHOWN_TAIL = 4
_LONG_ENOUGH = 20
"""A key shorter than this is masked whole: eight and four characters of it would be most of it."""


def problem_with(
    headers: Headers, keys: tuple[str, ...], own_headers: tuple[str, ...] = ()
) -> tuple[str, dict[str, str]] | None:
    """Return the name and the fields of the catalogue's error for a request's credentials.

    A key comes as a bearer token, or as the password of basic authentication, as the API's own
    words about a malformed header say.

    Args:
        headers: The request's fields.
        keys: The keys that are accepted; () accepts anything.
        own_headers: Fields of the profile's own that carry a key as it is, such as "api-key".

    Returns:
        None where the request may pass.
    """
    if not keys:
        return None
    own = (header(headers, name) for name in own_headers)
    offered = next((value.strip() for value in own if value is not None), None)
    if offered is None:
        authorization = header(headers, "authorization")
        if authorization is None:
            return "missing_authorization", {}
        offered = _key_in(authorization)
    if not offered:
        return "malformed_authorization", {}
    # Every key is compared, each in constant time: how long it takes tells nothing about them.
    matches = [hmac.compare_digest(offered.encode(), key.encode()) for key in keys]
    return None if any(matches) else ("invalid_api_key", {"masked": masked(offered)})


def _key_in(authorization: str) -> str | None:
    scheme, _, value = authorization.strip().partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer":
        return value
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            return None
    return None


def masked(key: str) -> str:
    """Return a key as the API repeats it: first characters, asterisks, the last four."""
    if len(key) < _LONG_ENOUGH:
        return "*" * len(key)
    hidden = "*" * (len(key) - _SHOWN_HEAD - _SHOWN_TAIL)
    return f"{key[:_SHOWN_HEAD]}{hidden}{key[-_SHOWN_TAIL:]}"
