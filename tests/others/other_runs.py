"""Install, start, check and stop servers of others; nothing of theirs is left running."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO

from other_servers import Other

INSTALL_SECONDS = 300
START_SECONDS = 60
CHECK_SECONDS = 400
STOP_SECONDS = 10
ANSWER_SECONDS = 10
_NOWHERE = "http://127.0.0.1:9"
_LAST = 300


class NotRun(Exception):
    """A server that cannot be checked here; the text is the reason."""


def install(other: Other) -> None:
    """Install a server into a folder of its own, unless that version stands there already.

    Raises:
        NotRun: Its installer is missing, or did not get it.
    """
    ready = other.home / ".ready"
    if ready.is_file() and ready.read_text() == other.requirement:
        return
    home = str(other.home)
    other.home.mkdir(parents=True, exist_ok=True)
    if other.installer == "npm":
        npm = ("npm", "install", "--silent", "--no-audit", "--no-fund", "--fetch-retries=1")
        run([*npm, "--prefix", home, other.requirement], INSTALL_SECONDS)
    else:
        run([sys.executable, "-m", "venv", "--clear", home], INSTALL_SECONDS)
        pip = (f"{home}/bin/python", "-m", "pip", "install", "-qq", "--disable-pip-version-check")
        run([*pip, other.requirement], INSTALL_SECONDS)
    ready.write_text(other.requirement)


def run(words: Sequence[str], seconds: float) -> None:
    """Run a command that must succeed.

    Raises:
        NotRun: It is missing, takes too long, or fails; the reason is the end of what it said.
    """
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False
        )
    except FileNotFoundError as error:
        raise NotRun(f"{words[0]} is not here") from error
    except subprocess.TimeoutExpired as error:
        raise NotRun(f"{' '.join(words[:3])} took more than {seconds:g} s") from error
    if done.returncode:
        raise NotRun(_end_of(done.stderr or done.stdout) or f"{words[0]} failed without a word")


def _end_of(said: bytes) -> str:
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return lines[-1][-_LAST:] if lines else ""


@contextmanager
def started(
    words: Sequence[str], port: int, environment: Mapping[str, str], *, seconds: float
) -> Iterator[None]:
    """Run a server in a process group of its own while the block lasts.

    What it may want from elsewhere leads nowhere: its proxies are a closed port.

    Raises:
        NotRun: It ended, or did not listen within `seconds`.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MOCKCHAT_", "OPENAI_")) and not name.lower().endswith("_proxy")
    }
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), _NOWHERE)
    with tempfile.TemporaryFile() as said, tempfile.TemporaryDirectory() as folder:
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env={**inherited, **proxies, "NO_PROXY": "127.0.0.1,localhost", **environment},
                start_new_session=True,
            )
        except OSError as error:
            raise NotRun(f"{words[0]}: {error.strerror}") from error
        try:
            _wait_for(process, port, said, seconds)
            yield
        finally:
            stop(process)


def _wait_for(
    process: "subprocess.Popen[bytes]", port: int, said: IO[bytes], seconds: float
) -> None:
    """Return when something answers HTTP on `port`, whatever it says."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            said.seek(0)
            reason = _end_of(said.read()) or "it said nothing"
            raise NotRun(f"it ended with status {process.returncode}: {reason}")
        connection = HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
        try:
            connection.request("GET", "/models", headers={"authorization": "Bearer none"})
            connection.getresponse()
        except (OSError, HTTPException):
            time.sleep(0.1)
        else:
            return
        finally:
            connection.close()
    raise NotRun(f"it did not listen within {seconds:g} s")


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End a server and what it started, first by asking."""
    for wish in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, wish)
        except ProcessLookupError:
            break
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue
    process.wait(STOP_SECONDS)


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def checked(
    url: str, *, profile: str = "openai", model: str | None = None, depth: str = "full"
) -> dict[str, object]:
    """Return the report of `mockchat check` on what answers at `url`, as JSON.

    Raises:
        NotRun: There is none.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.json"
        options = ["--depth", depth, "--profile", profile, "--timeout", str(ANSWER_SECONDS)]
        options += ["--model", model] if model is not None else []
        command = [sys.executable, "-m", "mockchat", "check", url, *options, "--json", str(file)]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=CHECK_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise NotRun(f"the check took more than {CHECK_SECONDS} s") from error
        if not file.is_file():
            raise NotRun(_end_of(done.stderr) or "the check wrote no report")
        return dict(json.loads(file.read_bytes()))


def measured(other: Other) -> dict[str, object]:
    """Install, start, check and stop one server; return the report.

    Raises:
        NotRun: It could not be installed, started or asked.
    """
    install(other)
    port = free_port()
    with started(other.words(port), port, other.variables(port), seconds=START_SECONDS):
        url = f"http://127.0.0.1:{port}{other.base_path}"
        return checked(url, model=other.model, depth="fuzz")
