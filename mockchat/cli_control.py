"""The options of `mockchat serve` for its control API."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypedDict

import click

from mockchat.cli_options import Refusal, is_loopback

if TYPE_CHECKING:
    from mockchat.server.control.guard import Guard


class ControlOptions(TypedDict):
    """These options, as click hands them over."""

    control: bool | None
    control_key: str | None
    control_host: tuple[str, ...]


_OPTIONS: tuple[Callable[[Callable[..., Any]], Callable[..., Any]], ...] = (
    click.option(
        "--control/--no-control",
        default=None,
        show_default="on where only this machine can reach it, or a key is set",
        help="Serve the API under /_mockchat that sees and steers the server.",
    ),
    click.option(
        "--control-key",
        envvar="MOCKCHAT_CONTROL_KEY",
        show_default=False,
        metavar="KEY",
        help="Ask for this bearer token there; also from MOCKCHAT_CONTROL_KEY.",
    ),
    click.option(
        "--control-host",
        multiple=True,
        show_default=False,
        metavar="NAME",
        help="A name, beside localhost and addresses, by which it is asked for; repeatable.",
    ),
)


def control_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command these options."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def guard_of(options: ControlOptions, *, host: str | None, is_one: bool) -> "Guard | None":
    """Return who may use the control API, None where there is none.

    Args:
        options: What was asked for.
        host: Where the server listens; None: others decide.
        is_one: Whether it is one process, or several that share what they are told.

    Raises:
        Refusal: It is asked for where anybody could use it, or where only one of several processes
            would heed it.
    """
    from mockchat.server.control.guard import Guard

    asked, key = options["control"], options["control_key"]
    if asked and not is_one:
        raise Refusal(
            "--control: what one worker is told, the others would not know. "
            "Let them share it with --state redis://…, or serve with one worker."
        )
    is_safe = key is not None or (host is not None and is_loopback(host))
    if asked and not is_safe:
        raise Refusal(
            "--control: every machine that can reach this server could steer it, and read what its "
            "clients send. Set --control-key, or listen on 127.0.0.1."
        )
    is_on = is_safe and is_one if asked is None else asked
    return Guard(key=key, hosts=options["control_host"]) if is_on else None
