"""Several processes that answer on one port, and the one that watches over them.

Each worker has a listening socket of its own, which the system gives its share of the connections
(SO_REUSEPORT). The sockets belong to the process that watches: when a worker dies, those who wait
at its socket are answered by the one that takes its place.
"""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from mockchat.server.listening import listen
from mockchat.server.reports import logger, report

STOPPING = (signal.SIGINT, signal.SIGTERM)
_WATCHED = (*STOPPING, signal.SIGCHLD)
_YOUNG = 1.0
"""Seconds; a worker that dies sooner did not really start."""
_TRIES = 5
"""So many in a row that did not really start are enough."""
_LAST_SECONDS = 2.0
"""What a worker gets beyond the time of its replies, before it is killed."""


@dataclass(slots=True, kw_only=True)
class _Worker:
    """One of the processes.

    Attributes:
        number: Which one, from 1.
        listener: What it accepts from.
        started: When, on the monotonic clock.
    """

    number: int
    listener: socket.socket
    started: float


def shared_listeners(host: str, port: int, count: int) -> list[socket.socket]:
    """Return so many sockets that listen on one port.

    Raises:
        CannotListen: The address is taken or not available.
    """
    # Another server of ours could share the port unnoticed: only one that listens alone tells.
    with listen(host, port) as alone:
        port = alone.getsockname()[1]
    with ExitStack() as stack:
        listeners = [stack.enter_context(listen(host, port, is_shared=True)) for _ in range(count)]
        stack.pop_all()
    return listeners


class Workers:
    """Starts processes, replaces those that die, and ends them all.

    The signals `STOPPING` must be blocked, and no other thread be running: the workers are forks.

    Args:
        listeners: One for each worker.
        work: What a worker does with its own, until it is told to end by one of the signals.
        grace: How long a worker may take for its end, in seconds.
    """

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        work: Callable[[socket.socket], None],
        grace: float,
    ) -> None:
        self._listeners = listeners
        self._work = work
        self._grace = grace
        self._workers: dict[int, _Worker] = {}
        self._short_lives = 0
        # Its reading end tells the workers that this process is gone.
        self._lifeline, self._hold = os.pipe()

    def run(self) -> bool:
        """Watch over the workers until told to end; False: they do not start."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
        for number, listener in enumerate(self._listeners, start=1):
            self._start(number, listener)
        while signal.sigwait(_WATCHED) == signal.SIGCHLD:
            for worker in self._buried():
                if not self._replace(worker):
                    self._end()
                    return False
        self._end()
        return True

    def _start(self, number: int, listener: socket.socket) -> None:
        started = time.monotonic()
        process = os.fork()
        if process:
            self._workers[process] = _Worker(number=number, listener=listener, started=started)
            return
        status = 1
        try:
            os.close(self._hold)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
            threading.Thread(target=self._follow, name="mockchat-lifeline", daemon=True).start()
            self._work(listener)
            status = 0
        except BaseException as error:  # noqa: BLE001 - nothing may return into the other's code
            report(f"worker {number} failed", error)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _follow(self) -> None:
        """End this process when the one that watches is gone."""
        os.read(self._lifeline, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    def _buried(self) -> list[_Worker]:
        """Return the workers that died since the last time."""
        found = []
        while self._workers:
            process, status = os.waitpid(-1, os.WNOHANG)
            if not process:
                break
            worker = self._workers.pop(process)
            logger.warning("worker %d ended: %s", worker.number, _cause(status))
            found.append(worker)
        return found

    def _replace(self, worker: _Worker) -> bool:
        is_young = time.monotonic() - worker.started < _YOUNG
        self._short_lives = self._short_lives + 1 if is_young else 0
        if self._short_lives == _TRIES:
            logger.error("%d workers in a row ended as soon as they began", _TRIES)
            return False
        self._start(worker.number, worker.listener)
        return True

    def _end(self) -> None:
        """Tell all workers to end and wait for them; a second signal makes it quick."""
        self._tell(signal.SIGTERM)
        end = time.monotonic() + self._grace + _LAST_SECONDS
        while self._workers:
            told = signal.sigtimedwait(_WATCHED, max(0.0, end - time.monotonic()))
            if told is None:
                self._tell(signal.SIGKILL)
                end += _LAST_SECONDS
            elif told.si_signo != signal.SIGCHLD:
                self._tell(signal.SIGTERM)
            self._bury_the_last()
        os.close(self._hold)
        os.close(self._lifeline)
        for listener in self._listeners:
            listener.close()

    def _bury_the_last(self) -> None:
        while self._workers:
            process, _ = os.waitpid(-1, os.WNOHANG)
            if not process:
                return
            del self._workers[process]

    def _tell(self, what: signal.Signals) -> None:
        for process in self._workers:
            os.kill(process, what)


def _cause(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"status {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
