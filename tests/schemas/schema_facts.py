"""What a schema says, as a flat table: ("messages[]<user>.content[]<text>.text", "type") → value.

Two schemas that are written differently (references, `allOf`, `nullable`, `anyOf` for open enums)
but say the same give the same table, so that tables can be compared line by line.
"""

from collections.abc import Callable, Iterator

Resolve = Callable[[dict], dict]
Alternatives = list[dict]
Facts = dict[tuple[str, str], object]

PLAIN = (
    "default",
    "deprecated",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "pattern",
    "propertyNames",
)
TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}


def facts(schema: dict, resolve: Resolve) -> Facts:
    """Return everything `schema` says of the instances' places, keyed by place and keyword.

    Places: `.name` a member, `[]` an item, `{}` any other member, `<tag>` one branch of a union of
    objects, by the value of its tag. Keywords are those of JSON Schema, and `known` for the values
    an open list names (an `anyOf` of a string and an enum; `examples` in our documents).
    """
    return dict(_facts(schema, resolve, ""))


def _facts(schema: dict, resolve: Resolve, place: str) -> Iterator[tuple[tuple[str, str], object]]:
    alternatives = _alternatives(schema, resolve)
    yield (place, "type"), sorted({type_ for each in alternatives for type_ in each["type"]})
    yield from (((place, key), value) for key, value in _scalars(alternatives).items())
    yield from _listed_values(alternatives, place)
    arrays = [each for each in alternatives if "array" in each["type"] and "items" in each]
    if arrays:
        yield from _facts({"anyOf": [each["items"] for each in arrays]}, resolve, f"{place}[]")
    objects = [each for each in alternatives if "object" in each["type"]]
    for each in objects:
        tag = f"<{_tag(each, resolve)}>" if len(objects) > 1 else ""
        yield from _object_facts(each, resolve, place + tag)


def _object_facts(schema, resolve, place):
    yield (place, "required"), sorted(schema.get("required", []))
    more = schema.get("additionalProperties", True)
    yield (place, "closed"), more is False
    if isinstance(more, dict):
        yield from _facts(more, resolve, f"{place}{{}}")
    for name, member in schema.get("properties", {}).items():
        yield from _facts(member, resolve, f"{place}.{name}")


def _scalars(alternatives: Alternatives) -> dict[str, object]:
    found: dict[str, object] = {}
    for each in alternatives:
        for key in PLAIN:
            if key in each and each[key] is not False:
                found.setdefault(key, each[key])
    return found


def _listed_values(alternatives: Alternatives, place: str):
    texts = [each for each in alternatives if "string" in each["type"]]
    listed = sorted({value for each in texts for value in each.get("enum", ())})
    named = sorted({value for each in texts for value in each.get("examples", ())})
    is_open = any("enum" not in each for each in texts)
    if listed and not is_open:
        yield (place, "enum"), listed
    elif listed or named:
        yield (place, "known"), sorted({*listed, *named})


def _alternatives(schema: dict, resolve: Resolve) -> Alternatives:
    """Return the ways to satisfy `schema`, each one flat: no reference, no union, no `allOf`."""
    if "$ref" in schema:
        beside = {key: part for key, part in schema.items() if key not in {"$ref", "nullable"}}
        either = {"allOf": [resolve(schema), beside], "nullable": schema.get("nullable", False)}
        return _alternatives(either, resolve)
    rest = {key: part for key, part in schema.items() if key not in {"oneOf", "anyOf", "allOf"}}
    found = [_own(rest)]
    for part in schema.get("allOf", []):
        found = [_both(one, other) for one in found for other in _alternatives(part, resolve)]
    for keyword in ("oneOf", "anyOf"):
        branches = [
            each for part in schema.get(keyword, []) for each in _alternatives(part, resolve)
        ]
        if branches:
            found = [_both(other, one) for one in found for other in branches]
    found = [each for each in found if each["type"]]
    if rest.get("nullable"):
        found.append({"type": {"null"}})
    return found


def _own(schema: dict) -> dict:
    own = {key: part for key, part in schema.items() if key not in {"nullable", "description"}}
    if "const" in own:
        own["enum"] = [own.pop("const")]
    declared = own.get("type")
    if declared is None and "enum" in own:
        declared = [TYPES[type(value)] for value in own["enum"]]
    if declared is None and "properties" in own:
        declared = "object"  # the official document leaves the type of `Model` to be guessed
    anything = {*TYPES.values(), "array", "object"}
    types = {declared} if isinstance(declared, str) else set(declared or anything)
    return own | {"type": types}


def _both(one: dict, other: dict) -> dict:
    """Return the flat schema that asks what both ask; later keywords win where they differ."""
    both = one | other
    both["type"] = one["type"] & other["type"]
    if "required" in one and "required" in other:
        both["required"] = [*one["required"], *other["required"]]
    members = dict(one.get("properties", {}))
    for name, member in other.get("properties", {}).items():
        members[name] = {"allOf": [members[name], member]} if name in members else member
    if members:
        both["properties"] = members
    return both


def _tag(schema: dict, resolve: Resolve) -> str:
    for name in ("type", "role", "object"):
        if name in schema.get("properties", {}):
            for each in _alternatives(schema["properties"][name], resolve):
                if len(each.get("enum", ())) == 1:
                    return each["enum"][0]
    return "+".join(sorted(schema.get("required", []))) or "any"
