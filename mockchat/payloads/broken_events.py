"""Changes of a stream's events that break a rule on whole chunks or on the end."""

from collections.abc import Callable
from copy import deepcopy

from mockchat.contract.stream_axes import DONE
from mockchat.payloads.stream_sites import (
    Change,
    Events,
    chunks_in,
    counting,
    finishing,
    speaking,
)
from mockchat.types import Json

_ERROR = {"error": {"message": "Sorry", "type": "server_error", "param": None, "code": None}}


def no_object(events: Events) -> str:
    """Insert an event that is an array."""
    events.insert(1, ["text"])
    return "/1"


def done_twice(events: Events) -> str:
    """Send the end twice."""
    events.insert(events.index(DONE), DONE)
    return f"/{len(events) - 1}"


def chunk_after_done(events: Events) -> str:
    """Send the first chunk again behind the end."""
    events.append(deepcopy(events[0]))
    events.index(DONE)
    return f"/{len(events) - 1}"


def error_before_the_end(events: Events) -> str:
    """Report an error, then finish all the same."""
    number, _ = finishing(events)
    del events[number + 1 :]
    events.insert(number, deepcopy(_ERROR))
    events.append(DONE)
    return f"/{number + 1}"


def without_done(events: Events) -> str:
    """Leave the end out."""
    del events[events.index(DONE)]
    return f"/{len(events)}"


def changing(name: str, value: Json) -> Change:
    """Let the last entry's chunk be one of another stream."""

    def change(events: Events) -> str:
        number, _ = finishing(events)
        if not events[number].get(name):
            raise LookupError(name)
        events[number][name] = value
        return f"/{number}/{name}"

    return change


def nothing_said(events: Events) -> str:
    """Insert a chunk without choices or counts."""
    number, _ = finishing(events)
    events.insert(number, {**deepcopy(events[number]), "choices": []})
    events[number].pop("usage", None)
    return f"/{number}/choices"


def two_choices(events: Events) -> str:
    """Let one chunk carry two entries."""
    number, first = speaking(events)
    second = deepcopy(first)
    second["delta"] = {"content": "more"}
    events[number]["choices"].append(second)
    return f"/{number}/choices"


def usage_twice(events: Events) -> str:
    """Send the counts twice."""
    number, chunk = counting(events)
    events.insert(number, deepcopy(chunk))
    return f"/{number + 1}/usage"


def usage_first(events: Events) -> str:
    """Send the counts before the finish."""
    number, _ = counting(events)
    at, _ = finishing(events)
    if at >= number:
        raise LookupError(number)
    events.insert(at, events.pop(number))
    return f"/{at + 1}"


def usage_unasked(events: Events) -> str:
    """Say `"usage": null` though nobody asked for counts."""
    number, _ = speaking(events)
    if "usage" in events[number]:
        raise LookupError(number)
    events[number]["usage"] = None
    return f"/{number}/usage"


def usage_elsewhere(events: Events) -> str:
    """Send the counts beside the finish."""
    number, chunk = counting(events)
    at, _ = finishing(events)
    if at >= number or chunk["choices"]:
        raise LookupError(number)
    events[at]["usage"] = chunk["usage"]
    del events[number]
    return f"/{at}/usage"


def usage_not_null(events: Events) -> str:
    """Leave `"usage": null` out of one chunk."""
    number, _ = speaking(events)
    del events[number]["usage"]
    return f"/{number}/usage"


def usage_wrong(events: Events) -> str:
    """Count one token too many in all."""
    number, chunk = counting(events)
    chunk["usage"]["total_tokens"] += 1
    return f"/{number}/usage/total_tokens"


def without_usage(events: Events) -> str:
    """Leave the counts out."""
    number, chunk = counting(events)
    if chunk["choices"]:
        raise LookupError(number)
    del events[number]
    return f"/{len(events) - 1}"


def padding(change: Callable[[str], str | None]) -> Change:
    """Return a change of one padding; None takes it away."""

    def spoil(events: Events) -> str:
        padded = [(n, one) for n, one in chunks_in(events) if len(one.get("obfuscation", "")) > 1]
        number, chunk = padded[0]
        text = change(chunk.pop("obfuscation"))
        if text is not None:
            chunk["obfuscation"] = text
        return f"/{number}/obfuscation"

    return spoil


def without_choices(events: Events) -> str:
    """Leave every choice out."""
    events[:] = [event for event in events if event == DONE or not event["choices"]]
    return f"/{len(events) - 1}"


def without_finish(events: Events) -> str:
    """Leave the finish out."""
    number, entry = finishing(events)
    if entry["delta"]:
        raise LookupError(number)
    del events[number]
    return f"/{len(events) - 1}"
