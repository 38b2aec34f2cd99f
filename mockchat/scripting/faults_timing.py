"""Timing: when the parts of a reply leave, and waiting that is longer than a client expects."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from mockchat.errors import BadArgument
from mockchat.exchange import Delivery, Write
from mockchat.payloads.draw import Draw
from mockchat.scripting.arguments import is_seconds, is_share, is_whole_number
from mockchat.scripting.faults import Ability, NamedFault, as_written
from mockchat.scripting.sent_events import SentStream, events, halves, is_done, later

_TIMING = frozenset({Ability.TIMING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """When the parts of a reply leave.

    Attributes:
        ttft: Seconds before the first byte (time to first token), of streams and of JSON replies.
        inter_token: Seconds before each further chunk of a stream. `[DONE]` follows at once, as
            it does on the wire, unless `delays` reach so far.
        jitter: How much a delay may differ, as a share of it from 0 to 1; the reply's draw decides,
            so a seed repeats it.
        delays: Recorded seconds before each event, in order, instead of `ttft`; events behind
            their end wait `inter_token`.
    """

    ttft: float = 0.0
    inter_token: float = 0.0
    jitter: float = 0.0
    delays: Sequence[float] = ()

    def __post_init__(self) -> None:
        for name in ("ttft", "inter_token"):
            seconds = getattr(self, name)
            if not is_seconds(seconds):
                raise BadArgument(f"Pacing({name}=)", seconds, "a number of seconds, 0 or more")
        if not is_share(self.jitter):
            raise BadArgument("Pacing(jitter=)", self.jitter, "a share from 0 to 1")
        if not all(map(is_seconds, self.delays)):
            raise BadArgument("Pacing(delays=)", self.delays, "numbers of seconds, 0 or more")
        if self.delays and self.ttft:
            raise BadArgument("Pacing(ttft=)", self.ttft, "nothing beside delays, the first is it")
        object.__setattr__(self, "delays", tuple(self.delays))

    def apply(self, delivery: Delivery, draw: Draw) -> Delivery:
        """Return the delivery with delays added to those it has."""
        seconds = self._seconds(draw)
        sent = events(delivery) if delivery.is_stream else ()
        if not sent:
            held = later(delivery.writes or (Write(data=b""),), next(seconds))
            return replace(delivery, writes=held)
        told = len(self.delays)
        paced = (
            event
            if place >= max(1, told) and is_done(event)
            else replace(event, delay=event.delay + next(seconds))
            for place, event in enumerate(sent)
        )
        return replace(delivery, writes=tuple(paced))

    def _seconds(self, draw: Draw) -> Iterator[float]:
        for seconds in self._exact():
            share = draw.number(1 - self.jitter, 1 + self.jitter) if self.jitter else 1.0
            yield seconds * share

    def _exact(self) -> Iterator[float]:
        yield from self.delays or (self.ttft,)
        while True:
            yield self.inter_token

    __repr__ = as_written


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """Send nothing for a while, in the middle of a reply: what a client's read timeout is for.

    A reply that is no stream stalls in the middle of its body, whatever `after_chunks` says.

    Attributes:
        seconds: How long.
        after_chunks: How many chunks arrive before; 0 stalls behind the head.
    """

    seconds: float
    after_chunks: int = 0
    needs: ClassVar[frozenset[Ability]] = _TIMING

    def __post_init__(self) -> None:
        if not is_seconds(self.seconds):
            raise BadArgument("Stall(seconds=)", self.seconds, "a number of seconds, 0 or more")
        if not is_whole_number(self.after_chunks, lowest=0):
            raise BadArgument(
                "Stall(after_chunks=)", self.after_chunks, "a whole number, 0 or more"
            )

    def apply(self, delivery: Delivery, draw: Draw) -> Delivery:
        """Return the delivery with the pause.

        Raises:
            FaultMissed: The stream has fewer chunks.
        """
        del draw
        if delivery.is_stream:
            stream = SentStream.of(delivery, self)
            before = stream.upto(self.after_chunks)
            behind = stream.events[len(before) :]
            if not before:
                # What the first event waits for holds back the head too; the stall must not.
                held = behind[0].delay if behind else 0.0
                before = (Write(data=b"", delay=held),)
                behind = later(behind, -held)
        else:
            before, behind = halves(delivery)
        return replace(delivery, writes=(*before, *later(behind, self.seconds)))

    __repr__ = as_written


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowHeaders:
    """Hold back everything, status line and headers included.

    Attributes:
        seconds: How long.
    """

    seconds: float
    needs: ClassVar[frozenset[Ability]] = _TIMING

    def __post_init__(self) -> None:
        if not is_seconds(self.seconds):
            message = "a number of seconds, 0 or more"
            raise BadArgument("SlowHeaders(seconds=)", self.seconds, message)

    def apply(self, delivery: Delivery, draw: Draw) -> Delivery:
        """Return the delivery, later."""
        del draw
        return replace(delivery, writes=later(delivery.writes, self.seconds))

    __repr__ = as_written


_SHORT = 0.05
"""Seconds that a named fault waits: felt by a client with a shorter timeout, bearable in a test."""

TIMING_FAULTS = (
    NamedFault(
        name="slow-headers",
        meaning=f"Status line and headers come {_SHORT} s late.",
        source="a preset; reports of long time to first token",
        fault=SlowHeaders(seconds=_SHORT),
        is_survivable=True,
    ),
    NamedFault(
        name="stall-before-first-chunk",
        meaning=f"The head comes at once, the first chunk {_SHORT} s later.",
        source="a preset; reasoning models think so",
        fault=Stall(seconds=_SHORT),
        is_survivable=True,
    ),
    NamedFault(
        name="stall",
        meaning=f"Nothing comes for {_SHORT} s after the second chunk.",
        source="a preset; reports of streams that hang",
        fault=Stall(seconds=_SHORT, after_chunks=2),
        is_survivable=True,
    ),
)
"""The named faults of this room."""
