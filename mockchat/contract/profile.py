"""Profiles: the schema folders, read with their parents and kept.

A profile is a folder: `profile.json` (settings), `errors.json` (the error catalogue) and a JSON
Schema document per name. A folder that says `extends` adds to another one: `<name>.json` replaces
the parent's document, `<name>.patch.json` is a JSON Merge Patch on it, `profile.json` and
`errors.json` are merge patches as they stand.
"""

import difflib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import get_args

from mockchat.contract.merge import merge_patch, without
from mockchat.contract.pointers import pointer_of, tokens_of
from mockchat.errors import BadArgument, BrokenProfile, UnknownProfile
from mockchat.types import Json, JsonObject, JsonView, Level

LEVELS: tuple[Level, ...] = get_args(Level)
OWN_WORDS = ("summary", "sources", "deviations", "differences", "without")
"""Settings that describe one folder and are not handed down."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*", re.ASCII)
_PATCH = ".patch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model a profile knows.

    Attributes:
        id: The name a request uses.
        created: Unix time in seconds, as `GET /v1/models` tells it.
        owned_by: The owner, as `GET /v1/models` tells it.
        snapshot: The dated name that a reply carries; `id` itself where there is none.
        capabilities: What the rules ask: `reasoning`, `audio`, `efforts`, `max_n` …; a key that is
            absent is not known, and no rule judges by it.
    """

    id: str
    created: int
    owned_by: str
    snapshot: str
    capabilities: JsonView


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Profile:
    """One variant of the contract, parents already merged in. For reading only.

    Attributes:
        name: The folder's name.
        summary: What it stands for, in one sentence.
        sources: Where its facts come from.
        extends: The parent's name, or None.
        deviations: What it is known not to reproduce.
        settings: `profile.json` merged over the parents'.
        errors: The error catalogue, merged over the parents'.
        levels: The documents by level and name.
        models: The models `GET /v1/models` lists, dated snapshots included.
    """

    name: str
    summary: str
    sources: tuple[str, ...]
    extends: str | None
    deviations: tuple[Json, ...]
    settings: JsonObject
    errors: JsonObject
    levels: Mapping[Level, Mapping[str, JsonObject]]
    models: tuple[Model, ...]

    @property
    def documents(self) -> Mapping[str, JsonObject]:
        """The documents at level `observed`, by name ("request", "response" …)."""
        return self.levels["observed"]

    def document(self, name: str, level: Level = "observed") -> JsonObject:
        """Return the document called `name` as `level` reads it.

        Raises:
            BadArgument: The profile has no such document.
        """
        documents = self.levels[level]
        if name not in documents:
            raise BadArgument("document", name, ", ".join(documents), _close(name, documents))
        return documents[name]

    def model(self, name: str) -> Model | None:
        """Return the model a request calls `name`, or None for one the profile does not know."""
        return _by_name(self).get(name)

    def unlisted_model(self, name: str) -> Model:
        """Return a model of which nothing but the name is known; it is as new as the newest."""
        created = max((model.created for model in self.models), default=0)
        return Model(id=name, created=created, owned_by="system", snapshot=name, capabilities={})

    def with_models(self, names: Iterable[str]) -> "Profile":
        """Return the profile with these models beside its own, which stay as they are.

        Raises:
            BadArgument: A name is empty.
        """
        listed = {model.id: model for model in self.models}
        for name in names:
            if not name:
                raise BadArgument("model", name, "a name that is not empty")
            listed.setdefault(name, self.unlisted_model(name))
        return replace(self, models=tuple(listed.values()))

    def heeded(self, body: JsonView) -> JsonObject:
        """Return the members of a request that its document names: a server reads over all others."""
        named = self.documents["request"].get("properties", body)
        return {name: value for name, value in body.items() if name in named}


@lru_cache(maxsize=64)
def _by_name(profile: Profile) -> Mapping[str, Model]:
    """Return the models of a profile by name; of two with one name the first counts."""
    return {model.id: model for model in reversed(profile.models)}


