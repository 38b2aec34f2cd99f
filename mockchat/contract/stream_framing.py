"""The judge of a stream's bytes: server-sent events as OpenAI frames them, line by line.

It decodes no more than it must to judge: the events themselves are for `StreamJudge`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mockchat.contract.stream_axes import DONE, StreamAxes, stream_axes
from mockchat.contract.stream_json import is_json_text
from mockchat.contract.stream_rulebook import Finding, StreamRule, Verdict, stream_rule
from mockchat.exchange import Violation
from mockchat.types import JsonView, Level

MEDIA_TYPE = "text/event-stream"

_BOM = b"\xef\xbb\xbf"
_CONTROL_FIELDS = frozenset({"event", "id", "retry"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a stream.

    Attributes:
        raw: Its bytes without the terminator (and without a byte order mark).
        terminator: LF, CR, CR LF, or nothing at the end of the bytes.
        has_bom: Whether a byte order mark stood before it.
        name: The field's name, "" for a comment or a blank line.
        value: The field's value without the one space the standard takes off.
    """

    raw: bytes
    terminator: bytes
    has_bom: bool
    name: str
    value: str

    @property
    def is_comment(self) -> bool:
        """Whether the line starts with a colon."""
        return self.raw.startswith(b":")


@stream_rule("stream.content-type")
def content_type_rule(content_type: str) -> Iterator[Finding]:
    """The content type is `text/event-stream`, in UTF-8 if it names a charset.

    Facts 3.1 (W: 163 OpenAI streams, 16 without charset), 3.3 (K: else clients see no chunks).
    """
    media_type, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = [part.partition("=")[2].strip('"') for part in parameters if part[:8] == "charset="]
    if media_type != MEDIA_TYPE or any(charset != "utf-8" for charset in charsets):
        yield Finding(
            message=f"The content type is {content_type!r}.",
            expected=f"{MEDIA_TYPE}; charset=utf-8",
            actual=content_type,
        )


@stream_rule("stream.bom")
def bom(line: Line) -> Iterator[Finding]:
    """The stream does not start with a byte order mark.

    Facts 3.3 (K): openai-python loses the first event.
    """
    if line.has_bom:
        yield Finding(message="The stream starts with a byte order mark.")


@stream_rule("stream.line-feed", "documented")
def line_feed(line: Line) -> Iterator[Finding]:
    """Lines end with LF alone.

    Facts 3.1 (W: no exception); clients take CR and CR LF as well (facts 3.3, K).
    """
    if b"\r" in line.terminator:
        yield Finding(
            message=f"A line ends with {line.terminator!r}.",
            expected="\n",
            actual=line.terminator.decode(),
        )


@stream_rule("stream.utf-8")
def utf_8(line: Line) -> Iterator[Finding]:
    """Every line is UTF-8.

    Facts 3.1 (S of server-sent events, W).
    """
    try:
        line.raw.decode()
    except UnicodeDecodeError as error:
        yield Finding(message=f"A line is not UTF-8: {error.reason} at byte {error.start}.")


@stream_rule("stream.field")
def field_rule(line: Line) -> Iterator[Finding]:
    """Every line is a field that server-sent events know, a comment or blank.

    Clients drop any other line, and what it says is lost (facts 3.3, K: a JSON body yields no
    chunks).
    """
    is_known = line.name == "data" or line.name in _CONTROL_FIELDS
    if line.raw and not line.is_comment and not is_known:
        yield Finding(message="Clients drop a line with this field name.", actual=line.name)


@stream_rule("stream.control-field", "documented")
def control_field(line: Line) -> Iterator[Finding]:
    """There is no `event`, `id` or `retry` field.

    Facts 3.1 (W: none in OpenAI streams). Groq sends `event: error` (facts 3.2, W).
    """
    if line.name in _CONTROL_FIELDS:
        yield Finding(message=f"There is a field {line.name!r}.", actual=line.name)


