"""The real openai SDK, in its three major versions, talks to `mockchat serve`."""

import json
import subprocess
from pathlib import Path

import pytest
from sdk_calls import CALLS, CLIENTS, make_call
from serving import serving

PROJECT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("sdk_calls.py")


@pytest.fixture(scope="module")
def plain_url():
    """Serve what every client accepts."""
    with serving() as served:
        yield served.base_url


@pytest.mark.parametrize("client_kind", CLIENTS)
@pytest.mark.parametrize("call", CALLS)
def test_the_newest_sdk(call, client_kind, plain_url):
    """What most users have installed must work, every door of it."""
    make_call(call, client_kind, plain_url)


@pytest.mark.parametrize("major", ["1", "2"])
def test_older_sdks(major, plain_url):
    """Many applications stay behind by a major version or two."""
    python = PROJECT / ".venvs" / f"openai-{major}" / "bin" / "python"
    if not python.exists():
        pytest.skip(f"openai {major}.x is not installed: make sdks")
    run = subprocess.run(
        [python, SCRIPT, plain_url], capture_output=True, text=True, check=False, timeout=120
    )
    assert run.returncode == 0, run.stderr
    outcome = json.loads(run.stdout)
    assert outcome["version"].startswith(f"{major}.")
    assert outcome["calls"] == {f"{kind} {call}": None for kind in CLIENTS for call in CALLS}
