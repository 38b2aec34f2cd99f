"""The options of `mockchat serve` that tell of its exchanges: figures for Prometheus, lines of JSON."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypedDict, get_args
from weakref import WeakSet

import click

from mockchat.cli_options import Refusal

if TYPE_CHECKING:
    from mockchat.scripting.journal import Journal
    from mockchat.server.meter import Meter
    from mockchat.server.observing import Observer
    from mockchat.server.scenarios import ScenarioApp
    from mockchat.server.settings import Settings
    from mockchat.server.ticket import Servable

LogFormat = Literal["text", "json"]


class ObserveOptions(TypedDict):
    """These options, as click hands them over."""

    metrics: bool
    log_format: LogFormat
    log_bodies: bool
    workers: int


_OPTIONS: tuple[Callable[[Callable[..., Any]], Callable[..., Any]], ...] = (
    click.option(
        "--metrics",
        is_flag=True,
        help="Count exchanges for Prometheus, at /_mockchat/metrics of the control API.",
    ),
    click.option(
        "--log-format",
        type=click.Choice(get_args(LogFormat)),
        default="text",
        help="Lines for people; or JSON, one line for each exchange and for what else is told.",
    ),
    click.option(
        "--log-bodies",
        is_flag=True,
        help="With --log-format json: what was asked and answered too.",
    ),
)


def observe_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command these options."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def configure_log(options: ObserveOptions) -> None:
    """Write the log as it is asked for, to stderr.

    Raises:
        Refusal: Bodies are asked for where no exchange is told.
    """
    if options["log_format"] == "text":
        if options["log_bodies"]:
            raise Refusal("--log-bodies: only --log-format json tells each exchange")
        logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
        return
    from mockchat.server.exchange_log import JsonLines

    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler])


class Watch:
    """Sees to it that who wants to know of exchanges does.

    Args:
        options: What was asked for.
    """

    def __init__(self, options: ObserveOptions) -> None:
        from mockchat.server.observing import Noticed

        self._options = options
        self._noticed = Noticed()
        self._journals: WeakSet[Journal] = WeakSet()
        self._meter: Meter | None = None

    @property
    def is_on(self) -> bool:
        """Whether somebody wants to know."""
        return self._options["metrics"] or self._options["log_format"] == "json"

    def attach(self, session: "ScenarioApp") -> "ScenarioApp":
        """Let a session tell of its exchanges, and return it."""
        if self.is_on:
            journal = session.script.journal
            journal.tap = self._noticed.tap
            self._journals.add(journal)
        return session

    def meter(self, settings: "Settings", *, is_controlled: bool) -> "Meter | None":
        """Return what counts exchanges, None where nobody asked for figures.

        Raises:
            Refusal: The library is not installed, nobody could read the figures, or each of several
                processes would show its own.
        """
        if not self._options["metrics"]:
            return None
        if self._options["workers"] > 1:
            raise Refusal(
                "--metrics: each worker would show figures of its own, whichever happens to be "
                "asked. Serve with one worker, or start a server for each port."
            )
        if not is_controlled:
            raise Refusal("--metrics: figures are read through the control API, which is off")
        try:
            from mockchat.server.meter import Meter
        except ModuleNotFoundError as missing:
            if missing.name != "prometheus_client":
                raise
            needed = 'figures need the package prometheus-client: pip install "mockchat[metrics]"'
            raise Refusal(f"--metrics: {needed}") from None
        models = [model.id for model in settings.profile.models]
        self._meter = Meter(models, lambda: tuple(self._journals))
        return self._meter

    def around(self, app: "Servable", settings: "Settings", *, has_log: bool) -> "Servable":
        """Return an application whose exchanges are told, where somebody wants to know.

        Args:
            app: What answers.
            settings: Its settings.
            has_log: Whether the log is ours to write.
        """
        from mockchat.server.exchange_log import ExchangeLog
        from mockchat.server.observing import ObservedApp
        from mockchat.server.routes import Routes

        observers: list[Observer] = [] if self._meter is None else [self._meter]
        if has_log and self._options["log_format"] == "json":
            observers.append(ExchangeLog(has_bodies=self._options["log_bodies"]))
        if not observers:
            return app
        routes = Routes(settings.profile.documents)
        return ObservedApp(app, routes, observers, noticed=self._noticed)
