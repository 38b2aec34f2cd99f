"""What is said of a client's behaviour, on what evidence, and by which thresholds."""

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Literal, TypeAlias, TypedDict

from mockchat.errors import BadArgument
from mockchat.exchange import Exchange
from mockchat.scripting.arguments import is_seconds, is_whole_number
from mockchat.scripting.attempts import Link

State: TypeAlias = Literal["ok", "broken", "unknown"]
"""`unknown`: a server cannot see it, or it did not come up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One judgement on one rule of good behaviour.

    Attributes:
        rule: The rule's id, such as "client.heeds-retry-after".
        state: Whether it was kept.
        exchanges: The indexes of the exchanges concerned, () where it did not come up.
        sentence: What happened, in words.
        seconds: The times it rests on, by name, in seconds: `waited` and what it is compared with.
    """

    rule: str
    state: State
    exchanges: tuple[int, ...] = ()
    sentence: str
    seconds: Mapping[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.rule}: {self.sentence}"


class Thresholds(TypedDict, total=False):
    """Where good behaviour ends.

    Attributes:
        max_attempts: How many attempts at one request are no storm yet; 5 unless said.
        shortest_wait: Seconds a client must wait before it repeats a request, where the reply does
            not say how long; 0.1 unless said.
        tolerance: Seconds by which a client may be early, for clocks that tick coarsely; 0.05
            unless said.
        retryable: The statuses below 500 that may be repeated; 408, 409 and 429 unless said.
        ignore: Rules that are not judged.
    """

    max_attempts: int
    shortest_wait: float
    tolerance: float
    retryable: Collection[int]
    ignore: Collection[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """All thresholds, checked: see `Thresholds`."""

    max_attempts: int = 5
    shortest_wait: float = 0.1
    tolerance: float = 0.05
    retryable: frozenset[int] = frozenset({408, 409, 429})
    ignore: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a rule is judged on.

    Attributes:
        exchanges: All that is kept, oldest first.
        links: What each exchange repeats, by its index.
        limits: The thresholds.
    """

    exchanges: Sequence[Exchange]
    links: Mapping[int, Link]
    limits: Limits

    def __getitem__(self, index: int) -> Exchange:
        """Return the exchange with an index, not at a position."""
        return self.exchanges[index - self.exchanges[0].index]


def limits_of(thresholds: Thresholds, rules: Collection[str]) -> Limits:
    """Return the thresholds with their defaults.

    Args:
        thresholds: What a caller gave.
        rules: The ids of all rules, for `ignore`.

    Raises:
        BadArgument: One does not exist, or is out of range.
    """
    __tracebackhide__ = True
    known = [one.name for one in fields(Limits)]
    for name, value in thresholds.items():
        if name not in known:
            raise BadArgument("threshold", name, ", ".join(known), _close(name, known))
        if name == "max_attempts" and not is_whole_number(value, lowest=1):
            raise BadArgument(name, value, "a whole number above 0")
        if name in ("shortest_wait", "tolerance") and not is_seconds(value):
            raise BadArgument(name, value, "a number of seconds, 0 or more")
    return Limits(
        **{
            name: value for name, value in thresholds.items() if name not in ("retryable", "ignore")
        },  # type: ignore[arg-type]  # just checked
        retryable=_statuses(thresholds.get("retryable", Limits().retryable)),
        ignore=_rules(thresholds.get("ignore", ()), rules),
    )


def _statuses(given: object) -> frozenset[int]:
    __tracebackhide__ = True
    is_many = isinstance(given, Collection) and not isinstance(given, str)
    if not is_many or not all(isinstance(one, int) for one in given):  # type: ignore[attr-defined]  # just checked
        raise BadArgument("retryable", given, "a collection of statuses, such as {408, 429}")
    return frozenset(given)  # type: ignore[call-overload,no-any-return]  # just checked


def _rules(given: object, rules: Collection[str]) -> frozenset[str]:
    __tracebackhide__ = True
    if not isinstance(given, Collection) or isinstance(given, str):
        raise BadArgument("ignore", given, f"a collection of rules: {', '.join(rules)}")
    for rule in given:
        if rule not in rules:
            raise BadArgument("ignore", rule, ", ".join(rules), _close(rule, rules))
    return frozenset(given)


def _close(given: object, known: Collection[str]) -> str | None:
    return next(iter(difflib.get_close_matches(str(given), known, n=1)), None)
