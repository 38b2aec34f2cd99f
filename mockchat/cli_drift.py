"""The command `mockchat drift`: recorded requests sent again, and what has changed since."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict, Unpack

import click

from mockchat.cli_options import Refusal, printable, refusing, schemas_option

if TYPE_CHECKING:
    from mockchat.drift.asking import Asked
    from mockchat.drift.changes import DriftReport


class _Options(TypedDict):
    """The options of `mockchat drift`, as click hands them over."""

    file: Path
    upstream: str
    api_key_env: str
    header: tuple[str, ...]
    profile: str | None
    schemas: Path | None
    timeout: float
    ca_file: Path | None
    format_: Literal["text", "json"]


@click.command()
@click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE"
)
@click.option(
    "--upstream", required=True, metavar="URL", help="The server, as SDKs take it: with /v1."
)
@click.option(
    "--api-key-env",
    default="OPENAI_API_KEY",
    metavar="NAME",
    help="The variable with the key to send; none is sent where it is not set.",
)
@click.option(
    "--header",
    multiple=True,
    show_default=False,
    metavar="NAME:VALUE",
    help="Send this field too; repeatable.",
)
@click.option(
    "--profile",
    default=None,
    show_default="that of the file, or openai",
    metavar="NAME",
    help="Variant of the API that names fields, values and rules.",
)
@schemas_option
@click.option(
    "--timeout",
    default=60.0,
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="How long one answer may take from the request to its end.",
)
@click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Trust the certificates of this authority too.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(("text", "json")),
    default="text",
    help="Print lines to read, or one JSON object.",
)
@click.pass_context
def drift(context: click.Context, **options: Unpack[_Options]) -> None:
    """Send recorded requests again and tell what has changed in the contract, not in the text.

    FILE is a scenario, an HTTP archive or a cassette of vcrpy. Exit status 0: nothing changed; 1:
    something did; 2: some answers, or all, could not be had.
    """
    with refusing():
        report = _report(options)
    _tell(report, options["format_"])
    context.exit(report.exit_status)


def _report(options: _Options) -> "DriftReport":
    from mockchat.conformance.target import Target
    from mockchat.contract.contract import contract_for
    from mockchat.drift.asking_again import ask_again

    asked = _asked(options)
    target = Target(
        base_url=options["upstream"],
        headers=_fields(options),
        timeout=options["timeout"],
        ca_file=options["ca_file"],
    )
    profile = options["profile"]
    return ask_again(
        asked,
        target,
        file=str(options["file"]),
        upstream=options["upstream"],
        contract=None if profile is None else contract_for(profile, options["schemas"]),
    )


def _asked(options: _Options) -> "Asked":
    from mockchat.contract.contract import contract_for
    from mockchat.drift.asking import asked_of_recording, asked_of_scenario
    from mockchat.recording.imported import Unimportable
    from mockchat.recording.importing import LARGEST, exchanges_in

    file = options["file"]
    with file.open("rb") as stream:
        data = stream.read(LARGEST + 1)
    try:
        taken = exchanges_in(data, file.name)
    except Unimportable as problem:
        raise Refusal(f"{file}: {problem}") from problem
    if taken is None:
        return asked_of_scenario(file, shown=str(file), schemas=options["schemas"])
    contract = contract_for(options["profile"] or "openai", options["schemas"])
    return asked_of_recording(taken, contract)


def _fields(options: _Options) -> dict[str, str]:
    fields = {}
    key = os.environ.get(options["api_key_env"])
    if key:
        fields["authorization"] = f"Bearer {key}"
    for text in options["header"]:
        name, separator, value = text.partition(":")
        if not separator or not name.strip():
            raise Refusal(f"--header {text!r}: write NAME:VALUE")
        fields[name.strip().lower()] = value.strip()
    return fields


def _tell(report: "DriftReport", format_: str) -> None:
    from mockchat.drift.as_text import as_json, as_text

    if format_ == "json":
        click.echo(json.dumps(as_json(report), indent=2, ensure_ascii=False))
        return
    for line in as_text(report):
        click.echo(printable(line))
