"""The coverage gate closes when it should."""

import pytest
from coverage_gate import shortfalls


def report(*, taken, branches, **missing):
    """Make a report as `coverage json` writes it, with `missing` lines per room."""
    return {
        "totals": {"covered_branches": taken, "num_branches": branches},
        "files": {
            f"mockchat/{room}/a.py": {
                "missing_lines": lines,
                "missing_branches": [[1, 2]] if lines else [],
            }
            for room, lines in missing.items()
        },
    }


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (report(taken=95, branches=100, server=[7]), []),
        (report(taken=0, branches=0), []),
        (report(taken=94, branches=100), ["overall: 94.0 % of branches, wanted 95 %"]),
        (
            report(taken=99, branches=100, contract=[3, 4]),
            ["mockchat/contract/a.py: lines 3, 4; branches 1->2"],
        ),
        (
            report(taken=99, branches=100, payloads=[3]),
            ["mockchat/payloads/a.py: lines 3; branches 1->2"],
        ),
    ],
    ids=["server may miss some", "nothing to cover", "overall too low", "contract", "payloads"],
)
def test_the_gate_names_what_is_missing(data, expected):
    """A gate that never closes is an ornament."""
    assert shortfalls(data) == expected
