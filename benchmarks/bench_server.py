"""Measure requests per second and CPU per request beside a bare Werkzeug app, in one run.

Usage: bench_server.py [--rounds 5] [--seconds 1.0] [--connections 1 8]

Rounds are interleaved, so that a busy machine is busy for all; ratios are medians of the ratios
inside each round. Read the ratios, not the absolute numbers; CPU per request is the steadier one.
A bare Werkzeug app closes the connection after every reply, as its server does.
"""

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
QUESTION = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello!"}]}
JSON_BODY = json.dumps(QUESTION)
STREAM_BODY = json.dumps({**QUESTION, "stream": True})

# name, what it is compared with, request body
TARGETS = (
    ("bare JSON", "bare JSON", JSON_BODY),
    ("scripted JSON", "bare JSON", JSON_BODY),
    ("generated JSON", "bare JSON", JSON_BODY),
    ("bare stream", "bare stream", STREAM_BODY),
    ("scripted stream", "bare stream", STREAM_BODY),
)


class Target:
    """A server in a process of its own, which tells its CPU time on request."""

    def __init__(self, name):
        command = [sys.executable, str(HERE / "targets.py"), name]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.host, self.port, self.path = self.process.stdout.readline().split()

    def cpu(self):
        """Return the CPU seconds the server has used."""
        self.process.stdin.write("cpu\n")
        return float(self.process.stdout.readline())

    def measure(self, body, seconds, connections):
        """Load it for `seconds` and return requests/s, CPU µs/request, median ms, connects."""
        before = self.cpu()
        arguments = (self.host, self.port, self.path, body, seconds, connections)
        run = subprocess.run(
            [sys.executable, str(HERE / "load.py"), *map(str, arguments)],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        outcome = json.loads(run.stdout)
        replies = outcome["replies"]
        return {
            "rate": replies / outcome["seconds"],
            "cpu": (self.cpu() - before) / replies * 1e6,
            "p50": outcome["p50_ms"],
            "reused": 1 - outcome["connects"] / replies,
        }

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


def show(connections, rounds):
    """Print the table of one number of connections."""
    print(f"\n{connections} connection(s)")
    print(
        f"{'':17} {'requests/s':>10} {'ratio':>6} {'CPU µs':>7} {'ratio':>6} {'p50 ms':>7} {'kept':>5}"
    )
    for name, reference, _ in TARGETS:
        mine = [outcome[name] for outcome in rounds]
        pairs = [(outcome[name], outcome[reference]) for outcome in rounds]

        def median(key, mine=mine):
            return statistics.median(outcome[key] for outcome in mine)

        def ratio(key, pairs=pairs):
            return statistics.median(a[key] / b[key] for a, b in pairs)

        print(
            f"{name:17} {median('rate'):10.0f} {ratio('rate'):6.2f} {median('cpu'):7.0f}"
            f" {ratio('cpu'):6.2f} {median('p50'):7.2f} {median('reused'):5.0%}"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 8])
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        targets = {name: Target(name) for name, _, _ in TARGETS}
        for target in targets.values():
            stack.callback(target.close)
        for name, _, body in TARGETS:
            targets[name].measure(body, 0.3, 1)
        for connections in options.connections:
            rounds = [
                {
                    name: targets[name].measure(body, options.seconds, connections)
                    for name, _, body in TARGETS
                }
                for _ in range(options.rounds)
            ]
            show(connections, rounds)


if __name__ == "__main__":
    main()
