"""The command `mockchat record`, and what `mockchat serve --fallback record` shares with it."""

import logging
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import click

from mockchat.cli_limits import STOPPING, finish, stopping_blocked
from mockchat.cli_options import (
    Refusal,
    is_loopback,
    level_option,
    profile_option,
    refusing,
    schemas_option,
)
from mockchat.types import Level

if TYPE_CHECKING:
    from mockchat.contract.contract import Contract
    from mockchat.recording.book import Book
    from mockchat.recording.exchanges import RecordedExchange
    from mockchat.recording.scenario_text import Match
    from mockchat.recording.upstream import Upstream
    from mockchat.server.control.sessions import Sessions
    from mockchat.server.settings import Settings
    from mockchat.server.ticket import Servable

_BODY_LIMIT = 32 * 1024 * 1024
_GRACE = 5.0
_MATCHES = ("request", "conversation")


class RecordingOptions(TypedDict):
    """The options that say what is recorded and where, as click hands them over."""

    upstream: str | None
    output: Path | None
    match: "Match"
    redact: tuple[str, ...]
    upstream_header: tuple[str, ...]
    ca_file: Path | None


class ServedOptions(RecordingOptions):
    """Those of `mockchat serve` that are read here."""

    fallback: str | None
    workers: int


class RecordOptions(RecordingOptions):
    """The options of `mockchat record`, as click hands them over."""

    host: str
    port: int
    profile: str
    schemas: Path | None
    level: Level
    timeout: float


_OPTIONS: tuple[Callable[[Callable[..., Any]], Callable[..., Any]], ...] = (
    click.option(
        "--upstream",
        show_default=False,
        metavar="URL",
        help="The real server, as clients take it: https://api.openai.com/v1.",
    ),
    click.option(
        "--output",
        "-o",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="The scenario file that is written; one that was recorded before is gone on with.",
    ),
    click.option(
        "--match",
        type=click.Choice(_MATCHES),
        default="request",
        help="A recorded answer is for requests whose body is the same, or for the same model, "
        "messages and kind of delivery.",
    ),
    click.option(
        "--redact",
        multiple=True,
        show_default=False,
        metavar="RULE",
        help="Write [redacted] for what is at this JSON Pointer (/messages/*/content), or what this "
        "pattern finds, in requests and answers; repeatable. Credentials are never written.",
    ),
    click.option(
        "--upstream-header",
        multiple=True,
        show_default=False,
        metavar="NAME:VALUE",
        help="Send this field to the real server in place of the client's; repeatable.",
    ),
    click.option(
        "--ca-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Trust the authorities in this file (PEM) too.",
    ),
)


_FALLBACKS = ("record", "generate", "refuse")

fallback_option = click.option(
    "--fallback",
    type=click.Choice(_FALLBACKS),
    show_default="generate, or what a scenario says under `unmatched`",
    help="What a request gets that no stub answers: the answer of --upstream, which is written to "
    "--output and given from then on; a generated reply; or a refusal with the reasons.",
)


