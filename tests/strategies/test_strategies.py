"""The strategies: lawful ones keep every rule, unlawful ones break one, and careless clients are found."""

import inspect
from dataclasses import replace

import pytest
from careless_clients import (
    ASKING,
    CALLING,
    TWICE,
    WITH_TOOLS,
    WITH_USAGE,
    arguments,
    arguments_in_one_piece,
    arguments_of_one_call,
    events,
    events_of_decoded_escapes,
    events_of_decoded_reads,
    events_of_each_read,
    events_of_lines,
    finish_reason_once,
    finish_reasons,
    names_in_every_piece,
    text_of_first_choice,
    text_until_finish,
    text_without_index,
    text_without_nulls,
    text_without_strangers,
    texts,
)
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

import mockchat
from mockchat import (
    Mutant,
    Pacing,
    Plan,
    Turn,
    at_once,
    by_token,
    by_word,
    chunks_of,
    error,
    exactly,
    generated,
    join,
    refusal,
    strategies,
    text,
    tool_call,
    unchecked,
)
from mockchat.contract.contract import contract_for
from mockchat.contract.profile import profile_names
from mockchat.contract.validation import schema_violations
from mockchat.errors import BadArgument, ImpossibleSchema, UnknownProfile
from mockchat.payloads.encoding import DONE, encode_chunk
from mockchat.payloads.stream_style import stream_style
from mockchat.payloads.streams import for_any_reader
from mockchat.scripting.contents import Failure, Generated, Said, reply_of

OPENAI = contract_for("openai")
PROFILES = profile_names()
KINDS = ("wild", "plain")
DEFAULT = settings(
    settings.get_profile("default"), database=None, deadline=None, phases=settings().phases
)
"""What a user has who sets nothing: 100 examples and all health checks. Without the limit of time
for each example, which says how busy the machine is, and without words about failures."""
quick = settings(deadline=None, max_examples=15)
"""For laws that other tests prove with more examples: that the strategy passes on what it should."""

EVERY = {
    "requests": strategies.requests(),
    "completions": strategies.completions(),
    "chunk_streams": strategies.chunk_streams(),
    "replies": strategies.replies(),
    "errors": strategies.errors(),
    "plans": strategies.plans(),
    "byte_splits": strategies.byte_splits(b"data: {}\n\n"),
    "from_schema": strategies.from_schema({"type": "object"}),
    "invalid_requests": strategies.invalid_requests(),
    "invalid_completions": strategies.invalid_completions(),
    "invalid_streams": strategies.invalid_streams(),
}


def wrong(violations):
    """Return what counts: notes do not."""
    return [violation for violation in violations if not violation.is_note]


def test_every_strategy_is_listed_here():
    """What this table lacks is drawn in no test below."""
    made = {*strategies.__all__} - {"Mutant", "Mutation"}
    assert made == EVERY.keys()


@pytest.mark.parametrize("name", EVERY)
def test_health_checks_pass_at_default_settings(name):
    """A strategy that needs its user to switch checks off is one nobody uses twice."""
    drawn = []
    find(EVERY[name], lambda _: True)  # documents are read and compiled once, not for each test

    # Checks are made on the first ten examples; more would only take time.
    @settings(DEFAULT, max_examples=20)
    @given(EVERY[name])
    def draws(value):
        drawn.append(value)

    draws()
    assert len(drawn) >= 5


@pytest.mark.parametrize("name", EVERY)
def test_no_draw_is_thrown_away(name):
    """Filtering makes draws slow and shrinking poor."""
    calls, values = [], []

    @st.composite
    def counted(draw):
        calls.append(None)
        return draw(EVERY[name])

    @settings(
        database=None,
        deadline=None,
        max_examples=25,
        phases=[Phase.generate],
        suppress_health_check=[*HealthCheck],
    )
    @given(counted())
    def draws(value):
        values.append(value)

    draws()
    # What is drawn is used, but for the few that outgrow Hypothesis' buffer.
    assert len(calls) - len(values) <= len(calls) // 4


@pytest.mark.parametrize("name", EVERY)
def test_a_strategy_is_shown_as_it_is_written(name):
    """What Hypothesis prints of a failing test must be code."""
    assert repr(strategies.requests(kind="plain")) == "requests(kind='plain')"
    assert repr(strategies.from_schema({"type": "object"})) == "from_schema({'type': 'object'})"
    assert repr(strategies.from_schema(True, kind="plain")) == "from_schema(True, kind='plain')"
    assert "mockchat" not in repr(EVERY[name])


def test_options_are_named():
    """A call with two positional flags is read by nobody."""
    for name in EVERY:
        positional = [
            parameter.name
            for parameter in inspect.signature(getattr(strategies, name)).parameters.values()
            if parameter.kind is not parameter.KEYWORD_ONLY
        ]
        assert positional in ([], ["schema"], ["stream"]), name


