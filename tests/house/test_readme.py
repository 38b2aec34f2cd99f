"""The manual tells the truth: every block runs, every link leads somewhere, every option is there."""

import configparser
import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from serving import server_environment, serving

from mockchat.cli import main
from mockchat.contract.profile_lint import CHECKS
from mockchat.scripting.conditions import Conditions
from mockchat.server.script_options import ScriptOptions

PROJECT = Path(__file__).parents[2]
README = (PROJECT / "README.md").read_text()
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PRINTED_URL = "http://127.0.0.1:4010/v1"


@dataclass(frozen=True)
class Block:
    """A fenced block of the README with the output it shows, if a text block follows it."""

    line: int
    language: str
    source: str
    output: str | None

    @property
    def is_test(self):
        """Whether it is a test file rather than a script."""
        return self.language == "python" and "\ndef test_" in f"\n{self.source}"


def blocks():
    """Return the blocks of the README in order."""
    found = list(BLOCK.finditer(README))
    following = [*found[1:], None]
    return [
        Block(
            line=README.count("\n", 0, match.start()) + 1,
            language=match[1],
            source=match[2],
            output=after[2] if after is not None and after[1] == "text" else None,
        )
        for match, after in zip(found, following, strict=True)
        if match[1] != "text"
    ]


def chosen(condition):
    """Parametrize over the blocks that meet the condition, named by their line."""
    found = [block for block in blocks() if condition(block)]
    assert found
    return pytest.mark.parametrize("block", found, ids=lambda block: f"line {block.line}")


@pytest.fixture(scope="module")
def base_url():
    """Serve as `make serve` does, on a port that is free."""
    with serving() as served:
        yield served.base_url


def test_every_block_is_of_a_kind_that_is_run():
    """A block that no test knows is the one that rots."""
    assert {block.language for block in blocks()} == {"sh", "python", "ini", "json", "yaml"}


