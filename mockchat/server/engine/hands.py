"""Threads for answers that may take their time: as many as are needed at once, up to a limit."""

import queue
import threading
from collections.abc import Callable

from mockchat.server.reports import report

_MOST = 64
"""Answers under way at once; further ones wait for their turn."""


class Hands:
    """Runs jobs in threads that end with the process: somebody's code that hangs holds up nobody.

    The standard library's pool waits for its threads when the interpreter ends.
    """

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._count = 0
        self._free = 0

    def do(self, job: Callable[[], None]) -> None:
        """Run a job soon."""
        with self._lock:
            self._free -= 1
            if self._free < 0 and self._count < _MOST:
                self._count += 1
                self._free += 1
                thread = threading.Thread(target=self._work, name="mockchat-hand", daemon=True)
                thread.start()
        self._jobs.put(job)

    def rest(self) -> None:
        """End the threads, each after the job it is at."""
        for _ in range(self._count):
            self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception as error:  # noqa: BLE001 - the thread goes on, whatever it is
                report("a connection failed", error)
            with self._lock:
                self._free += 1
