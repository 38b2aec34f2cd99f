"""Scenario files behind a port: the real SDK sees what they say, and their next version."""

import json
import os
import textwrap
from concurrent.futures import ThreadPoolExecutor

import pytest
from openai import APIConnectionError, OpenAI
from serving import server_environment, serving

from mockchat.exchange import Incoming
from mockchat.scripting.scenario import BrokenScenario
from mockchat.server.scenarios import ScenarioApp
from mockchat.server.settings import Settings

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
SCENARIO = """\
stubs:
  - when: {tools: get_weather, last_role: user}
    reply: {tool_call: get_weather, arguments: {city: Oslo}}
    forever: true
  - when: {stream: true}
    reply: Hello, world
    plan: {chunks_of: 5}
    fault: {CutStream: {after_chunks: 2}}
  - when: {last_text: flaky}
    reply: {error: 503, retry_after: 0}
    then: At last
"""


@pytest.fixture
def write(tmp_path):
    """Give a function that writes a scenario file so that its change can be seen."""

    def written(source, name="s.yaml"):
        path = tmp_path / name
        path.write_text(textwrap.dedent(source))
        return path

    return written


def said(application, text="hi"):
    """Ask an application, return status and text of its answer or message of its error."""
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}]}
    incoming = Incoming(
        method="POST",
        path="/v1/chat/completions",
        headers=(("content-type", "application/json"),),
        body=json.dumps(body).encode(),
    )
    delivery = application.handle(incoming).delivery
    answer = json.loads(delivery.body)
    if "error" in answer:
        return delivery.status, answer["error"]["message"]
    return delivery.status, answer["choices"][0]["message"]["content"]


def app(*files, **settings):
    """Return an application of these files whose settings are what they ask for."""
    return ScenarioApp(files, lambda asked: Settings(**settings, **asked))


def test_the_sdk_meets_what_the_file_says_and_its_next_version(write):
    """The whole journey: tools, a fault in a stream, a retry, an edit while it runs."""
    path = write(SCENARIO)
    with serving("--scenario", str(path)) as served:
        client = OpenAI(base_url=served.base_url, api_key="any")

        def ask(text, **options):
            asked = [{"role": "user", "content": text}]
            return client.chat.completions.create(model="gpt-4o-mini", messages=asked, **options)

        call = ask("Weather?", tools=[WEATHER]).choices[0].message.tool_calls[0]
        assert (call.function.name, json.loads(call.function.arguments)) == (
            "get_weather",
            {"city": "Oslo"},
        )
        with pytest.raises(APIConnectionError):
            list(ask("Hello?", stream=True))
        assert ask("flaky").choices[0].message.content == "At last"
        assert ask("anything").choices[0].message.content  # made up for it

        write(SCENARIO.replace("Oslo", "Bergen"))
        call = ask("Weather?", tools=[WEATHER]).choices[0].message.tool_calls[0]
        assert json.loads(call.function.arguments) == {"city": "Bergen"}
        assert ask("flaky").choices[0].message.content == "At last"  # from the start again

        write("stub: []")
        for _ in range(2):
            call = ask("Weather?", tools=[WEATHER]).choices[0].message.tool_calls[0]
            assert json.loads(call.function.arguments) == {"city": "Bergen"}
        lines = [line.split(" ", 2)[2] for line in served.errors().splitlines()]
    assert f"mockchat serves openai by s.yaml, 3 stubs at {served.base_url} " in served.greeting
    reason = f"{path}:1:1: 'stub' is not a key here; did you mean 'stubs'?"
    assert lines == [
        "WARNING the scenario was read again: s.yaml, 3 stubs",
        f"WARNING the scenario of before goes on: {reason}",
    ]


def test_options_on_the_command_line_count_more_than_the_file(write):
    """Whoever starts the server has the last word."""
    path = write("profile: vllm\nmodels: known\nunmatched: fail\nstubs: []\n")
    ask = {"model": "nobody", "messages": [{"role": "user", "content": "hi"}]}
    with serving("--scenario", str(path), "--models", "any", "--profile", "openai") as served:
        client = OpenAI(base_url=served.base_url, api_key="any", max_retries=0)
        response = client.chat.completions.with_raw_response
        with pytest.raises(Exception, match="matched none of 0 stubs"):
            response.create(**ask)
    assert "mockchat serves openai by s.yaml, 0 stubs at" in served.greeting


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("", ":1:1: the file is empty; a scenario has stubs: docs/scenarios.md"),
        ("stubs: []\nprofile: openia", ":2:10: no profile 'openia'; known: "),
        ("stubs: [{reply: {completion: {}}}]", ":1:30: the reply breaks the contract: "),
    ],
)
def test_a_broken_scenario_is_not_served(write, source, line):
    """Found at the first request it would be a surprise, not a message."""
    path = write(source)
    with (
        pytest.raises(RuntimeError) as caught,
        serving("--scenario", str(path), environment=server_environment()),
    ):
        pass
    assert str(caught.value).startswith(f"mockchat: {path}{line}")
    assert "Traceback" not in str(caught.value)


