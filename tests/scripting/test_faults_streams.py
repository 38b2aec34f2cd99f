"""Faults of events, endings, framing and chunks: the damage asked for, at its place, and no other."""

import json

import pytest
from fault_samples import (
    CONTRACT,
    REQUESTS,
    TEXT,
    broken_rules,
    completion,
    draw,
    received,
    streamed,
    whole,
)
from hypothesis import given
from hypothesis import strategies as st

from mockchat.errors import BadArgument
from mockchat.exchange import Delivery, Ending, Write
from mockchat.payloads.chunking import split
from mockchat.payloads.completions import completion_of
from mockchat.payloads.encoding import DONE, encode_chunk
from mockchat.payloads.joining import join
from mockchat.payloads.plans import at_once, chunks_of
from mockchat.scripting.fault_list import stream_fault
from mockchat.scripting.faults import FaultMissed, together
from mockchat.scripting.faults_endings import EndEarly, ErrorFrame
from mockchat.scripting.faults_events import (
    ControlField,
    DropChunk,
    DuplicateChunk,
    EmptyData,
    KeepAlive,
    MalformedJson,
)
from mockchat.scripting.faults_framing import Framing
from mockchat.scripting.faults_timing import Pacing

DATA = received(streamed())
CHUNKS = len(DATA) - 1
places = st.integers(0, CHUNKS - 1)


def damaged(fault, delivery=None):
    """Return the data of the events after a fault."""
    return received(fault.apply(delivery or streamed(), draw()))


@given(place=places)
def test_malformed_json_is_that_of_one_chunk(place):
    """The events around it stay whole, so that a client may go on."""
    found = damaged(MalformedJson(after_chunks=place))
    assert found[:place] == DATA[:place]
    assert found[place + 1 :] == DATA[place + 1 :]
    assert DATA[place].startswith(found[place])
    with pytest.raises(json.JSONDecodeError):
        json.loads(found[place])


@given(place=st.integers(0, CHUNKS))
def test_empty_data_stands_between_chunks(place):
    """Nothing is lost, one event too many is there."""
    assert damaged(EmptyData(after_chunks=place)) == [*DATA[:place], "", *DATA[place:]]


@given(place=places)
def test_one_chunk_is_doubled_or_dropped(place):
    """Exactly one, exactly there."""
    twice = [*DATA[:place], DATA[place], *DATA[place:]]
    assert damaged(DuplicateChunk(after_chunks=place)) == twice
    assert damaged(DropChunk(after_chunks=place)) == [*DATA[:place], *DATA[place + 1 :]]


@given(place=st.integers(0, CHUNKS))
def test_an_early_end_looks_whole(place):
    """No connection error helps the client: it must miss the finish by itself."""
    ended = EndEarly(after_chunks=place).apply(streamed(), draw())
    assert received(ended) == DATA[:place]
    assert (ended.ending, ended.is_stream) == (Ending.COMPLETE, True)


def test_an_early_end_keeps_the_time_of_the_head():
    """A stream of nothing still comes as late as its first chunk."""
    paced = Pacing(ttft=2).apply(streamed(), draw())
    assert EndEarly(after_chunks=0).apply(paced, draw()).writes == (Write(data=b"", delay=2.0),)
    nothing = Delivery(status=200, is_stream=True)
    assert EndEarly(after_chunks=0).apply(nothing, draw()).writes == ()


@given(place=places)
def test_a_control_field_is_one_line_more(place):
    """The data stay the same: only the event's name is new."""
    fault = ControlField(line="event: error", after_chunks=place)
    delivery = fault.apply(streamed(), draw())
    assert received(delivery) == DATA
    assert delivery.body.count(b"event: error\ndata: {") == 1


def test_comments_stand_before_every_event():
    """Servers send them at any time."""
    body = KeepAlive(comment="OPENROUTER PROCESSING").apply(streamed(), draw()).body
    assert body.count(b": OPENROUTER PROCESSING\n\n") == len(DATA)
    assert damaged(KeepAlive()) == DATA


