"""The framing judge: rules on bytes, and verdicts that do not depend on where they are cut."""

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stream_samples import OPENAI, TEXT, framed, settings

from mockchat.contract.stream_framing import FRAMING_RULES, FramingJudge
from mockchat.contract.stream_rules import STREAM_RULE_LEVELS

STREAM = framed(*TEXT)
EVENTS = [event + b"\n\n" for event in STREAM.split(b"\n\n") if event]
ERROR = b'data: {"error":{"message":"Sorry"}}\n\n'


def judged(data, level="documented", content_type="text/event-stream", **axes):
    """Return what the judge finds in the bytes, fed at once."""
    judge = FramingJudge(settings(**axes), level=level, content_type=content_type)
    return judge.feed(data) + judge.finish()


VALID = {
    "as OpenAI sends it": (STREAM, {}),
    "ended by an error": (EVENTS[0] + ERROR, {}),
    "ended by an error, then by [DONE]": (ERROR + EVENTS[-1], {}),
    "comments the profile names": (b": keep-alive\n\n" + STREAM, {"comments": ["keep-alive"]}),
    "no [DONE] where none is promised": (b"".join(EVENTS[:-1]), {"done": False}),
    "nothing where no [DONE] is promised": (b"", {"done": False}),
}

BROKEN = {
    "stream.bom": (b"\xef\xbb\xbf" + STREAM, "/0"),
    "stream.line-feed": (EVENTS[0][:-1] + b"\r\n" + b"".join(EVENTS[1:]), "/0"),
    "stream.utf-8": (EVENTS[0] + b'data: {"id":"\xff"}\n\n' + EVENTS[-1], "/1"),
    "stream.field": (EVENTS[0] + b'error: {"id":""}\n\n' + EVENTS[-1], "/1"),
    "stream.control-field": (b"event: chunk\n" + STREAM, "/0"),
    "stream.data-prefix": (EVENTS[0] + STREAM[len(EVENTS[0]) :].replace(b"a: {", b"a:{", 1), "/1"),
    "stream.comment": (EVENTS[0] + b": ping\n\n" + b"".join(EVENTS[1:]), "/1"),
    "stream.blank-line": (EVENTS[0][:-1] + b"".join(EVENTS[1:]), "/0"),
    "stream.one-data-line": (b"data: {\ndata: }\n\n" + EVENTS[-1], "/0"),
    "stream.stray-blank-line": (EVENTS[0] + b"\n" + EVENTS[-1], "/1"),
    "stream.data-json": (EVENTS[0] + b"data: NaN\n\n" + EVENTS[-1], "/1"),
    "stream.ending": (b"".join(EVENTS[:-1]), "/2"),
    "stream.content-type": (STREAM, "/0"),
}
CONTENT_TYPES = {"stream.content-type": "application/json"}


@pytest.mark.parametrize("level", ["documented", "observed"])
@pytest.mark.parametrize("name", VALID)
def test_bytes_as_the_api_frames_them_break_no_rule(name, level):
    """A judge that cries wolf is switched off."""
    data, axes = VALID[name]
    assert judged(data, level, **axes) == ()


def test_every_framing_rule_is_broken_by_bytes_here():
    """A rule that nothing has ever broken may be unable to fire."""
    assert set(BROKEN) == {rule.id for rule in FRAMING_RULES}


@pytest.mark.parametrize("level", ["documented", "observed"])
@pytest.mark.parametrize("rule", BROKEN)
def test_each_framing_rule_is_broken_alone(rule, level):
    """One fault, one violation, at its event; a note where only the documents promise it."""
    data, pointer = BROKEN[rule]
    is_note = rule == "stream.comment" or (level, STREAM_RULE_LEVELS[rule]) == (
        "observed",
        "documented",
    )
    found = judged(data, level, CONTENT_TYPES.get(rule, "text/event-stream; charset=utf-8"))
    assert [(one.rule, one.pointer, one.is_note) for one in found] == [(rule, pointer, is_note)]


