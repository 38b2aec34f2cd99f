"""Read the files that deploy mockchat: Dockerfile, .dockerignore, and the examples of the manual."""

import fnmatch
import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Instruction:
    """One instruction of a Dockerfile."""

    name: str
    rest: str

    @property
    def command(self) -> list[str]:
        """The program and its arguments, of the exec form or of the shell's."""
        text = self.rest.partition("CMD ")[2] if self.name == "HEALTHCHECK" else self.rest
        return json.loads(text) if text.startswith("[") else shlex.split(text)


def instructions() -> list[Instruction]:
    """Return the instructions of the Dockerfile in order."""
    text = re.sub(r"\\\n\s*", " ", (PROJECT / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [Instruction(*line.split(" ", 1)) for line in lines]


def stages() -> list[list[Instruction]]:
    """Return the instructions of each stage, from its FROM on."""
    found: list[list[Instruction]] = []
    for instruction in instructions():
        if instruction.name == "FROM":
            found.append([])
        found[-1].append(instruction)
    return found


def the(name: str) -> Instruction:
    """Return the one instruction of this name in the last stage."""
    (found,) = [one for one in stages()[-1] if one.name == name]
    return found


def is_sent(path: str) -> bool:
    """Tell whether a file of the checkout goes to the builder, by `.dockerignore`."""
    parts = path.split("/")
    above = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    sent = True
    for line in (PROJECT / ".dockerignore").read_text().splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        wanted = pattern.removeprefix("!")
        deep = wanted.removeprefix("**/")
        names = parts if wanted.startswith("**/") else above
        if any(fnmatch.fnmatchcase(name, deep) for name in names):
            sent = pattern.startswith("!")
    return sent


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of a language in the manual of operations."""
    text = (PROJECT / "docs" / "operations.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
