"""The contract of one profile: the one judge of requests, replies, chunks and errors."""

from functools import cache
from pathlib import Path

from mockchat.contract.profile import LEVELS, Profile, load_profile
from mockchat.contract.validation import DocumentJudge
from mockchat.exchange import ApiError, Violation
from mockchat.types import Json, JsonObject, JsonView, Level


class Contract:
    """Everything a profile asks of what travels, as questions.

    Args:
        profile: The profile; its documents and settings are all this judges by.
    """

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self._judges = {level: DocumentJudge(profile.levels[level], level) for level in LEVELS}

    def violations(self, document: str, value: Json, *, level: Level = "observed", rules: bool = True) -> tuple[Violation, ...]:
        return self._judges[level].violations(document, value)
