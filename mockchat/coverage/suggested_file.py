"""Suggestions as a test file: each legal reply that was missing, given to the client once."""

import json
import re
from collections.abc import Sequence

from mockchat.coverage.suggestions import Suggestion

_HEAD = '''"""Replies that this suite had never given to its client: all are legal{faulty}.

Written by `mockchat coverage suggest`. Let `ask` call your own code, and say in the test what that
should make of each reply.
"""

import http.client
import json
import urllib.request

import pytest

{imports}

{marker}
def ask(mockchat, request):
    """Send a request; put a call of your own code here."""
    sent = urllib.request.Request(
        f"{{mockchat.base_url}}/chat/completions",
        json.dumps(request).encode(),
        {{"content-type": "application/json", "authorization": f"Bearer {{mockchat.api_key}}"}},
    )
    try:
        with urllib.request.urlopen(sent, timeout={patience}) as answer:
            return answer.read()
    except (OSError, http.client.HTTPException) as error:
        return error


CASES = [
{cases}
]


@pytest.mark.parametrize(("request_", "reply", "options"), CASES)
def test_the_client_takes_what_it_may_be_given(mockchat, request_, reply, options):
    """{sentence}"""
    mockchat.reply(reply, **options)
    ask(mockchat, request_)
'''
_SENTENCE = "A reply that no test has met is one that the first user meets."
_PATIENCE = 5
_CALLED = re.compile(r"\b([a-z_]+)\(")
_NAMES = (
    "at_once",
    "audio",
    "choices",
    "error",
    "message",
    "refusal",
    "stream_fault",
    "text",
    "tool_call",
)


def as_test_file(suggestions: Sequence[Suggestion], profile: str) -> str:
    """Return a file for pytest with a test for each suggestion.

    Args:
        suggestions: What is missing, with replies that meet it.
        profile: The profile that they are legal in.
    """
    cases = "\n".join(map(_case, suggestions))
    called = set(_CALLED.findall(cases))
    names = [name for name in _NAMES if name in called]
    marker = (
        "" if profile == "openai" else f"\npytestmark = pytest.mark.mockchat(profile={profile!r})\n"
    )
    return _HEAD.format(
        imports=f"from mockchat import {', '.join(names)}" if names else "",
        faulty=", or a fault of a known kind" if "stream_fault" in called else "",
        marker=marker,
        patience=_PATIENCE,
        cases=cases,
        sentence=_SENTENCE,
    )


def _case(suggestion: Suggestion) -> str:
    candidate = suggestion.candidate
    options = ", ".join(f"{name!r}: {value!r}" for name, value in candidate.options.items())
    more = len(suggestion.items) - 1
    name = suggestion.items[0] + (f" and {more} more" if more else "")
    parts = (f"{candidate.asked!r}", f"{candidate.reply!r}", f"{{{options}}}")
    lines = "".join(f"        {part},\n" for part in parts)
    return f"    pytest.param(\n{lines}        id={json.dumps(name)},\n    ),"
