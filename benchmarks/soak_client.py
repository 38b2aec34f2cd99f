"""The clients of a soak: a number of connections that ask one request after the other."""

import asyncio
import dataclasses
import json
import time
from collections import Counter

from soak_requests import Seen

PATIENCE = 20.0
"""Seconds for an answer; more is a server that hangs."""
_POLL = 0.1


class Left(Exception):
    """The client has closed its connection on purpose."""


class Connection:
    """One connection, opened again where it is closed."""

    def __init__(self, address):
        self._address = address
        self._reader = self._writer = None

    async def exchange(self, data, *, leaves=None, ends=False):
        """Send bytes and return what came back."""
        try:
            async with asyncio.timeout(PATIENCE):
                if self._writer is None:
                    self._reader, self._writer = await asyncio.open_connection(
                        *self._address, limit=2**20
                    )
                self._writer.write(data)
                if ends:
                    self._writer.write_eof()
                return await self._answer(leaves)
        except TimeoutError:
            self.close()
            return Seen(None, b"no answer in time", is_whole=False)
        except OSError:
            self.close()
            return Seen(None, b"", is_whole=False)

    async def pipeline(self, requests):
        """Send several requests at once and return what came back, in order."""
        first = await self.exchange(b"".join(requests))
        return [first, *[await self._answer(None) for _ in requests[1:]]]

    async def _answer(self, leaves):
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            self.close()
            return Seen(None, b"", is_whole=False)
        status, *lines = head.decode("latin-1").lower().rstrip().split("\r\n")
        fields = dict(line.split(": ", 1) for line in lines if ": " in line)
        seen = []
        try:
            await self._body(fields, seen, leaves)
        except (asyncio.IncompleteReadError, ConnectionError, Left):
            self.close()
            return Seen(int(status.split()[1]), b"".join(seen), is_whole=False)
        if fields.get("connection") == "close":
            self.close()
        return Seen(int(status.split()[1]), b"".join(seen), is_whole=True)

    async def _body(self, fields, seen, leaves):
        if "content-length" in fields:
            seen.append(await self._reader.readexactly(int(fields["content-length"])))
            return
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            seen.append((await self._reader.readexactly(size + 2))[:-2])
            if leaves is not None and sum(map(len, seen)) >= leaves:
                raise Left
        await self._reader.readexactly(2)

    def close(self):
        """Close it at once: the server meets a reset where it still writes."""
        if self._writer is not None:
            self._writer.transport.abort()
            self._writer = None


@dataclasses.dataclass
class Round:
    """What one round did: requests by kind, and what was wrong with answers."""

    kinds: Counter = dataclasses.field(default_factory=Counter)
    wrong: list = dataclasses.field(default_factory=list)
    latencies: list = dataclasses.field(default_factory=list)


async def drive(address, mix, book, done, until):
    """Ask one request after the other on one connection until the time is over."""
    connection = Connection(address)
    while time.monotonic() < until:
        ask = mix.next()
        number = book.number() if ask.line is not None else None
        started = time.perf_counter()
        data = ask.data.replace(b"%(number)d", b"%d" % (number or 0)).replace(b"%%", b"%")
        seen = await connection.exchange(data, leaves=ask.leaves, ends=ask.ends)
        done.latencies.append(time.perf_counter() - started)
        done.kinds[ask.kind] += 1
        if ask.ends:
            connection.close()
        if problem := ask.check(seen):
            done.wrong.append(f"{ask.kind}: {problem}")
        if number is not None:
            line = ask.line if ask.line.status is not None else _as_seen(ask.line, seen)
            book.seen(number, line)
    connection.close()


def _as_seen(line, seen):
    return dataclasses.replace(line, status=seen.status)


class Reader:
    """Reads the journal piece by piece through the control API, each exchange when it is over."""

    def __init__(self, address, book):
        self._connection = Connection(address)
        self._book = book
        self._after = book.read_to
        self.pending = 0

    async def read(self):
        """Read what is new."""
        path = f"/_mockchat/journal?after={self._after}"
        seen = await self._connection.exchange(
            f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode()
        )
        if seen.status != 200:
            raise SystemExit(f"the journal cannot be read: {seen}")
        exchanges = json.loads(seen.body)["exchanges"]
        self.pending = len(exchanges)
        for exchange in exchanges:
            if exchange["outcome"] == "pending":
                return
            self._book.read(exchange)
            self._after = exchange["index"]
            self.pending -= 1

    async def follow(self, is_over):
        """Read until all clients have ended."""
        while not is_over.is_set():
            await self.read()
            await asyncio.sleep(_POLL)

    async def catch_up(self):
        """Read until both sides have met, or nothing more comes."""
        until = time.monotonic() + PATIENCE
        await self.read()
        while (self.pending or self._book.waiting) and time.monotonic() < until:
            await asyncio.sleep(0.1)
            await self.read()
        self._connection.close()


async def soak_round(address, book, mix, *, seconds, connections):
    """Load a server for some seconds, read its journal, and return what was done."""
    reader = Reader(address, book)
    done, until = Round(), time.monotonic() + seconds
    is_over = asyncio.Event()
    follower = asyncio.create_task(reader.follow(is_over))
    clients = [drive(address, mix, book, done, until) for _ in range(connections)]
    await asyncio.gather(*clients)
    is_over.set()
    await follower
    await reader.catch_up()
    return done
