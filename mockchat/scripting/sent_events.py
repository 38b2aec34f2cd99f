"""A streamed delivery seen as the events it sends, so that faults have places to happen at."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

from mockchat.exchange import Delivery, Write
from mockchat.payloads.encoding import DONE
from mockchat.scripting.faults import Fault, FaultMissed
from mockchat.types import JsonObject

EVENT_END = b"\n\n"
_DONE_START = DONE.removesuffix(EVENT_END)
_DATA = b"data:"


@dataclass(frozen=True, slots=True, kw_only=True)
class SentStream:
    """A stream as its events, and where chunks stand among them.

    Attributes:
        delivery: The delivery they are of.
        events: One write for each event or comment.
        places: The positions of the chunks; comments and `[DONE]` are none.
        fault: Whose places are looked for, for messages.
    """

    delivery: Delivery
    events: tuple[Write, ...]
    places: tuple[int, ...]
    fault: Fault

    @classmethod
    def of(cls, delivery: Delivery, fault: Fault) -> "SentStream":
        """Return the stream that a delivery is.

        Raises:
            FaultMissed: It is none.
        """
        if not delivery.is_stream:
            raise FaultMissed(repr(fault), "the reply is no stream")
        sent = events(delivery)
        places = tuple(place for place, event in enumerate(sent) if is_chunk(event))
        return cls(delivery=delivery, events=sent, places=places, fault=fault)

    def upto(self, chunks: int) -> tuple[Write, ...]:
        """Return the events up to so many whole chunks; 0 is none at all.

        Raises:
            FaultMissed: There are fewer.
        """
        if chunks > len(self.places):
            raise self._too_few()
        return self.events[: self.places[chunks - 1] + 1] if chunks else ()

    def place(self, chunks: int) -> int:
        """Return the position of the chunk that follows so many others.

        Raises:
            FaultMissed: There is none.
        """
        if chunks >= len(self.places):
            raise self._too_few()
        return self.places[chunks]

    def done(self) -> int:
        """Return the position of `[DONE]`.

        Raises:
            FaultMissed: The stream has none.
        """
        for place, event in enumerate(self.events):
            if event.data == DONE:
                return place
        raise FaultMissed(repr(self.fault), "the stream has no [DONE]")

    def chunks(self) -> tuple[JsonObject, ...]:
        """Return the chunks, decoded: the caller's own, to change as it likes.

        Raises:
            FaultMissed: One is no JSON object, because it was damaged before.
        """
        return tuple(self.chunk(place) for place in self.places)

    def chunk(self, place: int) -> JsonObject:
        """Return the chunk at a position, decoded.

        Raises:
            FaultMissed: It is no JSON object, because it was damaged before.
        """
        try:
            chunk = json.loads(self.events[place].data.removeprefix(_DATA))
        except ValueError:
            chunk = None
        if not isinstance(chunk, dict):
            raise FaultMissed(repr(self.fault), "the stream is damaged already")
        return chunk

    def at(self, place: int, *data: bytes) -> Delivery:
        """Return the delivery with other bytes in place of one event, each a write of its own.

        The event's delay is kept: by the first of them or, where there is none, by what follows.
        """
        event, behind = self.events[place], self.events[place + 1 :]
        if data:
            first, *others = data
            instead = (replace(event, data=first), *(Write(data=other) for other in others))
        else:
            instead, behind = (), later(behind, event.delay)
        return self.sending((*self.events[:place], *instead, *behind))

    def sending(self, writes: tuple[Write, ...]) -> Delivery:
        """Return the delivery with other writes."""
        return replace(self.delivery, writes=writes)

    def _too_few(self) -> FaultMissed:
        count = len(self.places)
        noun = "chunk" if count == 1 else "chunks"
        return FaultMissed(repr(self.fault), f"the stream has {count} {noun}")


def events(delivery: Delivery) -> tuple[Write, ...]:
    """Return the writes of a stream cut anew, one server-sent event each.

    An event leaves with the write that completes it, so its delay is the sum of the delays since
    the event before. Bytes after the last blank line are one write more.
    """
    return tuple(_events(delivery))


def _events(delivery: Delivery) -> Iterator[Write]:
    rest, delay = b"", 0.0
    for write in delivery.writes:
        *whole, rest = (rest + write.data).split(EVENT_END)
        delay += write.delay
        for event in whole:
            yield Write(data=event + EVENT_END, delay=delay)
            delay = 0.0
    if rest:
        yield Write(data=rest, delay=delay)


def is_chunk(event: Write) -> bool:
    """Tell whether an event is a chunk, and not a comment or `[DONE]`."""
    return event.data.startswith(_DATA) and not is_done(event)


def is_done(event: Write) -> bool:
    """Tell whether an event is `[DONE]`, or begins like it."""
    return event.data.startswith(_DONE_START)


def later(writes: tuple[Write, ...], seconds: float) -> tuple[Write, ...]:
    """Return the writes with the first one held back, a write of nothing where there is none."""
    if not writes:
        return (Write(data=b"", delay=seconds),) if seconds else ()
    first, *others = writes
    return (replace(first, delay=first.delay + seconds), *others)


def halves(delivery: Delivery) -> tuple[tuple[Write, ...], tuple[Write, ...]]:
    """Return the writes of the body's first half and those of the second."""
    return parted(delivery.writes, len(delivery.body) // 2)


def parted(writes: tuple[Write, ...], size: int) -> tuple[tuple[Write, ...], tuple[Write, ...]]:
    """Return the writes of the first `size` bytes, and the others."""
    before: list[Write] = []
    behind: list[Write] = []
    room = size
    for write in writes:
        head, tail = write.data[:room], write.data[room:]
        room -= len(head)
        if head or not (tail or behind):
            before.append(replace(write, data=head))
        if tail or behind:
            behind.append(replace(write, data=tail, delay=0.0 if head else write.delay))
    return tuple(before), tuple(behind)
