"""Splitting and joining: a stream must say what the completion says, in the recorded shapes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockchat.contract.contract import contract_for
from mockchat.contract.stream_chunk_rules import padding_length
from mockchat.errors import BadArgument
from mockchat.payloads.chunking import (
    OPENAI_STYLE,
    Plan,
    at_once,
    by_token,
    by_word,
    chunks_of,
    exactly,
    join,
    random_plan,
    split,
    stream_style,
)
from mockchat.payloads.completions import complete, completion_of
from mockchat.payloads.plans import at_random
from mockchat.payloads.seeded import SeededDraw

CONTRACT = contract_for("openai")
PLANS = st.one_of(
    st.builds(chunks_of, st.integers(1, 20)),
    st.sampled_from([by_word(), by_token(), at_once()]),
    st.builds(exactly, st.lists(st.integers(0, 10), max_size=6)),
    st.integers().map(lambda seed: random_plan(SeededDraw(seed), kind="wild")),
    st.integers().map(lambda seed: random_plan(SeededDraw(seed))),
)


def scripted(message, **fields):
    """Return a streamed completion around `message`."""
    request = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    return completion_of({**request, **fields}, SeededDraw(1), contract=CONTRACT, message=message)


def deltas(completion, plan=None, **options):
    """Return the deltas of a stream, each with its index where there are several choices."""
    chunks = split(completion, plan or by_token(), **options)
    return [choice["delta"] for chunk in chunks for choice in chunk["choices"]]


@given(st.text(), PLANS)
def test_the_pieces_of_a_plan_join_to_the_text(text, plan):
    """Whatever the plan, no character may get lost, doubled or moved."""
    assert "".join(plan.cut(text)) == text


@pytest.mark.parametrize(
    ("plan", "pieces"),
    [
        (chunks_of(5), ["Hello", ", wor", "ld!"]),
        (by_word(), ["Hello,", " world!"]),
        (by_token(), ["Hello", ",", " world", "!"]),
        (at_once(), ["Hello, world!"]),
        (exactly([1, 0, 3]), ["H", "", "ell", "o, world!"]),
        (exactly([]), ["Hello, world!"]),
        (exactly([20, 3]), ["Hello, world!"]),
        (Plan(unit="token", sizes=(1, 2)), ["Hello", ", world", "!"]),
    ],
)
def test_a_plan_cuts_where_it_says(plan, pieces):
    """A test that scripts a plan counts on its cuts."""
    assert list(plan.cut("Hello, world!")) == pieces
    assert plan.cut("") == ()


@pytest.mark.parametrize("text", [" a  b ", "\n\n", "  ", "a\n", "a b\tc"])
def test_words_keep_their_spaces(text):
    """Text of nothing but spaces is cut, too."""
    assert "".join(by_word().cut(text)) == text
    assert all(by_word().cut(text))


@pytest.mark.parametrize(
    "make", [lambda: chunks_of(0), lambda: exactly([-1]), lambda: chunks_of(-3)]
)
def test_a_plan_that_never_ends_is_refused(make):
    """Sizes of nothing would cut for ever."""
    with pytest.raises(BadArgument):
        make()


@pytest.mark.parametrize("kind", ["plain", "wild"])
def test_a_random_plan_is_that_of_its_seed(kind):
    """A test that met a bad cut must meet it again."""
    plans = [at_random(seed, kind=kind) for seed in range(50)]
    assert plans == [random_plan(SeededDraw(seed), kind=kind) for seed in range(50)]
    assert len(set(plans)) > 1


def test_random_plans_are_various():
    """Wild plans have empty deltas, single characters and all at once; plain ones never do."""
    wild = [random_plan(SeededDraw(seed), kind="wild") for seed in range(200)]
    assert {plan.unit for plan in wild} == {"character", "token", "whole"}
    assert any(0 in plan.sizes for plan in wild)
    assert chunks_of(1) in wild
    plain = [random_plan(SeededDraw(seed)) for seed in range(200)]
    assert {plan.unit for plan in plain} == {"token"}
    assert {plan.sizes == (1,) for plan in plain} == {True, False}
    assert all(size for plan in plain for size in plan.sizes)


TOOLS = [
    {"type": "function", "function": {"name": "f", "parameters": {"required": ["a"]}}},
    {"type": "custom", "custom": {"name": "c"}},
]


@given(st.integers(0, 2**32), PLANS, st.booleans(), st.booleans())
def test_join_undoes_split(seed, plan, is_wild, usage):
    """The law that keeps streams and bodies the same reply."""
    kind = "wild" if is_wild else "plain"
    request = {
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": "Hi"}],
        "n": 1 + seed % 3,
        "logprobs": seed % 2 == 0,
        "tools": TOOLS,
        "moderation": {"model": "m"} if seed % 5 == 0 else None,
    }
    completion = complete(request, SeededDraw(seed), contract=CONTRACT, kind=kind)
    chunks = split(
        completion, plan, include_usage=usage, obfuscation=seed % 3 == 0, draw=SeededDraw(seed)
    )
    joined = join(chunks)
    assert joined == {name: completion[name] for name in completion if usage or name != "usage"}
    assert list(joined["choices"][0]) == list(completion["choices"][0])
    messages = [each["choices"][0]["message"] for each in (joined, completion)]
    assert list(messages[0]) == list(messages[1])


def test_text_is_streamed_as_recorded():
    """Role first, text in pieces, an empty finish of its own, then the counts."""
    completion = scripted({"content": "Hello, world"})
    head = {
        name: completion[name]
        for name in ("id", "created", "model", "service_tier", "system_fingerprint")
    }
    chunks = split(completion, by_token(), include_usage=True)
    assert [list(chunk) for chunk in chunks] == [
        [
            "id",
            "object",
            "created",
            "model",
            "service_tier",
            "system_fingerprint",
            "choices",
            "usage",
        ]
    ] * 6

    def said(delta, finish=None):
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return {**head, "object": "chat.completion.chunk", "choices": [choice], "usage": None}

    assert list(chunks) == [
        said({"role": "assistant", "content": "", "refusal": None}),
        said({"content": "Hello"}),
        said({"content": ","}),
        said({"content": " world"}),
        said({}, "stop"),
        {
            **head, "object": "chat.completion.chunk", "choices": [],
            "usage": completion["usage"],
        },
    ]  # fmt: skip
    assert all("usage" not in chunk for chunk in split(completion, by_token()))


def test_a_refusal_is_streamed_as_recorded():
    """A refusal has text of its own beside null content."""
    assert deltas(scripted({"refusal": "No way"})) == [
        {"role": "assistant", "content": None, "refusal": ""},
        {"refusal": "No"},
        {"refusal": " way"},
        {},
    ]


def call(index, **members):
    """Return a delta with one piece of one call."""
    return {"tool_calls": [{"index": index, **members}]}


ONE = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
TWO = {"id": "call_2", "type": "custom", "custom": {"name": "c", "input": "some text"}}
ONE_HEADER = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}}
TWO_HEADER = {"id": "call_2", "type": "custom", "custom": {"name": "c", "input": ""}}


def test_one_call_opens_with_its_header():
    """Recorded in 52 streams: the header travels with the role."""
    assert deltas(scripted({"tool_calls": [ONE]}), chunks_of(4)) == [
        {"role": "assistant", "content": None, "tool_calls": [{"index": 0, **ONE_HEADER}], "refusal": None},
        call(0, function={"arguments": '{"a"'}),
        call(0, function={"arguments": ":1}"}),
        {},
    ]  # fmt: skip


def test_parallel_calls_open_with_the_bare_role():
    """Recorded in 22 streams: role alone, then each call's header and pieces in turn."""
    assert deltas(scripted({"tool_calls": [ONE, TWO]}), by_word()) == [
        {"role": "assistant", "content": None},
        call(0, **ONE_HEADER),
        call(0, function={"arguments": '{"a":1}'}),
        call(1, **TWO_HEADER),
        call(1, custom={"input": "some"}),
        call(1, custom={"input": " text"}),
        {},
    ]


