"""Fixtures of aimock and stubllm are imported: the same requests get the same answers."""

import json

import pytest
import yaml
from importing_samples import KEY, TOOL, Asked, asking, chunks_in, imported, refused

from mockchat.scripting.scenario import read_scenario

FUNCTION = {"name": "get_weather", "arguments": {"city": "Oslo"}}


def stubllm(tmp_path, *fixtures, name="rules.yaml"):
    """Write fixtures of stubllm."""
    path = tmp_path / name
    text = json.dumps if name.endswith(".json") else yaml.dump
    path.write_text(text({"fixtures": list(fixtures)}))
    return path


def rule(response=None, name="one", **match):
    """Return one fixture of stubllm."""
    return {"name": name, "match": match, "response": response or {"content": name}}


def said(role, content):
    """Return what a message must be."""
    return {"role": role, "content": content}


def calls_of(body):
    """Return the calls of a completion."""
    return body["choices"][0]["message"]["tool_calls"]


def test_stubllm_answers_with_its_most_specific_rule(tmp_path):
    """Scores decide there and order here: exact text, then fragments, patterns, models, roles."""
    path = stubllm(
        tmp_path,
        rule(name="any"),
        rule(name="role", messages=[said("assistant", None)]),
        rule(name="model", model="gpt-4o"),
        rule(name="text", messages=[said("user", "blue")]),
        rule(name="regex", messages=[said("user", {"regex": "^bl.*y$"})]),
        rule(name="contains", messages=[said("user", {"contains": "BLUE S"})]),
        rule(name="exact", messages=[said("user", {"exact": "blue sky"})]),
        rule(name="two", messages=[said("user", "green"), said("assistant", "red")]),
        rule(name="tools", tools_present=True, provider="openai"),
        rule(name="header", headers={"X-Team": "blue"}, endpoint="/v1/chat/completions"),
    )
    ask = Asked(imported(path)[0])
    assert [
        ask.text("hello"),
        ask.text("hello", "I", "again"),
        ask.text("hello", model="gpt-4o"),
        ask.text("Blue"),
        ask.text("blue \n day"),
        ask.text("deep blue sky"),
        ask.text("blue sky"),
        ask.text("green", "Red", "x"),
        ask.text("hello", tools=[TOOL]),
        ask(asking("hello"), **{"x-team": "blue"})[1]["choices"][0]["message"]["content"],
    ] == ["any", "role", "model", "text", "regex", "contains", "exact", "two", "tools", "header"]


def test_stubllm_without_tools_is_told_from_with(tmp_path):
    """`tools_present: false` asks for none, and older functions are tools there."""
    path = stubllm(
        tmp_path, rule(name="bare", tools_present=False), rule(name="armed", tools_present=True)
    )
    ask = Asked(imported(path)[0])
    functions = [TOOL["function"]]
    assert [ask.text("x"), ask.text("x", functions=functions)] == ["bare", "armed"]


def test_stubllm_replies_are_the_same(tmp_path):
    """Calls with their ids, reasons, counts, errors, and a sequence whose last reply stays."""
    usage = {"prompt_tokens": 4, "completion_tokens": 5, "total_tokens": 9}
    call = {"id": "call_9", "type": "function", "function": dict(FUNCTION)}
    path = stubllm(
        tmp_path,
        rule({"tool_calls": [call]}, tools_present=True),
        {
            "name": "sequence",
            "match": {},
            "sequence": [
                {"content": "Cut", "finish_reason": "length", "usage": usage},
                {"http_status": 429, "error_message": "Slow", "error_code": "too_fast"},
                {"http_status": 503},
                {"latency_ms": 20, "stream_chunk_delay_ms": 5},
            ],
        },
    )
    scenario, lines = imported(path)
    ask = Asked(scenario)
    (made,) = calls_of(ask(asking(tools=[TOOL]))[1])
    assert made == {
        "id": "call_9",
        "type": "function",
        "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'},
    }
    status, first = ask(asking())
    assert {name: first["usage"][name] for name in usage} == usage
    assert (status, first["choices"][0]["finish_reason"]) == (200, "length")
    status, second = ask(asking())
    assert (status, second["error"]) == (
        429,
        {"message": "Slow", "type": "too_fast", "param": None, "code": "too_fast"},
    )
    assert ask(asking())[0] == 503
    assert [ask.text(), ask.text()] == ["Mock response."] * 2
    last = read_scenario(scenario).said.value["stubs"][-1]["then"][-1]
    assert last["pacing"] == {"ttft": 0.02, "inter_token": 0.005}
    assert lines == [f"{scenario}: 2 stubs from stubllm"]


