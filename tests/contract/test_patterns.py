"""Regular expressions of schemas: read as ECMA-262 reads them, by judge and generator alike."""

import json
import re
import shutil
import subprocess
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockchat.contract import regex_syntax
from mockchat.contract.charsets import (
    LAST,
    complement,
    merged,
    property_ranges,
    with_cases,
)
from mockchat.contract.patterns import is_found, pattern_problem, regular_expression
from mockchat.contract.regex_syntax import BadPattern, UnsupportedPattern
from mockchat.contract.validation import schema_problems, schema_violations

REFUSED = {
    "(a": "a group is not closed", "a)": "a closing bracket", "[a": "ends too early",
    "a**": "nothing to repeat", "*a": "nothing to repeat", "^*": "nothing to repeat",
    "{2}": "nothing to repeat", "a{2}{3}": "nothing to repeat", "a{2,1}": "out of order",
    "[z-a]": "out of order", "\\": "ends too early", "\\y": "unknown escape",
    "\\x4": "ends too early", "\\xzz": "not hexadecimal", "\\u{110000}": "beyond Unicode",
    "\\u{41": "no '}' follows", "\\p": "without its name", "\\p{}": "without its name",
    "\\2(a)": "does not exist", "\\k<x>": "does not exist", "(?P=x)": "does not exist",
    "(?#x)": "unknown kind", "(?)": "unknown kind", "(?x)a": "unknown kind",
    "(" * 2000: "nested too deep",
}  # fmt: skip

UNSUPPORTED = {
    "\\p{Klingon}": "the character property 'Klingon' is not known here",
    "\\p{Script=Greek}": "the character property 'Script=Greek' is not known here",
    "(?<=a*)b": "not supported",
    "a{99999999999}": "not supported",
}


@pytest.mark.parametrize("pattern", REFUSED)
def test_bad_patterns_are_refused_with_a_reason(pattern):
    """A caller has to learn what is wrong with the pattern in the schema."""
    with pytest.raises(BadPattern, match=re.escape(REFUSED[pattern])) as refusal:
        regular_expression(pattern)
    assert not isinstance(refusal.value, UnsupportedPattern)
    assert pattern_problem(pattern) == str(refusal.value)


@pytest.mark.parametrize("pattern", UNSUPPORTED)
def test_patterns_that_cannot_be_run_are_no_fault(pattern):
    """What is right elsewhere must not be called wrong: such a pattern refuses no text."""
    with pytest.raises(UnsupportedPattern, match=re.escape(UNSUPPORTED[pattern])):
        regular_expression(pattern)
    assert pattern_problem(pattern) is None
    assert is_found(pattern, "")
    assert not is_found(pattern, "", untold=False)
    schema = {
        "properties": {"a": {"pattern": pattern}},
        "patternProperties": {pattern: False},
        "additionalProperties": False,
    }
    assert schema_problems(schema) == ()
    assert schema_violations(schema, {"a": "b", "c": "d"}) == ()


FOUND = [
    (r"^\d$", "\u0663", False), ("^a$", "a\n", False), (r"^\s$", "\ufeff", True),
    ("^.$", "\x85", True), ("^.$", "\u2028", False), ("^.$", "\ud800", True),
    ("^[^a]$", "\udfff", True), ("^[]$", "", False), ("^[^]$", "\n", True),
    (r"^\p{L}+$", "Åb漢𐐀", True), (r"^\p{L}+$", "a1", False), (r"^\P{L}$", "1", True),
    (r"^\p{Lu}$", "a", False), (r"^\p{gc=Nd}$", "\u0663", True), (r"^\p{Uppercase}$", "Ⓐ", True),
    (r"^\p{LC}$", "ǅ", True), (r"^\p{LC}$", "漢", False), (r"^\p{Lowercase}$", "A", False),
    (r"^\p{Any}$", "\U0010ffff", True), (r"^\p{ASCII}$", "é", False),
    (r"^\p{Alphabetic}$", "Ⅷ", True), (r"^\p{Assigned}$", "\u0378", False),
    (r"^\p{White_Space}$", "\x85", True), (r"^\p{White_Space}$", "\ufeff", False),
    (r"^\p{AHex}$", "F", True), (r"^\p{Co}$", "\U000f0001", True),
    (r"^\u{1F600}$", "😀", True), (r"^\uD83D\uDE00$", "😀", True), (r"^[\uD83D\uDE00]$", "😀", True),
    (r"^\uD83Dx$", "\ud83dx", True), (r"^[\w-.]+$", "a-b.c", True), (r"^[\w-.]+$", "a,b", False),
    (r"^[+--]$", ",", True), (r"^[a-\d]$", "-", True), (r"^(?<y>\d\d)-\k<y>$", "12-12", True),
    (r"^(?<y>\d\d)-\k<y>$", "12-13", False), (r"^(?P<y>\d)(?P=y)$", "11", True),
    (r"^(a)?b\1$", "b", True), (r"^(a)?b\1$", "ab", False), ("a$", "a\n", False),
    (r"a\$", "a$", True), ("[$]", "$", True), (r"[\]$]", "$", True), ("^a{x}$", "a{x}", True),
    ("^{a}$", "{a}", True), ("^a{2$", "a{2", True), ("^x{,3}$", "x{,3}", True),
    ("(?i)^straße$", "STRAßE", True), ("^(?i:ab)c$", "ABc", True), ("^(?i:ab)c$", "abC", False),
    ("^a(?i)b|c$", "C", True), ("^(a(?i)b)c$", "aBC", False), ("^(?i)[^a]$", "A", False),
    ("^(?i:(?-i:a)b)$", "aB", True), ("^(?i:(?-i:a)b)$", "AB", False),
    (r"^(?i)(ab)\1$", "abAB", True), (r"(?i)^\p{Ll}+$", "AB", True), ("(?s)^.$", "\n", True),
    ("(?m)^b$", "a\nb\u2028c", True), ("^b", "a\nb", False), ("(?<=a|bc)d", "bcd", True),
    ("(?<!a|bc)d", "bcd", False), ("(?<!a|bc)d", "xd", True), (r"\Aa\Z", "a\n", False),
    (r"a\z", "ab", False), (r"\bfoo\b", "a foo.", True), (r"\bé", "é", False),
    (r"^[\b]$", "\b", True), (r"^\cA$", "\x01", True), (r"^\0$", "\0", True),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "text", "is_match"), FOUND)
