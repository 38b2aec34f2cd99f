"""Each field of a request has its effect on the reply."""

import base64
import json
import re
from dataclasses import replace

import pytest

from mockchat.contract.contract import contract_for
from mockchat.contract.profile import Model
from mockchat.contract.validation import schema_violations
from mockchat.errors import BadArgument, ImpossibleSchema
from mockchat.payloads.audio import silence
from mockchat.payloads.completions import complete
from mockchat.payloads.seeded import SeededDraw
from mockchat.payloads.simplest import SimplestDraw
from mockchat.payloads.tokens import approximate_tokens, prompt_tokens
from mockchat.payloads.values import generate

COUNT = approximate_tokens().count
SEEDS = range(40)
KINDS = ("plain", "wild")


class Fake:
    """A contract of the openai profile whose models are the test's."""

    def __init__(self, **capabilities):
        model = Model(
            id="m", created=1, owned_by="us", snapshot="m-2026-01-01", capabilities=capabilities
        )
        self.profile = replace(contract_for("openai").profile, models=(model,))


FAKE = Fake()
SERVED = FAKE.profile.settings["reply"]["service_tiers"]
THINKER = Fake(reasoning=True)


def answer(seed=1, kind="plain", shapes=None, contract=FAKE, **fields):
    """Complete a request with one user message and `fields`."""
    request = {"model": "m", "messages": [{"role": "user", "content": "Hello"}], **fields}
    return complete(request, SeededDraw(seed), contract=contract, kind=kind, shapes=shapes)


def answers(kind="plain", shapes=None, contract=FAKE, **fields):
    """Complete the same request under many seeds."""
    return [answer(seed, kind, shapes, contract, **fields) for seed in SEEDS]


def choices(**fields):
    """Return every choice of `answers`."""
    return [choice for completion in answers(**fields) for choice in completion["choices"]]


def test_the_envelope_is_as_recorded():
    """Members, their order and the shape of identifiers are those of real replies."""
    completion = answer()
    assert list(completion) == [
        "id", "object", "created", "model", "choices", "usage", "service_tier",
        "system_fingerprint",
    ]  # fmt: skip
    assert re.fullmatch(r"chatcmpl-[A-Za-z0-9]{29}", completion["id"])
    assert re.fullmatch(r"fp_[0-9a-f]{10}", completion["system_fingerprint"])
    assert completion["object"] == "chat.completion"
    assert completion["model"] == "m-2026-01-01"
    (choice,) = completion["choices"]
    assert list(choice) == ["index", "message", "logprobs", "finish_reason"]
    assert list(choice["message"]) == ["role", "content", "refusal", "annotations"]
    assert choice["message"]["content"]


def test_an_unknown_model_answers_under_its_own_name():
    """Any model name is answered when `--models any` says so."""
    assert answer(model="my-own")["model"] == "my-own"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [1, 2, 5, None])
def test_n_choices_are_numbered(n, kind):
    """A client that asks for n gets n, in order."""
    for completion in answers(kind=kind, n=n):
        assert [choice["index"] for choice in completion["choices"]] == list(range(n or 1))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stop", ["e", ["a", "\n"], [" ", ".", "O"], "", None])
def test_stop_sequences_are_absent_from_the_text(stop, kind):
    """The text ends before the first stop sequence, and for that reason."""
    sequences = [text for text in ([stop] if isinstance(stop, str) else stop or []) if text]
    for choice in choices(kind=kind, stop=stop, shapes={"text": 1}):
        assert not any(text in choice["message"]["content"] for text in sequences)
        assert choice["finish_reason"] == "stop"
        assert kind == "wild" or choice["message"]["content"]


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize("limit", [0, 1, 2, 5, 1000])
@pytest.mark.parametrize("kind", KINDS)
def test_a_limit_is_kept_and_told(kind, limit, name):
    """A cut text says `length`; a text that ends in time says `stop`."""
    for completion in answers(kind=kind, shapes={"text": 1}, **{name: limit}):
        (choice,) = completion["choices"]
        used = completion["usage"]["completion_tokens"]
        assert used == COUNT(choice["message"]["content"]) <= limit
        assert choice["finish_reason"] == "stop" or used == limit