@chosen(lambda block: block.language == "python" and not block.is_test)
def test_a_script_runs(block, base_url, tmp_path):
    """The first thing a stranger copies must work."""
    run = subprocess.run(
        [sys.executable, "-c", block.source],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=server_environment(OPENAI_BASE_URL=base_url, OPENAI_API_KEY="any"),
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip()
    if block.output is not None:
        assert run.stdout == block.output


def test_the_example_tests_pass(pytester, monkeypatch):
    """An example test that fails teaches the wrong thing."""
    # Hypothesis computes its tables of characters once for each storage folder, for seconds.
    monkeypatch.setenv("HYPOTHESIS_STORAGE_DIRECTORY", str(PROJECT / ".hypothesis"))
    examples = [block for block in blocks() if block.is_test and block.output is None]
    pytester.makepyfile(**{f"test_line_{block.line}": block.source for block in examples})
    written = {
        (f"test_line_{block.line}.py", name)
        for block in examples
        for name in re.findall(r"^def (test_\w+)", block.source, re.MULTILINE)
    }
    assert written
    run = pytester.runpytest_subprocess("-v", "-p", "no:cacheprovider")
    assert run.parseoutcomes().keys() == {"passed"}
    # A parametrized example is several tests.
    passed = re.findall(r"^(\S+?)::(\w+)(?:\[.*\])? PASSED", str(run.stdout), re.MULTILINE)
    assert set(passed) == written


@chosen(lambda block: block.is_test and block.output is not None)
def test_a_failure_reads_as_shown(block, pytester):
    """Whoever searches for a message must find it here, word for word."""
    pytester.makepyfile(test_readme=block.source)
    outcome = pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider")
    assert outcome.ret == 1
    shown = "\n".join(re.sub(r"^E +", "", line) for line in outcome.outlines)
    assert block.output.strip() in re.sub(r"\n{2,}", "\n\n", shown)


@chosen(lambda block: block.language == "ini")
def test_an_ini_block_is_accepted(block, pytester):
    """An option that pytest does not know would be ignored."""
    parsed = configparser.ConfigParser()
    parsed.read_string(block.source)
    assert parsed.sections() == ["pytest"]
    pytester.makeini(block.source)
    pytester.makepyfile("def test_nothing(): pass")
    outcome = pytester.runpytest_subprocess("-q", "--strict-config", "-p", "no:cacheprovider")
    outcome.assert_outcomes(passed=1)


def shell_lines():
    """Return every line of the shell blocks."""
    return [
        line for block in blocks() if block.language == "sh" for line in block.source.splitlines()
    ]


@pytest.mark.parametrize("line", shell_lines())
def test_a_shell_line_does_what_it_says(line, base_url):
    """Two commands are the whole introduction; a third that fails ends the visit."""
    command, *arguments = shlex.split(line)
    check = {
        "make": check_make,
        "export": check_export,
        "curl": check_curl,
        "pip": check_pip,
        "mockchat": check_mockchat,
    }[command]
    check(line.replace(PRINTED_URL, base_url), arguments)


def check_make(line, arguments):
    """Make knows the target (and says what it would do)."""
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    command = ["make", "--dry-run", *arguments]
    assert subprocess.run(command, cwd=PROJECT, check=False, env=environment).returncode == 0


def check_export(line, arguments):
    """The variables are those the SDK reads."""
    assert [name.partition("=")[0] for name in arguments] == ["OPENAI_BASE_URL", "OPENAI_API_KEY"]


def check_curl(line, arguments):
    """The server answers it."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    run = subprocess.run(
        ["bash", "-c", f"{line} --silent --noproxy '*'"], capture_output=True, text=True, check=True
    )
    assert '"object": "chat.completion"' in run.stdout


def check_pip(line, arguments):
    """The checkout is what is installed; tests/house/test_packaging.py does it."""
    assert arguments == ["install", "."]
    assert (PROJECT / "pyproject.toml").is_file()


def named_files():
    """Return the files that JSON and YAML blocks are, by the path that stands last before each."""
    found = {}
    for match in BLOCK.finditer(README):
        if match[1] in {"json", "yaml"}:
            found[re.findall(r"`([^`\n]+)`", README[: match.start()])[-1]] = match[2]
    return found


@contextlib.contextmanager
def example_folder():
    """Give a folder with the files that the README shows."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in named_files().items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        yield folder


def check_mockchat(line, arguments):
    """The command does its work in a folder with the files shown."""
    with example_folder() as folder:
        if arguments[0] == "serve":
            with serving(*arguments[1:], cwd=folder) as served:
                assert served.base_url
            return
        run = subprocess.run(
            [sys.executable, "-m", *shlex.split(line)],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
        )
    assert run.stderr == ""
    assert run.returncode == int(" violation" in run.stdout)


@chosen(lambda block: block.language == "sh" and block.output is not None)
def test_a_command_prints_what_is_shown(block):
    """Whoever compares must find the same lines."""
    command, *arguments = shlex.split(block.source)
    assert command == "mockchat"
    with example_folder() as folder:
        run = subprocess.run(
            [sys.executable, "-m", "mockchat", *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
        )
    assert run.stdout == block.output


def anchor(heading):
    """Return the anchor that a Markdown page gives to a heading."""
    return re.sub(r"[^\w -]", "", heading.strip().lower()).replace(" ", "-")


ANCHORS = {anchor(heading) for heading in re.findall(r"^#+ (.+)$", README, re.MULTILINE)}


def test_links_and_references_lead_somewhere():
    """Messages send their readers to headings here; a dead end is worse than no link."""
    sources = [README, *(path.read_text() for path in sorted((PROJECT / "mockchat").rglob("*.py")))]
    referred = {
        target for text in sources for target in re.findall(r"(?:README\.md|\()#([\w-]+)", text)
    }
    assert referred
    assert referred - ANCHORS == set()
    files = set(re.findall(r"\]\(([\w./-]+)\)", README))
    assert {name for name in files if not (PROJECT / name).exists()} == set()


def options(*names):
    """Return the options of a command but --help."""
    command = main
    for name in names:
        command = command.get_command(click.Context(command), name)
    named = [each for each in command.params if isinstance(each, click.Option)]
    return [option for option in named if option.name != "help"]


@pytest.mark.parametrize(
    ("heading", "option"),
    [
        pytest.param(heading, option, id=f"{command} {option.opts[0]}")
        for command, heading in [
            ("serve", "The server"),
            ("check", "Checking a server"),
            ("validate", "Checking files"),
        ]
        for option in options(command)
    ],
)
def test_every_option_is_documented_with_its_default(heading, option):
    """An option that nobody can find does not exist."""
    section = README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith(f"| `{option.opts[0]}` |")]
    assert len(rows) == 1
    # What stands for "no default" differs between versions of click.
    has_default = isinstance(option.default, str | int) and not option.is_flag
    default = rows[0].split("|")[2].strip().strip("`")
    assert default == (str(option.default) if has_default else "")


@pytest.mark.parametrize("check", CHECKS)
def test_every_check_of_lint_is_documented(check):
    """A line ends with its name: what it means is looked up here."""
    assert [line for line in README.splitlines() if line.startswith(f"| `{check}` | ")]


def test_every_command_is_documented():
    """The same for commands."""
    assert [name for name in main.commands if f"`mockchat {name}`" not in README] == []


@pytest.mark.parametrize("option", ScriptOptions.__annotations__)
def test_every_option_of_the_fixture_is_documented(option):
    """The same for the marker's."""
    assert [line for line in README.splitlines() if line.startswith(f"| `{option}` | `")]


@pytest.mark.parametrize("keyword", Conditions.__annotations__)
def test_every_keyword_of_when_is_documented(keyword):
    """A condition that nobody can find is written as a lambda."""
    table = README.partition("### Matching a request")[2].partition("### ")[0]
    assert re.search(rf"^\|.*`{keyword}`.*\|", table, re.MULTILINE)
