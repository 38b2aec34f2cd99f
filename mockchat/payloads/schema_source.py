"""Load a caller's schema: checked, upgraded, its references resolvable, every part with a pointer."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from referencing import Registry
from referencing.exceptions import NoSuchResource, Unresolvable
from referencing.jsonschema import DRAFT202012

from mockchat.contract.drafts import Upgrade, draft_of, subschemas
from mockchat.contract.judges import TooDeep, judge_class
from mockchat.contract.quick import QuickJudge
from mockchat.contract.schema_table import MOST_PARTS, check, has_many_parts
from mockchat.errors import ImpossibleSchema
from mockchat.types import Json, JsonView

MOST_STEPS = 5_500
"""How many steps compiling a schema may take; a step is about ten microseconds."""

_SELDOM = 8
"""Up to how many values are judged without the quick judge, which takes longer to make than that."""

_BASE = "https://mockchat.invalid/schema"
_JUDGE = judge_class()

Schemas: TypeAlias = Registry[Json]
"""Documents that references may name, by URI."""


class Source:
    """A schema ready to compile.

    Args:
        schema: What values are wanted for.
        root: The document `schema` stands in, for references such as "#/$defs/x"; None: itself.
        documents: Other documents that references may name.

    Raises:
        ImpossibleSchema: It is not a schema of any draft from 4 to 2020-12.
    """

    def __init__(self, schema: Json, root: JsonView | None, documents: Schemas | None) -> None:
        whole = schema if root is None else root
        self._draft = draft_of(whole)
        if has_many_parts(whole):
            raise ImpossibleSchema("", f"it is larger than {MOST_PARTS} schemas")
        check(schema, self._draft)
        if root is not None:
            check(root, self._draft)
        self._documents = documents
        self._registry: Schemas = Registry()
        self._pointers: dict[int, str] = {}
        self._tests: dict[int, Callable[[Json], bool]] = {}
        self._targets: dict[str, Json] = {}
        self._kept: list[Json] = []
        self.steps = 0
        self._upgrade = Upgrade(self._draft)
        copy = self._add(whole, _BASE)
        self._base = copy.get("$id", _BASE) if isinstance(copy, Mapping) else _BASE
        self._root = copy
        self.schema = self._upgrade.copy(schema, self._base)
        self._note_pointers(self.schema)
        whole = self.schema if isinstance(self.schema, Mapping) else {}
        self._asked = 0
        self._quick = QuickJudge({_BASE: {**whole, "$id": _BASE}}, {})

    def _add(self, document: Json, uri: str) -> Json:
        copy = self._upgrade.copy(document, uri)
        self._note_pointers(copy)
        if isinstance(copy, Mapping):
            resource = DRAFT202012.create_resource(copy)
            self._registry = self._registry.with_resource(uri, resource)
        return copy

    def spend(self, steps: int, pointer: str = "") -> None:
        """Count work on this schema.

        Raises:
            ImpossibleSchema: It has become too much.
        """
        self.steps += steps
        if self.steps > MOST_STEPS:
            raise ImpossibleSchema(pointer, "it is too large or too entangled")

    def _note_pointers(self, schema: Json) -> None:
        pending = [("", schema)]
        while pending:
            pointer, current = pending.pop()
            if isinstance(current, Mapping) and id(current) not in self._pointers:
                self._pointers[id(current)] = pointer
                self.steps += 1
                self._kept.append(current)
                pending.extend((pointer + token, each) for token, each in subschemas(current))

    def pointer(self, schema: Json) -> str:
        """Return where `schema` stands in its document; "" for what was made here."""
        return self._pointers.get(id(schema), "")

    def name(self, schema: JsonView, pointer: str) -> None:
        """Note that `schema`, made here, stands for what is at `pointer`."""
        self._pointers[id(schema)] = pointer
        self._kept.append(schema)

    def resolve(self, reference: str, pointer: str) -> Json:
        """Return the schema an absolute `reference` names; `pointer` is where it is written.

        Raises:
            ImpossibleSchema: Nothing is there, or what is there is no schema.
        """
        if reference not in self._targets:
            self._targets[reference] = self._looked_up(reference, pointer)
        return self._targets[reference]

    def resolve_dynamic(self, reference: str, pointer: str) -> Json:
        """Return what a `$dynamicRef` names when the whole document is the outermost scope."""
        anchor = reference.rpartition("#")[2]
        if isinstance(self._root, Mapping) and self._root.get("$dynamicAnchor") == anchor:
            return self._root
        return self.resolve(reference, pointer)

    def _looked_up(self, reference: str, pointer: str) -> Json:
        uri = reference.partition("#")[0]
        try:
            if uri not in self._registry and self._documents is not None:
                self._add(self._documents.get_or_retrieve(uri).value.contents, uri)
            found = self._registry.resolver().lookup(reference).contents
        except (NoSuchResource, Unresolvable):
            local = reference.removeprefix(self._base)
            raise ImpossibleSchema(pointer, f"the reference {local!r} leads nowhere") from None
        if not isinstance(found, bool) and id(found) not in self._pointers:
            check(found, self._draft)
            found = self._upgrade.copy(found, uri)
            self._note_pointers(found)
        return found

    def accepts(self, schema: Json, value: Json) -> bool:
        """Tell whether `value` is valid against `schema`, a part of this source or made here."""
        if isinstance(schema, bool):
            return schema
        if schema is self.schema:
            self._asked += 1
            if self._asked > _SELDOM and self._quick.accepts(_BASE, value):
                return True
        if id(schema) not in self._tests:
            self._kept.append(schema)
            self.spend(1)
            self._tests[id(schema)] = _JUDGE(schema, registry=self._registry).is_valid
        try:
            return self._tests[id(schema)](value)
        except (TooDeep, RecursionError):
            return False
