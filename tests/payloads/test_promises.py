"""Members that a profile promises in every reply, whoever invented them."""

from dataclasses import replace

import pytest

from mockchat.contract.contract import Contract, contract_for
from mockchat.contract.merge import merge_patch
from mockchat.payloads.chunking import at_once, split, stream_style
from mockchat.payloads.completions import complete, completion_of
from mockchat.payloads.seeded import SeededDraw

OPENAI = contract_for("openai").profile
ASKED = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


def contract_with(response, chunk=None, **settings):
    """Return a contract whose documents are patched at level documented."""
    levels = {
        level: {
            **documents,
            "response": merge_patch(documents["response"], response),
            "chunk": merge_patch(documents["chunk"], chunk or {}),
        }
        for level, documents in OPENAI.levels.items()
    }
    profile = replace(OPENAI, levels=levels, settings=OPENAI.settings | settings)
    return Contract(profile)


def promising(schema, *, streamed=False, **settings):
    """Return a contract that promises a member `extra` of the completion."""
    required = [*OPENAI.documents["response"]["required"], "extra"]
    usual = {"type": "object", "default": {"a": 1}}
    properties = {"extra": schema}
    response = {"required": required, "properties": properties, "$defs": {"usage_like": usual}}
    chunk = {"properties": {"extra": {"description": "Streamed too."}}} if streamed else {}
    return contract_with(response, chunk, **settings)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string", "default": "usual"}, "usual"),
        ({"type": ["string", "null"]}, None),
        ({"type": ["string", "null"], "default": "usual"}, "usual"),
        ({"const": "only"}, "only"),
        ({"$ref": "#/$defs/usage_like"}, {"a": 1}),
    ],
)
def test_a_promise_is_kept_with_what_is_usual(schema, value):
    """A default says what there is to say most of the time; null is the next best."""
    contract = promising(schema)
    made = complete(ASKED, SeededDraw(1), contract=contract)
    assert made["extra"] == value
    scripted = completion_of(ASKED, SeededDraw(1), contract=contract, message={"content": "Hi"})
    assert scripted["extra"] == value


def test_what_is_not_usual_is_drawn():
    """A number that is always there has to be some number."""
    contract = promising({"type": "integer", "minimum": 5, "maximum": 1000})
    drawn = {complete(ASKED, SeededDraw(s), contract=contract)["extra"] for s in range(20)}
    assert len(drawn) > 5
    assert all(5 <= number <= 1000 for number in drawn)


def test_a_default_is_not_shared_between_replies():
    """Whoever changes one reply must not change the next."""
    contract = promising({"type": "array", "default": []})
    first = complete(ASKED, SeededDraw(1), contract=contract)
    first["extra"].append("mine")
    assert complete(ASKED, SeededDraw(1), contract=contract)["extra"] == []


def test_a_promise_may_repeat_another_member():
    """OpenRouter tells the finish reason twice."""
    reply = {"copies": {"completion": {"extra": "model"}}}
    contract = promising({"type": "string"}, reply=reply)
    assert complete(ASKED, SeededDraw(1), contract=contract)["extra"] == "m"


@pytest.mark.parametrize("streamed", [False, True])
def test_a_stream_has_what_its_chunks_declare(streamed):
    """A log probability of vLLM's prompt never streams, a verdict of Azure's does."""
    contract = promising({"type": "string", "default": "usual"}, streamed=streamed)
    made = complete({**ASKED, "stream": True}, SeededDraw(1), contract=contract)
    chunks = split(made, at_once(), style=stream_style(contract.profile))
    assert [("extra" in chunk) for chunk in chunks] == [streamed] * len(chunks)


def test_a_script_s_own_value_stays():
    """What a test says is never overwritten."""
    message = OPENAI.documents["response"]["$defs"]["message"]
    required = [*message["required"], "mood"]
    patch = {"$defs": {"message": {"required": required, "properties": {"mood": {"default": "m"}}}}}
    contract = contract_with(patch)
    for said, mood in (({}, "m"), ({"mood": "good"}, "good")):
        made = completion_of(
            ASKED, SeededDraw(1), contract=contract, message={"content": "Hi", **said}
        )
        assert made["choices"][0]["message"]["mood"] == mood


def test_a_null_that_is_not_allowed_is_left_out():
    """Groq and Gemini leave content out beside calls; OpenAI says null."""
    text = {"required": ["role"], "properties": {"content": {"type": "string"}}}
    contract = contract_with({"$defs": {"message": text}})
    call = {"type": "function", "function": {"name": "f", "arguments": "{}"}}
    made = completion_of(ASKED, SeededDraw(1), contract=contract, message={"tool_calls": [call]})
    assert "content" not in made["choices"][0]["message"]


@pytest.mark.parametrize(
    ("asked", "listed", "answered"),
    [
        ("auto", ["on_demand", "flex"], "on_demand"),
        ("flex", ["on_demand", "flex"], "flex"),
        ("auto", ["default", "flex"], "default"),
        (3, ["on_demand"], "on_demand"),
    ],
)
def test_the_tier_that_serves_is_one_of_the_document_s(asked, listed, answered):
    """Groq has tiers of its own."""
    contract = contract_with({"$defs": {"service_tier": {"enum": listed}}})
    made = complete({**ASKED, "service_tier": asked}, SeededDraw(1), contract=contract)
    assert made["service_tier"] == answered


def test_any_tier_may_serve_where_none_is_listed():
    """A document may leave it open."""
    open_tier = {"$defs": {"service_tier": {"enum": None, "type": "string"}}}
    made = complete(ASKED, SeededDraw(1), contract=contract_with(open_tier))
    assert made["service_tier"] == "default"
