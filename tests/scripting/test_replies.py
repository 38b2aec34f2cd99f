"""What is scripted is what the API could have sent, or the test hears of it."""

import asyncio
import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockchat.contract.contract import Contract, contract_for
from mockchat.errors import BadArgument
from mockchat.payloads.chunking import split
from mockchat.payloads.plans import by_token, chunks_of
from mockchat.payloads.seeded import SeededDraw
from mockchat.scripting.builders import error, generated, refusal, text, tool_call, unchecked
from mockchat.scripting.contents import Call, Said, reply_of
from mockchat.scripting.failures import InvalidReply
from mockchat.scripting.faults_connection import CutStream
from mockchat.scripting.faults_timing import Pacing
from mockchat.scripting.matching import RequestView
from mockchat.scripting.replies import Answer, answer, check_written

CONTRACT = contract_for("openai")
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}


def view(**body):
    """Make a request."""
    base = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
    return RequestView(method="POST", path="/v1/chat/completions", body=base | body)


def answered(reply, request=None, **options):
    """Return the answer to a request, as the server makes it."""
    return answer(
        reply_of(reply), request or view(), contract=CONTRACT, draw=SeededDraw(0), **options
    )


def message(reply, request=None):
    """Return message and finish reason of the first choice."""
    choice = answered(reply, request).completion["choices"][0]
    return choice["message"], choice["finish_reason"]


@given(content=st.text(min_size=1))
def test_any_text_is_answered_as_it_is_and_keeps_the_contract(content):
    """Text is most of what is scripted; no character may be lost or refused."""
    reply = reply_of(content)
    check_written(reply, CONTRACT)
    completion = answered(reply).completion
    assert completion["choices"][0]["message"]["content"] == content
    assert completion["choices"][0]["finish_reason"] == "stop"
    for level in ("documented", "observed"):
        assert CONTRACT.violations("response", completion, level=level) == ()


def test_overrides_replace_what_would_follow():
    """A test of the `length` branch must be able to write one."""
    reply = text("cut off", finish_reason="length", usage={"prompt_tokens": 7, "total_tokens": 9})
    completion = answered(unchecked(reply)).completion
    assert completion["choices"][0]["finish_reason"] == "length"
    assert completion["usage"]["prompt_tokens"] == 7


def test_every_choice_gets_the_scripted_message():
    """A request for n choices is answered with n."""
    completion = answered("hi", view(n=3)).completion
    assert [c["message"]["content"] for c in completion["choices"]] == ["hi"] * 3
    assert [c["index"] for c in completion["choices"]] == [0, 1, 2]


def test_a_tool_call_is_answered_with_an_id():
    """The arguments travel as JSON text, in the order written, unescaped."""
    said, reason = message(tool_call("get_weather", city="Tromsø"), view(tools=[WEATHER]))
    (call,) = said["tool_calls"]
    assert re.fullmatch(r"call_\w+", call["id"])
    assert call["function"] == {"name": "get_weather", "arguments": '{"city": "Tromsø"}'}
    assert (call["type"], said["content"], reason) == ("function", None, "tool_calls")


def test_parameters_of_any_name_can_be_given():
    """`name` and `arguments` are common names of parameters."""
    assert tool_call("f", name="x", arguments="y").content == Said(
        calls=(Call(name="f", input='{"name": "x", "arguments": "y"}', is_text=False),)
    )


def test_several_calls_are_parallel_and_may_follow_a_text():
    """Parallel calls have ids of their own."""
    reply = ["Let me see.", tool_call("get_weather", city="A"), tool_call("get_weather", city="B")]
    said, _ = message(reply, view(tools=[WEATHER]))
    assert said["content"] == "Let me see."
    assert [json.loads(c["function"]["arguments"]) for c in said["tool_calls"]] == [
        {"city": "A"},
        {"city": "B"},
    ]
    assert len({call["id"] for call in said["tool_calls"]}) == 2


