"""The rules every schema document of every profile keeps; generator and validator rely on them."""

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from schema_walk import resolve, walk, walk_document

from mockchat.contract.document_lint import overlapping
from mockchat.contract.profile import load_profile, profile_names, schemas_directory
from mockchat.contract.schema_walk import absolute

PROFILES = profile_names()
DOCUMENTS = [(profile, name) for profile in PROFILES for name in load_profile(profile).documents]
SCHEMAS = [
    (profile, name)
    for profile, name in DOCUMENTS
    if "openapi" not in load_profile(profile).documents[name]
]
BANNED = {"contains", "dependentSchemas", "patternProperties"}
TYPE_ORDER = ("null", "boolean", "integer", "number", "string", "array", "object")
ANY_TYPE = frozenset(TYPE_ORDER)


def _documents(profile):
    return load_profile(profile).documents


def _schemas(profile, name):
    return list(walk_document(_documents(profile)[name]))


def _flat(documents, home, schema):
    """Follow `$ref`s to the schema that says something, and the document it stands in."""
    while "$ref" in schema:
        home, schema = resolve(documents, home, schema["$ref"])
    return home, schema


def _types(documents, home, schema):
    """Return the JSON types a schema can accept, as far as its keywords tell."""
    home, schema = _flat(documents, home, schema)
    if "oneOf" in schema:
        return frozenset().union(*(_types(documents, home, each) for each in schema["oneOf"]))
    if "const" in schema or "enum" in schema:
        values = schema.get("enum", [schema.get("const")])
        return frozenset("string" if isinstance(value, str) else "other" for value in values)
    declared = schema.get("type", ANY_TYPE)
    types = {declared} if isinstance(declared, str) else set(declared)
    return frozenset(types | ({"integer"} if "number" in types else set()))


@pytest.mark.parametrize(("profile", "name"), SCHEMAS)
def test_document_is_a_schema_of_2020_12(profile, name):
    """Anything else is read differently by every tool."""
    document = _documents(profile)[name]
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(document)


@pytest.mark.parametrize(("profile", "name"), SCHEMAS)
def test_id_names_profile_and_file(profile, name):
    """Relative references between documents resolve against it."""
    assert _documents(profile)[name]["$id"] == f"https://mockchat.invalid/{profile}/{name}.json"


@pytest.mark.parametrize("path", sorted(schemas_directory().glob("*/*.json")), ids=str)
def test_file_says_the_id_it_is_loaded_under(path):
    """A tool that reads the file alone resolves references as we do."""
    content = json.loads(path.read_text())
    if "$id" in content:
        assert content["$id"] == f"https://mockchat.invalid/{path.parent.name}/{path.name}"


@pytest.mark.parametrize(("profile", "name"), DOCUMENTS)
def test_every_reference_leads_somewhere(profile, name):
    """A dangling reference fails only when a payload happens to reach it."""
    documents = _documents(profile)
    for pointer, schema in _schemas(profile, name):
        if "$ref" in schema:
            assert isinstance(resolve(documents, name, schema["$ref"])[1], dict), pointer


@pytest.mark.parametrize(("profile", "name"), SCHEMAS)
def test_every_definition_is_used(profile, name):
    """An unused definition is a fact nobody checks."""
    used = {
        (home, schema["$ref"].partition("#")[2])
        for other, document in _documents(profile).items()
        for pointer, schema in walk_document(document)
        if "$ref" in schema
        for home in [_home(schema["$ref"], other)]
    }
    defined = {(name, f"/$defs/{key}") for key in _documents(profile)[name].get("$defs", {})}
    assert defined - used == set()


def _home(reference, current):
    file = reference.partition("#")[0]
    return Path(file).name.removesuffix(".json") or current


@pytest.mark.parametrize(("profile", "name"), DOCUMENTS)
def test_branches_of_a_union_exclude_each_other_at_a_glance(profile, name):
    """By JSON type or by one required tag: then errors name a leaf, and drawing filters nothing."""
    whole = {
        home: absolute(body, body.get("$id", "")) for home, body in _documents(profile).items()
    }
    found = {
        pointer: overlapping(whole, name, schema) for pointer, schema in walk_document(whole[name])
    }
    assert {pointer: pairs for pointer, pairs in found.items() if pairs} == {}


@pytest.mark.parametrize(("profile", "name"), SCHEMAS)
def test_simplest_branch_stands_first(profile, name):
    """Drawing and shrinking take the first branch for the simplest."""
    documents = _documents(profile)
    for pointer, schema in _schemas(profile, name):
        ranks = [
            min(TYPE_ORDER.index(type_) for type_ in _types(documents, name, branch))
            for branch in schema.get("oneOf", [])
        ]
        assert ranks == sorted(ranks), pointer


@pytest.mark.parametrize(
    ("document", "union", "first"),
    [
        ("request", "message", "user_message"),
        ("request", "user_part", "text_part"),
        ("request", "assistant_part", "text_part"),
        ("request", "tool", "function_tool"),
        ("request", "tool_call", "function_tool_call"),
        ("request", "custom_format", "text_format"),
        ("request", "response_format", "text_response_format"),
        ("response", "tool_call", "function_tool_call"),
    ],
)
def test_plainest_object_stands_first(document, union, first):
    """Types do not rank objects; what everyone knows best is what a shrunk payload should show."""
    branches = _documents("openai")[document]["$defs"][union]["oneOf"]
    assert branches[0] == {"$ref": f"#/$defs/{first}"}