def test_a_plain_reply_is_not_cut_without_need():
    """Plain: never an unprovoked `length`. A sentence of a few words fits into six tokens."""
    assert {choice["finish_reason"] for choice in choices(max_completion_tokens=6)} == {"stop"}
    assert {choice["finish_reason"] for choice in choices()} == {"stop"}


def test_shapes_are_weights():
    """A test can ask for the shape it is about."""
    for shape in ("text", "refusal", "length", "content_filter"):
        for choice in choices(shapes={shape: 1}):
            message = choice["message"]
            told = {"text": "stop", "refusal": "stop"}.get(shape, shape)
            assert choice["finish_reason"] == told
            assert (message["refusal"] is not None) == (shape == "refusal")
            assert (message["content"] is None) == (shape == "refusal")


def test_wild_replies_have_every_shape():
    """Everything the contract allows has to come up."""
    tools = [{"type": "function", "function": {"name": "f"}}]
    found = choices(kind="wild", tools=tools, n=8)
    assert {choice["finish_reason"] for choice in found} == {
        "stop", "length", "tool_calls", "content_filter",
    }  # fmt: skip
    assert any(choice["message"]["refusal"] for choice in found)
    assert any(choice["message"]["content"] == "" for choice in found)


@pytest.mark.parametrize("limit", [3, 40])
def test_the_length_shape_fills_the_limit(limit):
    """`length` is credible only where the limit is used up."""
    for completion in answers(shapes={"length": 1}, max_tokens=limit):
        assert completion["choices"][0]["finish_reason"] == "length"
        assert completion["usage"]["completion_tokens"] == limit


@pytest.mark.parametrize("fields", [{"max_tokens": 5000}, {"max_tokens": 9, "stop": [" "]}])
def test_a_length_that_cannot_be_is_an_ordinary_text(fields):
    """A text too long to make, or one a stop sequence ends first, ends with `stop`."""
    for choice in choices(shapes={"length": 1}, **fields):
        assert choice["finish_reason"] == "stop"


def test_cut_json_is_not_json():
    """A `length` in JSON mode is what breaks parsers: the text must really be cut."""
    for choice in choices(shapes={"length": 1}, response_format={"type": "json_object"}):
        with pytest.raises(json.JSONDecodeError):
            json.loads(choice["message"]["content"])
    for choice in choices(
        shapes={"length": 1}, response_format={"type": "json_object"}, max_tokens=30
    ):
        assert choice["finish_reason"] == "stop"


@pytest.mark.parametrize(
    "shapes", [{"txt": 1}, {"text": -1}, {"text": True}, {"text": "1"}, {"text": float("nan")}]
)
def test_wrong_shapes_are_refused(shapes):
    """A typo must not silently leave a shape out."""
    with pytest.raises(BadArgument):
        answer(shapes=shapes)


def test_no_weight_at_all_is_text():
    """Weights that rule out everything still get an answer."""
    assert answer(shapes={})["choices"][0]["message"]["content"]


SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


def json_schema(schema, **members):
    """Return a response format that asks for `schema`."""
    named = {"name": "person", **({"schema": schema} if schema is not None else {}), **members}
    return {"type": "json_schema", "json_schema": named}


@pytest.mark.parametrize("strict", [True, False, None])
@pytest.mark.parametrize("kind", KINDS)
def test_output_fits_the_callers_schema(kind, strict):
    """`parse()` of a client must succeed."""
    found = choices(
        kind=kind, shapes={"text": 1}, response_format=json_schema(SCHEMA, strict=strict)
    )
    for choice in found:
        value = json.loads(choice["message"]["content"])
        assert not schema_violations(SCHEMA, value)


