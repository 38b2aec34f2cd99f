"""Changes of a stream's events that break a rule on a choice or on its calls."""

from copy import deepcopy

from mockchat.payloads.stream_sites import (
    Change,
    Events,
    entries_in,
    finishing,
    nth,
    opening,
    pieces_in,
    speaking,
    with_delta,
)
from mockchat.types import Json

_BEYOND = 7
_LOGPROBS = {
    "content": [{"token": "a", "logprob": -0.1, "bytes": [97], "top_logprobs": []}],
    "refusal": None,
}


def choice_too_many(events: Events) -> str:
    """Insert a choice beyond `n`, with all a choice needs."""
    number, _ = finishing(events)
    opening_one, finishing_one = with_delta(events[number], role="assistant"), events[number]
    extra = [opening_one, deepcopy(finishing_one)]
    for chunk in extra:
        chunk["choices"][0]["index"] = _BEYOND
    events[number:number] = extra
    return f"/{number}/choices/0/index"


def choices_in_another_order(events: Events) -> str:
    """Let the two choices change places."""
    for _, entry in entries_in(events):
        entry["index"] = 1 - entry["index"]
    number, _ = opening(events)
    return f"/{number}/choices/0/index"


def without_role(events: Events) -> str:
    """Leave the role out."""
    number, entry = opening(events)
    del entry["delta"]["role"]
    return f"/{number}/choices/0/delta/role"


def role_twice(events: Events) -> str:
    """Name the role again."""
    number, entry = speaking(events)
    entry["delta"]["role"] = "assistant"
    return f"/{number}/choices/0/delta/role"


def logprobs_unasked(events: Events) -> str:
    """Add log probabilities."""
    number, entry = speaking(events)
    entry["logprobs"] = deepcopy(_LOGPROBS)
    return f"/{number}/choices/0/logprobs"


def finish_twice(events: Events) -> str:
    """Finish twice."""
    number, entry = finishing(events)
    if entry["delta"]:
        raise LookupError(number)
    events.insert(number, deepcopy(events[number]))
    return f"/{number + 1}/choices/0/finish_reason"


def behind_finish(at: str, **delta: Json) -> Change:
    """Return a change that says `delta` behind the finish."""

    def change(events: Events) -> str:
        number, _ = finishing(events)
        events.insert(number + 1, with_delta(events[number], **delta))
        events[number + 1].pop("usage", None)
        if "usage" in events[number]:
            events[number + 1]["usage"] = None
        return f"/{number + 1}/choices/0{at}"

    return change


def finish_that_speaks(events: Events) -> str:
    """Let the finish carry text."""
    number, entry = finishing(events)
    entry["delta"] = {"content": "."}
    return f"/{number}/choices/0/delta"


def finish_as(reason: str) -> Change:
    """Return a change of the finish reason."""

    def change(events: Events) -> str:
        number, entry = finishing(events)
        entry["finish_reason"] = reason
        return f"/{number}/choices/0/finish_reason"

    return change


def without_last_piece(events: Events) -> str:
    """Leave the last piece of the arguments out."""
    number, piece = nth(pieces_in(events), -1)
    if "id" in piece:
        piece["function"]["arguments"] = "{"
    else:
        del events[number]
    at, _ = finishing(events)
    return f"/{at}/choices/0/finish_reason"


def calls_from_one(events: Events) -> str:
    """Count calls from one."""
    pieces = pieces_in(events)
    for _, piece in pieces:
        piece["index"] += 1
    number, _ = nth(pieces)
    return f"/{number}/choices/0/delta/tool_calls/0/index"


def header_without(name: str) -> Change:
    """Return a change that takes a member of a call's header away."""

    def change(events: Events) -> str:
        number, piece = nth(pieces_in(events))
        del piece[name]
        return f"/{number}/choices/0/delta/tool_calls/0/{name}"

    return change


def header_twice(events: Events) -> str:
    """Name the id of a call again."""
    pieces = pieces_in(events)
    number, piece = nth([each for each in pieces if "id" not in each[1]])
    piece["id"] = nth(pieces)[1]["id"]
    return f"/{number}/choices/0/delta/tool_calls/0/id"


def arguments_with_header(events: Events) -> str:
    """Send the first piece of the arguments with the header."""
    pieces = pieces_in(events)
    number, header = nth(pieces)
    at, piece = nth([each for each in pieces if "id" not in each[1]])
    header["function"]["arguments"] = piece["function"]["arguments"]
    del events[at]
    return f"/{number}/choices/0/delta/tool_calls/0"


def calls_interleaved(events: Events) -> str:
    """Send the last piece of the first call behind the header of the second."""
    pieces = pieces_in(events)
    last_of_first, _ = nth([each for each in pieces if not each[1]["index"]], -1)
    header, _ = nth([each for each in pieces if each[1]["index"]])
    events.insert(header, events.pop(last_of_first))
    return f"/{header}/choices/0/delta/tool_calls/0/index"


def two_pieces_together(events: Events) -> str:
    """Send two pieces in one delta."""
    pieces = [each for each in pieces_in(events) if "id" not in each[1]]
    number, _ = nth(pieces)
    at, second = nth(pieces, 1)
    events[number]["choices"][0]["delta"]["tool_calls"].append(second)
    del events[at]
    return f"/{number}/choices/0/delta/tool_calls"
