"""The table in which checks are written down that the contract does not bring along."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from mockchat.conformance.observed import Check, Observed, Severity
from mockchat.exchange import Violation
from mockchat.types import Json, Level

_Find: TypeAlias = Callable[[Observed], Iterator[Violation]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenCheck:
    """A check with when it applies and what it finds.

    Attributes:
        check: What is said of it.
        applies: Whether it looks at an exchange.
        find: What it finds there.
        why_not: Why an exchange that it is made for cannot be judged; None where it can, or where
            the exchange is none of its business.
    """

    check: Check
    applies: Callable[[Observed], bool]
    find: _Find
    why_not: Callable[[Observed], str | None]


def _nothing(_: Observed) -> None:
    return None


def written(  # noqa: PLR0913 - a table's row, every cell named
    table: dict[str, WrittenCheck],
    check_id: str,
    sentence: str,
    *,
    source: str,
    applies: Callable[[Observed], bool],
    level: Level = "observed",
    severity: Severity = "error",
    clients: tuple[str, ...] = (),
    why_not: Callable[[Observed], str | None] = _nothing,
) -> Callable[[_Find], _Find]:
    """Make a check of the function below, and put it into `table`."""

    def made(find: _Find) -> _Find:
        check = Check(
            id=check_id,
            sentence=sentence,
            source=source,
            level=level,
            severity=severity,
            clients=clients,
        )
        table[check_id] = WrittenCheck(check=check, applies=applies, find=find, why_not=why_not)
        return find

    return made


def wrong(pointer: str, message: str, expected: Json, actual: Json, level: Level) -> Violation:
    """Return what a check finds; its rule is the check's own id."""
    return Violation(
        rule="", pointer=pointer, message=message, expected=expected, actual=actual, level=level
    )
