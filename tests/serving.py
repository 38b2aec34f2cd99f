"""Run `mockchat serve` as a process of its own, as a stranger does."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

STOP_SECONDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A running server: where it is, what it printed on stdout, its process."""

    base_url: str
    greeting: str
    process: subprocess.Popen[str]
    stderr: IO[str]

    def errors(self) -> str:
        """Return what the server has said on stderr."""
        self.stderr.seek(0)
        return self.stderr.read()


def server_environment(**changes: str) -> dict[str, str]:
    """Return the environment for a server: ours without what would configure it, plus `changes`."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MOCKCHAT_", "OPENAI_", "PYTEST_"))
    }
    return {**inherited, "PYTHONUNBUFFERED": "1", **changes}


@contextmanager
def serving(
    *options: str,
    python: str | Path = sys.executable,
    cwd: Path | None = None,
    environment: dict[str, str] | None = None,
) -> Iterator[Served]:
    """Start `mockchat serve` on a free port, give it when it listens, stop it.

    Raises:
        RuntimeError: The server ended before it listened; the text is what it said on stderr.
    """
    # A file, not a pipe: nobody reads while the server talks, and a full pipe would stop it.
    with (
        tempfile.TemporaryFile("w+") as stderr,
        subprocess.Popen(
            [str(python), "-m", "mockchat", "serve", "--port", "0", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            cwd=cwd,
            env=environment if environment is not None else server_environment(),
        ) as process,
    ):
        try:
            yield _when_listening(process, stderr)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def _when_listening(process: subprocess.Popen[str], stderr: IO[str]) -> Served:
    """Read the greeting to its last line, the curl to copy."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("curl "):
            break
    greeting = "".join(lines)
    found = re.search(r"^export OPENAI_BASE_URL=(\S+)", greeting, re.MULTILINE)
    if found is None:
        process.wait(STOP_SECONDS)
        stderr.seek(0)
        raise RuntimeError(stderr.read() or f"no base URL in {greeting!r}")
    return Served(base_url=found[1], greeting=greeting, process=process, stderr=stderr)
