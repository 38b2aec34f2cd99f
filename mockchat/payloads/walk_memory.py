"""What a walk finds out about nodes once and needs at every visit."""

from collections.abc import Callable
from typing import TypeVar

from mockchat.payloads.layouts import FEW, ArrayLayout, array_layout, finite_values
from mockchat.payloads.schema_nodes import NEVER, Array, Choice, Constant, Node, Object
from mockchat.payloads.seeded import canonical_json
from mockchat.types import Json, JsonObject

_LOOK = 4

_Known = TypeVar("_Known")


class WalkMemory:
    """Answers about nodes, each worked out once; nodes must not change meanwhile."""

    def __init__(self) -> None:
        self._layouts: dict[int, ArrayLayout | None] = {}
        self._listings: dict[int, dict[str, Json] | None] = {}
        self._names: dict[int, list[str]] = {}
        self._orders: dict[int, list[str]] = {}
        self._plain: dict[int, frozenset[int]] = {}
        self._cheapest: dict[int, Node] = {}

    def layout(self, node: Array) -> ArrayLayout | None:
        """Return the lengths an array can have; None where it can have none."""
        return _known(self._layouts, node, array_layout)

    def listing(self, node: Node) -> dict[str, Json] | None:
        """Return all values of `node` by their identity, where they are few."""
        return _known(self._listings, node, _listing)

    def names(self, node: Object) -> list[str]:
        """Return the names of properties in an order that is not the schema's but their own."""
        return _known(self._names, node, _sorted_names)

    def ordered(self, node: Object, made: JsonObject) -> list[str]:
        """Return the names of `made` in the schema's order."""
        order = _known(self._orders, node, _required)
        if len(made) == len(order) and all(name in made for name in order):
            return order
        return [name for name in node.properties if name in made]

    def plain(self, node: Choice) -> frozenset[int]:
        """Return the branches (by id) that have a value other than null and the empty text."""
        return _known(self._plain, node, _plain)

    def cheapest(self, node: Choice) -> Node:
        """Return the first branch that costs no more than any other."""
        return _known(self._cheapest, node, _cheapest)


def _known(memory: dict[int, _Known], node: Node, find: Callable[..., _Known]) -> _Known:
    if id(node) not in memory:
        memory[id(node)] = find(node)
    return memory[id(node)]


def _listing(node: Node) -> dict[str, Json] | None:
    values = finite_values(node, FEW)
    return None if values is None else {identity(value): value for value in values}


def _sorted_names(node: Object) -> list[str]:
    return sorted(node.properties)


def _required(node: Object) -> list[str]:
    required = {*node.required}
    return [name for name in node.properties if name in required]


def _plain(node: Choice) -> frozenset[int]:
    return frozenset(id(branch) for branch in node.branches if _is_plain(branch))


def _is_plain(node: Node, look: int = _LOOK) -> bool:
    """Tell whether `node` has a value other than null and the empty text."""
    match node:
        case Constant():
            return any(value not in (None, "") for value in node.values)
        case Choice() if look:
            return any(
                _is_plain(branch, look - 1) for branch in node.branches if branch.cost < NEVER
            )
        case _:
            return True


def _cheapest(node: Choice) -> Node:
    return next(branch for branch in node.branches if branch.cost == node.cost)


def identity(value: Json) -> str:
    """Return the same text for values that JSON Schema holds equal: 1 and 1.0 are."""
    return canonical_json(with_integers(value))


def with_integers(value: Json) -> Json:
    """Return a copy in which whole numbers are integers, as a validator may read them."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: with_integers(each) for name, each in value.items()}
    return [with_integers(each) for each in value] if isinstance(value, list) else value
