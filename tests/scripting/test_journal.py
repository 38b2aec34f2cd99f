"""The journal is evidence: complete, in order, and without secrets."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockchat.errors import BadArgument
from mockchat.exchange import Delivery, Ending, Exchange, Outcome, Write
from mockchat.scripting.credentials import redact, redact_json, redact_text
from mockchat.scripting.journal import Journal, has_failed

PATH = "/v1/chat/completions"


def exchange(**fields):
    """Make an exchange that has ended well, except for what a test says."""
    usual = {"index": 99, "method": "POST", "path": PATH, "status": 200}
    return Exchange(**(usual | {"outcome": Outcome.DELIVERED} | fields))


def test_an_index_is_set_when_an_exchange_is_added():
    """Whoever adds does not know how many came before."""
    journal = Journal()
    assert [journal.add(exchange(request=n)) for n in range(3)] == [0, 1, 2]
    assert [e.index for e in journal] == [0, 1, 2]
    assert journal.requests == (0, 1, 2)
    assert journal[1].request == 1
    assert journal.last.request == 2
    assert [e.request for e in journal[1:]] == [1, 2]
    assert (len(journal), bool(journal), repr(journal)) == (3, True, "<Journal of 3 exchanges>")


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "journal[5]: the journal has 0 exchanges"), (1, "journal[5]: the journal has 1 exchange")],
)
def test_a_missing_exchange_is_told_with_the_count(count, text):
    """`list index out of range` does not say that only one request arrived."""
    journal = Journal()
    for _ in range(count):
        journal.add(exchange())
    with pytest.raises(IndexError) as caught:
        journal[5]
    assert str(caught.value) == text
    assert bool(journal) is bool(count)


@given(added=st.integers(0, 12), limit=st.integers(1, 5))
def test_a_bounded_journal_keeps_the_newest(added, limit):
    """A soak test must not fill the memory; what is dropped is counted."""
    journal = Journal(limit=limit)
    for number in range(added):
        journal.add(exchange(request=number))
    kept = min(added, limit)
    assert journal.dropped == added - kept
    assert [e.index for e in journal] == list(range(added - kept, added))


def test_a_journal_needs_room_for_one():
    """A journal without room would make every test pass that reads it."""
    with pytest.raises(BadArgument, match=r"Journal\(limit=\) is 0; allowed: 1 or more"):
        Journal(limit=0)


def test_an_outcome_is_noted_where_it_belongs():
    """Deliveries end in any order."""
    journal = Journal()
    first = journal.add(exchange(outcome=Outcome.PENDING))
    second = journal.add(exchange(outcome=Outcome.PENDING))
    journal.finish(second, Outcome.CLIENT_LEFT)
    journal.finish(first, Outcome.DELIVERED)
    assert [e.outcome for e in journal] == [Outcome.DELIVERED, Outcome.CLIENT_LEFT]


def test_a_read_waits_for_deliveries_in_flight():
    """A client has the last byte before the server has noted that it was sent."""
    journal = Journal(patience=30)
    index = journal.add(exchange(outcome=Outcome.PENDING))
    is_reading = threading.Event()
    seen = []

    def read():
        is_reading.set()
        seen.append(journal[0].outcome)

    reader = threading.Thread(target=read)
    reader.start()
    is_reading.wait()
    journal.finish(index, Outcome.DELIVERED)
    reader.join()
    assert seen == [Outcome.DELIVERED]


def test_a_read_does_not_wait_for_ever():
    """A test that reads in the middle of its own stream would hang."""
    journal = Journal(patience=0.01)
    journal.add(exchange(outcome=Outcome.PENDING))
    assert journal[0].outcome is Outcome.PENDING
    assert journal.requests == (None,)


def test_a_dropped_exchange_is_no_longer_waited_for():
    """An exchange that nobody can read must not delay a read, nor may its end be noted elsewhere."""
    journal = Journal(limit=1, patience=30)
    dropped = journal.add(exchange(outcome=Outcome.PENDING))
    journal.add(exchange())
    begun = time.monotonic()
    assert journal[0].outcome is Outcome.DELIVERED
    assert time.monotonic() - begun < 10, "it waited for the dropped one"
    journal.finish(dropped, Outcome.FAILED)
    assert journal[0].outcome is Outcome.DELIVERED


def test_threads_add_without_losing_one():
    """Every connection has its own thread."""
    journal = Journal(limit=400)
    threads = [
        threading.Thread(
            target=lambda: [
                journal.finish(journal.add(exchange()), Outcome.DELIVERED) for _ in range(50)
            ]
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [e.index for e in journal] == list(range(400))


RETRY = (("x-stainless-retry-count", "1"),)
FIRST = (("x-stainless-retry-count", "0"),)


@pytest.mark.parametrize(
    ("exchanges", "retries"),
    [
        ([], 0),
        ([{}, {}], 0),
        ([{"headers": FIRST}, {"headers": RETRY}], 1),
        ([{"headers": (("x-stainless-retry-count", "x"),)}], 0),
        ([{"headers": (("x-stainless-retry-count", "\N{SUPERSCRIPT TWO}"),)}], 0),
        ([{"headers": (("x-stainless-retry-count", "9" * 5000),)}], 1),
        ([{"status": 500}, {}], 1),
        ([{"status": 500}, {"request": {"n": 2}}], 0),
        ([{"status": 500}, {"path": "/v1/models"}], 0),
        ([{"ending": Ending.CUT}, {}], 1),
        ([{"ending": Ending.RESET}, {"ending": Ending.RESET}, {}], 2),
        ([{"outcome": Outcome.CLIENT_LEFT}, {}], 1),
        ([{"status": 429}, {}, {}], 1),
        ([{"status": 429}, {"headers": RETRY}], 1),
        ([{"request": {"a": 1, "b": 2}, "status": 503}, {"request": {"b": 2, "a": 1}}], 1),
    ],
)
def test_retries_are_counted_once_each(exchanges, retries):
    """Asking twice is no retry; asking again after a failure is, whoever counts it."""
    journal = Journal(clock=lambda: 0.0)
    for fields in exchanges:
        journal.add(exchange(**fields))
    assert journal.retries == retries


@pytest.mark.parametrize(
    ("fields", "failed"),
    [
        ({}, False),
        ({"status": 400}, True),
        ({"status": 399}, False),
        ({"ending": Ending.CUT}, True),
        ({"outcome": Outcome.FAILED}, True),
        ({"outcome": Outcome.PENDING}, False),
    ],
)
def test_a_failure_is_what_gives_reason_to_try_again(fields, failed):
    """A fault on purpose is delivered as planned, and is a failure to the client all the same."""
    assert has_failed(exchange(**fields)) is failed


def test_credentials_never_enter_the_journal():
    """A journal is printed in CI logs, which many people read."""
    journal = Journal()
    headers = tuple(
        (name, "top secret")
        for name in (
            "authorization",
            "Proxy-Authorization",
            "api-key",
            "X-API-Key",
            "cookie",
            "set-cookie",
        )
    )
    reply = {"error": {"message": "Incorrect API key provided: sk-abcdef123.", "code": None}}
    journal.add(exchange(status=401, headers=(*headers, ("accept", "*/*")), reply=[reply, 4]))
    kept = journal[0]
    assert kept.headers == (*((name, "[redacted]") for name, _ in headers), ("accept", "*/*"))
    assert kept.reply == [
        {"error": {"message": "Incorrect API key provided: [redacted]", "code": None}},
        4,
    ]


def test_a_completion_is_journaled_as_it_was_sent():
    """Whole values are compared with the journal; only error texts can repeat a key."""
    journal = Journal()
    journal.add(exchange(reply={"id": "sk-abcdef123"}))
    assert journal[0].reply == {"id": "sk-abcdef123"}


@given(headers=st.lists(st.tuples(st.sampled_from(["a", "Cookie", "b"]), st.text())))
def test_redaction_keeps_order_and_names_and_is_done_once(headers):
    """Redacting what is redacted changes nothing, so everyone may do it."""
    once = redact(tuple(headers))
    assert [name for name, _ in once] == [name for name, _ in headers]
    assert redact(once) == once
    assert all(value == "[redacted]" for name, value in once if name == "Cookie")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("key sk-proj-Abc_123-xyz!", "key [redacted]!"),
        ("Bearer abcdef", "Bearer [redacted]"),
        ("gsk_12345678", "[redacted]"),
        ("ask-me-anything", "ask-me-anything"),
        ("sk-1", "sk-1"),
    ],
)
def test_what_looks_like_a_key_is_removed_from_text(text, clean):
    """An error text may quote a request."""
    assert redact_text(text) == clean
    assert redact_json({"a": [text, 1, None]}) == {"a": [clean, 1, None]}


@given(
    added=st.lists(st.sampled_from([Outcome.DELIVERED, Outcome.CLIENT_LEFT, None]), max_size=8),
    limit=st.integers(1, 8),
    after=st.integers(-1, 9),
)
def test_a_piece_of_the_journal_is_what_the_whole_has_there(added, limit, after):
    """Who reads in pieces sees each exchange as it is, its attempt and what is in flight included."""
    journal = Journal(limit=limit)
    for outcome in added:
        index = journal.add(exchange(outcome=Outcome.PENDING))
        if outcome is not None:
            journal.finish(index, outcome)
    piece = journal.now(after=after)
    assert piece == tuple(one for one in journal.now() if one.index > after)
    assert [one.index for one in piece] == list(range(max(after + 1, journal.dropped), len(added)))


class Kept:
    """Keeps exchanges elsewhere, as workers that share a journal do."""

    def __init__(self):
        self.begun, self.ended_as = [], {}

    def added(self, exchange):
        """Take note of one that begins."""
        self.begun.append(exchange.index)

    def ended(self, exchange):
        """Take note of how it ended."""
        self.ended_as[exchange.index] = (exchange.outcome, exchange.written)


def test_the_end_of_a_dropped_exchange_is_told_where_it_is_kept_besides():
    """Elsewhere it would be in flight for ever, and whoever waits for its end would keep waiting."""
    sink = Kept()
    journal = Journal(limit=1, sink=sink)
    paced = Delivery(status=200, writes=tuple(Write(data=b"x", delay=1.0) for _ in range(3)))
    for _ in range(3):
        journal.add(exchange(outcome=Outcome.PENDING, delivery=paced))
    journal.wrote(0, 2)
    journal.wrote(2, 1)
    for index in (0, 1, 2, 0):
        journal.finish(index, Outcome.CLIENT_LEFT)
    assert sink.begun == [0, 1, 2]
    left = Outcome.CLIENT_LEFT
    assert sink.ended_as == {0: (left, 2), 1: (left, 0), 2: (left, 1)}
    assert [one.index for one in journal] == [2]
