"""What the journal keeps of a delivery: what was meant, what left, when, and which attempt it was."""

import json
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import OpenAI

from mockchat.exchange import Delivery, Ending, Exchange, Outcome, Write
from mockchat.payloads.plans import chunks_of
from mockchat.scripting.attempts import Attempts, key_of, linked
from mockchat.scripting.credentials import redact_query, redact_text, secrets_of
from mockchat.scripting.failures import UnfinishedDelivery
from mockchat.scripting.journal import Journal
from mockchat.scripting.script import Script
from mockchat.scripting.scripts import Scripts
from mockchat.scripting.sse import json_events

PATH = "/v1/chat/completions"
CHUNKS = ({"choices": [{"index": 0}]}, {"choices": []})


def exchange(**fields):
    """Make an exchange that has ended well, except for what a test says."""
    usual = {"index": 0, "method": "POST", "path": PATH, "status": 200}
    return Exchange(**(usual | {"outcome": Outcome.DELIVERED} | fields))


def delivery(*writes, **fields):
    """Make a delivery of writes given as bytes, or as bytes with a delay."""
    made = [Write(data=w[0], delay=w[1]) if isinstance(w, tuple) else Write(data=w) for w in writes]
    return Delivery(**({"status": 200, "writes": tuple(made)} | fields))


class Clock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        """Return the time."""
        return self.now


def test_times_are_those_of_the_journals_clock():
    """Whoever tells a client when to come back must know when it was told, pacing included."""
    clock = Clock()
    journal = Journal(clock=clock)
    index = journal.add(
        exchange(
            outcome=Outcome.PENDING,
            received=99.5,
            delivery=delivery((b"a", 0.25), (b"b", 1.0)),
        )
    )
    clock.now = 103.0
    journal.finish(index, Outcome.DELIVERED)
    kept = journal[0]
    assert (kept.received, kept.answered, kept.finished) == (99.5, 100.25, 103.0)


def test_an_undamaged_stream_was_sent_as_meant():
    """The usual case costs nothing: no byte is read again."""
    journal = Journal()
    journal.finish(journal.add(exchange(outcome=Outcome.PENDING, chunks=CHUNKS)), Outcome.DELIVERED)
    assert journal[0].sent_chunks is journal[0].chunks


def test_a_damaged_stream_is_kept_both_ways():
    """A test of what a client made of a fault compares with what was sent, not with what was meant."""
    sent = b'data: {"choices":[{"index":0}]}\r\n\r\ndata: {"cho\n\n: comment\n\ndata: [DONE]\n\n'
    journal = Journal()
    journal.add(exchange(chunks=CHUNKS, delivery=delivery(sent), fault="MalformedJson()"))
    kept = journal[0]
    assert kept.chunks == CHUNKS
    assert kept.sent_chunks == ({"choices": [{"index": 0}]}, '{"cho')
    assert kept.sent == sent


@pytest.mark.parametrize(
    ("sends", "written", "text"),
    [(0, 0, b""), (1, 2, b"ab"), (2, 3, b"abc"), (3, 5, b"abcde"), (9, 5, b"abcde")],
)
def test_what_left_before_the_client_did_is_known(sends, written, text):
    """Writes without a delay leave with the one before them."""
    journal = Journal()
    parts = delivery((b"a", 0.5), b"b", (b"c", 0.1), (b"d", 0.1), b"e")
    index = journal.add(exchange(outcome=Outcome.PENDING, chunks=CHUNKS, delivery=parts))
    journal.wrote(index, sends)
    journal.finish(index, Outcome.CLIENT_LEFT)
    journal.wrote(index, 5)
    journal.finish(index, Outcome.DELIVERED)
    kept = journal[0]
    assert (kept.written, kept.sent, kept.sent_chunks) == (written, text, ())
    assert kept.outcome is Outcome.CLIENT_LEFT


def test_an_adapter_may_fail_without_a_delivery():
    """What cannot be framed has sent nothing."""
    journal = Journal()
    index = journal.add(exchange(outcome=Outcome.PENDING))
    journal.wrote(index, 3)
    journal.finish(index, Outcome.FAILED)
    assert (journal[0].written, journal[0].sent, journal[0].reply_headers) == (0, b"", ())


