"""Items are those of the contract, no more and no less, under names that stay."""

import pytest
from tiny_profile import EXCLUDED, REPLY_ITEMS, REQUEST_ITEMS

from mockchat.contract.contract import contract_for
from mockchat.contract.profile import profile_names
from mockchat.coverage.capabilities import CAPABILITIES, capability_of
from mockchat.coverage.catalogue import catalogue_of
from mockchat.coverage.schema_items import SchemaItems
from mockchat.scripting.fault_list import stream_faults


def items_of(schema, **documents):
    """Return the compiled items of a response document."""
    return SchemaItems({"response": schema, **documents}, ["response"], "https://example.com/")


def marked(schema, *values):
    """Return the ids of a document and, for each value, those it meets."""
    compiled = items_of(schema)
    told = []
    for value in values:
        marks = set()
        compiled.marks("response", value, marks)
        told.append([item for item in compiled.ids if item in marks])
    return compiled.ids, told


def test_a_small_profile_has_the_items_counted_by_hand(tiny):
    """A percent of something else than the contract would tell nothing."""
    faults = [f"fault/{fault.name}" for fault in stream_faults()]
    wanted = {*REPLY_ITEMS, *REQUEST_ITEMS, *EXCLUDED, *faults}
    assert set(tiny.items) == wanted
    assert {name for name, item in tiny.items.items() if item.excluded} == set(EXCLUDED)
    assert all(tiny.items[name].side == "request" for name in REQUEST_ITEMS)
    assert all(tiny.items[name].side == "reply" for name in REPLY_ITEMS)


@pytest.mark.parametrize("name", profile_names())
def test_every_profile_has_items_with_names_of_their_own(name):
    """Data files name items: two with one name, or one without a capability, would be lost."""
    catalogue = catalogue_of(contract_for(name))
    assert all(item.capability in CAPABILITIES for item in catalogue.items.values())
    assert {item.partition("/")[0].partition("#")[0] for item in catalogue.items} <= {
        "request",
        "response",
        "chunk",
        "error",
        "stream",
        "errors",
        "status",
        "fault",
    }


@pytest.mark.parametrize(
    ("schema", "value", "ids", "met"),
    [
        (
            {"properties": {"a": {"type": "string"}}},
            {},
            ["response/a#absent", "response/a#given"],
            ["response/a#absent"],
        ),
        (
            {"properties": {"a": {"type": ["string", "null"]}}},
            {"a": None},
            ["response/a#absent", "response/a#null", "response/a#given"],
            ["response/a#null"],
        ),
        (
            {"required": ["a"], "properties": {"a": {"enum": ["x", 1, None]}}},
            {"a": 1},
            ["response/a#null", "response/a#given", "response/a=x", "response/a=1"],
            ["response/a#given", "response/a=1"],
        ),
        (
            {"required": ["a"], "properties": {"a": {"const": "x"}}},
            {"a": "x"},
            [],
            [],
        ),
        (
            {"properties": {"a": {"type": "null"}}},
            {"a": None},
            ["response/a#absent", "response/a#null"],
            ["response/a#null"],
        ),
        (
            {"required": ["a"], "properties": {"a": {"type": ["string", "integer"]}}},
            {"a": 3},
            ["response/a:string", "response/a:integer"],
            ["response/a:integer"],
        ),
        (
            {"required": ["a"], "properties": {"a": {"type": "array", "maxItems": 1}}},
            {"a": []},
            ["response/a#none", "response/a#one"],
            ["response/a#none"],
        ),
        (
            {"required": ["a"], "properties": {"a": {"type": "array", "minItems": 3}}},
            {"a": [1, 2, 3]},
            [],
            [],
        ),
        (
            {"type": "object", "additionalProperties": {"type": "boolean"}},
            {"x": True, "y": True},
            ["response=true", "response=false"],
            ["response=true"],
        ),
        ({"properties": {"a": False}}, {}, [], []),
    ],
)
def test_items_of_one_place(schema, value, ids, met):
    """Each form of an item stands for one thing a client can meet, and only for that."""
    assert marked(schema, value) == (ids, [met])


def test_branches_are_told_by_their_tags():
    """A union without names for its branches would be a list of numbers."""
    tagged = [
        {"type": "object", "required": ["type"], "properties": {"type": {"const": name}}}
        for name in ("a", "b")
    ]
    union = {"items": {"oneOf": [*tagged, {"type": "string"}]}, "type": "array", "minItems": 2}
    ids, (met,) = marked(union, [{"type": "b"}, "text"])
    assert ids == ["response=a", "response=b", "response:string"]
    assert met == ["response=b", "response:string"]


def test_branches_that_nothing_tells_apart_have_numbers():
    """Their names must differ, whatever they are."""
    objects = [{"type": "object", "required": [name]} for name in ("a", "b")]
    ids, _ = marked({"required": ["u"], "properties": {"u": {"anyOf": objects}}})
    assert ids == ["response/u:1", "response/u:2"]


def test_a_schema_that_several_places_share_is_counted_once():
    """The same code of a client reads it in each of them."""
    shared = {"$defs": {"d": {"required": ["k"], "properties": {"k": {"enum": ["x", "y"]}}}}}
    places = {"a": {"$ref": "#/$defs/d"}, "b": {"$ref": "#/$defs/d"}}
    ids, (met,) = marked(
        {**shared, "required": ["a", "b"], "properties": places}, {"a": {"k": "x"}, "b": {"k": "y"}}
    )
    assert ids == ["response/a/k=x", "response/a/k=y"]
    assert met == ids


def test_a_schema_that_refers_to_itself_ends():
    """Trees are recursive; a catalogue of them is not endless."""
    node = {"properties": {"inner": {"$ref": "#"}, "kind": {"enum": ["leaf", "tree"]}}}
    ids, (met,) = marked(node, {"kind": "tree", "inner": {"kind": "leaf"}})
    assert ids == [
        "response/inner#absent",
        "response/inner#given",
        "response/kind#absent",
        "response/kind#given",
        "response/kind=leaf",
        "response/kind=tree",
    ]
    assert met == [item for item in ids if item != "response/kind#absent"]


def test_parts_of_one_value_are_read_together():
    """`allOf` says several things of one value, and a member required by one part is."""
    parts = [
        {"properties": {"a": {"type": "string"}}},
        {"required": ["a"], "properties": {"a": {"enum": ["x", "y"]}}},
    ]
    assert marked({"allOf": parts}, {"a": "x"}) == (
        ["response/a=x", "response/a=y"],
        [["response/a=x"]],
    )


@pytest.mark.parametrize(
    ("item", "capability"),
    [
        ("response/choices/message/tool_calls#many", "tools"),
        ("response/choices/finish_reason=stop", "chat"),
        ("response/choices/finish_reason=tool_calls", "tools"),
        ("request/stop#given", "sampling"),
        ("request/messages=tool", "tools"),
        ("chunk/choices/delta/tool_calls#one", "streaming"),
        ("stream/no-text", "streaming"),
        ("errors/slow_down", "errors"),
        ("fault/cut", "faults"),
        ("response/choices/logprobs#given", "logprobs"),
    ],
)
def test_capabilities(item, capability):
    """The table is read by capability: an item in the wrong row hides."""
    assert capability_of(item) == capability
