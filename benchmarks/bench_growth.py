"""Measure what a reply costs by what there is: messages, tools, stubs, exchanges in the journal.

Usage: bench_growth.py [--rounds 5] [--quick] [--svg docs/growth.svg]

The CPU time of `mockchat serve --engine asyncio` for requests it has not met before; medians of the
rounds. The exit status is 1 where something grows faster than what there is.
"""

import argparse
import asyncio
import json
import math
import statistics
import sys
import tempfile
from pathlib import Path

import growth_plot
from soak import serving
from soak_client import Connection
from soak_requests import http

PROJECT = Path(__file__).parents[1]
AT_ONCE = 30
HARDEST = 1.2
"""The steepest growth that counts as linear: cost as a power of the number, in the last decade."""
FLAT = 1.5
OPTIONS = ["--engine", "asyncio", "--limit", "journal-size=4294967296"]


def cpu(process):
    """Return the milliseconds of CPU that a process has used, in all threads that live."""
    folder = Path(f"/proc/{process}/task")
    return sum(int((task / "schedstat").read_text().split()[0]) for task in folder.iterdir()) / 1e6


class Server:
    """A server and one connection to it."""

    def __init__(self, process, address):
        self._process = process
        self._address = address
        self._asked = 0

    def cost(self, body, rounds):
        """Return the milliseconds that a reply to such a request takes; no two are the same."""
        return self._measured(lambda: self._chat(body), rounds)

    def cost_of_reading(self, count, rounds):
        """Return the milliseconds that it takes to read so many of the newest exchanges."""

        def read():
            path = f"/_mockchat/journal?after={self._asked - 1 - count}"
            return http("GET", path).replace(b"host: soak", b"host: 127.0.0.1") % {b"number": 0}

        return self._measured(read, rounds)

    def fill(self, count):
        """Ask until there are so many exchanges in the journal."""
        body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "fill"}]}
        asyncio.run(self._ask([self._chat(body, is_new=False) for _ in range(count - self._asked)]))

    def _chat(self, body, *, is_new=True):
        self._asked += 1
        more = {"user": f"user-{self._asked}"} if is_new else {}
        data = http("POST", "/v1/chat/completions", json.dumps(body | more).encode())
        return data % {b"number": self._asked}

    def _measured(self, make, rounds):
        asyncio.run(self._ask([make() for _ in range(AT_ONCE)]))
        costs = []
        for _ in range(rounds):
            asked = [make() for _ in range(AT_ONCE)]
            before = cpu(self._process.pid)
            asyncio.run(self._ask(asked))
            costs.append((cpu(self._process.pid) - before) / AT_ONCE)
        return statistics.median(costs)

    async def _ask(self, asked):
        connection = Connection(self._address)
        for begin in range(0, len(asked), AT_ONCE):
            for seen in await connection.pipeline(asked[begin : begin + AT_ONCE]):
                if seen.status != 200 or not seen.is_whole:
                    raise SystemExit(f"not answered: {seen.status} {seen.body[:500]!r}")
        connection.close()


def question(text="hello", messages=1, tools=0):
    """Return the body of a request."""
    turns = [
        {"role": ("user", "assistant")[n % 2], "content": f"turn {n}"} for n in range(messages)
    ]
    body = {"model": "gpt-4o-mini", "messages": [*turns[1:], {"role": "user", "content": text}]}
    if tools:
        body["tools"] = [{"type": "function", "function": tool(number)} for number in range(tools)]
    return body


def tool(number):
    """Return a tool of the usual size."""
    place = {"type": "string", "description": "Where."}
    unit = {"type": "string", "enum": ["celsius", "fahrenheit"]}
    parameters = {
        "type": "object",
        "properties": {"place": place, "unit": unit},
        "required": ["place"],
    }
    return {"name": f"tool_{number}", "description": "Look something up.", "parameters": parameters}


