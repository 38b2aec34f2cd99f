"""Send the recorded requests again and gather what has changed, each change once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from mockchat.conformance.answers import Answered, Failure
from mockchat.conformance.target import Client
from mockchat.contract.contract import Contract
from mockchat.drift.asking import Asked, Question
from mockchat.drift.changes import Change, Drift, DriftReport, Left
from mockchat.drift.comparing import Comparison, compared
from mockchat.drift.streams import streamed
from mockchat.types import Level

_DENIED = frozenset({401, 403, 404, 429})
"""Statuses that say more of the key, of the URL or of the hour than of the contract."""

_FIRST_FAULT = 500


def ask_again(  # noqa: PLR0913 - what a report is made of, by name
    asked: Asked,
    client: Client,
    *,
    file: str,
    upstream: str,
    contract: Contract | None = None,
    level: Level = "observed",
    told: Callable[[Question], None] = lambda _: None,
) -> DriftReport:
    """Send each request to a server and compare its answers with those that were recorded.

    Args:
        asked: What was recorded.
        client: Sends.
        file: How the report names the recording.
        upstream: How it names the server.
        contract: Names fields, values and rules; that of the recording if not given.
        level: How strictly rules are judged.
        told: Is given each question before it is sent.
    """
    judge = contract or asked.contract
    pairs: list[tuple[str, Comparison]] = []
    unanswered: list[Left] = []
    for question in asked.questions:
        told(question)
        answered = client.send(question.sent)
        reason = _unanswered(question.old, answered)
        if reason is not None:
            unanswered.append(Left(place=question.place, reason=reason))
            continue
        pair = compared(
            judge,
            question.request,
            question.old,
            answered,
            has_fields=question.has_fields,
            level=level,
        )
        pairs.append((question.place, pair))
    return DriftReport(
        file=file,
        upstream=upstream,
        profile=judge.profile.name,
        compared=len(pairs),
        drifts=tuple(_joined(_found(pairs))),
        unasked=asked.left,
        unanswered=tuple(unanswered),
    )


def _found(pairs: Sequence[tuple[str, Comparison]]) -> dict[Change, list[str]]:
    """Return the changes with the places that show them, in the order in which they were met."""
    found: dict[Change, list[str]] = {}
    for place, pair in pairs:
        for change in pair.changes:
            if _varies(change, pair, pairs):
                continue
            places = found.setdefault(change, [])
            if place not in places:
                places.append(place)
    return found


def _varies(change: Change, pair: Comparison, pairs: Sequence[tuple[str, Comparison]]) -> bool:
    """Tell whether a server does now one thing and now the other, then as today.

    So it is where another recorded answer was already as this one is now, and another of today's is
    still as this one was.
    """
    here = pair.states(change)
    if here is None:
        return False
    others = [each for _, other in pairs if (each := other.states(change)) is not None]
    was, now = here
    return any(old == now for old, _ in others) and any(new == was for _, new in others)


def _joined(found: Mapping[Change, Sequence[str]]) -> Iterator[Drift]:
    """Yield one drift for each name, whatever it was and is in single answers."""
    groups: dict[tuple[str, str, str], list[Change]] = {}
    for change in found:
        groups.setdefault((change.kind, change.subject, change.name), []).append(change)
    for first, *others in groups.values():
        every = (first, *others)
        old, new = (
            ", ".join(dict.fromkeys(getattr(change, side) for change in every))
            for side in ("old", "new")
        )
        places = dict.fromkeys(place for change in every for place in found[change])
        yield Drift(change=replace(first, old=old, new=new), places=tuple(places))


def _unanswered(old: Answered, new: Answered) -> str | None:
    """Return why an answer cannot be compared; None where it can."""
    if new.failure is not None and not (new.failure is Failure.CUT and new.status == old.status):
        return f"{new.failure.value}: {new.detail}"
    if new.status != old.status and _is_transient(new.status or 0):
        return f"the server answers with status {new.status}{_said(new)}"
    if old.is_success and new.content_type == "text/event-stream":
        error = streamed(new.body).error
        if error is not None and streamed(old.body).error is None:
            return "the stream tells of an error"
    return None


def _is_transient(status: int) -> bool:
    return status in _DENIED or status >= _FIRST_FAULT


def _said(answered: Answered) -> str:
    body = answered.json
    error = body.get("error") if isinstance(body, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    return f": {message[:200]}" if isinstance(message, str) else ""
