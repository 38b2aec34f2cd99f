"""For every item there is a way to meet it: each suggestion is tried before it is made."""

import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

import mockchat
from mockchat import MockServer, contract_for, profile_names
from mockchat.coverage.catalogue import catalogue_of
from mockchat.coverage.items import SIDES
from mockchat.coverage.suggestions import suggested
from mockchat.coverage.suggestions_text import suggestion_lines

LEFT = {
    "apifox-2023-06": {"function_call"},
    "azure": {"role=", "tool_calls", "arguments#absent", "input#absent"},
    "gemini": {"error#one"},
    "litellm": {"function_call"},
    "openai-2023-06": {"content#null"},
    "openai-2023-11": {"content#null", "tool_calls"},
    "openai-2025-summary": {"logprobs"},
    "vllm": {"prompt_logprobs"},
}
"""Of which items nothing that is tried has any in these profiles."""

SMALL = ("openai-2023-03", "openai-2023-05")
"""The profiles that are looked at every day."""


def left_of(name):
    """Return the items of a profile that could be met, and that no suggestion meets."""
    catalogue = catalogue_of(contract_for(name))
    missing = [item.id for item in catalogue.items.values() if not item.excluded]
    return [item for side in SIDES for item in suggested(catalogue, missing, side=side).left]


@pytest.fixture(scope="module")
def everything(openai):
    """Give the suggestions for all that a client of `openai` can be given."""
    return suggested(openai, openai.items, side="reply")


def test_every_item_of_a_reply_can_be_met_but_for_what_is_excluded(openai, everything):
    """An item without a way to it would be a percent that nobody reaches."""
    excluded = [item.id for item in openai.items.values() if item.excluded]
    # An error of other years can be scripted all the same; the service sends none.
    assert [*everything.left] == [name for name in excluded if not name.startswith("errors/legacy")]


def test_what_is_left_in_every_profile_is_known(proof_count):
    """A profile that grows must not get items that nothing can meet unseen."""
    names = dict.fromkeys((*SMALL, *profile_names()))
    for name in [*names][: proof_count(len(names))]:
        left = [item for item in left_of(name) if not item.startswith("errors/legacy")]
        known = LEFT.get(name, ())
        assert [item for item in left if not any(word in item for word in known)] == [], name


def test_the_line_that_is_printed_meets_the_item(openai, everything, proof_count):
    """It is to be pasted into a test: what runs here is the text itself."""
    names = {name: getattr(mockchat, name) for name in mockchat.__all__}
    found = [one for one in everything.suggestions if "fault" not in one.candidate.options]
    with MockServer() as server:
        entries = []
        server.tap = lambda script, entry: entries.append((script, entry))
        for one in found[:: len(found) // proof_count(150) or 1]:
            with server.script() as face:
                eval(one.candidate.code, names | {"mockchat": face})
                body = json.dumps(one.candidate.asked).encode()
                request = Request(
                    f"{face.base_url}/chat/completions", body, {"content-type": "application/json"}
                )
                try:
                    urlopen(request, timeout=10).read()
                except HTTPError as error:
                    error.close()
            script, entry = entries[-1]
            script.journal.settled()
            assert set(one.items) <= openai.marks(entry.exchange), one.candidate.code


def test_plain_stubs_are_suggested_before_drawn_ones(openai):
    """Nobody wants an object of forty lines where one word says it."""
    wanted = ["response/choices/message/refusal#given", "errors/rate_limit_requests", "fault/cut"]
    lines = [*suggestion_lines(suggested(openai, wanted, side="reply"), side="reply")]
    text = "text('Hello, world: this is a text of several tokens.')"
    assert lines == [
        "mockchat.reply(refusal('I cannot help with that.'))",
        "    meets response/choices/message/refusal#given",
        "mockchat.reply(error('rate_limit_requests'))",
        "    meets errors/rate_limit_requests",
        f"mockchat.reply({text}, fault=stream_fault('cut'))",
        '    asked with {"stream": true}',
        "    meets fault/cut",
    ]


def test_nothing_is_suggested_where_nothing_is_missing(openai):
    """It says so, in place of saying nothing."""
    answer = suggested(openai, [], side="reply")
    assert [*suggestion_lines(answer, side="reply")] == ["nothing is missing"]


def test_what_cannot_be_met_is_said(tiny):
    """An item that is asked for by name gets an answer."""
    answer = suggested(tiny, ["response/choices#none"], side="reply")
    assert [*suggestion_lines(answer, side="reply")] == [
        "nothing tried meets response/choices#none"
    ]
