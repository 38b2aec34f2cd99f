"""What the schema tests share: the profiles' documents and their judges."""

from collections.abc import Callable
from functools import cache

import pytest

from mockchat.contract.profile import load_profile
from mockchat.contract.validation import DocumentJudge


@cache
def _judge(profile, level):
    return DocumentJudge(load_profile(profile).levels[level], level)


@pytest.fixture(scope="session")
def judge() -> Callable[..., DocumentJudge]:
    """Give the judge of a profile's documents, rules left aside: `judge(profile, level)`."""

    def of(profile="openai", level="observed"):
        return _judge(profile, level)

    return of
