"""Judge how a client behaved, by named rules, from the journal alone."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from mockchat.exchange import Exchange
from mockchat.scripting.attempts import linked
from mockchat.scripting.verdicts_history import (
    ANSWERS_TOOL_CALLS,
    DROPS_TRUNCATED_REPLIES,
    answers_tool_calls,
    drops_truncated_replies,
)
from mockchat.scripting.verdicts_kinds import Evidence, State, Thresholds, Verdict, limits_of
from mockchat.scripting.verdicts_retries import (
    BACKS_OFF,
    HEEDS_RETRY_AFTER,
    RETRIES_NOTHING_FINAL,
    STOPS_RETRYING,
    backs_off,
    heeds_retry_after,
    retries_nothing_final,
    stops_retrying,
)

__all__ = ["RULES", "State", "Thresholds", "Verdict", "verdicts"]

RULES: Mapping[str, tuple[Callable[[Evidence], Iterable[Verdict]], str]] = {
    HEEDS_RETRY_AFTER: (heeds_retry_after, "no reply that told when to come back was seen"),
    RETRIES_NOTHING_FINAL: (retries_nothing_final, "no error was answered"),
    BACKS_OFF: (backs_off, "no request was repeated that was free to choose its time"),
    STOPS_RETRYING: (stops_retrying, "no request was repeated"),
    DROPS_TRUNCATED_REPLIES: (drops_truncated_replies, "no reply broke off"),
    ANSWERS_TOOL_CALLS: (answers_tool_calls, "no reply called a tool"),
}
"""Each rule by its id: what judges it, and what is said where it did not come up."""


def verdicts(exchanges: Sequence[Exchange], thresholds: Thresholds) -> tuple[Verdict, ...]:
    """Return what each rule says of the exchanges: one verdict or more for each, in their order.

    Raises:
        BadArgument: A threshold does not exist, or is out of range.
    """
    __tracebackhide__ = True
    limits = limits_of(thresholds, RULES.keys())
    evidence = Evidence(exchanges=tuple(exchanges), links=linked(exchanges), limits=limits)
    said: list[Verdict] = []
    for rule, (judge, otherwise) in RULES.items():
        if rule not in limits.ignore:
            nothing = Verdict(rule=rule, state="unknown", sentence=otherwise)
            said += tuple(judge(evidence)) or (nothing,)
    return tuple(said)
