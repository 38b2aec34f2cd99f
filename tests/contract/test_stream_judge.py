"""The judge as a machine: it judges as events arrive, keeps little and never fails."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stream_samples import CALL, CALLING, DONE, OPENAI, REQUEST, TEXT, header, part, says
from test_stream_rules import BROKEN, HARMFUL, HARMLESS, VALID, judged

from mockchat.contract.stream_rules import StreamJudge, stream_violations
from mockchat.exchange import Violation

SAMPLES = {
    **VALID,
    **{name: sample for name, (sample, _) in (BROKEN | HARMLESS | HARMFUL).items()},
}

leaves = st.none() | st.booleans() | st.integers(-1, 3) | st.sampled_from(["", "stop", "x", "{}"])
names = st.sampled_from(
    [
        *("id", "type", "name", "index", "role", "content", "delta", "choices", "usage", "error"),
        *("moderation", "object", "function", "custom", "arguments", "input", "tool_calls"),
        *("function_call", "finish_reason", "logprobs", "obfuscation"),
    ]
)
junk = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)
events = st.one_of(
    st.sampled_from([event for sample in SAMPLES.values() for event in sample.events]),
    st.dictionaries(names, junk, max_size=5),
    junk,
)


@given(st.lists(events, max_size=8), st.sampled_from(list(SAMPLES.values())))
def test_what_is_said_of_an_event_does_not_wait_for_later_ones(stream, sample):
    """A judge beside a running server says at once what broke, and two judges never mix."""
    whole = StreamJudge(sample.settings, request=sample.request, level="documented")
    said = [whole.feed(event) for event in stream]
    for length in range(len(stream)):
        prefix = StreamJudge(sample.settings, request=sample.request, level="documented")
        assert [prefix.feed(event) for event in stream[:length]] == said[:length]
    for number, found in enumerate(said):
        assert all(one.pointer.split("/")[1] == str(number) for one in found)


@given(st.lists(events, max_size=8), st.one_of(st.none(), st.dictionaries(names, junk)))
def test_nothing_makes_the_judge_fail(stream, request_body):
    """What it judges was made by others; a crash would be blamed on the stream's rules."""
    for level in ("documented", "observed"):
        found = stream_violations(stream, OPENAI, request=request_body, level=level)
        assert all(isinstance(one, Violation) for one in found)


@pytest.mark.parametrize("name", SAMPLES)
def test_whole_and_piecemeal_say_the_same(name):
    """`stream_violations` is a convenience, never another judge."""
    sample = SAMPLES[name]
    judge = StreamJudge(sample.settings, request=sample.request, level="documented")
    piecemeal = [one for event in sample.events for one in judge.feed(event)]
    assert (*piecemeal, *judge.finish()) == judged(sample, "documented")


def test_the_schema_of_a_chunk_is_judged_by_the_one_passed_in():
    """One chunk's form is the contract's matter; here its pointers only gain the event's number."""
    seen = []

    def check(chunk):
        seen.append(chunk)
        return (Violation(rule="schema.type", pointer="/id", message="No."),)

    judge = StreamJudge(OPENAI, request=REQUEST, check_chunk=check)
    found = [judge.feed(event) for event in (TEXT[0], TEXT[1], {"error": {"message": ""}}, DONE)]
    assert [[(one.rule, one.pointer) for one in of_event] for of_event in found] == [
        [("schema.type", "/0/id")],
        [("schema.type", "/1/id")],
        [],
        [],
    ]
    assert seen == [TEXT[0], TEXT[1]]


def test_arguments_are_forgotten_when_their_choice_has_finished():
    """Memory is bounded by the calls that are still going on."""
    judge = StreamJudge(OPENAI, request=REQUEST)
    for event in (
        *CALL[:-1],
        says(part("{}")),
        says({**CALLING, "function_call": {"name": "f", "arguments": "{}"}}, index=1),
        says({}, "function_call", index=1),
    ):
        judge.feed(event)
    calling, legacy = judge._memory.choices.values()
    assert calling.calls[0].fragments == []
    assert legacy.function_call.fragments == []


@given(st.lists(st.sampled_from(["{", "}", "[", "]", '"a"', ":", ",", "1", "\n"]), max_size=6))
def test_arguments_are_judged_joined(fragments):
    """A fragment by itself is no JSON, and need not be; the whole must."""
    parts = [says(part(fragment)) for fragment in ('{"a":[', *fragments, "]}")]
    events = (says({**CALLING, **header()}), *parts, says({}, "tool_calls"), DONE)
    try:
        json.loads("".join(('{"a":[', *fragments, "]}")))
    except ValueError:
        expected = {"stream.arguments-json"}
    else:
        expected = set()
    assert {one.rule for one in stream_violations(events, OPENAI, request=REQUEST)} == expected
