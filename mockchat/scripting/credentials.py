"""Keep credentials out of journals and error texts."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import unquote_plus

from mockchat.exchange import Headers
from mockchat.types import Json

REDACTED = "[redacted]"

CREDENTIAL_HEADERS = frozenset(
    {
        "api-key",
        "apikey",
        "authorization",
        "cookie",
        "ocp-apim-subscription-key",
        "proxy-authorization",
        "set-cookie",
        "x-amz-security-token",
        "x-api-key",
        "x-auth-token",
        "x-csrf-token",
        "x-goog-api-key",
    }
)
"""Field names, lower case, whose value is a secret as a whole."""

# What a query carries in place of a header: Azure's api-key, Google's key, signed URLs.
_FIELD = (
    r"(?:api[-_]?key|apikey|key|subscription-key|access[-_]token|auth[-_]token|id[-_]token|token"
    r"|secret|client[-_]secret|password|passwd|sig|signature|x-amz-[a-z-]+)"
)
_QUERY_FIELD = re.compile(rf"(?i:(?:(?<=[?&])|\A){_FIELD})=(?P<value>[^&#\s\"']+)", re.ASCII)
_URL_FIELD = re.compile(rf"(?<=[?&])(?P<name>(?i:{_FIELD}))=[^&#\s\"']+", re.ASCII)

# Keys as vendors hand them out ("sk-…", "pplx-…", "gsk_…", "AIza…", "hf_…") and any bearer token.
_KEY = re.compile(
    r"\b(?:sk|pk|gsk|pplx|xai)[-_][A-Za-z0-9_*.-]{4,}|\b(?:AIza|hf_|r8_)[A-Za-z0-9_-]{16,}"
    r"|(?<=Bearer )\S+",
    re.ASCII,
)
_SHORTEST = 6
"""Characters a credential has at least to be looked for in other texts: "any" is in many."""


def is_credential(field_name: str) -> bool:
    """Tell whether the header called `field_name` (any case) carries a secret."""
    return field_name.lower() in CREDENTIAL_HEADERS


def has_credentials(headers: Headers) -> bool:
    """Tell whether one of the fields carries a secret."""
    return bool(_secret_places(tuple([name for name, _ in headers])))


def redact(headers: Headers) -> Headers:
    """Return the fields with the values of credentials replaced, order and names kept."""
    places = _secret_places(tuple([name for name, _ in headers]))
    if not places:
        return headers
    fields = list(headers)
    for place in places:
        fields[place] = (fields[place][0], REDACTED)
    return tuple(fields)


@lru_cache(maxsize=256)
def _secret_places(names: tuple[str, ...]) -> tuple[int, ...]:
    """Return which fields carry a secret; most heads have the names of the one before."""
    return tuple([place for place, name in enumerate(names) if is_credential(name)])


def redact_query(query: str) -> str:
    """Return a query string with the values of fields that carry credentials replaced."""
    return _QUERY_FIELD.sub(lambda found: f"{found[0].partition('=')[0]}={REDACTED}", query)


def redact_text(text: str, secrets: Iterable[str] = ()) -> str:
    """Return the text with everything that looks like an API key replaced.

    Args:
        text: What may quote a request.
        secrets: Credentials of that request, which look like nothing: see `secrets_of`.
    """
    for secret in secrets:
        text = text.replace(secret, REDACTED)
    return _KEY.sub(REDACTED, _URL_FIELD.sub(rf"\g<name>={REDACTED}", text))


def redact_json(value: Json, secrets: Iterable[str] = ()) -> Json:
    """Return the JSON value with `redact_text` applied to every string in it, keys excepted."""
    if isinstance(value, str):
        return redact_text(value, secrets)
    if isinstance(value, dict):
        return {key: redact_json(member, secrets) for key, member in value.items()}
    if isinstance(value, list):
        return [redact_json(item, secrets) for item in value]
    return value


def secrets_of(headers: Headers, query: str = "") -> tuple[str, ...]:
    """Return the credentials that a request carries, longest first, whatever they look like.

    Ones of less than six characters are left out, since they would be found in the midst of words.
    """
    found = {secret for secret in _secrets(headers, query) if len(secret) >= _SHORTEST}
    return tuple(sorted(found - {REDACTED}, key=lambda secret: (-len(secret), secret)))


def _secrets(headers: Headers, query: str) -> Iterator[str]:
    for name, value in headers:
        if not is_credential(name):
            continue
        yield value
        if "cookie" in name.lower():
            yield from (pair.partition("=")[2].strip() for pair in value.split(";"))
        else:
            yield value.partition(" ")[2].strip()  # what follows "Bearer"
    for field in _QUERY_FIELD.finditer(query):
        yield field["value"]
        yield unquote_plus(field["value"])
