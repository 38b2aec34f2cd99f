"""A scenario file makes the very stubs that Python makes, or says in which line it cannot."""

import json
import pickle
import re
import textwrap

import pytest

from mockchat import (
    CutStream,
    ErrorFrame,
    KeepAlive,
    Limits,
    NoStubMatched,
    Pacing,
    ProxyError,
    Script,
    Stall,
    at_once,
    at_random,
    by_word,
    chunks_of,
    contains,
    error,
    exactly,
    generated,
    matches_schema,
    refusal,
    sometimes,
    stream_fault,
    text,
    together,
    tool_call,
    unchecked,
)
from mockchat.cases import invalid_cases
from mockchat.scripting.builders import audio, choices, message, mutated
from mockchat.scripting.matching import RequestView
from mockchat.scripting.scenario import BrokenScenario, read_scenario
from mockchat.scripting.scenario_form import form

KINDS = ", ".join(form()["$defs"]["built_reply"]["properties"])


@pytest.fixture
def scenario(tmp_path, monkeypatch):
    """Give a function that writes a scenario file and reads it."""
    monkeypatch.chdir(tmp_path)

    def read(source, name="s.yaml"):
        (tmp_path / name).write_text(textwrap.dedent(source))
        return read_scenario(name)

    return read


def stubs(script):
    """Return what the stubs of a script are, without their names."""
    return [(stub.matcher, stub._turns) for stub in script.stubs]


def made(scenario):
    """Return the stubs that a file makes."""
    script = Script(scenario.contract())
    scenario.add_to(script)
    return stubs(script)


def problems(read, source):
    """Return the lines in which a bad file is told, without its name."""
    with pytest.raises(BrokenScenario) as caught:
        read(source).check()
    lines = str(caught.value).splitlines()
    assert all(line.startswith("s.yaml:") for line in lines)
    return [line.removeprefix("s.yaml:") for line in lines]


WHENS = [
    ("{model: gpt-4o}", {"model": "gpt-4o"}),
    ("{last_text: {contains: Oslo}}", {"last_text": contains("Oslo")}),
    ("{model: {regex: ^gpt-4}}", {"model": re.compile("^gpt-4")}),
    (
        "{last_text: {matches_schema: {minLength: 2}}}",
        {"last_text": matches_schema({"minLength": 2})},
    ),
    (
        "{any_message: {role: tool, text: {contains: x}}}",
        {"any_message": {"role": "tool", "text": contains("x")}},
    ),
    ("{turns: 2, stream: true}", {"turns": 2, "stream": True}),
    ("{tools: [a, b]}", {"tools": ["a", "b"]}),
    ("{tools: {regex: ^get}}", {"tools": re.compile("^get")}),
    ("{tool_result: done}", {"tool_result": "done"}),
    ("{tool_result: {contains: done}}", {"tool_result": contains("done")}),
    ("{tool_result: {call_1: {contains: done}}}", {"tool_result": {"call_1": contains("done")}}),
    ("{response_format: json_object}", {"response_format": "json_object"}),
    ("{response_format: {type: text}}", {"response_format": {"type": "text"}}),
    ("{headers: {x-a: {regex: b}, x-b: null}}", {"headers": {"x-a": re.compile("b"), "x-b": None}}),
    ("{pointer: {/n: 2, /stop: [a]}}", {"pointer": {"/n": 2, "/stop": ["a"]}}),
    ("{pointer: {/user: {contains: a}}}", {"pointer": {"/user": contains("a")}}),
    (
        "{pointer: {/metadata: {equals: {contains: a}}}}",
        {"pointer": {"/metadata": {"contains": "a"}}},
    ),
    ("{schema: {required: [seed]}}", {"schema": {"required": ["seed"]}}),
    ("{any_of: [{model: a}, {turns: 1}]}", {"any_of": [{"model": "a"}, {"turns": 1}]}),
    ("{not_: {last_text: {contains: a}}}", {"not_": {"last_text": contains("a")}}),
]


@pytest.mark.parametrize(("written", "python"), WHENS, ids=[written for written, _ in WHENS])
def test_conditions_are_those_of_python(scenario, written, python):
    """A second way to match would be a second way to be wrong."""
    script = Script()
    script.when(**python).reply("x")
    assert made(scenario(f"stubs: [{{when: {written}, reply: x}}]")) == stubs(script)


