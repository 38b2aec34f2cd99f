"""Bytes of a stream that break one rule of framing each."""

from collections.abc import Callable
from dataclasses import dataclass

Bytes = Callable[[bytes], bytes]


def _before(data: bytes, mark: bytes, added: bytes) -> bytes:
    """Put `added` before the second event."""
    at = data.index(mark, 1)
    return data[:at] + added + data[at:]


@dataclass(frozen=True, slots=True, kw_only=True)
class FramingBreakage:
    """One way to break a rule on the bytes of a stream.

    Attributes:
        rule: The rule.
        reason: What is wrong then, in words.
        event: The number of the event it is told of; negative ones count from the end, when the
            bytes are spoilt.
        change: Spoils the bytes.
    """

    rule: str
    reason: str
    event: int
    change: Bytes


_EVENT = b"data: "

FRAMING_BREAKAGES = tuple(
    FramingBreakage(rule=f"stream.{rule}", reason=reason, event=event, change=change)
    for rule, reason, event, change in (
        ("bom", "a byte order mark at the start", 0, lambda data: b"\xef\xbb\xbf" + data),
        ("line-feed", "a line that ends with CR LF", 0, lambda data: data.replace(b"\n", b"\r\n", 1)),
        ("utf-8", "a byte that is no UTF-8", 1, lambda data: _before(data, _EVENT, b": \xff\n\n")),
        ("field", "a line with an unknown field", 1, lambda data: _before(data, _EVENT, b"json: 1\n\n")),
        ("control-field", "an event with a name", 1, lambda data: _before(data, _EVENT, b"event: chunk\n")),
        ("data-prefix", "no space behind the colon", 0, lambda data: data.replace(_EVENT, b"data:", 1)),
        ("blank-line", "no blank line between two events", 0, lambda data: data.replace(b"\n\n", b"\n", 1)),
        ("one-data-line", "an event of two lines", 0, lambda data: data.replace(b'"id":', b'\ndata: "id":', 1)),
        ("stray-blank-line", "a blank line that ends nothing", 1, lambda data: _before(data, _EVENT, b"\n")),
        ("data-json", "data that is no JSON", 1, lambda data: _before(data, _EVENT, b"data: {\n\n")),
        ("ending", "bytes that stop before the end", -1, lambda data: data[: data.rindex(_EVENT)]),
    )
)  # fmt: skip
"""Every way to break a rule on the bytes of a stream, but for those that are notes."""
