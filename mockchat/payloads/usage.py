"""What a completion costs, in tokens that add up."""

from dataclasses import dataclass

from mockchat.payloads.answering import Answering
from mockchat.payloads.asked import Asked, member
from mockchat.payloads.draw import Draw
from mockchat.payloads.tokens import PromptTokens, prompt_token_kinds
from mockchat.types import JsonObject, Kind

_CACHE_BLOCK = 128  # the cache keeps prompts in blocks of so many tokens, 1024 at least
_CACHE_LEAST = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one choice cost, in tokens.

    Attributes:
        text: Visible text and calls.
        audio: Speech.
        reasoning: Thought that is not shown.
        accepted: Of the prediction and part of the text.
        rejected: Of the prediction, not in the text and charged all the same.
    """

    text: int = 0
    audio: int = 0
    reasoning: int = 0
    accepted: int = 0
    rejected: int = 0

    @property
    def total(self) -> int:
        """What counts against the limit of a choice; accepted tokens are in the text already."""
        return self.text + self.audio + self.reasoning + self.rejected


def usage_of(spent: list[Spent], answering: Answering, draw: Draw) -> JsonObject:
    """Return the usage object: sums over all choices, details as far as the profile has them."""
    prompt = prompt_token_kinds(answering.asked.request, answering.tokenizer)
    completion = sum(choice.total for choice in spent)
    usage: JsonObject = {
        "prompt_tokens": prompt.total,
        "completion_tokens": completion,
        "total_tokens": prompt.total + completion,
    }
    members, kind = answering.members, answering.kind
    if "search_context_size" in members.usage:
        usage["search_context_size"] = _search_context_size(answering.asked)
    if kind == "wild" and draw.chance(0.1):
        return usage  # the details are optional
    details = {
        "prompt_tokens_details": _named(
            members.prompt_details, _prompt_details(prompt, draw, kind)
        ),
        "completion_tokens_details": _named(members.completion_details, _completion_details(spent)),
    }
    declared = {name: value for name, value in details.items() if name in members.usage}
    return usage | declared


def _search_context_size(asked: Asked) -> str:
    options = member(asked.request, "web_search_options", dict) or {}
    return member(options, "search_context_size", str) or "low"


def _named(names: tuple[str, ...], counts: dict[str, int]) -> JsonObject:
    return {name: number for name, number in counts.items() if name in names}


def _prompt_details(prompt: PromptTokens, draw: Draw, kind: Kind) -> dict[str, int]:
    is_told = kind == "wild" and prompt.total >= _CACHE_LEAST
    cached = draw.index(prompt.total // _CACHE_BLOCK + 1) * _CACHE_BLOCK if is_told else 0
    return {
        "cached_tokens": cached,
        "audio_tokens": prompt.audio,
        "text_tokens": prompt.text,
        "image_tokens": prompt.image,
        "cache_write_tokens": 0,
    }


def _completion_details(spent: list[Spent]) -> dict[str, int]:
    audio = sum(choice.audio for choice in spent)
    reasoning = sum(choice.reasoning for choice in spent)
    return {
        "reasoning_tokens": reasoning,
        "audio_tokens": audio,
        "accepted_prediction_tokens": sum(choice.accepted for choice in spent),
        "rejected_prediction_tokens": sum(choice.rejected for choice in spent),
        "text_tokens": sum(choice.total for choice in spent) - audio - reasoning,
    }
