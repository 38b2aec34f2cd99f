"""`mockchat scenario` as its user meets it: lines, JSON, exit status."""

import json

import pytest
from click.testing import CliRunner

from mockchat.cli import main
from mockchat.scripting.scenario_form import form

GOOD = "stubs:\n  - reply: Hello\n"
BAD = """\
stubs:
  - when: {modle: gpt-4o}
    reply: Hello
  - reply: Hello
    fault: cutt
"""


def run(*arguments):
    """Run a command, return status, stdout and stderr."""
    result = CliRunner().invoke(main, ["scenario", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Give a folder with a good and a bad file, and work in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "bad.yaml").write_text(BAD)
    return tmp_path


def test_the_schema_is_printed_for_an_editor():
    """An editor wants a file."""
    status, stdout, stderr = run("schema")
    assert (status, json.loads(stdout), stderr) == (0, form(), "")


def test_a_good_file_is_one_line(files):
    """Silence could mean that nothing was looked at."""
    assert run("check", "good.yaml") == (0, "good.yaml: 1 stub, no problem\n", "")


def test_each_problem_is_a_line_that_an_editor_jumps_to(files):
    """All at once: one at a time would take all afternoon."""
    status, stdout, stderr = run("check", "bad.yaml", "good.yaml")
    assert (status, stderr) == (1, "")
    assert stdout.splitlines() == [
        "bad.yaml:2:12: 'modle' is not a key here; did you mean 'model'?",
        "bad.yaml:5:12: fault is 'cutt'; did you mean 'cut'?",
        "good.yaml: 1 stub, no problem",
    ]


def test_json_says_the_same_to_programs(files):
    """A pipeline marks lines in a review."""
    status, stdout, stderr = run("check", "--json", "good.yaml", "bad.yaml", "none.yaml")
    assert (status, stderr) == (2, "mockchat: none.yaml: No such file or directory\n")
    assert json.loads(stdout) == {
        "conforms": False,
        "files": [
            {"file": "good.yaml", "stubs": 1, "problems": []},
            {
                "file": "bad.yaml",
                "stubs": None,
                "problems": [
                    {
                        "line": 2,
                        "column": 12,
                        "message": "'modle' is not a key here; did you mean 'model'?",
                    },
                    {"line": 5, "column": 12, "message": "fault is 'cutt'; did you mean 'cut'?"},
                ],
            },
            {"file": "none.yaml", "problem": "No such file or directory"},
        ],
    }


def test_what_is_no_file_is_another_status(files):
    """A typo in the name is no fault of a scenario."""
    assert run("check", ".") == (2, "", "mockchat: .: Is a directory\n")
    assert run("check")[0] == 2


def test_replies_are_judged_by_the_profile_and_level_of_the_file(files):
    """What OpenAI never sends, another may; what is real, the pages may forbid."""
    completion = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": "Hi"},
            }
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
    scenario = {"stubs": [{"reply": {"completion": completion}}]}
    (files / "s.json").write_text(json.dumps(scenario, indent=1))
    assert run("check", "s.json")[0] == 0
    (files / "s.json").write_text(json.dumps({"level": "documented", **scenario}, indent=1))
    status, stdout, _ = run("check", "s.json")
    fact = "/choices/0/logprobs: 'logprobs' is missing (schema.required)"
    assert status == 1
    assert stdout.splitlines()[0] == f"s.json:12:7: the reply breaks the contract: {fact}"


def test_profiles_of_ones_own_are_found(files):
    """As with every other command."""
    folder = files / "profiles" / "mine"
    folder.mkdir(parents=True)
    (folder / "profile.json").write_text(
        '{"name": "mine", "summary": "Ours.", "extends": "openai"}'
    )
    (files / "s.yaml").write_text("profile: mine\nstubs: []\n")
    assert run("check", "s.yaml")[1].startswith("s.yaml:1:10: no profile 'mine'; known: ")
    assert run("check", "--schemas", "profiles", "s.yaml")[0] == 0
