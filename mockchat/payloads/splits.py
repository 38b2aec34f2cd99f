"""Where a goal divides into branches: anyOf, oneOf, not, if, dependentSchemas.

Branches are schemas of their own, made once per schema and remembered, because a goal is recognised
by the identity of its schemas.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import TypeAlias

from mockchat.contract.unions import Branch, branch_of
from mockchat.payloads.goals import Flat, Part, referred
from mockchat.payloads.negation import is_untold, ways_to_fail
from mockchat.payloads.schema_source import Source
from mockchat.types import Json

_PAIRS_PER_STEP = 10

Mark: TypeAlias = tuple[int, str]
"""A split that is decided: the id of its schema, and the keyword (with the name, for a dependency)."""


_first = itemgetter(0)


@dataclass(frozen=True, slots=True)
class Split:
    """One division: its mark, and what each branch adds to the goal."""

    mark: Mark
    branches: list[list[Part]]


class Splitter:
    """Finds the splits of goals over one source."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._splits: dict[tuple[int, frozenset[int]], list[Split]] = {}
        self._ways: dict[int, list[Json]] = {}
        self._refusals: dict[int, Json] = {}
        self._signatures: dict[int, Branch] = {}

    def first(self, flats: Sequence[Flat], decided: frozenset[Mark]) -> Split | None:
        """Return the first split of a goal that is not decided yet; None where all are."""
        for flat in flats:
            for split in self._of(flat):
                if split.mark not in decided:
                    return split
        return None

    def tests(self, flats: Sequence[Flat], decided: frozenset[Mark]) -> list[Json]:
        """Return the schemas of a goal that say what no node can: values must be tested for them."""
        return [
            flat.schema
            for flat in flats
            if is_untold(flat.schema) or any(split.mark not in decided for split in self._of(flat))
        ]

    def refusal(self, schema: Json) -> Json:
        """Return {"not": schema}, always the same object for the same schema."""
        if isinstance(schema, bool):
            return not schema
        if id(schema) not in self._refusals:
            self._refusals[id(schema)] = self._named({"not": schema}, schema)
        return self._refusals[id(schema)]

    def _of(self, flat: Flat) -> list[Split]:
        key = id(flat.schema), flat.scope
        if key not in self._splits:
            self._splits[key] = [*self._found(flat)]
        return self._splits[key]

    def _found(self, flat: Flat) -> Iterator[Split]:
        schema = flat.schema
        here = id(schema)
        if "anyOf" in schema:
            yield Split((here, "anyOf"), [[Part(each, flat.scope)] for each in schema["anyOf"]])
        if "oneOf" in schema:
            yield Split((here, "oneOf"), self._exclusive(flat))
        if "if" in schema and ("then" in schema or "else" in schema or flat.scope):
            yield Split((here, "if"), self._conditional(flat))
        if "not" in schema and not is_untold(schema):
            yield Split((here, "not"), [[Part(way)] for way in self._ways_to_fail(schema["not"])])
        for name, each in sorted(schema.get("dependentSchemas", {}).items(), key=_first):
            mark = (here, f"dependentSchemas/{name}")
            absent = self._named({"properties": {name: False}}, schema)
            present = self._named({"required": [name]}, schema)
            yield Split(mark, [[Part(absent)], [Part(present), Part(each, flat.scope)]])

    def _exclusive(self, flat: Flat) -> list[list[Part]]:
        """Return the branches of a `oneOf`; each refuses the others it could be confused with."""
        options = flat.schema["oneOf"]
        self._source.spend(len(options) ** 2 // _PAIRS_PER_STEP, self._source.pointer(flat.schema))
        branches = []
        for position, option in enumerate(options):
            others = [
                Part(self.refusal(other))
                for index, other in enumerate(options)
                if index != position and not self._is_disjoint(option, other)
            ]
            branches.append([Part(option, flat.scope), *others])
        return branches

    def _is_disjoint(self, one: Json, other: Json) -> bool:
        first, second = self._signature(one), self._signature(other)
        if not any(first.admits(name) for name in second.types) and not any(
            second.admits(name) for name in first.types
        ):
            return True
        if first.literals is not None and second.literals is not None:
            return not any(literal in second.literals for literal in first.literals)
        if {*first.types, *second.types} != {"object"}:
            return False
        return any(
            not set(values).intersection(second.tags[name])
            for name, values in first.tags.items()
            if name in second.tags
        )

    def _signature(self, schema: Json) -> Branch:
        if id(schema) not in self._signatures or isinstance(schema, bool):
            self._signatures[id(schema)] = branch_of(schema, self._target)
        return self._signatures[id(schema)]

    def _target(self, reference: str) -> Json:
        return self._source.resolve(reference, "")

    def _conditional(self, flat: Flat) -> list[list[Part]]:
        schema, scope = flat.schema, flat.scope
        met = [Part(schema["if"], scope), Part(schema.get("then", True), scope)]
        unmet = [Part(self.refusal(schema["if"])), Part(schema.get("else", True), scope)]
        return [met, unmet]

    def _ways_to_fail(self, schema: Json) -> list[Json]:
        if isinstance(schema, bool):
            return [not schema]
        if id(schema) not in self._ways:
            targets = referred(schema, self._source)
            ways = [self._named(way, schema) for way in ways_to_fail(schema, targets)]
            self._ways[id(schema)] = ways
        return self._ways[id(schema)]

    def _named(self, made: Json, origin: Json) -> Json:
        """Let what is made here stand where `origin` is written; keeps it alive, as ids are keys."""
        if isinstance(made, Mapping):
            self._source.name(made, self._source.pointer(origin))
        return made
