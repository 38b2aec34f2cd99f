"""The axes of a profile's streams: read whole, refused with the place of the mistake."""

import pickle

import pytest
from stream_samples import OPENAI, settings

from mockchat.contract.stream_axes import StreamAxes, stream_axes
from mockchat.errors import BrokenProfile

BROKEN = {
    "role": "twice",
    "finish": None,
    "finish_delta": [],
    "usage": "never",
    "usage_always": 1,
    "usage_null": "no",
    "tool_calls": "halves",
    "obfuscation": None,
    "leading_empty": 0,
    "comments": [7],
    "done": "yes",
    "reasoning_field": "thoughts",
    "reasoning_null": None,
    "padding_field": 3,
    "member_places": {"x": "nowhere"},
    "choice_member_places": ["text"],
    "named_call_finish": "never",
}


def test_the_openai_profile_streams_as_openai_does():
    """These are the facts every other profile is patched from."""
    assert stream_axes(OPENAI) == StreamAxes(
        role="first",
        finish="own",
        finish_delta={},
        usage="own",
        usage_always=False,
        usage_null=True,
        tool_calls="fragments",
        obfuscation=True,
        leading_empty=False,
        comments=(),
        done=True,
        reasoning_field=None,
    )


def test_comments_are_compared_without_the_space_around_them():
    """A server writes `: ping` or `:ping`; the profile need not know which."""
    assert stream_axes(settings(comments=[" ping "])).comments == ("ping",)


def test_no_reasoning_field_may_be_said_by_leaving_it_out():
    """A merge patch cannot write null, so a removed member must mean it."""
    stream = {name: value for name, value in OPENAI["stream"].items() if name != "reasoning_field"}
    assert stream_axes({"stream": stream}).reasoning_field is None


def test_what_few_servers_do_may_be_left_out():
    """A user's own profile should not have to say what Mistral does."""
    axes = stream_axes(OPENAI)
    assert (axes.padding_field, axes.reasoning_null, axes.named_call_finish) == (
        None,
        False,
        "tool_calls",
    )
    assert axes.member_places == axes.choice_member_places == {}


def test_members_are_found_by_their_place():
    """Who writes a chunk asks which members it carries."""
    axes = stream_axes(settings(member_places={"a": "last", "b": "edges", "c": "last"}))
    assert axes.members_at("last") == {"a", "c"}
    assert axes.members_at("leading") == set()


@pytest.mark.parametrize("axis", BROKEN)
def test_a_wrong_value_is_refused_at_its_place(axis):
    """A profile's author must see file and pointer, not a stream that is judged oddly."""
    with pytest.raises(BrokenProfile) as caught:
        stream_axes({"name": "mine"} | settings(**{axis: BROKEN[axis]}))
    assert caught.value.pointer == f"/stream/{axis}"
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_missing_and_unknown_axes_are_refused():
    """A misspelt axis would silently be the default otherwise."""
    stream = dict(OPENAI["stream"])
    del stream["done"]
    for wrong, pointer in (
        ({"name": "mine"}, "/stream"),
        ({"stream": stream}, "/stream/done"),
        (settings(roles="first"), "/stream/roles"),
    ):
        with pytest.raises(BrokenProfile) as caught:
            stream_axes(wrong)
        assert caught.value.pointer == pointer
