"""Compile a schema to nodes: all that holds at one place is put together, then sorted by type.

A place is compiled from a *goal*: the set of schemas a value there must satisfy at once. `$ref` and
`allOf` add to the goal; `anyOf`, `oneOf`, `not`, `if` and `dependentSchemas` split it into branches
that are goals themselves. What remains are assertions, which become one node per JSON type. The
same goal is compiled once, so a recursive schema gives a circle of nodes instead of an endless tree.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mockchat.contract.keywords import is_json_type
from mockchat.payloads.compile_arrays import array
from mockchat.payloads.compile_objects import object_
from mockchat.payloads.compile_scalars import integer, number, string
from mockchat.payloads.goals import Flat, Part, flatten
from mockchat.payloads.negation import NO_INTEGER
from mockchat.payloads.schema_nodes import Anything, Choice, Constant, Impossible, Node
from mockchat.payloads.schema_source import Source
from mockchat.payloads.splits import Mark, Splitter
from mockchat.payloads.vocabulary import HINTS
from mockchat.types import Json, JsonView

_MOST_CROSSED = 24
_PER_PLACE, _FLATS_PER_STEP = 2, 4
_PER_TEST, _LISTED_PER_STEP = 3, 50
_SIMPLE = frozenset({"type", "const", "enum", "title", "description", "default", "examples"})
_UNTYPED = ("null", "boolean", "number", "string", "array", "object")


@dataclass(frozen=True, slots=True)
class _Task:
    """A place that has its node, but not yet its branches."""

    node: Choice
    flats: list[Flat]
    decided: frozenset[Mark]


class Compiler:
    """Compiles the schemas of one source.

    Args:
        source: Where schemas and references come from.
        follows: What becomes of splits within splits once there are too many, as they multiply:
            True: one branch of each is followed; False: finished values are tested for them.

    Attributes:
        places: Every place compiled so far, in order.
    """

    def __init__(self, source: Source, *, follows: bool = True) -> None:
        self.source = source
        self.places: list[Choice] = []
        self._splitter = Splitter(source)
        self._known: dict[object, Choice] = {}
        self._pending: list[_Task] = []
        self._crossed = 0
        self._follows = follows

    @property
    def is_cut(self) -> bool:
        """Whether splits within splits became too many, so that some were not followed."""
        return self._crossed > _MOST_CROSSED

    def compile(self, schema: Json) -> Choice:
        """Return the node of `schema`, with everything it leads to.

        Raises:
            ImpossibleSchema: A reference leads nowhere, or it takes too many steps.
        """
        node = self.place([Part(schema)], self.source.pointer(schema))
        while self._pending:
            self._fill(self._pending.pop())
        return node

    def place(
        self,
        goal: Sequence[Part],
        pointer: str,
        decided: frozenset[Mark] = frozenset(),
        base: Sequence[Flat] = (),
    ) -> Choice:
        """Return the node of a goal; its branches are filled in later.

        Args:
            goal: What a value there must satisfy.
            pointer: Where the goal comes from, if its schemas do not say.
            decided: The splits that led here.
            base: What must be satisfied beside the goal, flattened before.
        """
        for schema in (*(flat.schema for flat in base), *(part.schema for part in goal)):
            pointer = self.source.pointer(schema) or pointer
            if pointer:
                break
        flats = flatten(goal, self.source, pointer, base)
        if isinstance(flats, Impossible):
            return self._added(Choice(pointer=pointer, branches=[flats]))
        self.source.spend(_PER_PLACE + len(flats) // _FLATS_PER_STEP, pointer)
        key = (frozenset((id(flat.schema), flat.scope) for flat in flats), decided)
        if key not in self._known:
            self._known[key] = node = self._added(Choice(pointer=pointer, branches=[]))
            self._pending.append(_Task(node, flats, decided))
        return self._known[key]

    def _added(self, node: Choice) -> Choice:
        self.places.append(node)
        return node

    def _fill(self, task: _Task) -> None:
        node, flats, decided = task.node, task.flats, task.decided
        split = self._splitter.first(flats, decided)
        if split is None or (self.is_cut and not self._follows):
            self._fill_types(node, flats, self._splitter.tests(flats, decided))
            return
        branches = split.branches
        if self.is_cut:
            # Another branch at every place, so that no branch is forgotten altogether.
            branches = [branches[len(self.places) % len(branches)]]
        marks = decided | {split.mark}
        node.branches = [self.place(added, node.pointer, marks, flats) for added in branches]
        self._crossed += len(decided) > 0

    def _fill_types(self, node: Choice, flats: list[Flat], tests: list[Json]) -> None:
        pointer = node.pointer
        self.source.spend(len(flats), pointer)
        listed = [flat.schema for flat in flats if "const" in flat.schema or "enum" in flat.schema]
        if listed:
            first = listed[0]
            values = [first["const"]] if "const" in first else [*first["enum"]]
            named = _types(flats)
            if named is not None:
                values = [value for value in values if _is_of(value, named)]
            others = [flat.schema for flat in flats if flat.schema is not first]
            if not _SIMPLE.issuperset(first):
                others.append(self._without(first, "const" if "const" in first else "enum"))
            node.branches = [_constant(self._accepted(values, others), pointer)]
            return
        types = _types(flats)
        if types is None:
            self._fill_untyped(node, flats, tests)
        elif not types:
            reason = "its types contradict each other"
            node.branches = [Impossible(pointer=pointer, reason=reason)]
        else:
            node.branches = [self._typed(name, flats, pointer, tests) for name in types]

    def _fill_untyped(self, node: Choice, flats: list[Flat], tests: list[Json]) -> None:
        keywords = {keyword for flat in flats for keyword in flat.schema}
        hinted = [name for name in HINTS if keywords.intersection(HINTS[name])]
        if not hinted and not tests:
            node.branches = [Anything(pointer=node.pointer)]
            return
        node.branches = [self._typed(name, flats, node.pointer, tests) for name in _UNTYPED]
        node.hinted = tuple(_UNTYPED.index(name) for name in hinted)

    def _typed(self, name: str, flats: list[Flat], pointer: str, tests: list[Json]) -> Node:
        made: Node
        match name:
            case "object":
                made = object_(flats, pointer, self.place, self.source)
            case "array":
                made = array(flats, pointer, self.place, self._splitter.refusal)
            case "string":
                made = string(flats, pointer, self.source.spend)
            case "integer" if any(flat.schema.get("not") == NO_INTEGER for flat in flats):
                made = Impossible(pointer=pointer, reason="it must and must not be an integer")
            case "integer":
                made = integer(flats, pointer)
            case "number":
                made = number(flats, pointer)
            case "boolean":
                made = Constant(pointer=pointer, values=[False, True])
            case _:
                made = Constant(pointer=pointer, values=[None])
        if isinstance(made, Constant):
            return _constant(self._accepted(made.values, tests), pointer)
        made.tests = tests
        return made

    def _without(self, schema: JsonView, keyword: str) -> JsonView:
        """Return what else `schema` says of the values that `keyword` lists."""
        rest = {name: each for name, each in schema.items() if name != keyword}
        self.source.name(rest, self.source.pointer(schema))
        return rest

    def _accepted(self, values: list[Json], schemas: list[Json]) -> list[Json]:
        listed = sum(len(schema.get("enum", ())) for schema in schemas)
        per_value = _PER_TEST * len(schemas) + listed // _LISTED_PER_STEP
        self.source.spend(len(values) * per_value)
        return [
            value
            for value in values
            if all(self.source.accepts(schema, value) for schema in schemas)
        ]


def _constant(values: list[Json], pointer: str) -> Node:
    if not values:
        return Impossible(pointer=pointer, reason="no listed value meets the other conditions")
    return Constant(pointer=pointer, values=values)


def _is_of(value: Json, types: Sequence[str]) -> bool:
    return any(is_json_type(value, name) for name in types)


def _types(flats: Sequence[Flat]) -> list[str] | None:
    """Return the types that every schema allows, in the order of the first; None: any type."""
    found: list[str] | None = None
    for flat in flats:
        if "type" not in flat.schema:
            continue
        named = flat.schema["type"]
        names = [named] if isinstance(named, str) else list(dict.fromkeys(named))
        if found is None:
            found = [name for name in names if name != "integer" or "number" not in names]
            continue
        wide = {*names, *(["integer"] if "number" in names else [])}
        found = [
            "integer" if name == "number" and "number" not in wide else name
            for name in found
            if name in wide or (name == "number" and "integer" in wide)
        ]
    return found
