"""Who may pass when keys are asked for, and what is said about the others."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockchat.server.credentials import masked, problem_with

KEYS = ("sk-first", "sk-second-ü")
WRONG = "sk-" + "x" * 40


def basic(text):
    """Return a header of basic authentication."""
    return "Basic " + base64.b64encode(text.encode()).decode()


CASES = [
    (None, "missing_authorization"),
    ("", "malformed_authorization"),
    ("Bearer", "malformed_authorization"),
    ("Bearer   ", "malformed_authorization"),
    ("sk-first", "malformed_authorization"),
    ("Digest sk-first", "malformed_authorization"),
    ("Basic ???", "malformed_authorization"),
    ("Basic " + base64.b64encode(b"\xff:x").decode(), "malformed_authorization"),
    (basic("no password"), "malformed_authorization"),
    (basic(":" + WRONG), "invalid_api_key"),
    ("Bearer " + WRONG, "invalid_api_key"),
    ("Bearer sk-firs", "invalid_api_key"),
    ("Bearer sk-first ", None),
    ("bearer sk-first", None),
    ("Bearer  sk-first", None),
    ("Bearer sk-second-ü", None),
    (basic(":sk-first"), None),
    (basic("me:sk-first"), None),
]


@pytest.mark.parametrize(("value", "name"), CASES)
def test_keys_are_checked_as_the_api_does(value, name):
    """Missing, malformed and wrong are three errors with three texts."""
    headers = () if value is None else (("authorization", value),)
    found = problem_with(headers, KEYS)
    assert (found and found[0]) == name


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ((("api-key", "sk-first"),), None),
        ((("api-key", " sk-first "),), None),
        ((("api-key", WRONG), ("authorization", "Bearer sk-first")), "invalid_api_key"),
        ((("api-key", ""),), "malformed_authorization"),
        ((("authorization", "Bearer sk-first"),), None),
        ((("x-key", "sk-first"),), "missing_authorization"),
    ],
)
def test_a_profile_has_key_headers_of_its_own(headers, name):
    """Azure's clients send the key as it is, in a field the document declares."""
    found = problem_with(headers, KEYS, ("api-key",))
    assert (found and found[0]) == name


@pytest.mark.parametrize("value", [case[0] for case in CASES])
def test_without_keys_everybody_passes(value):
    """A mock that asks for a key by default would break every first try."""
    assert problem_with((("authorization", value or ""),), ()) is None


@given(st.text(min_size=1, max_size=200))
def test_a_masked_key_is_not_the_key(key):
    """The message helps to recognize a key; it must never be enough to use it."""
    shown = masked(key)
    assert len(shown) == len(key)
    assert shown.count("*") >= len(key) - 12
    if len(key) < 20:
        assert set(shown) == {"*"}


def test_a_wrong_key_is_masked_as_the_api_masks_it():
    """First characters, asterisks, the last four."""
    assert problem_with((("authorization", "Bearer sk-proj-0123456789abcdef"),), KEYS) == (
        "invalid_api_key",
        {"masked": "sk-proj-************cdef"},
    )
