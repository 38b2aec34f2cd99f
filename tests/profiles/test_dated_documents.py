"""The documents of the profiles: what each tells otherwise than its parent, and than OpenAI did."""

import json

import pytest
from official_differences import ALL, AUGUST, JUNE, MARCH, NOVEMBER, ROWS, explains
from profile_differences import Difference, between, covers, differences, listed, official, said

from mockchat.contract.profile import load_profile

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
DATES = {MARCH: "2023-03-01", JUNE: "2023-06-13", NOVEMBER: "2023-11-06", AUGUST: "2024-08-07"}
OFFICIAL = {
    "request": "CreateChatCompletionRequest",
    "response": "CreateChatCompletionResponse",
    "chunk": "CreateChatCompletionStreamResponse",
    "error": "ErrorResponse",
    "model": "Model",
    "model-list": "ListModelsResponse",
    "model-deleted": "DeleteModelResponse",
}


@pytest.mark.parametrize("name", PROFILES)
def test_every_difference_from_the_parent_is_listed(name):
    """A reader must learn from `profile.json` alone what a profile changes, and why."""
    rows = [row for row, _ in listed(name)]
    unlisted = [each for each in differences(name) if not any(covers(row, each) for row in rows)]
    assert sorted(unlisted) == []


@pytest.mark.parametrize("name", PROFILES)
def test_every_listed_difference_is_real(name):
    """A stale row would excuse the next mistake; a row without a reason explains nothing."""
    found = differences(name)
    rows = load_profile(name).settings["differences"]
    assert all(row["reason"] for row in rows)
    for row in rows:
        whole = [
            [Difference(document, place, keyword) for keyword in row["keywords"]]
            for document in row["documents"]
            for place in row["places"]
        ]
        hits = {each for line in whole for each in line if any(covers(each, at) for at in found)}
        assert {each.document for each in hits} == set(row["documents"]), row
        assert {each.place for each in hits} == set(row["places"]), row
        assert {each.keyword for each in hits} == set(row["keywords"]), row


def test_differences_are_not_handed_down():
    """A child's list would otherwise start with what its parent changed."""
    assert (
        load_profile("openai-2023-05").settings["differences"]
        != (load_profile("openai-2023-03").settings["differences"])
    )
    assert "differences" not in load_profile("openai").settings


@pytest.fixture(scope="module", params=ALL)
def dated(request, shared):
    """Give a profile of one date with all that it tells otherwise than OpenAI's document of it."""
    path = shared / "facts" / "openai-spec" / f"chat-{DATES[request.param]}.json"
    schemas = json.loads(path.read_text())["schemas"]
    profile = load_profile(request.param)
    found = {
        Difference(document, *at)
        for document, theirs in OFFICIAL.items()
        if theirs in schemas
        for at in between(said(profile, document, "documented"), official(schemas, theirs))
    }
    return request.param, found


def test_dated_profile_is_the_official_document_of_its_date(dated):
    """A profile named by a date has to be what OpenAI published then, but for listed reasons."""
    profile, found = dated
    unlisted = [each for each in found if not any(explains(row, profile, each) for row in ROWS)]
    assert sorted(unlisted) == []


def test_listed_official_differences_are_real(dated):
    """A stale row would excuse the next mistake."""
    profile, found = dated
    stale = [
        row.reason
        for row in ROWS
        if profile in row.profiles and not any(explains(row, profile, each) for each in found)
    ]
    assert stale == []
