"""An app for servers of other people, configured by variables: `--seed` stands in MOCKCHAT_SEED.

All options of `mockchat serve` count but those that are the host's to know: where it listens, with
how many processes, how long it waits for clients, TLS, and what it logs.
"""

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, cast

import click

from mockchat.cli import application, serve
from mockchat.errors import MockchatError
from mockchat.server.hosting import ABILITIES

if TYPE_CHECKING:
    from mockchat.cli import ServeOptions
    from mockchat.server.ticket import Servable

_VARIABLES = "MOCKCHAT_"


class BadVariable(MockchatError, ValueError):
    """An environment variable that configures an app has a value that is not allowed.

    Args:
        name: The variable.
        reason: What is wrong with it.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name = name
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


def application_of_environment(
    environment: Mapping[str, str] = os.environ,
) -> "Servable":
    """Return the application that the variables of this process ask for.

    Raises:
        BadVariable: One has a value that is not allowed.
        MockchatError: Together they cannot be used; a scenario has a fault that needs the
            connection itself, which is the host's.
    """
    with from_environment(serve, environment) as context:
        app, _, _ = application(cast("ServeOptions", context.params), ABILITIES)
    return app


def from_environment(
    command: click.Command, environment: Mapping[str, str] = os.environ
) -> click.Context:
    """Return the context of a command whose options stand in variables: `--seed` in MOCKCHAT_SEED.

    An option that may be repeated takes several values, as click splits them: files by ":", others
    by spaces. A switch takes 1 or 0.

    Raises:
        BadVariable: A value is not allowed.
    """
    names = {
        _variable(option): option for option in command.params if option.param_type_name == "option"
    }
    arguments = [
        argument
        for name, option in names.items()
        if isinstance(option, click.Option) and name in environment
        for argument in _arguments(name, option, environment[name])
    ]
    try:
        return command.make_context("mockchat", arguments)
    except click.BadParameter as error:
        option = error.param
        name = "the environment" if option is None else _variable(option)
        raise BadVariable(name, error.message) from None


def _variable(option: click.Parameter) -> str:
    longest = max(option.opts, key=len)
    return _VARIABLES + longest.lstrip("-").replace("-", "_").upper()


def _arguments(name: str, option: click.Option, value: str) -> Iterator[str]:
    flag = max(option.opts, key=len)
    if option.is_flag:
        if value not in {"0", "1"}:
            raise BadVariable(name, f"{value!r} is neither 1 nor 0")
        if value == "1":
            yield flag
        return
    for one in option.type.split_envvar_value(value) if option.multiple else [value]:
        yield f"{flag}={one}"
