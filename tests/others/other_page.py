"""The page docs/servers.md: what `mockchat check` finds on servers of others, and on our own.

Usage: other_page.py [NAME ...]; measures the servers of these names, without any all of them, and
writes the page from what was measured now or before. `own` is our own server under every profile.
"""

import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from other_runs import NotRun, checked, measured
from other_servers import HOMES, OTHERS, PROJECT, SETTINGS
from serving import serving

from mockchat.conformance.marks import span_of
from mockchat.contract.profile import profile_names

PAGE = PROJECT / "docs" / "servers.md"
REVIEWS = SETTINGS.parent / "reviews.json"
OWN = "own"
UNSEEN = "not looked at yet"
_NUMBER = re.compile(r"/\d+")
_EVENTS = ("data:", "event:", ":")
_AROUND, _MARKED = 30, 60

Report = Mapping[str, Any]
"""What `mockchat check --json` writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one server.

    Attributes:
        name: Its name.
        date: The day it was checked, "2026-11-20".
        report: The report; None where it could not be checked.
        reason: Why not.
    """

    name: str
    date: str
    report: Report | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One fault of one server, however often it was met.

    Attributes:
        check: The id of the check.
        place: The pointer, numbers as "*"; "" where the whole answer is meant.
        answers: In how many answers it was found.
        message: What the first one says.
        shown: The bytes of the first one, the wrong part between » and «.
    """

    check: str
    place: str
    answers: int
    message: str
    shown: str

    @property
    def key(self) -> str:
        """The name a review has."""
        return f"{self.check} {self.place}".strip()


def rows(report: Report) -> list[Row]:
    """Return what fails a server, the same fault once."""
    told: dict[tuple[str, str], Row] = {}
    answers: dict[tuple[str, str], set[str]] = {}
    for finding in report["findings"]:
        if not finding["fails"]:
            continue
        place = _NUMBER.sub("/*", finding["pointer"])
        key = finding["check"], place
        answers.setdefault(key, set()).add(finding["probe"])
        if key not in told:
            message = str(finding["message"]).removesuffix(".")
            told[key] = Row(
                check=key[0], place=place, answers=0, message=message, shown=shown(finding)
            )
    return [replace(row, answers=len(answers[key])) for key, row in told.items()]


def shown(finding: Mapping[str, Any]) -> str:
    """Return the bytes that show a finding, shortened, the wrong part between » and «."""
    answer, pointer = finding["answer"], finding["pointer"]
    text = answer["body"]
    is_stream = text.lstrip().startswith(_EVENTS)
    span = span_of(text, pointer, is_stream=is_stream) if pointer and text else None
    if span is None:
        asked = f"{finding['request']['method']} {_cut(finding['request']['body'])}".strip()
        return f"{asked} → {answer['status']} {_cut(text)}".strip()
    start, end = span
    before, after = text[max(0, start - _AROUND) : start], text[end : end + _AROUND]
    return f"{before}»{_cut(text[start:end])}«{after}"


def _cut(text: str) -> str:
    return text if len(text) <= _MARKED else f"{text[: _MARKED - 1]}…"


def cell(text: str) -> str:
    """Return text for a cell of a table, in one line."""
    line = json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"')
    return line.replace("|", "\\|").replace("`", "'")


def blocks(results: Iterable[Result], reviews: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return the tables of the page by the names in its comments."""
    by_name = {result.name: result for result in results}
    others = [by_name[other.name] for other in OTHERS if other.name in by_name]
    reports = {each.name: each.report for each in others if each.report is not None}
    return {
        "servers": table(_SERVERS, map(_server, others)),
        "capabilities": table(("", *reports), _capabilities(reports)),
        "checks": table(("", *reports), _checks(reports)),
        "findings": "\n".join(
            f"### {name}\n\n{_findings(report, reviews.get(name, {}))}"
            for name, report in reports.items()
        ),
        OWN: table(_OWN, map(_own, filter(_is_own, by_name.values()))),
    }


_SERVERS = (
    "server",
    "version",
    "how it was set up",
    "checked",
    "checks",
    "requests",
    "not offered",
)
_OWN = ("`mockchat serve --profile`", "checked", "checks", "requests", "seconds")


def _is_own(result: Result) -> bool:
    return result.name.startswith(f"{OWN} ")


def _server(result: Result) -> tuple[str, ...]:
    other = next(other for other in OTHERS if other.name == result.name)
    head = (f"`{other.package}`", other.version, other.setup, result.date)
    if result.report is None:
        return (*head, f"not checked: {cell(result.reason)}", "", "")
    early = result.report["stopped"]
    requests = f"{result.report['requests']} in {result.report['seconds']:.0f} s"
    return (
        *head,
        _verdicts(result.report),
        f"{requests}; ended early: {cell(early)}" if early else requests,
        ", ".join(result.report["unsupported"]) or "-",
    )


