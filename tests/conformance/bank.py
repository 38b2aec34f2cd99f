"""Our own server, broken in one way at a time, by the machinery that breaks payloads elsewhere."""

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import lru_cache

from in_process import AppClient, KeyedClient

from mockchat.conformance.answers import Answered, Failure
from mockchat.contract.contract import contract_for
from mockchat.contract.stream_axes import DONE, stream_axes
from mockchat.payloads.broken_framing import FRAMING_BREAKAGES
from mockchat.payloads.broken_places import place_breakages
from mockchat.payloads.broken_replies import REPLY_BREAKAGES
from mockchat.payloads.broken_streams import STREAM_BREAKAGES
from mockchat.payloads.mutation import targets
from mockchat.payloads.stream_mutants import encoded
from mockchat.payloads.targets import changed
from mockchat.server.wire import SseDecoder, encode_json

CONTRACT = contract_for("openai")
NO_OBJECTS = {"null", "boolean", "integer", "number", "string", "array"}
DOCUMENTS = (
    "response",
    "chunk",
    "error",
    "model",
    "model-list",
    "stored-list",
    "stored-messages",
    "stored-deleted",
)
SERVERS = {
    "openai": (lambda: AppClient(seed=2), "gpt-4o-mini"),
    "with keys": (lambda: KeyedClient(models="known"), "gpt-4o-mini"),
    "azure": (lambda: AppClient(profile="azure"), "gpt-4o"),
    "deepseek": (lambda: AppClient(profile="deepseek"), "deepseek-reasoner"),
    "mistral": (lambda: AppClient(profile="mistral"), "mistral-small-latest"),
}
"""The right servers that kinds break, by name, each with the model that is asked; a profile's name
is that of its contract too."""


def contract_of(server):
    """Return what a server's answers are judged by."""
    return CONTRACT if server == "with keys" else contract_for(server)


@dataclass(frozen=True)
class Kind:
    """One way in which a server is broken.

    Attributes:
        check: The check that must fire.
        spoil: Changes an answer to a request.
        server: Which right server it breaks.
        only: What the ids of the probes begin with whose answers it breaks: at a certain moment.
    """

    check: str
    spoil: Callable
    server: str = "openai"
    only: str = ""


def document_of(sent, answered):
    """Return what a right answer of ours is."""
    path = sent.path
    told = {
        "none": sent.method in {"HEAD", "OPTIONS"},
        "error": answered.status != 200,
        "chunk": answered.content_type == "text/event-stream",
        "model-list": path == "/models",
        "model": path.startswith("/models/"),
        "stored-list": path.startswith("/chat/completions?"),
        "stored-messages": path.endswith("/messages"),
        "stored-deleted": sent.method == "DELETE",
    }
    return next((name for name, is_it in told.items() if is_it), "response")


def of_json(document, change):
    """Return a spoiler that changes the JSON of every answer of one document."""

    def spoil(sent, answered):
        if document_of(sent, answered) != document:
            return answered
        try:
            value = change(answered.json)
        except (LookupError, ValueError, TypeError, AttributeError):
            return answered
        return replace(answered, body=encode_json(value))

    return spoil


@lru_cache(maxsize=1024)
def events_of(body):
    """Return the decoded events of a stream."""
    decoder = SseDecoder()
    found = [*decoder.feed(body), *decoder.finish()]
    return [DONE if each.data == DONE else json.loads(each.data) for each in found]


def of_events(change, *, is_deep=True):
    """Return a spoiler that changes the decoded events of every stream.

    Args:
        change: Changes a list of events.
        is_deep: Whether it changes the events themselves.
    """

    def spoil(sent, answered):
        if document_of(sent, answered) != "chunk":
            return answered
        events = deepcopy(events_of(answered.body)) if is_deep else [*events_of(answered.body)]
        try:
            change(events)
        except (LookupError, ValueError, TypeError, AttributeError):
            return answered
        return replace(answered, body=encoded(events))

    return spoil


def of_bytes(change):
    """Return a spoiler that changes the bytes of every stream."""

    def spoil(sent, answered):
        if document_of(sent, answered) != "chunk":
            return answered
        return replace(answered, body=change(answered.body))

    return spoil


def in_place(change):
    """Return a change that gives what it changed."""

    def given(value):
        value = deepcopy(value)
        change(value)
        return value

    return given


def reach(value, path):
    """Raise LookupError where a path leads nowhere: sooner than a copy is made of everything."""
    for step in path:
        try:
            value = value[step]
        except TypeError as error:
            raise LookupError(step) from error


def reached(value, target):
    """Return a value changed at a target."""
    reach(value, target.path[:-1])
    return changed(value, target.path, target.breakage)


def first_chunk(target):
    """Return what spoils the first chunk that has the target's place."""

    def change(events):
        for number, event in enumerate(events):
            if isinstance(event, Mapping):
                try:
                    reach(event, target.path[:-1])
                    spoilt = changed(event, target.path, target.breakage)
                except (LookupError, ValueError, TypeError, AttributeError):
                    continue
                if spoilt != event:
                    events[number] = spoilt
                    return
        raise LookupError(target.name)

    return change


