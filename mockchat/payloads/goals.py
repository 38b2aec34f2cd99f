"""Goals: the schemas a value at one place must satisfy at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mockchat.contract.drafts import REFERENCES
from mockchat.payloads.schema_nodes import Impossible
from mockchat.payloads.schema_source import Source
from mockchat.types import Json, JsonView

_WATCHES = frozenset({"unevaluatedProperties", "unevaluatedItems"})
_FOLLOWED = frozenset({"allOf", *REFERENCES})


@dataclass(frozen=True, slots=True)
class Part:
    """One schema of a goal.

    Attributes:
        schema: The schema.
        scope: The schemas (by id) with `unevaluated…` that it stands in: what it looks at counts as
            evaluated for them.
    """

    schema: Json
    scope: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Flat:
    """One object schema of a goal, its references and `allOf` already followed."""

    schema: JsonView
    scope: frozenset[int]


def flatten(
    parts: Iterable[Part], source: Source, pointer: str, base: Iterable[Flat] = ()
) -> list[Flat] | Impossible:
    """Follow `$ref` and `allOf` until only schemas with conditions of their own remain.

    The outermost schema comes first, so that its order of properties wins; what is in `base` has
    been followed before.
    """
    found = {(id(flat.schema), flat.scope): flat for flat in base}
    pending: list[tuple[Part, tuple[int, ...]]] = [(part, ()) for part in reversed([*parts])]
    while pending:
        part, trail = pending.pop()
        schema = part.schema
        if schema is True:
            continue
        if schema is False:
            return Impossible(pointer=pointer, reason="the schema false allows no value")
        if id(schema) in trail:
            where = source.pointer(schema)
            return Impossible(pointer=where, reason="it refers to itself without end")
        scope = part.scope
        if not _WATCHES.isdisjoint(schema):
            scope |= {id(schema)}
        if (id(schema), scope) in found:
            continue
        found[id(schema), scope] = Flat(schema, scope)
        if _FOLLOWED.isdisjoint(schema):
            continue
        inner = [*schema.get("allOf", ()), *referred(schema, source)]
        pending.extend((Part(each, scope), (*trail, id(schema))) for each in reversed(inner))
    return list(found.values())


def referred(schema: JsonView, source: Source) -> list[Json]:
    """Return the schemas that the references of `schema` name."""
    found = []
    for keyword in REFERENCES:
        if keyword in schema:
            find = source.resolve if keyword == "$ref" else source.resolve_dynamic
            found.append(find(schema[keyword], f"{source.pointer(schema)}/{keyword}"))
    return found


def greatest(flats: Sequence[Flat], keyword: str) -> int:
    """Return the greatest value of a counting keyword; 0 where no schema has it."""
    return max((int(flat.schema[keyword]) for flat in flats if keyword in flat.schema), default=0)


def smallest(flats: Sequence[Flat], keyword: str) -> int | None:
    """Return the smallest value of a counting keyword; None where no schema has it."""
    return min(
        (int(flat.schema[keyword]) for flat in flats if keyword in flat.schema), default=None
    )
