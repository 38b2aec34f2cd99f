"""Bytes to JSON and events, and back: nothing that parsers disagree about gets in or out."""

import contextlib
import itertools
import json
import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockchat.server import wire
from mockchat.server.wire import BadBody, Decoded, SseDecoder, SseEvent

NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)

BAD_BODIES = [
    ("nothing", b"", "empty"),
    ("white space", b" \r\n\t", "empty"),
    ("cut off", b'{"a": ', "malformed"),
    ("two values", b"{} {}", "malformed"),
    ("single quotes", b"{'a': 1}", "malformed"),
    ("trailing comma", b'{"a": 1,}', "malformed"),
    ("bare control character", b'"a\nb"', "malformed"),
    ("no-break space around it", "\xa0{}".encode(), "malformed"),
    ("NaN", b'{"a": NaN}', "constant"),
    ("Infinity", b"[Infinity]", "constant"),
    ("minus Infinity", b"-Infinity", "constant"),
    ("float over range", b"1e999", "number"),
    ("5,000 digits", b"1" * 5000, "number"),
    ("minus 5,000 digits", b"[-" + b"9" * 5000 + b"]", "number"),
    ("100,000 brackets", b"[" * 100_000, "nesting"),
    ("100,000 closed brackets", b"[" * 100_000 + b"]" * 100_000, "nesting"),
    ("100,000 objects", b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nesting"),
    ("one level too many", b"[" * 129 + b"]" * 129, "nesting"),
    ("not UTF-8", b'{"a": "\xff"}', "encoding"),
    ("overlong UTF-8", b'"\xc0\xaf"', "encoding"),
    ("a surrogate in UTF-8", b'"\xed\xa0\x80"', "encoding"),
    ("UTF-16 without a mark", '{"a"'.encode("utf-16-le"), "malformed"),
    ("UTF-16 with a mark", "{}".encode("utf-16"), "byte-order-mark"),
    ("a byte order mark", b"\xef\xbb\xbf{}", "byte-order-mark"),
    ("half a surrogate pair", b'{"a": "\\ud800"}', "surrogate"),
    ("the other half", b'["\\uDC00 x"]', "surrogate"),
    ("half a pair in a key", b'{"\\ud83d": 1}', "surrogate"),
]


@pytest.mark.parametrize(
    ("data", "kind"), [case[1:] for case in BAD_BODIES], ids=[case[0] for case in BAD_BODIES]
)
def test_bad_bodies_are_told_apart(data, kind):
    """Each known trouble has its kind; none ends as another exception."""
    with pytest.raises(BadBody) as caught:
        wire.decode_json(data)

    assert caught.value.kind == kind
    assert str(caught.value) == f"the body is not usable JSON ({kind}): {caught.value.detail}"


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(data):
    """Whatever arrives is a value or a BadBody: the server must not meet a third thing."""
    with contextlib.suppress(BadBody):
        wire.decode_json(data)


@given(JSON)
def test_what_is_encoded_is_decoded_again(value):
    """Both encoders write JSON that the strict decoder accepts, key order and all."""
    for encoded in (wire.encode_json(value), wire.encode_compact(value)):
        assert json.dumps(wire.decode_json(encoded)) == json.dumps(value)


@pytest.mark.parametrize("value", [[[]] * 3, {"a": {"b": []}}], ids=["array", "object"])
def test_nesting_up_to_the_limit_is_read(value):
    """The limit counts levels, not brackets: a broad body may have thousands of them."""
    for _ in range(wire.MAX_DEPTH - 3):
        value = [value, []]
    assert wire.decode_json(json.dumps(value).encode()) == value
    assert wire.decode_json(json.dumps([[]] * 5000).encode()) == [[]] * 5000


def test_great_numbers_in_range_are_exact():
    """An integer of a few hundred digits is a number like any other; a float rounds as JSON's do."""
    limit = int(sys.float_info.max)
    assert wire.decode_json(str(limit).encode()) == limit
    assert wire.decode_json(b"-1.5e308") == -1.5e308
    assert math.copysign(1, wire.decode_json(b"-0.0")) == -1


def test_repeated_keys_keep_the_last_and_are_told():
    """JSON parsers keep the last value; a note says so, since authors rarely mean it."""
    data = b'{"a": 1, "b": {"c": 1, "c": 2, "c": 3}, "a": 2, "d": [{"a": 1, "a": 1}]}'
    assert wire.decode_body(data) == Decoded(
        value={"a": 2, "b": {"c": 3}, "d": [{"a": 1}]}, duplicate_keys=("c", "a")
    )


def test_whole_pairs_of_surrogates_are_characters():
    """An escaped pair is one character, however it is spelled."""
    assert wire.decode_json(b'"\\ud83d\\uDE00"') == "\U0001f600"


def test_bodies_look_as_the_real_service_formats_them():
    """Two spaces, key order, a newline at the end: diffs against recordings stay readable."""
    assert wire.encode_json({"b": [1, {}], "a": "é\u2028"}) == (
        '{\n  "b": [\n    1,\n    {}\n  ],\n  "a": "é\u2028"\n}\n'.encode()
    )


def test_chunks_are_compact_and_one_line():
    """An event is one line, whatever text it carries: a raw newline would break the framing."""
    assert wire.encode_chunk({"a": "x\n\n\u2028data: [DONE]\r"}) == (
        'data: {"a":"x\\n\\n\u2028data: [DONE]\\r"}\n\n'.encode()
    )
    assert wire.DONE == b"data: [DONE]\n\n"


@pytest.mark.parametrize("encode", [wire.encode_json, wire.encode_compact])
def test_half_a_pair_leaves_as_its_escape(encode):
    """A test may script a lone surrogate; what is sent is valid UTF-8 and valid JSON all the same."""
    encoded = encode({"\ud800": "a\udfff"})
    assert json.loads(encoded.decode()) == {"\ud800": "a\udfff"}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("encode", [wire.encode_json, wire.encode_compact])
def test_numbers_json_cannot_say_are_refused(encode, value):
    """NaN in a reply would reach clients as a parse error far from its cause."""
    with pytest.raises(ValueError, match="JSON"):
        encode([value])


STREAMS = [
    ("plain", b"data: a\n\ndata: b\n\n", [("a", "message"), ("b", "message")]),
    ("carriage returns", b"data: a\r\rdata: b\r\r", [("a", "message"), ("b", "message")]),
    ("both", b"data: a\r\n\r\ndata: b\r\n\r\n", [("a", "message"), ("b", "message")]),
    ("mixed ends", b"data: a\n\r\ndata: b\r\n\n", [("a", "message"), ("b", "message")]),
    ("no space", b"data:a\n\n", [("a", "message")]),
    ("two spaces", b"data:  a\n\n", [(" a", "message")]),
    ("comments", b": hi\n\n:\ndata: a\n: x\n\n", [("a", "message")]),
    ("lines", b"data: a\ndata: \ndata:b\n\n", [("a\n\nb", "message")]),
    ("lines that end in CRLF", b"data: a\r\ndata: b\r\n\r\n", [("a\nb", "message")]),
    ("mark", b"\xef\xbb\xbfdata: a\n\n", [("a", "message")]),
    ("named", b"event: error\ndata: a\n\ndata: b\n\n", [("a", "error"), ("b", "message")]),
    ("name alone", b"event: error\n\ndata: b\n\n", [("b", "message")]),
    ("other fields", b"id: 1\nretry: 5\nx: y\ndata: a\n\n", [("a", "message")]),
    ("no value", b"data\n\n", [("", "message")]),
    ("not UTF-8", b"data: \xff\n\n", [("\ufffd", "message")]),
    (
        "separators inside",
        "data: a\u2028b\x0bc\x85\n\n".encode(),
        [("a\u2028b\x0bc\x85", "message")],
    ),
    ("left open", b"data: a\n\ndata: b", [("a", "message"), ("b", "message")]),
    ("left open, one end", b"data: a\n", [("a", "message")]),
    ("nothing", b"", []),
]


@pytest.mark.parametrize(
    ("data", "expected"), [case[1:] for case in STREAMS], ids=[case[0] for case in STREAMS]
)
def test_events_are_read_as_the_standard_says(data, expected):
    """Line ends, comments, fields: HTML standard 9.2.6, with an unclosed event at the end kept."""
    decoder = SseDecoder()
    events = [*decoder.feed(data), *decoder.finish()]
    assert events == [SseEvent(data=text, event=name) for text, name in expected]


@pytest.mark.parametrize("data", [case[1] for case in STREAMS], ids=[case[0] for case in STREAMS])
def test_byte_by_byte_is_the_same(data):
    """The hardest cut of all: inside every CRLF and every character."""
    whole, single = SseDecoder(), SseDecoder()
    expected = [*whole.feed(data), *whole.finish()]
    events = [event for byte in data for event in single.feed(bytes([byte]))]
    assert [*events, *single.finish()] == expected


PIECES = st.lists(
    st.sampled_from(
        [
            b"data: ",
            b"a",
            b"\n",
            b"\r",
            b"\r\n",
            b"\n\n",
            b"event: x",
            b": c",
            b"\xef\xbb\xbf",
            "é\u2028".encode(),
            b"data",
            b":",
            b"[DONE]",
            b"\xff",
        ]
    ),
    max_size=30,
).map(b"".join)


@given(PIECES, st.data())
def test_any_cut_of_the_bytes_gives_the_same_events(stream, data):
    """Packets end anywhere, inside a character or a CRLF too: no client may notice."""
    whole = SseDecoder()
    expected = [*whole.feed(stream), *whole.finish()]

    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    bounds = [0, *cuts, len(stream)]
    decoder = SseDecoder()
    events = [
        event
        for start, end in itertools.pairwise(bounds)
        for event in decoder.feed(stream[start:end])
    ]

    assert [*events, *decoder.finish()] == expected


def test_events_come_as_soon_as_they_are_complete():
    """A decoder that waited for the byte after a CR would hold back the last event of a chunk."""
    decoder = SseDecoder()
    assert decoder.feed(b"data: a\r\r") == (SseEvent(data="a"),)
    assert decoder.feed(b"\ndata: b\n\n") == (SseEvent(data="b"),)


def test_a_stream_of_ours_is_read_back():
    """What encode_chunk and DONE write, the decoder reads: the two ends of one format."""
    chunks = [{"n": n, "text": "\u2028 é"} for n in range(3)]
    decoder = SseDecoder()
    events = decoder.feed(b"".join(map(wire.encode_chunk, chunks)) + wire.DONE)
    assert [event.data for event in events] == [
        *(json.dumps(chunk, ensure_ascii=False, separators=(",", ":")) for chunk in chunks),
        "[DONE]",
    ]