def recording_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command these options."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command()
@recording_options
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option(
    "--port", default=4010, type=click.IntRange(0, 65535), help="Port to listen on; 0 takes any."
)
@profile_option("Variant of the API the real server speaks.")
@schemas_option
@level_option("Judge answers by what real servers send, or by what the official pages promise.")
@click.option(
    "--timeout",
    default=600,
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="How long the real server may be silent.",
)
def record(**options: Unpack[RecordOptions]) -> None:
    """Pass requests on to a real server, and write a scenario of what it answers.

    Streams go through as they come, keys are never written, and the file is whole after each
    exchange. `mockchat serve --scenario FILE` answers the same again.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    with stopping_blocked(), refusing():
        _record(options)


def _record(options: RecordOptions) -> None:
    from mockchat.contract.contract import contract_for
    from mockchat.recording.recorder import Recorder
    from mockchat.server.routes import base_path
    from mockchat.server.werkzeug_server import LiveServer

    contract = contract_for(options["profile"], options["schemas"])
    prefix = base_path(contract.profile.documents)
    upstream = upstream_of(options, prefix=prefix, timeout=options["timeout"])
    book = book_of(options, contract, level=options["level"])
    told = Tally()
    recorder = Recorder(upstream, book, contract, body_limit=_BODY_LIMIT, noted=told.noted)
    with LiveServer(recorder, host=options["host"], port=options["port"]) as server:
        if not is_loopback(options["host"]):
            click.echo(f"mockchat: listening on {options['host']}, open to others", err=True)
        click.echo(
            f"mockchat records {upstream.base_url} into {book.path} (Ctrl+C stops it)\n\n"
            f"export OPENAI_BASE_URL={server.url}{prefix}"
        )
        signal.sigwait(STOPPING)
        finish(server, _GRACE)
    click.echo(f"{told} in {book.path}")


class Tally:
    """Tells each exchange on the terminal and counts them."""

    def __init__(self) -> None:
        self._exchanges = 0
        self._broken = 0

    def noted(self, exchange: "RecordedExchange", notes: tuple[str, ...]) -> None:
        """Tell one exchange; what breaks the contract stands below it."""
        from mockchat.recording.book import lines_of

        del exchange
        self._exchanges += 1
        self._broken += len(notes) > 1
        for line in lines_of(notes):
            click.echo(line, err=True)

    def __str__(self) -> str:
        count = self._exchanges
        broken = f", {self._broken} with answers that break the contract" if self._broken else ""
        return f"{count} exchange{'' if count == 1 else 's'}{broken}"


def upstream_of(options: RecordingOptions, *, prefix: str, timeout: float = 600.0) -> "Upstream":
    """Return the real server.

    Raises:
        Refusal: It is not said which, or a field is none.
        BadArgument: Its URL is none.
    """
    from mockchat.recording.upstream import Upstream

    if options["upstream"] is None:
        raise Refusal("--upstream: say which server is recorded, as https://api.openai.com/v1")
    return Upstream(
        base_url=options["upstream"],
        prefix=prefix,
        headers=_fields(options["upstream_header"]),
        timeout=timeout,
        ca_file=options["ca_file"],
    )


def book_of(
    options: RecordingOptions, contract: "Contract", *, level: Level = "observed"
) -> "Book":
    """Return where exchanges are written down.

    Raises:
        Refusal: It is not said where.
        BadArgument: The file cannot be gone on with, or a rule is none.
        OSError: It cannot be written.
    """
    from mockchat.recording.book import Book
    from mockchat.recording.redaction import Redaction

    if options["output"] is None:
        raise Refusal("--output: say which file is written, as recording.yaml")
    return Book(
        options["output"],
        contract,
        match=options["match"],
        level=level,
        redaction=Redaction.of_rules(options["redact"]),
    )


def _fields(given: tuple[str, ...]) -> Mapping[str, str]:
    fields = {}
    for text in given:
        name, separator, value = text.partition(":")
        if not separator or not name.strip():
            raise Refusal(f"--upstream-header: write NAME:VALUE, not {name!r}")
        fields[name.strip().lower()] = value.strip()
    return fields


def unmatched_of(options: "ServedOptions") -> dict[str, str]:
    """Return what `--fallback` says in the words of a scenario, {} where it is not given.

    Raises:
        Refusal: It does not go with the other options.
    """
    fallback = options["fallback"]
    if fallback != "record":
        for name in ("upstream", "output"):
            if options[name] is not None:
                raise Refusal(f"--{name}: only --fallback record asks and writes")
        words = {"refuse": "fail", "generate": "generate"}
        return {} if fallback is None else {"unmatched": words[fallback]}
    if options["workers"] > 1:
        raise Refusal("--fallback record: one process writes a recording; serve with one worker")
    # What the real server makes of a request is known once it is recorded.
    return {"unmatched": "generate", "validation": "warn"}


def with_fallback(
    app: "Servable",
    sessions: "Sessions",
    settings: "Settings",
    options: RecordingOptions,
    *,
    is_live: bool,
) -> "Servable":
    """Return an application that asks the real server what `app` has no stub for.

    Raises:
        Refusal: It is not said which server, or where to write.
        MockchatError: One of the two cannot be used.
    """
    from mockchat.contract.contract import contract_of
    from mockchat.recording.fallback import FallbackApp
    from mockchat.server.routes import base_path

    contract = contract_of(settings.profile)
    return FallbackApp(
        app,
        lambda incoming: sessions.named(incoming.headers),
        upstream=upstream_of(options, prefix=base_path(settings.profile.documents)),
        book=book_of(options, contract, level=settings.level),
        contract=contract,
        tell=Tally().noted,
        is_live=is_live,
    )