def test_a_json_reply_is_kept_alive_by_blank_lines():
    """JSON may begin with white space; DeepSeek's does."""
    kept = KeepAlive().apply(whole(), draw())
    assert kept.body == b"\n" + whole().body
    assert KeepAlive().apply(Delivery(status=204), draw()).body == b"\n"


ERROR = {"message": "Sorry", "type": "server_error", "param": None, "code": None}


@given(place=st.integers(0, CHUNKS), done=st.booleans(), named=st.booleans())
def test_an_error_frame_ends_the_stream(place, done, named):
    """What would have followed is not sent any more."""
    fault = ErrorFrame(after_chunks=place, message="Sorry", done=done, named=named)
    delivery = fault.apply(streamed(), draw())
    *before, error = received(delivery)[: place + 1]
    assert before == DATA[:place]
    assert json.loads(error) == {"error": ERROR}
    assert received(delivery)[place + 1 :] == ["[DONE]"] * done
    assert delivery.body.count(b"event: error\n") == named


def test_an_error_frame_has_other_forms():
    """A text, and OpenRouter's chunk that is half an error."""
    text = ErrorFrame(after_chunks=0, message="Sorry", form="text")
    assert json.loads(damaged(text)[0]) == {"error": "Sorry"}
    coded = ErrorFrame(after_chunks=1, message="Sorry", type=None, code=502, form="chunk")
    chunk = json.loads(damaged(coded)[1])
    assert chunk["error"] == {**ERROR, "type": None, "code": 502}
    assert chunk["choices"] == [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}]
    assert chunk["id"] == json.loads(DATA[0])["id"]


def test_an_error_frame_behind_everything_comes_at_once():
    """There is no chunk whose time it could take."""
    bare = Delivery(status=200, is_stream=True)
    (only,) = ErrorFrame(after_chunks=0, done=False).apply(bare, draw()).writes
    assert only.delay == 0


framings = st.builds(
    Framing,
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    space=st.booleans(),
    data_lines=st.booleans(),
    byte_order_mark=st.booleans(),
    last_newline=st.booleans(),
)


@given(framing=framings, size=st.integers(1, 9))
def test_other_framing_says_the_same_events(framing, size):
    """Whatever keeps to the standard decodes to the same chunks."""
    delivery = together(KeepAlive(), framing).apply(streamed(size=size), draw())
    *chunks, done = received(delivery)
    assert done == "[DONE]"
    assert join(map(json.loads, chunks)) == {
        name: value for name, value in completion().items() if name != "usage"
    }
    assert delivery.body.startswith(b"\xef\xbb\xbf") == framing.byte_order_mark
    assert delivery.body.endswith((b"\n", b"\r")) == framing.last_newline


def test_framing_is_in_the_bytes():
    """A decoder that is too kind must not hide that nothing was done."""
    body = streamed().body
    assert Framing(line_end="\r\n").apply(streamed(), draw()).body == body.replace(b"\n", b"\r\n")
    assert Framing(line_end="\r").apply(streamed(), draw()).body == body.replace(b"\n", b"\r")
    assert Framing(space=False).apply(streamed(), draw()).body == body.replace(b"data: ", b"data:")
    assert Framing(blank_lines=False).apply(streamed(), draw()).body == body.replace(b"\n\n", b"\n")
    lines = Framing(data_lines=True).apply(streamed(), draw()).body.split(b"\n")
    assert lines[:2] == [
        b"data: {",
        b'data: "id": ' + json.dumps(completion()["id"]).encode() + b",",
    ]


NAMED = ["missing-done", "done-twice", "chunk-after-done", "done-with-more"]


@pytest.mark.parametrize("name", NAMED)
def test_ends_are_changed_and_nothing_before(name):
    """The chunks are all there."""
    found = damaged(stream_fault(name))
    tails = {
        "missing-done": [],
        "done-twice": ["[DONE]", "[DONE]"],
        "chunk-after-done": ["[DONE]", DATA[-2]],
        "done-with-more": ["[DONE]!"],
    }
    assert found == [*DATA[:-1], *tails[name]]