@pytest.mark.parametrize("wanted", [{"type": "json_object"}, json_schema(None)])
@pytest.mark.parametrize("kind", KINDS)
def test_json_mode_is_an_object(kind, wanted):
    """JSON mode promises an object, not any JSON."""
    for choice in choices(kind=kind, shapes={"text": 1}, response_format=wanted):
        assert isinstance(json.loads(choice["message"]["content"]), dict)


def test_json_is_made_short_before_it_is_cut():
    """A limit that the simplest value keeps is no reason to break the JSON."""
    value = generate(SCHEMA, SimplestDraw(), kind="plain")
    shortest = json.dumps(value, separators=(",", ":"))
    for choice in choices(response_format=json_schema(SCHEMA), max_tokens=COUNT(shortest)):
        assert choice["finish_reason"] == "stop"
        assert json.loads(choice["message"]["content"])
    for choice in choices(response_format=json_schema(SCHEMA), max_tokens=3):
        assert choice["finish_reason"] == "length"


@pytest.mark.parametrize("kind", KINDS)
def test_an_open_object_is_empty_before_it_is_cut(kind):
    """One token is room enough for an object."""
    for choice in choices(
        kind=kind, response_format={"type": "json_object"}, max_tokens=1, shapes={}
    ):
        assert choice["message"]["content"] == "{}"
    for choice in choices(
        kind=kind, response_format={"type": "json_object"}, max_tokens=0, shapes={}
    ):
        assert choice["message"]["content"] == ""
        assert choice["finish_reason"] == "length"


def test_json_is_spaced_to_avoid_a_stop_sequence():
    """A stop sequence that other spacing avoids is no reason to break the JSON."""
    for choice in choices(response_format=json_schema(SCHEMA), stop=['":']):
        assert choice["finish_reason"] == "stop"
        assert '":' not in choice["message"]["content"]
    for choice in choices(response_format=json_schema(SCHEMA), stop=[","]):
        assert "," not in choice["message"]["content"]


@pytest.mark.parametrize("stop", ["name", "age", "é", "\U0001f600", "a"])
@pytest.mark.parametrize("kind", KINDS)
def test_json_is_escaped_to_avoid_a_stop_sequence(kind, stop):
    """Text within JSON strings can be spelt without the stop sequence and mean the same."""
    schema = SCHEMA | {"properties": SCHEMA["properties"] | {"é\n": {"const": 'é\n"\\\U0001f600'}}}
    found = choices(kind=kind, shapes={"text": 1}, response_format=json_schema(schema), stop=stop)
    for choice in found:
        text = choice["message"]["content"]
        assert stop not in text
        assert ord(stop[0]) > 0xFFFF or not schema_violations(schema, json.loads(text))


def test_an_impossible_schema_is_named_where_it_stands():
    """The server answers with the place in the request that cannot be met."""
    with pytest.raises(ImpossibleSchema) as caught:
        answer(response_format=json_schema({"type": "string", "minLength": 3, "maxLength": 1}))
    assert caught.value.pointer.startswith("/response_format/json_schema/schema")


def test_a_pattern_without_a_simplest_text_still_fits():
    """The shortest value is only a second try; what it cannot meet must not raise."""
    schema = {"type": "string", "pattern": "^(?!a)[a-z]{30}$"}
    for choice in choices(response_format=json_schema(schema), max_tokens=2):
        assert choice["finish_reason"] == "length"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("top", [None, 0, 3, 20])
def test_logprobs_are_those_of_the_text(top, kind):
    """Entries whose tokens do not join to the text would mislead every consumer."""
    for choice in choices(kind=kind, logprobs=True, top_logprobs=top, n=2):
        texts = {name: choice["message"][name] for name in ("content", "refusal")}
        for name, text in texts.items():
            entries = choice["logprobs"][name]
            assert (entries is None) == (text is None)
            for entry in entries or ():
                assert bytes(entry["bytes"]).decode() == entry["token"]
                listed = entry["top_logprobs"]
                assert len(listed) == (top or 0)
                values = [one["logprob"] for one in listed]
                assert values == sorted(values, reverse=True)
                assert len({one["token"] for one in listed}) == len(listed)
                assert entry["logprob"] <= 0
                assert all(value <= 0 for value in values)
            assert "".join(entry["token"] for entry in entries or ()) == (text or "")


