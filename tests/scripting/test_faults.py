"""Timing and damage are pure functions of a delivery, so they are tested without a server."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockchat.errors import BadArgument
from mockchat.exchange import Delivery, Ending, Write
from mockchat.scripting.faults import CutStream, FaultMissed, Pacing, events

EVENTS = (b": hello\n\n", b'data: {"n":1}\n\n', b'data: {"n":2}\n\n', b"data: [DONE]\n\n")


def stream(*parts, ending=Ending.COMPLETE):
    """Make a stream of these writes."""
    writes = tuple(Write(data=part) for part in parts)
    return Delivery(status=200, writes=writes, is_stream=True, ending=ending)


def json_reply(body):
    """Make a reply of one write."""
    return Delivery(status=200, writes=(Write(data=body),))


@st.composite
def cut_anywhere(draw):
    """Draw the same stream in writes cut at any bytes, with delays."""
    body = b"".join(EVENTS)
    cuts = sorted(draw(st.sets(st.integers(1, len(body) - 1))))
    edges = [0, *cuts, len(body)]
    delays = draw(st.lists(st.sampled_from([0.0, 0.25]), min_size=len(edges), max_size=len(edges)))
    writes = tuple(
        Write(data=body[a:b], delay=delay)
        for a, b, delay in zip(edges, edges[1:], delays, strict=False)
    )
    return Delivery(status=200, writes=writes, is_stream=True)


@given(delivery=cut_anywhere())
def test_events_are_found_however_the_bytes_were_written(delivery):
    """Whoever writes the stream may join writes; faults count events."""
    found = events(delivery)
    assert tuple(write.data for write in found) == EVENTS
    assert sum(w.delay for w in found) == sum(w.delay for w in delivery.writes)


def test_bytes_after_the_last_event_are_kept():
    """Damage done before must not be repaired."""
    assert [write.data for write in events(stream(b"data: 1\n\nda", b"ta"))] == [
        b"data: 1\n\n",
        b"data",
    ]


@given(delivery=cut_anywhere())
def test_pacing_delays_every_event_and_changes_no_byte(delivery):
    """Pacing is timing alone."""
    paced = Pacing(ttft=1.0, inter_token=0.5).apply(delivery)
    plain = events(delivery)
    assert paced.body == delivery.body
    assert [
        after.delay - before.delay for after, before in zip(paced.writes, plain, strict=True)
    ] == [
        1.0,
        0.5,
        0.5,
        0.0,
    ]


@pytest.mark.parametrize("delivery", [json_reply(b"{}"), stream(), Delivery(status=200)])
def test_pacing_holds_back_the_head_of_what_is_no_stream(delivery):
    """Time to first token is felt by callers that do not stream, too."""
    paced = Pacing(ttft=2.0, inter_token=1.0).apply(delivery)
    assert [write.delay for write in paced.writes] == [2.0]
    assert paced.body == delivery.body


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ttft": -1}, r"Pacing\(ttft=\) is -1; allowed: a number of seconds, 0 or more\."),
        ({"inter_token": "1"}, r"Pacing\(inter_token=\) is '1'"),
        ({"inter_token": True}, r"Pacing\(inter_token=\) is True"),
        ({"ttft": float("nan")}, r"Pacing\(ttft=\) is nan"),
        ({"ttft": float("inf")}, r"Pacing\(ttft=\) is inf"),
    ],
)
def test_pacing_refuses_what_is_no_time(arguments, message):
    """A delay that never ends would hang the test that made it."""
    with pytest.raises(BadArgument, match=message):
        Pacing(**arguments)


@given(delivery=cut_anywhere(), count=st.integers(0, 2), reset=st.booleans())
def test_a_cut_stream_has_exactly_the_chunks_asked_for(delivery, count, reset):
    """Comments and `[DONE]` are no chunks: the place of the cut must not depend on them."""
    cut = CutStream(after_chunks=count, reset=reset).apply(delivery)
    assert [write.data for write in cut.writes if write.data.startswith(b"data")] == list(
        EVENTS[1 : 1 + count]
    )
    assert cut.ending is (Ending.RESET if reset else Ending.CUT)
    assert cut.writes == events(delivery)[: len(cut.writes)]


def test_a_cut_that_cannot_happen_is_an_error():
    """A fault that silently does nothing makes a test pass for the wrong reason."""
    with pytest.raises(FaultMissed) as caught:
        CutStream(after_chunks=3).apply(stream(*EVENTS))
    assert str(caught.value) == (
        "CutStream(after_chunks=3, reset=False) cannot happen: the stream has 2 chunks"
    )


@given(body=st.binary(), pieces=st.integers(1, 4))
def test_a_json_reply_is_cut_in_the_middle(body, pieces):
    """A cut reply must look broken also to a caller that does not stream."""
    size = max(1, len(body) // pieces)
    writes = tuple(Write(data=body[at : at + size]) for at in range(0, len(body), size))
    cut = CutStream(after_chunks=5).apply(Delivery(status=200, writes=writes))
    assert cut.body == body[: len(body) // 2]
    assert cut.ending is Ending.CUT


@pytest.mark.parametrize("count", [-1, "2", 1.5, True, None])
def test_a_cut_refuses_what_is_no_count(count):
    """The wrong argument is told at the call, not by a stream that ends elsewhere."""
    with pytest.raises(BadArgument, match=r"CutStream\(after_chunks=\) is"):
        CutStream(after_chunks=count)
