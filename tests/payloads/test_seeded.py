"""The seeded draw: bounds, kinds of text, and the purity law."""

import os
import random
import subprocess
import sys

import pytest

from mockchat.payloads.seeded import SeededDraw, canonical_json, draw_for

LAW = {
    "seed": 7,
    "profile": "openai",
    "settings": {"kind": "plain"},
    "method": "POST",
    "path": "/v1/chat/completions",
    "body": {"model": "m", "messages": []},
}


def answers(draw):
    """Ask for one answer of every sort."""
    return [
        draw.index(1000), draw.chance(0.5), draw.size(0, 50, 9), draw.integer(-9, 9),
        draw.number(-1, 1), draw.text(0, 40, "plain"), draw.text(0, 40, "wild"),
        draw.text(1, 9, "name"), draw.pattern("^[a-z]{4}$"), draw.format("uuid"),
    ]  # fmt: skip


def test_same_seed_gives_the_same_answers():
    """A failing payload must come back from the seed in the report."""
    assert answers(SeededDraw(3)) == answers(SeededDraw(3)) != answers(SeededDraw(4))


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("hint", ["plain", "wild", "name", "sentence"])
def test_text_keeps_its_bounds(seed, hint):
    """A text longer than maxLength would make an invalid payload."""
    draw = SeededDraw(seed)
    for low, high in ((0, 0), (0, 3), (2, 2), (5, 90), (0, 4000)):
        assert low <= len(draw.text(low, high, hint)) <= high


def test_plain_text_is_printable_and_never_blank_at_its_ends():
    """Plain payloads must not surprise any client, trimming ones included."""
    for seed in range(200):
        text = SeededDraw(seed).text(1, 60, "plain")
        assert text.isascii()
        assert text.isprintable()
        assert text == text.strip()


def test_wild_text_meets_what_breaks_clients():
    """The wild kind is worth nothing if the notorious characters never turn up."""
    text = "".join(SeededDraw(seed).text(0, 400, "wild") for seed in range(300))
    assert all(
        hazard in text for hazard in ("data: [DONE]", "\u2028", "\U0001f600", "\x00", "\n\n")
    )
    assert max(len(SeededDraw(seed).text(0, 4000, "wild")) for seed in range(300)) > 200
    text.encode("utf-8")


@pytest.mark.parametrize("seed", range(50))
def test_numbers_keep_their_bounds(seed):
    """Numbers outside their bounds, or infinite ones, are no JSON Schema could allow."""
    draw = SeededDraw(seed)
    assert -1.7e308 <= draw.number(-1.7e308, 1.7e308) <= 1.7e308
    assert draw.number(0.1, 0.1) == 0.1
    assert draw.integer(5, 5) == 5
    assert 3 <= draw.size(3, 9, 5) <= 9
    assert draw.size(4, 4, 9) == 4


@pytest.mark.parametrize("seed", range(20))
def test_whole_numbers_are_those_of_the_standard_library(seed):
    """Payloads of earlier versions must come back from their seeds."""
    draw, known = SeededDraw(seed), random.Random(seed)
    bounds = [(0, 0), (-3, 4), (0, 15), (1, 2**31), (-(2**90), 2**90), (5, 5)]
    assert [draw.integer(*pair) for pair in bounds] == [known.randint(*pair) for pair in bounds]
    with pytest.raises(ValueError, match="no whole number from 3 to 2"):
        draw.integer(3, 2)


def test_sizes_are_near_their_average():
    """Budgets are planned with the average; a drift would make payloads huge or empty."""
    draw = SeededDraw("sizes")
    sizes = [draw.size(0, 1000, 8) for _ in range(4000)]
    assert 7 < sum(sizes) / len(sizes) < 9


def test_canonical_json_forgets_order_and_spacing():
    """The same body written differently must get the same reply."""
    assert canonical_json({"b": [1, "é"], "a": None}) == '{"a":null,"b":[1,"\\u00e9"]}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("inf"))


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 8}, {"profile": "x"}, {"settings": {"kind": "wild"}}, {"method": "GET"},
        {"path": "/chat/completions"}, {"body": {"model": "n", "messages": []}}, {"repeat": 1},
        {"locale": "ja_JP"},
    ],
)  # fmt: skip
def test_every_part_of_the_law_counts(change):
    """A part that did not count would give different requests the same reply."""
    base = draw_for(**LAW)
    assert answers(draw_for(**LAW)) == answers(base)
    assert answers(draw_for(**{**LAW, **change})) != answers(draw_for(**LAW))
    assert draw_for(**{**LAW, **change}).locale == change.get("locale", "en_US")


def test_order_of_members_does_not_count():
    """Clients write members in any order."""
    swapped = {"messages": [], "model": "m"}
    assert answers(draw_for(**{**LAW, "body": swapped})) == answers(draw_for(**LAW))


def test_answers_do_not_depend_on_the_hash_seed():
    """A worker started with another PYTHONHASHSEED must answer the same."""
    program = (
        "from mockchat.payloads.seeded import SeededDraw as S;"
        "d = S('x'); print([d.text(0, 50, 'wild') for _ in range(50)], d.pattern(r'\\p{Lu}+x'))"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONUTF8": "1"},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1
