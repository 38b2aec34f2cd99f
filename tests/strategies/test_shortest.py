"""What Hypothesis leaves of streams, replies, plans and unlawful payloads: what a person reads at a glance."""

import random

import hypothesis
import pytest
from careless_clients import CALLING, TWICE
from hypothesis import find, settings

from mockchat import error, exactly, generated, join, strategies, text

JUDGED_FROM = (6, 170)

pytestmark = pytest.mark.skipif(
    hypothesis.__version_info__ < JUDGED_FROM,
    reason=f"shrinking is judged by Hypothesis {JUDGED_FROM[0]}.{JUDGED_FROM[1]} and later",
)


def shrunk(strategy, wanted):
    """Return what is left of an example that has what is wanted."""
    chosen = settings(database=None, deadline=None, max_examples=2000)
    return find(strategy, wanted, settings=chosen, random=random.Random(1))


def deltas(chunks):
    """Return the deltas of all choices of all chunks."""
    return [choice["delta"] for chunk in chunks for choice in chunk["choices"]]


def test_a_stream_shrinks_to_the_fewest_chunks():
    """The chunk with the text, and for each of two choices the one before and the one after."""
    chunks = shrunk(
        strategies.chunk_streams(request=TWICE),
        lambda made: any(len(delta.get("content") or "") > 3 for delta in deltas(made)),
    )
    assert len(chunks) == 5
    assert [len(delta.get("content") or "") > 0 for delta in deltas(chunks)].count(True) == 1


def test_a_stream_with_a_call_shrinks_to_one_call():
    """Name, arguments, end: nothing else stands around the call."""
    chunks = shrunk(
        strategies.chunk_streams(request=CALLING),
        lambda made: any("tool_calls" in delta for delta in deltas(made)),
    )
    (choice,) = join(chunks)["choices"]
    assert len(choice["message"]["tool_calls"]) == 1
    assert len(chunks) == 3


SHORTEST = {
    "a text": (
        strategies.replies(), lambda reply: len(getattr(reply.content, "text", None) or "") > 2, text("000"),
    ),
    "a generated reply": (
        strategies.replies(),
        lambda reply: (getattr(reply.content, "seed", None) or 0) > 9,
        generated(kind="wild", seed=10),
    ),
    "an error": (
        strategies.errors(), lambda reply: (reply.content.status or 0) > 428, error(429),
    ),
    "a plan": (strategies.plans(), lambda plan: len(plan.sizes) > 2, exactly([0, 0, 0])),
}  # fmt: skip


@pytest.mark.parametrize("name", SHORTEST)
def test_replies_and_plans_shrink_to_what_matters(name):
    """The example is pasted into a test: it should be the one a person would write."""
    strategy, wanted, shortest = SHORTEST[name]
    assert shrunk(strategy, wanted) == shortest


def test_an_invalid_request_shrinks_around_its_mutation():
    """What is wrong, and the least that is right: the rest of a request hides the reason."""
    mutant = shrunk(
        strategies.invalid_requests(mutation="/temperature far above"),
        lambda made: len(made.payload["messages"]) > 1,
    )
    assert mutant.payload.keys() == {"model", "messages", "temperature"}
    assert mutant.payload["messages"] == [{"role": "user", "content": ""}] * 2


def test_an_invalid_completion_shrinks_around_its_mutation():
    """Of a completion without fault nothing is left but what must be there."""
    mutant = shrunk(
        strategies.invalid_completions(), lambda made: made.mutation.pointer == "/usage"
    )
    assert mutant.payload == {
        "id": "",
        "object": "chat.completion",
        "created": 0,
        "model": "",
        "choices": [],
        "usage": None,
    }


def test_an_invalid_stream_shrinks_to_the_first_mutation():
    """Streams are broken from a short one: what shrinks is which mutation it is."""
    mutant = shrunk(strategies.invalid_streams(), lambda made: made.mutation.pointer != "")
    events = mutant.payload.split(b"\n\n")
    assert events[1] == b'data: ["text"]'
    assert len(events) <= 12
