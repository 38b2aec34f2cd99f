"""The clock of a delivery without a socket: what counts as sent, and that its end is told once."""

from itertools import islice

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockchat.exchange import Delivery, Ending, Outcome, Write
from mockchat.server.framing import arrangement
from mockchat.server.ticket import Ticket
from mockchat.server.transports.playing import Playing

HOUR = 3600.0


def playing(*delays, patience=None, **changes):
    """Return a delivery of one byte after each delay, and the list of what it tells."""
    told = []
    writes = tuple(Write(data=b"x", delay=delay) for delay in delays)
    delivery = Delivery(status=200, writes=writes, is_stream=True, **changes)
    ticket = Ticket(delivery=delivery, finish=told.append, wrote=told.append)
    arranged = arrangement(delivery, method="GET", version="HTTP/1.1", keeps_alive=True)
    return Playing(ticket, arranged, errors=httpx2, patience=patience), told


def test_what_leaves_together_is_told_at_once():
    """A server has sent it all before a client has read a byte."""
    played, told = playing(0, 0, 0)
    assert list(played.head()) == []
    assert told == [Outcome.DELIVERED]
    assert list(played.body()) == [b"xxx"]


def test_each_wait_is_for_the_next_send():
    """The caller waits in its own way: a thread sleeps, an event loop does something else."""
    played, told = playing(HOUR, HOUR)
    (first,) = played.head()
    assert first == pytest.approx(HOUR, abs=60)
    second = [step for step in played.body() if isinstance(step, float)]
    # Nobody waited, so the clock of the first still runs.
    assert second == [pytest.approx(2 * HOUR, abs=60)]
    assert told == [1, Outcome.DELIVERED]


def test_what_was_due_counts_as_sent_when_the_client_closes():
    """The connection took it, read or not."""
    played, told = playing(0, 1e-9, 1e-9)
    list(played.head())
    played.close()
    assert told == [1, 2, Outcome.DELIVERED]


def test_the_end_is_told_once():
    """Clients close twice, and read on behind the end; a journal has one outcome."""
    played, told = playing(0, 1e-9, HOUR)
    list(played.head())
    steps = played.body()
    played.close()
    played.close()
    assert list(steps) == []
    del played, steps
    assert [outcome for outcome in told if isinstance(outcome, Outcome)] == [Outcome.CLIENT_LEFT]


def test_a_client_does_not_wait_longer_than_it_says():
    """It waits as long as it said, and is then told by its own exception."""
    played, told = playing(0, HOUR, patience=5.0)
    list(played.head())
    steps = played.body()
    assert [next(steps), next(steps)] == [b"x", 5.0]
    with pytest.raises(httpx2.ReadTimeout):
        next(steps)
    assert told == [1, Outcome.CLIENT_LEFT]


@pytest.mark.parametrize(
    ("ending", "error"),
    [(Ending.CUT, httpx2.RemoteProtocolError), (Ending.RESET, httpx2.ReadError)],
)
def test_a_broken_delivery_is_delivered_as_planned(ending, error):
    """The server did what the test asked for; it is the client that has to cope."""
    played, told = playing(0, ending=ending)
    list(played.head())
    with pytest.raises(error):
        list(played.body())
    assert told == [Outcome.DELIVERED]


@given(
    writes=st.lists(st.tuples(st.binary(max_size=4), st.sampled_from([0.0, 1e-9, HOUR]))),
    is_stream=st.booleans(),
    taken=st.integers(min_value=0, max_value=8),
)
def test_any_delivery_is_played_whole_or_told_to_be_left(writes, is_stream, taken):
    """Whatever the plan: all bytes in order, counted one by one, and one end."""
    told = []
    delivery = Delivery(
        status=200,
        writes=tuple(Write(data=data, delay=delay) for data, delay in writes),
        is_stream=is_stream,
    )
    ticket = Ticket(delivery=delivery, finish=told.append, wrote=told.append)
    arranged = arrangement(delivery, method="GET", version="HTTP/1.1", keeps_alive=True)
    played = Playing(ticket, arranged, errors=httpx2, patience=None)
    list(played.head())
    steps = played.body()
    got = b"".join(step for step in islice(steps, taken) if isinstance(step, bytes))
    assert delivery.body.startswith(got)
    left = [step for step in steps if isinstance(step, bytes)]
    assert got + b"".join(left) == delivery.body
    assert told == [*range(1, len(arranged.sends)), Outcome.DELIVERED]
