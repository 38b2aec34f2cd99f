"""Measure what `--mockchat-coverage` adds to a suite that uses the fixture, in CPU time.

Usage: bench_coverage.py [--tests 300] [--rounds 5] [--most 5]

The same suite runs with and without the option in turns, each in a process of its own; the best of
each counts, since only noise makes a run slower. Its client is the official SDK's, one for all
tests. Exit status 1 where the share is above `--most` percent.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

SUITE = """
import openai
import pytest

from mockchat import error, tool_call

CLIENT = openai.OpenAI(api_key="sk-any", max_retries=0)
TOOLS = [{"type": "function", "function": {"name": "get_weather"}}]
CASES = [
    ({}, "Hello, world: how are you today?"),
    ({"stream": True, "stream_options": {"include_usage": True}}, "Hello, world: how are you?"),
    ({"tools": TOOLS}, tool_call("get_weather", city="Oslo")),
    ({}, error(429)),
]


@pytest.mark.parametrize("number", range(COUNT))
def test_it(mockchat, number):
    members, reply = CASES[number % len(CASES)]
    mockchat.reply(reply)
    messages = [{"role": "user", "content": f"hi {number}"}]
    client = CLIENT.with_options(base_url=mockchat.base_url)
    try:
        assert [*client.chat.completions.create(model="gpt-4o-mini", messages=messages, **members)]
    except openai.RateLimitError:
        pass
"""


def seconds_of(folder, *options):
    """Return the CPU seconds that a run of the suite takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "mockchat.pytest_plugin", *options]
    alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    subprocess.run(command, cwd=folder, env=alone, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    """Run the suite in turns and print the share."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tests", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--most", type=float, default=5.0)
    options = parser.parse_args()
    off, on = [], []
    with tempfile.TemporaryDirectory() as folder:
        suite = SUITE.replace("COUNT", str(options.tests))
        (Path(folder) / "test_suite.py").write_text(suite)
        for _ in range(options.rounds):
            off.append(seconds_of(folder))
            on.append(seconds_of(folder, "--mockchat-coverage"))
    share = 100 * (min(on) / min(off) - 1)
    each = 1e6 * (min(on) - min(off)) / options.tests
    print(f"{options.tests} tests: {min(off):.2f} s of CPU without, {min(on):.2f} s with coverage")
    print(f"coverage adds {share:.1f} %, {each:.0f} microseconds a test")
    sys.exit(share > options.most)


if __name__ == "__main__":
    main()
