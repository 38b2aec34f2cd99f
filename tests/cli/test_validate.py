"""`mockchat validate`: the lines a user reads, the JSON a program reads, the exit status."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from mockchat.cli import main
from mockchat.cli_validate import _KINDS
from mockchat.conformance.kinds import FILE_KINDS

SAMPLES = Path(__file__).parents[1] / "schemas" / "samples"
KINDS = ("request", "response", "chunk", "error")
RESTATED = {"request.content-is-given"}
"""Rules that tell a schema's fault in the API's words, in its place."""
OMITTED = {"parallel_tool_calls_null"}
"""Refused samples that are accepted before a schema is asked: nulls are read as omitted."""
REQUEST = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello?"}]}
COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-mini",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hi", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 9},
}


def run(*arguments, stdin=None):
    """Run the command in this process."""
    return CliRunner().invoke(main, ["validate", *map(str, arguments)], input=stdin)


def samples(verdict):
    """Return the samples of the documents that files can hold, by profile and document."""
    return [
        pytest.param(path, path.parts[-4], path.parts[-3], id="/".join(path.parts[-4:]))
        for path in sorted(SAMPLES.glob(f"*/*/{verdict}/*.json"))
        if path.parts[-3] in KINDS and path.stem not in OMITTED
    ]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Work in an empty folder, so that file names in lines are short."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("path", "profile", "document"), samples("accepted"))
def test_accepted_sample_conforms(path, profile, document):
    """A false alarm in somebody's CI is the end of this command there."""
    outcome = run("--as", document, "--profile", profile, "--json", path)
    (file,) = json.loads(outcome.stdout)["files"]
    schema_faults = [each for each in file["violations"] if each["keyword"] is not None]
    assert schema_faults == []


@pytest.mark.parametrize(("path", "profile", "document"), samples("refused"))
def test_refused_sample_is_reported_at_its_pointer(path, profile, document, tmp_path):
    """Pointer and keyword are what a user searches the file and the document for."""
    sample = json.loads(path.read_text())
    file = tmp_path / "payload.json"
    file.write_text(json.dumps(sample["value"]))
    outcome = run("--as", document, "--profile", profile, "--json", file)
    report = json.loads(outcome.stdout)
    told = {(each["pointer"], each["rule"]) for each in report["files"][0]["violations"]}
    assert outcome.exit_code == 1
    assert report["conforms"] is False
    rules = {rule for pointer, rule in told if pointer == sample["pointer"]}
    assert rules & {f"schema.{sample['keyword']}", *RESTATED}


def test_kinds_on_offer_are_those_that_are_known():
    """The list stands twice, so that --help loads no room."""
    assert _KINDS == FILE_KINDS


def test_lines_for_a_person(folder):
    """File, place, pointer, what is wrong, which rule at which level, and where it stands."""
    (folder / "request.json").write_text(json.dumps(REQUEST | {"temperature": 3, "n\n": 1}))
    (folder / "reply.json").write_text(json.dumps(COMPLETION))
    outcome = run("request.json", "reply.json")
    assert outcome.stdout.splitlines() == [
        (
            r"request.json: request /n\n: 'n\n' is not a known member"
            " [schema.additionalProperties, observed, request.json#/additionalProperties]"
        ),
        (
            "request.json: request /temperature: 3 is more than 2"
            " [schema.maximum, observed, request.json#/properties/temperature/maximum]"
        ),
        "request.json: 1 request, 2 violations",
        (
            "reply.json: response /usage/total_tokens: note: total_tokens is not the sum of the others"
            " (wanted: 2; found: 9) [reply.usage-adds-up, documented]"
        ),
        "reply.json: 1 response, conforms, 1 note",
    ]
    assert outcome.stderr == ""
    assert outcome.exit_code == 1


def test_lines_of_exchanges_carry_the_line_of_the_file(folder):
    """An editor jumps to `file:line:`."""
    asked = REQUEST | {"tools": [], "n": 2}
    exchanges = [
        {"request": REQUEST, "status": 200, "body": COMPLETION},
        {"request": asked, "status": 200, "body": COMPLETION},
        {"path": "/v1/models", "request": None, "body": {}},
    ]
    text = "\n".join(json.dumps(each) for each in exchanges)
    (folder / "recorded.jsonl").write_text(text)
    outcome = run("recorded.jsonl")
    notes = "response /usage/total_tokens: note: total_tokens is not the sum of the others"
    assert outcome.stdout.splitlines() == [
        f"recorded.jsonl:1: {notes} (wanted: 2; found: 9) [reply.usage-adds-up, documented]",
        (
            "recorded.jsonl:2: request /tools: the array has 0 items, at least 1 are wanted"
            " [schema.minItems, observed, request.json#/$defs/tools/minItems]"
        ),
        f"recorded.jsonl:2: {notes} (wanted: 2; found: 9) [reply.usage-adds-up, documented]",
        (
            "recorded.jsonl:2: response /choices: the number of choices is not what was asked for"
            " (wanted: 2; found: 1) [exchange.n, observed]"
        ),
        "recorded.jsonl: 2 exchanges, 1 passed over: no chat completions, 2 violations, 2 notes",
    ]


