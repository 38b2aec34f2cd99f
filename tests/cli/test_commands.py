"""What the command line says without serving."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from click.testing import CliRunner

from mockchat.cli import main
from mockchat.contract.profile import profile_names


def run(*arguments):
    """Run a command in this process."""
    return CliRunner().invoke(main, arguments)


def test_version():
    """A bug report starts with it."""
    assert run("--version").output == f"mockchat, version {version('mockchat')}\n"


def test_profiles_lists_each_with_its_summary():
    """Whoever may choose must see the choices."""
    outcome = run("profiles")
    assert outcome.exit_code == 0
    rows = [line.split(maxsplit=1) for line in outcome.output.splitlines()]
    assert [row[0] for row in rows] == list(profile_names())
    assert all(len(row) == 2 for row in rows)


def test_profiles_of_a_users_own_folder(tmp_path):
    """A user's own variants are chosen like the built-in ones."""
    (tmp_path / "mine").mkdir()
    settings = {"name": "mine", "summary": "Ours, behind the gateway.", "extends": "openai"}
    (tmp_path / "mine" / "profile.json").write_text(json.dumps(settings))
    outcome = run("profiles", "--schemas", str(tmp_path))
    rows = [line.split(maxsplit=1) for line in outcome.output.splitlines()]
    assert [row[0] for row in rows] == sorted({*profile_names(), "mine"})
    assert ["mine", "Ours, behind the gateway."] in rows


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("serve", "--kind", "tame"), "'--kind': 'tame' is not one of 'plain', 'wild'."),
        (("serve", "--port", "70000"), "'--port': 70000 is not in the range 0<=x<=65535."),
        (("serve", "--validation", "hard"), "'hard' is not one of 'strict', 'schema', 'warn'"),
        (("serve", "--models", "some"), "'some' is not one of 'any', 'known'."),
        (("serve", "--body-limit", "0"), "0 is not in the range x>=1."),
        (("serve", "--schemas", "no-such-folder"), "'no-such-folder' does not exist."),
        (("server",), "No such command 'server'."),
    ],
)
def test_a_wrong_option_is_refused_with_what_is_allowed(arguments, message):
    """An option that is silently ignored costs an afternoon."""
    outcome = run(*arguments)
    assert outcome.exit_code == 2
    assert message in outcome.output


@pytest.mark.parametrize("arguments", [["--help"], ["serve", "--help"], ["--version"]])
def test_help_loads_no_heavy_library(arguments):
    """Help that takes a second is help that is not asked for."""
    program = (
        "import json, sys\n"
        "from mockchat.cli import main\n"
        f"main({arguments!r}, standalone_mode=False)\n"
        "heavy = {'werkzeug', 'jsonschema', 'hypothesis', 'faker', 'pytest', 'openai'}\n"
        "print(json.dumps(sorted(heavy & sys.modules.keys())))"
    )
    outcome = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert json.loads(outcome.stdout.splitlines()[-1]) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device here that is always full")
@pytest.mark.parametrize("command", [["profiles"], ["generate", "requests", "-n", "2"], ["--help"]])
def test_a_full_disk_is_told_in_one_line(command):
    """A pipeline that ran out of space must not end in a traceback, nor with success."""
    with Path("/dev/full").open("wb") as full:
        outcome = subprocess.run(
            [sys.executable, "-m", "mockchat", *command],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    told = b"mockchat: the output cannot be written: No space left on device\n"
    assert (outcome.returncode, outcome.stderr) == (2, told)
