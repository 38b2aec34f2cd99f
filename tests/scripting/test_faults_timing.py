"""Pacing and stalls: waiting, and not one byte besides."""

import pytest
from fault_samples import draw, streamed, whole
from hypothesis import given
from hypothesis import strategies as st

from mockchat.errors import BadArgument
from mockchat.exchange import Delivery, Write
from mockchat.scripting.faults import FaultMissed
from mockchat.scripting.faults_events import KeepAlive
from mockchat.scripting.faults_timing import Pacing, SlowHeaders, Stall

EMPTY = Delivery(status=200, is_stream=True)


def waits(delivery):
    """Return the delays of a delivery's writes."""
    return [round(write.delay, 6) for write in delivery.writes]


@pytest.mark.parametrize(
    ("pacing", "delays"),
    [
        (Pacing(), [0, 0, 0, 0, 0, 0]),
        (Pacing(ttft=1.0, inter_token=0.5), [1.0, 0.5, 0.5, 0.5, 0.5, 0]),
        (Pacing(delays=[0.3, 0.1]), [0.3, 0.1, 0, 0, 0, 0]),
        (Pacing(delays=(0.3, 0.1), inter_token=0.2), [0.3, 0.1, 0.2, 0.2, 0.2, 0]),
        (Pacing(delays=[1, 2, 3, 4, 5]), [1, 2, 3, 4, 5, 0]),
        (Pacing(delays=[1, 2, 3, 4, 5, 6, 7, 8]), [1, 2, 3, 4, 5, 6]),
    ],
)
def test_pacing_delays_every_event_and_changes_no_byte(pacing, delays):
    """Pacing is timing alone; `[DONE]` follows at once, unless it was recorded later."""
    paced = pacing.apply(streamed(), draw())
    assert waits(paced) == delays
    assert paced.body == streamed().body


def test_pacing_adds_to_the_delays_that_are_there():
    """What was timed before stays timed."""
    twice = Pacing(ttft=1).apply(Pacing(ttft=1, inter_token=2).apply(streamed(), draw()), draw())
    assert waits(twice) == [2, 2, 2, 2, 2, 0]


@given(seed=st.integers(), jitter=st.floats(0, 1))
def test_jitter_stays_within_its_share_and_repeats_with_its_seed(seed, jitter):
    """Real gaps differ; a test that met a bad one must meet it again."""
    pacing = Pacing(ttft=1.0, inter_token=0.5, jitter=jitter)
    once, again = (pacing.apply(streamed(), draw(seed)) for _ in range(2))
    assert once == again
    for write, exact in zip(once.writes, [1, 0.5, 0.5, 0.5, 0.5, 0], strict=True):
        assert exact * (1 - jitter) - 1e-9 <= write.delay <= exact * (1 + jitter) + 1e-9


def test_jitter_differs_from_event_to_event():
    """Gaps that are all alike hide what gaps that differ show."""
    paced = Pacing(inter_token=1.0, jitter=0.5).apply(streamed(), draw())
    assert len(set(waits(paced))) == len(paced.writes) - 1


@pytest.mark.parametrize("delivery", [whole(), EMPTY, Delivery(status=200)])
@pytest.mark.parametrize("pacing", [Pacing(ttft=2.0, inter_token=1.0), Pacing(delays=[2.0, 1.0])])
def test_pacing_holds_back_the_head_of_what_is_no_stream(delivery, pacing):
    """Time to first token is felt by callers that do not stream, too."""
    paced = pacing.apply(delivery, draw())
    assert waits(paced) == [2.0]
    assert paced.body == delivery.body


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ttft": -1}, r"Pacing\(ttft=\) is -1; allowed: a number of seconds, 0 or more\."),
        ({"inter_token": "1"}, r"Pacing\(inter_token=\) is '1'"),
        ({"inter_token": True}, r"Pacing\(inter_token=\) is True"),
        ({"ttft": float("nan")}, r"Pacing\(ttft=\) is nan"),
        ({"ttft": float("inf")}, r"Pacing\(ttft=\) is inf"),
        ({"jitter": 1.5}, r"Pacing\(jitter=\) is 1\.5; allowed: a share from 0 to 1\."),
        ({"jitter": -0.5}, r"Pacing\(jitter=\) is -0\.5"),
        ({"delays": [1, -1]}, r"Pacing\(delays=\) is \[1, -1\]"),
        ({"delays": "1"}, r"Pacing\(delays=\) is '1'"),
        ({"delays": [1], "ttft": 1}, r"Pacing\(ttft=\) is 1; allowed: nothing beside delays"),
    ],
)
def test_pacing_refuses_what_is_no_time(arguments, message):
    """A delay that never ends would hang the test that made it."""
    with pytest.raises(BadArgument, match=message):
        Pacing(**arguments)


