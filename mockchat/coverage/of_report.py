"""What the probes of `mockchat check`, or a recording, have met of the contract."""

import json
from collections.abc import Iterator

from mockchat.conformance.observed import Observed
from mockchat.conformance.probe import asked_of
from mockchat.conformance.report import Report, Sending, fails
from mockchat.coverage.catalogue import Catalogue
from mockchat.coverage.tally import Tally
from mockchat.server.wire import SseDecoder
from mockchat.types import JsonObject


def tally_of(report: Report, catalogue: Catalogue) -> Tally:
    """Return what the exchanges of a report have met; what a check failed did not go well.

    Here the one who asks is us: "given" is what the target was seen to answer.
    """
    tally = Tally(profile=report.profile)
    for sending in report.sendings:
        is_well = not any(map(fails, sending.findings))
        tally.add(_marks(sending, catalogue), went_well=is_well)
    return tally


def _marks(sending: Sending, catalogue: Catalogue) -> frozenset[str]:
    probe, answered = sending.probe, sending.answered
    contract = catalogue.contract
    asked = asked_of(probe)
    is_lawful = asked is not None and not contract.request_violations(dict(asked))
    seen = Observed(probe=probe, answered=answered, contract=contract)
    is_stream = answered.is_success and seen.asks_stream
    return catalogue.met(
        request=dict(asked) if asked is not None and is_lawful else None,
        status=answered.status or 0,
        headers=answered.headers,
        reply=seen.completion_of(answered) if answered.is_success else answered.json,
        chunks=tuple(_events(answered.body)) if is_stream else (),
    )


def _events(body: bytes) -> Iterator[JsonObject]:
    decoder = SseDecoder()
    for event in (*decoder.feed(body), *decoder.finish()):
        try:
            value = json.loads(event.data)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            yield value
