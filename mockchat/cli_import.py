"""The command `mockchat import`: what other tools recorded, or were told, as a scenario file."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mockchat.cli_options import Refusal, printable, refusing, schemas_option

if TYPE_CHECKING:
    from mockchat.recording.importing import Format
    from mockchat.types import JsonObject

_FORMATS = ("auto", "har", "vcr", "aimock", "stubllm")


@click.command("import")
@click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE"
)
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE",
    help="The scenario file to write; YAML, or JSON where its name ends so.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(_FORMATS),
    default="auto",
    help="HTTP archive, cassette of vcrpy, fixtures of aimock or stubllm; or told by the content.",
)
@click.option(
    "--profile", default="openai", metavar="NAME", help="Variant of the API to answer in."
)
@schemas_option
def import_(file: Path, output: Path, format_: str, profile: str, schemas: Path | None) -> None:
    """Make a scenario of a recording or of fixtures of another tool.

    What cannot be kept is told, a line each, with its place. Credentials are never written. Exit
    status 0: there is a scenario; 2: the file, or an option, cannot be used.
    """
    from mockchat.recording.importing import LARGEST, imported

    with refusing():
        with file.open("rb") as stream:
            data = stream.read(LARGEST + 1)
        try:
            made = imported(
                data,
                file.name,
                format_=_named(format_),
                profile=profile,
                schemas=schemas,
            )
        except ValueError as error:
            raise Refusal(f"{file}: {error}") from error
        _write(output, made.scenario)
    for note in made.notes:
        separator = "#" if note.place.startswith("/") else ":"
        click.echo(printable(f"{file}{separator}{note}"))
    count = len(made.scenario["stubs"])
    stubs = f"{count} stub{'' if count == 1 else 's'}"
    lost = len(made.notes)
    notes = f", {lost} note{'' if lost == 1 else 's'} above" if lost else ""
    click.echo(printable(f"{output}: {stubs} from {made.format}{notes}"))


def _named(format_: str) -> "Format | None":
    from mockchat.recording.importing import FORMATS

    return next((name for name in FORMATS if name == format_), None)


def _write(output: Path, scenario: "JsonObject") -> None:
    """Write a scenario; one that is larger than what is read, or no text, is refused before."""
    from mockchat.recording.scenario_text import as_yaml, write_whole
    from mockchat.scripting.scenario import scenario_of

    if output.suffix.lower() == ".json":
        text = json.dumps(scenario, indent=2, ensure_ascii=False) + "\n"
    else:
        text = as_yaml(scenario)
    scenario_of(text.encode("utf-8", "surrogatepass"), str(output))
    write_whole(output, text)
