"""Vendors stream differently on a few axes: each has its effect, and `join` bears them all."""

import json
from dataclasses import asdict, replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockchat.contract.contract import Contract, contract_for
from mockchat.contract.profile import Profile
from mockchat.payloads.chunking import (
    OPENAI_STYLE,
    by_token,
    by_word,
    join,
    random_plan,
    split,
    stream_style,
)
from mockchat.payloads.completions import complete, completion_of
from mockchat.payloads.seeded import SeededDraw

CONTRACT = contract_for("openai")
AXES = {
    "role": ["first", "every"],
    "finish": ["own", "with-last-content"],
    "finish_delta": [{}, {"content": ""}],
    "usage": ["own", "finish", "behind", "every"],
    "usage_always": [False, True],
    "usage_null": [True, False],
    "tool_calls": ["fragments", "whole"],
    "leading_empty": [False, True],
    "obfuscation": [True, False],
    "reasoning_field": [None, "reasoning_content", "reasoning"],
    "reasoning_null": [False, True],
    "padding_field": [None, "p"],
    "member_places": [{}, {"system_fingerprint": "last"}],
}
TOOLS = [
    {"type": "function", "function": {"name": "f", "parameters": {"required": ["a"]}}},
    {"type": "custom", "custom": {"name": "c"}},
]
STYLES = st.fixed_dictionaries({name: st.sampled_from(found) for name, found in AXES.items()})
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def scripted(message, **fields):
    """Return a streamed completion around `message`."""
    request = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    return completion_of({**request, **fields}, SeededDraw(1), contract=CONTRACT, message=message)


def styled(**axes):
    """Return OpenAI's style but for some axes."""
    return replace(OPENAI_STYLE, **axes)


def deltas(completion, style, plan=None):
    """Return the deltas of a stream."""
    chunks = split(completion, plan or by_token(), style=style)
    return [choice["delta"] for chunk in chunks for choice in chunk["choices"]]


def contract_with(axes):
    """Return a contract whose profile streams on `axes`."""
    profile = CONTRACT.profile
    settings = profile.settings | {"stream": {**profile.settings["stream"], **axes}}
    return Contract(replace(profile, settings=settings))


def wrong(violations):
    """Return the violations that are more than notes."""
    return [violation for violation in violations if not violation.is_note]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), STYLES, st.booleans(), st.booleans())
def test_every_style_obeys_its_own_rules_and_joins(seed, axes, usage, is_wild):
    """Writer and judge read the same axes, so they must agree on every combination."""
    contract = contract_with(axes)
    style = stream_style(contract.profile)
    request = {
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": "Hi"}],
        "n": 1 + seed % 2,
        "logprobs": seed % 3 == 0,
        "tools": TOOLS,
        "stream": True,
        "stream_options": {"include_usage": usage},
    }
    kind = "wild" if is_wild else "plain"
    completion = complete(request, SeededDraw(seed), contract=contract, kind=kind)
    draw = SeededDraw(seed)
    plan = random_plan(draw, kind=kind)
    chunks = split(completion, plan, style=style, include_usage=usage, obfuscation=True, draw=draw)
    is_told = usage or axes["usage_always"]
    wanted = {name: completion[name] for name in completion if is_told or name != "usage"}
    assert join(chunks, style=style) == wanted
    for level in ("observed", "documented"):
        judge = contract.stream_judge(request=request, level=level)
        found = [violation for chunk in chunks for violation in judge.feed(chunk)]
        found = wrong([*found, *judge.feed("[DONE]"), *judge.finish()])
        if axes["leading_empty"]:
            # Azure's opening chunk has no object: its profile says so in its own chunk document.
            found = [violation for violation in found if violation.pointer.split("/")[1] != "0"]
        assert not found


def test_the_role_can_stand_in_every_delta():
    """OpenRouter repeats it, and openai-python's accumulator stumbles over that."""
    assert deltas(scripted({"content": "a b"}), styled(role="every")) == [
        {"role": "assistant", "content": "", "refusal": None},
        {"role": "assistant", "content": "a"},
        {"role": "assistant", "content": " b"},
        {"role": "assistant"},
    ]


