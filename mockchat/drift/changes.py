"""What changed between an answer that was recorded and today's, as data."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["status", "header", "field", "type", "enum", "stream", "rule"]
"""What it is that changed: the HTTP status, a header field, whether a member is there, its type, a
value out of few, how a stream goes, or a rule of the contract that is newly broken."""

Subject: TypeAlias = Literal["answer", "response", "chunk", "stream", "error"]
"""What it changed in: the HTTP answer, or one of the documents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that the server does otherwise.

    Attributes:
        kind: What it is.
        subject: In what.
        name: A place (a JSON Pointer, "*" for any item of a list), a header field, an axis of
            streams, or the id of a rule.
        old: What was recorded, in words.
        new: What there is now, in words.
        detail: More of it, of which this answer is one example among others.
    """

    kind: Kind
    subject: Subject
    name: str
    old: str
    new: str
    detail: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.kind} {self.subject} {self.name}: was {self.old}, now {self.new}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A request that was not compared, or not all of it.

    Attributes:
        place: Which it is.
        reason: Why.
    """

    place: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What changed in one place, with the requests whose answers show it.

    Attributes:
        change: The change; where it is not the same for all requests, all that was and all that is.
        places: The requests.
    """

    change: Change
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """What came of asking again.

    Attributes:
        file: What was recorded, as messages name it.
        upstream: Who was asked.
        profile: What names the fields, values and rules.
        compared: How many answers were compared.
        drifts: What changed; each change once.
        unasked: What could not be asked again.
        unanswered: What the server gave no answer to that could be compared.
    """

    file: str
    upstream: str
    profile: str
    compared: int
    drifts: tuple[Drift, ...] = ()
    unasked: tuple[Left, ...] = ()
    unanswered: tuple[Left, ...] = ()

    @property
    def exit_status(self) -> int:
        """0: nothing changed. 1: something did. 2: that cannot be said."""
        if self.drifts:
            return 1
        return 2 if self.unanswered or not self.compared else 0
