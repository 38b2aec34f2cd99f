"""What the API answers: exact status, type, code, param and message for every fault."""

import dataclasses
import json
import string

import pytest
from request_samples import (
    ANSWER,
    BREAKING,
    CALL,
    CALLING,
    TOOL,
    USER,
    function_tool,
    json_schema,
    request,
)

from mockchat.contract import phrases
from mockchat.contract.contract import Contract, contract_for
from mockchat.contract.profile import load_profile
from mockchat.errors import BadArgument
from mockchat.exchange import ApiError, Violation

PREFIX = "Invalid value for"


def answer(body, contract=None):
    """Return code, param and message of the error the API answers `body` with."""
    contract = contract or contract_for()
    error = contract.api_error(contract.request_violations(body)[0], body)
    assert (error.status, error.type) == (400, "invalid_request_error")
    return error.code, error.param, error.message


def contract_of(**errors):
    """Return the `openai` contract with other error settings."""
    profile = load_profile("openai")
    words = profile.settings["errors"] | errors
    return Contract(dataclasses.replace(profile, settings=profile.settings | {"errors": words}))


def too_long(limit, n):
    """Return the end of the message on long text."""
    return (
        "string too long. Expected a string with maximum length "
        f"{limit}, but got a string with length {n} instead."
    )


ELEVEN = {
    "no-model": (None, None, "you must provide a model parameter"),
    "no-messages": (
        "missing_required_parameter",
        "messages",
        "Missing required parameter: 'messages'.",
    ),
    "empty-messages": (
        "empty_array",
        "messages",
        (
            "Invalid 'messages': empty array. Expected an array with minimum length 1, "
            "but got an empty array instead."
        ),
    ),
    "temperature-5": (
        "decimal_above_max_value",
        "temperature",
        (
            "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, "
            "but got 5 instead."
        ),
    ),
    "unknown-role": (
        "invalid_value",
        "messages[0].role",
        (
            "Invalid value: 'wizard'. Supported values are: 'system', 'assistant', 'user', "
            "'function', 'tool', and 'developer'."
        ),
    ),
    "n-0": (
        "integer_below_min_value",
        "n",
        "Invalid 'n': integer below minimum value. Expected a value >= 1, but got 0 instead.",
    ),
    "orphan-tool-message": (
        None,
        "messages.[1].role",
        (
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding message "
            "with 'tool_calls'."
        ),
    ),
    "unknown-parameter": (
        "unknown_parameter",
        "tempurature",
        "Unknown parameter: 'tempurature'. Did you mean 'temperature'?",
    ),
    "top-logprobs-without-logprobs": (
        None,
        "top_logprobs",
        "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.",
    ),
    "stream-options-without-stream": (
        None,
        "stream_options",
        "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
    ),
}


def test_eleven_broken_requests(shared):
    """Ten of eleven servers let most of these pass; ours refuses all, in the API's words."""
    lines = (shared / "facts" / "broken-requests.jsonl").read_text().splitlines()
    bodies = {case["id"]: case["body"] for case in map(json.loads, lines) if "body" in case}

    assert {name: answer(body) for name, body in bodies.items()} == ELEVEN


