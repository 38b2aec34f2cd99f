"""Each page's own examples, judged by its profile; where `shared` is there, read from the page."""

import json

import pytest

from mockchat.contract.contract import contract_for
from mockchat.server.wire import BadBody, decode_json

HELLO = {"model": "gpt-3.5-turbo", "messages": [{"role": "user", "content": "Hello!"}]}
HELPFUL = {
    "model": "gpt-3.5-turbo",
    "messages": [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "Hello!"},
    ],
}
PAGES = {
    "000": "000_7e85e923ae5fead9.txt",
    "001": "001_b8f5853ee10a459f.txt",
    "002": "002_b4f5c4b3df85b6c5.txt",
}
ANSWER = {
    "id": "chatcmpl-123",
    "object": "chat.completion",
    "created": 1677652288,
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "\n\nHello there, how may I assist you today?",
            },
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21},
}
OUTCODE_ANSWER = {
    "id": "6f2a",
    "model": "sonar",
    "object": "chat.completion",
    "created": 1735689600,
    "citations": ["https://example.org/"],
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "Hi."},
            "delta": {"role": "assistant", "content": ""},
        }
    ],
    "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
}


def found(profile, document, value, level="observed"):
    """Return what `value` breaks, by rule and place."""
    judged = contract_for(profile).violations(document, value, level=level)
    return [(each.rule, each.pointer) for each in judged]


@pytest.fixture
def page(shared):
    """Give the text of a page by its number."""
    return lambda number: (shared / "seeds" / PAGES[number]).read_text(encoding="utf-8")


def objects_in(text):
    """Return the JSON objects that stand in a text, outermost first, and the texts that fail."""
    decoder, at, whole, broken = json.JSONDecoder(), 0, [], []
    while (at := text.find("{\n", at)) >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
        except ValueError:
            broken.append(text[at:])
            end = text.find("\n}\n", at) + 2
        else:
            whole.append(value)
        at = end
    return whole, broken


@pytest.mark.parametrize(
    ("profile", "request_"), [("openai-2023-05", HELLO), ("apifox-2023-06", HELPFUL)]
)
def test_example_request_is_accepted(profile, request_):
    """The first thing a reader of a page tries is its example."""
    assert found(profile, "request", request_) == []


@pytest.mark.parametrize(
    ("number", "requests", "replies"),
    [("000", [HELLO, HELLO], []), ("002", [HELPFUL, HELPFUL], [ANSWER])],
)
def test_examples_here_are_those_of_the_page(page, number, requests, replies):
    """Our copies of the examples must be the page's, or the tests above prove nothing."""
    text = page(number).replace("'{\n", "{\n")
    assert objects_in(text)[0] == [*requests, *replies]


def test_examples_of_page_003_are_accepted():
    """The page shows two values inline: a format and a choice of a tool."""
    function = {"name": "my_function", "parameters": {"type": "object"}}
    request = {
        **HELLO,
        "messages": [{"role": "user", "content": "Hello! Answer in JSON."}],
        "response_format": {"type": "json_object"},
        "tools": [{"type": "function", "function": function}],
        "tool_choice": {"type": "function", "function": {"name": "my_function"}},
    }
    assert found("openai-2025-summary", "request", request) == []


@pytest.mark.parametrize("level", ["observed", "documented"])
@pytest.mark.parametrize("profile", ["openai-2023-05", "apifox-2023-06"])
def test_example_answer_lacks_the_model(profile, level):
    """Both pages copied OpenAI's slip: every server sends the model, so it is required."""
    assert found(profile, "response", ANSWER, level) == [("schema.required", "/model")]
    whole = ANSWER | {"model": "gpt-3.5-turbo-0301"}
    assert found(profile, "response", whole, level) == []


def test_example_answer_of_page_000_is_not_json(page):
    """A comma stands behind the last member; a server that sent it would be broken."""
    _, broken = objects_in(page("000"))
    assert len(broken) == 1
    text = broken[0].partition("\n호출")[0]
    with pytest.raises(BadBody):
        decode_json(text.encode())
    mended = decode_json(text.replace('today?",\n', 'today?"\n').encode())
    assert mended == ANSWER
    assert found("openai-2023-05", "response", mended) == [("schema.required", "/model")]


@pytest.mark.parametrize("level", ["observed", "documented"])
def test_answer_of_page_001_is_a_table_of_types(page, level):
    """Its values are the names of their types: a completion by schema, but for the id's prefix."""
    (answer,), broken = objects_in(page("001"))
    assert broken == []
    assert answer["choices"][0]["message"] == {"role": "string", "content": "string"}
    contract = contract_for("openai-2023-03")
    assert contract.violations("response", answer, level=level, rules=False) == ()
    assert {rule for rule, _ in found("openai-2023-03", "response", answer, level)} <= {
        "reply.id-prefix"
    }


@pytest.mark.parametrize("level", ["observed", "documented"])
def test_slip_of_page_004_is_flagged(level):
    """The page writes promp_tokens; a client that reads prompt_tokens finds none."""
    assert found("perplexity-outcode", "response", OUTCODE_ANSWER, level) == []
    usage = {"promp_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
    assert found("perplexity-outcode", "response", OUTCODE_ANSWER | {"usage": usage}, level) == [
        ("schema.required", "/usage/prompt_tokens")
    ]


def test_values_of_page_004_are_the_page_s():
    """Its ranges are not its parent's: 2 is a temperature here, and no penalty is negative."""
    request = {"model": "sonar", "messages": [{"role": "user", "content": "Hi"}]}
    tried = {
        "temperature": 2,
        "presence_penalty": -1,
        "frequency_penalty": 0,
        "top_k": 4096,
    }
    refused = {
        name: [
            profile
            for profile in ("perplexity", "perplexity-outcode")
            if found(profile, "request", request | {name: value})
        ]
        for name, value in tried.items()
    }
    assert refused == {
        "temperature": ["perplexity"],
        "presence_penalty": ["perplexity-outcode"],
        "frequency_penalty": ["perplexity"],
        "top_k": ["perplexity"],
    }
