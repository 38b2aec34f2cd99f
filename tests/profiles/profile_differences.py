"""What a profile's documents say otherwise than its parent's: computed, and as `profile.json` lists it.

A row of `differences` has documents, places, keywords and the reason. A place may have `*` for
anything; it is a path as `schema_facts.facts` writes it, "" for the document itself. Keywords are
those of JSON Schema, and `member` for a place only one of the two profiles knows. Of `openapi` a
place is an operation ("POST /chat/completions"), with a parameter behind it in brackets.
"""

import re
from typing import NamedTuple

from schema_facts import facts
from schema_walk import resolve

from mockchat.contract.profile import LEVELS, load_profile

METHODS = ("get", "post", "put", "delete", "patch")
EXAMPLES = "known"
"""Examples of an open list are no facts of a document: which models there are says `profile.json`."""


class Difference(NamedTuple):
    """One place that two profiles tell otherwise."""

    document: str
    place: str
    keyword: str


def differences(name):
    """Return all that the profile `name` tells otherwise than its parent, at either level."""
    child = load_profile(name)
    parent = load_profile(child.extends)
    return {found for level in LEVELS for found in _at_level(child, parent, level)}


def listed(name):
    """Return what `profile.json` lists, each as a row for one document, place and keyword."""
    return [
        (Difference(document, place, keyword), row["reason"])
        for row in load_profile(name).settings["differences"]
        for document in row["documents"]
        for place in row["places"]
        for keyword in row["keywords"]
    ]


def covers(row, difference):
    """Say whether a listed row is about a difference."""
    pattern = ".*".join(re.escape(part) for part in row.place.split("*"))
    is_there = (row.document, row.keyword) == (difference.document, difference.keyword)
    return is_there and re.fullmatch(pattern, difference.place) is not None


def said(profile, document, level="observed"):
    """Return all that a document of a profile says, by place and keyword."""
    documents = profile.levels[level]
    whole = {key: _with_homes(body, key) for key, body in documents.items() if "$id" in body}
    table = facts(whole[document], lambda schema: resolve(whole, document, schema["$ref"])[1])
    return {at: value for at, value in table.items() if at[1] != EXAMPLES}


def operations(profile):
    """Return the operations and parameters of a profile's `openapi`, as `said` does a document."""
    document = profile.documents["openapi"]
    table = {}
    for path, item in document["paths"].items():
        for method in METHODS & item.keys():
            at = f"{method.upper()} {path}"
            table[at, "type"] = "operation"
            for parameter in [*item.get("parameters", []), *item[method].get("parameters", [])]:
                own = parameter
                while "$ref" in own:
                    own = resolve({"openapi": document}, "openapi", own["$ref"])[1]
                table[f"{at}[{own['in']} {own['name']}]", "required"] = own.get("required", False)
    return table


def official(schemas, name):
    """Return all that a schema of an official document says, as `said` does one of ours."""
    table = facts(schemas[name], lambda schema: schemas[schema["$ref"].rpartition("/")[2]])
    return {at: value for at, value in table.items() if at[1] != EXAMPLES}


def between(one, other):
    """Yield place and keyword where two tables differ; a place only one has counts once."""
    places = [{place for place, _ in table} for table in (one, other)]
    shared, lone = places[0] & places[1], places[0] ^ places[1]
    for place, keyword in one.keys() | other.keys():
        if place in shared:
            values = [table.get((place, keyword), ...) for table in (one, other)]
            # 1 and 1.0 and True are told apart.
            if repr(values[0]) != repr(values[1]):
                yield place, keyword
        elif not any(_is_inside(place, top) for top in lone):
            yield place, "member"


def _at_level(child, parent, level):
    for document in child.levels[level].keys() | parent.levels[level].keys():
        has = [document in profile.documents for profile in (child, parent)]
        if not all(has):
            yield Difference(document, "", "member")
            continue
        for place, keyword in between(*(_told(each, document, level) for each in (child, parent))):
            yield Difference(document, place, keyword)


def _told(profile, document, level):
    return operations(profile) if document == "openapi" else said(profile, document, level)


def _is_inside(place, top):
    return place != top and place.startswith(top) and place[len(top)] in ".[{<"


def _with_homes(part, home):
    """Write every reference with its file, so that it can be followed from anywhere."""
    if isinstance(part, list):
        return [_with_homes(inner, home) for inner in part]
    if not isinstance(part, dict):
        return part
    copy = {key: _with_homes(inner, home) for key, inner in part.items()}
    if isinstance(copy.get("$ref"), str) and copy["$ref"].startswith("#"):
        copy["$ref"] = f"{home}.json{copy['$ref']}"
    return copy
