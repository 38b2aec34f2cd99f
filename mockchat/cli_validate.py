"""The command `mockchat validate`: files in, verdict lines out."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from mockchat.cli_options import (
    json_option,
    level_option,
    printable,
    profile_option,
    refusing,
    schemas_option,
)
from mockchat.errors import MockchatError
from mockchat.types import JsonObject, Level

if TYPE_CHECKING:
    from mockchat.conformance.kinds import FileKind
    from mockchat.conformance.offline import FileVerdict, Judgement
    from mockchat.contract.contract import Contract

_STDIN = "-"
_KINDS = ("request", "response", "chunk", "error", "stream", "har", "exchanges")
_NOUNS = {"har": "exchange", "exchanges": "exchange"}


class _Options(TypedDict):
    """The options of `mockchat validate`, as click hands them over."""

    files: tuple[str, ...]
    kind: "FileKind | None"
    profile: str
    schemas: Path | None
    level: Level
    is_json: bool


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--as",
    "kind",
    type=click.Choice(_KINDS),
    help="What the files hold; told by their content without it.",
)
@profile_option("Variant of the API to judge by.")
@schemas_option
@level_option("Judge replies by what real servers send, or by what the official pages promise.")
@json_option
@click.pass_context
def validate(context: click.Context, **options: Unpack[_Options]) -> None:
    """Judge files: requests, replies, streams, HTTP archives, recorded exchanges; "-" is stdin.

    A line for each violation and each note (which fails nothing), one for each file. Exit status 0:
    all conform; 1: there are violations; 2: a file or an option cannot be used.
    """
    from mockchat.contract.contract import contract_for

    with refusing():
        contract = contract_for(options["profile"], options["schemas"])
    verdicts: dict[str, FileVerdict] = {}
    unusable: dict[str, str] = {}
    for file in options["files"]:
        try:
            verdicts[file] = _judged(contract, file, options)
        except (OSError, MockchatError) as error:
            unusable[file] = str(getattr(error, "strerror", None) or error)
            click.echo(f"mockchat: {printable(file)}: {printable(unusable[file])}", err=True)
        else:
            if not options["is_json"]:
                _tell(file, verdicts[file])
    status = 2 if unusable else int(any(verdict.violations for verdict in verdicts.values()))
    if options["is_json"]:
        listed = [_as_json(file, verdicts[file]) for file in verdicts]
        listed += [{"file": file, "problem": problem} for file, problem in unusable.items()]
        report = {"profile": options["profile"], "level": options["level"], "files": listed}
        click.echo(json.dumps({"conforms": status == 0, **report}, indent=2, ensure_ascii=False))
    context.exit(status)


def _judged(contract: "Contract", file: str, options: _Options) -> "FileVerdict":
    from mockchat.conformance.kinds import detected_kind
    from mockchat.conformance.offline import judge_file

    data = sys.stdin.buffer.read() if file == _STDIN else Path(file).read_bytes()
    kind = options["kind"] or detected_kind(data, contract)
    return judge_file(contract, data, kind, level=options["level"])


def _tell(file: str, verdict: "FileVerdict") -> None:
    for judgement in verdict.judgements:
        click.echo(printable(_line(file, judgement)))
    click.echo(printable(f"{file}: {_summary(verdict)}"))


def _line(file: str, judgement: "Judgement") -> str:
    violation = judgement.violation
    where = f"{file}:{judgement.place}" if judgement.place else file
    note = "note: " if violation.is_note else ""
    pointer = f" {violation.pointer}" if violation.pointer else ""
    known = [violation.rule, violation.level, *filter(None, [violation.schema_pointer])]
    return f"{where}: {judgement.part}{pointer}: {note}{_message(judgement)} [{', '.join(known)}]"


def _message(judgement: "Judgement") -> str:
    from mockchat.contract.wording import shown

    violation = judgement.violation
    message = violation.message.removesuffix(".")
    if violation.keyword is not None or violation.expected is None:
        return message
    expected = violation.expected
    wanted = expected if isinstance(expected, str) else shown(expected)
    found = "" if violation.actual is None else f"; found: {shown(violation.actual)}"
    return f"{message} (wanted: {wanted}{found})"


def _summary(verdict: "FileVerdict") -> str:
    noun = _NOUNS.get(verdict.kind, verdict.kind)
    told = [f"{verdict.records} {noun}{'' if verdict.records == 1 else 's'}"]
    if verdict.passed_over:
        told.append(f"{verdict.passed_over} passed over: no chat completions")
    told.append(_counted(verdict.violations, "violation") if verdict.violations else "conforms")
    if verdict.notes:
        told.append(_counted(verdict.notes, "note"))
    return ", ".join(told)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _as_json(file: str, verdict: "FileVerdict") -> JsonObject:
    return {
        "file": file,
        "kind": verdict.kind,
        "records": verdict.records,
        "passed_over": verdict.passed_over,
        "violations": [
            {
                "place": judgement.place,
                "part": judgement.part,
                "pointer": judgement.violation.pointer,
                "keyword": judgement.violation.keyword,
                "rule": judgement.violation.rule,
                "level": judgement.violation.level,
                "is_note": judgement.violation.is_note,
                "message": judgement.violation.message,
                "schema_pointer": judgement.violation.schema_pointer,
                "expected": judgement.violation.expected,
            }
            for judgement in verdict.judgements
        ],
    }
