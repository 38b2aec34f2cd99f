"""Which branch of a `oneOf` or `anyOf` a value was meant for.

Stock validators say of a failed union that nothing matched. Here a branch is chosen before judging:
by the value's JSON type, then by a tag (a required member whose values differ between branches).
What is chosen so cannot change the verdict, because a branch that is passed over refuses the value.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mockchat.types import Json

Resolve = Callable[[str], Json]
"""From a `$ref` to its schema; raises LookupError where it cannot say."""

ALL_TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")


def json_type(value: Json) -> str:
    """Return the JSON Schema type of `value`; a float is a number, never an integer."""
    if isinstance(value, str):
        return "string"
    if isinstance(value, Mapping):
        return "object"
    if isinstance(value, list | tuple):
        return "array"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return "integer" if isinstance(value, int) else "number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """What can be said of a schema without judging a value.

    Attributes:
        types: The JSON types it can accept, in its own order.
        literals: All values it can accept, or None where they are not listed.
        tags: For objects: required members whose values are listed texts.
    """

    types: tuple[str, ...] = ALL_TYPES
    literals: tuple[Json, ...] | None = None
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def admits(self, type_: str) -> bool:
        """Say whether a value of `type_` has a chance here."""
        return type_ in self.types or (type_ == "integer" and "number" in self.types)

    def overlaps(self, other: "Branch") -> bool:
        """Say whether a value may fit both, for all that types, listed values and tags tell."""
        if self.literals is not None and other.literals is not None:
            return any(_same(one, two) for one in self.literals for two in other.literals)
        shared = {type_ for type_ in ALL_TYPES if self.admits(type_) and other.admits(type_)}
        if shared != {"object"}:
            return bool(shared)
        common = self.tags.keys() & other.tags.keys()
        return all(set(self.tags[tag]) & set(other.tags[tag]) for tag in common)


def _same(one: Json, other: Json) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def branch_of(schema: Json, resolve: Resolve, seen: tuple[str, ...] = ()) -> Branch:
    """Return what `schema` says about types, listed values and tags; references are followed."""
    if not isinstance(schema, Mapping):
        return Branch(types=ALL_TYPES if schema else ())
    parts = [_own(schema, resolve, seen)]
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference not in seen:
        try:
            target = resolve(reference)
        except LookupError:
            target = True
        parts.append(branch_of(target, resolve, (*seen, reference)))
    parts += [branch_of(part, resolve, seen) for part in schema.get("allOf", ())]
    for keyword in ("oneOf", "anyOf"):
        if schema.get(keyword):
            parts.append(_any([branch_of(part, resolve, seen) for part in schema[keyword]]))
    return _all(parts)


def _own(schema: Mapping[str, Json], resolve: Resolve, seen: tuple[str, ...]) -> Branch:
    literals: tuple[Json, ...] | None = None
    if "const" in schema:
        literals = (schema["const"],)
    elif "enum" in schema:
        literals = tuple(schema["enum"])
    types = schema.get("type", ALL_TYPES)
    types = (types,) if isinstance(types, str) else tuple(types)
    if literals is not None:
        named = dict.fromkeys(json_type(literal) for literal in literals)
        # 1.0 among the literals accepts a 1 on the wire.
        own = Branch(types=types)
        types = tuple(type_ for type_ in named if own.admits(type_) or type_ == "number")
    return Branch(types=types, literals=literals, tags=_tags(schema, resolve, seen))


def _tags(
    schema: Mapping[str, Json], resolve: Resolve, seen: tuple[str, ...]
) -> dict[str, tuple[str, ...]]:
    properties = schema.get("properties", {})
    tags = {}
    for name in schema.get("required", ()):
        member = properties.get(name)
        # Only a short look: a tag is listed in place or one reference away, never by recursion.
        if isinstance(member, Mapping) and {"const", "enum", "$ref"} & member.keys():
            literals = branch_of(member, resolve, seen).literals
            if literals is not None and all(isinstance(literal, str) for literal in literals):
                tags[name] = literals
    return tags


def _all(parts: Sequence[Branch]) -> Branch:
    """Return what holds for a value that satisfies every part."""
    first, *rest = parts
    types, literals, tags = first.types, first.literals, dict(first.tags)
    for part in rest:
        narrowed = tuple(type_ for type_ in types if part.admits(type_))
        if "number" in types and "integer" not in types and "integer" in part.types:
            narrowed += ("integer",)
        types = narrowed
        if literals is None:
            literals = part.literals
        tags |= {name: values for name, values in part.tags.items() if name not in tags}
    return Branch(types=types, literals=literals, tags=tags)


def _any(parts: Sequence[Branch]) -> Branch:
    """Return what holds for a value that satisfies one of the parts, whichever."""
    literals: tuple[Json, ...] | None = ()
    for part in parts:
        listed = part.literals
        literals = None if literals is None or listed is None else literals + listed
    shared = [name for name in parts[0].tags if all(name in part.tags for part in parts)]
    return Branch(
        types=tuple(unique(type_ for part in parts for type_ in part.types)),
        literals=literals,
        tags={name: tuple(unique(v for part in parts for v in part.tags[name])) for name in shared},
    )


def wanted(schema: Json, resolve: Resolve, seen: tuple[str, ...] = ()) -> list[Json]:
    """Return what `schema` accepts, as an error message lists it.

    Each entry is a type ("string"), a type with its items ("array of object") or listed values
    ({"enum": […]}); [] where anything goes.
    """
    if not isinstance(schema, Mapping):
        return []
    if "enum" in schema or "const" in schema:
        return [{"enum": list(schema.get("enum", [schema.get("const")]))}]
    if "type" in schema:
        types = [schema["type"]] if isinstance(schema["type"], str) else list(schema["type"])
        items = wanted(schema.get("items"), resolve, seen) if "array" in types else []
        kind = {json.dumps(item) if isinstance(item, dict) else item for item in items}
        of = f" of {items[0]}" if len(kind) == 1 and isinstance(items[0], str) else ""
        return [f"array{of}" if type_ == "array" else type_ for type_ in types]
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference not in seen:
        try:
            return wanted(resolve(reference), resolve, (*seen, reference))
        except LookupError:
            return []
    found: list[Json] = []
    for branch in (*schema.get("oneOf", ()), *schema.get("anyOf", ())):
        found += [entry for entry in wanted(branch, resolve, seen) if entry not in found]
    return found


def unique(values: Iterable[str]) -> list[str]:
    """Return `values` without repetitions, in order."""
    return list(dict.fromkeys(values))
