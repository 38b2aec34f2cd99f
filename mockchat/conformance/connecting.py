"""Connections to a target, made within a time: names, addresses and TLS included."""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import lru_cache
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from mockchat.conformance.answers import Failure

_Given = TypeVar("_Given")
_TLS_RECORDS = ("\x15\x03", "\x16\x03")
"""How an alert or a handshake of TLS begins, read as text."""


class Watch:
    """Ends a connection that takes too long, also one that sends a byte a second for ever.

    Args:
        seconds: How long everything together may take.
    """

    def __init__(self, seconds: float) -> None:
        self.rang = False
        self._until = time.monotonic() + seconds
        self._held: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._ring)
        self._timer.daemon = True
        self._timer.start()

    @property
    def left(self) -> float:
        """The seconds that are left, never quite none: a socket's timeout of 0 means no waiting."""
        return max(0.001, self._until - time.monotonic())

    def hold(self, connected: socket.socket) -> None:
        """Remember the socket that is to be shut down in the end.

        Raises:
            TimeoutError: It is too late already.
        """
        with self._lock:
            self._held = connected
            if self.rang:
                raise TimeoutError
        connected.settimeout(self.left)

    def _ring(self) -> None:
        with self._lock:
            self.rang = True
            if self._held is None:
                return
            try:
                # The method of plain sockets: that of TLS sockets would forget the handshake that
                # another thread is in.
                socket.socket.shutdown(self._held, socket.SHUT_RDWR)
            except OSError:
                return  # it ended at the same moment

    def stop(self) -> None:
        """Watch no longer."""
        self._timer.cancel()
        self._timer.join()


def started(call: Callable[[], _Given]) -> "Future[_Given]":
    """Call something in a thread that no interpreter waits for: Ctrl+C ends a run at once."""
    future: Future[_Given] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 - handed on to whoever waits for the result
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def opened(url: str, watch: Watch, context: ssl.SSLContext | None) -> socket.socket:
    """Return a connected socket, its TLS agreed on where there is a `context`.

    Raises:
        OSError: No address of the host can be reached, TLS cannot be agreed on, or it took too
            long.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (80 if context is None else 443)
    connected = _connected(host, port, watch)
    if context is None:
        return connected
    try:
        secured = context.wrap_socket(
            connected, server_hostname=host, do_handshake_on_connect=False
        )
    except BaseException:
        connected.close()
        raise
    try:
        watch.hold(secured)
        secured.do_handshake()
    except BaseException:
        secured.close()
        raise
    return secured


def _connected(host: str, port: int, watch: Watch) -> socket.socket:
    problem: OSError = OSError(f"{host} has no address")
    # Asked in a thread: nothing can interrupt a resolver that waits for its servers.
    asking = started(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    for family, kind, protocol, _, address in asking.result(watch.left):
        made = socket.socket(family, kind, protocol)
        try:
            watch.hold(made)
            made.connect(address)
        except OSError as error:
            made.close()
            problem = error
        else:
            made.settimeout(watch.left)
            return made
    raise problem


@lru_cache(maxsize=8)
def context_of(ca_file: Path | None, is_verified: bool) -> ssl.SSLContext:  # noqa: FBT001 - a key of the cache
    """Return what TLS is agreed on with.

    Args:
        ca_file: Authorities to trust besides the system's, in PEM form.
        is_verified: Whether the certificate must be signed by one, for this host, and be valid.

    Raises:
        OSError: The file cannot be read, or holds no certificate.
    """
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    context.set_alpn_protocols(["http/1.1"])
    if not is_verified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def failure_of(error: Exception) -> tuple[Failure, str]:
    """Return what went wrong, as a user would say it."""
    match error:
        case TimeoutError():
            return Failure.TIMEOUT, "no byte arrived in time"
        case ssl.SSLError():
            return Failure.TLS, _told_of_tls(error)
        case http.client.RemoteDisconnected():
            return Failure.UNREACHABLE, "the connection was closed without an answer"
        case OSError():
            return Failure.UNREACHABLE, _told_of_connection(error)
        case http.client.IncompleteRead():
            return Failure.CUT, "the connection closed before the last chunk"
        case _:
            return Failure.NOT_HTTP, _told_of_http(error)


def _told_of_tls(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        told = error.verify_message.rstrip(".")
        return f"the certificate is not trusted: {told}; --ca-file names an authority to trust"
    if error.reason == "WRONG_VERSION_NUMBER":
        return "no TLS is spoken there; is it an http URL?"
    return str(error)


def _told_of_connection(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return f"the name of the host is not known ({error.strerror})"
    if isinstance(error, ConnectionRefusedError):
        return "the connection is refused: nothing listens at this port"
    return error.strerror or str(error)


def _told_of_http(error: Exception) -> str:
    if isinstance(error, http.client.BadStatusLine) and error.args[0].startswith(_TLS_RECORDS):
        return "TLS is spoken there; is it an https URL?"
    return f"no HTTP response: {str(error) or type(error).__name__}"
