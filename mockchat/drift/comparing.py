"""Two answers to one request, compared by their contract: what varies by nature never counts.

Ids, times, texts, names of models and fingerprints, numbers and the length of things are not looked
at. A model may also say otherwise what it is asked: call a tool or not, refuse, break off. Members
that hang on that are compared where both answers are of one kind.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from mockchat.conformance.answers import Answered, Failure
from mockchat.conformance.kinds import starts_stream
from mockchat.conformance.offline import stream_violations
from mockchat.conformance.records import Stream
from mockchat.contract.contract import Contract
from mockchat.contract.pointers import pointer_of, tokens_of
from mockchat.contract.stream_framing import MEDIA_TYPE
from mockchat.drift.changes import Change, Kind, Subject
from mockchat.drift.facts import ITEM, Facts, facts_of, general, is_listed, parent_of
from mockchat.drift.natures import Nature, is_natural_reason, nature_of
from mockchat.drift.streams import AXES, EXPLAINED, Streamed, streamed
from mockchat.exchange import Violation, header
from mockchat.types import Json, JsonView, Level

_FIRST_FAILURE = 400
_ERROR_WORDS = frozenset({"/error/type", "/error/code", "/error/param"})
"""Members of an error that programs read: another value is another answer."""

_ONCE = ("/choices/*/delta", "/choices/*/logprobs", "/obfuscation")
"""Places in chunks where a member comes when there is something to say."""

_REASON = "/choices/*/finish_reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What two answers to one request have, and what is not the same.

    Attributes:
        changes: What is not the same.
        subject: The document that both are of.
        old: What the recorded answer has where.
        new: What today's has.
    """

    changes: tuple[Change, ...]
    subject: Subject = "answer"
    old: Facts = field(default_factory=Facts)
    new: Facts = field(default_factory=Facts)

    def states(self, change: Change) -> tuple[str, str] | None:
        """Return what the recorded answer and today's have where a change was found, in any pair.

        None where one of them has nothing there that could be so or otherwise.
        """
        if change.subject != self.subject or change.kind not in _STATES:
            return None
        old, new = (
            _STATES[change.kind](self.subject, change.name, each) for each in (self.old, self.new)
        )
        return None if old is None or new is None else (old, new)


def compared(  # noqa: PLR0913 - what an answer is judged by, by name
    contract: Contract,
    asked: JsonView,
    old: Answered,
    new: Answered,
    *,
    has_fields: bool,
    level: Level = "observed",
) -> Comparison:
    """Compare today's answer with the one that was recorded.

    Args:
        contract: Names places, values and rules.
        asked: The request of both.
        old: What was recorded.
        new: What is answered now.
        has_fields: Whether the header fields of `old` were recorded.
        level: How strictly rules are judged.
    """
    if old.status != new.status:
        return _alone(_change("status", "answer", "status", old.status, new.status))
    found: list[Change] = []
    label = _labels(old, new, has_fields=has_fields)
    if label is not None:
        found.append(label)
        if MEDIA_TYPE in {label.old, label.new}:
            return _alone(label)
    if has_fields:
        found += _fields(contract, old, new)
    if old.failure is None and new.failure is Failure.CUT:
        kind: Kind = "stream" if _is_stream(old) else "status"
        return _alone(*found, _change(kind, "answer", "end", "whole", "cut"))
    if old.failure is not None:
        return _alone(*found)
    inside = _bodies(contract, asked, old, new, level)
    return replace(inside, changes=(*found, *inside.changes))


def _alone(*changes: Change) -> Comparison:
    return Comparison(changes=changes)


