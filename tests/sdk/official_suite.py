"""Run the openai SDK's own tests of chat completions and models against `mockchat serve`.

Usage: official_suite.py ENVIRONMENT [pytest options]

ENVIRONMENT is a virtual environment with the SDK and pytest, which also holds the SDK's source
archive of the same version: the archive carries the tests. They send combinations that the real
service refuses (their values come from a generator), hence `--validation schema`.
"""

import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from serving import serving

SUITE = ("tests/api_resources/chat", "tests/api_resources/test_models.py")


def main(environment: Path, options: list[str]) -> int:
    """Return the exit status of the suite's pytest."""
    archive = next(environment.glob("openai-*.tar.gz"))
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(archive) as opened:
            opened.extractall(folder, filter="data")
        source = next(Path(folder).iterdir())
        # The sources of the SDK must not shadow the installed one, and its pytest options need tools we do without.
        command = [environment / "bin" / "python", "-m", "pytest", "-o", "addopts=", "-q"]
        with serving("--validation", "schema") as served:
            print(f"{source.name}: {', '.join(SUITE)} against {served.base_url}", flush=True)
            return subprocess.run(
                [*command, *options, *SUITE],
                cwd=source,
                env={**os.environ, "TEST_API_BASE_URL": served.base_url},
                check=False,
            ).returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), sys.argv[2:]))
