"""The command `mockchat scenario`, and what `mockchat serve --scenario` needs of the files."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mockchat.cli_options import json_option, printable, schemas_option
from mockchat.types import JsonObject

if TYPE_CHECKING:
    from mockchat.scripting.scenario import Problem

scenario_option = click.option(
    "--scenario",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    show_default=False,
    metavar="FILE",
    help="Answer as this scenario file says, and by its next version when it changes; repeatable.",
)


@click.group()
def scenario() -> None:
    """Check scenario files, or print the JSON Schema they have."""


@scenario.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for an editor."""
    from mockchat.scripting.scenario_form import form_text

    click.echo(form_text(), nl=False)


@scenario.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@schemas_option
@json_option
@click.pass_context
def check(
    context: click.Context, files: Sequence[str], schemas: Path | None, *, is_json: bool
) -> None:
    """Judge scenario files: names, values, replies under the contract, stubs out of reach.

    A line for each problem, with file, line and column. Exit status 0: there is none; 1: there are
    some; 2: a file or an option cannot be used.
    """
    unusable: dict[str, str] = {}
    listed: list[JsonObject] = []
    count = 0
    for file in files:
        try:
            stubs, problems = _checked(file, schemas)
        except OSError as error:
            unusable[file] = error.strerror or str(error)
            click.echo(f"mockchat: {printable(file)}: {unusable[file]}", err=True)
            continue
        count += len(problems)
        listed.append({"file": file, "stubs": stubs, "problems": [*map(_as_json, problems)]})
        if not is_json:
            _tell(file, stubs, problems)
    status = 2 if unusable else int(count > 0)
    if is_json:
        listed += [{"file": file, "problem": problem} for file, problem in unusable.items()]
        report = {"conforms": status == 0, "files": listed}
        click.echo(json.dumps(report, indent=2, ensure_ascii=False))
    context.exit(status)


def _checked(file: str, schemas: Path | None) -> tuple[int | None, Sequence["Problem"]]:
    """Return how many stubs a file has, None where its form does not tell, and what is wrong."""
    from mockchat.scripting.scenario import BrokenScenario, read_scenario

    stubs = None
    try:
        read = read_scenario(file)
        stubs = read.stubs
        read.check(schemas)
    except BrokenScenario as broken:
        return stubs, broken.problems
    return stubs, ()


def _tell(file: str, stubs: int | None, problems: Sequence["Problem"]) -> None:
    for problem in problems:
        click.echo(printable(str(problem)))
    if not problems:
        click.echo(printable(f"{file}: {stubs} stub{'' if stubs == 1 else 's'}, no problem"))


def _as_json(problem: "Problem") -> JsonObject:
    place = problem.place
    return {"line": place.line, "column": place.column, "message": problem.message}