def _bodies(
    contract: Contract, asked: JsonView, old: Answered, new: Answered, level: Level
) -> Comparison:
    if _is_stream(old):
        return _streams(contract, asked, old, new, level)
    was, now = _json(old), _json(new)
    if was is None:
        return _alone()  # what was recorded is no object: there is nothing to compare with
    if now is None:
        return _alone(_change("type", "answer", "body", "a JSON object", "none"))
    facts = facts_of(was), facts_of(now)
    if old.status is not None and old.status >= _FIRST_FAILURE:
        subject: Subject = "error"
        found = [*_differences(contract, subject, *facts)]
        judged = [contract.violations("error", each) for each in (was, now)]
    else:
        subject, natures = "response", (nature_of(was), nature_of(now))
        found = [*_differences(contract, subject, *facts, natures)]
        judged = [_judged(contract, asked, each, level) for each in (was, now)]
    broken = _rules(subject, found, *judged)
    return Comparison(changes=(*found, *broken), subject=subject, old=facts[0], new=facts[1])


def _judged(
    contract: Contract, asked: JsonView, completion: Json, level: Level
) -> tuple[Violation, ...]:
    own = contract.violations("response", completion, level=level)
    if any(not each.is_note for each in own):
        return own
    return (*own, *contract.exchange_violations(asked, completion, level=level))


def _streams(
    contract: Contract, asked: JsonView, old: Answered, new: Answered, level: Level
) -> Comparison:
    was, now = streamed(old.body), streamed(new.body)
    if was.chunks and not now.chunks:
        return _alone(_change("stream", "stream", "events", "chunks", "none"))
    found = [*_manners(was, now)]
    natures = nature_of(*was.chunks), nature_of(*now.chunks)
    facts = facts_of(*was.chunks), facts_of(*now.chunks)
    found += _differences(contract, "chunk", *facts, natures)
    judged = (
        stream_violations(
            contract, Stream(data=each.body, content_type=each.content_type or None), asked, level
        )
        for each in (old, new)
    )
    broken = _rules("stream", found, *judged)
    return Comparison(changes=(*found, *broken), subject="chunk", old=facts[0], new=facts[1])


def _manners(was: Streamed, now: Streamed) -> Iterator[Change]:
    for axis in AXES:
        old, new = getattr(was.manner, axis), getattr(now.manner, axis)
        if old != new:
            yield _change("stream", "stream", axis, old or "none", new or "none")


def _labels(old: Answered, new: Answered, *, has_fields: bool) -> Change | None:
    """Return the change of the content type: of any, or only whether it is a stream's."""
    was, now = old.content_type, new.content_type
    if was == now or not (has_fields or MEDIA_TYPE in {was, now} or _is_stream(old)):
        return None
    return _change("header", "answer", "content-type", was or "none", now or "none")


def _fields(contract: Contract, old: Answered, new: Answered) -> Iterator[Change]:
    for name in contract.profile.settings.get("headers", {}):
        was, now = (header(each.headers, name) is not None for each in (old, new))
        if was != now:
            words = {True: "there", False: "missing"}
            yield _change("header", "answer", name, words[was], words[now])


def _differences(
    contract: Contract,
    document: Subject,
    old: Facts,
    new: Facts,
    natures: tuple[Nature, Nature] | None = None,
) -> Iterator[Change]:
    """Yield members that came and went, other types and other values out of few."""
    told: list[str] = []
    for place in sorted({*old.counts, *new.counts}, key=lambda each: (each.count("/"), each)):
        if any(place.startswith(f"{one}/") for one in told) or _hangs(place, natures):
            continue
        found = [
            *_presences(document, place, old, new),
            *_types(document, place, old, new),
            *_values(contract, document, place, old, new, natures),
        ]
        if found:
            told.append(place)
            yield found[0]


def _hangs(place: str, natures: tuple[Nature, Nature] | None) -> bool:
    """Tell whether what stands at a place hangs on what was said, in two answers of two kinds."""
    return natures is not None and natures[0].excuses(natures[1], place)


def _presences(document: Subject, place: str, old: Facts, new: Facts) -> Iterator[Change]:
    was, now = (_presence(document, place, each) for each in (old, new))
    if was is None or now is None or (document == "chunk" and place == "/usage"):
        return  # where the counts stand is told by another name
    if was != now and (was, now) != ("sometimes", "always"):
        types = "/".join(sorted(old.types[place] or new.types[place]))
        word = {"always": f"there ({types})", "never": "not there"}
        yield _change("field", document, place, word.get(was, was), word.get(now, now))


