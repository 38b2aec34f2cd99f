"""Payloads at the edge of what is allowed: all valid, every edge met."""

import pytest

from mockchat.contract.contract import contract_for
from mockchat.contract.profile import profile_names
from mockchat.payloads.boundaries import _edges, boundaries, payload_at
from mockchat.payloads.mutation import found_at
from mockchat.payloads.places import places_of
from mockchat.payloads.values import compile_schema

PLACES = [
    (profile, document)
    for profile in profile_names()
    for document in contract_for(profile).profile.documents
    if document != "openapi"
]


@pytest.mark.parametrize(("profile", "document"), PLACES)
def test_every_boundary_is_valid(profile, document):
    """A payload at the edge that is refused shows an edge that is drawn wrongly."""
    contract = contract_for(profile)
    for name, boundary in boundaries(contract, document).items():
        payload = payload_at(contract, document, boundary)
        found = contract.violations(document, payload)
        assert [violation for violation in found if not violation.is_note] == [], name


def test_edges_are_reached():
    """An enumeration that stays inside would pass with any limit."""
    contract = contract_for("openai")
    known = boundaries(contract, "request")

    def value(name):
        payload = payload_at(contract, "request", known[name])
        return found_at(payload, known[name].pointer)

    assert value("/temperature greatest") == 2
    assert value("/top_logprobs is 20") == 20
    assert value("/reasoning_effort is 'minimal'") == "minimal"
    assert len(value("/safety_identifier longest")) == 128
    assert len(value("/tools most items")) == 128
    assert len(value("/stop most items")) == 4
    assert value("/stream is None") is None
    everything = payload_at(contract, "request", known["/ all members"])
    schema = contract.profile.document("request")
    # Two limits exclude each other, and one is given up.
    assert schema["properties"].keys() - everything.keys() == {"max_tokens"}


EDGES = {
    "steps that miss a limit": (
        {"type": "number", "minimum": 1, "maximum": 9, "multipleOf": 2},
        [],
    ),
    "open numbers": ({"type": "integer"}, []),
    "half numbers": ({"type": "number", "minimum": 0.5, "maximum": 2}, ["least", "greatest"]),
    "very long text": ({"type": "string", "maxLength": 10**9}, ["shortest"]),
    "few members": (
        {"type": "object", "properties": {"a": {}, "b": False}, "maxProperties": 1},
        ["required members"],
    ),
    "a member that cannot be": (
        {"type": "object", "properties": {"b": False}},
        ["required members", "all members"],
    ),
    "anything": (True, []),
}


@pytest.mark.parametrize(("schema", "edges"), EDGES.values(), ids=EDGES)
def test_edges_of_any_schema(schema, edges):
    """Limits that no value meets are no edges."""
    node = compile_schema(schema).node
    found = [edge for edge, _ in _edges(next(iter([*places_of(node)][1:2])).node)]
    assert found == edges


def test_a_shape_leaves_other_nodes_alone():
    """Shapes are applied where a route ends; on anything else they must do no harm."""
    number = compile_schema({"type": "integer"}).node
    text = compile_schema({"type": "string"}).node.branches[0]
    full = compile_schema({"type": "object", "properties": {"b": False}}).node.branches[0]
    shapes = [shape for node in (text, full) for _, shape in _edges(node)]
    assert all(shape(number) is number for shape in shapes)
    assert [shape(full).required for _, shape in _edges(full)] == [(), ()]
