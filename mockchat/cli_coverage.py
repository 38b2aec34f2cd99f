"""The commands `mockchat coverage …`: what a suite has met, told again, added up, and mended."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mockchat.cli_options import Commands, Refusal, printable, refusing, schemas_option
from mockchat.types import JsonObject

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mockchat.conformance.markup import Markup
    from mockchat.conformance.report import Report
    from mockchat.coverage.catalogue import Catalogue
    from mockchat.coverage.items import Item
    from mockchat.coverage.tally import Counted, Tally

_FILE = ".mockchat-coverage"

data_option = click.option(
    "--data",
    default=Path(_FILE),
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What `pytest --mockchat-coverage` has written.",
)


@click.group(cls=Commands)
def coverage() -> None:
    """Tell what of the contract a suite has met, and what would meet the rest."""


@coverage.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@data_option
def combine(files: tuple[Path, ...], data: Path) -> None:
    """Add up the FILES of several runs in one."""
    from mockchat.coverage.data_file import combined, read, write

    with refusing():
        whole = combined([read(file) for file in files])
        write(data, whole)
    click.echo(f"{data}: {len(whole.given)} items of {len(files)} files")


@coverage.command()
@data_option
@schemas_option
@click.option("--missing", is_flag=True, help="Name every missing item.")
@click.option(
    "--fail-under",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="Exit with 1 where less of what clients can be given went well.",
)
def report(data: Path, schemas: Path | None, missing: bool, fail_under: float | None) -> None:  # noqa: FBT001 - an option
    """Print the table again."""
    from mockchat.coverage.as_text import as_text

    _, tally, found = _read(data, schemas)
    for line in as_text(found, tally, is_full=missing):
        click.echo(printable(line))
    if fail_under is not None and found.percent < fail_under:
        click.echo(f"{found.percent:.2f} % went well, {fail_under:g} % is wanted", err=True)
        click.get_current_context().exit(1)


@coverage.command("json")
@data_option
@schemas_option
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE")
def json_(data: Path, schemas: Path | None, output: Path | None) -> None:
    """Write the counts, and every item, as JSON."""
    from mockchat.coverage.as_json import as_json

    catalogue, tally, found = _read(data, schemas)
    _write(as_json(catalogue.items, found, tally), output)


@coverage.command()
@data_option
@schemas_option
@click.option(
    "-o",
    "--output",
    default=Path("mockchat-coverage.html"),
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The page to write.",
)
def html(data: Path, schemas: Path | None, output: Path) -> None:
    """Write one HTML page with all items."""
    from mockchat.coverage.as_html import as_html

    catalogue, tally, found = _read(data, schemas)
    _write(as_html(catalogue.items, found, tally), output)
    click.echo(str(output))


@coverage.command()
@click.argument("items", nargs=-1, metavar="[ITEM]...")
@data_option
@schemas_option
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write a test file with the replies, in place of listing them.",
)
@click.option(
    "--requests", is_flag=True, help="List what your code never sent, in place of replies."
)
def suggest(
    items: tuple[str, ...],
    data: Path,
    schemas: Path | None,
    output: Path | None,
    requests: bool,  # noqa: FBT001 - an option
) -> None:
    """Tell what would meet the missing items, or each ITEM: stubs that were tried."""
    from mockchat.coverage.suggested_file import as_test_file
    from mockchat.coverage.suggestions import suggested
    from mockchat.coverage.suggestions_text import promise, suggestion_lines

    if requests and output is not None:
        raise Refusal("--requests is for reading: a test cannot make your code send something")
    catalogue, tally, found = _read(data, schemas)
    total = found.totals["request" if requests else "reply"]
    for item in items:
        if item not in catalogue.items:
            raise Refusal(f"there is no item {item!r}; mockchat coverage json lists them")
    answer = suggested(catalogue, items or total.missing, side=total.side)
    if output is None:
        for line in suggestion_lines(answer, side=total.side):
            click.echo(printable(line))
        return
    _write(as_test_file(answer.suggestions, tally.profile), output)
    click.echo(printable(promise(catalogue.items, tally, answer, str(output))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """What of a profile was met, with the forms it can be told in.

    Attributes:
        items: The items by id.
        tally: What was met of them.
        counted: The counts.
    """

    items: "Mapping[str, Item]"
    tally: "Tally"
    counted: "Counted"

    def lines(self) -> tuple[str, ...]:
        """Return the table, with an empty line before it."""
        from mockchat.coverage.as_text import as_text

        return ("", *as_text(self.counted, self.tally))

    def data(self) -> JsonObject:
        """Return it as JSON."""
        from mockchat.coverage.as_json import as_object

        return as_object(self.items, self.counted, self.tally)

    def sections(self) -> "tuple[Markup, ...]":
        """Return it as sections of a page."""
        from mockchat.coverage.as_html import sections

        return tuple(sections(self.items, self.counted, self.tally))


def coverage_of(report: "Report", schemas: Path | None) -> Met:
    """Return what the exchanges of `mockchat check` have met.

    Args:
        report: What came of them.
        schemas: The folder of own profiles that it was made with.
    """
    from mockchat.contract.contract import contract_for
    from mockchat.coverage.catalogue import catalogue_of
    from mockchat.coverage.of_report import tally_of
    from mockchat.coverage.tally import counted

    catalogue = catalogue_of(contract_for(report.profile, schemas))
    # Whoever asks a target makes no faults.
    items = {name: item for name, item in catalogue.items.items() if item.capability != "faults"}
    tally = tally_of(report, catalogue)
    return Met(items=items, tally=tally, counted=counted(items, tally))


def _read(data: Path, schemas: Path | None) -> "tuple[Catalogue, Tally, Counted]":
    """Return the items of a file's profile, what it has of them, and the counts."""
    from mockchat.contract.contract import contract_for
    from mockchat.coverage.catalogue import catalogue_of
    from mockchat.coverage.data_file import read
    from mockchat.coverage.tally import counted

    with refusing():
        tally = read(data)
        catalogue = catalogue_of(contract_for(tally.profile, schemas))
    return catalogue, tally, counted(catalogue.items, tally)


def _write(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refusal(f"{output}: {error.strerror}") from error