def _presence(document: Subject, place: str, facts: Facts) -> str | None:
    """Return how often a member is there; None where nothing holds it."""
    is_member = bool(place) and not place.endswith(f"/{ITEM}")
    if not is_member or not facts.objects[parent_of(place)]:
        return None
    often = facts.presence(place)
    if document == "chunk" and place.startswith(_ONCE) and often != "never":
        return "sometimes"
    return often


def _type(_: Subject, place: str, facts: Facts) -> str | None:
    return "/".join(sorted(facts.types[place])) if facts.counts[place] else None


def _text(_: Subject, place: str, facts: Facts) -> str | None:
    return ", ".join(sorted(facts.texts[place])) if facts.counts[place] else None


_STATES = {"field": _presence, "type": _type, "enum": _text}
"""What a place has that may be so in one answer and otherwise in another."""


def _types(document: Subject, place: str, old: Facts, new: Facts) -> Iterator[Change]:
    if not (old.counts[place] and new.counts[place]) or (
        document == "error" and place in _ERROR_WORDS
    ):
        return
    if document == "chunk" and place == "/usage":
        return
    if new.types[place] - old.types[place]:
        was, now = ("/".join(sorted(each.types[place])) for each in (old, new))
        yield _change("type", document, place, was, now)


def _values(  # noqa: PLR0913, PLR0917 - as the two before
    contract: Contract,
    document: Subject,
    place: str,
    old: Facts,
    new: Facts,
    natures: tuple[Nature, Nature] | None,
) -> Iterator[Change]:
    is_word = document == "error" and place in _ERROR_WORDS
    if not (is_word or is_listed(contract, document, place)):
        return
    was, now = ([*_said(each, place, with_null=is_word)] for each in (old, new))
    fresh = [each for each in now if each not in was]
    if natures is not None and place == _REASON:
        fresh = [each for each in fresh if not is_natural_reason(was, each, *natures)]
    if was and fresh:
        yield _change("enum", document, place, ", ".join(was), ", ".join(fresh))


def _said(facts: Facts, place: str, *, with_null: bool) -> Iterator[str]:
    yield from sorted(map(repr, facts.texts[place]))
    if with_null:
        yield from sorted(facts.types[place] - {"string"})


def _rules(
    subject: Subject,
    found: list[Change],
    old: Iterator[Violation] | tuple[Violation, ...] | list[Violation],
    new: Iterator[Violation] | tuple[Violation, ...] | list[Violation],
) -> Iterator[Change]:
    """Yield the rules that are broken now and were not, but for what was told already."""
    known = {(each.rule, _place(subject, each)) for each in old}
    told: set[tuple[str, str]] = set()
    for each in new:
        place = _place(subject, each)
        key = each.rule, place
        if each.is_note or key in known or key in told or _is_told(each, place, found):
            continue
        told.add(key)
        where = f"{each.rule} at {place}" if place else each.rule
        yield Change(
            kind="rule", subject=subject, name=where, old="kept", new="broken", detail=each.message
        )


def _place(subject: Subject, violation: Violation) -> str:
    tokens = tokens_of(violation.pointer)
    inner = tokens[1:] if subject == "stream" else tokens
    return general(pointer_of(inner))


def _is_told(violation: Violation, place: str, found: list[Change]) -> bool:
    if any(
        violation.rule.startswith(EXPLAINED.get(each.name, ("?",)))
        for each in found
        if each.kind == "stream"
    ):
        return True
    return bool(place) and any(
        each.name.startswith("/") and f"{place}/".startswith(f"{each.name}/") for each in found
    )


def _is_stream(answered: Answered) -> bool:
    return answered.content_type == MEDIA_TYPE or starts_stream(answered.body)


def _json(answered: Answered) -> JsonView | None:
    value = answered.json
    return value if isinstance(value, Mapping) else None


def _change(kind: Kind, subject: Subject, name: str, old: object, new: object) -> Change:
    was, now = (each if isinstance(each, str) else json.dumps(each) for each in (old, new))
    return Change(kind=kind, subject=subject, name=name, old=was, new=now)
