"""What would meet the missing items: stubs and requests, each of them tried."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mockchat.coverage.candidates import Candidate, plain_candidates
from mockchat.coverage.catalogue import Catalogue
from mockchat.coverage.drawn_candidates import drawn_replies, drawn_requests
from mockchat.coverage.items import Side
from mockchat.coverage.trying import Trial
from mockchat.types import JsonView


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """One exchange that was tried, and met what was missing.

    Attributes:
        candidate: The request and the stub.
        items: The ids of the missing items that it meets, and no suggestion before it.
        marks: The ids of all that it meets.
    """

    candidate: Candidate
    items: tuple[str, ...]
    marks: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggested:
    """What can be done about missing items.

    Attributes:
        suggestions: Those that meet them, the plainest first.
        left: The ids of items that nothing tried has met.
    """

    suggestions: tuple[Suggestion, ...]
    left: tuple[str, ...]

    @property
    def marks(self) -> frozenset[str]:
        """The ids of all that the suggestions meet."""
        return frozenset().union(*(one.marks for one in self.suggestions))


def suggested(catalogue: Catalogue, missing: Iterable[str], *, side: Side) -> Suggested:
    """Return what meets the missing items of one side, the plainest exchanges first.

    Every suggestion was answered by a server in this process; what it claims to meet, it has met.

    Args:
        catalogue: The items of the profile.
        missing: The ids of items.
        side: Whose are looked for: "reply" for stubs, "request" for what a client should send.
    """
    items = catalogue.items
    wanted = {name for name in missing if name in items and items[name].side == side}
    trial = Trial(catalogue)
    found: list[Suggestion] = []
    for candidate in _candidates(catalogue, wanted, side):
        if not wanted:
            break
        marks = trial.marks(candidate)
        met = wanted & marks
        if met:
            wanted -= met
            ordered = tuple(name for name in items if name in met)
            found.append(Suggestion(candidate=candidate, items=ordered, marks=marks))
    left = tuple(name for name in items if name in wanted)
    return Suggested(suggestions=tuple(found), left=left)


def _candidates(catalogue: Catalogue, wanted: set[str], side: Side) -> Iterator[Candidate]:
    def may_help(document: str, payload: JsonView) -> bool:
        return not wanted.isdisjoint(catalogue.met_by(document, payload))

    yield from plain_candidates(catalogue.contract)
    drawn = drawn_replies if side == "reply" else drawn_requests
    yield from drawn(catalogue.contract, may_help)
