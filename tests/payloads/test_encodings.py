"""Tokens counted by tiktoken: whole characters, nothing lost, nothing downloaded."""

import sys

import pytest
import tiktoken
from hypothesis import given
from hypothesis import strategies as st

from mockchat.contract.contract import contract_for
from mockchat.errors import BadArgument
from mockchat.payloads.completions import complete, completion_of
from mockchat.payloads.encodings import EncodingTokens, tokenizer_named
from mockchat.payloads.seeded import SeededDraw
from mockchat.payloads.tokens import approximate_tokens

WORDS = (b"th", b"the", b" t", b" th", b" the", b"er", "é".encode(), "漢".encode()[:2])
"""What is merged; half a character among it, as the real tables have."""

ENCODING = tiktoken.Encoding(
    name="few_words",
    pat_str=r" ?\p{L}+| ?[^\s\p{L}]+|\s+",
    mergeable_ranks={
        token: rank for rank, token in enumerate([*(bytes([n]) for n in range(256)), *WORDS])
    },
    special_tokens={"<|endoftext|>": 500},
)
TOKENS = EncodingTokens(ENCODING)
REQUEST = {"model": "gpt-4o", "messages": [{"role": "user", "content": "the thé 漢字 \ud800"}]}


@pytest.fixture
def few_words(monkeypatch):
    """Make tiktoken know the encoding of this module by its name."""
    tiktoken.list_encoding_names()  # finds out which there are
    constructors = tiktoken.registry.ENCODING_CONSTRUCTORS
    monkeypatch.setitem(constructors, "few_words", lambda: None)
    monkeypatch.setitem(tiktoken.registry.ENCODINGS, "few_words", ENCODING)
    tokenizer_named.cache_clear()
    yield "few_words"
    tokenizer_named.cache_clear()


@given(text=st.text(st.characters(codec=None)) | st.text("the 漢é\ud800\udc00<|endoftext|>"))
def test_no_text_is_lost_or_changed(text):
    """What is cut into tokens is what a client puts together again."""
    pieces = TOKENS.split(text)
    assert "".join(pieces) == text
    assert TOKENS.count(text) == len(pieces)
    assert "" not in pieces


def test_pieces_are_the_encoding_s_tokens_in_whole_characters():
    """Half a character cannot stand in a chunk; everything else is cut as the table says."""
    assert TOKENS.split("the ther") == ["the", " the", "r"]
    assert TOKENS.split("é漢字") == ["é", "漢", "字"]
    assert TOKENS.split("a\ud800b") == ["a", "\ud800", "b"]
    assert TOKENS.split("<|endoftext|>") == list("<|endoftext|>")


def test_usage_counts_by_the_tokenizer(few_words):
    """Whoever has the tables gets the service's counts, in limits and usage alike."""
    contract, tokenizer = contract_for("openai"), tokenizer_named(few_words)
    made = complete(REQUEST, SeededDraw(1), contract=contract, tokenizer=tokenizer)
    said = completion_of(
        REQUEST, SeededDraw(1), contract=contract, message={"content": "ther"}, tokenizer=tokenizer
    )
    text = made["choices"][0]["message"]["content"]
    assert made["usage"]["completion_tokens"] == tokenizer.count(text)
    assert made["usage"]["completion_tokens"] != approximate_tokens().count(text)
    assert said["usage"]["completion_tokens"] == 2


def test_limits_cut_by_the_tokenizer(few_words):
    """max_tokens is kept in the unit the reply's usage counts in."""
    made = complete(
        {**REQUEST, "max_tokens": 5},
        SeededDraw(1),
        contract=contract_for("openai"),
        shapes={"length": 1},
        tokenizer=tokenizer_named(few_words),
    )
    assert made["choices"][0]["finish_reason"] == "length"
    assert made["usage"]["completion_tokens"] == 5
    assert TOKENS.count(made["choices"][0]["message"]["content"]) == 5


def test_the_usual_tokenizer_needs_nothing(monkeypatch):
    """Without the extra everything works."""
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    assert tokenizer_named("approximate") is approximate_tokens()
    with pytest.raises(BadArgument) as refusal:
        tokenizer_named("o200k_base")
    assert str(refusal.value) == (
        "tokenizer is 'o200k_base'; allowed: "
        '"approximate"; for encodings install mockchat[tokens].'
    )


def test_nothing_is_downloaded(monkeypatch, tmp_path):
    """A test double that waits for the network is none; the message says how to get the table."""
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(tiktoken.registry, "ENCODINGS", {})
    read_file = tiktoken.load.read_file
    with pytest.raises(BadArgument, match=r"would have to be downloaded from https://.*TIKTOKEN"):
        tokenizer_named("o200k_base")
    assert tiktoken.load.read_file is read_file


def test_an_unknown_encoding_is_told_with_those_there_are():
    """A typo is seen at start."""
    with pytest.raises(BadArgument, match=r"allowed: approximate, cl100k_base, .*o200k_base"):
        tokenizer_named("o200k")
