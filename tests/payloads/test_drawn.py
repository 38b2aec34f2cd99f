"""The Hypothesis draw: it keeps its bounds, and what it draws shrinks to the simplest."""

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mockchat.contract.contract import contract_for
from mockchat.contract.patterns import is_found
from mockchat.payloads import regexes
from mockchat.payloads.completions import complete
from mockchat.payloads.drawn import HypothesisDraw
from mockchat.payloads.formats import sample
from mockchat.payloads.requests import make_request
from mockchat.payloads.simplest import SimplestDraw
from mockchat.payloads.values import generate

CONTRACT = contract_for("openai")
HINTS = ("plain", "wild", "name")


@st.composite
def asked(draw, question):
    """Ask a Hypothesis draw one question."""
    return question(HypothesisDraw(draw))


@given(data=st.data(), lo=st.integers(-50, 50), more=st.integers(0, 60))
def test_numbers_keep_their_bounds(data, lo, more):
    """A number outside what the generator asked for makes an invalid payload."""
    draw = HypothesisDraw(data.draw)
    hi = lo + more
    assert lo <= draw.integer(lo, hi) <= hi
    assert lo <= draw.number(float(lo), float(hi)) <= hi
    assert lo <= draw.size(lo, hi, lo + more / 2) <= hi
    assert 0 <= draw.index(more + 1) <= more


@given(data=st.data(), lo=st.integers(0, 8), more=st.integers(0, 20), hint=st.sampled_from(HINTS))
def test_text_keeps_its_bounds(data, lo, more, hint):
    """A text of another length breaks minLength or maxLength."""
    text = HypothesisDraw(data.draw).text(lo, lo + more, hint)
    assert lo <= len(text) <= lo + more
    assert text.encode().decode() == text
    if hint == "name" and text:
        assert text.isascii()
        assert text.isidentifier()


@settings(max_examples=10)
@given(data=st.data(), hint=st.sampled_from(HINTS))
def test_long_text_is_drawn_from_little(data, hint):
    """Hypothesis has entropy for some thousand characters; a schema may ask for more."""
    assert len(HypothesisDraw(data.draw).text(20_000, 30_000, hint)) == 20_000


@pytest.mark.parametrize(
    "pattern",
    ["^[a-z]{3}$", "b+", "^(?=.*[0-9])[a-z0-9]{4}$", r"^\p{L}+$", r"^(a|b)\1$", "^.$"],
)
@settings(max_examples=20)
@given(data=st.data())
def test_patterns_are_found(pattern, data):
    """Hypothesis and the judge read some patterns differently: the judge's reading counts."""
    assert is_found(pattern, HypothesisDraw(data.draw).pattern(pattern))


@settings(max_examples=20)
@given(data=st.data())
def test_what_is_drawn_ahead_runs_out(data):
    """A pattern asks for more than was counted where a look-around refuses, or numbers are large."""
    ahead = HypothesisDraw(data.draw).ahead(2, {3})
    answers = [ahead.index(3), ahead.index(300), ahead.index(2), ahead.index(3)]
    assert all(0 <= answer < n for answer, n in zip(answers, (3, 300, 2, 3), strict=True))


def test_a_pattern_shrinks_to_its_simplest_text():
    """All characters are one choice to Hypothesis; each must become simple by itself all the same."""
    code = asked(lambda draw: draw.pattern("^[A-Z]{3}-[0-9]{4}$"))
    assert find(code, lambda _: True) == "AAA-0000"
    assert find(code, lambda text: "C" in text and "7" in text) in {
        f"{letters}-{digits}"
        for letters in ("CAA", "ACA", "AAC")
        for digits in ("7000", "0700", "0070", "0007")
    }
    name = asked(lambda draw: draw.pattern("^[a-z]+$"))
    assert find(name, lambda text: len(text) > 2) == "aaa"


def test_every_text_of_a_small_pattern_is_drawn():
    """Characters are drawn ahead without leaving any out."""
    seen = set()

    @settings(max_examples=60)
    @given(asked(lambda draw: draw.pattern("^(a[0-2]|b{1,2}|c?)$")))
    def draws(text):
        seen.add(text)

    draws()
    assert seen == {"a0", "a1", "a2", "b", "bb", "c", ""}


@given(data=st.data())
def test_formats_are_those_of_every_draw(data):
    """A format has one sampler, whoever decides."""
    text = HypothesisDraw(data.draw).format("date")
    assert len(text) == len(sample("date", SimplestDraw()))


def test_chance_is_certain_at_the_ends():
    """Parts that must or must not be there cost no entropy."""
    assert find(asked(lambda draw: draw.chance(1.0)), lambda _: True) is True
    assert find(asked(lambda draw: draw.chance(0.5)), lambda _: True) is False
    assert find(asked(lambda draw: draw.chance(0.3)), bool) is True


def test_small_chances_are_not_rounded_away():
    """A part that turns up once in fifty draws must turn up."""
    assert find(asked(lambda draw: draw.chance(0.02)), bool) is True
    assert find(asked(lambda draw: draw.chance(0.0)), lambda _: True) is False


def test_extremes_are_left_to_hypothesis():
    """A choice between extreme and ordinary numbers would not shrink from the one to the other."""
    assert find(asked(lambda draw: draw.edge(9)), lambda _: True) is None


def test_simplest_request_is_the_shortest():
    """What Hypothesis prints when any request will do must be read at a glance."""
    found = find(asked(lambda draw: make_request(CONTRACT, draw, kind="wild")), lambda _: True)
    assert found == {"model": "gpt-3.5-turbo", "messages": [{"role": "user", "content": ""}]}


