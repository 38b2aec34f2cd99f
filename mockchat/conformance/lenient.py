"""Completions read as clients read them, so that one fault does not hide the others.

Rules look at completions that keep to their schema. A null where the schema allows none is read as
absent by every client; with it gone, the rest can be judged.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy

from mockchat.contract.contract import Contract
from mockchat.contract.pointers import tokens_of
from mockchat.exchange import Violation
from mockchat.types import Json, JsonView, Level


def readable(contract: Contract, completion: Json) -> Mapping[str, Json] | None:
    """Return a completion without the nulls that its schema forbids.

    None where its schema refuses what is left: then no rule can be asked.
    """
    if not isinstance(completion, Mapping):
        return None
    found = contract.violations("response", completion, rules=False)
    nulls = [each for each in found if not each.is_note and _is_null(each, completion)]
    if not nulls:
        return completion if all(each.is_note for each in found) else None
    left = deepcopy(dict(completion))
    for each in nulls:
        *path, last = tokens_of(each.pointer)
        del _at(left, path)[last]
    return left if contract.is_valid("response", left, rules=False) else None


def beyond_schema(
    contract: Contract, completion: JsonView, asked: JsonView | None, level: Level
) -> Iterator[Violation]:
    """Yield what a completion breaks in the rules: by itself, and as the answer to `asked`."""
    for each in contract.violations("response", completion, level=level):
        if not each.rule.startswith("schema."):
            yield each
    if asked is not None:
        yield from contract.exchange_violations(asked, completion, level=level)


def _is_null(violation: Violation, completion: Json) -> bool:
    *path, last = tokens_of(violation.pointer) or [""]
    holder = _at(completion, path)
    return isinstance(holder, Mapping) and last in holder and holder[last] is None


def _at(value: Json, path: list[str]) -> Json:
    for token in path:
        inner = value[int(token)] if isinstance(value, list) else value.get(token)
        if inner is None:
            return None
        value = inner
    return value
