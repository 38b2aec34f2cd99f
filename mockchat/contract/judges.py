"""The extended validator class: `jsonschema`'s own, with our keywords and our unions."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import jsonschema
from jsonschema import Draft202012Validator, TypeChecker, ValidationError

from mockchat.contract.keywords import (
    ANY_DRAFT,
    NEWEST_DRAFT,
    Errors,
    Keyword,
    false,
    fault,
    is_json_type,
    json_equal,
)
from mockchat.contract.pointers import pointer_of
from mockchat.contract.unions import ALL_TYPES, Branch, Resolve, branch_of, json_type, unique
from mockchat.types import Json

MAX_HOPS = 48
"""References followed one inside the other. A value can only be judged deeply where a schema refers
to itself; this bounds how deep, on any stack the server has, and equally on all of them."""


MAX_UNIONS = 1024
"""How many unions one validator class remembers the branches of."""

_IDENTITY = frozenset({"type", "const", "enum"})


class TooDeep(Exception):
    """Judging would follow more than MAX_HOPS references."""


def _type_checker() -> TypeChecker:
    def judge(name: str) -> Any:
        return lambda _checker, instance: is_json_type(instance, name)

    return TypeChecker({name: judge(name) for name in ALL_TYPES})


def no_reference(reference: str) -> Json:
    """Refuse to look into a reference; a union then judges the branches behind it."""
    raise LookupError(reference)


def judge_class(
    base: Any = Draft202012Validator, *, targets: Mapping[str, tuple[Json, str]] | None = None
) -> Any:
    """Return a validator class that explains itself.

    Args:
        base: The stock class of the schema's draft.
        targets: Every absolute reference of the documents with its schema and its place
            ("response.json#/$defs/usage"). Without it references are resolved as `base` does.
    """
    is_newest = base is Draft202012Validator
    unions = Unions(no_reference if targets is None else lambda ref: targets[ref][0])
    keywords: dict[str, Keyword] = {
        **(NEWEST_DRAFT if is_newest else ANY_DRAFT),
        "oneOf": unions.one_of,
        "anyOf": unions.any_of,
        "$ref": _stock_reference(base) if targets is None else _reference(targets),
    }
    if "additionalItems" in base.VALIDATORS:
        keywords["additionalItems"] = _additional_items(base.VALIDATORS["additionalItems"])
    checker = _type_checker() if is_newest else base.TYPE_CHECKER
    extend: Any = jsonschema.validators.extend
    made = extend(base, keywords, type_checker=checker)
    made.evolve = _evolve(made.evolve)
    made.descend = _descend(made.descend) if targets is None else _quick_descend(made.VALIDATORS)
    return made


def _additional_items(stock: Any) -> Keyword:
    """Return the stock keyword for tuples alone: it takes true and false under `items` for one."""

    def additional_items(validator: Any, value: Any, instance: Any, schema: Any) -> Errors:
        if isinstance(schema.get("items"), list):
            yield from stock(validator, value, instance, schema)

    return additional_items


def _evolve(stock: Any) -> Any:
    """Return the stock way to another schema, staying in this class where the schema has `$schema`."""

    def evolve(validator: Any, **changes: Any) -> Any:
        schema = changes.get("schema", validator.schema)
        if isinstance(schema, Mapping) and "$schema" in schema:
            changes["schema"] = {key: part for key, part in schema.items() if key != "$schema"}
        return stock(validator, **changes)

    return evolve


def _descend(stock: Any) -> Any:
    """Return the stock way down, with the place of what a false schema refuses."""

    def descend(
        validator: Any, instance: Any, schema: Any, path: Any = None, *rest: Any, **named: Any
    ) -> Errors:
        if schema is False:
            yield fault("false", False, instance, at=() if path is None else (path,))
        else:
            yield from stock(validator, instance, schema, path, *rest, **named)

    return descend


def _quick_descend(keywords: Mapping[str, Keyword]) -> Any:
    """Return a way down for documents whose references are absolute.

    The stock one makes a validator for every step, to remember what references are relative to;
    here one validator goes all the way, in a third of the time. The keywords of a schema are looked
    up once: the documents outlive the class.
    """
    plans: dict[int, tuple[tuple[str, Keyword, Any], ...]] = {}

    def descend(
        validator: Any, instance: Any, schema: Any, path: Any = None, schema_path: Any = None
    ) -> Errors:
        if schema is True:
            return
        plan = plans.get(id(schema))
        if plan is None:
            items = {"false": False} if schema is False else schema
            known = {**keywords, "false": false}
            plan = tuple(
                (name, known[name], value) for name, value in items.items() if name in known
            )
            plans[id(schema)] = plan
        error: Any
        for name, judge, value in plan:
            # A stock keyword with nothing to say may return None.
            found: Any = judge(validator, value, instance, schema)
            for error in found or ():
                # What the stock way does too; it is the library's own protocol for keywords.
                error._set(  # noqa: SLF001
                    validator=name, validator_value=value, instance=instance, schema=schema
                )
                if name not in {"if", "$ref"}:
                    error.schema_path.appendleft(name)
                if path is not None:
                    error.path.appendleft(path)
                if schema_path is not None:
                    error.schema_path.appendleft(schema_path)
                yield error

    return descend


class _Hops(threading.local):
    """How many references this thread follows at the moment."""

    depth = 0


_hops = _Hops()


def _followed(errors: Errors) -> Errors:
    if _hops.depth >= MAX_HOPS:
        raise TooDeep
    _hops.depth += 1
    try:
        yield from errors
    finally:
        _hops.depth -= 1


def _stock_reference(base: Any) -> Keyword:
    stock = base.VALIDATORS["$ref"]

    def judge(validator: Any, reference: Any, instance: Any, schema: Any) -> Errors:
        return _followed(stock(validator, reference, instance, schema) or iter(()))

    return judge


def _reference(targets: Mapping[str, tuple[Json, str]]) -> Keyword:
    def judge(validator: Any, reference: Any, instance: Any, _schema: Any) -> Errors:
        target, place = targets[reference]
        error: Any
        for error in _followed(validator.descend(instance, target)):
            # The innermost reference knows where the keyword stands.
            if not hasattr(error, "place"):
                error.place = place + pointer_of(error.relative_schema_path)
            yield error

    return judge


class Unions:
    """Judges `oneOf` and `anyOf` by the branch a value was meant for.

    Args:
        resolve: Looks behind the references of branches.
    """

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        # By identity: the same list of branches is met again for every value.
        self._seen: dict[int, tuple[Sequence[Json], tuple[Branch, ...], dict[str, list[int]]]] = {}

    def one_of(self, validator: Any, branches: Any, instance: Any, _schema: Any) -> Errors:
        """Judge `oneOf`."""
        return self._judge(validator, branches, instance, is_exclusive=True)

    def any_of(self, validator: Any, branches: Any, instance: Any, _schema: Any) -> Errors:
        """Judge `anyOf`."""
        return self._judge(validator, branches, instance, is_exclusive=False)

    def _branches(
        self, schemas: Sequence[Json]
    ) -> tuple[Sequence[Json], tuple[Branch, ...], dict[str, list[int]]]:
        """Return the branches with what is known of them, and which of them admit which type."""
        known = self._seen.get(id(schemas))
        if known is None or known[0] is not schemas:
            if len(self._seen) >= MAX_UNIONS:
                self._seen.clear()
            branches = tuple(branch_of(schema, self._resolve) for schema in schemas)
            fitting = {
                name: [index for index, branch in enumerate(branches) if branch.admits(name)]
                for name in ALL_TYPES
            }
            known = (schemas, branches, fitting)
            self._seen[id(schemas)] = known
        return known

    def _judge(
        self, validator: Any, schemas: Sequence[Json], instance: Any, *, is_exclusive: bool
    ) -> Errors:
        _, branches, by_type = self._branches(schemas)
        is_type = json_type(instance)
        fitting = by_type[is_type]
        if not fitting:
            types = unique(type_ for branch in branches for type_ in branch.types)
            yield fault("type", types, instance)
            return
        if is_type == "object":
            fitting, error = _by_tag(fitting, branches, instance)
            if error is not None:
                yield error
                return
        if len(fitting) == 1:
            (index,) = fitting
            yield from validator.descend(instance, schemas[index], schema_path=index)
        else:
            candidates = ((index, schemas[index], branches[index]) for index in fitting)
            yield from _compare(validator, candidates, instance, is_exclusive=is_exclusive)


def _by_tag(
    fitting: list[int], branches: Sequence[Branch], instance: Mapping[str, Json]
) -> tuple[list[int], ValidationError | None]:
    """Keep the branches whose tags the object carries; say what is wrong where none is left."""
    for tag in branches[fitting[0]].tags:
        if len(fitting) == 1 or not all(tag in branches[index].tags for index in fitting):
            continue
        known = unique(value for index in fitting for value in branches[index].tags[tag])
        if tag not in instance:
            return fitting, fault("required", [tag], None, at=(tag,))
        value = instance[tag]
        fitting = [index for index in fitting if value in branches[index].tags[tag]]
        if not fitting:
            return fitting, fault("enum", known, value, at=(tag,))
    return fitting, None


def _compare(
    validator: Any,
    candidates: Iterable[tuple[int, Json, Branch]],
    instance: Any,
    *,
    is_exclusive: bool,
) -> Errors:
    """Judge all branches that might fit; where none does, tell the faults of the nearest one."""
    attempts = []
    matching = 0
    listed = []
    for index, schema, branch in candidates:
        listed.append(branch.literals)
        errors = list(validator.descend(instance, schema, schema_path=index))
        if errors:
            attempts.append(errors)
            continue
        matching += 1
        if not is_exclusive:
            return
    if matching == 1:
        return
    if matching:
        yield fault("oneOf", matching, instance)
        return
    if all(literals is not None for literals in listed):
        known: list[Json] = []
        for literal in (literal for literals in listed for literal in literals or ()):
            if not any(json_equal(literal, other) for other in known):
                known.append(literal)
        yield fault("enum", known, instance)
        return
    yield from min(attempts, key=_distance)


def _distance(errors: Sequence[ValidationError]) -> tuple[bool, int]:
    """Rank a failed branch: one that refuses the value itself is farther than one that refuses a part."""
    is_of_whole = any(not error.path and error.validator in _IDENTITY for error in errors)
    return is_of_whole, len(errors)
