"""What a file holds is told by its content."""

import json
from pathlib import Path

import pytest

from mockchat.conformance.kinds import UnreadableFile, detected_kind

SAMPLES = Path(__file__).parents[1] / "schemas" / "samples"
KINDS = ("request", "response", "chunk", "error")
SAME_OBJECT = ("perplexity", "perplexity-outcode")
"""Whose chunks call themselves chat.completion and look like one: they have to be named."""
ACCEPTED = [
    pytest.param(path, path.parts[-3], id="/".join(path.parts[-4:]))
    for path in sorted(SAMPLES.glob("*/*/accepted/*.json"))
    if path.parts[-3] in KINDS and not (path.parts[-4] in SAME_OBJECT and path.parts[-3] == "chunk")
]
EXCHANGE = {"request": {"model": "m"}, "status": 200, "body": None}


@pytest.mark.parametrize(("path", "kind"), ACCEPTED)
def test_every_accepted_sample_is_told(path, kind):
    """Whoever has a payload does not want to say what anyone can see."""
    assert detected_kind(path.read_bytes()) == kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"model": "m"}', "request"),
        ('{"messages": 3}', "request"),
        ('{"choices": []}', "response"),
        ('{"choices": "many"}', "response"),
        ('{"choices": [3, {"delta": {}}]}', "chunk"),
        ('{"object": "chat.completion", "choices": [{"delta": {}}]}', "response"),
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
    assert detected_kind(text.encode()) == kind


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
        detected_kind(text.encode())
    assert str(refused.value).startswith(problem)