MODERN = [
    # Section 2 of the facts, row by row.
    (
        request(messages=[USER, ANSWER]),
        None,
        "messages.[1].role",
        (
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding message "
            "with 'tool_calls'."
        ),
    ),
    (
        request(messages=[CALLING | {"tool_calls": [CALL, CALL | {"id": "b"}]}, USER]),
        None,
        "messages",
        (
            "An assistant message with 'tool_calls' must be followed by tool messages responding to "
            "each 'tool_call_id'. The following tool_call_ids did not have response messages: "
            "call_1, b"
        ),
    ),
    (
        request(messages=[CALLING | {"tool_calls": []}]),
        "empty_array",
        "messages[0].tool_calls",
        (
            "Invalid 'messages[0].tool_calls': empty array. Expected an array with minimum length 1, "
            "but got an empty array instead."
        ),
    ),
    (
        request(messages=[USER, {"role": "user", "content": None}]),
        None,
        "messages.[1].content",
        f"{PREFIX} 'content': expected a string, got null.",
    ),
    (
        request(messages=[{"role": "developer"}]),
        "missing_required_parameter",
        "messages[0].content",
        "Missing required parameter: 'messages[0].content'.",
    ),
    (
        request(messages=[{"role": "developer", "content": None}]),
        "invalid_type",
        "messages[0].content",
        (
            "Invalid type for 'messages[0].content': expected one of a string or array of objects, "
            "but got null instead."
        ),
    ),
    (
        request(tool_choice="auto"),
        None,
        "tool_choice",
        f"{PREFIX} 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
    ),
    (
        request(parallel_tool_calls=True),
        None,
        "parallel_tool_calls",
        (
            f"{PREFIX} 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when 'tools' are "
            "specified."
        ),
    ),
    (
        request(tools=[TOOL], tool_choice={"type": "function", "function": {"name": "x"}}),
        None,
        "function_call",
        (
            f"{PREFIX} 'function_call': no function named 'x' was specified in the 'functions' "
            "parameter."
        ),
    ),
    (
        request(tools=[]),
        "empty_array",
        "tools",
        (
            "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty "
            "array instead."
        ),
    ),
    (
        request(tools=[TOOL] * 129),
        "array_above_max_length",
        "tools",
        (
            "Invalid 'tools': array too long. Expected an array with maximum length 128, but got an "
            "array with length 129 instead."
        ),
    ),
    (
        request(tools=[{"type": "function", "function": {"name": "a b"}}]),
        "invalid_value",
        "tools[0].function.name",
        (
            "Invalid 'tools[0].function.name': string does not match pattern. Expected a string that "
            "matches the pattern '^[a-zA-Z0-9_-]+$'."
        ),
    ),
    (
        request(tools=[{"type": "function", "function": {"name": ""}}]),
        "empty_string",
        "tools[0].function.name",
        (
            "Invalid 'tools[0].function.name': empty string. Expected a string with minimum length 1, "
            "but got an empty string instead."
        ),
    ),
    (
        request(tools=[{"type": "function", "function": {"name": "x" * 65}}]),
        "string_above_max_length",
        "tools[0].function.name",
        "Invalid 'tools[0].function.name': " + too_long(64, 65),
    ),
    (
        request(max_tokens=1, max_completion_tokens=1),
        "invalid_parameter_combination",
        None,
        "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
    ),
    (
        request(response_format={"type": "json_object"}),
        None,
        "messages",
        (
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type "
            "'json_object'."
        ),
    ),
    (
        request(response_format={"type": "json_schema"}),
        "missing_required_parameter",
        "response_format.json_schema",
        "Missing required parameter: 'response_format.json_schema'.",
    ),
    (
        request(response_format={"type": "json_schema", "json_schema": {}}),
        "missing_required_parameter",
        "response_format.json_schema.name",
        "Missing required parameter: 'response_format.json_schema.name'.",
    ),
    (
        request(stop=["a"] * 5),
        "array_above_max_length",
        "stop",
        (
            "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array "
            "with length 5 instead."
        ),
    ),
    (
        request(metadata={str(key): "x" for key in range(17)}),
        "object_above_max_properties",
        "metadata",
        (
            "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, "
            "but got an object with 17 properties instead."
        ),
    ),
    (
        request(metadata={"abc" + "-" * 60 + "xyz": "x"}),
        "property_name_above_max_length",
        "metadata.abc" + "-" * 60 + "xyz",
        (
            "Invalid property name in 'metadata': 'abc...xyz' is too long. Expected a string with "
            "maximum length 64, but got a string with length 66 instead."
        ),
    ),
    (
        request(metadata={"k": "v" * 513}),
        "string_above_max_length",
        "metadata.k",
        "Invalid 'metadata.k': " + too_long(512, 513),
    ),
    (
        request(metadata={"k": 5}),
        "invalid_type",
        "metadata.k",
        "Invalid type for 'metadata.k': expected a string, but got an integer instead.",
    ),
    (
        request(model="o3", stop="x"),
        "unsupported_parameter",
        "stop",
        "Unsupported parameter: 'stop' is not supported with this model.",
    ),
    (
        request(model="o3", presence_penalty=1),
        "unsupported_parameter",
        "presence_penalty",
        "Unsupported parameter: 'presence_penalty' is not supported with this model.",
    ),
    (
        request(model="o3", temperature=0.5),
        "unsupported_value",
        "temperature",
        (
            "Unsupported value: 'temperature' does not support 0.5 with this model. Only the default "
            "(1) value is supported."
        ),
    ),
    (
        request(model="o3", max_tokens=5),
        "unsupported_parameter",
        "max_tokens",
        (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
            "'max_completion_tokens' instead."
        ),
    ),
    (
        request(model="gpt-5", reasoning_effort="none"),
        "unsupported_value",
        "reasoning_effort",
        (
            "Unsupported value: 'reasoning_effort' does not support 'none' with this model. Supported "
            "values are: 'minimal', 'low', 'medium', and 'high'."
        ),
    ),
    (
        request(model="o1-mini", messages=[{"role": "system", "content": "x"}]),
        "unsupported_value",
        "messages[0].role",
        "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
    ),
    (
        request(web_search_options={}),
        None,
        "web_search_options",
        "Web search options not supported with this model.",
    ),
    (
        request(model="gpt-5.6-sol", n=9),
        "integer_above_max_value",
        "n",
        "Invalid 'n': integer above maximum value. Expected a value <= 8, but got 9 instead.",
    ),
    (
        request(model="gpt-5.6-sol", reasoning_effort="none", logprobs=True, top_logprobs=6),
        None,
        "top_logprobs",
        f"{PREFIX} 'top_logprobs': must be less than or equal to 5.",
    ),
    (
        request(max_tokens=99999),
        None,
        "max_tokens",
        (
            "max_tokens is too large: 99999. This model supports at most 16384 completion tokens, "
            "whereas you provided 99999."
        ),
    ),
    (
        request(messages=[CALLING, ANSWER | {"content": [{"type": "image_url"}]}]),
        "invalid_value",
        "messages[1]",
        "Invalid 'messages[1]'. Content blocks are expected to be either text or image_url type.",
    ),
    (
        request(prompt_cache_retention="1y"),
        None,
        "prompt_cache_retention",
        "Invalid prompt_cache_retention argument",
    ),
    # Our own wording, listed as deviations of the profile.
    (
        request(modalities=["audio"]),
        None,
        "audio",
        "The 'audio' parameter is required when 'modalities' includes 'audio'.",
    ),
    (
        request(logit_bias={"a": 1}),
        "invalid_value",
        "logit_bias",
        "Invalid key in 'logit_bias': 'a'. Keys are token ids, written as integers.",
    ),
    (
        request(model="gpt-5.6-sol", tools=[TOOL], reasoning_effort="low"),
        "unsupported_value",
        "reasoning_effort",
        (
            "Unsupported value: 'reasoning_effort' does not support 'low' together with function tools "
            "with this model."
        ),
    ),
    (
        request(tools=[TOOL, function_tool(parameters={"properties": {"a": {"type": "x"}}})]),
        "invalid_function_parameters",
        "tools[1].function.parameters",
        (
            "Invalid schema for function 'f': In context=('properties', 'a', 'type'), 'x' is not one "
            "of 'array', 'boolean', 'integer', 'null', 'number', 'object', 'string'"
        ),
    ),
    (
        request(response_format=json_schema({"type": "object"}, strict=True)),
        None,
        "response_format",
        (
            "Invalid schema for response_format 'n': In context=(), 'additionalProperties' is required "
            "to be supplied and to be false."
        ),
    ),
    ([], "invalid_type", None, "Invalid body: expected an object, but got an array instead."),
    # The phrase book.
    (
        request(temperature="x"),
        "invalid_type",
        "temperature",
        "Invalid type for 'temperature': expected a decimal, but got a string instead.",
    ),
    (
        request(n=1.0),
        "invalid_type",
        "n",
        "Invalid type for 'n': expected an integer, but got a decimal number instead.",
    ),
    (
        request(stop=5),
        "invalid_type",
        "stop",
        (
            "Invalid type for 'stop': expected one of a string or array of strings, but got an integer "
            "instead."
        ),
    ),
    (
        request(messages=[{"role": "user", "content": True}]),
        "invalid_type",
        "messages[0].content",
        (
            "Invalid type for 'messages[0].content': expected one of a string or array of objects, "
            "but got a boolean instead."
        ),
    ),
    (
        request(messages={}),
        "invalid_type",
        "messages",
        "Invalid type for 'messages': expected an array of objects, but got an object instead.",
    ),
    (
        request(metadata=[]),
        "invalid_type",
        "metadata",
        "Invalid type for 'metadata': expected a metadata object, but got an array instead.",
    ),
    (
        request(functions=5),
        "invalid_type",
        "functions",
        (
            "Invalid type for 'functions': expected an array of function definitions, but got an "
            "integer instead."
        ),
    ),
    (
        request(verbosity=5),
        "invalid_type",
        "verbosity",
        (
            "Invalid type for 'verbosity': expected one of 'low', 'medium', or 'high', but got an "
            "integer instead."
        ),
    ),
    (
        request(tools=[TOOL], tool_choice=5),
        "invalid_type",
        "tool_choice",
        (
            "Invalid type for 'tool_choice': expected one of one of 'none', 'auto', or 'required' or "
            "object, but got an integer instead."
        ),
    ),
    (
        request(tools=[{"type": "x"}]),
        "invalid_value",
        "tools[0].type",
        "Invalid value: 'x'. Supported values are: 'function' and 'custom'.",
    ),
    (
        request(strem=1),
        "unknown_parameter",
        "strem",
        "Unknown parameter: 'strem'. Did you mean 'stream' or 'store'?",
    ),
    (
        request(strem=1, store=True),
        "unknown_parameter",
        "strem",
        "Unknown parameter: 'strem'. Did you mean 'stream'?",
    ),
    (
        request(stream=True, stream_options={"include_usag": True}),
        "unknown_parameter",
        "stream_options.include_usag",
        "Unknown parameter: 'stream_options.include_usag'. Did you mean 'include_usage'?",
    ),
    (request(zzzzzzzzzz=1), "unknown_parameter", "zzzzzzzzzz", "Unknown parameter: 'zzzzzzzzzz'."),
    (
        request(presence_penalty=-2.5),
        "decimal_below_min_value",
        "presence_penalty",
        (
            "Invalid 'presence_penalty': decimal below minimum value. Expected a value >= -2, but got "
            "-2.5 instead."
        ),
    ),
]


