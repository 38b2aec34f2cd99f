"""Measure the standalone server beside other mock servers under load, in one run.

Usage: bench_load.py [--rounds 5] [--seconds 1.5] [--servers NAME ...] [--no-slow]

Rounds are interleaved, so that a busy machine is busy for all; ratios are medians of the ratios
inside each round, to aimock. Read the ratios: CPU per request (of all processes of a server) is the
steadier one. aimock and mockchat keep a journal; WireMock and Prism replay one canned body.
"""

import argparse
import contextlib
import json
import socket
import statistics
import tempfile
from pathlib import Path

from rivals import MESSAGE, SERVERS, WITHOUT_STREAMS, Rival, missing

BASE = "aimock"
QUESTION = {"model": "gpt-4o-mini", "messages": [MESSAGE]}
JSON_BODY = json.dumps(QUESTION)
STREAM_BODY = json.dumps({**QUESTION, "stream": True})
SLOW = ((500, 0.02), (2_000, 0.02), (10_000, 0.2))
CHUNKS = 50


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


def show(title, rounds):
    """Print the medians of all rounds and their ratios to the one all are compared with."""
    names = list(rounds[0])
    print(f"\n{title}")
    print(f"{'':18} {'requests/s':>10} {'ratio':>6} {'CPU µs':>8} {'ratio':>6} {'p50 ms':>8}")
    for name in names:
        cells = [f"{name:18}"]
        for key, width in (("rate", 10), ("cpu_us", 8)):
            value = statistics.median(one[name][key] for one in rounds)
            pairs = [(one[name][key], one[BASE][key]) for one in rounds if BASE in one]
            ratio = statistics.median(a / max(b, 1e-9) for a, b in pairs) if pairs else float("nan")
            cells += [f"{value:{width}.0f}", f"{ratio:6.2f}"]
        p50 = statistics.median(one[name]["p50_ms"] for one in rounds)
        print(" ".join([*cells, f"{p50:8.2f}"]), flush=True)


def fast(names, options):
    """Measure as many replies as fit."""
    with running(names) as servers:
        print(f"\n{'':18} {'start s':>8} {'idle MiB':>9}")
        for name, server in servers.items():
            print(f"{name:18} {server.first_reply:8.2f} {server.memory() / 1024:9.0f}", flush=True)
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
    show(f"{what}, {connections} connection(s)", rounds)


def slow(names):
    """Measure streams with a pause before each chunk, all at once."""
    for streams, pace in SLOW:
        ideal = CHUNKS * pace
        print(
            f"\n{streams} streams of {CHUNKS} chunks at {pace * 1000:.0f} ms; ideal {ideal:.1f} s"
        )
        print(
            f"{'':18} {'complete':>9} {'wall s':>7} {'late p99 ms':>12} {'KiB/stream':>11} "
            f"{'CPU µs/chunk':>13}"
        )
        for name in names:
            with running([name], pace=pace) as servers:
                server = servers[name]
                server.load(STREAM_BODY, 1, 30, 1)
                idle = server.memory()
                outcome = server.load(STREAM_BODY, streams, 60, 1, pace=pace)
                weight = (outcome["peak_kib"] - idle) / streams
                late = outcome["late_p99_ms"]
                per_chunk = outcome["cpu_us"] / CHUNKS
                print(
                    f"{name:18} {outcome['replies']:9} {outcome['seconds']:7.2f}"
                    f" {late if late is not None else float('nan'):12.1f} {weight:11.1f}"
                    f" {per_chunk:13.1f}",
                    flush=True,
                )


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
