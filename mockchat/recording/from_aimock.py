"""Fixtures of aimock as stubs: the first that matches answers, but for those that name a turn.

Source: @copilotkit/aimock 1.43.0 from the npm registry, its `router`, `fixture-loader`, `sse-writer`
and the types of a fixture file.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mockchat.recording.aimock_replies import REPLY_KEYS, RESPONSE, step_of
from mockchat.recording.imported import Notes, Ruled, containing, together
from mockchat.types import Json, JsonObject, JsonView

_TEXT = {"type": "string"}
_NUMBER = {"type": "number"}
_MATCH: JsonObject = {
    "type": "object",
    "properties": {
        "userMessage": _TEXT,
        "systemMessage": {"oneOf": [_TEXT, {"type": "array", "items": _TEXT}]},
        "inputText": _TEXT,
        "toolCallId": _TEXT,
        "toolResultContains": _TEXT,
        "toolName": _TEXT,
        "model": _TEXT,
        "responseFormat": _TEXT,
        "endpoint": _TEXT,
        "context": _TEXT,
        "hasToolResult": {"type": "boolean"},
        "sequenceIndex": {"type": "integer", "minimum": 0},
        "turnIndex": {"type": "integer"},
    },
}
_FIXTURE: JsonObject = {
    "type": "object",
    "properties": {
        "match": _MATCH,
        "response": RESPONSE,
        "latency": _NUMBER,
        "chunkSize": {"type": "integer", "minimum": 1},
        "truncateAfterChunks": {"type": "integer", "minimum": 0},
        "disconnectAfterMs": _NUMBER,
        "streamingProfile": {
            "type": "object",
            "properties": {"ttft": _NUMBER, "tps": _NUMBER, "jitter": _NUMBER},
        },
        "recordedTimings": {
            "type": "object",
            "properties": {
                "ttftMs": _NUMBER,
                "interChunkDelaysMs": {"type": "array", "items": _NUMBER},
                "totalDurationMs": _NUMBER,
            },
        },
        "replaySpeed": _NUMBER,
        "chaos": {"type": "object"},
    },
    "required": ["match", "response"],
}
_FORM: JsonObject = {
    "type": "object",
    "properties": {"fixtures": {"type": "array", "items": _FIXTURE}},
    "required": ["fixtures"],
}

OWN_KEYS = (_MATCH["properties"].keys() | REPLY_KEYS) - {
    *("model", "endpoint", "content", "usage", "error", "reasoning", "status")
}
"""Members of a match or a response that tell these fixtures from others."""

_TURN, _SEQUENCE = "turnIndex", "sequenceIndex"
_IGNORED = "aimock's files have no such member"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """One fixture, or several that follow one another by `sequenceIndex`.

    Attributes:
        pointer: Where it stands, the first of several.
        match: What it asks for, `sequenceIndex` left out.
        when: The same as conditions, the turn left out.
        steps: Its replies in order; the last is for ever unless they are counted.
        is_counted: Whether each reply is given once.
    """

    pointer: str
    match: JsonObject
    when: JsonObject
    steps: tuple[JsonObject, ...]
    is_counted: bool

    @property
    def turn(self) -> int | None:
        """The number of assistant messages before, None where any will do."""
        turn: int | None = self.match.get(_TURN)
        return turn

    def stubs(self, *conditions: JsonObject) -> Iterator[JsonObject]:
        """Yield the stubs of the rule, on further conditions: only streams break off."""
        first, *others = self.steps
        if "fault" in first and not (others or self.is_counted):
            whole = {name: value for name, value in first.items() if name != "fault"}
            yield _stub(together(self.when, *conditions, {"stream": True}), first, forever=True)
            yield _stub(together(self.when, *conditions), whole, forever=True)
            return
        stub = _stub(together(self.when, *conditions), first, forever=not self.is_counted)
        yield {**stub, "then": others} if others else stub


def aimock_stubs(notes: Notes, *, has_reasoning: bool) -> list[Ruled]:
    """Return the stubs that answer as the fixtures of a file do.

    Args:
        notes: The file; takes what cannot be kept.
        has_reasoning: Whether messages of the profile can tell what the model thought.

    Raises:
        Unimportable: aimock would pass over it, or answer nothing that makes sense.
    """
    notes.check(_FORM)
    rules: list[_Rule] = []
    for group in _groups(notes):
        rule = _rule(group, notes, has_reasoning=has_reasoning)
        if rule is not None:
            rules.append(rule)
    return [*_stubs(rules)]


def _stub(when: JsonObject, step: JsonObject, *, forever: bool) -> JsonObject:
    stub = {**({"when": when} if when else {}), **step}
    return {**stub, "forever": True} if forever else stub


def _stubs(rules: Sequence[_Rule]) -> Iterator[Ruled]:
    """Yield the stubs in the order in which aimock would choose.

    Of the rules that match, the one answers whose turn is the latest that has come; where none has
    come, one that names no turn; where all name one, the one with the earliest.
    """
    turned = [(rule.turn, at, rule) for at, rule in enumerate(rules) if rule.turn is not None]
    for turn, at, rule in sorted(turned, key=lambda each: (-each[0], each[1])):
        # At that very turn an earlier fixture goes first that asks for less and names no turn.
        is_second = any(_asks_less(one, rule) for one in rules[:at])
        since = turn + 1 if is_second else turn
        stubs = rule.stubs(_turns(since)) if since > 0 else rule.stubs()
        yield from (Ruled(stub=stub, pointer=rule.pointer) for stub in stubs)
    for rule in rules:
        if rule.turn is None:
            yield from (Ruled(stub=stub, pointer=rule.pointer) for stub in rule.stubs())
    for turn, _, rule in sorted(turned, key=lambda each: each[:2]):
        if turn > 0 and not rule.is_counted:
            yield from (Ruled(stub=stub, pointer=None) for stub in rule.stubs())


def _asks_less(one: _Rule, other: _Rule) -> bool:
    return one.turn is None and one.match.items() <= other.match.items()


def _turns(count: int) -> JsonObject:
    said = {"properties": {"role": {"const": "assistant"}}, "required": ["role"]}
    return {"schema": {"properties": {"messages": {"contains": said, "minContains": count}}}}


def _groups(notes: Notes) -> Iterator[list[tuple[str, JsonObject]]]:
    """Yield the fixtures that answer completions; those that differ in their number together."""
    groups: dict[str, list[tuple[str, JsonObject]]] = {}
    for at, fixture in enumerate(notes.said.value["fixtures"]):
        pointer = f"/fixtures/{at}"
        notes.unknown(pointer, fixture, (*_FIXTURE["properties"], "metadata"), _IGNORED)
        match = fixture["match"]
        notes.unknown(f"{pointer}/match", match, _MATCH["properties"], _IGNORED)
        reason = _elsewhere(match)
        if reason is not None:
            notes.add(pointer, f"the fixture is not imported: {reason}")
            continue
        is_counted = _SEQUENCE in match
        key = repr(sorted(_without_number(match).items(), key=str)) if is_counted else pointer
        groups.setdefault(key, []).append((pointer, fixture))
    yield from groups.values()


def _elsewhere(match: JsonView) -> str | None:
    if match.get("endpoint", "chat") != "chat":
        return f"endpoint {match['endpoint']!r} is no chat completion"
    return "inputText is of embeddings" if "inputText" in match else None


def _without_number(match: JsonView) -> JsonObject:
    return {name: value for name, value in match.items() if name != _SEQUENCE}


def _rule(
    group: Sequence[tuple[str, JsonObject]], notes: Notes, *, has_reasoning: bool
) -> _Rule | None:
    (pointer, first), *_ = group
    is_counted = _SEQUENCE in first["match"]
    steps: list[JsonObject] = []
    for place, fixture in _numbered(group, notes) if is_counted else group:
        step = step_of(fixture, place, notes, has_reasoning=has_reasoning)
        if step is None:
            break  # what would follow it by number never comes
        steps.append(step)
    if not steps:
        return None
    match = _without_number(first["match"])
    return _Rule(
        pointer=pointer,
        match={name: value for name, value in match.items() if name != "endpoint"},
        when=together(*_conditions(match)),
        steps=tuple(steps),
        is_counted=is_counted,
    )


def _numbered(
    group: Sequence[tuple[str, JsonObject]], notes: Notes
) -> Iterator[tuple[str, JsonObject]]:
    """Yield fixtures in the order of their numbers, as far as one follows the other."""
    wanted = 0
    for pointer, fixture in sorted(group, key=lambda each: each[1]["match"][_SEQUENCE]):
        number = fixture["match"][_SEQUENCE]
        if number == wanted:
            wanted += 1
            yield pointer, fixture
        else:
            reason = "another has this number" if number < wanted else f"none has number {wanted}"
            where = f"{pointer}/match/{_SEQUENCE}"
            notes.add(where, f"the fixture is not imported: it never answers, for {reason}")


def _conditions(match: JsonView) -> Iterator[JsonObject]:
    """Yield what the members of a match ask for, a mapping for each."""
    yield {
        name: wanted
        for key, read in _READERS.items()
        if key in match
        for name, wanted in read(match[key]).items()
    }
    yield from _tool_call(match)


def _system(wanted: str | list[str]) -> JsonObject:
    if isinstance(wanted, str):
        return {"system_text": containing(wanted) if wanted else {"regex": "(?s)."}}
    each = "".join(f"(?=.*{re.escape(text)})" for text in wanted)
    return {"system_text": {"regex": rf"(?s)\A{each}."}} if wanted else {}


def _tool_call(match: JsonView) -> Iterator[JsonObject]:
    """Yield what is asked of the last message: the result of a tool."""
    named, text = match.get("toolCallId"), match.get("toolResultContains")
    has_result = match.get("hasToolResult")
    if named is not None or text is not None or has_result:
        asked: JsonObject = {"last_role": "tool"}
        if named is not None:
            asked["tool_result"] = {named: {"regex": ""}}
        if text is not None:
            asked["last_text"] = containing(text)
        yield asked
    if has_result is False:
        yield {"not_": {"last_role": "tool"}}


def _model(name: str) -> JsonObject:
    """Ask for a model by its name, or for a dated snapshot of it."""
    return {"model": {"regex": rf"\A{re.escape(name)}(?:\Z|-[0-9])"}}


_READERS: Mapping[str, Callable[[Json], JsonObject]] = {
    "userMessage": lambda text: {"last_user_text": containing(text)},
    "systemMessage": _system,
    "toolName": lambda name: {"tools": name},
    "model": _model,
    "responseFormat": lambda kind: {"response_format": kind},
    "context": lambda name: {"headers": {"x-aimock-context": name}},
}
"""What a member of a match asks for by itself."""
