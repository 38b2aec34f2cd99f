"""What Hypothesis leaves of a failing example: the payload itself, and nothing that does not matter."""

import random
from itertools import pairwise

import hypothesis
import pytest
from hypothesis import find, settings

from mockchat import strategies

JUDGED_FROM = (6, 170)
"""Older shrinkers stop short of what newer ones reach: shrinking is judged by newer ones alone."""

pytestmark = pytest.mark.skipif(
    hypothesis.__version_info__ < JUDGED_FROM,
    reason=f"shrinking is judged by Hypothesis {JUDGED_FROM[0]}.{JUDGED_FROM[1]} and later",
)

PLAIN = {"model", "messages"}


def has_call_and_answer(body):
    """Tell whether a message with calls is followed by a tool's."""
    return any(
        before.get("tool_calls") and after["role"] == "tool"
        for before, after in pairwise(body["messages"])
    )


REQUESTS = {
    "a tool message": (
        lambda body: any(one["role"] == "tool" for one in body["messages"]), 2, PLAIN,
    ),
    "a call and its answer": (has_call_and_answer, 2, PLAIN),
    "three messages": (lambda body: len(body["messages"]) > 2, 3, PLAIN),
    "a high temperature": (
        lambda body: (body.get("temperature") or 0) > 1.5, 1, PLAIN | {"temperature"},
    ),
    "a low bias": (
        lambda body: any(bias < -50 for bias in (body.get("logit_bias") or {}).values()),
        1, PLAIN | {"logit_bias"},
    ),
    "an object tool_choice": (
        lambda body: isinstance(body.get("tool_choice"), dict), 1, PLAIN | {"tools", "tool_choice"},
    ),
}  # fmt: skip


FEW = ("a call and its answer", "a high temperature")


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_shrink_to_what_matters(name, proof_count):
    """A failing example of two hundred members is read by nobody."""
    if proof_count(10) == 1 and name not in FEW:
        pytest.skip("make proof shrinks this one too")
    wanted, messages, members = REQUESTS[name]
    found = shrunk(strategies.requests(), wanted)
    assert found.keys() == members
    assert len(found["messages"]) == messages


def test_a_completion_shrinks_with_the_request_it_answers():
    """Both are drawn: what the request need not ask for, the reply must not say."""
    made = shrunk(
        strategies.completions(),
        lambda one: any(each["message"].get("tool_calls") for each in one["choices"]),
    )
    (choice,) = made["choices"]
    (call,) = choice["message"]["tool_calls"]
    assert call["function"] == {"name": "get_weather", "arguments": "{}"}


def shrunk(strategy, wanted):
    """Return what is left of an example that has what is wanted."""
    chosen = settings(database=None, deadline=None, max_examples=5000)
    return find(strategy, wanted, settings=chosen, random=random.Random(1))