def of_status(wanted, status, **members):
    """Return a spoiler of the status and head of some answers."""

    def spoil(sent, answered):
        if document_of(sent, answered) not in wanted:
            return answered
        return replace(answered, status=status or answered.status, **members)

    return spoil


def kinds():
    """Return every kind of broken server by its name."""
    found = {}
    for document in DOCUMENTS:
        for name, target in targets(CONTRACT, document, level="documented").items():
            if document == "chunk" and not target.path and name.split()[-1] in NO_OBJECTS:
                continue  # an event that is no object is no chunk: stream.event-object says so
            if document in {"stored-list", "stored-messages"} and len(target.path) > 1:
                continue  # what they list is broken where it is answered
            spoil = (
                of_events(first_chunk(target), is_deep=False)
                if document == "chunk"
                else of_json(document, lambda value, it=target: reached(value, it))
            )
            found[f"{document} {name}"] = Kind(f"schema.{document}", spoil)
    for way in REPLY_BREAKAGES:
        found[f"reply {way.name}"] = Kind(way.rule, of_json("response", in_place(way.change)))
    for way in STREAM_BREAKAGES:
        found[f"events {way.rule} {way.reason}"] = Kind(way.rule, of_events(way.change))
    for server in SERVERS.keys() - {"with keys"}:
        for way in place_breakages(stream_axes(contract_of(server).profile.settings)):
            name = f"events of {server} {way.rule} {way.reason}"
            found[name] = Kind(way.rule, of_events(way.change), server)
    for way in FRAMING_BREAKAGES:
        # Of a stream that stops, two judges would say the same: what is missing is said.
        rule = "stream.done-missing" if way.rule == "stream.ending" else way.rule
        found[f"bytes {way.rule} {way.reason}"] = Kind(rule, of_bytes(way.change))
    return dict(sorted({**found, **SEMANTICS, **HTTP, **SERIES}.items()))


def of_error(**members):
    """Return a spoiler of members of every error."""
    return of_json("error", in_place(lambda value: value["error"].update(members)))


def of_path(ending, change):
    """Return a spoiler of the JSON that answers to some paths."""

    def spoil(sent, answered):
        if not answered.is_success or not sent.path.endswith(ending):
            return answered
        value = deepcopy(answered.json)
        change(value)
        return replace(answered, body=encode_json(value))

    return spoil


def of_head(wanted, **fields):
    """Return a spoiler of response fields; None takes one away."""
    names = {name.replace("_", "-"): value for name, value in fields.items()}

    def spoil(sent, answered):
        if document_of(sent, answered) not in wanted:
            return answered
        kept = [pair for pair in answered.headers if pair[0].lower() not in names]
        new = [(name, value) for name, value in names.items() if value is not None]
        return replace(answered, headers=(*kept, *new))

    return spoil


def of_stored(method, change):
    """Return a spoiler of what is answered about one stored completion."""

    def spoil(sent, answered):
        is_one = sent.method == method and sent.path.startswith("/chat/completions/")
        if not is_one or sent.path.endswith("/messages") or not answered.is_success:
            return answered
        value = deepcopy(answered.json)
        change(value)
        return replace(answered, body=encode_json(value))

    return spoil


def whatever(**members):
    """Return a spoiler of every answer of the API."""

    def spoil(sent, answered):
        return answered if document_of(sent, answered) == "none" else replace(answered, **members)

    return spoil


def refusing_streams(sent, answered):
    """Refuse every stream, in events."""
    if sent.body is None or b'"stream": true' not in sent.body:
        return answered
    return replace(answered, status=400, headers=EVENTS, body=b"data: {}\n\n")


def say_more(events):
    """Make a stream say more than the completion does."""
    for event in events:
        for choice in event["choices"] if event != DONE else ():
            if choice["delta"].get("content"):
                choice["delta"]["content"] += "!"
                return
    raise LookupError("content")


def think_aloud(events):
    """Put a thought beside the text of every delta."""
    for event in events:
        for choice in event["choices"] if event != DONE else ():
            if choice["delta"].get("content"):
                choice["delta"]["reasoning_content"] = "Hm."


def same_id(events):
    """Give every chunk of every stream one id."""
    for event in events:
        if event != DONE:
            event["id"] = "chatcmpl-1"


def spell_wrong(value):
    """Make the tokens of logprobs say something else."""
    value["choices"][0]["logprobs"]["content"][0]["token"] += "!"


HTML = (("content-type", "text/html"),)
EVENTS = (("content-type", "text/event-stream"),)
NO_ID = (("content-type", "application/json"),)
REFUSED = b'{"error": {"message": "no", "type": "requests", "param": null, "code": null}}'
ANY = {"response", "chunk", "error", "model", "model-list"}

SEMANTICS = {
    "another model answers": Kind(
        "exchange.model", of_json("response", in_place(lambda value: value.update(model="other")))
    ),
    "logprobs that spell another text": Kind(
        "reply.logprobs-spell-content", of_json("response", in_place(spell_wrong))
    ),
    "an id of its own style": Kind(
        "reply.id-prefix", of_json("response", in_place(lambda value: value.update(id="7")))
    ),
    "thoughts beside text": Kind("stream.reasoning-null", of_events(think_aloud), "deepseek"),
    "a comment": Kind("stream.comment", of_bytes(lambda data: b": hello\n\n" + data)),
    "no blank line at the end": Kind(
        "stream.ending", of_bytes(lambda data: data.removesuffix(b"\n\n"))
    ),
}

