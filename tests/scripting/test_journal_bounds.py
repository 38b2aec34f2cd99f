"""A journal is bounded by what it takes in memory, whatever clients send."""

import gc
import json
import tracemalloc

import pytest

from mockchat.errors import BadArgument
from mockchat.exchange import Delivery, Exchange, Outcome, Write
from mockchat.scripting.entries import Entry
from mockchat.scripting.journal import Journal
from mockchat.scripting.journal_weight import weight

CHUNK = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "gpt-4o-mini-2024-07-18",
    "system_fingerprint": "fp_1",
    "choices": [{"index": 0, "delta": {"content": "word"}, "finish_reason": None}],
}
COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "words " * 40}}],
}


def answered(number, request, *, chunks=0):
    """Make an exchange of its own objects, as a server does for each request."""
    decoded = json.loads(request)
    if chunks:
        parts = tuple(json.loads(json.dumps(CHUNK)) for _ in range(chunks))
        writes = tuple(Write(data=b"data: %b\n\n" % json.dumps(part).encode()) for part in parts)
    else:
        parts, writes = (), (Write(data=json.dumps(COMPLETION, indent=2).encode()),)
    return Exchange(
        index=0,
        method="POST",
        path=f"/v1/chat/completions/{number}",
        headers=tuple((f"x-field-{place}-{number}", f"value {number}") for place in range(12)),
        request=decoded,
        status=200,
        reply=json.loads(json.dumps(COMPLETION)),
        chunks=parts,
        delivery=Delivery(status=200, headers=(("x-request-id", f"{number}"),), writes=writes),
        outcome=Outcome.DELIVERED,
    )


def chat(text):
    """Make a request's body around a text."""
    return json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": text}]})


REQUESTS = {
    "small": (lambda n: chat(f"hi {n}"), 0),
    "streamed": (lambda n: chat(f"hi {n}"), 20),
    "long": (lambda n: chat(f"{n} " + "word " * 4000), 0),
    "not ASCII": (lambda n: chat(f"{n} " + "漢字" * 2000), 0),
    "many messages": (
        lambda n: json.dumps({"messages": [{"role": "user", "content": f"{n}"}] * 200}),
        0,
    ),
    "empty lists": (lambda n: "[" + "[]," * 3000 + f"{n}]", 0),
    "empty objects": (lambda n: "[" + "{}," * 3000 + f"{n}]", 0),
    "small objects": (lambda n: "[" + '{"a":1.5},' * 2000 + f"{n}]", 0),
    "deep": (lambda n: "[" * 500 + f"{n}" + "]" * 500, 0),
    "numbers": (lambda n: json.dumps([n + place / 7 for place in range(3000)]), 0),
    "names": (lambda n: json.dumps({f"name {n} {place}": None for place in range(1000)}), 0),
}


@pytest.mark.parametrize("kind", REQUESTS)
def test_what_is_weighed_is_what_it_takes(kind):
    """An estimate that is too low is no bound; one far too high throws away what there was room for."""
    make, chunks = REQUESTS[kind]
    count = 8
    gc.collect()
    tracemalloc.start()
    try:
        journal = Journal()
        for number in range(count):
            journal.add(answered(number, make(number), chunks=chunks))
        kept = journal.settled()
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(kept) == count
    weighed = sum(weight(Entry.of(one)) for one in kept)
    assert taken <= weighed <= 6 * taken, f"{weighed / taken:.2f} times what it takes"


def test_the_oldest_go_where_memory_ends():
    """A journal of huge requests must not take the machine with it."""
    one = weight(Entry.of(answered(0, chat("hi"))))
    journal = Journal(memory=3 * one + 100)
    for number in range(10):
        journal.add(answered(number, chat("hi")))
    assert [kept.index for kept in journal] == [7, 8, 9]
    assert (len(journal), journal.dropped) == (3, 7)


def test_the_newest_is_kept_whatever_it_takes():
    """A test that sends one huge request still reads it; it goes with the next one."""
    journal = Journal(memory=1)
    for number in range(3):
        index = journal.add(answered(number, chat("x" * 10_000)))
        assert [kept.index for kept in journal] == [index]
    assert journal.dropped == 2


def test_many_small_ones_go_for_one_large():
    """Room is made for what comes, not after it came."""
    journal = Journal(memory=200_000)
    for number in range(10):
        journal.add(answered(number, chat("hi")))
    assert journal.dropped == 0
    journal.add(answered(10, chat("x" * 150_000)))
    assert 0 < journal.dropped < 10
    assert journal.last.index == 10


def test_an_exchange_that_was_dropped_in_flight_is_forgotten():
    """Its delivery still ends at some time: that must neither fail nor be waited for."""
    journal = Journal(memory=1)
    pending = journal.add(
        Exchange(index=0, method="POST", path="/", status=200, outcome=Outcome.PENDING)
    )
    journal.add(answered(1, chat("hi")))
    journal.finish(pending, Outcome.DELIVERED)
    assert [kept.index for kept in journal] == [1]
    assert journal.unfinished == ()


def test_nothing_is_no_bound():
    """Zero would drop everything, or nothing."""
    with pytest.raises(BadArgument, match=r"Journal\(memory=\) is 0; allowed: 1 or more"):
        Journal(memory=0)