def test_what_stubllm_has_and_a_scenario_does_not_is_told_by_place(tmp_path):
    """Nothing is dropped in silence, and no key is written."""
    path = tmp_path / "rules.yaml"
    path.write_text(
        f"""\
- match: {{provider: gemini}}
- match: {{endpoint: /v1/embeddings}}
  extra: 1
- match: {{headers: {{Authorization: Bearer {KEY}}}, colour: red}}
  response: {{content: Keyed, http_status: 201, mood: good}}
- match: {{provider: any}}
  response: {{http_status: 700}}
- match: {{model: m}}
  response: {{content: Odd, finish_reason: nope}}
- match: {{model: n}}
  response: {{content: Both, tool_calls: [{{function: {{name: f}}}}]}}
- match: {{messages: [{{content: {{regex: "("}}}}]}}
- response: {{content: Any}}
- response: {{content: Never}}
"""
    )
    scenario, lines = imported(path)
    odd = "'nope' is not one of 'stop', 'length', 'tool_calls', 'content_filter', 'function_call'"
    assert sorted(lines[:-1]) == [
        "F:11:14: content is not imported: stubllm sends the calls alone",
        (
            "F:12:3: the reply is not imported: regex is '(?is)('; allowed: a regular expression "
            "(missing ), unterminated subpattern at position 5)."
        ),
        (
            "F:14:3: the fixture is not imported: this stub never answers: stub 4 (import:1) takes "
            "every request for ever; write this one before it, or give that one `times` instead of "
            "`forever`"
        ),
        "F:1:3: the fixture is not imported: provider 'gemini' is no chat completion of OpenAI's",
        "F:2:3: the fixture is not imported: endpoint '/v1/embeddings' is no chat completion",
        "F:3:3: extra is not imported: stubllm knows no such member, and passes over it too",
        "F:4:21: Authorization is a credential and not written: any value matches",
        "F:4:70: colour is not imported: stubllm knows no such member, and passes over it too",
        "F:5:30: the status 201 is not imported: 200 is sent",
        "F:5:48: mood is not imported: stubllm knows no such member, and passes over it too",
        "F:7:14: the reply is not imported: 700 is no status",
        (
            "F:8:3: the reply is sent unchecked: the reply breaks the contract: "
            f"/choices/0/finish_reason: {odd} (schema.enum)"
        ),
    ]
    assert lines[-1] == f"{scenario}: 4 stubs from stubllm, 12 notes above"
    ask = Asked(scenario)
    keyed = ask(asking(), authorization="Bearer other")
    assert keyed[1]["choices"][0]["message"]["content"] == "Keyed"
    assert ask(asking(model="m"))[1]["choices"][0]["finish_reason"] == "nope"


@pytest.mark.parametrize("form", ["list", "one", "json"])
def test_stubllm_files_have_three_forms(tmp_path, form):
    """A list, one rule, or a mapping; YAML or JSON."""
    one = rule(tools_present=False)
    path = tmp_path / ("rules.json" if form == "json" else "rules.yaml")
    path.write_text(json.dumps({"list": [one], "one": one, "json": {"fixtures": [one]}}[form]))
    assert Asked(imported(path)[0]).text() == "one"


def aimock(tmp_path, *fixtures, name="rules.json"):
    """Write fixtures of aimock."""
    path = tmp_path / name
    path.write_text(json.dumps({"fixtures": fixtures}, indent=1))
    return path


def when(response, **match):
    """Return one fixture of aimock."""
    return {
        "match": match,
        "response": {"content": response} if isinstance(response, str) else response,
    }


