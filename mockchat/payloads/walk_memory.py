"""What a walk finds out about nodes once and needs at every visit."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from mockchat.payloads.layouts import FEW, ArrayLayout, array_layout, finite_values
from mockchat.payloads.schema_nodes import NEVER, Array, Choice, Constant, Integer, Node, Object
from mockchat.payloads.seeded import canonical_json
from mockchat.types import Json, JsonObject, Kind

_LOOK = 4
_MOST_FEW = 64

_Known = TypeVar("_Known")


@dataclass(frozen=True, slots=True, kw_only=True)
class FewMember:
    """A member of few values, so that one choice says whether it is there and what it is.

    Attributes:
        name: Its name.
        absent: How many answers say that it is not there: as many as it has values, or none.
        values: What it is otherwise.
        cost: What its node costs.
    """

    name: str
    absent: int
    values: tuple[Json, ...]
    cost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """The members of an object: those of few values, among how many answers they choose, and others.

    All are in an order that is not the schema's but their own.
    """

    few: tuple[FewMember, ...]
    options: tuple[int, ...]
    others: tuple[str, ...]


class WalkMemory:
    """Answers about nodes, each worked out once; nodes must not change meanwhile."""

    def __init__(self) -> None:
        self._layouts: dict[int, ArrayLayout | None] = {}
        self._listings: dict[int, dict[str, Json] | None] = {}
        self._names: dict[int, list[str]] = {}
        self._members: dict[Kind, dict[int, Members]] = {"plain": {}, "wild": {}}
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

    def members(self, node: Object, kind: Kind) -> Members:
        """Return the members that can be chosen at once, and the others."""
        known = self._members[kind]
        if id(node) not in known:
            known[id(node)] = _members(node, kind)
        return known[id(node)]

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


def _members(node: Object, kind: Kind) -> Members:
    """Sort members; where they depend on each other, or on their number, none is chosen with others."""
    few: list[FewMember] = []
    if node.most is None and not node.needs:
        for name in _sorted_names(node):
            values = _few(node.properties[name], kind)
            if values:
                absent = 0 if name in node.required else len(values)
                cost = node.properties[name].cost
                few.append(FewMember(name=name, absent=absent, values=values, cost=cost))
    if all(len(each.values) == 1 and not each.absent for each in few):
        few = []
    taken = {each.name for each in few}
    return Members(
        few=tuple(few),
        options=tuple(each.absent + len(each.values) for each in few),
        others=tuple(name for name in _sorted_names(node) if name not in taken),
    )


def _few(node: Node, kind: Kind) -> tuple[Json, ...]:
    """Return the values of `node`, the simplest first, if they are few; () where they are not."""
    while isinstance(node, Choice) and len(node.branches) == 1:
        node = node.branches[0]
    if node.tests or node.cost == NEVER:
        return ()
    match node:
        case Constant(values=values) if len(values) <= _MOST_FEW:
            return tuple(wanted(values, kind))
        case Integer(least=int(least), most=int(most), step=step):
            first = -(-least // step)
            count = most // step - first + 1
            return tuple((first + n) * step for n in range(count)) if count <= _MOST_FEW else ()
        case _:
            return ()


def wanted(values: list[Json], kind: Kind) -> list[Json]:
    """Return those of listed values to choose from: *plain* are all but null and the empty text."""
    if kind == "wild":
        return values
    return [value for value in values if value not in (None, "")] or values


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


def has_whole_floats(value: Json) -> bool:
    """Tell whether there is a number that validators may read as an integer and Python does not."""
    if isinstance(value, dict):
        return any(map(has_whole_floats, value.values()))
    if isinstance(value, list):
        return any(map(has_whole_floats, value))
    return isinstance(value, float) and value.is_integer()


def with_integers(value: Json) -> Json:
    """Return a copy in which whole numbers are integers, as a validator may read them."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: with_integers(each) for name, each in value.items()}
    return [with_integers(each) for each in value] if isinstance(value, list) else value
