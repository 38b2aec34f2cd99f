"""A report as Markdown, in which what a target said is text."""

import re
from collections.abc import Iterator

from mockchat.conformance.as_curl import as_curl
from mockchat.conformance.as_test import told_again
from mockchat.conformance.as_text import excerpt_of, grouped, remarks, rows, summary
from mockchat.conformance.mending import how_to_mend
from mockchat.conformance.observed import Finding
from mockchat.conformance.report import Report, Sending, check_of, fails
from mockchat.contract.wording import shown

_AROUND = 200
_BACKTICKS = re.compile("`+")
_PROSE = re.compile("(`[^`]*`)")


def as_markdown(report: Report, *, target: str) -> str:
    """Return a report as Markdown.

    Args:
        report: The report.
        target: What was checked, as it is shown.
    """
    lines = [f"# {escaped(target)}", "", f"Profile {report.profile}, level {report.level}.", ""]
    lines += [f"**{escaped(summary(report))}**", ""]
    for remark in remarks(report):
        lines += [f"{_sentence(remark)}", ""]
    lines += ["| capability | sent | failed | notes | |", "|---|---:|---:|---:|---|"]
    lines += [
        f"| {escaped(name)} | {sent} | {failed} | {notes} | {state} |"
        for name, sent, failed, notes, state in rows(report)
    ]
    found = grouped(report)
    failures = [each for each in found if fails(each[0])]
    notes = [each for each in found if not fails(each[0])]
    lines += ["", "## Findings", ""] if failures else []
    for each in failures:
        lines += _finding(report, *each, target=target)
    lines += ["", "## Notes", ""] if notes else []
    lines += [
        f"- `{finding.check}`: {_sentence(finding.violation.message)}{_often(count)}"
        for finding, count, _ in notes
    ]
    return "\n".join(lines).rstrip() + "\n"


def _finding(
    report: Report, finding: Finding, count: int, sending: Sending, *, target: str
) -> Iterator[str]:
    violation, check = finding.violation, check_of(finding)
    yield from (f"### {finding.check}", "", f"{_sentence(violation.message)}{_often(count)}", "")
    yield f"- To mend it: {_prose(how_to_mend(finding))}"
    status = "no whole answer" if (code := sending.answered.status) is None else f"status {code}"
    where = _code(violation.pointer) if violation.pointer else "the whole answer"
    yield f"- Where: {where}, {status}, probe {_code(finding.probe)}"
    if violation.expected is not None:
        yield f"- Wanted {_code(shown(violation.expected))}, found {_code(shown(violation.actual))}"
    yield from (f"- Who breaks: {_prose(client)}" for client in check.clients)
    if check.source:
        yield f"- How we know: {_prose(check.source)}"
    yield f"- To leave it out: `--skip {check.id}`"
    yield ""
    excerpt = excerpt_of(finding, sending, around=_AROUND)
    if excerpt is not None:
        before, marked, after = excerpt
        yield from _fenced("text", f"… {before}»{marked}«{after} …")
    yield from _fenced("sh", as_curl(sending.probe.sent, target))
    again = told_again(report, finding, sending, target=target)
    if again is not None:
        yield from (escaped(again.told), "")
        yield from _fenced("python", again.test.rstrip())


def _sentence(text: str) -> str:
    return f"{escaped(text[:1].upper() + text[1:].removesuffix('.'))}."


def _often(count: int) -> str:
    return f" ({count} times)" if count > 1 else ""


def _fenced(language: str, text: str) -> Iterator[str]:
    """Yield a block that nothing in it can end."""
    longest = max([len(found[0]) for found in _BACKTICKS.finditer(text)], default=0)
    fence = "`" * max(3, longest + 1)
    printed = "".join(each if each.isprintable() or each in "\n\t" else "\ufffd" for each in text)
    yield from (f"{fence}{language}", printed, fence, "")


def _code(text: str) -> str:
    """Return a text as code in a line."""
    longest = max([len(found[0]) for found in _BACKTICKS.finditer(text)], default=0)
    fence = "`" * (longest + 1)
    space = " " if longest else ""
    return f"{fence}{space}{' '.join(text.split())}{space}{fence}"


def _prose(text: str) -> str:
    """Return a sentence of ours, which names code between backticks."""
    parts = _PROSE.split(text)
    return "".join(part if part.startswith("`") else _plain(part) for part in parts)


def escaped(text: str) -> str:
    """Return a text in one line, of which Markdown makes nothing but text."""
    return _plain(" ".join(text.split()))


def _plain(text: str) -> str:
    """Return a text without markup: no link, no element, nobody called by name."""
    for character in "\\`*_<|[":
        text = text.replace(character, f"\\{character}")
    return text.replace("@", "@<!-- -->")