@stream_rule("stream.data-prefix", "documented")
def data_prefix(line: Line) -> Iterator[Finding]:
    """A data line starts with `data: `: one colon, one space.

    Facts 3.1 (W); clients do without the space (facts 3.3, K).
    """
    if line.name == "data" and not line.raw.startswith(b"data: "):
        yield Finding(message="A data line starts with 'data: '.", expected="data: ")


@stream_rule("stream.comment")
def comment(line: Line, axes: StreamAxes) -> Iterator[Finding]:
    """A comment that the axis `comments` does not name is worth a note.

    Facts 3.2 (W, D, K): servers keep connections alive with them; no client minds.
    """
    if line.is_comment and line.value.strip() not in axes.comments:
        yield Finding(message="There is a comment.", actual=line.value, is_note=True)


@stream_rule("stream.blank-line")
def blank_line(pending: str, line: Line) -> Iterator[Finding]:
    """A blank line follows each event.

    Facts 3.3 (K): with single-newline framing openai-python yields nothing, and no error.
    """
    if line.name == "data" and _is_event(pending):
        yield Finding(message="No blank line follows this event, so it merges with the next.")


@stream_rule("stream.one-data-line", "documented")
def one_data_line(pending: str | None, line: Line) -> Iterator[Finding]:
    """An event is one data line.

    Facts 3.1 (W); clients join several (facts 3.3, K).
    """
    if line.name == "data" and pending is not None and not _is_event(pending):
        yield Finding(message="The event has several data lines.")


@stream_rule("stream.stray-blank-line", "documented")
def stray_blank_line(line: Line, *, is_block: bool) -> Iterator[Finding]:
    """A blank line stands behind an event, a field or a comment only, once.

    Facts 3.1 (W: events end with LF LF). DeepSeek fills waiting time with blank lines (D).
    """
    if not line.raw and not is_block:
        yield Finding(message="There is a blank line that ends nothing.")


@stream_rule("stream.data-json")
def data_json(data: str) -> Iterator[Finding]:
    """The data of an event is JSON text or `[DONE]`.

    Facts 3.3 (K): anything else, an empty line included, is an error in every client.
    """
    if data != DONE and not is_json_text(data):
        yield Finding(message="The data of the event is not JSON.", actual=data)


@stream_rule("stream.ending")
def ending(axes: StreamAxes, last: str | None, *, is_closed: bool) -> Iterator[Finding]:
    """The bytes end with `data: [DONE]` (axis `done`) and a blank line, unless with an error.

    Facts 3.1 (W). Clients do without the last blank line (facts 3.3, K): that counts only as
    documented.
    """
    if axes.done and last != DONE and not _is_error(last or ""):
        yield Finding(message="The last event is not [DONE].", expected=DONE, actual=last)
    elif last is not None and not is_closed:
        yield Finding(message="No blank line follows the last event.", level="documented")


FRAMING_RULES: tuple[StreamRule[Any], ...] = (
    content_type_rule,
    bom,
    line_feed,
    utf_8,
    field_rule,
    control_field,
    data_prefix,
    comment,
    blank_line,
    one_data_line,
    stray_blank_line,
    data_json,
    ending,
)
"""The rules on bytes, in the order of this module."""


