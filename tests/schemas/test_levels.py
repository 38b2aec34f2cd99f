import json
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parent / "samples" / "openai"


def _sample(document, name):
    return json.loads((SAMPLES / document / "accepted" / f"{name}.json").read_text())


def _found(judge, level, document, value):
    return [
        (each.pointer, each.keyword) for each in judge("openai", level).violations(document, value)
    ]


@pytest.mark.parametrize("name", ["text_with_everything", "refusal", "no_choices"])
def test_full_reply_satisfies_both_levels(name, judge):
    """Generated replies have to be possible: what the documents promise is also what clients need."""
    reply = _sample("response", name)
    assert _found(judge, "observed", "response", reply) == []
    assert _found(judge, "documented", "response", reply) == []


def test_least_reply_is_real_but_undocumented(judge):
    """Reasoning models leave logprobs out, old answers lack refusal: real, yet not as promised."""
    reply = _sample("response", "the_least")
    assert _found(judge, "observed", "response", reply) == []
    assert _found(judge, "documented", "response", reply) == [
        ("/choices/0/logprobs", "required"),
        ("/choices/0/message/refusal", "required"),
    ]


@pytest.mark.parametrize("document", ["response", "chunk"])
def test_null_fingerprint_is_real_but_undocumented(document, judge):
    """Four of ten recorded answers have it; the official document types it as text."""
    name = {"response": "nulls", "chunk": "no_logprobs_key"}[document]
    value = _sample(document, name)
    assert _found(judge, "observed", document, value) == []
    assert _found(judge, "documented", document, value) == [("/system_fingerprint", "type")]
