"""Recorded traffic of real servers under the profile of its host: no false alarm at `observed`."""

import json
from collections import Counter

import pytest
from vendors import recorded, wrong

from mockchat.contract.contract import contract_for
from mockchat.contract.stream_framing import FramingJudge

EXCEPTIONS = {
    (379, "stream.finish-missing"): "its third-party server sent no finish reason for the call",
    (379, "stream.call-header-once"): "it repeats id and name: openai-python reads '00'",
    (381, "stream.finish-missing"): "its third-party server sent no finish reason",
    (382, "stream.field"): "a space before the first 'data:', from an edit of the recording",
}
"""Faults of recorded exchanges that no profile excuses, by line of the file and rule."""


def events_of(body):
    """Return the events of a body framed as these are: one line of data each."""
    texts = [line[6:] for line in body.split("\n") if line.startswith("data: ")]
    return [text if text == "[DONE]" else json.loads(text) for text in texts]


def found_in(name, exchange, level="observed"):
    """Return what an exchange breaks under a profile, notes left out."""
    contract, request, body = contract_for(name), exchange["request"], exchange["body"]
    found = [*contract.request_violations(request)]
    if isinstance(body, str):
        judge = contract.stream_judge(request=request, level=level)
        framing = FramingJudge(
            contract.profile.settings, level=level, content_type=exchange["content_type"]
        )
        found += [one for event in events_of(body) for one in judge.feed(event)]
        found += [*judge.finish(), *framing.feed(body.encode()), *framing.finish()]
    elif "error" in body:
        # Azure answered a filtered prompt with status 200 and an error.
        found += contract.violations("error", body, level=level)
    else:
        found += contract.violations("response", body, level=level)
        found += contract.exchange_violations(request, body, level=level)
    return wrong(found)


def test_recorded_exchanges_break_no_rule_under_the_profile_of_their_host():
    """A rule that fires on honest traffic is wrong, or belongs to level documented."""
    broken = {
        (number, violation.rule)
        for number, (name, exchange) in enumerate(recorded())
        for violation in found_in(name, exchange)
    }
    assert broken == EXCEPTIONS.keys()


def test_every_recorded_host_has_exchanges():
    """An empty file would pass."""
    counts = Counter(name for name, _ in recorded())
    assert counts == {
        "openai": 315,
        "azure": 55,
        "groq": 13,
        "mistral": 12,
        "openrouter": 7,
        "vllm": 6,
        "deepseek": 1,
        "together": 1,
    }


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("azure", "schema.const"),
        ("together", "schema.enum"),
        ("mistral", "schema.type"),
        ("openrouter", "stream.role-once"),
    ],
)
def test_the_openai_profile_would_refuse_what_the_vendor_sends(name, rule):
    """A vendor's profile that loosens nothing would be a name without a meaning."""
    found = {
        violation.rule
        for profile, exchange in recorded()
        if profile == name
        for violation in found_in("openai", exchange)
    }
    assert rule in found
