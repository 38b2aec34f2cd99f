"""What several commands share: how they refuse, and the options with one meaning everywhere."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import IO, Any, get_args

import click

from mockchat.errors import MockchatError
from mockchat.types import Kind, Level

Weights = dict[str, float] | None
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class Refusal(click.ClickException):
    """What the user asked for cannot be done: one line on stderr, exit status 2."""

    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        """Print it as every message of ours: after our name."""
        click.echo(f"mockchat: {self.format_message()}", file=file, err=file is None)


@contextmanager
def refusing() -> Iterator[None]:
    """Turn an error of ours, or a file that cannot be read, into a refusal."""
    try:
        yield
    except MockchatError as error:
        raise Refusal(str(error)) from error
    except OSError as error:
        if error.filename is None:  # our own output, which `Commands` tells
            raise
        raise Refusal(f"{error.filename}: {error.strerror}") from error


class Commands(click.Group):
    """A group that tells in one line when what it prints cannot be written (a full disk)."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command line; exit with 2 where standard output takes no more."""
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            if error.filename is not None:
                raise
            # What is still buffered would fail once more when the interpreter ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            Refusal(f"the output cannot be written: {error.strerror}").show()
            sys.exit(Refusal.exit_code)


def profile_option(help_: str) -> Decorator:
    """Return the option that names a profile; what that is for differs from command to command."""
    return click.option("--profile", default="openai", metavar="NAME", help=help_)


def level_option(help_: str) -> Decorator:
    """Return the option that says how strictly replies are judged, or made wrong."""
    return click.option(
        "--level", type=click.Choice(get_args(Level)), default="observed", help=help_
    )


kind_option = click.option(
    "--kind",
    type=click.Choice(get_args(Kind)),
    default="plain",
    help="Generate what every client accepts, or everything the contract allows.",
)

locale_option = click.option(
    "--locale", default="en_US", help="Language of generated text, as Faker names it."
)

schemas_option = click.option(
    "--schemas",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of your own profiles, looked at before the built-in ones.",
)


def _weights(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> Weights:
    """Read `NAME=WEIGHT` as often as it is given; whether they make sense is said elsewhere."""
    weights: dict[str, float] = {}
    for text in given:
        name, separator, weight = text.partition("=")
        try:
            weights[name] = float(weight)
        except ValueError:
            reason = f"{weight!r} is not a number" if separator else f"{text!r} has no weight"
            raise click.BadParameter(f"{reason}: write NAME=WEIGHT, as tool_calls=0.3") from None
    return weights or None


shape_option = click.option(
    "--shape",
    "shapes",
    multiple=True,
    callback=_weights,
    show_default=False,
    metavar="NAME=WEIGHT",
    help="How often a reply is text, tool_calls, refusal, length or content_filter; repeatable.",
)

tokenizer_option = click.option(
    "--tokenizer",
    default="approximate",
    metavar="NAME",
    help="What counts tokens: approximate, or an encoding of tiktoken (o200k_base …).",
)

json_option = click.option("--json", "is_json", is_flag=True, help="Print one JSON object instead.")


def printable(text: str) -> str:
    """Return `text` fit for one line of a terminal: what does not print stands as its escape."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def is_loopback(host: str) -> bool:
    """Tell whether `host` can be reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