def test_drawn_streams_can_be_read_without_their_request():
    """Who is not told that running counts were asked for takes them for counts sent twice."""
    request = {"stream_options": {"include_usage": True, "continuous_usage_stats": True}, "n": 1}
    assert for_any_reader(request) == {"stream_options": {"include_usage": True}, "n": 1}
    assert for_any_reader({"n": 1}) == {"n": 1}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("profile", PROFILES)
def test_lawful_payloads_of_every_profile(profile, kind):
    """A payload the contract refuses would blame the client for what we did."""
    contract = contract_for(profile)

    @quick
    @given(data=st.data())
    def keeps(data):
        request = data.draw(strategies.requests(profile=profile, kind=kind))
        assert wrong(contract.request_violations(request)) == []
        completion = data.draw(strategies.completions(profile=contract, kind=kind))
        assert wrong(contract.violations("response", completion, level="documented")) == []
        chunks = data.draw(strategies.chunk_streams(profile=profile, kind=kind))
        judge = contract.stream_judge()
        found = [violation for chunk in chunks for violation in judge.feed(chunk)]
        assert wrong([*found, *judge.feed("[DONE]"), *judge.finish()]) == []

    keeps()


@quick
@given(data=st.data())
def test_completions_answer_the_request_they_are_given(data):
    """A reply to another question proves nothing about the client."""
    request = {**TWICE, "stream": False, "stop": "x", "max_tokens": 9}
    completion = data.draw(strategies.completions(request=request))
    assert wrong(OPENAI.exchange_violations(request, completion, level="documented")) == []


@quick
@given(chunks=strategies.chunk_streams(request=WITH_USAGE))
def test_streams_have_what_the_request_asks_for(chunks):
    """stream_options are part of the request."""
    assert [chunk for chunk in chunks if chunk["usage"] is not None] == [chunks[-1]]


@quick
@given(
    completions=st.lists(
        strategies.completions(request=ASKING, shapes={"tool_calls": 0, "length": 1}), min_size=1
    )
)
def test_shapes_are_those_asked_for(completions):
    """Whoever tests one finish reason wants no other."""
    assert {each["choices"][0]["finish_reason"] for each in completions} == {"length"}


@quick
@given(reply=strategies.replies())
def test_replies_can_be_scripted(reply):
    """A reply is what mockchat.reply takes."""
    assert isinstance(reply.content, Said | Generated)


def test_replies_are_those_the_profile_knows():
    """A refusal in a profile of 2023 would break its contract."""
    refusing = find(strategies.replies(), lambda reply: getattr(reply.content, "refusal", None))
    assert refusing.content.refusal == "0"
    assert "refusal" in repr(strategies.replies().wrapped_strategy)
    assert "refusal" not in repr(strategies.replies(profile="openai-2023-03").wrapped_strategy)
    assert "refusal" not in repr(strategies.replies(kind="plain").wrapped_strategy)


@quick
@given(reply=strategies.errors(profile="perplexity"))
def test_errors_are_those_of_the_catalogue(reply):
    """An error the service never sends tests nothing."""
    assert isinstance(reply.content, Failure)


@quick
@given(data=st.data(), kind=st.sampled_from(KINDS))
def test_plans_cut_what_they_are_drawn_for(data, kind):
    """Sizes beyond the text would all be the same plan."""
    completion = data.draw(strategies.completions(request=ASKING))
    plan = data.draw(strategies.plans(completion=completion, kind=kind))
    text = completion["choices"][0]["message"]["content"] or ""
    assert "".join(plan.cut(text)) == text


@quick
@given(data=st.data(), done=st.booleans())
def test_byte_splits_lose_nothing(data, done):
    """The bytes are those of the stream, however they are cut."""
    chunks = data.draw(strategies.chunk_streams(request=ASKING))
    whole = b"".join(map(encode_chunk, chunks)) + (DONE if done else b"")
    pieces = data.draw(strategies.byte_splits(chunks, done=done))
    assert b"".join(pieces) == whole
    assert all(pieces)


@pytest.mark.parametrize("data", [b"", b"x", b"xyz"])
def test_byte_splits_of_almost_nothing(data):
    """There is nothing to cut in one byte, and nothing awkward in three letters."""
    assert find(strategies.byte_splits(data), lambda _: True) == [data]


def test_byte_splits_fall_inside_characters():
    """The cut that clients get wrong must not be left to chance."""
    data = ("a" * 200 + "é" + "a" * 200).encode()
    pieces = find(strategies.byte_splits(data), lambda cut: any(each[0] >= 0x80 for each in cut))
    assert pieces == [b"a" * 200 + b"\xc3", b"\xa9" + b"a" * 200]


