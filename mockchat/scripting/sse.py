"""Server-sent events as a client reads them: bytes cut anywhere to events."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from mockchat.types import Json

_DONE = "[DONE]"


@dataclass(frozen=True, slots=True, kw_only=True)
class SseEvent:
    """One dispatched event of a server-sent-event stream.

    Attributes:
        data: Its data lines, joined by newlines.
        event: The name in its `event` field, "message" where it has none.
    """

    data: str
    event: str = "message"


class SseDecoder:
    """Decode a server-sent-event stream piece by piece; any cut of the bytes gives the same events.

    Follows the HTML standard, section 9.2.6 (lines may end in LF, CRLF or CR; comments, unknown
    fields and a leading byte order mark are skipped; malformed UTF-8 becomes U+FFFD), except that
    `finish` hands out an event the stream did not close, as the OpenAI clients do.
    """

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._data: list[str] = []
        self._event = ""
        self._is_start = True
        self._skips_newline = False

    def feed(self, data: bytes) -> tuple[SseEvent, ...]:
        """Take the next bytes and return the events they complete."""
        return tuple(event for line in self._lines(data) if (event := self._take(line)) is not None)

    def finish(self) -> tuple[SseEvent, ...]:
        """Return the event that the end of the stream left open, if there is one."""
        rest = b"".join(self._rest)
        self._rest.clear()
        if rest:
            self._take(rest)
        event = self._dispatch()
        return () if event is None else (event,)

    def _lines(self, data: bytes) -> Iterator[bytes]:
        if data and self._skips_newline:
            # The CR before the cut ended its line already; this LF belongs to it.
            data = data.removeprefix(b"\n")
            self._skips_newline = False
        first, *others = _LINE_END.split(data)
        self._rest.append(first)
        for line in others:
            yield b"".join(self._rest)
            self._rest = [line]
        if data.endswith(b"\r"):
            self._skips_newline = True

    def _take(self, line: bytes) -> SseEvent | None:
        if self._is_start:
            self._is_start = False
            line = line.removeprefix(b"\xef\xbb\xbf")
        if not line:
            return self._dispatch()
        name, _, value = line.decode("utf-8", "replace").partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
        return None

    def _dispatch(self) -> SseEvent | None:
        lines, self._data = self._data, []
        name, self._event = self._event, ""
        if not lines:
            return None
        return SseEvent(data="\n".join(lines), event=name or "message")


_LINE_END = re.compile(rb"\r\n|\n|\r")


def json_events(stream: bytes) -> tuple[Json, ...]:
    """Return what the events of a stream say: JSON decoded, other text as it is, no `[DONE]`.

    An event that the end of the stream left open is one of them.
    """
    decoder = SseDecoder()
    events = (*decoder.feed(stream), *decoder.finish())
    return tuple(_decoded(event.data) for event in events if event.data != _DONE)


def _decoded(data: str) -> Json:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return data
