"""The words of scenario files and the Python they stand for: the same names, the same arguments."""

import re
from collections.abc import Callable, Mapping

from mockchat.errors import BadArgument
from mockchat.payloads.plans import (
    Plan,
    at_once,
    at_random,
    by_token,
    by_word,
    chunks_of,
    exactly,
)
from mockchat.scripting.builders import (
    audio,
    choices,
    error,
    generated,
    message,
    mutated,
    refusal,
    text,
    tool_call,
    unchecked,
)
from mockchat.scripting.contents import Reply, reply_of
from mockchat.scripting.fault_list import stream_fault
from mockchat.scripting.faults import Fault, sometimes, together
from mockchat.scripting.faults_connection import ByteCuts, CutStream
from mockchat.scripting.faults_endings import EndEarly, ErrorFrame
from mockchat.scripting.faults_events import (
    ControlField,
    DropChunk,
    DuplicateChunk,
    EmptyData,
    KeepAlive,
    MalformedJson,
)
from mockchat.scripting.faults_framing import Framing
from mockchat.scripting.faults_http import (
    EmptyBody,
    JsonForStream,
    ProxyError,
    TruncatedJson,
    WrongContentType,
)
from mockchat.scripting.faults_timing import Pacing, SlowHeaders, Stall
from mockchat.scripting.faults_verbatim import Verbatim
from mockchat.scripting.matching import contains, matches_schema
from mockchat.types import Json, JsonObject, JsonView

PLANS: Mapping[str, Callable[..., Plan]] = {
    made.__name__: made for made in (at_once, at_random, by_token, by_word, chunks_of, exactly)
}

FAULTS: Mapping[str, Callable[..., Fault]] = {
    made.__name__: made
    for made in (
        ByteCuts,
        ControlField,
        CutStream,
        DropChunk,
        DuplicateChunk,
        EmptyBody,
        EmptyData,
        EndEarly,
        ErrorFrame,
        Framing,
        JsonForStream,
        KeepAlive,
        MalformedJson,
        ProxyError,
        SlowHeaders,
        Stall,
        TruncatedJson,
        Verbatim,
        WrongContentType,
    )
}

REPLIES: Mapping[str, Callable[..., Reply]] = {
    made.__name__: made
    for made in (
        audio,
        choices,
        error,
        generated,
        message,
        mutated,
        refusal,
        text,
        tool_call,
        unchecked,
    )
}

RAW = ("completion", "chunks")
"""Kinds of replies that Python writes as a mapping and as a list of mappings."""

_KINDS = {*REPLIES, *RAW}


def _regex(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as problem:
        allowed = f"a regular expression ({problem})"
        raise BadArgument("regex", pattern, allowed) from None


MATCHERS: Mapping[str, Callable[[Json], object]] = {
    "contains": contains,
    "regex": _regex,
    "matches_schema": matches_schema,
    "equals": lambda value: value,
}
"""What a mapping with one such key stands for, where a condition wants a value."""

_MAPS = {"headers", "pointer", "tool_result", "any_message"}
"""Keywords of `when` that take a mapping to wanted values."""


def conditions_of(written: JsonView) -> JsonObject:
    """Return the keywords of `when` as Python takes them.

    Raises:
        BadArgument: A regular expression, fragment or schema is none.
    """
    return {keyword: _condition(keyword, wanted) for keyword, wanted in written.items()}


def _condition(keyword: str, wanted: Json) -> object:
    if keyword == "any_of":
        return [conditions_of(one) for one in wanted]
    if keyword == "not_":
        return conditions_of(wanted)
    if keyword == "schema":
        return wanted
    if keyword in _MAPS and isinstance(wanted, Mapping) and _matcher(wanted) is None:
        return {name: _wanted(value) for name, value in wanted.items()}
    return _wanted(wanted)


def _wanted(value: Json) -> object:
    word = _matcher(value)
    return value if word is None else MATCHERS[word](value[word])


def _matcher(value: Json) -> str | None:
    if isinstance(value, Mapping) and len(value) == 1:
        word = next(iter(value))
        return str(word) if word in MATCHERS else None
    return None


def plan_of(written: str | JsonView) -> Plan:
    """Return the plan of a word, or of a word with its argument.

    Raises:
        BadArgument: The argument is out of range.
    """
    if isinstance(written, str):
        return PLANS[written]()
    ((word, argument),) = written.items()
    return PLANS[word](argument)


def pacing_of(written: JsonView) -> Pacing:
    """Return the pacing with these arguments.

    Raises:
        BadArgument: Two of them exclude each other.
    """
    return Pacing(**written)


def fault_of(written: str | JsonView) -> Fault:
    """Return the fault of a word, or of a word with its parameters.

    Raises:
        BadArgument: No fault has that name, or a parameter is out of range.
    """
    if isinstance(written, str):
        return FAULTS[written]() if written in FAULTS else stream_fault(written)
    ((word, parameters),) = written.items()
    if word == "together":
        return together(*map(fault_of, parameters))
    if word == "sometimes":
        return sometimes(fault_of(parameters["fault"]), parameters["p"])
    if "headers" in parameters:
        parameters = {**parameters, "headers": tuple(parameters["headers"].items())}
    return FAULTS[word](**parameters)


def replied(written: Json) -> Reply:
    """Return the reply that a scenario writes as text, list or mapping.

    Raises:
        BadArgument: An argument is none that its builder takes.
    """
    if isinstance(written, str):
        return text(written)
    if isinstance(written, list):
        return reply_of([part if isinstance(part, str) else replied(part) for part in written])
    # An error has a message of its own.
    kind = "error" if "error" in written else next(key for key in written if key in _KINDS)
    first = written[kind]
    if kind in RAW:
        return reply_of(first)
    if kind == "generated":
        return generated(**first)
    named = {key: value for key, value in written.items() if key != kind}
    # The first argument stands at the key of the kind, a second one of a call under its own name.
    following = [named.pop("arguments", None)] if kind == "tool_call" else []
    if kind == "choices":
        return choices([replied(one) for one in first])
    return REPLIES[kind](replied(first) if kind == "unchecked" else first, *following, **named)
