"""What a profile changes against its parent, as data: for people who choose one, or write one."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from mockchat.contract.pointers import pointer_of
from mockchat.contract.profile import OWN_WORDS, Profile
from mockchat.types import Json, JsonObject

How: TypeAlias = Literal["added", "removed", "changed"]

_TOLD_APART = frozenset({*OWN_WORDS, "name", "extends", "levels", "models", "rules", "stream"})
"""Settings that are told under a heading of their own, or describe the profile alone."""

_WORDS = frozenset({"description", "title", "summary", "$id", "$comment"})
"""Members of a document that ask nothing of a payload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One place that differs.

    Attributes:
        how: What became of it.
        pointer: JSON Pointer to it, "" for the whole.
        before: What the parent has; None where it has nothing.
        after: What the profile has; None where it has nothing.
    """

    how: How
    pointer: str
    before: Json = None
    after: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileChanges:
    """What a profile changes; of one without a parent, all that it has.

    Attributes:
        documents: By the document's name, the places that differ; documents that do not are left
            out. Descriptions are not compared.
        documented: The same for what level `documented` makes stricter.
        rules: The rules switched on ("added"), off ("removed") or tuned ("changed").
        stream: The axes of its streams.
        settings: The other settings.
        errors: The entries of the error catalogue.
        models: The models by name.
    """

    documents: Mapping[str, tuple[Change, ...]] = field(default_factory=dict)
    documented: Mapping[str, tuple[Change, ...]] = field(default_factory=dict)
    rules: tuple[Change, ...] = ()
    stream: tuple[Change, ...] = ()
    settings: tuple[Change, ...] = ()
    errors: tuple[Change, ...] = ()
    models: tuple[Change, ...] = ()


def changes_of(profile: Profile, parent: Profile | None) -> ProfileChanges:
    """Return what `profile` changes against `parent`, None where it has none."""
    own, base = profile.settings, {} if parent is None else parent.settings
    return ProfileChanges(
        documents=_of_documents(
            profile.documents, {} if parent is None else parent.documents, is_first=parent is None
        ),
        documented=_of_documents(
            own.get("levels", {}).get("documented", {}),
            base.get("levels", {}).get("documented", {}),
            is_first=False,
        ),
        rules=tuple(_members(_switched_on(base), _switched_on(own))),
        stream=tuple(_members(base.get("stream", {}), own.get("stream", {}))),
        settings=tuple(differences(_others(base), _others(own))),
        errors=tuple(differences({} if parent is None else parent.errors, profile.errors)),
        models=tuple(_members(_models(parent), _models(profile))),
    )


def differences(before: Json, after: Json, pointer: str = "") -> Iterator[Change]:
    """Yield where two values differ: the highest places that one lacks, the lowest that changed.

    Objects are compared member by member, arrays as a whole.
    """
    if not isinstance(before, dict) or not isinstance(after, dict):
        if before != after or isinstance(before, bool) != isinstance(after, bool):
            yield Change(how="changed", pointer=pointer, before=before, after=after)
        return
    for name in (*before, *(name for name in after if name not in before)):
        at = pointer + pointer_of((name,))
        if name not in after:
            yield Change(how="removed", pointer=at, before=before[name])
        elif name not in before:
            yield Change(how="added", pointer=at, after=after[name])
        else:
            yield from differences(before[name], after[name], at)


def _of_documents(
    own: Mapping[str, JsonObject], base: Mapping[str, JsonObject], *, is_first: bool
) -> dict[str, tuple[Change, ...]]:
    found: dict[str, tuple[Change, ...]] = {}
    for name in (*base, *(name for name in own if name not in base)):
        if name not in own:
            found[name] = (Change(how="removed", pointer=""),)
        elif name not in base and is_first:
            found[name] = (Change(how="added", pointer=""),)
        else:
            before, after = _bare(base.get(name, {})), _bare(own[name])
            found[name] = tuple(differences(before, after))
    return {name: changes for name, changes in found.items() if changes}


def _bare(schema: Json) -> Json:
    """Return a schema without what asks nothing; members that are named so stay.

    Nor does the order of what is required or listed ask anything.
    """
    if isinstance(schema, list):
        return [_bare(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: sorted(part, key=json.dumps) if _is_unordered(name, part) else _bare(part)
        for name, part in schema.items()
        if name not in _WORDS or not isinstance(part, str)
    }


def _is_unordered(name: str, part: Json) -> bool:
    return name in {"required", "enum", "type"} and isinstance(part, list)


def _members(before: Mapping[str, Json], after: Mapping[str, Json]) -> Iterator[Change]:
    """Yield which members differ, each as a whole."""
    for name in (*before, *(name for name in after if name not in before)):
        pointer = pointer_of((name,))
        if name not in after:
            yield Change(how="removed", pointer=pointer, before=before[name])
        elif name not in before:
            yield Change(how="added", pointer=pointer, after=after[name])
        elif [*differences(before[name], after[name])]:
            yield Change(how="changed", pointer=pointer, before=before[name], after=after[name])


def _switched_on(settings: Mapping[str, Json]) -> dict[str, Json]:
    rules = settings.get("rules", {})
    return {name: given for name, given in rules.items() if isinstance(given, Mapping)}


def _others(settings: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in settings.items() if name not in _TOLD_APART}


def _models(profile: Profile | None) -> dict[str, Json]:
    listed = [] if profile is None else profile.settings.get("models", [])
    return {model["id"]: model for model in listed}
