"""The items of schema documents, and the walk that marks them in a value.

A document is compiled once. At each place of it there can be items of four forms, behind the path of
the place (positions in arrays are no part of it):

- `#absent`, `#null`, `#given`: the states of an optional or nullable member;
- `=value`: an enum's value, either boolean, or the branch of a union with that tag;
- `:type`: the branch of a union, or the type, that has no tag;
- `#none`, `#one`, `#many`: how many items an array has.

A state, value, branch or size that is the only one of its place is no item: who meets the place has
met it. A schema that several places refer to has its items once, named by the place nearest to the
root.
"""

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urljoin

from mockchat.contract.pointers import tokens_of, value_at
from mockchat.contract.schema_walk import absolute
from mockchat.contract.unions import Branch, branch_of, json_type
from mockchat.types import Json, JsonObject, JsonView

_UNIONS = ("oneOf", "anyOf")
_SAYS = frozenset(
    {"type", "enum", "const", "properties", "required", "items", "additionalProperties", *_UNIONS}
)
"""The keywords that items are made of."""

_FEW = 2

Marks = set[str]
"""The ids of items that were met."""


@dataclass(slots=True, eq=False)
class Place:
    """A compiled schema: what to look for in a value of it.

    Attributes:
        values: The items of an enum's values, by what JSON makes of them.
        types: The items of types, where there are several.
        sizes: The items of an array with none, one and many items; "" where there is no such item.
        each: What the items of an array are.
        members: What the members of an object are.
        absents: The members that may be missing, each with the item of that.
        others: What members are that have no name.
        branches: The alternatives of a union, with the item of each, "" where there is only one.
        is_blank: Whether nothing in a value of it is looked at.
    """

    values: dict[tuple[str, Json], str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    sizes: tuple[str, str, str] = ("", "", "")
    each: "Slot | None" = None
    members: "dict[str, Slot]" = field(default_factory=dict)
    absents: list[tuple[str, str]] = field(default_factory=list)
    others: "Place | None" = None
    branches: "list[tuple[Branch, str, Place]]" = field(default_factory=list)
    is_blank: bool = False

    def mark(self, value: Json, marks: Marks) -> None:
        """Add the items that a value meets; what the schema does not know meets none."""
        if isinstance(value, dict):
            self._mark_members(value, marks)
        elif isinstance(value, list):
            self._mark_items(value, marks)
        elif self.values:
            _add(self.values.get((type(value).__name__, value)), marks)
        if self.types:
            _add(self.types.get(json_type(value)), marks)
        for branch, item, place in self.branches:
            if is_of(branch, value):
                _add(item, marks)
                place.mark(value, marks)

    def _mark_items(self, value: list[Json], marks: Marks) -> None:
        _add(self.sizes[min(len(value), _FEW)], marks)
        if self.each is not None:
            for one in value:
                self.each.mark(one, marks)

    def _mark_members(self, value: JsonView, marks: Marks) -> None:
        members = self.members
        for name, member in value.items():
            if name in members:
                members[name].mark(member, marks)
            elif self.others is not None:
                self.others.mark(member, marks)
        for name, item in self.absents:
            if name not in value:
                marks.add(item)


@dataclass(slots=True, eq=False, kw_only=True)
class Slot:
    """Where a value stands: a member of an object, or an item of an array.

    Attributes:
        place: What stands there.
        null: The item of a null; "" where none is allowed.
        given: The item of any other value; "" where there is no other state.
    """

    place: Place
    null: str
    given: str

    def mark(self, value: Json, marks: Marks) -> None:
        """Add the items that a value standing here meets."""
        if value is None and self.null:
            marks.add(self.null)
            return
        if self.given:
            marks.add(self.given)
        if not self.place.is_blank:
            self.place.mark(value, marks)


def _add(item: str | None, marks: Marks) -> None:
    if item:
        marks.add(item)


def is_of(branch: Branch, value: Json) -> bool:
    """Tell whether a lawful value is of a branch, for all that types, listed values and tags say."""
    if not branch.admits(json_type(value)):
        return False
    if branch.literals is not None:
        return value in branch.literals
    if not isinstance(value, dict):
        return True
    return all(value.get(tag) in values for tag, values in branch.tags.items())


class SchemaItems:
    """The compiled documents of a profile.

    Args:
        documents: The documents by name, at one level.
        names: Those to compile, in the order in which places get their names.
        base: The address that relative references start from where a document has none.

    Attributes:
        ids: The ids of all items, in the order of the documents.

    Raises:
        LookupError: A reference leads nowhere.
    """

    def __init__(
        self, documents: Mapping[str, JsonObject], names: Sequence[str], base: str
    ) -> None:
        uris = {name: _uri(document, base, name) for name, document in documents.items()}
        self._documents = {
            uris[name]: absolute(document, uris[name])
            for name, document in documents.items()
            if "openapi" not in document
        }
        self.ids: list[str] = []
        self._taken: dict[str, int] = {}
        self._known: dict[tuple[int, ...], Place] = {}
        self._pending: deque[Callable[[], None]] = deque()
        self.roots: dict[str, Place] = {}
        for name in names:
            self.roots[name] = self._place(self._parts(self._documents[uris[name]]), name)
            while self._pending:
                self._pending.popleft()()
        for place in self._known.values():
            looks_at = (place.values, place.types, place.each, place.members, place.branches)
            place.is_blank = not any((*looks_at, *place.sizes, place.others))

    def marks(self, document: str, value: Json, marks: Marks) -> None:
        """Add what `value`, a lawful `document`, meets."""
        self.roots[document].mark(value, marks)

    def _place(self, parts: list[JsonObject], path: str) -> Place:
        key = tuple(map(id, parts))
        place = self._known.get(key)
        if place is None:
            place = self._known[key] = Place()
            made = place
            self._pending.append(lambda: self._fill(made, parts, path))
        return place

    def _fill(self, place: Place, parts: list[JsonObject], path: str) -> None:
        for part in parts:
            self._fill_scalars(place, part, path)
            if place.each is None and isinstance(part.get("items"), dict):
                inner = self._parts(part["items"])
                place.each = self._slot(self._place(inner, path), inner, path, is_optional=False)
            for keyword in _UNIONS:
                self._fill_branches(place, part.get(keyword, ()), path)
        self._fill_members(place, parts, path)

    def _fill_scalars(self, place: Place, part: JsonObject, path: str) -> None:
        types = [each for each in _types(part) if each != "null"]
        if "array" in types:
            least, most = part.get("minItems", 0), part.get("maxItems")
            sizes = [
                (size, word)
                for size, word in enumerate(("none", "one", "many"))
                if (least <= size or size == _FEW) and (most is None or size <= most)
            ]
            if len(sizes) > 1:
                found = {size: self._item(f"{path}#{word}") for size, word in sizes}
                place.sizes = (found.get(0, ""), found.get(1, ""), found.get(_FEW, ""))
        values = [each for each in part.get("enum", ()) if each is not None]
        if types == ["boolean"] and not values and "const" not in part:
            values = [True, False]
        if len(values) > 1:
            for value in values:
                place.values[type(value).__name__, value] = self._item(f"{path}={_said(value)}")
        elif len(types) > 1:
            place.types = {each: self._item(f"{path}:{each}") for each in types}

    def _fill_branches(self, place: Place, union: Sequence[Json], path: str) -> None:
        told = [(each, branch_of(each, self._resolve)) for each in union]
        told = [(each, branch) for each, branch in told if branch.types != ("null",)]
        labels = _labels([branch for _, branch in told])
        for (each, branch), label in zip(told, labels, strict=True):
            item = self._item(path + label) if label else ""
            inner = self._place(self._parts(each), item or path)
            place.branches.append((branch, item, inner))

    def _fill_members(self, place: Place, parts: list[JsonObject], path: str) -> None:
        required = {name for part in parts for name in part.get("required", ())}
        schemas: dict[str, list[JsonObject]] = {}
        for part in parts:
            for name, schema in part.get("properties", {}).items():
                if schema is not False:
                    schemas.setdefault(name, []).extend(self._parts(schema))
            others = part.get("additionalProperties")
            if isinstance(others, dict):
                place.others = self._place(self._parts(others), path)
        for name, inner in schemas.items():
            at = f"{path}/{name}"
            below = self._place(inner, at)
            is_optional = name not in required
            if is_optional:
                place.absents.append((name, self._item(f"{at}#absent")))
            place.members[name] = self._slot(below, inner, at, is_optional=is_optional)

    def _slot(self, place: Place, parts: list[JsonObject], path: str, *, is_optional: bool) -> Slot:
        is_nullable = all(map(self._admits_null, parts)) and bool(parts)
        is_null = any(branch_of(part, self._resolve).types == ("null",) for part in parts)
        has_null = is_nullable and (is_optional or not is_null)
        states = (is_optional + is_nullable) * (not is_null)
        return Slot(
            place=place,
            null=self._item(f"{path}#null") if has_null else "",
            given=self._item(f"{path}#given") if states else "",
        )

    def _admits_null(self, part: JsonObject) -> bool:
        branch = branch_of(part, self._resolve)
        if branch.literals is not None:
            return None in branch.literals
        is_told = not _SAYS.isdisjoint(part)
        return is_told and "null" in branch.types and self._names_null(part)

    def _names_null(self, part: JsonObject) -> bool:
        """Say whether null is among what is allowed by name: where no type is said, it is no state."""
        if "type" in part or "enum" in part:
            return "null" in _types(part) or None in part.get("enum", ())
        return any(
            self._admits_null(inner)
            for keyword in _UNIONS
            for each in part.get(keyword, ())
            for inner in self._parts(each)
        )

    def _parts(self, schema: Json) -> list[JsonObject]:
        """Return the schemas that say something of the same value; references are followed."""
        return list(self._same_value(schema, []))

    def _same_value(self, schema: Json, seen: list[str]) -> Iterator[JsonObject]:
        if not isinstance(schema, dict):
            return
        if not _SAYS.isdisjoint(schema):
            yield schema
        reference = schema.get("$ref")
        if isinstance(reference, str) and reference not in seen:
            yield from self._same_value(self._resolve(reference), [*seen, reference])
        for part in schema.get("allOf", ()):
            yield from self._same_value(part, seen)

    def _resolve(self, reference: str) -> Json:
        uri, _, fragment = reference.partition("#")
        return value_at(self._documents[uri], tokens_of(fragment))

    def _item(self, item_id: str) -> str:
        """Take note of an item; one whose name is taken gets a number."""
        count = self._taken[item_id] = self._taken.get(item_id, 0) + 1
        named = item_id if count == 1 else f"{item_id} ({count})"
        self.ids.append(named)
        return named


def _uri(document: JsonView, base: str, name: str) -> str:
    return str(document.get("$id", urljoin(base, f"{name}.json")))


def _types(part: JsonView) -> list[str]:
    types = part.get("type", [])
    return [types] if isinstance(types, str) else list(types)


def _said(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _labels(branches: Sequence[Branch]) -> list[str]:
    """Return what tells each branch from the others: a tag, else its type, else its number."""
    if len(branches) < _FEW:
        return [""] * len(branches)
    labels = [_label(branch, branches) for branch in branches]
    return [
        label if labels.count(label) == 1 and label else f":{number}"
        for number, label in enumerate(labels, 1)
    ]


def _label(branch: Branch, branches: Sequence[Branch]) -> str:
    others = [other for other in branches if other is not branch]
    for tag, values in branch.tags.items():
        taken = {value for other in others for value in other.tags.get(tag, ())}
        if len(values) == 1 and values[0] not in taken:
            return f"={values[0]}"
    types = [each for each in branch.types if each != "null"]
    return f":{types[0]}" if len(types) == 1 else ""
