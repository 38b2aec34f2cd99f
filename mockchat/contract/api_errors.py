"""From a violation to the error object the API answers with.

Nothing of a text stands here: templates are in `errors.json`, and `profile.json` names the grammar,
the words of single fields and the envelope. A grammar is a table from schema keywords to entries of
the catalogue: "modern" is what api.openai.com answers since 2024, "2023" is the text of Python's
jsonschema library that it passed on before, as several other servers still do.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mockchat.contract import phrases
from mockchat.contract.pointers import pointer_of, tokens_of, value_at
from mockchat.contract.profile import Profile
from mockchat.contract.unions import json_type
from mockchat.errors import BadArgument
from mockchat.exchange import ApiError, Violation
from mockchat.types import Json, JsonObject

_INDEX = re.compile(r"\[[0-9]+\]")


class ApiErrors:
    """The errors of one profile.

    Args:
        profile: Its catalogue and its settings under "errors".
        by_rule: Which entry of the catalogue answers which rule.
    """

    def __init__(self, profile: Profile, by_rule: Mapping[str, str]) -> None:
        self._catalogue = profile.errors
        self._words = _Words(**profile.settings.get("errors", {}))
        self._by_rule = {**by_rule, **self._words.rules}

    def named(self, name: str, fields: Mapping[str, object]) -> ApiError:
        """Return the catalogue's error called `name`, its template filled with `fields`.

        Raises:
            BadArgument: There is no such entry, or a field of its template is not given.
        """
        entry = self._catalogue.get(name)
        if entry is None:
            raise BadArgument("error", name, ", ".join(self._catalogue))
        said = {**entry, **self._words.by_status.get(str(entry["status"]), {})}
        try:
            return ApiError(
                status=said["status"],
                type=said.get("type"),
                code=_filled(said.get("code"), fields),
                param=_filled(said.get("param"), fields),
                message=str(said["message"]).format_map(fields),
            )
        except KeyError as missing:
            raise BadArgument(
                f"a field of error {name!r}", missing.args[0], ", ".join(fields) or "none"
            ) from None

    def of(self, violation: Violation, body: Json) -> ApiError:
        """Return what the API answers to `violation`, found in `body`."""
        modern = self._words.grammar == "modern"
        style = "brackets" if modern else "dots"
        shape = _INDEX.sub("[]", phrases.path_of(violation.pointer, body))
        fields = _fields(violation, body, style) | self._expected(violation, shape)
        error = self.named(self._entry(violation, shape), fields)
        return replace(error, status=self._words.violation_status or error.status)

    def envelope(self, error: ApiError) -> Json:
        """Return the body that carries `error`: the profile's template with its members filled.

        Members of the setting `left_out_if_null` are left out where they would be null.
        """
        members: JsonObject = {
            "{null}": None,
            "{message}": error.message,
            "{type}": error.type,
            "{param}": error.param,
            "{code}": error.code,
            "{status}": error.status,
            "{status_text}": str(error.status),
        }
        left_out = frozenset(name for name in self._words.left_out_if_null if members[name] is None)
        return _enveloped(self._words.envelope, members, left_out)

    def _entry(self, violation: Violation, shape: str) -> str:
        if violation.rule in self._by_rule:
            return self._by_rule[violation.rule]
        own = self._words.entries.get(shape, {})
        keyword = violation.rule.removeprefix("schema.")
        actual = json_type(violation.actual)
        by_grammar = _modern if self._words.grammar == "modern" else _of_2023
        return own.get(f"{keyword}:{actual}") or own.get(keyword) or by_grammar(keyword, violation)

    def _expected(self, violation: Violation, shape: str) -> JsonObject:
        listed = violation.expected if isinstance(violation.expected, list) else []
        if violation.keyword == "const":
            listed = [violation.expected]
        order = self._words.value_orders.get(shape, [])
        ranked = sorted(listed, key=lambda value: _rank(order, value))
        wanted = violation.details.get("wanted") or [{"enum": ranked}]
        if violation.keyword not in {"type", "enum", "const"}:
            return {"list_and": phrases.quoted(listed, "and")}
        return {
            "expected": self._words.expected.get(shape) or phrases.expected(wanted),
            "list_and": phrases.quoted((v for v in ranked if v is not None), "and"),
            "enum": repr(ranked),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """`profile.json` under "errors": a setting that is not known here is a mistake there.

    `by_status` replaces members of every entry of a status (its type, its code, the status itself);
    `violation_status` is what answers a request that breaks the contract, where all are alike.
    """

    grammar: str = "modern"
    by_status: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    violation_status: int | None = None
    left_out_if_null: Sequence[str] = ()
    envelope: Json = field(default_factory=dict)
    entries: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    rules: Mapping[str, str] = field(default_factory=dict)
    expected: Mapping[str, str] = field(default_factory=dict)
    value_orders: Mapping[str, list[Json]] = field(default_factory=dict)


def _rank(order: list[Json], value: Json) -> int:
    return order.index(value) if value in order else len(order)


def _filled(template: Json, fields: Mapping[str, object]) -> Json:
    return template.format_map(fields) if isinstance(template, str) else template


def _enveloped(template: Json, members: JsonObject, left_out: frozenset[str]) -> Json:
    if isinstance(template, dict):
        return {
            key: _enveloped(part, members, left_out)
            for key, part in template.items()
            if not (isinstance(part, str) and part in left_out)
        }
    if isinstance(template, list):
        return [_enveloped(part, members, left_out) for part in template]
    return members.get(template, template) if isinstance(template, str) else template


def _fields(violation: Violation, body: Json, style: str) -> JsonObject:
    path = phrases.path_of(violation.pointer, body, style=style)
    tokens = tokens_of(violation.pointer)
    actual, last = violation.actual, tokens[-1] if tokens else ""
    if "property_name" in violation.details:
        actual = violation.details["property_name"]
    parent = pointer_of(tokens[:-1])
    parent_path = phrases.path_of(parent, body, style=style)
    fields: JsonObject = {
        "path": path or "body",
        "param": path,
        "name": last,
        "parent": parent_path,
        "where": f" - '{parent_path}'" if parent_path else "",
        "at": f" - '{path}'" if path else "",
        "value": phrases.printed(actual),
        "repr": repr(actual) if isinstance(actual, str) else phrases.printed(actual),
        "got": phrases.got(actual),
        "limit": violation.expected,
        "n": len(actual) if isinstance(actual, str | list | dict) else 0,
        "elided": phrases.elided(last),
        "sentence": violation.message,
        "suggestion": "",
        "types": _types_of_2023(violation.expected),
    }
    if violation.keyword in {"additionalProperties", "unevaluatedProperties"}:
        fields["suggestion"] = phrases.did_you_mean(last, _unused(violation, body, parent))
    fields |= violation.details
    if "tool" in fields:
        fields["tool_path"] = phrases.path_of(fields["tool"], body)
    return fields


def _unused(violation: Violation, body: Json, parent: str) -> list[str]:
    known = violation.expected if isinstance(violation.expected, list) else []
    try:
        present = value_at(body, tokens_of(parent))
    except LookupError:
        present = {}
    return [name for name in known if name not in present]


def _types_of_2023(expected: Json) -> str:
    names = expected if isinstance(expected, list) else [expected]
    return ", ".join(repr(name) for name in names)


def _modern(keyword: str, violation: Violation) -> str:
    actual, named = violation.actual, "property_name" in violation.details
    if keyword in _SIZES:
        below = keyword.startswith("min")
        if named:
            return "property_name_above_max_length" if keyword == "maxLength" else "invalid_member"
        kind = _SIZES[keyword]
        is_empty = below and kind != "object" and not actual
        return f"empty_{kind}" if is_empty else _SIZED[keyword]
    if keyword in _BOUNDS:
        types = violation.details.get("type", "number")
        is_integer = types == "integer" or (isinstance(types, list) and "integer" in types)
        return f"{'integer' if is_integer else 'decimal'}_{_BOUNDS[keyword]}"
    if keyword in {"enum", "const"}:
        return "invalid_value" if isinstance(actual, str) else "invalid_type"
    if keyword == "type" and not violation.pointer:
        return "body_not_object"
    return _MODERN.get(keyword, "invalid_member")


def _of_2023(keyword: str, violation: Violation) -> str:
    if keyword in {"additionalProperties", "unevaluatedProperties"}:
        is_top = violation.pointer.count("/") == 1
        return "legacy_unrecognized_argument" if is_top else "legacy_additional_properties"
    if keyword == "type" and len(violation.details.get("wanted", ())) > 1:
        simple = isinstance(violation.details.get("type"), str | list)
        return "legacy_type" if simple else "legacy_any_of"
    return _OF_2023.get(keyword, "legacy_other")


_SIZES = {
    "minLength": "string",
    "maxLength": "string",
    "minItems": "array",
    "maxItems": "array",
    "minProperties": "object",
    "maxProperties": "object",
}
_SIZED = {
    "minLength": "string_below_min_length",
    "maxLength": "string_above_max_length",
    "minItems": "array_below_min_length",
    "maxItems": "array_above_max_length",
    "minProperties": "object_below_min_properties",
    "maxProperties": "object_above_max_properties",
}
_BOUNDS = {
    "minimum": "below_min_value",
    "exclusiveMinimum": "below_min_value",
    "maximum": "above_max_value",
    "exclusiveMaximum": "above_max_value",
}
_MODERN = {
    "type": "invalid_type",
    "required": "missing_required_parameter",
    "dependentRequired": "missing_required_parameter",
    "additionalProperties": "unknown_parameter",
    "unevaluatedProperties": "unknown_parameter",
    "false": "unknown_parameter",
    "pattern": "invalid_pattern",
}
_OF_2023 = {
    "type": "legacy_type",
    "enum": "legacy_enum",
    "const": "legacy_enum",
    "required": "legacy_required",
    "minimum": "legacy_minimum",
    "maximum": "legacy_maximum",
    "minItems": "legacy_too_short",
    "maxItems": "legacy_too_long",
    "minLength": "legacy_too_short",
    "maxLength": "legacy_too_long",
    "pattern": "legacy_pattern",
}
