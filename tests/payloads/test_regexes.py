"""Regular expressions: what is read, what is sampled, what is refused."""

import re

import pytest

from mockchat.payloads.charsets import complement, merged, property_ranges
from mockchat.payloads.regex_syntax import BadPattern, parse
from mockchat.payloads.regexes import NoSample, compiled, is_found, lengths, sample
from mockchat.payloads.seeded import SeededDraw

SAMPLED = [
    "", "^$", "abc", "^abc$", "a|b|cd", "^(a|bc)d$", "a*b+c?", "^[a-z]{2,5}$", "^a{3}$", "x{2,}",
    "^[^a-z]$", "^[a\\-z\\]]+$", "[-a]", "[a-]", "^\\d{3}-\\d{4}$", "^\\w+\\s\\S$", "\\D\\W",
    "^.+$", "^\\x41\\u0042\\u{1F600}$", "\\cA", "\\t\\n\\r\\f\\v\\0", "^\\/\\.\\-$", "[\\b]",
    "^(?:ab)+$", "^(?<year>[0-9]{4})-\\k<year>$", "^(?P<y>[0-9])(?P=y)$", "^(a)(b)\\2\\1$",
    "\\bfoo\\b", "x\\By", "^(?=.*[A-Z])(?=.*\\d)[A-Za-z\\d]{8,}$", "^(?!admin)[a-z]{3,8}$",
    "(?<=a)b|ab", "^a(?<!b)c$", "^\\p{L}+$", "^\\p{Lu}\\p{Ll}*$", "^\\P{L}$", "\\p{Any}",
    "\\p{gc=Nd}", "^\\p{Uppercase_Letter}$", "^[\\p{L}\\d_]+$", "a+?b*?", "^(a{2}){2}$",
    "^[a-zA-Z0-9_-]{1,64}$", "^[^\\s<|\\\\/>]+$", "]", "^[\\w-.]+$", "^(a?)*$", "^(?:)*b$", "^[a-\\d]$", "\\A[ab]\\Z", "^\\z", "^(|a)$",
]  # fmt: skip

REFUSED = {
    "(a": "a group is not closed", "a)": "a closing bracket", "[a": "ends too early",
    "a**": "nothing to repeat", "*a": "nothing to repeat", "^*": "nothing to repeat",
    "{2}": "nothing to repeat", "a{2,1}": "out of order", "a{x}": "a lone", "a{2": "no '}' follows",
    "[z-a]": "out of order", "\\": "ends too early", "\\y": "unknown escape",
    "\\x4": "ends too early", "\\xzz": "not hexadecimal", "\\u{110000}": "beyond Unicode",
    "\\p": "without its name", "\\p{Klingon}": "unknown character property", "\\p{}": "unknown",
    "\\2(a)": "does not exist", "\\k<x>": "does not exist", "(?P=x)": "does not exist",
    "(?#x)": "unknown kind", "(" * 2000: "nested too deep", "(?<=a*)b": "not supported",
    "a{99999999999}": "not supported",
}  # fmt: skip


@pytest.mark.parametrize("pattern", SAMPLED)
def test_samples_match(pattern):
    """A sample that does not match would be refused by the judge of every payload."""
    for seed in range(20):
        assert is_found(pattern, sample(pattern, SeededDraw(seed)))


@pytest.mark.parametrize("pattern", REFUSED)
def test_bad_patterns_are_refused_with_a_reason(pattern):
    """A caller has to learn what is wrong with the pattern in the schema."""
    with pytest.raises(BadPattern, match=re.escape(REFUSED[pattern])):
        compiled(pattern)


@pytest.mark.parametrize(
    ("pattern", "least", "most"),
    [
        ("^[a-z]+$", 50, 60), ("^ab?$", 1, 1), ("abc", 10, None), ("abc$", 6, 6), ("^abc", 6, 6),
        ("^(a|bbb)$", 0, 2), ("^(a|bbb)c*$", 9, 9), ("^(ab){1,}$", 7, 9), ("^([a-z]{2})*$", 0, 3),
        ("^a*b*$", 20, 20), ("^(a*)\\1$", 6, 30),
    ],
)  # fmt: skip
def test_samples_have_the_lengths_asked_for(pattern, least, most):
    """MinLength and maxLength hold beside a pattern."""
    for seed in range(20):
        text = sample(pattern, SeededDraw(seed), least=least, most=most)
        assert least <= len(text) <= (most or 10**6)
        assert is_found(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "least", "most", "words"),
    [
        ("a^b", 0, None, "no text was found that matches 'a^b'"),
        ("^abc$", 4, None, "has at least 4 characters"),
        ("^abc$", 0, 2, "has 0 to 2 characters"),
        ("[]", 0, None, "no text was found"),
    ],
)
def test_patterns_no_text_can_match_are_given_up(pattern, least, most, words):
    """Work is bounded: after so many tries a pattern counts as impossible."""
    with pytest.raises(NoSample, match=re.escape(words)):
        sample(pattern, SeededDraw(1), least=least, most=most)


def test_classes_are_those_of_ecma():
    """Python's own reading takes Arabic digits and forgives a final newline."""
    assert not is_found("^\\d$", "\u0663")
    assert not is_found("^a$", "a\n")
    assert is_found("^\\s$", "\ufeff")
    assert is_found("^.$", "\x85")
    assert not is_found("^.$", "\u2028")


def test_lengths_of_every_kind_of_part():
    """The sampler distributes what is missing by these bounds."""
    bounds = {pattern: lengths(parse(pattern)) for pattern in ("ab", "a|bcd", "a{2,4}", "(?=a)")}
    assert bounds == {"ab": (2, 2), "a|bcd": (1, 3), "a{2,4}": (2, 4), "(?=a)": (0, 0)}
    assert lengths(parse("(a+)\\1")) == (1, 2**30)


def test_sets_of_characters():
    """Complements decide what a negated class may produce: never a surrogate."""
    assert merged(((5, 9), (1, 3), (4, 4), (20, 20))) == ((1, 9), (20, 20))
    assert complement(((0, 0x10FFFF),)) == ()
    assert complement(((0x61, 0x61),))[:2] == ((0, 0x60), (0x62, 0xD7FF))
    assert property_ranges("Nd")[0] == (0x30, 0x39)
    assert property_ranges("Klingon") == ()