@settings(max_examples=30)
@given(data=st.data(), kind=st.sampled_from(["plain", "wild"]))
def test_completions_answer_their_request(data, kind):
    """The same generators under another draw keep the same contract."""
    draw = HypothesisDraw(data.draw)
    request = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}], "n": 2}
    completion = complete(request, draw, contract=CONTRACT, kind=kind)
    found = [
        *CONTRACT.violations("response", completion, level="documented"),
        *CONTRACT.exchange_violations(request, completion, level="documented"),
    ]
    assert [violation for violation in found if not violation.is_note] == []


def test_values_of_any_schema_shrink():
    """from_schema gives the smallest value that still fails."""
    schema = {"type": "array", "items": {"type": "integer"}, "minItems": 1}
    found = find(asked(lambda draw: generate(schema, draw, kind="wild")), lambda it: sum(it) > 9)
    assert found == [10]


@settings(max_examples=30)
@given(data=st.data(), options=st.lists(st.integers(1, 256), max_size=6).map(tuple))
def test_answers_drawn_at_once_keep_their_bounds(data, options):
    """An answer beyond what was asked for is a member or a character that does not exist."""
    answers = HypothesisDraw(data.draw).several(options)
    assert len(answers) == len(options)
    assert all(0 <= answer < n for answer, n in zip(answers, options, strict=True))


SMALL = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "integer", "minimum": 1, "maximum": 6, "multipleOf": 2},
        "exact": {"type": "boolean"},
        "none": {"enum": ["", None]},
        "unit": {"enum": ["C", "F", None]},
    },
    "required": ["unit"],
    "additionalProperties": False,
}


def small(schema, kind="wild"):
    """Return the strategy of the values of a schema."""
    return asked(lambda draw: generate(schema, draw, kind=kind))


def test_members_of_few_values_shrink_one_by_one():
    """They are one choice to Hypothesis, which must leave out each that does not matter."""
    assert find(small(SMALL), lambda _: True) == {"unit": "C"}
    wanted = {"unit": "F", "days": 4}
    assert find(small(SMALL), lambda it: it["unit"] == "F" and it.get("days", 0) > 2) == wanted
    assert find(small(SMALL), lambda it: it.get("exact")) == {"unit": "C", "exact": True}
    assert find(small(SMALL), lambda it: "city" in it) == {"unit": "C", "city": ""}


@pytest.mark.parametrize("kind", ["wild", "plain"])
def test_all_members_of_few_values_are_drawn_with_all_values(kind):
    """A value that is never drawn is a fault that is never found; plain ones are neither null nor empty."""
    seen = set()

    @settings(max_examples=150)
    @given(small(SMALL, kind))
    def draws(value):
        seen.update(value.items())

    draws()
    nothing = {("unit", None)} if kind == "wild" else set()
    days = {("days", 2), ("days", 4), ("days", 6)}
    others = {("exact", True), ("exact", False), ("none", ""), ("none", None)}
    expected = {("unit", "C"), ("unit", "F")} | nothing | days | others
    assert {pair for pair in seen if pair[0] != "city"} == expected


AT_ONCE = {
    "deep": {"type": "object", "properties": {"a": {"$ref": "#"}, "b": {"type": "boolean"}}, "required": ["b"]},
    "one name": {"type": "object", "properties": {"a": {"const": 1}}, "required": ["a"]},
    "at most one": {
        "type": "object", "properties": {"a": {"const": 1}, "b": {"const": 2}}, "maxProperties": 1,
    },
    "together": {
        "type": "object",
        "properties": {"a": {"const": 1}, "b": {"const": 2}, "c": {"type": "boolean"}},
        "dependentRequired": {"a": ["b"]},
    },
    "impossible": {"type": "object", "properties": {"a": False, "b": {"type": "boolean"}}},
    "tested": {"type": "object", "properties": {"a": {"enum": [1, 2]}, "b": {"not": {"enum": [3, 4]}}}},
    "many": {"type": "object", "properties": {"a": {"type": "integer", "minimum": 0, "maximum": 2**70}}},
    "at least": {"type": "object", "properties": {"a": {"const": 1}, "b": {"const": 2}}, "minProperties": 2},
}  # fmt: skip


@pytest.mark.parametrize("name", AT_ONCE)
def test_members_chosen_at_once_keep_what_holds_of_the_object(name):
    """Members that exclude or need each other cannot be chosen apart."""
    judge = Draft202012Validator(AT_ONCE[name])

    @settings(max_examples=25)
    @given(small(AT_ONCE[name]))
    def draws(value):
        judge.validate(value)

    draws()


def test_a_pattern_drawn_at_once_is_tested_too():
    """What a row of characters says is not all that a pattern asks for."""
    percent = asked(lambda draw: draw.pattern("^[%&]{2}%$"))
    assert find(percent, lambda text: text[0] == "&") == "&%%"
    bounded = asked(lambda draw: draw.pattern("^[ab]\\B[ab]$"))
    assert find(bounded, lambda text: text[0] == "b") == "ba"
    lengths = asked(lambda draw: regexes.sample("[ab]{2}", draw, least=3))
    assert len(find(lengths, lambda _: True)) == 3
    short = asked(lambda draw: regexes.sampled("[ab]{2}", draw, most=2).text)
    assert find(short, lambda text: "b" in text) in {"ab", "ba"}
    with pytest.raises(regexes.NoSample):
        regexes.sample("[ab]{2}", SimplestDraw(), most=1)
