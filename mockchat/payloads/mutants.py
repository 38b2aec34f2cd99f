"""All mutations of one kind of payload, by name: what strategies draw from and cases list."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, partial
from typing import TypeAlias

from mockchat.contract.contract import Contract
from mockchat.contract.stream_axes import stream_axes
from mockchat.exchange import Violation
from mockchat.payloads.broken_framing import FRAMING_BREAKAGES, FramingBreakage
from mockchat.payloads.broken_places import place_breakages
from mockchat.payloads.broken_replies import REPLY_BREAKAGES, ReplyBreakage
from mockchat.payloads.broken_requests import RequestBreakage, request_breakages
from mockchat.payloads.broken_streams import STREAM_BREAKAGES, StreamBreakage
from mockchat.payloads.draw import Draw
from mockchat.payloads.mutation import Harmless, Mutant, Mutation, found_at, mutant_of, targets
from mockchat.payloads.simplest import SimplestDraw
from mockchat.payloads.stream_mutants import framing_mutant, stream_mutant
from mockchat.payloads.targets import Target
from mockchat.types import Json, JsonObject, Kind, Level

Making: TypeAlias = Callable[[Draw, Kind], Mutant]
"""Makes the mutant of one mutation: the draw decides what the mutation leaves open."""


@lru_cache(maxsize=64)
def mutations_of(
    contract: Contract, document: str, *, level: Level = "observed"
) -> Mapping[str, Making]:
    """Return every mutation of a payload by its name, always in the same order.

    Those of the document come first, nearest places first; then those of rules.

    Args:
        contract: Whose payloads.
        document: "request", "response", "stream", "chunk", "error" or another of the profile's.
        level: At which level parents are valid and mutants are not.

    Raises:
        BadArgument: The profile has no such document.
    """
    if document == "stream":
        return _of_streams(contract, level)
    found: dict[str, Making] = {
        name: _of_document(contract, document, target, level)
        for name, target in targets(contract, document, level=level).items()
    }
    if document == "request":
        for request in request_breakages(contract):
            _add(found, request.name, partial(_of_request, contract, request))
    if document == "response":
        for reply in REPLY_BREAKAGES:
            _add(found, reply.name, partial(_of_reply, contract, reply, level))
    return found


def _of_streams(contract: Contract, level: Level) -> Mapping[str, Making]:
    found: dict[str, Making] = {}
    for way in (*STREAM_BREAKAGES, *place_breakages(stream_axes(contract.profile.settings))):
        _add(found, f"{way.rule} {way.reason}", _of_stream(contract, way, level))
    for framing in FRAMING_BREAKAGES:
        _add(found, f"{framing.rule} {framing.reason}", _of_framing(contract, framing, level))
    return found


def _of_stream(contract: Contract, way: StreamBreakage, level: Level) -> Making:
    return lambda draw, _: stream_mutant(contract, way, draw, level=level)


def _of_framing(contract: Contract, way: FramingBreakage, level: Level) -> Making:
    return lambda draw, _: framing_mutant(contract, way, draw, level=level)


def _add(found: dict[str, Making], name: str, making: Making) -> None:
    try:
        making(SimplestDraw(), "wild")
    except Harmless:
        return
    found[name] = making


def _of_document(contract: Contract, document: str, target: Target, level: Level) -> Making:
    def making(draw: Draw, kind: Kind) -> Mutant:
        return mutant_of(contract, document, target, draw, kind=kind, level=level)

    return making


def _of_request(contract: Contract, way: RequestBreakage, draw: Draw, _: Kind) -> Mutant:
    parent, payload = way.requests(draw)
    before, after = contract.request_violations(parent), contract.request_violations(payload)
    mutation = _proven(way, before, after, parent, payload)
    return Mutant(payload=payload, mutation=mutation, parent=parent)


def _of_reply(contract: Contract, way: ReplyBreakage, level: Level, draw: Draw, _: Kind) -> Mutant:
    request = way.asked()
    if _counted(contract.request_violations(request)):
        raise Harmless
    parent, payload = way.completions(contract, draw)

    def judged(completion: Json) -> list[Violation]:
        return [
            *contract.violations("response", completion, level=level),
            *contract.exchange_violations(request, completion, level=level),
        ]

    mutation = _proven(way, judged(parent), judged(payload), parent, payload)
    shown: JsonObject = request if way.is_about_request else {}
    return Mutant(payload=payload, mutation=mutation, parent=parent, request=shown)


def _proven(
    way: RequestBreakage | ReplyBreakage,
    before: Iterable[Violation],
    after: Iterable[Violation],
    parent: Json,
    payload: Json,
) -> Mutation:
    """Return the mutation if the contract takes the parent, and reports the rule there and no other.

    Raises:
        Harmless: It does not.
    """
    told = [(violation.rule, violation.pointer) for violation in _counted(after)]
    if _counted(before) or told != [(way.rule, way.pointer)]:
        raise Harmless
    return Mutation(
        pointer=way.pointer,
        keyword=None,
        rule=way.rule,
        variant=way.variant,
        before=found_at(parent, way.pointer),
        after=found_at(payload, way.pointer),
        reason=way.reason,
    )


def _counted(violations: Iterable[Violation]) -> list[Violation]:
    return [violation for violation in violations if not violation.is_note]
