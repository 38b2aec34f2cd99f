"""A live server on the engine for load: an event loop in a thread of its own."""

import asyncio
import resource
import socket
import ssl
import threading
from typing import Self

from mockchat.server.engine.engine import Engine
from mockchat.server.framing import Limits
from mockchat.server.listening import Listening
from mockchat.server.ticket import Servable

CONNECTIONS = 65_536
"""How many connections are served at once unless told otherwise: each costs kilobytes, no thread."""


class EngineServer(Listening):
    """An app on a port of this machine, served from one thread, however many connections there are.

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

    def __init__(  # noqa: PLR0913 - what a server can be told, by name
        self,
        app: Servable,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        limits: Limits | None = None,
        listener: socket.socket | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(host=host, port=port, listener=listener, tls=tls)
        self._app = app
        self._limits = limits or Limits(connections=CONNECTIONS)
        self._engine: Engine | None = None
        self._thread: threading.Thread | None = None
        self._port = port

    def start(self) -> Self:
        """Listen, and answer from now on; requests are taken as soon as this returns.

        Raises:
            CannotListen: When the address is taken or not available.
        """
        if self._engine is None:
            with self._listening() as listener:
                own = listener.dup()
            own.setblocking(False)
            self._port = own.getsockname()[1]
            loop = asyncio.new_event_loop()
            self._engine = Engine(loop, self._app, self._limits, own, self._tls)
            loop.call_soon(self._engine.open)
            self._thread = threading.Thread(
                target=_run, args=(loop,), name="mockchat-engine", daemon=True
            )
            self._thread.start()
        return self

    def drain(self, seconds: float) -> None:
        """Take no new connections, close silent ones, let the others end the request they are at."""
        engine = self._engine
        if engine is not None:
            engine.loop.call_soon_threadsafe(engine.drain)
            engine.is_empty.wait(seconds)

    def stop(self) -> None:
        """Stop listening, end the open connections and free every thread and socket."""
        engine, self._engine = self._engine, None
        thread, self._thread = self._thread, None
        if engine is not None and thread is not None:
            engine.loop.call_soon_threadsafe(engine.stop)
            thread.join()
            self._port = self._asked_port

    @property
    def port(self) -> int:
        """The port listened on; the one asked for while the server is not started."""
        return self._port


def raise_handle_limit() -> None:
    """Let this process have as many file handles as the system allows it: one a connection."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _run(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
        loop.run_until_complete(asyncio.sleep(0))  # what was closed last is told so
    finally:
        loop.close()
