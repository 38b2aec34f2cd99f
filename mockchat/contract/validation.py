"""Schemas applied to values: every fault as a violation with its place, ours or a caller's schema.

Beside the stock class, the same request is judged in about a sixth of the time (three messages) to
a sixteenth (a hundred messages with tools), because the branch of a union is chosen before judging
and no validator is made for every step.

How deep is judged: arrays and objects may nest as deep as they like where a schema leaves them
open. Where a schema refers to itself, MAX_HOPS references are followed one inside the other; beyond
that the verdict is one violation `schema.depth`, never a RecursionError.
"""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache, lru_cache
from typing import Any

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012, specification_with

from mockchat.contract.drafts import REFERENCES, draft_of, modernized, pointer_before
from mockchat.contract.judges import MAX_HOPS, TooDeep, judge_class, no_reference
from mockchat.contract.outlines import AcceptedOutlines
from mockchat.contract.pointers import pointer_of, tokens_of, value_at
from mockchat.contract.quick import QuickJudge
from mockchat.contract.schema_table import check, has_many_parts
from mockchat.contract.schema_walk import VALUES, absolute
from mockchat.contract.unions import Resolve, wanted
from mockchat.contract.wording import sentence
from mockchat.errors import ImpossibleSchema
from mockchat.exchange import Violation
from mockchat.types import Json, JsonObject, Level

_UNTABLED = ("draft-03", "draft-04")
"""Drafts whose meta-schemas refuse more than the table of keywords does."""

_MOST_WORDED = 100
"""Of how many schemas a bad schema may consist to be told in the words of its meta-schema."""

_ONCE = frozenset({"type", "required", "additionalProperties", "unevaluatedProperties"})
"""Keywords that may say the same of a place several times, within and beside a union."""


