"""Whatever schema a request brings, the server answers soon: work is bounded by counting it."""

import sys

import pytest

from mockchat.contract import validation
from mockchat.contract.validation import schema_problems
from mockchat.errors import ImpossibleSchema
from mockchat.payloads.schema_source import MOST_STEPS
from mockchat.payloads.seeded import SeededDraw
from mockchat.payloads.values import _compiled, generate
from mockchat.payloads.walk import MOST_WORK, Unlucky, Walk

MOST_CALLS = 800_000
"""How many calls of functions are made for one schema, to judge it, compile it and draw twice; a
hundred nanoseconds each make less than a tenth of a second for all four."""

WHOLE = {"type": "integer"}
UNIQUE_NOT = {
    "type": "array",
    "items": WHOLE,
    "minItems": 1,
    "maxItems": 1,
    "not": {"uniqueItems": True},
}


def wide(count, inner):
    """Return a schema with as many members."""
    return {"type": "object", "properties": {f"p{n}": inner(n) for n in range(count)}}


def unions(count, keyword, letters):
    """Return as many unions that all hold at once."""
    union = [[{"required": [f"{letter}{n}"]} for letter in letters] for n in range(count)]
    return {"type": "object", "allOf": [{keyword: branches} for branches in union]}


def every(count, inner, **beside):
    """Return a schema of an array with as many items."""
    return {"type": "array", "items": inner, "minItems": count, **beside}


HOSTILE = {
    "wide": wide(20_000, lambda _: {"type": "string"}),
    "wide and deep": wide(6_000, lambda n: {"type": "object", "properties": {"a": {"const": n}}}),
    "almost too wide": wide(1_400, lambda _: {"type": "object", "properties": {"a": WHOLE}}),
    "optional members in every item": every(300, wide(1_500, lambda _: WHOLE)),
    "unions": unions(200, "anyOf", "ab"),
    "exclusive unions": unions(20, "oneOf", "abcde"),
    "a wide union": {"oneOf": [{"type": "object", "properties": {"k": {"enum": [n, n + 1]}}, "required": ["k"]} for n in range(100)]},
    "branches that look alike": {"oneOf": [{"type": "object", "properties": {f"k{n}": WHOLE}} for n in range(40)]},
    "a wide union in every item": every(500, {"anyOf": [{"type": "string", "title": str(n)} for n in range(500)]}),
    "conditions": {"allOf": [{"if": {"required": [f"a{n}"]}, "then": {"required": [f"b{n}"]}} for n in range(40)]},
    "dependencies": {"type": "object", "dependentSchemas": {f"a{n}": {"required": [f"b{n}"]} for n in range(40)}},
    "refused unions": {"not": {"oneOf": [{"required": [f"a{n}"]} for n in range(60)]}},
    "recursion through unions": {
        "$defs": {"n": {"anyOf": [wide(9, lambda _: {"$ref": "#/$defs/n"}), every(1, {"$ref": "#/$defs/n"}), {"type": "string"}]}},
        "$ref": "#/$defs/n",
    },
    "a chain in the wrong order": {
        "$defs": {f"d{n}": {"type": "object", "properties": {"a": {"$ref": f"#/$defs/d{n - 1}"}}, "required": ["a"]} for n in range(1, 900)} | {"d0": WHOLE},
        "$ref": "#/$defs/d899",
    },
    "many items": every(2_990, WHOLE),
    "many different items": every(1_400, WHOLE, uniqueItems=True),
    "many items to be tested": every(2_500, WHOLE, **{"not": {"uniqueItems": True}}),
    "many long texts": every(2_500, {"type": "string", "minLength": 190}),
    "many patterns to follow": every(2_500, {"type": "string", "pattern": "^[a-z]{50,60}-[0-9]{10}$"}),
    "unlucky patterns": every(200, {"type": "string", "pattern": "^[a-e]{3}$", "allOf": [{"pattern": "a.*b"}, {"pattern": "c"}]}),
    "patterns without text": wide(200, lambda n: {"type": "string", "pattern": f"a^b{n}"}),
    "patterns of names": {"type": "object", "patternProperties": {f"^k{n}[a-z]+$": WHOLE for n in range(200)}, "minProperties": 20},
    "hopeless parts": every(50, UNIQUE_NOT),
    "lists of different values": every(500, every(2, {"enum": [*range(250)]}, uniqueItems=True)),
    "a long pattern": {"pattern": "(?:" + "|".join(f"word{n}" for n in range(5_000)) + ")"},
    "a pattern of a long text": {"type": "string", "pattern": "^a{100000}$"},
    "a pattern of an endless text": {"type": "string", "pattern": "^((a{1000}){1000}){1000}$"},
    "many values": {"enum": [f"v{n}" for n in range(50_000)]},
    "many values to be tested": {"enum": [{"a": n} for n in range(5_000)], "properties": {"a": {"minimum": 3}}},
    "contained": {"type": "array", "allOf": [{"contains": {"const": n}} for n in range(60)]},
    "contained at most once": {"type": "array", "allOf": [{"contains": {"const": n}, "maxContains": 1} for n in range(30)]},
    "unevaluated": {"allOf": [wide(10, lambda _: WHOLE)] * 50, "unevaluatedProperties": False},
}  # fmt: skip


def calls_of(function):
    """Return how many functions are called, Python's own included."""
    count = 0

    def note(_frame, event, _argument):
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_schemas_cost_little(name):
    """Nobody waits for the mock, and no request stops a server that others use, too."""
    schema = HOSTILE[name]
    validation._schema_problems.cache_clear()

    def serve():
        schema_problems(schema)
        try:
            compiled = _compiled(schema, None, None)
        except ImpossibleSchema:
            return
        assert compiled.source.steps <= MOST_STEPS
        for kind in ("plain", "wild"):
            try:
                value = generate(compiled, SeededDraw(1), kind=kind)
            except ImpossibleSchema:
                continue
            assert compiled.source.accepts(compiled.source.schema, value)

    assert calls_of(serve) <= MOST_CALLS


def test_twenty_unions_at_once_are_answered():
    """Twenty choices make a million combinations; one of them is enough."""
    value = generate(unions(20, "anyOf", "ab"), SeededDraw(1))
    assert all(f"a{n}" in value or f"b{n}" in value for n in range(20))


def test_work_in_vain_counts():
    """Trying again from the start must not start counting again."""
    compiled = _compiled(HOSTILE["many items"], None, None)
    walk = Walk(SeededDraw(1), "plain", compiled.source.accepts, work=MOST_WORK - 2_000)
    with pytest.raises(Unlucky):
        walk.value(compiled.node)
    assert walk.work == MOST_WORK + 1


PASSWORDS = [
    "^(?=.*[A-Z])(?=.*[a-z])(?=.*[0-9])(?=.*[^a-zA-Z0-9]).{12,16}$",
    "^(?=.*?[A-Z])(?=(.*[a-z]){2,})(?=.*\\d)(?=.*[@$!%*?&])[A-Za-z\\d@$!%*?&]{8,}$",
    "(?=.*x)((?=.*y)[xyz]{3})",
]


@pytest.mark.parametrize("pattern", PASSWORDS)
@pytest.mark.parametrize("kind", ["plain", "wild"])
def test_passwords_are_made(pattern, kind):
    """The look-aheads of password fields are the ones callers write most."""
    schema = {"type": "string", "pattern": pattern}
    texts = {generate(schema, SeededDraw(seed), kind=kind) for seed in range(20)}
    assert len(texts) > 1
