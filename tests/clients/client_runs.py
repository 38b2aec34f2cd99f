"""Run a client over the cases and say, in words, what came of each."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from client_cases import Case

from mockchat import Mockchat, MockServer, tool_call

PROJECT = Path(__file__).parents[2]
HERE = Path(__file__).parent
VENVS = PROJECT / ".venvs"
NODE_FOLDER = VENVS / "openai-node"

TEXT = "Grüße, 世界 👋 Welt"
DEADLINE = 20.0
"""Seconds after which a client is said to wait; its longest chain of retries takes four."""

READERS = {
    "loop": "A loop over the chunks",
    "helper": "`.stream()`",
    "reply": "Without streaming",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A client of the API that a process of its own runs.

    Attributes:
        name: The head of its column.
        command: What starts its driver.
        kinds: The clients it has.
        needs: The file without which it is not installed.
        target: What make installs it with.
    """

    name: str
    command: tuple[str, ...]
    kinds: tuple[str, ...] = ("sync", "async")
    needs: Path

    @property
    def missing(self) -> str | None:
        """Why it cannot run here, or None."""
        if shutil.which(self.command[0]) is None:
            return f"{self.command[0]} is not installed"
        return None if self.needs.exists() else f"{self.name} is not installed: make sdks"


def _python(name: str, executable: Path) -> Client:
    driver = str(HERE / "stream_reading.py")
    return Client(name=name, command=(str(executable), driver), needs=executable)


NEWEST = _python("openai 3", Path(sys.executable))
NODE = Client(
    name="openai-node 7",
    command=("node", str(HERE / "read_streams.mjs"), str(NODE_FOLDER)),
    kinds=("node",),
    needs=NODE_FOLDER / "node_modules" / "openai" / "package.json",
)
CLIENTS = (
    *(
        _python(f"openai {major}", VENVS / f"openai-{major}" / "bin" / "python")
        for major in ("1", "2")
    ),
    NEWEST,
    NODE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one client did.

    Attributes:
        version: Which one it is, exactly.
        cells: What came of each case, by its name and the reader.
    """

    version: str
    cells: dict[tuple[str, str], str]


def measure(client: Client, cases: Sequence[Case]) -> Measured:
    """Let a client read every case by every reader it allows, with the client's usual retries."""
    wanted = [
        (case, reader, kind) for case in cases for reader in case.readers for kind in client.kinds
    ]
    with MockServer() as server, ExitStack() as opened:
        chats = []
        for case, reader, kind in wanted:
            script = server.script(name=f"{case.name} {reader} {kind}", unused="ignore")
            chats.append(opened.enter_context(script))
            said = tool_call("get_weather", city="Oslo") if case.occasion == "tool calls" else TEXT
            chats[-1].reply(said, plan=case.plan, fault=case.fault).forever()
        version, found = _run(client, wanted, chats)
        counted = [len(chat.journal) for chat in chats]
    told: dict[tuple[str, str], dict[str, str]] = {}
    for (case, reader, kind), one, attempts in zip(wanted, found, counted, strict=True):
        tries = f" ({attempts} attempts)" if attempts > 1 else ""
        words = f"{verdict(one, case.occasion, reader)}{tries}"
        told.setdefault((case.name, reader), {})[kind] = words
    return Measured(version=version, cells={key: _cell(said) for key, said in told.items()})


def _run(
    client: Client, wanted: Sequence[tuple[Case, str, str]], chats: Sequence[Mockchat]
) -> tuple[str, list[dict[str, Any]]]:
    jobs = [
        {
            "url": chat.base_url,
            "occasion": case.occasion,
            "reader": reader,
            "kind": kind,
            "timeout": case.timeout,
        }
        for (case, reader, kind), chat in zip(wanted, chats, strict=True)
    ]
    run = subprocess.run(
        client.command,
        input=json.dumps({"deadline": DEADLINE, "jobs": jobs}),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")},
    )
    if run.returncode != 0:
        raise RuntimeError(run.stderr)
    told = json.loads(run.stdout)
    return told["client"], told["found"]


def verdict(found: dict[str, Any], occasion: str, reader: str) -> str:
    """Return "whole", "raises X", "waits", or "wrong: " and what was, without any error."""
    if "read" not in found:
        return "waits" if "waits" in found else f"raises {found['raised']}"
    is_call = occasion == "tool calls"
    whole = {
        "role": "assistant",
        "text": "" if is_call else TEXT,
        "finish": "tool_calls" if is_call else "stop",
        "calls": [["0", "function", "get_weather", '{"city": "Oslo"}']] if is_call else [],
        "usage": occasion == "usage" or reader == "reply",
    }
    wrong = [name for name, value in whole.items() if found["read"][name] != value]
    return f"wrong: {', '.join(wrong)}" if wrong else "whole"


def _cell(said: dict[str, str]) -> str:
    if len(set(said.values())) == 1:
        return next(iter(said.values()))
    return "; ".join(f"{kind}: {words}" for kind, words in said.items())