@quick
@given(data=st.data(), kind=st.sampled_from(KINDS))
def test_values_of_a_schema_are_valid(data, kind):
    """Any schema a caller brings."""
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}}
    value = data.draw(strategies.from_schema(schema, kind=kind))
    assert schema_violations(schema, value) == ()


@pytest.mark.parametrize("profile", PROFILES)
def test_mutants_of_every_profile(profile):
    """Each breaks the contract of its profile where it says; its parent does not."""
    contract = contract_for(profile)

    @quick
    @given(
        request=strategies.invalid_requests(profile=profile),
        reply=strategies.invalid_completions(profile=profile, level="documented"),
    )
    def breaks(request, reply):
        found = wrong(contract.request_violations(request.payload))
        assert request.mutation.pointer in [violation.pointer for violation in found]
        assert wrong(contract.request_violations(request.parent)) == []
        found = wrong(contract.violations("response", reply.payload, level="documented"))
        if reply.request:
            asked = contract.exchange_violations(reply.request, reply.payload, level="documented")
            found += wrong(asked)
        assert reply.mutation.pointer in [violation.pointer for violation in found]

    breaks()


def test_one_mutation_can_be_asked_for():
    """A failure found by the enumeration is looked at in depth by the strategy."""
    name = "/temperature far above"
    mutant = find(strategies.invalid_requests(mutation=name), lambda _: True)
    assert mutant.payload["temperature"] == 3
    assert mutant.mutation.rule == "schema.maximum"
    assert mutant.mutation.before in (None, 0)
    assert "more than the greatest number allowed, 2" in mutant.mutation.reason


MISTAKES = [
    (strategies.requests(profile="opnai"), UnknownProfile),
    (strategies.replies(profile="opnai"), UnknownProfile),
    (strategies.from_schema(False), ImpossibleSchema),
    (strategies.invalid_requests(mutation="/nothing"), BadArgument),
    (strategies.invalid_completions(mutation="/nothing"), BadArgument),
    (strategies.invalid_streams(mutation="nothing"), BadArgument),
]


@pytest.mark.parametrize(("strategy", "mistake"), MISTAKES)
def test_a_mistake_is_told_when_the_test_runs(strategy, mistake):
    """An error at import hides every other test of the module."""
    with pytest.raises(mistake):
        find(strategy, lambda _: True)


def text_of(chunks):
    """Return the texts of a stream's choices, by the joined completion."""
    completion = join(chunks, style=stream_style(OPENAI.profile))
    return {each["index"]: each["message"]["content"] or "" for each in completion["choices"]}


def arguments_of(chunks):
    """Return the arguments of the calls of the first choice."""
    message = join(chunks, style=stream_style(OPENAI.profile))["choices"][0]["message"]
    return [call["function"]["arguments"] for call in message.get("tool_calls", ())]


def fails(client, wanted, given_):
    """Tell whether the client breaks, or says something else."""
    try:
        return client(given_) != wanted(given_)
    except (LookupError, TypeError, ValueError):
        return True


def finishes_of(chunks):
    """Return how each choice ended, by the joined completion."""
    completion = join(chunks, style=stream_style(OPENAI.profile))
    return {each["index"]: each["finish_reason"] for each in completion["choices"]}


