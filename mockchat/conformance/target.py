"""Send requests to the server under check: bounded in time and in bytes, whatever it does."""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from mockchat.conformance.answers import JSON_TYPE, Answered, Failure, Sent
from mockchat.conformance.masking import masked
from mockchat.errors import BadArgument
from mockchat.exchange import Headers

LARGEST = 32 * 1024 * 1024
"""The largest body read from a target, in bytes."""

_PIECE = 65_536
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
        base_url: What stands before "/chat/completions", as the SDKs take it.
        headers: Fields of every request, credentials among them; never shown.
        timeout: Seconds one request may take from its first byte to the last of its answer.
        largest: The largest body that is read, in bytes.

    Raises:
        BadArgument: `base_url` is no http or https URL, or `timeout` is not above 0.
    """

    base_url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = 30.0
    largest: int = LARGEST

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
        if not self.timeout > 0:
            raise BadArgument("timeout", self.timeout, "a number of seconds above 0")

    def send(self, sent: Sent) -> Answered:
        """Send one request on a connection of its own and read its answer to the end."""
        started = time.monotonic()
        connection = self._connection()
        watch = _Watch(connection, self.timeout)
        try:
            answered = self._exchange(connection, watch, sent, started)
        except Exception as error:  # noqa: BLE001 - whatever a hostile peer provokes is its answer
            failure, detail = _failure_of(error)
            answered = Answered(failure=failure, detail=detail)
        finally:
            watch.stop()
            connection.close()
        if watch.rang:
            answered = _with(
                answered, Failure.TIMEOUT, f"no whole answer within {self.timeout:g} s"
            )
        taken = time.monotonic() - started
        return masked(_with(answered, answered.failure, answered.detail, taken), self.headers)

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.base_url)
        host = parts.hostname or ""
        if parts.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(
                host, parts.port, timeout=self.timeout, context=context
            )
        return http.client.HTTPConnection(host, parts.port, timeout=self.timeout)

    def _exchange(
        self, connection: http.client.HTTPConnection, watch: "_Watch", sent: Sent, started: float
    ) -> Answered:
        prefix = urlsplit(self.base_url).path.rstrip("/")
        connection.connect()
        watch.hold(connection.sock)
        connection.putrequest(sent.method, f"{prefix}{sent.path}", skip_accept_encoding=True)
        for name, value in self._fields(sent):
            connection.putheader(name, value)
        connection.endheaders(sent.body)
        response = connection.getresponse()
        first_byte = time.monotonic() - started
        body, failure, detail = bytearray(), None, ""
        try:
            while piece := response.read1(_PIECE):
                body += piece
                if len(body) > self.largest:
                    failure = Failure.TOO_LARGE
                    detail = f"more than {self.largest} bytes; the rest was not read"
                    break
            else:
                if response.length:
                    failure = Failure.CUT
                    detail = f"{response.length} of the announced bytes are missing"
        except Exception as error:  # noqa: BLE001 - the head is known: the failure is the body's
            failure, detail = _failure_of(error)
            failure = Failure.CUT if failure is Failure.UNREACHABLE else failure
        return Answered(
            status=response.status,
            headers=tuple((name.lower(), value) for name, value in response.getheaders()),
            body=bytes(body),
            failure=failure,
            detail=detail,
            first_byte=first_byte,
        )

    def _fields(self, sent: Sent) -> Headers:
        fields = {"user-agent": _AGENT, "accept": "*/*", "connection": "close"}
        fields |= {name.lower(): value for name, value in self.headers.items()}
        if sent.body is not None:
            fields |= {"content-type": JSON_TYPE, "content-length": str(len(sent.body))}
        fields |= {name.lower(): value for name, value in sent.headers}
        return tuple((name, value) for name, value in fields.items() if name not in sent.drops)


class _Watch:
    """Ends a connection that takes too long, also one that sends a byte a second for ever."""

    def __init__(self, connection: http.client.HTTPConnection, seconds: float) -> None:
        self.rang = False
        self._connection = connection
        self._held: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._ring)
        self._timer.daemon = True
        self._timer.start()

    def hold(self, connected: socket.socket) -> None:
        """Remember the socket, which a connection forgets once its answer begins."""
        self._held = connected

    def _ring(self) -> None:
        self.rang = True
        known = self._held or self._connection.sock
        if known is not None:
            try:
                known.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it ended at the same moment

    def stop(self) -> None:
        self._timer.cancel()
        self._timer.join()


def _with(
    answered: Answered, failure: Failure | None, detail: str, seconds: float = 0.0
) -> Answered:
    return Answered(
        status=answered.status,
        headers=answered.headers,
        body=answered.body,
        failure=failure,
        detail=detail,
        first_byte=answered.first_byte,
        seconds=seconds,
    )


def _failure_of(error: Exception) -> tuple[Failure, str]:
    """Return what went wrong, as a user would say it."""
    match error:
        case TimeoutError():
            told = (Failure.TIMEOUT, "no byte arrived in time")
        case ssl.SSLError():
            told = (Failure.TLS, getattr(error, "verify_message", None) or str(error))
        case http.client.IncompleteRead():
            told = (Failure.CUT, "the connection closed before the last chunk")
        case http.client.RemoteDisconnected():
            told = (Failure.UNREACHABLE, "the connection was closed without an answer")
        case OSError():
            told = (Failure.UNREACHABLE, error.strerror or str(error))
        case _:
            told = (Failure.NOT_HTTP, f"no HTTP response: {str(error) or type(error).__name__}")
    return told
