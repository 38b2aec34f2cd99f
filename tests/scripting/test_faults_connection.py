"""Cuts: exactly where they are asked for, and never silently nowhere."""

import pytest
from fault_samples import draw, streamed, whole
from hypothesis import given
from hypothesis import strategies as st

from mockchat.errors import BadArgument
from mockchat.exchange import Delivery, Ending, Write
from mockchat.scripting.faults import FaultMissed
from mockchat.scripting.faults_connection import ByteCuts, CutStream
from mockchat.scripting.faults_events import KeepAlive
from mockchat.scripting.faults_timing import Pacing
from mockchat.scripting.sent_events import events

SIZE = len(streamed().body)


@given(count=st.integers(0, 5), reset=st.booleans())
def test_a_cut_stream_has_exactly_the_chunks_asked_for(count, reset):
    """Comments and `[DONE]` are no chunks: the place of the cut must not depend on them."""
    noisy = KeepAlive().apply(streamed(), draw())
    cut = CutStream(after_chunks=count, reset=reset).apply(noisy, draw())
    assert [write.data for write in cut.writes if write.data.startswith(b"data")] == [
        write.data for write in streamed().writes[:count]
    ]
    assert cut.ending is (Ending.RESET if reset else Ending.CUT)
    assert cut.writes == events(noisy)[: len(cut.writes)]


@given(size=st.integers(0, SIZE - 1), reset=st.booleans())
def test_a_stream_can_be_cut_at_any_byte(size, reset):
    """Networks do not know where events end."""
    cut = CutStream(after_bytes=size, reset=reset).apply(streamed(), draw())
    assert cut.body == streamed().body[:size]
    assert cut.ending is (Ending.RESET if reset else Ending.CUT)
    body = whole().body
    if size < len(body):
        assert CutStream(after_bytes=size).apply(whole(), draw()).body == body[:size]


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (
            CutStream(after_chunks=6),
            "CutStream(after_chunks=6) cannot happen: the stream has 5 chunks",
        ),
        (
            CutStream(after_bytes=SIZE, reset=True),
            f"CutStream(after_bytes={SIZE}, reset=True) cannot happen: the body has {SIZE} bytes",
        ),
    ],
)
def test_a_cut_that_cannot_happen_is_an_error(fault, text):
    """A fault that silently does nothing makes a test pass for the wrong reason."""
    with pytest.raises(FaultMissed) as caught:
        fault.apply(streamed(), draw())
    assert str(caught.value) == text


@given(body=st.binary(), pieces=st.integers(1, 4))
def test_a_json_reply_is_cut_in_the_middle(body, pieces):
    """A cut reply must look broken also to a caller that does not stream."""
    size = max(1, len(body) // pieces)
    writes = tuple(Write(data=body[at : at + size]) for at in range(0, len(body), size))
    cut = CutStream(after_chunks=5).apply(Delivery(status=200, writes=writes), draw())
    assert cut.body == body[: len(body) // 2]
    assert cut.ending is Ending.CUT


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"after_chunks": -1}, r"CutStream\(after_chunks=\) is -1"),
        ({"after_chunks": "2"}, r"CutStream\(after_chunks=\) is '2'"),
        ({"after_chunks": 1.5}, r"CutStream\(after_chunks=\) is 1\.5"),
        ({"after_chunks": True}, r"CutStream\(after_chunks=\) is True"),
        ({}, r"CutStream\(after_chunks=\) is None"),
        ({"after_bytes": -1}, r"CutStream\(after_bytes=\) is -1"),
        (
            {"after_bytes": 1, "after_chunks": 1},
            r"CutStream\(after_bytes=\) is 1; allowed: nothing",
        ),
    ],
)
def test_a_cut_refuses_what_is_no_place(arguments, message):
    """The wrong argument is told at the call, not by a stream that ends elsewhere."""
    with pytest.raises(BadArgument, match=message):
        CutStream(**arguments)


@given(sizes=st.lists(st.integers(1, 50), max_size=5), seed=st.integers())
def test_byte_cuts_change_no_byte(sizes, seed):
    """The same bytes in other pieces: whoever minds has a bug."""
    once, again = (ByteCuts(sizes=sizes).apply(streamed(), draw(seed)) for _ in range(2))
    assert once == again
    assert once.body == streamed().body
    lengths = [len(write.data) for write in once.writes]
    if sizes:
        wanted = [sizes[place % len(sizes)] for place in range(len(lengths))]
        assert lengths[:-1] == wanted[:-1]
        assert 0 < lengths[-1] <= wanted[-1]


def test_byte_cuts_fall_inside_characters():
    """The cut that decoders get wrong."""
    pieces = [write.data for write in ByteCuts(sizes=[1]).apply(streamed(), draw()).writes]
    assert len(pieces) == SIZE
    assert any(piece[0] >= 0x80 for piece in pieces)


def test_pieces_leave_one_after_the_other():
    """Pieces without a pause travel together, and are no cuts."""
    paced = Pacing(ttft=1, inter_token=2).apply(streamed(), draw())
    cut = ByteCuts(sizes=[SIZE // 2], pause=0.5).apply(paced, draw())
    assert sum(write.delay for write in cut.writes) == sum(w.delay for w in paced.writes) + 0.5 * (
        len(cut.writes) - 1
    )
    assert [write.delay for write in ByteCuts(pause=0).apply(whole(), draw()).writes][1:3] == [0, 0]


@pytest.mark.parametrize("body", [b"", b"x"])
def test_what_cannot_be_cut_is_told(body):
    """One byte has no middle."""
    with pytest.raises(FaultMissed, match=rf"ByteCuts\(\) cannot happen: the body has {len(body)}"):
        ByteCuts().apply(Delivery(status=200, writes=(Write(data=body),)), draw())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sizes": [0]}, r"ByteCuts\(sizes=\) is \[0\]; allowed: whole numbers above 0"),
        ({"pause": -1}, r"ByteCuts\(pause=\) is -1"),
    ],
)
def test_byte_cuts_refuse_what_is_no_size(arguments, message):
    """A piece of nothing would never end."""
    with pytest.raises(BadArgument, match=message):
        ByteCuts(**arguments)