def schemas_directory() -> Path:
    """Return the folder of our own profiles.

    An installed package carries it inside; a checkout (and an editable install, which imports from
    the checkout) has it beside the package, next to a `pyproject.toml` that is ours.

    Raises:
        BrokenProfile: There is neither.
    """
    package = Path(__file__).parents[1]
    inside = package / "schemas"
    if inside.is_dir():
        return inside
    beside = package.parent / "schemas"
    if beside.is_dir() and _is_our_checkout(package.parent):
        return beside
    raise BrokenProfile(str(inside), "", "mockchat was installed without its schema folder")


def profile_names(directory: Path | None = None) -> tuple[str, ...]:
    """Return the names `load_profile` takes, sorted: ours and those of `directory`."""
    folders = [schemas_directory()] if directory is None else [directory, schemas_directory()]
    found = {
        path.parent.name
        for folder in folders
        if folder.is_dir()
        for path in folder.glob("*/profile.json")
        if _NAME.fullmatch(path.parent.name)
    }
    return tuple(sorted(found))


def load_profile(name: str, directory: Path | None = None) -> Profile:
    """Return the profile called `name`, read once per process.

    Args:
        name: A folder's name.
        directory: A folder of the caller's own profile folders, looked at before ours; a profile
            there may extend one of ours, even the one of its own name.

    Raises:
        UnknownProfile: No folder has that name.
        BrokenProfile: A file of it, or of a parent, cannot be read.
    """
    return _load(name, None if directory is None else directory.resolve())


def json_object(path: Path) -> JsonObject:
    """Return the JSON object that a file of a profile holds.

    Raises:
        BrokenProfile: It cannot be read, or is none.
    """
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise BrokenProfile(str(path), "", f"cannot be read as JSON: {error}") from error
    if not isinstance(value, dict):
        raise BrokenProfile(str(path), "", "a JSON object is wanted")
    return value


def parent_of(profile: Profile, directory: Path | None = None) -> Profile | None:
    """Return the profile that `profile` extends, None where it extends none.

    Args:
        profile: A profile.
        directory: The folder it was loaded with.
    """
    if profile.extends is None:
        return None
    # Two of the same name: the caller's stands before ours, which it extends.
    return load_profile(profile.extends, None if profile.extends == profile.name else directory)


