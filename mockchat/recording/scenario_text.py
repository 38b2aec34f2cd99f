"""Recorded exchanges as a scenario file: the same requests get the same answers again."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeAlias

from mockchat.contract.contract import Contract, contract_for
from mockchat.contract.pointers import pointer_of, tokens_of
from mockchat.recording.exchanges import RecordedExchange
from mockchat.recording.redaction import MARK, Redaction
from mockchat.recording.replays import replay_of
from mockchat.recording.yaml_text import yaml_lines
from mockchat.scripting.scenario_words import MATCHERS
from mockchat.types import Json, JsonObject, Level

Match: TypeAlias = Literal["request", "conversation"]
"""What a request must have in common with a recorded one: all of its body, or model, messages and
whether it asks for a stream."""

_ONE_LINE = ("chunks", "messages", "/messages", "pieces")
_KEPT = ("model", "messages")
_NOTES = 20
"""How many violations of one answer are told beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedStub:
    """One exchange as a stub of a scenario.

    Attributes:
        when: The conditions, "" being told as nothing.
        step: `reply`, `pacing` and `fault`.
        notes: What a reader should know, a line each: the exchange, then what it broke.
    """

    when: JsonObject
    step: JsonObject
    notes: tuple[str, ...]

    @property
    def stub(self) -> JsonObject:
        """The stub; the reply is given as often as it is asked for."""
        return {"when": self.when, **self.step, "forever": True}


def recorded_stub(
    exchange: RecordedExchange,
    contract: Contract,
    *,
    match: Match = "request",
    level: Level = "observed",
    redaction: Redaction | None = None,
) -> RecordedStub | None:
    """Return an exchange as a stub; None where no stub could answer it.

    That is so for requests of other paths than a completion's, for those that are no JSON object,
    and where the client left before there was anything of an answer that is no stream.

    Args:
        exchange: What went over the wire.
        contract: Judges the answer.
        match: Which requests get it again.
        level: How strictly it is judged.
        redaction: What must not be written down; credentials never are.
    """
    if not is_replayable(exchange):
        return None
    clean = (redaction or Redaction()).of(exchange)
    replay = replay_of(clean, contract, level=level)
    wrong = [f"! {one.pointer or '/'}: {one.message} ({one.rule})" for one in replay.violations]
    if len(wrong) > _NOTES:
        wrong[_NOTES:] = [f"! and {len(wrong) - _NOTES} more"]
    return RecordedStub(
        when=_when(clean.request or {}, match),
        step=replay.step,
        notes=(title_of(clean), *wrong),
    )


def is_replayable(exchange: RecordedExchange) -> bool:
    """Tell whether a stub can answer such a request as this exchange did."""
    is_chat = exchange.method == "POST" and exchange.path.endswith("/chat/completions")
    is_lost = exchange.ended == "client left" and exchange.content_type != "text/event-stream"
    return is_chat and not is_lost and exchange.request is not None


def title_of(exchange: RecordedExchange) -> str:
    """Return one exchange in a line: when, what was asked, how it was answered."""
    began = ""
    if exchange.began is not None:
        began = datetime.fromtimestamp(exchange.began, UTC).isoformat(timespec="seconds") + " "
    end = "" if exchange.ended == "whole" else f", {exchange.ended}"
    what = f"{exchange.method} {exchange.path} -> {exchange.status}"
    return f"{began}{what}, {exchange.seconds:.3f} s{end}"


def scenario_of(  # noqa: PLR0913 - what a recording depends on, by name
    exchanges: Iterable[RecordedExchange],
    *,
    profile: str = "openai",
    match: Match = "request",
    level: Level = "observed",
    redaction: Redaction | None = None,
    schemas: Path | None = None,
) -> JsonObject:
    """Return the scenario that answers these exchanges again.

    Equal requests become one stub with their answers in order, the last of them for ever.

    Args:
        exchanges: In the order in which they went over the wire.
        profile: The variant of the API they speak.
        match: Which requests get a recorded answer.
        level: How strictly answers are judged; one that breaks the contract is `unchecked`.
        redaction: What must not be written down; credentials never are.
        schemas: A folder of the caller's own profiles.

    Raises:
        UnknownProfile: There is no such profile.
    """
    contract = contract_for(profile, schemas)
    stubs = (
        recorded_stub(one, contract, match=match, level=level, redaction=redaction)
        for one in exchanges
    )
    return {**head_of(profile, level), "stubs": [*_joined(stub for stub in stubs if stub)]}


def head_of(profile: str, level: Level = "observed") -> JsonObject:
    """Return the options of a recorded scenario.

    Requests are judged and not refused: what the real server made of them is known.
    """
    head: JsonObject = {"profile": profile, "validation": "warn"}
    return head if level == "observed" else {**head, "level": level}


def write_scenario(path: Path, scenario: JsonObject) -> None:
    """Write a scenario as YAML; the file is there as a whole, or as it was before.

    Raises:
        OSError: It cannot be written.
    """
    write_whole(path, as_yaml(scenario))


def as_yaml(scenario: JsonObject) -> str:
    """Return a scenario as the text of a YAML file."""
    return "\n".join(yaml_lines(scenario, one_line=_ONE_LINE)) + "\n"