def test_aimock_answers_with_its_first_rule_that_matches(tmp_path):
    """Every member of a match, alone and with others."""
    path = aimock(
        tmp_path,
        when("user", userMessage="blue", model="gpt-4o"),
        when("system", systemMessage="Be kind"),
        when("both", systemMessage=["brief", "tidy"]),
        when("spoken", systemMessage="", context="suite"),
        when("tool", toolName="get_weather", hasToolResult=False),
        when("call", toolCallId="call_1", toolResultContains="rain"),
        when("result", toolResultContains="sun"),
        when("after", hasToolResult=True),
        when({"content": {}}, responseFormat="json_object", endpoint="chat"),
        when("every", systemMessage=[]),
    )
    ask = Asked(imported(path)[0])

    def instructed(text, **fields):
        request = asking("hello")
        request["messages"].insert(0, {"role": "system", "content": text})
        return ask(request, **fields)[1]["choices"][0]["message"]["content"]

    def after(result, name="call_1"):
        call = {"id": name, "type": "function", "function": {"name": "f", "arguments": "{}"}}
        request = asking("green")
        request["messages"] += [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": name, "content": result},
        ]
        return ask(request)[1]["choices"][0]["message"]["content"]

    assert [
        ask.text("a blue sky", "x", "blue", model="gpt-4o-2024-08-06"),
        ask.text("blue", model="gpt-4o-mini"),
        instructed("Be kind, please"),
        instructed("tidy and brief"),
        instructed("Other", **{"x-aimock-context": "suite"}),
        ask.text("hello", tools=[TOOL]),
        after("heavy rain"),
        after("sun"),
        after("rain", "call_2"),
        ask.text("hello", response_format={"type": "json_object"}),
    ] == ["user", "every", "system", "both", "spoken", "tool", "call", "result", "after", "{}"]


def test_aimock_heeds_the_user_behind_tools(tmp_path):
    """The last message of the user counts there, whatever stands behind it."""
    path = aimock(tmp_path, when("first", userMessage="one"), when("second", userMessage="two"))
    ask = Asked(imported(path)[0])
    assert [ask.text("one", "ok", "two"), ask.text("two", "ok", "one", "so")] == ["second", "first"]


def test_aimock_sequences_follow_their_numbers(tmp_path):
    """Each once, in the order of the numbers, and then whatever else matches."""
    path = aimock(
        tmp_path,
        when("second", userMessage="go", sequenceIndex=1),
        when("first", userMessage="go", sequenceIndex=0),
        when("other", userMessage="stay", sequenceIndex=0),
        when("never", userMessage="go", sequenceIndex=4),
        when("twice", userMessage="go", sequenceIndex=1),
        when("ever", userMessage="go"),
    )
    scenario, lines = imported(path)
    ask = Asked(scenario)
    assert [ask.text("go") for _ in range(4)] == ["first", "second", "ever", "ever"]
    assert ask.text("stay") == "other"
    assert [line.partition(": the ")[2] for line in lines[:-1]] == [
        "fixture is not imported: it never answers, for another has this number",
        "fixture is not imported: it never answers, for none has number 2",
    ]


def test_aimock_turns_go_by_what_the_assistant_said(tmp_path):
    """The latest turn that has come answers; one that has not only where nothing else does."""
    path = aimock(
        tmp_path,
        when("third", userMessage="trip", turnIndex=2),
        when("first", userMessage="trip", turnIndex=0),
        when("default", userMessage="plan"),
        when("second", userMessage="plan", turnIndex=1),
        when("later", userMessage="lone", turnIndex=3),
    )
    ask = Asked(imported(path)[0])
    conversation = ("trip", "a", "trip", "b", "trip", "c", "trip")
    assert [ask.text(*conversation[: 1 + 2 * count]) for count in range(4)] == [
        *("first", "first", "third", "third")
    ]
    # At its very turn a fixture gives way to an earlier one that names none.
    talk = ("plan", "a", "plan", "b", "plan")
    assert [ask.text(*talk[: 1 + 2 * count]) for count in range(3)] == [
        *("default", "default", "second")
    ]
    assert ask.text("lone") == "later"


