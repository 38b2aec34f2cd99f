"""Made-up exchanges under each vendor's profile keep its contract, streamed or not."""

import re

import pytest
from vendors import VENDORS, wrong

from mockchat.contract.contract import contract_for
from mockchat.contract.profile import LEVELS
from mockchat.errors import ImpossibleSchema
from mockchat.payloads.chunking import at_once, join, random_plan, split, stream_style
from mockchat.payloads.completions import complete
from mockchat.payloads.requests import make_request
from mockchat.payloads.seeded import SeededDraw

ASKED = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def streamed(contract, request, draw, kind):
    """Return a completion, its chunks, and whether they tell the counts."""
    completion = complete(request, draw, contract=contract, kind=kind)
    style = stream_style(contract.profile)
    options = contract.profile.heeded(request).get("stream_options") or {}
    usage = options.get("include_usage") is True
    chunks = split(
        completion,
        random_plan(draw, kind=kind),
        style=style,
        include_usage=usage,
        obfuscation=options.get("include_obfuscation") is not False,
        draw=draw,
    )
    told = usage or style.usage_always or bool(style.members_at("edges"))
    return completion, chunks, told


def judged(contract, request, chunks, level):
    """Return what a stream breaks."""
    judge = contract.stream_judge(request=request, level=level)
    found = [violation for chunk in chunks for violation in judge.feed(chunk)]
    return wrong([*found, *judge.feed("[DONE]"), *judge.finish()])


@pytest.mark.proof
@pytest.mark.parametrize("kind", ["plain", "wild"])
@pytest.mark.parametrize("name", VENDORS)
def test_made_up_exchanges_keep_the_contract(name, kind, proof_count):
    """What a profile sends must be what it documents, whatever it is asked."""
    contract = contract_for(name)
    style = stream_style(contract.profile)
    for seed in range(proof_count(1000)):
        draw = SeededDraw(f"{name} {seed}")
        request = make_request(contract, draw, kind=kind)
        assert contract.request_violations(request) == (), seed
        request.pop("stream_options", None) if seed % 2 else None
        plain, asked = {**request, "stream": False}, {**request, "stream": True}
        try:
            whole = complete(plain, draw, contract=contract, kind=kind)
            completion, chunks, told = streamed(contract, asked, draw, kind)
        except ImpossibleSchema as impossible:
            assert impossible.pointer.endswith("/custom/format/grammar")  # noqa: PT017 - the one reason there is
            continue
        said = completion if told else {k: v for k, v in completion.items() if k != "usage"}
        assert join(chunks, style=style) == said, seed
        for level in LEVELS:
            assert wrong(contract.violations("response", whole, level=level)) == [], (seed, level)
            assert wrong(contract.exchange_violations(plain, whole, level=level)) == [], seed
            if (asked.get("stream_options") or {}).get("continuous_usage_stats") is not True:
                assert judged(contract, asked, chunks, level) == [], (seed, level)


def answer_of(name, **request):
    """Return the completion of a request, and its whole stream."""
    contract = contract_for(name)
    asked = {**ASKED, **request}
    completion = complete(asked, SeededDraw(1), contract=contract)
    streamed_one = complete({**asked, "stream": True}, SeededDraw(1), contract=contract)
    chunks = split(streamed_one, at_once(), style=stream_style(contract.profile))
    return completion, chunks


@pytest.mark.parametrize(
    ("name", "top", "choice", "message"),
    [
        ("anthropic", {"service_tier", "system_fingerprint"}, {"logprobs"}, {"refusal"}),
        (
            "azure",
            {"service_tier", "system_fingerprint", "prompt_filter_results"},
            {"logprobs", "content_filter_results"},
            {"refusal", "annotations"},
        ),
        ("deepseek", {"system_fingerprint"}, {"logprobs"}, set()),
        ("gemini", set(), {"logprobs"}, set()),
        ("groq", {"service_tier", "system_fingerprint", "x_groq"}, {"logprobs"}, set()),
        (
            "litellm",
            {"service_tier", "system_fingerprint"},
            {"logprobs"},
            {"annotations", "provider_specific_fields"},
        ),
        ("llamacpp", {"system_fingerprint", "timings"}, set(), set()),
        ("mistral", set(), set(), {"tool_calls"}),
        ("ollama", {"system_fingerprint"}, set(), set()),
        (
            "openrouter",
            {"system_fingerprint", "provider"},
            {"logprobs", "native_finish_reason"},
            set(),
        ),
        ("together", {"prompt"}, {"logprobs", "seed"}, set()),
        (
            "vllm",
            {"service_tier", "system_fingerprint", "prompt_logprobs", "kv_transfer_params"},
            {"logprobs", "stop_reason", "token_ids"},
            {"refusal", "annotations", "audio", "function_call", "tool_calls"},
        ),
        ("xai", {"system_fingerprint"}, {"logprobs"}, {"refusal"}),
    ],
)
def test_replies_have_the_members_of_their_vendor(name, top, choice, message):
    """A client written for a vendor reads these; one written for OpenAI must bear them."""
    completion, _ = answer_of(name)
    (first,) = completion["choices"]
    assert completion.keys() == {"id", "object", "created", "model", "choices", "usage"} | top
    assert first.keys() == {"index", "message", "finish_reason"} | choice
    assert first["message"].keys() == {"role", "content"} | message


