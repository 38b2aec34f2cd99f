"""The command `mockchat check`: a server judged by the contract, request by request."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict, Unpack, get_args

import click

from mockchat.cli_coverage import coverage_of
from mockchat.cli_options import (
    Refusal,
    level_option,
    printable,
    profile_option,
    refusing,
    schemas_option,
)
from mockchat.cli_repeat import command_of
from mockchat.types import Json, Level

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

    from mockchat.conformance.fuzz import FuzzRun
    from mockchat.conformance.probes import Probe
    from mockchat.conformance.report import Report
    from mockchat.conformance.runner import Plan, Run
    from mockchat.conformance.target import Target

Depth = Literal["quick", "full", "fuzz"]

_INTERRUPTED = 130
_RECORDINGS = ("har", "exchanges")


class _Options(TypedDict):
    """The options of `mockchat check`, as click hands them over."""

    url: str | None
    compare: tuple[Path, Path] | None
    recorded: Path | None
    model: str | None
    api_key_env: str
    header: tuple[str, ...]
    profile: str
    schemas: Path | None
    level: Level
    depth: Depth
    seed: int
    only: tuple[str, ...]
    skip: tuple[str, ...]
    concurrency: int
    budget_requests: int | None
    budget_tokens: int | None
    timeout: float
    retries: int
    ca_file: Path | None
    insecure: bool
    json_file: Path | None
    junit_file: Path | None
    markdown_file: Path | None
    html_file: Path | None
    badge_file: Path | None
    coverage: bool
    is_listing: bool
    explain: str | None


_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("url", required=False)
@click.option("--model", metavar="NAME", help="Model to ask; the target's first without it.")
@click.option(
    "--api-key-env",
    default="OPENAI_API_KEY",
    metavar="NAME",
    help="Environment variable that holds the key.",
)
@click.option(
    "--header", multiple=True, metavar="NAME:VALUE", help="Send this field too; repeatable."
)
@profile_option("Variant of the API to judge by.")
@schemas_option
@level_option("Judge by what real servers send, or by what the official pages promise.")
@click.option(
    "--depth",
    type=click.Choice(get_args(Depth)),
    default="quick",
    help="Under thirty requests; every boundary and every rule; then drawn requests as well.",
)
@click.option(
    "--seed", default=0, help="Draw the same requests with the same seed; for fuzz alone."
)
@click.option(
    "--only", multiple=True, metavar="ID", help="Count these checks alone (stream.*); repeatable."
)
@click.option(
    "--skip", multiple=True, metavar="ID", help="Leave these checks out (refusal.*); repeatable."
)
@click.option(
    "--concurrency", default=1, type=click.IntRange(1, 64), help="Requests under way at once."
)
@click.option(
    "--budget-requests", type=click.IntRange(min=1), metavar="N", help="Send no more than these."
)
@click.option(
    "--budget-tokens", type=click.IntRange(min=1), metavar="N", help="Ask for no more than these."
)
@click.option(
    "--timeout",
    default=30,
    type=click.FloatRange(min=0, min_open=True),
    help="Seconds one request may take altogether.",
)
@click.option(
    "--retries",
    default=0,
    type=click.IntRange(0, 10),
    help="Send again after a 429, a 5xx or a lost connection; every attempt is reported.",
)
@click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Trust the authorities in this file (PEM) too.",
)
@click.option("--insecure", is_flag=True, help="Trust whatever certificate there is.")
@click.option("--json", "json_file", type=_FILE, help="Write the report as JSON.")
@click.option("--junit", "junit_file", type=_FILE, help="Write it as JUnit XML.")
@click.option("--markdown", "markdown_file", type=_FILE, help="Write it as Markdown.")
@click.option("--html", "html_file", type=_FILE, help="Write it as one HTML page.")
@click.option(
    "--coverage", is_flag=True, help="Tell what of the contract was met, in every report."
)
@click.option("--badge", "badge_file", type=_FILE, help="Write a badge for shields.io.")
@click.option(
    "--compare",
    nargs=2,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="OLD NEW",
    help="Tell what changed between two reports (JSON), and send nothing.",
)
@click.option(
    "--recorded",
    "--har",
    "recorded",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Judge an HTTP archive (HAR) or exchanges as JSON lines, and send nothing.",
)
@click.option(
    "--list", "is_listing", is_flag=True, help="List the checks, or write them as Markdown."
)
@click.option("--explain", metavar="ID", help="Tell all about one check, and send nothing.")
@click.pass_context
def check(context: click.Context, **options: Unpack[_Options]) -> None:
    """Check a server: send it requests, judge its answers by the contract.

    URL is what an SDK calls the base URL, such as http://localhost:8000/v1. Exit status 0: it
    conforms; 1: checks failed; 2: it could not be judged, or an option cannot be used; 130: it was
    interrupted, and what was done until then is told.
    """
    if options["is_listing"]:
        _list_checks(options["markdown_file"])
        return
    if options["explain"] is not None:
        _explain(options["explain"])
        return
    if options["compare"] is not None:
        context.exit(_compare(*options["compare"]))
    if options["recorded"] is not None:
        with refusing():
            report = _of_recorded(options["recorded"], options)
        _write(report, options)
        context.exit(_status(report))
    if options["url"] is None:
        raise Refusal(
            "a URL is wanted, such as http://localhost:8000/v1; see mockchat check --help"
        )
    with refusing():
        report = _checked(options["url"], options)
    _write(report, options)
    context.exit(_status(report))


def _checked(url: str, options: _Options) -> "Report":
    from mockchat.conformance.as_text import as_terminal
    from mockchat.conformance.checking import first_model
    from mockchat.conformance.probes import probes
    from mockchat.conformance.runner import Plan, Run
    from mockchat.conformance.target import Target
    from mockchat.contract.contract import contract_for

    contract = contract_for(options["profile"], options["schemas"])
    checks = _chosen(options["only"], options["skip"])
    target = Target(
        base_url=url,
        headers=_fields(options),
        timeout=options["timeout"],
        ca_file=options["ca_file"],
        is_verified=not options["insecure"],
    )
    try:
        model = options["model"] or first_model(target, contract)
    except KeyboardInterrupt:
        click.echo("interrupted before anything was checked", err=True)
        sys.exit(_INTERRUPTED)
    depth = options["depth"]
    plan = Plan(
        probes=probes(contract, model=model, depth="full" if depth == "fuzz" else depth),
        contract=contract,
        level=options["level"],
        checks=checks,
        concurrency=options["concurrency"],
        requests=options["budget_requests"],
        tokens=options["budget_tokens"],
        retries=options["retries"],
        patience=options["timeout"],
    )
    if depth == "fuzz":
        report = _fuzzed(url, target, plan, model, options)
    else:
        _announce(url, model, plan.probes, options)
        progress = _Progress()
        with progress.over(len(plan.probes)):
            report = _gone(Run(target, plan, on_progress=progress.at))
    for line in as_terminal(report, target=url):
        click.echo(printable(line))
    return report


def _fuzzed(url: str, target: "Target", plan: "Plan", model: str, options: _Options) -> "Report":
    # Only here: it imports Hypothesis.
    from mockchat.conformance.fuzz import MOST_TO_SHRINK, Fuzzing, FuzzRun

    progress = _Progress()
    fuzzing = Fuzzing(model=model, seed=options["seed"], timeout=options["timeout"])
    run = FuzzRun(target, plan, fuzzing, on_progress=progress.at, on_shrink=progress.shrinking)
    _announce(url, model, run.probes, options)
    drawn = len(run.probes) - len(plan.probes)
    click.echo(
        f"{drawn} requests are drawn, seed {options['seed']};"
        f" what they find is shrunk with at most {MOST_TO_SHRINK} requests each"
    )
    with progress.over(len(run.probes)):
        return _gone(run)


def _gone(run: "Run | FuzzRun") -> "Report":
    """Let a run go; Ctrl+C ends it with what is known."""
    try:
        return run.go()
    except KeyboardInterrupt:
        run.report.stopped = "interrupted"
        return run.report


class _Progress:
    """The bar on the terminal, where there is one."""

    def __init__(self) -> None:
        self._bar: ProgressBar[int] | None = None
        self._known = 0

    @contextmanager
    def over(self, length: int) -> Iterator[None]:
        """Show the bar for so many probes."""
        hidden = not sys.stderr.isatty()
        with click.progressbar(length=length, file=sys.stderr, hidden=hidden) as self._bar:
            yield

    def at(self, done: int) -> None:
        """Take in how many are done."""
        if self._bar is not None:
            self._bar.update(done - self._known)
        self._known = done

    def shrinking(self, check: str) -> None:
        """Take in that a request was sent to shrink what a check found."""
        if self._bar is not None:
            self._bar.label = f"shrinking {check}"
            self._bar.render_progress()


def _of_recorded(file: Path, options: _Options) -> "Report":
    from mockchat.conformance.as_text import as_terminal
    from mockchat.conformance.kinds import detected_kind
    from mockchat.conformance.recorded import recorded_report
    from mockchat.contract.contract import contract_for

    contract = contract_for(options["profile"], options["schemas"])
    checks = _chosen(options["only"], options["skip"])
    data = file.read_bytes()
    kind = detected_kind(data, contract)
    if kind not in _RECORDINGS:
        raise Refusal(
            f"{file}: a recording is wanted, an HTTP archive or exchanges; it is a {kind}"
        )
    report = recorded_report(contract, data, kind, level=options["level"], checks=checks)
    for line in as_terminal(report, target=str(file)):
        click.echo(printable(line))
    return report


def _announce(url: str, model: str, asked: "Sequence[Probe]", options: _Options) -> None:
    tokens = sum(probe.tokens for probe in asked)
    most = min(len(asked), options["budget_requests"] or len(asked))
    at_most = min(tokens, options["budget_tokens"] or tokens)
    told = f"{most} requests to {url}, model {model}, at most about {at_most} tokens"
    click.echo(printable(told))


def _fields(options: _Options) -> dict[str, str]:
    """Return the fields every request has, the key among them."""
    fields = {"authorization": f"Bearer {os.environ.get(options['api_key_env']) or 'none'}"}
    for text in options["header"]:
        name, separator, value = text.partition(":")
        if not separator or not name.strip():
            raise Refusal(f"--header {text!r}: write NAME:VALUE")
        fields[name.strip().lower()] = value.strip()
    return fields


def _chosen(only: tuple[str, ...], skip: tuple[str, ...]) -> frozenset[str]:
    """Return the checks that count."""
    from mockchat.conformance.checks import CHECKS

    wanted = frozenset().union(*map(_matching, only)) if only else frozenset(CHECKS)
    return wanted - frozenset().union(*map(_matching, skip))


def _matching(pattern: str) -> frozenset[str]:
    from difflib import get_close_matches
    from fnmatch import fnmatchcase

    from mockchat.conformance.checks import CHECKS

    found = frozenset(check_id for check_id in CHECKS if fnmatchcase(check_id, pattern))
    if not found:
        near = get_close_matches(pattern, CHECKS, 1)
        hint = f"did you mean {near[0]}?" if near else "mockchat check --list names them all"
        raise Refusal(f"there is no check {pattern!r}; {hint}")
    return found


def _write(report: "Report", options: _Options) -> None:
    from mockchat.conformance.as_data import as_badge, as_json, dumped
    from mockchat.conformance.as_html import as_html, model_of
    from mockchat.conformance.as_junit import as_junit
    from mockchat.conformance.as_markdown import as_markdown

    met = coverage_of(report, options["schemas"]) if options["coverage"] else None
    for line in () if met is None else met.lines():
        click.echo(printable(line))
    told = {} if met is None else {"coverage": met.data()}
    more = () if met is None else met.sections()
    command = command_of(click.get_current_context(), model=model_of(report))
    url = options["url"] or str(options["recorded"])
    making: dict[Path | None, Callable[[], bytes]] = {
        options["json_file"]: lambda: dumped(as_json(report, target=url) | told).encode(),
        options["junit_file"]: lambda: as_junit(report, target=url),
        options["markdown_file"]: lambda: as_markdown(report, target=url).encode(),
        options["html_file"]: lambda: as_html(
            report, target=url, command=command, more=more
        ).encode(),
        options["badge_file"]: lambda: dumped(as_badge(report)).encode(),
    }
    for file, make in making.items():
        if file is not None:
            _save(file, make())


def _save(file: Path, data: bytes) -> None:
    try:
        file.write_bytes(data)
    except OSError as error:
        raise Refusal(f"{file}: {error.strerror}") from error


def _status(report: "Report") -> int:
    from mockchat.conformance.as_text import answered

    if report.stopped == "interrupted":
        return _INTERRUPTED
    if not answered(report):
        return 2
    if report.failures:
        return 1
    return 0 if report.stopped is None else 2


def _list_checks(page: Path | None) -> None:
    from mockchat.conformance.catalogue import catalogue
    from mockchat.conformance.checks import CHECKS

    if page is not None:
        _save(page, catalogue().encode())
        return
    width = max(map(len, CHECKS))
    for each in CHECKS.values():
        click.echo(f"{each.id:<{width}}  {each.level:<10}  {each.sentence}")


def _explain(pattern: str) -> None:
    from mockchat.conformance.catalogue import explained
    from mockchat.conformance.checks import CHECKS

    found = _matching(pattern)
    for each in CHECKS.values():
        if each.id in found:
            click.echo("\n".join(explained(each)))


def _compare(old: Path, new: Path) -> int:
    from mockchat.conformance.as_data import compared

    lines = compared(_report(old), _report(new))
    for line in lines or ("nothing changed",):
        click.echo(printable(line))
    return int(any(line.endswith("-> failed") for line in lines))


def _report(file: Path) -> Json:
    from mockchat.conformance.as_data import is_report

    try:
        value = json.loads(file.read_bytes())
    except OSError as error:
        raise Refusal(f"{file}: {error.strerror}") from error
    except ValueError as error:
        raise Refusal(f"{file}: not JSON: {error}") from error
    if not is_report(value):
        raise Refusal(f"{file}: no report of mockchat check --json")
    return value
