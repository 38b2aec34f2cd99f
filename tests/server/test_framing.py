"""HTTP framing as pure functions: fewest sends, cuts that show, headers that stay inside."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockchat.exchange import Delivery, Ending, Write
from mockchat.server import framing
from mockchat.server.framing import Refused


def play(delivery, *, method="GET", version="HTTP/1.1", keeps_alive=True):
    """Frame a delivery for a plain request."""
    made = framing.playback(delivery, method=method, version=version, keeps_alive=keeps_alive)
    return replace(made, sends=tuple(made.sends))


def writes(*pairs):
    """Make writes of pairs of data and delay."""
    return tuple(Write(data=data, delay=delay) for data, delay in pairs)


def body_of(send):
    """Return what a send carries besides the head."""
    return send.data.partition(b"\r\n\r\n")[2] if send.data.startswith(b"HTTP/") else send.data


def head_of(playback):
    """Return status line and fields of a playback."""
    lines = playback.sends[0].data.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    return lines[0], dict(line.split(": ", 1) for line in lines[1:])


def test_a_json_reply_is_one_send():
    """Head and body in two sends cost 44 ms with Nagle's algorithm and delayed acknowledgements."""
    playback = play(
        Delivery(status=200, headers=(("x", "y"),), writes=writes((b"ab", 0), (b"c", 0)))
    )
    status, fields = head_of(playback)

    assert len(playback.sends) == 1
    assert status == "HTTP/1.1 200 OK"
    assert list(fields) == ["date", "server", "x", "content-length"]
    assert fields["content-length"] == "3"
    assert body_of(playback.sends[0]) == b"abc"
    assert (playback.closes, playback.resets) == (False, False)


def test_writes_without_delay_are_joined_and_delays_kept():
    """Joining is worth a factor of eight in streams; joining across a delay would lose the timing."""
    delivery = Delivery(
        status=200,
        is_stream=True,
        writes=writes((b"a", 0.5), (b"b", 0), (b"c", 0.1), (b"", 0), (b"d", 0), (b"", 0.2)),
    )
    playback = play(delivery)

    assert [send.delay for send in playback.sends] == [0.5, 0.1, 0.2]
    assert [body_of(send) for send in playback.sends] == [
        b"2\r\nab\r\n",
        b"2\r\ncd\r\n",
        b"0\r\n\r\n",
    ]


@pytest.mark.parametrize("is_stream", [True, False])
def test_an_empty_delivery_has_an_empty_body(is_stream):
    """No writes at all is an answer too: clients must not wait for a body."""
    playback = play(Delivery(status=200, is_stream=is_stream))
    assert body_of(playback.sends[0]) == (b"0\r\n\r\n" if is_stream else b"")


CUTS = [
    # method, version, is_stream -> announced length and connection, body, resets
    ("GET", "HTTP/1.1", True, (None, None), b"2\r\nab\r\n", False),
    ("GET", "HTTP/1.1", False, ("3", None), b"ab", False),
    ("GET", "HTTP/1.0", True, (None, "close"), b"ab", True),
    ("GET", "HTTP/1.0", False, ("3", "keep-alive"), b"ab", False),
    ("HEAD", "HTTP/1.1", False, ("3", None), b"", True),
]


@pytest.mark.parametrize(("method", "version", "is_stream", "announced", "body", "resets"), CUTS)
def test_a_cut_looks_cut(method, version, is_stream, announced, body, resets):  # noqa: PLR0913, PLR0917 - one name for each column
    """A cut that a client reads as a complete reply would make its test pass for nothing.

    Node's fetch does so where the head says that the connection will close.
    """
    delivery = Delivery(
        status=200, is_stream=is_stream, writes=writes((b"ab", 0)), ending=Ending.CUT
    )
    playback = play(delivery, method=method, version=version)
    fields = head_of(playback)[1]

    assert (fields.get("content-length"), fields.get("connection")) == announced
    assert body_of(playback.sends[0]) == body
    assert (playback.closes, playback.resets) == (True, resets)


def test_a_reset_is_one():
    """RESET is told from CUT by the client's exception: it must not become an orderly close."""
    playback = play(Delivery(status=200, is_stream=True, ending=Ending.RESET))
    assert (playback.closes, playback.resets) == (True, True)
    assert body_of(playback.sends[-1]) == b""


