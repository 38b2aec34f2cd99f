"""How faults combine, what they need of an adapter, and where the draw comes in."""

from dataclasses import dataclass, replace

import pytest
from fault_samples import draw, streamed, whole
from hypothesis import given
from hypothesis import strategies as st

from mockchat.errors import BadArgument
from mockchat.exchange import Delivery, Ending, Write
from mockchat.scripting.faults import Ability, Effects, FaultMissed, sometimes, together
from mockchat.scripting.faults_connection import ByteCuts, CutStream
from mockchat.scripting.faults_events import DropChunk, KeepAlive
from mockchat.scripting.faults_framing import Framing
from mockchat.scripting.faults_http import ProxyError
from mockchat.scripting.faults_timing import Pacing, SlowHeaders, Stall
from mockchat.scripting.sent_events import events, parted

CUT = CutStream(after_chunks=1)


def test_sometimes_happens_as_often_as_said():
    """A retry loop is tested with a fault that comes now and then, and comes again with its seed."""
    fault = sometimes(CUT, 0.3)
    cut = [fault.apply(streamed(), draw(seed)).ending is Ending.CUT for seed in range(400)]
    assert 80 < sum(cut) < 160
    assert cut == [fault.apply(streamed(), draw(seed)).ending is Ending.CUT for seed in range(400)]


@pytest.mark.parametrize(("p", "ending"), [(0, Ending.COMPLETE), (1.0, Ending.CUT)])
def test_never_and_always_are_probabilities(p, ending):
    """The ends of the scale are exact."""
    assert {sometimes(CUT, p).apply(streamed(), draw(seed)).ending for seed in range(50)} == {
        ending
    }


def test_a_fault_that_cannot_happen_is_told_without_luck():
    """A test must not pass nine times of ten because the impossible was not tried."""
    with pytest.raises(FaultMissed):
        sometimes(CutStream(after_chunks=99), 0).apply(streamed(), draw())


def test_faults_together_happen_in_their_order():
    """Each damages what the one before has left."""
    fault = together(DropChunk(after_chunks=0), CUT)
    undamaged = events(streamed())
    assert fault.apply(streamed(), draw()).writes == undamaged[1:2]


def test_combinations_need_what_their_parts_need():
    """An adapter that cannot reset must learn so before the test runs."""
    reset = CutStream(after_chunks=1, reset=True)
    assert together(reset, sometimes(Stall(seconds=1), 0.5), KeepAlive()).needs == {
        Ability.RESET,
        Ability.TIMING,
    }


def test_combinations_are_written_as_a_test_writes_them():
    """What stands in a message is copied into a test."""
    fault = together(
        sometimes(CUT, 0.25), SlowHeaders(seconds=1), KeepAlive(), Framing(space=False)
    )
    assert repr(fault) == (
        "together(sometimes(CutStream(after_chunks=1), 0.25), SlowHeaders(seconds=1), KeepAlive(), "
        "Framing(space=False))"
    )
    assert repr(Pacing(ttft=1.0)) == "Pacing(ttft=1.0)"
    assert repr(ProxyError(status=502)) == "ProxyError()"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sometimes(CUT, 1.5), r"sometimes\(p\) is 1\.5; allowed: a probability"),
        (lambda: sometimes(CUT, True), r"sometimes\(p\) is True"),
        (lambda: sometimes(CUT, "1"), r"sometimes\(p\) is '1'"),
        (lambda: sometimes("crlf", 1), r"sometimes\(fault\) is 'crlf'; allowed: a fault, such as"),
        (together, r"together\(\) is \(\); allowed: one fault or more"),
        (lambda: together(CUT, Pacing()), r"together\(\) is Pacing\(\); allowed: a fault"),
    ],
)
def test_what_is_no_fault_is_refused_where_it_is_written(make, message):
    """The server's thread is the wrong place to find a typo."""
    with pytest.raises(BadArgument, match=message):
        make()


@dataclass(frozen=True)
class Doubling:
    """A fault of a user's own."""

    needs: frozenset = frozenset()

    def apply(self, delivery, draw):
        """Send everything twice."""
        del draw
        return replace(delivery, writes=delivery.writes * 2)


def test_anybody_can_write_a_fault():
    """The protocol is public: one method, one property."""
    assert together(Doubling(), CUT).apply(streamed(), draw()).body == streamed().writes[0].data
    assert Doubling().apply(whole(), draw()).body == whole().body * 2


@pytest.mark.parametrize(
    ("pacing", "fault", "delays"),
    [
        (None, None, [0, 0, 0, 0, 0, 0]),
        (Pacing(ttft=1), None, [1, 0, 0, 0, 0, 0]),
        (Pacing(ttft=1), DropChunk(after_chunks=0), [1, 0, 0, 0, 0]),
        (Pacing(inter_token=2), CutStream(after_chunks=2), [0, 2]),
    ],
)
def test_timing_comes_before_damage(pacing, fault, delays):
    """A stall or a cut is placed in the timed stream; a dropped chunk hands its wait on."""
    played = Effects(pacing=pacing, fault=fault, draw=draw()).on(streamed())
    assert [write.delay for write in played.writes] == delays


EVENTS = (b": hello\n\n", b'data: {"n":1}\n\n', b'data: {"n":2}\n\n', b"data: [DONE]\n\n")


@st.composite
def cut_anywhere(draw):
    """Draw one stream in writes cut at any bytes, with delays."""
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
    writes = (Write(data=b"data: 1\n\nda"), Write(data=b"ta"))
    sent = events(Delivery(status=200, writes=writes, is_stream=True))
    assert [write.data for write in sent] == [b"data: 1\n\n", b"data"]


@given(delivery=cut_anywhere(), size=st.integers(0, 80))
def test_writes_are_parted_at_any_byte(delivery, size):
    """No byte and no wait may be lost where a body is cut."""
    before, behind = parted(delivery.writes, size)
    assert b"".join(write.data for write in before) == delivery.body[:size]
    assert b"".join(write.data for write in behind) == delivery.body[size:]
    assert sum(w.delay for w in (*before, *behind)) == sum(w.delay for w in delivery.writes)


def test_damage_leaves_the_events_themselves_to_the_next():
    """Cuts inside events are undone by whoever asks for events: their order decides."""
    cut = ByteCuts(sizes=[7]).apply(streamed(), draw())
    assert b"".join(event.data for event in events(cut)) == streamed().body
