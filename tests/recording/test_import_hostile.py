"""Whatever a file holds, an import ends in a scenario or in one line that says why not."""

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from importing_samples import KEY, URL, asking, completion

from mockchat.recording.imported import Unimportable
from mockchat.recording.importing import imported
from mockchat.scripting.scenario import scenario_of

PROFILE = "openai"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 999) | st.floats(-9, 9) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
ANSWER = json.dumps(completion())
SAMPLES = {
    "har": {
        "log": {
            "entries": [
                {
                    "startedDateTime": "2026-11-20T10:00:00Z",
                    "timings": {"wait": 20, "receive": 10},
                    "request": {
                        "method": "POST",
                        "url": URL,
                        "headers": [{"name": "authorization", "value": f"Bearer {KEY}"}],
                        "postData": {"text": json.dumps(asking())},
                    },
                    "response": {
                        "status": 200,
                        "headers": [{"name": "content-type", "value": "application/json"}],
                        "content": {"text": ANSWER, "encoding": "none"},
                    },
                }
            ]
        }
    },
    "vcr": {
        "interactions": [
            {
                "request": {
                    "method": "POST",
                    "uri": URL,
                    "body": json.dumps(asking()),
                    "headers": {"api-key": [KEY]},
                },
                "response": {
                    "status": {"code": 200},
                    "headers": {"content-type": ["application/json"]},
                    "body": {"string": ANSWER},
                },
                "recorded_at": "2026-11-20",
            }
        ]
    },
    "aimock": {
        "fixtures": [
            {
                "match": {
                    "userMessage": "a",
                    "systemMessage": ["b"],
                    "turnIndex": 1,
                    "sequenceIndex": 0,
                    "hasToolResult": False,
                },
                "response": {
                    "content": {"a": 1},
                    "toolCalls": [{"name": "f", "arguments": {}}],
                    "usage": {"total_tokens": 3},
                },
                "latency": 3,
                "chunkSize": 4,
                "truncateAfterChunks": 1,
                "streamingProfile": {"ttft": 2, "tps": 3, "jitter": 0.1},
                "recordedTimings": {"ttftMs": 1, "interChunkDelaysMs": [1]},
                "replaySpeed": 2,
            },
            {"match": {"model": "m"}, "response": {"error": {"message": "x"}, "status": 429}},
        ]
    },
    "stubllm": {
        "fixtures": [
            {
                "name": "a",
                "match": {
                    "provider": "any",
                    "messages": [{"role": "user", "content": {"regex": "x"}}],
                    "headers": {"x-team": "a"},
                    "tools_present": True,
                },
                "response": {
                    "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}],
                    "usage": {"total_tokens": 3},
                    "latency_ms": 3,
                },
            },
            {"match": {}, "sequence": [{"content": "x"}, {"http_status": 500}]},
        ]
    },
}


def places(value, path=()):
    """Return the path to every part of a JSON value."""
    found = [path]
    if isinstance(value, dict | list):
        members = value.items() if isinstance(value, dict) else enumerate(value)
        found += [place for key, member in members for place in places(member, (*path, key))]
    return found


def put(value, path, new):
    """Return a JSON value with another part at a path."""
    if not path:
        return new
    made = dict(value) if isinstance(value, dict) else list(value)
    made[path[0]] = put(value[path[0]], path[1:], new)
    return made


def imported_or_refused(data, name, kind):
    """Return what was imported; None where it was refused, in one line."""
    told = []
    try:
        return imported(data, name, format_=kind, profile=PROFILE)
    except Unimportable as refusal:
        told += str(refusal).splitlines()
    assert len(told) == 1
    return None


@pytest.mark.parametrize("kind", SAMPLES)
@pytest.mark.parametrize("form", ["json", "yaml"])
def test_a_file_that_is_wrong_anywhere_is_imported_or_refused(kind, form, proof_count):
    """Somebody else's file: an exception of Python's tells its owner nothing."""
    sample = SAMPLES[kind]

    @settings(max_examples=proof_count(150))
    @given(path=st.sampled_from(places(sample)), new=JSON)
    def run(path, new):
        value = put(sample, path, new)
        data = (json.dumps if form == "json" else yaml.safe_dump)(value).encode()
        made = imported_or_refused(data, f"file.{form}", kind)
        if made is not None:
            text = json.dumps(made.scenario)
            assert KEY not in text
            scenario_of(text.encode(), "scenario.json").check()

    run()


@settings(max_examples=100)
@given(data=st.binary(max_size=60) | st.text(alphabet="[]{}:&*-!<,\n 'ab01", max_size=40))
def test_any_bytes_are_refused_in_words(data):
    """A file of another kind altogether."""
    bytes_ = data if isinstance(data, bytes) else data.encode()
    for name in ("a.yaml", "a.json"):
        for kind in (None, *SAMPLES):
            imported_or_refused(bytes_, name, kind)
