"""Choices, thoughts, speech, messages as they are, and replies broken on purpose."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockchat import cases, strategies
from mockchat.contract.contract import contract_for
from mockchat.errors import BadArgument
from mockchat.exchange import Incoming, Outcome
from mockchat.payloads.chunking import join
from mockchat.payloads.plans import by_token
from mockchat.payloads.seeded import SeededDraw
from mockchat.payloads.stream_style import stream_style
from mockchat.payloads.streams import stream_of
from mockchat.scripting.builders import (
    audio,
    choices,
    generated,
    message,
    mutated,
    refusal,
    text,
    tool_call,
    unchecked,
)
from mockchat.scripting.contents import reply_of
from mockchat.scripting.failures import InvalidReply
from mockchat.scripting.faults_endings import EndEarly
from mockchat.scripting.faults_timing import Pacing
from mockchat.scripting.mutated import mutant_of
from mockchat.scripting.replies import answer, check_written
from mockchat.scripting.request_view import RequestView
from mockchat.scripting.script import Script
from mockchat.scripting.scripts import Scripts
from mockchat.server.app import App
from mockchat.server.settings import Settings

CONTRACT = contract_for("openai")
HI = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
SPEAKING = {
    "model": "gpt-4o-audio-preview",
    "modalities": ["text", "audio"],
    "audio": {"voice": "alloy", "format": "mp3"},
}
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


def view(**body):
    """Make a request."""
    return RequestView(method="POST", path="/v1/chat/completions", body=HI | body)


def completed(reply, contract=CONTRACT, **body):
    """Check a reply as it is written, then answer a request with it, as the server does."""
    made = reply_of(reply)
    check_written(made, contract)
    request = view(**body)
    completion = answer(made, request, contract=contract, draw=SeededDraw(0)).completion
    if made.is_checked:
        assert contract.violations("response", completion) == ()
        chunks = stream_of(
            completion, by_token(), request=HI | body, profile=contract.profile, draw=SeededDraw(0)
        )
        without_usage = {key: value for key, value in completion.items() if key != "usage"}
        if stream_style(contract.profile) == stream_style(CONTRACT.profile):
            assert join(chunks) == without_usage
    return completion


def messages(completion):
    """Return message and finish reason of each choice."""
    return [(choice["message"], choice["finish_reason"]) for choice in completion["choices"]]


# --- choices -------------------------------------------------------------------------------------


def test_each_choice_may_say_something_else():
    """Code that picks the best of several answers needs several to pick from."""
    told = completed(
        choices(
            [
                "one",
                text("two", finish_reason="length", logprobs=[("two", -0.5)]),
                refusal("three"),
                ["I look.", tool_call("get_weather", city="Oslo")],
            ]
        ),
        n=4,
        tools=[WEATHER],
    )
    (one, stop), (two, length), (three, refused), (four, called) = messages(told)
    assert [one["content"], two["content"], three["refusal"]] == ["one", "two", "three"]
    assert (four["content"], four["tool_calls"][0]["function"]["name"]) == (
        "I look.",
        "get_weather",
    )
    assert [stop, length, refused, called] == ["stop", "length", "stop", "tool_calls"]
    assert [choice["index"] for choice in told["choices"]] == [0, 1, 2, 3]
    assert told["choices"][1]["logprobs"]["content"][0]["token"] == "two"
    assert told["choices"][0]["logprobs"] is None


def test_as_many_choices_as_asked_for():
    """The API never gives one answer more or less than `n`."""
    with pytest.raises(InvalidReply, match="/choices"):
        completed(choices(["a", "b"]), n=3)
    assert len(completed(unchecked(choices(["a", "b"])), n=3)["choices"]) == 2


def test_calls_of_every_choice_are_checked_against_the_tools():
    """The second choice is as easily wrong as the first."""
    with pytest.raises(InvalidReply, match="calls 'fly'; the request offers get_weather"):
        completed(choices(["a", tool_call("fly")]), n=2, tools=[WEATHER])


@pytest.mark.parametrize(
    "replies",
    [
        [],
        "ab",
        None,
        [generated()],
        [{"id": "x"}],
        [text("x", usage={"total_tokens": 1})],
        [choices(["x"])],
    ],
    ids=repr,
)
def test_choices_are_messages(replies):
    """An error or an object of its own is no choice."""
    with pytest.raises(BadArgument, match=r"choices\(\) is"):
        choices(replies)


def test_one_unchecked_choice_leaves_all_unchecked():
    """What is broken on purpose must stay so inside a list."""
    broken = choices(["a", unchecked(text("b", finish_reason="done"))])
    assert messages(completed(broken, n=2))[1][1] == "done"
    with pytest.raises(InvalidReply, match="/choices/1/finish_reason"):
        check_written(choices(["a", text("b", finish_reason="done")]), CONTRACT)


# --- thoughts, probabilities, speech, members ----------------------------------------------------


@pytest.mark.parametrize(
    ("profile", "member"),
    [("deepseek", "reasoning_content"), ("vllm", "reasoning"), ("openrouter", "reasoning")],
)
def test_a_thought_stands_where_the_profile_has_it(profile, member):
    """Vendors show reasoning under different names; a test names none."""
    contract = contract_for(profile)
    axis = contract.profile.settings["stream"]["reasoning_field"]
    said, _ = messages(completed(text("4", reasoning="2 + 2"), contract))[0]
    assert (said["content"], said[axis]) == ("4", "2 + 2")
    assert axis == member


def test_a_thought_is_refused_where_it_is_never_shown():
    """OpenAI's messages have no reasoning: code that reads it must be told."""
    with pytest.raises(BadArgument) as caught:
        check_written(text("4", reasoning="2 + 2"), CONTRACT)
    assert str(caught.value) == (
        "text(reasoning=) is '2 + 2'; allowed: nothing under profile 'openai': its messages show "
        "no reasoning."
    )


