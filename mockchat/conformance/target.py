"""Send requests to the server under check: bounded in time and in bytes, whatever it does."""

import http.client
import ssl
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from mockchat.conformance.answers import JSON_TYPE, Answered, Failure, Sent, joined
from mockchat.conformance.connecting import Watch, context_of, failure_of, opened
from mockchat.conformance.masking import masked
from mockchat.errors import BadArgument
from mockchat.exchange import Headers, header

LARGEST = 8 * 1024 * 1024
"""The largest body read from a target, in bytes."""

LINES = 50_000
"""The most lines of a body: each may be an event that has to be judged."""

_PIECE = 65_536
_SHOWN = 4096
"""How much is kept of a body that is too large."""

_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
"""What zlib is told to read each encoding."""

_AGENT = "mockchat-check"


class Client(Protocol):
    """Whatever can answer a request: a server behind a URL, or an application in this process."""

    def send(self, sent: Sent) -> Answered:
        """Return what was answered; a failure is part of the answer, never raised."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server behind a URL.

    Attributes:
        base_url: What stands before "/chat/completions", as the SDKs take it; a query that every
            request shall have may follow "?".
        headers: Fields of every request, credentials among them; never shown.
        timeout: Seconds one request may take from its first byte to the last of its answer.
        largest: The largest body that is read, in bytes.
        ca_file: Certificates of authorities that are trusted besides the system's.
        is_verified: Whether the certificate of the target must be one to trust.

    Raises:
        BadArgument: `base_url` is no http or https URL, `timeout` is not above 0, or `ca_file`
            holds no certificate.
    """

    base_url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = 30.0
    largest: int = LARGEST
    ca_file: Path | None = None
    is_verified: bool = True

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.base_url)
            is_url = parts.scheme in {"http", "https"} and bool(parts.hostname)
            is_url = is_url and (parts.port is None or parts.port > 0)
        except ValueError:
            is_url = False
        if not is_url:
            raise BadArgument(
                "URL", self.base_url, "an http or https URL such as http://localhost:4010/v1"
            )
        if "@" in parts.netloc:
            shown = self.base_url.replace(parts.netloc, f"…@{parts.netloc.rpartition('@')[2]}")
            raise BadArgument("URL", shown, "one without a user; credentials are header fields")
        if parts.fragment:
            raise BadArgument("URL", self.base_url, "one without #: no server is sent what follows")
        if not self.timeout > 0:
            raise BadArgument("timeout", self.timeout, "a number of seconds above 0")
        try:
            context_of(self.ca_file, self.is_verified)
        except OSError:
            wanted = "a file of certificates in PEM form"
            raise BadArgument("ca_file", str(self.ca_file), wanted) from None

    def send(self, sent: Sent) -> Answered:
        """Send one request on a connection of its own and read its answer to the end."""
        started = time.monotonic()
        watch = Watch(self.timeout)
        connection = self._connection()
        try:
            connection.sock = opened(self.base_url, watch, self._context)
            answered = self._exchange(connection, sent, started)
        except Exception as error:  # noqa: BLE001 - whatever a hostile peer provokes is its answer
            failure, detail = failure_of(error)
            answered = Answered(failure=failure, detail=detail)
        finally:
            watch.stop()
            connection.close()
        if watch.rang or answered.failure is Failure.TIMEOUT:
            detail = f"no whole answer within {self.timeout:g} s"
            answered = replace(answered, failure=Failure.TIMEOUT, detail=detail)
        taken = time.monotonic() - started
        return masked(replace(answered, seconds=taken), self.headers)

    @property
    def _context(self) -> ssl.SSLContext | None:
        """What TLS is agreed on with, None for plain HTTP."""
        is_secure = urlsplit(self.base_url).scheme == "https"
        return context_of(self.ca_file, self.is_verified) if is_secure else None

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.base_url)
        is_secure = parts.scheme == "https"
        kind = http.client.HTTPSConnection if is_secure else http.client.HTTPConnection
        return kind(parts.hostname or "", parts.port, timeout=self.timeout)

    def _exchange(
        self, connection: http.client.HTTPConnection, sent: Sent, started: float
    ) -> Answered:
        _, _, path, query, _ = urlsplit(joined(self.base_url, sent.path))
        asked = f"{path}?{query}" if query else path
        connection.putrequest(sent.method, asked, skip_accept_encoding=True)
        for name, value in self._fields(sent):
            connection.putheader(name, value)
        connection.endheaders(sent.body)
        response = connection.getresponse()
        first_byte = time.monotonic() - started
        body, failure, detail = self._read(response)
        headers = tuple((name.lower(), value) for name, value in response.getheaders())
        if failure is None:
            unpacked = _unpacked(body, header(headers, "content-encoding"), self.largest)
            if unpacked is None:
                failure, detail = Failure.TOO_LARGE, f"more than {self.largest} bytes, unpacked"
            body = body if unpacked is None else unpacked
        if failure is None and body.count(b"\n") > LINES:
            failure, detail, body = Failure.TOO_LARGE, f"more than {LINES} lines", body[:_SHOWN]
        return Answered(
            status=response.status,
            headers=headers,
            body=body,
            failure=failure,
            detail=detail,
            first_byte=first_byte,
        )

    def _read(self, response: http.client.HTTPResponse) -> tuple[bytes, Failure | None, str]:
        """Return the body as far as it came, and why it is not whole."""
        body, failure, detail = bytearray(), None, ""
        try:
            while piece := response.read1(_PIECE):
                body += piece
                if len(body) > self.largest:
                    del body[_SHOWN:]
                    return bytes(body), Failure.TOO_LARGE, f"more than {self.largest} bytes"
            if response.length:
                failure = Failure.CUT
                detail = f"{response.length} of the announced bytes are missing"
        except Exception as error:  # noqa: BLE001 - the head is known: the failure is the body's
            failure, detail = failure_of(error)
            failure = Failure.CUT if failure is Failure.UNREACHABLE else failure
        return bytes(body), failure, detail

    def _fields(self, sent: Sent) -> Headers:
        fields = {
            "user-agent": _AGENT,
            "accept": "*/*",
            "accept-encoding": "identity",
            "connection": "close",
        }
        fields |= {name.lower(): value for name, value in self.headers.items()}
        if sent.body is not None:
            fields |= {"content-type": JSON_TYPE, "content-length": str(len(sent.body))}
        fields |= {name.lower(): value for name, value in sent.headers}
        return tuple((name, value) for name, value in fields.items() if name not in sent.drops)


def _unpacked(body: bytes, encoding: str | None, largest: int) -> bytes | None:
    """Return a body without its compression, as it is where it has none that is known.

    None where it would be larger than is read: a few kilobytes can unpack to gigabytes.
    """
    window = _WINDOWS.get((encoding or "").strip().lower())
    if window is None:
        return body
    unpacker = zlib.decompressobj(window)
    try:
        unpacked = unpacker.decompress(body, largest + 1)
    except zlib.error:
        return body
    return unpacked if len(unpacked) <= largest else None
