"""What the tests of the server share: one that runs, before the test's script."""

import json
import os
import subprocess
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent
REQUEST = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello?"}]}


@dataclass(frozen=True)
class Served:
    """A server that runs."""

    base_url: str

    def ask(self, **options):
        """Return what the openai package for Node makes of an answer."""
        request = json.dumps({**REQUEST, **options})
        command = ["node", HERE / "ask.mjs", self.base_url, request]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return json.loads(done.stdout)

    def post(self, **options):
        """Return an answer whose body is still to be read.

        Raises:
            HTTPError: Its status is not that of success.
        """
        request = urllib.request.Request(
            f"{self.base_url}/chat/completions", json.dumps({**REQUEST, **options}).encode()
        )
        return urllib.request.urlopen(request, timeout=30)


@pytest.fixture
def served(mockchat):
    """Start the server before the test's script."""
    environment = {**os.environ, "OPENAI_BASE_URL": mockchat.base_url, "OPENAI_API_KEY": "any"}
    command = ["node", HERE / "server.mjs"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Served(process.stdout.readline().strip())
        finally:
            process.terminate()