@pytest.mark.parametrize(
    ("after", "delays"),
    [
        (0, [0, 3, 0, 0, 0, 0, 0]),
        (1, [0, 3, 0, 0, 0, 0]),
        (2, [0, 0, 3, 0, 0, 0]),
        (5, [0, 0, 0, 0, 0, 3]),
    ],
)
def test_a_stall_waits_after_so_many_chunks(after, delays):
    """Behind the head, between two chunks, before `[DONE]`: each meets another timeout."""
    stalled = Stall(seconds=3, after_chunks=after).apply(streamed(), draw())
    assert waits(stalled) == delays
    assert stalled.body == streamed().body


def test_a_stall_behind_the_head_leaves_the_head_its_time():
    """What the first token waited for before still holds back the head."""
    paced = Pacing(ttft=1, inter_token=2).apply(streamed(), draw())
    assert waits(Stall(seconds=3).apply(paced, draw())) == [1, 3, 2, 2, 2, 2, 0]


def test_a_stall_of_a_json_reply_is_in_its_middle():
    """Half a body and then nothing, for a while."""
    stalled = Stall(seconds=3, after_chunks=9).apply(whole(), draw())
    assert waits(stalled) == [0, 3]
    assert stalled.body == whole().body


def test_a_stall_of_nothing_still_waits():
    """An empty body has an end to wait for."""
    assert waits(Stall(seconds=3).apply(EMPTY, draw())) == [0, 3]


def test_a_stall_behind_chunks_that_are_not_there_is_an_error():
    """A stall that never comes makes a timeout's test pass for the wrong reason."""
    with pytest.raises(FaultMissed) as caught:
        Stall(seconds=3, after_chunks=6).apply(streamed(), draw())
    assert str(caught.value) == (
        "Stall(seconds=3, after_chunks=6) cannot happen: the stream has 5 chunks"
    )


@pytest.mark.parametrize(
    ("delivery", "delays"), [(streamed(), [2, 0, 0, 0, 0, 0]), (whole(), [2]), (EMPTY, [2])]
)
def test_slow_headers_hold_back_everything(delivery, delays):
    """The client's timeout for the head is another than that between two chunks."""
    slow = SlowHeaders(seconds=2).apply(delivery, draw())
    assert waits(slow) == delays
    assert slow.body == delivery.body


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Stall(seconds=-1), r"Stall\(seconds=\) is -1"),
        (lambda: Stall(seconds=1, after_chunks=1.5), r"Stall\(after_chunks=\) is 1\.5"),
        (lambda: SlowHeaders(seconds="2"), r"SlowHeaders\(seconds=\) is '2'"),
    ],
)
def test_what_is_no_wait_is_refused(make, message):
    """Told at the call, not by a test that hangs."""
    with pytest.raises(BadArgument, match=message):
        make()


def test_comments_keep_the_time_of_their_event():
    """A comment sent for keeping alive must not come all at once at the start."""
    paced = Pacing(ttft=1, inter_token=2).apply(streamed(), draw())
    assert waits(KeepAlive().apply(paced, draw())) == [1, 2, 2, 2, 2, 0]
    held = Delivery(status=200, writes=(Write(data=b"{}", delay=4),))
    assert waits(KeepAlive().apply(held, draw())) == [4, 0]
