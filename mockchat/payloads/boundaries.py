"""Boundaries: for every place of a document, the valid payloads at the edge of what it allows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial

from mockchat.contract.contract import Contract
from mockchat.contract.pointers import pointer_of
from mockchat.contract.unions import json_type
from mockchat.payloads.places import (
    LONGEST,
    Names,
    Route,
    Shape,
    as_it_is,
    narrowed,
    path_of,
    places_of,
    with_member,
)
from mockchat.payloads.rule_keeping import keeping_rules
from mockchat.payloads.schema_nodes import (
    NEVER,
    Array,
    Constant,
    Integer,
    Node,
    Number,
    Object,
    String,
)
from mockchat.payloads.simplest import SimplestDraw
from mockchat.payloads.targets import compiled_document
from mockchat.payloads.walk import Walk
from mockchat.types import Json, Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """One edge at one place.

    Attributes:
        name: What tells it from the others of its document: the place and which edge.
        route: The way from the document's root to the place.
        shape: Narrows the place to its edge.
    """

    name: str
    route: Route
    shape: Shape

    @property
    def pointer(self) -> str:
        """JSON Pointer to the place, before rules moved it."""
        return pointer_of(path_of(self.route))


@lru_cache(maxsize=64)
def boundaries(
    contract: Contract, document: str, *, level: Level = "observed"
) -> Mapping[str, Boundary]:
    """Return every boundary of a `document` by its name, nearest places first.

    Raises:
        BadArgument: The profile has no such document.
    """
    node = compiled_document(contract.profile, document, level).node
    names = Names()
    made = (
        Boundary(name=names.of(place, edge), route=place.route, shape=shape)
        for place in places_of(node)
        for edge, shape in _edges(place.node)
    )
    return {boundary.name: boundary for boundary in made}


def payload_at(
    contract: Contract, document: str, boundary: Boundary, *, level: Level = "observed"
) -> Json:
    """Return the simplest payload at a boundary; it breaks neither schema nor rule."""
    compiled = compiled_document(contract.profile, document, level)
    node = narrowed(compiled.node, boundary.route, boundary.shape)
    value = Walk(SimplestDraw(), "wild", compiled.source.accepts).value(node)
    return keeping_rules(contract, document, value, path_of(boundary.route), level=level)[0]


def _edges(node: Node) -> Iterator[tuple[str, Shape]]:
    match node:
        case Constant(values=values):
            is_range = len(values) > 1 and {json_type(value) for value in values} == {"integer"}
            for value in [min(values), max(values)] if is_range else values:
                yield f"is {value!r}", partial(_only, value)
        case Integer() | Number():
            yield from _number_edges(node)
        case String() | Array():
            for edge, length in zip(_SIZES[type(node)], (node.least, node.most), strict=True):
                if length is not None and length <= LONGEST:
                    yield edge, partial(_sized, length)
        case Object():
            yield "required members", as_it_is
            if node.most is None:
                yield "all members", _full
        case _:
            return


def _number_edges(node: Integer | Number) -> Iterator[tuple[str, Shape]]:
    for edge, limit in (("least", node.least), ("greatest", node.most)):
        if limit is not None and (node.step is None or limit % float(node.step) == 0):
            yield edge, partial(_only, int(limit) if limit == int(limit) else limit)


_SIZES = {String: ("shortest", "longest"), Array: ("fewest items", "most items")}


def _only(value: Json, place: Node) -> Node:
    return Constant(pointer=place.pointer, values=[value], cost=place.cost, height=place.height)


def _sized(length: int, place: Node) -> Node:
    if isinstance(place, String | Array):
        return replace(place, least=length, most=length)
    return place


def _full(place: Node) -> Node:
    """Narrow an object to those that have every member that may be there."""
    full = place
    for name, member in getattr(place, "properties", {}).items():
        if isinstance(full, Object) and member.cost < NEVER:
            full = with_member(full, name, member)
    return full
