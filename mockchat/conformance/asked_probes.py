"""Probes of any request: what the contract says of it is what a right server answers."""

from mockchat.conformance.answers import Sent
from mockchat.conformance.probes import Probe, level_of
from mockchat.contract.contract import Contract
from mockchat.types import Json

LAWFUL = "drawn requests"
UNLAWFUL = "drawn refusals"
"""What drawn probes are counted as."""


def probe_of(  # noqa: PLR0913 - a probe's members, by name
    contract: Contract,
    sent: Sent,
    asked: Json,
    *,
    name: str,
    capability: str,
    refusals: str = "refusals",
) -> Probe:
    """Return the probe that sends a request for a chat completion.

    Args:
        contract: What the request is judged by.
        sent: The request.
        asked: Its body as JSON.
        name: The id of the probe.
        capability: What it needs of the target if it is lawful.
        refusals: What it belongs to if it is not.
    """
    found = next((each for each in contract.request_violations(asked) if not each.is_note), None)
    if found is None:
        return Probe(id=name, capability=capability, sent=sent, asked=asked)
    return Probe(
        id=name,
        capability=refusals,
        sent=sent,
        asked=asked,
        wanted="refusal",
        error=contract.api_error(found, asked),
        reason=found.message.removesuffix("."),
        level=level_of(found),
    )


def is_drawn(probe: Probe) -> bool:
    """Tell whether a probe was drawn, not written."""
    return probe.capability in {LAWFUL, UNLAWFUL}
