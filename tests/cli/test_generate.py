"""`mockchat generate`: lawful payloads line by line, the same for the same seed."""

import json
import subprocess
import sys
from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner

from mockchat import cli_generate
from mockchat.cli import main
from mockchat.contract.contract import contract_for
from mockchat.contract.stream_framing import FramingJudge
from mockchat.payloads.mutants import mutations_of
from mockchat.server.wire import SseDecoder

OPENAI = contract_for("openai")
ASKING = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}], "n": 2}


def generated(*arguments, stdin=None):
    """Run the command and return its output."""
    outcome = CliRunner().invoke(main, ["generate", *arguments], input=stdin)
    assert outcome.exit_code == 0, outcome.output
    return outcome.stdout


def lines(*arguments, stdin=None):
    """Return the JSON texts it prints."""
    return [json.loads(line) for line in generated(*arguments, stdin=stdin).splitlines()]


def refused(*arguments, stdin=None):
    """Return what a refused command says."""
    outcome = CliRunner().invoke(main, ["generate", *arguments], input=stdin)
    assert outcome.exit_code == 2
    assert outcome.stdout == ""
    return outcome.stderr


def wrong(violations):
    """Return what counts: notes do not."""
    return [violation for violation in violations if not violation.is_note]


@pytest.mark.parametrize("kind", ["plain", "wild"])
def test_requests_are_lawful(kind):
    """What is piped into another server must be what the API accepts."""
    made = lines("requests", "-n", "20", "--kind", kind)
    assert len(made) == 20
    assert [OPENAI.request_violations(request) for request in made] == [()] * 20


def test_completions_answer_the_file(tmp_path):
    """The request of --for decides."""
    file = tmp_path / "request.json"
    file.write_text(json.dumps(ASKING))
    for completion in lines("completions", "-n", "5", "--for", str(file)):
        assert wrong(OPENAI.exchange_violations(ASKING, completion, level="documented")) == []


def test_completions_without_a_request():
    """Whoever only wants replies need not write a request."""
    for completion in lines("completions", "-n", "10", "--kind", "wild"):
        assert wrong(OPENAI.violations("response", completion)) == []


def test_streams_are_server_sent_events():
    """The bytes are those a client reads."""
    data = generated("streams", "-n", "3", "--for", "-", stdin=json.dumps(ASKING)).encode()
    judge = FramingJudge(OPENAI.profile.settings, level="documented")
    assert wrong([*judge.feed(data), *judge.finish()]) == []
    decoder = SseDecoder()
    events = [event.data for event in decoder.feed(data)]
    assert events.count("[DONE]") == 3
    judge = OPENAI.stream_judge(request={**ASKING, "stream": True}, level="documented")
    for event in events[: events.index("[DONE]") + 1]:
        found = judge.feed(event if event == "[DONE]" else json.loads(event))
        assert wrong(found) == []
    assert wrong(judge.finish()) == []


def test_streams_as_lines():
    """A program reads lines more easily than events."""
    (chunks,) = lines("streams", "--jsonl", "--profile", "perplexity")
    judge = contract_for("perplexity").stream_judge()
    found = [violation for chunk in chunks for violation in judge.feed(chunk)]
    assert wrong([*found, *judge.feed("[DONE]"), *judge.finish()]) == []


@pytest.mark.parametrize("document", ["request", "response", "error"])
def test_invalid_payloads_have_their_reason(document):
    """An invalid payload without a reason is a riddle."""
    known = mutations_of(OPENAI, document)
    for told in lines("invalid", "-n", "20", "--document", document):
        assert told["id"] in known
        found = OPENAI.violations(document, told["payload"])
        found += (
            OPENAI.exchange_violations(told["request"], told["payload"])
            if "request" in told
            else ()
        )
        assert told["mutation"]["pointer"] in [one.pointer for one in wrong(found)]


def test_invalid_streams_are_text():
    """Bytes that are no UTF-8 are there too, as escapes that lead back to them."""
    made = lines("invalid", "-n", "60", "--document", "stream", "--level", "documented")
    bodies = [told["payload"].encode("utf-8", "surrogateescape") for told in made]
    assert any(b"\xff" in body for body in bodies)
    assert all(told["request"]["stream"] for told in made)


