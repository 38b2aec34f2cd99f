"""Where a server listens, and how it is reached: the same for every engine."""

import contextlib
import os
import socket
import ssl
from abc import ABC, abstractmethod
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from mockchat.errors import BadArgument, MockchatError

_BACKLOG = 4_096
"""Connections that may wait to be accepted: load clients open theirs in one burst."""
_MAX_PORT = 65_535
_REACHABLE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - these are looked up, not bound
"""Where a server that listens on every address is reached from this machine."""


class CannotListen(MockchatError, OSError):
    """The address a server should listen on is taken, or not ours to take.

    Args:
        host: The host name or address asked for.
        port: The port asked for.
        code: The operating system's error number.
        reason: Its words for it.
    """

    def __init__(self, host: str, port: int, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.host = host
        self.port = port
        self.code = code
        self.reason = reason

    def __reduce__(self) -> tuple[type[Self], tuple[str, int, int, str]]:
        return type(self), (self.host, self.port, self.code, self.reason)

    def __str__(self) -> str:
        return (
            f"cannot listen on {self.host} port {self.port}: {self.reason}. "
            "Choose another address, or port 0 for any free port."
        )


class Listening(ABC):
    """A server on a port of this machine: what is the same for every engine.

    Args:
        host: Name or address to listen on.
        port: Port to listen on; 0 takes any free one.
        listener: A socket that listens already, in place of both; it stays open.
        tls: What connections are wrapped with; None: plain HTTP.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        listener: socket.socket | None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        if not 0 <= port <= _MAX_PORT:
            raise BadArgument("port", port, f"an integer from 0 to {_MAX_PORT}")
        if not host:  # to the system this means every address of the machine
            raise BadArgument("host", host, "a host name or an address")
        self._host = host
        self._asked_port = port
        self._listener = listener
        self._tls = tls

    @abstractmethod
    def start(self) -> Self:
        """Listen, and answer from now on; requests are taken as soon as this returns."""

    @abstractmethod
    def drain(self, seconds: float) -> None:
        """Take no new connections, close silent ones, let the others end the request they are at.

        Returns when none is left, when the time is over, or when `stop` is called from elsewhere;
        `stop` ends what is left.
        """

    @abstractmethod
    def stop(self) -> None:
        """Stop listening, end the open connections and free every thread and socket."""

    @property
    @abstractmethod
    def port(self) -> int:
        """The port listened on; the one asked for while the server is not started."""

    @property
    def url(self) -> str:
        """The server's root, such as "http://127.0.0.1:4010"."""
        scheme = "http" if self._tls is None else "https"
        host = _REACHABLE.get(self._host, self._host)
        return (
            f"{scheme}://[{host}]:{self.port}" if ":" in host else f"{scheme}://{host}:{self.port}"
        )

    @property
    def base_url(self) -> str:
        """What clients are given as their base URL: the root and "/v1"."""
        return f"{self.url}/v1"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @contextlib.contextmanager
    def _listening(self) -> Iterator[socket.socket]:
        """Give a listening socket for the time of a block.

        Raises:
            CannotListen: When the address is taken or not available.
        """
        if self._listener is not None:
            yield self._listener
            return
        with listen(self._host, self._asked_port) as listener:
            yield listener


def listen(host: str, port: int, *, is_shared: bool = False) -> socket.socket:
    """Return a socket that listens; others may listen beside it where it `is_shared`.

    Raises:
        CannotListen: When the address is taken or not available.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        # Of a name with addresses of both versions, clients try the older one at all events.
        family, *_, address = min(found, key=lambda entry: entry[0] is not socket.AF_INET)
        return socket.create_server(address, family=family, backlog=_BACKLOG, reuse_port=is_shared)
    except UnicodeError as error:
        raise CannotListen(host, port, 0, f"not a host name ({error})") from None
    except OSError as error:
        code = error.errno or 0
        # Numbers below zero are of the name lookup; above, Python adds the address to the words.
        reason = os.strerror(code) if code > 0 else str(error.strerror)
        raise CannotListen(host, port, code, reason) from None
