"""Heads that come again on a kept connection are read as if they came for the first time."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

FIELDS = ("host: a", "Host: b", "x-a: 1", "X-A: 2", "x-content-length: 3")


@st.composite
def requests(draw):
    """Draw a request; several of them differ in one place, or in the length of the body alone."""
    fields = draw(st.lists(st.sampled_from(FIELDS), max_size=2))
    body = draw(st.sampled_from([b"", b"a", b"bc", b"de", b"f" * 11]))
    place = draw(st.integers(0, len(fields)))
    name = draw(st.sampled_from(["content-length", "Content-Length"]))
    gap = draw(st.sampled_from(["", " ", "\t "]))
    form = draw(st.sampled_from(["sized", "sized", "sized", "chunked"]))
    if form == "chunked":
        fields.insert(place, "transfer-encoding: chunked")
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
    else:
        fields.insert(place, f"{name}:{gap}{len(body)}")
    line = draw(st.sampled_from(["POST /a?b=c HTTP/1.1", "PUT /a HTTP/1.1"]))
    return "\r\n".join([line, *fields, "", ""]).encode() + body


def incoming(connect, server, app, sent, *, keeps):
    """Return what an app is handed: on one connection, or on one for each request."""
    del app.incoming[:]
    client = connect(server)
    for data in sent:
        client.send(data)
        client.reply()
        if not keeps:
            client.socket.close()
            client = connect(server)
    client.socket.close()
    return list(app.incoming)


def test_a_kept_connection_and_new_ones_say_the_same(live, connect, fake_app, proof_count):
    """What is remembered of the head before must not leak into the next request."""
    server = live(fake_app)

    @settings(
        max_examples=proof_count(300),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(st.lists(requests(), min_size=1, max_size=5))
    def check(sent):
        kept = incoming(connect, server, fake_app, sent, keeps=True)
        assert kept == incoming(connect, server, fake_app, sent, keeps=False)

    check()


def test_requests_sent_at_once_are_told_apart(live, connect, fake_app):
    """Pipelined requests lie in one buffer, the same head three times."""
    server, client = live(fake_app), None
    client = connect(server)
    one = b"POST /a HTTP/1.1\r\ncontent-length: 2\r\n\r\n"
    client.send(one + b"ab" + one + b"cd" + one.replace(b"2", b"3") + b"efg")
    for _ in range(3):
        client.reply()
    assert [each.body for each in fake_app.incoming] == [b"ab", b"cd", b"efg"]


def test_a_head_in_two_pieces_is_one_head(live, connect, fake_app):
    """The first piece of a head may look like the whole of the one before."""
    client = connect(live(fake_app))
    head = b"GET /a HTTP/1.1\r\nhost: a\r\n"
    for _ in range(2):
        client.send(head + b"\r\n")
        client.reply()
    client.send(head)
    client.send(b"x-more: 1\r\n\r\n")
    client.reply()
    assert [each.headers for each in fake_app.incoming] == [
        (("host", "a"),),
        (("host", "a"),),
        (("host", "a"), ("x-more", "1")),
    ]


def test_what_ends_the_connection_is_said_anew_by_each_head(live, connect, fake_app):
    """A head that closes is not the one before it, nor the one on the next connection."""
    server = live(fake_app)
    for _ in range(2):
        client = connect(server)
        for _ in range(2):
            client.send(b"GET /a HTTP/1.1\r\n\r\n")
            assert b"connection: close" not in client.reply(head=True)
            client.until(b"}\n")
        client.send(b"GET /a HTTP/1.1\r\nconnection: close\r\n\r\n")
        assert b"connection: close" in client.reply(head=True)
