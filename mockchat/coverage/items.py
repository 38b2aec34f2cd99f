"""Items: the single things of a contract that a suite can meet, each with an id that stays."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Side: TypeAlias = Literal["request", "reply"]
"""Whether a client sends it or is given it."""

SIDES: tuple[Side, ...] = ("reply", "request")
"""Both sides, in the order they are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing of a contract that can be met.

    Attributes:
        id: Its name, the same as long as its contract says it: where it is, and what is met there
            (`response/choices/finish_reason=length`, `errors/rate_limit_requests`).
        capability: What it is a part of: "tools", "streaming" …
        meaning: What is met, in words, where the id does not say it; "" otherwise.
        excluded: Why nobody can meet it; "" where somebody can.
    """

    id: str
    capability: str
    meaning: str = ""
    excluded: str = ""

    @property
    def side(self) -> Side:
        """Whether a client sends it or is given it."""
        return "request" if self.id.startswith("request/") else "reply"
