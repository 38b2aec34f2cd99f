"""Faults of the connection: closed, reset, or cut into pieces that no event ends at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from typing import ClassVar

from mockchat.errors import BadArgument
from mockchat.exchange import Delivery, Ending, Write
from mockchat.payloads.draw import Draw
from mockchat.scripting.arguments import is_seconds, is_whole_number
from mockchat.scripting.faults import Ability, FaultMissed, NamedFault, as_written
from mockchat.scripting.sent_events import SentStream, halves, parted


@dataclass(frozen=True, slots=True, kw_only=True)
class CutStream:
    """Close the connection in the middle of a stream: `CutStream(after_chunks=2)`.

    A reply that is no stream is cut in the middle of its body, whatever `after_chunks` says: it is
    one chunk, and less than whole is the point.

    Attributes:
        after_chunks: How many chunks arrive whole; 0 cuts after the head.
        after_bytes: How many bytes of the body arrive, instead of chunks.
        reset: True: a TCP reset. False: an orderly close; the body is short all the same.
    """

    after_chunks: int | None = None
    after_bytes: int | None = None
    reset: bool = False

    def __post_init__(self) -> None:
        name = "after_chunks" if self.after_bytes is None else "after_bytes"
        count = getattr(self, name)
        if not is_whole_number(count, lowest=0):
            raise BadArgument(f"CutStream({name}=)", count, "a whole number, 0 or more")
        if None not in {self.after_chunks, self.after_bytes}:
            raise BadArgument("CutStream(after_bytes=)", count, "nothing beside after_chunks")

    @property
    def needs(self) -> frozenset[Ability]:
        """What an adapter must be able to do for it."""
        return frozenset({Ability.RESET if self.reset else Ability.CUT})

    def apply(self, delivery: Delivery, draw: Draw) -> Delivery:
        """Return the delivery without what follows the cut.

        Raises:
            FaultMissed: The stream has fewer chunks, or the body no more bytes.
        """
        del draw
        if self.after_bytes is not None:
            if self.after_bytes >= len(delivery.body):
                raise FaultMissed(repr(self), f"the body has {len(delivery.body)} bytes")
            kept, _ = parted(delivery.writes, self.after_bytes)
        elif delivery.is_stream:
            kept = SentStream.of(delivery, self).upto(self.after_chunks or 0)
        else:
            kept, _ = halves(delivery)
        ending = Ending.RESET if self.reset else Ending.CUT
        return replace(delivery, writes=kept, ending=ending)

    __repr__ = as_written


@dataclass(frozen=True, slots=True, kw_only=True)
class ByteCuts:
    """Send the body in pieces cut anywhere: inside events, escapes and UTF-8 characters.

    Every network may do so; whoever decodes piece by piece gets it wrong.

    Attributes:
        sizes: The pieces' sizes in bytes, from the start again at their end; () leaves them to the
            reply's draw.
        pause: Seconds before each piece but the first. Without any, pieces travel together.
    """

    sizes: Sequence[int] = ()
    pause: float = 0.001
    needs: ClassVar[frozenset[Ability]] = frozenset({Ability.WRITES, Ability.TIMING})

    def __post_init__(self) -> None:
        if not all(is_whole_number(size, lowest=1) for size in self.sizes):
            raise BadArgument("ByteCuts(sizes=)", self.sizes, "whole numbers above 0")
        if not is_seconds(self.pause):
            raise BadArgument("ByteCuts(pause=)", self.pause, "a number of seconds, 0 or more")
        object.__setattr__(self, "sizes", tuple(self.sizes))

    def apply(self, delivery: Delivery, draw: Draw) -> Delivery:
        """Return the delivery in other writes; its delays stay where they are in the body.

        Raises:
            FaultMissed: The body has less than two bytes, and so no place to be cut.
        """
        if len(delivery.body) < 2:  # noqa: PLR2004 - what can be parted
            raise FaultMissed(repr(self), f"the body has {len(delivery.body)} bytes")
        return replace(delivery, writes=tuple(self._pieces(delivery, draw)))

    def _pieces(self, delivery: Delivery, draw: Draw) -> Iterator[Write]:
        rest, pause = delivery.writes, 0.0
        for size in self._sizes(draw):
            piece, rest = parted(rest, size)
            delay = pause + sum(write.delay for write in piece)
            yield Write(data=b"".join(write.data for write in piece), delay=delay)
            pause = self.pause
            if not rest:
                return

    def _sizes(self, draw: Draw) -> Iterator[int]:
        if self.sizes:
            yield from cycle(self.sizes)
        while True:
            yield draw.integer(1, _LARGEST_PIECE)

    __repr__ = as_written


_LARGEST_PIECE = 64

_CUT_BREAKS = frozenset({"stream.ending", "stream.done-missing", "stream.finish-missing"})

CONNECTION_FAULTS = (
    NamedFault(
        name="cut",
        meaning="The connection closes after the second chunk, the HTTP body unfinished.",
        source="a preset; reports of dropped connections",
        fault=CutStream(after_chunks=2),
        breaks=_CUT_BREAKS,
    ),
    NamedFault(
        name="cut-in-event",
        meaning="The connection closes inside the first chunk, the HTTP body unfinished.",
        source="a preset; reports of dropped connections",
        fault=CutStream(after_bytes=40),
        breaks=frozenset({"stream.ending", "stream.done-missing", "stream.choice-missing"}),
    ),
    NamedFault(
        name="reset",
        meaning="The connection is reset after the second chunk.",
        source="a preset; reports of dropped connections",
        fault=CutStream(after_chunks=2, reset=True),
        breaks=_CUT_BREAKS,
    ),
    NamedFault(
        name="byte-cuts",
        meaning="The bytes come in pieces cut anywhere, also inside a character.",
        source="RFC 9112: a body's pieces mean nothing",
        fault=ByteCuts(),
        is_survivable=True,
    ),
)
"""The named faults of this room."""
