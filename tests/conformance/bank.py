"""Our own server, broken in one way at a time, by the machinery that breaks payloads elsewhere."""

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace

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
DOCUMENTS = ("response", "chunk", "error", "model", "model-list")


def document_of(sent, answered):
    """Return what a right answer of ours is."""
    if answered.status != 200:
        return "error"
    if answered.content_type == "text/event-stream":
        return "chunk"
    if sent.path.startswith("/models"):
        return "model-list" if sent.path == "/models" else "model"
    return "response"


def of_json(document, change):
    """Return a spoiler that changes the JSON of every answer of one document."""

    def spoil(sent, answered):
        if document_of(sent, answered) != document:
            return answered
        value = deepcopy(answered.json)
        try:
            value = change(value)
        except (LookupError, ValueError, TypeError, AttributeError):
            return answered
        return replace(answered, body=encode_json(value))

    return spoil


def of_events(change):
    """Return a spoiler that changes the decoded events of every stream."""

    def spoil(sent, answered):
        if document_of(sent, answered) != "chunk":
            return answered
        decoder = SseDecoder()
        found = [*decoder.feed(answered.body), *decoder.finish()]
        events = [DONE if each.data == DONE else decoded(each.data) for each in found]
        try:
            change(events)
        except (LookupError, ValueError, TypeError, AttributeError):
            return answered
        return replace(answered, body=encoded(events))

    return spoil


def decoded(data):
    """Return the chunk of one event."""
    return json.loads(data)


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
        change(value)
        return value

    return given


def first_chunk(target):
    """Return what spoils the first chunk that has the target's place."""

    def change(events):
        for number, event in enumerate(events):
            if isinstance(event, Mapping):
                try:
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
    """Return every kind of broken server by its name: the check that must fire, and the spoiler."""
    found = {}
    for document in DOCUMENTS:
        for name, target in targets(CONTRACT, document, level="documented").items():
            if document == "chunk" and not target.path and name.split()[-1] in NO_OBJECTS:
                continue  # an event that is no object is no chunk: stream.event-object says so
            spoil = (
                of_events(first_chunk(target))
                if document == "chunk"
                else of_json(
                    document, lambda value, it=target: changed(value, it.path, it.breakage)
                )
            )
            found[f"{document} {name}"] = (f"schema.{document}", spoil)
    for way in REPLY_BREAKAGES:
        found[f"reply {way.name}"] = (way.rule, of_json("response", in_place(way.change)))
    for way in (*STREAM_BREAKAGES, *place_breakages(stream_axes(CONTRACT.profile.settings))):
        found[f"events {way.rule} {way.reason}"] = (way.rule, of_events(way.change))
    for way in FRAMING_BREAKAGES:
        # Of a stream that stops, two judges would say the same: what is missing is said.
        rule = "stream.done-missing" if way.rule == "stream.ending" else way.rule
        found[f"bytes {way.rule} {way.reason}"] = (rule, of_bytes(way.change))
    return found | HTTP


def of_error(**members):
    """Return a spoiler of members of every error."""
    return of_json("error", in_place(lambda value: value["error"].update(members)))


HTML = (("content-type", "text/html"),)
EVENTS = (("content-type", "text/event-stream"),)

HTTP = {
    "status 500 for a completion": ("answer.no-server-error", of_status({"response"}, 500)),
    "status 500 for a refusal": ("answer.no-server-error", of_status({"error"}, 500)),
    "status 201": ("request.accepted", of_status({"response"}, 201)),
    "status 200 for a refusal": ("refusal.refused", of_status({"error"}, 200)),
    "status 422": ("refusal.status", of_status({"error"}, 422)),
    "JSON labelled HTML": ("answer.content-type", of_status({"response"}, None, headers=HTML)),
    "a refusal of text": ("answer.json", of_status({"error"}, None, body=b"no")),
    "a completion of text": ("answer.json", of_status({"response"}, None, body=b"<html>")),
    "no request id": (
        "answer.request-id",
        of_status({"response"}, None, headers=(("content-type", "application/json"),)),
    ),
    "another type of error": ("refusal.type", of_error(type="other_error")),
    "no member named": ("refusal.param", of_error(param=None)),
    "a stream labelled JSON": (
        "stream.content-type",
        of_status({"chunk"}, None, headers=(("content-type", "application/json"),)),
    ),
    "a refusal labelled a stream": (
        "answer.content-type",
        of_status({"error"}, None, headers=EVENTS),
    ),
    "JSON for a stream": ("stream.is-one", of_status({"chunk"}, None, body=b'{"id": "a"}')),
}
