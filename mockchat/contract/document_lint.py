"""What is wrong with the documents of a profile, before any payload is judged by them."""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from jsonschema import Draft202012Validator

from mockchat.contract.pointers import pointer_of
from mockchat.contract.schema_walk import (
    Documents,
    absolute,
    references,
    resolve,
    walk,
    walk_document,
)
from mockchat.contract.unions import branch_of
from mockchat.contract.validation import schema_problems, schema_violations
from mockchat.types import JsonObject

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something wrong with a profile, parents merged in.

    Attributes:
        check: Which check found it: "reference", "union", "dead-rule" …
        home: The file's name without its ending: a document, "profile" or "errors".
        pointer: JSON Pointer into it.
        problem: What is wrong, in one sentence.
    """

    check: str
    home: str
    pointer: str
    problem: str


def document_faults(
    documents: Documents, among: Collection[str] | None = None
) -> tuple[Fault, ...]:
    """Return what is wrong with documents; what is no schema is not looked into further.

    Args:
        documents: The documents of a profile at one level, by name.
        among: Which of them are judged; None: all. The others are only referred to.
    """
    judged = {name: documents[name] for name in (documents if among is None else among)}
    faults = [fault for name in judged for fault in _schema_faults(name, judged[name])]
    faults += [] if faults else _reference_faults(documents, judged)
    if not faults:
        faults += _union_faults(documents, judged)
        faults += _unused_faults(documents, judged)
    return tuple(faults)


def _schema_faults(name: str, document: JsonObject) -> Iterator[Fault]:
    if "openapi" in document:
        for pointer, schema in walk_document(document):
            yield from _broken_schemas(name, pointer, schema)
        return
    if "$id" not in document:
        yield Fault(check="schema", home=name, pointer="/$id", problem="a document needs an `$id`")
    if document.get("$schema") != DIALECT:
        problem = f"a document says `$schema`: {DIALECT}"
        yield Fault(check="schema", home=name, pointer="/$schema", problem=problem)
    yield from _broken_schemas(name, "", document)


def _broken_schemas(name: str, at: str, schema: JsonObject) -> Iterator[Fault]:
    # The `$id` alone differs between a document and its parent's.
    text = json.dumps({key: part for key, part in schema.items() if key != "$id"}, sort_keys=True)
    for pointer, problem in _schema_problems(text):
        yield Fault(check="schema", home=name, pointer=at + pointer, problem=problem)


@lru_cache(maxsize=256)
def _schema_problems(text: str) -> tuple[tuple[str, str], ...]:
    # By text, because most documents of a profile are its parent's, and judging one takes a while.
    schema = json.loads(text)
    found = [
        (violation.pointer, violation.message)
        for violation in schema_violations(Draft202012Validator.META_SCHEMA, schema)
    ]
    for pointer, part in () if found else walk(schema):
        places = [("pattern", part.get("pattern"))]
        places += [("patternProperties", each) for each in part.get("patternProperties", ())]
        for keyword, pattern in places:
            problems = schema_problems({"pattern": pattern}) if isinstance(pattern, str) else ()
            found += [(f"{pointer}/{keyword}", problem) for _, problem in problems]
    return tuple(found)


def _reference_faults(documents: Documents, judged: Documents) -> Iterator[Fault]:
    for name, document in judged.items():
        for pointer, reference in references(document):
            try:
                resolve(documents, name, reference)
            except LookupError:
                problem = f"{reference!r} leads nowhere"
                yield Fault(check="reference", home=name, pointer=pointer, problem=problem)


def _union_faults(documents: Documents, judged: Documents) -> Iterator[Fault]:
    # References in full: a branch may stand in another document than the union.
    whole = {name: absolute(body, body.get("$id", "")) for name, body in documents.items()}
    for name in judged:
        for pointer, schema in walk_document(whole[name]):
            for one, other in overlapping(whole, name, schema):
                problem = f"branches {one} and {other} differ neither in type nor in a required tag"
                at = f"{pointer}/oneOf"
                yield Fault(check="union", home=name, pointer=at, problem=problem)


def overlapping(documents: Documents, home: str, schema: JsonObject) -> list[tuple[int, int]]:
    """Return which branches of a schema's `oneOf` cannot be told apart at a glance.

    What a glance tells: the JSON type, listed values, or a required member whose listed values
    differ. Anything subtler is unknown to whoever words errors and to whoever draws values.

    Args:
        documents: The documents, references in full.
        home: Which of them `schema` is part of.
        schema: Any schema.
    """
    known = [
        branch_of(each, lambda reference: resolve(documents, home, reference)[1])
        for each in schema.get("oneOf", ())
    ]
    pairs = combinations(enumerate(known), 2)
    return [(one, other) for (one, first), (other, second) in pairs if first.overlaps(second)]


def _unused_faults(documents: Documents, judged: Documents) -> Iterator[Fault]:
    used = set()
    for name, document in documents.items():
        for _, reference in references(document):
            home, _ = resolve(documents, name, reference)
            used |= {(home, ""), (home, reference.partition("#")[2])}
    for name, document in judged.items():
        if "openapi" in document:
            continue
        if (name, "") not in used:
            problem = "no operation of openapi.json and no other document refers to this document"
            yield Fault(check="unused", home=name, pointer="", problem=problem)
        for key in document.get("$defs", {}):
            pointer = pointer_of(("$defs", key))
            if (name, pointer) not in used:
                problem = f"nothing refers to the definition {key!r}"
                yield Fault(check="unused", home=name, pointer=pointer, problem=problem)
