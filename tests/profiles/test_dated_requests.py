"""Requests that a profile takes and refuses, with the error each is answered with."""

import pytest

from mockchat.contract.contract import contract_for

ASKED = {"model": "gpt-3.5-turbo", "messages": [{"role": "user", "content": "Hi"}]}
FUNCTION = {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}
TOOL = {"type": "function", "function": FUNCTION}
CALL = {"name": "get_weather", "arguments": "{}"}
TOOL_CALL = {"id": "call_1", "type": "function", "function": CALL}
PICTURE = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
SCHEMA = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


def said(*messages):
    """Return a request with these messages."""
    return ASKED | {"messages": list(messages)}


def user(content="Hi", **more):
    """Return a message of the user."""
    return {"role": "user", "content": content, **more}


WITH_FUNCTION = said(
    user(),
    {"role": "assistant", "content": None, "function_call": CALL},
    {"role": "function", "name": "get_weather", "content": "4 °C"},
)
WITH_TOOL = said(
    user(),
    {"role": "assistant", "content": None, "tool_calls": [TOOL_CALL]},
    {"role": "tool", "tool_call_id": "call_1", "content": "4 °C"},
)
HISTORY = (
    "openai-2023-03",
    "openai-2023-05",
    "openai-2023-06",
    "openai-2023-11",
    "openai-2024-08",
    "openai",
)
SINCE = {
    "functions": ("openai-2023-06", ASKED | {"functions": [FUNCTION], "function_call": "auto"}),
    "function role": ("openai-2023-06", WITH_FUNCTION),
    "tools": ("openai-2023-11", ASKED | {"tools": [TOOL], "tool_choice": "auto"}),
    "tool role": ("openai-2023-11", WITH_TOOL),
    "pictures": ("openai-2023-11", said(user([PICTURE]))),
    "JSON mode": (
        "openai-2023-11",
        said(user("In JSON, please")) | {"response_format": {"type": "json_object"}},
    ),
    "seed": ("openai-2023-11", ASKED | {"seed": 1}),
    "null in max_tokens": ("openai-2023-11", ASKED | {"max_tokens": None}),
    "log probabilities": ("openai-2024-08", ASKED | {"logprobs": True, "top_logprobs": 20}),
    "usage in streams": (
        "openai-2024-08",
        ASKED | {"stream": True, "stream_options": {"include_usage": True}},
    ),
    "structured outputs": (
        "openai-2024-08",
        ASKED
        | {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "a", "strict": True, "schema": SCHEMA},
            }
        },
    ),
    "tools on demand": ("openai-2024-08", ASKED | {"tools": [TOOL], "tool_choice": "required"}),
    "parallel calls": ("openai-2024-08", ASKED | {"tools": [TOOL], "parallel_tool_calls": False}),
    "text parts of the system": (
        "openai-2024-08",
        said({"role": "system", "content": [{"type": "text", "text": "Be brief."}]}),
    ),
    "unknown members of messages": ("openai-2024-08", said(user(mood="good"))),
    "the new token limit": ("openai", ASKED | {"max_completion_tokens": 9}),
    "developers": ("openai", said({"role": "developer", "content": "Be brief."})),
    "stored completions": ("openai", ASKED | {"store": True}),
}


@pytest.mark.parametrize("what", SINCE)
def test_profile_takes_what_its_date_knew(what):
    """A client of today must meet the refusals of the server it is tested against."""
    since, request = SINCE[what]
    taken = [name for name in HISTORY if contract_for(name).request_violations(request) == ()]
    assert taken == list(HISTORY[HISTORY.index(since) :])


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("Ann_1", HISTORY),
        ("ann-1", ("openai-2023-03", *HISTORY[3:])),
        ("Ann B", ("openai-2023-03",)),
        ("a" * 64, HISTORY),
        ("a" * 65, ("openai-2023-03", "openai-2024-08", "openai")),
    ],
)
def test_names_are_bounded_as_their_time_had_it(name, taken):
    """The pages of May and June 2023 bound names; servers went on doing so in their own way."""
    request = said(user(name=name))
    assert taken == tuple(
        each for each in HISTORY if contract_for(each).request_violations(request) == ()
    )


