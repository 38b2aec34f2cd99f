"""Scenario files: the stubs of a script, written down in YAML or JSON instead of Python."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mockchat.contract.contract import Contract, contract_for
from mockchat.errors import BadArgument, MockchatError
from mockchat.payloads.text import DEFAULT_LOCALE, language
from mockchat.scripting.callers import caller_folder
from mockchat.scripting.quotas import Limits
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

__all__ = ["BrokenScenario", "Problem", "Scenario", "read_scenario", "scenario_beside"]

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
    def options(self) -> Mapping[str, object]:
        """The options of the script it asks for: the keywords of `script` and their values."""
        return {
            name: Limits(**value) if name == "limits" else value
            for name, value in self.said.value.items()
            if name not in _NO_OPTIONS
        }

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
            if self.said.value.get("locale", DEFAULT_LOCALE) != DEFAULT_LOCALE:
                language(self.said.value["locale"])  # looking into Faker takes 100 ms
            pointer = "/profile"
            return contract_for(self.said.value.get("profile", "openai"), schemas)
        except MockchatError as error:
            raise BrokenScenario(self.problem(pointer, str(error))) from None

    def check(self, schemas: Path | None = None) -> None:
        """Judge the stubs under the profile and the level the file names.

        Args:
            schemas: A folder of the caller's own profiles.

        Raises:
            BrokenScenario: Some are wrong, or there is no such profile.
        """
        level = self.said.value.get("level", "observed")
        self.add_to(Script(self.contract(schemas), level=level))

    def add_to(self, script: Script) -> None:
        """Add the stubs to a script, behind those it has; each is named after its line.

        Raises:
            BrokenScenario: Some are wrong under the script's contract: the script is as before. Or
                some can never answer behind those it has: the others were added.
        """
        __tracebackhide__ = True
        trial = Script(script.contract, level=script.level, abilities=script.abilities)
        name = Path(self.file).name
        faults = add_stubs(self.said, trial, name)
        if faults:
            raise BrokenScenario(*_problems(self.file, faults))
        faults = add_stubs(self.said, script, name)
        if faults:  # a stub that the script has already leaves no request to one of these
            raise BrokenScenario(*_problems(self.file, faults))


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
    return scenario_of(data, file)


def scenario_of(data: bytes, file: str) -> Scenario:
    """Return the scenario that a text holds, whose form is judged.

    Args:
        data: The text's bytes.
        file: How messages name it; the text is JSON where that ends so, else YAML.

    Raises:
        BrokenScenario: It is no scenario; every fault with its line.
    """
    said = located_bytes(data, file)
    faults = list(form_faults(said))
    if faults:
        raise BrokenScenario(*_problems(file, faults))
    return Scenario(file=file, said=said)


def scenario_beside(path: str | os.PathLike[str]) -> Scenario:
    """Read the scenario file a test names: relative to the file that calls.

    Raises:
        BadArgument: It cannot be read.
        BrokenScenario: It is no scenario; every fault with its line.
    """
    __tracebackhide__ = True
    full = caller_folder() / path
    try:
        return read_scenario(full, shown=_from_here(full))
    except OSError as error:
        allowed = f"a file that can be read ({error.strerror})"
        raise BadArgument("scenario", str(path), allowed) from None


def _from_here(path: Path) -> str:
    """Return the path from the current folder, where it is below that."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _problems(file: str, faults: Iterable[tuple[Place, str]]) -> list[Problem]:
    return [Problem(file, place, " ".join(words.split())) for place, words in sorted(faults)]