def test_text_calls_a_custom_tool():
    """A custom tool takes text, not JSON."""
    tools = [{"type": "custom", "custom": {"name": "run_sql"}}]
    said, reason = message(tool_call("run_sql", "SELECT 1"), view(tools=tools))
    (call,) = said["tool_calls"]
    assert (call["type"], call["custom"], reason) == (
        "custom",
        {"name": "run_sql", "input": "SELECT 1"},
        "tool_calls",
    )


def test_an_older_function_is_called_the_older_way():
    """A request with `functions` expects `function_call`, not `tool_calls`."""
    request = view(functions=[WEATHER["function"]])
    said, reason = message(tool_call("get_weather", city="Oslo"), request)
    assert said["function_call"] == {"name": "get_weather", "arguments": '{"city": "Oslo"}'}
    assert (said.get("tool_calls"), reason) == (None, "function_call")


def test_a_refusal_has_no_content():
    """Clients tell a refusal by its field."""
    said, reason = message(refusal("No."))
    assert (said["refusal"], said["content"], reason) == ("No.", None, "stop")


@pytest.mark.parametrize(
    ("reply", "request_", "lines"),
    [
        (
            tool_call("get_weather", town="Oslo"),
            view(tools=[WEATHER]),
            [
                "stub 1 (t.py:3) calls 'get_weather' with arguments that its parameters refuse: {",
                "",
                "- /city: ",
                "- /town: ",
                "",
                "Correct the reply, or send it as it is with unchecked(...): README.md#replies-that-",
            ],
        ),
        (
            tool_call("get_weather", "{city"),
            view(tools=[WEATHER]),
            [
                "stub 1 (t.py:3) calls 'get_weather' with arguments that are not JSON.",
                "",
                "- '{city': ",
            ],
        ),
        (
            tool_call("fly"),
            view(tools=[WEATHER]),
            ["stub 1 (t.py:3) calls 'fly'; the request offers get_weather."],
        ),
        (tool_call("fly"), view(), ["stub 1 (t.py:3) calls 'fly'; the request offers no tools."]),
    ],
)
def test_a_call_that_no_tool_takes_is_told(reply, request_, lines):
    """A scripted call with arguments the tool refuses tests nothing that can happen."""
    with pytest.raises(InvalidReply) as caught:
        answered(reply, request_, source="stub 1 (t.py:3)")
    shown = str(caught.value).splitlines()
    for line in lines:
        assert any(one.startswith(line) for one in shown), shown
    assert answered(unchecked(reply), request_).completion is not None


def test_a_reply_that_breaks_the_contract_is_refused_where_it_is_written():
    """A wrong double is worse than none; the line at fault is the reply's own."""
    with pytest.raises(InvalidReply) as caught:
        check_written(text("x", finish_reason="done"), CONTRACT)
    assert str(caught.value).splitlines()[0] == (
        "The reply breaks the contract of profile 'openai' in 1 place."
    )
    assert caught.value.violations[0].startswith("/choices/0/finish_reason: ")
    check_written(unchecked(text("x", finish_reason="done")), CONTRACT)


def whole():
    """Return a completion as it would be copied from a log."""
    return answered("hello").completion


def test_a_completion_object_is_sent_as_it_is():
    """Recorded replies are test data too."""
    completion = whole()
    check_written(reply_of(completion), CONTRACT)
    assert answered(completion) == Answer(completion=completion)


def test_a_broken_completion_object_is_refused_where_it_is_written():
    """A recording with a missing member is found before it is sent."""
    broken = {key: value for key, value in whole().items() if key != "choices"}
    with pytest.raises(InvalidReply, match="/choices: "):
        check_written(reply_of(broken), CONTRACT)
    check_written(unchecked(broken), CONTRACT)
    assert answered(unchecked(broken)).completion == broken


def chunks():
    """Return the chunks of a stream as they would be copied from a log."""
    return list(split(whole(), chunks_of(2), include_usage=True))


