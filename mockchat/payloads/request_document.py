"""The request document of a profile, compiled, with the parts a conversation is built from."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from mockchat.contract.profile import Profile
from mockchat.payloads.draw import Draw
from mockchat.payloads.schema_nodes import NEVER, Array, Choice, Constant, Integer, Node, Object
from mockchat.payloads.values import Compiled, compile_schema
from mockchat.payloads.walk import Walk
from mockchat.payloads.walk_memory import WalkMemory
from mockchat.types import Json, Kind

_REMEMBERED = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """One request in the making: the document, and how to draw from it.

    Attributes:
        root: The node of the whole request.
        accepts: Tells whether a value is valid against a part of the document.
        draw: Where choices come from.
        kind: What is wanted.
        memory: What earlier requests found out about the document's nodes.
    """

    root: Object
    accepts: Callable[[Json, Json], bool] = field(repr=False)
    draw: Draw
    kind: Kind
    memory: WalkMemory = field(repr=False)

    def value(self, node: Node) -> Json:
        """Return a value of `node`."""
        return Walk(self.draw, self.kind, self.accepts, memory=self.memory).value(node)

    def plain_value(self, node: Node) -> Json:
        """Return a value of `node` that is not null or empty where the schema lets it."""
        return Walk(self.draw, "plain", self.accepts, memory=self.memory).value(node)

    def member(self, name: str) -> Node | None:
        """Return the node of a top-level member, None where the profile has no such member."""
        return self.root.properties.get(name)

    def pick(self, options: list[Object]) -> Object:
        """Return one of several variants."""
        return options[self.draw.index(len(options))]


@lru_cache(maxsize=_REMEMBERED)
def _compiled(profile: Profile) -> tuple[Object, Compiled]:
    document = profile.document("request")
    compiled = compile_schema(document)
    (root,) = objects(compiled.node)
    return root, compiled


def asking(profile: Profile, draw: Draw, kind: Kind) -> Asking:
    """Return what a request of `profile` is made with; the document is compiled once."""
    root, compiled = _compiled(profile)
    accepts, memory = compiled.source.accepts, compiled.memory
    return Asking(root=root, accepts=accepts, draw=draw, kind=kind, memory=memory)


def objects(node: Node | None) -> list[Object]:
    """Return the object variants of a place, in the schema's order."""
    return [each for each in _leaves(node) if isinstance(each, Object)]


def listed(node: Node | None) -> list[Json]:
    """Return the values that the document lists for a place: an enum's, a constant's."""
    return [value for leaf in _leaves(node) if isinstance(leaf, Constant) for value in leaf.values]


def most_of(node: Node | None) -> int | None:
    """Return the largest whole number a place may have, None where there is no bound."""
    bounds: list[int | None] = [value for value in listed(node) if isinstance(value, int)]
    bounds += [leaf.most for leaf in _leaves(node) if isinstance(leaf, Integer)]
    return None if None in bounds else max(filter(None, bounds), default=None)


def items(node: Node | None) -> list[Object]:
    """Return the object variants that the items of an array place may have."""
    arrays = [each for each in _leaves(node) if isinstance(each, Array)]
    return [variant for array in arrays for variant in objects(array.rest)]


def tag(variant: Object, name: str) -> str | None:
    """Return the one text that the member `name` of a variant must be, None where there is none."""
    values = listed(variant.properties.get(name))
    return values[0] if len(values) == 1 and isinstance(values[0], str) else None


def _leaves(node: Node | None) -> Iterator[Node]:
    if isinstance(node, Choice):
        for branch in node.branches:
            yield from _leaves(branch)
    elif node is not None and node.cost < NEVER:
        yield node
