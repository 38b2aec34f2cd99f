"""An exchange marks what the client was given, and nothing that was only meant."""

import json

import pytest

from mockchat import contract_for, error, stream_fault
from mockchat.coverage.candidates import Candidate
from mockchat.coverage.catalogue import catalogue_of
from mockchat.coverage.stream_shapes import SHAPES
from mockchat.coverage.trying import Trial
from mockchat.exchange import Delivery, Exchange, Outcome, Violation, Write
from mockchat.scripting.contents import reply_of
from mockchat.scripting.fault_list import stream_faults

HI = [{"role": "user", "content": "hi"}]
BODY = {"model": "tiny-1", "messages": HI}
COMPLETION = {
    "id": "c",
    "object": "chat.completion",
    "created": 0,
    "model": "tiny-1",
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hi"}}
    ],
}
OF_REPLY = {
    "response/choices#one",
    "response/choices/message/content#given",
    "response/choices/finish_reason=stop",
}
OF_REQUEST = {
    "request/stream#absent",
    "request/messages#one",
    "request/messages/role=user",
    "request/messages/content#given",
}


def chunk(delta, reason=None):
    """Return a chunk with one choice."""
    head = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "tiny-1"}
    return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}


def exchange(**members):
    """Return an exchange that went as planned, or as `members` say."""
    own = {"reply": COMPLETION, "request": BODY, "status": 200, "outcome": Outcome.DELIVERED}
    return Exchange(index=0, method="POST", path="/v1/chat/completions", **{**own, **members})


def test_request_and_reply_are_marked_apart(tiny):
    """Whoever sends little may still be given much."""
    assert tiny.marks(exchange()) == OF_REPLY | OF_REQUEST


def test_a_request_that_breaks_the_contract_marks_nothing_of_it(tiny):
    """What the service would refuse is no use of the contract."""
    broken = (Violation(rule="schema.type", pointer="/n", message="no"),)
    assert tiny.marks(exchange(violations=broken)) == OF_REPLY


@pytest.mark.parametrize("outcome", [Outcome.CLIENT_LEFT, Outcome.FAILED, Outcome.PENDING])
def test_a_reply_that_did_not_arrive_marks_nothing(tiny, outcome):
    """A client that left has read an unknown part of it."""
    assert tiny.marks(exchange(outcome=outcome)) == OF_REQUEST


def test_a_stream_marks_the_completion_and_its_chunks(tiny):
    """Clients that join the pieces meet both."""
    chunks = (
        chunk({"role": "assistant", "content": "H"}),
        chunk({"content": "i"}),
        chunk({}, "stop"),
    )
    body = {**BODY, "stream": True}
    found = tiny.marks(exchange(request=body, chunks=chunks, sent_chunks=chunks))
    assert found == OF_REPLY | OF_REQUEST - {"request/stream#absent"} | {
        "request/stream#given",
        "request/stream=true",
        "chunk/choices#one",
        "chunk/choices/finish_reason#null",
        "chunk/choices/finish_reason#given",
        "chunk/choices/finish_reason=stop",
        "chunk/choices/delta/role#given",
        "chunk/choices/delta/role#absent",
        "chunk/choices/delta/content#given",
        "chunk/choices/delta/content#absent",
        "stream/text-in-pieces",
    }


def test_a_stream_that_was_cut_marks_the_chunks_that_left(tiny):
    """The end was never seen: neither its reason to finish nor the whole."""
    chunks = (chunk({"role": "assistant", "content": "H"}), chunk({}, "stop"))
    found = tiny.marks(
        exchange(request=None, chunks=chunks, sent_chunks=chunks[:1], fault="stream_fault('cut')")
    )
    assert found == {
        "fault/cut",
        "chunk/choices#one",
        "chunk/choices/finish_reason#null",
        "chunk/choices/delta/role#given",
        "chunk/choices/delta/content#given",
        "stream/text-in-one-piece",
    }