def test_the_finish_can_come_with_the_last_content():
    """Servers such as vLLM have no chunk of its own for it."""
    chunks = split(
        scripted({"content": "a b"}), by_token(), style=styled(finish="with-last-content")
    )
    told = [(one["choices"][0]["delta"], one["choices"][0]["finish_reason"]) for one in chunks]
    assert told[1:] == [({"content": "a"}, None), ({"content": " b"}, "stop")]


def test_the_finish_delta_can_have_empty_content():
    """Mistral and DeepSeek finish so; null content beside calls must stay null."""
    style = styled(finish_delta={"content": ""})
    completion = scripted({"tool_calls": [CALL]})
    assert deltas(completion, style)[-1] == {"content": ""}
    assert (
        join(split(completion, by_token(), style=style), style=style)["choices"]
        == (completion["choices"])
    )


@pytest.mark.parametrize(("null", "always", "asked"), list(product([True, False], repeat=3)))
def test_usage_is_sent_when_asked_or_always(null, always, asked):
    """The nulls stand in every other chunk, or in none."""
    style = styled(usage_null=null, usage_always=always)
    completion = scripted({"content": "a"})
    chunks = split(completion, by_token(), style=style, include_usage=asked)
    is_told = asked or always
    assert [chunk.get("usage", "absent") for chunk in chunks] == (
        [None if is_told and null else "absent"] * 3 + [completion["usage"]] * is_told
    )


def test_usage_can_come_with_the_finish():
    """Mistral, Groq and others have no chunk of its own for it."""
    completion = scripted({"content": "a"}, n=2)
    chunks = split(completion, by_token(), style=styled(usage="finish"), include_usage=True)
    assert [bool(chunk["choices"]) for chunk in chunks] == [True] * 6
    assert [chunk["usage"] for chunk in chunks] == [None] * 5 + [completion["usage"]]


def test_usage_can_grow_from_chunk_to_chunk():
    """Perplexity counts along; the last count is the whole."""
    completion = scripted({"content": "a b c d"})
    chunks = split(completion, by_token(), style=styled(usage="every"), include_usage=True)
    counts = [chunk["usage"]["completion_tokens"] for chunk in chunks]
    assert counts == sorted(counts)
    assert counts[0] == 0
    for chunk in chunks:
        usage = chunk["usage"]
        assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert chunks[-1]["usage"] == completion["usage"]
    assert not any(
        "usage" in chunk for chunk in split(completion, by_token(), style=styled(usage="every"))
    )


def test_calls_can_come_whole():
    """Ollama and others send a call in one piece."""
    other = {**CALL, "id": "call_2"}
    assert deltas(scripted({"tool_calls": [CALL]}), styled(tool_calls="whole"))[0][
        "tool_calls"
    ] == [{"index": 0, **CALL}]
    assert deltas(scripted({"tool_calls": [CALL, other]}), styled(tool_calls="whole"))[1:] == [
        {"tool_calls": [{"index": 0, **CALL}]},
        {"tool_calls": [{"index": 1, **other}]},
        {},
    ]


def test_a_stream_can_open_with_an_empty_chunk():
    """Azure's first chunk breaks code that takes `choices[0]` for granted."""
    completion = scripted({"content": "a"})
    style = styled(leading_empty=True)
    chunks = split(completion, by_token(), style=style, include_usage=True)
    assert chunks[0] == {"id": "", "object": "", "created": 0, "model": "", "choices": []}
    assert join(chunks, style=style) == completion


def test_padding_is_sent_where_the_profile_knows_it():
    """Other servers have never padded."""
    chunks = split(
        scripted({"content": "a"}), by_token(), style=styled(obfuscation=False), obfuscation=True
    )
    assert not any("obfuscation" in chunk for chunk in chunks)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_thought_is_streamed_before_the_text(field):
    """DeepSeek's and vLLM's clients read the thought as it comes."""
    completion = scripted({"content": "a", field: "I think"})
    style = styled(reasoning_field=field)
    assert deltas(completion, style) == [
        {"role": "assistant", "content": "", "refusal": None},
        {field: "I"},
        {field: " think"},
        {"content": "a"},
        {},
    ]
    assert deltas(completion, OPENAI_STYLE)[0][field] == "I think"
    for one in (style, OPENAI_STYLE):
        joined = join(split(completion, by_word(), style=one, include_usage=True), style=one)
        assert joined == completion


