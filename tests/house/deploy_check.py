"""Do in a clean folder what the Dockerfile does, as far as that goes without Docker.

Run by `make deploy-check`, with `tests` on PYTHONPATH. What the image is built from is copied, the
commands of the first stage run, and the entry point of the second answers the health check and one
call, and ends in order. Left out is what needs a system of its own: making the user.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deployment import PROJECT, Instruction, is_sent, stages, the
from serving import server_environment

HOME = "/opt/mockchat"
SECONDS = 30


def tracked() -> list[str]:
    """Return the files of the checkout that git knows, or would know."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True).stdout
    return [name for name in listed.split("\0") if name and (PROJECT / name).is_file()]


def copy_context(folder: Path) -> None:
    """Copy what `.dockerignore` sends to the builder."""
    for name in filter(is_sent, tracked()):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, target)


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of a stage: ours, and `python` is the one that runs this."""
    paths = [str(Path(sys.executable).parent), os.environ["PATH"]]
    quiet = {"PIP_QUIET": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    return {**server_environment(), **quiet, "PATH": os.pathsep.join(paths), "HOME": str(folder)}


def build(stage: list[Instruction], folder: Path, home: Path) -> None:
    """Run the commands of the first stage."""
    source = folder / "src"
    source.mkdir()
    for instruction in stage[1:]:
        if instruction.name == "COPY":
            copy_context(source)
        elif instruction.name == "RUN":
            command = instruction.rest.replace(HOME, str(home))
            subprocess.run(["sh", "-ec", command], cwd=source, check=True, env=environment(folder))
        else:
            assert instruction.name == "WORKDIR", instruction


@contextmanager
def started(folder: Path, home: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start the entry point on a free port of this machine alone; give it with its base URL."""
    program, *options = the("ENTRYPOINT").command
    options = [text.replace("0.0.0.0", "127.0.0.1") for text in options]
    empty = folder / "empty"
    empty.mkdir()
    with subprocess.Popen(
        [home / "bin" / program, *options, "--port", "0"],
        cwd=empty,
        env={**environment(folder), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield process, re.search(r" at (http\S+)", process.stdout.readline())[1]
        finally:
            if process.poll() is None:
                process.send_signal(getattr(signal, the("STOPSIGNAL").rest))
            assert process.wait(SECONDS) == 0


def check(folder: Path, home: Path) -> None:
    """Ask the health check, then for a completion; nothing is written beside it."""
    with started(folder, home) as (_, base_url):
        port = re.search(r":([0-9]+)/", base_url)[1]
        program, *arguments = the("HEALTHCHECK").command
        arguments = [text.replace(the("EXPOSE").rest, port) for text in arguments]
        subprocess.run([home / "bin" / program, *arguments], check=True, timeout=SECONDS)
        body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello!"}]}
        request = urllib.request.Request(
            f"{base_url}/chat/completions",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=SECONDS) as response:
            completion = json.load(response)
    assert completion["choices"][0]["message"]["content"], completion
    assert not list((folder / "empty").iterdir())


def main() -> None:
    """Do it all in a temporary folder."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        home = folder / "opt" / "mockchat"
        home.parent.mkdir()
        build(stages()[0], folder, home)
        check(folder, home)
    print("the image's commands: installed, healthy, one call answered, ended in order")


if __name__ == "__main__":
    main()
