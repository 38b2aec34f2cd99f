"""`mockchat serve --fallback`: recorded once, generated, or refused."""

import json
import re
import signal
import subprocess
import sys
import time

import openai
import pytest
from click.testing import CliRunner
from recorded_samples import QUESTION
from serving import server_environment, serving

from mockchat import MockServer, by_word
from mockchat.cli import application, main, serve
from mockchat.cli_options import Refusal
from mockchat.exchange import Incoming, Outcome
from mockchat.scripting.scenario import read_scenario

KEY = "sk-very-secret-4711"
STREAM = {**QUESTION, "stream": True}


def app_of(*arguments):
    """Return what `mockchat serve` would answer with."""
    with serve.make_context("serve", list(arguments)) as context:
        return application(context.params)[0]


def asked(app, body, *, method="POST", path="/v1/chat/completions", **fields):
    """Return status and decoded body of an answer."""
    headers = tuple((name.replace("_", "-"), value) for name, value in fields.items())
    request = Incoming(
        method=method,
        path=path,
        headers=(("host", "localhost"), *headers),
        body=json.dumps(body).encode(),
    )
    ticket = app.handle(request)
    delivery = ticket.delivery
    ticket.finish(Outcome.DELIVERED)
    data = delivery.body
    is_json = dict(delivery.headers).get("content-type", "").startswith("application/json")
    return delivery.status, json.loads(data) if is_json else data


@pytest.fixture(scope="module")
def real_server():
    """Give one server for the tests of this module."""
    with MockServer() as server:
        yield server


@pytest.fixture
def options(tmp_path, real_server):
    """Give the real server's script, and the options that record it."""
    with real_server.script(unused="ignore") as real:
        path = str(tmp_path / "recording.yaml")
        yield real, ("--fallback", "record", "--upstream", real.base_url, "-o", path)


def test_the_real_server_is_asked_once(options, tmp_path):
    """The first run costs tokens, the others cost nothing, in every session."""
    real, arguments = options
    real.reply("Hello")
    app = app_of(*arguments)
    first = asked(app, QUESTION, authorization=f"Bearer {KEY}")
    assert first[1]["choices"][0]["message"]["content"] == "Hello"
    assert [asked(app, QUESTION) for _ in range(3)] == [first] * 3
    assert asked(app, QUESTION, x_mockchat_session="other") == first
    assert asked(app_of(*arguments), QUESTION) == first
    assert len(real.journal) == 1
    assert read_scenario(tmp_path / "recording.yaml").stubs == 1
    assert KEY not in (tmp_path / "recording.yaml").read_text()


def test_stubs_come_before_the_recording(options, tmp_path):
    """What a scenario says is what its writer wants."""
    real, arguments = options
    real.reply("Hello").times(2)
    scenario = tmp_path / "own.yaml"
    scenario.write_text("stubs:\n  - when: {last_text: ping}\n    reply: pong\n    times: 1\n")
    app = app_of("--scenario", str(scenario), *arguments)
    ping = {**QUESTION, "messages": [{"role": "user", "content": "ping"}]}
    texts = [
        asked(app, body)[1]["choices"][0]["message"]["content"] for body in (ping, QUESTION, ping)
    ]
    assert texts == ["pong", "Hello", "Hello"]


def test_what_was_recorded_is_in_the_journal_and_outlives_a_reset(options):
    """Whoever looks at the server sees which answers were the real one's."""
    real, arguments = options
    real.reply("Hello")
    app = app_of(*arguments)
    asked(app, QUESTION)
    asked(app, QUESTION)
    kept = asked(app, None, method="GET", path="/_mockchat/journal")[1]["exchanges"]
    assert [exchange["stub"].partition(" (")[0] for exchange in kept] == ["the upstream", "stub 1"]
    assert [exchange["outcome"] for exchange in kept] == ["delivered", "delivered"]
    asked(app, None, method="POST", path="/_mockchat/reset")
    assert asked(app, QUESTION)[0] == 200
    assert len(real.journal) == 1


def test_streams_come_as_they_were(options):
    """A stream is recorded as one, and told from the same request without."""
    real, arguments = options
    real.reply("Hello, world", plan=by_word())
    real.reply("Whole")
    app = app_of(*arguments, "--engine", "asyncio")
    first = asked(app, STREAM)[1]
    assert first.endswith(b"data: [DONE]\n\n")
    (kept,) = asked(app, None, method="GET", path="/_mockchat/journal")[1]["exchanges"]
    assert kept["body"] == first.decode()
    assert asked(app, QUESTION)[1]["choices"][0]["message"]["content"] == "Whole"
    assert asked(app, STREAM)[1] == first


def test_a_request_that_the_real_server_refused_is_refused_in_its_words(options):
    """It is judged by the real server, once; the contract only warns."""
    _, arguments = options
    app = app_of(*arguments)
    wrong = {**QUESTION, "temperature": "hot"}
    first = asked(app, wrong)
    assert first[0] == 400
    assert asked(app, wrong) == first