def test_the_files_stand_one_after_the_other(write):
    """A scenario in parts: what all share, and what is special today."""
    application = app(
        write("seed: 3\nstubs: [{when: {last_text: a}, reply: one}]", "a.yaml"),
        write('{"seed": 3, "stubs": [{"reply": "two"}, {"reply": "three"}]}', "b.json"),
    )
    assert application.summary == "a.yaml, b.json, 3 stubs"
    assert [said(application, text)[1] for text in ("x", "a", "x")] == ["two", "one", "three"]


def test_files_that_contradict_each_other_are_refused(write):
    """The last one to win would be a secret."""
    first = write("seed: 3\nstubs: []", "a.yaml")
    second = write("stubs: []\nseed: 4", "b.yaml")
    with pytest.raises(BrokenScenario) as caught:
        app(first, second)
    assert str(caught.value) == f"{second}:2:7: seed is 4, and 3 in {first}"


def test_what_no_stub_matches_is_generated_unless_the_file_says_otherwise(write):
    """A server is for demos as well; a test is not."""
    assert said(app(write("stubs: []")))[0] == 200
    status, message = said(app(write("unmatched: fail\nstubs: [{when: {model: a}, reply: b}]")))
    assert status == 400
    assert "- stub 1 (s.yaml:2): model is 'gpt-4o-mini', wanted 'a'" in message


def test_a_new_version_starts_from_its_beginning(write):
    """Replies that were used up are there again."""
    application = app(write("unmatched: fail\nstubs: [{reply: one}]"))
    assert [said(application)[0] for _ in range(2)] == [200, 400]
    write("unmatched: fail\nstubs: [{reply: two, times: 1}]")
    assert said(application) == (200, "two")
    assert said(application)[0] == 400


def test_a_file_that_is_gone_or_broken_leaves_the_old_version(write, caplog):
    """Editors save by removing, or in two steps; nobody wants a server that stumbles over it."""
    path = write("stubs: [{reply: one, forever: true}]")
    application = app(path)
    path.unlink()
    assert [said(application)[1] for _ in range(3)] == ["one"] * 3
    write("stubs: [")
    assert [said(application)[1] for _ in range(3)] == ["one"] * 3
    write("profile: nobody\nstubs: []")
    assert said(application)[1] == "one"
    write("stubs: [{reply: two, forever: true}]")
    assert said(application)[1] == "two"
    told = [record.getMessage().replace(str(path), "s.yaml") for record in caplog.records]
    assert [line[:60] for line in told] == [
        "the scenario of before goes on: [Errno 2] No such file or di",
        "the scenario of before goes on: s.yaml:1:9: no YAML: expecte",
        "the scenario of before goes on: s.yaml:1:10: no profile 'nob",
        "the scenario was read again: s.yaml, 1 stub",
    ]


def test_a_file_swapped_for_another_of_the_same_size_and_time_is_seen(write, tmp_path):
    """Configuration that is rolled out keeps times; the file is another all the same."""
    path = write("stubs: [{reply: one, forever: true}]")
    application = app(path)
    other = write("stubs: [{reply: two, forever: true}]", "other.yaml")
    state = path.stat()
    os.utime(other, ns=(state.st_atime_ns, state.st_mtime_ns))
    other.replace(path)
    assert said(application)[1] == "two"


def test_what_cannot_be_read_as_a_request_is_refused_in_the_profiles_words(write):
    """Adapters hand over what never became a request."""
    application = app(write("stubs: []"))
    ticket = application.refuse(400, "No request.", None)
    assert json.loads(ticket.delivery.body)["error"]["message"] == "No request."
    assert application.body_limit == Settings().body_limit


def test_requests_in_many_threads_see_one_version_or_the_next(write, tmp_path):
    """A swap in the middle of a request must be seen by nobody."""
    path = write("stubs: [{reply: version 0, forever: true}]")
    application = app(path)

    def swap(number):
        other = write(f"stubs: [{{reply: version {number}, forever: true}}]", "other.yaml")
        other.replace(path)

    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(said, application) for _ in range(40)]
        for number in range(1, 6):
            swap(number)
            answers += [pool.submit(said, application) for _ in range(20)]
        found = {answer.result() for answer in answers}
    assert found <= {(200, f"version {number}") for number in range(6)}
    assert said(application) == (200, "version 5")