OF_2023 = [
    (ASKED | {"temperature": 2.5}, "2.5 is greater than the maximum of 2 - 'temperature'"),
    (ASKED | {"n": 0}, "0 is less than the minimum of 1 - 'n'"),
    (said(), "[] is too short - 'messages'"),
    (
        said({"role": "system", "content": None}),
        "None is not of type 'string' - 'messages.0.content'",
    ),
    (said({"role": "user"}), "'content' is a required property - 'messages.0'"),
    (
        said(user(mood=1)),
        "Additional properties are not allowed ('mood' was unexpected) - 'messages.0'",
    ),
    (ASKED | {"store": True}, "Unrecognized request argument supplied: store"),
    ({"messages": [user()]}, "you must provide a model parameter"),
    (ASKED | {"user": None}, "None is not of type 'string' - 'user'"),
    (ASKED | {"stop": list("abcde")}, "['a', 'b', 'c', 'd', 'e'] is too long - 'stop'"),
]
ROLES = {
    "openai-2023-03": "'system', 'assistant', 'user'",
    "openai-2023-05": "'system', 'assistant', 'user'",
    "openai-2023-06": "'system', 'assistant', 'user', 'function'",
    "openai-2023-11": "'system', 'assistant', 'user', 'function', 'tool'",
    "apifox-2023-06": "'system', 'assistant', 'user', 'function'",
}


def answered(name, request):
    """Return what a profile answers to a request that it refuses: status and body."""
    contract = contract_for(name)
    violation = contract.request_violations(request)[0]
    error = contract.api_error(violation, request)
    return error.status, contract.envelope(error)


def envelope_of_2023(message):
    """Return an answer with nothing in it but its text."""
    return 400, {
        "error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    }


@pytest.mark.parametrize(("request_", "message"), OF_2023)
@pytest.mark.parametrize("name", HISTORY[:4])
def test_errors_have_the_grammar_of_2023(name, request_, message):
    """Code that reads these texts was written then, and param and code were always null."""
    assert answered(name, request_) == envelope_of_2023(message)


@pytest.mark.parametrize("name", ROLES)
def test_unknown_role_is_told_the_roles_of_the_time(name):
    """The list in the error is the list of the document, in the server's order."""
    request = said({"role": "bad-role", "content": "Hi"})
    message = f"'bad-role' is not one of [{ROLES[name]}] - 'messages.0.role'"
    assert answered(name, request) == envelope_of_2023(message)


@pytest.mark.parametrize("name", ["openai-2023-06", "openai-2023-11"])
@pytest.mark.parametrize("message", [{"role": "assistant"}, {"role": "assistant", "content": None}])
def test_assistant_without_content_or_call_is_refused(name, message):
    """Content may be left out beside a call alone."""
    expected = envelope_of_2023("'content' is a required property - 'messages.1'")
    assert answered(name, said(user(), message)) == expected


def test_importer_s_message_needs_content_but_beside_a_call():
    """The page's table has content optional, its text does not."""
    called = said({"role": "assistant", "function_call": CALL}, {})
    assert contract_for("apifox-2023-06").request_violations(called) == ()
    expected = envelope_of_2023("'content' is a required property - 'messages.0'")
    assert answered("apifox-2023-06", said({"role": "system"})) == expected


def test_errors_are_modern_from_2024_on():
    """The grammar changed with the validator: code and param are told, paths have brackets."""
    assert answered("openai-2024-08", said(user(), {"role": "assistant"})) == (
        400,
        {
            "error": {
                "message": "Invalid value for 'content': expected a string, got null.",
                "type": "invalid_request_error",
                "param": "messages.[1].content",
                "code": None,
            }
        },
    )
    status, body = answered("openai-2024-08", ASKED | {"temperature": 2.5})
    assert (status, body["error"]["code"], body["error"]["param"]) == (
        400,
        "decimal_above_max_value",
        "temperature",
    )


def test_perplexity_has_an_envelope_of_its_own():
    """The code is the status, and nothing says where."""
    status, body = answered("perplexity", {"messages": [user()]})
    assert status == 400
    assert body["error"].keys() == {"message", "type", "code"}
    assert body["error"]["code"] == 400
    assert contract_for("perplexity").violations("error", body) == ()


def test_strict_subset_of_2024_is_narrower():
    """Patterns and bounds were refused then, and nesting ended at five levels."""
    deep = SCHEMA
    for _ in range(5):
        deep = SCHEMA | {"properties": {"a": deep}, "required": ["a"]}
    bounded = SCHEMA | {
        "properties": {"a": {"type": "string", "pattern": "^a$"}},
        "required": ["a"],
    }

    def judged(name, schema):
        form = {"name": "a", "strict": True, "schema": schema}
        request = ASKED | {"response_format": {"type": "json_schema", "json_schema": form}}
        return [each.rule for each in contract_for(name).request_violations(request)]

    refused = ["request.response-format-is-strict"]
    for schema in (deep, bounded):
        assert judged("openai-2024-08", schema) == refused
        assert judged("openai", schema) == []
