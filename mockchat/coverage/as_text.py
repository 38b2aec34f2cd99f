"""Coverage as a table for the terminal."""

from collections.abc import Iterator

from mockchat.coverage.items import SIDES, Side
from mockchat.coverage.tally import Counted, Row, Tally

HEADINGS: dict[Side, str] = {
    "reply": "what clients were given",
    "request": "what clients sent",
}
"""What each side is called."""

WIDEST = 120
"""How wide a line of the table is, where nobody says, in characters."""

_NAME = 20


def as_text(
    counted: Counted, tally: Tally, *, is_full: bool = False, width: int = WIDEST
) -> Iterator[str]:
    """Yield the lines of the table.

    Args:
        counted: The counts.
        tally: What they are made of.
        is_full: Whether every missing item is named, or only as many as fit.
        width: How wide a line may be, in characters.
    """
    for side in SIDES:
        rows = [row for row in counted.rows if row.side == side]
        if not rows:
            continue
        yield f"{HEADINGS[side]:<{_NAME + 6}} items given  well     %  missing"
        for row in rows:
            yield from _lines(row, is_full=is_full, width=width)
        yield f"{_counts(counted.totals[side])}".rstrip()
        yield ""
    yield from _notes(counted, tally)


def _lines(row: Row, *, is_full: bool, width: int) -> Iterator[str]:
    line = f"{_counts(row)}  "
    if is_full:
        yield line.rstrip()
        yield from (f"      {item}" for item in row.missing)
    else:
        yield f"{line}{_abbreviated(row.missing, width - len(line))}".rstrip()


def _counts(row: Row) -> str:
    return f"  {row.name:<{_NAME + 4}} {row.items:>5} {row.given:>5} {row.well:>5} {row.shown:>4}%"


def _abbreviated(missing: tuple[str, ...], width: int) -> str:
    """Return as many of the missing items as fit, and how many more there are."""
    shown: list[str] = []
    for item in missing:
        short = item.partition("/")[2]
        left = len(missing) - len(shown) - 1
        more = f", and {left} more" if left else ""
        if len(", ".join([*shown, short])) + len(more) > width:
            break
        shown.append(short)
    left = len(missing) - len(shown)
    if not shown:
        return f"{left} missing" if left else ""
    return ", ".join(shown) + (f", and {left} more" if left else "")


def _notes(counted: Counted, tally: Tally) -> Iterator[str]:
    exchanges = f"{tally.exchanges} exchange{'' if tally.exchanges == 1 else 's'}"
    yield f"profile {tally.profile}, {exchanges}, {len(counted.excluded)} items nobody can meet left out"
    if tally.others:
        yield f"{tally.others} of other profiles left out"
    if counted.unknown:
        yield f"{len(counted.unknown)} marks of another version of the profile left out"
