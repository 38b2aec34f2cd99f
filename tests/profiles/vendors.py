"""The vendor profiles, and which of them answers for which recorded host."""

import json
from functools import cache
from pathlib import Path

import pytest

VENDORS = (
    "anthropic",
    "azure",
    "deepseek",
    "gemini",
    "groq",
    "litellm",
    "llamacpp",
    "mistral",
    "ollama",
    "openrouter",
    "together",
    "vllm",
    "xai",
)

WIRE = Path(__file__).parents[2].parent / "shared" / "wire" / "chat-exchanges.jsonl"

HOSTS = {
    "api.openai.com": "openai",
    "api.deepseek.com": "deepseek",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral",
    "api.together.xyz": "together",
    "traceloop-stg.openai.azure.com": "azure",
    "localhost:8000": "vllm",
}
"""Hosts of the recordings. The unnamed local server is vLLM: its choices have `stop_reason`, its
messages `tool_calls: []`, its ids are hexadecimal, and it finishes with the last content."""


@cache
def recorded():
    """Return the recorded exchanges, each with the name of its profile."""
    if not WIRE.is_file():
        pytest.skip("the recordings of `shared` do not stand beside this checkout")
    lines = WIRE.read_text(encoding="utf-8").splitlines()
    return [(profile_of(exchange), exchange) for exchange in map(json.loads, lines)]


def profile_of(exchange):
    """Return the profile an exchange is judged under.

    OpenRouter was recorded under OpenAI's host; its ids tell.
    """
    body = exchange["body"]
    is_openrouter = isinstance(body, str) and '"id":"gen-' in body
    return "openrouter" if is_openrouter else HOSTS[exchange["host"]]


def wrong(violations):
    """Return the violations that are more than notes."""
    return [violation for violation in violations if not violation.is_note]
