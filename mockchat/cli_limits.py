"""The options of `mockchat serve` for those who run it for others: limits, browsers, TLS, the end."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import click

if TYPE_CHECKING:
    import ssl

    from mockchat.scripting.quotas import Limits
    from mockchat.server.listening import Listening
    from mockchat.server.settings import Settings

STOPPING = (signal.SIGINT, signal.SIGTERM)
"""What ends a server."""


class LimitOptions(TypedDict):
    """These options, as click hands them over."""

    limit: dict[str, float]
    rate_limit: str | None
    requests_per_minute: int | None
    tokens_per_minute: int | None
    cors: tuple[str, ...]
    cert: Path | None
    key: Path | None
    grace: float


def _numbers(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, float]:
    """Read `NAME=VALUE` as often as it is given; which names there are is said elsewhere."""
    numbers: dict[str, float] = {}
    for text in given:
        name, separator, value = text.partition("=")
        try:
            numbers[name] = float(value)
        except ValueError:
            reason = f"{value!r} is not a number" if separator else f"{text!r} has no value"
            raise click.BadParameter(f"{reason}: write NAME=VALUE, as connections=200") from None
    return numbers


_FILE = click.Path(dir_okay=False, path_type=Path)
_OPTIONS: tuple[Callable[[Callable[..., Any]], Callable[..., Any]], ...] = (
    click.option(
        "--requests-per-minute",
        type=click.IntRange(min=1),
        metavar="N",
        help="Requests that each key may send in a minute.",
    ),
    click.option(
        "--tokens-per-minute",
        type=click.IntRange(min=1),
        metavar="N",
        help="Tokens that each key may use in a minute.",
    ),
    click.option(
        "--rate-limit",
        show_default=False,
        metavar="NAME=VALUE,…",
        help="What clients may use: requests, tokens, window, total_tokens, context_window, per.",
    ),
    click.option(
        "--limit",
        multiple=True,
        callback=_numbers,
        show_default=False,
        metavar="NAME=VALUE",
        help="A limit of the server, as connections=200; repeatable, docs/operations.md has all.",
    ),
    click.option(
        "--cors",
        multiple=True,
        show_default=False,
        metavar="ORIGIN",
        help="Let pages of this origin call, as http://localhost:5173, or * for any; repeatable.",
    ),
    click.option("--cert", type=_FILE, help="Speak HTTPS with the certificate of this PEM file."),
    click.option("--key", type=_FILE, help="Its private key, where that is in a file of its own."),
    click.option(
        "--grace",
        default=5,
        type=click.FloatRange(min=0),
        metavar="SECONDS",
        help="How long replies on their way may take when it is told to end.",
    ),
)


def limit_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command these options."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def limited(settings: "Settings", options: LimitOptions) -> "Settings":
    """Return settings with what these options say.

    Raises:
        BadArgument: One has a value that is not allowed.
    """
    from mockchat.server.bounds import with_bounds

    changed = replace(
        settings,
        limits=_rate_limits(options) or settings.limits,
        cors=options["cors"],
        certificate=options["cert"],
        key=options["key"],
    )
    return with_bounds(changed, options["limit"])


def _rate_limits(options: LimitOptions) -> "Limits | None":
    """Return the limits that the options set, None where they set none."""
    from mockchat.errors import BadArgument
    from mockchat.scripting.limit_words import limits_said
    from mockchat.scripting.quotas import Limits

    said = options["rate_limit"]
    requests, tokens = options["requests_per_minute"], options["tokens_per_minute"]
    if requests is None and tokens is None:
        return None if said is None else limits_said(said)
    if said is not None:
        allowed = "all of them there: requests=…, tokens=…, window=60"
        raise BadArgument(
            "rate-limit", said, f"no other option for limits beside it; say {allowed}"
        )
    return Limits(requests=requests, tokens=tokens)


def tls_of(settings: "Settings") -> "ssl.SSLContext | None":
    """Return what connections are wrapped with, None for plain HTTP.

    Raises:
        BadArgument: Certificate and key cannot be used.
    """
    if settings.certificate is None:
        return None
    from mockchat.server.tls import server_context

    return server_context(settings.certificate, settings.key)


@contextmanager
def stopping_blocked() -> Iterator[None]:
    """Block what ends a server, so that it is waited for instead of breaking in.

    A handler could run inside the very lock that it needs. Block before any thread starts: threads
    take over what is blocked. Who calls the command gets its own mask back.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        while signal.sigpending().intersection(STOPPING):
            signal.sigwait(STOPPING)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def finish(server: "Listening", seconds: float) -> None:
    """Let a server end what it is at, for so many seconds or until a second signal comes.

    The signals must be blocked in every thread.
    """

    def hurry() -> None:
        signal.sigwait(STOPPING)
        server.stop()

    if seconds > 0:
        threading.Thread(target=hurry, name="mockchat-hurry", daemon=True).start()
        server.drain(seconds)
