"""Requests that come again to the byte: the short way and the long way say the same."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockchat.contract.contract import contract_for
from mockchat.contract.profile import load_profile, profile_names
from mockchat.exchange import Incoming, Outcome
from mockchat.payloads.plans import by_word, chunks_of
from mockchat.scripting.builders import choices, refusal, text, tool_call
from mockchat.scripting.faults_connection import CutStream
from mockchat.scripting.faults_timing import Pacing
from mockchat.scripting.script import Script
from mockchat.scripting.scripts import Scripts
from mockchat.server import framing
from mockchat.server.app import App
from mockchat.server.engine.requests import RequestParser
from mockchat.server.framing import Limits
from mockchat.server.marks import mark_of
from mockchat.server.settings import Settings

CHAT = "/v1/chat/completions"
HI = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
TOOLED = {**HI, "tools": [{"type": "function", "function": {"name": "f"}}]}
FIELDS = (
    ("content-type", "application/json"),
    ("authorization", "Bearer sk-not-to-be-kept"),
    ("origin", "http://localhost:5173"),
)
OWN = {"x-request-id", "request-id", "openai-processing-ms", "apim-request-id", "x-litellm-call-id"}
TIMES = 7


class Served:
    """An app with one script, asked with a mark or without one."""

    def __init__(self, *written, marks=True, profile="openai", scripted=True, **settings):
        self.scripts = Scripts()
        self.script = Script(contract_for(profile), unmatched="generate", unused="ignore")
        self.token = self.scripts.open(self.script) if scripted else None
        for reply, options in written:
            self.script.reply(reply, **options).forever()
        self.marks = marks
        self.app = App(Settings(profile=load_profile(profile), **settings), self.scripts)

    def ticket(self, body=HI, *, fields=FIELDS, path=CHAT):
        """Return the ticket of a request, played to its end."""
        data = json.dumps(body).encode()
        mark = mark_of(repr((path, fields)).encode()) if self.marks else b""
        ticket = self.app.handle(
            Incoming(method="POST", path=path, headers=fields, body=data, mark=mark)
        )
        ticket.finish(Outcome.DELIVERED)
        return ticket

    def said(self, body=HI):
        """Ask again and again; return what is no affair of one exchange alone."""
        tickets = [self.ticket(body) for _ in range(TIMES)]
        exchanges = [
            replace(one, received=0.0, answered=0.0, finished=None, delivery=None, stub=None)
            for one in (self.script.journal if self.token else ())
        ]
        return [without_own(ticket.delivery) for ticket in tickets], exchanges


def without_own(delivery):
    """Return a delivery without the values of the fields that are one exchange's own."""
    fields = tuple((name, "" if name in OWN else value) for name, value in delivery.headers)
    return replace(delivery, headers=fields)


def framed(ticket):
    """Return the bytes of a delivery, by the long way."""
    playback = framing.playback(
        ticket.delivery, method="POST", version="HTTP/1.1", keeps_alive=True
    )
    return b"".join(send.data for send in playback.sends)


WRITTEN = {
    "text": [("Hello, world", {})],
    "cut in words": [("Hello, dear world", {"plan": by_word()})],
    "refusal": [(refusal("No."), {})],
    "choices": [(choices([text("a"), text("b")]), {})],
    "made up": [],
}
BODIES = {
    "json": HI,
    "stream": {**HI, "stream": True},
    "usage": {**HI, "stream": True, "stream_options": {"include_usage": True}},
    "bare": {**HI, "stream": True, "stream_options": {"include_obfuscation": False}},
    "two": {**HI, "n": 2},
}


@pytest.mark.parametrize("asked", BODIES)
@pytest.mark.parametrize("written", WRITTEN)
def test_the_short_way_says_what_the_long_way_says(written, asked):
    """A shortcut that answers otherwise would make a server's replies depend on its load."""
    if (written == "choices") != (asked == "two"):
        pytest.skip("as many choices are asked for as are written")
    body = BODIES[asked]
    short, long = Served(*WRITTEN[written]), Served(*WRITTEN[written], marks=False)
    assert short.said(body) == long.said(body)
    assert short.ticket(body).sheet is not None
    assert long.ticket(body).sheet is None


@pytest.mark.parametrize("profile", profile_names())
def test_it_does_so_under_every_profile(profile):
    """Profiles write comments, other fields and other ends of streams."""
    body = {"model": "m", "messages": HI["messages"], "stream": True}
    options = {"profile": profile, "validation": "off"}
    short, long = (Served(("Hello", {}), marks=marks, **options) for marks in (True, False))
    assert short.said(body) == long.said(body)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("scripted", [True, False])
@pytest.mark.parametrize("cors", [(), ("*",), ("http://localhost:5173",)])
def test_the_sheet_is_what_would_be_framed(body, scripted, cors):
    """The engine writes it as it is: one wrong length and the client waits for ever."""
    served = Served(scripted=scripted, cors=cors)
    for _ in range(TIMES):
        ticket = served.ticket(body)
    assert framing.whole(*ticket.sheet) == framed(ticket)


