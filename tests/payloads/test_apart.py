"""Draws for what stands apart: as repeatable as any, and nothing else goes by them."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockchat.payloads.names import letters_and_digits
from mockchat.payloads.seeded import SeededDraw

SEEDS = st.one_of(st.integers(), st.text(max_size=5), st.binary(max_size=5))
BOUNDS = st.tuples(st.integers(), st.integers()).map(sorted)


@given(seed=SEEDS, what=st.sampled_from(["frame", "padding"]), bounds=BOUNDS)
def test_it_repeats_whatever_else_is_asked(seed, what, bounds):
    """A reply made at once and one made the long way have the same id."""
    quiet, asked = SeededDraw(seed), SeededDraw(seed)
    asked.integer(0, 9)
    asked.apart("else").index(7)
    once, again = quiet.apart(what), asked.apart(what)
    lo, hi = bounds
    numbers = [once.integer(lo, hi) for _ in range(20)]
    assert numbers == [again.integer(lo, hi) for _ in range(20)]
    assert all(lo <= number <= hi for number in numbers)


def test_nothing_else_goes_by_it():
    """An id more or less must not change what a reply says."""
    quiet, asked = SeededDraw(0), SeededDraw(0)
    asked.apart("frame").integer(0, 10**60)
    assert [quiet.index(1000) for _ in range(9)] == [asked.index(1000) for _ in range(9)]


def test_parts_differ():
    """Padding that repeats the id would tell how it was drawn."""
    draw = SeededDraw("a")
    names = {letters_and_digits(draw.apart(what), 40) for what in ("frame", "padding", "third")}
    assert len(names) == 3


def test_it_goes_on_as_long_as_asked():
    """A digest ends; whoever asks for more gets more, and all letters come."""
    letters = SeededDraw(1).apart("padding").letters(5_000)
    assert set(letters) == set(string.ascii_letters + string.digits)
    assert len({letters[at : at + 50] for at in range(0, 5_000, 50)}) == 100


def test_no_number_is_asked_for():
    """An empty range is a mistake of ours, as it is for every draw."""
    with pytest.raises(ValueError, match="no whole number from 2 to 1"):
        SeededDraw(0).apart("frame").integer(2, 1)
