"""Bytes as they once went over the wire, for what no other words can say."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mockchat.errors import BadArgument
from mockchat.exchange import Delivery, Ending, Headers, Write
from mockchat.payloads.draw import Draw
from mockchat.scripting.arguments import is_seconds, is_whole_number
from mockchat.scripting.faults import NOTHING, Ability, as_written

_LOWEST, _HIGHEST = 200, 599
_ENDINGS = {ending.value: ending for ending in Ending}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verbatim:
    """Answer with these bytes, whatever the reply is: what a recorder writes for odd answers.

    Attributes:
        status: The HTTP status.
        headers: The response fields, `content-type` among them.
        pieces: Pairs of the seconds before some bytes, and these as text; what the reply is paced
            by does not count.
        base64: Whether the texts are base64, for bytes that are no text.
        is_stream: Whether it is sent without a length, as streams are.
        ending: "complete", or "cut" or "reset" behind the last of them.
    """

    status: int
    headers: Headers = ()
    pieces: Sequence[tuple[float, str]]
    base64: bool = False
    is_stream: bool = False
    ending: Literal["complete", "cut", "reset"] = "complete"

    def __post_init__(self) -> None:
        if not is_whole_number(self.status, lowest=_LOWEST) or self.status > _HIGHEST:
            raise BadArgument("Verbatim(status=)", self.status, "a status from 200 to 599")
        if self.ending not in _ENDINGS:
            raise BadArgument("Verbatim(ending=)", self.ending, ", ".join(_ENDINGS))
        pieces = tuple(tuple(piece) for piece in self.pieces)
        object.__setattr__(self, "pieces", pieces)
        for seconds, text in self.pieces:
            if not is_seconds(seconds) or not isinstance(text, str):
                raise BadArgument("Verbatim(pieces=)", self.pieces, "pairs of seconds and text")
        try:
            self._writes()
        except (binascii.Error, UnicodeError):
            raise BadArgument("Verbatim(pieces=)", self.pieces, "texts that are bytes") from None

    @property
    def needs(self) -> frozenset[Ability]:
        """What an adapter must be able to do for it."""
        endings = {"cut": frozenset({Ability.CUT}), "reset": frozenset({Ability.RESET})}
        return endings.get(self.ending, NOTHING) | (
            frozenset({Ability.TIMING}) if any(seconds for seconds, _ in self.pieces) else NOTHING
        )

    def apply(self, delivery: Delivery, draw: Draw) -> Delivery:  # noqa: ARG002 - part of the protocol
        """Return these bytes in place of the delivery."""
        return Delivery(
            status=self.status,
            headers=self.headers,
            writes=self._writes(),
            is_stream=self.is_stream,
            ending=_ENDINGS[self.ending],
        )

    def _writes(self) -> tuple[Write, ...]:
        return tuple(
            Write(data=base64.b64decode(text) if self.base64 else text.encode(), delay=seconds)
            for seconds, text in self.pieces
        )

    __repr__ = as_written
