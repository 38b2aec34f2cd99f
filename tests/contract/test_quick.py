"""The fast path of `mockchat[fast]`: whatever jsonschema-rs is asked, verdicts stay the judge's."""

import math
import random
import subprocess
import sys
import tomllib
from copy import deepcopy
from pathlib import Path
from types import MappingProxyType

import pytest
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from mockchat.contract import quick
from mockchat.contract.profile import load_profile, profile_names
from mockchat.contract.quick import QuickJudge
from mockchat.contract.validation import DocumentJudge
from mockchat.payloads.seeded import SeededDraw
from mockchat.payloads.values import compile_schema, generate

PROJECT = Path(__file__).parents[2]
PROFILE = load_profile("openai")
DOCUMENTS = {name: each for name, each in PROFILE.documents.items() if "$id" in each}
JUDGED = 5000
SPREAD = [
    *(None, True, False, 0, 1, -1, 1.0, -0.0, 0.5, 1e300, 2**53 + 1, 2**63 - 1, 2**63, 10**400),
    *(
        -(2**63),
        -(2**63) - 1,
        9223372036854775808.0,
        math.inf,
        -math.inf,
        "",
        "a",
        "a\n",
        " ",
        "\ufeff",
        "\x1c",
        "\x85",
        "\r",
        "\ud800",
    ),
    *("a" * 65, "stop", "user", "text", [], [1.0], ["a"], {}, {"\ud800": 1}, {"type": "text"}),
]
"""Values on which two validators may well differ."""


@pytest.fixture(params=DOCUMENTS)
def document(request):
    """Give the name of each document of the current profile."""
    return request.param


def judges(documents):
    """Return the judge that may be quick, and the one that is not."""
    return [DocumentJudge(documents, "observed", is_quick=way) for way in (True, False)]


def places(value):
    """Return a setter for every place inside `value`."""
    found, pending = [], [value]
    while pending:
        part = pending.pop()
        keys = part if isinstance(part, dict) else range(len(part))
        found += [(part, key) for key in keys]
        pending += [part[key] for key in keys if isinstance(part[key], dict | list)]
    return found


def spoiled(value, chance):
    """Return `value` with one place given another value, a member dropped, or one added."""
    where = places(value)
    if not where:
        return value
    part, key = chance.choice(where)
    if isinstance(part, dict) and chance.random() < 0.3:
        del part[key]
    elif isinstance(part, dict) and chance.random() < 0.3:
        part[f"x_{key}"] = deepcopy(chance.choice(SPREAD))
    else:
        part[key] = deepcopy(chance.choice(SPREAD))
    return value


def test_verdicts_are_identical(document, proof_count):
    """Installing an extra must never change what is refused, or in which words."""
    registry = Registry().with_resources(
        (each["$id"], DRAFT202012.create_resource(each)) for each in DOCUMENTS.values()
    )
    compiled = compile_schema(DOCUMENTS[document], documents=registry)
    either, slow = judges(DOCUMENTS)
    chance = random.Random(document)
    seen = set()
    for seed in range(math.ceil(proof_count(JUDGED) / len(DOCUMENTS))):
        value = generate(compiled, SeededDraw(seed), kind="wild")
        for _ in range(3):
            faults = slow.violations(document, value)
            assert either.violations(document, value) == faults
            assert either.is_valid(document, value) is slow.is_valid(document, value) is not faults
            seen.add(bool(faults))
            value = spoiled(value, chance)
    assert seen == {True, False}


@pytest.mark.parametrize("value", SPREAD, ids=ascii)
def test_verdicts_are_identical_wherever_an_odd_value_stands(value):
    """Whole floats, huge numbers and lone surrogates are what libraries read in their own ways."""
    schema = {
        "$id": "https://example.invalid/odd",
        "properties": {
            "integer": {"type": ["integer", "null"]},
            "number": {"type": ["integer", "number"], "maximum": 9223372036854775807},
            "limit": {"minimum": -9223372036854775808, "exclusiveMaximum": 1},
            "listed": {"enum": [1, 0, None, "a", "stop"]},
            "constant": {"const": True},
            "text": {"type": "string", "pattern": r"^\s$", "maxLength": 1},
            "either": {"oneOf": [{"type": "integer"}, {"type": "number"}, {"type": "string"}]},
            "no": {"not": {"type": "integer"}},
            "line": {"pattern": "^.$"},
            "nul": {"pattern": r"^\0$"},
            "one": {"oneOf": [{"type": "number"}, {"minLength": 1}]},
            "map": {"additionalProperties": {"type": "integer"}, "propertyNames": {"maxLength": 1}},
        },
    }
    either, slow = judges({"odd": schema})
    for name in [*schema["properties"], "unnamed"]:
        for odd in ({name: value}, {name: {"a": value}}):
            assert either.violations("odd", odd) == slow.violations("odd", odd), name


