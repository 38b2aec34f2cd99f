"""Checks of answers that belong together: stored completions, equal requests, streams at once.

The ids of the probes are those of `series`.
"""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from urllib.parse import unquote

from mockchat.conformance.answers import Answered
from mockchat.conformance.observed import Observed
from mockchat.conformance.written import WrittenCheck, written, wrong
from mockchat.exchange import Violation
from mockchat.types import Json

CHECKS: dict[str, WrittenCheck] = {}
"""The checks of this module by id."""

_written = partial(written, CHECKS)
_EQUAL = "same.stream-again"
_AT_ONCE = "at-once"
_SAID = ("content", "refusal", "tool_calls", "function_call", "reasoning", "reasoning_content")


def _said(completion: Json) -> Json:
    """Return what the choices say and how they end, None where there is nothing to compare."""
    choices = completion.get("choices") if isinstance(completion, Mapping) else None
    if not isinstance(choices, list) or not choices:
        return None
    return [_of_choice(choice) for choice in choices]


def _of_choice(choice: Json) -> Json:
    if not isinstance(choice, Mapping):
        return None
    message = choice.get("message")
    told = message if isinstance(message, Mapping) else {}
    said = {name: told[name] for name in _SAID if told.get(name)}
    calls = said.get("tool_calls")
    if isinstance(calls, list):  # ids are made anew for each answer
        said["tool_calls"] = [
            {name: call[name] for name in call if name not in {"id", "index"}}
            for call in calls
            if isinstance(call, Mapping)
        ]
    return {**said, "finish_reason": choice.get("finish_reason")}


def _before(seen: Observed, name: str) -> Json:
    """Return what an earlier answer said."""
    return _said(seen.completion_of(seen.earlier[name]))


def _is_equal_probe(seen: Observed) -> bool:
    return seen.probe.id == _EQUAL and seen.is_accepted


def _differs_with_itself(seen: Observed) -> str | None:
    """Tell why JSON and stream cannot be compared: without chance, each says the same twice."""
    if not _is_equal_probe(seen):
        return None
    wholes = [_before(seen, name) for name in ("same.whole", "same.whole-again")]
    streams = [_before(seen, "same.stream"), _said(seen.completion_of(seen.answered))]
    if None in (*wholes, *streams):
        return "the equal requests were not all answered"
    if wholes[0] != wholes[1] or streams[0] != streams[1]:
        return "the target answers two equal requests differently"
    return None


@_written(
    "series.same-streamed",
    "A target that leaves nothing to chance says the same in a stream as in JSON.",
    source="The official document: chunks are the completion, streamed. Only judged where two "
    "equal requests, as JSON and as streams, were answered alike.",
    applies=lambda seen: _is_equal_probe(seen) and _differs_with_itself(seen) is None,
    clients=("whoever turns streaming on gets another answer, or half of it",),
    why_not=_differs_with_itself,
)
def _same_streamed(seen: Observed) -> Iterator[Violation]:
    whole = _before(seen, "same.whole")
    streamed = _said(seen.completion_of(seen.answered))
    if whole != streamed:
        message = "The stream, put together, is not what the same request gets as JSON."
        yield wrong("", message, whole, streamed, "observed")


def _is_at_once(seen: Observed) -> bool:
    return seen.probe.group == _AT_ONCE and seen.is_accepted


@_written(
    "series.own-id",
    "Streams at the same time have ids of their own, and no chunk of each other.",
    source="Recorded: no two of 163 streams share an id; clients and logs tell them apart by it.",
    applies=lambda seen: _is_at_once(seen) and _others(seen) != {},
)
def _own_id(seen: Observed) -> Iterator[Violation]:
    others = _others(seen)
    for number, name in seen.ids_of(seen.answered):
        if name in others:
            message = f"The chunk has the id of another stream ({others[name]})."
            yield wrong(f"/{number}/id", message, "an id of its own", name, "observed")
            return


def _others(seen: Observed) -> dict[str, str]:
    """Return the ids of the streams that were sent at the same moment, with their probes."""
    return {
        each: name
        for name, answered in seen.earlier.items()
        if name.startswith(_AT_ONCE)
        for _, each in seen.ids_of(answered)
    }


