"""A report as one HTML page that needs nothing else: no script, no font, no request."""

from collections.abc import Iterator
from html import escape

from mockchat.conformance.as_text import (
    as_curl,
    excerpt_of,
    group_of,
    grouped,
    rows,
    summary,
)
from mockchat.conformance.observed import Finding
from mockchat.conformance.report import Report, Sending, check_of, fails
from mockchat.contract.wording import shown

_SHOWN = 20_000
"""How much of one body the page holds, in characters."""

_STYLE = """
:root { color-scheme: light dark; --bad: #b3261e; --good: #1b6e2f; --note: #7a5900; --line: #8886;
  --soft: #8881; }
@media (prefers-color-scheme: dark) { :root { --bad: #ff8a80; --good: #7ddc93; --note: #ffcf66; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 75rem; padding: 1rem; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; } th, td { border: 1px solid var(--line); padding: .2rem .5rem;
  text-align: left; } .scroll { overflow-x: auto; } td.cell { text-align: center; }
.failed { color: var(--bad); font-weight: 600; } .ok { color: var(--good); }
.note { color: var(--note); }
details { border: 1px solid var(--line); border-radius: .3rem; margin: .5rem 0; }
summary { cursor: pointer; padding: .5rem; overflow-wrap: anywhere; }
details > div { padding: 0 .75rem .75rem; }
pre { background: var(--soft); overflow-x: auto; padding: .5rem; white-space: pre-wrap;
  overflow-wrap: anywhere; max-height: 24rem; }
mark { background: var(--bad); color: Canvas; padding: 0 .15em; }
"""


def as_html(report: Report, *, target: str) -> str:
    """Return the page.

    Everything a target said stands in it as text.

    Args:
        report: The report.
        target: What was checked, as it is shown.
    """
    title = escape(f"mockchat check {target}")
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title><style>{_STYLE}</style></head><body><main>",
            f"<h1>{title}</h1>",
            f"<p>Profile {escape(report.profile)}, level {escape(report.level)}.</p>",
            f"<p><strong>{escape(summary(report))}</strong></p>",
            *_stopped(report),
            "<h2>Capabilities</h2>",
            *_capabilities(report),
            "<h2>Capabilities and checks</h2>",
            *_matrix(report),
            "<h2>Findings</h2>",
            *_findings(report, target),
            "</main></body></html>",
            "",
        ]
    )


def _stopped(report: Report) -> Iterator[str]:
    if report.stopped is not None:
        yield f'<p class="failed">Ended early: {escape(report.stopped)}</p>'


def _capabilities(report: Report) -> Iterator[str]:
    yield '<div class="scroll"><table><thead><tr><th scope="col">capability</th>'
    yield '<th scope="col">sent</th><th scope="col">failed</th><th scope="col">notes</th>'
    yield '<th scope="col">state</th></tr></thead><tbody>'
    for name, sent, failed, notes, state in rows(report):
        kind = {"FAILED": "failed", "ok": "ok"}.get(state, "note")
        yield f'<tr><th scope="row">{escape(name)}</th><td>{sent}</td><td>{failed}</td>'
        yield f'<td>{notes}</td><td class="{kind}">{state}</td></tr>'
    yield "</tbody></table></div>"


def _matrix(report: Report) -> Iterator[str]:
    """Yield the picture: a row for each check, a column for each capability."""
    columns = [name for name, *_ in rows(report)]
    cells: dict[tuple[str, str], int] = {}
    for sending in report.sendings:
        column = group_of(sending.probe)
        for check_id in sending.applied:
            cells.setdefault((check_id, column), 0)
        for finding in sending.findings:
            if fails(finding):
                cells[finding.check, column] = cells.get((finding.check, column), 0) + 1
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    yield '<div class="scroll" tabindex="0" role="region" aria-label="Capabilities and checks">'
    yield f'<table><thead><tr><th scope="col">check</th>{heads}</tr></thead><tbody>'
    for check_id in report.verdicts():
        told = "".join(_cell(cells.get((check_id, column))) for column in columns)
        yield f'<tr><th scope="row">{escape(check_id)}</th>{told}</tr>'
    yield "</tbody></table></div>"


def _cell(failures: int | None) -> str:
    if failures is None:
        return '<td class="cell"></td>'
    if failures:
        return f'<td class="cell failed">{failures} failed</td>'
    return '<td class="cell ok">ok</td>'


def _findings(report: Report, target: str) -> Iterator[str]:
    found = grouped(report)
    if not found:
        yield "<p>None.</p>"
    for finding, count, sending in found:
        yield from _finding(finding, count, sending, target)


def _finding(finding: Finding, count: int, sending: Sending, target: str) -> Iterator[str]:
    violation, check = finding.violation, check_of(finding)
    kind, word = ("failed", "failed") if fails(finding) else ("note", "note")
    more = f" ({count} times)" if count > 1 else ""
    yield f'<details><summary><span class="{kind}">{word}</span> '
    yield f"<code>{escape(finding.check)}</code>: {escape(violation.message)}{more}</summary><div>"
    yield f"<p>{escape(check.sentence)}</p>"
    where = violation.pointer or "the whole answer"
    yield f"<p>Probe <code>{escape(finding.probe)}</code>, status {sending.answered.status}, at "
    yield f"<code>{escape(where)}</code>.</p>"
    if violation.expected is not None:
        yield f"<p>Wanted <code>{escape(shown(violation.expected))}</code>, found "
        yield f"<code>{escape(shown(violation.actual))}</code>.</p>"
    yield from (f"<p>{escape(client)}.</p>" for client in check.clients)
    if check.source:
        yield f"<p>Source: {escape(check.source)}</p>"
    yield f"<h3>Request</h3><pre>{escape(as_curl(sending.probe.sent, target))}</pre>"
    yield f"<h3>Answer</h3><pre>{_marked(finding, sending)}</pre></div></details>"


def _marked(finding: Finding, sending: Sending) -> str:
    excerpt = excerpt_of(finding, sending, around=_SHOWN // 2)
    if excerpt is None:
        return escape(sending.answered.body[:_SHOWN].decode("utf-8", "replace"))
    before, marked, after = map(escape, excerpt)
    return f"{before}<mark>{marked}</mark>{after}"
