"""Probes that make sense together: the life of a stored completion, equal requests, streams at once.

Each names the probes it builds on; what their answers have to do with each other is judged in
`series_checks`.
"""

import json
from collections.abc import Iterator

from mockchat.conformance.answers import Sent
from mockchat.conformance.probe import CHAT, ID, Probe, Wanted, base_request, chat
from mockchat.contract.contract import Contract
from mockchat.types import Json, JsonObject

_STORED = "stored completions"
_LABELS: JsonObject = {"metadata": {"mockchat": "check"}}
_STEADY: JsonObject = {"temperature": 0, "seed": 7}
_SAYINGS = ("Say one.", "Say two.")


def series(contract: Contract, model: str) -> Iterator[Probe]:
    """Yield the probes that build on each other, those of one story one after another."""
    yield from _equal(contract, model)
    yield from _at_once(contract, model)
    yield from _stored(contract, model)


def _steady(contract: Contract, model: str, **members: Json) -> JsonObject:
    """Return a request that leaves as little to chance as the profile allows."""
    body = base_request(contract, model, **members)
    for name, value in _STEADY.items():
        if not contract.request_violations({**body, name: value}):
            body[name] = value
    return body


def _equal(contract: Contract, model: str) -> Iterator[Probe]:
    """Yield one request twice as JSON and twice as a stream."""
    whole = _steady(contract, model)
    streamed = {**whole, "stream": True}
    if contract.request_violations(streamed):
        return
    known: tuple[str, ...] = ()
    for name, body in (
        ("same.whole", whole),
        ("same.whole-again", whole),
        ("same.stream", streamed),
        ("same.stream-again", streamed),
    ):
        yield Probe(id=name, capability="equal requests", sent=chat(body), asked=body, after=known)
        known = (*known, name)


def _at_once(contract: Contract, model: str) -> Iterator[Probe]:
    """Yield streams that are asked for at the same moment; the first was sent alone before."""
    alone = {**_steady(contract, model), "stream": True}
    if contract.request_violations(alone):
        return
    others = ({**alone, "messages": [{"role": "user", "content": saying}]} for saying in _SAYINGS)
    for number, body in enumerate((alone, *others), 1):
        yield Probe(
            id=f"at-once.{number}",
            capability="streams at once",
            sent=chat(body),
            asked=body,
            after=() if number > 1 else ("same.stream", "same.stream-again"),
            group="at-once",
        )


def _stored(contract: Contract, model: str) -> Iterator[Probe]:
    """Yield the life of a stored completion: made, read, listed, labelled, deleted, gone."""
    one, listing = f"{CHAT}/{ID}", f"{CHAT}?limit=100&order=desc"
    body = base_request(contract, model, store=True)
    paths = contract.profile.document("openapi")["paths"]
    if not any("getChatCompletion" in str(item) for item in paths.values()):
        return
    if contract.request_violations(body):
        return
    sent = Sent(method="GET", path=listing)
    yield Probe(id="stored.any", capability=_STORED, depth="quick", sent=sent, wanted="stored-list")
    # Many servers take the member and store nothing: reading it back is what shows the feature.
    yield Probe(id="stored.create", capability="member store", sent=chat(body), asked=body)
    steps: tuple[tuple[str, str, str, Json, Wanted], ...] = (
        ("retrieve", "GET", one, None, "completion"),
        ("list", "GET", listing, None, "stored-list"),
        ("messages", "GET", f"{one}/messages", None, "stored-messages"),
        ("update", "POST", one, _LABELS, "completion"),
        ("delete", "DELETE", one, None, "stored-deleted"),
    )
    for name, method, path, labels, wanted in steps:
        data = None if labels is None else json.dumps(labels).encode()
        yield Probe(
            id=f"stored.{name}",
            capability=_STORED,
            sent=Sent(method=method, path=path, body=data),
            wanted=wanted,
            after=("stored.create",),
        )
    yield Probe(
        id="stored.gone",
        capability=_STORED,
        sent=Sent(method="GET", path=one),
        wanted="refusal",
        reason="it was deleted before",
        error=contract.error("completion_not_found", id=ID),
        after=("stored.create", "stored.delete"),
    )
