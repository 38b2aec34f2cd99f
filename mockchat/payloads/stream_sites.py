"""Where in the events of a stream something is said: what changes of them look for."""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from typing import TypeAlias

from mockchat.types import Json, JsonObject

Events: TypeAlias = list[Json]
"""The events of a stream: chunks, and "[DONE]"."""

Change: TypeAlias = Callable[[Events], str]
"""Changes the events, and returns where the fault is; LookupError where there is nothing to change."""


def chunks_in(events: Events) -> Iterator[tuple[int, JsonObject]]:
    """Yield the chunks, each with its number among the events."""
    for number, event in enumerate(events):
        if isinstance(event, dict):
            yield number, event


def entries_in(events: Events) -> Iterator[tuple[int, JsonObject]]:
    """Yield the events with a choice, and that choice."""
    for number, chunk in chunks_in(events):
        for choice in chunk["choices"][:1]:
            yield number, choice


def nth(found: Sequence[tuple[int, JsonObject]], position: int = 0) -> tuple[int, JsonObject]:
    """Return one of what was found."""
    return found[position]


def speaking(events: Events, position: int = 0) -> tuple[int, JsonObject]:
    """Return an entry with text that is not the first of its choice."""
    found = [(n, entry) for n, entry in entries_in(events) if entry["delta"].get("content")]
    return nth([each for each in found if each[0] > opening(events)[0]], position)


def opening(events: Events) -> tuple[int, JsonObject]:
    """Return the entry that opens the first choice."""
    return nth([(n, entry) for n, entry in entries_in(events) if "role" in entry["delta"]])


def finishing(events: Events) -> tuple[int, JsonObject]:
    """Return the entry with the first finish reason."""
    return nth([(n, entry) for n, entry in entries_in(events) if entry.get("finish_reason")])


def counting(events: Events) -> tuple[int, JsonObject]:
    """Return the chunk with counts."""
    return nth([(n, chunk) for n, chunk in chunks_in(events) if chunk.get("usage")])


def pieces_in(events: Events) -> list[tuple[int, JsonObject]]:
    """Return the fragments of calls, each with its event."""
    return [
        (number, piece)
        for number, entry in entries_in(events)
        for piece in entry["delta"].get("tool_calls") or ()
    ]


def with_delta(chunk: Json, **delta: Json) -> Json:
    """Return a chunk like `chunk` that says something else."""
    made = deepcopy(chunk)
    made["choices"][0] |= {"delta": delta, "finish_reason": None}
    return made
