"""Mutants of streams: the bytes a client reads, with one rule broken by their events or framing."""

from collections.abc import Mapping
from copy import deepcopy

from mockchat.contract.contract import Contract
from mockchat.contract.stream_axes import DONE
from mockchat.contract.stream_framing import FramingJudge
from mockchat.exchange import Violation
from mockchat.payloads import encoding
from mockchat.payloads.broken_framing import FramingBreakage
from mockchat.payloads.broken_streams import TEXT, StreamBreakage
from mockchat.payloads.completions import completion_of
from mockchat.payloads.draw import Draw
from mockchat.payloads.mutation import Harmless, Mutant, Mutation, found_at
from mockchat.payloads.plans import chunks_of
from mockchat.payloads.rule_keeping import UNKNOWN_MODEL
from mockchat.payloads.stream_sites import Events
from mockchat.payloads.stream_style import stream_style
from mockchat.payloads.streams import stream_of
from mockchat.types import Json, JsonObject, JsonView, Level

_SIZES = 4
_WORDS = 40


def encoded(events: Events) -> bytes:
    """Return the bytes of a stream with these events."""
    return b"".join(
        encoding.DONE if event == DONE else encoding.encode_chunk(event) for event in events
    )


def stream_mutant(
    contract: Contract, way: StreamBreakage, draw: Draw, *, level: Level = "observed"
) -> Mutant:
    """Return the bytes of a stream whose events break the rule of `way`.

    Args:
        contract: Whose stream.
        way: What is broken.
        draw: Decides on text and on how it is cut.
        level: At which level the parent is right and the mutant is not.

    Raises:
        Harmless: The profile has no such rule, or its streams have nothing to break it with.
    """
    request, events = _events(contract, way.message, way.request, way.options, draw)
    spoilt = deepcopy(events)
    try:
        pointer = way.change(spoilt)
    except (LookupError, ValueError) as nothing:
        raise Harmless from nothing
    before = _judged(contract, events, request, level)
    after = _judged(contract, spoilt, request, level)
    if before or not _is_there_alone(after, way.rule, pointer):
        raise Harmless
    mutation = Mutation(
        pointer=pointer,
        keyword=None,
        rule=way.rule,
        variant=way.reason,
        before=found_at(events, pointer),
        after=found_at(spoilt, pointer),
        reason=way.reason,
    )
    return Mutant(
        payload=encoded(spoilt), mutation=mutation, parent=encoded(events), request=request
    )


def framing_mutant(
    contract: Contract, way: FramingBreakage, draw: Draw, *, level: Level = "observed"
) -> Mutant:
    """Return the bytes of a stream whose framing breaks the rule of `way`; see `stream_mutant`."""
    request, events = _events(contract, TEXT, {}, {}, draw)
    parent = encoded(events)
    payload = way.change(parent)
    event = way.event if way.event >= 0 else payload.count(b"data: ") + way.event
    pointer = f"/{event}"
    before = _framed(contract, parent, level)
    after = _framed(contract, payload, level)
    if before or not _is_there_alone(after, way.rule, pointer):
        raise Harmless
    mutation = Mutation(
        pointer=pointer,
        keyword=None,
        rule=way.rule,
        variant=way.reason,
        before=found_at(events, pointer),
        after=None,
        reason=way.reason,
    )
    return Mutant(payload=payload, mutation=mutation, parent=parent, request=request)


def _is_there_alone(found: list[Violation], rule: str, pointer: str) -> bool:
    """Tell whether `rule` is reported at `pointer`, and nothing anywhere else.

    The schema may say of the same place that it will not have it either.
    """
    is_there = any(violation.rule == rule for violation in found)
    return is_there and {violation.pointer for violation in found} == {pointer}


def _events(
    contract: Contract,
    message: JsonView,
    members: Mapping[str, Json],
    options: Mapping[str, Json],
    draw: Draw,
) -> tuple[JsonObject, Events]:
    """Return a request for a stream, and the events that answer it."""
    request = _asking(contract, members, options)
    said: JsonObject = deepcopy(dict(message))
    if message is TEXT:
        said["content"] += draw.text(0, _WORDS, "plain")
    completion = completion_of(request, draw, contract=contract, message=said)
    plan = chunks_of(2 + draw.index(_SIZES))
    chunks = stream_of(completion, plan, request=request, profile=contract.profile, draw=draw)
    ending = [DONE] if stream_style(contract.profile).done else []
    return request, [*map(dict, chunks), *ending]


def _asking(
    contract: Contract, members: Mapping[str, Json], options: Mapping[str, Json]
) -> JsonObject:
    """Return a request for a stream without padding, where the profile lets it be switched off."""
    bare = {
        "model": UNKNOWN_MODEL,
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        **deepcopy(dict(members)),
    }
    wishes = (
        ({"include_obfuscation": False, **options}, options)
        if options
        else ({"include_obfuscation": False},)
    )
    for wish in wishes:
        request = {**bare, "stream_options": dict(wish)}
        if not _counted(contract.request_violations(request)):
            return request
    if options or _counted(contract.request_violations(bare)):
        raise Harmless
    return bare


def _judged(contract: Contract, events: Events, request: JsonView, level: Level) -> list[Violation]:
    judge = contract.stream_judge(request=request, level=level)
    found = [violation for event in events for violation in judge.feed(event)]
    return _counted([*found, *judge.finish()])


def _framed(contract: Contract, data: bytes, level: Level) -> list[Violation]:
    judge = FramingJudge(contract.profile.settings, level=level)
    return _counted([*judge.feed(data), *judge.finish()])


def _counted(violations: list[Violation] | tuple[Violation, ...]) -> list[Violation]:
    return [violation for violation in violations if not violation.is_note]
