"""The form of a scenario file, by its JSON Schema, and its faults in a scenario's words."""

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache

from mockchat.contract.pointers import tokens_of, value_at
from mockchat.contract.profile import schemas_directory
from mockchat.contract.unions import unique, wanted
from mockchat.contract.validation import schema_violations
from mockchat.contract.wording import shown
from mockchat.exchange import Violation
from mockchat.scripting.scenario_places import Located, Place
from mockchat.types import Json, JsonObject

_UNKNOWN = {"additionalProperties", "unevaluatedProperties"}
_UNIONS = {"oneOf", "anyOf"}
_MOST_LISTED = 12
_WORDS: Mapping[str, str] = {
    "string": "text",
    "object": "a mapping",
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "null": "null",
}


def form_text() -> str:
    """Return the text of the JSON Schema that scenario files have, for editors."""
    return (schemas_directory() / "scenario.schema.json").read_text(encoding="utf-8")


@cache
def form() -> JsonObject:
    """Return the JSON Schema that scenario files have."""
    schema: JsonObject = json.loads(form_text())
    return schema


def form_faults(scenario: Located) -> Iterator[tuple[Place, str]]:
    """Yield place and words of each fault of form."""
    violations = schema_violations(form(), scenario.value)
    unknown = {v.pointer: v for v in reversed(violations) if v.keyword in _UNKNOWN}
    guesses = {
        _sibling(pointer, guess)
        for pointer, violation in unknown.items()
        if (guess := _guess(pointer, _members(violation))) is not None
    }
    told: set[tuple[Place, str]] = set()
    for violation in violations:
        if violation.keyword in _UNKNOWN and unknown[violation.pointer] is not violation:
            continue  # two keywords refuse one member; the one closer to it knows its neighbours
        if violation.keyword == "required" and violation.pointer in guesses:
            continue  # told where it is misspelt
        place, message = _told(violation, scenario)
        if (place, message) not in told:
            told.add((place, message))
            yield place, message


def _told(violation: Violation, scenario: Located) -> tuple[Place, str]:
    pointer, keyword = violation.pointer, violation.keyword
    if keyword in _UNKNOWN:
        return _unknown(violation, scenario)
    message = f"{_name(pointer)}: {violation.message}"
    if keyword == "required":
        message = f"{_last(pointer)} is missing"
    elif keyword == "type":
        said = " or ".join(_types(violation))
        message = f"{_name(pointer)} is {shown(violation.actual)}; it must be {said}"
    elif keyword == "enum":
        said = _choice(violation.actual, violation.expected)
        message = f"{_name(pointer)} is {shown(violation.actual)}; {said}"
    elif keyword == "minProperties":
        message = f"{_name(pointer)} says nothing; it takes {_listed(_members(violation))}"
    elif keyword == "maxProperties":
        found = ", ".join(violation.actual)
        message = f"{_name(pointer)} takes one of these at a time: {found}"
    elif keyword == "const":
        message = f"{_name(pointer)} can only be true; leave it out otherwise"
    return scenario.value_place(pointer), message


def _unknown(violation: Violation, scenario: Located) -> tuple[Place, str]:
    pointer = violation.pointer
    known = _members(violation)
    around = pointer.rpartition("/")[0]
    siblings = [*value_at(scenario.value, tokens_of(around))]
    kinds = _kinds()
    is_reply = _is_reply(violation)
    given = [key for key in siblings if key in kinds]
    if "error" in given and "message" in given:
        given.remove("message")  # an error has one of its own
    if is_reply and len(given) > 1:
        return scenario.value_place(around), f"a reply is of one kind, not {' and '.join(given)}"
    name = _last(pointer)
    close = _guess(pointer, known)
    if close is not None:
        return scenario.key_place(pointer), f"{name!r} is not a key here; did you mean {close!r}?"
    if is_reply and not given:
        names = _listed(kinds)
        return scenario.value_place(around), f"a reply names its kind by one of the keys {names}"
    return scenario.key_place(pointer), f"{name!r} is not a key here; known: {_listed(known)}"


@cache
def _kinds() -> tuple[str, ...]:
    """Return the keys that name a kind of reply."""
    return tuple(form()["$defs"]["built_reply"]["properties"])


def _is_reply(violation: Violation) -> bool:
    """Tell whether the keyword stands in the form of a reply, or in one for its kind."""
    tokens = tokens_of(violation.schema_pointer)
    built = form()["$defs"]["built_reply"]
    return any(_schema_at(tokens[:-steps]) is built for steps in (1, 2, 3))


def _types(violation: Violation) -> list[str]:
    tokens = tokens_of(violation.schema_pointer)[:-1]
    while len(tokens) > 1 and tokens[-2] in _UNIONS:
        tokens = tokens[:-2]
    accepted = wanted(_schema_at(tokens), _resolve)
    words: list[str] = []
    for entry in accepted:
        if isinstance(entry, dict):
            words += [repr(literal) for literal in entry["enum"][:_MOST_LISTED]]
        else:
            words.append(_WORDS.get(str(entry).partition(" ")[0], str(entry)))
    return unique(words)


def _members(violation: Violation) -> tuple[str, ...]:
    schema = _schema_at(tokens_of(violation.schema_pointer)[:-1])
    return tuple(schema.get("properties", ()))


def _schema_at(tokens: Sequence[str]) -> JsonObject:
    """Return the part of the form that a violation's place leads to; it passes by references."""
    part: Json = _followed(form())
    for token in tokens:
        part = _followed(part[int(token)] if isinstance(part, list) else part[token])
    result: JsonObject = part
    return result


def _followed(part: Json) -> Json:
    while isinstance(part, dict) and "$ref" in part:
        part = _resolve(part["$ref"])
    return part


def _resolve(reference: str) -> Json:
    return value_at(form(), tokens_of(reference.removeprefix("#")))


def _guess(pointer: str, known: Iterable[str]) -> str | None:
    return next(iter(difflib.get_close_matches(_last(pointer), list(known), n=1)), None)


def _choice(actual: Json, allowed: Sequence[str]) -> str:
    close = difflib.get_close_matches(str(actual), allowed, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"it takes {_listed(allowed)}"


def _listed(names: Sequence[str]) -> str:
    shown_names = ", ".join(names[:_MOST_LISTED])
    return shown_names if len(names) <= _MOST_LISTED else f"{shown_names} … (docs/scenarios.md)"


def _last(pointer: str) -> str:
    return tokens_of(pointer)[-1]


def _name(pointer: str) -> str:
    """Return the nearest key that leads to a value: what its author calls it."""
    named = [token for token in tokens_of(pointer) if not token.isdecimal()]
    return named[-1] if named else "the file"


def _sibling(pointer: str, name: str) -> str:
    return f"{pointer.rpartition('/')[0]}/{name}"