class FramingJudge:
    """Judges the bytes of one stream as they arrive, cut anywhere.

    Pointers name the event ("/2": the third with data), as those of `StreamJudge` do. The verdict
    on a stream is the same however its bytes are cut; memory is bounded by the longest event.

    Args:
        profile_settings: A profile's settings; the axes `comments` and `done` are read.
        level: `documented` or `observed`; what counts only at the former is a note at the latter.
        content_type: The response's field, "" where it is missing; None: not judged.

    Raises:
        BrokenProfile: The settings' axes cannot be read.
    """

    def __init__(
        self,
        profile_settings: JsonView,
        *,
        level: Level = "observed",
        content_type: str | None = None,
    ) -> None:
        self._axes = stream_axes(profile_settings)
        self._verdict = Verdict(level)
        self._content_type = content_type
        self._rest = b""
        self._lines = 0
        self._events = 0
        self._pending: str | None = None
        self._is_block = False
        self._last: str | None = None

    def feed(self, data: bytes) -> tuple[Violation, ...]:
        """Return what the lines break that end in these bytes."""
        self._rest += data
        *lines, self._rest = _cut(self._rest)
        return (*self._head(), *(found for line in lines for found in self._line(line)))

    def finish(self) -> tuple[Violation, ...]:
        """Return what the last line and the end break, now that nothing follows."""
        found = list(self._head())
        if self._rest.endswith(b"\r"):
            found += self._line(self._rest)
        elif self._rest:
            # A line that was cut short is the fault of the ending alone.
            found += self._take(_line(self._rest, is_first=self._lines == 0))
        self._rest = b""
        is_closed = self._pending is None
        if self._pending is not None:
            self._last = self._pending
        at = self._events - (is_closed and self._last is not None)
        found += self._verdict.on(ending, at, self._axes, self._last, is_closed=is_closed)
        return tuple(found)

    def _head(self) -> Iterator[Violation]:
        content_type, self._content_type = self._content_type, None
        if content_type is not None:
            yield from self._verdict.on(content_type_rule, 0, content_type)

    def _line(self, raw: bytes) -> Iterator[Violation]:
        line = _line(raw, is_first=self._lines == 0)
        self._lines += 1
        verdict, at = self._verdict, self._events
        for rule in (bom, line_feed, utf_8, field_rule, control_field, data_prefix):
            yield from verdict.on(rule, at, line)
        yield from verdict.on(comment, at, line, self._axes)
        yield from verdict.on(stray_blank_line, at, line, is_block=self._is_block)
        if self._pending is not None:
            yield from verdict.on(blank_line, at, self._pending, line)
            yield from verdict.on(one_data_line, at, self._pending, line)
        yield from self._take(line)

    def _take(self, line: Line) -> Iterator[Violation]:
        self._is_block = bool(line.raw)
        if line.name == "data":
            if self._pending is not None and _is_event(self._pending):
                yield from self._dispatch(self._pending)
                self._pending = None
            joined = [] if self._pending is None else [self._pending]
            self._pending = "\n".join((*joined, line.value))
        elif not line.raw and self._pending is not None:
            yield from self._dispatch(self._pending)
            self._pending = None

    def _dispatch(self, data: str) -> Iterator[Violation]:
        yield from self._verdict.on(data_json, self._events, data)
        self._last = data
        self._events += 1


def _cut(data: bytes) -> list[bytes]:
    """Cut behind each line end; the last piece is what no line end follows yet."""
    lines = data.splitlines(keepends=True)  # bytes end lines with LF, CR and CR LF only
    if not lines or not lines[-1].endswith(b"\n"):
        # A CR at the end may be half of a CR LF.
        return lines or [b""]
    return [*lines, b""]


def _line(raw: bytes, *, is_first: bool) -> Line:
    content = raw.rstrip(b"\r\n")
    has_bom = is_first and content.startswith(_BOM)
    terminator = raw[len(content) :]
    content = content.removeprefix(_BOM) if has_bom else content
    name, _, value = content.decode("utf-8", "replace").partition(":")
    return Line(
        raw=content,
        terminator=terminator,
        has_bom=has_bom,
        name=name,
        value=value.removeprefix(" "),
    )


def _is_event(data: str) -> bool:
    """Whether `data` is an event by itself, so that a data line behind it begins another."""
    return data == DONE or (data.lstrip().startswith("{") and is_json_text(data))


def _is_error(data: str) -> bool:
    return _is_event(data) and data != DONE and bool(json.loads(data).get("error"))
