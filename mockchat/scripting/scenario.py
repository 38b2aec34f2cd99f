"""Scenario files: the stubs of a script, written down in YAML or JSON instead of Python."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mockchat.contract.contract import Contract, contract_for
from mockchat.errors import MockchatError
from mockchat.payloads.text import DEFAULT_LOCALE, language
from mockchat.scripting.scenario_file import LARGEST, located_bytes
from mockchat.scripting.scenario_form import form_faults
from mockchat.scripting.scenario_places import (
    BrokenScenario,
    Located,
    Place,
    Problem,
)
from mockchat.scripting.scenario_stubs import add_stubs
from mockchat.scripting.script import Script
from mockchat.types import Json

__all__ = ["BrokenScenario", "Problem", "Scenario", "read_scenario"]

_NO_OPTIONS = {"$schema", "stubs"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A scenario file whose form is sound.

    Attributes:
        file: Its name, as messages show it.
        said: What it says.
    """

    file: str
    said: Located

    @property
    def options(self) -> Mapping[str, Json]:
        """The options of the script it asks for: the keywords of `script`."""
        return {name: v for name, v in self.said.value.items() if name not in _NO_OPTIONS}

    @property
    def stubs(self) -> int:
        """How many stubs it has."""
        return len(self.said.value["stubs"])

    def problem(self, pointer: str, message: str) -> Problem:
        """Return a problem with what stands at a JSON Pointer of the file."""
        return Problem(self.file, self.said.value_place(pointer), message)

    def contract(self, schemas: Path | None = None) -> Contract:
        """Return the contract of the profile it names, `openai` if it names none.

        Args:
            schemas: A folder of the caller's own profiles.

        Raises:
            BrokenScenario: There is no such profile, or no such locale.
        """
        try:
            pointer = "/locale"
            language(self.options.get("locale", DEFAULT_LOCALE))
            pointer = "/profile"
            return contract_for(self.options.get("profile", "openai"), schemas)
        except MockchatError as error:
            raise BrokenScenario(self.problem(pointer, str(error))) from None

    def add_to(self, script: Script) -> None:
        """Add the stubs to a script, behind those it has; each is named after its line.

        Raises:
            BrokenScenario: Some are wrong under the script's contract; the script is as before.
        """
        __tracebackhide__ = True
        trial = Script(script.contract, level=script.level)
        name = Path(self.file).name
        faults = add_stubs(self.said, trial, name)
        if faults:
            raise BrokenScenario(*_problems(self.file, faults))
        add_stubs(self.said, script, name)


def read_scenario(path: str | os.PathLike[str], *, shown: str | None = None) -> Scenario:
    """Read a scenario file and judge its form.

    Args:
        path: The file; JSON where its name ends so, else YAML.
        shown: How messages name it; by its path if not given.

    Raises:
        OSError: It cannot be read.
        BrokenScenario: It is no scenario; every fault with its line.
    """
    file = os.fspath(path) if shown is None else shown
    with Path(path).open("rb") as stream:
        data = stream.read(LARGEST + 1)
    said = located_bytes(data, file)
    faults = list(form_faults(said))
    if faults:
        raise BrokenScenario(*_problems(file, faults))
    return Scenario(file=file, said=said)


def _problems(file: str, faults: Iterable[tuple[Place, str]]) -> list[Problem]:
    return [Problem(file, place, " ".join(words.split())) for place, words in sorted(faults)]
