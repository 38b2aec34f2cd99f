"""The gate runs every step, stops at the first failure, and ends with what a reader looks for."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
STEPS = [
    "sdks",
    "pythons",
    "redis",
    "test",
    "lint",
    "coverage",
    "proof",
    "sdk-suite",
    "browser-test",
    "examples",
    "moving",
    "wheel-check",
    "deploy-check",
]
CLOSING = "===== 12 passed, 1 skipped in 3.45s ====="
MAKE = f"""#!/usr/bin/env bash
echo "$1" >> made
if read -r line; then echo "stdin is open"; exit 1; fi
case "$1" in
  "$FAILING") echo broken; exit 2 ;;
  test) echo "{CLOSING}" ;;
  coverage) echo "coverage: 99.0 % of branches; gate passed" ;;
  wheel-check) echo "mockchat.whl: 3 KiB" ;;
  *) echo "===== 5 passed in 1.00s =====" ;;
esac
"""


@pytest.fixture
def gate(tmp_path):
    """Give `.ci/run` in a folder of its own, where `make` only notes what it was asked for."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(PROJECT / ".ci" / "run", tmp_path / ".ci" / "run")
    for name in (".venv", ".venvs", "bin"):
        (tmp_path / name).mkdir()
    (tmp_path / "bin" / "make").write_text(MAKE)
    (tmp_path / "bin" / "make").chmod(0o755)

    def run(failing=""):
        path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
        outcome = subprocess.run(
            [tmp_path / ".ci" / "run"],
            cwd=tmp_path / "bin",
            input="left over\n",
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PATH": path, "FAILING": failing, "CI": "true"},
        )
        return outcome, (tmp_path / "made").read_text().split()

    return run


def test_every_step_runs_and_the_tests_close_it(gate):
    """The last line is what a log shows first."""
    outcome, made = gate()
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert made == STEPS
    assert outcome.stdout.splitlines()[-1] == CLOSING
    closing = outcome.stdout.split("all steps passed")[1]
    assert "mockchat.whl: 3 KiB" in closing
    assert "coverage: 99.0 % of branches; gate passed" in closing


@pytest.mark.parametrize("step", STEPS)
def test_the_first_failure_stops_it(gate, step):
    """A gate that goes on after a failure hides it under later output."""
    outcome, made = gate(failing=step)
    assert outcome.returncode == 1
    assert made == STEPS[: STEPS.index(step) + 1]
    assert re.search(r"FAILED after [0-9]+ s$", outcome.stdout.strip())


def test_every_make_target_is_listed_by_help():
    """A target that help hides is a secret."""
    text = (PROJECT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.+)$", text, re.MULTILINE)[1].split()
    listed = subprocess.run(
        ["make", "help"], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout
    assert re.findall(r"^  make (\S+) ", listed, re.MULTILINE) == phony
