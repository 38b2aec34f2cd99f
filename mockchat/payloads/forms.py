"""Replies as bytes with blanks: written once, filled in for every further reply to one request.

What fills a blank is drawn anew for each reply; the rest is the same, and so are its bytes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from json.encoder import encode_basestring
from typing import TypeAlias, cast

from mockchat.payloads.chunking import PADDED, Padding
from mockchat.payloads.draw import Draw
from mockchat.payloads.encoding import as_bytes, compact, pretty
from mockchat.payloads.unread import Sum, has_sums
from mockchat.types import Json, JsonView

_LINE = "\n  "
_PARTS = 4
"""Those of an event: see `StreamForm`."""
_NOWHERE = slice(0, 0)
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
        return AlikeForm.of(members, blanks).counted({})

    @property
    def size(self) -> int:
        """How many bytes are written."""
        return sum(map(len, self.texts))

    def filled(self, drawn: JsonView) -> bytes:
        """Return the body with these values in its blanks."""
        return _filled(self.texts, [_written(drawn[name]) for name in self.names])


@dataclass(frozen=True, slots=True, kw_only=True)
class AlikeForm:
    """The bodies of replies to requests that are alike, and cost more or less.

    Attributes:
        parts: Bytes, the names of blanks, and sums that are known for each request.
    """

    parts: tuple[bytes | str | Sum, ...]

    @classmethod
    def of(cls, members: JsonView, blanks: Mapping[str, object]) -> "AlikeForm":
        """Return the form of an object in which sums stand; arguments and errors as of `BodyForm`."""
        parts: list[_Part] = [b"{"]
        for place, (name, value) in enumerate(members.items()):
            parts.append(as_bytes(f"{',' if place else ''}{_LINE}{encode_basestring(name)}: "))
            parts += [name] if name in blanks else _parts(value, _LINE)
        joined = groupby([*parts, b"\n}\n"], key=_is_text)
        return cls(parts=tuple(chain.from_iterable(map(_joined, joined))))

    def counted(self, numbers: Mapping[str, int]) -> BodyForm:
        """Return the form of the reply to one request, given what it costs."""
        texts, names, text = list[bytes](), list[str](), b""
        for part in self.parts:
            if isinstance(part, bytes):
                text += part
            elif isinstance(part, Sum):
                text += b"%d" % part.of(numbers)
            else:
                texts.append(text)
                names.append(part)
                text = b""
        return BodyForm(texts=(*texts, text), names=tuple(names))


_Part: TypeAlias = bytes | str | Sum


def _is_text(part: _Part) -> bool:
    return isinstance(part, bytes)


def _joined(group: tuple[bool, Iterator[_Part]]) -> Iterable[_Part]:
    """Return neighbours as one text, where they are texts."""
    is_text, parts = group
    return [b"".join(cast("Iterator[bytes]", parts))] if is_text else parts


def _parts(value: Json, line: str) -> Iterator[bytes | Sum]:
    """Yield what `pretty` writes, and the sums that stand in objects."""
    if isinstance(value, Sum):
        yield value
    elif isinstance(value, dict) and has_sums(value):
        deeper = f"{line}  "
        for place, (name, member) in enumerate(value.items()):
            yield as_bytes(f"{',' if place else '{'}{deeper}{encode_basestring(name)}: ")
            yield from _parts(member, deeper)
        yield as_bytes(f"{line}}}")
    else:
        yield as_bytes(pretty(value, line))


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamForm:
    """The events of a stream with blanks, as `encode_chunk` writes them.

    Attributes:
        heads: The ways in which events begin, up to their last blank: texts and names.
        begins: Which of them each event has.
        middles: What follows in each event.
        places: Where in the pool of letters each event's padding stands.
        ends: How each event ends.
        lengths: How long each value is in the blanks; the padding goes by that.
        is_padded: Whether a draw decides on padding.
    """

    heads: tuple[tuple[tuple[bytes, ...], tuple[str, ...]], ...]
    begins: tuple[int, ...]
    middles: tuple[bytes, ...]
    places: tuple[slice, ...]
    ends: tuple[bytes, ...]
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
        padding = Padding(None)
        begins, middles, places, ends = list[int](), list[bytes](), list[slice](), list[bytes]()
        for chunk in chunks:
            texts, names, text, end, at = list[bytes](), list[str](), "data: {", "", _NOWHERE
            for place, (name, value) in enumerate(chunk.items()):
                piece = f"{',' if place else ''}{compact(name)}:"
                if id(value) in known:
                    texts.append((text + piece).encode())
                    names.append(known[id(value)])
                    text = ""
                elif is_padded and name == PADDED:  # the last member there is
                    text, end, at = f'{text}{piece}"', '"', padding.place(len(value))
                else:
                    text += piece + compact(value)
            begins.append(heads.setdefault((tuple(texts), tuple(names)), len(heads)))
            middles.append(text.encode())
            places.append(at)
            ends.append(f"{end}}}\n\n".encode())
        return cls(
            heads=tuple(heads),
            begins=tuple(begins),
            middles=tuple(middles),
            places=tuple(places),
            ends=tuple(ends),
            lengths={name: len(str(value)) for name, value in drawn.items()},
            is_padded=is_padded,
        )

    @property
    def size(self) -> int:
        """How many bytes are written, those of an event's record included."""
        heads = sum(len(text) for texts, _ in self.heads for text in texts)
        return heads + sum(len(middle) + _EVENT_SIZE for middle in self.middles)

    def fits(self, drawn: JsonView) -> bool:
        """Tell whether these values are as long as those it was made with."""
        return all(len(str(drawn[name])) == length for name, length in self.lengths.items())

    def filled(self, drawn: JsonView, draw: Draw) -> tuple[bytes, ...]:
        """Return the events with values that fit in the blanks, and padding as `split` draws it."""
        parts = self._parts(drawn, draw)
        return tuple([b"".join(parts[at : at + _PARTS]) for at in range(0, len(parts), _PARTS)])

    def joined(self, drawn: JsonView, draw: Draw) -> bytes:
        """Return what `filled` does in one piece."""
        return b"".join(self._parts(drawn, draw))

    def _parts(self, drawn: JsonView, draw: Draw) -> list[bytes]:
        """Return of each event how it begins, what follows, its padding, and how it ends."""
        written = {name: _written(value) for name, value in drawn.items()}
        heads = [_filled(texts, [written[name] for name in names]) for texts, names in self.heads]
        parts = [b""] * (_PARTS * len(self.middles))
        parts[0::_PARTS] = [heads[number] for number in self.begins]
        parts[1::_PARTS] = self.middles
        if self.is_padded:
            pool = Padding(draw).pool.encode()
            parts[2::_PARTS] = [pool[place] for place in self.places]
        parts[3::_PARTS] = self.ends
        return parts


def _written(value: Json) -> bytes:
    return as_bytes(encode_basestring(value) if isinstance(value, str) else str(value))


def _filled(texts: Sequence[bytes], values: Sequence[bytes]) -> bytes:
    pieces = list(texts[:1])
    for text, value in zip(texts[1:], values, strict=False):
        pieces += (value, text)
    if values and len(values) == len(texts):  # nothing stands behind the last blank
        pieces.append(values[-1])
    return b"".join(pieces)
