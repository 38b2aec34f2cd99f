"""Exchanges for what no plain stub meets: payloads narrowed to every edge of a document."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from mockchat.contract.contract import Contract
from mockchat.coverage.candidates import HELLO, Candidate
from mockchat.payloads.boundaries import Boundary, boundaries, payload_at
from mockchat.payloads.completions import completion_of
from mockchat.payloads.encoding import encode_json
from mockchat.payloads.places import as_it_is, places_of, with_items
from mockchat.payloads.plans import at_once
from mockchat.payloads.rule_keeping import UNKNOWN_MODEL
from mockchat.payloads.schema_nodes import Array, Node
from mockchat.payloads.seeded import SeededDraw
from mockchat.payloads.streams import stream_of
from mockchat.payloads.targets import compiled_document
from mockchat.scripting.builders import generated
from mockchat.scripting.contents import reply_of
from mockchat.types import JsonObject, JsonView

_SEVERAL = 2
MayHelp: TypeAlias = Callable[[str, JsonView], bool]
"""Whether a payload of a document, by itself, meets anything that is looked for now."""

_TOOLS = {"function": "arguments", "custom": "input"}
_SAME = ("id", "object", "created", "model")
"""What all chunks of a stream have in common."""

Chunks: TypeAlias = Sequence[JsonView]

_NAME = "f"
_PLAIN: JsonView = {"model": UNKNOWN_MODEL, "messages": [HELLO]}
_STREAM: JsonView = {"stream": True}
_USAGE: JsonView = {"stream": True, "stream_options": {"include_usage": True}}


def drawn_requests(contract: Contract, may_help: MayHelp) -> Iterator[Candidate]:
    """Yield requests at every edge of their document, each for whatever reply fits it."""
    for body in _payloads(contract, "request", may_help):
        yield Candidate(body=body, reply=generated())


def drawn_replies(contract: Contract, may_help: MayHelp) -> Iterator[Candidate]:
    """Yield completions at every edge of their document, whole and streamed, then streams.

    What is drawn is put right as far as it speaks of the request: whoever answers with a call must
    have been offered the tool.
    """
    plain = completion_of(_PLAIN, SeededDraw(0), contract=contract, message={"content": "Hello."})
    for completion in _payloads(contract, "response", may_help):
        completion["model"] = plain["model"]
        completion["choices"] = completion["choices"] or plain["choices"]
        _name_calls(completion["choices"], "message")
        request = _asking_for(completion["choices"], "message")
        for stream in ({}, _STREAM, _USAGE):
            yield Candidate(request={**request, **stream}, reply=reply_of(completion))
    streams = _lawful_streams(contract)
    for chunk in _payloads(contract, "chunk", may_help):
        _name_calls(chunk["choices"], "delta")
        for chunks in _streams_with(chunk, streams):
            listed = [choice for each in chunks for choice in each["choices"]]
            stream = _USAGE if "usage" in chunk else _STREAM
            request = {**_asking_for(listed, "delta"), **stream}
            yield Candidate(request=request, reply=reply_of(chunks))


def _payloads(contract: Contract, document: str, may_help: MayHelp) -> Iterator[JsonObject]:
    if document not in contract.profile.documents:
        return
    edges = [*boundaries(contract, document).values(), *_several(contract, document)]
    made: set[bytes] = set()
    for edge in edges:
        try:
            payload = payload_at(contract, document, edge)
        except AssertionError:
            continue  # a rule forbids this edge
        written = encode_json(payload)
        if written not in made:
            made.add(written)
            if may_help(document, payload):
                yield payload


def _several(contract: Contract, document: str) -> Iterator[Boundary]:
    """Yield every place of a document, and every array with several items."""
    for place in places_of(compiled_document(contract.profile, document).node):
        yield Boundary(name=f"{place.label} given", route=place.route, shape=as_it_is)
        if isinstance(place.node, Array) and (place.node.most is None or place.node.most > 1):
            yield Boundary(name=f"{place.label} several", route=place.route, shape=_with_several)


def _with_several(node: Node) -> Node:
    return with_items(node, _SEVERAL) if isinstance(node, Array) else node


def _calls(choices: Iterable[JsonView], said: str) -> Iterator[tuple[str, JsonObject]]:
    """Yield what of each call names its tool, with the kind of the tool."""
    for choice in choices:
        message: JsonObject = choice.get(said) or {}
        if message.get("function_call"):
            yield "functions", message["function_call"]
        for call in message.get("tool_calls") or ():
            for kind in _TOOLS:
                if isinstance(call.get(kind), dict):
                    yield kind, call[kind]


def _name_calls(choices: Iterable[JsonView], said: str) -> None:
    """Give a name to every call that has an empty one."""
    for _, called in _calls(choices, said):
        if called.get("name") == "":
            called["name"] = _NAME


def _asking_for(choices: Sequence[JsonView], said: str) -> JsonObject:
    """Return what a request says, besides model and messages, that such choices answer."""
    asked: JsonObject = {}
    indices = {choice.get("index") for choice in choices}
    if len(indices) > 1:
        asked["n"] = len(indices)
    if any(choice.get("logprobs") for choice in choices):
        asked |= {"logprobs": True, "top_logprobs": _SEVERAL}
    called = sorted({(kind, one["name"]) for kind, one in _calls(choices, said) if "name" in one})
    tools = [{"type": kind, kind: {"name": name}} for kind, name in called if kind in _TOOLS]
    functions = [{"name": name} for kind, name in called if kind not in _TOOLS]
    return (
        asked
        | ({"tools": tools} if tools else {})
        | ({"functions": functions} if functions else {})
    )


def _streams_with(chunk: JsonObject, streams: Sequence[Chunks]) -> Iterator[list[JsonView]]:
    """Yield streams in which `chunk` stands at every place of lawful ones, beside or instead."""
    for stream in streams:
        own = {name: stream[0][name] for name in _SAME if name in stream[0]}
        put = {**chunk, **own}
        for at in range(len(stream) + 1):
            yield [*stream[:at], put, *stream[at:]]
            yield [*stream[:at], put, *stream[at + 1 :]]


def _lawful_streams(contract: Contract) -> list[Chunks]:
    """Return short streams of a profile: of text, and of a call of each kind."""
    calls: list[JsonObject] = [
        {"tool_calls": [{"id": "call_0", "type": kind, kind: {"name": _NAME, text: "{}"}}]}
        for kind, text in _TOOLS.items()
    ]
    old: JsonObject = {"function_call": {"name": _NAME, "arguments": "{}"}}
    made: list[Chunks] = []
    for message in ({"content": "Hello."}, *calls, old):
        said = {"role": "assistant", "content": None, **message}
        choice = {"message": said, "index": 0}
        request = {**_PLAIN, **_asking_for([choice], "message"), **_STREAM}
        draw = SeededDraw(0)
        completion = completion_of(request, draw, contract=contract, message=said)
        profile = contract.profile
        made.append(stream_of(completion, at_once(), request=request, profile=profile, draw=draw))
    return made
