"""Timing and damage, applied to a finished delivery: pure, so that both are tested without a server."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from mockchat.errors import BadArgument, MockchatError
from mockchat.exchange import Delivery, Ending, Write
from mockchat.scripting.arguments import is_seconds, is_whole_number

_EVENT_END = b"\n\n"
_DONE = b"data: [DONE]"


class FaultMissed(MockchatError, ValueError):
    """A fault that the delivery gives no room for; sending it undamaged would fake a test.

    Args:
        fault: The fault as its author wrote it.
        reason: What the delivery lacks.
    """

    def __init__(self, fault: str, reason: str) -> None:
        super().__init__(fault, reason)
        self.fault = fault
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.fault} cannot happen: {self.reason}"


class Fault(Protocol):
    """One kind of damage: a pure function from a delivery to a worse one.

    Implementations are frozen values whose `repr` is how a test writes them; it stands in journals
    and messages. They may change status, headers, writes, delays and the ending, but do no I/O and
    never draw: chance is drawn where the fault is made.
    """

    def apply(self, delivery: Delivery) -> Delivery:
        """Return the damaged delivery.

        Raises:
            FaultMissed: The delivery has no place where this fault could happen.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """When the parts of a reply leave.

    Attributes:
        ttft: Seconds before the first byte (time to first token), of streams and of JSON replies.
        inter_token: Seconds before each further chunk of a stream. `[DONE]` follows at once, as
            it does on the wire.
    """

    ttft: float = 0.0
    inter_token: float = 0.0

    def __post_init__(self) -> None:
        for name in ("ttft", "inter_token"):
            seconds = getattr(self, name)
            if not is_seconds(seconds):
                raise BadArgument(f"Pacing({name}=)", seconds, "a number of seconds, 0 or more")

    def apply(self, delivery: Delivery) -> Delivery:
        """Return the delivery with delays added to those it has."""
        if not delivery.is_stream:
            return _later(delivery, self.ttft)
        writes = [
            replace(write, delay=write.delay + self._delay(position, write))
            for position, write in enumerate(events(delivery))
        ]
        return replace(delivery, writes=tuple(writes)) if writes else _later(delivery, self.ttft)

    def _delay(self, position: int, write: Write) -> float:
        if position == 0:
            return self.ttft
        return 0.0 if write.data.startswith(_DONE) else self.inter_token


@dataclass(frozen=True, slots=True, kw_only=True)
class CutStream:
    """Close the connection in the middle of a stream.

    A reply that is no stream is cut in the middle of its body, whatever `after_chunks` says: it is
    one chunk, and less than whole is the point.

    Attributes:
        after_chunks: How many chunks arrive whole; 0 cuts after the head.
        reset: True: a TCP reset. False: an orderly close; the body is short all the same.
    """

    after_chunks: int
    reset: bool = False

    def __post_init__(self) -> None:
        if not is_whole_number(self.after_chunks, lowest=0):
            raise BadArgument(
                "CutStream(after_chunks=)", self.after_chunks, "a whole number, 0 or more"
            )

    def apply(self, delivery: Delivery) -> Delivery:
        """Return the delivery without what follows chunk number `after_chunks`.

        Raises:
            FaultMissed: The stream has fewer chunks.
        """
        ending = Ending.RESET if self.reset else Ending.CUT
        if not delivery.is_stream:
            return replace(delivery, writes=tuple(_first_half(delivery)), ending=ending)
        writes = events(delivery)
        ends = [position for position, write in enumerate(writes, 1) if _is_chunk(write)]
        if self.after_chunks > len(ends):
            raise FaultMissed(repr(self), f"the stream has {len(ends)} chunks")
        kept = ends[self.after_chunks - 1] if self.after_chunks else 0
        return replace(delivery, writes=writes[:kept], ending=ending)


def events(delivery: Delivery) -> tuple[Write, ...]:
    """Return the writes of a stream cut anew, one server-sent event each.

    An event leaves with the write that completes it, so its delay is the sum of the delays since
    the event before. Bytes after the last blank line are one write more.
    """
    return tuple(_events(delivery))


def _events(delivery: Delivery) -> Iterator[Write]:
    rest, delay = b"", 0.0
    for write in delivery.writes:
        *whole, rest = (rest + write.data).split(_EVENT_END)
        delay += write.delay
        for event in whole:
            yield Write(data=event + _EVENT_END, delay=delay)
            delay = 0.0
    if rest:
        yield Write(data=rest, delay=delay)


def _is_chunk(event: Write) -> bool:
    return event.data.startswith(b"data:") and not event.data.startswith(_DONE)


def _later(delivery: Delivery, seconds: float) -> Delivery:
    if not delivery.writes:
        return replace(delivery, writes=(Write(data=b"", delay=seconds),))
    first, *others = delivery.writes
    return replace(delivery, writes=(replace(first, delay=first.delay + seconds), *others))


def _first_half(delivery: Delivery) -> Iterator[Write]:
    room = len(delivery.body) // 2
    for write in delivery.writes:
        yield replace(write, data=write.data[:room])
        room = max(0, room - len(write.data))
