"""The checks as pages: all of them in Markdown, and one in the terminal."""

from collections.abc import Iterator

from mockchat.conformance.as_markdown import escaped
from mockchat.conformance.checks import CHECKS
from mockchat.conformance.observed import Check


def catalogue() -> str:
    """Return all checks as a page in Markdown."""
    lines = [
        "# Checks",
        "",
        "`mockchat check --list --markdown docs/checks.md` writes this page.",
        "",
        f"{len(CHECKS)} checks. A finding below the level asked for is a note, and so is all that a",
        "check with `advice` finds. A check that came with the minor release that runs is `advisory`:",
        "it is reported and fails nothing until the next one; those of the first release count at",
        "once. `mockchat check --explain ID` prints one of them, `--skip ID` leaves it out.",
        "",
        "| id | what a right server does | level | | since | who breaks | source |",
        "|---|---|---|---|---|---|---|",
    ]
    for check in CHECKS.values():
        victims = "; ".join(check.clients)
        cells = (check.sentence, check.level, _word(check), check.since, victims, check.source)
        lines.append(f"| `{check.id}` | {' | '.join(map(escaped, cells))} |")
    return "\n".join(lines) + "\n"


def _word(check: Check) -> str:
    """Return why a check fails nothing; "" where it does."""
    if check.is_advisory:
        return "advisory"
    return "" if check.severity == "error" else check.severity


def explained(check: Check) -> Iterator[str]:
    """Yield the lines that tell all about one check."""
    yield check.id
    yield f"    {check.sentence}"
    counts = f"counts at level {check.level}"
    fate = {"": counts, "advice": "advice: it fails nothing"}
    yield f"    {fate.get(_word(check), 'advisory: it fails nothing before the next release')}"
    yield f"    since {check.since}"
    yield from (f"    breaks: {client}" for client in check.clients)
    yield f"    source: {check.source}"
    yield f"    this check alone: --only {check.id}; all but it: --skip {check.id}"
