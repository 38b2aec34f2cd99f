"""The file that keeps what a run has met: JSON with a version, written whole or not at all."""

import json
import os
import tempfile
from importlib.metadata import version
from pathlib import Path

from mockchat.coverage.tally import Tally
from mockchat.errors import MockchatError
from mockchat.types import Json, JsonObject

FORMAT = 1
"""The version of the file's form."""

FILE = ".mockchat-coverage"
"""What the file is called unless said."""


class BrokenCoverage(MockchatError, ValueError):
    """A file that holds no coverage of ours.

    Args:
        path: The file.
        problem: What is wrong with it.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return (
            f"{self.path} cannot be used: {self.problem}. "
            f"`pytest --mockchat-coverage` writes such a file"
        )


def as_data(tally: Tally) -> JsonObject:
    """Return a tally as JSON."""
    return {
        "format": FORMAT,
        "mockchat": version("mockchat"),
        "profile": tally.profile,
        "exchanges": tally.exchanges,
        "others": tally.others,
        "given": sorted(tally.given),
        "well": sorted(tally.well),
    }


def of_data(data: Json, source: str) -> Tally:
    """Return the tally that `as_data` wrote.

    Raises:
        BrokenCoverage: It is none, or of another version; `source` says whose.
    """
    if not isinstance(data, dict) or "format" not in data:
        raise BrokenCoverage(source, "it is no coverage of mockchat")
    if data["format"] != FORMAT:
        problem = f"it is of format {data['format']!r}, and this version reads {FORMAT}"
        raise BrokenCoverage(source, problem)
    for name, is_right in _MEMBERS.items():
        if name not in data or not is_right(data[name]):
            raise BrokenCoverage(source, f"its {name!r} is missing, or of another type")
    return Tally(
        profile=data["profile"],
        given=set(data["given"]),
        well=set(data["well"]),
        exchanges=data["exchanges"],
        others=data["others"],
    )


def _is_text(value: Json) -> bool:
    return isinstance(value, str)


def _is_count(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _are_names(value: Json) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


_MEMBERS = {
    "profile": _is_text,
    "exchanges": _is_count,
    "others": _is_count,
    "given": _are_names,
    "well": _are_names,
}


def read(path: Path) -> Tally:
    """Return the tally of a file.

    Raises:
        BrokenCoverage: It cannot be read as one.
    """
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise BrokenCoverage(str(path), error.strerror or "it cannot be read") from error
    except ValueError as error:
        raise BrokenCoverage(str(path), f"it is no JSON: {error}") from error
    return of_data(data, str(path))


def write(path: Path, tally: Tally) -> None:
    """Write a tally to a file; whoever reads meanwhile finds the one before.

    Raises:
        BrokenCoverage: It cannot be written.
    """
    text = json.dumps(as_data(tally), indent=1) + "\n"
    try:
        handle, name = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise BrokenCoverage(str(path), error.strerror or "it cannot be written") from error


def combined(tallies: list[Tally]) -> Tally:
    """Return several tallies of one profile as one.

    Raises:
        BrokenCoverage: They are of several profiles.
    """
    first, *rest = tallies
    whole = Tally(profile=first.profile)
    for tally in (first, *rest):
        if tally.profile != first.profile:
            problem = f"its profile is {tally.profile}, that of the others {first.profile}"
            raise BrokenCoverage("one of the files", problem)
        whole.merge(tally)
    return whole