@pytest.mark.parametrize(("profile", "name"), DOCUMENTS)
def test_if_comes_with_required(profile, name):
    """Without `required`, `if` holds for every object that lacks the property."""
    for pointer, schema in _schemas(profile, name):
        if "if" in schema:
            assert schema["if"].get("required"), pointer


@pytest.mark.parametrize(("profile", "name"), DOCUMENTS)
def test_patterns_mean_the_same_in_every_engine(profile, name):
    r"""Anchored, ASCII, no look-around, no `\d` or `\w`: engines disagree on all the rest."""
    for pointer, schema in _schemas(profile, name):
        pattern = schema.get("pattern")
        if pattern is None:
            continue
        re.compile(pattern)
        assert pattern.isascii(), pointer
        assert pattern.startswith("^"), pointer
        assert pattern.endswith("$") or schema.get("contentSchema"), pointer
        assert not re.search(r"\(\?(?!:)|\\[dDwWsSbBpPkAzZ1-9]", pattern), pointer


@pytest.mark.parametrize(("profile", "name"), DOCUMENTS)
def test_keywords_that_need_a_filter_are_not_used(profile, name):
    """Our own documents are drawn from without trying and discarding."""
    for pointer, schema in _schemas(profile, name):
        assert not BANNED & schema.keys(), pointer


@pytest.mark.parametrize(("profile", "name"), SCHEMAS)
def test_what_vendors_vary_can_be_patched(profile, name):
    """A merge patch replaces arrays whole: branches and enums stand where a patch reaches them."""
    for pointer, schema in _schemas(profile, name):
        is_entry = pointer == "" or re.fullmatch(r"/\$defs/[^/]+", pointer)
        if "enum" in schema or "required" in schema or "oneOf" in schema:
            reason = f"{pointer} belongs into $defs"
            is_nullable = schema.get("oneOf", [None])[0] == {"type": "null"}
            assert is_entry or is_nullable, reason
        for branch in schema.get("oneOf", []):
            assert branch.keys() in ({"$ref"}, {"type"}), f"{pointer} has a branch written out"


def test_requests_are_closed_where_the_server_refuses_unknown_members():
    """A typo must not pass at the top and in the two options; inside messages the server shrugs."""
    request = _documents("openai")["request"]
    closed = {
        pointer.removeprefix("/$defs/")
        for pointer, schema in walk(request)
        if schema.get("additionalProperties") is False
    }
    assert closed == {
        "",
        "stream_options",
        "prompt_cache_options",
        "custom_voice",
        "text_format",
        "grammar_format",
    }


@pytest.mark.parametrize(
    ("profile", "name"),
    [each for each in SCHEMAS if each[1] not in {"request", "stored-update"}],
)
def test_replies_are_open(profile, name):
    """Servers add members every month; a client that refuses them breaks."""
    for pointer, schema in _schemas(profile, name):
        assert schema.get("additionalProperties") is not False, pointer


def _nulls(patch, pointer=""):
    if patch is None:
        yield pointer
    elif isinstance(patch, dict):
        for key, part in patch.items():
            yield from _nulls(part, f"{pointer}/{key}")


def _patches():
    for folder in sorted(path.parent for path in schemas_directory().glob("*/profile.json")):
        settings = load_profile(folder.name).settings
        for level, documents in settings.get("levels", {}).items():
            yield f"{folder.name} levels {level}", documents
        for path in sorted(folder.glob("*.patch.json")):
            yield f"{folder.name} {path.name}", json.loads(path.read_text())


@pytest.mark.parametrize("patch", [pytest.param(body, id=name) for name, body in _patches()])
def test_patch_has_no_null(patch):
    """In a merge patch null means delete; what stands in a profile stays readable as a whole."""
    assert list(_nulls(patch)) == []


@pytest.mark.parametrize(("profile", "name"), SCHEMAS)
def test_every_member_is_described(profile, name):
    """The documents are read by people, in our README's tables and in OpenAPI viewers."""
    documents = _documents(profile)
    for pointer, schema in _schemas(profile, name):
        for member, inner in schema.get("properties", {}).items():
            says = [inner]
            home = name
            while "$ref" in says[-1]:
                home, target = resolve(documents, home, says[-1]["$ref"])
                says.append(target)
            assert any(
                "description" in each or "const" in each or "enum" in each for each in says
            ), f"{pointer}/properties/{member}"


def _descriptions(part):
    if isinstance(part, dict):
        for key, inner in part.items():
            if key in {"description", "summary"} and isinstance(inner, str):
                yield inner
            else:
                yield from _descriptions(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _descriptions(inner)


def _runs(text, length):
    words = re.findall(r"[a-z0-9_]+", text.lower())
    return {tuple(words[at : at + length]) for at in range(len(words) - length + 1)}


def test_descriptions_are_our_own_words(shared):
    """Facts may be carried over from the official document, sentences may not."""
    theirs = set()
    for path in sorted((shared / "facts" / "openai-spec").glob("chat-*.json")):
        for text in _descriptions(json.loads(path.read_text())):
            theirs |= _runs(text, 7)
    assert theirs
    texts = {text for each in DOCUMENTS for text in _descriptions(_documents(each[0])[each[1]])}
    assert [text for text in sorted(texts) if _runs(text, 7) & theirs] == []
