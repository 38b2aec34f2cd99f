"""Which members of a document a value uses; the walks themselves are the package's."""

from collections.abc import Mapping

from mockchat.contract.schema_walk import resolve, walk, walk_document

__all__ = ["resolve", "used_properties", "walk", "walk_document"]

JsonObject = dict


def used_properties(
    documents: Mapping[str, JsonObject], document: str, value: object
) -> set[tuple[str, str]]:
    """Return which properties of which documents `value` has, as (document, schema pointer).

    A union counts every branch whose tags are the value's: the walk is generous only where
    branches without tags name the same members.
    """
    used: set[tuple[str, str]] = set()
    pending = [((document, ""), documents[document], value)]
    while pending:
        place, schema, part = pending.pop()
        if not isinstance(schema, dict):
            continue
        members = list(_members(place, schema, part))
        used |= {at for at, _, _ in members}
        pending += [
            *members,
            *_same_value(documents, place, schema, part),
            *_rest(place, schema, part),
        ]
    return used


def _members(place, schema, value):
    """Yield the value's members that the schema names."""
    home, pointer = place
    for name, inner in schema.get("properties", {}).items():
        if isinstance(value, dict) and name in value:
            yield (home, f"{pointer}/properties/{_escaped(name)}"), inner, value[name]


def _rest(place, schema, value):
    """Yield the value's items, and the members that the schema does not name."""
    home, pointer = place
    if isinstance(value, dict):
        for name in value.keys() - schema.get("properties", {}).keys():
            more = schema.get("additionalProperties")
            yield (home, f"{pointer}/additionalProperties"), more, value[name]
    elif isinstance(value, list):
        for item in value:
            yield (home, f"{pointer}/items"), schema.get("items"), item


def _same_value(documents, place, schema, value):
    """Yield what else is asked of the value: a reference's target, the branch it is meant for."""
    home, pointer = place
    if "$ref" in schema:
        name, target = resolve(documents, home, schema["$ref"])
        yield (name, schema["$ref"].partition("#")[2]), target, value
    for index, branch in enumerate(schema.get("oneOf", [])):
        if _is_meant(documents, home, branch, value):
            yield (home, f"{pointer}/oneOf/{index}"), branch, value


def _is_meant(documents, home, branch, value):
    """Say whether a branch's tags (its `const` members) are those of `value`."""
    while "$ref" in branch:
        home, branch = resolve(documents, home, branch["$ref"])
    if not isinstance(value, dict):
        return True
    return all(
        value.get(name) == inner["const"]
        for name, inner in branch.get("properties", {}).items()
        if "const" in inner
    )


def _escaped(name):
    return name.replace("~", "~0").replace("/", "~1")
