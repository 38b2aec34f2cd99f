"""Replies that break the contract in one known place, named by what is broken."""

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import chain, repeat

from mockchat.contract.contract import Contract
from mockchat.errors import BadArgument
from mockchat.exchange import Delivery, Write
from mockchat.payloads.draw import Draw
from mockchat.payloads.mutants import Making, mutations_of
from mockchat.payloads.mutation import Mutant
from mockchat.scripting.faults import NOTHING, Ability, as_written
from mockchat.types import Json, JsonObject, Kind, Level

_DOCUMENTS = ("response", "stream")
_DATA = b"data: "
_EVENT_END = b"\n\n"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SentInstead:
    """Other bytes than those of the reply, event by event where it is a stream."""

    payload: bytes

    @property
    def needs(self) -> frozenset[Ability]:
        """Nothing but the bytes."""
        return NOTHING

    def apply(self, delivery: Delivery, draw: Draw) -> Delivery:  # noqa: ARG002 - part of the protocol
        """Return the delivery with these bytes, at the times of those that they replace."""
        pieces = [self.payload]
        if delivery.is_stream:
            *events, rest = self.payload.split(_EVENT_END)
            pieces = [event + _EVENT_END for event in events] + ([rest] if rest else [])
        delays = chain((write.delay for write in delivery.writes), repeat(0.0))
        writes = (
            Write(data=data, delay=delay) for data, delay in zip(pieces, delays, strict=False)
        )
        return replace(delivery, writes=tuple(writes))

    def __repr__(self) -> str:
        return as_written(self)


def mutant_of(
    mutation: str | Mutant, contract: Contract, draw: Draw, *, kind: Kind, level: Level
) -> Mutant:
    """Return the mutant that a reply names.

    Args:
        mutation: An id, as `cases.invalid_cases` lists them for "response" and "stream", or the
            mutant itself.
        contract: Whose contract is broken.
        draw: Decides what the mutation leaves open.
        kind: What the rest of the payload is like.
        level: At which level it is wrong.

    Raises:
        BadArgument: There is no such mutation, or the mutant is no reply.
    """
    __tracebackhide__ = True
    if isinstance(mutation, str):
        return _making(mutation, contract, level)(draw, kind)
    if not (isinstance(mutation.parent, bytes) or _is_completion(mutation.parent)):
        allowed = "a mutant of invalid_completions() or invalid_streams()"
        raise BadArgument("mutated()", mutation, allowed)
    return mutation


def _is_completion(parent: Json) -> bool:
    return isinstance(parent, Mapping) and "choices" in parent


def _making(name: str, contract: Contract, level: Level) -> Making:
    __tracebackhide__ = True
    known: dict[str, Making] = {}
    for document in _DOCUMENTS:
        known |= mutations_of(contract, document, level=level)
        if name in known:
            return known[name]
    close = difflib.get_close_matches(name, known, n=1)
    allowed = 'an id that mockchat.cases.invalid_cases("response") or ("stream") lists'
    raise BadArgument("mutated()", name, allowed, close[0] if close else None)


def chunks_in(stream: bytes) -> tuple[JsonObject, ...]:
    """Return the chunks of a lawful stream."""
    events = (event.removeprefix(_DATA) for event in stream.split(_EVENT_END))
    return tuple(json.loads(event) for event in events if event.startswith(b"{"))
