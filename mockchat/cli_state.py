"""The command `mockchat state`, and the options of `mockchat serve` for what workers share."""

import json
from typing import TYPE_CHECKING

import click

from mockchat.cli_options import Refusal, refusing

if TYPE_CHECKING:
    from mockchat.server.shared_state import SharedState

state_option = click.option(
    "--state",
    envvar="MOCKCHAT_STATE",
    show_default=False,
    metavar="URL",
    help="Redis, as redis://host:port/0, that keeps counts of replies, limits and the journal for "
    "all workers and hosts that name it; also from MOCKCHAT_STATE.",
)
state_name_option = click.option(
    "--state-name",
    default="default",
    metavar="NAME",
    help="Whose state it is: several live in one Redis side by side.",
)


@click.group()
def state() -> None:
    """Read or forget what the workers of a server share in Redis."""


@state.command()
@click.argument("url")
@state_name_option
def journal(url: str, state_name: str) -> None:
    """Print the exchanges of all workers as JSON lines, oldest first.

    `mockchat validate --as exchanges FILE` judges them.
    """
    with refusing():
        for exchange in opened(url, state_name).journal().exchanges():
            click.echo(json.dumps(exchange, ensure_ascii=False))


@state.command()
@click.argument("url")
@state_name_option
def reset(url: str, state_name: str) -> None:
    """Forget it: every reply is there again, nothing is used up, the journal is empty."""
    with refusing():
        count = opened(url, state_name).reset()
    noun = "key" if count == 1 else "keys"
    click.echo(f"forgotten: {count} {noun} of {state_name!r}")


def opened(url: str, name: str) -> "SharedState":
    """Return the state behind a URL, which must be there.

    Raises:
        Refusal: The extra `redis` is not installed.
        MockchatError: The URL is none, or the store does not answer.
    """
    try:
        from mockchat.server.shared_state import SharedState
    except ModuleNotFoundError as missing:
        if missing.name != "redis":
            raise
        needed = 'shared state needs the package redis: pip install "mockchat[redis]"'
        raise Refusal(needed) from None
    shared = SharedState(url, name=name)
    shared.check()
    return shared
