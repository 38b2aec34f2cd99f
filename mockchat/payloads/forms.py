"""Replies as bytes with blanks: written once, filled in for every further reply to one request.

What fills a blank is drawn anew for each reply; the rest is the same, and so are its bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring

from mockchat.payloads.chunking import PADDED, Padding
from mockchat.payloads.draw import Draw
from mockchat.payloads.encoding import as_bytes, compact, pretty
from mockchat.payloads.seeded import SeededDraw
from mockchat.types import Json, JsonView

_LINE = "\n  "
_PARTS = 4
"""Head, middle, padding and end of an event."""
_EVENT_SIZE = 150
"""About how many bytes an event takes besides its text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyForm:
    """A JSON body with blanks, as `encode_json` writes it.

    Attributes:
        texts: What stands before, between and behind the blanks.
        names: What fills each blank.
    """

    texts: tuple[bytes, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, members: JsonView, blanks: Mapping[str, object]) -> "BodyForm":
        """Return the form of an object that has members.

        Args:
            members: All its members in their order.
            blanks: The names of those that are filled in: text or whole numbers.

        Raises:
            TypeError: The key of a member is no text.
            ValueError: A member is no JSON.
        """
        texts, names, text = list[bytes](), list[str](), "{"
        for place, (name, value) in enumerate(members.items()):
            text += f"{',' if place else ''}{_LINE}{encode_basestring(name)}: "
            if name in blanks:
                texts.append(as_bytes(text))
                names.append(name)
                text = ""
            else:
                text += pretty(value, _LINE)
        return cls(texts=(*texts, as_bytes(f"{text}\n}}\n")), names=tuple(names))

    @property
    def size(self) -> int:
        """How many bytes are written."""
        return sum(map(len, self.texts))

    def filled(self, drawn: JsonView) -> bytes:
        """Return the body with these values in its blanks."""
        return _filled(self.texts, [_written(drawn[name]) for name in self.names])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    """An event of a stream: which head it has, what follows, how many letters of padding, the end."""

    head: int
    middle: bytes
    padding: int | None
    end: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamForm:
    """The events of a stream with blanks, as `encode_chunk` writes them.

    Attributes:
        heads: The ways in which events begin, up to their last blank: texts and names.
        events: How each event goes on.
        lengths: How long each value is in the blanks; the padding goes by that.
        is_padded: Whether a draw decides on padding.
    """

    heads: tuple[tuple[tuple[bytes, ...], tuple[str, ...]], ...]
    events: tuple[_Event, ...]
    lengths: Mapping[str, int]
    is_padded: bool

    @classmethod
    def of(cls, chunks: Sequence[JsonView], drawn: JsonView, *, is_padded: bool) -> "StreamForm":
        """Return the form of a stream that was made with these values in its blanks.

        Args:
            chunks: Its chunks.
            drawn: The values; members of chunks that are the very same objects are blanks.
            is_padded: Whether a draw decided on padding.

        Raises:
            ValueError: A chunk is no JSON, or has half a character, which is read as it is written
                only if another half does not stand beside it.
        """
        known = {id(value): name for name, value in drawn.items()}
        heads: dict[tuple[tuple[bytes, ...], tuple[str, ...]], int] = {}
        events = []
        for chunk in chunks:
            texts, names, text, end, padding = list[bytes](), list[str](), "data: {", "", None
            for place, (name, value) in enumerate(chunk.items()):
                piece = f"{',' if place else ''}{compact(name)}:"
                if id(value) in known:
                    texts.append((text + piece).encode())
                    names.append(known[id(value)])
                    text = ""
                elif is_padded and name == PADDED:  # the last member there is
                    text, end, padding = f'{text}{piece}"', '"', len(value)
                else:
                    text += piece + compact(value)
            head = heads.setdefault((tuple(texts), tuple(names)), len(heads))
            event = _Event(
                head=head,
                middle=text.encode(),
                padding=padding,
                end=f"{end}}}\n\n".encode(),
            )
            events.append(event)
        return cls(
            heads=tuple(heads),
            events=tuple(events),
            lengths={name: len(str(value)) for name, value in drawn.items()},
            is_padded=is_padded,
        )

    @property
    def size(self) -> int:
        """How many bytes are written, those of an event's record included."""
        heads = sum(len(text) for texts, _ in self.heads for text in texts)
        return heads + sum(len(event.middle) + _EVENT_SIZE for event in self.events)

    def fits(self, drawn: JsonView) -> bool:
        """Tell whether these values are as long as those it was made with."""
        return all(len(str(drawn[name])) == length for name, length in self.lengths.items())

    def filled(self, drawn: JsonView, draw: Draw) -> tuple[bytes, ...]:
        """Return the events with values that fit in the blanks, and padding as `split` draws it."""
        written = {name: _written(value) for name, value in drawn.items()}
        heads = [_filled(texts, [written[name] for name in names]) for texts, names in self.heads]
        padding = Padding(draw) if self.is_padded else None
        return tuple(
            [
                heads[event.head] + event.middle + event.end
                if padding is None or event.padding is None
                else heads[event.head]
                + event.middle
                + padding.letters(event.padding).encode()
                + event.end
                for event in self.events
            ]
        )

    def joined(self, drawn: JsonView, draw: SeededDraw) -> bytes:
        """Return what `filled` does in one piece."""
        written = {name: _written(value) for name, value in drawn.items()}
        heads = [_filled(texts, [written[name] for name in names]) for texts, names in self.heads]
        parts = [b""] * (_PARTS * len(self.events))
        parts[0::_PARTS] = [heads[event.head] for event in self.events]
        parts[1::_PARTS] = [event.middle for event in self.events]
        if self.is_padded:
            lengths = [event.padding for event in self.events]
            parts[2::_PARTS] = Padding(draw).all_letters(lengths, draw)
        parts[3::_PARTS] = [event.end for event in self.events]
        return b"".join(parts)


def _written(value: Json) -> bytes:
    return as_bytes(encode_basestring(value) if isinstance(value, str) else str(value))


def _filled(texts: Sequence[bytes], values: Sequence[bytes]) -> bytes:
    pieces = list(texts[:1])
    for text, value in zip(texts[1:], values, strict=False):
        pieces += (value, text)
    if values and len(values) == len(texts):  # nothing stands behind the last blank
        pieces.append(values[-1])
    return b"".join(pieces)