def test_text_before_a_call_is_streamed_first():
    """A model that says what it does streams its words, then its call."""
    assert deltas(scripted({"content": "Well", "tool_calls": [ONE]}), at_once()) == [
        {"role": "assistant", "content": "", "refusal": None},
        {"content": "Well"},
        call(0, **ONE_HEADER),
        call(0, function={"arguments": '{"a":1}'}),
        {},
    ]


def test_a_legacy_call_is_streamed_as_reported():
    """Name first, arguments in pieces."""
    message = {"function_call": {"name": "f", "arguments": "{}"}}
    assert deltas(scripted(message), chunks_of(1)) == [
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": ""}, "refusal": None},
        {"function_call": {"arguments": "{"}},
        {"function_call": {"arguments": "}"}},
        {},
    ]  # fmt: skip


def test_speech_is_streamed_in_parts():
    """Transcript, sound and expiry come in deltas of their own; each piece of sound decodes."""
    audio = {"id": "audio_1", "data": "AAAA" * 1500, "expires_at": 5, "transcript": "two words"}
    found = [delta.get("audio") for delta in deltas(scripted({"audio": audio}))]
    assert found == [
        None,
        {"id": "audio_1", "data": "", "transcript": ""},
        {"transcript": "two"},
        {"transcript": " words"},
        {"data": "AAAA" * 1024},
        {"data": "AAAA" * 476},
        {"expires_at": 5},
        None,
    ]
    whole = scripted({"audio": audio})
    whole["choices"][0]["message"]["audio"] = {"id": "audio_1"}
    assert deltas(whole)[1:3] == [{"audio": {"id": "audio_1"}}, {}]


