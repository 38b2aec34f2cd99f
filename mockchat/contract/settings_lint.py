"""What is wrong with the settings of a profile: `profile.json` and `errors.json`."""

import difflib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache

from mockchat.contract.document_lint import Fault
from mockchat.contract.merge import merge_patch
from mockchat.contract.pointers import pointer_of, tokens_of, value_at
from mockchat.contract.profile import Profile, schemas_directory
from mockchat.contract.rulebooks import RULES
from mockchat.contract.sites import OF_MODELS, missing_sites
from mockchat.contract.stream_rules import STREAM_RULES
from mockchat.contract.validation import schema_violations
from mockchat.errors import BrokenProfile
from mockchat.types import Json, JsonObject, JsonView

Reader = Callable[[JsonView], object]
"""Makes something of a profile's settings and raises BrokenProfile where it cannot."""

_OF_SCHEMAS = "schema."


def format_faults(home: str, own: JsonObject, *, is_merged: bool = False) -> tuple[Fault, ...]:
    """Return where a file of settings is not of the form that `schemas/profile.schema.json` has.

    Args:
        home: "profile" or "errors".
        own: What the file holds; a null in it removes what a parent has.
        is_merged: Whether parents are merged in, so that what is missing is missing.
    """
    faults = []
    for violation in schema_violations(_format(home), merge_patch({}, own)):
        if violation.keyword == "required" and not is_merged:
            continue
        name = tokens_of(violation.pointer)[-1] if violation.pointer else ""
        problem = violation.message
        if violation.keyword == "additionalProperties":
            problem += _suggestion(name, violation.expected)
        faults.append(Fault(check="setting", home=home, pointer=violation.pointer, problem=problem))
    return tuple(faults)


@cache
def _format(home: str) -> JsonObject:
    path = schemas_directory() / "profile.schema.json"
    schema: JsonObject = json.loads(path.read_text(encoding="utf-8"))
    if home == "profile":
        return schema
    return {"$schema": schema["$schema"], "$ref": "#/$defs/catalogue", "$defs": schema["$defs"]}


def settings_faults(profile: Profile, readers: Iterable[Reader]) -> tuple[Fault, ...]:
    """Return what is wrong with the settings of a profile whose documents are sound.

    Args:
        profile: The profile, parents merged in.
        readers: Whatever reads parts of the settings and refuses what it cannot use.
    """
    return (
        *format_faults("profile", profile.settings, is_merged=True),
        *format_faults("errors", profile.errors, is_merged=True),
        *_unread(profile, readers),
        *_rule_faults(profile),
        *_order_faults(profile.settings),
        *_error_faults(profile),
    )


def _unread(profile: Profile, readers: Iterable[Reader]) -> Iterator[Fault]:
    for reader in readers:
        try:
            reader(profile.settings)
        except BrokenProfile as broken:
            is_axis = broken.pointer.startswith("/stream")
            check = "axis" if is_axis else "setting"
            yield Fault(check=check, home="profile", pointer=broken.pointer, problem=broken.problem)


def _rule_faults(profile: Profile) -> Iterator[Fault]:
    for rule_id, parameters in profile.settings.get("rules", {}).items():
        at = pointer_of(("rules", rule_id))
        if rule_id not in RULES:
            yield Fault(check="rule", home="profile", pointer=at, problem=_unknown_rule(rule_id))
        elif isinstance(parameters, Mapping):
            faults = [*_parameter_faults(rule_id, parameters, at)]
            yield from faults or _dead_faults(profile, rule_id, parameters, at)


def _unknown_rule(rule_id: str) -> str:
    if rule_id in STREAM_RULES:
        return f"the rule {rule_id!r} is tuned by the axes under /stream, not switched"
    return f"there is no rule {rule_id!r}{_suggestion(rule_id, RULES)}"


def _parameter_faults(rule_id: str, parameters: JsonView, at: str) -> Iterator[Fault]:
    for violation in schema_violations(RULES[rule_id].parameters, parameters):
        yield Fault(
            check="parameters",
            home="profile",
            pointer=at + violation.pointer,
            problem=violation.message,
        )


def _dead_faults(profile: Profile, rule_id: str, parameters: JsonView, at: str) -> Iterator[Fault]:
    rule = RULES[rule_id]
    for pointer, site in missing_sites(profile, rule.looks_at, parameters):
        what = f"looks at {' or '.join(site.split(' | '))}, which is not there"
        yield Fault(
            check="idle" if pointer or site.startswith(OF_MODELS) else "dead-rule",
            home="profile",
            pointer=at + pointer,
            problem=f"the rule {what}" if pointer else f"the rule can never fire: it {what}",
        )
    if rule.error and rule.error not in profile.errors:
        problem = f"it answers with the error {rule.error!r}, which errors.json does not have"
        yield Fault(check="error", home="profile", pointer=at, problem=problem)


def _order_faults(settings: JsonView) -> Iterator[Fault]:
    for index, entry in enumerate(settings.get("check_order", ())):
        rule_id = entry.partition(":")[0]
        is_rule = not entry.startswith("/") and entry != "*" and not rule_id.startswith(_OF_SCHEMAS)
        if is_rule and rule_id not in RULES:
            at = pointer_of(("check_order", index))
            yield Fault(check="rule", home="profile", pointer=at, problem=_unknown_rule(rule_id))


def _error_faults(profile: Profile) -> Iterator[Fault]:
    words = profile.settings.get("errors", {})
    for rule_id in words.get("rules", {}):
        if rule_id not in RULES and not rule_id.startswith(_OF_SCHEMAS):
            at = pointer_of(("errors", "rules", rule_id))
            yield Fault(check="rule", home="profile", pointer=at, problem=_unknown_rule(rule_id))
    for pointer, entry in _named_entries(profile.settings):
        if entry not in profile.errors:
            problem = f"errors.json has no {entry!r}{_suggestion(entry, profile.errors)}"
            yield Fault(check="error", home="profile", pointer=pointer, problem=problem)


def _named_entries(settings: JsonView) -> Iterator[tuple[str, str]]:
    """Yield every entry of the catalogue that settings name, with where they do."""
    words = settings.get("errors", {})
    scripted = settings.get("scripted_errors", {})
    for key, entry in words.get("rules", {}).items():
        yield pointer_of(("errors", "rules", key)), entry
    for field, keywords in words.get("entries", {}).items():
        for keyword, entry in keywords.items():
            yield pointer_of(("errors", "entries", field, keyword)), entry
    for status, entry in scripted.get("usual", {}).items():
        yield pointer_of(("scripted_errors", "usual", status)), entry
    for entry in scripted.get("samples", {}):
        yield pointer_of(("scripted_errors", "samples", entry)), entry


def _suggestion(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def has_place(value: Json, pointer: str) -> bool:
    """Say whether `pointer` leads to something in `value`."""
    try:
        value_at(value, tokens_of(pointer))
    except LookupError:
        return False
    return True