def test_other_requests_are_answered_here(options):
    """Models are known without the real server, and what is no JSON need not be asked."""
    real, arguments = options
    app = app_of(*arguments)
    assert asked(app, None, method="GET", path="/v1/models")[0] == 200
    assert asked(app, [1])[0] == 400
    assert asked(app, QUESTION, x_mockchat_session="no name")[0] == 400
    assert app.refuse(413, "").delivery.status == 413
    assert (app.body_limit, app.may_block(None)) == (32 * 1024 * 1024, True)
    assert len(real.journal) == 0


def test_refuse_says_why_no_stub_answers():
    """A server that makes something up hides that a test went astray."""
    status, body = asked(app_of("--fallback", "refuse", "--no-control"), QUESTION)
    assert (status, body["error"]["type"]) == (400, "mockchat_no_stub_matched")


def test_generate_overrules_a_scenario(tmp_path):
    """Options on the command line count more than those in a file."""
    scenario = tmp_path / "own.yaml"
    scenario.write_text("unmatched: fail\nstubs: []\n")
    arguments = ("--scenario", str(scenario))
    assert asked(app_of(*arguments), QUESTION)[0] == 400
    assert asked(app_of(*arguments, "--fallback", "generate"), QUESTION)[0] == 200


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--fallback", "record"), "--upstream: say which server is recorded"),
        (("--fallback", "record", "--upstream", "http://x/v1"), "--output: say which file"),
        (("--upstream", "http://x/v1"), "--upstream: only --fallback record"),
        (("--fallback", "generate", "-o", "x.yaml"), "--output: only --fallback record"),
        (("--fallback", "record", "--workers", "2"), "one process writes a recording"),
        (
            (
                "--fallback",
                "record",
                "--upstream",
                "http://x",
                "-o",
                "x.yaml",
                "--upstream-header",
                "k",
            ),
            "--upstream-header: write NAME:VALUE",
        ),
    ],
)
def test_options_that_do_not_go_together_are_refused(arguments, message):
    """An option that does nothing is a trap."""
    with pytest.raises(Refusal, match=re.escape(message)):
        app_of(*arguments)


def test_a_server_records_and_serves(options, tmp_path):
    """As a stranger starts it: live to the client, the file after it, nothing of the key."""
    real, arguments = options
    real.reply("Hello, world", plan=by_word())
    with serving(*arguments) as served:
        client = openai.OpenAI(base_url=served.base_url, api_key=KEY, max_retries=0)
        texts = []
        for _ in range(2):
            chunks = list(client.chat.completions.create(**STREAM))
            texts.append("".join(one.choices[0].delta.content or "" for one in chunks))
            until = time.monotonic() + 10
            while "-> 200" not in served.errors():
                assert time.monotonic() < until
                time.sleep(0.01)
        errors = served.errors()
    assert texts == ["Hello, world"] * 2
    assert len(real.journal) == 1
    assert "POST /v1/chat/completions -> 200" in errors
    assert KEY not in errors + (tmp_path / "recording.yaml").read_text()


def test_the_command_records_until_it_is_told_to_end(tmp_path, real_server):
    """As a stranger runs it: one line to copy, each exchange told, a sum at the end."""
    path = tmp_path / "recording.yaml"
    with real_server.script() as real:
        real.reply("Hello").times(2)
        arguments = ["record", "--upstream", real.base_url, "-o", str(path), "--port", "0"]
        with subprocess.Popen(
            [sys.executable, "-m", "mockchat", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=server_environment(),
        ) as process:
            try:
                greeting = [process.stdout.readline() for _ in range(3)]
                base_url = greeting[2].strip().partition("=")[2]
                client = openai.OpenAI(base_url=base_url, api_key=KEY, max_retries=0)
                for _ in range(2):
                    client.chat.completions.create(**QUESTION)
                process.send_signal(signal.SIGTERM)
                out, errors = process.communicate(timeout=10)
            finally:
                process.kill()
    assert greeting[0].startswith(f"mockchat records {real.base_url} into {path} (Ctrl+C stops it)")
    assert out == f"2 exchanges in {path}\n"
    assert errors.count("POST /v1/chat/completions -> 200") == 2
    assert process.returncode == 0
    assert read_scenario(path).stubs == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "mockchat: --upstream: say which server is recorded"),
        (("--upstream", "http://x/v1"), "mockchat: --output: say which file is written"),
        (("--upstream", "x", "-o", "x.yaml"), "an http or https URL"),
        (("--upstream", "http://x", "-o", "x.json"), "a file whose name ends in .yaml"),
    ],
)
def test_a_recording_that_cannot_begin_says_why(arguments, message):
    """Before anything listens."""
    told = CliRunner().invoke(main, ["record", *arguments])
    assert (told.exit_code, message in told.output) == (2, True), told.output
