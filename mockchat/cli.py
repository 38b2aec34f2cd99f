"""The command line: `mockchat serve` and the group the other commands belong to.

Rooms are imported inside the commands, so that `mockchat --help` answers at once.
"""

import logging
import os
import signal
import sys
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, cast, get_args

import click
from click.core import ParameterSource

from mockchat.cli_check import check
from mockchat.cli_control import ControlOptions, control_options, guard_of
from mockchat.cli_coverage import coverage
from mockchat.cli_drift import drift
from mockchat.cli_engine import (
    EngineOptions,
    check_workers,
    engine_options,
    serve_with_workers,
    server_of,
    uncollected,
)
from mockchat.cli_generate import generate
from mockchat.cli_import import import_
from mockchat.cli_limits import (
    STOPPING,
    LimitOptions,
    finish,
    limit_options,
    limited,
    stopping_blocked,
)
from mockchat.cli_observe import ObserveOptions, Watch, configure_log, observe_options
from mockchat.cli_options import (
    Commands,
    Refusal,
    Weights,
    is_loopback,
    kind_option,
    locale_option,
    profile_option,
    refusing,
    schemas_option,
    shape_option,
    tokenizer_option,
)
from mockchat.cli_profiles import profiles
from mockchat.cli_record import (
    ServedOptions,
    fallback_option,
    record,
    recording_options,
    unmatched_of,
    with_fallback,
)
from mockchat.cli_scenario import scenario, scenario_option
from mockchat.cli_state import opened, state, state_name_option, state_option
from mockchat.cli_validate import validate
from mockchat.types import Kind, Models, Validation

if TYPE_CHECKING:
    from mockchat.scripting.faults import Ability
    from mockchat.server.control.guard import Guard
    from mockchat.server.control.sessions import Sessions
    from mockchat.server.listening import Listening
    from mockchat.server.settings import Settings
    from mockchat.server.shared_state import SharedState
    from mockchat.server.ticket import Servable

_LOG_LEVELS = ("debug", "info", "warning", "error")
_DEMO_BODY = '{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello!"}]}'


class ServeOptions(LimitOptions, EngineOptions, ControlOptions, ServedOptions, ObserveOptions):
    """The options of `mockchat serve`, as click hands them over."""

    scenario: tuple[Path, ...]
    profile: str
    schemas: Path | None
    seed: int
    kind: Kind
    validation: Validation
    models: Models
    model: tuple[str, ...]
    locale: str
    shapes: Weights
    tokenizer: str
    api_key: tuple[str, ...]
    body_limit: int
    vary_repeats: bool
    state_name: str
    log_level: str


@click.group(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "show_default": True}
)
@click.version_option(package_name="mockchat", prog_name="mockchat")
def main() -> None:
    """Serve OpenAI-style Chat Completions made from schema documents, and judge by them."""


main.add_command(check)
main.add_command(coverage)
main.add_command(drift)
main.add_command(generate)
main.add_command(import_)
main.add_command(profiles)
main.add_command(record)
main.add_command(scenario)
main.add_command(state)
main.add_command(validate)


@main.command()
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option(
    "--port", default=4010, type=click.IntRange(0, 65535), help="Port to listen on; 0 takes any."
)
@engine_options
@scenario_option
@fallback_option
@recording_options
@profile_option("Variant of the API to be.")
@schemas_option
@click.option("--seed", default=0, help="Same seed, same request: same reply.")
@kind_option
@click.option(
    "--validation",
    type=click.Choice(get_args(Validation)),
    default="strict",
    help="Refuse requests by schemas and rules, by schemas alone, only warn, or accept anything.",
)
@click.option(
    "--models",
    type=click.Choice(get_args(Models)),
    default="any",
    help="Answer any model name, or 404 for one the profile does not list.",
)
@click.option(
    "--model",
    multiple=True,
    show_default=False,
    metavar="NAME",
    help="List this model beside those of the profile; repeatable.",
)
@locale_option
@shape_option
@tokenizer_option
@click.option(
    "--api-key",
    multiple=True,
    envvar="MOCKCHAT_API_KEY",
    show_default=False,
    metavar="KEY",
    help="Accept this key only; repeatable, also from MOCKCHAT_API_KEY. Any key is accepted without it.",
)
@click.option(
    "--body-limit",
    default=32 * 1024 * 1024,
    type=click.IntRange(min=1),
    metavar="BYTES",
    help="Largest request body accepted.",
)
@limit_options
@click.option(
    "--vary-repeats", is_flag=True, help="Answer an identical request differently each time."
)
@state_option
@state_name_option
@control_options
@observe_options
@click.option(
    "--log-level",
    type=click.Choice(_LOG_LEVELS),
    default="warning",
    help="What to tell on stderr; info names every request.",
)
def serve(**options: Unpack[ServeOptions]) -> None:
    """Serve an OpenAI-compatible API until interrupted."""
    configure_log(options)
    # Ours alone: what Faker tells at debug is thousands of lines.
    logging.getLogger("mockchat").setLevel(options["log_level"].upper())
    with stopping_blocked():
        _serve(options)


def _serve(options: ServeOptions) -> None:
    if options["fallback"] == "record" and options["engine"] is None:
        options["engine"] = "werkzeug"  # the one that passes streams on as they come
    with refusing():
        with uncollected():
            app, settings, served = application(options)
        check_workers(app, settings, options)
        greet = partial(_greet, served=served, options=options)
        if options["workers"] > 1:
            if not serve_with_workers(app, settings, options, greet):
                raise Refusal("the workers do not stay: the log says why")
            return
        server = server_of(app, settings, options).start()
    try:
        greet(server)
        signal.sigwait(STOPPING)
        finish(server, options["grace"])
    finally:
        server.stop()


