"""The picture of a report: capabilities and checks, told by colour, by shape and in words."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mockchat.conformance.as_text import group_of, rows
from mockchat.conformance.markup import Markup, element, joined, visible
from mockchat.conformance.report import Report, Verdict, fails

_SHAPES: Mapping[str, tuple[str, str]] = {
    "failed": ("✗", "failed"),
    "note": ("!", "note"),
    "passed": ("✓", "passed"),
    "unsupported": ("○", "not offered"),
    "skipped": ("·", "not applicable"),
}
"""The shape of a state, and its word."""

_OF_VERDICT: Mapping[Verdict, str] = {
    Verdict.FAILED: "failed",
    Verdict.ADVICE: "note",
    Verdict.PASSED: "passed",
    Verdict.SKIPPED: "skipped",
}
_TALLIED: Mapping[str, str | None] = {
    "failed": None,
    "note": "with notes",
    "passed": None,
    "skipped": None,
}
_OF_ROW: Mapping[str, str] = {"FAILED": "failed", "unsupported": "unsupported", "ok": "passed"}


@dataclass(slots=True)
class _Cell:
    """What one check, or several, came to on one capability."""

    applied: int = 0
    failed: int = 0
    noted: int = 0

    @property
    def state(self) -> str:
        if self.failed:
            return "failed"
        if self.noted:
            return "note"
        return "passed" if self.applied else "none"


@dataclass(frozen=True, slots=True)
class Matrix:
    """How every check went on every capability.

    Attributes:
        columns: The names of the capabilities.
        verdicts: What each check came to.
        cells: By check and capability.
    """

    columns: tuple[str, ...]
    verdicts: Mapping[str, Verdict]
    cells: dict[tuple[str, str], _Cell] = field(default_factory=dict)

    def row(self, checks: Iterable[str]) -> Iterator[_Cell]:
        """Yield the cells of some checks, added up for each capability."""
        wanted = tuple(checks)
        for column in self.columns:
            found = [self.cells.get((check_id, column), _Cell()) for check_id in wanted]
            yield _Cell(
                sum(each.applied for each in found),
                sum(each.failed for each in found),
                sum(each.noted for each in found),
            )


def matrix_of(report: Report) -> Matrix:
    """Return the matrix of a report."""
    matrix = Matrix(tuple(name for name, *_ in rows(report)), report.verdicts())
    for sending in report.sendings:
        column = group_of(sending.probe)
        for check_id in sending.applied:
            matrix.cells.setdefault((check_id, column), _Cell()).applied += 1
        for finding in sending.findings:
            cell = matrix.cells.setdefault((finding.check, column), _Cell())
            cell.failed += fails(finding)
            cell.noted += not fails(finding)
    return matrix


def state(name: str, word: str | None = None) -> Markup:
    """Return a state as its shape with its word, or with another one."""
    shape, usual = _SHAPES[name]
    told = element("span", shape, aria_hidden="true", class_="shape")
    return element("span", told, " ", word or usual, class_=f"state {name}")


def tally(report: Report) -> Markup:
    """Return how many checks came to what, as a bar and in words."""
    counted = Counter(_OF_VERDICT[verdict] for verdict in report.verdicts().values())
    order = {name: word for name, word in _TALLIED.items() if counted[name]}
    bars, at = [], 0
    for name in order:
        bars.append(element("rect", x=at, y=0, width=counted[name], height=1, class_=name))
        at += counted[name]
    bar = element(
        "svg",
        bars,
        viewBox=f"0 0 {max(at, 1)} 1",
        preserveAspectRatio="none",
        class_="bar",
        aria_hidden="true",
    )
    items = [
        element("li", element("b", str(counted[name])), " ", state(name, word))
        for name, word in order.items()
    ]
    return joined(bar, element("ul", items, class_="tally"))


def capabilities(report: Report) -> Markup:
    """Return a card for each capability."""
    cards = []
    for name, sent, failed, notes, told in rows(report):
        word = _OF_ROW[told]
        counts = [f"{sent} sent", *([f"{failed} failed"] if failed else [])]
        counts += [f"{notes} note{'s' if notes > 1 else ''}"] if notes else []
        heading = element("span", visible(name), class_="name")
        detail = element("span", visible(", ".join(counts)), class_="soft")
        cards.append(element("li", heading, state(word), detail, class_=f"card {word}"))
    return element("ul", cards, class_="cards")


def picture(matrix: Matrix, links: Mapping[str, str]) -> Markup:
    """Return the matrix: families of checks, and under each the checks of it.

    Rows of checks that found nothing are shown on demand; a style sheet alone does that.

    Args:
        matrix: The matrix.
        links: The fragment that explains the first finding of a check, by the check's id.
    """
    heads = [
        element("th", element("span", visible(name)), scope="col", role="columnheader")
        for name in matrix.columns
    ]
    corner = element("th", "check", scope="col", role="columnheader", class_="corner")
    families: dict[str, list[str]] = {}
    for check_id in matrix.verdicts:
        families.setdefault(check_id.partition(".")[0], []).append(check_id)
    bodies = [_family(name, checks, matrix, links) for name, checks in families.items()]
    head = element("thead", element("tr", corner, heads, role="row"), role="rowgroup")
    caption = element("caption", "How each check went on each capability", class_="unseen")
    return element("table", caption, head, bodies, class_="matrix", role="table")


def _family(name: str, checks: Sequence[str], matrix: Matrix, links: Mapping[str, str]) -> Markup:
    """Return the row of a family, and below it one for each of its checks."""
    count = element("span", f"{len(checks)} check{'s' if len(checks) > 1 else ''}", class_="soft")
    head = element("th", name, " ", count, scope="row", role="rowheader")
    lines = [element("tr", head, map(_told, matrix.row(checks)), role="row", class_="family")]
    for check_id in checks:
        kind = _OF_VERDICT[matrix.verdicts[check_id]]
        link = links.get(check_id)
        told = element("a", check_id, href=f"#{link}") if link else check_id
        head = element("th", told, scope="row", role="rowheader")
        is_quiet = kind in {"passed", "skipped"}
        cells = map(_told, matrix.row([check_id]))
        lines.append(element("tr", head, cells, role="row", class_="quiet" if is_quiet else None))
    return element("tbody", lines, role="rowgroup")


def _told(cell: _Cell) -> Markup:
    """Return one cell."""
    if cell.state == "none":
        return element("td", role="cell")
    shape, word = _SHAPES[cell.state]
    count = element("b", str(cell.failed)) if cell.failed > 1 else ""
    said = element("span", word, class_="unseen")
    shown = element("span", shape, aria_hidden="true")
    return element("td", shown, count, said, role="cell", class_=cell.state)
