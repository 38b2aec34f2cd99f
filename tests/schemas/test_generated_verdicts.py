"""Values made from the official document and from ours, each judged by the other."""

import math

import pytest
from disagreements import OURS, Verdicts
from listed_differences import LISTED
from official_document import official_schema
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from mockchat.payloads.seeded import SeededDraw
from mockchat.payloads.values import compile_schema, generate

KINDS = ("plain", "wild")
DOCUMENTS = ("request", "response", "chunk")
EACH_WAY = 10_000
REGISTRY = Registry().with_resources(
    (document["$id"], DRAFT202012.create_resource(document))
    for document in OURS.values()
    if "$id" in document
)
SILENT = {"default", "deprecated", "known", "member"}
"""Keywords that change no verdict: both sides leave objects of replies open."""

USER = [{"role": "user", "content": "Hello!"}]
SELDOM = {
    (".tools", "maxItems"): {
        "tools": [{"type": "function", "function": {"name": "look_up"}}] * 129
    },
    (".metadata", "maxProperties"): {"metadata": {str(number): "c" for number in range(17)}},
    (".metadata", "propertyNames"): {"metadata": {"a" * 65: "c"}},
    (".metadata{}", "maxLength"): {"metadata": {"a": "c" * 513}},
    (".prompt_cache_key", "maxLength"): {"prompt_cache_key": "a" * 65},
}
"""Differences that generated requests reach too seldom, each with members that do."""


@pytest.fixture
def verdicts(shared):
    """Give the judges of a document by its name."""

    def of(document):
        return Verdicts(official_schema(shared, document), document)

    return of


def values(schema, count, documents=None):
    """Yield `count` values of a schema, of both kinds in turn."""
    compiled = compile_schema(schema, documents=documents)
    for seed in range(count):
        yield generate(compiled, SeededDraw(seed), kind=KINDS[seed % len(KINDS)])


def told_apart(document):
    """Return the listed differences that make one side refuse what the other accepts."""
    rows = [row for row in LISTED if document in row.documents and row.keyword not in SILENT]
    return {(row.place, row.keyword) for row in rows}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_both_sides_agree_but_for_listed_differences(document, verdicts, shared, proof_count):
    """Tables can be compared wrongly; verdicts on thousands of values cannot all be."""
    count = math.ceil(proof_count(EACH_WAY) / len(DOCUMENTS))
    judges = verdicts(document)
    sources = {
        "official": values(official_schema(shared, document), count),
        "ours": values(OURS[document], count, REGISTRY),
    }
    excused, agreed = set(), dict.fromkeys(sources, 0)
    for source, made in sources.items():
        for value in made:
            faults = [(side, fault) for side in judges.sides(value) for fault in side.faults]
            rows = [judges.excuse(side, fault, value) for side, fault in faults]
            assert None not in rows, (source, faults[rows.index(None)])
            assert all(side.name != source for side, _ in faults), (source, faults)
            excused.update((row.place, row.keyword) for row in rows)
            agreed[source] += not faults
    assert all(share > count / 50 for share in agreed.values()), agreed
    if count * len(DOCUMENTS) >= EACH_WAY:
        assert told_apart(document) - excused - SELDOM.keys() == set()


@pytest.mark.parametrize("place", SELDOM, ids=" ".join)
def test_seldom_reached_difference_is_real(place, verdicts):
    """A row that excuses nothing would excuse the next mistake."""
    request = {"model": "gpt-4o", "messages": USER, **SELDOM[place]}
    judges = verdicts("request")
    official, ours = judges.sides(request)
    rows = [judges.excuse(ours, fault, request) for fault in ours.faults]
    assert official.faults == ()
    assert [(row.place, row.keyword) for row in rows] == [place]
