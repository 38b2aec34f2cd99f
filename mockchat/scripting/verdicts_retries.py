"""How a client repeats what failed: whether it waits, what it repeats, and when it gives up.

A wait is seen from the server's side alone, between two bounds: no longer than from the moment the
answer was ready to the next request, no shorter than from its last byte. Where a threshold lies
between them, the verdict is unknown.
"""

import re
from collections.abc import Iterator

from mockchat.exchange import Ending, Exchange, Outcome, header
from mockchat.scripting.attempts import FIRST_FAILURE, has_failed
from mockchat.scripting.verdicts_kinds import Evidence, State, Verdict

HEEDS_RETRY_AFTER = "client.heeds-retry-after"
RETRIES_NOTHING_FINAL = "client.retries-nothing-final"
BACKS_OFF = "client.backs-off"
STOPS_RETRYING = "client.stops-retrying"

_NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", re.ASCII)
_SERVER_ERROR = 500
_OTHER_CREDENTIALS = frozenset({401, 403, 407})


def heeds_retry_after(evidence: Evidence) -> Iterator[Verdict]:
    """Judge whether a client waited as long as `retry-after` or `retry-after-ms` told.

    Where both are sent and differ, either may be heeded. A date is not judged: it is told by the
    client's clock.
    """
    repeated = {earlier.index: later for later, earlier in _pairs(evidence)}
    for exchange in evidence.exchanges:
        if not has_failed(exchange) or not _says_when(exchange):
            continue
        told, later = told_wait(exchange), repeated.get(exchange.index)
        if told is None:
            why = f"request {exchange.index} was told to come back by a date: clocks differ"
            yield _unknown(HEEDS_RETRY_AFTER, why, exchange)
        elif later is None:
            why = f"request {exchange.index}, told to wait {_s(told)}, was not seen again"
            yield _unknown(HEEDS_RETRY_AFTER, why, exchange)
        elif not _was_read(exchange):
            why = f"whether the answer to request {exchange.index} was read cannot be seen"
            yield _unknown(HEEDS_RETRY_AFTER, why, exchange)
        else:
            yield _waited(HEEDS_RETRY_AFTER, exchange, later, told, evidence, "told to wait")
    yield from _side_by_side(HEEDS_RETRY_AFTER, evidence)


def retries_nothing_final(evidence: Evidence) -> Iterator[Verdict]:
    """Judge whether a client repeated what cannot succeed.

    Final are the errors below 500 that are not `retryable`, except with `x-should-retry: true`,
    and any with `x-should-retry: false`. After 401, 403 and 407 a client may have come with other
    credentials, which the journal does not keep.
    """
    repeated = {earlier.index: later for later, earlier in _pairs(evidence)}
    for exchange in evidence.exchanges:
        if exchange.status < FIRST_FAILURE or not _was_read(exchange):
            continue
        later = repeated.get(exchange.index)
        is_final = _is_final(exchange, evidence)
        answered = f"request {exchange.index} was answered with {exchange.status}"
        if later is None:
            if is_final:
                yield _ok(RETRIES_NOTHING_FINAL, f"{answered} and not repeated", exchange)
        elif not is_final:
            sentence = f"{answered}, which may be repeated"
            yield _ok(RETRIES_NOTHING_FINAL, sentence, exchange, later)
        elif exchange.status in _OTHER_CREDENTIALS:
            sentence = f"{answered} and repeated, with which credentials cannot be seen"
            yield _unknown(RETRIES_NOTHING_FINAL, sentence, exchange, later)
        else:
            yield Verdict(
                rule=RETRIES_NOTHING_FINAL,
                state="broken",
                exchanges=(exchange.index, later.index),
                sentence=f"{answered}, which is final, and repeated by request {later.index}",
                seconds={"waited": later.received - exchange.answered},
            )
    yield from _side_by_side(RETRIES_NOTHING_FINAL, evidence)


def backs_off(evidence: Evidence) -> Iterator[Verdict]:
    """Judge whether a client waited `shortest_wait` where no reply told how long."""
    for later, earlier in _pairs(evidence):
        if not _says_when(earlier) and not _is_final(earlier, evidence):
            least = evidence.limits.shortest_wait
            yield _waited(BACKS_OFF, earlier, later, least, evidence, "to wait at least")
    yield from _side_by_side(BACKS_OFF, evidence)


