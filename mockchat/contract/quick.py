"""The optional fast path of `mockchat[fast]`: jsonschema-rs accepts, the judge finds the faults.

jsonschema-rs is asked first and only believed when it accepts. It is asked in a way that it cannot
accept more than the judge does: what is about numbers (1.0 is no integer, infinity is a number) and
patterns is put to the judge's own functions; documents with keywords that are not known to mean the
same in both, or whose references go in circles (the judge has a limit there), are left to it.
"""

import math
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import version
from types import ModuleType
from typing import Any, TypeAlias

from mockchat.contract.judges import MAX_HOPS, judge_class
from mockchat.contract.keywords import NEWEST_DRAFT
from mockchat.types import Json, JsonObject, JsonView

Accepts: TypeAlias = Callable[[Json], bool]

_MAPS = frozenset({"$defs", "properties"})
_LISTS = frozenset({"allOf", "anyOf", "oneOf"})
_ONES = frozenset({"additionalProperties", "items", "not", "propertyNames"})
_SIZES = frozenset(
    {"maxItems", "maxLength", "maxProperties", "minItems", "minLength", "minProperties"}
)
_OWN = frozenset({"exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "pattern", "type"})
_OF_COUNTS = frozenset({"maximum", "minimum", "type"})
_NOTES = frozenset(
    {
        *("$comment", "default", "deprecated", "description", "examples", "format", "title"),
        *("contentEncoding", "contentMediaType", "readOnly", "writeOnly"),
    }
)
_SHARED = _MAPS | _LISTS | _ONES | _SIZES | _OWN | _NOTES | {"$ref", "const", "enum", "required"}
"""Keywords that mean the same in both, after translation."""

LEAST_VERSION = (0, 50)
"""Before it, infinity was handed to the judge's functions as null."""

_JUDGED = "mockchat:judged"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


class QuickJudge:
    """Accepts values quickly, where it can; safe to share between threads.

    Args:
        schemas: The documents by name, each with its `$id`, every reference absolute; for a
            document that is not among them nothing is accepted.
        targets: What the references lead to.
    """

    def __init__(
        self, schemas: Mapping[str, JsonObject], targets: Mapping[str, tuple[Json, str]]
    ) -> None:
        self._schemas = schemas
        self._targets = targets
        # Made when first asked for: most documents of a profile are never met.
        self._tests: dict[str, Accepts] = {}

    def accepts(self, document: str, value: Json) -> bool:
        """Say whether `value` is certainly valid; False says nothing."""
        test = self._tests.get(document)
        if test is None:
            test = self._tests[document] = self._test(document)
        try:
            return test(value)
        except (OverflowError, TypeError, ValueError):
            return False  # a lone surrogate, a mapping that is no dict: what Rust has no word for

    def _test(self, document: str) -> Accepts:
        library = _library()
        schema = self._schemas.get(document)
        if library is None or schema is None or not _is_shared(schema, self._targets):
            return _never
        documents = [(each["$id"], _translated(each)) for each in self._schemas.values()]
        validator = library.Draft202012Validator(
            _translated(schema),
            registry=library.Registry(documents),
            keywords={_JUDGED: _Judged},
            validate_formats=False,
        )
        accepts: Accepts = validator.is_valid
        return accepts


@cache
def _library() -> ModuleType | None:
    try:
        import jsonschema_rs  # noqa: PLC0415 - optional, and slow to load
    except ImportError:
        return None
    found = tuple(map(int, version("jsonschema_rs").split(".")[:2]))
    return jsonschema_rs if found >= LEAST_VERSION else None


def _never(_value: Json) -> bool:
    return False


def _is_shared(schema: JsonView, targets: Mapping[str, tuple[Json, str]]) -> bool:
    """Say whether both judges read a document, and all it refers to, in the same way."""
    try:
        return _height(_body(schema), targets, {}) <= MAX_HOPS
    except LookupError:
        return False


def _body(document: JsonView) -> JsonView:
    if document.get("$schema", _DIALECT) != _DIALECT:
        raise LookupError
    return {key: part for key, part in document.items() if key not in {"$id", "$schema"}}


def _height(schema: Json, targets: Mapping[str, tuple[Json, str]], heights: dict[str, int]) -> int:
    """Return how many references are followed one inside the other at most.

    Raises:
        LookupError: A keyword is not shared.
    """
    if isinstance(schema, bool):
        return 0
    if not _has_shared_words(schema):
        raise LookupError
    found = [_height(part, targets, heights) for part in _subschemas(schema)]
    reference = schema.get("$ref")
    if reference is not None:
        if reference not in heights:
            heights[reference] = MAX_HOPS  # what is met again before it is known goes in a circle
            target = targets[reference][0]
            part = target if reference.partition("#")[2] else _body(target)
            heights[reference] = 1 + _height(part, targets, heights)
        found.append(heights[reference])
    return max(found, default=0)


def _has_shared_words(schema: JsonView) -> bool:
    if schema.keys() - _SHARED:
        return False
    listed = [*schema.get("enum", ()), schema.get("const")]
    return all(isinstance(value, str | bool | int | None) for value in listed)


def _subschemas(schema: JsonView) -> list[Json]:
    maps = [part for name in _MAPS & schema.keys() for part in schema[name].values()]
    lists = [part for name in _LISTS & schema.keys() for part in schema[name]]
    return [*maps, *lists, *(schema[name] for name in _ONES & schema.keys())]


def _translated(schema: Json) -> Json:
    """Copy a schema with what is about numbers and patterns put under the judge's own keyword."""
    if isinstance(schema, list):
        return [_translated(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    # Where members are called "type" or "pattern", schemas stand there: nothing happens to them.
    own = {key: part for key, part in schema.items() if key in _OWN and _is_own(key, part)}
    rest = {key: _translated(part) for key, part in schema.items() if key not in own}
    return {**rest, _JUDGED: own} if own else rest


def _is_own(keyword: str, value: Json) -> bool:
    if keyword == "type":
        types = [value] if isinstance(value, str) else value
        return isinstance(types, list) and not {"integer", "number"}.isdisjoint(types)
    return isinstance(value, str | int | float) and not isinstance(value, bool)


class _Judged:
    """Puts values to the judge's functions; what jsonschema-rs makes a keyword of."""

    def __init__(self, _schema: JsonObject, own: JsonObject, _path: list[str | int]) -> None:
        self._own = own
        self._keywords = [(NEWEST_DRAFT[keyword], asked) for keyword, asked in own.items()]
        self._least, self._most = own.get("minimum", -math.inf), own.get("maximum", math.inf)
        self._is_plain = own.keys() <= _OF_COUNTS

    def validate(self, instance: Json) -> None:
        """Raise ValueError for what the judge refuses."""
        # Most numbers are counts: an integer is of every type that stands here.
        if self._is_plain and type(instance) is int and self._least <= instance <= self._most:
            return
        for judge, asked in self._keywords:
            for _fault in judge(_judge(), asked, instance, self._own):
                raise ValueError


@cache
def _judge() -> Any:
    return judge_class()(True)
