"""An hour's worth of requests in ten minutes at full speed, faults and rude clients included.

Usage: soak.py [--minutes 10] [--engines asyncio werkzeug] [--connections 8] [--seed 8] [--no-kill]

For each engine a server of its own, whose journal is read while it works: at the end every request
must stand in it once, as its client saw it, and the process must hold no more than when it was warm.
Then one of two workers is killed while clients ask. The exit status is 1 where something does not
hold; sentences say what.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import soak_kill
import soak_watch
from soak_book import Book
from soak_client import soak_round
from soak_requests import KEY, Mix, scenario

PROJECT = Path(__file__).parents[1]
ROUNDS = 9
KEPT = 1500
"""How many exchanges the journal keeps: the reader must come before they are dropped."""
FULL = 4 * KEPT
"""After so many requests the journal and the memories of the server are full."""


@contextlib.contextmanager
def serving(folder, answers, *options):
    """Start a server with a scenario; give its process, its address and its log, and stop it."""
    file, log = folder / "soak.json", folder / "log"
    file.write_text(json.dumps(answers))
    command = [sys.executable, "-m", "mockchat", "serve", "--port", "0", "--scenario", str(file)]
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            [*command, "--api-key", KEY, *options],
            cwd=PROJECT,
            # One arena: what threads free can be used by all, and rests can be compared.
            env={**os.environ, "MALLOC_ARENA_MAX": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as process,
    ):
        try:
            greeting = "".join(
                itertools.takewhile(lambda line: line[:5] != "curl ", process.stdout)
            )
            found = re.search(r"http://127\.0\.0\.1:(\d+)", greeting)
            if found is None:
                raise SystemExit(f"the server does not start: {log.read_text()}")
            yield process, ("127.0.0.1", int(found[1])), log
        finally:
            process.terminate()
            process.wait(20)


def at_rest(process, requests):
    """Return what the server holds when it has let go of all connections, or after some seconds."""
    before, until = soak_watch.sample(process, requests), time.monotonic() + 5
    while time.monotonic() < until:
        time.sleep(0.5)
        now = soak_watch.sample(process, requests)
        if (now.files, now.threads) == (before.files, before.threads):
            return now
        before = now
    return before


def soak(engine, seconds, *, connections, seed, rounds=ROUNDS, tamper=None):  # noqa: PLR0913 - a bench
    """Soak one engine and return what does not hold.

    Args:
        rounds: How often the server comes to rest.
        tamper: Called with the address after each round: what a test plants.
    """
    book, mix, rests, wrong, kinds = Book(), Mix(seed), [], [], Counter()
    options = ["--engine", engine, "--limit", f"journal-exchanges={KEPT}"]
    options += ["--limit", "memory-size=4194304", "--limit", "stored-completions=100"]
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        process, address, log = stack.enter_context(serving(Path(name), scenario(), *options))
        show(engine, "round", "requests", "per s", "CPU ms", "MiB at rest", "files", "threads")
        for number in range(1, rounds + 1):
            started, before = time.monotonic(), soak_watch.cpu(process.pid)
            work = soak_round(address, book, mix, seconds=seconds / rounds, connections=connections)
            done = asyncio.run(work)
            if tamper is not None:
                tamper(address)
            took, asked = time.monotonic() - started, done.kinds.total()
            used = (soak_watch.cpu(process.pid) - before) / asked
            kinds += done.kinds
            wrong += done.wrong
            rests.append(at_rest(process.pid, kinds.total()))
            now, rate, cpu = rests[-1], f"{asked / took:.0f}", f"{used * 1000:.2f}"
            show(engine, number, asked, rate, cpu, f"{now.kib / 1024:.1f}", now.files, now.threads)
        said = log.read_text()
    problems = [*soak_watch.problems(rests, FULL), *book.problems(), *_most(wrong)]
    if said:
        problems.append(f"the server said: {said[-2000:]}")
    warm = soak_watch.warm(rests, FULL)
    memory = f"{soak_watch.slope(warm):+.1f} KiB a thousand requests, warm"
    if len(warm) < 3:
        memory = (
            f"not judged: the server is warm after {FULL} requests, and came to rest too seldom"
        )
    print(
        f"{engine}: {kinds.total()} requests of {len(kinds)} kinds; {book.met} stand in the journal "
        f"as in the client's book; memory {memory}"
    )
    return [f"{engine}: {problem}" for problem in problems]


def show(engine, *cells):
    """Print a row of the table."""
    print(
        "| "
        + " | ".join(
            f"{cell!s:>{width}}"
            for cell, width in zip((engine, *cells), (8, 5, 8, 5, 6, 11, 5, 7), strict=True)
        )
        + " |",
        flush=True,
    )


def _most(wrong):
    return [f"{text} ({count} times)" for text, count in Counter(wrong).most_common(10)]


@contextlib.contextmanager
def redis(folder):
    """Start a Redis that keeps nothing, and give its URL; None where there is none."""
    program = shutil.which("redis-server")
    if program is None:
        yield None
        return
    path = folder / "redis.sock"
    command = [program, "--port", "0", "--unixsocket", str(path), "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if "eady to accept connections" in line:
                break
        try:
            yield f"unix://{path}"
        finally:
            process.kill()


def kill(engine):
    """Kill one of two workers mid-load and return what does not hold."""
    with tempfile.TemporaryDirectory() as name, redis(Path(name)) as url:
        shared = [] if url is None else ["--state", url]
        answers = soak_kill.endless() if url is None else soak_kill.scenario()
        options = ["--engine", engine, "--workers", "2", *shared]
        with serving(Path(name), answers, *options) as (process, address, _):
            outcome = asyncio.run(soak_kill.kill_mid_load(address, process.pid))
    state = "no redis-server here: replies uncounted" if url is None else "replies counted in Redis"
    print(
        f"\n{engine}, one of two workers killed: {outcome.answered} replies, {outcome.broken} "
        f"requests met a reset, the next worker was there in {outcome.seconds:.2f} s ({state})"
    )
    return [f"{engine}: {one}" for one in outcome.problems(is_counted=url is not None)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--engines", nargs="+", default=["asyncio", "werkzeug"])
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--seed", type=int, default=8)
    parser.add_argument("--no-kill", action="store_true")
    options = parser.parse_args()
    seconds = options.minutes * 60 / len(options.engines)
    problems = []
    for engine in options.engines:
        problems += soak(engine, seconds, connections=options.connections, seed=options.seed)
    if not options.no_kill:
        for engine in options.engines:
            problems += kill(engine)
    print("\n" + "\n".join(problems or ["Everything holds."]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
