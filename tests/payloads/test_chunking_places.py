"""What few vendors do to a stream: members at places of their own, padding, counts behind it."""

from dataclasses import replace

import pytest

from mockchat.payloads.chunking import OPENAI_STYLE, at_once, chunks_of, join, split
from mockchat.payloads.seeded import SeededDraw

USAGE = {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}


def completion(*texts, choice=None, message=None, **members):
    """Return a completion that says `texts`, one a choice."""
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": index,
                "message": {"role": "assistant", "content": text, **(message or {})},
                "finish_reason": "stop",
                **(choice or {}),
            }
            for index, text in enumerate(texts)
        ],
        "usage": USAGE,
        **members,
    }


def styled(**axes):
    """Return a style that has no refusals and no padding, but these axes."""
    return replace(OPENAI_STYLE, has_refusal=False, **axes)


def streamed(whole, plan=None, *, include_usage=False, **axes):
    """Return the chunks of `whole`, having seen that they join to it."""
    style = styled(**axes)
    chunks = split(whole, plan or at_once(), style=style, include_usage=include_usage)
    told = include_usage or style.usage_always or style.members_at("edges")
    said = whole if told else {key: value for key, value in whole.items() if key != "usage"}
    assert join(chunks, style=style) == said
    return chunks


def test_a_leading_member_stands_in_the_chunk_nobody_reads():
    """Azure tells there what its filters found in the prompt."""
    whole = completion("Hi", found=[1])
    chunks = streamed(whole, leading_empty=True, member_places={"found": "leading"})
    assert [chunk.get("found") for chunk in chunks] == [[1], None, None, None]


@pytest.mark.parametrize("include_usage", [False, True])
def test_a_member_at_the_edges_carries_the_counts_at_the_end(include_usage):
    """Groq's client finds them there, asked for or not."""
    whole = completion("Hi", "Ho", x_groq={"id": "req_1"})
    places = {"x_groq": "edges"}
    chunks = streamed(whole, include_usage=include_usage, member_places=places)
    told = [chunk.get("x_groq") for chunk in chunks if chunk["choices"]]
    assert told == [{"id": "req_1"}, None, None, None, None, {"id": "req_1", "usage": USAGE}]


def test_one_chunk_has_both_edges():
    """A stream of one chunk has its first and its finish in the same place."""
    whole = completion("", x_groq={"id": "req_1"})
    (chunk,) = streamed(whole, finish="with-last-content", member_places={"x_groq": "edges"})
    assert chunk["x_groq"] == {"id": "req_1", "usage": USAGE}


def test_a_member_at_the_edges_may_be_anything():
    """A script may say what no server does."""
    whole = completion("Hi", x_groq="none")
    del whole["usage"]
    chunks = streamed(whole, member_places={"x_groq": "edges"})
    assert [chunk.get("x_groq") for chunk in chunks] == ["none", None, "none"]


def test_edges_without_counts_have_none():
    """A completion that never counted has nothing to tell."""
    whole = completion("Hi", x_groq={"id": "req_1"})
    del whole["usage"]
    chunks = streamed(whole, member_places={"x_groq": "edges"})
    assert chunks[-1]["x_groq"] == {"id": "req_1"}


@pytest.mark.parametrize("usage", ["own", "finish", "behind", "every"])
def test_a_last_member_stands_in_the_finish_chunk(usage):
    """llama.cpp's timings, vLLM's fingerprint: where the choice ends, counts or not."""
    whole = completion("Hi", timings={"ms": 1})
    places = {"timings": "last"}
    chunks = streamed(whole, include_usage=True, usage=usage, member_places=places)
    (last,) = [chunk for chunk in chunks if "timings" in chunk]
    assert last["choices"][0]["finish_reason"] == "stop"


def test_counts_behind_the_finish_come_with_a_delta_that_says_nothing():
    """OpenRouter's last chunk has a choice, so that clients look at it once more."""
    whole = completion("Hi", choice={"why": "end"})
    axes = {
        "role": "every",
        "finish_delta": {"content": ""},
        "usage": "behind",
        "choice_member_places": {"why": "null-first"},
    }
    chunks = streamed(whole, include_usage=True, usage_null=False, **axes)
    assert [chunk["choices"][0]["why"] for chunk in chunks] == [None, None, "end", None]
    assert chunks[-1]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert [chunk.get("usage") for chunk in chunks] == [None, None, None, USAGE]


def test_no_choice_has_nothing_behind_it():
    """A completion without choices has no chunk to carry the counts."""
    whole = completion()
    assert split(whole, at_once(), style=styled(usage="behind"), include_usage=True) == ()


def test_a_member_beside_text_is_empty_elsewhere():
    """Azure's verdicts come with the text they judge."""
    whole = completion("Hello", choice={"found": {"hate": 0}, "note": "x"})
    places = {"found": "text", "note": "text"}
    chunks = streamed(whole, chunks_of(2), choice_member_places=places)
    told = [(chunk["choices"][0]["found"], chunk["choices"][0]["note"]) for chunk in chunks]
    full = ({"hate": 0}, "x")
    assert told == [({}, None), full, full, full, full]


def test_padding_does_not_count_what_stands_beside_text():
    """Azure pads as OpenAI does and adds its verdicts afterwards (recorded)."""
    style = styled(leading_empty=True, choice_member_places={"found": "text"})
    with_verdict = completion("Hello", choice={"found": {"hate": 0}})
    bare = completion("Hello")
    lengths = [
        [
            len(chunk.get("obfuscation", "none"))
            for chunk in split(whole, chunks_of(2), style=style, obfuscation=True)
        ]
        for whole in (with_verdict, bare)
    ]
    assert lengths[0] == lengths[1]
    assert "obfuscation" not in split(bare, at_once(), style=style, obfuscation=True)[0]


def test_padding_of_no_rule_leaves_the_first_chunk_alone():
    """Mistral's `p` has any length, drawn anew for each chunk."""
    whole = completion("Hello")
    style = styled(padding_field="p")
    drawn = split(whole, chunks_of(1), style=style, draw=SeededDraw(1))
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    assert "p" not in drawn[0]
    assert all(letters.startswith(chunk["p"]) and chunk["p"] for chunk in drawn[1:])
    assert len({chunk["p"] for chunk in drawn[1:]}) > 1
    assert {chunk["p"] for chunk in split(whole, at_once(), style=style)[1:]} == {letters}
    assert join(drawn, style=style)["choices"] == whole["choices"]


@pytest.mark.parametrize("reasoning", ["Hm", None])
def test_the_silent_text_is_null_where_the_style_says_so(reasoning):
    """DeepSeek's reasoner names both members; its chatting model knows only one."""
    message = {"reasoning_content": reasoning} if reasoning else {}
    whole = completion("Hi", message=message)
    chunks = streamed(whole, reasoning_field="reasoning_content", reasoning_null=True)
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    role, finish = {"role": "assistant", "content": ""}, {}
    if reasoning is None:
        assert deltas == [role, {"content": "Hi"}, finish]
    else:
        assert deltas == [
            role,
            {"reasoning_content": "Hm", "content": None},
            {"content": "Hi", "reasoning_content": None},
            finish,
        ]
