"""The commands `mockchat profiles`: list the variants of the API, show one, judge one's own."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mockchat.cli_options import json_option, printable, refusing, schemas_option
from mockchat.types import Json, JsonObject

if TYPE_CHECKING:
    from mockchat.contract.profile import Profile
    from mockchat.contract.profile_changes import Change, ProfileChanges

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}
_LONGEST = 72
"""How many characters of a value a line shows."""


@click.group(invoke_without_command=True)
@schemas_option
@click.pass_context
def profiles(context: click.Context, schemas: Path | None) -> None:
    """List the variants of the API, show what one changes, judge your own."""
    context.obj = schemas
    if context.invoked_subcommand is not None:
        return
    from mockchat.contract.profile import load_profile, profile_names

    with refusing():
        known = [load_profile(name, schemas) for name in profile_names(schemas)]
    width = max(len(profile.name) for profile in known)
    for profile in known:
        click.echo(f"{profile.name:{width}}  {profile.summary}")


@profiles.command()
@click.argument("name")
@schemas_option
@json_option
@click.pass_obj
def show(above: Path | None, name: str, schemas: Path | None, *, is_json: bool) -> None:
    """Print what the profile NAME changes against the one it extends.

    Of a profile that extends none, all that it has.
    """
    from mockchat.contract.profile import load_profile, parent_of
    from mockchat.contract.profile_changes import changes_of

    directory = schemas or above
    with refusing():
        profile = load_profile(name, directory)
        changes = changes_of(profile, parent_of(profile, directory))
    if is_json:
        click.echo(json.dumps(_as_json(profile, changes), indent=2, ensure_ascii=False))
        return
    for line in _told(profile, changes):
        click.echo(printable(line))


@profiles.command()
@click.argument(
    "directory", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.pass_context
def lint(context: click.Context, directory: Path) -> None:
    """Judge the profiles in DIR, or the profile that DIR is.

    A line for each problem, with the file and the JSON Pointer. Exit status 0: none; 1: some; 2:
    there is no profile.
    """
    from mockchat.contract.profile_lint import lint as problems_of
    from mockchat.contract.profile_lint import profile_folders
    from mockchat.server.service_headers import ServiceHeaders

    with refusing():
        folders = profile_folders(directory)
        found = dict.fromkeys(
            problem for folder in folders for problem in problems_of(folder, (ServiceHeaders,))
        )
    home = directory.resolve()
    for problem in found:
        path = problem.path
        shown = directory / path.relative_to(home) if path.is_relative_to(home) else path
        place = f"{shown}#{problem.pointer}" if problem.pointer else f"{shown}"
        click.echo(printable(f"{place}: {problem.problem} [{problem.check}]"))
    count = f"{len(folders)} profile{'' if len(folders) == 1 else 's'}"
    told = f"{len(found)} problem{'' if len(found) == 1 else 's'}" if found else "no problems"
    click.echo(printable(f"{directory}: {count}, {told}"))
    context.exit(1 if found else 0)


def _as_json(profile: "Profile", changes: "ProfileChanges") -> JsonObject:
    return {
        "name": profile.name,
        "extends": profile.extends,
        "summary": profile.summary,
        **asdict(changes),
        "differences": profile.settings.get("differences", []),
        "deviations": list(profile.deviations),
        "sources": list(profile.sources),
    }


def _told(profile: "Profile", changes: "ProfileChanges") -> Iterator[str]:
    yield f"{profile.name} extends {profile.extends}" if profile.extends else profile.name
    yield profile.summary
    for name, listed in changes.documents.items():
        yield from _section(f"{name}.json", listed)
    for name, listed in changes.documented.items():
        yield from _section(f"{name}.json at level documented", listed)
    yield from _section("rules", changes.rules, is_named=True)
    yield from _section("stream", changes.stream, is_named=True)
    yield from _section("settings", changes.settings)
    yield from _section("errors", changes.errors)
    yield from _section("models", changes.models, is_named=True)
    reasons = [
        f"{', '.join(row['documents'])}: {', '.join(row['places'])}"
        f" ({', '.join(row['keywords'])}): {row['reason']}"
        for row in profile.settings.get("differences", ())
    ]
    yield from _listed("differences", reasons)
    yield from _listed("deviations", [_deviation(each) for each in profile.deviations])
    yield from _listed("sources", [*profile.sources])


def _section(
    heading: str, changes: "tuple[Change, ...]", *, is_named: bool = False
) -> Iterator[str]:
    if changes:
        yield ""
        yield heading
    for change in changes:
        place = change.pointer.removeprefix("/") if is_named else change.pointer
        yield f"  {_SIGNS[change.how]} {place or 'all of it'}{_values(change)}"


def _values(change: "Change") -> str:
    if change.how == "removed":
        return ""
    after = _short(change.after)
    if change.how == "added":
        return "" if change.after in (None, {}) else f": {after}"
    return f": {_short(change.before)} -> {after}"


def _short(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _listed(heading: str, entries: list[str]) -> Iterator[str]:
    if entries:
        yield ""
        yield heading
    for entry in entries:
        yield f"  {entry}"


def _deviation(entry: Json) -> str:
    named = f" ({', '.join(entry['entries'])})" if entry.get("entries") else ""
    return f"{entry['what']}{named}: {entry['reason']}"
