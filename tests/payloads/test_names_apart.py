"""Identifiers of one reply differ, whatever a draw repeats."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockchat.contract.patterns import is_found
from mockchat.payloads.names import told_apart

MISTRAL = "^[a-zA-Z0-9]{9}$"


@given(
    count=st.integers(1, 200),
    identifier=st.sampled_from(["call_AAAA", "AAAAAAAAA"]),
    pattern=st.sampled_from([None, "^call_", "^[A-z_]{9}$"]),
)
def test_all_differ_and_keep_the_pattern(count, identifier, pattern):
    """An agent answers calls by their ids: with two alike, one is answered twice."""
    if pattern is not None and not is_found(pattern, identifier):
        pattern = MISTRAL
    taken = set()
    for _ in range(count):
        found = told_apart(identifier, taken, pattern)
        assert found not in taken
        assert pattern is None or is_found(pattern, found)
        taken.add(found)


@pytest.mark.parametrize("pattern", ["^A$", "^[AB]$"])
def test_a_pattern_without_another_text_leaves_it(pattern):
    """Nothing better can be said."""
    assert told_apart("A", {"A", "B"}, pattern) == "A"