def stubs(count, wanted):
    """Return a scenario of so many stubs that each want another text."""
    return {
        "unmatched": "generate",
        "stubs": [
            {"when": {"last_text": wanted(f"question {n};")}, "reply": "yes", "forever": True}
            for n in range(count)
        ],
    }


def started(answers, *options):
    """Start a server with a scenario; a context manager."""
    folder = tempfile.TemporaryDirectory()

    class Started:
        def __enter__(self):
            self.running = serving(Path(folder.name), answers, *OPTIONS, *options)
            process, address, _ = self.running.__enter__()
            return Server(process, address)

        def __exit__(self, *told):
            self.running.__exit__(*told)
            folder.cleanup()

    return Started()


def by_request(rounds, most):
    """Return cost by messages and by tools."""
    scripted = {"stubs": [{"reply": "yes", "forever": True}]}
    with started(scripted) as server:
        messages = [n for n in (1, 3, 10, 30, 100, 300, 1000) if n <= most]
        tools = [n for n in (0, 1, 3, 10, 30, 64, 128) if n <= most]
        return (
            {"scripted reply": [(n, server.cost(question(messages=n), rounds)) for n in messages]},
            {"scripted reply": [(n, server.cost(question(tools=n), rounds)) for n in tools]},
        )


def by_stubs(rounds, most):
    """Return cost by stubs, the last of which answers, or none."""
    lines = {"exact text": [], "fragment": [], "none matches": []}
    for count in (n for n in (1, 10, 100, 1000, 10_000) if n <= most):
        last = question(f"question {count - 1};")
        with started(stubs(count, str)) as server:
            lines["exact text"].append((count, server.cost(last, rounds)))
            lines["none matches"].append((count, server.cost(question(), rounds)))
        with started(stubs(count, lambda text: {"contains": text})) as server:
            lines["fragment"].append((count, server.cost(last, rounds)))
    return lines


def by_journal(rounds, most):
    """Return cost by exchanges in the journal: of a reply, and of reading its newest ten."""
    lines = {"scripted reply": [], "ten newest read": []}
    scripted = {"stubs": [{"reply": "yes", "forever": True}]}
    with started(scripted, "--limit", "journal-exchanges=200000") as server:
        for count in (n for n in (0, 10, 100, 1000, 10_000, 100_000) if n <= most):
            server.fill(count)
            lines["scripted reply"].append((count, server.cost(question(), rounds)))
            lines["ten newest read"].append((count, server.cost_of_reading(10, rounds)))
    return lines


def judged(line):
    """Return in words how a line grows."""
    (first, least), (before, other), (last, most) = line[0], line[-2], line[-1]
    if most <= FLAT * least:
        return "flat"
    each = (most - least) / (last - first) * 1000
    power = math.log(most / other) / math.log(last / max(before, 1))
    return ("linear" if power <= HARDEST else "WORSE THAN LINEAR") + f", {each:.3g} µs each"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="no more than a hundred of each")
    parser.add_argument("--svg", type=Path, default=PROJECT / "docs/growth.svg")
    options = parser.parse_args()
    most = 100 if options.quick else 100_000
    messages, tools = by_request(options.rounds, most)
    panels = [
        ("Messages in the request", "messages", messages),
        ("Tools in the request", "tools", tools),
        ("Stubs in the script", "stubs", by_stubs(options.rounds, most)),
        ("Exchanges in the journal", "exchanges", by_journal(options.rounds, most)),
    ]
    verdicts = []
    print("| by | what | from | ms | to | ms | growth |\n|---|---|---|---|---|---|---|")
    for title, _, lines in panels:
        for name, line in lines.items():
            verdicts.append(judged(line))
            (first, least), (last, most) = line[0], line[-1]
            print(
                f"| {title} | {name} | {first:,} | {least:.2f} | {last:,} | {most:.2f} | {verdicts[-1]} |"
            )
    options.svg.write_text(growth_plot.drawn(panels))
    return 1 if any(verdict.startswith("WORSE") for verdict in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
