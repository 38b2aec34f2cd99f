"""docs/moving.md and docs/tutorial.md tell the truth: each test runs, as others have it and as we do."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
OLD = re.compile(r"# old: (\S+)\n")
CASSETTE = {
    "version": 1,
    "interactions": [
        {
            "request": {
                "method": "POST",
                "uri": "https://api.openai.com/v1/chat/completions",
                "headers": {"content-type": ["application/json"]},
                "body": json.dumps(
                    {"messages": [{"role": "user", "content": "Weather?"}], "model": "gpt-4o"}
                ),
            },
            "response": {
                "status": {"code": 200, "message": "OK"},
                "headers": {"content-type": ["application/json"]},
                "body": {
                    "string": json.dumps(
                        {
                            "id": "chatcmpl-Cm8s0vTqZbGn9hkRk2V8yIYcS7dXe",
                            "object": "chat.completion",
                            "created": 1763500000,
                            "model": "gpt-4o-2024-08-06",
                            "choices": [
                                {
                                    "index": 0,
                                    "message": {
                                        "role": "assistant",
                                        "content": "It is 4 °C.",
                                        "refusal": None,
                                        "annotations": [],
                                    },
                                    "logprobs": None,
                                    "finish_reason": "stop",
                                }
                            ],
                            "usage": {
                                "prompt_tokens": 9,
                                "completion_tokens": 6,
                                "total_tokens": 15,
                            },
                        }
                    )
                },
            },
        }
    ],
}


def blocks(page):
    """Return the Python blocks of a page, by the line each begins in."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return {text.count("\n", 0, match.start()) + 1: match[1] for match in found}


def is_installed(tool):
    """Tell whether what an old test needs is here, for the client it was written for."""
    module = {"vcrpy": "vcr", "unittest.mock": "unittest"}.get(tool, tool.replace("-", "_"))
    return importlib.util.find_spec(module) is not None


def run(folder, source, name="test_page.py"):
    """Run one test file as its reader would."""
    (folder / "weather.yaml").write_text(json.dumps(CASSETTE))
    (folder / name).write_text(source, encoding="utf-8")
    kept = ("PATH", "HOME", "SYSTEMROOT")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", name],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={key: os.environ[key] for key in kept if key in os.environ},
    )


@pytest.mark.parametrize(
    ("line", "source"),
    [
        pytest.param(line, source, id=OLD.match(source)[1])
        for line, source in blocks("moving.md").items()
        if OLD.match(source)
    ],
)
def test_the_old_way_works_as_well(line, source, tmp_path):
    """A comparison with something that nobody can run would be a caricature."""
    tool = OLD.match(source)[1]
    if not is_installed(tool):
        pytest.skip(f"{tool} is not installed here: `make moving` does that")
    done = run(tmp_path, source)
    assert done.returncode == 0, f"docs/moving.md:{line}\n{done.stdout}"


def test_the_pages_work(pytester):
    """What is copied from them passes at once; one test of the tutorial fails as it is shown."""
    pytester.path.joinpath("weather.yaml").write_text(json.dumps(CASSETTE))
    imported = pytester.run(
        *(sys.executable, "-m", "mockchat", "import", "weather.yaml"), "-o", "weather.scenario.yaml"
    )
    assert imported.ret == 0
    new = [source for source in blocks("moving.md").values() if not OLD.match(source)]
    first, failing, tools = blocks("tutorial.md").values()
    pytester.makepyfile(**{f"test_new_{place}": source for place, source in enumerate(new)})
    pytester.makepyfile(test_weather=first, test_tutorial=failing, test_forecast=tools)
    ran = pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider")
    ran.assert_outcomes(passed=len(new) + 2, failed=1)
    text = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    shown = re.search(r"^```text\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[1]
    said = "\n".join(re.sub(r"^E +", "", line).rstrip() for line in ran.outlines)
    assert shown.strip() in re.sub(r"\n{2,}", "\n\n", said)