def test_aimock_replies_are_the_same(tmp_path):
    """Text, objects as text, calls with ids, both, blocks, counts and errors."""
    error = {"message": "Down", "type": "server_error", "code": "down"}
    path = aimock(
        tmp_path,
        when({"content": {"a": [1, "ü"]}, "finishReason": "length"}, userMessage="object"),
        when(
            {
                "content": "Wait",
                "toolCalls": [
                    {"name": "get_weather", "arguments": {"city": "SF"}, "id": "call_7"},
                    {"name": "get_weather", "arguments": '{"city": "LA"}'},
                ],
            },
            userMessage="calls",
        ),
        when(
            {
                "blocks": [
                    {"type": "text", "text": "One "},
                    {"type": "text", "text": "two"},
                    {"type": "toolCall", "name": "get_weather", "arguments": "{}"},
                ]
            },
            userMessage="blocks",
        ),
        when(
            {"content": "n", "usage": {"input_tokens": 2, "output_tokens": 3, "total_tokens": 5}},
            userMessage="counts",
        ),
        when({"error": error, "status": 503, "retryAfter": 2}, userMessage="down"),
        when({"error": {"message": "Bad"}}, userMessage="bad"),
        when({"reasoning": "hm", "content": "thought"}, userMessage="think"),
    )
    scenario, lines = imported(path, "--profile", "deepseek")
    ask = Asked(scenario)
    model = {"model": "deepseek-chat"}
    _, made = ask(asking("object", **model))
    assert made["choices"][0]["message"]["content"] == '{"a":[1,"ü"]}'
    assert made["choices"][0]["finish_reason"] == "length"
    _, made = ask(asking("calls", tools=[TOOL], **model))
    assert made["choices"][0]["message"]["content"] == "Wait"
    assert calls_of(made)[0]["id"] == "call_7"
    assert [each["function"]["arguments"] for each in calls_of(made)] == [
        '{"city":"SF"}',
        '{"city": "LA"}',
    ]
    _, made = ask(asking("blocks", tools=[TOOL], **model))
    assert (made["choices"][0]["message"]["content"], len(calls_of(made))) == ("One two", 1)
    _, made = ask(asking("counts", **model))
    assert (made["usage"]["prompt_tokens"], made["usage"]["completion_tokens"]) == (2, 3)
    status, made = ask(asking("down", **model))
    assert status == 503
    assert {name: made["error"][name] for name in error} == error
    status, made = ask(asking("bad", **model))
    assert (status, made["error"]["message"]) == (500, "Bad")
    _, made = ask(asking("think", **model))
    assert made["choices"][0]["message"]["reasoning_content"] == "hm"
    assert lines == [f"{scenario}: 7 stubs from aimock"]


TIMINGS = {
    "latency": ({"latency": 30}, {"ttft": 0.03, "inter_token": 0.03}),
    "a profile": (
        {"streamingProfile": {"ttft": 200, "tps": 20, "jitter": 0.1}},
        {"ttft": 0.2, "inter_token": 0.05, "jitter": 0.1},
    ),
    "a profile without a rate": (
        {"streamingProfile": {"ttft": 50}, "latency": 10},
        {"ttft": 0.05, "inter_token": 0.01},
    ),
    "a recording, twice as fast": (
        {"recordedTimings": {"ttftMs": 100, "interChunkDelaysMs": [20, -1]}, "replaySpeed": 2},
        {"delays": [0.05, 0.01, 0.0]},
    ),
    "no speed": ({"latency": 30, "replaySpeed": 0}, {"ttft": 0.03, "inter_token": 0.03}),
    "none": ({"chunkSize": 3}, None),
}


@pytest.mark.parametrize("name", TIMINGS)
def test_aimock_timings_are_kept(tmp_path, name):
    """The first of three ways to say delays counts, as there."""
    fixture, pacing = TIMINGS[name]
    path = aimock(tmp_path, when("Hello", userMessage="x") | fixture)
    (stub,) = read_scenario(imported(path)[0]).said.value["stubs"]
    assert stub.get("pacing") == pacing
    assert stub["plan"] == {"chunks_of": fixture.get("chunkSize", 20)}


def test_aimock_streams_break_off_where_they_did(tmp_path):
    """Only streams do; a reply that has fewer chunks is whole."""
    text = "x" * 50
    path = aimock(
        tmp_path,
        when(text, userMessage="cut") | {"truncateAfterChunks": 2},
        when(text, userMessage="whole") | {"truncateAfterChunks": 5},
        when({"toolCalls": [{"name": "get_weather", "arguments": "{}"}]}, userMessage="call")
        | {"truncateAfterChunks": 0},
    )
    ask = Asked(imported(path)[0])
    assert ask.text("cut") == text
    chunks, is_done = chunks_in(ask(asking("cut", stream=True))[1])
    assert (len(chunks), is_done) == (2, False)
    assert chunks_in(ask(asking("whole", stream=True))[1])[1]
    chunks, is_done = chunks_in(ask(asking("call", stream=True, tools=[TOOL]))[1])
    assert (len(chunks), is_done) == (1, False)


