"""Completions that are known but for what is drawn anew for every reply: id, time, fingerprint."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Never, cast

from mockchat.payloads.draw import Draw
from mockchat.payloads.names import completion_id, spelt, system_fingerprint
from mockchat.types import Completion, Json, JsonObject, JsonView

_EARLIEST, _LATEST = 1_700_000_000, 1_800_000_000  # `created`: November 2023 to January 2027


class Drawn(Exception):
    """Something was to be drawn where nothing may be."""


class NoDraw:
    """A draw that refuses to: what is made with it is the same for every draw."""

    def __getattr__(self, name: str) -> Never:
        """Refuse.

        Raises:
            Drawn: Always.
        """
        raise Drawn(name)


NO_DRAW = cast("Draw", NoDraw())

BLANKS: Mapping[str, Json] = {
    "id": "the id",
    "created": int("1700000000"),
    "system_fingerprint": "the fingerprint",
}
"""What stands for the drawn values while a frame is made, known again by identity."""


def time_of(draw: Draw) -> int:
    """Return when a completion was made, in seconds since 1970."""
    return draw.integer(_EARLIEST, _LATEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A completion but for its blanks.

    Attributes:
        members: All members in their order.
        blanks: What is drawn for some of them, by the member's name: a key of `BLANKS`.
        patterns: The patterns of ids, where the profile has one.
    """

    members: JsonView
    blanks: Mapping[str, str]
    patterns: Mapping[str, str]

    @classmethod
    def of(cls, members: JsonView, patterns: Mapping[str, str]) -> "Frame":
        """Return the frame of a completion in which `BLANKS` stand for what is drawn."""
        known = {id(value): name for name, value in BLANKS.items()}
        blanks = {name: known[id(value)] for name, value in members.items() if id(value) in known}
        return cls(members=members, blanks=blanks, patterns=patterns)

    @property
    def is_patterned(self) -> bool:
        """Whether a blank is filled by a pattern: any length may be allowed."""
        return not self.patterns.keys().isdisjoint(self.blanks.values())

    def drawn(self, draw: Draw) -> dict[str, Json]:
        """Draw what is blank; all of it, whichever members there are, as for any completion."""
        draw = draw.apart("frame")
        created = time_of(draw)
        given = {
            "id": spelt(draw, self.patterns.get("id"), completion_id),
            "created": created,
            "system_fingerprint": spelt(
                draw, self.patterns.get("system_fingerprint"), system_fingerprint
            ),
        }
        return {name: given[blank] for name, blank in self.blanks.items()}

    def completion(self, drawn: JsonView) -> Completion:
        """Return the completion with these values; all but the top is shared with the others."""
        whole: JsonObject = {**self.members, **drawn}
        return cast("Completion", whole)
