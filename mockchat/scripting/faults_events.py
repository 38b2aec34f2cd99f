"""Faults of whole events in the middle of a stream: malformed, doubled, missing, foreign."""

from dataclasses import dataclass, replace
from typing import ClassVar

from mockchat.errors import BadArgument
from mockchat.exchange import Delivery, Write
from mockchat.payloads.draw import Draw
from mockchat.scripting.arguments import is_line, is_whole_number
from mockchat.scripting.faults import NOTHING, Ability, NamedFault, as_written
from mockchat.scripting.sent_events import EVENT_END, SentStream, later


def check_after_chunks(fault: object, count: object) -> None:
    """Refuse what is no count of chunks.

    Raises:
        BadArgument: `count` is not a whole number, 0 or more.
    """
    if not is_whole_number(count, lowest=0):
        name = f"{type(fault).__name__}(after_chunks=)"
        raise BadArgument(name, count, "a whole number, 0 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class MalformedJson:
    """Break off the JSON of one chunk in its middle; the stream goes on.

    Attributes:
        after_chunks: How many whole chunks come before it.
    """

    after_chunks: int
    needs: ClassVar[frozenset[Ability]] = NOTHING

    def __post_init__(self) -> None:
        check_after_chunks(self, self.after_chunks)

    def apply(self, delivery: Delivery, draw: Draw) -> Delivery:
        """Return the damaged delivery.

        Raises:
            FaultMissed: There is no such chunk.
        """
        del draw
        stream = SentStream.of(delivery, self)
        place = stream.place(self.after_chunks)
        text = stream.events[place].data.removesuffix(EVENT_END).decode()
        return stream.at(place, text[: len(text) // 2].encode() + EVENT_END)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyData:
    """Send an event whose data is empty.

    Attributes:
        after_chunks: How many chunks come before it.
    """

    after_chunks: int
    needs: ClassVar[frozenset[Ability]] = NOTHING

    def __post_init__(self) -> None:
        check_after_chunks(self, self.after_chunks)

    def apply(self, delivery: Delivery, draw: Draw) -> Delivery:
        """Return the delivery with one event more.

        Raises:
            FaultMissed: The stream has fewer chunks.
        """
        del draw
        stream = SentStream.of(delivery, self)
        before = stream.upto(self.after_chunks)
        return stream.sending((*before, Write(data=b"data: \n\n"), *stream.events[len(before) :]))


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateChunk:
    """Send one chunk twice.

    Attributes:
        after_chunks: How many chunks come before it.
    """

    after_chunks: int
    needs: ClassVar[frozenset[Ability]] = NOTHING

    def __post_init__(self) -> None:
        check_after_chunks(self, self.after_chunks)

    def apply(self, delivery: Delivery, draw: Draw) -> Delivery:
        """Return the delivery with one event more.

        Raises:
            FaultMissed: There is no such chunk.
        """
        del draw
        stream = SentStream.of(delivery, self)
        place = stream.place(self.after_chunks)
        return stream.at(place, *(stream.events[place].data,) * 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class DropChunk:
    """Leave out one chunk.

    Attributes:
        after_chunks: How many chunks come before it.
    """

    after_chunks: int
    needs: ClassVar[frozenset[Ability]] = NOTHING

    def __post_init__(self) -> None:
        check_after_chunks(self, self.after_chunks)

    def apply(self, delivery: Delivery, draw: Draw) -> Delivery:
        """Return the delivery with one event less.

        Raises:
            FaultMissed: There is no such chunk.
        """
        del draw
        stream = SentStream.of(delivery, self)
        return stream.at(stream.place(self.after_chunks))


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlField:
    """Put a field before the data of one chunk, which the standard allows and OpenAI never does.

    Attributes:
        line: The line, such as "event: error", "id: 1" or "retry: 10".
        after_chunks: How many chunks come before it.
    """

    line: str
    after_chunks: int
    needs: ClassVar[frozenset[Ability]] = NOTHING

    def __post_init__(self) -> None:
        is_known = is_line(self.line) and self.line.partition(":")[0] in {"event", "id", "retry"}
        if not is_known:
            raise BadArgument("ControlField(line=)", self.line, "a line of event, id or retry")
        check_after_chunks(self, self.after_chunks)

    def apply(self, delivery: Delivery, draw: Draw) -> Delivery:
        """Return the delivery with one line more.

        Raises:
            FaultMissed: There is no such chunk.
        """
        del draw
        stream = SentStream.of(delivery, self)
        place = stream.place(self.after_chunks)
        return stream.at(place, self.line.encode() + b"\n" + stream.events[place].data)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepAlive:
    """Send a comment before each event, as servers do to keep a connection open.

    A reply that is no stream begins with a blank line instead, as DeepSeek's do.

    Attributes:
        comment: The comment's text.
    """

    comment: str = "keep-alive"
    needs: ClassVar[frozenset[Ability]] = NOTHING

    def __post_init__(self) -> None:
        if not is_line(self.comment):
            raise BadArgument("KeepAlive(comment=)", self.comment, "text of one line")

    def apply(self, delivery: Delivery, draw: Draw) -> Delivery:
        """Return the delivery with what clients read over."""
        del draw
        if not delivery.is_stream:
            held = delivery.writes[0].delay if delivery.writes else 0.0
            first = Write(data=b"\n", delay=held)
            return replace(delivery, writes=(first, *later(delivery.writes, -held)))
        comment = f": {self.comment}\n\n".encode()
        stream = SentStream.of(delivery, self)
        return stream.sending(
            tuple(replace(event, data=comment + event.data) for event in stream.events)
        )

    __repr__ = as_written


EVENT_FAULTS = (
    NamedFault(
        name="malformed-json",
        meaning="The JSON of one chunk breaks off; the stream goes on.",
        source="openai 1.109 to 3.51, run: JSONDecodeError; openai-node 7, run: SyntaxError",
        fault=MalformedJson(after_chunks=2),
        breaks=frozenset({"stream.data-json"}),
    ),
    NamedFault(
        name="empty-data",
        meaning="The data of an event is empty.",
        source="openai 1.109 to 3.51, run: JSONDecodeError",
        fault=EmptyData(after_chunks=2),
        breaks=frozenset({"stream.data-json"}),
    ),
    NamedFault(
        name="duplicate-chunk",
        meaning="A chunk of text comes twice.",
        source="a preset; bytes alone do not show it, the counts of usage may",
        fault=DuplicateChunk(after_chunks=1),
    ),
    NamedFault(
        name="dropped-chunk",
        meaning="A chunk of text is missing.",
        source="a preset; bytes alone do not show it, the counts of usage may",
        fault=DropChunk(after_chunks=1),
    ),
    NamedFault(
        name="dropped-first-chunk",
        meaning="The chunk with the role is missing.",
        source="a preset",
        fault=DropChunk(after_chunks=0),
        is_survivable=True,
        breaks=frozenset({"stream.role-first"}),
    ),
    NamedFault(
        name="keep-alive-comments",
        meaning="Comments stand between the events.",
        source="OpenRouter, recorded; DeepSeek, documented; LiteLLM, read",
        fault=KeepAlive(),
        is_survivable=True,
    ),
    NamedFault(
        name="named-event",
        meaning="A chunk without error has a line `event: error` before it.",
        source="openai 1.109 to 3.51, run: read as a chunk; openai-node 7, run: APIError",
        fault=ControlField(line="event: error", after_chunks=1),
        is_survivable=True,
        breaks=frozenset({"stream.control-field"}),
    ),
)
"""The named faults of this room."""
