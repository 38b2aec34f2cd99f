"""Kill one of two workers while clients ask, and say what the clients saw.

The replies of one stub are numbered, so that it shows whether one was given twice or out of order.
"""

import asyncio
import dataclasses
import json
import os
import signal
import time
from collections import Counter
from pathlib import Path

from soak_client import Connection
from soak_requests import content_of, http

REPLIES = 4000
CLIENTS = 12
WAIT = 15.0
QUESTION = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "count"}]}


def scenario(replies=REPLIES):
    """Return a scenario whose one stub counts."""
    first, *others = [f"reply {number}" for number in range(replies)]
    return {"unmatched": "fail", "stubs": [{"reply": first, "then": others}]}


def endless():
    """Return a scenario that workers can answer each by itself."""
    return {"unmatched": "fail", "stubs": [{"reply": "reply 0", "forever": True}]}


@dataclasses.dataclass
class Outcome:
    """What the clients saw.

    Attributes:
        numbers: For each client the numbers of its replies, in order.
        broken: How many requests met a connection that broke before the reply was whole.
        wrong: Whatever else was seen.
        after: How many replies came after a worker had taken the place of the dead one.
        seconds: How long that took.
    """

    numbers: list = dataclasses.field(default_factory=list)
    broken: int = 0
    wrong: list = dataclasses.field(default_factory=list)
    after: int = 0
    seconds: float = 0.0

    @property
    def answered(self):
        """How many replies came."""
        return sum(map(len, self.numbers))

    def problems(self, *, is_counted):
        """Return what should not have been seen, in sentences."""
        found = list(self.wrong[:5])
        if self.broken > len(self.numbers):
            found.append(f"{self.broken} requests broke, of {len(self.numbers)} connections")
        if not self.after:
            found.append("nobody was answered after the kill")
        if not is_counted:
            return found
        every = [number for numbers in self.numbers for number in numbers]
        if twice := [number for number, count in Counter(every).items() if count > 1]:
            found.append(f"replies that were given twice: {twice[:5]}")
        if any(numbers != sorted(numbers) for numbers in self.numbers):
            found.append("a client saw a later reply before an earlier one")
        missing = max(every, default=-1) + 1 - len(set(every))
        if missing > self.broken:
            found.append(f"{missing} replies are missing, and only {self.broken} requests broke")
        return found


def workers_of(process):
    """Return the ids of the processes below one."""
    return set(map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()))


async def kill_mid_load(address, supervisor, *, before=150, after=150):
    """Load the server, kill a worker after some replies, and go on for some more."""
    outcome, is_over = Outcome(numbers=[[] for _ in range(CLIENTS)]), asyncio.Event()
    clients = [_ask(address, outcome, numbers, is_over) for numbers in outcome.numbers]
    tasks = [asyncio.create_task(client) for client in clients]
    try:
        await _until(lambda: outcome.answered >= before)
        workers, started = workers_of(supervisor), time.monotonic()
        os.kill(min(workers), signal.SIGKILL)
        await _until(lambda: len(workers_of(supervisor) - {min(workers)}) == len(workers))
        outcome.seconds = time.monotonic() - started
        seen = outcome.answered
        await _until(lambda: outcome.answered >= seen + after)
        outcome.after = outcome.answered - seen
    except TimeoutError:
        outcome.wrong.append(f"it did not go on within {WAIT:.0f} s")
    is_over.set()
    await asyncio.gather(*tasks)
    return outcome


async def _ask(address, outcome, numbers, is_over):
    connection = Connection(address)
    data = http("POST", "/v1/chat/completions", json.dumps(QUESTION).encode())
    while not is_over.is_set():
        seen = await connection.exchange(data)
        if not seen.is_whole:
            outcome.broken += 1
            if seen.body:
                outcome.wrong.append(f"half an answer: {seen}")
        elif seen.status == 200:
            numbers.append(int(content_of(seen.body).removeprefix("reply ")))
        else:
            outcome.wrong.append(f"status {seen.status}: {seen.body[:300]!r}")
            break
    connection.close()


async def _until(condition):
    async with asyncio.timeout(WAIT):
        while not condition():  # noqa: ASYNC110 - it looks at other processes
            await asyncio.sleep(0.01)