def test_a_wild_token_need_not_be_listed():
    """The service may have sampled a token outside its own top list."""
    found = choices(kind="wild", logprobs=True, top_logprobs=1, shapes={"text": 1})
    entries = [entry for choice in found for entry in choice["logprobs"]["content"]]
    assert any(entry["top_logprobs"][0]["token"] != entry["token"] for entry in entries)
    assert any(entry["logprob"] == -9999.0 for entry in entries)


def test_logprobs_are_null_unless_asked_for():
    """The documented level wants the member, the observed one takes null."""
    assert {choice["logprobs"] for choice in choices(logprobs=False)} == {None}
    tools = [{"type": "function", "function": {"name": "f"}}]
    called = choices(logprobs=True, tools=tools, tool_choice="required")
    assert {choice["logprobs"] for choice in called} == {None}


@pytest.mark.parametrize("kind", KINDS)
def test_usage_adds_up(kind):
    """Sums and details are what cost dashboards are tested with."""
    for completion in answers(kind=kind, n=3):
        usage = completion["usage"]
        assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
        if "prompt_tokens_details" in usage:
            prompt, own = usage["prompt_tokens_details"], usage["completion_tokens_details"]
            kinds = ("text_tokens", "image_tokens", "audio_tokens")
            assert sum(prompt[name] for name in kinds) == usage["prompt_tokens"]
            assert prompt["cached_tokens"] <= usage["prompt_tokens"]
            kinds = ("text_tokens", "audio_tokens", "reasoning_tokens")
            assert sum(own[name] for name in kinds) == usage["completion_tokens"]


def test_prompt_tokens_are_those_of_the_request():
    """The prompt is counted by the rule everything else is counted by."""
    request = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}
    assert answer()["usage"]["prompt_tokens"] == prompt_tokens(request, approximate_tokens())


def test_a_long_wild_prompt_may_be_cached():
    """Cached tokens come in blocks and never exceed the prompt."""
    messages = [{"role": "user", "content": "word " * 2000}]
    found = answers(kind="wild", messages=messages)
    details = [one["usage"].get("prompt_tokens_details") for one in found]
    assert {None} < {one and one["cached_tokens"] % 128 for one in details} == {None, 0}
    assert any(one and one["cached_tokens"] for one in details)


@pytest.mark.parametrize("effort", [None, "minimal", "low", "high", "max", "unheard-of"])
def test_a_reasoning_model_is_charged_for_thought(effort):
    """Reasoning tokens are what surprises users of reasoning models."""
    for completion in answers(contract=THINKER, reasoning_effort=effort, n=2):
        details = completion["usage"]["completion_tokens_details"]
        assert details["reasoning_tokens"] % 64 == 0
        assert (details["reasoning_tokens"] > 0) == (effort != "minimal")
        assert completion["usage"]["completion_tokens"] > details["reasoning_tokens"]


def test_thought_keeps_to_the_limit():
    """The limit of a reasoning model counts what is thought and what is said."""
    for kind in KINDS:
        for completion in answers(kind=kind, contract=THINKER, max_completion_tokens=200):
            assert completion["usage"]["completion_tokens"] <= 200


def test_thought_may_leave_no_room_in_wild():
    """An empty text that ends with `length` is legal, common and feared."""
    found = answers(kind="wild", contract=THINKER, max_completion_tokens=64, shapes={"text": 1})
    empty = [one for one in found if one["choices"][0]["message"]["content"] == ""]
    assert any(one["choices"][0]["finish_reason"] == "length" for one in empty)


def test_a_model_told_not_to_think_does_not():
    """`reasoning_effort: none` and ordinary models cost no reasoning."""
    for contract, effort in ((THINKER, "none"), (FAKE, "high")):
        usage = answer(contract=contract, reasoning_effort=effort)["usage"]
        assert usage["completion_tokens_details"]["reasoning_tokens"] == 0


