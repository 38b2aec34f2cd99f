"""Tokens are what limits, usage, logprobs and steps of a stream are counted in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockchat.payloads.tokens import approximate_tokens, prompt_token_kinds, prompt_tokens

TOKENS = approximate_tokens()


@given(st.text())
def test_pieces_join_to_the_text(text):
    """A stream cut by token must say the whole text, whatever it is."""
    pieces = TOKENS.split(text)
    assert "".join(pieces) == text
    assert TOKENS.count(text) == len(pieces)
    assert all(pieces)


@given(st.text(), st.integers(0, 40))
def test_a_prefix_of_pieces_has_no_more_tokens(text, length):
    """A text cut at a limit must not exceed the limit when it is counted again."""
    prefix = "".join(TOKENS.split(text)[:length])
    assert TOKENS.count(prefix) <= length


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("Hello, world!", ["Hello", ",", " world", "!"]),
        (" internationalization", [" internat", "ionaliza", "tion"]),
        ("東京 2024年", ["東", "京", " 202", "4", "年"]),
        ("한국", ["한", "국"]),
        ("a  b\n\n c", ["a", " ", " b", "\n\n", " c"]),
        ("snake_case ...!", ["snake", "_", "case", " ...", "!"]),
    ],
)
def test_pieces_look_like_tokens(text, pieces):
    """Counts are plausible only if words, digits, punctuation and CJK are cut as tokenizers do."""
    assert TOKENS.split(text) == pieces


def test_a_conversation_costs_its_text_and_its_overhead():
    """Prompt counts of a plain conversation follow the documented arithmetic."""
    request = {"messages": [{"role": "user", "name": "Ann", "content": "Hello there"}]}
    # 3 for the reply, 3 for the message, "user", "Ann" and 1 for having a name, 2 words.
    assert prompt_tokens(request, TOKENS) == 3 + 3 + 1 + 1 + 1 + 2


def test_pictures_sound_and_files_are_counted_apart():
    """Usage details tell text, image and audio tokens, and they must add up to the prompt."""
    parts = [
        {"type": "text", "text": "Look"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "input_audio", "input_audio": {"data": "A" * 8000, "format": "wav"}},
        {"type": "file", "file": {"file_data": "A" * 32}},
        {"type": "refusal", "refusal": "No"},
    ]
    kinds = prompt_token_kinds({"messages": [{"role": "user", "content": parts}]}, TOKENS)
    assert kinds.image == 85 + 765
    assert kinds.audio == 1 + 2
    assert kinds.text == 3 + 3 + 1 + 1 + (1 + 2) + 1
    assert kinds.total == kinds.text + kinds.image + kinds.audio


def test_tools_and_schemas_cost_tokens():
    """An agent's prompt is mostly its tools, so they count."""
    bare = prompt_tokens({"messages": []}, TOKENS)
    tool = {"type": "function", "function": {"name": "f"}}
    one = prompt_tokens({"messages": [], "tools": [tool]}, TOKENS)
    two = prompt_tokens({"messages": [], "tools": [tool, tool]}, TOKENS)
    assert bare == 3
    assert two - one == one - bare > 7
    assert prompt_tokens({"response_format": {"type": "text"}}, TOKENS) > bare


@pytest.mark.parametrize(
    "messages",
    [
        None, "text", [None], ["text"], [{"content": [1, {"type": 5}, {"type": "image_url"}]}],
        [{"content": {"a": 1}, "role": 7, "name": None}],
        [{"content": [{"type": "input_audio"}, {"type": "file", "file": 3}, {"type": "text"}]}],
    ],
)  # fmt: skip
def test_any_request_can_be_counted(messages):
    """A server that does not validate must count what it gets without falling over."""
    assert prompt_tokens({"messages": messages, "tools": 3}, TOKENS) >= 3