def test_log_probabilities_can_be_told():
    """A confidence threshold is tested with a number just below it."""
    told = completed(
        text("Hi 😀", logprobs=[("Hi", -0.25), (" 😀", -2)]), logprobs=True, stream=False
    )
    assert told["choices"][0]["logprobs"] == {
        "content": [
            {"token": "Hi", "logprob": -0.25, "bytes": [72, 105], "top_logprobs": []},
            {
                "token": " 😀",
                "logprob": -2,
                "bytes": [32, 240, 159, 152, 128],
                "top_logprobs": [],
            },
        ],
        "refusal": None,
    }
    own = {"content": [], "refusal": None}
    assert completed(text("", logprobs=own), logprobs=True)["choices"][0]["logprobs"] == own


def test_speech_is_in_the_format_asked_for():
    """Code that plays the answer needs bytes it can play."""
    ((said, reason),) = messages(completed(audio("It rains."), **SPEAKING))
    assert (said["content"], said["audio"]["transcript"], reason) == (None, "It rains.", "stop")
    assert said["audio"]["data"].startswith("//NE")  # an MP3 frame
    told = completed(audio("It rains.", data="AAAA"), **SPEAKING)
    said = told["choices"][0]["message"]["audio"]
    assert (said["data"], said["expires_at"]) == ("AAAA", told["created"] + 3600)
    with pytest.raises(InvalidReply, match="speaks; the request does not ask for audio"):
        completed(audio("It rains."))