def test_an_end_that_is_not_there_cannot_be_changed():
    """A profile without [DONE] has none to miss."""
    open_end = stream_fault("missing-done").apply(streamed(), draw())
    with pytest.raises(FaultMissed) as caught:
        stream_fault("done-twice").apply(open_end, draw())
    assert str(caught.value) == "stream_fault('done-twice') cannot happen: the stream has no [DONE]"


@pytest.mark.parametrize(
    "fault",
    [
        MalformedJson(after_chunks=CHUNKS),
        EmptyData(after_chunks=CHUNKS + 1),
        DuplicateChunk(after_chunks=CHUNKS),
        DropChunk(after_chunks=CHUNKS),
        EndEarly(after_chunks=CHUNKS + 1),
        ErrorFrame(after_chunks=CHUNKS + 1),
        ControlField(line="id: 1", after_chunks=CHUNKS),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_places_that_are_not_there_are_told(fault):
    """With the number of chunks, so that the test can be put right."""
    with pytest.raises(FaultMissed, match=rf"cannot happen: the stream has {CHUNKS} chunks"):
        fault.apply(streamed(), draw())
    with pytest.raises(FaultMissed, match="the reply is no stream"):
        fault.apply(whole(), draw())


def test_one_chunk_is_counted_as_one():
    """Messages are read."""
    one = Delivery(status=200, writes=streamed().writes[:1], is_stream=True)
    with pytest.raises(FaultMissed, match=r"the stream has 1 chunk$"):
        DropChunk(after_chunks=1).apply(one, draw())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MalformedJson(after_chunks=-1), r"MalformedJson\(after_chunks=\) is -1; allowed"),
        (lambda: EmptyData(after_chunks=None), r"EmptyData\(after_chunks=\) is None"),
        (lambda: DuplicateChunk(after_chunks="1"), r"DuplicateChunk\(after_chunks=\) is '1'"),
        (lambda: DropChunk(after_chunks=True), r"DropChunk\(after_chunks=\) is True"),
        (lambda: EndEarly(after_chunks=0.5), r"EndEarly\(after_chunks=\) is 0\.5"),
        (lambda: ErrorFrame(after_chunks=-1), r"ErrorFrame\(after_chunks=\) is -1"),
        (lambda: ErrorFrame(after_chunks=1, form="html"), r"ErrorFrame\(form=\) is 'html'"),
        (
            lambda: ControlField(line="data: 1", after_chunks=1),
            r"ControlField\(line=\) is 'data: 1'",
        ),
        (lambda: ControlField(line="id: 1\n", after_chunks=1), r"ControlField\(line=\) is 'id: 1"),
        (lambda: ControlField(line=1, after_chunks=1), r"ControlField\(line=\) is 1"),
        (
            lambda: ControlField(line="id: 1", after_chunks=-1),
            r"ControlField\(after_chunks=\) is -1",
        ),
        (lambda: KeepAlive(comment="a\nb"), r"KeepAlive\(comment=\) is 'a\\nb'"),
        (lambda: Framing(line_end="\n\n"), r"Framing\(line_end=\) is '\\n\\n'"),
    ],
)
def test_what_makes_no_sense_is_refused_where_it_is_written(make, message):
    """The server's thread is the wrong place to find a typo."""
    with pytest.raises(BadArgument, match=message):
        make()


def chunks_after(name, delivery):
    """Return the decoded chunks after a named fault."""
    return [json.loads(data) for data in damaged(stream_fault(name), delivery) if data[0] == "{"]


def test_usage_moves_before_the_finish_once():
    """With several choices there are several finishes, and still one count."""
    request = REQUESTS["usage"] | {"n": 2}
    said = completion_of(
        request, draw(), contract=CONTRACT, message={"role": "assistant", "content": TEXT}
    )
    parts = split(said, at_once(), include_usage=True)
    writes = (*(Write(data=encode_chunk(part)) for part in parts), Write(data=DONE))
    found = chunks_after("usage-early", Delivery(status=200, writes=writes, is_stream=True))
    kinds = ["usage" if chunk["usage"] else chunk["choices"][0]["finish_reason"] for chunk in found]
    assert kinds == [None, None, None, None, "usage", "stop", "stop"]


