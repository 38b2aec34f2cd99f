"""The law of equality: what a client meets without a socket is what it meets with one."""

from dataclasses import dataclass, replace
from typing import ClassVar

import both_ways
import pytest
from both_ways import (
    BODY,
    REQUESTS,
    ask,
    direct_client,
    script,
    settled,
    socket_client,
    told_by,
)

from mockchat import CutStream, Pacing, SlowHeaders, Stall, error, stream_faults, unchecked

LIBRARIES = pytest.mark.parametrize("library", ["httpx", "httpx2"])
KINDS = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
PAIRS = pytest.mark.parametrize(
    ("library", "asynchronous"),
    [("httpx", False), ("httpx2", True)],
    ids=["httpx-sync", "httpx2-async"],
)
FAULTS = pytest.mark.parametrize("fault", stream_faults(), ids=str)


def both(server, write, body=BODY, **how):
    """Return what a client tells, and the journal, by a socket and without one."""
    with both_ways.two_scripts(server, write) as (left, right):
        by_socket = told_by(socket_client, left, body, **how)
        without = told_by(direct_client, right, body, **how)
        return (by_socket.comparable, settled(left)), (without.comparable, settled(right))


@LIBRARIES
@KINDS
@pytest.mark.parametrize("occasion", REQUESTS)
def test_an_undamaged_reply_is_the_same(mockchat_server, library, asynchronous, occasion):
    """Every byte, every field, and the whole record of it."""

    def write(chat):
        script(chat, occasion=occasion)

    by_socket, without = both(
        mockchat_server, write, REQUESTS[occasion], library=library, asynchronous=asynchronous
    )
    assert without == by_socket


@LIBRARIES
@pytest.mark.parametrize("occasion", ["json", "stream"])
def test_a_request_that_comes_again_is_answered_the_same(mockchat_server, library, occasion):
    """What is known of a request by its head must show neither to the client nor in the journal."""

    def answers(make, numbers):
        with mockchat_server.unverified(name="both") as chat:
            chat.reply(both_ways.TEXT, plan=both_ways.chunks_of(4)).forever()
            with make(library, chat) as client:
                told = [
                    ask(client, REQUESTS[occasion], headers={"x-number": number}).comparable
                    for number in numbers
                ]
            return told, [both_ways.untimed(exchange, "x-number") for exchange in chat.journal]

    first, *others = [
        answers(make, numbers)
        for make in (socket_client, direct_client)
        for numbers in ("1234", "1111")
    ]
    assert len({body for _, _, body, _ in first[0]}) == len(first[0])
    assert others == [first] * 3


@LIBRARIES
def test_the_same_head_is_known_again_and_no_other(mockchat_server, library):
    """A mark that two heads share would journal the fields of one for the other."""
    with mockchat_server.unverified(name="marks") as chat:
        chat.reply(both_ways.TEXT).forever()
        with direct_client(library, chat) as client:
            marks = [
                client._transport._incoming(
                    client.build_request(method, path, headers=headers)
                ).mark
                for method, path, headers in (
                    ("POST", "/chat/completions", {"x-number": "1"}),
                    ("POST", "/chat/completions", {"x-number": "1"}),
                    ("POST", "/chat/completions", {"x-number": "2"}),
                    ("POST", "/chat/completions?x-number=1", {"x-number": "1"}),
                    ("PUT", "/chat/completions", {"x-number": "1"}),
                    ("POST", "/chat/completions", {"x-number": "1\n2"}),
                )
            ]
    assert marks[0] == marks[1]
    assert len(set(marks)) == len(marks) - 1
    assert marks[-1] == b""


@PAIRS
@FAULTS
def test_a_named_fault_is_the_same(mockchat_server, library, asynchronous, fault):
    """A fault that another transport softens would prove a client that is not proven."""

    def write(chat):
        script(chat, fault, fault.occasion)

    body = REQUESTS[fault.occasion]
    by_socket, without = both(
        mockchat_server, write, body, library=library, asynchronous=asynchronous
    )
    assert without == by_socket


BROKEN = {
    "a JSON body cut": (CutStream(after_chunks=1), "json"),
    "a JSON body reset": (CutStream(after_chunks=1, reset=True), "json"),
    "a stream cut behind its head": (CutStream(after_chunks=0), "stream"),
    "a stream reset behind its head": (CutStream(after_chunks=0, reset=True), "stream"),
    "a stream reset in an event": (CutStream(after_bytes=50, reset=True), "stream"),
}


