"""What a server's process holds on to: samples of it, and whether they say that it leaks."""

import os
import statistics
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

KIB_PER_1000 = 32
"""The memory bound: KiB that each thousand requests may leave behind after the warm-up."""
SLACK_KIB = 16 * 1024
"""What memory goes up and down between two rests, whatever was asked: no leak is told below it."""
MORE_FILES = 2
MORE_THREADS = 4


@dataclass(frozen=True, slots=True)
class Rest:
    """A server between two rounds, when nobody is connected."""

    requests: int
    kib: int
    files: int
    threads: int


def sample(process, requests=0):
    """Return what a process holds now."""
    folder = Path(f"/proc/{process}")
    fields = dict(
        line.split(":", 1) for line in (folder / "status").read_text().splitlines() if ":" in line
    )
    return Rest(
        requests=requests,
        kib=int(fields["VmRSS"].split()[0]),
        files=len(list((folder / "fd").iterdir())),
        threads=int(fields["Threads"]),
    )


def cpu(process):
    """Return the CPU seconds that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def slope(rests):
    """Return the KiB that a thousand requests leave behind: the median over all pairs of rests."""
    slopes = [
        (later.kib - earlier.kib) * 1000 / (later.requests - earlier.requests)
        for earlier, later in combinations(rests, 2)
        if later.requests > earlier.requests
    ]
    return statistics.median(slopes) if slopes else 0.0


def warm(rests, least=0):
    """Return the rests after the warm-up: a third of them, and what fills journal and memories."""
    return [one for one in rests[len(rests) // 3 :] if one.requests >= least]


def problems(rests, least=0):
    """Return what leaks, in sentences; nothing where fewer than three rests came after warming up."""
    after = warm(rests, least)
    if len(after) < 3:
        return []
    first, last = after[0], after[-1]
    found = []
    grown = slope(after) * (last.requests - first.requests) / 1000
    if grown > SLACK_KIB and slope(after) > KIB_PER_1000:
        found.append(
            f"memory grows by {slope(after):.1f} KiB with each thousand requests "
            f"({first.kib} to {last.kib} KiB at rest); the bound is {KIB_PER_1000} KiB"
        )
    for what, more in (("files", MORE_FILES), ("threads", MORE_THREADS)):
        before, now = getattr(first, what), min(getattr(one, what) for one in after[-2:])
        if now > before + more:
            found.append(f"open {what} at rest grow from {before} to {now}")
    return found
