"""What every client is asked to read: each plan, each named fault, and silences beyond its deadline."""

from dataclasses import dataclass
from typing import Literal

from mockchat import (
    ByteCuts,
    FaultMissed,
    SlowHeaders,
    Stall,
    at_once,
    at_random,
    by_token,
    by_word,
    chunks_of,
    exactly,
    stream_faults,
)
from mockchat.exchange import Delivery, Write
from mockchat.payloads.plans import Plan
from mockchat.payloads.seeded import SeededDraw
from mockchat.scripting.faults import Fault, Occasion

Group = Literal["plan", "fault", "silence"]

USUAL_TIMEOUT = 60.0
"""Seconds: out of reach for a reply that comes, on the slowest machine."""

SHORT_TIMEOUT = 2.0
"""Seconds a client is given where nothing will come for much longer."""

_SILENCE = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One way to send a reply.

    Attributes:
        name: What its row of the page begins with.
        group: Whether the reply is whole and only cut up, is damaged, or does not come in time.
        plan: How the text is cut.
        fault: What goes wrong.
        occasion: What the reply is.
        timeout: The client's, in seconds.
    """

    name: str
    group: Group
    plan: Plan
    fault: Fault | None = None
    occasion: Occasion = "stream"
    timeout: float = USUAL_TIMEOUT

    @property
    def readers(self) -> tuple[str, ...]:
        """How the reply can be asked for so that the case happens to it."""
        happens = self.fault is not None and _happens_to_json(self.fault)
        return ("loop", "helper", *(["reply"] if happens else []))


def _happens_to_json(fault: Fault) -> bool:
    delivery = Delivery(
        status=200,
        headers=(("content-type", "application/json"),),
        writes=(Write(data=b"{}" * 99),),
    )
    try:
        return fault.apply(delivery, SeededDraw(0)) != delivery
    except FaultMissed:
        return False


_PLANS: dict[str, Plan] = {
    "at_once()": at_once(),
    "by_word()": by_word(),
    "by_token()": by_token(),
    "chunks_of(1)": chunks_of(1),
    "exactly([3, 0, 1])": exactly([3, 0, 1]),
    "at_random(7)": at_random(7),
}
_BYTE_CUTS = {
    "chunks_of(4), ByteCuts()": ByteCuts(),
    "chunks_of(4), ByteCuts(sizes=[1], pause=0)": ByteCuts(sizes=[1], pause=0),
    "chunks_of(4), ByteCuts(sizes=[3])": ByteCuts(sizes=[3]),
}
_SILENCES = {
    "SlowHeaders(seconds=300)": SlowHeaders(seconds=_SILENCE),
    "Stall(seconds=300)": Stall(seconds=_SILENCE),
    "Stall(seconds=300, after_chunks=2)": Stall(seconds=_SILENCE, after_chunks=2),
}
_OCCASIONS: tuple[tuple[Occasion, str], ...] = (("stream", ""), ("tool calls", ", tool call"))

CASES = (
    *(
        Case(name=f"`{name}`{said}", group="plan", plan=plan, occasion=occasion)
        for occasion, said in _OCCASIONS
        for name, plan in _PLANS.items()
    ),
    *(
        Case(name=f"`{name}`{said}", group="plan", plan=chunks_of(4), fault=cuts, occasion=occasion)
        for occasion, said in _OCCASIONS
        for name, cuts in _BYTE_CUTS.items()
    ),
    *(
        Case(
            name=f"`{fault}`",
            group="fault",
            plan=chunks_of(4),
            fault=fault,
            occasion=fault.occasion,
        )
        for fault in stream_faults()
    ),
    *(
        Case(
            name=f"`{name}`",
            group="silence",
            plan=chunks_of(4),
            fault=silence,
            timeout=SHORT_TIMEOUT,
        )
        for name, silence in _SILENCES.items()
    ),
)
"""Every case, in the order of the page."""
