"""The text of one choice: prose, JSON or anything, as long as the request lets it be."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from mockchat.errors import ImpossibleSchema
from mockchat.payloads.asked import Asked
from mockchat.payloads.draw import Draw
from mockchat.payloads.simplest import SimplestDraw
from mockchat.payloads.text import prose, wild_text
from mockchat.payloads.tokens import Tokenizer
from mockchat.payloads.values import generate
from mockchat.types import Json, Kind

_LONGEST_FILL = 512
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_IN_STRING = re.compile(r'\\u[0-9a-f]{4}|\\.|[^"\\]')
_LAST_OF_FOUR_DIGITS = "\uffff"
_SHORT_TEXTS = ("OK", "Yes", "1", "a", ".", "#")  # one token each


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A text and why it ends.

    Attributes:
        text: The text.
        finish_reason: "stop", or "length" where the limit cut it.
        tokens: How many tokens it has.
    """

    text: str
    finish_reason: str
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What a text must keep to.

    Attributes:
        stop: Sequences it must not contain: it is cut before the first.
        limit: How many tokens it may have, None for any number.
        tokenizer: What counts them.
    """

    stop: tuple[str, ...]
    limit: int | None
    tokenizer: Tokenizer

    def fit(self, text: str) -> Written:
        """Return as much of `text` as there is room for."""
        ends = [at for at in map(text.find, self.stop) if at >= 0]
        kept = text[: min(ends)] if ends else text
        pieces = self.tokenizer.split(kept)
        if self.limit is None or len(pieces) <= self.limit:
            return Written(text=kept, finish_reason="stop", tokens=len(pieces))
        kept = "".join(pieces[: self.limit])
        return Written(text=kept, finish_reason="length", tokens=self.limit)

    def holds(self, text: str) -> bool:
        """Return whether `text` fits as it is."""
        return self.fit(text).text == text


def write(asked: Asked, room: Room, draw: Draw, kind: Kind) -> Written:
    """Write what `asked` wants in the format it wants.

    A plain text ends by itself wherever it can: it is shortened, and JSON is made of the simplest
    values, before the limit or a stop sequence cuts it. Where even that is too long the real
    service cuts too.

    Raises:
        ImpossibleSchema: No value fits the caller's schema.
    """
    if asked.format != "text":
        return _fitting(_json_texts(asked, draw, kind), room)
    if kind == "wild":
        return room.fit(wild_text(draw))
    text = prose(draw, at_most=room.limit, sentences=asked.sentences, tokenizer=room.tokenizer)
    written = room.fit(text)
    return written if written.text else _fitting(iter((text, *_SHORT_TEXTS)), room)


def write_to_the_limit(asked: Asked, room: Room, draw: Draw, kind: Kind) -> Written | None:
    """Write a text that the limit cuts; None where it would have to be too long.

    Without a limit the model's own window is what ends it, and any length will do.
    """
    if room.limit is None:
        pieces = room.tokenizer.split(write(asked, room, draw, kind).text)
        kept = pieces if asked.format == "text" else pieces[:-1]
        return Written(text="".join(kept), finish_reason="length", tokens=len(kept))
    if room.limit > _LONGEST_FILL or asked.format != "text":
        return None
    text = prose(draw)
    copies = room.limit // room.tokenizer.count(text) + 2
    written = room.fit(" ".join([text] * copies))
    return written if written.finish_reason == "length" else None  # a stop sequence came first


def cited(written: Written, room: Room, citation: str) -> Written | None:
    """Return `written` with a citation behind it, None where there is no room for one."""
    longer = replace(room.fit(f"{written.text}{citation}"), finish_reason=written.finish_reason)
    return longer if longer.text == f"{written.text}{citation}" else None


def _fitting(texts: Iterator[str], room: Room) -> Written:
    """Return the first text that fits as it is; where none does, what fits of the first."""
    first: str | None = None
    for text in texts:
        if text and room.holds(text):
            return room.fit(text)
        first = text if first is None else first
    return room.fit(first or "")


def _json_texts(asked: Asked, draw: Draw, kind: Kind) -> Iterator[str]:
    """Yield JSON texts that answer `asked`: as drawn, then the shortest."""
    spacings = [_compact, _spaced, _indented]
    if kind == "wild":
        at = draw.index(len(spacings))
        spacings = spacings[at:] + spacings[:at]
    for value in _json_values(asked, draw, kind):
        for written in spacings:
            yield written(value)
        if asked.stop:
            yield _escaped(_compact(value), frozenset("".join(asked.stop)))


def _json_values(asked: Asked, draw: Draw, kind: Kind) -> Iterator[Json]:
    if asked.schema is None:
        yield _open_object(draw, kind)
        yield {}
        return
    try:
        yield generate(asked.schema, draw, kind=kind)
    except ImpossibleSchema as impossible:
        at = f"/response_format/json_schema/schema{impossible.pointer}"
        raise ImpossibleSchema(at, impossible.reason) from impossible
    with suppress(ImpossibleSchema):  # a pattern may have no text among the simplest choices
        yield generate(asked.schema, SimplestDraw(), kind="plain")


def _open_object(draw: Draw, kind: Kind) -> Json:
    if kind == "wild":
        return generate({"type": "object"}, draw, kind=kind)
    return {"answer": prose(draw)}


def _compact(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _spaced(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def _indented(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _escaped(text: str, characters: frozenset[str]) -> str:
    """Return JSON text that means the same and has none of `characters` within its strings."""

    def spelt(found: re.Match[str]) -> str:
        character = found[0]
        if character not in characters or character > _LAST_OF_FOUR_DIGITS:
            return character
        return f"\\u{ord(character):04x}"

    return _STRING.sub(lambda string: _IN_STRING.sub(spelt, string[0]), text)
