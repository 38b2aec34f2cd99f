"""The samples beside the schema tests: enough of them for every profile."""

import json
from pathlib import Path

import pytest
from schema_walk import used_properties, walk_document

from mockchat.contract.profile import load_profile

SAMPLES = Path(__file__).parents[1] / "schemas" / "samples"
PROFILES = (
    "openai-2023-03",
    "openai-2023-05",
    "openai-2023-06",
    "openai-2023-11",
    "openai-2024-08",
    "apifox-2023-06",
    "openai-2025-summary",
    "perplexity",
    "perplexity-outcode",
)
EXCHANGED = ("request", "response", "chunk")


@pytest.mark.parametrize("document", EXCHANGED)
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("kind", ["accepted", "refused"])
def test_every_document_has_samples(profile, document, kind):
    """A document nobody tried is a document nobody can trust; `tests/schemas` judges the samples."""
    assert list((SAMPLES / profile / document / kind).glob("*.json"))


@pytest.mark.parametrize("profile", PROFILES)
def test_accepted_samples_use_every_property(profile):
    """A misspelt property name is found only by a sample that has it."""
    documents = load_profile(profile).documents
    used = set()
    for document in EXCHANGED:
        for path in (SAMPLES / profile / document / "accepted").glob("*.json"):
            used |= used_properties(documents, document, json.loads(path.read_text()))
    known = {
        (name, f"{pointer}/properties/{member}")
        for name in EXCHANGED
        for pointer, schema in walk_document(documents[name])
        for member in schema.get("properties", {})
    }
    assert known - used == set()
