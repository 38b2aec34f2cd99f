"""`mockchat profiles show` and `profiles lint`: the exact lines, the JSON, the exit status."""

import json

import pytest
from click.testing import CliRunner

from mockchat.cli import main
from mockchat.contract.profile import load_profile

UPDATE = "/paths/~1chat~1completions~1{completion_id}/post"


def run(*arguments):
    """Run `mockchat profiles` in this process."""
    return CliRunner().invoke(main, ["profiles", *map(str, arguments)])


def written(directory, name, settings, **files):
    """Write a profile folder."""
    folder = directory / name
    folder.mkdir(parents=True)
    profile = {"name": name, "summary": "Ours.", "extends": "openai", **settings}
    for stem, content in {"profile": profile, **files}.items():
        (folder / f"{stem.replace('_', '.')}.json").write_text(json.dumps(content))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Work in a folder with one profile of one's own."""
    monkeypatch.chdir(tmp_path)
    written(
        tmp_path / "profiles",
        "mine",
        {
            "without": {"stored-update": [""], "openapi": [UPDATE]},
            "differences": [
                {
                    "documents": ["request"],
                    "places": [".n"],
                    "keywords": ["maximum"],
                    "reason": "The gateway gives one.",
                }
            ],
            "levels": {"documented": {"response": {"properties": {"id": {"minLength": 1}}}}},
            "rules": {"exchange.n": False, "request.metadata-needs-store": {}},
            "stream": {"role": "every"},
            "deviations": [{"what": "prices", "entries": ["a", "b"], "reason": "Not here."}],
            "sources": ["Our handbook"],
        },
        request_patch={"properties": {"n": {"maximum": 1}, "x\ny": {"enum": ["a" * 99]}}},
        errors={"slow_down": None},
    )
    return tmp_path


def test_show_tells_what_changes(folder):
    """One screen instead of a dozen documents."""
    outcome = run("show", "mine", "--schemas", "profiles")
    assert outcome.exit_code == 0
    assert outcome.output.splitlines() == [
        "mine extends openai",
        "Ours.",
        "",
        "openapi.json",
        f"  - {UPDATE}",
        "",
        "request.json",
        "  ~ /properties/n/maximum: 128 -> 1",
        r"  + /properties/x\ny: " + f'{{"enum": ["{"a" * 60}…',
        "",
        "stored-update.json",
        "  - all of it",
        "",
        "response.json at level documented",
        '  + /properties: {"id": {"minLength": 1}}',
        "",
        "rules",
        "  - exchange.n",
        "  + request.metadata-needs-store",
        "",
        "stream",
        '  ~ role: "first" -> "every"',
        "",
        "errors",
        "  - /slow_down",
        "",
        "differences",
        "  request: .n (maximum): The gateway gives one.",
        "",
        "deviations",
        "  prices (a, b): Not here.",
        "",
        "sources",
        "  Our handbook",
    ]


def test_show_as_json(folder):
    """The same with whole values, for a program."""
    told = json.loads(run("--schemas", "profiles", "show", "mine", "--json").output)
    assert told["name"] == "mine"
    assert told["extends"] == "openai"
    assert told["documents"]["request"][0] == {
        "how": "changed",
        "pointer": "/properties/n/maximum",
        "before": 128,
        "after": 1,
    }
    assert [each["pointer"] for each in told["stream"]] == ["/role"]
    assert told["sources"] == ["Our handbook"]
    assert told["differences"][0]["reason"] == "The gateway gives one."


def test_show_of_a_profile_without_a_parent_tells_what_it_has():
    """There is nothing to compare with."""
    lines = run("show", "openai").output.splitlines()
    assert lines[:2] == ["openai", load_profile("openai").summary]
    assert lines[2:5] == ["", "chunk.json", "  + all of it"]
    assert "  + exchange.n" in lines


def test_show_of_an_unknown_profile_is_refused():
    """One line, with what was probably meant."""
    outcome = run("show", "openay")
    assert outcome.exit_code == 2
    assert outcome.output.startswith("mockchat: no profile 'openay'; known: ")
    assert outcome.output.endswith(". Did you mean 'openai'?\n")


def test_lint_without_a_problem(folder):
    """Status 0 lets a CI go on."""
    (folder / "profiles" / "mine" / "errors.json").unlink()
    outcome = run("lint", "profiles")
    assert (outcome.output, outcome.exit_code) == ("profiles: 1 profile, no problems\n", 0)


def test_lint_names_file_and_pointer(folder):
    """A line for each problem; status 1."""
    written(
        folder / "profiles",
        "other",
        {"rules": {"exchange.m": {}}},
        request_patch={"$defs": {"extra": {"type": "string"}}},
    )
    outcome = run("lint", "profiles")
    assert outcome.output.splitlines() == [
        (
            "profiles/other/request.patch.json#/$defs/extra:"
            " nothing refers to the definition 'extra' [unused]"
        ),
        (
            "profiles/other/profile.json#/rules/exchange.m:"
            " there is no rule 'exchange.m'; did you mean 'exchange.n'? [rule]"
        ),
        "profiles: 2 profiles, 2 problems",
    ]
    assert outcome.exit_code == 1


def test_lint_knows_what_the_server_reads(folder):
    """A header that no reply can fill is found before a server is started."""
    written(folder, "alone", {"headers": {"x": {"value": "{tokens}"}}})
    outcome = run("lint", "alone")
    assert outcome.output.splitlines() == [
        "alone/profile.json#/headers/x/value: {tokens} is not known here [setting]",
        "alone: 1 profile, 1 problem",
    ]


def test_lint_names_a_parent_outside_the_folder_in_full(folder):
    """The folder alone was asked for; the cause stands beside it."""
    written(folder, "base", {"sources": 3})
    written(folder, "heir", {"extends": "base"})
    outcome = run("lint", "heir")
    path = folder / "base" / "profile.json"
    assert outcome.output.splitlines()[0].startswith(f"{path}#/sources: ")
    assert outcome.exit_code == 1


def test_lint_of_no_profile_is_refused(folder):
    """Nothing was judged, so nothing is fine."""
    (folder / "empty").mkdir()
    outcome = run("lint", "empty")
    message = "DIR is 'empty'; allowed: a folder of profile folders, or one of them."
    assert (outcome.output, outcome.exit_code) == (f"mockchat: {message}\n", 2)
    assert run("lint", "nowhere").exit_code == 2