def test_parallel_and_custom_calls_keep_their_own_headers():
    """A fragment must repeat the header of its own call."""
    calls = [
        {"type": "function", "function": {"name": "a", "arguments": "{}"}},
        {"type": "custom", "custom": {"name": "b", "input": "free text"}},
    ]
    message = {"role": "assistant", "content": None, "tool_calls": calls}
    tools = [
        {"type": "function", "function": {"name": "a", "parameters": {"type": "object"}}},
        {"type": "custom", "custom": {"name": "b"}},
    ]
    said = completion_of(
        REQUESTS["stream"] | {"tools": tools}, draw(), contract=CONTRACT, message=message
    )
    writes = tuple(Write(data=encode_chunk(part)) for part in split(said, chunks_of(1)))
    found = chunks_after(
        "call-header-repeated", Delivery(status=200, writes=writes, is_stream=True)
    )
    fragments = [
        (call["index"], call["id"], call.get("function", call.get("custom"))["name"])
        for chunk in found
        for call in chunk["choices"][0]["delta"].get("tool_calls", ())
    ]
    (first, second) = (call["id"] for call in said["choices"][0]["message"]["tool_calls"])
    assert set(fragments) == {(0, first, "a"), (1, second, "b")}


def test_a_finish_that_says_something_stays():
    """Ollama's older servers finish with the last text: that text must not get lost."""
    chunk = json.loads(DATA[1])
    chunk["choices"][0]["finish_reason"] = "stop"
    delivery = Delivery(status=200, writes=(Write(data=encode_chunk(chunk)),), is_stream=True)
    (left,) = chunks_after("missing-finish", delivery)
    assert left["choices"][0]["finish_reason"] is None
    assert left["choices"][0]["delta"] == chunk["choices"][0]["delta"]


@pytest.mark.parametrize("name", ["role-repeated", "error-null", "leading-empty-choices"])
def test_padding_follows_the_damage(name):
    """Padding that does not fit would be a second fault, and hide which one a client minds."""
    fault = stream_fault(name)
    assert broken_rules(fault.apply(streamed(), draw())) == fault.breaks
    bare = Delivery(
        status=200,
        writes=tuple(
            Write(data=encode_chunk({k: v for k, v in json.loads(d).items() if k != "obfuscation"}))
            for d in DATA[:-1]
        ),
        is_stream=True,
    )
    assert all("obfuscation" not in chunk for chunk in chunks_after(name, bare))


ODD = [
    {"choices": None},
    {"choices": [1]},
    {"choices": [{"index": None, "delta": {}}]},
    {"choices": [{"index": 0, "delta": None}]},
    {"choices": [{"index": 0, "delta": {"tool_calls": [1]}}]},
    {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": "0"}]}}]},
    {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0}]}}]},
]


@pytest.mark.parametrize("chunk", ODD, ids=json.dumps)
def test_chunks_like_no_others_are_not_damaged_further(chunk):
    """What a test sends unchecked may be anything; the fault's author hears of it."""
    odd = Delivery(status=200, writes=(Write(data=encode_chunk(chunk)),), is_stream=True)
    with pytest.raises(FaultMissed, match="the stream is damaged already"):
        stream_fault("role-missing").apply(odd, draw())


@pytest.mark.parametrize("data", [b"data: {\n\n", b"data: 1\n\n"])
def test_damaged_json_is_not_damaged_further(data):
    """Changes of chunks come before changes of their bytes."""
    odd = Delivery(status=200, writes=(Write(data=data),), is_stream=True)
    with pytest.raises(FaultMissed, match="the stream is damaged already"):
        stream_fault("role-missing").apply(odd, draw())
