"""A profile's documents as the table of a reference page: one row a field.

A row is what the schema says of the field: `type` (null left out), `required` (True, False, or the
tags of the union's branches that require it), `null` where null is allowed, `closed` where other
members are refused, and the JSON Schema keywords as they are. Branches of a union are one row:
pages write them so.
"""

import re

from profile_differences import said

from mockchat.contract.profile import load_profile

TAG = re.compile(r"<([^<>]*)>")


def field(type_, *, required=False, **says):
    """Return the row of a field as a page writes it."""
    return {"type": type_, "required": required, **says}


def fields(profile, document, level="observed"):
    """Return {field: row} of a document; "" is the document itself."""
    table = said(load_profile(profile), document, level)
    properties = load_profile(profile).document(document, level)["properties"]
    places = sorted({place for place, _ in table})
    rows = {}
    for place in places:
        row = {keyword: value for (at, keyword), value in table.items() if at == place}
        row.pop("required", None)
        _add(rows.setdefault(TAG.sub("", place), {}), row)
    for name, row in rows.items():
        types = row.pop("type")
        row["type"] = ", ".join(kind for kind in types if kind != "null")
        if "null" in types:
            row["null"] = True
        if row.get("closed") is False:
            del row["closed"]
        row["required"] = _required(table, name)
        # `facts` takes a default of false for none.
        if properties.get(name[1:], {}).get("default") is False:
            row["default"] = False
    return rows


def with_beyond(page, beyond):
    """Return the rows of a page, with what the schema says beyond it: more of a row, more rows."""
    return {name: {**page.get(name, {}), **beyond.get(name, {})} for name in [*page, *beyond]}


def _add(row, more):
    for keyword, value in more.items():
        if keyword in {"type", "enum"}:
            row[keyword] = sorted({*row.get(keyword, []), *value})
        elif keyword == "closed":
            row[keyword] = row.get(keyword, False) or value
        else:
            assert row.get(keyword, value) == value, keyword
            row[keyword] = value


def _required(table, name):
    parent, _, member = name.rpartition(".")
    if not member or member.endswith(("[]", "{}")):
        return False
    asked = {
        tuple(TAG.findall(place))[-1:]: member in value
        for (place, keyword), value in table.items()
        if keyword == "required" and TAG.sub("", place) == parent
    }
    if all(asked.values()):
        return bool(asked)
    return sorted(tag[0] for tag, is_asked in asked.items() if is_asked) or False