def test_patterns_mean_what_ecma_says(pattern, text, is_match):
    """A caller's validator runs in a browser as often as in Python."""
    assert is_found(pattern, text) is is_match
    violations = schema_violations({"pattern": pattern}, text)
    assert [violation.rule for violation in violations] == ["schema.pattern"] * (not is_match)


ATOMS = st.sampled_from(
    ["a", "b", "0", "_", "-", r"\d", r"\w", r"\.", ".", "[ab]", "[^a]", "[a-c0-9]", r"[^\w]",
     r"\W", r"\D", "(a|b)", "(?:ab)", "(a)", "(?=a)", "(?!b)", "(?<=a)", "^", "$", r"\b"]
)  # fmt: skip
QUANTIFIERS = st.sampled_from(["", "", "", "*", "+", "?", "{2}", "{1,2}", "{1,}", "+?"])
ORDINARY = st.lists(
    st.tuples(ATOMS, QUANTIFIERS).map(
        lambda pair: "".join(pair) if pair[0] not in {"^", "$", r"\b"} else pair[0]
    ),
    max_size=5,
).map("".join)
ORDINARY = st.one_of(ORDINARY, st.tuples(ORDINARY, ORDINARY).map("|".join))
PLAIN_TEXT = st.text("ab01_-. c", max_size=8)


@settings(deadline=None)
@given(pattern=ORDINARY, text=PLAIN_TEXT)
def test_ordinary_patterns_mean_what_python_says(pattern, text):
    """Where both dialects agree, the translation must change nothing."""
    stock = re.compile(pattern.replace("$", r"\Z"), re.ASCII)
    assert is_found(pattern, text) is bool(stock.search(text))


NODE = """
for (const [pattern, text] of JSON.parse(require('fs').readFileSync(0))) {
  let expression
  try { expression = new RegExp(pattern, 'u') } catch { expression = new RegExp(pattern) }
  console.log(expression.test(text))
}"""
FOREIGN = re.compile(r"\(\?P|\(\?[ims-]|\\[AzZ]")
"""What other languages write, and ECMA-262 does not know."""


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_patterns_mean_what_a_browser_says():
    """The differential test against the very language the dialect is named after."""
    cases = {(pattern, text): is_match for pattern, text, is_match in FOUND}
    cases = {case: cases[case] for case in cases if not FOREIGN.search(case[0])}
    asked = json.dumps([*cases])
    run = subprocess.run(
        ["node", "-e", NODE], input=asked, capture_output=True, text=True, check=True
    )
    answers = [line == "true" for line in run.stdout.split()]
    assert dict(zip(cases, answers, strict=True)) == cases


def test_categories_are_whole():
    """Judging needs every character of a property, in every plane."""
    for name in ("Lu", "Cn", "Co", "Cs", "So"):
        points = {p for low, high in property_ranges(name) for p in range(low, high + 1)}
        assert points == {p for p in range(LAST + 1) if unicodedata.category(chr(p)) == name}


def test_sets_of_characters():
    """Negated classes are complements, flags widen sets."""
    assert merged(((5, 9), (1, 3), (4, 4), (20, 20))) == ((1, 9), (20, 20))
    assert complement(((0, LAST),)) == ()
    assert complement(((0x61, 0x61),)) == ((0, 0x60), (0x62, LAST))
    assert complement(((0x61, LAST),)) == ((0, 0x60),)
    assert property_ranges("Nd")[0] == (0x30, 0x39)
    assert property_ranges("Klingon") == property_ranges("") == ()
    assert with_cases(((0x61, 0x62),)) == ((0x41, 0x42), (0x61, 0x62))
    assert with_cases(((0xDF, 0xDF),)) == ((0xDF, 0xDF),)
    assert with_cases(((0x61, 0x61), (0x100, 0xFFFF))) == (
        (0x41, 0x41),
        (0x61, 0x61),
        (0x100, 0xFFFF),
    )


def test_an_endless_pattern_is_not_read():
    """A pattern of a mebibyte must cost its reader nothing."""
    longest = "a" * regex_syntax.MOST_CHARACTERS

    assert regex_syntax.parse(longest)
    with pytest.raises(regex_syntax.UnsupportedPattern, match="more than"):
        regex_syntax.parse(longest + "a")
