"""Whether what a rule looks at exists in a profile."""

import dataclasses

import pytest

from mockchat.contract.profile import Model, load_profile
from mockchat.contract.sites import missing_sites

DOCUMENTS = {
    "request": {
        "$id": "https://mockchat.invalid/x/request.json",
        "properties": {
            "kind": {"enum": ["a", None, 1]},
            "one": {"const": True},
            "text": {"type": "string"},
            "many": {"type": ["integer", "null"]},
            "any": {},
            "open": True,
            "closed": False,
            "list": {"type": "array", "items": {"$ref": "reply.json#/$defs/part"}},
            "again": {"$ref": "#/properties/again"},
        },
        "allOf": [{"properties": {"more": {"type": "object"}}}],
    },
    "reply": {
        "$id": "https://mockchat.invalid/x/reply.json",
        "$defs": {
            "part": {"oneOf": [{"type": "null"}, {"properties": {"role": {"const": "tool"}}}]}
        },
    },
}


@pytest.fixture(name="profile", scope="module")
def small_profile():
    """Give a profile of two small documents and one model."""
    capabilities = {"reasoning": False, "max_n": 8}
    model = Model(id="m", created=0, owned_by="x", snapshot="m", capabilities=capabilities)
    levels = {"observed": DOCUMENTS, "documented": DOCUMENTS}
    return dataclasses.replace(load_profile("openai"), levels=levels, models=(model,))


@pytest.mark.parametrize(
    ("site", "is_there"),
    [
        ("request/kind", True),
        ("request/nothing", False),
        ("request/closed", False),
        ("request/open", True),
        ("request/open=3", True),
        ("request/more", True),
        ("request/again", True),
        ("request/again=3", False),
        ("request/kind=a", True),
        ("request/kind=null", True),
        ("request/kind=1", True),
        ("request/kind=true", False),
        ("request/one=true", True),
        ("request/one=false", False),
        ("request/text=anything", True),
        ("request/text=3", False),
        ("request/many=null", True),
        ("request/many=text", False),
        ("request/any=text", True),
        ("request/list/*/role=tool", True),
        ("request/list/*/role=user", False),
        ("request/list/*=null", True),
        ("request/text/*", False),
        ("reply/x", False),
        ("answer/x", False),
        ("models/max_n", True),
        ("models/max_n=8", True),
        ("models/max_n=9", False),
        ("models/reasoning=false", True),
        ("models/reasoning=true", False),
        ("models/vision", False),
        ("request/nothing | request/kind", True),
        ("request/nothing | request/none", False),
    ],
)
def test_a_site_is_found_where_a_document_names_it(site, is_there, profile):
    """A member, a value, a capability: whatever may make a rule fire, and nothing else."""
    assert list(missing_sites(profile, (site,), {})) == ([] if is_there else [("", site)])


@pytest.mark.parametrize(
    ("parameters", "missing"),
    [
        ({}, []),
        ({"names": []}, []),
        ({"names": ["kind", "text"]}, []),
        ({"names": ["kind", "x"]}, [("/names/1", "request/x")]),
        ({"names": ["x"]}, [("", "request/x")]),
        ({"names": ["x", "y"]}, [("", "request/{names}")]),
        ({"names": {"kind": 1, "a/b": 2}}, [("/names/a~1b", "request/a/b")]),
    ],
)
def test_each_entry_of_a_parameter_is_asked_for(parameters, missing, profile):
    """One slip in a list makes that entry idle; nothing but slips make the rule dead."""
    assert list(missing_sites(profile, ("request/{names}",), parameters)) == missing
