"""The soak of `make soak` judges rightly: what is planted is noticed, and nothing else is told."""

import importlib
import re
import sys
import urllib.request
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def parts():
    """Give the modules of the soak by name; the path is as before afterwards."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        yield importlib.import_module
    finally:
        sys.path.remove(str(BENCHMARKS))


def exchange(number, **changes):
    """Return an exchange as the control API tells it."""
    told = {
        "index": number,
        "headers": [["host", "soak"], ["x-soak", str(number)]],
        "request": {"model": "m"},
        "status": 200,
        "stub": "stub 1",
        "outcome": "delivered",
    }
    return {**told, **changes}


TAMPERED = [
    ({}, None),
    ({"status": 500}, "request 1 (scripted): status 200, journal 500"),
    ({"request": {"model": "other"}}, "request 1 (scripted): request {'model': 'm'}, journal"),
    ({"stub": None}, "request 1 (scripted): stub True, journal False"),
    ({"fault": "Cut"}, "request 1 (scripted): fault False, journal True"),
    ({"outcome": "failed"}, "request 1 (scripted): its outcome is 'failed'"),
    ({"index": 4}, "exchanges 1 to 3 are not in the journal"),
    ({"headers": []}, "exchange 1 is of a request that nobody sent: None"),
    ({"headers": [["x-soak", "0"]]}, "request 0 is in the journal twice: again as exchange 1"),
    ({"headers": [["x-soak", "9"]]}, "exchange 1 is of a request that nobody sent: 9"),
]


@pytest.mark.parametrize(("changes", "told"), TAMPERED)
def test_a_journal_that_is_not_exact_is_told(parts, changes, told):
    """A soak that compares too little proves nothing, however long it runs."""
    book_of = parts("soak_book")
    book, line = book_of.Book(), book_of.Line("scripted", {"model": "m"}, 200, is_scripted=True)
    for number in range(2):
        assert book.number() == number
        book.seen(number, line)
    tampered = {name: value for name, value in exchange(1, **changes).items() if value is not None}
    for one in (exchange(0), tampered):
        book.read(one)
    problems = book.problems()
    assert problems[0].startswith(told) if told else problems == [], problems


def test_a_request_that_one_side_lacks_is_told(parts):
    """Lost here, or answered for nobody: both ends of the comparison count."""
    book_of = parts("soak_book")
    book = book_of.Book()
    book.number(), book.number()
    book.seen(0, book_of.Line("scripted"))
    book.read(exchange(1, index=0))
    assert book.problems() == [
        "request 0 (scripted) is not in the journal",
        "request 1 is in the journal, and not over for its client",
    ]


GROWTHS = [
    ((0, 0, 0), []),
    ((40, 0, 0), ["memory grows by 40.0 KiB with each thousand requests"]),
    ((20, 0, 0), []),
    ((0, 1, 0), ["open files at rest grow from 10 to 15"]),
    ((0, 0, 1), ["open threads at rest grow from 10 to 15"]),
]


@pytest.mark.parametrize(("grows", "told"), GROWTHS)
def test_a_leak_is_told_by_what_leaks(parts, grows, told):
    """Memory by its slope over all rests, files and threads by their number; warming up is no leak."""
    watch = parts("soak_watch")
    kib, files, threads = grows
    rests = [watch.Rest(requests=0, kib=9, files=1, threads=1)] * 3
    rests += [
        watch.Rest(
            requests=n * 100_000,
            kib=90_000 + n * kib * 100 + n % 2 * 2_000,
            files=10 + n * files,
            threads=10 + n * threads,
        )
        for n in range(7)
    ]
    problems = watch.problems(rests)
    assert [one.partition(" (")[0] for one in problems] == told


def test_open_files_of_a_process_are_counted(parts):
    """What is judged must be what the process holds."""
    watch = parts("soak_watch")
    mine = Path("/proc/self").resolve().name
    before = watch.sample(mine)
    with open(BENCHMARKS / "soak.py"), open(BENCHMARKS / "soak.py"):  # noqa: PTH123
        assert watch.sample(mine).files == before.files + 2
    assert before.kib > 1024
    assert before.threads >= 1


def test_a_short_soak_notices_what_is_lost_and_nothing_else(parts, capsys):
    """All parts work together on a real server; what is dropped between two rounds does not go unseen."""

    def drop(address):
        url = "http://{}:{}".format(*address)
        body = b'{"model": "m", "messages": [{"role": "user", "content": "question 1"}]}'
        head = {"authorization": "Bearer soak", "content-type": "application/json"}
        for request in (
            urllib.request.Request(f"{url}/v1/chat/completions", body, head),
            urllib.request.Request(f"{url}/_mockchat/journal", method="DELETE"),
        ):
            urllib.request.urlopen(request).close()

    (lost,) = parts("soak").soak("asyncio", 1.0, connections=4, seed=8, rounds=2, tamper=drop)
    assert re.fullmatch(r"asyncio: exchanges (\d+) to \1 are not in the journal", lost)
    assert "memory not judged" in capsys.readouterr().out
