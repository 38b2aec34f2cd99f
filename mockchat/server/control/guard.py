"""Who may use the control API: whoever has the key, and no page of another origin."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

from mockchat.errors import MockchatError
from mockchat.exchange import Incoming, header

_OWN_SITES = ("same-origin", "none")


class Forbidden(MockchatError):
    """A request to the control API that is not let in.

    Args:
        status: The HTTP status.
        reason: The sentence for the client.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Who may use the control API.

    Attributes:
        key: What must be sent as a bearer token; None: nothing.
        hosts: Names, besides `localhost` and addresses, under which the server is known.
    """

    key: str | None = field(default=None, repr=False)
    hosts: Sequence[str] = ()

    def check(self, incoming: Incoming, *, asks_key: bool = True) -> None:
        """Let a request in.

        A page that a browser shows must come from here: one of another origin, or one that reached
        this address under a name of its own (DNS rebinding), could read what tests send.

        Args:
            incoming: The request.
            asks_key: Whether the key is needed for it.

        Raises:
            Forbidden: It is not let in.
        """
        host = header(incoming.headers, "host") or ""
        if not self._knows(host):
            reason = (
                f"This server is not known as {host!r}. Ask for it by its address, or start it with "
                "--control-host and this name."
            )
            raise Forbidden(HTTPStatus.FORBIDDEN, reason)
        origin = header(incoming.headers, "origin")
        site = header(incoming.headers, "sec-fetch-site")
        if _is_foreign(origin, host) or (site is not None and site not in _OWN_SITES):
            reason = "Pages of another origin may not use the control API."
            raise Forbidden(HTTPStatus.FORBIDDEN, reason)
        if asks_key and self.key is not None and not self._is_key(incoming):
            reason = (
                "The control API needs its key: authorization: Bearer, with the value of "
                "--control-key."
            )
            raise Forbidden(HTTPStatus.UNAUTHORIZED, reason)

    def _knows(self, host: str) -> bool:
        try:
            name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        except ValueError:
            return False
        if name == "localhost" or name in {known.lower() for known in self.hosts}:
            return True
        try:
            ip_address(name)
        except ValueError:
            return False
        return True

    def _is_key(self, incoming: Incoming) -> bool:
        scheme, _, given = (header(incoming.headers, "authorization") or "").partition(" ")
        wanted = (self.key or "").encode()
        is_equal = hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), wanted)
        return scheme.lower() == "bearer" and is_equal


def _is_foreign(origin: str | None, host: str) -> bool:
    if origin is None:
        return False
    return origin.lower() not in (f"http://{host}".lower(), f"https://{host}".lower())
