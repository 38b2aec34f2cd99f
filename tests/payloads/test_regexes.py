"""Regular expressions: text is drawn that they match."""

import re

import pytest

from mockchat.contract.patterns import is_found
from mockchat.contract.regex_syntax import BadPattern, UnsupportedPattern, parse
from mockchat.payloads import regexes
from mockchat.payloads.regex_steps import pool, step
from mockchat.payloads.regexes import NoSample, sample
from mockchat.payloads.seeded import SeededDraw

SAMPLED = [
    "", "^$", "abc", "^abc$", "a|b|cd", "^(a|bc)d$", "a*b+c?", "^[a-z]{2,5}$", "^a{3}$", "x{2,}",
    "^[^a-z]$", "^[a\\-z\\]]+$", "[-a]", "[a-]", "^\\d{3}-\\d{4}$", "^\\w+\\s\\S$", "\\D\\W",
    "^.+$", "^\\x41\\u0042\\u{1F600}$", "\\cA", "\\t\\n\\r\\f\\v\\0", "^\\/\\.\\-$", "[\\b]",
    "^(?:ab)+$", "^(?<year>[0-9]{4})-\\k<year>$", "^(?P<y>[0-9])(?P=y)$", "^(a)(b)\\2\\1$",
    "\\bfoo\\b", "x\\By", "^(?=.*[A-Z])(?=.*\\d)[A-Za-z\\d]{8,}$", "^(?!admin)[a-z]{3,8}$",
    "(?<=a)b|ab", "^a(?<!b)c$", "^\\p{L}+$", "^\\p{Lu}\\p{Ll}*$", "^\\P{L}$", "\\p{Any}",
    "\\p{gc=Nd}", "(?i)^ab[c-f]$", "^(?i:x)y$", "^a{x}$", "^(a)?b\\1$", "^\\p{Uppercase_Letter}$", "^[\\p{L}\\d_]+$", "a+?b*?", "^(a{2}){2}$",
    "^[a-zA-Z0-9_-]{1,64}$", "^[^\\s<|\\\\/>]+$", "]", "^[\\w-.]+$", "^(a?)*$", "^(?:)*b$", "^[a-\\d]$", "\\A[ab]\\Z", "^\\z", "^(|a)$",
]  # fmt: skip


@pytest.mark.parametrize("pattern", SAMPLED)
def test_samples_match(pattern):
    """A sample that does not match would be refused by the judge of every payload."""
    for seed in range(20):
        assert is_found(pattern, sample(pattern, SeededDraw(seed)))


def test_patterns_without_samples():
    """What cannot be read, or not be run, has no samples."""
    with pytest.raises(BadPattern, match="not closed"):
        sample("(a", SeededDraw(1))
    with pytest.raises(UnsupportedPattern, match="not known here"):
        sample("\\p{Klingon}", SeededDraw(1))


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


def counted(pattern):
    """Return the fewest and most characters, choices and options of a pattern."""
    made = step(parse(pattern))
    return made.least, made.most, made.choices, {*made.options}


COUNTED = {
    "ab": (2, 2, 0, set()),
    "[ab]c[x-z]": (3, 3, 2, {2, 3}),
    "a|bcd": (1, 3, 1, {2}),
    "a{2,4}": (2, 4, 1, {3}),
    "[ab]{9}": (9, 9, 9, {2}),
    "[0-9]*": (0, 2**30, 6, {4, 9, 10}),
    "(?=a)": (0, 0, 0, set()),
    "(a+)\\1": (1, 2**30, 2, {4, 9}),
    "([ab]{9}){9}": (81, 81, 64, {2}),
}


@pytest.mark.parametrize("pattern", COUNTED)
def test_parts_are_counted_once_for_a_pattern(pattern):
    """What is missing is distributed by these bounds, and choices are drawn ahead by these counts."""
    assert counted(pattern) == COUNTED[pattern]


def test_samples_are_no_halves_of_characters():
    """A lone surrogate cannot be written as UTF-8."""
    for pattern in ("^[^\\0-\\uD7FF]$", "^[\\uD800-\\u{10FFFF}]$", "^[\\uDF00-\\uE001]$"):
        samples = {sample(pattern, SeededDraw(seed)) for seed in range(20)}
        assert all(text >= "\ue000" for text in samples)
    with pytest.raises(NoSample):
        sample("^\\p{Cs}$", SeededDraw(1))


def test_a_look_ahead_asks_only_for_what_it_names():
    """What is spliced into a sample must be characters, as many as there is room for."""
    wanted = tuple(pool(each) for each in regexes._needed(parse("(?:ab)")))

    assert tuple(regexes._needed(parse("a|b"))) == ()
    assert regexes._spliced("", wanted, SeededDraw(1)) == ""
    assert regexes._spliced("x", wanted, SeededDraw(1)) == "a"
    assert sorted(regexes._spliced("xx", wanted, SeededDraw(1))) == ["a", "b"]
