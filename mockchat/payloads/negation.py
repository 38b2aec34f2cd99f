"""What `not` means, said positively: the ways a value can fail a schema, each as a schema.

A value drawn along one of them fails by construction, so that nothing has to be thrown away. Where
a keyword has no positive opposite (`uniqueItems`, `pattern`), the way is {"not": {keyword: …}} with
just that keyword, which a generator has to test for.
"""

from collections.abc import Callable, Sequence
from operator import itemgetter

from mockchat.payloads.vocabulary import HINTS, TYPES
from mockchat.types import Json, JsonObject, JsonView

_UNTOLD = "mockchat: values are tested for this"

NO_INTEGER = {"multipleOf": 1}
"""What `not` refuses where a number must have a fraction."""

_TESTED = frozenset(
    {
        "enum",
        "const",
        "multipleOf",
        "pattern",
        "uniqueItems",
        "additionalProperties",
        "patternProperties",
        "propertyNames",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
"""Keywords that values can fail, though not along a drawing rule."""

_TYPE_OF = {keyword: name for name, keywords in HINTS.items() for keyword in keywords}


def ways_to_fail(schema: JsonView, targets: Sequence[Json] = ()) -> list[Json]:
    """Return schemas of which a value satisfies at least one exactly when it fails `schema`.

    Args:
        schema: What is to be failed.
        targets: What its references lead to.
    """
    ways: list[Json] = [{"not": target} for target in targets]
    for keyword, value in _sorted(schema):
        if keyword in _OPPOSITES:
            ways.extend(_OPPOSITES[keyword](value, schema))
        elif keyword in _TESTED:
            ways.append(_untold(schema, keyword))
    return ways or [False]


def _sorted(members: JsonView) -> list[tuple[str, Json]]:
    """Return the members in an order that does not depend on how they were written down."""
    return sorted(members.items(), key=itemgetter(0))


def is_untold(schema: JsonView) -> bool:
    """Tell whether `schema` is a way to fail that has no positive form: values must be tested."""
    return schema.get("$comment") == _UNTOLD


def _untold(schema: JsonView, keyword: str) -> JsonObject:
    """Return the `not` of one keyword, with the neighbours that give it its meaning."""
    refused = {keyword: schema[keyword]}
    made: JsonObject = {"not": refused, "$comment": _UNTOLD}
    if keyword in _TYPE_OF:
        made["type"] = _TYPE_OF[keyword]
    if keyword == "additionalProperties":
        beside = ("properties", "patternProperties")
        refused |= {name: schema[name] for name in beside if name in schema}
        made["minProperties"] = 1
    if keyword == "propertyNames":
        made["minProperties"] = 1
    if keyword.startswith("unevaluated"):
        made["not"] = schema  # what counts as evaluated is said by all the rest
    return made


def _type(value: Json, _: JsonView) -> list[Json]:
    named = {value} if isinstance(value, str) else set(value)
    if "number" in named:
        named.add("integer")
    others = [name for name in TYPES if name not in named and name != "integer"]
    if "integer" in named and "number" not in named:
        others.remove("number")
        return [{"type": others}, {"type": "number", "not": NO_INTEGER, "$comment": _UNTOLD}]
    return [{"type": others}] if others else []


def _limit(opposite: str) -> Callable[[Json, JsonView], list[Json]]:
    return lambda value, _: [{"type": "number", opposite: value}]


def _at_least(type_: str, opposite: str) -> Callable[[Json, JsonView], list[Json]]:
    return lambda value, _: [{"type": type_, opposite: value - 1}] if value >= 1 else []


def _at_most(type_: str, opposite: str) -> Callable[[Json, JsonView], list[Json]]:
    return lambda value, _: [{"type": type_, opposite: value + 1}]


def _required(value: Json, _: JsonView) -> list[Json]:
    return [{"type": "object", "properties": {name: False}} for name in value]


def _properties(value: Json, _: JsonView) -> list[Json]:
    return [
        {"type": "object", "required": [name], "properties": {name: {"not": each}}}
        for name, each in _sorted(value)
        if each is not True
    ]


def _dependent_required(value: Json, _: JsonView) -> list[Json]:
    return [
        {"type": "object", "required": [name], "properties": {other: False}}
        for name, others in _sorted(value)
        for other in others
    ]


def _dependent_schemas(value: Json, _: JsonView) -> list[Json]:
    return [{"type": "object", "required": [name], "not": each} for name, each in _sorted(value)]


def _items(value: Json, schema: JsonView) -> list[Json]:
    if value is True:
        return []
    tuple_part = schema.get("prefixItems", [])
    return [
        {
            "type": "array",
            "minItems": len(tuple_part) + 1,
            "prefixItems": [*[True] * len(tuple_part), {"not": value}],
        }
    ]


def _prefix_items(value: Json, _: JsonView) -> list[Json]:
    return [
        {
            "type": "array",
            "minItems": position + 1,
            "prefixItems": [*[True] * position, {"not": each}],
        }
        for position, each in enumerate(value)
        if each is not True
    ]


def _contains(value: Json, schema: JsonView) -> list[Json]:
    least = schema.get("minContains", 1)
    ways: list[Json] = []
    if least == 1:
        ways.append({"type": "array", "items": {"not": value}})
    elif least > 1:
        ways.append(
            {"type": "array", "contains": value, "minContains": 0, "maxContains": least - 1}
        )
    if "maxContains" in schema:
        most = schema["maxContains"]
        ways.append({"type": "array", "contains": value, "minContains": most + 1})
    return ways


def _all_of(value: Json, _: JsonView) -> list[Json]:
    return [{"not": each} for each in value]


def _any_of(value: Json, _: JsonView) -> list[Json]:
    return [{"allOf": [{"not": each} for each in value]}]


def _one_of(value: Json, _: JsonView) -> list[Json]:
    ways: list[Json] = [{"allOf": [{"not": each} for each in value]}]
    ways.extend(
        {"allOf": [first, second]}
        for position, first in enumerate(value)
        for second in value[position + 1 :]
    )
    return ways


def _not(value: Json, _: JsonView) -> list[Json]:
    return [value]


def _if(value: Json, schema: JsonView) -> list[Json]:
    return [
        {"allOf": [condition, {"not": schema[branch]}]}
        for condition, branch in ((value, "then"), ({"not": value}, "else"))
        if branch in schema
    ]


_OPPOSITES: dict[str, Callable[[Json, JsonView], list[Json]]] = {
    "type": _type,
    "minimum": _limit("exclusiveMaximum"),
    "maximum": _limit("exclusiveMinimum"),
    "exclusiveMinimum": _limit("maximum"),
    "exclusiveMaximum": _limit("minimum"),
    "minLength": _at_least("string", "maxLength"),
    "maxLength": _at_most("string", "minLength"),
    "minItems": _at_least("array", "maxItems"),
    "maxItems": _at_most("array", "minItems"),
    "minProperties": _at_least("object", "maxProperties"),
    "maxProperties": _at_most("object", "minProperties"),
    "required": _required,
    "properties": _properties,
    "dependentRequired": _dependent_required,
    "dependentSchemas": _dependent_schemas,
    "items": _items,
    "prefixItems": _prefix_items,
    "contains": _contains,
    "allOf": _all_of,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "not": _not,
    "if": _if,
}