def _own(result: Result) -> tuple[str, ...]:
    head = (f"`{result.name.removeprefix(f'{OWN} ')}`", result.date)
    if result.report is None:
        return (*head, f"not checked: {cell(result.reason)}", "", "")
    requests, seconds = result.report["requests"], f"{result.report['seconds']:.0f}"
    return (*head, _verdicts(result.report), str(requests), seconds)


def _verdicts(report: Report) -> str:
    counted = Counter(told["verdict"] for told in report["checks"].values())
    words = {"passed": "passed", "failed": "failed", "advice": "with notes"}
    return ", ".join(f"{counted[name]} {word}" for name, word in words.items() if counted[name])


def _capabilities(reports: Mapping[str, Report]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each capability: of its probes, how many each server answered rightly."""
    for name in dict.fromkeys(name for each in reports.values() for name in each["capabilities"]):
        yield (name, *(_score(each, name) for each in reports.values()))


def _score(report: Report, name: str) -> str:
    counts = report["capabilities"].get(name)
    if counts is None:
        return "-"
    if name in report["unsupported"]:
        return "not offered"
    return f"{counts['sent'] - counts['failed']}/{counts['sent']}"


def _checks(reports: Mapping[str, Report]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each check that some server fails: in how many answers, of each server."""
    counted = {name: Counter(_failing(report)) for name, report in reports.items()}
    for check in dict.fromkeys(check for each in counted.values() for check in each):
        yield (f"`{check}`", *(str(each[check] or "") for each in counted.values()))


def _failing(report: Report) -> Iterator[str]:
    """Yield the check of each answer that it fails, once an answer."""
    told = {(each["check"], each["probe"]): None for each in report["findings"] if each["fails"]}
    return (check for check, _ in told)


def _findings(report: Report, reviews: Mapping[str, str]) -> str:
    head = ("check", "at", "answers", "what is wrong", "shown by", "looked at by hand")
    return table(
        head,
        (
            (
                f"`{row.check}`",
                f"`{row.place}`" if row.place else "",
                str(row.answers),
                cell(row.message),
                f"`{cell(row.shown)}`",
                reviews.get(row.key, UNSEEN),
            )
            for row in rows(report)
        ),
    )


def table(head: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> str:
    """Return a table in Markdown."""
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ("---",) * len(head), *lines))


def with_blocks(page: str, named: Mapping[str, str]) -> str:
    """Return the page with other text between the comments of each name.

    Raises:
        LookupError: The page has no such comments.
    """
    for name, text in named.items():
        begin, end = f"<!-- measured: {name} -->\n", "<!-- end -->"
        before, found, rest = page.partition(begin)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            raise LookupError(f"{PAGE.name} has no {begin.strip()} with an {end} behind it")
        page = f"{before}{begin}{text}{end}{after}"
    return page


def ours() -> list[str]:
    """Return the names of our own server: under every profile, and on every engine."""
    engines = [f"{OWN} openai --engine {name}" for name in ("asyncio", "werkzeug")]
    return [*(f"{OWN} {name}" for name in profile_names()), *engines]


def measurements(names: Iterable[str]) -> Iterator[Result]:
    """Yield what comes of each server of these names."""
    for name in names:
        today = time.strftime("%Y-%m-%d", time.gmtime())
        try:
            yield Result(name=name, date=today, report=_report(name))
        except NotRun as reason:
            yield Result(name=name, date=today, reason=str(reason))


def _report(name: str) -> Report:
    if name.startswith(f"{OWN} "):
        _, profile, *options = name.split()
        try:
            with serving("--profile", profile, *options) as served:
                return checked(served.base_url, profile=profile)
        except RuntimeError as said:
            raise NotRun(str(said)) from said
    return measured(next(other for other in OTHERS if other.name == name))


def keep(result: Result) -> None:
    """Keep a result for the next writing of the page."""
    HOMES.mkdir(parents=True, exist_ok=True)
    kept = {"date": result.date, "report": result.report, "reason": result.reason}
    (HOMES / f"{result.name}.json").write_text(json.dumps(kept))


def kept(names: Iterable[str]) -> Iterator[Result]:
    """Yield what was kept of these names."""
    for name in names:
        file = HOMES / f"{name}.json"
        if file.is_file():
            yield Result(name=name, **json.loads(file.read_bytes()))


def main(chosen: list[str]) -> int:
    """Measure and write; return the exit status, 2 for a name that is none."""
    every = [*(other.name for other in OTHERS), *ours()]
    unknown = [word for word in chosen if word != OWN and word not in every]
    if unknown:
        sys.stderr.write(f"no server {unknown[0]!r}; there are {', '.join(every)} and {OWN}\n")
        return 2
    names = [name for name in every if not chosen or {name, name.partition(" ")[0]} & {*chosen}]
    for result in measurements(names):
        keep(result)
        told = result.reason if result.report is None else _verdicts(result.report)
        sys.stdout.write(f"{result.name}: {told}\n")
        sys.stdout.flush()
    reviews = json.loads(REVIEWS.read_bytes())
    PAGE.write_text(with_blocks(PAGE.read_text(), blocks(kept(every), reviews)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
