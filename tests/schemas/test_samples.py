import json
from pathlib import Path

import pytest
from schema_walk import used_properties, walk_document

from mockchat.contract.profile import load_profile

SAMPLES = Path(__file__).parent / "samples"
ACCEPTED = sorted(SAMPLES.glob("*/*/accepted/*.json"))
REFUSED = sorted(SAMPLES.glob("*/*/refused/*.json"))


def _name(path):
    return "/".join(path.relative_to(SAMPLES).with_suffix("").parts)


def _place(path):
    profile, document, *_ = path.relative_to(SAMPLES).parts
    return profile, document


@pytest.mark.parametrize("path", ACCEPTED, ids=_name)
def test_accepted_sample_has_no_violation(path, judge):
    """A document that refuses what the API takes raises a false alarm in every user's test."""
    profile, document = _place(path)
    assert judge(profile).violations(document, json.loads(path.read_text())) == ()


@pytest.mark.parametrize("path", REFUSED, ids=_name)
def test_refused_sample_breaks_exactly_what_it_says(path, judge):
    """The pointer and the keyword become the API's `param` and `code`: they have to be right."""
    profile, document = _place(path)
    sample = json.loads(path.read_text())
    found = judge(profile).violations(document, sample["value"])
    wanted = [sample["keyword"], *sample.get("also", [])]
    assert [(each.pointer, each.keyword) for each in found] == [
        (sample["pointer"], keyword) for keyword in wanted
    ]


def test_every_document_has_samples_of_both_kinds():
    """A document nobody tried is a document nobody can trust."""
    documents = {name for name, body in load_profile("openai").documents.items() if "$id" in body}
    for samples in (ACCEPTED, REFUSED):
        assert {_place(path)[1] for path in samples if _place(path)[0] == "openai"} == documents


def test_accepted_samples_use_every_property():
    """A misspelt property name is found only by a sample that has it."""
    documents = load_profile("openai").documents
    used = set()
    for path in ACCEPTED:
        profile, document = _place(path)
        if profile == "openai":
            used |= used_properties(documents, document, json.loads(path.read_text()))
    known = {
        (name, f"{pointer}/properties/{member}")
        for name, body in documents.items()
        if "$id" in body
        for pointer, schema in walk_document(body)
        for member in schema.get("properties", {})
    }
    assert known - used == set()