@pytest.mark.parametrize(
    ("method", "status", "length"),
    [("HEAD", 200, "2"), ("GET", 204, None), ("GET", 304, None), ("GET", 103, None)],
)
def test_replies_without_a_body_have_none(method, status, length):
    """A body where none may be would be read as the head of the next reply."""
    playback = play(Delivery(status=status, writes=writes((b"ab", 0.3), (b"", 9))), method=method)
    assert [send.delay for send in playback.sends] == [0.3]
    assert playback.sends[0].data.endswith(b"\r\n\r\n")
    assert head_of(playback)[1].get("content-length") == length


VERSIONS = [
    ("HTTP/1.1", True, False, None, False),
    ("HTTP/1.1", False, False, "close", True),
    ("HTTP/1.0", True, False, "keep-alive", False),
    ("HTTP/1.0", True, True, "close", True),
]


@pytest.mark.parametrize(("version", "keeps_alive", "is_stream", "connection", "closes"), VERSIONS)
def test_the_connection_field_tells_what_follows(
    version, keeps_alive, is_stream, connection, closes
):
    """Old clients need to be told that the connection stays; a stream to them ends by closing."""
    delivery = Delivery(status=200, is_stream=is_stream, writes=writes((b"x", 0)))
    playback = play(delivery, version=version, keeps_alive=keeps_alive)
    fields = head_of(playback)[1]
    assert fields.get("connection") == connection
    assert playback.closes is closes
    assert "transfer-encoding" not in fields or version == "HTTP/1.1"


def test_framing_fields_of_a_delivery_are_left_out():
    """A scripted length beside the true one is request smuggling in reverse."""
    own = [("Content-Length", "9"), ("Transfer-Encoding", "x"), ("Connection", "x"), ("date", "x")]
    playback = play(Delivery(status=200, headers=(*own, ("server", "x"), ("a", "b"))))
    assert head_of(playback)[1].keys() == {"date", "server", "a", "content-length"}
    assert head_of(playback)[1]["content-length"] == "0"


@given(st.text(max_size=30))
def test_no_value_leaves_its_header(value):
    """A line break in a scripted value must not become a header or a body of its own."""
    head = play(Delivery(status=204, headers=(("x", value),))).sends[0].data
    lines = head.split(b"\r\n")
    assert [line.partition(b":")[0] for line in lines] == [
        b"HTTP/1.1 204 No Content",
        b"date",
        b"server",
        b"x",
        b"",
        b"",
    ]
    assert b"\n" not in head.replace(b"\r\n", b"")
    assert b"\r" not in head.replace(b"\r\n", b"")


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\nb", "é"])
def test_a_header_name_is_a_token(name):
    """What is no name is a mistake of whoever wrote it, not something to send."""
    with pytest.raises(ValueError, match="not a header name"):
        play(Delivery(status=200, headers=((name, "x"),)))


def test_statuses_nobody_knows_have_a_phrase():
    """A test may script 599: the status line needs its three parts all the same."""
    assert play(Delivery(status=599)).sends[0].data.startswith(b"HTTP/1.1 599 Unknown\r\n")


LENGTHS = [
    ({}, "HTTP/1.1", 0),
    ({"content-length": "5"}, "HTTP/1.1", 5),
    ({"content-length": " 5\t"}, "HTTP/1.0", 5),
    ({"transfer-encoding": "chunked"}, "HTTP/1.1", None),
    ({"transfer-encoding": " Chunked "}, "HTTP/1.1", None),
    ({"content-length": ["5", "5"]}, "HTTP/1.1", Refused(400, "")),
    ({"content-length": "5, 5"}, "HTTP/1.1", Refused(400, "")),
    ({"content-length": "+5"}, "HTTP/1.1", Refused(400, "")),
    ({"content-length": "-5"}, "HTTP/1.1", Refused(400, "")),
    ({"content-length": "5_0"}, "HTTP/1.1", Refused(400, "")),
    ({"content-length": "\u0665"}, "HTTP/1.1", Refused(400, "")),
    ({"content-length": ""}, "HTTP/1.1", Refused(400, "")),
    ({"content-length": "0x5"}, "HTTP/1.1", Refused(400, "")),
    ({"content-length": "9" * 19}, "HTTP/1.1", Refused(400, "")),
    ({"transfer-encoding": "chunked", "content-length": "5"}, "HTTP/1.1", Refused(400, "")),
    ({"transfer-encoding": ["chunked", "chunked"]}, "HTTP/1.1", Refused(400, "")),
    ({"transfer-encoding": "chunked"}, "HTTP/1.0", Refused(400, "")),
    ({"transfer-encoding": "gzip, chunked"}, "HTTP/1.1", Refused(501, "")),
    ({"transfer-encoding": "\x0bchunked"}, "HTTP/1.1", Refused(501, "")),
    ({"transfer-encoding": ""}, "HTTP/1.1", Refused(501, "")),
]


