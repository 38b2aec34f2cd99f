"""A folder of profiles judged as a whole: what is wrong in which file, before anybody serves it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from mockchat.contract.document_lint import Fault, document_faults
from mockchat.contract.pointers import pointer_of
from mockchat.contract.profile import (
    LEVELS,
    Profile,
    json_object,
    load_profile,
    parent_of,
    profile_names,
)
from mockchat.contract.settings_lint import Reader, format_faults, has_place, settings_faults
from mockchat.contract.stream_axes import stream_axes
from mockchat.errors import BadArgument, BrokenProfile
from mockchat.types import JsonObject

CHECKS = {
    "unreadable": "a file is not a JSON object, or names a parent or a document that is not there",
    "setting": "a setting is unknown or malformed",
    "axis": "an axis of the stream is unknown, missing or has a value that is not allowed",
    "schema": "a document is not a JSON Schema of draft 2020-12",
    "reference": "a `$ref` leads nowhere",
    "union": "branches of a `oneOf` overlap",
    "unused": "nothing refers to a document or to a definition",
    "rule": "a rule is named that does not exist",
    "parameters": "the parameters of a rule are not those it takes",
    "dead-rule": "a rule can never fire: what it looks at is in no document",
    "idle": "a rule switched on here asks for what no model has, or a parameter of it names nothing",
    "error": "an error is named that `errors.json` does not have",
}
"""Every check with what it finds."""

_SETTINGS = ("profile", "errors")
_TAKEN = ("/without", "/extends")
"""Where `profile.json` is to blame for a document that none of its own files has made so."""
_UNSOUND = frozenset({"schema", "reference"})
"""Checks whose faults leave a document that nothing can be looked up in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something wrong with a profile of one's own.

    Attributes:
        check: Which of `CHECKS` found it.
        path: The file to look into.
        pointer: JSON Pointer into it, "" for the whole file.
        problem: What is wrong, in one sentence.
    """

    check: str
    path: Path
    pointer: str
    problem: str


def profile_folders(directory: Path) -> tuple[Path, ...]:
    """Return the profile folders that `directory` names: those in it, or itself if it is one.

    Raises:
        BadArgument: There is none.
    """
    whole = directory.resolve()
    if (whole / "profile.json").is_file():
        return (whole,)
    folders = tuple(sorted(path.parent for path in whole.glob("*/profile.json")))
    lacking = tuple({path.parent for path in whole.glob("*/*.json")} - {*folders})
    if not folders and not lacking:
        allowed = "a folder of profile folders, or one of them"
        raise BadArgument("DIR", str(directory), allowed)
    return tuple(sorted((*folders, *lacking)))


def lint(folder: Path, readers: Iterable[Reader] = ()) -> tuple[Problem, ...]:
    """Return what is wrong with the profile in `folder`, in a stable order.

    What is wrong with a sound parent already is its own affair and is not told again; a parent that
    cannot be read is.

    Args:
        folder: A profile folder; its parents stand beside it or are ours.
        readers: What else reads its settings, beside the axes of the stream.
    """
    problems = _unsound(folder, ())
    if problems:
        return problems
    try:
        profile = load_profile(folder.name, folder.parent)
        parent = parent_of(profile, folder.parent)
    except BrokenProfile as broken:
        return (_unreadable(Path(broken.path), broken.problem, broken.pointer),)
    every = (stream_axes, *readers)
    known = set() if parent is None else set(_faults(parent, every))
    own = _Own(folder)
    faults = [fault for fault in _faults(profile, every) if fault not in known]
    return tuple(dict.fromkeys(own.problem(fault) for fault in faults if own.is_its(fault)))


def _unsound(folder: Path, heirs: tuple[Path, ...]) -> tuple[Problem, ...]:
    """Return why a profile, or a parent beside it, cannot even be loaded."""
    if not (folder / "profile.json").is_file():
        return (_unreadable(folder, "the folder has no profile.json"),)
    if folder.name not in profile_names(folder.parent):
        problem = "the name has more than small letters, digits, '.', '_' and '-'"
        return (_unreadable(folder, problem),)
    own = _Own(folder)
    try:
        files = {home: own.file(home) for home in _SETTINGS}
    except BrokenProfile as broken:
        return (_unreadable(Path(broken.path), broken.problem),)
    problems = tuple(
        own.problem(fault) for home in _SETTINGS for fault in format_faults(home, files[home])
    )
    parent = folder.parent / str(files["profile"].get("extends"))
    if not problems and parent.is_dir() and parent not in (folder, *heirs):
        return _unsound(parent, (folder, *heirs))
    return problems


@lru_cache(maxsize=64)
def _faults(profile: Profile, readers: tuple[Reader, ...]) -> tuple[Fault, ...]:
    # Kept, because a parent is asked for with each of its heirs.
    faults = list(document_faults(profile.documents))
    for level in LEVELS:
        documents = profile.levels[level]
        stricter = [name for name in documents if documents[name] is not profile.documents[name]]
        faults += [] if _is_unsound(faults) else document_faults(documents, stricter)
    faults += [] if _is_unsound(faults) else settings_faults(profile, readers)
    return tuple(faults)


def _is_unsound(faults: Iterable[Fault]) -> bool:
    return any(fault.check in _UNSOUND for fault in faults)


def _unreadable(path: Path, problem: str, pointer: str = "") -> Problem:
    return Problem(check="unreadable", path=path, pointer=pointer, problem=problem)


class _Own:
    """The files of one folder, without its parents': where a fault of the merged profile is its own.

    Args:
        folder: The profile folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def file(self, stem: str) -> JsonObject:
        """Return what `<stem>.json` holds, nothing where there is none.

        Raises:
            BrokenProfile: It is not a JSON object.
        """
        path = self._folder / f"{stem}.json"
        return json_object(path) if path.is_file() else {}

    def is_its(self, fault: Fault) -> bool:
        """Say whether a fault is this folder's.

        An inherited rule that other models leave idle is not, nor a definition that is left over.
        """
        if fault.check == "idle":
            return has_place(self.file("profile"), fault.pointer)
        return fault.check != "unused" or not self._place(fault)[1].startswith(_TAKEN)

    def problem(self, fault: Fault) -> Problem:
        """Return the fault with the file and the place to look at."""
        stem, pointer = self._place(fault)
        problem = fault.problem
        if fault.home not in (stem, stem.removesuffix(".patch")):
            problem = f"{problem} (in {fault.home}.json at {fault.pointer or '/'})"
        path = self._folder / f"{stem}.json"
        return Problem(check=fault.check, path=path, pointer=pointer, problem=problem)

    def _place(self, fault: Fault) -> tuple[str, str]:
        home, pointer = fault.home, fault.pointer
        if home in _SETTINGS:
            return home, pointer
        patch = f"{home}.patch"
        if (self._folder / f"{home}.json").is_file():
            return home, pointer
        if has_place(self.file(patch), pointer):
            return patch, pointer
        settings = self.file("profile")
        for level in LEVELS:
            at = pointer_of(("levels", level, home)) + pointer
            if has_place(settings, at):
                return "profile", at
        at = pointer_of(("without", home))
        return "profile", at if has_place(settings, at) else "/extends"