@pytest.mark.parametrize("what", ["requests", "completions", "streams", "invalid"])
def test_the_same_seed_gives_the_same_bytes(what):
    """A failure found in a pipe must be found again."""
    first = generated(what, "-n", "4", "--seed", "7")
    assert generated(what, "-n", "4", "--seed", "7") == first
    assert generated(what, "-n", "4", "--seed", "8") != first
    # More of the same begins with the same.
    assert generated(what, "-n", "5", "--seed", "7").startswith(first)


def test_another_process_makes_the_same():
    """Nor does it depend on hashes or on what ran before."""
    command = [sys.executable, "-m", "mockchat", "generate", "completions", "--locale", "ja_JP"]
    run = subprocess.run(command, capture_output=True, check=True, text=True)
    assert run.stdout == generated("completions", "--locale", "ja_JP")


def test_none_is_a_number_too():
    """A script that asks for nothing gets nothing."""
    assert generated("requests", "-n", "0") == ""


MISTAKES = {
    "a file that is not there": (["completions", "--for", "nowhere.json"], "nowhere.json: No such"),
    "no JSON": (["completions", "--for", "-"], "mockchat: -: Expecting value"),
    "an unknown profile": (["requests", "--profile", "opnai"], "Did you mean 'openai'?"),
    "an unknown document": (["invalid", "--document", "respnse"], "document is 'respnse'"),
    "a request nobody reads": (["requests", "--for", "-"], "not with requests"),
    "an unknown locale": (["completions", "--locale", "xx_XX"], "locale is 'xx_XX'"),
}


@pytest.mark.parametrize(("arguments", "words"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line(arguments, words):
    """A traceback helps nobody who only mistyped."""
    said = refused(*arguments, stdin="")
    assert words in said
    assert said.startswith("mockchat: ")
    assert said.count("\n") == 1


def test_a_request_that_the_api_refuses_is_refused():
    """There is no reply to it."""
    said = refused("completions", "--for", "-", stdin=json.dumps({**ASKING, "n": 0}))
    assert said == "mockchat: -/n: 0 is less than 1 (schema.minimum)\n"


def test_a_long_run_shows_how_far_it_is(monkeypatch):
    """Minutes without a sign of life end in Ctrl+C; a pipe wants none."""
    seen = []

    def progressbar(numbers, *, file, hidden):
        seen.append(hidden)
        return click.progressbar(numbers, file=file, hidden=True)

    monkeypatch.setattr(cli_generate, "click", SimpleNamespace(progressbar=progressbar))
    monkeypatch.setattr(cli_generate, "_LONG", 2)
    generated("requests", "-n", "1")
    generated("requests", "-n", "2")
    buffer = SimpleNamespace(write=lambda _: None, flush=lambda: None)
    watched = SimpleNamespace(
        stderr=SimpleNamespace(isatty=lambda: True),
        stdout=SimpleNamespace(isatty=lambda: False, buffer=buffer),
    )
    monkeypatch.setattr(cli_generate, "sys", watched)
    cli_generate.generate.callback(
        what="requests", count=2, seed=0, profile="openai", schemas=None, kind="plain",
        level="observed", locale="en_US", request=None, document="request", is_jsonl=False,
    )  # fmt: skip
    assert seen == [True, True, False]


def test_shapes_are_weighed(tmp_path):
    """Whoever tests one branch wants nothing else."""
    file = tmp_path / "request.json"
    file.write_text(json.dumps(ASKING))
    arguments = ("completions", "-n", "3", "--for", str(file), "--kind", "wild")
    made = lines(*arguments, "--shape", "refusal=1", "--shape", "text=0")
    choices = [choice for completion in made for choice in completion["choices"]]
    assert [bool(choice["message"]["refusal"]) for choice in choices] == [True] * 6


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        (["refusal"], "'refusal' has no weight: write NAME=WEIGHT"),
        (["refusal=often"], "'often' is not a number: write NAME=WEIGHT"),
        (["refusals=1"], "shapes is 'refusals'; allowed: text, tool_calls, refusal"),
        (["text=-1"], "shapes['text'] is -1.0; allowed: a number of at least 0"),
        (["text=nan"], "shapes['text'] is nan; allowed: a number of at least 0"),
    ],
)
def test_weights_that_are_none_are_refused(weights, reason):
    """A typo must not pass as a weight nobody asked for."""
    given = [part for weight in weights for part in ("--shape", weight)]
    assert reason in refused("completions", *given)


def test_a_tokenizer_that_is_not_there_is_refused():
    """What counts is known before the first payload."""
    assert "tokenizer is 'nope'; allowed: approximate" in refused("streams", "--tokenizer", "nope")
