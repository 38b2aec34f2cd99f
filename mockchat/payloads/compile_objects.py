"""Compile what holds of objects."""

from collections.abc import Sequence

from mockchat.contract.patterns import is_found
from mockchat.contract.pointers import pointer_of
from mockchat.contract.regex_syntax import BadPattern
from mockchat.payloads import regexes
from mockchat.payloads.compile_arrays import Place
from mockchat.payloads.goals import Flat, Part, greatest, smallest
from mockchat.payloads.schema_nodes import Extra, Impossible, Node, Object
from mockchat.payloads.schema_source import Source
from mockchat.payloads.seeded import SeededDraw
from mockchat.types import JsonObject

_PROBES = 5
_PER_PATTERN = 4
_TEXT: JsonObject = {"type": "string"}


def object_(flats: Sequence[Flat], pointer: str, place: Place, source: Source) -> Node:
    """Compile the objects that all `flats` allow.

    Args:
        flats: The schemas.
        pointer: Where they stand.
        place: Compiles the goal of a member.
        source: What they belong to; it judges names, and counts work.
    """
    least, most = greatest(flats, "minProperties"), smallest(flats, "maxProperties")
    patterns = tuple(
        sorted({text for flat in flats for text in flat.schema.get("patternProperties", ())})
    )
    source.spend(sum(_PER_PATTERN * _PROBES + len(text) for text in patterns), pointer)
    names = [flat.schema["propertyNames"] for flat in flats if "propertyNames" in flat.schema]
    needs = _closed(flats)
    required = _with_needs(
        dict.fromkeys(name for flat in flats for name in flat.schema.get("required", ())), needs
    )
    if most is not None and max(least, len(required)) > most:
        reason = f"no object has {max(least, len(required))} to {most} members"
        return Impossible(pointer=pointer, reason=reason)
    known = dict.fromkeys(name for flat in flats for name in flat.schema.get("properties", ()))
    known |= {**dict.fromkeys(required), **dict.fromkeys(_with_needs(needs, needs))}
    properties: dict[str, Node] = {}
    for name in sorted(known):  # whatever the order of the schema, the same is compiled
        matched = frozenset(text for text in patterns if is_found(text, name, untold=False))
        goal = _member_goal(flats, name, matched)
        if not all(source.accepts(rule, name) for rule in names):
            reason = f"propertyNames refuses the name {name!r}"
            properties[name] = Impossible(pointer=pointer, reason=reason)
        elif any(part.schema is False for part in goal):
            reason = f"the member {name!r} is not allowed"
            properties[name] = Impossible(pointer=pointer, reason=reason)
        else:
            properties[name] = place(goal, pointer + pointer_of(("properties", name)))
    return Object(
        pointer=pointer,
        properties={name: properties[name] for name in known},
        required=tuple(required),
        needs=needs,
        least=least,
        most=most,
        extras=[
            Extra(
                node=place(_member_goal(flats, None, matched), f"{pointer}/additionalProperties"),
                matched=matched,
            )
            for matched in _classes(patterns)
        ],
        patterns=patterns,
        names=place([Part(_TEXT), *map(Part, names)], f"{pointer}/propertyNames")
        if names
        else None,
    )


def _closed(flats: Sequence[Flat]) -> dict[str, tuple[str, ...]]:
    """Return for each name all names that must come with it, directly or in turn."""
    direct: dict[str, dict[str, None]] = {}
    for flat in flats:
        for name, others in flat.schema.get("dependentRequired", {}).items():
            direct.setdefault(name, {}).update(dict.fromkeys(others))
    flat_needs = {name: tuple(others) for name, others in direct.items()}
    return {
        name: tuple(other for other in _with_needs([name], flat_needs) if other != name)
        for name in flat_needs
    }


def _with_needs(
    names: Sequence[str] | dict[str, None] | dict[str, tuple[str, ...]],
    needs: dict[str, tuple[str, ...]],
) -> list[str]:
    """Return `names` and whatever they bring with them, in order, each once."""
    found: dict[str, None] = {}
    pending = [*reversed([*names])]
    while pending:
        name = pending.pop()
        if name not in found:
            found[name] = None
            pending.extend(reversed(needs.get(name, ())))
    return [*found]


def _classes(patterns: Sequence[str]) -> list[frozenset[str]]:
    """Return the kinds of names there are, by the patterns they match; the first matches none."""
    found = {frozenset[str](): None}
    if not patterns:
        return [*found]
    probe = SeededDraw("probe")
    for pattern in patterns:
        for _ in range(_PROBES):
            try:
                name = regexes.sample(pattern, probe)
            except (regexes.NoSample, BadPattern):
                break
            found[frozenset(text for text in patterns if is_found(text, name, untold=False))] = None
    return [*found]


def _member_goal(flats: Sequence[Flat], name: str | None, matched: frozenset[str]) -> list[Part]:
    """Return what a member must satisfy; `name` None: one that no schema names."""
    goal: list[Part] = []
    for flat in flats:
        own = _own_goal(flat, name, matched)
        goal.extend(own)
        if "unevaluatedProperties" in flat.schema:
            inside = [other for other in flats if id(flat.schema) in other.scope]
            if not any(_evaluates(other, name, matched, watcher=flat) for other in inside):
                goal.append(Part(flat.schema["unevaluatedProperties"]))
    return goal


def _own_goal(flat: Flat, name: str | None, matched: frozenset[str]) -> list[Part]:
    goal: list[Part] = []
    properties = flat.schema.get("properties", {})
    if name is not None and name in properties:
        goal.append(Part(properties[name]))
    by_pattern = flat.schema.get("patternProperties", {})
    goal.extend(Part(each) for text, each in by_pattern.items() if text in matched)
    if not goal and "additionalProperties" in flat.schema:
        goal.append(Part(flat.schema["additionalProperties"]))
    return goal


def _evaluates(flat: Flat, name: str | None, matched: frozenset[str], *, watcher: Flat) -> bool:
    if flat is not watcher and "unevaluatedProperties" in flat.schema:
        return True
    return bool(_own_goal(flat, name, matched))
