"""The keywords that are judged our way: exact places, no quoting of values, unions explained.

Each function has the shape `jsonschema` asks of a keyword: it yields an error per fault. The texts
of these errors are not used; `validation` words them. Verdicts are those of the stock validator,
but for two decisions: a `pattern` means what it means in ECMA 262 (`patterns`), and an integer is
written as one, so 1.0 is none.
"""

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from jsonschema import ValidationError

from mockchat.contract.patterns import is_found
from mockchat.contract.unions import json_type
from mockchat.types import Json

try:
    from jsonschema._utils import find_evaluated_item_indexes_by_schema as _evaluated_items
    from jsonschema._utils import find_evaluated_property_keys_by_schema as _evaluated_keys
except ImportError:
    # They are private: where they have moved, the stock keywords judge, and faults are told of the
    # whole object or array.
    CAN_TELL_EVALUATED = False
else:
    CAN_TELL_EVALUATED = True

Errors = Iterator[ValidationError]
Keyword = Callable[[Any, Any, Any, Any], Errors]


def fault(
    keyword: str, expected: Json, instance: Json, *, at: tuple[str | int, ...] = ()
) -> ValidationError:
    """Return the error of `keyword` at a member of the value being judged, `at` steps below it."""
    return ValidationError(
        "", validator=keyword, validator_value=expected, instance=instance, path=at
    )


def json_equal(one: Json, other: Json) -> bool:
    """Say whether two values are the same JSON: true is not 1, 1 is 1.0."""
    if isinstance(one, str) or isinstance(other, str):
        return bool(one == other)
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(json_equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(json_equal, one, other))
    return bool(one == other)


def _hashable(value: Json) -> object:
    """Return a value that equals another exactly where the two are the same JSON."""
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, Mapping):
        return frozenset((name, _hashable(member)) for name, member in value.items())
    if isinstance(value, list | tuple):
        return tuple(map(_hashable, value))
    return value


def is_json_type(value: Json, name: str) -> bool:
    """Say whether `value` is of the JSON Schema type `name` as the wire writes it."""
    is_type = json_type(value)
    return is_type == name or (name == "number" and is_type == "integer")


def type_(validator: Any, types: Any, instance: Any, _schema: Any) -> Errors:
    """Judge `type`."""
    names = [types] if isinstance(types, str) else types
    if not any(validator.is_type(instance, name) for name in names):
        yield fault("type", types, instance)


def _has_type(validator: Any, instance: Any, schema: Any) -> bool:
    """Say whether `type` beside a list of values leaves something to add to its own fault."""
    types = schema.get("type")
    names = [types] if isinstance(types, str) else types
    return names is None or any(validator.is_type(instance, name) for name in names)


def _is_listed(instance: Any, values: Any) -> bool:
    # Python's own equality finds at least as many, and in no time.
    alike = [value for value in values if value == instance]
    return any(json_equal(value, instance) for value in alike)


def enum(validator: Any, values: Any, instance: Any, schema: Any) -> Errors:
    """Judge `enum`."""
    if not _is_listed(instance, values) and _has_type(validator, instance, schema):
        yield fault("enum", values, instance)


def const(validator: Any, value: Any, instance: Any, schema: Any) -> Errors:
    """Judge `const`."""
    if _has_type(validator, instance, schema) and not json_equal(value, instance):
        yield fault("const", value, instance)


def _number_keyword(keyword: str, is_broken: Callable[[Any, Any], bool]) -> Keyword:
    def judge(validator: Any, limit: Any, instance: Any, _schema: Any) -> Errors:
        if validator.is_type(instance, "number") and is_broken(instance, limit):
            yield fault(keyword, limit, instance)

    return judge


def _size_keyword(keyword: str, type_name: str, *, is_least: bool) -> Keyword:
    def judge(validator: Any, limit: Any, instance: Any, _schema: Any) -> Errors:
        if not validator.is_type(instance, type_name):
            return
        if len(instance) < limit if is_least else len(instance) > limit:
            yield fault(keyword, limit, instance)

    return judge


def _is_no_multiple(value: Any, step: Any) -> bool:
    if not isinstance(step, float):
        return bool(value % step)
    try:
        quotient = value / step
        return bool(int(quotient) != quotient)
    except OverflowError:
        return (Fraction(value) / Fraction(step)).denominator != 1


def pattern(validator: Any, text: Any, instance: Any, _schema: Any) -> Errors:
    """Judge `pattern`."""
    if validator.is_type(instance, "string") and not is_found(text, instance):
        yield fault("pattern", text, instance)


def unique_items(validator: Any, is_asked: Any, instance: Any, _schema: Any) -> Errors:
    """Judge `uniqueItems`."""
    is_judged = is_asked and validator.is_type(instance, "array")
    if is_judged and len(set(map(_hashable, instance))) < len(instance):
        yield fault("uniqueItems", is_asked, instance)


def items(validator: Any, each: Any, instance: Any, schema: Any) -> Errors:
    """Judge `items` of draft 2020-12: what stands behind `prefixItems`."""
    if not validator.is_type(instance, "array"):
        return
    for index in range(len(schema.get("prefixItems", ())), len(instance)):
        if each is False:
            yield fault("items", each, instance[index], at=(index,))
        else:
            yield from validator.descend(instance[index], each, path=index)


