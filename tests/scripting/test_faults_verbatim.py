"""Bytes as they once went over the wire."""

import pytest

from mockchat import Verbatim
from mockchat.errors import BadArgument
from mockchat.exchange import Delivery, Ending, Write
from mockchat.payloads.seeded import SeededDraw
from mockchat.scripting.faults import NOTHING, Ability

WHOLE = Delivery(status=200, headers=(("x-a", "b"),), writes=(Write(data=b"{}", delay=3.0),))


def applied(fault):
    """Return what a fault makes of a reply."""
    return fault.apply(WHOLE, SeededDraw(0))


def test_nothing_of_the_reply_is_left():
    """A recorder's file must not depend on what else the server would have said."""
    fault = Verbatim(status=502, headers=(("content-type", "text/html"),), pieces=[(0.5, "<p>é")])
    assert applied(fault) == Delivery(
        status=502,
        headers=(("content-type", "text/html"),),
        writes=(Write(data="<p>é".encode(), delay=0.5),),
    )
    assert repr(fault).startswith("Verbatim(status=502, ")


def test_bytes_that_are_no_text_come_as_base64():
    """Compressed or broken bodies have no characters."""
    fault = Verbatim(status=200, pieces=[(0, "/wA="), (0, "/w==")], base64=True, is_stream=True)
    delivery = applied(fault)
    assert (delivery.body, delivery.is_stream, delivery.ending) == (
        b"\xff\x00\xff",
        True,
        Ending.COMPLETE,
    )


@pytest.mark.parametrize(
    ("fault", "ending", "needs"),
    [
        (Verbatim(status=200, pieces=[(0, "x")]), Ending.COMPLETE, NOTHING),
        (Verbatim(status=200, pieces=[(1, "x")]), Ending.COMPLETE, {Ability.TIMING}),
        (Verbatim(status=200, pieces=[], ending="cut"), Ending.CUT, {Ability.CUT}),
        (Verbatim(status=200, pieces=[], ending="reset"), Ending.RESET, {Ability.RESET}),
    ],
)
def test_it_ends_as_it_ended_and_says_what_that_needs(fault, ending, needs):
    """An adapter that cannot reset refuses such a recording at once."""
    assert (applied(fault).ending, fault.needs) == (ending, frozenset(needs))


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"status": 99}, "status"),
        ({"status": 600}, "status"),
        ({"ending": "later"}, "ending"),
        ({"pieces": [(-1, "x")]}, "pieces"),
        ({"pieces": [(0, b"x")]}, "pieces"),
        ({"pieces": [(0, "x")], "base64": True}, "pieces"),
    ],
)
def test_what_cannot_be_sent_is_refused_where_it_is_written(arguments, name):
    """A wrong recording is told by its line, not by a client."""
    with pytest.raises(BadArgument, match=rf"Verbatim\({name}=\) is"):
        Verbatim(**{"status": 200, "pieces": [], **arguments})