def test_verbosity_shows_in_the_length():
    """Low is one sentence, high at least three."""
    low, high = choices(verbosity="low"), choices(verbosity="high")
    assert {choice["message"]["content"].count(".") for choice in low} == {1}
    assert all(choice["message"]["content"].count(".") >= 3 for choice in high)


@pytest.mark.parametrize("tier", [*SERVED, None, "unheard-of", 3])
def test_the_service_tier_is_echoed_as_the_service_does(tier):
    """`fast` is served by `priority`, `auto` and nothing by `default`."""
    wanted = {"fast": "priority", "auto": "default"}.get(tier, tier)
    known = tier in SERVED
    assert answer(service_tier=tier)["service_tier"] == (wanted if known else "default")


def test_metadata_is_echoed_but_never_streamed():
    """A chunk has no place for metadata."""
    assert answer(metadata={"a": "b"})["metadata"] == {"a": "b"}
    assert "metadata" not in answer(metadata={"a": "b"}, stream=True)
    assert "metadata" not in answer()


@pytest.mark.parametrize("container", ["wav", "mp3", "flac", "aac", "opus", "pcm16", "other"])
def test_a_spoken_answer_has_playable_bytes(container):
    """Clients decode and store the audio, so it must be of the format asked for."""
    audio = {"voice": "alloy", "format": container}
    completion = answer(modalities=["text", "audio"], audio=audio)
    (choice,) = completion["choices"]
    spoken = choice["message"]["audio"]
    assert choice["message"]["content"] is None
    assert re.fullmatch(r"audio_[0-9a-f]{32}", spoken["id"])
    assert spoken["transcript"]
    assert spoken["expires_at"] > completion["created"]
    data = base64.b64decode(spoken["data"], validate=True)
    assert data == silence(container)
    start = {"mp3": b"\xff\xf3", "flac": b"fLaC", "aac": b"\xff\xf1", "opus": b"OggS"}
    assert data.startswith(start.get(container, bytes(4) if container == "pcm16" else b"RIFF"))
    details = completion["usage"]["completion_tokens_details"]
    assert details["audio_tokens"] == details["text_tokens"] == COUNT(spoken["transcript"])


def test_a_spoken_answer_keeps_the_limit():
    """Speech counts against the limit like text."""
    audio = {"voice": "alloy", "format": "wav"}
    for completion in answers(modalities=["audio"], audio=audio, max_completion_tokens=9):
        assert completion["usage"]["completion_tokens"] <= 9
        assert completion["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize(
    "content",
    ["one two three four five six.", [{"type": "text", "text": "one two three four five six."}]],
)
def test_a_prediction_is_accepted_up_to_where_the_text_differs(content):
    """Accepted and rejected tokens together are the prediction's."""
    prediction = {"type": "content", "content": content}
    whole = "one two three four five six."
    partly = 0
    for completion in answers(prediction=prediction):
        text = completion["choices"][0]["message"]["content"]
        details = completion["usage"]["completion_tokens_details"]
        accepted = details["accepted_prediction_tokens"]
        rejected = details["rejected_prediction_tokens"]
        assert accepted + rejected == COUNT(whole)
        assert completion["usage"]["completion_tokens"] == COUNT(text) + rejected
        kept = "".join(approximate_tokens().split(whole)[:accepted])
        assert text.startswith(kept)
        assert text == whole or accepted < COUNT(whole)
        partly += text != whole
    assert 0 < partly < len(SEEDS)


def test_a_prediction_that_does_not_fit_is_rejected():
    """A limit or stop sequence inside the prediction leaves nothing accepted."""
    prediction = {"type": "content", "content": "one two three four five six."}
    for completion in answers(prediction=prediction, max_completion_tokens=4):
        details = completion["usage"]["completion_tokens_details"]
        assert details["accepted_prediction_tokens"] == 0
        assert completion["usage"]["completion_tokens"] <= 4
    empty = answer(prediction={"type": "content", "content": 3})
    assert empty["usage"]["completion_tokens_details"]["rejected_prediction_tokens"] == 0