def test_chunks_are_sent_as_they_are_or_joined():
    """A recorded stream answers both kinds of request."""
    recorded = chunks()
    check_written(reply_of(recorded), CONTRACT)
    made = answered(recorded, view(stream=True))
    assert (list(made.chunks), made.completion) == (recorded, None)
    assert answered(recorded).completion == whole()


def test_broken_chunks_are_refused_where_they_are_written():
    """A stream without its end is a fault to ask for, not to copy by mistake."""
    broken = [chunk for chunk in chunks() if not any(c["finish_reason"] for c in chunk["choices"])]
    with pytest.raises(InvalidReply):
        check_written(reply_of(broken), CONTRACT)


def test_errors_come_from_the_catalogue():
    """A status is enough for the usual error; names tell those with the same status apart."""
    made = answered(error(429, retry_after=1.2)).error
    assert (made.status, made.headers) == (429, (("retry-after", "2"), ("retry-after-ms", "1200")))
    assert made.code == "rate_limit_exceeded"
    assert made.message.startswith("Rate limit reached for gpt-4o in organization org-mockchat on")
    named = answered(error("server_error", headers={"x-a": "b"}, message="Boom", code="c")).error
    assert (named.status, named.message, named.code) == (500, "Boom", "c")
    assert named.headers[-1] == ("x-a", "b")


@pytest.mark.parametrize(
    ("what", "text"),
    [
        (
            "rate_limit_request",
            (
                "error() is 'rate_limit_request'; allowed: a status, or a name in "
                "schemas/openai/errors.json, where close ones are rate_limit_requests, "
                "rate_limit_tokens. Did you mean 'rate_limit_requests'?"
            ),
        ),
        (
            "typo",
            (
                "error() is 'typo'; allowed: a status, or a name in schemas/openai/errors.json, where "
                "none is close to this."
            ),
        ),
    ],
)
def test_an_error_the_catalogue_lacks_is_told_where_it_is_written(what, text):
    """A made-up error would test a service that does not exist; eighty names would help nobody."""
    with pytest.raises(BadArgument) as caught:
        check_written(error(what), CONTRACT)
    assert str(caught.value) == text


def test_a_status_that_no_entry_covers_is_told_with_those_there_are():
    """A profile may know fewer classes of errors."""
    settings = {**CONTRACT.profile.settings, "scripted_errors": {"usual": {"429": "x"}}}
    contract = Contract(replace(CONTRACT.profile, settings=settings))
    with pytest.raises(BadArgument) as caught:
        check_written(error(500), contract)
    assert str(caught.value) == "error() is 500; allowed: a name, or a status of 429."


@pytest.mark.parametrize("status", range(400, 600))
def test_every_error_status_can_be_scripted(status):
    """Gateways answer with statuses that the API's own catalogue does not have."""
    reply = error(status)
    check_written(reply, CONTRACT)
    made = answered(reply).error
    assert made.status == status
    assert CONTRACT.violations("error", CONTRACT.envelope(made)) == ()


def test_a_status_outside_the_catalogue_says_its_standard_phrase():
    """Nobody has seen the API's words for it."""
    made = answered(error(502)).error
    assert (made.status, made.type, made.message) == (502, "server_error", "Bad Gateway")
    assert answered(error(599)).error.message == "Status 599"


