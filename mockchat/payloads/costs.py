"""Price every node: how small its smallest value is, or that there is none, before anything is drawn.

The price is a least fixpoint: everything starts as impossible, and becomes cheaper until nothing
changes. What stays impossible is so because of a contradiction, or because every value of it would
contain another one without end.
"""

from collections.abc import Callable, Sequence

from mockchat.errors import ImpossibleSchema
from mockchat.payloads.layouts import array_layout, is_usable, member_cost
from mockchat.payloads.schema_nodes import (
    NEVER,
    Array,
    Choice,
    Constant,
    Impossible,
    Node,
    Object,
    String,
)
from mockchat.types import Json

MOST_COST = 3_000
"""How many nodes the smallest value of a schema may have."""

MOST_HEIGHT = 40
"""How deep the smallest value of a schema may be nested; the judge follows 48 references."""

_ENDLESS = "every value of it would contain another one, without end"
_HUGE = 10**9
_PLACES_PER_STEP = 3
_CHARACTERS_PER_NODE = 20

_Price = tuple[float, float]


def price(places: Sequence[Choice], spend: Callable[[int], None]) -> None:
    """Set `cost` and `height` of every place and of the nodes in it.

    Args:
        places: The places, each behind what leads to it as far as that can be.
        spend: Counts work, in steps; raises once it is too much.
    """
    changed = True
    while changed:
        changed = False
        spend(len(places) // _PLACES_PER_STEP)
        for place in reversed(places):
            for branch in place.branches:
                if not isinstance(branch, Choice):
                    branch.cost, branch.height = _priced(branch)
            before = place.cost, place.height
            best = min((branch.cost, branch.height) for branch in place.branches)
            place.cost, place.height = min(best, before)
            changed = changed or before != (place.cost, place.height)


def refuse_unmakeable(node: Node) -> None:
    """Raise if `node` has no value of a reasonable size.

    Raises:
        ImpossibleSchema: With the pointer and the reason.
    """
    if node.cost == NEVER:
        raise ImpossibleSchema(*_why(node))
    if node.cost > MOST_COST:
        reason = f"its smallest value has more than {MOST_COST} parts"
        raise ImpossibleSchema(_largest(node).pointer, reason)
    if node.height > MOST_HEIGHT:
        reason = f"its smallest value is nested more than {MOST_HEIGHT} levels deep"
        raise ImpossibleSchema(node.pointer, reason)


def _priced(node: Node) -> _Price:
    match node:
        case Impossible():
            return NEVER, NEVER
        case Constant():
            return min((_size(value), 0) for value in node.values)
        case String():
            shortest = max(node.least, len(node.example or ""))
            return min(_HUGE, 1 + shortest // _CHARACTERS_PER_NODE), 0
        case Array():
            return _array_price(node)
        case Object():
            return _object_price(node)
        case _:
            return 1, 0


def _array_price(node: Array) -> _Price:
    layout = array_layout(node)
    if layout is None:
        return NEVER, NEVER
    tuple_part = min(layout.least, len(node.prefix))
    parts = [layout.forced.get(index, node.prefix[index]) for index in range(tuple_part)]
    parts += [forced for index, forced in layout.forced.items() if index >= len(node.prefix)]
    free = layout.least - len(parts)
    cost = sum(part.cost for part in parts) + (free * node.rest.cost if free else 0)
    height = max((part.height for part in [*parts, *([node.rest] if free else [])]), default=0)
    if node.unique:
        cost += layout.least
    return (NEVER if cost == NEVER else min(_HUGE, 1 + cost)), 1 + height


def _object_price(node: Object) -> _Price:
    parts = [(node.properties[name].cost, node.properties[name].height) for name in node.required]
    lack = node.least - len(parts)
    if lack > 0:
        optional = sorted(
            (member_cost(node, name), each.height)
            for name, each in node.properties.items()
            if name not in node.required and is_usable(node, name)
        )
        parts += optional[:lack]
        lack = node.least - len(parts)
    if lack > 0:
        cost, height = min(
            ((extra.node.cost, extra.node.height) for extra in node.extras), default=(NEVER, NEVER)
        )
        named = 0.0 if node.names is None else node.names.cost
        parts.append((NEVER if named == NEVER else lack * cost, height))
    cost = 1 + sum(cost for cost, _ in parts)
    height = 1 + max((height for _, height in parts), default=0)
    return (cost if cost == NEVER else min(_HUGE, cost)), height


def _size(value: Json) -> int:
    size, pending = 0, [value]
    while pending:
        current = pending.pop()
        size += 1
        if isinstance(current, dict):
            pending.extend(current.values())
        elif isinstance(current, list):
            pending.extend(current)
    return size


def _why(node: Node) -> tuple[str, str]:
    """Return where and why there is no value, following what blocks it down to the reason."""
    seen: set[int] = set()
    while id(node) not in seen:
        seen.add(id(node))
        blocked: Sequence[Node] = ()
        match node:
            case Choice():
                blocked = [node.branches[index] for index in node.hinted] or node.branches
            case Object():
                blocked = [node.properties[name] for name in node.required]
                blocked = [each for each in blocked if each.cost == NEVER]
                if not blocked:
                    return node.pointer, f"it needs {node.least} members and can have fewer"
            case Array():
                blocked = [*node.prefix[: node.least], node.rest]
                blocked += [witness.rest for witness in node.witnesses]
                blocked = [each for each in blocked if each.cost == NEVER]
                if not blocked:
                    return node.pointer, "it needs more items than it can have"
            case _:
                return node.pointer, node.reason if isinstance(node, Impossible) else _ENDLESS
        node = blocked[0]
    return node.pointer, _ENDLESS


def _largest(node: Node) -> Node:
    """Return the innermost node that is too large by itself."""
    while True:
        inner: list[Node] = []
        match node:
            case Choice():
                inner = sorted(node.branches, key=lambda branch: branch.cost)[:1]
            case Object():
                inner = [node.properties[name] for name in node.required]
            case Array():
                inner = [*node.prefix[: node.least], node.rest]
        inner = [each for each in inner if MOST_COST < each.cost < NEVER]
        if not inner:
            return node
        node = max(inner, key=lambda each: each.cost)