@LIBRARIES
@KINDS
@pytest.mark.parametrize(("fault", "occasion"), BROKEN.values(), ids=BROKEN)
def test_a_broken_connection_is_the_same(mockchat_server, library, asynchronous, fault, occasion):
    """The exception, what was read before it, and what the journal says became of it."""

    def write(chat):
        script(chat, fault, occasion)

    body = REQUESTS[occasion]
    by_socket, without = both(
        mockchat_server, write, body, library=library, asynchronous=asynchronous
    )
    assert without == by_socket
    assert without[0][3]


LATE = {
    "a head too late": (SlowHeaders(seconds=60), "stream"),
    "a first chunk too late": (Stall(seconds=60), "stream"),
    "a chunk too late": (Stall(seconds=60, after_chunks=2), "stream"),
    "half a JSON body too late": (Stall(seconds=60), "json"),
}


@PAIRS
@pytest.mark.parametrize(("fault", "occasion"), LATE.values(), ids=LATE)
def test_a_client_that_does_not_wait_is_the_same(
    mockchat_server, library, asynchronous, fault, occasion
):
    """A read timeout is the client's own; without a socket, somebody has to heed it."""

    def write(chat):
        script(chat, fault, occasion)

    body = REQUESTS[occasion]
    by_socket, without = both(
        mockchat_server, write, body, library=library, asynchronous=asynchronous, read=0.3
    )
    assert without == by_socket
    assert without[0][3].startswith("ReadTimeout")
    assert without[1].outcome.value == "client left"


@dataclass(frozen=True, kw_only=True)
class AddField:
    """A fault of one's own: a field that no builder would let pass."""

    name: str
    value: str
    needs: ClassVar = frozenset()

    def apply(self, delivery, draw):
        """Return the delivery with the field."""
        return replace(delivery, headers=(*delivery.headers, (self.name, self.value)))


REPLIES = {
    "an error": lambda chat: chat.reply(error(429, retry_after=1)),
    "no stub": lambda chat: chat.when(model="other").reply("never"),
    "a field that would break out": lambda chat: chat.reply(
        "Hello", fault=AddField(name="x-note", value="a\r\nb: \u20ac \t")
    ),
    "a header name that is none": lambda chat: chat.reply(
        "Hello", fault=AddField(name="a b", value="c")
    ),
    "unchecked JSON": lambda chat: chat.reply(unchecked({"id": 7})),
}


@LIBRARIES
@pytest.mark.parametrize("write", REPLIES.values(), ids=REPLIES)
def test_other_replies_are_the_same(mockchat_server, library, write):
    """Errors of the API, of the test, and of the framing."""
    by_socket, without = both(mockchat_server, write, library=library)
    assert without == by_socket


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/models", None),
        ("HEAD", "/models", None),
        ("GET", "/models/gpt-4o?x=1", None),
        ("GET", "/models/gp%74-4o", None),
        ("GET", "/nowhere", None),
        ("DELETE", "/chat/completions", None),
        ("POST", "/chat/completions", [1]),
        ("POST", "/chat/completions", {"model": "gpt-4o"}),
    ],
)
def test_other_requests_are_the_same(mockchat_server, method, path, body):
    """Not every request is a conversation."""
    with both_ways.two_scripts(mockchat_server, lambda chat: None) as (left, right):
        with socket_client("httpx2", left) as client:
            by_socket = ask(client, body, method=method, path=path)
        with direct_client("httpx2", right) as client:
            without = ask(client, body, method=method, path=path)
        assert (without.comparable, settled(right)) == (by_socket.comparable, settled(left))


def test_a_client_that_closes_the_connection_is_told_so(mockchat_server):
    """`connection: close` is answered alike, though there is nothing to close."""
    headers = {"connection": "close", "x-note": "any"}
    with both_ways.two_scripts(mockchat_server, script) as (left, right):
        with socket_client("httpx2", left) as client:
            by_socket = ask(client, BODY, headers=headers)
        with direct_client("httpx2", right) as client:
            without = ask(client, BODY, headers=headers)
        assert (without.comparable, settled(right)) == (by_socket.comparable, settled(left))
        assert ("connection", "close") in without.fields


@LIBRARIES
@pytest.mark.parametrize("make", [socket_client, direct_client], ids=["socket", "direct"])
def test_a_client_that_leaves_is_noted(mockchat_server, library, make):
    """Leaving a stream is what users do; a test must be able to see that their client did."""
    with mockchat_server.script() as chat:
        script(chat, pacing=Pacing(inter_token=60))
        with (
            make(library, chat) as client,
            client.stream("POST", "/chat/completions", json=REQUESTS["stream"]) as response,
        ):
            next(response.iter_raw())
        assert settled(chat).outcome.value == "client left"
