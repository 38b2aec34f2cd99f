"""The command that makes a run again, as a report shows it."""

import shlex
from collections.abc import Iterator

import click

from mockchat.types import Json

_FILES = frozenset({"json_file", "junit_file", "markdown_file", "html_file", "badge_file"})
"""Where a report is written changes nothing of the run."""

_SAID = frozenset({"profile", "level"})
"""Options that are told even where they are what they are without."""


def command_of(context: click.Context, *, model: str | None) -> str:
    """Return the command line of `mockchat check` that makes a run again.

    What an option was set to stands in it, of a header field the name alone: its value may be a
    credential.

    Args:
        context: The command with its options.
        model: The model that was asked, where no option named it.
    """
    told = dict(context.params)
    if told.get("url") is not None and told.get("model") is None:
        told["model"] = model
    words = [context.command_path]
    for parameter in context.command.params:
        value = told.get(str(parameter.name))
        if value is not None and parameter.name not in _FILES:
            words += _words(parameter, value, told)
    return " ".join([words[0], *map(shlex.quote, words[1:])])


def _words(parameter: click.Parameter, value: Json, told: dict[str, Json]) -> Iterator[str]:
    """Yield what stands for one option."""
    if isinstance(parameter, click.Argument):
        yield str(value)
        return
    flag = parameter.opts[0]
    if parameter.multiple:
        for each in value:
            yield flag
            yield f"{each.partition(':')[0]}: …" if parameter.name == "header" else str(each)
        return
    if isinstance(parameter, click.Option) and parameter.is_flag:
        yield from [flag] if value else []
    elif _is_told(parameter, value, told):
        yield from (flag, str(value))


def _is_told(parameter: click.Parameter, value: Json, told: dict[str, Json]) -> bool:
    """Tell whether an option made a difference to the run."""
    if parameter.name == "depth":
        return told.get("url") is not None
    if parameter.name == "seed":
        return told.get("depth") == "fuzz"
    return parameter.name in _SAID or value != parameter.default
