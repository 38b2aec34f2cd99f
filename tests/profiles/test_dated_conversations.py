"""Whole conversations under each profile: made-up requests, their answers, their streams."""

import pytest

from mockchat.contract.contract import contract_for
from mockchat.contract.profile import LEVELS
from mockchat.payloads.chunking import at_once, join, random_plan, split, stream_style
from mockchat.payloads.completions import complete
from mockchat.payloads.requests import make_request
from mockchat.payloads.seeded import SeededDraw

PROFILES = (
    "openai-2023-03",
    "openai-2023-05",
    "openai-2023-06",
    "openai-2023-11",
    "openai-2024-08",
    "apifox-2023-06",
    "openai-2025-summary",
    "perplexity",
    "perplexity-outcode",
)
ASKED = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


def judged(contract, request, completion, chunks, level):
    """Return what an exchange breaks at a level, notes left out."""
    judge = contract.stream_judge(request=request, level=level)
    found = [
        *contract.violations("response", completion, level=level),
        *contract.exchange_violations(request, completion, level=level),
        *(violation for chunk in chunks for violation in judge.feed(chunk)),
        *judge.feed("[DONE]"),
        *judge.finish(),
    ]
    return [violation for violation in found if not violation.is_note]


@pytest.mark.proof
@pytest.mark.parametrize("kind", ["plain", "wild"])
@pytest.mark.parametrize("name", PROFILES)
def test_made_up_exchanges_keep_the_contract(name, kind, proof_count):
    """What a profile sends must be what it documents, whatever it is asked, streamed or not."""
    contract = contract_for(name)
    style = stream_style(contract.profile)
    for seed in range(proof_count(1000)):
        draw = SeededDraw(f"{name} {seed}")
        request = make_request(contract, draw, kind=kind)
        assert contract.request_violations(request) == (), seed
        completion = complete(request, draw, contract=contract, kind=kind)
        options = request.get("stream_options") or {}
        usage = options.get("include_usage") is True
        chunks = split(completion, random_plan(draw, kind=kind), style=style, include_usage=usage)
        for level in LEVELS:
            assert judged(contract, request, completion, chunks, level) == [], (seed, level)
        told = usage or style.usage_always
        whole = completion if told else {k: v for k, v in completion.items() if k != "usage"}
        assert join(chunks, style=style) == whole, seed


def answer_of(name, **request):
    """Return the completion of a plain request, and its whole stream."""
    contract = contract_for(name)
    completion = complete(ASKED | request, SeededDraw(1), contract=contract)
    return completion, split(completion, at_once(), style=stream_style(contract.profile))


@pytest.mark.parametrize(
    ("name", "top", "choice", "message"),
    [
        ("openai-2023-03", set(), set(), set()),
        ("openai-2023-06", set(), set(), set()),
        ("openai-2023-11", {"system_fingerprint"}, set(), set()),
        ("openai-2024-08", {"system_fingerprint", "service_tier"}, {"logprobs"}, {"refusal"}),
        ("openai-2025-summary", {"system_fingerprint"}, {"logprobs"}, set()),
        ("perplexity", {"citations", "search_results"}, {"delta"}, set()),
        ("perplexity-outcode", {"citations"}, {"delta"}, set()),
    ],
)
def test_replies_have_the_members_of_their_time(name, top, choice, message):
    """A client written for a date must not find what came later."""
    completion, _ = answer_of(name)
    (first,) = completion["choices"]
    assert completion.keys() == {"id", "object", "created", "model", "choices", "usage"} | top
    assert first.keys() == {"index", "message", "finish_reason"} | choice
    assert first["message"].keys() == {"role", "content"} | message


FIRST = {"role": "assistant", "content": ""}


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("openai-2023-03", {"role": "assistant"}),
        ("openai-2023-05", {"role": "assistant"}),
        ("openai-2023-06", FIRST),
        ("openai-2023-11", FIRST),
        ("openai-2024-08", FIRST | {"refusal": None}),
        ("perplexity", FIRST),
    ],
)
def test_streams_open_as_they_did(name, first):
    """Clients of each time were written against that first delta."""
    _, chunks = answer_of(name)
    assert chunks[0]["choices"][0]["delta"] == first


def test_role_alone_is_followed_by_texts_that_are_empty_too():
    """A reply of no text must still say its content, or a client joins a message without any."""
    contract = contract_for("openai-2023-03")
    style = stream_style(contract.profile)
    completion = complete(ASKED | {"max_tokens": 0}, SeededDraw(1), contract=contract)
    assert completion["choices"][0]["message"]["content"] == ""
    chunks = split(completion, at_once(), style=style)
    assert [chunk["choices"][0]["delta"] for chunk in chunks] == [FIRST, {}]


def test_perplexity_s_chunks_carry_the_message_so_far():
    """Clients of Perplexity read either the message or the delta; both have to be there."""
    contract = contract_for("perplexity")
    completion = complete(ASKED | {"n": 2}, SeededDraw(1), contract=contract)
    chunks = split(completion, random_plan(SeededDraw(1)), style=stream_style(contract.profile))
    so_far = {0: "", 1: ""}
    for chunk in chunks:
        assert chunk["object"] == "chat.completion"
        assert chunk["citations"] == completion["citations"]
        assert chunk["usage"]["prompt_tokens"] == completion["usage"]["prompt_tokens"]
        (choice,) = chunk["choices"]
        so_far[choice["index"]] += choice["delta"]["content"]
        assert choice["message"] == {
            "role": "assistant",
            "content": so_far[choice["index"]],
        }
    assert list(so_far.values()) == [
        choice["message"]["content"] for choice in completion["choices"]
    ]


def test_perplexity_lists_what_it_is_asked_for():
    """Sources are numbered by their order: citations and search results must agree."""
    completion, _ = answer_of(
        "perplexity",
        return_images=True,
        return_related_questions=True,
        web_search_options={"search_context_size": "high"},
    )
    assert completion["citations"] == [each["url"] for each in completion["search_results"]]
    assert completion["citations"]
    assert len(completion["images"]) == len(completion["related_questions"]) == 3
    assert completion["usage"]["search_context_size"] == "high"
    silent, _ = answer_of("perplexity", disable_search=True)
    assert (silent["citations"], silent["search_results"]) == ([], [])
    assert "images" not in silent
    assert silent["usage"]["search_context_size"] == "low"
