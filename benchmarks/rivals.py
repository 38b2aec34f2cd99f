"""How the servers under load are started, each so that it answers the same fifty characters.

Peers are looked for in `.venvs/peers-node` (npm), where `make load` installs them.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

PROJECT = Path(__file__).parents[1]
NODE = Path(os.environ.get("PEERS_NODE", PROJECT / ".venvs/peers-node")) / "node_modules"
TEXT = "The quick brown fox jumps over the lazy dog again."
PATH = "/v1/chat/completions"
COMPLETION = {
    "id": "chatcmpl-0123456789",
    "object": "chat.completion",
    "created": 1_700_000_000,
    "model": "gpt-4o-mini",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": TEXT, "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 8, "completion_tokens": 12, "total_tokens": 20},
}


def chunk(content):
    """Return one event of a stream."""
    choice = {
        "index": 0,
        "delta": {"content": content},
        "logprobs": None,
        "finish_reason": None,
    }
    body = {**COMPLETION, "object": "chat.completion.chunk", "choices": [choice], "usage": None}
    return f"data: {json.dumps(body)}\n\n"


def mockchat(engine, folder, port, pace):
    """Serve a scripted reply, journal on; paced where a pace is given."""
    pacing = f"\n    pacing: {{inter_token: {pace}}}" if pace else ""
    scenario = folder / "scenario.yaml"
    scenario.write_text(
        "stubs:\n"
        f"  - reply: {json.dumps(TEXT)}\n    plan: {{chunks_of: 1}}{pacing}\n    forever: true\n"
    )
    return [
        *(sys.executable, "-m", "mockchat", "serve", "--port", str(port), "--engine", engine),
        *("--scenario", str(scenario), "--limit", "connections=20000"),
    ]


def generating(engine, _, port, __):
    """Serve replies that nobody wrote."""
    return [*(sys.executable, "-m", "mockchat", "serve", "--port", str(port), "--engine", engine)]


def aimock(folder, port, pace):
    """Serve a fixture, a character a chunk."""
    fixtures = folder / "fixtures.json"
    fixture = {"match": {"userMessage": "bench"}, "response": {"content": TEXT}}
    fixtures.write_text(json.dumps({"fixtures": [fixture]}))
    program = NODE / "@copilotkit/aimock/dist/cli.js"
    return [
        *("node", str(program), "-p", str(port), "-h", "127.0.0.1", "-f", str(fixtures)),
        *("-c", "1", "-l", str(int(pace * 1000)), "--log-level", "silent"),
    ]


def prism(folder, port, _):
    """Serve the example of an OpenAPI document; it knows no streams."""
    document = folder / "openapi.json"
    content = {"application/json": {"schema": {"type": "object"}, "example": COMPLETION}}
    operation = {
        "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
        "responses": {"200": {"description": "a completion", "content": content}},
    }
    info = {"title": "chat", "version": "1"}
    document.write_text(
        json.dumps({"openapi": "3.1.0", "info": info, "paths": {PATH: {"post": operation}}})
    )
    program = NODE / "@stoplight/prism-cli/dist/index.js"
    return [
        *("node", str(program), "mock", "-h", "127.0.0.1", "-p", str(port)),
        *("--verboseLevel", "silent", str(document)),
    ]


def wiremock(folder, port, _):
    """Serve two canned bodies, its own request journal off, as its manual asks for under load."""
    mappings = folder / "mappings"
    mappings.mkdir()
    events = "".join(map(chunk, TEXT)) + "data: [DONE]\n\n"
    streams = {"bodyPatterns": [{"matchesJsonPath": "$[?(@.stream == true)]"}]}
    for name, match, kind, body, priority in (
        ("json", {}, "application/json", json.dumps(COMPLETION), 5),
        ("stream", streams, "text/event-stream", events, 1),
    ):
        response = {"status": 200, "headers": {"Content-Type": kind}, "body": body}
        request = {"method": "POST", "urlPath": PATH, **match}
        mapping = {"request": request, "response": response, "priority": priority}
        (mappings / f"{name}.json").write_text(json.dumps(mapping))
    (jar,) = (NODE / "wiremock/build").glob("*.jar")
    return [
        *("java", "-jar", str(jar), "--bind-address", "127.0.0.1", "--port", str(port)),
        *("--root-dir", str(folder), "--no-request-journal", "--disable-request-logging"),
        "--disable-banner",
    ]


def mock_llm(folder, port, pace):
    """Serve one completion; its streams have a timer of a millisecond and more for each chunk."""
    config = folder / "mock-llm.yaml"
    rule = {
        "path": PATH,
        "method": "POST",
        "match": "@",
        "response": {"status": 200, "content": json.dumps(COMPLETION)},
    }
    streaming = {"chunkSize": 1, "chunkIntervalMs": int(pace * 1000)}
    config.write_text(json.dumps({"streaming": streaming, "rules": [rule]}))
    program = NODE / "@dwmkerr/mock-llm/dist/main.js"
    environment = ("env", f"PORT={port}", "HOST=127.0.0.1")
    return [*environment, "node", str(program), "--config", str(config)]


SERVERS = {
    "asyncio": (lambda *where: mockchat("asyncio", *where), None),
    "asyncio generated": (lambda *where: generating("asyncio", *where), None),
    "werkzeug": (lambda *where: mockchat("werkzeug", *where), None),
    "aimock": (aimock, "@copilotkit/aimock"),
    "Prism": (prism, "@stoplight/prism-cli"),
    "mock-llm": (mock_llm, "@dwmkerr/mock-llm"),
    "WireMock": (wiremock, "wiremock"),
}
"""By name: how it is started, and the npm package that must be there; None: it is ours."""
WITHOUT_STREAMS = {"Prism"}
_PAUSE = 0.01
_TRIES = 6_000
"""Times that a server is asked whether it answers, with that pause between: a minute."""


def missing(name):
    """Return why a server cannot be started, None if it can."""
    package = SERVERS[name][1]
    if package is None:
        return None
    if not (NODE / package).is_dir():
        return f"{package} is not installed"
    program = "java" if name == "WireMock" else "node"
    return None if shutil.which(program) else f"there is no {program}"


class Rival:
    """A running server, with the CPU and the memory that its processes use."""

    def __init__(self, name, folder, port, *, pace=0.0):
        folder.mkdir()
        started = time.perf_counter()
        self.port = port
        command = SERVERS[name][0](folder, port, pace)
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._wait(folder)
        self.first_reply = time.perf_counter() - started

    def _wait(self, folder):
        body = json.dumps({"model": "gpt-4o-mini", "messages": [MESSAGE]}).encode()
        for _ in range(_TRIES):
            try:
                request = urllib.request.Request(
                    f"http://127.0.0.1:{self.port}{PATH}",
                    body,
                    {"content-type": "application/json", "authorization": "Bearer any"},
                )
                urllib.request.urlopen(request, timeout=10).read()
            except OSError as error:
                reason = error
                if self.process.poll() is not None:
                    break
                time.sleep(_PAUSE)
            else:
                return
        raise SystemExit(f"a server does not answer: {reason}\n{(folder / 'log').read_text()}")

    def _processes(self):
        """Return the ids of its process and of all below it."""
        found, queue = [], [self.process.pid]
        while queue:
            process = queue.pop()
            found.append(process)
            for task in Path(f"/proc/{process}/task").glob("*/children"):
                with contextlib.suppress(OSError):  # a thread that ended meanwhile
                    queue += map(int, task.read_text().split())
        return found

    def cpu(self):
        """Return the CPU seconds used so far."""
        ticks = 0
        for process in self._processes():
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / 100

    def memory(self):
        """Return the resident KiB."""
        return sum(
            int(line.split()[1])
            for process in self._processes()
            for line in Path(f"/proc/{process}/status").read_text().splitlines()
            if line.startswith("VmRSS")
        )

    def load(self, body, connections, seconds, count=None, *, pace=0.0):
        """Load it and return what the client saw, and what the server used."""
        before = self.cpu()
        arguments = ["127.0.0.1", self.port, PATH, body, connections, seconds]
        arguments += [] if count is None else [count]
        run = subprocess.Popen(
            [sys.executable, str(PROJECT / "benchmarks/load_many.py"), *map(str, arguments)],
            stdout=subprocess.PIPE,
            text=True,
            env={"PACE": str(pace), "PATH": ""},
        )
        peak = self.memory()
        while run.poll() is None:
            time.sleep(0.1)
            peak = max(peak, self.memory())
        if run.returncode:
            raise SystemExit(f"the load client failed: {run.returncode}")
        outcome = json.loads(run.stdout.read())
        replies = max(1, outcome["replies"])
        outcome["rate"] = outcome["replies"] / outcome["seconds"]
        outcome["cpu_us"] = (self.cpu() - before) / replies * 1e6
        outcome["peak_kib"] = peak
        return outcome

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


MESSAGE = {"role": "user", "content": "bench"}