def test_an_unfilled_field_is_told_where_it_is_written():
    """A template with a hole would be served as it is."""
    with pytest.raises(BadArgument, match="a field of error 'unsupported_value'"):
        check_written(error("unsupported_value"), CONTRACT)
    made = answered(error("completion_not_found", fields={"id": "chatcmpl-1"})).error
    assert made.message == "No chat completion found with id 'chatcmpl-1'."


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (lambda: error(200), "error()"),
        (lambda: error(True), "error()"),
        (lambda: error(429, retry_after=-1), "error(retry_after=)"),
        (lambda: error(429, retry_after="1"), "error(retry_after=)"),
        (lambda: error(429, mesage="x"), "keyword of error()"),
        (lambda: error(429, headers={"x-n": 5}), "error(headers=)"),
        (lambda: error(429, headers={"x n": "5"}), "error(headers=)"),
        (lambda: error(429, headers={"": "5"}), "error(headers=)"),
        (lambda: error(429, headers={"x-n": "a\r\nb: c"}), "error(headers=)"),
        (lambda: text(4), "text()"),
        (lambda: refusal(None), "refusal()"),
        (lambda: tool_call(""), "tool_call(name)"),
        (lambda: tool_call("f", {"a": 1}, b=2), "tool_call(arguments)"),
        (lambda: tool_call("f", 4), "tool_call(arguments)"),
        (lambda: tool_call("f", a={1}), "tool_call(arguments)"),
        (lambda: tool_call("f", a=float("nan")), "tool_call(arguments)"),
        (lambda: reply_of(None), "reply()"),
        (lambda: reply_of([]), "reply()"),
        (lambda: reply_of(b"x"), "reply()"),
        (lambda: reply_of(["a", "b"]), "reply()"),
        (lambda: reply_of(["a", refusal("b")]), "reply()"),
        (lambda: reply_of(["a", 4]), "reply()"),
        (lambda: unchecked(4), "reply()"),
    ],
)
def test_a_wrong_argument_is_told_by_name(build, name):
    """Bad arguments give name, value and what is allowed."""
    with pytest.raises(BadArgument) as caught:
        build()
    assert caught.value.name == name


def test_a_callable_is_given_the_request():
    """What no builder can say, a function can."""
    request = view(n=1)
    said, _ = message(lambda body: f"You use {body['model']}", request)
    assert said["content"] == "You use gpt-4o"


async def slow(body):
    """Answer after a turn of the event loop."""
    await asyncio.sleep(0)
    return text("late", finish_reason="length")


def test_a_coroutine_function_is_awaited():
    """Application code to reuse in a reply is often async."""
    completion = answered(unchecked(slow)).completion
    assert completion["choices"][0]["message"]["content"] == "late"
    assert completion["choices"][0]["finish_reason"] == "length"


def test_what_a_callable_returns_is_checked_as_if_written():
    """A computed reply is no way around the contract."""
    with pytest.raises(InvalidReply):
        answered(lambda body: text("x", finish_reason="done"))
    with pytest.raises(BadArgument, match=r"what <lambda>\(\) returned"):
        answered(lambda body: lambda again: again)
    with pytest.raises(BadArgument, match=r"reply\(\) is None"):
        answered(lambda body: None)


def test_options_of_a_callable_win_over_what_it_returned():
    """Plan, pacing and fault stand where the test is read."""
    inner = Pacing(ttft=1)
    made = answered(lambda body: replace(reply_of("x"), pacing=inner))
    assert (made.pacing, made.plan) == (inner, by_token())
    outer = replace(reply_of(lambda body: "x"), plan=chunks_of(3), fault=CutStream(after_chunks=1))
    made = answered(outer)
    assert (made.plan, made.fault) == (chunks_of(3), CutStream(after_chunks=1))


def test_generated_replies_follow_the_draw_or_their_own_seed():
    """A test may fix one reply's seed without fixing the others'."""
    first = answered(generated()).completion
    assert answered(generated()).completion == first
    assert answered(generated(seed=1)).completion != first
    assert answered(generated(seed=1)).completion == answered(generated(seed=1)).completion
    assert CONTRACT.violations("response", first) == ()


def test_a_reply_is_checked_against_the_request():
    """A completion with one choice is no answer to a request for two."""
    with pytest.raises(InvalidReply) as caught:
        answered(whole(), view(n=2))
    assert str(caught.value).startswith(
        "The reply is no answer to this request under profile 'openai' in 1 place."
    )