def test_a_search_cites_its_source():
    """Citations point into the text, and the text has them."""
    for choice in choices(web_search_options={}):
        (annotation,) = choice["message"]["annotations"]
        cited = annotation["url_citation"]
        passage = choice["message"]["content"][cited["start_index"] : cited["end_index"]]
        assert (passage[:2], passage[-2:]) == ("([", "))")
        assert cited["end_index"] == len(choice["message"]["content"])
        assert cited["url"] in passage
        assert cited["title"]


def test_a_citation_without_room_is_left_out():
    """A citation must not cost the text its limit."""
    for completion in answers(web_search_options={}, max_completion_tokens=6):
        assert completion["choices"][0]["message"]["annotations"] == []
        assert completion["usage"]["completion_tokens"] <= 6


def test_annotations_are_listed_in_bodies_and_not_in_streams():
    """Recorded bodies have `annotations: []`, recorded streams do not."""
    assert answer()["choices"][0]["message"]["annotations"] == []
    assert "annotations" not in answer(stream=True)["choices"][0]["message"]


@pytest.mark.parametrize("kind", KINDS)
def test_moderation_judges_prompt_and_each_answer(kind):
    """Verdicts come when asked for: one on the prompt, one for each choice."""
    contract = contract_for("openai")
    for completion in answers(kind=kind, n=2, moderation={"model": "omni"}):
        assert contract.is_valid("response", completion, level="documented")
        for side, verdicts in (("input", 1), ("output", 2)):
            told = completion["moderation"][side]
            if told["type"] == "moderation_results":
                assert told["model"] == "omni"
                assert len(told["results"]) == verdicts
                flags = [any(one["categories"].values()) for one in told["results"]]
                assert flags == [one["flagged"] for one in told["results"]]
                assert kind == "wild" or not any(flags)
            else:
                assert kind == "wild"


def test_what_is_blocked_is_not_flagged():
    """With `block` a flagged text is never answered, so no answer is flagged."""
    policy = {"input": {"mode": "block"}, "output": {"mode": "block"}}
    for completion in answers(kind="wild", moderation={"model": 5, "policy": policy}):
        for side in completion["moderation"].values():
            assert [one["flagged"] for one in side["results"]] == [False]
    assert "moderation" not in answer(moderation=None)


def test_a_wild_completion_may_have_a_member_from_the_future():
    """The response is open: clients must bear members nobody told them of."""
    assert any("x_future_member" in completion for completion in answers(kind="wild"))
    assert not any("x_future_member" in completion for completion in answers())


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": 3}, {"messages": []}, {"messages": ["x"]}, {"n": "2"}, {"n": True}, {"n": -1},
        {"stop": 3}, {"stop": [3]}, {"max_tokens": "5"}, {"model": 7}, {"response_format": "json"},
        {"response_format": {"type": "json_schema"}}, {"tools": 3}, {"tools": [3]},
        {"tools": [{"type": "function"}]}, {"functions": [3]}, {"functions": [{}]},
        {"modalities": "audio"}, {"modalities": ["audio"]}, {"audio": 3}, {"prediction": 3},
        {"moderation": 3}, {"metadata": 3}, {"top_logprobs": "3", "logprobs": True},
        {"reasoning_effort": 3}, {"verbosity": 3}, {"stream": "yes"}, {"service_tier": []},
        {"moderation": {"policy": 3}}, {"tool_choice": 3, "tools": []},
    ],
)  # fmt: skip
def test_a_request_nobody_validated_is_answered(fields):
    """`--validation off` answers what it gets: a wrong member counts as left out."""
    completion = answer(contract=THINKER, **fields)
    assert contract_for("openai").is_valid("response", completion, level="documented")


def test_many_choices_are_bounded():
    """An unvalidated request cannot ask for a billion choices."""
    assert len(answer(n=10**9)["choices"]) == 128
