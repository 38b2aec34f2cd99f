"""Judge the coverage data of `make coverage`: run after `coverage combine`, exit status 1 if it is too low.

Branches count, not lines: 95 % of them overall, and every branch and line of the rooms where the
contract and the payloads are made, since what they say is believed everywhere else.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import coverage

WHOLE_ROOMS = ("mockchat/contract/", "mockchat/payloads/")
OVERALL_PERCENT = 95.0


def branch_percent(report: Mapping) -> float:
    """Return the share of branches taken, 100 where there is none."""
    totals = report["totals"]
    if not totals["num_branches"]:
        return 100.0
    return 100.0 * totals["covered_branches"] / totals["num_branches"]


def shortfalls(report: Mapping) -> list[str]:
    """Name what misses the gate in a report of `coverage json`, a line each."""
    found = [
        f"{name}: lines {_listed(data['missing_lines'])}; branches {_listed(data['missing_branches'])}"
        for name, data in sorted(report["files"].items())
        if name.replace("\\", "/").startswith(WHOLE_ROOMS)
        and (data["missing_lines"] or data["missing_branches"])
    ]
    percent = branch_percent(report)
    if percent < OVERALL_PERCENT:
        found.append(f"overall: {percent:.1f} % of branches, wanted {OVERALL_PERCENT:.0f} %")
    return found


def _listed(places: list) -> str:
    """Write lines as `12` and branches as `12->14`."""
    texts = (str(p) if isinstance(p, int) else f"{p[0]}->{p[1]}" for p in places)
    return ", ".join(texts) or "none"


def main() -> int:
    """Print the worst files and the verdict."""
    data = coverage.Coverage()
    data.load()
    with TemporaryDirectory() as folder:
        target = Path(folder) / "coverage.json"
        data.json_report(outfile=str(target))
        report = json.loads(target.read_text())
    missed = [
        (summary["num_branches"] - summary["covered_branches"], name)
        for name, summary in ((n, d["summary"]) for n, d in report["files"].items())
    ]
    for count, name in sorted(missed, reverse=True)[:5]:
        if count:
            print(f"{count:4} branches missed in {name}")
    found = shortfalls(report)
    for line in found:
        print(f"coverage gate: {line}")
    print(
        f"coverage: {branch_percent(report):.1f} % of branches; gate {'FAILED' if found else 'passed'}"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
