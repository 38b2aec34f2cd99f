"""A threaded live server on Werkzeug's server classes: one thread accepts, one serves each client."""

import contextlib
import errno
import selectors
import socket
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, Self, TypeAlias

from werkzeug.exceptions import InternalServerError
from werkzeug.serving import ThreadedWSGIServer

from mockchat.server.connection import ConnectionHandler
from mockchat.server.framing import Limits
from mockchat.server.listening import Listening
from mockchat.server.reports import report
from mockchat.server.ticket import Application

_QUIET_TIME = 10.0
"""Seconds between two complaints about one shortage."""
_STOP_TIME = 1.0
"""Seconds that stopping waits for a handler that is inside somebody's callable."""


_Request: TypeAlias = Any  # socketserver's words: a socket for stream servers …
_Address: TypeAlias = Any  # … and whatever its family calls an address


class ThreadedServer(ThreadedWSGIServer):
    """Werkzeug's threaded server with threads that are known, and a stop that does not poll."""

    def __init__(
        self, listener: socket.socket, *, application: Application, limits: Limits
    ) -> None:
        host, port = listener.getsockname()[:2]
        # Werkzeug asks for a WSGI app; the handler talks to `application` and never calls it.
        super().__init__(
            host, port, InternalServerError(), handler=ConnectionHandler, fd=listener.fileno()
        )
        self.application = application
        self.limits = limits
        self.is_stopping = False
        self.socket.setblocking(False)  # a client that left before `accept` must not block it
        self.stop_signal, self._stop_switch = socket.socketpair()
        self._changed = threading.Condition()
        self._connections: dict[threading.Thread, socket.socket] = {}
        self._idle: dict[threading.Thread, float] = {}  # since when; the longest stands first
        self._next_complaint = 0.0

    def serve_forever(self, poll_interval: float = 0.5) -> None:  # noqa: ARG002 - never polls
        """Accept connections until `stop` is called."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.socket, selectors.EVENT_READ)
            selector.register(self.stop_signal, selectors.EVENT_READ)
            while not self.is_stopping:
                ready = [key.fileobj for key, _ in selector.select()]
                if self.stop_signal not in ready:
                    self._accept()

    def _accept(self) -> None:
        self._make_room()
        try:
            request, address = self.get_request()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._wait_for_a_handle(error)
            return
        self.process_request(request, address)

    def _wait_for_a_handle(self, error: OSError) -> None:
        if time.monotonic() > self._next_complaint:
            report("no file handle is left for a new connection", error)
            self._next_complaint = time.monotonic() + _QUIET_TIME
        with self._changed:
            self._close_idle()
            self._changed.wait(0.05)

    @contextlib.contextmanager
    def idling(self) -> Iterator[None]:
        """Count the connection of this thread as silent: the first to go where room is needed."""
        thread = threading.current_thread()
        with self._changed:
            self._idle[thread] = time.monotonic()
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._idle.pop(thread, None)

    def _make_room(self) -> None:
        """Wait until one more connection may be served, or the server stops."""
        with self._changed:
            while len(self._connections) >= self.limits.connections and not self.is_stopping:
                self._changed.wait(self._close_idle())

    def _close_idle(self) -> float | None:
        """Close the connection that has been silent for longest, if that is long enough.

        Returns:
            The seconds until it is; None where that is not only a matter of time.
        """
        thread, since = next(iter(self._idle.items()), (None, 0.0))
        if thread is None:
            return None
        remaining = since + self.limits.grace_time - time.monotonic()
        if remaining > 0:
            return remaining
        del self._idle[thread]
        with contextlib.suppress(OSError):
            self._connections[thread].shutdown(socket.SHUT_RDWR)
        return None

    def process_request(self, request: _Request, client_address: _Address) -> None:
        """Serve a connection in a thread that `close` knows of."""
        thread = threading.Thread(
            target=self.process_request_thread,
            args=(request, client_address),
            name="mockchat-connection",
            daemon=True,
        )
        with self._changed:
            self._connections[thread] = request
        try:
            thread.start()
        except RuntimeError as error:
            report("no thread is left for a new connection", error)
            self._forget(thread)
            self.shutdown_request(request)

    def process_request_thread(self, request: _Request, client_address: _Address) -> None:
        """Serve the connection to its end and forget it."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._forget(threading.current_thread())

    def handle_error(self, request: _Request, client_address: _Address) -> None:  # noqa: ARG002 - the interface
        """Log what escaped a handler; the base class prints it."""
        error = sys.exception()
        if error is not None:
            report("a connection failed", error)

    def interrupt(self) -> None:
        """Make every waiting thread of this server go on and see that it is over."""
        with self._changed:
            self.is_stopping = True
            self._changed.notify_all()
        self._stop_switch.send(b"!")
        for connection in self._open_connections().values():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Wait for the connections' threads, which `interrupt` has woken, and free the sockets."""
        end = time.monotonic() + _STOP_TIME
        for thread in self._open_connections():
            if thread is not threading.current_thread():
                thread.join(max(0.0, end - time.monotonic()))
        self.server_close()
        self.stop_signal.close()
        self._stop_switch.close()

    def _open_connections(self) -> dict[threading.Thread, socket.socket]:
        with self._changed:
            return dict(self._connections)

    def _forget(self, thread: threading.Thread) -> None:
        with self._changed:
            self._connections.pop(thread, None)
            self._changed.notify_all()


class LiveServer(Listening):
    """An app on a port of this machine, served from background threads: one for each connection.

    Binds to loopback unless told otherwise. Use it as a context manager, or call `start` and
    `stop`; both may be called again.

    Args:
        app: What answers the requests.
        host: Name or address to listen on.
        port: Port to listen on; 0 takes any free one.
        limits: How long and how much to wait for clients.
        listener: A socket that listens already, in place of `host` and `port`; it stays open.
    """

    def __init__(
        self,
        app: Application,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        limits: Limits | None = None,
        listener: socket.socket | None = None,
    ) -> None:
        super().__init__(host=host, port=port, listener=listener)
        self._app = app
        self._limits = limits or Limits()
        self._server: ThreadedServer | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        """Listen, and answer from now on; requests are taken as soon as this returns.

        Raises:
            CannotListen: When the address is taken or not available.
        """
        if self._server is None:
            with self._listening() as listener:
                server = ThreadedServer(listener, application=self._app, limits=self._limits)
            self._server = server
            self._thread = threading.Thread(
                target=server.serve_forever, name="mockchat-server", daemon=True
            )
            self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening, end the open connections and free every thread and socket."""
        server, self._server = self._server, None
        thread, self._thread = self._thread, None
        if server is not None and thread is not None:
            server.interrupt()
            thread.join()
            server.interrupt()  # a connection accepted meanwhile
            server.close()

    @property
    def port(self) -> int:
        """The port listened on; the one asked for while the server is not started."""
        return self._asked_port if self._server is None else self._server.port
