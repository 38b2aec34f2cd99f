"""What a file holds is told by its content."""

import json
from pathlib import Path

import pytest

from mockchat.conformance.kinds import UnreadableFile, detected_kind
from mockchat.contract.contract import contract_for

SAMPLES = Path(__file__).parents[1] / "schemas" / "samples"
UNTOLD = {"not_an_object", "wrong_object", "no_error"}
"""Refused samples that lack what tells their kind."""
KINDS = ("request", "response", "chunk", "error")
BOTH = {
    "perplexity/chunk/accepted/everything.json",
    "perplexity/chunk/accepted/the_least.json",
    "perplexity-outcode/chunk/accepted/everything.json",
}
"""Chunks that are replies as well: these have to be named."""
ACCEPTED = [
    pytest.param(path, path.parts[-4], path.parts[-3], id="/".join(path.parts[-4:]))
    for path in sorted(SAMPLES.glob("*/*/accepted/*.json"))
    if path.parts[-3] in KINDS and "/".join(path.parts[-4:]) not in BOTH
]
REFUSED = [
    pytest.param(path, path.parts[-3], id="/".join(path.parts[-3:]))
    for path in sorted(SAMPLES.glob("openai/*/refused/*.json"))
    if path.parts[-3] in KINDS and path.stem not in UNTOLD
]
EXCHANGE = {"request": {"model": "m"}, "status": 200, "body": None}


@pytest.mark.parametrize(("path", "profile", "kind"), ACCEPTED)
def test_every_accepted_sample_is_told(path, profile, kind):
    """Whoever has a payload does not want to say what anyone can see; vendors' look otherwise."""
    assert detected_kind(path.read_bytes(), contract_for(profile)) == kind


@pytest.mark.parametrize(("path", "kind"), REFUSED)
def test_a_refused_sample_is_told_by_its_members(path, kind):
    """What is broken has to be judged as what it was meant to be."""
    value = json.loads(path.read_text())["value"]
    assert detected_kind(json.dumps(value).encode(), contract_for()) == kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"model": "m"}', "request"),
        ('{"messages": 3}', "request"),
        ('{"choices": []}', "response"),
        ('{"choices": "many"}', "response"),
        ('{"choices": [3, {"delta": {}}]}', "chunk"),
        ('{"object": "chat.completion", "choices": [{"delta": {}}]}', "response"),
        ('{"object": [], "choices": []}', "response"),
        ('{"error": "no"}', "error"),
        ('{"log": {"entries": []}}', "har"),
        (json.dumps(EXCHANGE), "exchanges"),
        (json.dumps(EXCHANGE, indent=2), "exchanges"),
        (f"\n{json.dumps(EXCHANGE)}\n{json.dumps(EXCHANGE)}\n", "exchanges"),
        (f"{json.dumps(EXCHANGE)}\n{{", "exchanges"),
        ("data: [DONE]\n\n", "stream"),
        ("\n\n: waiting\n\ndata: {}\n\n", "stream"),
        ("\ufeffdata: [DONE]\n\n", "stream"),
        ('\ufeff{"model": "m"}', "request"),
    ],
)
def test_kind_by_content(text, kind):
    """Each of these has one reading."""
    assert detected_kind(text.encode(), contract_for()) == kind


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not JSON: it holds no value"),
        ("hello", "not JSON: Expecting value at line 1, column 1"),
        ('{"model": "m",}', "not JSON: Expecting property name enclosed in double quotes"),
        ('{"a": 1}\n{"a": 2}\n', "not JSON: Extra data at line 2, column 1"),
        ("{}", "JSON of no known kind; name it: --as request|response|chunk|error|stream|har|"),
        ("[]", "JSON of no known kind"),
        ('{"object": "list", "model": "m"}', "JSON of no known kind"),
    ],
)
def test_what_cannot_be_told_is_refused_with_the_reason(text, problem):
    """A guess would judge a file by the wrong document."""
    with pytest.raises(UnreadableFile) as refused:
        detected_kind(text.encode(), contract_for())
    assert str(refused.value).startswith(problem)
