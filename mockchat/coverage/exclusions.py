"""Items that nobody can meet: a rule forbids what a schema allows, or there is no way to say it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from mockchat.contract.contract import Contract
from mockchat.coverage.schema_items import SchemaItems
from mockchat.coverage.stream_shapes import Streams, asks_for_several
from mockchat.exchange import ApiError
from mockchat.scripting.fault_list import stream_faults

_CONTENT = re.compile(r"request/messages=(?!assistant|function)\w+/content#(absent|null)")
"""The content of messages that cannot do without it, whatever else they have."""


def excluded_by_contract(contract: Contract, schemas: SchemaItems) -> Mapping[str, str]:
    """Return the ids of items that no lawful exchange meets, each with the reason."""
    return {
        **_by_envelope(contract, schemas),
        **dict(_by_count(contract, schemas.ids)),
        **dict(_by_content(contract, schemas.ids)),
        **dict(_by_room(contract)),
    }


def _has_rule(contract: Contract, rule: str) -> bool:
    return contract.profile.settings.get("rules", {}).get(rule) is not False


def _by_count(contract: Contract, ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    if not _has_rule(contract, "exchange.n"):
        return
    excluded = {"response/choices#none": "a completion has the choices asked for: exchange.n"}
    if not asks_for_several(contract.profile):
        reason = "a request cannot ask for several choices: exchange.n"
        excluded |= dict.fromkeys(("response/choices#many", "chunk/choices#many"), reason)
    yield from ((item, excluded[item]) for item in ids if item in excluded)


def _by_content(contract: Contract, ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    rule = "request.content-is-given"
    if _has_rule(contract, rule):
        for item in ids:
            if _CONTENT.fullmatch(item):
                yield item, f"such a message has content: {rule}"


def _by_room(contract: Contract) -> Iterator[tuple[str, str]]:
    streams = Streams.of(contract.profile)
    for fault in stream_faults():
        reason = streams.room_for(fault)
        if reason:
            yield f"fault/{fault.name}", reason


def _by_envelope(contract: Contract, schemas: SchemaItems) -> Mapping[str, str]:
    """Return what of an error's document no error of the profile has: only others send that."""
    if "error" not in schemas.roots:
        return {}
    said: set[str] = set()
    texts = (None, "text")
    for type_, code, param in product(texts, texts, texts):
        error = ApiError(status=400, type=type_, code=code, param=param, message="text")
        schemas.marks("error", contract.envelope(error), said)
    reason = "the profile's errors do not say it"
    unsaid = (item for item in schemas.ids if item.startswith("error") and item not in said)
    return dict.fromkeys(unsaid, reason)
