"""`mockchat serve --state` and `mockchat state`: two servers that act as one."""

import json
import sys

import pytest
from click.testing import CliRunner
from openai import OpenAI
from serving import serving

from mockchat.cli import main


def run(*arguments):
    """Run a command in this process."""
    return CliRunner().invoke(main, ["state", *arguments])


def asked(base_url):
    """Ask a server with the SDK and return the text of its reply."""
    with OpenAI(base_url=base_url, api_key="sk-secret-of-the-client", max_retries=0) as client:
        made = client.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": "Hello!"}]
        )
    return made.choices[0].message.content


def test_two_servers_act_as_one(redis_store, tmp_path):
    """Behind a balancer a scenario is one conversation, and one journal tells what happened."""
    file = tmp_path / "scenario.yaml"
    file.write_text("stubs:\n  - reply: one\n    then: [two, three]\n")
    options = ("--scenario", str(file), "--state", redis_store.url, "--state-name", "demo")
    with serving(*options) as first, serving(*options) as second:
        assert "scenario.yaml, 1 stub, state shared" in first.greeting
        urls = (first.base_url, second.base_url)
        assert [asked(urls[place % 2]) for place in range(3)] == ["one", "two", "three"]
    printed = run("journal", redis_store.url, "--state-name", "demo")
    exchanges = [json.loads(line) for line in printed.output.splitlines()]
    replies = [one["body"]["choices"][0]["message"]["content"] for one in exchanges]
    assert replies == ["one", "two", "three"]
    assert "sk-secret" not in printed.output
    judged = CliRunner().invoke(main, ["validate", "--as", "exchanges", "-"], input=printed.output)
    assert (judged.exit_code, judged.output) == (0, "-: 3 exchanges, conforms\n")


def test_what_is_shared_can_be_forgotten(redis_store):
    """The next run of a test suite begins at the first reply."""
    with serving("--state", redis_store.url) as served:
        assert "no scenario, 0 stubs, state shared" in served.greeting
        assert asked(served.base_url)
    assert run("reset", redis_store.url).output == "forgotten: 2 keys of 'default'\n"
    assert run("journal", redis_store.url).output == ""


def test_a_state_that_cannot_be_used_is_told_at_the_start():
    """Whoever starts it sees at once what to mend, and no password."""
    url = "redis://:very-secret@127.0.0.1:1/0"
    with pytest.raises(RuntimeError) as refused, serving("--state", url):
        raise AssertionError("it served")
    said = "mockchat: the shared state at redis://127.0.0.1:1/0 cannot be used: "
    assert said in str(refused.value)
    assert "very-secret" not in str(refused.value)
    outcome = run("journal", "http://127.0.0.1")
    assert outcome.exit_code == 2
    allowed = "allowed: a URL such as redis://127.0.0.1:6379/0."
    assert outcome.output == f"mockchat: state is 'http://127.0.0.1'; {allowed}\n"


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    """A missing package is told with the command that installs it."""
    monkeypatch.setitem(sys.modules, "redis", None)
    monkeypatch.delitem(sys.modules, "mockchat.server.shared_state", raising=False)
    outcome = run("journal", "redis://127.0.0.1")
    told = 'mockchat: shared state needs the package redis: pip install "mockchat[redis]"\n'
    assert (outcome.exit_code, outcome.output) == (2, told)