@pytest.mark.parametrize(("body", "code", "param", "message"), MODERN)
def test_modern_answer(body, code, param, message):
    """A client's error handling is tested against these very words."""
    assert answer(body) == (code, param, message)


def test_model_null_and_empty_are_missing():
    """The service treats all three alike."""
    bodies = [request(model=...), request(model=None), request(model="")]

    assert {answer(body) for body in bodies} == {ELEVEN["no-model"]}


GRAMMAR_2023 = [
    (request(temperature=2.5), "2.5 is greater than the maximum of 2 - 'temperature'"),
    (request(temperature=-1), "-1 is less than the minimum of 0 - 'temperature'"),
    (request(user=None), "None is not of type 'string' - 'user'"),
    (
        request(messages=[{"role": "bad-role"}]),
        (
            "'bad-role' is not one of ['system', 'assistant', 'user', 'function', 'tool', "
            "'developer'] - 'messages.0.role'"
        ),
    ),
    (request(messages=[]), "[] is too short - 'messages'"),
    (request(messages=...), "'messages' is a required property"),
    (
        request(messages=[{"role": "developer"}]),
        "'content' is a required property - 'messages.0'",
    ),
    (request(x=1), "Unrecognized request argument supplied: x"),
    (
        request(stream_options={"x": 1}),
        "Additional properties are not allowed ('x' was unexpected) - 'stream_options'",
    ),
    (request(stop=5), "5 is not valid under any of the given schemas - 'stop'"),
    (request(n="x"), "'x' is not of type 'integer', 'null' - 'n'"),
    (request(stop=["a"] * 5), "['a', 'a', 'a', 'a', 'a'] is too long - 'stop'"),
    (
        request(functions=[{"name": "a b"}]),
        "'a b' does not match '^[a-zA-Z0-9_-]+$' - 'functions.0.name'",
    ),
    (
        request(metadata={str(key): "x" for key in range(17)}),
        "the object has 17 members, at most 16 are allowed - 'metadata'",
    ),
    (
        request(metadata={"k" * 65: "x"}),
        f"'{'k' * 65}' is too long - 'metadata.{'k' * 65}'",
    ),
]


