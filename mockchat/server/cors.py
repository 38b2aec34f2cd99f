"""Cross-origin requests of browsers: pure functions over a request and its delivery.

Source: the Fetch standard, "CORS protocol", and the draft "Private Network Access" for pages of the
public network that call a server on this machine.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from mockchat.errors import BadArgument
from mockchat.exchange import Delivery, Headers, Incoming, header

ANY_ORIGIN = "*"
MAX_AGE = 600
"""Seconds for which a browser need not ask again."""

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@\s,]+")
_FIELD_NAMES = re.compile(
    r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:[ \t]*,[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+)*"
)
_ALWAYS_READABLE = frozenset(
    {
        "cache-control",
        "content-language",
        "content-length",
        "content-type",
        "expires",
        "last-modified",
        "pragma",
    }
)
_EXPOSE = "access-control-expose-headers"


def checked_origins(origins: Iterable[str]) -> tuple[str, ...]:
    """Return origins as browsers write them.

    Raises:
        BadArgument: One is no origin: it has a path, or no scheme.
    """
    checked = []
    for origin in origins:
        written = origin.lower()
        if written not in (ANY_ORIGIN, "null") and not _ORIGIN.fullmatch(written):
            allowed = (
                "an origin without a path, such as 'http://localhost:5173', 'null', or '*' for any"
            )
            close = written.rstrip("/")
            raise BadArgument("cors", origin, allowed, close if _ORIGIN.fullmatch(close) else None)
        checked.append(written)
    return tuple(checked)


def is_preflight(incoming: Incoming) -> bool:
    """Tell whether a browser asks what a page may send."""
    asks = header(incoming.headers, "access-control-request-method") is not None
    return incoming.method == "OPTIONS" and asks and _origin(incoming) is not None


def preflight_fields(incoming: Incoming, origins: Sequence[str], methods: Iterable[str]) -> Headers:
    """Return the fields that answer a browser's question; () where its page's origin may not call.

    Args:
        incoming: The question.
        origins: The origins that may call.
        methods: The methods that the path has.
    """
    if not is_preflight(incoming) or not _allowed(incoming, origins):
        return ()
    asked = header(incoming.headers, "access-control-request-headers") or ""
    fields = [("access-control-allow-methods", ", ".join(methods))]
    if _FIELD_NAMES.fullmatch(asked):
        fields.append(("access-control-allow-headers", asked))
    if header(incoming.headers, "access-control-request-private-network") == "true":
        fields.append(("access-control-allow-private-network", "true"))
    return (*fields, ("access-control-max-age", str(MAX_AGE)))


def shared(incoming: Incoming, delivery: Delivery, origins: Sequence[str]) -> Delivery:
    """Let the page that sent a request read the answer, all its fields included.

    An answer to any other page is not changed, but for saying that it depends on who asks.

    Args:
        incoming: The request.
        delivery: Its answer.
        origins: The origins that may call; () changes nothing.
    """
    if not origins:
        return delivery
    allowed = _allowed(incoming, origins)
    kept = tuple(field for field in delivery.headers if field[0].lower() != _EXPOSE)
    own: list[tuple[str, str]] = (
        [] if allowed is None else [("access-control-allow-origin", allowed)]
    )
    names = sorted({name.lower() for name, _ in kept} - _ALWAYS_READABLE)
    if allowed is not None and not is_preflight(incoming) and names:
        own.append((_EXPOSE, ", ".join(names)))
    if ANY_ORIGIN not in origins:
        own.append(("vary", "Origin"))
    return replace(delivery, headers=(*(delivery.headers if allowed is None else kept), *own))


def _allowed(incoming: Incoming, origins: Sequence[str]) -> str | None:
    """Return what a browser must read to let its page have the answer, None where it must not."""
    origin = _origin(incoming)
    if origin is None:
        return None
    if ANY_ORIGIN in origins:
        return ANY_ORIGIN
    return origin if origin in origins else None


def _origin(incoming: Incoming) -> str | None:
    return header(incoming.headers, "origin")
