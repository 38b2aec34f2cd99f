"""A load client on one event loop: keeps connections open, reads replies whole, watches the clock.

Usage: load_many.py HOST PORT PATH BODY CONNECTIONS SECONDS [COUNT]; prints a JSON object: replies,
their seconds, median latency, chunks, and of chunks that should come every `pace` seconds how late
they were. With COUNT each connection sends so many requests instead of as many as fit in SECONDS,
and SECONDS is the most that is waited. PACE in the environment is the seconds between two chunks.
"""

import asyncio
import json
import os
import resource
import statistics
import sys
import time

PACE = float(os.environ.get("PACE", "0"))


class Client(asyncio.Protocol):
    """One connection that asks again as soon as it has its answer."""

    def __init__(self, request, until, count, done):
        self.request = request
        self.until = until
        self.left = count
        self.done = done
        self.seen = b""
        self.latencies = []
        self.late = []
        self.failures = 0

    def connection_made(self, transport):
        self.transport = transport
        self.ask()

    def ask(self):
        self.seen, self.length, self.first = b"", None, None
        self.started = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data):
        if self.length is None:
            self.seen += data
            end = self.seen.find(b"\r\n\r\n")
            if end < 0:
                return
            head, data = self.seen[:end].lower(), self.seen[end + 4 :]
            if b" 200 " not in head.partition(b"\r\n")[0]:
                raise SystemExit(f"{head!r} {data[:500]!r}")
            sized = head.partition(b"content-length: ")[2]
            self.length = int(sized.partition(b"\r\n")[0]) if sized else -1
            self.count = 0
        if self.length >= 0:
            self.count += len(data)
            if self.count >= self.length:
                self.answered()
            return
        if PACE:
            self.clock(data)
        if data.endswith(b"0\r\n\r\n"):
            self.answered()

    def clock(self, data):
        now = time.perf_counter()
        if self.first is None:
            self.first = now
        for _ in range(data.count(b"data: ")):
            self.late.append(now - self.first - self.count * PACE)
            self.count += 1

    def answered(self):
        self.latencies.append(time.perf_counter() - self.started)
        self.left -= 1
        if self.left and time.perf_counter() < self.until:
            self.ask()
        else:
            self.finish()

    def finish(self):
        if not self.done.done():
            self.done.set_result(None)
        self.transport.close()

    def connection_lost(self, _):
        if not self.done.done():
            self.failures = 1
            self.done.set_result(None)


async def drive(address, request, connections, seconds, count):
    """Load the server and return the clients that did it, and the seconds it took."""
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    clients = []

    async def connect():
        client = Client(request, started + seconds, count, loop.create_future())
        clients.append(client)
        await loop.create_connection(lambda: client, *address)

    for begin in range(0, connections, 500):
        await asyncio.gather(*(connect() for _ in range(begin, min(begin + 500, connections))))
    limit = seconds if count > 0 else seconds + 60
    await asyncio.wait([client.done for client in clients], timeout=limit)
    return clients, time.perf_counter() - started


def quantile(values, share):
    """Return the value below which this share of them lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def main():
    host, port, path, body, connections, seconds, *count = sys.argv[1:]
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    request = (
        f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
        f"Accept: */*\r\nUser-Agent: load\r\nAuthorization: Bearer any\r\n"
        f"Content-Length: {len(body.encode())}\r\n\r\n{body}"
    ).encode()
    clients, took = asyncio.run(
        drive(
            (host, int(port)),
            request,
            int(connections),
            float(seconds),
            int(count[0]) if count else -1,
        )
    )
    latencies = [latency for client in clients for latency in client.latencies]
    late = [lateness for client in clients for lateness in client.late]
    print(
        json.dumps(
            {
                "replies": len(latencies),
                "incomplete": sum(not client.latencies for client in clients),
                "seconds": took,
                "p50_ms": statistics.median(latencies) * 1000 if latencies else None,
                "late_p99_ms": None if not late else quantile(late, 0.99) * 1000,
            }
        )
    )


if __name__ == "__main__":
    main()
