"""Say of a journal what must have arrived, in failures that show what did."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeAlias

from mockchat.exchange import Exchange
from mockchat.scripting.failures import UNSEEN_CLIENT, CarelessClient, RequestsDiffer
from mockchat.scripting.matching import Matcher
from mockchat.scripting.queries import Query, Wanted, view_of
from mockchat.scripting.verdicts import Verdict

Request: TypeAlias = Wanted | Matcher | Mapping[str, object]
"""What one request must be like: keywords of `Journal.matching` as a mapping, or a matcher."""

_RETRIES = "Further attempts count as well: attempt=1 leaves them out, journal.retries counts them."
_DROPPED = "Assert before that many arrive."


class Record(Protocol):
    """What assertions need of a journal."""

    @property
    def dropped(self) -> int:
        """How many exchanges are not kept."""
        ...

    def settled(self) -> tuple[Exchange, ...]:
        """Return what is kept, after waiting for deliveries in flight."""
        ...


def assert_called_once(journal: Record, wanted: Request) -> None:
    """Fail unless exactly one request meets the conditions: see `Journal.assert_called_once`."""
    __tracebackhide__ = True
    query = Query(wanted)
    exchanges = _all(journal, "exactly one")
    found = [one for one in exchanges if not query.mismatches(one)]
    if len(found) == 1:
        return
    if not found:
        raise _none_like(exchanges, query, "exactly one")
    advice = _RETRIES if any(one.attempt > 1 for one in found) else ""
    like = " like that" if query else ""
    fact = f"{_count(len(found))}{like} arrived, wanted exactly one."
    raise RequestsDiffer(fact, [_line(one) for one in found], advice)


def assert_not_called(journal: Record, wanted: Request) -> None:
    """Fail if a request meets the conditions: see `Journal.assert_not_called`."""
    __tracebackhide__ = True
    query = Query(wanted)
    if not journal.dropped and not journal.settled():
        return
    found = [one for one in _all(journal, "none") if not query.mismatches(one)]
    if found:
        like = " like that" if query else ""
        fact = f"{_count(len(found))}{like} arrived, wanted none."
        raise RequestsDiffer(fact, [_line(one) for one in found])


def assert_requests(journal: Record, wanted: Sequence[Request], *, in_any_order: bool) -> None:
    """Fail unless exactly these requests arrived: see `Journal.assert_requests`."""
    __tracebackhide__ = True
    queries = [Query(one) for one in wanted]
    if not queries:
        assert_not_called(journal, {})
        return
    exchanges = _all(journal, str(len(queries)))
    matched = _matched(exchanges, queries)
    is_any = len(matched) == len(queries) == len(exchanges)
    if is_any and in_any_order:
        return
    reasons = (_by_likeness if in_any_order else _by_place)(exchanges, queries, matched)
    if not reasons:
        return
    fact = f"{_count(len(exchanges))} arrived, wanted {len(queries)}."
    if len(exchanges) == len(queries):
        fact = f"{_count(len(exchanges))} arrived, not as wanted."
    advice = ""
    if is_any:
        advice = "They are the ones wanted in another order; in_any_order=True allows that."
    elif any(one.attempt > 1 for one in exchanges):
        advice = _RETRIES
    raise RequestsDiffer(fact, reasons, advice)


def assert_order(journal: Record, wanted: Sequence[Request]) -> None:
    """Fail unless such requests arrived in this order: see `Journal.assert_order`."""
    __tracebackhide__ = True
    queries = [Query(one) for one in wanted]
    exchanges = _all(journal, f"{len(queries)} in order") if queries else ()
    start = 0
    for number, query in enumerate(queries, start=1):
        places = [p for p, one in enumerate(exchanges) if not query.mismatches(one)]
        place = next((p for p in places if p >= start), None)
        if place is not None:
            start = place + 1
            continue
        after = f" after request {exchanges[start - 1].index}" if start else ""
        fact = f"No request like number {number} of {len(queries)} arrived{after}: {query}."
        early = [f"request {exchanges[p].index} is like that, and came before" for p in places]
        rest = [_reasons(one, query) for one in exchanges[start:]]
        raise RequestsDiffer(fact, early or rest or ["nothing arrived after it"])


def assert_well_behaved(journal: Record, verdicts: Iterable[Verdict]) -> None:
    """Fail if a verdict is "broken": see `Journal.assert_well_behaved`."""
    __tracebackhide__ = True
    if not journal.dropped and not journal.settled():
        raise _nothing("one or more to judge")
    said = tuple(verdicts)
    broken = [str(one) for one in said if one.state == "broken"]
    if broken:
        unknown = [str(one) for one in said if one.state == "unknown" and one.exchanges]
        raise CarelessClient(broken, unknown)


def _all(journal: Record, wanted: str) -> tuple[Exchange, ...]:
    """Return every exchange there was, one at least.

    Raises:
        RequestsDiffer: Nothing arrived, or the journal could not keep all of it.
    """
    __tracebackhide__ = True
    exchanges = journal.settled()
    if journal.dropped:
        dropped = f"{journal.dropped} of {journal.dropped + len(exchanges)} exchanges"
        fact = f"{dropped} were dropped, so nothing can be said of all."
        raise RequestsDiffer(fact, (), _DROPPED)
    if not exchanges and wanted != "none":
        raise _nothing(wanted)
    return exchanges


def _nothing(wanted: str) -> RequestsDiffer:
    return RequestsDiffer(f"No request arrived, wanted {wanted}.", (), UNSEEN_CLIENT)


def _none_like(exchanges: Sequence[Exchange], query: Query, wanted: str) -> RequestsDiffer:
    closest = sorted(exchanges, key=lambda one: len(query.mismatches(one)))
    fact = f"{_count(len(exchanges))} arrived, wanted {wanted} with {query}."
    return RequestsDiffer(fact, [_reasons(one, query) for one in closest])


def _by_place(
    exchanges: Sequence[Exchange], queries: Sequence[Query], _: Mapping[int, int]
) -> list[str]:
    if len(exchanges) == len(queries) and not any(
        query.mismatches(one) for one, query in zip(exchanges, queries, strict=True)
    ):
        return []
    lines = []
    for one, query in zip(exchanges, queries, strict=False):
        lines.append(_reasons(one, query))
    lines += [f"{_line(one)}: one too many" for one in exchanges[len(queries) :]]
    lines += [f"missing: {query}" for query in queries[len(exchanges) :]]
    return lines


def _by_likeness(
    exchanges: Sequence[Exchange], queries: Sequence[Query], matched: Mapping[int, int]
) -> list[str]:
    left = [one for place, one in enumerate(exchanges) if place not in matched.values()]
    lines = []
    for number, query in enumerate(queries):
        if number not in matched:
            closest = sorted(left, key=lambda one, query=query: len(query.mismatches(one)))  # type: ignore[misc]  # mypy cannot type a lambda's default
            told = [f"; closest is {_reasons(one, query)}" for one in closest[:1]]
            lines.append(f"missing: {query}{''.join(told)}")
    return lines + [f"{_line(one)}: not wanted" for one in left]


def _matched(exchanges: Sequence[Exchange], queries: Sequence[Query]) -> dict[int, int]:
    """Return a largest matching, number of query to place of exchange (Kuhn's algorithm)."""
    taken: dict[int, int] = {}

    def finds(number: int, seen: set[int]) -> bool:
        for place, one in enumerate(exchanges):
            if place in seen or queries[number].mismatches(one):
                continue
            seen.add(place)
            if place not in taken or finds(taken[place], seen):
                taken[place] = number
                return True
        return False

    for number in range(len(queries)):
        finds(number, set())
    return {number: place for place, number in taken.items()}


def _reasons(exchange: Exchange, query: Query) -> str:
    reasons = query.mismatches(exchange)
    return (
        f"{_line(exchange)}: {'; '.join(reasons)}" if reasons else f"{_line(exchange)}: as wanted"
    )


def _line(exchange: Exchange) -> str:
    parts = [f"{exchange.method} {exchange.path} -> {exchange.status}, {exchange.outcome.value}"]
    if isinstance(exchange.request, Mapping):
        parts.insert(0, view_of(exchange).summary)
    attempt = f" (attempt {exchange.attempt})" if exchange.attempt > 1 else ""
    return f"request {exchange.index}{attempt} [{', '.join(parts)}]"


def _count(number: int) -> str:
    return f"{number} request{'' if number == 1 else 's'}"