@pytest.mark.parametrize(("body", "message"), GRAMMAR_2023)
def test_2023_answer(body, message):
    """Profiles of 2023, and servers that still talk so, pass on the validator's own text."""
    profile = load_profile("openai")
    words = profile.settings["errors"] | {"grammar": "2023", "entries": {}}
    settings = profile.settings | {"errors": words, "nulls_as_omitted": False}
    contract = Contract(dataclasses.replace(profile, settings=settings))

    assert answer(body, contract) == (None, None, message)


def test_every_rule_s_error_can_be_worded():
    """A template that asks for a field its rule does not give would fail in front of a user."""
    profile = load_profile("openai")
    on = {name: rule or {} for name, rule in profile.settings["rules"].items()}
    contract = Contract(dataclasses.replace(profile, settings=profile.settings | {"rules": on}))

    for body in (body for bodies in BREAKING.values() for body in bodies):
        violation = contract.request_violations(body)[0]
        error = contract.api_error(violation, body)
        assert "{" not in error.message
        assert contract.api_error(violation) is not None


def test_catalogue_is_whole():
    """Every entry says what a reader of the error needs, and where it is from."""
    sources = {"measured", "reported", "recorded", "unverified", "own wording"}
    for name, entry in load_profile("openai").errors.items():
        assert {"status", "type", "message", "source"} <= entry.keys(), name
        assert entry["source"] in sources, name


