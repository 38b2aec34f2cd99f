"""All checks by id, and the judgement of one exchange by all that apply to it.

The contract's own rules are checks under their own ids, the schema documents are one check each,
and what HTTP adds is in `http_checks`. A check that does not apply to an exchange is not counted
for it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from mockchat.conformance import http_checks, series_checks
from mockchat.conformance.breaks import BREAKS
from mockchat.conformance.observed import Check, Finding, Observed
from mockchat.conformance.probe import asked_of
from mockchat.conformance.since import RUNNING, SINCE
from mockchat.conformance.sources import source_in_words
from mockchat.conformance.written import WrittenCheck
from mockchat.contract.rulebooks import RULES
from mockchat.contract.stream_rules import STREAM_RULE_LEVELS, STREAM_RULE_SOURCES, STREAM_RULES
from mockchat.exchange import Violation

WRITTEN: Mapping[str, WrittenCheck] = MappingProxyType(http_checks.CHECKS | series_checks.CHECKS)
"""The checks that the contract does not bring along."""

_MOST = 100
"""How often one check is told of one answer: a hostile stream breaks a rule in every line."""

_DOCUMENTS: Mapping[str, str] = {
    "response": "A completion keeps to its schema.",
    "chunk": "Every chunk keeps to its schema.",
    "error": "An error keeps to its schema.",
    "model": "A model keeps to its schema.",
    "model-list": "A list of models keeps to its schema.",
    "stored-list": "A list of stored completions keeps to its schema.",
    "stored-messages": "The messages of a stored completion keep to their schema.",
    "stored-deleted": "The answer to a deletion keeps to its schema.",
}


def _catalogue() -> Iterator[Check]:
    for name, sentence in _DOCUMENTS.items():
        yield Check(id=f"schema.{name}", sentence=sentence, source=f"{name}.json of the profile")
    for rule in RULES.values():
        if not rule.id.startswith("request."):
            yield Check(id=rule.id, sentence=rule.sentence, source=rule.summary, level=rule.level)
    for rule_id, summary in STREAM_RULES.items():
        level = STREAM_RULE_LEVELS[rule_id]
        yield Check(id=rule_id, sentence=summary, source=STREAM_RULE_SOURCES[rule_id], level=level)
    for written in WRITTEN.values():
        yield written.check


def _completed(check: Check) -> Check:
    """Return a check with what is known of it besides: its age, its victims, its source in words."""
    return replace(
        check,
        since=SINCE.get(check.id, RUNNING),
        clients=check.clients or BREAKS.get(check.id, ()),
        source=source_in_words(check.source),
    )


CHECKS: Mapping[str, Check] = MappingProxyType(
    {check.id: _completed(check) for check in _catalogue()}
)
"""Every check by id."""


def judge(seen: Observed) -> tuple[frozenset[str], tuple[Finding, ...]]:
    """Return which checks applied to an exchange, and what they found."""
    applied = set(_contract_checks(seen))
    found = [(_id_of(each, seen), each) for each in seen.violations]
    for check_id, written in WRITTEN.items():
        if written.applies(seen):
            applied.add(check_id)
            found += ((check_id, _seen_from(seen, each)) for each in written.find(seen))
    met: Counter[str] = Counter()
    findings = []
    for check_id, violation in found:
        met[check_id] += 1
        if met[check_id] <= _MOST:
            findings.append(Finding(check=check_id, probe=seen.probe.id, violation=violation))
    return frozenset(applied | met.keys()), tuple(findings)


def unjudged(seen: Observed) -> dict[str, str]:
    """Return the checks made for an exchange that cannot judge it, each with the reason."""
    reasons = ((name, each.why_not(seen)) for name, each in WRITTEN.items())
    return {name: reason for name, reason in reasons if reason is not None}


def _seen_from(seen: Observed, violation: Violation) -> Violation:
    """Make a note of what does not count at the level asked for."""
    is_note = violation.level == "documented" and seen.level == "observed"
    return replace(violation, is_note=is_note)


def _id_of(violation: Violation, seen: Observed) -> str:
    """Return the check that a violation of the contract belongs to."""
    if not violation.rule.startswith("schema."):
        return violation.rule
    return f"schema.{seen.document}"


def _contract_checks(seen: Observed) -> Iterator[str]:
    """Yield the checks of the contract that an answer is put through."""
    if not seen.is_judged:
        return
    document = seen.document
    yield f"schema.{document}"
    if document == "chunk":
        yield from STREAM_RULES
    if document == "response" and seen.readable is None:
        return
    if document == "response":
        yield from (rule_id for rule_id in RULES if rule_id.startswith("reply."))
    if document in {"chunk", "response"} and asked_of(seen.probe) is not None:
        yield from (rule_id for rule_id in RULES if rule_id.startswith("exchange."))