HTTP = {
    "cut answers": Kind("answer.whole", whatever(failure=Failure.CUT, detail="bytes are missing")),
    "no answer": Kind(
        "answer.whole",
        lambda sent, _: Answered(failure=Failure.TIMEOUT, detail=f"silence after {sent.path}"),
    ),
    "redirects": Kind("answer.at-home", whatever(status=307, headers=(("location", "/v2"),))),
    "compressed bodies": Kind("answer.encoding", of_head(ANY, content_encoding="br")),
    "quotas in words": Kind("answer.quota-fields", of_head(ANY, x_ratelimit_limit_requests="many")),
    "quotas with a fraction": Kind(
        "answer.quota-fields", of_head({"chunk"}, x_ratelimit_remaining_tokens="1.5")
    ),
    "a rate limit without a number": Kind(
        "limit.retry-after",
        whatever(status=429, body=REFUSED, headers=(*NO_ID, ("retry-after", "soon"))),
    ),
    "a rate limit of no time": Kind(
        "limit.retry-after",
        whatever(status=429, body=REFUSED, headers=(*NO_ID, ("retry-after", "0"))),
    ),
    "status 500 for a completion": Kind("answer.no-server-error", of_status({"response"}, 500)),
    "status 500 for a stream": Kind("answer.no-server-error", of_status({"chunk"}, 500)),
    "status 500 for a refusal": Kind("answer.no-server-error", of_status({"error"}, 500)),
    "status 201": Kind("request.accepted", of_status({"response"}, 201)),
    "status 206 for a stream": Kind("request.accepted", of_status({"chunk"}, 206)),
    "status 200 for a refusal": Kind("refusal.refused", of_status({"error"}, 200)),
    "status 422": Kind("refusal.status", of_status({"error"}, 422)),
    "JSON labelled HTML": Kind("answer.content-type", of_status({"response"}, None, headers=HTML)),
    "models labelled HTML": Kind(
        "answer.content-type", of_status({"model-list"}, None, headers=HTML)
    ),
    "a refusal of text": Kind("answer.json", of_status({"error"}, None, body=b"no")),
    "a refusal of nothing": Kind("answer.json", of_status({"error"}, None, body=b"")),
    "a completion of text": Kind("answer.json", of_status({"response"}, None, body=b"<html>")),
    "no request id": Kind("answer.request-id", of_status({"response"}, None, headers=NO_ID)),
    "no request id of refusals": Kind(
        "answer.request-id", of_status({"error"}, None, headers=NO_ID)
    ),
    "another type of error": Kind("refusal.type", of_error(type="other_error")),
    "another code of error": Kind("refusal.code", of_error(code="other_code")),
    "no member named": Kind("refusal.param", of_error(param=None)),
    "no methods named": Kind("refusal.allow", of_head({"error"}, allow=None)),
    "a stream labelled JSON": Kind(
        "stream.content-type", of_status({"chunk"}, None, headers=NO_ID)
    ),
    "a refusal labelled a stream": Kind(
        "answer.content-type", of_status({"error"}, None, headers=EVENTS)
    ),
    "a refused stream of events": Kind("refusal.not-a-stream", refusing_streams),
    "JSON for a stream": Kind("stream.is-one", of_status({"chunk"}, None, body=b'{"id": "a"}')),
    "another status for a wrong key": Kind(
        "auth.refused", of_status({"error"}, 400), "with keys", "auth."
    ),
    "another status for an unknown model": Kind(
        "models.not-found", of_status({"error"}, 400), "with keys", "models."
    ),
}

SERIES = {
    "another model than was asked": Kind(
        "models.same", of_json("model", in_place(lambda value: value.update(id="other")))
    ),
    "a stream that says more than the completion": Kind(
        "series.same-streamed", of_events(say_more)
    ),
    "one id for all streams": Kind("series.own-id", of_events(same_id)),
    "streams that mix": Kind("series.same-at-once", of_events(say_more), only="at-once."),
    "another completion than was stored": Kind(
        "stored.same", of_stored("GET", lambda value: value.update(id="chatcmpl-other"))
    ),
    "a stored completion says something else": Kind(
        "stored.same",
        of_stored("GET", lambda value: value["choices"][0]["message"].update(content="other")),
    ),
    "an empty list": Kind(
        "stored.listed", of_json("stored-list", in_place(lambda value: value.update(data=[])))
    ),
    "labels that are lost": Kind(
        "stored.labelled", of_stored("POST", lambda value: value.update(metadata={}))
    ),
    "another completion is deleted": Kind(
        "stored.deleted", of_stored("DELETE", lambda value: value.update(id="chatcmpl-other"))
    ),
    "what was deleted is there": Kind(
        "refusal.refused", of_status({"error"}, 200), only="stored.gone"
    ),
}