def test_own_wording_is_listed_as_a_deviation():
    """What we made up must not pass for the service's own words."""
    profile = load_profile("openai")
    own = {name for name, entry in profile.errors.items() if entry["source"] == "own wording"}
    listed = next(each for each in profile.deviations if each["what"] == "own wording")

    assert own == set(listed["entries"])


@pytest.mark.parametrize("name", load_profile("openai").errors)
def test_named_error_fills_its_template(name):
    """Each entry can be asked for by name."""
    entry = load_profile("openai").errors[name]
    texts = [str(entry.get(key, "")) for key in ("message", "param", "code")]
    names = {part[1] for text in texts for part in string.Formatter().parse(text) if part[1]}

    error = contract_for().error(name, **dict.fromkeys(names, "x"))

    assert (error.status, error.type) == (entry["status"], entry["type"])


def test_named_error_refuses_what_it_does_not_know():
    """A misspelt name or a forgotten field is our own mistake, and says so."""
    with pytest.raises(BadArgument, match="error is 'model_not_fond'"):
        contract_for().error("model_not_fond")
    with pytest.raises(BadArgument, match="a field of error 'model_not_found' is 'model'"):
        contract_for().error("model_not_found")


def test_not_found_is_the_recorded_text():
    """The one 404 every client meets."""
    assert contract_for().error("model_not_found", model="x") == ApiError(
        status=404,
        type="invalid_request_error",
        message="The model `x` does not exist or you do not have access to it.",
        code="model_not_found",
        param=None,
    )


def test_envelope_is_openai_s():
    """Members stand in the recorded order, nulls written out."""
    error = contract_for().error("server_error")

    assert list(contract_for().envelope(error)["error"].items()) == [
        ("message", "The server had an error while processing your request. Sorry about that!"),
        ("type", "server_error"),
        ("param", None),
        ("code", None),
    ]


@pytest.mark.parametrize(
    ("envelope", "body"),
    [
        ({"error": {"code": "{status}", "fixed": True}}, {"error": {"code": 404, "fixed": True}}),
        ({"code": "{code}", "error": "{message}"}, {"code": "c", "error": "m"}),
        ([{"error": {"code": "{status_text}"}}], [{"error": {"code": "404"}}]),
    ],
)
def test_envelope_is_a_template(envelope, body):
    """Vendors wrap the same facts differently; a profile says how, without code."""
    error = ApiError(status=404, type="t", message="m", code="c")

    assert contract_of(envelope=envelope).envelope(error) == body


def test_setting_that_is_not_known_is_refused():
    """A misspelt setting in a profile must not be ignored."""
    with pytest.raises(TypeError, match="gramar"):
        contract_of(gramar="modern")


