"""Measure the standalone server beside other mock servers under load, in one run.

Usage: bench_load.py [--rounds 5] [--seconds 1.5] [--servers NAME ...] [--no-slow] [--no-fast]

Rounds are interleaved, so that a busy machine is busy for all; ratios are medians of the ratios
inside each round, to aimock. Read the ratios: CPU per request (of all processes of a server) is the
steadier one. aimock and mockchat keep a journal;
WireMock, Prism and mock-llm do not, and replay one canned body. Takes about ten minutes.
"""

import argparse
import contextlib
import json
import socket
import statistics
import sys
import tempfile
from pathlib import Path

from rivals import MESSAGE, SERVERS, WITHOUT_STREAMS, Rival, missing

BASE = "aimock"
QUESTION = {"model": "gpt-4o-mini", "messages": [MESSAGE]}
JSON_BODY = json.dumps(QUESTION)
STREAM_BODY = json.dumps({**QUESTION, "stream": True})
SLOW = ((500, 0.02), (2_000, 0.02), (10_000, 0.2))
CHUNKS = 50
STARTS = 5


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@contextlib.contextmanager
def running(names, *, pace=0.0):
    """Start servers and stop them at the end."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = {}
        for name in names:
            servers[name] = Rival(name, folder / name, free_port(), pace=pace)
            stack.callback(servers[name].close)
        yield servers


def table(title, heads, rows):
    """Print a table of Markdown, to be pasted into the docs."""
    print(f"\n**{title}**\n\n| {' | '.join(heads)} |\n|---{'|---:' * (len(heads) - 1)}|")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    sys.stdout.flush()


def show(title, rounds):
    """Print the medians of all rounds and their ratios to the one all are compared with."""
    rows = []
    for name in rounds[0]:
        row = [name]
        for key in ("rate", "cpu_us"):
            pairs = [(one[name][key], one[BASE][key]) for one in rounds if BASE in one]
            ratio = statistics.median(a / max(b, 1e-9) for a, b in pairs) if pairs else float("nan")
            row += [f"{statistics.median(one[name][key] for one in rounds):.0f}", f"{ratio:.2f}"]
        row.append(f"{statistics.median(one[name]['p50_ms'] for one in rounds):.2f}")
        rows.append(row)
    heads = ("", "requests/s", f"{BASE} = 1", "CPU µs/request", f"{BASE} = 1", "p50 ms")
    table(title, heads, rows)


def fast(names, options):
    """Measure as many replies as fit."""
    starts = {name: [] for name in names}
    for _ in range(STARTS - 1):
        for name in names:
            with running([name]) as servers:
                starts[name].append(servers[name].first_reply)
    with running(names) as servers:
        for name, server in servers.items():
            starts[name].append(server.first_reply)
        rows = [
            [
                name,
                f"{statistics.median(starts[name]):.2f}",
                f"{statistics.median(starts[name]) / statistics.median(starts[BASE]):.2f}"
                if BASE in starts
                else "",
                f"{server.memory() / 1024:.0f}",
            ]
            for name, server in servers.items()
        ]
        heads = ("", "s to the first reply", f"{BASE} = 1", "MiB idle")
        table("Start", heads, rows)
        for server in servers.values():
            server.load(JSON_BODY, 8, 1.0)
        for connections in (1, 8, 64):
            measure("JSON", servers, JSON_BODY, connections, options)
        streaming = {name: one for name, one in servers.items() if name not in WITHOUT_STREAMS}
        for connections in (1, 16):
            measure(f"{CHUNKS} chunks at once", streaming, STREAM_BODY, connections, options)


def measure(what, servers, body, connections, options):
    rounds = [
        {name: server.load(body, connections, options.seconds) for name, server in servers.items()}
        for _ in range(options.rounds)
    ]
    show(f"{what}, {connections} connection{'' if connections == 1 else 's'}", rounds)


def slow(names):
    """Measure streams with a pause before each chunk, all at once."""
    for streams, pace in SLOW:
        rows = [paced(name, streams, pace) for name in names]
        title = f"{streams:,} streams of {CHUNKS} chunks at {pace * 1000:.0f} ms, all at once"
        heads = ("", "complete", "s", "late p99 ms", "KiB a stream", "CPU µs/chunk")
        table(f"{title} (at best {CHUNKS * pace:.0f} s)", heads, rows)


def paced(name, streams, pace):
    """Return the row of one server."""
    with running([name], pace=pace) as servers:
        server = servers[name]
        server.load(STREAM_BODY, 1, 30, 1)
        idle = server.memory()
        outcome = server.load(STREAM_BODY, streams, 60, 1, pace=pace)
    late = outcome["late_p99_ms"]
    return [
        name,
        f"{outcome['replies']:,}",
        f"{outcome['seconds']:.2f}",
        "" if late is None else f"{late:.0f}",
        f"{(outcome['peak_kib'] - idle) / streams:.0f}",
        f"{outcome['cpu_us'] / CHUNKS:.0f}",
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--servers", nargs="+", default=list(SERVERS), choices=list(SERVERS))
    parser.add_argument("--no-slow", action="store_true")
    parser.add_argument("--no-fast", action="store_true")
    options = parser.parse_args()
    reasons = {name: missing(name) for name in options.servers}
    for name, reason in reasons.items():
        if reason is not None:
            print(f"{name} is left out: {reason}")
    names = [name for name in options.servers if reasons[name] is None]
    if not options.no_fast:
        fast(names, options)
    if not options.no_slow:
        slow([name for name in names if name in {"asyncio", "werkzeug", BASE}])


if __name__ == "__main__":
    main()
