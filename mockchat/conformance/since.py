"""How old the checks are: one that is new is advisory for one minor release.

A pipeline that is green must not turn red because the checker learned something. A check counts
from the minor release after the one it came with; those of the first release count at once.
"""

from collections.abc import Mapping
from importlib.metadata import version
from types import MappingProxyType

FIRST = "0.1"
"""The release before which there were no checks at all."""

RUNNING = ".".join(version("mockchat").split(".")[:2])
"""The minor release of the code that runs."""

_CAME: Mapping[str, str] = {
    FIRST: """
    schema.response schema.chunk schema.error schema.model schema.model-list schema.stored-list
    schema.stored-messages schema.stored-deleted reply.choice-indices
    reply.finish-reason-tells-calls reply.content-or-something reply.call-ids-differ
    reply.usage-adds-up reply.usage-details-fit reply.id-prefix reply.logprobs-spell-content
    exchange.n exchange.stop-is-absent exchange.token-limit exchange.tool-choice
    exchange.parallel-tool-calls exchange.called-tool-exists exchange.arguments
    exchange.response-format exchange.logprobs exchange.model stream.event-object
    stream.done-once stream.done-last stream.error-last stream.side-chunk stream.one-id
    stream.one-object stream.one-created stream.one-model stream.one-system-fingerprint
    stream.one-service-tier stream.one-choice-per-chunk stream.usage-unasked stream.usage-once
    stream.usage-placement stream.usage-last stream.usage-null stream.usage-sum
    stream.obfuscation-presence stream.obfuscation-alphabet stream.obfuscation-length
    stream.member-place stream.padding-presence stream.choice-index stream.choice-order
    stream.role-first stream.role-once stream.logprobs-unasked stream.finish-once
    stream.content-after-finish stream.entry-after-finish stream.finish-delta
    stream.one-call-per-chunk stream.choice-member-place stream.reasoning-null stream.call-index
    stream.call-header stream.call-header-once stream.call-header-arguments stream.calls-in-turn
    stream.finish-needs-calls stream.calls-need-finish stream.arguments-json stream.done-missing
    stream.choice-missing stream.finish-missing stream.usage-missing stream.content-type
    stream.bom stream.line-feed stream.utf-8 stream.field stream.control-field
    stream.data-prefix stream.comment stream.blank-line stream.one-data-line
    stream.stray-blank-line stream.data-json stream.ending answer.whole answer.no-server-error
    answer.at-home answer.encoding answer.content-type answer.json answer.request-id
    answer.quota-fields limit.retry-after request.accepted refusal.refused refusal.status
    refusal.param refusal.code refusal.allow refusal.type refusal.not-a-stream auth.refused
    models.not-found stream.is-one series.same-streamed series.own-id series.same-at-once
    stored.same stored.listed stored.labelled stored.deleted models.same
    """,
}

SINCE: Mapping[str, str] = MappingProxyType(
    {check_id: release for release, ids in _CAME.items() for check_id in ids.split()}
)
"""The minor release each check came with; what is not listed is as new as the code."""


def is_advisory(since: str, *, running: str = RUNNING) -> bool:
    """Tell whether a check is too new to fail a run.

    Args:
        since: The minor release it came with, "0.2".
        running: The minor release that runs.
    """
    return since != FIRST and since == running