@pytest.mark.parametrize(("fields", "version", "expected"), LENGTHS)
def test_a_body_is_framed_in_one_way(fields, version, expected):
    """Two readings of where a body ends let one request hide inside another (RFC 9112, 6.3)."""
    lengths, codings = (
        [values] if isinstance(values, str) else values
        for values in (fields.get("content-length", []), fields.get("transfer-encoding", []))
    )
    if not isinstance(expected, Refused):
        assert framing.body_length(lengths, codings, version) == expected
        return
    with pytest.raises(Refused) as caught:
        framing.body_length(lengths, codings, version)
    assert caught.value.status == expected.status
    assert str(caught.value) == f"{caught.value.status}: {caught.value.message}"


SIZES = [
    (b"0\r\n", 0),
    (b"aF\r\n", 175),
    (b"5;name=value\r\n", 5),
    (b"5 ; x\r\n", 5),
    (b"\r\n", None),
    (b"5\n", None),
    (b"0x5\r\n", None),
    (b"+5\r\n", None),
    (b"-5\r\n", None),
    (b"5_0\r\n", None),
    (b" 5\r\n", None),
    (b"5 6\r\n", None),
    (b"g\r\n", None),
    (b"1" * 16 + b"\r\n", None),
]


@pytest.mark.parametrize(("line", "size"), SIZES)
def test_chunk_sizes_are_read_strictly(line, size):
    """Python's int() takes "+5" and "0x5"; a proxy in front would not, and they must agree."""
    if size is not None:
        assert framing.chunk_size(line) == size
        return
    with pytest.raises(Refused):
        framing.chunk_size(line)


FIELD_LINES = [
    (b"a: b\r\n", True),
    (b"a:b\n", True),
    (b"a:\r\n", True),
    (b"a: \xe9\tb\r\n", True),
    (b" folded\r\n", False),
    (b"a : b\r\n", False),
    (b"a\r\n", False),
    (b": b\r\n", False),
    (b"a: b\rc: d\r\n", False),
    (b"a: b\x00\r\n", False),
    (b"a: b", False),
]


@pytest.mark.parametrize(("line", "is_good"), FIELD_LINES)
def test_field_lines_are_read_strictly(line, is_good):
    """Folding, a bare CR or a space before the colon are read in more than one way."""
    if is_good:
        framing.check_field_line(line)
        return
    with pytest.raises(Refused):
        framing.check_field_line(line)


REQUEST_LINES = [
    (b"GET / HTTP/1.1\r\n", True),
    (b"PATCH-x /a?b=%20 HTTP/1.0\n", True),
    (b"GET /\r\n", False),
    (b"GET  / HTTP/1.1\r\n", False),
    (b"GET / HTTP/1.1 \r\n", False),
    (b"GET /\xe9 HTTP/1.1\r\n", False),
    (b"G@T / HTTP/1.1\r\n", False),
    (b"GET / http/1.1\r\n", False),
    (b"\x16\x03\x01\x02\n", False),
]


@pytest.mark.parametrize(("line", "is_good"), REQUEST_LINES)
def test_request_lines_are_read_strictly(line, is_good):
    """HTTP/0.9, TLS to a plain port and half a line are answered, not guessed at."""
    if is_good:
        framing.check_request_line(line)
        return
    with pytest.raises(Refused):
        framing.check_request_line(line)
