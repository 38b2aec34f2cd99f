"""Requests to which a completion can be made up, for whoever needs both."""

from mockchat.contract.contract import Contract
from mockchat.payloads.draw import Draw
from mockchat.payloads.requests import make_request
from mockchat.types import JsonObject, Kind


def answerable_request(
    contract: Contract, draw: Draw, *, kind: Kind = "plain", model: str | None = None
) -> JsonObject:
    """Return a request as `make_request` does, with regex grammars in place of Lark ones.

    Inputs of custom tools are sampled from regular expressions; a Lark grammar has no sampler.
    """
    body = make_request(contract, draw, kind=kind, model=model)
    for tool in body.get("tools") or ():
        grammar = tool.get("custom", {}).get("format", {}).get("grammar", {})
        if grammar.get("syntax") == "lark":
            grammar |= {"syntax": "regex", "definition": "[a-z]+"}
    return body