def _chance(seen: Observed) -> str | None:
    if seen.probe.id != f"{_AT_ONCE}.1" or not seen.is_accepted:
        return None
    alone = [_before(seen, name) for name in ("same.stream", "same.stream-again")]
    if None in alone:
        return "the stream was not answered when it was sent alone"
    if alone[0] != alone[1]:
        return "the target answers two equal requests differently"
    return None


@_written(
    "series.same-at-once",
    "A stream beside others says what it says alone.",
    source="Requests have nothing to do with each other (official document: no state between "
    "them). Only judged where the stream was the same twice when sent alone.",
    applies=lambda seen: (
        seen.probe.id == f"{_AT_ONCE}.1" and seen.is_accepted and _chance(seen) is None
    ),
    clients=("every client with two users shows one what the other asked",),
    why_not=_chance,
)
def _same_at_once(seen: Observed) -> Iterator[Violation]:
    alone = _before(seen, "same.stream")
    beside = _said(seen.completion_of(seen.answered))
    if alone != beside:
        message = "The stream, put together, is not what it was when sent alone."
        yield wrong("", message, alone, beside, "observed")


def _of_stored(seen: Observed, *steps: str) -> bool:
    return seen.is_accepted and seen.probe.id in {f"stored.{step}" for step in steps}


def _created(seen: Observed) -> Answered:
    return seen.earlier["stored.create"]


@_written(
    "stored.same",
    "A stored completion is the one that was answered.",
    source="The official document: GET returns the completion with this id.",
    applies=lambda seen: _of_stored(seen, "retrieve", "update"),
)
def _same_stored(seen: Observed) -> Iterator[Violation]:
    made, found = _created(seen).json, seen.answered.json
    wanted, given = _id_of(made), _id_of(found)
    if given != wanted:
        yield wrong("/id", "It is another completion.", wanted, given, "observed")
    elif _said(made) != _said(found):
        message = "It says something else than the answer that was stored."
        yield wrong("/choices", message, _said(made), _said(found), "observed")


@_written(
    "stored.listed",
    "A stored completion is in the list.",
    source="The official document: the list has every stored completion, newest first when asked.",
    applies=lambda seen: _of_stored(seen, "list"),
    level="documented",
)
def _listed(seen: Observed) -> Iterator[Violation]:
    wanted = _id_of(_created(seen).json)
    body = seen.answered.json
    listed = body.get("data") if isinstance(body, Mapping) else None
    ids = [_id_of(each) for each in listed] if isinstance(listed, list) else []
    if wanted not in ids:
        message = "The completion that was just stored is not listed."
        yield wrong("/data", message, wanted, ids[:3], "documented")


@_written(
    "stored.labelled",
    "Labels that are set are there.",
    source="The official document: POST replaces the metadata and returns the completion.",
    applies=lambda seen: _of_stored(seen, "update"),
)
def _labelled(seen: Observed) -> Iterator[Violation]:
    body, asked = seen.answered.json, json.loads(seen.probe.sent.body or b"null")
    wanted = asked.get("metadata") if isinstance(asked, Mapping) else None
    given = body.get("metadata") if isinstance(body, Mapping) else None
    if given != wanted:
        yield wrong(
            "/metadata", "The labels are not those that were set.", wanted, given, "observed"
        )


@_written(
    "stored.deleted",
    "What was deleted is named by its id.",
    source="The official document: the answer has the id, and `deleted` is true.",
    applies=lambda seen: _of_stored(seen, "delete"),
)
def _deleted(seen: Observed) -> Iterator[Violation]:
    wanted, given = _id_of(_created(seen).json), _id_of(seen.answered.json)
    if given != wanted:
        yield wrong("/id", "It is another completion.", wanted, given, "observed")


def _id_of(body: Json) -> Json:
    return body.get("id") if isinstance(body, Mapping) else None


@_written(
    "models.same",
    "A model that is asked for by name has this name.",
    source="The official document: GET /models/{model} returns the model with this id.",
    applies=lambda seen: seen.is_accepted and seen.probe.wanted == "model",
)
def _same_model(seen: Observed) -> Iterator[Violation]:
    wanted = unquote(seen.probe.sent.path.partition("/models/")[2])
    given = _id_of(seen.answered.json)
    # Gemini's names have "models/" before them in every answer.
    if isinstance(given, str) and given.removeprefix("models/") != wanted:
        yield wrong("/id", f"It is the model {given!r}.", wanted, given, "observed")