THINKING = {
    "deepseek": ("deepseek-reasoner", "reasoning_content"),
    "groq": ("openai/gpt-oss-20b", "reasoning"),
    "litellm": ("deepseek/deepseek-reasoner", "reasoning_content"),
    "llamacpp": ("gpt-oss-20b", "reasoning_content"),
    "ollama": ("deepseek-r1", "reasoning"),
    "openrouter": ("deepseek/deepseek-r1", "reasoning"),
    "vllm": ("Qwen/Qwen3-8B", "reasoning"),
    "xai": ("grok-4", "reasoning_content"),
}


@pytest.mark.parametrize("name", THINKING)
def test_a_reasoning_model_shows_its_reasoning_where_the_vendor_does(name):
    """Agents show or hide it; the member's name differs, and in a stream it comes first."""
    model, member = THINKING[name]
    completion, chunks = answer_of(name, model=model)
    message = completion["choices"][0]["message"]
    assert message[member]
    assert message["content"]
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    said = [key for delta in deltas for key in (member, "content") if delta.get(key)]
    assert said == [member, "content"]


def test_deepseek_names_the_text_that_is_silent():
    """Its clients read both members of every delta and expect one of them null."""
    _, chunks = answer_of("deepseek", model="deepseek-reasoner")
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert [sorted(delta) for delta in deltas[1:3]] == [["content", "reasoning_content"]] * 2
    assert deltas[1]["content"] is None
    assert deltas[2]["reasoning_content"] is None


def test_vllm_finishes_a_named_call_with_stop():
    """Clients that wait for tool_calls as the finish reason miss the call."""
    named = {"type": "function", "function": {"name": "f"}}
    asked, _ = answer_of("vllm", tools=[TOOL], tool_choice=named)
    assert asked["choices"][0]["finish_reason"] == "stop"
    assert asked["choices"][0]["message"]["tool_calls"]
    free, _ = answer_of("vllm", tools=[TOOL], tool_choice="required")
    assert free["choices"][0]["finish_reason"] == "tool_calls"


def test_ollama_reads_over_what_it_does_not_know():
    """Its users ask for three answers and get one, and choose tools in vain."""
    completion, _ = answer_of("ollama", n=3, max_completion_tokens=1, tool_choice="required")
    (choice,) = completion["choices"]
    assert choice["finish_reason"] == "stop"
    assert contract_for("ollama").exchange_violations({**ASKED, "n": 3}, completion) == ()


def test_mistral_takes_any_for_required():
    """Its older word for it, which its own SDK still sends."""
    completion, _ = answer_of("mistral", tools=[TOOL], tool_choice="any")
    assert completion["choices"][0]["finish_reason"] == "tool_calls"
    silent = completion | {"choices": answer_of("mistral")[0]["choices"]}
    request = {**ASKED, "tools": [TOOL], "tool_choice": "any"}
    found = wrong(contract_for("mistral").exchange_violations(request, silent))
    assert [violation.rule for violation in found] == ["exchange.tool-choice"]


def test_arguments_may_be_the_object_they_are():
    """Mistral hands them over so at times; they are judged like the text they would be."""
    function = {"name": "f", "parameters": {"required": ["a"]}, "strict": True}
    request = {**ASKED, "tools": [{"type": "function", "function": function}]}
    completion, _ = answer_of("mistral", tools=[TOOL], tool_choice="any")
    (call,) = completion["choices"][0]["message"]["tool_calls"]
    for arguments, rules in (({"a": 1}, []), ({}, ["exchange.arguments"])):
        call["function"]["arguments"] = arguments
        found = contract_for("mistral").exchange_violations(request, completion)
        assert [violation.rule for violation in wrong(found)] == rules


@pytest.mark.parametrize(
    ("name", "id_form", "call_form"),
    [
        ("deepseek", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", r"call_\w{24}"),
        ("groq", r"chatcmpl-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", r"call_\w{24}"),
        ("mistral", r"[0-9a-f]{32}", r"[a-zA-Z0-9]{9}"),
        ("ollama", r"chatcmpl-[0-9]{1,3}", r"call_\w{24}"),
        ("openrouter", r"gen-[0-9]{10}-[A-Za-z0-9]{20}", r"call_\w{24}"),
        ("vllm", r"chatcmpl-[0-9a-f]{32}", r"call_\w{24}"),
    ],
)
def test_ids_look_like_the_vendors(name, id_form, call_form):
    """Mistral refuses a call's id that is not of its own form, so clients check them."""
    completion, _ = answer_of(name, tools=[TOOL], tool_choice="required")
    if name == "ollama":
        completion = complete(
            {**ASKED, "tools": [TOOL]},
            SeededDraw(1),
            contract=contract_for(name),
            shapes={"tool_calls": 1},
        )
    assert re.fullmatch(id_form, completion["id"])
    for call in completion["choices"][0]["message"]["tool_calls"]:
        assert re.fullmatch(call_form, call["id"])