def write_whole(path: Path, text: str) -> None:
    """Write a text file so that no reader ever sees half of it.

    Raises:
        OSError: It cannot be written.
    """
    draft = path.with_name(f".{path.name}.part")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def stub_text(stubs: Iterable[RecordedStub]) -> str:
    """Return the text of one stub, whose replies follow one another; notes are comments."""
    listed = tuple(stubs)
    notes = "".join(f"  # {printable(note)}\n" for stub in listed for note in stub.notes)
    (joined,) = _joined(listed)
    lines = yaml_lines([joined], one_line=_ONE_LINE, indent=2)
    return notes + "".join(f"{line}\n" for line in lines)


def key_of(stub: RecordedStub) -> str:
    """Return what is equal for stubs that answer the same requests."""
    return json.dumps(stub.when, sort_keys=True)


def request_of(when: Mapping[str, Json]) -> JsonObject:
    """Return the request that the conditions of a recorded stub describe.

    What was redacted stands in it as "[redacted]".
    """
    body: Json = {}
    for pointer, wanted in when.get("pointer", {}).items():
        body = _placed(body, tokens_of(pointer), _meant(wanted))
    if "stream" in when:
        body = {**body, "stream": when["stream"]}
    request: JsonObject = body
    return request


def _joined(stubs: Iterable[RecordedStub]) -> Iterator[JsonObject]:
    groups: dict[str, list[RecordedStub]] = {}
    for stub in stubs:
        groups.setdefault(key_of(stub), []).append(stub)
    for first, *others in groups.values():
        if not others:
            yield first.stub
            continue
        steps = [stub.step for stub in others]
        steps[-1] = {**steps[-1], "forever": True}
        yield {"when": first.when, **first.step, "then": steps}


def _when(request: JsonObject, match: Match) -> JsonObject:
    if match == "request":
        when: JsonObject = {"pointer": dict(_pointers((), request))}
        shape = _shape(request)
    else:
        kept: JsonObject = {name: request[name] for name in _KEPT if name in request}
        pointers = {at: to for name, one in kept.items() for at, to in _pointers((name,), one)}
        when = {"pointer": pointers, "stream": request.get("stream") is True}
        shape = {"properties": _shapes(kept)} if _has_mark(kept) else {}
    return {**when, "schema": shape} if shape else when


def _shape(value: Json) -> JsonObject:
    """Return a schema of the form that a value has around what was redacted in it."""
    if not _has_mark(value) or isinstance(value, str):
        return {}
    if isinstance(value, list):
        return {"maxItems": len(value), "prefixItems": [*map(_shape, value)]}
    inner = _shapes(value)
    return {"propertyNames": {"enum": [*value]}, **({"properties": inner} if inner else {})}


def _shapes(members: JsonObject) -> JsonObject:
    shapes = {name: _shape(member) for name, member in members.items()}
    return {name: shape for name, shape in shapes.items() if shape}


def _pointers(tokens: tuple[str | int, ...], value: Json) -> Iterator[tuple[str, Json]]:
    """Yield places and what is wanted there: the whole, or around what was redacted its parts."""
    pointer = pointer_of(tokens)
    if not _has_mark(value):
        needs_no_word = not isinstance(value, dict) or not (
            len(value) == 1 and MATCHERS.keys() & value
        )
        is_plain = not isinstance(value, dict | list | str) or (bool(tokens) and needs_no_word)
        yield pointer, value if is_plain else {"equals": value}
    elif isinstance(value, str):
        yield pointer, {"regex": f"(?s)^{'.*'.join(map(re.escape, value.split(MARK)))}$"}
    else:
        members = value.items() if isinstance(value, dict) else enumerate(value)
        for token, member in members:
            if MARK not in str(token):
                yield from _pointers((*tokens, token), member)


def _has_mark(value: Json) -> bool:
    if isinstance(value, dict):
        return any(map(_has_mark, value.values()))
    if isinstance(value, list):
        return any(map(_has_mark, value))
    return isinstance(value, str) and MARK in value


def _meant(wanted: Json) -> Json:
    """Return the value that a condition stands for."""
    if not isinstance(wanted, dict) or len(wanted) != 1:
        return wanted
    if "equals" in wanted:
        return wanted["equals"]
    if "regex" in wanted:
        inner = wanted["regex"].removeprefix("(?s)^").removesuffix("$")
        return _ESCAPED.sub(lambda found: MARK if found[1] is None else found[1], inner)
    return wanted


_ESCAPED = re.compile(r"\\(.)|\.\*", re.DOTALL)
"""What `re.escape` wrote for one character, or what stands for redacted text."""


def _placed(body: Json, tokens: tuple[str, ...], value: Json) -> Json:
    if not tokens:
        return value
    token, *rest = tokens
    if token.isdecimal() and (isinstance(body, list) or body == {}):
        items = list(body) if isinstance(body, list) else []
        place = int(token)
        items += [{}] * (place + 1 - len(items))
        items[place] = _placed(items[place], tuple(rest), value)
        return items
    members = dict(body) if isinstance(body, dict) else {}
    return {**members, token: _placed(members.get(token, {}), tuple(rest), value)}


def printable(note: str) -> str:
    """Return a note fit for one line of a comment: what does not print stands as its escape."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in note
    )
