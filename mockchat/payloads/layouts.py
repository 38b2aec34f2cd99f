"""How many items and members there can be, once it is known what can be made at all."""

from dataclasses import dataclass

from mockchat.payloads.schema_nodes import (
    NEVER,
    Array,
    Choice,
    Constant,
    Extra,
    Impossible,
    Node,
    Object,
)
from mockchat.payloads.seeded import canonical_json
from mockchat.types import Json

FEW = 256
"""Up to how many values of an item are listed, to know how many distinct ones there can be."""

_MOST_WITNESSES = 10_000
_MOST_NESTED = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayLayout:
    """The lengths an array can have, and the positions given to what `contains` asks for."""

    least: int
    most: int | None
    forced: dict[int, Node]


def array_layout(node: Array) -> ArrayLayout | None:
    """Return the layout of `node`, or None where no length is possible."""
    return _layout(node, is_behind=True) or (
        _layout(node, is_behind=False) if node.prefix else None
    )


def _layout(node: Array, *, is_behind: bool) -> ArrayLayout | None:
    """Place what `contains` asks for behind the tuple part, or in it, wherever that is possible."""
    forced: dict[int, Node] = {}
    end = len(node.prefix)
    for witness in node.witnesses:
        count = min(witness.count, _MOST_WITNESSES)
        behind = end + count
        has_room = witness.rest.cost < NEVER and (node.most is None or behind <= node.most)
        free = [
            (position, item)
            for position, item in enumerate(witness.prefix)
            if item.cost < NEVER and position not in forced
        ]
        if has_room and (is_behind or len(free) < count):
            forced.update((position, witness.rest) for position in range(end, behind))
            end = behind
        elif len(free) < count:
            return None
        else:
            forced.update(free[:count])
    least = max(node.least, max(forced, default=-1) + 1)
    most = _most_items(node, forced, end)
    if most is not None and least > most:
        return None
    return ArrayLayout(least=least, most=most, forced=forced)


def _most_items(node: Array, forced: dict[int, Node], end: int) -> int | None:
    limits = [] if node.most is None else [node.most]
    for position, item in enumerate(node.prefix):
        if item.cost == NEVER and position not in forced:
            limits.append(position)
            break
    if node.rest.cost == NEVER:
        limits.append(end)
    elif node.unique:
        values = finite_values(node.rest, FEW)
        if values is not None:
            limits.append(end + len(values))
    return min(limits, default=None)


def item_at(node: Array, position: int) -> Node:
    """Return what stands at `position`, as far as no `contains` asks for something else there."""
    return node.prefix[position] if position < len(node.prefix) else node.rest


def is_usable(node: Object, name: str) -> bool:
    """Tell whether the member `name` can be there, with all that must come with it."""
    return all(node.properties[each].cost < NEVER for each in (name, *node.needs.get(name, ())))


def member_cost(node: Object, name: str) -> float:
    """Return what the member `name` costs, with all that must come with it."""
    return sum(node.properties[each].cost for each in (name, *node.needs.get(name, ())))


def usable_extras(node: Object) -> list[Extra]:
    """Return the kinds of unnamed members that can be there."""
    if node.names is not None and node.names.cost == NEVER:
        return []
    return [extra for extra in node.extras if extra.node.cost < NEVER]


def finite_values(node: Node, limit: int, depth: int = 0) -> list[Json] | None:
    """Return all values of `node`, each once; None where there are more than `limit` or no list."""
    match node:
        case Constant():
            found = node.values
        case Impossible():
            found = []
        case Choice() if depth < _MOST_NESTED:
            found = []
            for branch in node.branches:
                values = finite_values(branch, limit, depth + 1)
                if values is None:
                    return None
                found = [*found, *values]
        case _:
            return None
    distinct = {canonical_json(value): value for value in found}
    return [*distinct.values()] if len(distinct) <= limit else None