class DocumentJudge:
    """Judges values by the documents of one profile at one level.

    Args:
        documents: The schemas by name; each has an `$id`, references lead from one to another.
        level: Marked on every violation.
        is_quick: Whether jsonschema-rs is asked first, where it is installed; verdicts are the same.

    Raises:
        LookupError: A reference leads nowhere; the argument is (document, pointer, reference).
    """

    def __init__(
        self, documents: Mapping[str, JsonObject], level: Level, *, is_quick: bool = True
    ) -> None:
        self._level = level
        self._schemas = {
            name: absolute(document, document["$id"])
            for name, document in documents.items()
            if "$id" in document
        }
        by_uri = {schema["$id"]: (name, schema) for name, schema in self._schemas.items()}
        targets: dict[str, tuple[Json, str]] = {}
        self._targets = targets
        for name, schema in self._schemas.items():
            for pointer, reference in _references(schema):
                uri, _, fragment = reference.partition("#")
                try:
                    home, target = by_uri[uri]
                    targets[reference] = (
                        value_at(target, tokens_of(fragment)),
                        f"{home}.json#{fragment}",
                    )
                except LookupError:
                    raise LookupError(name, pointer, reference) from None
        self._quick = QuickJudge(self._schemas if is_quick else {}, targets)
        self._accepted = AcceptedOutlines(self._schemas, targets)
        self._class = judge_class(targets=targets)
        self._registry = REGISTRY.with_resources(
            (uri, DRAFT202012.create_resource(schema)) for uri, (_, schema) in by_uri.items()
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the schemas."""
        return tuple(self._schemas)

    def __contains__(self, document: str) -> bool:
        """Say whether there is a schema of this name."""
        return document in self._schemas

    def violations(self, document: str, value: Json) -> tuple[Violation, ...]:
        """Return every fault of `value`, in the order of the schema."""
        schema = self._schemas[document]
        if self._quick.accepts(document, value):
            return ()
        outline = self._accepted.outline(document, value)
        if self._accepted.has(document, outline):
            return ()
        errors = self._class(schema, registry=self._registry).iter_errors(value)
        found = _collected(errors, value, f"{document}.json#", self._level, self._resolve)
        if not found:
            self._accepted.add(document, outline)
        return found

    def _resolve(self, reference: str) -> Json:
        return self._targets[reference][0]

    def is_valid(self, document: str, value: Json) -> bool:
        """Say whether `value` has no fault; faster than listing them."""
        schema = self._schemas[document]
        if self._quick.accepts(document, value):
            return True
        outline = self._accepted.outline(document, value)
        if self._accepted.has(document, outline):
            return True
        validator = self._class(schema, registry=self._registry)
        try:
            if next(validator.iter_errors(value), None) is not None:
                return False
        except (TooDeep, RecursionError):
            return False
        self._accepted.add(document, outline)
        return True


def schema_violations(
    schema: Json, value: Json, *, level: Level = "observed"
) -> tuple[Violation, ...]:
    """Return every fault of `value` under a caller's schema: tool parameters, a json_schema.

    `$schema` chooses the draft (4 to 2020-12); a schema without it is read as 2020-12, forms of
    older drafts included (`drafts.modernized`). Nothing is fetched: a reference must lead into the
    schema itself. Pointers are relative to `value`.

    Raises:
        ImpossibleSchema: The schema is none, or refers to what is not there.
    """
    problems = schema_problems(schema)
    if problems:
        pointer, reason = problems[0]
        raise ImpossibleSchema(pointer, f"not a schema: {reason}")
    schema = modernized(schema)
    validator = _caller_class(_stock_class(schema))(schema, registry=REGISTRY)
    return _collected(validator.iter_errors(value), value, "", level)


def schema_problems(schema: Json) -> tuple[tuple[str, str], ...]:
    """Return why a caller's schema is not a schema, as (pointer, reason); () where it is one.

    Looked at: the meta-schema of its draft, patterns that cannot be read, references into nothing.
    """
    try:
        return _schema_problems(json.dumps(schema, sort_keys=True))
    except RecursionError:
        return (("", "it nests too deeply"),)


@lru_cache(maxsize=256)
def _schema_problems(text: str) -> tuple[tuple[str, str], ...]:
    # By text, because checking a schema costs a hundred times more than writing it.
    schema = json.loads(text)
    if not isinstance(schema, dict | bool):
        return (("", "a schema is an object or a boolean"),)
    if has_many_parts(schema):
        return ()  # too much to be looked at; whoever wants a value of it is told so
    current = modernized(schema)
    found = _meta_problems(schema, current)
    if not found and isinstance(current, dict):
        found = [*_bad_references(current, _stock_class(current))]
    return tuple(found)


def _meta_problems(schema: Json, current: Json) -> list[tuple[str, str]]:
    """Return what the table finds wrong, in the words of the meta-schema where there is time for it."""
    draft = draft_of(schema)
    found = []
    try:
        check(schema, draft)
    except ImpossibleSchema as fault:
        found = [(fault.pointer, fault.reason)]
    is_sure = not found and draft not in _UNTABLED
    if is_sure or has_many_parts(schema, _MOST_WORDED):
        return found
    stock = _stock_class(current)
    meta = _caller_class(stock)(stock.META_SCHEMA, registry=REGISTRY)
    worded = [
        (violation.pointer, violation.message)
        for violation in _collected(meta.iter_errors(current), current, "", "observed")
    ]
    if current is not schema:
        worded = [(pointer_before(pointer, schema), message) for pointer, message in worded]
    # What the meta-schema lets pass, as a bad pattern, the table has found.
    return worded or found


def _bad_references(schema: Json, stock: Any) -> Iterable[tuple[str, str]]:
    names = REFERENCES if stock is Draft202012Validator else ("$ref",)
    if not any(name in part for _, part in _parts(schema, "") for name in names):
        return
    uri = stock.META_SCHEMA.get("$id", stock.META_SCHEMA.get("id"))
    root = specification_with(uri).create_resource(schema)
    base = root.id() or ""
    pending = [(root, REGISTRY.with_resource(base, root).resolver(base))]
    while pending:
        resource, resolver = pending.pop()
        contents = resource.contents if isinstance(resource.contents, dict) else {}
        for reference in filter(None, map(contents.get, names)):
            try:
                resolver.lookup(reference)
            except Unresolvable:
                yield "", f"{reference!r} refers to nothing in it"
            except ValueError:
                yield "", f"{reference!r} and the $id it is relative to make no URL"
        for part in resource.subresources():
            try:
                pending.append((part, resolver.in_subresource(part)))
            except ValueError:
                yield "", f"{part.id()!r} is not a URL"


@cache
def _caller_class(stock: Any) -> Any:
    return judge_class(stock)


def _stock_class(schema: Json) -> Any:
    if isinstance(schema, Mapping) and isinstance(schema.get("$schema", ""), str):
        with suppress(ValueError):  # a $schema that is no URL names no draft
            return validators.validator_for(schema, default=Draft202012Validator)
    return Draft202012Validator


def _collected(
    errors: Iterable[ValidationError],
    value: Json,
    root: str,
    level: Level,
    resolve: Resolve = no_reference,
) -> tuple[Violation, ...]:
    try:
        found = [_violation(error, root, level, resolve) for error in errors]
    except (TooDeep, RecursionError):
        return (
            Violation(
                rule="schema.depth",
                pointer="",
                message=f"the value nests too deeply to be judged ({MAX_HOPS} references)",
                expected=MAX_HOPS,
                actual=value,
                level=level,
            ),
        )
    said: set[tuple[str, str]] = set()
    kept = []
    for violation in found:
        fact = (violation.rule, violation.pointer)
        if violation.keyword not in _ONCE or fact not in said:
            kept.append(violation)
        said.add(fact)
    return tuple(kept)


def _violation(error: ValidationError, root: str, level: Level, resolve: Resolve) -> Violation:
    keyword = str(error.validator or "false")
    place = getattr(error, "place", None) or root + pointer_of(error.relative_schema_path)
    details: JsonObject = {}
    if getattr(error, "is_of_name", False):
        details["property_name"] = error.instance
    if keyword == "type":
        details["wanted"] = wanted(error.schema, resolve)
    if isinstance(error.schema, Mapping) and "type" in error.schema:
        details["type"] = error.schema["type"]
    return Violation(
        rule=f"schema.{keyword}",
        pointer=pointer_of(error.path),
        message=sentence(keyword, error.validator_value, error.instance, list(error.path)),
        keyword=keyword,
        schema_pointer=place,
        expected=error.validator_value,
        actual=error.instance,
        level=level,
        details=details,
    )


def _parts(schema: Json, pointer: str) -> Iterable[tuple[str, JsonObject]]:
    """Yield every object of a schema document that may be a schema, with its pointer."""
    pending = [(pointer, schema)]
    while pending:
        at, part = pending.pop()
        if isinstance(part, dict):
            yield at, part
            pending += [
                (at + pointer_of((key,)), inner) for key, inner in part.items() if key not in VALUES
            ]
        elif isinstance(part, list):
            pending += [(f"{at}/{index}", inner) for index, inner in enumerate(part)]


def _references(schema: Json) -> Iterable[tuple[str, str]]:
    for pointer, part in _parts(schema, ""):
        if isinstance(part.get("$ref"), str):
            yield f"{pointer}/$ref", part["$ref"]