def contains(validator: Any, wanted: Any, instance: Any, schema: Any) -> Errors:
    """Judge `contains` with `minContains` and `maxContains`."""
    if not validator.is_type(instance, "array"):
        return
    least, most = schema.get("minContains", 1), schema.get("maxContains", len(instance))
    matching = validator.evolve(schema=wanted)
    count = sum(matching.is_valid(item) for item in instance)
    if count < least:
        yield fault("minContains" if "minContains" in schema else "contains", least, instance)
    elif count > most:
        yield fault("maxContains", most, instance)


def required(validator: Any, names: Any, instance: Any, _schema: Any) -> Errors:
    """Judge `required`: an error at each missing member."""
    if validator.is_type(instance, "object"):
        for name in names:
            if name not in instance:
                yield fault("required", names, None, at=(name,))


def dependent_required(validator: Any, wanted: Any, instance: Any, _schema: Any) -> Errors:
    """Judge `dependentRequired`: an error at each missing member."""
    if validator.is_type(instance, "object"):
        for name, names in wanted.items():
            if name in instance:
                for missing in names:
                    if missing not in instance:
                        yield fault("dependentRequired", {name: names}, None, at=(missing,))


def property_names(validator: Any, names: Any, instance: Any, _schema: Any) -> Errors:
    """Judge `propertyNames`: errors at the member whose name is at fault."""
    if validator.is_type(instance, "object"):
        for name in instance:
            for error in validator.descend(name, names):
                error.path.clear()
                error.path.append(name)
                error.is_of_name = True
                yield error


def pattern_properties(validator: Any, patterns: Any, instance: Any, _schema: Any) -> Errors:
    """Judge `patternProperties`."""
    if validator.is_type(instance, "object"):
        for text, member in patterns.items():
            for name, value in instance.items():
                if is_found(text, name, untold=False):
                    yield from validator.descend(value, member, path=name, schema_path=text)


def additional_properties(validator: Any, others: Any, instance: Any, schema: Any) -> Errors:
    """Judge `additionalProperties`: an error at each unknown member."""
    if not validator.is_type(instance, "object"):
        return
    known = schema.get("properties", {})
    patterns = schema.get("patternProperties", ())
    for name, value in instance.items():
        if name in known or any(is_found(text, name) for text in patterns):
            continue
        if others is False:
            yield fault("additionalProperties", sorted(known), value, at=(name,))
        else:
            yield from validator.descend(value, others, path=name)


def unevaluated_properties(validator: Any, others: Any, instance: Any, schema: Any) -> Errors:
    """Judge `unevaluatedProperties`: an error at each member nothing else looked at."""
    if not validator.is_type(instance, "object"):
        return
    evaluated = _evaluated_keys(validator, instance, schema)
    for name, value in instance.items():
        if name in evaluated:
            continue
        if others is False:
            yield fault("unevaluatedProperties", others, value, at=(name,))
        else:
            yield from validator.descend(value, others, path=name)


def unevaluated_items(validator: Any, others: Any, instance: Any, schema: Any) -> Errors:
    """Judge `unevaluatedItems`: an error at each item nothing else looked at."""
    if not validator.is_type(instance, "array"):
        return
    evaluated = _evaluated_items(validator, instance, schema)
    for index, value in enumerate(instance):
        if index in evaluated:
            continue
        if others is False:
            yield fault("unevaluatedItems", others, value, at=(index,))
        else:
            yield from validator.descend(value, others, path=index)


def false(_validator: Any, _false: Any, instance: Any, _schema: Any) -> Errors:
    """Refuse: what the schema `false` does."""
    yield fault("false", False, instance)


def not_(validator: Any, refused: Any, instance: Any, _schema: Any) -> Errors:
    """Judge `not`."""
    if validator.evolve(schema=refused).is_valid(instance):
        yield fault("not", refused, instance)


ANY_DRAFT: dict[str, Keyword] = {
    "type": type_,
    "enum": enum,
    "pattern": pattern,
    "uniqueItems": unique_items,
    "required": required,
    "patternProperties": pattern_properties,
    "additionalProperties": additional_properties,
    "multipleOf": _number_keyword("multipleOf", _is_no_multiple),
    "minLength": _size_keyword("minLength", "string", is_least=True),
    "maxLength": _size_keyword("maxLength", "string", is_least=False),
    "minItems": _size_keyword("minItems", "array", is_least=True),
    "maxItems": _size_keyword("maxItems", "array", is_least=False),
    "minProperties": _size_keyword("minProperties", "object", is_least=True),
    "maxProperties": _size_keyword("maxProperties", "object", is_least=False),
    "not": not_,
}
"""Keywords that mean the same in every draft from 4 on."""

NEWEST_DRAFT: dict[str, Keyword] = {
    **ANY_DRAFT,
    "const": const,
    "minimum": _number_keyword("minimum", lambda value, limit: value < limit),
    "maximum": _number_keyword("maximum", lambda value, limit: value > limit),
    "exclusiveMinimum": _number_keyword("exclusiveMinimum", lambda value, limit: value <= limit),
    "exclusiveMaximum": _number_keyword("exclusiveMaximum", lambda value, limit: value >= limit),
    "items": items,
    "contains": contains,
    "dependentRequired": dependent_required,
    "propertyNames": property_names,
}
"""Keywords as draft 2020-12 reads them."""

if CAN_TELL_EVALUATED:
    NEWEST_DRAFT["unevaluatedProperties"] = unevaluated_properties
    NEWEST_DRAFT["unevaluatedItems"] = unevaluated_items
