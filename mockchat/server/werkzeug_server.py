"""A threaded live server on Werkzeug's server classes: one thread accepts, one serves each client."""

import contextlib
import errno
import selectors
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Self, TypeAlias

from werkzeug.exceptions import InternalServerError
from werkzeug.serving import ThreadedWSGIServer

from mockchat.server.connection import ConnectionHandler
from mockchat.server.framing import Limits
from mockchat.server.listening import Listening
from mockchat.server.reports import logger, report
from mockchat.server.ticket import Application
from mockchat.server.tls import PlainHttp, shake_hands, unwrapped, wrapped
from mockchat.server.turning_away import Turnstile

_QUIET_TIME = 10.0
"""Seconds between two complaints about one shortage."""
_STOP_TIME = 1.0
"""Seconds that stopping waits for a handler that is inside somebody's callable."""


_Request: TypeAlias = Any  # socketserver's words: a socket for stream servers …
_Address: TypeAlias = Any  # … and whatever its family calls an address


class ThreadedServer(ThreadedWSGIServer):
    """Werkzeug's threaded server with threads that are known, and a stop that does not poll."""

    def __init__(
        self,
        listener: socket.socket,
        *,
        application: Application,
        limits: Limits,
        tls: ssl.SSLContext | None,
    ) -> None:
        host, port = listener.getsockname()[:2]
        # Werkzeug asks for a WSGI app; the handler talks to `application` and never calls it.
        super().__init__(
            host, port, InternalServerError(), handler=ConnectionHandler, fd=listener.fileno()
        )
        self.application = application
        self.limits = limits
        self.tls = tls
        self.is_stopping = False
        self.is_draining = False  # also while it stops
        self.socket.setblocking(False)  # a client that left before `accept` must not block it
        self.stop_signal, self._stop_switch = socket.socketpair()
        self._drain_signal, self._drain_switch = socket.socketpair()
        self._changed = threading.Condition()
        self._connections: dict[threading.Thread, socket.socket] = {}
        self._idle: dict[threading.Thread, float] = {}  # since when; the longest stands first
        self._turnstile = Turnstile(application)
        self._full_since: float | None = None
        self._next_complaint = 0.0

    def serve_forever(self, poll_interval: float = 0.5) -> None:  # noqa: ARG002 - never polls
        """Accept connections until `stop` is called."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.socket, selectors.EVENT_READ)
            selector.register(self._drain_signal, selectors.EVENT_READ)
            while not self.is_draining:
                ready = [key.fileobj for key, _ in selector.select()]
                if self._drain_signal not in ready:
                    self._accept()

    def _accept(self) -> None:
        has_room = self._make_room()
        try:
            request, address = self.get_request()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._wait_for_a_handle(error)
            return
        if has_room:
            self.process_request(request, address)
        else:
            self._turn_away(request)

    def _turn_away(self, request: socket.socket) -> None:
        """Tell a client that there is no room for it, as far as that takes no time."""
        limit = self.limits.connections
        if time.monotonic() > self._next_complaint:
            logger.warning("%d connections are open, which is the limit: more are refused", limit)
            self._next_complaint = time.monotonic() + _QUIET_TIME
        if self.tls is not None:  # a handshake would take time
            self.shutdown_request(request)
            return
        message = f"The server is at its limit of {limit} connections. Please try again later."
        self._turnstile.turn_away(request, HTTPStatus.SERVICE_UNAVAILABLE, message)

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
            if self.is_draining:
                _shut(self._connections[thread], socket.SHUT_RD)
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._idle.pop(thread, None)

    def _make_room(self) -> bool:
        """Wait until one more connection may be served; False: there was no room for too long."""
        with self._changed:
            while len(self._connections) >= self.limits.connections and not self.is_draining:
                now = time.monotonic()
                self._full_since = self._full_since or now
                patience = self._full_since + self.limits.queue_time - now
                if patience <= 0:
                    return False
                until_idle = self._close_idle()
                self._changed.wait(patience if until_idle is None else min(patience, until_idle))
            self._full_since = None
            return True

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
        _shut(self._connections[thread])
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
            if self.tls is not None:
                request = wrapped(request, self.tls)
                self._shake_hands(request)
            super().process_request_thread(request, client_address)
        except OSError as error:
            logger.info("no connection came about: %s", error)
            self.shutdown_request(request)
        finally:
            self._forget(threading.current_thread())

    def _shake_hands(self, connection: ssl.SSLSocket) -> None:
        with self._changed:
            self._connections[threading.current_thread()] = connection
            if self.is_stopping:
                _shut(connection)
        try:
            shake_hands(connection, seconds=self.limits.head_time)
        except PlainHttp:
            message = "This port speaks HTTPS: write https:// in the URL."
            turnstile = Turnstile(self.application)
            turnstile.turn_away(unwrapped(connection), HTTPStatus.BAD_REQUEST, message)
            turnstile.close()
            raise

    def handle_error(self, request: _Request, client_address: _Address) -> None:  # noqa: ARG002 - the interface
        """Log what escaped a handler; the base class prints it."""
        error = sys.exception()
        if error is not None:
            report("a connection failed", error)

    def begin_drain(self) -> None:
        """Make the server take no new connections, and close those that are silent."""
        with self._changed:
            self.is_draining = True
            for thread in self._idle:  # what has arrived by now is still read
                _shut(self._connections[thread], socket.SHUT_RD)
            self._changed.notify_all()
        self._drain_switch.send(b"!")

    def drained(self, seconds: float) -> None:
        """Wait until no connection is left, the time is over, or the server stops.

        The socket it listens on is closed: nobody is to wait in its backlog.
        """
        self.socket.close()
        with self._changed:
            self._changed.wait_for(lambda: not self._connections or self.is_stopping, seconds)

    def interrupt(self) -> None:
        """Make every waiting thread of this server go on and see that it is over."""
        with self._changed:
            self.is_stopping = True
        self.begin_drain()
        self._stop_switch.send(b"!")
        for connection in self._open_connections().values():
            _shut(connection)

    def close(self) -> None:
        """Wait for the connections' threads, which `interrupt` has woken, and free the sockets."""
        end = time.monotonic() + _STOP_TIME
        for thread in self._open_connections():
            if thread is not threading.current_thread():
                thread.join(max(0.0, end - time.monotonic()))
        self.server_close()
        self._turnstile.close()
        for signal in (self.stop_signal, self._stop_switch, self._drain_signal, self._drain_switch):
            signal.close()

    def _open_connections(self) -> dict[threading.Thread, socket.socket]:
        with self._changed:
            return dict(self._connections)

    def _forget(self, thread: threading.Thread) -> None:
        with self._changed:
            self._connections.pop(thread, None)
            self._changed.notify_all()


def _shut(connection: socket.socket, how: int = socket.SHUT_RDWR) -> None:
    """End a connection that another thread may be reading from."""
    with contextlib.suppress(OSError):
        if isinstance(connection, ssl.SSLSocket):
            # Its own `shutdown` takes its state away, which that thread is using.
            socket.socket.shutdown(connection, how)
        else:
            connection.shutdown(how)


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
        tls: What connections are wrapped with; None: plain HTTP.
    """

    def __init__(  # noqa: PLR0913 - one keyword for each option
        self,
        app: Application,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        limits: Limits | None = None,
        listener: socket.socket | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(host=host, port=port, listener=listener, tls=tls)
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
                server = ThreadedServer(
                    listener, application=self._app, limits=self._limits, tls=self._tls
                )
            self._server = server
            self._thread = threading.Thread(
                target=server.serve_forever, name="mockchat-server", daemon=True
            )
            self._thread.start()
        return self

    def drain(self, seconds: float) -> None:
        """Take no new connections, close silent ones, let the others end the request they are at."""
        server, thread = self._server, self._thread
        if server is not None and thread is not None:
            server.begin_drain()
            thread.join()
            server.drained(seconds)

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
