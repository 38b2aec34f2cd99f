"""Measure `mockchat check` against our own server, as a user runs it: one command for each depth.

CPU seconds are those of the checker, start and report included; the server runs beside it. The
depths take turns, and the median of the rounds is told.

    python benchmarks/bench_check.py [--rounds 3]
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mockchat.server.mock_server import MockServer

DEPTHS = ("quick", "full", "fuzz")


def cpu():
    """Return the CPU seconds of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(url, depth, folder):
    """Run one check; return its requests, its seconds, and its CPU seconds."""
    file = folder / f"{depth}.json"
    command = [sys.executable, "-m", "mockchat", "check", url, "--depth", depth, "--json", file]
    cpu_before, before = cpu(), time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    seconds, used = time.monotonic() - before, cpu() - cpu_before
    return json.loads(file.read_bytes())["requests"], seconds, used


def main():
    """Print one line for each depth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    told = {depth: [] for depth in DEPTHS}
    with (
        tempfile.TemporaryDirectory() as folder,
        MockServer() as server,
        server.script(unmatched="generate", unused="ignore") as script,
    ):
        for _ in range(rounds):
            for depth in DEPTHS:
                told[depth].append(run(script.base_url, depth, Path(folder)))
    print(f"{'depth':<8}{'requests':>10}{'seconds':>10}{'CPU s':>8}{'CPU ms a request':>18}")
    for depth, runs in told.items():
        requests, seconds, used = (statistics.median(column) for column in zip(*runs, strict=True))
        print(
            f"{depth:<8}{requests:>10.0f}{seconds:>10.1f}{used:>8.1f}{used * 1000 / requests:>18.1f}"
        )


if __name__ == "__main__":
    main()
