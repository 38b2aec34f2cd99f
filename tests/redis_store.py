"""Run a Redis server of our own, as Debian packages it."""

import shutil
import subprocess
from pathlib import Path


class RedisStore:
    """A Redis that listens on a socket file and keeps nothing on disk.

    Attributes:
        url: What `--state` is given.
    """

    def __init__(self, path: Path) -> None:
        program = shutil.which("redis-server")
        if program is None:
            raise FileNotFoundError("no redis-server here; `make redis` installs Debian's")
        self._command = [program, "--port", "0", "--unixsocket", str(path), "--save", ""]
        self.url = f"unix://{path}"

    def start(self) -> None:
        """Start it, and return when it accepts connections."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "eady to accept connections" in line:
                return
        raise RuntimeError("redis-server ended before it was ready")

    def stop(self) -> None:
        """Kill it: what it kept is gone."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
