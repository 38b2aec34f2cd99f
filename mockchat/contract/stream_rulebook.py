"""What a stream rule is, and how its findings become violations.

A rule is a generator over what it is shown (a chunk, an entry of `choices`, a fragment of a call, a
line of bytes); its docstring's first line is its summary, and names its evidence: W recorded
traffic, S the official document, K source of a client or server, R public reports, with the
section of the contract facts that has the numbers.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, ParamSpec

from mockchat.exchange import Violation
from mockchat.types import Json, Level

Shown = ParamSpec("Shown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One place where a rule is broken, before the judge's level is known.

    Attributes:
        at: JSON Pointer inside the event ("" for the event), or where a missing member belongs.
        message: One sentence.
        expected: What the rule asks.
        actual: What was there; None where nothing was.
        level: A level other than the rule's own, for a harmless form of the same fault.
        is_note: Worth saying, never wrong.
    """

    at: str = ""
    message: str
    expected: Json = None
    actual: Json = None
    level: Level | None = None
    is_note: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRule(Generic[Shown]):
    """A named rule: its id, the lowest level at which it counts, and how it judges."""

    id: str
    level: Level
    check: Callable[Shown, Iterator[Finding]]

    @property
    def summary(self) -> str:
        """The first line of the rule's docstring."""
        return (self.check.__doc__ or "").strip().partition("\n")[0]

    @property
    def source(self) -> str:
        """How we know: what stands below the first line."""
        return " ".join((self.check.__doc__ or "").strip().partition("\n")[2].split())


def stream_rule(
    rule_id: str, level: Level = "observed"
) -> Callable[[Callable[Shown, Iterator[Finding]]], StreamRule[Shown]]:
    """Make a rule of the function below it."""

    def named(check: Callable[Shown, Iterator[Finding]]) -> StreamRule[Shown]:
        return StreamRule(id=rule_id, level=level, check=check)

    return named


class Verdict:
    """Turns findings into violations as one level sees them.

    What counts only at level `documented` is a note at `observed`; a note is given once per stream
    and rule, because a server that differs does so in every chunk.
    """

    def __init__(self, level: Level) -> None:
        self._level = level
        self._noted: set[str] = set()

    def on(
        self,
        rule: StreamRule[Shown],
        event: int,
        *shown: Shown.args,
        **named: Shown.kwargs,
    ) -> Iterator[Violation]:
        """Ask `rule` about what is `shown`; pointers of the answer start with "/<event>"."""
        return self._violations(rule.id, rule.level, rule.check(*shown, **named), event)

    def _violations(
        self, rule_id: str, lowest: Level, findings: Iterable[Finding], event: int
    ) -> Iterator[Violation]:
        for finding in findings:
            level = finding.level or lowest
            is_note = finding.is_note or (level == "documented" and self._level == "observed")
            if is_note and rule_id in self._noted:
                continue
            if is_note:
                self._noted.add(rule_id)
            yield Violation(
                rule=rule_id,
                pointer=f"/{event}{finding.at}",
                message=finding.message,
                expected=finding.expected,
                actual=finding.actual,
                level=level,
                is_note=is_note,
            )