def application(
    options: ServeOptions, abilities: "frozenset[Ability] | None" = None
) -> "tuple[Servable, Settings, str]":
    """Return what answers, its settings, and what is served in words.

    Args:
        options: Those of the command whose context is the current one.
        abilities: What the adapter can do, which is somebody else's; None: ours, all there is.

    Raises:
        Refusal: The state that is shared cannot be, or the control API.
        MockchatError: An option, or a scenario, cannot be used.
    """
    from mockchat.scripting.faults import Ability
    from mockchat.scripting.journal_weight import JointMemory
    from mockchat.scripting.scripts import Scripts
    from mockchat.server.app import App
    from mockchat.server.control.sessions import Sessions
    from mockchat.server.dispatcher import Dispatcher
    from mockchat.server.scenarios import ScenarioApp

    source = click.get_current_context().get_parameter_source
    given = {name for name in options if source(name) is not ParameterSource.DEFAULT}
    shared = None if options["state"] is None else opened(options["state"], options["state_name"])
    guard = guard_of(
        options,
        host=options["host"] if abilities is None else None,
        is_one=options["workers"] == 1 or shared is not None,
    )
    told = {n: v for n, v in unmatched_of(options).items() if n not in given}
    options = cast("ServeOptions", {**options, **told})
    given |= told.keys() & {"unmatched"}
    watch = Watch(options)
    is_scripted = options["scenario"] or shared is not None or options["fallback"] is not None
    if guard is None and not is_scripted and not watch.is_on:
        settings = _settings(options, given, {})
        return App(settings, Scripts()), settings, options["profile"]
    dispatcher = Dispatcher(Scripts(), None if shared is None else shared.accounts)
    joint = JointMemory()

    def make(session: str) -> ScenarioApp:
        made = ScenarioApp(
            options["scenario"],
            partial(_settings, options, given),
            options["schemas"],
            shared,
            abilities=frozenset(Ability) if abilities is None else abilities,
            session=session,
            dispatcher=dispatcher,
            joint=joint if session else None,
        )
        return watch.attach(made)

    everybody = make("")
    joint.limit = everybody.settings.journal_bytes
    is_told = options["scenario"] or shared is not None
    served = f"{everybody.settings.profile.name} by {everybody.summary}"
    sessions = Sessions(make, everybody, joint=joint)
    app = _around(sessions, guard, options, watch=watch, is_ours=abilities is None, shared=shared)
    return app, everybody.settings, served if is_told else options["profile"]


def _around(  # noqa: PLR0913 - all that stands around it
    sessions: "Sessions",
    guard: "Guard | None",
    options: ServeOptions,
    *,
    watch: Watch,
    is_ours: bool,
    shared: "SharedState | None",
) -> "Servable":
    """Return the sessions as an application, with what the options ask for around them."""
    from mockchat.server.control.steered import SteeredApp

    app: Servable = sessions.everybody
    settings = sessions.everybody.settings
    meter = watch.meter(settings, is_controlled=guard is not None)
    if guard is not None:
        ready = _nothing if shared is None else shared.check
        app = SteeredApp(sessions, guard, ready=ready, meter=meter)
    if options["fallback"] == "record":
        is_live = is_ours and options["engine"] != "asyncio"
        app = with_fallback(app, sessions, settings, options, is_live=is_live)
    return watch.around(app, settings, has_log=is_ours)


def _nothing() -> None:
    """Find nothing that hinders answers."""


def _settings(
    options: ServeOptions, given: AbstractSet[str], asked: Mapping[str, Any]
) -> "Settings":
    """Return the settings; what a scenario has `asked` for counts where no option was `given`."""
    from mockchat.contract.profile import load_profile
    from mockchat.server.settings import Settings

    said = {**options, **{name: asked[name] for name in asked if name not in given}}
    settings = Settings(
        profile=load_profile(said["profile"], said["schemas"]).with_models(said["model"]),
        seed=said["seed"],
        kind=said["kind"],
        validation=said["validation"],
        models=said["models"],
        level=said.get("level", "observed"),
        unmatched=said.get("unmatched", "generate"),
        locale=said["locale"],
        shapes=said["shapes"],
        tokenizer=said["tokenizer"],
        api_keys=said["api_key"],
        body_limit=said["body_limit"],
        vary_repeats=said["vary_repeats"],
        limits=said.get("limits"),
    )
    return limited(settings, options)


def _greet(server: "Listening", *, served: str, options: ServeOptions) -> None:
    """Print where the server is and two lines to copy; never a key."""
    if not is_loopback(options["host"]):
        click.echo(
            f"mockchat: listening on {options['host']}, open to every machine that can reach it",
            err=True,
        )
    url = server.base_url
    has_keys = bool(options["api_key"])
    key = "" if has_keys else " OPENAI_API_KEY=any"
    authorization = ' -H "Authorization: Bearer $OPENAI_API_KEY"' if has_keys else ""
    is_one = options["workers"] == 1 or options["state"] is not None
    is_seen = guard_of(options, host=options["host"], is_one=is_one) is not None
    greeting = (
        f"mockchat serves {served} at {url} (Ctrl+C stops it)\n"
        + (f"what happens: {server.url}/_mockchat/\n" if is_seen else "")
        + "\n"
        f"export OPENAI_BASE_URL={url}{key}\n"
        f"curl {url}/chat/completions{authorization}"
        f" -H 'Content-Type: application/json' -d '{_DEMO_BODY}'"
    )
    try:
        click.echo(greeting)
    except OSError as error:
        # Whoever started it may read one line and leave, as `head -1` does; it serves all the same.
        click.echo(f"mockchat: cannot write to stdout: {error.strerror}", err=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