def stops_retrying(evidence: Evidence) -> Iterator[Verdict]:
    """Judge whether a client gave up after `max_attempts` attempts at one request."""
    repeated = {index for link in evidence.links.values() for index in link.before}
    limit = evidence.limits.max_attempts
    for exchange in evidence.exchanges:
        attempts = max(exchange.attempt, evidence.links[exchange.index].attempt)
        if exchange.index in repeated or attempts == 1:
            continue
        chain, is_sure = _chain(exchange, evidence)
        state: State = "ok"
        if attempts > limit:
            state = "broken" if is_sure else "unknown"
        tail = "" if is_sure else ", if all of them belong together"
        yield Verdict(
            rule=STOPS_RETRYING,
            state=state,
            exchanges=chain,
            sentence=f"{attempts} attempts at request {chain[0]}, {limit} are allowed{tail}",
            seconds={"from first to last": exchange.received - evidence[chain[0]].received},
        )


def told_wait(exchange: Exchange) -> float | None:
    """Return the seconds a reply told its client to wait, None where it says no number of them."""
    said = header(exchange.reply_headers, "retry-after")
    thousandths = header(exchange.reply_headers, "retry-after-ms")
    waits = [
        *([float(said)] if said and _NUMBER.fullmatch(said) else []),
        *([float(thousandths) / 1000] if thousandths and _NUMBER.fullmatch(thousandths) else []),
    ]
    return min(waits, default=None)


def _says_when(exchange: Exchange) -> bool:
    names = ("retry-after", "retry-after-ms")
    return any(header(exchange.reply_headers, name) is not None for name in names)


def _pairs(evidence: Evidence) -> Iterator[tuple[Exchange, Exchange]]:
    """Yield each exchange that repeats another one for certain, and that other one."""
    for exchange in evidence.exchanges:
        before = evidence.links[exchange.index].before
        if len(before) == 1 and before[0] >= evidence.exchanges[0].index:
            yield exchange, evidence[before[0]]


def _side_by_side(rule: str, evidence: Evidence) -> Iterator[Verdict]:
    for exchange in evidence.exchanges:
        before = evidence.links[exchange.index].before
        if len(before) > 1:
            yield Verdict(
                rule=rule,
                state="unknown",
                exchanges=(*before, exchange.index),
                sentence=f"equal requests went side by side; which of them request "
                f"{exchange.index} repeats cannot be seen",
            )


def _chain(exchange: Exchange, evidence: Evidence) -> tuple[tuple[int, ...], bool]:
    """Return the attempts up to an exchange as far as they are kept, and whether they are sure."""
    chain = [exchange.index]
    while True:
        before = evidence.links[chain[0]].before
        if len(before) > 1:
            return tuple(chain), False
        if not before or before[0] < evidence.exchanges[0].index:
            return tuple(chain), True
        chain.insert(0, before[0])


def _was_read(exchange: Exchange) -> bool:
    return exchange.outcome is Outcome.DELIVERED and exchange.ending is Ending.COMPLETE


def _is_final(exchange: Exchange, evidence: Evidence) -> bool:
    if exchange.status < FIRST_FAILURE:
        return False
    word = (header(exchange.reply_headers, "x-should-retry") or "").lower()
    if word in ("true", "false"):
        return word == "false"
    return exchange.status < _SERVER_ERROR and exchange.status not in evidence.limits.retryable


def _waited(  # noqa: PLR0913, PLR0917 - the two exchanges, and what the wait is measured by
    rule: str, earlier: Exchange, later: Exchange, least: float, evidence: Evidence, words: str
) -> Verdict:
    longest = later.received - earlier.answered
    ended = earlier.answered if earlier.finished is None else earlier.finished
    shortest = max(0.0, later.received - ended)
    state: State = "unknown"
    if longest + evidence.limits.tolerance < least:
        state = "broken"
    elif shortest + evidence.limits.tolerance >= least:
        state = "ok"
    between = "" if state != "unknown" else f" (or only {_s(shortest)}: what is true is not seen)"
    return Verdict(
        rule=rule,
        state=state,
        exchanges=(earlier.index, later.index),
        sentence=f"request {later.index} came {_s(longest)} after request {earlier.index} was "
        f"answered{between}, {words} {_s(least)}",
        seconds={"waited": longest, "waited at least": shortest, "wanted": least},
    )


def _ok(rule: str, sentence: str, *exchanges: Exchange) -> Verdict:
    return Verdict(
        rule=rule, state="ok", exchanges=tuple(one.index for one in exchanges), sentence=sentence
    )


def _unknown(rule: str, sentence: str, *exchanges: Exchange) -> Verdict:
    indexes = tuple(one.index for one in exchanges)
    return Verdict(rule=rule, state="unknown", exchanges=indexes, sentence=sentence)


def _s(seconds: float) -> str:
    return f"{seconds:.3f}".rstrip("0").rstrip(".") + " s"
