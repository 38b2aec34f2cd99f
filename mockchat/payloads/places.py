"""Places of a compiled schema: the way to one, and the schema narrowed so that values have it.

A value drawn from a narrowed node is a value of the whole node; only, what lies on the way is
certain to be there. Nothing is drawn again and nothing is thrown away.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from mockchat.contract.patterns import is_found
from mockchat.contract.pointers import pointer_of
from mockchat.payloads import regexes
from mockchat.payloads.compile_scalars import fits
from mockchat.payloads.request_document import objects, tag
from mockchat.payloads.schema_nodes import NEVER, Array, Choice, Extra, Node, Object, String
from mockchat.payloads.simplest import SimplestDraw

LONGEST = 20_000
"""Texts and arrays longer than this are not made only to reach a limit."""

Shape: TypeAlias = Callable[[Node], Node]
"""From a node to a narrower one: what a value must have besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """Into one branch of a choice; no step in the value."""

    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Into a named member of an object."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unnamed:
    """Into a member that no property names.

    Attributes:
        name: The name it is given.
        index: Which of the node's kinds of such members it is of.
    """

    name: str
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Into an item of an array."""

    position: int


Step: TypeAlias = Branch | Member | Unnamed | Item
Route: TypeAlias = tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place of a schema.

    Attributes:
        label: Its pointer, with the variant of each union on the way: "/messages/0=tool/content".
        route: The way there from the root.
        node: What it is compiled to.
    """

    label: str
    route: Route
    node: Node


def places_of(node: Node) -> Iterator[Place]:
    """Yield every place at and below `node` that has values, nearest first, each once."""
    pending = deque([Place(label="", route=(), node=node)])
    seen: set[int] = set()
    while pending:
        place = pending.popleft()
        if id(place.node) in seen or place.node.cost == NEVER:
            continue
        seen.add(id(place.node))
        yield place
        for step, below in steps_from(place.node):
            label = place.label + _label(place.node, step, below)
            pending.append(Place(label=label, route=(*place.route, step), node=below))


def _label(node: Node, step: Step, below: Node) -> str:
    if not isinstance(step, Branch):
        return pointer_of(path_of((step,)))
    if isinstance(node, Choice) and len(node.branches) > 1:
        tags = [tag(leaf, name) for leaf in objects(below) for name in leaf.required]
        return next((f"={each}" for each in tags if each is not None), "")
    return ""


class Names:
    """Names for what is done at places, each given once."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    def of(self, place: Place, what: str) -> str:
        """Return a name for `what` at `place`."""
        name = f"{place.label or '/'} {what}"
        self._taken[name] += 1
        # Where several branches of a union have no tag, they are told apart by their number.
        number = f" ({self._taken[name]})" if self._taken[name] > 1 else ""
        return name + number


def path_of(route: Sequence[Step]) -> tuple[str | int, ...]:
    """Return where `route` leads in a value: names and positions."""
    path: list[str | int] = []
    for step in route:
        if isinstance(step, Item):
            path.append(step.position)
        elif not isinstance(step, Branch):
            path.append(step.name)
    return tuple(path)


def as_it_is(node: Node) -> Node:
    """Ask for nothing besides: the shape of most places."""
    return node


def narrowed(node: Node, route: Sequence[Step], shape: Shape = as_it_is) -> Node:
    """Return `node` narrowed to the values in which `route` leads to a value of `shape`."""
    if not route:
        return shape(node)
    step, rest = route[0], route[1:]
    match node, step:
        case Choice(), Branch(index=index):
            return replace(node, branches=[narrowed(node.branches[index], rest, shape)], hinted=())
        case Object(), Member(name=name):
            return with_member(node, name, narrowed(node.properties[name], rest, shape))
        case Object(), Unnamed(name=name, index=index):
            return with_member(node, name, narrowed(node.extras[index].node, rest, shape))
        case Array(), Item(position=position):
            return _with_item(node, position, narrowed(_item(node, position), rest, shape))
    raise AssertionError((node, step))


def with_member(node: Object, name: str, member: Node) -> Object:
    """Return `node` narrowed to objects that have the member `name`, with all it brings along."""
    required = dict.fromkeys((*node.required, name, *node.needs.get(name, ())))
    properties = {**node.properties, name: member}
    return replace(node, properties=properties, required=tuple(required))


def with_items(node: Array, count: int) -> Array:
    """Return `node` narrowed to arrays of at least `count` items."""
    return replace(node, least=max(node.least, count))


def _item(node: Array, position: int) -> Node:
    return node.prefix[position] if position < len(node.prefix) else node.rest


def _with_item(node: Array, position: int, item: Node) -> Array:
    prefix = [*node.prefix]
    prefix[position : position + 1] = [item]
    return with_items(replace(node, prefix=prefix), position + 1)


def steps_from(node: Node) -> Iterator[tuple[Step, Node]]:
    """Yield every step down from `node` to a place that has values."""
    match node:
        case Choice():
            for index, branch in enumerate(node.branches):
                yield Branch(index=index), branch
        case Object():
            for name, member in node.properties.items():
                yield Member(name=name), member
            for index, extra in enumerate(node.extras):
                extra_name = free_name(node, extra)
                if extra_name is not None:
                    yield Unnamed(name=extra_name, index=index), extra.node
        case Array():
            for position, item in enumerate([*node.prefix, node.rest]):
                yield Item(position=position), item
        case _:
            return


def free_name(node: Object, extra: Extra) -> str | None:
    """Return a name for a member of the kind `extra`, always the same; None where none is found."""
    samples = [regexes.sample(pattern, SimplestDraw()) for pattern in sorted(extra.matched)]
    for name in ("0", "x", *samples):
        matched = {pattern for pattern in node.patterns if is_found(pattern, name)}
        if name not in node.properties and matched == extra.matched and is_name(node, name):
            return name
    return None


def is_name(node: Object, name: str) -> bool:
    """Tell whether lengths and patterns of the node's names admit `name`."""
    return node.names is None or any(fits(leaf, name) for leaf in text_leaves(node.names))


def text_leaves(node: Node) -> Iterator[String]:
    """Yield the texts a place may be, in the schema's order."""
    for leaf in leaves(node):
        if isinstance(leaf, String):
            yield leaf


def leaves(node: Node) -> Iterator[Node]:
    """Yield what a place may be once every choice is made; what has no value is left out."""
    if node.cost == NEVER:
        return
    if isinstance(node, Choice):
        for branch in node.branches:
            yield from leaves(branch)
    else:
        yield node