REPLIES = [
    ("It is 4 °C.", "It is 4 °C."),
    (
        "{text: Cut, finish_reason: length, usage: {prompt_tokens: 3}}",
        text("Cut", finish_reason="length", usage={"prompt_tokens": 3}),
    ),
    ("{tool_call: get_weather, arguments: {city: Oslo}}", tool_call("get_weather", city="Oslo")),
    ("{tool_call: now}", tool_call("now")),
    ("{tool_call: shell, arguments: ls}", tool_call("shell", "ls")),
    ("[Wait, {tool_call: a}, {tool_call: b}]", ["Wait", tool_call("a"), tool_call("b")]),
    ("{refusal: No.}", refusal("No.")),
    (
        "{error: 429, retry_after: 1.5, headers: {x-a: b}}",
        error(429, retry_after=1.5, headers={"x-a": "b"}),
    ),
    (
        "{error: model_not_found, fields: {model: x}, message: Gone, code: null}",
        error("model_not_found", fields={"model": "x"}, message="Gone", code=None),
    ),
    ("{message: Slow down., error: 429}", error(429, message="Slow down.")),
    (
        "{text: a, logprobs: [[a, -0.5]]}",
        text("a", logprobs=[["a", -0.5]]),
    ),
    ("{audio: Hello, data: AAAA}", audio("Hello", data="AAAA")),
    ("{message: {content: a, annotations: []}}", message({"content": "a", "annotations": []})),
    ("{choices: [a, {tool_call: b}, {refusal: c}]}", choices(["a", tool_call("b"), refusal("c")])),
    ("{generated: {}}", generated()),
    ("{generated: {seed: 7, kind: wild}}", generated(seed=7, kind="wild")),
    ("{unchecked: {completion: {a: 1}}}", unchecked({"a": 1})),
    ("{unchecked: {tool_call: a, arguments: '{'}}", unchecked(tool_call("a", "{"))),
    ("{unchecked: {chunks: [{a: 1}]}}", unchecked([{"a": 1}])),
]


@pytest.mark.parametrize(("written", "python"), REPLIES, ids=[written for written, _ in REPLIES])
def test_replies_are_those_of_python(scenario, written, python):
    """The same for what is answered."""
    script = Script()
    script.reply(python)
    assert made(scenario(f"stubs:\n  - reply: {written}\n")) == stubs(script)


OPTIONS = [
    ("plan: by_word", {"plan": by_word()}),
    ("plan: at_once", {"plan": at_once()}),
    ("plan: {chunks_of: 3}", {"plan": chunks_of(3)}),
    ("plan: {exactly: [3, 0, 1]}", {"plan": exactly([3, 0, 1])}),
    ("plan: {at_random: 7}", {"plan": at_random(7)}),
    (
        "pacing: {ttft: 0.5, inter_token: 0.1, jitter: 0.2}",
        {"pacing": Pacing(ttft=0.5, inter_token=0.1, jitter=0.2)},
    ),
    ("pacing: {delays: [0.5, 0.1]}", {"pacing": Pacing(delays=(0.5, 0.1))}),
    ("fault: missing-done", {"fault": stream_fault("missing-done")}),
    ("fault: KeepAlive", {"fault": KeepAlive()}),
    (
        "fault: {CutStream: {after_chunks: 2, reset: true}}",
        {"fault": CutStream(after_chunks=2, reset=True)},
    ),
    (
        "fault: {ErrorFrame: {after_chunks: 1, message: Oh}}",
        {"fault": ErrorFrame(after_chunks=1, message="Oh")},
    ),
    (
        "fault: {ProxyError: {status: 504, headers: {x-a: b}}}",
        {"fault": ProxyError(status=504, headers=(("x-a", "b"),))},
    ),
    ("fault: {sometimes: {fault: cut, p: 0.5}}", {"fault": sometimes(stream_fault("cut"), 0.5)}),
    (
        "fault: {together: [KeepAlive, {Stall: {seconds: 0.1}}]}",
        {"fault": together(KeepAlive(), Stall(seconds=0.1))},
    ),
    ("finish_reason: length", {"finish_reason": "length"}),
    ("usage: {prompt_tokens: 3}", {"usage": {"prompt_tokens": 3}}),
]


@pytest.mark.parametrize(("written", "python"), OPTIONS, ids=[written for written, _ in OPTIONS])
def test_plans_pacing_and_faults_are_those_of_python(scenario, written, python):
    """The same for how it is sent."""
    script = Script()
    script.reply("Hello", **python).then("Again", **python)
    source = f"stubs:\n  - reply: Hello\n    {written}\n    then: [{{reply: Again, {written}}}]\n"
    assert made(scenario(source)) == stubs(script)


