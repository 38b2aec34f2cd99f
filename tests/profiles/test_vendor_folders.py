"""The vendor folders themselves: no code, every difference a sample, every gap a line."""

import json
from pathlib import Path

import pytest
from schema_walk import used_properties, walk_document
from vendors import VENDORS

from mockchat.contract.profile import load_profile, schemas_directory

SAMPLES = Path(__file__).parents[1] / "schemas" / "samples"
DOCUMENTS = ("request", "response", "chunk", "error")


def properties_of(profile, document):
    """Return all members that a document names, by their place."""
    return {
        (document, f"{pointer}/properties/{member}")
        for pointer, schema in walk_document(load_profile(profile).documents[document])
        for member in schema.get("properties", {})
    }


@pytest.mark.parametrize("name", VENDORS)
def test_a_vendor_is_a_folder_without_code(name):
    """Whoever adds the next one has to know JSON Schema, not us."""
    folder = schemas_directory() / name
    assert {path.suffix for path in folder.iterdir()} == {".json"}
    assert load_profile(name).extends == "openai"


@pytest.mark.parametrize("name", VENDORS)
def test_a_vendor_says_where_it_comes_from_and_what_it_lacks(name):
    """A gap that is listed is a fact; one that is not is a lie."""
    profile = load_profile(name)
    assert profile.summary.endswith(".")
    assert profile.sources
    for deviation in profile.deviations:
        assert deviation.keys() <= {"what", "entries", "reason"}
        assert deviation["reason"].endswith(".")
    off = [rule for rule, parameters in profile.settings["rules"].items() if parameters is False]
    told = {deviation["what"] for deviation in profile.deviations}
    assert ("rules of requests" in told) is (off != ["request.metadata-needs-store"])


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("name", VENDORS)
@pytest.mark.parametrize("kind", ["accepted", "refused"])
def test_every_document_has_samples(name, document, kind):
    """A document nobody tried is a document nobody can trust; `tests/schemas` judges the samples."""
    assert list((SAMPLES / name / document / kind).glob("*.json"))


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("name", VENDORS)
def test_accepted_samples_use_every_member_of_the_vendors_own(name, document):
    """A misspelt member is found only by a sample that has it."""
    documents = load_profile(name).documents
    used = set()
    for sample in DOCUMENTS:
        for path in (SAMPLES / name / sample / "accepted").glob("*.json"):
            used |= used_properties(documents, sample, json.loads(path.read_text()))
    own = properties_of(name, document) - properties_of("openai", document)
    assert own - used == set()