def test_a_message_is_sent_as_it_is_written():
    """Content parts and a vendor's own members have no builder of their own."""
    annotation = {
        "type": "url_citation",
        "url_citation": {
            "start_index": 0,
            "end_index": 2,
            "title": "Weather",
            "url": "https://example.com",
        },
    }
    ((said, _),) = messages(completed(message({"content": "4.", "annotations": [annotation]})))
    assert (said["content"], said["annotations"]) == ("4.", [annotation])
    mistral = contract_for("mistral")
    parts = [{"type": "text", "text": "4."}]
    ((said, _),) = messages(completed(message({"content": parts}), mistral))
    assert said["content"] == parts
    with pytest.raises(InvalidReply, match="/choices/0/message/content"):
        check_written(message({"content": parts}), CONTRACT)
    calls = [{"function": {"name": "f", "arguments": {"a": 1}}}]
    ((said, reason),) = messages(completed(unchecked(message({"tool_calls": calls}))))
    assert (said["tool_calls"][0]["function"]["arguments"], reason) == ('{"a": 1}', "tool_calls")


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (lambda: text("x", reasoning=4), "text(reasoning=)"),
        (lambda: text("x", logprobs="abc"), "text(logprobs=)"),
        (lambda: text("x", logprobs=[]), "text(logprobs=)"),
        (lambda: text("x", logprobs=[("x",)]), "text(logprobs=)"),
        (lambda: text("x", logprobs=[("x", "y")]), "text(logprobs=)"),
        (lambda: text("x", logprobs=[("x", True)]), "text(logprobs=)"),
        (lambda: text("x", logprobs=[("x", 1, 2)]), "text(logprobs=)"),
        (lambda: text("x", logprobs=[5]), "text(logprobs=)"),
        (lambda: audio(4), "audio()"),
        (lambda: audio("x", data=b"AAAA"), "audio(data=)"),
        (lambda: message({}), "message()"),
        (lambda: message("x"), "message()"),
        (lambda: reply_of([message({"content": "x"}), tool_call("f")]), "reply()"),
        (lambda: mutated(4), "mutated()"),
        (lambda: generated(kind="odd"), "generated(kind=)"),
        (lambda: generated(seed="1"), "generated(seed=)"),
        (lambda: generated(seed=True), "generated(seed=)"),
        (lambda: generated(shapes={"poem": 1}), "shapes"),
    ],
)
def test_a_wrong_argument_is_told_by_name(build, name):
    """Bad arguments give name, value and what is allowed, at the line where they stand."""
    with pytest.raises(BadArgument) as caught:
        build()
    assert caught.value.name == name


def test_members_must_be_json():
    """What JSON cannot carry is told where it is written, with its place."""
    with pytest.raises(BadArgument, match="reply\\(\\) at /messages/0/members/content"):
        check_written(message({"content": {1, 2}}), CONTRACT)
    with pytest.raises(BadArgument, match="/messages/0/logprobs"):
        check_written(text("x", logprobs=[("x", float("nan"))]), CONTRACT)


def test_tools_of_an_unchecked_request_may_be_anything():
    """Validation may be off: a malformed tool is a tool not offered, never a crash."""
    tools = [
        {"type": "function"},
        {"type": "custom", "custom": 3},
        4,
        {"type": "function", "function": {}},
    ]
    with pytest.raises(InvalidReply, match="calls 'f'; the request offers"):
        completed(tool_call("f"), tools=tools, functions=3)


# --- mutated -------------------------------------------------------------------------------------


def served(reply, **body):
    """Return what leaves the server for a scripted reply, and the exchange in the journal."""
    scripts = Scripts()
    app = App(Settings(), scripts)
    script = Script(unmatched="fail")
    path = f"/{scripts.open(script)}/v1/chat/completions"
    script.reply(reply, pacing=Pacing(inter_token=0.01))
    ticket = app.handle(
        Incoming(
            method="POST",
            path=path,
            headers=(("content-type", "application/json"),),
            body=json.dumps(HI | body).encode(),
        )
    )
    ticket.finish(Outcome.DELIVERED)
    script.verify()
    return ticket.delivery, script.journal[0]


def asking(mutant):
    """Return what a request needs to ask for a mutant."""
    return {"stream": isinstance(mutant.payload, bytes)}


