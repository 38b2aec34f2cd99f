"""The part of the bytes that a finding is about."""

import pytest

from mockchat.conformance.marks import span_of

TEXT = '{ "a" : [1, {"b\\u0063": "x"}, []], "d":null }'
STREAM = (
    ': hello\n\ndata: {"id": "a"}\n\ndata: {"id": "b", "choices": []}\n\ndata:[DONE]\n\ndata: {\n\n'
)


@pytest.mark.parametrize(
    ("pointer", "marked"),
    [
        ("", TEXT), ("/a", '[1, {"b\\u0063": "x"}, []]'), ("/a/0", "1"), ("/a/1/bc", '"x"'),
        ("/a/1/missing", '{"b\\u0063": "x"}'), ("/a/2", "[]"), ("/a/2/0", "[]"),
        ("/a/9", '[1, {"b\\u0063": "x"}, []]'), ("/a/name", '[1, {"b\\u0063": "x"}, []]'),
        ("/d", "null"), ("/d/inner", "null"), ("/missing", TEXT),
    ],
)  # fmt: skip
def test_values_are_found(pointer, marked):
    """What is missing is shown as what lacks it."""
    start, end = span_of(TEXT, pointer, is_stream=False)
    assert TEXT[start:end] == marked


@pytest.mark.parametrize(
    ("pointer", "marked"),
    [
        ("/0", '{"id": "a"}'), ("/1/id", '"b"'), ("/1/choices/0", "[]"), ("/2", "[DONE]"),
        ("/3/id", "{"),
    ],
)  # fmt: skip
def test_events_are_found(pointer, marked):
    """The first token of a pointer into a stream is the number of the event."""
    start, end = span_of(STREAM, pointer, is_stream=True)
    assert STREAM[start:end] == marked


@pytest.mark.parametrize(
    ("text", "pointer", "is_stream"),
    [(STREAM, "/9", True), (STREAM, "", True), ("not JSON", "/a", False), ("", "", False),
     ('{"a": 1', "/a", False), ('{"a": {} ]', "/b", False), ("[1 2]", "/1", False)],
)  # fmt: skip
def test_nothing_is_marked_where_nothing_is(text, pointer, is_stream):
    """A mark on the wrong bytes is worse than none."""
    assert span_of(text, pointer, is_stream=is_stream) is None