def accepts(schema, value):
    """Say whether a document of this schema is accepted on the fast path."""
    judge = DocumentJudge({"it": {"$id": "https://example.invalid/it", **schema}}, "observed")
    return judge._quick.accepts("it", value)


@pytest.mark.parametrize("profile", profile_names())
def test_documents_of_every_profile_take_the_fast_path(profile):
    """A keyword that is not translated would make one profile slow, and nobody would notice."""
    for documents in load_profile(profile).levels.values():
        judge = DocumentJudge(documents, "observed")
        tests = {name: judge._quick._test(name) for name in judge.names}
        assert [name for name, test in tests.items() if test is quick._never] == []


@pytest.mark.parametrize(
    "schema",
    [
        {"uniqueItems": True},
        {"patternProperties": {"^a$": {}}},
        {"multipleOf": 0.01},
        {"items": {"contains": {}}},
        {"$defs": {"part": {"if": {}}}, "properties": {"a": {"$ref": "#/$defs/part"}}},
        {"const": [1]},
        {"enum": [1.0]},
        {"$schema": "http://json-schema.org/draft-07/schema#"},
        {"properties": {"a": {"$ref": "#"}}},
        {"$defs": {"one": {"items": {"$ref": "#/$defs/one"}}}, "$ref": "#/$defs/one"},
    ],
    ids=" ".join,
)
def test_what_may_differ_is_left_to_the_judge(schema):
    """An unknown keyword may be read in another way; a circle has a limit only the judge knows."""
    value = schema.get("const", schema.get("enum", [1])[0])
    assert accepts({}, value)
    assert not accepts(schema, value)
    quickly, slowly = judges({"it": {"$id": "https://example.invalid/it", **schema}})
    assert quickly.violations("it", value) == slowly.violations("it", value) == ()


def test_schemas_that_are_booleans_are_read():
    """A member that may be anything, or must not be there, is common in overlays."""
    schema = {
        "properties": {"any": True, "type": True, "none": False},
        "items": {"$ref": "#/$defs/x"},
    }
    schema["$defs"] = {"x": True}
    assert accepts(schema, {"any": 1.0, "type": "integer"})
    assert not accepts(schema, {"none": None})


@pytest.mark.parametrize("value", ["\ud800", MappingProxyType({"a": 1})], ids=ascii)
def test_what_rust_cannot_hold_is_left_to_the_judge(value):
    """An exception of the extra must never reach a user who only judges a payload."""
    judge = DocumentJudge({"it": {"$id": "https://example.invalid/it", "minLength": 1}}, "observed")
    assert judge.violations("it", value) == ()
    assert judge.is_valid("it", value)


def test_without_the_extra_everything_works(monkeypatch):
    """The extra is optional: absent, it is asked nothing."""
    monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    quick._library.cache_clear()
    try:
        judge = DocumentJudge(DOCUMENTS, "observed")
        model = {"id": "m", "object": "model", "created": 1, "owned_by": "o"}
        assert not QuickJudge(judge._schemas, judge._targets).accepts("model", model)
        assert judge.violations("model", model) == ()
        assert judge.is_valid("model", model)
    finally:
        quick._library.cache_clear()


def test_the_versions_of_the_extra_are_those_that_are_used(monkeypatch):
    """An older one, there for some other package, would give other verdicts: it is not asked."""
    extras = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    least = ".".join(map(str, quick.LEAST_VERSION))
    assert extras["optional-dependencies"]["fast"] == [f"jsonschema-rs>={least}"]
    assert quick._library() is sys.modules["jsonschema_rs"]
    monkeypatch.setattr(quick, "version", lambda _: "0.46.10")
    quick._library.cache_clear()
    try:
        assert quick._library() is None
    finally:
        quick._library.cache_clear()


def test_the_extra_is_loaded_when_a_value_is_judged():
    """It takes as long to load as the rest of a command that judges nothing."""
    code = (
        "import sys; from mockchat.contract.contract import contract_for; contract = contract_for()\n"
        "assert 'jsonschema_rs' not in sys.modules\n"
        "contract.is_valid('model', {})\n"
        "assert 'jsonschema_rs' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