def sample(document, proof_count):
    """Return ids of mutations, all of them in a proof."""
    known = [case.id for case in cases.invalid_cases(document)]
    return known[:: max(1, len(known) // proof_count(len(known)))]


@pytest.mark.parametrize("document", ["response", "stream"])
def test_every_mutation_can_be_sent(document, proof_count):
    """What leaves is broken in the one place that its name says, and lawful in the journal."""
    for name in sample(document, proof_count):
        is_stream = document == "stream"
        delivery, exchange = served(mutated(name), stream=is_stream)
        wanted = mutant_of(name, CONTRACT, SeededDraw(0), kind="plain", level="observed")
        assert (delivery.status, delivery.is_stream) == (200, is_stream)
        if is_stream:
            assert exchange.chunks
            assert wanted.mutation.rule in name
        else:
            found = CONTRACT.violations("response", json.loads(delivery.body))
            places = {violation.pointer for violation in found}
            is_about_request = bool(wanted.request)
            assert is_about_request or wanted.mutation.pointer in places, name
            parent = CONTRACT.violations("response", exchange.reply)
            assert [violation for violation in parent if not violation.is_note] == []


@given(data=st.data())
def test_a_drawn_mutant_is_sent_byte_for_byte(data):
    """A client under property test gets exactly what Hypothesis shows as the failing example."""
    kind = data.draw(st.sampled_from([strategies.invalid_completions, strategies.invalid_streams]))
    mutant = data.draw(kind())
    reply = data.draw(st.sampled_from([mutant, mutated(mutant)]))
    delivery, _ = served(reply, **asking(mutant))
    if isinstance(mutant.payload, bytes):
        assert delivery.body == mutant.payload
        assert all(write.data for write in delivery.writes)
    else:
        assert json.loads(delivery.body) == mutant.payload


@given(reply=strategies.replies())
def test_a_drawn_reply_can_be_scripted(reply):
    """`mockchat.reply(data.draw(strategies.replies()))` is how a client meets everything lawful."""
    delivery, _ = served(reply)
    assert delivery.status == 200


def test_further_faults_happen_to_the_mutant():
    """Damage may come twice."""
    name = "stream.done-once [DONE] twice"
    answered = answer(
        reply_of(mutated(name)),
        view(stream=True),
        contract=CONTRACT,
        draw=SeededDraw(0),
    )
    assert repr(answered.fault).startswith("SentInstead(payload=b'data: {")
    scripts = Scripts()
    script = Script()
    script.reply(mutated(name), fault=EndEarly(after_chunks=1))
    path = f"/{scripts.open(script)}/v1/chat/completions"
    body = json.dumps(HI | {"stream": True}).encode()
    incoming = Incoming(method="POST", path=path, headers=(), body=body)
    ticket = App(Settings(), scripts).handle(incoming)
    ticket.finish(Outcome.DELIVERED)
    assert ticket.delivery.body.count(b"data: ") == 1


def test_a_mutation_must_fit_the_request():
    """A stream cannot answer who asked for none."""
    for name, body, words in (
        ("stream.done-once [DONE] twice", {}, "a broken stream; the request asks for none"),
        ("/choices null", {"stream": True}, "a broken completion; the request asks for a stream"),
    ):
        with pytest.raises(InvalidReply, match=words):
            answer(
                mutated(name), view(**body), contract=CONTRACT, draw=SeededDraw(0), source="stub 1"
            )


def test_a_mutation_that_is_not_there_is_told_where_it_is_written():
    """Ids are long; the nearest is named."""
    with pytest.raises(BadArgument) as caught:
        check_written(mutated("/choice null"), CONTRACT)
    assert caught.value.suggestion == "/choices null"
    request = cases.invalid_cases("request")[0].mutant
    with pytest.raises(BadArgument, match=r"mutated\(\) is"):
        check_written(reply_of(request), CONTRACT)


@pytest.mark.parametrize(
    "reply",
    [
        text("4", reasoning="2 + 2", logprobs={"content": None}),
        message({"audio": {"transcript": "hi"}}),
        choices(["a", refusal("b")]),
        mutated("/choices null"),
    ],
    ids=repr,
)
def test_a_reply_is_shown_as_the_call_that_makes_it(reply):
    """A failing example is pasted into a test."""
    assert eval(repr(reply), globals()) == reply
