"""The stream rules against recorded traffic of real servers: no false alarm."""

import json
from functools import cache
from pathlib import Path

import pytest
from stream_samples import OPENAI, settings

from mockchat.contract.stream_framing import FramingJudge
from mockchat.contract.stream_rules import stream_violations

WIRE = Path(__file__).parents[2].parent / "shared" / "wire" / "chat-exchanges.jsonl"

OPENROUTER = settings(role="every", usage="finish", finish_delta={"content": ""}, usage_null=False)
"""A gateway recorded under OpenAI's host name: it repeats the role and counts behind the finish."""

EXCEPTIONS = {
    379: {
        "stream.finish-missing": "its third-party server sent no finish reason for the call",
        "stream.call-header-once": "it repeats id and name: openai-python reads '00'",
    },
    381: {"stream.finish-missing": "its third-party server sent no finish reason"},
    382: {"stream.field": "a space before the first 'data:', from an edit of the recording"},
}
"""Faults of recorded streams that no axis excuses, by line of the file, with the reason."""


@cache
def recorded():
    """Return the recorded streams by line."""
    if not WIRE.is_file():
        pytest.skip("the recordings of `shared` do not stand beside this checkout")
    lines = WIRE.read_text(encoding="utf-8").splitlines()
    exchanges = {number: json.loads(line) for number, line in enumerate(lines)}
    return {
        number: exchange
        for number, exchange in exchanges.items()
        if isinstance(exchange["body"], str)
    }


def events_of(body):
    """Return the events of a body framed as these are: one line of data each."""
    texts = [line[6:] for line in body.split("\n") if line.startswith("data: ")]
    return [text if text == "[DONE]" else json.loads(text) for text in texts]


def is_openrouter(exchange):
    """Tell the gateway by the ids it gives."""
    return '"id":"gen-' in exchange["body"]


def settings_of(exchange):
    """Return what to judge an exchange by: the openai profile for all but one gateway."""
    return OPENROUTER if is_openrouter(exchange) else OPENAI


def found_in(exchange, profile_settings, level="observed"):
    """Return the violations of events and bytes, notes left out."""
    framing = FramingJudge(profile_settings, level=level, content_type=exchange["content_type"])
    found = (
        *stream_violations(
            events_of(exchange["body"]),
            profile_settings,
            request=exchange["request"],
            level=level,
        ),
        *framing.feed(exchange["body"].encode()),
        *framing.finish(),
    )
    return [one for one in found if not one.is_note]


def test_recorded_streams_break_no_rule_at_level_observed():
    """A rule that fires on a real server's honest traffic is wrong, or documented only."""
    broken = {
        number: {one.rule for one in found_in(exchange, settings_of(exchange))}
        for number, exchange in recorded().items()
    }
    faults = {number: set(reasons) for number, reasons in EXCEPTIONS.items()}
    assert {number: rules for number, rules in broken.items() if rules} == faults
    assert len(broken) > 100


def test_the_gateway_needs_the_axis_of_the_repeated_role():
    """Under the openai profile its streams break the role rule: openai-python reads it that way."""
    for exchange in recorded().values():
        if is_openrouter(exchange):
            assert "stream.role-once" in {one.rule for one in found_in(exchange, OPENAI)}


def test_padded_openai_streams_keep_even_the_documented_rules():
    """The documented level is not beyond what OpenAI does: its streams of today reach it."""
    today = [
        exchange
        for exchange in recorded().values()
        if exchange["host"] == "api.openai.com" and '"obfuscation":' in exchange["body"]
    ]
    assert len(today) > 40
    for exchange in today:
        assert found_in(exchange, OPENAI, "documented") == []


def test_a_damaged_recording_breaks_a_rule():
    """Silence about real traffic is worth something only if damage to it is heard."""
    heard = 0
    for exchange in recorded().values():
        if exchange["host"] != "api.openai.com" or is_openrouter(exchange):
            continue
        *events, done = events_of(exchange["body"])
        for damaged in (events, [*events[1:], done], [*events, events[-1], done]):
            found = stream_violations(damaged, OPENAI, request=exchange["request"])
            assert [one for one in found if not one.is_note]
            heard += 1
    assert heard > 200
