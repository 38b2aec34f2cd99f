"""The servers that others wrote, which `make others` installs, starts and checks, one at a time."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

PROJECT = Path(__file__).parents[2]
HOMES = PROJECT / ".venvs" / "others"
SETTINGS = Path(__file__).parent / "settings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """A server nobody here wrote.

    Attributes:
        name: What the page calls it, and the folder it is installed in.
        installer: Which registry has it.
        package: Its name there.
        version: The version that is checked; the page names it.
        command: How it is started. `{bin}` is the folder of its commands, `{port}` the port to
            listen on, `{settings}` the folder of settings and `{schemas}` our documents.
        base_path: What stands before "/chat/completions".
        model: A model it answers for.
        setup: How it was told to answer, in words.
        environment: What it finds in its environment besides.
    """

    name: str
    installer: Literal["pip", "npm"]
    package: str
    version: str
    command: tuple[str, ...]
    base_path: str = "/v1"
    model: str = "gpt-4o-mini"
    setup: str
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        """Where it is installed."""
        return HOMES / self.name

    @property
    def requirement(self) -> str:
        """What its installer is asked for."""
        return f"{self.package}{'==' if self.installer == 'pip' else '@'}{self.version}"

    @property
    def scripts(self) -> Path:
        """Where its commands are."""
        return self.home / ("bin" if self.installer == "pip" else "node_modules/.bin")

    def words(self, port: int) -> list[str]:
        """Return the command that starts it on `port`."""
        places = {
            "bin": self.scripts,
            "port": port,
            "settings": SETTINGS,
            "schemas": PROJECT / "schemas",
        }
        return [word.format(**places) for word in self.command]

    def variables(self, port: int) -> dict[str, str]:
        """Return what it finds in its environment besides ours."""
        named = {name: value.format(port=port) for name, value in self.environment.items()}
        return {"PATH": f"{self.scripts}{os.pathsep}{os.environ.get('PATH', '')}", **named}


OTHERS = (
    Other(
        name="litellm",
        installer="pip",
        package="litellm[proxy]",
        version="1.106.2",
        command=(
            *("{bin}/litellm", "--config", "{settings}/litellm.yaml"),
            *("--host", "127.0.0.1", "--port", "{port}", "--telemetry", "False"),
        ),
        setup="the proxy; one model with `mock_response`",
        environment={
            "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_LOG": "ERROR",
        },
    ),
    Other(
        name="aimock",
        installer="npm",
        package="@copilotkit/aimock",
        version="1.43.0",
        command=(
            *("{bin}/llmock", "-h", "127.0.0.1", "-p", "{port}"),
            *("-f", "{settings}/aimock.json", "--log-level", "silent"),
        ),
        setup="a fixture that calls the tool of the probes, one that says hello to everything else",
    ),
    Other(
        name="prism",
        installer="npm",
        package="@stoplight/prism-cli",
        version="5.16.0",
        command=(
            *("{bin}/prism", "mock", "-h", "127.0.0.1", "-p", "{port}", "--errors"),
            "{schemas}/openai/openapi.json",
        ),
        base_path="",
        setup="serves `schemas/openai/openapi.json`, with `--errors`",
    ),
    Other(
        name="llmock",
        installer="pip",
        package="llmock",
        version="0.2.2",
        command=(
            *("{bin}/llmock", "serve", "-h", "127.0.0.1", "-p", "{port}"),
            *("--log-level", "warning"),
        ),
        setup="as it comes (the llmock of PyPI)",
    ),
    Other(
        name="llmock-node",
        installer="npm",
        package="llmock",
        version="3.3.6",
        command=(
            *("{bin}/llmock", "start", "--foreground", "--host=127.0.0.1", "--port={port}"),
            *("--endpoint=v1/chat/completions", "--validateRequests=false"),
            *("--delayMin=0", "--delayMax=0", "--logRequests=false"),
        ),
        setup="without delay, and without its request template, which refuses the simplest request "
        "(the llmock of npm)",
    ),
    Other(
        name="mock-llm",
        installer="npm",
        package="@dwmkerr/mock-llm",
        version="0.1.29",
        command=("{bin}/mock-llm",),
        setup="as it comes: it echoes",
        environment={"HOST": "127.0.0.1", "PORT": "{port}"},
    ),
    Other(
        name="mockllm",
        installer="pip",
        package="mockllm",
        version="0.0.8",
        command=(
            *("{bin}/mockllm", "start", "-h", "127.0.0.1", "-p", "{port}"),
            *("-r", "{settings}/mockllm.yml"),
        ),
        setup="a list of answers, one for everything else",
    ),
    Other(
        name="ai-mock",
        installer="pip",
        package="ai-mock",
        version="0.3.1",
        command=(
            *("{bin}/ai-mock", "server", "-h", "127.0.0.1", "-p", "{port}"),
            "{settings}/ai-mock.json",
        ),
        base_path="/openai",
        setup="a list of one answer; it echoes everything else",
    ),
)
