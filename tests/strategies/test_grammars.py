"""Custom tools whose inputs follow a Lark grammar: strategies draw them, the server says why not."""

import re
import sys

import pytest
from hypothesis import find, given, settings

from mockchat import strategies
from mockchat.contract.contract import contract_for
from mockchat.errors import ImpossibleSchema
from mockchat.payloads import drawn
from mockchat.payloads.completions import complete
from mockchat.payloads.seeded import SeededDraw

SUMS = """
start: term (("+" | "-") term)*
term: NUMBER | "(" start ")"
NUMBER: /[0-9]+/
"""


def calculating(grammar):
    """Return a request that wants a call of a tool with this grammar."""
    form = {"type": "grammar", "grammar": {"syntax": "lark", "definition": grammar}}
    return {
        "model": "gpt-5",
        "messages": [{"role": "user", "content": "1 + 1?"}],
        "tools": [{"type": "custom", "custom": {"name": "calculate", "format": form}}],
        "tool_choice": "required",
    }


def inputs(completion):
    """Return what the calls of the first choice hand to their tool."""
    calls = completion["choices"][0]["message"]["tool_calls"]
    return [call["custom"]["input"] for call in calls]


@settings(max_examples=20)
@given(completion=strategies.completions(request=calculating(SUMS)))
def test_inputs_follow_the_grammar(completion):
    """A tool is fed what its grammar lets a model say, nothing else."""
    lark = pytest.importorskip("lark")
    for text in inputs(completion):
        assert lark.Lark(SUMS).parse(text)


def test_inputs_shrink_to_the_shortest_sentence():
    """A failing input that is a page long explains nothing."""
    pytest.importorskip("lark")
    found = find(
        strategies.completions(request=calculating(SUMS)),
        lambda completion: any("-" in text for text in inputs(completion)),
    )
    assert re.fullmatch(r"\d-\d", inputs(found)[0])


@pytest.mark.parametrize(
    ("grammar", "reason"),
    [
        ("no grammar", "missing colon"),
        ('other: "x"', "undefined rule"),
        ("start: FOO\n%declare FOO\n", "%declare"),
    ],
)
def test_what_is_no_grammar_is_told(grammar, reason):
    """The fault is in the request, and the message must lead there."""
    pytest.importorskip("lark")
    with pytest.raises(ImpossibleSchema, match=reason) as caught:
        find(strategies.completions(request=calculating(grammar)), lambda _: True)
    assert caught.value.pointer == "/tools/0/custom/format/grammar/definition"


def test_without_the_extra_its_name_is_told(monkeypatch):
    """Whoever lacks an optional package needs the command that installs it."""
    monkeypatch.setitem(sys.modules, "lark", None)
    drawn._larks.cache_clear()
    with pytest.raises(ImpossibleSchema, match=re.escape("pip install 'mockchat[lark]'")):
        find(strategies.completions(request=calculating(SUMS)), lambda _: True)


def test_seeded_draws_refuse_every_lark_grammar():
    """The server answers the same with and without the extra."""
    with pytest.raises(ImpossibleSchema, match="for regex grammars, not for Lark") as caught:
        complete(calculating(SUMS), SeededDraw(0), contract=contract_for())
    assert caught.value.pointer == "/tools/0/custom/format/grammar"
