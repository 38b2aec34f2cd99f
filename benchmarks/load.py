"""A small load client: keeps connections open, one request at a time on each.

Usage: load.py HOST PORT PATH BODY SECONDS CONNECTIONS; prints a JSON object with the number of
replies, the seconds they took, the median latency in milliseconds and how often it had to connect.
It is a process of its own, so that its work is not counted as the server's.
"""

import json
import socket
import statistics
import sys
import threading
import time


class Connection:
    """One connection; opened again when the server closes it."""

    def __init__(self, host, port):
        self.address = (host, port)
        self.socket = None
        self.connects = 0
        self.latencies = []

    def exchange(self, request):
        """Send a request and read its whole reply."""
        started = time.perf_counter()
        if self.socket is None:
            self.socket = socket.create_connection(self.address)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connects += 1
        self.socket.sendall(request)
        if not self._read_reply():
            self.socket.close()
            self.socket = None
        self.latencies.append(time.perf_counter() - started)

    def _read_reply(self):
        """Read one reply; return whether the connection can be used again."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._receive()
        head, _, body = data.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        if " 200 " not in status:
            raise SystemExit(f"{status}: {body[:500]!r}")
        fields = dict(line.lower().split(": ", 1) for line in lines)
        if "content-length" in fields:
            self._read_until(body, lambda seen: len(seen) >= int(fields["content-length"]))
        elif fields.get("transfer-encoding") == "chunked":
            self._read_until(body, lambda seen: seen.endswith(b"0\r\n\r\n"))
        else:
            while self.socket.recv(65536):
                pass
            return False
        return fields.get("connection") != "close"

    def _read_until(self, seen, is_whole):
        while not is_whole(seen):
            seen += self._receive()

    def _receive(self):
        data = self.socket.recv(65536)
        if not data:
            raise SystemExit("the server closed the connection inside a reply")
        return data


def drive(connection, request, deadline):
    while time.perf_counter() < deadline:
        connection.exchange(request)


def main():
    host, port, path, body, seconds, count = sys.argv[1:]
    request = (
        f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer any\r\nContent-Length: {len(body.encode())}\r\n\r\n{body}"
    ).encode()
    connections = [Connection(host, int(port)) for _ in range(int(count))]
    started = time.perf_counter()
    deadline = started + float(seconds)
    threads = [threading.Thread(target=drive, args=(c, request, deadline)) for c in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    latencies = [latency for connection in connections for latency in connection.latencies]
    result = {
        "replies": len(latencies),
        "seconds": time.perf_counter() - started,
        "p50_ms": statistics.median(latencies) * 1000,
        "connects": sum(connection.connects for connection in connections),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
