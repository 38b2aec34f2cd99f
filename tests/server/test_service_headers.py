"""The real service's response fields, in its formats."""

import copy
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockchat.contract.profile import load_profile
from mockchat.errors import BrokenProfile
from mockchat.server.service_headers import ServiceHeaders, duration

SETTINGS = load_profile("openai").settings

DURATIONS = [
    (0, "0s"),
    (0.000_001, "1ms"),
    (0.006, "6ms"),
    (0.12, "120ms"),
    (1, "1s"),
    (8.64, "8.64s"),
    (86.4, "1m26.4s"),
    (432, "7m12s"),
    (60, "1m0s"),
    (4105.745, "1h8m25.745s"),
    (299_439.057, "83h10m39.057s"),
    (3600, "1h0m0s"),
]


@pytest.mark.parametrize(("seconds", "text"), DURATIONS)
def test_durations_are_written_as_recorded(seconds, text):
    """Clients parse these: the forms are those of recorded replies."""
    assert duration(seconds) == text


@given(st.floats(0, 1e6))
def test_every_duration_has_the_recorded_form(seconds):
    """No exponent, no negative part, no sixty seconds."""
    assert re.fullmatch(r"(\d+h)?(\d+m)?(\d+(\.\d+)?s)?|\d+ms", duration(seconds))


def test_a_completion_carries_the_quotas():
    """Clients that pace themselves read these; a figure that is no number would break them."""
    fields = dict(
        ServiceHeaders(SETTINGS).fields(seconds=0.0421, used={"requests": 1, "tokens": 50})
    )
    assert re.fullmatch(r"req_[0-9a-f]{32}", fields.pop("x-request-id"))
    assert (
        fields.items()
        >= {
            "openai-version": "2020-10-01",
            "openai-processing-ms": "42",
            "x-ratelimit-limit-requests": "10000",
            "x-ratelimit-remaining-requests": "9999",
            "x-ratelimit-reset-requests": "6ms",
            "x-ratelimit-limit-tokens": "2000000",
            "x-ratelimit-remaining-tokens": "1999950",
            "x-ratelimit-reset-tokens": "2ms",
        }.items()
    )
    assert "openai-organization" in fields


def test_a_wait_comes_in_whole_seconds_too():
    """Azure's clients read an integer; rounding down would let them in too early."""
    settings = {
        "quotas": {"tokens": {"limit": 1000, "window": 60}},
        "headers": {"reset": {"value": "{tokens_reset_seconds}", "on": "completion"}},
    }
    for used, seconds in ((0, "0"), (1, "1"), (500, "30"), (501, "31")):
        fields = ServiceHeaders(settings).fields(seconds=0, used={"tokens": used})
        assert fields == (("reset", seconds),)


def test_other_replies_carry_none():
    """Recorded 400s and model lists have no quotas."""
    fields = dict(ServiceHeaders(SETTINGS).fields(seconds=0))
    assert fields["openai-processing-ms"] == "1"
    assert not [name for name in fields if name.startswith("x-ratelimit")]


def test_more_than_all_leaves_nothing():
    """A request larger than the quota leaves zero, never less."""
    fields = dict(ServiceHeaders(SETTINGS).fields(seconds=0, used={"tokens": 10**9}))
    assert fields["x-ratelimit-remaining-tokens"] == "0"
    assert fields["x-ratelimit-reset-tokens"] == "1m0s"
    assert fields["x-ratelimit-remaining-requests"] == "10000"


def test_no_two_replies_have_one_id():
    """Ids are outside the purity law: they name an exchange."""
    headers = ServiceHeaders(SETTINGS)
    ids = {dict(headers.fields(seconds=0))["x-request-id"] for _ in range(100)}
    assert len(ids) == 100


def test_a_profile_without_headers_adds_none():
    """Vendors that send nothing of the kind say nothing."""
    assert ServiceHeaders({}).fields(seconds=0, used={"requests": 1}) == ()


BROKEN = [
    ({"headers": {"x": "y"}}, "/headers/x", "a header needs a `value` of text"),
    ({"headers": {"x": {"value": 1}}}, "/headers/x", "a header needs a `value` of text"),
    (
        {"headers": {"x": {"value": "", "on": "error"}}},
        "/headers/x/on",
        '"every" or "completion" is wanted',
    ),
    ({"headers": {"x": {"value": "{mood}"}}}, "/headers/x/value", "{mood} is not known here"),
    (
        {"quotas": {"requests": {"limit": 0, "window": 1}}},
        "/quotas/requests",
        "a quota needs a `limit` of 1 or more and a `window` in seconds",
    ),
    (
        {"quotas": {"requests": {"limit": 1}}},
        "/quotas/requests",
        "a quota needs a `limit` of 1 or more and a `window` in seconds",
    ),
]


@pytest.mark.parametrize(("changes", "pointer", "problem"), BROKEN)
def test_a_mistake_in_a_profile_is_found_at_start(changes, pointer, problem):
    """A profile author gets the place and the reason, not a KeyError in the middle of a request."""
    with pytest.raises(BrokenProfile) as caught:
        ServiceHeaders({**copy.deepcopy(dict(SETTINGS)), **changes, "name": "mine"})
    assert (caught.value.path, caught.value.pointer, caught.value.problem) == (
        "mine/profile.json",
        pointer,
        problem,
    )