def vendor(**stream):
    """Return a contract whose messages show reasoning and whose model thinks."""
    profile = CONTRACT.profile
    response = profile.documents["response"]
    defs = response["$defs"]
    message = defs["message"]
    properties = message["properties"] | {"reasoning_content": {"type": "string"}}
    defs = defs | {"message": message | {"properties": properties}}
    documents = {**profile.documents, "response": response | {"$defs": defs}}
    model = replace(profile.models[0], id="m", capabilities={"reasoning": True})
    settings = profile.settings | {"stream": {**profile.settings["stream"], **stream}}
    levels = dict.fromkeys(profile.levels, documents)
    return Contract(replace(profile, settings=settings, levels=levels, models=(model,)))


def test_a_vendors_model_shows_its_thought():
    """A profile with a reasoning field gets replies that have it."""
    contract = vendor(reasoning_field="reasoning_content")
    request = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    (choice,) = complete(request, SeededDraw(1), contract=contract)["choices"]
    assert choice["message"]["reasoning_content"]
    hidden = complete(request, SeededDraw(1), contract=vendor())
    assert "reasoning_content" not in hidden["choices"][0]["message"]
    usage = completion_of(
        request, SeededDraw(1), contract=contract,
        message={"content": "a", "reasoning_content": "b c"},
    )["usage"]  # fmt: skip
    assert usage["completion_tokens"] == 3
    assert usage["completion_tokens_details"]["reasoning_tokens"] == 2


def old_profile() -> Profile:
    """Return a profile like one of 2023: no refusal, no tools, no logprobs, no details."""
    profile = CONTRACT.profile

    def without(schema, *names):
        kept = {key: value for key, value in schema["properties"].items() if key not in names}
        required = [name for name in schema.get("required", ()) if name not in names]
        return schema | {"properties": kept, "required": required}

    response = profile.documents["response"]
    defs = response["$defs"] | {
        "message": without(
            response["$defs"]["message"],
            "refusal", "annotations", "audio", "tool_calls", "function_call",
        ),
        "choice": without(response["$defs"]["choice"], "logprobs"),
        "usage": without(
            response["$defs"]["usage"], "prompt_tokens_details", "completion_tokens_details"
        ),
        "finish_reason": {"type": "string", "enum": ["stop"]},
    }  # fmt: skip
    names = ("service_tier", "system_fingerprint", "metadata", "moderation")
    documents = {
        **profile.documents,
        "response": without(response, *names) | {"$defs": defs},
    }
    return replace(profile, levels=dict.fromkeys(profile.levels, documents))


def test_an_old_profile_gets_only_members_it_declares():
    """A client of 2023 must not be tested against members of 2026."""
    contract = Contract(old_profile())
    request = {
        "model": "gpt-4o", "messages": [], "tools": TOOLS, "tool_choice": "required", "n": 3,
        "functions": [{"name": "f"}], "logprobs": True, "metadata": {"a": "b"},
        "moderation": {"model": "m"}, "web_search_options": {}, "modalities": ["audio"],
    }  # fmt: skip
    for seed in range(30):
        completion = complete(request, SeededDraw(seed), contract=contract, kind="wild")
        known = ["id", "object", "created", "model", "choices", "usage"]
        assert [name for name in completion if name != "x_future_member"] == known
        assert len(completion["usage"]) == 3
        for choice in completion["choices"]:
            assert list(choice) == ["index", "message", "finish_reason"]
            assert list(choice["message"]) == ["role", "content"]
            assert choice["finish_reason"] == "stop"