@cache
def _load(name: str, directory: Path | None) -> Profile:
    return _profile(name, _read(name, _places(directory), ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Folder:
    """A profile folder read with its parents: what `_profile` makes a Profile of."""

    path: Path
    settings: JsonObject
    errors: JsonObject
    documents: Mapping[str, JsonObject]


def _places(directory: Path | None) -> tuple[Path, ...]:
    ours = schemas_directory()
    return (ours,) if directory is None else (directory, ours)


def _read(name: str, places: tuple[Path, ...], heirs: tuple[Path, ...]) -> _Folder:
    folder = _find(name, places, heirs)
    own = json_object(folder / "profile.json")
    parent_name = own.get("extends")
    parent = _Folder(path=folder, settings={}, errors={}, documents={})
    if parent_name is not None:
        parent = _read_parent(parent_name, folder, places, heirs)
    inherited = {key: value for key, value in parent.settings.items() if key not in OWN_WORDS}
    errors = folder / "errors.json"
    return _Folder(
        path=folder,
        settings=merge_patch(inherited, own),
        errors=merge_patch(parent.errors, json_object(errors) if errors.is_file() else {}),
        documents=_documents(folder, _remaining(folder, own, parent.documents)),
    )


def _read_parent(
    name: Json, folder: Path, places: tuple[Path, ...], heirs: tuple[Path, ...]
) -> _Folder:
    settings = str(folder / "profile.json")
    if not isinstance(name, str):
        raise BrokenProfile(settings, "/extends", "a profile's name is wanted")
    try:
        return _read(name, places, (*heirs, folder))
    except UnknownProfile as unknown:
        if any(place / name in (*heirs, folder) for place in places):
            raise BrokenProfile(settings, "/extends", f"{name!r} extends itself") from None
        raise BrokenProfile(settings, "/extends", str(unknown)) from unknown


def _find(name: str, places: tuple[Path, ...], heirs: tuple[Path, ...]) -> Path:
    for place in places:
        folder = place / name
        is_new = _NAME.fullmatch(name) and folder not in heirs
        if is_new and (folder / "profile.json").is_file():
            return folder
    known = profile_names(places[0])
    raise UnknownProfile(name, known, _close(name, known))


def _remaining(
    folder: Path, own: JsonObject, inherited: Mapping[str, JsonObject]
) -> dict[str, JsonObject]:
    """Return the parent's documents without what `own` settings take away."""
    documents = dict(inherited)
    for name, pointers in (own.get("without") or {}).items():
        for index, pointer in enumerate(pointers):
            try:
                if pointer:
                    documents[name] = without(documents[name], tokens_of(pointer))
                else:
                    del documents[name]
            except LookupError:
                where = pointer_of(("without", name, index))
                problem = f"the parent has no {name!r} with {pointer!r}"
                raise BrokenProfile(str(folder / "profile.json"), where, problem) from None
    return documents


def _documents(folder: Path, inherited: Mapping[str, JsonObject]) -> dict[str, JsonObject]:
    documents = dict(inherited)
    for path in sorted(folder.glob("*.json")):
        name = path.name.removesuffix(".json")
        if name in {"profile", "errors"}:
            continue
        if not name.endswith(_PATCH):
            documents[name] = json_object(path)
            continue
        name = name.removesuffix(_PATCH)
        if name not in documents:
            raise BrokenProfile(str(path), "", f"patches {name!r}, which no parent has")
        documents[name] = merge_patch(documents[name], json_object(path))
    return {
        name: _named(document, f"https://mockchat.invalid/{folder.name}/{name}.json")
        for name, document in documents.items()
    }


def _named(document: JsonObject, uri: str) -> JsonObject:
    # A relative $ref between documents must lead to this profile's own, merged ones.
    return document | {"$id": uri} if "$id" in document else document


def _profile(name: str, folder: _Folder) -> Profile:
    settings = folder.settings
    where = str(folder.path / "profile.json")
    return Profile(
        name=name,
        summary=settings.get("summary", ""),
        sources=tuple(settings.get("sources", ())),
        extends=settings.get("extends"),
        deviations=tuple(settings.get("deviations", ())),
        settings=settings | {"name": name},
        errors=folder.errors,
        levels={level: _at_level(folder, level, where) for level in LEVELS},
        models=_models(settings.get("models", []), where),
    )


def _at_level(folder: _Folder, level: Level, where: str) -> dict[str, JsonObject]:
    documents = dict(folder.documents)
    for name, patch in folder.settings.get("levels", {}).get(level, {}).items():
        if name not in documents:
            at = pointer_of(("levels", level, name))
            raise BrokenProfile(where, at, f"there is no document {name!r}")
        documents[name] = merge_patch(documents[name], patch)
    return documents


def _models(entries: Json, where: str) -> tuple[Model, ...]:
    listed: dict[str, Model] = {}
    dated: dict[str, Model] = {}
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
            raise BrokenProfile(where, f"/models/{index}", "a model needs an `id` of text")
        model = Model(
            id=str(entry["id"]),
            created=entry.get("created", 0),
            owned_by=entry.get("owned_by", "system"),
            snapshot=str(entry.get("snapshot", entry["id"])),
            capabilities=entry.get("capabilities", {}),
        )
        listed[model.id] = model
        dated[model.snapshot] = replace(model, id=model.snapshot)
    return tuple((listed | {id_: dated[id_] for id_ in dated if id_ not in listed}).values())


def _is_our_checkout(folder: Path) -> bool:
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    name: Json = project.get("project", {}).get("name")
    return bool(name == "mockchat")


def _close(name: str, known: Mapping[str, object] | tuple[str, ...]) -> str | None:
    return next(iter(difflib.get_close_matches(name, known, n=1)), None)