@pytest.mark.parametrize("body", [HI, BODIES["stream"]])
def test_a_scripted_sheet_is_what_would_be_framed(body):
    """Its body is put together of other pieces than the delivery's writes."""
    served = Served(("Hello, world", {"plan": chunks_of(1)}))
    tickets = [served.ticket(body) for _ in range(TIMES)]
    sheets = [ticket for ticket in tickets if ticket.sheet is not None]
    assert len(sheets) > 1
    assert all(framing.whole(*ticket.sheet) == framed(ticket) for ticket in sheets)


def test_what_matters_in_a_head_is_looked_at():
    """Stubs look at fields: the same body with another head is another request."""
    served = Served()
    served.script.when(headers={"x-user": "a"}).reply("to a").forever()
    served.script.when(headers={"x-user": "b"}).reply("to b").forever()
    said = [
        json.loads(served.ticket(fields=(*FIELDS, ("x-user", user))).delivery.body)
        for user in "ababababab"
    ]
    assert [one["choices"][0]["message"]["content"] for one in said] == ["to a", "to b"] * 5


def test_it_gives_way_when_an_earlier_stub_gets_a_reply():
    """A test goes on writing while requests come: what is written last counts at once."""
    served = Served()
    first = served.script.when(last_text="hi")
    served.script.when(model="gpt-4o").reply("second").forever()
    for _ in range(TIMES):
        assert b"second" in served.ticket().delivery.body
    assert served.ticket().sheet is not None
    first.reply("first")
    assert b"first" in served.ticket().delivery.body
    assert b"second" in served.ticket().delivery.body
    first.times(2)
    assert b"first" in served.ticket().delivery.body


def test_it_gives_way_when_a_stub_is_added_taken_away_or_asks_somebodys_code():
    """Whatever changes the script changes who answers."""
    served = Served()
    for _ in range(TIMES):
        before = served.ticket().delivery.body
    stub = served.script.reply("written").forever()
    assert b"written" in served.ticket().delivery.body
    served.script.remove(stub.place)
    assert served.ticket().delivery.body == before
    served.script.reply(lambda request: "you said " + request["messages"][-1]["content"]).forever()
    assert b"you said hi" in served.ticket().delivery.body


def test_a_closed_script_answers_no_more():
    """A late request is charged to the test that sent it, however often it came before."""
    served = Served(("Hello", {}))
    path = f"/{served.token}{CHAT}"
    for _ in range(TIMES):
        assert served.ticket(path=path).delivery.status == 200
    served.scripts.close(served.token)
    assert served.ticket(path=path).delivery.status == 410
    assert served.scripts.late_count == 1


@pytest.mark.parametrize(
    ("written", "body", "settings"),
    [
        ([("Hello", {"pacing": Pacing(inter_token=0.01)})], BODIES["stream"], {}),
        ([("Hello", {"fault": CutStream(after_chunks=1)})], BODIES["stream"], {}),
        ([(tool_call("f", a=1), {})], TOOLED, {}),
        ([], HI, {"vary_repeats": True}),
        ([], {**HI, "store": True}, {}),
        ([("Hello", {})], {**HI, "store": True}, {}),
        ([("Hello", {})], HI, {"memory_bytes": 0}),
        ([("Hello" * 20_000, {})], HI, {}),
        ([("Hello", {})], {"messages": 1}, {}),
    ],
)
def test_all_else_goes_the_long_way(written, body, settings):
    """Whatever draws more, waits, keeps or counts has to be asked each time."""
    served = Served(*written, **settings)
    assert [served.ticket(body).sheet for _ in range(TIMES)] == [None] * TIMES


def test_it_keeps_no_credentials_and_not_too_much():
    """What is kept between requests is bounded, and nobody finds a key in it."""
    served = Served(("Hello", {}), memory_bytes=400_000)
    agains = served.app._agains
    for number in range(100):
        for _ in range(TIMES):
            served.ticket({**HI, "user": f"{number}"})
    kept = agains._kept
    assert 0 < len(kept) < 25
    assert "sk-not-to-be-kept" not in repr([(one.request, one.alike) for one in kept.values()])
    assert "sk-not-to-be-kept" not in repr(list(kept))


@given(
    bodies=st.lists(st.sampled_from([b"", b"a", b"bb", b"a" * 20_000]), min_size=1, max_size=6),
    cuts=st.lists(st.integers(1, 60), max_size=12),
)
def test_a_connection_knows_its_last_request_however_it_is_cut(bodies, cuts):
    """What follows a request in the same packet is the next one, not a part of what is known."""
    whole = b"".join(
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        for body in bodies
    )
    parser, found, at = RequestParser(Limits(), 100_000), [], 0
    for cut in (*cuts, len(whole)):
        parser.feed(whole[at : at + cut])
        at += cut
        while (request := parser.next()) is not None:
            found.append(request)
    assert [request.body for request in found] == bodies
    assert parser.phase == "idle"


def test_a_connection_answers_again_from_the_same_object():
    """That its last request came again is seen without reading its head."""
    data = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
    parser = RequestParser(Limits(), 100)
    found = []
    for _ in range(2):
        parser.feed(data)
        found.append(parser.next())
    assert found[0] is found[1]
    parser.feed(data.replace(b"Host: a", b"Host: b"))
    assert parser.next().mark != found[0].mark
