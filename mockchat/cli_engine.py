"""How `mockchat serve` answers: the engine, the workers, and apps for servers of other people."""

import gc
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, TypedDict, get_args

import click

from mockchat.cli_limits import STOPPING, finish, tls_of
from mockchat.cli_options import Refusal

if TYPE_CHECKING:
    from mockchat.server.listening import Listening
    from mockchat.server.settings import Settings
    from mockchat.server.ticket import Servable

Engine = Literal["asyncio", "werkzeug"]
_EXTRA = 'pip install "mockchat[serve]"'


class EngineOptions(TypedDict):
    """These options, as click hands them over."""

    host: str
    port: int
    engine: Engine | None
    workers: int
    limit: dict[str, float]
    grace: float
    state: str | None


_OPTIONS: tuple[Callable[[Callable[..., Any]], Callable[..., Any]], ...] = (
    click.option(
        "--engine",
        type=click.Choice(get_args(Engine)),
        show_default="asyncio where mockchat[serve] is installed, else werkzeug",
        help="One event loop for all connections, or a thread for each.",
    ),
    click.option(
        "--workers",
        default=1,
        type=click.IntRange(1, 256),
        metavar="N",
        help="Processes that answer on the port; one that dies is replaced.",
    ),
)


def engine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command these options."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def chosen_engine(asked: Engine | None) -> Engine:
    """Return the engine that serves.

    Raises:
        Refusal: It is asked for and not installed.
    """
    try:
        import httptools  # noqa: F401 - only to see whether it is there
    except ModuleNotFoundError:
        if asked == "asyncio":
            raise Refusal(f"the engine asyncio needs the package httptools: {_EXTRA}") from None
        return "werkzeug"
    return asked or "asyncio"


def server_of(
    app: "Servable",
    settings: "Settings",
    options: EngineOptions,
    listener: socket.socket | None = None,
) -> "Listening":
    """Return the server that the options ask for, not started yet.

    Raises:
        Refusal: Its engine is not installed.
        MockchatError: An option has a value that is not allowed.
    """
    kind: Callable[..., Listening]
    limits = settings.connection
    if chosen_engine(options["engine"]) == "werkzeug":
        from mockchat.server.werkzeug_server import LiveServer

        kind = LiveServer
    else:
        from mockchat.server.engine.server import CONNECTIONS, EngineServer, raise_handle_limit

        kind = EngineServer
        raise_handle_limit()
        if "connections" not in options["limit"]:
            limits = replace(limits, connections=CONNECTIONS)
    port = options["port"] if listener is None else listener.getsockname()[1]
    return kind(
        app,
        host=options["host"],
        port=port,
        limits=limits,
        listener=listener,
        tls=tls_of(settings),
    )


@contextmanager
def uncollected() -> Iterator[None]:
    """Look for no garbage while a server is put together: all of it stays, and looking takes time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def check_workers(app: "Servable", settings: "Settings", options: EngineOptions) -> None:
    """See that several processes would answer as one.

    Raises:
        Refusal: Each would count for itself what only one may count.
    """
    count = options["workers"]
    if count == 1 or options["state"] is not None:
        return
    stub = getattr(app, "counted", None)
    if stub is not None:
        what = f"the replies of {stub}, which is not .forever()"
    elif settings.limits is not None:
        what = "what clients use of their rate limits"
    else:
        return
    raise Refusal(
        f"--workers {count}: each worker would count {what}. "
        "Let them share it with --state redis://…, or serve with one worker."
    )


def serve_with_workers(
    app: "Servable",
    settings: "Settings",
    options: EngineOptions,
    greet: Callable[["Listening"], None],
) -> bool:
    """Serve with several processes until told to end; False: they do not start.

    Raises:
        CannotListen: The address is taken or not available.
    """
    from mockchat.server.workers import Workers, shared_listeners

    listeners = shared_listeners(options["host"], options["port"], options["workers"])
    greet(server_of(app, settings, options, listeners[0]))

    def work(listener: socket.socket) -> None:
        server = server_of(app, settings, options, listener).start()
        try:
            signal.sigwait(STOPPING)
            finish(server, options["grace"])
        finally:
            server.stop()

    return Workers(listeners, work, options["grace"]).run()
