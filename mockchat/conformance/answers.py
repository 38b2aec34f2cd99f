"""What a probe sends and what came back, as data: checks read these and nothing else."""

import json
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from mockchat.exchange import Headers, header
from mockchat.types import Json

JSON_TYPE = "application/json"


def joined(base_url: str, path: str) -> str:
    """Return the URL of a path below a base URL; the query of both stays, as `?api-version=…`."""
    base, _, every = base_url.partition("?")
    own, _, query = path.partition("?")
    queries = "&".join(filter(None, (every, query)))
    return f"{base.rstrip('/')}{own}{'?' if queries else ''}{queries}"


class Failure(Enum):
    """Why there is no whole answer."""

    UNREACHABLE = "unreachable"
    """No connection, or it was closed before any byte of an answer."""
    TLS = "TLS"
    """TLS could not be agreed on."""
    NOT_HTTP = "not HTTP"
    """What came back is no HTTP response."""
    TIMEOUT = "timeout"
    """The answer was not whole within the time a probe may take."""
    CUT = "cut"
    """The connection ended before the body did."""
    TOO_LARGE = "too large"
    """The body is larger than what is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One HTTP request.

    Attributes:
        method: The HTTP method.
        path: What follows the target's base URL, "/chat/completions"; a query may follow "?".
        body: The bytes; None sends no body and no content type.
        headers: Fields besides those every request of the run has.
        drops: Names of fields of the run that this request leaves out ("authorization").
    """

    method: str = "POST"
    path: str
    body: bytes | None = None
    headers: Headers = ()
    drops: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What a target answered to one request.

    Attributes:
        status: The HTTP status, None where no head arrived.
        headers: The response fields in their order.
        body: The bytes that arrived, framing of the connection taken off.
        failure: Why the answer is not whole, None where it is.
        detail: The failure in words.
        first_byte: Seconds until the head was there, None without one.
        seconds: Seconds until the end.
    """

    status: int | None = None
    headers: Headers = ()
    body: bytes = field(default=b"", repr=False)
    failure: Failure | None = None
    detail: str = ""
    first_byte: float | None = None
    seconds: float = 0.0

    @property
    def content_type(self) -> str:
        """The content type without parameters, in lower case; "" without one."""
        return (header(self.headers, "content-type") or "").partition(";")[0].strip().lower()

    @property
    def is_success(self) -> bool:
        """Whether the status says that all went well."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - HTTP's range

    @property
    def is_refusal(self) -> bool:
        """Whether the status says that the request was at fault."""
        return self.status is not None and 400 <= self.status < 500  # noqa: PLR2004 - HTTP's range

    @property
    def is_redirect(self) -> bool:
        """Whether the status leads elsewhere."""
        return self.status is not None and 300 <= self.status < 400  # noqa: PLR2004 - HTTP's range

    @cached_property
    def json(self) -> Json:
        """The decoded body; None where it is no JSON, as where it is `null`."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None
