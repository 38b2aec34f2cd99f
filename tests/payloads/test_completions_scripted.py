"""A scripted message is sent as it would be if the model had said it."""

import re

import pytest

from mockchat.contract.contract import contract_for
from mockchat.payloads.completions import completion_of
from mockchat.payloads.seeded import SeededDraw
from mockchat.payloads.tokens import approximate_tokens

CONTRACT = contract_for("openai")
COUNT = approximate_tokens().count


def scripted(message, *, finish_reason=None, usage=None, **fields):
    """Return the completion around `message`."""
    request = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}], **fields}
    return completion_of(
        request,
        SeededDraw(1),
        contract=CONTRACT,
        message=message,
        finish_reason=finish_reason,
        usage=usage,
    )


def test_text_gets_all_that_a_reply_has():
    """A test writes the text; the rest is the contract's business."""
    completion = scripted({"content": "Hello, world"})
    assert CONTRACT.is_valid("response", completion, level="documented")
    assert completion["choices"] == [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "Hello, world",
                "refusal": None,
                "annotations": [],
            },
            "logprobs": None,
            "finish_reason": "stop",
        }
    ]
    assert completion["usage"]["completion_tokens"] == 3


def test_calls_get_ids_types_and_the_finish_reason():
    """A script names the function; ids are filled in, arguments become JSON text."""
    calls = [
        {"function": {"name": "f", "arguments": {"é": 1}}},
        {"custom": {"name": "c", "input": "x"}},
        {"id": "call_mine", "type": "function", "function": {"name": "g"}},
    ]
    completion = scripted({"tool_calls": calls})
    assert CONTRACT.is_valid("response", completion, level="documented")
    (choice,) = completion["choices"]
    first, second, third = choice["message"]["tool_calls"]
    assert re.fullmatch("call_[A-Za-z0-9]{24}", first.pop("id"))
    assert re.fullmatch("call_[A-Za-z0-9]{24}", second.pop("id"))
    assert first == {"type": "function", "function": {"name": "f", "arguments": '{"é": 1}'}}
    assert second == {"type": "custom", "custom": {"name": "c", "input": "x"}}
    assert third == {
        "id": "call_mine", "type": "function", "function": {"name": "g", "arguments": "{}"},
    }  # fmt: skip
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    spent = sum(map(COUNT, ["f", '{"é": 1}', "c", "x", "g", "{}"]))
    assert completion["usage"]["completion_tokens"] == spent


def test_a_legacy_call_is_told_as_one():
    """Scripts for clients of 2023 get their finish reason, too."""
    (choice,) = scripted({"function_call": {"name": "f", "arguments": "{}"}})["choices"]
    assert choice["finish_reason"] == "function_call"
    assert choice["message"]["function_call"] == {"name": "f", "arguments": "{}"}


def test_one_message_is_every_choice_and_several_are_one_each():
    """The n choices of one script are equal but for their index; a list says each."""
    same = scripted({"content": "a"}, n=2)["choices"]
    assert [choice["index"] for choice in same] == [0, 1]
    assert same[0]["message"] == same[1]["message"]
    each = scripted([{"content": "a"}, {"refusal": "no"}], n=2)["choices"]
    assert [choice["message"]["content"] for choice in each] == ["a", None]
    assert [choice["message"]["refusal"] for choice in each] == [None, "no"]


def test_calls_of_equal_choices_have_their_own_ids():
    """Ids name one call each."""
    call = {"function": {"name": "f", "arguments": "{}"}}
    first, second = scripted({"tool_calls": [call]}, n=2)["choices"]
    assert first["message"]["tool_calls"][0]["id"] != second["message"]["tool_calls"][0]["id"]


def test_logprobs_are_made_for_scripted_text():
    """A client that asks for logprobs gets them for whatever is said."""
    for message, name in (({"content": "Hi you"}, "content"), ({"refusal": "No"}, "refusal")):
        (choice,) = scripted(message, logprobs=True, top_logprobs=2)["choices"]
        joined = "".join(entry["token"] for entry in choice["logprobs"][name])
        assert joined == message[name]


def test_a_finish_reason_can_be_said():
    """Truncation is scripted by its reason."""
    (choice,) = scripted({"content": "Once upon"}, finish_reason="length")["choices"]
    assert choice["finish_reason"] == "length"


@pytest.mark.parametrize(
    ("usage", "total"),
    [({"prompt_tokens": 100}, 103), ({"completion_tokens": 50, "total_tokens": 7}, 7), ({}, 11)],
)
def test_usage_can_be_said_in_part(usage, total):
    """The total follows what is said, unless it is said itself."""
    found = scripted({"content": "Hello, world"}, usage=usage)["usage"]
    assert found["total_tokens"] == total
    assert usage.items() <= found.items()
    assert "prompt_tokens_details" in found


def test_speech_and_thought_are_counted():
    """A scripted transcript costs audio tokens."""
    audio = {"id": "audio_1", "data": "", "expires_at": 1, "transcript": "two words"}
    usage = scripted({"audio": audio})["usage"]
    assert usage["completion_tokens_details"]["audio_tokens"] == 2
    assert usage["completion_tokens"] == 4


def test_members_nobody_knows_are_sent():
    """Vendors add members to messages; a script may, too."""
    (choice,) = scripted({"content": "a", "reasoning_content": "hm", "x": [1]})["choices"]
    assert list(choice["message"]) == [
        "role", "content", "reasoning_content", "refusal", "annotations", "x",
    ]  # fmt: skip
