"""What a model said, by kind: two answers of different kinds have different members by right."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mockchat.types import Json, JsonView

_SPOKEN = ("refusal", "audio", "function_call", "reasoning_content", "reasoning", "annotations")
_MESSAGES = ("/choices/*/message", "/choices/*/delta")
_LOGPROBS = "/choices/*/logprobs"
_BROKEN_OFF = frozenset({"'length'", "'content_filter'"})
"""Reasons that a model may end for at any time."""

_ENDS = frozenset({*_BROKEN_OFF, "'stop'", "'tool_calls'", "'function_call'"})


@dataclass(frozen=True, slots=True)
class Nature:
    """What the choices of one answer say.

    Attributes:
        kinds: For each choice what it holds besides text: kinds of calls, a refusal, speech …
        has_text: Whether a choice has text that is not empty.
    """

    kinds: tuple[tuple[str, frozenset[str]], ...]
    has_text: bool

    @property
    def has_calls(self) -> bool:
        """Whether a choice calls a tool, or an older function."""
        return any("call" in kind for _, kinds in self.kinds for kind in kinds)

    def excuses(self, other: "Nature", place: str) -> bool:
        """Tell whether a place may differ by right between two answers of these kinds."""
        if f"{place}/".startswith(f"{_LOGPROBS}/"):
            return self.kinds != other.kinds  # probabilities are of text, and of refusals
        around = next((each for each in _MESSAGES if place.startswith(f"{each}/")), None)
        if around is None or place == f"{around}/role":
            return False
        if self.kinds != other.kinds:
            return True
        # Beside a call a model may say something, or nothing.
        is_beside = self.has_calls and self.has_text != other.has_text
        return is_beside and place in {f"{around}/content", f"{around}/refusal"}


def nature_of(*values: JsonView) -> Nature:
    """Return what a completion, or the chunks of a stream, say by kind."""
    found: dict[str, set[str]] = {}
    has_text = False
    for index, message in _messages(values):
        found.setdefault(index, set()).update(_kinds(message))
        has_text = has_text or bool(message.get("content"))
    kinds = tuple((index, frozenset(each)) for index, each in sorted(found.items()))
    return Nature(kinds=kinds, has_text=has_text)


def is_natural_reason(was: Sequence[str], now: str, old: Nature, new: Nature) -> bool:
    """Tell whether a choice may as well end for another reason.

    Args:
        was: The reasons that were recorded, quoted.
        now: One of today's, quoted.
        old: What was said.
        new: What is said now.
    """
    if now not in _ENDS:
        return False
    return old.kinds != new.kinds or now in _BROKEN_OFF or bool(_BROKEN_OFF & {*was})


def _messages(values: Sequence[JsonView]) -> Iterator[tuple[str, JsonView]]:
    for value in values:
        choices = value.get("choices")
        for choice in choices if isinstance(choices, list) else []:
            if isinstance(choice, Mapping):
                message = choice.get("message", choice.get("delta"))
                if isinstance(message, Mapping):
                    yield repr(choice.get("index")), message


def _kinds(message: JsonView) -> Iterator[str]:
    calls = message.get("tool_calls")
    for at, call in enumerate(calls if isinstance(calls, list) else []):
        yield _kind_of_call(call)
        if at or (isinstance(call, Mapping) and call.get("index", 0)):
            yield "several calls"  # streams open otherwise for one call than for more
    yield from (name for name in _SPOKEN if message.get(name))


def _kind_of_call(call: Json) -> str:
    """Return the kind of a call by its own member: `type` may be what changed."""
    is_custom = isinstance(call, Mapping) and "custom" in call
    return "custom call" if is_custom else "call"