def test_a_delivery_in_flight_is_read_as_it_is():
    """A test that looks into its own stream sees how far it came."""
    journal = Journal(patience=0.01)
    parts = delivery(b"a", (b"b", 5.0))
    index = journal.add(exchange(outcome=Outcome.PENDING, chunks=CHUNKS, delivery=parts))
    journal.wrote(index, 1)
    (kept,) = journal.unfinished
    assert (kept.written, kept.sent, kept.sent_chunks, kept.finished) == (1, b"a", (), None)


def test_the_time_of_each_paced_send_is_noted():
    """A picture of a stream needs when its chunks left, not when they were to leave."""
    now = iter([0.0, 1.0, 2.5, 9.0, 10.0, 11.0]).__next__
    journal = Journal(clock=now)
    parts = delivery(b"a", (b"b", 0.5), (b"c", 0.5), (b"d", 0.5))
    index = journal.add(exchange(outcome=Outcome.PENDING, chunks=CHUNKS, delivery=parts))
    journal.wrote(index, 1)
    assert journal.now()[0].left_at == (1.0,)
    journal.wrote(index, 3)
    journal.finish(index, Outcome.DELIVERED)
    assert (journal[0].left_at, journal[0].finished) == ((1.0, 2.5, 2.5), 9.0)
    journal.add(exchange(delivery=parts))
    assert journal[1].left_at == ()


def waits(monkeypatch, journal):
    """Return a list to which the longest wait of each read is added."""
    asked = []

    def wait_for(condition, patience):
        asked.append(patience)
        return condition()

    monkeypatch.setattr(journal._changed, "wait_for", wait_for)
    return asked


def test_what_was_waited_for_in_vain_is_not_waited_for_at_each_step(monkeypatch):
    """A test with a stream that hangs fails after two seconds, not after two for each look at it."""
    journal = Journal(patience=5.0)
    asked = waits(monkeypatch, journal)
    parts = delivery(b"a", (b"b", 5.0), (b"c", 5.0))
    index = journal.add(exchange(outcome=Outcome.PENDING, delivery=parts))
    assert len(journal.unfinished) == len(journal.unfinished) == 1
    assert asked == [5.0, 0.1]
    journal.wrote(index, 1)  # it goes on, so it may end
    assert len(journal.unfinished) == 1
    assert len(journal) == len(journal.settled()) == 1  # who reads it by name has a reason to wait
    journal.finish(index, Outcome.DELIVERED)
    assert journal.unfinished == ()
    assert asked == [5.0, 0.1, 5.0, 5.0, 5.0]
    journal.patience = 0.01
    journal.add(exchange(outcome=Outcome.PENDING, delivery=parts))
    assert len(journal.unfinished) == len(journal.unfinished) == 1
    assert asked[-2:] == [0.01, 0.01]


def test_a_reply_on_its_way_fails_the_test_with_what_to_do():
    """A stream that nobody reads hides whatever it would have said."""
    script = Script(name="test_it")
    script.journal.patience = 0.01
    parts = delivery(b"a", (b"b", 5.0), (b"c", 5.0))
    index = script.journal.add(
        exchange(outcome=Outcome.PENDING, delivery=parts, stub="stub 1 (test_x.py:3)")
    )
    script.journal.wrote(index, 1)
    script.verify(is_over=False)
    error = ValueError("the test's own")
    script.verify(error)
    assert not hasattr(error, "__notes__")
    script = Script()
    script.journal.patience = 0.01
    script.journal.add(exchange(outcome=Outcome.PENDING, delivery=parts, stub="stub 1 (x.py:3)"))
    with pytest.raises(UnfinishedDelivery) as caught:
        script.verify()
    assert str(caught.value) == (
        "request 0 (POST /v1/chat/completions) is still being answered by stub 1 (x.py:3): "
        "0 of 3 writes left in time, and 0.01 s were waited for the others.\n"
        "\n"
        "Read the stream to its end or close it (`with stream:`) before the test ends, or give the "
        "reply shorter delays: README.md#streams-timing-errors-and-faults"
    )


def test_an_unscripted_reply_on_its_way_names_no_stub():
    """There is none to name."""
    script = Script(unused="ignore")
    script.journal.patience = 0.01
    script.journal.add(exchange(outcome=Outcome.PENDING))
    with pytest.raises(UnfinishedDelivery, match=r"still being answered: 0 of 0 writes"):
        script.verify()


RETRY = (("x-stainless-retry-count", "1"),)