def test_replies_follow_one_another_as_in_python(scenario):
    """Fail twice, then succeed, for ever: the most frequent scenario there is."""
    script = Script()
    script.when(model="a").reply(error(503)).times(2).then("well").then("again").forever()
    script.reply("a").then("b")
    script.reply("a").then(error(500)).times(3)
    assert made(
        scenario("""\
                stubs:
                  - when: {model: a}
                    reply: {error: 503}
                    times: 2
                    then:
                      - well
                      - reply: again
                        forever: true
                  - reply: a
                    then: b
                  - reply: a
                    then: {reply: {error: 500}, times: 3}
                """)
    ) == stubs(script)


def test_a_mutation_is_named_by_its_id(scenario):
    """The ids of the enumeration are for parametrizing; one of them makes a regression test."""
    name = invalid_cases("response")[0].id
    script = Script()
    script.reply(mutated(name))
    assert made(scenario(json.dumps({"stubs": [{"reply": {"mutated": name}}]}), "s.json")) == stubs(
        script
    )


def test_json_says_the_same(scenario):
    """Whoever generates scenarios writes JSON."""
    source = '{"$schema": "x", "stubs": [{"when": {"turns": 1}, "reply": {"error": 503}}]}'
    script = Script()
    script.when(turns=1).reply(error(503))
    assert made(scenario(source, "s.json")) == stubs(script)


def test_an_alias_repeats_a_reply(scenario):
    """What stands in two places is written once."""
    script = Script()
    script.when(model="a").reply("same")
    script.reply("same")
    source = "stubs:\n  - when: {model: a}\n    reply: &same same\n  - reply: *same\n"
    assert made(scenario(source)) == stubs(script)


def test_what_is_wrong_travels_between_processes(scenario):
    """pytest-xdist sends failures from its workers."""
    with pytest.raises(BrokenScenario) as caught:
        scenario("stubs: [{replay: a}, {reply: 3}]")
    sent = pickle.loads(pickle.dumps(caught.value))
    assert (str(sent), sent.problems) == (str(caught.value), caught.value.problems)


def test_options_are_those_of_script(scenario):
    """Read once, wherever the file is used."""
    read = scenario("""\
        profile: vllm
        unmatched: generate
        seed: 7
        limits: {requests: 3, window: 1}
        stubs: []
        """)
    assert read.options == {
        "profile": "vllm",
        "unmatched": "generate",
        "seed": 7,
        "limits": Limits(requests=3, window=1),
    }
    assert read.contract().profile.name == "vllm"


