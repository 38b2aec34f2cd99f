"""Whether what a rule looks at exists: a member, a value of it, a capability of a model.

A site is written "request/messages/*/role=tool": the document, the path of a member (`*` for any
item), and a value where one is meant. "models/max_n" is a capability that some model has. Of sites
with " | " between them one is enough. A name in braces, "request/{names}", stands for each entry of
that parameter of the rule, all of which are asked for; without the parameter there is nothing to
ask.
"""

import json
import re
from collections.abc import Iterator

from mockchat.contract.keywords import is_json_type, json_equal
from mockchat.contract.pointers import pointer_of
from mockchat.contract.profile import Profile
from mockchat.contract.schema_walk import Documents, branches
from mockchat.types import Json, JsonObject, JsonView

OF_MODELS = "models/"
"""How a site begins that is a capability."""

_PARAMETER = re.compile(r"\{(\w+)\}")


def missing_sites(
    profile: Profile, looks_at: tuple[str, ...], parameters: JsonView
) -> Iterator[tuple[str, str]]:
    """Yield what a rule looks at and the profile lacks.

    Each comes with a pointer into the rule's parameters, to the entry that names what is not there;
    "" where that is all the rule looks at.

    Raises:
        LookupError: A reference of a document leads nowhere.
    """
    for sites in looks_at:
        filled = list(_filled(sites, parameters))
        missing = [(at, each) for at, each in filled if not _is_any_there(profile, each)]
        if filled and len(missing) == len(filled):
            yield "", missing[0][1] if len(missing) == 1 else sites
        else:
            yield from missing


def _is_any_there(profile: Profile, sites: str) -> bool:
    return any(_is_there(profile, site) for site in sites.split(" | "))


def _filled(sites: str, parameters: JsonView) -> Iterator[tuple[str, str]]:
    found = _PARAMETER.search(sites)
    if found is None:
        yield "", sites
        return
    name = found[1]
    entries: Json = parameters.get(name, ())
    for position, entry in enumerate(entries):
        step = entry if isinstance(entries, dict) else position
        yield pointer_of((name, step)), sites.replace(found[0], str(entry))


def _is_there(profile: Profile, site: str) -> bool:
    path, has_value, text = site.partition("=")
    value = _literal(text)
    document, *tokens = path.split("/")
    if path.startswith(OF_MODELS):
        (name,) = tokens
        known = [model.capabilities[name] for model in profile.models if name in model.capabilities]
        return any(json_equal(each, value) for each in known) if has_value else bool(known)
    documents = profile.documents
    if document not in documents:
        return False
    places = _places(documents, document, tokens)
    return any(_admits(schema, value) for schema in places) if has_value else bool(places)


def _literal(text: str) -> Json:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _places(documents: Documents, document: str, tokens: list[str]) -> list[JsonObject]:
    """Return every schema that speaks of the value at the end of the path."""
    places = [*branches(documents, document, documents[document])]
    for token in tokens:
        inner = [(home, part) for home, schema in places for part in _below(schema, token)]
        places = [place for home, part in inner for place in branches(documents, home, part)]
    return [schema for _, schema in places]


def _below(schema: JsonObject, step: str) -> Iterator[JsonObject]:
    named = schema.get("items") if step == "*" else schema.get("properties", {}).get(step)
    # `true` says nothing of a value that is there.
    if named is not None and named is not False:
        yield named if isinstance(named, dict) else {}


def _admits(schema: JsonObject, value: Json) -> bool:
    """Say whether a schema speaks of values as `value` is; a mere reference or union does not."""
    if "const" in schema or "enum" in schema:
        return any(json_equal(value, each) for each in schema.get("enum", [schema.get("const")]))
    types = schema.get("type")
    if types is None:
        return not {"$ref", "oneOf", "anyOf", "allOf"} & schema.keys()
    return any(is_json_type(value, name) for name in ([types] if isinstance(types, str) else types))