@pytest.mark.parametrize(
    ("exchanges", "attempts"),
    [
        ([{}, {}], [1, 1]),
        ([{"status": 500}] * 3, [1, 2, 3]),
        ([{"status": 500}, {}, {"status": 500}, {}], [1, 2, 1, 2]),
        ([{"status": 500}, {"path": "/v1/models"}, {}], [1, 1, 2]),
        ([{"status": 500}, {"method": "GET"}], [1, 1]),
        ([{}, {"headers": RETRY}], [1, 2]),
        ([{"headers": RETRY}], [2]),
        ([{"status": 500}, {"status": 500}, {"headers": RETRY}], [1, 2, 3]),
        ([{"status": 500}, {"headers": (("idempotency-key", "other"),)}], [1, 1]),
        ([{"status": 500, "headers": (("idempotency-key", "a"),)}] * 2, [1, 2]),
    ],
)
def test_attempts_at_one_request_are_numbered(exchanges, attempts):
    """A test of retries asks which one this was."""
    journal = Journal(clock=lambda: 0.0)
    for fields in exchanges:
        journal.add(exchange(**fields))
    assert [one.attempt for one in journal] == attempts


def test_equal_requests_side_by_side_are_told_apart_or_not_at_all():
    """Which of two equal requests a third one repeats cannot be seen; a count may tell."""
    first = exchange(index=0, status=500, received=0.0, answered=1.0)
    second = exchange(index=1, status=500, received=0.5, answered=1.0)
    third = exchange(index=2, status=500, received=2.0, answered=2.0, headers=RETRY)
    again = (("x-stainless-retry-count", "2"),)
    counted = exchange(index=3, status=500, received=3.0, answered=3.0, headers=again)
    links = linked([first, second, third, counted])
    assert [links[n].before for n in range(4)] == [(), (), (0, 1), (2,)]
    assert [links[n].attempt for n in range(4)] == [1, 1, 2, 3]


def test_attempts_are_numbered_beyond_what_is_kept():
    """A storm of retries is the very thing that fills a journal."""
    journal = Journal(limit=2, clock=lambda: 0.0)
    for _ in range(7):
        journal.add(exchange(status=500))
    assert [one.attempt for one in journal] == [6, 7]


def test_memory_of_attempts_is_bounded():
    """A soak test asks a million different questions."""
    attempts = Attempts(limit=3)

    def link(**fields):
        one = exchange(**fields)
        return attempts.link(one, key_of(one))

    for number in range(10):
        link(index=number, status=500, request=number)
    assert link(index=10, request=0).before == ()
    assert link(index=11, request=9).before == (9,)


def test_the_attempt_after_one_in_flight_is_numbered_anew_when_that_has_ended():
    """A client that gave up waiting came back before the server knew."""
    journal = Journal(patience=0.01, clock=lambda: 0.0)
    index = journal.add(exchange(outcome=Outcome.PENDING))
    journal.add(exchange())
    assert [one.attempt for one in journal] == [1, 1]
    journal.finish(index, Outcome.CLIENT_LEFT)
    assert [one.attempt for one in journal] == [1, 2]


def test_a_dropped_exchange_in_flight_ends_in_silence():
    """Nobody can read it, but its repetition is one."""
    journal = Journal(limit=1, clock=lambda: 0.0)
    index = journal.add(exchange(outcome=Outcome.PENDING, ending=Ending.CUT))
    journal.add(exchange())
    journal.finish(index, Outcome.DELIVERED)
    assert [one.attempt for one in journal] == [2]


@given(st.lists(st.sampled_from([200, 500]), max_size=12), st.integers(1, 4))
def test_reading_in_between_changes_no_number(statuses, limit):
    """A test may look at its journal as often as it likes."""
    often, once = (Journal(limit=limit, clock=lambda: 0.0) for _ in range(2))
    for status in statuses:
        for journal in (often, once):
            journal.add(exchange(status=status))
        often.settled()
    assert often.settled() == once.settled()


@pytest.mark.parametrize(
    ("said", "count"),
    [
        ("0", 0),
        ("2", 2),
        ("007", 7),
        ("9" * 5000, 999_999_999),
        ("", None),
        ("x", None),
        ("-1", None),
        ("\N{SUPERSCRIPT TWO}", None),
    ],
)
def test_a_clients_count_is_read_with_care(said, count):
    """A header holds any text."""
    assert exchange(headers=(("X-Stainless-Retry-Count", said),)).retry_count == count


