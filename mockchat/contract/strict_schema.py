"""The subset of JSON Schema that `strict: true` allows, for function parameters and json_schema.

The root is an object and no union; every object lists all its properties as required and allows no
others; a list of keywords is refused; sizes are bounded. Keywords and limits are the profile's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mockchat.contract.pointers import pointer_of
from mockchat.contract.rules import LIST_OF_TEXT, closed
from mockchat.types import Json, JsonView

_MANY_VALUES = 250
"""An enum with more values than this has its text counted on its own."""


def strict_problems(schema: JsonView, limits: JsonView) -> tuple[tuple[str, str], ...]:
    """Return why `schema` is outside the subset, as (pointer, reason); () where it is inside.

    Args:
        schema: A JSON Schema; that it is one has been checked.
        limits: `refused_keywords`, and the bounds `properties`, `depth`, `enum_values`, `text` and
            `long_enum_text`.
    """
    return tuple(_root_problems(schema)) or tuple(_problems(schema, limits))


def _root_problems(schema: JsonView) -> Iterator[tuple[str, str]]:
    if "anyOf" in schema:
        yield "", "'anyOf' is not permitted at the top level."
    elif schema.get("type") != "object":
        kind = schema.get("type")
        yield "", f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{kind}\"'."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A step down from another place: a whole path is only written out where there is a fault."""

    above: "_Place | None"
    step: tuple[str, ...]


def _pointer(place: _Place | None) -> str:
    steps: list[tuple[str, ...]] = []
    while place is not None:
        steps.append(place.step)
        place = place.above
    return pointer_of(token for step in reversed(steps) for token in step)


@dataclass(slots=True)
class _Sizes:
    properties: int = 0
    depth: int = 0
    enum_values: int = 0
    text: int = 0
    long_enum_text: int = 0

    def count(self, schema: JsonView, depth: int) -> None:
        properties = schema.get("properties", {})
        values = [*schema.get("enum", ()), *([schema["const"]] if "const" in schema else ())]
        text = sum(len(value) for value in values if isinstance(value, str))
        self.properties += len(properties)
        self.depth = max(self.depth, depth)
        self.enum_values += len(values)
        self.text += text + sum(map(len, properties)) + sum(map(len, schema.get("$defs", ())))
        if len(values) > _MANY_VALUES:
            self.long_enum_text = max(self.long_enum_text, text)


def _problems(root: JsonView, limits: JsonView) -> Iterator[tuple[str, str]]:
    sizes = _Sizes()
    pending: list[tuple[_Place | None, Json, int]] = [(None, root, 0)]
    while pending:
        place, schema, depth = pending.pop()
        if not isinstance(schema, Mapping):
            continue
        is_object = "object" in _types(schema) or "properties" in schema
        depth += is_object
        sizes.count(schema, depth)
        for reason in _own_problems(schema, limits, is_object=is_object):
            yield _pointer(place), reason
        # Reversed, so that faults come in the order of the document.
        pending += reversed(
            [(_Place(above=place, step=step), part, depth) for step, part in _parts(schema)]
        )
    for name, text in _LIMITS.items():
        size = getattr(sizes, name)
        if size > limits[name]:
            yield "", text.format(size=size, limit=limits[name])


_LIMITS = {
    "properties": "{size} properties exceed the limit of {limit}.",
    "depth": "{size} levels of nesting exceeds limit of {limit}.",
    "enum_values": "{size} enum values exceed the limit of {limit}.",
    "text": "{size} characters of names and values exceed the limit of {limit}.",
    "long_enum_text": "{size} characters in one long enum exceed the limit of {limit}.",
}

STRICT_LIMITS = closed(
    {"refused_keywords": LIST_OF_TEXT}
    | {name: {"type": "integer", "minimum": 0} for name in _LIMITS},
    "refused_keywords",
    *_LIMITS,
)
"""The JSON Schema of `limits`: the parameters of the rules that ask for the subset."""


def _types(schema: JsonView) -> tuple[str, ...]:
    types = schema.get("type", ())
    return (types,) if isinstance(types, str) else tuple(types)


def _own_problems(schema: JsonView, limits: JsonView, *, is_object: bool) -> Iterator[str]:
    for keyword in limits["refused_keywords"]:
        if keyword in schema:
            yield f"'{keyword}' is not permitted."
    if is_object:
        yield from _object_problems(schema)
    yield from _union_problems(schema)


def _object_problems(schema: JsonView) -> Iterator[str]:
    if schema.get("additionalProperties") is not False:
        yield "'additionalProperties' is required to be supplied and to be false."
    required = schema.get("required", ())
    missing = [name for name in schema.get("properties", {}) if name not in required]
    if missing:
        wanted = "to be an array including every key in properties"
        yield f"'required' is required to be supplied and {wanted}. Missing '{missing[0]}'."


def _union_problems(schema: JsonView) -> Iterator[str]:
    firsts: list[tuple[str, Json]] = []
    for branch in schema.get("anyOf", ()):
        properties = branch.get("properties") if isinstance(branch, Mapping) else None
        if not properties:
            continue
        first = next(iter(properties.items()))
        if first in firsts:
            yield f"objects in 'anyOf' share the first key '{first[0]}'."
            return
        firsts.append(first)


def _parts(schema: JsonView) -> Iterator[tuple[tuple[str, ...], Json]]:
    for keyword in ("properties", "$defs", "definitions"):
        for name, part in schema.get(keyword, {}).items():
            yield (keyword, name), part
    if "items" in schema:
        yield ("items",), schema["items"]
    for index, part in enumerate(schema.get("anyOf", ())):
        yield ("anyOf", str(index)), part
