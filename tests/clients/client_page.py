"""The tables of docs/clients.md: measured, written by `make clients`, read back by the tests."""

import re
import sys
from collections.abc import Callable, Iterable, Mapping

from client_cases import CASES, Case
from client_runs import CLIENTS, PROJECT, READERS, measure

from mockchat import stream_faults

PAGE = PROJECT / "docs" / "clients.md"

Cells = Mapping[tuple[str, str], Mapping[str, str]]
"""What came of each case, by its name and the reader, then by the client."""

_SURVIVABLE = {f"`{fault}`" for fault in stream_faults() if fault.is_survivable}
_NAMES = [client.name for client in CLIENTS]
_NEVER = "-"


def blocks(cells: Cells) -> dict[str, str]:
    """Return the tables of the page by the names in its comments."""
    faults = [case for case in CASES if case.group == "fault"]
    damaged = [case for case in faults if case.name not in _SURVIVABLE]
    lawful = [case for case in faults if case.name in _SURVIVABLE]
    return {
        "silent": _findings(damaged, cells, lambda said: not said.startswith("raises")),
        "misread": _findings(lawful, cells, lambda said: said != "whole"),
        **{reader: _table(reader, cells) for reader in READERS},
    }


def _table(reader: str, cells: Cells) -> str:
    rows = [
        (case.name, *(cells[case.name, reader][name] for name in _NAMES))
        for case in CASES
        if reader in case.readers
    ]
    return _lines(("sent", *_NAMES), rows)


def _findings(cases: Iterable[Case], cells: Cells, is_found: Callable[[str], bool]) -> str:
    """Return a row for each case that a reader of a client has such an outcome of."""
    rows = []
    for case in cases:
        columns = [_found(cells.get((case.name, reader), {}), is_found) for reader in READERS]
        if any(column != _NEVER for column in columns):
            rows.append((case.name, *columns))
    return _lines(("sent", *READERS.values()), rows)


def _found(said: Mapping[str, str], is_found: Callable[[str], bool]) -> str:
    by_words: dict[str, list[str]] = {}
    for name, words in said.items():
        if is_found(words):
            by_words.setdefault(words.removeprefix("wrong: "), []).append(name)
    return "; ".join(f"{words} ({_listed(names)})" for words, names in by_words.items()) or _NEVER


def _listed(names: list[str]) -> str:
    return "all" if names == _NAMES else ", ".join(names)


def _lines(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    table = (head, ("---",) * len(head), *rows)
    return "".join(f"| {' | '.join(row)} |\n" for row in table)


def with_blocks(page: str, named: Mapping[str, str]) -> str:
    """Return the page with other text between the comments of each name."""
    for name, text in named.items():
        begin, end = f"<!-- measured: {name} -->\n", "<!-- end -->"
        before, found, rest = page.partition(begin)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            raise LookupError(f"{PAGE.name} has no {begin.strip()} with an {end} behind it")
        page = f"{before}{begin}{text}{end}{after}"
    return page


def read(page: str) -> Cells:
    """Return what the tables of the readers say."""
    cells: dict[tuple[str, str], dict[str, str]] = {}
    for reader in READERS:
        text = page.partition(f"<!-- measured: {reader} -->\n")[2].partition("<!-- end -->")[0]
        head, _, *rows = (_split(line) for line in text.splitlines())
        cells |= {(name, reader): dict(zip(head[1:], said, strict=True)) for name, *said in rows}
    return cells


def _split(line: str) -> list[str]:
    return re.split(r" \| ", line.removeprefix("| ").removesuffix(" |"))


def main() -> int:
    """Measure every client and write the page; say what is missing where one is not installed."""
    missing = [client.missing for client in CLIENTS if client.missing]
    if missing:
        sys.stderr.write("".join(f"{reason}\n" for reason in missing))
        return 1
    cells: dict[tuple[str, str], dict[str, str]] = {}
    versions = []
    for client in CLIENTS:
        measured = measure(client, CASES)
        versions.append(measured.version)
        sys.stdout.write(f"{measured.version}: {len(measured.cells)} rows\n")
        for key, words in measured.cells.items():
            cells.setdefault(key, {})[client.name] = words
    named = {"versions": f"{', '.join(versions)}.\n", **blocks(cells)}
    PAGE.write_text(with_blocks(PAGE.read_text(), named))
    return 0


if __name__ == "__main__":
    sys.exit(main())
