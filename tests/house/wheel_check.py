"""Build the sdist, the wheel from it, install that in a new environment elsewhere, make one call.

Run by `make wheel-check`, with `tests` on PYTHONPATH. What passes here is what a user gets from an
index: nothing of the checkout is in reach.
"""

import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from serving import server_environment, serving

PROJECT = Path(__file__).parents[2]


def run(*command: object, cwd: Path) -> str:
    """Run a command to its end and return its stdout; its stderr is ours."""
    texts = [str(part) for part in command]
    return subprocess.run(
        texts, cwd=cwd, check=True, stdout=subprocess.PIPE, text=True, env=server_environment()
    ).stdout


def built(folder: Path) -> Path:
    """Build both archives as an index would hold them, return the wheel."""
    run(sys.executable, "-m", "build", "--outdir", folder, PROJECT, cwd=folder)
    for archive in sorted(folder.iterdir()):
        print(f"{archive.name}: {archive.stat().st_size / 1024:.0f} KiB")
    return next(folder.glob("*.whl"))


def installed(wheel: Path, folder: Path) -> Path:
    """Install `wheel` and what it depends on in a new environment, return its Python."""
    run(sys.executable, "-m", "venv", folder, cwd=folder.parent)
    python = folder / "bin" / "python"
    quiet = ("-qq", "--disable-pip-version-check")
    run(python, "-m", "pip", "install", *quiet, wheel, cwd=folder.parent)
    return python


def check(python: Path, folder: Path) -> None:
    """Load every profile, then have the server answer one request."""
    names = [
        line.split()[0]
        for line in run(python, "-m", "mockchat", "profiles", cwd=folder).splitlines()
    ]
    assert "openai" in names, names
    with serving(python=python, cwd=folder, environment=server_environment()) as served:
        body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello!"}]}
        request = urllib.request.Request(
            f"{served.base_url}/chat/completions",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            completion = json.load(response)
        page = f"{served.base_url.removesuffix('/v1')}/_mockchat/"
        for file in ("", "page/page.js", "page/page.css"):
            with urllib.request.urlopen(page + file, timeout=10) as response:
                assert response.read(), file
    assert completion["choices"][0]["message"]["content"], completion
    print(f"installed wheel: {len(names)} profiles, one call answered, the live page is there")


def main() -> None:
    """Do it all in a temporary folder."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        archives = folder / "dist"
        archives.mkdir()
        check(installed(built(archives), folder / "venv"), folder)


if __name__ == "__main__":
    main()
