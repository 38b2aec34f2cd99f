"""kill -9 of one of two workers while clients ask: resets, and nothing else."""

import asyncio
import importlib
import json
import re
import sys
from pathlib import Path

import pytest
from serving import serving

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def soak_kill():
    """Give the clients of `make soak` that survive it; the path is as before afterwards."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        yield importlib.import_module("soak_kill")
    finally:
        sys.path.remove(str(BENCHMARKS))


def killed(soak_kill, file, answers, *options):
    """Serve a scenario with two workers, kill one mid-load, and return what clients saw."""
    file.write_text(json.dumps(answers))
    with serving("--workers", "2", "--scenario", str(file), *options) as served:
        host, port = re.match(r"http://([^:]+):([0-9]+)", served.base_url).groups()
        work = soak_kill.kill_mid_load((host, int(port)), served.process.pid, before=60, after=60)
        outcome = asyncio.run(work)
        return outcome, served.errors()


def test_replies_in_redis_stay_in_order_when_a_worker_is_killed(soak_kill, redis_store, tmp_path):
    """Each reply is given once, by whichever worker: what a client has seen is never seen again."""
    outcome, said = killed(
        soak_kill,
        tmp_path / "count.json",
        soak_kill.scenario(),
        *("--engine", "asyncio", "--state", redis_store.url),
    )
    assert outcome.problems(is_counted=True) == []
    assert re.fullmatch(r".*WARNING worker [12] ended: signal SIGKILL\n", said)


OUTCOMES = [
    ({}, []),
    ({"numbers": [[0, 2], [1, 2]]}, ["replies that were given twice: [2]"]),
    ({"numbers": [[2, 0], [1]]}, ["a client saw a later reply before an earlier one"]),
    ({"numbers": [[0, 2], [5]]}, ["3 replies are missing, and only 1 requests broke"]),
    ({"broken": 3}, ["3 requests broke, of 2 connections"]),
    ({"after": 0}, ["nobody was answered after the kill"]),
    ({"wrong": ["status 500"]}, ["status 500"]),
]


@pytest.mark.parametrize(("changes", "told"), OUTCOMES)
def test_what_clients_must_not_see_is_told(soak_kill, changes, told):
    """A judgement that finds nothing ever would pass every server."""
    seen = {"numbers": [[0, 2], [3]], "broken": 1, "after": 2}
    assert soak_kill.Outcome(**{**seen, **changes}).problems(is_counted=True) == told
