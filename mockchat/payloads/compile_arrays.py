"""Compile what holds of arrays."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from mockchat.payloads.goals import Flat, Part, greatest, smallest
from mockchat.payloads.schema_nodes import Array, Impossible, Node, Witness
from mockchat.types import Json

Place: TypeAlias = Callable[[Sequence[Part], str], Node]
"""From a goal and a pointer to use where the goal has none, to its node."""

_MOST_TUPLE = 1_000


def array(
    flats: Sequence[Flat], pointer: str, place: Place, refusal: Callable[[Json], Json]
) -> Node:
    """Compile the arrays that all `flats` allow.

    Args:
        flats: The schemas.
        pointer: Where they stand.
        place: Compiles the goal of an item.
        refusal: Gives the schema {"not": …} of a schema, always the same one.
    """
    least, most = greatest(flats, "minItems"), smallest(flats, "maxItems")
    if most is not None and least > most:
        return Impossible(pointer=pointer, reason=f"no array has {least} to {most} items")
    length = max((len(flat.schema.get("prefixItems", ())) for flat in flats), default=0)
    counted = [flat for flat in flats if "contains" in flat.schema]
    limited = [
        Part(refusal(flat.schema["contains"])) for flat in counted if "maxContains" in flat.schema
    ]

    def items(beside: Sequence[Part], counting: Flat | None = None) -> list[Node]:
        names = [f"/prefixItems/{position}" for position in range(min(length, _MOST_TUPLE))]
        names.append("/items" if counting is None else "/contains")
        return [
            place([*_item_goal(flats, position, counting), *beside], pointer + name)
            for position, name in enumerate(names)
        ]

    witnesses = []
    for flat in counted:
        count = int(flat.schema.get("minContains", 1))
        if count:
            *prefix, rest = items([Part(flat.schema["contains"])], flat)
            limit = flat.schema.get("maxContains")
            limit = None if limit is None else int(limit)
            if limit is not None and limit < count:
                reason = f"no array has at least {count} and at most {limit} such items"
                return Impossible(pointer=pointer, reason=reason)
            witnesses.append(Witness(rest=rest, prefix=prefix, count=count, most=limit))
    *prefix, rest = items(limited)
    return Array(
        pointer=pointer,
        prefix=prefix,
        rest=rest,
        least=least,
        most=most,
        unique=any(flat.schema.get("uniqueItems") is True for flat in flats),
        witnesses=witnesses,
    )


def _item_goal(flats: Sequence[Flat], position: int, counting: Flat | None) -> list[Part]:
    """Return what an item at `position` must satisfy; one that `counting` contains is evaluated."""
    goal: list[Part] = []
    for flat in flats:
        prefix = flat.schema.get("prefixItems", ())
        if position < len(prefix):
            goal.append(Part(prefix[position]))
        elif "items" in flat.schema:
            goal.append(Part(flat.schema["items"]))
        if "unevaluatedItems" in flat.schema:
            inside = [other for other in flats if id(flat.schema) in other.scope]
            if counting not in inside and not any(
                _evaluates(other, position, watcher=flat) for other in inside
            ):
                goal.append(Part(flat.schema["unevaluatedItems"]))
    return goal


def _evaluates(flat: Flat, position: int, *, watcher: Flat) -> bool:
    if flat is not watcher and "unevaluatedItems" in flat.schema:
        return True
    return "items" in flat.schema or position < len(flat.schema.get("prefixItems", ()))