# How many chunks the shrunk example may have, and how many characters it is printed in.
PLANTED = {
    "breaks on empty choices": (text_of_first_choice, texts, text_of, WITH_USAGE, (3, 1500)),
    "breaks on null content": (text_without_nulls, texts, text_of, WITH_TOOLS, (3, 1300)),
    "ignores the index": (text_without_index, texts, text_of, TWICE, (5, 1800)),
    "stops at the first finish": (text_until_finish, texts, text_of, TWICE, (5, 1800)),
    "breaks on a second finish": (finish_reason_once, finish_reasons, finishes_of, TWICE, (5, 1800)),
    "takes two calls for one": (arguments_of_one_call, arguments, arguments_of, CALLING, (6, 2500)),
    "takes a piece for the whole": (
        arguments_in_one_piece, arguments, arguments_of, CALLING, (5, 2000),
    ),
    "wants the name in every piece": (
        names_in_every_piece, arguments, arguments_of, CALLING, (5, 2000),
    ),
    "wants text in the first chunk": (
        text_without_strangers, texts, text_of, WITH_TOOLS, (3, 1300),
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("client", "careful", "wanted", "request_", "most"),
    PLANTED.values(),
    ids=PLANTED,
)
def test_a_planted_bug_is_found_and_shrunk(client, careful, wanted, request_, most):
    """The bugs that clients have had, within default settings, in a stream short enough to read."""
    streams = strategies.chunk_streams(request=request_)
    found = []

    @settings(DEFAULT, derandomize=True)
    @given(streams)
    def survives(stream):
        if fails(client, wanted, stream):
            found[:] = [stream]
            raise AssertionError

    with pytest.raises(AssertionError):
        survives()
    assert (len(found[0]) <= most[0], len(repr(found[0])) <= most[1]) == (True, True)
    assert not fails(careful, wanted, found[0])


@settings(deadline=None)
@given(data=st.data(), request=st.sampled_from([WITH_USAGE, WITH_TOOLS, TWICE]))
def test_the_careful_client_takes_any_stream(data, request):
    """A strategy that also fails correct clients finds nothing but itself."""
    chunks = data.draw(strategies.chunk_streams(request=request))
    assert texts(chunks) == text_of(chunks)
    if request is WITH_TOOLS:
        assert arguments(chunks) == arguments_of(chunks)
    assert events(data.draw(strategies.byte_splits(chunks))) == chunks


@pytest.mark.parametrize(
    "client",
    [events_of_each_read, events_of_decoded_reads, events_of_decoded_escapes, events_of_lines],
)
def test_a_bug_in_reading_is_found_and_shrunk(client):
    """One cut in the wrong place is all it takes."""
    chunks = [{"choices": [{"index": 0, "delta": {"content": "é"}}]}]
    pieces = find(
        strategies.byte_splits(chunks),
        lambda cut: fails(client, events, cut),
        settings=settings(database=None),
    )
    assert len(pieces) == 2


@given(reply=strategies.replies())
@settings(deadline=None, max_examples=20)
def test_an_agent_takes_any_legal_reply(mockchat_server, reply):
    """The third example of the design: a clean script for each example, any reply the API could send."""
    import openai  # noqa: PLC0415 - half a second that the other tests do without

    with mockchat_server.script() as mockchat:
        mockchat.reply(reply)
        client = openai.OpenAI(base_url=mockchat.base_url, api_key=mockchat.api_key, max_retries=0)
        messages = [{"role": "user", "content": "hi"}]
        completion = client.chat.completions.create(model="gpt-4o", messages=messages)
        assert completion.choices[0].finish_reason is not None


def written_again(value):
    """Return what the shown form of a value makes, in a test that imports from mockchat."""
    names = {name: getattr(mockchat, name) for name in mockchat.__all__}
    return eval(repr(value), {**names, "replace": replace})


@pytest.mark.parametrize("name", EVERY)
def test_examples_are_shown_as_code(name):
    """A failing example is pasted into a test of its own; `Mutant(...)` does without its parent."""

    @quick
    @given(EVERY[name])
    def is_code(value):
        again = written_again(value)
        if isinstance(value, Mutant):
            assert again == replace(value, parent=None)
        else:
            assert again == value

    is_code()


def test_pretty_printers_show_the_code():
    """Hypothesis and IPython take dataclasses apart when they print them, unless told otherwise."""

    class Printer:
        def text(self, text):
            said.append(text)

    said = []
    shown = [text("Hi"), at_once(), Turn(reply=text("Hi"))]
    for value in shown:
        value._repr_pretty_(Printer(), False)
    assert said == [*map(repr, shown)]


SHOWN = [
    text("Hi"),
    text("Hi", finish_reason="length", usage={"total_tokens": 3}),
    tool_call("f", city="Oslo"),
    tool_call("f", "free text"),
    refusal("No."),
    error(429, retry_after=1),
    error("rate_limit_requests", message="Slow down"),
    generated(),
    generated(kind="wild", seed=2, shapes={"text": 1}),
    unchecked("Hi"),
    replace(text("Hi"), plan=chunks_of(3), pacing=Pacing(ttft=0.3)),
    replace(refusal("No."), finish_reason="stop"),
    at_once(),
    by_word(),
    by_token(),
    chunks_of(2),
    exactly([1, 0, 2]),
    Plan(unit="token", sizes=(1, 2)),
    Turn(reply=[text("Hi"), tool_call("f")], plan=by_word(), errors=[429]),
    Turn(reply=text("Hi")),
]


@pytest.mark.parametrize("value", SHOWN, ids=repr)
def test_what_tests_write_is_shown_as_it_is_written(value):
    """A repr that is no code must be translated by whoever reads it."""
    assert written_again(value) == value


@pytest.mark.parametrize(
    "written",
    [
        {"id": "chatcmpl-1"},
        [{"id": "chatcmpl-1"}, {"id": "chatcmpl-1"}],
        ["Hi", tool_call("f"), tool_call("g", a=1)],
    ],
    ids=["a completion", "chunks", "calls"],
)
def test_replies_without_a_builder_are_shown_as_they_were_given(written):
    """They go into `reply(...)` as they are."""
    assert written_again(reply_of(written)) == written


def test_a_callable_is_shown_by_its_name():
    """Its address says nothing, and is another one in each run."""
    assert repr(reply_of(text_of)) == "text_of"
