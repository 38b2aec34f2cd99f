"""Faults of framing: the same events in other bytes."""

import json
from dataclasses import dataclass
from typing import ClassVar

from mockchat.errors import BadArgument
from mockchat.exchange import Delivery, Write
from mockchat.payloads.draw import Draw
from mockchat.scripting.faults import NOTHING, Ability, NamedFault, as_written
from mockchat.scripting.sent_events import EVENT_END, SentStream, is_chunk

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Framing:
    r"""Frame the events of a stream in another way than OpenAI does.

    Attributes:
        line_end: What ends a line: "\n", "\r\n" or "\r".
        blank_lines: Whether a blank line follows each event; without them events run together.
        space: Whether a space follows `data:`.
        data_lines: True: the JSON of a chunk stands on many data lines, one for each member.
        byte_order_mark: Whether the stream begins with one.
        last_newline: Whether a newline stands behind the last event; False leaves both out.
    """

    line_end: str = "\n"
    blank_lines: bool = True
    space: bool = True
    data_lines: bool = False
    byte_order_mark: bool = False
    last_newline: bool = True
    needs: ClassVar[frozenset[Ability]] = NOTHING

    def __post_init__(self) -> None:
        if self.line_end not in {"\n", "\r\n", "\r"}:
            raise BadArgument("Framing(line_end=)", self.line_end, r"'\n', '\r\n' or '\r'")

    def apply(self, delivery: Delivery, draw: Draw) -> Delivery:
        """Return the delivery in other bytes.

        Raises:
            FaultMissed: The reply is no stream, or has no event.
        """
        del draw
        stream = SentStream.of(delivery, self)
        stream.place(0)
        framed = [self._framed(stream, place) for place in range(len(stream.events))]
        if self.byte_order_mark:
            framed[0] = _BOM + framed[0]
        if not self.last_newline:
            framed[-1] = framed[-1].rstrip(b"\r\n")
        return stream.sending(
            tuple(
                Write(data=data, delay=event.delay)
                for data, event in zip(framed, stream.events, strict=True)
            )
        )

    def _framed(self, stream: SentStream, place: int) -> bytes:
        event = stream.events[place]
        lines = event.data.removesuffix(EVENT_END).split(b"\n")
        if self.data_lines and is_chunk(event):
            pretty = json.dumps(stream.chunk(place), ensure_ascii=False, indent=0)
            parts = pretty.encode("utf-8", "backslashreplace").split(b"\n")
            lines = [b"data: " + part for part in parts]
        if not self.space:
            lines = [line.replace(b"data: ", b"data:", 1) for line in lines]
        end = self.line_end.encode()
        return b"".join(line + end for line in lines) + end * self.blank_lines

    __repr__ = as_written


FRAMING_FAULTS = (
    NamedFault(
        name="crlf",
        meaning="Lines end with CR LF.",
        source="the HTML standard allows it; openai 1.109 to 3.51, run: fine",
        fault=Framing(line_end="\r\n"),
        is_survivable=True,
        breaks=frozenset({"stream.line-feed"}),
    ),
    NamedFault(
        name="cr",
        meaning="Lines end with CR alone.",
        source="the HTML standard allows it; openai 1.109 to 3.51, run: fine",
        fault=Framing(line_end="\r"),
        is_survivable=True,
        breaks=frozenset({"stream.line-feed"}),
    ),
    NamedFault(
        name="data-without-space",
        meaning="No space follows `data:`.",
        source="the HTML standard allows it; openai 1.109 to 3.51, run: fine",
        fault=Framing(space=False),
        is_survivable=True,
        breaks=frozenset({"stream.data-prefix"}),
    ),
    NamedFault(
        name="multi-line-data",
        meaning="The JSON of a chunk stands on several data lines.",
        source="the HTML standard allows it; openai 1.109 to 3.51, run: fine",
        fault=Framing(data_lines=True),
        is_survivable=True,
        breaks=frozenset({"stream.one-data-line"}),
    ),
    NamedFault(
        name="no-final-newline",
        meaning="No newline stands behind `[DONE]`.",
        source="openai 1.109 to 3.51, run: fine",
        fault=Framing(last_newline=False),
        is_survivable=True,
        breaks=frozenset({"stream.ending"}),
    ),
    NamedFault(
        name="single-newlines",
        meaning="No blank line follows an event, so all run together.",
        source="openai 1.109 to 3.51, run: no chunk and no error, AssertionError in the helper",
        fault=Framing(blank_lines=False),
        breaks=frozenset(
            {
                "stream.blank-line",
                "stream.ending",
                "stream.done-missing",
                "stream.choice-missing",
            }
        ),
    ),
    NamedFault(
        name="byte-order-mark",
        meaning="The stream begins with a byte order mark.",
        source="openai 1.109 to 3.51, run: the first event is lost; the HTML standard skips the mark",
        fault=Framing(byte_order_mark=True),
        is_survivable=True,
        breaks=frozenset({"stream.bom"}),
    ),
)
"""The named faults of this room."""