def test_an_old_profile_streams_without_refusal():
    """Recorded before August 2024: the first delta has no refusal."""
    style = stream_style(old_profile())
    assert not style.has_refusal
    message = {"role": "assistant", "content": None, "tool_calls": [CALL, CALL]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    completion = {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [choice],
    }
    chunks = split(completion, by_token(), style=style)
    assert chunks[0]["choices"][0] == {
        "index": 0,
        "delta": {"role": "assistant", "content": None},
        "finish_reason": None,
    }
    assert join(chunks, style=style) == completion
    with_refusal = [{**choice, "message": {**message, "refusal": None}}]
    assert join(chunks)["choices"] == with_refusal


def test_a_style_is_the_profiles_axes():
    """What the judge reads and what the writer reads is one record."""
    style = stream_style(contract_with({"role": "every", "comments": [" ping"]}).profile)
    assert style.role == "every"
    assert style.comments == ("ping",)
    assert {**asdict(style), "role": "first", "comments": ()} == asdict(OPENAI_STYLE)


def chunk(*choices, **members):
    """Return a chunk as any server might send it."""
    return {"id": "x", "created": 1, "model": "m", "choices": list(choices), **members}


@pytest.mark.parametrize(
    ("fragments", "calls"),
    [
        ([[{"id": "a", "function": {"name": "f", "arguments": "{"}}], [{"function": {"arguments": "}"}}]],
         [{"id": "a", "function": {"name": "f", "arguments": "{}"}}]),
        ([[{"id": "a", "function": {}}, {"id": "b", "function": {}}]],
         [{"id": "a", "function": {}}, {"id": "b", "function": {}}]),
        ([[{"function": {"name": "f"}}]], [{"function": {"name": "f"}}]),
        ([[{"index": 0, "id": "a", "type": None}], [{"index": 0, "id": "", "type": "function"}]],
         [{"id": "a", "type": "function"}]),
    ],
)  # fmt: skip
def test_calls_without_an_index_are_joined(fragments, calls):
    """Gemini leaves the index out; a recorded stream of it must join all the same."""
    chunks = [chunk({"index": 0, "delta": {"tool_calls": pieces}}) for pieces in fragments]
    assert join(chunks)["choices"][0]["message"]["tool_calls"] == calls


def test_a_foreign_stream_is_joined():
    """Nulls beside text, late fingerprints, missing indices and unknown members must be borne."""
    chunks = [
        chunk(
            {"delta": {"role": "assistant", "content": None, "reasoning_content": "h"}},
            system_fingerprint=None,
        ),
        chunk(
            {
                "delta": {"role": "assistant", "content": "a", "reasoning_content": None},
                "stop_reason": None,
            }
        ),
        chunk({"delta": {"content": None, "reasoning_content": "m", "annotations": [1]}}),
        chunk({"delta": {"content": "b", "annotations": [2], "score": 1}}, provider="p"),
        chunk({"delta": None, "finish_reason": "stop", "stop_reason": 7}, system_fingerprint="fp"),
        chunk(usage={"total_tokens": 1}),
        {"choices": None, "usage": None},
    ]
    assert join(chunks) == {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant", "content": "ab", "reasoning_content": "hm",
                    "annotations": [1, 2], "score": 1,
                },
                "finish_reason": "stop",
                "stop_reason": 7,
            }
        ],
        "usage": {"total_tokens": 1},
        "system_fingerprint": "fp",
        "provider": "p",
    }  # fmt: skip


def recorded(shared):
    """Return the recorded exchanges that went well."""
    lines = (shared / "wire" / "chat-exchanges.jsonl").read_text(encoding="utf-8").splitlines()
    return [exchange for exchange in map(json.loads, lines) if exchange["status"] == 200]


def test_recorded_streams_join_to_completions(shared):
    """Real streams of OpenAI, joined, are completions the contract accepts."""
    joined = 0
    for exchange in recorded(shared):
        if not isinstance(exchange["body"], str) or exchange["host"] != "api.openai.com":
            continue
        events = [line[6:] for line in exchange["body"].splitlines() if line.startswith("data: {")]
        chunks = [json.loads(event) for event in events]
        if "provider" in chunks[0]:
            continue  # a gateway recorded under OpenAI's name
        assert not wrong(CONTRACT.violations("response", join(chunks)))
        joined += 1
    assert joined > 40


def test_recorded_bodies_survive_split_and_join(shared):
    """What real servers said must come through a stream unchanged, whatever its members."""
    survived = 0
    for seed, exchange in enumerate(recorded(shared)):
        body = exchange["body"]
        if not isinstance(body, dict) or not body.get("choices"):
            continue
        messages = [choice.get("message") for choice in body["choices"]]
        if None in messages:
            continue  # Azure's filtered answers have no message
        plan = random_plan(SeededDraw(seed), kind="wild")
        style = styled(has_refusal="refusal" in messages[0])
        assert join(split(body, plan, style=style, include_usage=True), style=style) == body
        survived += 1
    assert survived > 200


def test_a_choice_without_a_message_can_be_streamed():
    """Azure answers a filtered choice so; its stream has nothing but the finish."""
    body = {"id": "x", "choices": [{"index": 0, "finish_reason": "content_filter"}]}
    assert deltas(body, OPENAI_STYLE) == [{}, {}]