def test_a_stub_is_named_after_its_line(scenario):
    """A failure leads to the file, as it leads to the test where Python was used."""
    script = Script()
    scenario("# first\nstubs:\n  - when: {model: a}\n    reply: x\n").add_to(script)
    view = RequestView(method="POST", path="/v1/chat/completions", body={"model": "b"})
    with pytest.raises(NoStubMatched) as caught:
        script.select(view)
    assert caught.value.lines == ("stub 1 (s.yaml:3): model is 'b', wanted 'a'",)


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("- a", ["1:1: the file is an array of 1 items; it must be a mapping"]),
        ("hello", ["1:1: the file is 'hello'; it must be a mapping"]),
        ("stub: []", ["1:1: 'stub' is not a key here; did you mean 'stubs'?"]),
        ("seed: 1", ["1:1: stubs is missing"]),
        ("stubs: []\nseed: x", ["2:7: seed is 'x'; it must be a whole number"]),
        ("stubs: []\nkind: wilde", ["2:7: kind is 'wilde'; did you mean 'wild'?"]),
        ("stubs: []\nkind: 3", ["2:7: kind is 3; it takes plain, wild"]),
        (
            "stubs: []\nlocale: xx_YY",
            ["2:9: locale is 'xx_YY'; allowed: a locale Faker knows, such as 'en_US' or 'ja_JP'."],
        ),
        ("stubs: [{when: {model: a}}]", ["1:9: reply is missing"]),
        ("stubs: [{replay: a}]", ["1:10: 'replay' is not a key here; did you mean 'reply'?"]),
        ("stubs: [{reply: 5}]", ["1:17: reply is 5; it must be text or a list or a mapping"]),
        ("stubs: [{reply: []}]", ["1:17: reply: the array has 0 items, at least 1 are wanted"]),
        (
            "stubs: [{reply: {}}]",
            [f"1:17: reply says nothing; it takes {KINDS}"],
        ),
        (
            "stubs: [{reply: {seed: 1}}]",
            [f"1:17: a reply names its kind by one of the keys {KINDS}"],
        ),
        (
            "stubs: [{reply: {text: a, error: 429}}]",
            ["1:17: a reply is of one kind, not text and error"],
        ),
        (
            "stubs: [{reply: {tool_call: a, args: {}}}]",
            ["1:32: 'args' is not a key here; did you mean 'arguments'?"],
        ),
        (
            "stubs: [{reply: {tool_call: a, city: Oslo}}]",
            ["1:32: 'city' is not a key here; known: tool_call, arguments"],
        ),
        (
            "stubs: [{reply: {error: 429, message: a, messages: b}}]",
            ["1:42: 'messages' is not a key here; did you mean 'message'?"],
        ),
        (
            "stubs: []\nlimits: {context_window: []}",
            ["2:26: context_window is an array of 0 items; it must be a whole number or 'model'"],
        ),
        ("stubs: [{reply: {error: 200}}]", ["1:25: error: 200 is less than 400"]),
        (
            "stubs: [{reply: {error: rate_limit}}]",
            ["1:25: error is 'rate_limit'; did you mean 'rate_limit_tokens'?"],
        ),
        ("stubs: [{reply: a, times: 0}]", ["1:27: times: 0 is less than 1"]),
        (
            "stubs: [{reply: a, forever: false}]",
            ["1:29: forever can only be true; leave it out otherwise"],
        ),
        (
            "stubs: [{reply: a, forever: true, then: b}]",
            ["1:41: then() is text('b'); allowed: nothing after .forever(), which never ends."],
        ),
        (
            "stubs: [{reply: a, plan: by_words}]",
            ["1:26: plan is 'by_words'; did you mean 'by_word'?"],
        ),
        (
            "stubs: [{reply: a, plan: {chunks_of: 2, at_random: 1}}]",
            ["1:26: plan takes one of these at a time: chunks_of, at_random"],
        ),
        ("stubs: [{reply: a, plan: {exactly: []}}]", []),
        (
            "stubs: [{reply: a, pacing: {ttft: 1, delays: [1]}}]",
            ["1:35: ttft is 1; allowed: nothing beside delays, the first is it"],
        ),
        (
            "stubs: [{reply: a, fault: mising-done}]",
            ["1:27: fault is 'mising-done'; did you mean 'missing-done'?"],
        ),
        (
            "stubs: [{reply: a, fault: {CutStream: {}}}]",
            ["1:39: after_chunks is missing"],
        ),
        (
            "stubs: [{reply: a, fault: {CutStream: {reset: true}}}]",
            ["1:39: after_chunks is missing"],
        ),
        ("stubs: [{reply: a, fault: {Stall: {after_chunks: 1}}}]", ["1:35: seconds is missing"]),
        ('stubs: [{reply: a, fault: {ControlField: {line: "a\\nb", after_chunks: 1}}}]', None),
        (
            "stubs: [{reply: {error: 429}, finish_reason: stop}]",
            [
                "1:46: finish_reason is 'stop'; allowed: for text, tool calls and refusals only; an object has its own"
            ],
        ),
        (
            "stubs: [{when: {modle: a}, reply: b}]",
            ["1:17: 'modle' is not a key here; did you mean 'model'?"],
        ),
        ("stubs: [{when: {where: a}, reply: b}]", None),
        (
            "stubs: [{when: {last_text: {contain: a}}, reply: b}]",
            ["1:29: 'contain' is not a key here; did you mean 'contains'?"],
        ),
        (
            "stubs: [{when: {model: {regex: '('}}, reply: b}]",
            [
                "1:32: regex is '('; allowed: a regular expression (missing ), unterminated subpattern at position 0)"
            ],
        ),
        ("stubs: [{when: {schema: {type: text}}, reply: b}]", None),
        (
            "stubs: [{reply: a, forever: true}, {when: {model: b}, reply: b}]",
            [
                "1:43: this stub never answers: stub 1 (s.yaml:1) takes every request for ever; write this one before it, or give that one `times` instead of `forever`"
            ],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_is_told_where_it_stands(scenario, source, lines):
    """The line leads there, the words say what to write."""
    if lines == []:
        scenario(source).check()
        return
    found = problems(scenario, source)
    if lines is None:
        assert len(found) == 1
    else:
        assert found == lines
