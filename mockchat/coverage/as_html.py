"""Coverage as one HTML page that needs nothing else: no font, no script, no request."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from importlib.resources import files

from mockchat.conformance.markup import Child, Markup, element, joined, verbatim, visible
from mockchat.coverage.as_json import state_of
from mockchat.coverage.as_text import HEADINGS
from mockchat.coverage.items import SIDES, Item, Side
from mockchat.coverage.tally import Counted, Row, Tally

_STATES = {
    "well": ("✓", "went well"),
    "given": ("~", "given"),
    "missing": ("✗", "missing"),
    "excluded": ("-", "left out"),
}


def as_html(items: Mapping[str, Item], counted: Counted, tally: Tally) -> str:
    """Return the page: the counts with a picture of each, then every item with its state."""
    style = files("mockchat.coverage").joinpath("coverage.css").read_text(encoding="utf-8")
    title = f"Coverage of {tally.profile}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(style)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", visible(f"{title} - mockchat")),
        verbatim("style", style),
    )
    told = f"{tally.exchanges} exchanges met this much of the profile {tally.profile}."
    main = element(
        "main",
        element("h1", visible(title)),
        element("p", visible(told), class_="soft"),
        *sections(items, counted, tally),
    )
    return f"<!DOCTYPE html>\n{element('html', head, element('body', main), lang='en')}\n"


def sections(items: Mapping[str, Item], counted: Counted, tally: Tally) -> Iterator[Markup]:
    """Yield a section for each side, and one for what is left out."""
    for side in SIDES:
        rows = [row for row in counted.rows if row.side == side]
        if rows:
            listed = [_listed(row, items, tally) for row in rows]
            heading = element("h2", HEADINGS[side].capitalize())
            yield element("section", heading, _table(rows, counted.totals[side], side), listed)
    if counted.excluded:
        left_out = [_line(item, "excluded", item.excluded) for item in counted.excluded]
        summary = element("summary", f"{len(left_out)} items that nobody can meet")
        details = element("details", summary, element("ul", left_out))
        yield element("section", element("h2", "Left out"), details)


def _policy(style: str) -> str:
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _table(rows: list[Row], total: Row, side: Side) -> Markup:
    names = ("items", "given", "went well", "percent")
    columns = [element("th", name, scope="col") for name in ("capability", *names)]
    picture = element("td", class_="picture")
    return element(
        "table",
        element("thead", element("tr", columns, picture)),
        element("tbody", [_row(row) for row in rows]),
        element("tfoot", _row(total)),
        aria_label=f"Counts of {HEADINGS[side]}",
    )


def _row(row: Row) -> Markup:
    counts = (row.items, row.given, row.well, f"{row.shown} %")
    bar = element(
        "svg",
        element("rect", class_="passed", width=f"{row.percent:.2f}", height=1),
        class_="bar",
        viewBox="0 0 100 1",
        preserveAspectRatio="none",
        aria_hidden="true",
    )
    return element(
        "tr",
        element("th", row.name, scope="row"),
        [element("td", str(count)) for count in counts],
        element("td", bar, class_="picture"),
    )


def _listed(row: Row, items: Mapping[str, Item], tally: Tally) -> Markup:
    """Return the items of a row, to be opened."""
    met = tally.given | tally.well
    own = [item for item in items.values() if (item.side, item.capability) == (row.side, row.name)]
    lines = [
        _line(item, state_of(item.id, tally), item.meaning)
        for item in own
        if not item.excluded or item.id in met
    ]
    missing = len(row.missing)
    told = f"{row.name}: {missing} missing" if missing else f"{row.name}: nothing missing"
    return element("details", element("summary", told), element("ul", lines))


def _line(item: Item, state: str, note: str) -> Markup:
    sign, word = _STATES[state]
    shown = element(
        "span", element("span", sign, aria_hidden="true"), f" {word}", class_=f"state {state}"
    )
    more: Child = joined(" ", element("span", visible(note), class_="soft")) if note else ""
    return element("li", shown, element("code", visible(item.id)), more)
