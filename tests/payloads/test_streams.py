"""The stream that answers a request: its options have their effect."""

import pytest

from mockchat.contract.contract import contract_for
from mockchat.payloads.completions import completion_of
from mockchat.payloads.plans import at_once
from mockchat.payloads.simplest import SimplestDraw
from mockchat.payloads.streams import stream_of

OPENAI = contract_for("openai")
REQUEST = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}], "stream": True}


def streamed(**options):
    """Return the chunks of a short text, asked for with these options."""
    request = {**REQUEST, **options}
    message = {"role": "assistant", "content": "Hello"}
    completion = completion_of(request, SimplestDraw(), contract=OPENAI, message=message)
    return stream_of(completion, at_once(), request=request, profile=OPENAI.profile)


@pytest.mark.parametrize(
    ("options", "counts"),
    [
        ({}, 0),
        ({"stream_options": None}, 0),
        ({"stream_options": {"include_usage": True}}, 1),
        ({"stream_options": {"include_usage": True, "continuous_usage_stats": True}}, 3),
    ],
)
def test_usage_comes_as_it_is_asked_for(options, counts):
    """A client that adds up what it did not ask for counts twice."""
    chunks = streamed(**options)
    assert sum(chunk.get("usage") is not None for chunk in chunks) == counts


def test_padding_can_be_switched_off():
    """Who switches it off counts the bytes."""
    padded, bare = streamed(), streamed(stream_options={"include_obfuscation": False})
    assert all("obfuscation" in chunk for chunk in padded)
    assert not any("obfuscation" in chunk for chunk in bare)