def test_violation_without_a_word_of_its_own_is_still_answered():
    """A profile's document may use any keyword."""
    violation = Violation(
        rule="schema.uniqueItems",
        pointer="/stop",
        message="two items of the array are the same",
        keyword="uniqueItems",
    )

    error = contract_for().api_error(violation)

    assert error.message == "Invalid 'stop': two items of the array are the same."


def test_suggestion_needs_no_body():
    """A caller that kept only the violation still gets an answer."""
    body = request(stream=True, stream_options={"include_usag": True})
    (violation,) = contract_for().request_violations(body)

    error = contract_for().api_error(violation)

    assert error.message == (
        "Unknown parameter: 'stream_options.include_usag'. Did you mean 'include_usage'?"
    )


@pytest.mark.parametrize(
    ("keyword", "actual", "code"),
    [
        ("minLength", "a", "string_below_min_length"),
        ("minItems", [1], "array_below_min_length"),
        ("minProperties", {}, "object_below_min_properties"),
        ("exclusiveMaximum", 5, "decimal_above_max_value"),
        ("dependentRequired", None, "missing_required_parameter"),
        ("unevaluatedProperties", 5, "unknown_parameter"),
        ("const", "x", "invalid_value"),
        ("const", 5, "invalid_type"),
    ],
)
def test_keyword_has_its_code(keyword, actual, code):
    """Keywords that `openai` does not use may stand in another profile's documents."""
    violation = Violation(
        rule=f"schema.{keyword}",
        pointer="/a",
        message="",
        keyword=keyword,
        expected=2,
        actual=actual,
    )

    assert contract_for().api_error(violation).code == code


def test_property_name_with_another_fault_is_answered():
    """Names may be judged by any keyword."""
    violation = Violation(
        rule="schema.minLength",
        pointer="/a/",
        message="too short",
        keyword="minLength",
        expected=1,
        details={"property_name": ""},
    )

    assert contract_for().api_error(violation).message == "Invalid 'a.': too short."


@pytest.mark.parametrize(
    ("pointer", "value", "style", "path"),
    [
        ("", None, "brackets", ""),
        ("/messages/1/content", None, "brackets", "messages[1].content"),
        ("/messages/1/content", None, "dots", "messages.1.content"),
        ("/metadata/1", {"metadata": {"1": 5}}, "brackets", "metadata.1"),
        ("/a/b/c", {"a": 5}, "brackets", "a.b.c"),
        ("/a/7/b", {"a": [1]}, "brackets", "a[7].b"),
        ("/a/x", {"a": [1]}, "brackets", "a[x]"),
        ("/a~1b/~0", None, "brackets", "a/b.~"),
    ],
)
def test_path_is_spelt_the_api_s_way(pointer, value, style, path):
    """A param is matched as text by clients."""
    assert phrases.path_of(pointer, value, style=style) == path


@pytest.mark.parametrize(
    ("name", "text"),
    [("exactly12ch_", "exactly12ch_"), ("thirteen_char", "thi...har")],
)
def test_long_name_is_elided(name, text):
    """Long names are shortened as measured."""
    assert phrases.elided(name) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("text", "text"),
        (None, "None"),
        (True, "True"),
        ({"k": "v"}, "{'k': 'v'}"),
        pytest.param(10**5000, "an integer", id="huge"),
    ],
)
def test_values_are_printed_python_style(value, text):
    """The service prints what it refuses as Python does."""
    assert phrases.printed(value) == text


def test_endless_value_is_printed_by_its_kind():
    """A value nested beyond the stack is still answered."""
    value = []
    for _ in range(100_000):
        value = [value]

    assert phrases.printed(value) == "an array"


def test_near_misses_come_nearest_first_then_by_alphabet():
    """The suggestion has to be the service's."""
    known = ["stops", "store", "stop", "step", "seed", "shop", "stopped"]

    assert phrases.did_you_mean("stop", known) == (
        " Did you mean 'stop', 'shop', 'step', 'stops', or 'store'?"
    )
    assert phrases.did_you_mean("temperature", known) == ""


def test_null_is_mentioned_only_alone():
    """Where null is all there is, it is what was expected."""
    assert phrases.expected(["null"]) == "null"
    assert phrases.expected(["string", "null"]) == "a string"