@pytest.mark.parametrize(
    ("sent", "met"), [(b'{"damaged": ', set()), (b'{"other": 1}', set()), (None, OF_REPLY)]
)
def test_a_damaged_reply_counts_as_far_as_it_is_whole(tiny, sent, met):
    """A slow reply is still the reply; a truncated one is not."""
    data = json.dumps(COMPLETION).encode() if sent is None else sent
    delivery = Delivery(status=200, writes=(Write(data=data),))
    found = tiny.marks(exchange(request=None, delivery=delivery, written=1, fault="Odd()"))
    assert found == met


@pytest.mark.parametrize(
    ("written", "met"),
    [
        ("stream_fault('cut')", {"fault/cut"}),
        ("together(stream_fault('cut'), stream_fault('stall'))", {"fault/cut", "fault/stall"}),
        ("sometimes(stream_fault('cut'), 0.5)", set()),
        ("EmptyBody()", {"fault/empty-200"}),
        ("MyOwn()", set()),
    ],
)
def test_faults_are_known_by_how_they_are_written(tiny, written, met):
    """A fault without a name is that of its kind; one that may not have happened is none."""
    assert tiny.met(fault=written) == met


@pytest.mark.parametrize("fault", stream_faults(), ids=str)
def test_every_named_fault_is_known_by_its_kind_or_not_at_all(tiny, fault):
    """Taken for another one, it would be counted in vain."""
    assert tiny.met(fault=repr(fault)) == {f"fault/{fault.name}"}
    assert tiny.met(fault=repr(fault.fault)) <= {f"fault/{fault.name}"}


@pytest.mark.parametrize(
    ("status", "body", "headers", "met"),
    [
        (
            429,
            {"error": {"message": "Wait 3 s.", "code": "slow"}},
            (("Retry-After", "3"),),
            {
                "errors/slow",
                "status/429",
                "status/429/retry-after#given",
                "error/error/code#given",
            },
        ),
        (
            429,
            {"error": {"message": "In other words.", "code": "slow"}},
            (),
            {
                "errors/slow",
                "status/429",
                "status/429/retry-after#absent",
                "error/error/code#given",
            },
        ),
        (
            429,
            {"error": {"message": "Wait 3 s.", "code": "other"}},
            (),
            {"status/429", "status/429/retry-after#absent", "error/error/code#given"},
        ),
        (500, None, (), {"status/500"}),
        (418, {"error": {"message": "?", "code": None}}, (), {"error/error/code#null"}),
    ],
)
def test_errors_are_known_by_status_and_words(tiny, status, body, headers, met):
    """A test may word an error anew; its code still says which one it is."""
    assert tiny.met(status=status, reply=body, headers=headers) == met


def test_of_two_errors_that_fit_the_one_that_says_more_is_meant():
    """A template that is all blank would take every message."""
    catalogue = catalogue_of(contract_for("openai-2023-03"))
    marks = Trial(catalogue).marks(Candidate(reply=error("server_error")))
    assert "errors/server_error" in marks
    assert len([item for item in marks if item.startswith("errors/")]) == 1


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_no_shape_is_found_in_an_empty_stream(shape):
    """Nothing was met."""
    assert not shape.is_met(())
    odd = ({"choices": [{"delta": None}, "odd"]}, {"choices": None})
    assert shape.is_met(odd) == (shape.name in {"no-usage", "no-text"})


def test_choices_in_turns():
    """Two choices one after the other are easier than two at once."""
    (shape,) = (each for each in SHAPES if each.name == "choices-in-turns")

    def stream(*indices):
        return [{"choices": [{"index": index}]} for index in indices]

    assert shape.is_met(stream(0, 1, 0))
    assert not shape.is_met(stream(0, 0, 1, 1))


def test_what_is_refused_marks_nothing(openai):
    """A suggestion that was not answered would claim what it never met."""
    trial = Trial(openai)
    assert trial.marks(Candidate(reply=reply_of({"object": "odd"}))) == frozenset()
    assert trial.marks(Candidate(reply=reply_of("Hi"), request={"n": 0})) == frozenset()
    no_room = Candidate(reply=reply_of("Hi"), options={"fault": stream_fault("missing-done")})
    assert trial.marks(no_room) == frozenset()
