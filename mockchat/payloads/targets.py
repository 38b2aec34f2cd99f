"""Targets: every way to spoil a value of a document, with the way to where it is done."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache

from referencing import Registry
from referencing.jsonschema import DRAFT202012

from mockchat.contract.profile import Profile
from mockchat.payloads.breakages import Breakage, breakages, wrong_types
from mockchat.payloads.draw import Draw
from mockchat.payloads.places import Branch, Names, Route, narrowed, path_of, places_of
from mockchat.payloads.schema_nodes import Choice, Node
from mockchat.payloads.seeded import SeededDraw
from mockchat.payloads.values import Compiled, compile_schema
from mockchat.payloads.walk import Unlucky, Walk
from mockchat.types import Json, Kind, Level

Path = tuple[str | int, ...]
"""Names and positions that lead into a value."""

_NO_SCHEMAS = frozenset({"openapi"})
"""Documents that tie others together and have no values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One breakage at one place.

    Attributes:
        name: What tells it from the other targets of its document: the place, with the variant of
            each union on the way ("/messages/0=assistant/content"), and the breakage's variant.
        route: The way from the document's root to the place.
        breakage: What is done there.
    """

    name: str
    route: Route
    breakage: Breakage

    @property
    def path(self) -> Path:
        """Where the place is in a value."""
        return path_of(self.route)


def targets_of(node: Node) -> Iterator[Target]:
    """Yield every target below `node`, nearest places first, each place of the schema once."""
    names = Names()
    for place in places_of(node):
        is_whole = not place.route or not isinstance(place.route[-1], Branch)
        is_choice = isinstance(place.node, Choice)
        types = wrong_types(place.node) if is_choice and is_whole else ()
        for breakage in (*types, *breakages(place.node)):
            name = names.of(place, breakage.variant)
            yield Target(name=name, route=place.route, breakage=breakage)


@lru_cache(maxsize=128)
def compiled_document(profile: Profile, name: str, level: Level = "observed") -> Compiled:
    """Return a document of `profile`, compiled once.

    Raises:
        BadArgument: The profile has no such document.
    """
    document = profile.document(name, level)
    others = profile.levels[level]
    registry: Registry[Json] = Registry().with_resources(
        (each["$id"], DRAFT202012.create_resource(each))
        for other, each in others.items()
        if other not in _NO_SCHEMAS
    )
    return compile_schema(document, documents=registry)


def drawn_for(target: Target, document: Compiled, draw: Draw, kind: Kind) -> Json:
    """Return a value of `document` that `target` can be applied to."""
    node = narrowed(document.node, target.route, target.breakage.shape)
    try:
        return Walk(draw, kind, document.source.accepts).value(node)
    except Unlucky:
        # The simplest draw gives every item the same value, where all must differ for example.
        return Walk(SeededDraw(target.name), kind, document.source.accepts).value(node)


def changed(value: Json, path: Path, breakage: Breakage) -> Json:
    """Return a copy of `value` in which what `path` leads to is spoilt."""
    if not path:
        return breakage.change(deepcopy(value))
    whole = deepcopy(value)
    parent = whole
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = breakage.change(parent[path[-1]])
    return whole