def test_what_aimock_has_and_a_scenario_does_not_is_told_by_place(tmp_path):
    """Other endpoints, members of envelopes, chaos, the order of blocks, thoughts, odd counts."""
    blocks = [
        {"type": "toolCall", "name": "f", "arguments": "{}"},
        {"type": "text", "text": "late"},
    ]
    path = aimock(
        tmp_path,
        when({"embedding": [1]}, inputText="x"),
        when({"image": {}}, endpoint="image"),
        when({"json": {}}, userMessage="raw"),
        when({"blocks": blocks, "reasoning": "hm"}, userMessage="blocks"),
        when({"content": "", "id": "x", "webSearches": ["y"]}, userMessage="env", predicate=1)
        | {"chaos": {"dropRate": 1}, "disconnectAfterMs": 5, "speed": 3},
        when({"content": "n", "usage": {"cost": 1}}, userMessage="cost"),
        when({"error": {"message": "m", "metadata": {}}, "status": 200}, userMessage="fine"),
        when(
            {"error": {"message": "m", "metadata": {}}, "status": 429, "fallthrough": False},
            userMessage="not fine",
        ),
    )
    scenario, lines = imported(path)
    assert sorted(line.partition(": ")[2] for line in lines[:-1]) == [
        "chaos is not imported: docs/faults.md has the faults",
        "cost is not imported: it is no count of OpenAI's",
        "disconnectAfterMs is not imported: docs/faults.md has the faults",
        "fallthrough is not imported: an error has no such member",
        "id is not imported: it is made for each request",
        "metadata is not imported: errors have no such member",
        "predicate is not imported: aimock's files have no such member",
        "reasoning is not imported: messages of this profile show none; --profile names another",
        "speed is not imported: aimock's files have no such member",
        "the fixture is not imported: 200 is no status of an error",
        "the fixture is not imported: endpoint 'image' is no chat completion",
        "the fixture is not imported: inputText is of embeddings",
        "the fixture is not imported: it answers json, no chat completion",
        "the order of blocks is not imported: text is sent first",
        "webSearches is not imported: it has no counterpart",
    ]
    assert all(line.startswith("F:") for line in lines[:-1])
    assert lines[-1] == f"{scenario}: 4 stubs from aimock, 15 notes above"


def test_thoughts_beside_calls_are_told(tmp_path):
    """A profile may show what a model thought, but a call is written otherwise."""
    call = {"name": "f", "arguments": "{}"}
    path = aimock(tmp_path, when({"toolCalls": [call], "reasoning": "hm"}, userMessage="x"))
    _, lines = imported(path, "--profile", "deepseek")
    assert lines[0].endswith("reasoning is not imported: it stands beside tool calls")


MALFORMED = {
    "no list": ("aimock", "{}", "1:1: /fixtures: "),
    "no match": ("aimock", '{"fixtures": [{"response": {}}]}', "1:15: /fixtures/0/match: "),
    "a number": (
        "aimock",
        '{"fixtures": [{"match": {"userMessage": 1}, "response": {}}]}',
        "1:41: /fixtures/0/match/userMessage: ",
    ),
    "a call without a name": (
        "aimock",
        '{"fixtures": [{"match": {}, "response": {"toolCalls": [{}]}}]}',
        "1:56: /fixtures/0/response/toolCalls/0/",
    ),
    "both": ("stubllm", '{"response": {}, "sequence": []}', "1:1: the file: "),
    "no text": ("stubllm", '{"match": {"model": 1}}', "1:21: /match/model: "),
    "a list of numbers": ("stubllm", "[1]", "1:2: /0: "),
    "a content that wants nothing": (
        "stubllm",
        '{"match": {"messages": [{"content": {"exact": null}}]}}',
        "1:47: /match/messages/0/content/exact",
    ),
    "a key twice": (
        "stubllm",
        '{"match": {}, "match": {}}',
        "1:15: the key 'match' stands in line 1 already",
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_file_is_refused_with_its_place(tmp_path, name):
    """What the other tool could not read either."""
    format_, text, wanted = MALFORMED[name]
    path = tmp_path / "rules.json"
    path.write_text(text)
    assert refused(path, "--format", format_).startswith(f"F: {wanted}")


def test_yaml_that_readers_differ_on_is_refused_with_its_place(tmp_path):
    """`no` is false to some and text to others: nobody can tell what was meant."""
    path = tmp_path / "rules.yaml"
    path.write_text("- match: {provider: any}\n  response: {content: no}\n")
    assert refused(path).startswith("F: 2:23: no is a truth value to some readers of YAML")