def test_citations_follow_the_text():
    """Annotations come in a delta of their own, an empty list with the role."""
    note = {"type": "url_citation", "url_citation": {}}
    assert deltas(scripted({"content": "a", "annotations": [note]}))[2:] == [
        {"annotations": [note]},
        {},
    ]
    body = scripted({"content": "a"}, stream=False)
    assert deltas(body)[0]["annotations"] == []
    assert join(split(body, by_token(), include_usage=True)) == body


def test_choices_take_turns():
    """Recorded: the first turn of a choice is its role and its first text, then one step each."""
    completion = scripted([{"content": "a b c"}, {"content": "d"}])
    chunks = split(completion, by_token())
    assert all(len(chunk["choices"]) == 1 for chunk in chunks)
    said = [(chunk["choices"][0]["index"], chunk["choices"][0]["delta"]) for chunk in chunks]
    role = {"role": "assistant", "content": "", "refusal": None}
    assert said == [
        (0, role), (0, {"content": "a"}), (1, role), (1, {"content": "d"}), (0, {"content": " b"}),
        (1, {}), (0, {"content": " c"}), (0, {}),
    ]  # fmt: skip


def entries(chunks, name="content"):
    """Return the tokens each chunk tells of, None where it tells nothing."""
    told = [chunk["choices"][0]["logprobs"] for chunk in chunks]
    return [one and one[name] and [entry["token"] for entry in one[name]] for one in told]


@pytest.mark.parametrize(
    ("plan", "texts"),
    [
        (by_token(), ["Hello", ",", " world"]),
        (chunks_of(3), ["Hello", ",", " world"]),
        (chunks_of(6), ["Hello,", " world"]),
        (exactly([0, 7]), ["Hello, world"]),
    ],
)
def test_a_chunk_carries_the_entries_of_its_own_tokens(plan, texts):
    """A cut inside a token moves to its end, so that text and entries stay together."""
    completion = scripted({"content": "Hello, world"}, logprobs=True)
    chunks = split(completion, plan)
    assert chunks[0]["choices"][0]["logprobs"] == {"content": [], "refusal": None}
    assert chunks[-1]["choices"][0]["logprobs"] is None
    middle = chunks[1:-1]
    assert [chunk["choices"][0]["delta"]["content"] for chunk in middle] == texts
    assert ["".join(tokens) for tokens in entries(middle)] == texts
    assert join(chunks)["choices"] == completion["choices"]


def test_entries_of_a_refusal_are_its_own():
    """The first chunk of a refusal has an empty list for it and null for the content."""
    chunks = split(scripted({"refusal": "No"}, logprobs=True), by_token())
    assert chunks[0]["choices"][0]["logprobs"] == {
        "content": None,
        "refusal": [],
    }
    assert entries(chunks, "refusal") == [[], ["No"], None]