SECRET = "open sesame"
SENDERS = [
    {"headers": (("authorization", f"Bearer {SECRET}"),)},
    {"headers": (("cookie", f"a=b; session={SECRET}"),)},
    {"headers": (("api-key", SECRET),)},
    {"query": "api-version=1&api-key=open+sesame"},
]


@pytest.mark.parametrize("sender", SENDERS, ids=lambda sender: next(iter(sender)))
def test_a_credential_that_looks_like_nothing_is_redacted_everywhere(sender):
    """Error texts quote keys, and not every key begins with sk-."""
    journal = Journal()
    text = f"Incorrect API key: {SECRET}."
    journal.add(
        exchange(
            status=401,
            reply={"error": {"message": text}},
            mismatches=(f"stub 1: it is {text}",),
            delivery=delivery(
                json.dumps(text).encode(), status=401, headers=(("set-cookie", SECRET), ("a", "b"))
            ),
            **sender,
        )
    )
    kept = journal[0]
    assert SECRET not in repr(kept)
    assert "sesame" not in repr(kept)
    assert kept.reply == {"error": {"message": "Incorrect API key: [redacted]."}}
    assert kept.sent == b'"Incorrect API key: [redacted]."'
    assert kept.reply_headers == (("set-cookie", "[redacted]"), ("a", "b"))


@pytest.mark.parametrize(
    ("query", "clean"),
    [
        ("", ""),
        ("api-version=2024-10-21", "api-version=2024-10-21"),
        ("limit=1&key=abc&after=x", "limit=1&key=[redacted]&after=x"),
        ("api_key=a%20b", "api_key=[redacted]"),
        ("X-Amz-Signature=abc", "X-Amz-Signature=[redacted]"),
        ("monkey=1&tokens=2", "monkey=1&tokens=2"),
        ("key=", "key="),
    ],
)
def test_credentials_in_a_query_are_redacted(query, clean):
    """Azure and Google take keys there, and a URL is in every log."""
    assert redact_query(query) == clean
    assert redact_query(clean) == clean
    assert redact_text(f"GET http://host/v1?{query} failed") == f"GET http://host/v1?{clean} failed"


def test_short_credentials_are_not_looked_for_in_texts():
    """A key called `any` would leave holes in many words."""
    assert secrets_of((("authorization", "Bearer any"), ("accept", "*/*")), "key=any") == (
        "Bearer any",
    )


def test_events_are_read_as_a_client_reads_them():
    """What was sent is told in the client's terms, whatever it was."""
    assert json_events(b"<html>") == ()
    assert json_events(b"data: 1\n\ndata: [\n\ndata: {}") == (1, "[", {})
    deep = b"[" * 100_000
    assert json_events(b"data: " + deep) == (deep.decode(),)


def test_a_read_waits_for_all_of_several_deliveries():
    """The last one counts."""
    journal = Journal(patience=30)
    indexes = [journal.add(exchange(outcome=Outcome.PENDING)) for _ in range(3)]
    seen = []
    reader = threading.Thread(target=lambda: seen.extend(one.outcome for one in journal))
    reader.start()
    for index in indexes:
        journal.finish(index, Outcome.DELIVERED)
    reader.join()
    assert seen == [Outcome.DELIVERED] * 3


def test_late_requests_are_bounded_and_counted():
    """A client that never stops must not fill the memory."""
    scripts = Scripts()
    for number in range(1003):
        scripts.refuse(f"POST /{number}", None)
    assert (len(scripts.late), scripts.late_count) == (1000, 1003)
    assert scripts.late[0].request == "POST /0"


def test_plans_are_seen_in_the_journal(mockchat):
    """From end to end: what was meant, what left, and when."""
    mockchat.reply("Hello, world", plan=chunks_of(5))
    request = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello?"}]}
    list(OpenAI().chat.completions.create(**request, stream=True))
    kept = mockchat.journal.last
    assert kept.sent_chunks == kept.chunks
    assert kept.sent == kept.delivery.body
    assert kept.written == len(kept.delivery.writes)
    assert kept.received <= kept.answered <= kept.finished
    assert (kept.attempt, kept.retry_count, kept.fault, kept.query) == (1, 0, None, "")
