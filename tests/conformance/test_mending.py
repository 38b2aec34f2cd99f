"""What a report advises: to mend the fault that was found, not another."""

from pathlib import Path

import pytest

from mockchat.conformance.checks import CHECKS
from mockchat.conformance.mending import BY_CHECK, BY_KEYWORD, how_to_mend
from mockchat.conformance.observed import Finding
from mockchat.exchange import Violation

DOCUMENTS = Path(__file__).parents[2] / "schemas"


def found(check, pointer="", **members):
    """Return a finding."""
    violation = Violation(rule="", pointer=pointer, message="", **members)
    return Finding(check=check, probe="chat.plain", violation=violation)


@pytest.mark.parametrize(
    ("finding", "advice"),
    [
        (
            found("schema.response", "/usage/total_tokens", keyword="required"),
            "Send the member 'total_tokens' in /usage.",
        ),
        (
            found("schema.response", "/id", keyword="required"),
            "Send the member 'id' in the object itself.",
        ),
        (
            found("schema.response", "/id", keyword="type", expected=["string", "null"]),
            "Send a string or null at /id.",
        ),
        (
            found("schema.chunk", "/0/object", keyword="const", expected="chat.completion.chunk"),
            "Send 'chat.completion.chunk' at /0/object.",
        ),
        (
            found("schema.error", "", keyword="type", expected="object"),
            "Send an object at the top.",
        ),
        (
            found("schema.response", "/a", keyword="additionalProperties", expected=False),
            "Leave 'a' out of the object itself: the API has no such member there.",
        ),
        (
            found("refusal.status", expected=400, actual=422),
            "Send 400 instead of 422.",
        ),
        (found("stream.done-once"), "Send `data: [DONE]` once."),
        (found("schema.response", "/a", keyword="not"), "A completion keeps to its schema."),
    ],
)
def test_advice(finding, advice):
    """Whoever mends a server reads this line first."""
    assert how_to_mend(finding) == advice


def test_advice_is_for_checks_and_keywords_that_there_are():
    """Advice for what nobody checks any more is dead."""
    assert BY_CHECK.keys() - CHECKS.keys() == set()
    documents = "".join(path.read_text() for path in DOCUMENTS.rglob("*.json"))
    assert [name for name in BY_KEYWORD if f'"{name}":' not in documents] == []


def test_what_only_says_what_is_wrong_has_advice():
    """The sentences of these rules tell the fault: as advice they would tell to commit it."""
    told = {name for name in CHECKS if name.startswith(("reply.", "exchange."))}
    assert told - BY_CHECK.keys() == set()