@pytest.mark.parametrize(
    ("content_type", "is_good"),
    [
        (None, True),
        ("", False),
        ("Text/Event-Stream", True),
        ('text/event-stream; charset="UTF-8"', True),
        ("text/event-stream; charset=latin-1", False),
        ("text/event-stream; boundary=x", True),
    ],
)
def test_the_content_type_may_be_spelled_as_http_allows(content_type, is_good):
    """Letter case, quotes and foreign parameters are no fault; another charset is."""
    assert bool(judged(STREAM, content_type=content_type)) is not is_good


def test_single_newline_framing_is_told_event_by_event():
    """openai-python yields nothing at all for such a stream, and no error: the hardest to find."""
    data = STREAM.replace(b"\n\n", b"\n") + b"\n"
    found = judged(data, "observed")
    assert [(one.rule, one.pointer) for one in found] == [
        ("stream.blank-line", f"/{number}") for number in range(3)
    ]


@pytest.mark.parametrize(
    ("data", "level", "pointer"),
    [
        (STREAM[:-1], "documented", "/3"),
        (STREAM[:-2], "documented", "/3"),
        (STREAM[:-2] + b"\r", "documented", "/3"),
        (b"\xef\xbb\xbf" + EVENTS[-1][:-2], "documented", "/0"),
        (STREAM[:-5], "observed", "/3"),
        (EVENTS[0] + b'data: {"id":"\xe2\x82', "observed", "/1"),
        (EVENTS[0] + b"data: 5", "observed", "/1"),
        (EVENTS[0], "observed", "/0"),
        (b"", "observed", "/0"),
    ],
)
def test_bytes_that_end_early_are_the_fault_of_the_ending_alone(data, level, pointer):
    """Where the stream was cut, half a line is no second fault; a missing last newline harms none."""
    found = [one for one in judged(data) if one.rule != "stream.line-feed"]
    assert [(one.rule, one.level, one.pointer) for one in found] == [
        ("stream.ending", level, pointer)
    ]


def test_a_stream_does_not_open_with_a_blank_line():
    """DeepSeek fills waiting time so; OpenAI never does."""
    found = judged(b"\n" + STREAM)
    assert [(one.rule, one.pointer) for one in found] == [("stream.stray-blank-line", "/0")]


def test_a_json_body_instead_of_a_stream_is_found():
    """Clients that stream see zero chunks and no error."""
    body = json.dumps({"object": "chat.completion"}, indent=2).encode() + b"\n"
    rules = {one.rule for one in judged(body, "observed", "application/json")}
    assert rules == {"stream.content-type", "stream.field", "stream.ending"}


def test_a_carriage_return_may_be_all_that_ends_a_line():
    """The standard allows it, so the events are still found."""
    found = judged(STREAM.replace(b"\n", b"\r"), "observed")
    assert [(one.rule, one.is_note) for one in found] == [("stream.line-feed", True)]


pieces = st.sampled_from(
    [
        *EVENTS,
        *(data for data, _ in BROKEN.values()),
        *(
            b"\n",
            b"\r",
            b"\r\n",
            b"data",
            b"data: {",
            b"data:{}",
            b": ping",
            b"\xef\xbb\xbf",
            b"\xe2",
        ),
    ]
)


@given(st.lists(pieces, max_size=6).map(b"".join), st.data())
def test_where_the_bytes_are_cut_changes_nothing(data, draw):
    """The network cuts anywhere; a verdict that depended on it would differ from run to run."""
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=8)))
    judge = FramingJudge(OPENAI, level="documented", content_type="text/html")
    parts = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    found = tuple(one for part in parts for one in judge.feed(part)) + judge.finish()
    assert found == judged(data, content_type="text/html")


def test_bytes_may_come_one_by_one():
    """The finest cut there is, through every kind of fault."""
    data = b"".join(data for data, _ in BROKEN.values())
    judge = FramingJudge(OPENAI, level="documented", content_type="text/html")
    found = tuple(one for byte in data for one in judge.feed(bytes([byte]))) + judge.finish()
    assert found == judged(data, content_type="text/html")


@pytest.mark.parametrize("end", [b"\n\n", b"\n"])
def test_memory_is_bounded_by_the_longest_event(end):
    """A judge that runs beside a server for days must not keep what it has judged."""
    event = b'data: {"id":"' + b"x" * 10_000 + b'"}' + end
    judge = FramingJudge(settings(done=False))
    tracemalloc.start()
    try:
        for _ in range(200):
            judge.feed(event)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20 * len(event)