def test_entries_that_do_not_spell_the_text_come_first():
    """A recorded reply may have tokens that end inside a character; none may get lost."""
    completion = scripted({"content": "Hello"}, logprobs=True)
    completion["choices"][0]["logprobs"]["content"][0]["token"] = "\ufffd"
    chunks = split(completion, by_token())
    assert entries(chunks) == [["\ufffd"], None, None]
    assert join(chunks)["choices"] == completion["choices"]


def test_moderation_comes_last():
    """Recorded behind the usage chunk, whose counts it hides with a null."""
    completion = scripted({"content": "a"}, moderation={"model": "m"})
    *_, usage, moderation = split(completion, by_token(), include_usage=True)
    assert usage["usage"] == completion["usage"]
    assert moderation["choices"] == []
    assert moderation["usage"] is None
    assert moderation["moderation"] == completion["moderation"]
    assert "usage" not in split(completion, by_token())[-1]


@given(st.integers(0, 2**32), st.booleans())
def test_padding_rounds_every_chunk_to_sixteen_bytes(seed, usage):
    """Recorded on 3,743 chunks without exception, and what length-hiding is for."""
    request = {"model": "gpt-4o", "messages": [], "n": 2, "logprobs": True, "stream": True}
    completion = complete(request, SeededDraw(seed), contract=CONTRACT, kind="wild")
    plan = random_plan(SeededDraw(seed), kind="wild")
    chunks = split(completion, plan, include_usage=usage, obfuscation=True, draw=SeededDraw(seed))
    for chunk in chunks:
        assert list(chunk)[-1] == "obfuscation"
        assert len(chunk["obfuscation"]) == padding_length(chunk)
        assert chunk["obfuscation"].isalnum() or chunk["obfuscation"] == ""


def test_padding_is_drawn_and_needs_no_draw():
    """The same draw pads alike; without one there is still the right length."""
    completion = scripted({"content": "Hello, world"})
    drawn = split(completion, by_token(), obfuscation=True, draw=SeededDraw(1))
    assert drawn == split(completion, by_token(), obfuscation=True, draw=SeededDraw(1))
    assert drawn != split(completion, by_token(), obfuscation=True, draw=SeededDraw(2))
    bare = split(completion, by_token(), obfuscation=True)
    assert [len(chunk["obfuscation"]) for chunk in bare] == [
        len(chunk["obfuscation"]) for chunk in drawn
    ]


def test_a_lone_surrogate_is_padded_as_the_escape_it_travels_as():
    """An unvalidated request may be echoed with one; encoding it must not fail."""
    completion = scripted({"content": "\ud800"})
    for chunk in split(completion, by_token(), obfuscation=True):
        assert len(chunk["obfuscation"]) == padding_length(chunk)


def test_a_completion_without_choices_is_a_stream_without_any():
    """Whatever a script sends whole can be streamed."""
    bare = {"id": "x", "choices": [], "usage": {"prompt_tokens": 1}}
    assert split(bare, by_token()) == ()
    (chunk,) = split(bare, by_token(), include_usage=True, obfuscation=True)
    assert chunk["usage"] == {"prompt_tokens": 1}
    assert join([chunk])["choices"] == []


def test_nothing_cannot_be_joined():
    """No chunk says no completion."""
    with pytest.raises(BadArgument):
        join([])


def test_a_cut_stream_joins_to_what_came():
    """A journal shows what a client had when the connection went."""
    chunks = split(scripted({"content": "Hello, world"}), by_token())
    joined = join(chunks[:3])
    assert joined["choices"][0]["message"]["content"] == "Hello,"
    assert joined["choices"][0]["finish_reason"] is None


def test_the_openai_profile_streams_as_recorded():
    """The default style and the profile's must be the same."""
    assert stream_style(CONTRACT.profile) == OPENAI_STYLE


def test_chunks_are_data():
    """A chunk can be encoded and shown as it is."""
    for chunk in split(scripted({"content": "a"}), by_token()):
        assert json.loads(json.dumps(chunk)) == chunk
