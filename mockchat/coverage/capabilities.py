"""Which capability an item belongs to: the first in the list with a word of the item's path."""

import re
from collections.abc import Mapping

_BY_AREA: Mapping[str, str] = {
    "chunk": "streaming",
    "stream": "streaming",
    "error": "errors",
    "errors": "errors",
    "status": "errors",
    "fault": "faults",
}
"""Areas that are capabilities as a whole."""

_BY_WORD: Mapping[str, frozenset[str]] = {
    "streaming": frozenset({"stream", "stream_options"}),
    "tools": frozenset(
        {
            "tools",
            "tool",
            "tool_calls",
            "tool_call_id",
            "tool_choice",
            "parallel_tool_calls",
            "functions",
            "function",
            "function_call",
        }
    ),
    "structured output": frozenset({"response_format", "structured_outputs"}),
    "refusals": frozenset({"refusal"}),
    "logprobs": frozenset({"logprobs", "top_logprobs", "logit_bias"}),
    "audio": frozenset({"audio", "input_audio", "modalities"}),
    "images": frozenset({"image_url", "images"}),
    "files": frozenset({"file"}),
    "reasoning": frozenset(
        {"reasoning", "reasoning_content", "reasoning_details", "reasoning_effort", "thinking"}
    ),
    "web search": frozenset(
        {"annotations", "citations", "search_results", "web_search_options", "search_parameters"}
    ),
    "moderation": frozenset({"moderation", "safety_identifier", "content_filter_results"}),
    "prompt cache": frozenset(
        {
            "cache_control",
            "prompt_cache_breakpoint",
            "prompt_cache_key",
            "prompt_cache_options",
            "prompt_cache_retention",
        }
    ),
    "usage": frozenset({"usage", "service_tier"}),
    "stored completions": frozenset({"store", "metadata"}),
    "sampling": frozenset(
        {
            "temperature",
            "top_p",
            "top_k",
            "min_p",
            "presence_penalty",
            "frequency_penalty",
            "repetition_penalty",
            "seed",
            "stop",
            "n",
            "max_tokens",
            "max_completion_tokens",
            "prediction",
            "verbosity",
        }
    ),
}
"""Names of members and values by capability; what has none of them is the conversation itself."""

CHAT = "chat"
"""The capability of what belongs to no other."""

CAPABILITIES = (CHAT, *_BY_WORD, *sorted({*_BY_AREA.values()} - {*_BY_WORD}))
"""All of them, in the order they are told."""

_MEMBER = re.compile(r"/([^/=:#]+)")
_VALUE = re.compile(r"=([^/=:#]+)")
_OF_MEMBERS_ALONE = frozenset({"sampling"})
"""Capabilities whose names mean something else as values: `stop` is a reason to finish as well."""


def capability_of(item_id: str) -> str:
    """Return the capability of the item with this id."""
    area = item_id.partition("/")[0]
    if area in _BY_AREA:
        return _BY_AREA[area]
    members, values = _MEMBER.findall(item_id), _VALUE.findall(item_id)
    for capability, known in _BY_WORD.items():
        words = members if capability in _OF_MEMBERS_ALONE else [*members, *values]
        if not known.isdisjoint(words):
            return capability
    return CHAT
