"""A report of drift as lines to read, and as JSON."""

from collections.abc import Iterable, Iterator

from mockchat.drift.changes import Change, DriftReport, Left
from mockchat.types import JsonObject

_SUBJECTS = {
    "answer": "answer",
    "response": "completion",
    "chunk": "chunk",
    "stream": "stream",
    "error": "error",
}
_HAPPENED = {
    "status": "another {}",
    "header": "the field {} is another",
    "field": "{} is not always there",
    "type": "{} is of another type",
    "enum": "{} has another value",
    "stream": "{} is otherwise",
    "rule": "breaks {}",
}
_MOST_PLACES = 5


def as_text(report: DriftReport) -> Iterator[str]:
    """Yield the lines of a report."""
    requests = _counted(report.compared, "answer")
    yield f"{report.file} against {report.upstream} ({report.profile}): {requests} compared"
    for drift in report.drifts:
        yield ""
        yield sentence(drift.change)
        yield f"  old: {drift.change.old}"
        detail = f"; {drift.change.detail}" if drift.change.detail else ""
        yield f"  new: {drift.change.new}{detail}"
        yield f"  at:  {_places(drift.places)}"
    yield from _left("not asked again", report.unasked)
    yield from _left("not compared", report.unanswered)
    yield ""
    if report.drifts:
        yield _counted(len(report.drifts), "change")
    elif not report.compared:
        yield "nothing was compared"
    elif report.exit_status:
        yield "nothing changed in what was compared; that is not all"
    else:
        yield "nothing changed"


def sentence(change: Change) -> str:
    """Return what changed in one line, its values left out."""
    happened = _HAPPENED[change.kind]
    if change.kind == "field":
        is_gone, is_new = (each == "not there" for each in (change.new, change.old))
        happened = "{} is gone" if is_gone else "{} is new" if is_new else happened
    return f"{_SUBJECTS[change.subject]}: {happened.format(change.name)}"


def as_json(report: DriftReport) -> JsonObject:
    """Return a report as one JSON object."""
    return {
        "file": report.file,
        "upstream": report.upstream,
        "profile": report.profile,
        "compared": report.compared,
        "changes": [
            {
                "kind": drift.change.kind,
                "subject": drift.change.subject,
                "name": drift.change.name,
                "old": drift.change.old,
                "new": drift.change.new,
                "detail": drift.change.detail,
                "places": list(drift.places),
            }
            for drift in report.drifts
        ],
        "not_asked": [*_listed(report.unasked)],
        "not_compared": [*_listed(report.unanswered)],
    }


def _listed(left: Iterable[Left]) -> Iterator[JsonObject]:
    yield from ({"place": each.place, "reason": each.reason} for each in left)


def _left(title: str, left: tuple[Left, ...]) -> Iterator[str]:
    if left:
        yield ""
        yield f"{title}:"
        yield from (f"  {each.place}: {each.reason}" for each in left)


def _places(places: tuple[str, ...]) -> str:
    more = len(places) - _MOST_PLACES
    shown = ", ".join(places[:_MOST_PLACES])
    return f"{shown} and {more} more" if more > 0 else shown


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
