"""The pages of docs/ tell the truth: commands and options exist, what is shown is what comes."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from serving import server_environment, serving

from mockchat.cli import main
from mockchat.coverage.data_file import write
from mockchat.coverage.tally import Tally

PROJECT = Path(__file__).parents[2]
PAGES = {page.name: page.read_text(encoding="utf-8") for page in (PROJECT / "docs").glob("*.md")}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (PROJECT / "Makefile").read_text(), re.MULTILINE))


def blocks(page, *languages):
    """Return the blocks of a page that are in these languages."""
    return [source for language, source in BLOCK.findall(PAGES[page]) if language in languages]


def command_lines():
    """Return every command line of ours that a page shows, in a block or within a sentence."""
    found = set()
    for name, text in PAGES.items():
        shown = [line for block in blocks(name, "sh") for line in block.splitlines()]
        shown += re.findall(r"^\$ (.*)$", "\n".join(blocks(name, "console")), re.MULTILINE)
        shown += re.findall(r"`(mockchat [a-z][^`…]*)`", text)
        found |= {(name, line) for line in shown if line.startswith("mockchat ")}
    return sorted(found)


@pytest.mark.parametrize(("page", "line"), command_lines())
def test_a_command_line_names_what_there_is(page, line):
    """An option that is gone is the first thing a reader trips over."""
    words = shlex.split(line, comments=True)[1:]
    command, path = main, []
    while isinstance(command, click.Group) and words and words[0] in command.commands:
        path.append(words.pop(0))
        command = command.commands[path[-1]]
    assert path, line
    known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
    used = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    assert used - known == set(), page


def test_every_make_target_that_is_named_exists():
    """`make load` must not be a wish."""
    named = {
        (name, target)
        for name, text in PAGES.items()
        for target in re.findall(r"`make ([a-z][a-z-]*)", text)
    }
    assert {(name, target) for name, target in named if target not in TARGETS} == set()
    assert named


def test_what_the_page_on_coverage_shows_comes(tmp_path):
    """Suggestions are shown as they are printed."""
    write(tmp_path / "data", Tally(profile="openai"))
    (shown,) = (block for block in blocks("coverage.md", "console") if "suggest" in block)
    line, _, output = shown.partition("\n")
    words = shlex.split(line.removeprefix("$ mockchat "))
    assert CliRunner().invoke(main, [*words, "--data", str(tmp_path / "data")]).output == output


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_what_the_page_on_control_shows_works():
    """Copied line by line, in a shell and in Python."""
    (shell,) = blocks("control.md", "sh")
    (python,) = blocks("control.md", "python")
    asking = (
        "import urllib.request\n"
        'body = b\'{"model": "m", "messages": [{"role": "user", "content": "x"}], "tools": ['
        '{"type": "function", "function": {"name": "get_weather"}}]}\'\n'
        "fields = {'content-type': 'application/json', **control.headers}\n"
        "url = 'http://127.0.0.1:4010/v1/chat/completions'\n"
        "urllib.request.urlopen(urllib.request.Request(url, body, fields)).read()\n"
    )
    placeholder = "# … run what is under test with default_headers=control.headers …\n"
    assert placeholder in python
    with serving() as served:
        address = served.base_url.split("/")[2]
        ran = [
            subprocess.run(
                command,
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
                env=server_environment(no_proxy="*"),
            )
            for command in (
                [
                    "bash",
                    "-ec",
                    shell.replace("localhost:4010", address).replace("seconds=10", "seconds=0.1"),
                ],
                [
                    sys.executable,
                    "-c",
                    python.replace(placeholder, asking).replace("127.0.0.1:4010", address),
                ],
            )
        ]
    assert [done.returncode for done in ran] == [0, 0], ran
    assert '"name": "stub 1' in ran[0].stdout