def test_stdin_and_streams(folder):
    """A server's output is piped in without a file."""
    outcome = run("-", stdin="data: [1]\n\n")
    assert outcome.stdout.splitlines() == [
        (
            "-: stream /0: An event must be a JSON object or [DONE] (wanted: object; found: '[1]')"
            " [stream.event-object, observed]"
        ),
        (
            "-: stream /1: The stream ended without [DONE] (wanted: [DONE])"
            " [stream.done-missing, observed]"
        ),
        (
            "-: stream /1: 0 of 1 choices were streamed (wanted: 1; found: 0)"
            " [stream.choice-missing, observed]"
        ),
        "-: 1 stream, 3 violations",
    ]


def test_json_for_a_program(folder):
    """Whatever a line says, and the keyword and what was expected besides."""
    (folder / "request.json").write_text(json.dumps(REQUEST | {"temperature": 3}))
    outcome = run("request.json", "--json", "none.json", "--level", "documented")
    assert json.loads(outcome.stdout) == {
        "conforms": False,
        "profile": "openai",
        "level": "documented",
        "files": [
            {
                "file": "request.json",
                "kind": "request",
                "records": 1,
                "passed_over": 0,
                "violations": [
                    {
                        "place": "",
                        "part": "request",
                        "pointer": "/temperature",
                        "keyword": "maximum",
                        "rule": "schema.maximum",
                        "level": "observed",
                        "is_note": False,
                        "message": "3 is more than 2",
                        "schema_pointer": "request.json#/properties/temperature/maximum",
                        "expected": 2,
                    }
                ],
            },
            {"file": "none.json", "problem": "No such file or directory"},
        ],
    }
    assert outcome.stderr == "mockchat: none.json: No such file or directory\n"
    assert outcome.exit_code == 2


def test_all_that_conforms_ends_with_status_0(folder):
    """Notes fail nothing."""
    (folder / "reply.json").write_text(json.dumps(COMPLETION))
    assert run("reply.json").exit_code == 0
    assert run("--level", "documented", "reply.json").exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.json"], "mockchat: none.json: No such file or directory\n"),
        (["."], "mockchat: .: Is a directory\n"),
        (
            ["bad.json"],
            "mockchat: bad.json: not JSON: Expecting ',' delimiter at line 2, column 1\n",
        ),
        (
            ["unknown.json"],
            (
                "mockchat: unknown.json: JSON of no known kind; name it:"
                " --as request|response|chunk|error|stream|har|exchanges\n"
            ),
        ),
        (
            ["--profile", "openay", "ok.json"],
            "mockchat: no profile 'openay'; known: {known}. Did you mean 'openai'?\n",
        ),
    ],
)
def test_what_cannot_be_used_ends_with_status_2_and_one_line(folder, arguments, message):
    """A traceback in a CI log helps nobody."""
    from mockchat.contract.profile import profile_names  # noqa: PLC0415 - only for the list

    (folder / "ok.json").write_text(json.dumps(REQUEST))
    (folder / "bad.json").write_text('{"model": "m"\n"n": 1}')
    (folder / "unknown.json").write_text("{}")
    outcome = run(*arguments)
    assert outcome.stderr == message.replace("{known}", ", ".join(profile_names()))
    assert outcome.stdout == ""
    assert outcome.exit_code == 2


@pytest.mark.parametrize("arguments", [[], ["--as", "reply", "x"], ["--level", "high", "x"]])
def test_bad_usage_ends_with_status_2(arguments):
    """The same status as for a file: nothing was judged."""
    assert run(*arguments).exit_code == 2


def test_the_users_own_profile_judges(folder):
    """A gateway's own rules are what its traffic is held to."""
    (folder / "profiles" / "mine").mkdir(parents=True)
    own = {"name": "mine", "summary": "Ours.", "extends": "openai"}
    (folder / "profiles" / "mine" / "profile.json").write_text(json.dumps(own))
    patch = {"properties": {"temperature": {"maximum": 1}}}
    (folder / "profiles" / "mine" / "request.patch.json").write_text(json.dumps(patch))
    (folder / "request.json").write_text(json.dumps(REQUEST | {"temperature": 2}))
    assert run("request.json").exit_code == 0
    outcome = run("request.json", "--profile", "mine", "--schemas", "profiles")
    assert "request.json: request /temperature: 2 is more than 1 [" in outcome.stdout
    assert outcome.exit_code == 1
