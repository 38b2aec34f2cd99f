"""What the live page asks for: exchanges in short and in full, their times, and the page's files."""

import json

import pytest
from test_control_api import HELLO, Caller, steered

from mockchat.exchange import Incoming, Outcome
from mockchat.server.control.conversation import (
    answered,
    asked,
    completion_of,
    options,
    placed,
    remarks,
)
from mockchat.server.control.guard import Guard
from mockchat.server.control.operations import document
from mockchat.server.control.timeline import timeline
from mockchat.server.control.watching import POLICY
from mockchat.server.shared_state import SharedState

WEATHER = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object"}},
}
STREAMED = {**HELLO, "stream": True}
PAGE = ("page.css", "page.js", "exchange.js", "timeline.js", "nodes.js", "icon.svg")


@pytest.fixture
def caller():
    """Give a client of an application without files, where a request without a stub fails."""
    caller = Caller(steered())
    caller.control("PATCH", "/settings", {"unmatched": "fail"})
    return caller


def overview(caller, query=""):
    """Return what the page is told."""
    status, body = caller.control("GET", f"/overview{query}")
    assert status == 200, body
    return body


def told(caller, index=0):
    """Return one exchange in full."""
    status, body = caller.control("GET", f"/journal/{index}")
    assert status == 200, body
    return body


def begun(caller, body):
    """Send a request and return its ticket, on its way."""
    headers = tuple(caller.fields.items())
    path = "/v1/chat/completions"
    return caller.app.handle(
        Incoming(method="POST", path=path, headers=headers, body=json.dumps(body).encode())
    )


def test_the_page_and_its_files_are_served():
    """It works without a network: all it loads is there, and the policy lets it load nothing else."""
    caller = Caller(steered(guard=Guard(key="sk-control")))
    assert dict(caller.send("GET", "/_mockchat").headers)["location"] == "/_mockchat/"
    page = caller.send("GET", "/_mockchat/")
    files = [caller.send("GET", f"/_mockchat/page/{name}") for name in PAGE]
    assert [each.status for each in (page, *files)] == [200] * 7
    kinds = [dict(each.headers)["content-type"].partition(";")[0] for each in (page, *files)]
    assert kinds == ["text/html", "text/css", *["text/javascript"] * 4, "image/svg+xml"]
    for each in (page, *files):
        fields = dict(each.headers)
        assert fields["content-security-policy"] == POLICY
        assert fields["x-content-type-options"] == "nosniff"
    assert "unsafe" not in POLICY
    named = document()["paths"]["/page/{file}"]["get"]["parameters"][0]["schema"]["enum"]
    assert tuple(named) == PAGE
    for name in ("index.htm", "../guard.py", "page.py", "", "a/b"):
        assert caller.send("GET", f"/_mockchat/page/{name}").status == 404, name


def test_the_page_obeys_the_guard():
    """The files hold no secret; what they ask for does, and strangers get neither."""
    app = steered(guard=Guard(key="sk-control"))
    for fields in ({"host": "evil.example"}, {"origin": "http://evil.example"}):
        for path in ("/_mockchat", "/_mockchat/", "/_mockchat/page/page.js"):
            assert Caller(app, **fields).send("GET", path).status == 403, (fields, path)
    for path in ("/overview", "/journal/0", "/journal/0/test", "/stubs"):
        assert Caller(app).control("GET", path)[0] == 401, path
    assert overview(Caller(app, authorization="Bearer sk-control"))["stubs"] == 0


def test_a_plain_call_in_short_and_in_full(caller):
    """Whoever looks sees what was asked, what was answered, and by which stub."""
    caller.control("POST", "/stubs", {"when": {"last_text": "Hello!"}, "reply": "Hi there"})
    caller.said()
    seen = overview(caller)
    (short,) = seen["exchanges"]
    assert (seen["first"], seen["newest"], seen["sessions"], seen["stubs"]) == (0, 0, [], 1)
    assert short.pop("received").startswith("20")
    assert short == {
        "index": 0,
        "method": "POST",
        "path": "/v1/chat/completions",
        "model": "gpt-4o-mini",
        "messages": 1,
        "said": "Hello!",
        "tools": False,
        "replied": "Hi there",
        "status": 200,
        "stream": False,
        "attempt": 1,
        "stub": "stub 1 (request.json:1)",
        "unmatched": False,
        "violations": 0,
        "fault": None,
        "ending": "complete",
        "outcome": "delivered",
    }
    full = told(caller)
    said = {"kind": "text", "pointer": "/messages/0/content", "title": "", "text": "Hello!"}
    assert full["messages"] == [
        {"role": "user", "pointer": "/messages/0", "title": "", "parts": [said]}
    ]
    assert [part["title"] for part in full["options"]] == ["model"]
    (reply,) = full["replies"]
    assert (reply["role"], reply["title"]) == ("assistant", "finish_reason stop")
    assert [part["text"] for part in reply["parts"]] == ["Hi there"]
    assert "usage" in [part["title"] for part in full["remarks"]]
    assert full["exchange"]["request"] == HELLO
    assert (full["violations"], full["timeline"]["ending"]) == ([], "complete")


def test_only_what_is_new_is_told_again(caller):
    """Twice a second the page asks; a journal of a thousand must not travel each time."""
    caller.control("POST", "/stubs", {"reply": "Hi", "forever": True})
    caller.said()
    ticket = begun(caller, HELLO)
    caller.said()

    def indexes(query):
        return [one["index"] for one in overview(caller, query)["exchanges"]]

    assert indexes("") == [0, 1, 2]
    assert indexes("?after=1") == [2]
    assert indexes("?after=2&open=1") == [1]
    assert indexes("?limit=1") == [2]
    assert [one["outcome"] for one in overview(caller)["exchanges"]][1] == "pending"
    ticket.finish(Outcome.CLIENT_LEFT)
    assert [one["outcome"] for one in overview(caller, "?after=2&open=1")["exchanges"]] == [
        "client left"
    ]
    caller.control("DELETE", "/journal")
    cleared = overview(caller, "?after=2")
    assert (cleared["exchanges"], cleared["first"], cleared["newest"]) == ([], None, -1)
    caller.said()
    assert (overview(caller, "?after=2")["first"], indexes("?after=-1")) == (3, [3])
    for query in ("?open=", "?open=1,,2", "?open=x", "?after=x", "?limit=0"):
        assert caller.control("GET", f"/overview{query}")[0] == 400, query


def test_sessions_are_named(caller):
    """The page lets one choose whose requests it shows."""
    for name in ("a", "b", "a"):
        Caller(caller.app, name).said()
    assert overview(caller)["sessions"] == ["b", "a"]
    assert overview(Caller(caller.app, "b"))["newest"] == 0


def test_the_first_stubs_are_listed(caller):
    """Ten thousand of them must not travel twice a second."""
    for reply in ("one", "two", "three"):
        caller.control("POST", "/stubs", {"when": {"last_text": reply}, "reply": reply})
    status, body = caller.control("GET", "/stubs?limit=2")
    assert (status, [stub["place"] for stub in body["stubs"]]) == (200, [0, 1])


def test_an_unmatched_request_tells_the_nearest_stub(caller):
    """The reason is what one came for."""
    caller.control("POST", "/stubs", {"when": {"model": "gpt-4o", "turns": 9}, "reply": "far"})
    caller.control("POST", "/stubs", {"when": {"model": "gpt-4o"}, "reply": "near"})
    caller.said()
    (short,) = overview(caller)["exchanges"]
    assert (short["unmatched"], short["stub"], short["status"]) == (True, None, 400)
    assert short["replied"] == "POST /v1/chat/completions matched none of 2 stubs."
    nearest, farther = told(caller)["exchange"]["mismatches"]
    assert nearest == "stub 2 (request.json:1): model is 'gpt-4o-mini', wanted 'gpt-4o'"
    assert farther.startswith("stub 1 (request.json:1): ")


def test_a_request_where_there_is_no_stub_is_unmatched_too(caller):
    """There is no mismatch to tell, and nobody answered as written."""
    caller.said()
    (short,) = overview(caller)["exchanges"]
    assert (short["unmatched"], "mismatches" in told(caller)["exchange"]) == (True, False)


def test_violations_are_marked_at_their_place(caller):
    """A pointer alone sends the reader counting messages."""
    messages = [{"role": "user", "content": "Hi"}, {"role": "robot", "content": "x"}]
    caller.said({**HELLO, "messages": messages, "temperature": 3, "top_k": 1})
    marked = {one["pointer"]: one["place"] for one in told(caller)["violations"]}
    assert marked["/messages/1/role"] == "/messages/1"
    assert marked["/temperature"] == "/temperature"
    assert overview(caller)["exchanges"][0]["violations"] == len(marked)


def test_the_innermost_place_is_marked():
    """`/a/b` is not inside `/a/bc`; a missing member is marked at what lacks it."""
    places = ["/messages/1", "/messages/1/content", "/messages/11", ""]
    pointers = ["/messages/1/content/0", "/messages/1/name", "/messages/12", ""]
    found = [one["place"] for one in placed([{"pointer": each} for each in pointers], places)]
    assert found == ["/messages/1/content", "/messages/1", None, None]


def test_a_streamed_tool_call_is_put_together_and_timed(caller):
    """What the client sees in pieces is read as a whole, and each piece has its time."""
    call = {"tool_call": "get_weather", "arguments": {"city": "Oslo"}}
    pacing = {"ttft": 0.5, "inter_token": 0.25}
    stub = {"reply": call, "pacing": pacing, "plan": "at_once"}
    assert caller.control("POST", "/stubs", stub)[0] == 201
    ticket = begun(caller, {**STREAMED, "tools": [WEATHER]})
    ticket.wrote(1)
    ticket.wrote(2)
    on_its_way = told(caller)["timeline"]
    assert (len(on_its_way["sends"]), on_its_way["outcome"]) == (2, "pending")
    assert on_its_way["unsent"] > 0
    ticket.finish(Outcome.DELIVERED)
    (short,) = overview(caller)["exchanges"]
    assert (short["stream"], short["tools"]) == (True, True)
    assert short["replied"] == 'get_weather({"city": "Oslo"})'
    full = told(caller)
    (part,) = full["replies"][0]["parts"]
    assert part == {
        "kind": "call",
        "pointer": "/choices/0/message/tool_calls/0",
        "title": "get_weather",
        "text": '{"city": "Oslo"}',
    }
    sends = full["timeline"]["sends"]
    assert [word for send in sends for word in send["words"]][-2:] == [
        "finish_reason tool_calls",
        "[DONE]",
    ]
    assert sum(send["bytes"] for send in sends) == len(ticket.delivery.body)
    assert full["timeline"]["unsent"] == 0


def line(**members):
    """Return an exchange of a stream of three paced sends."""
    return {
        "received": "2026-01-02T03:04:05.000+00:00",
        "answered": "2026-01-02T03:04:05.500+00:00",
        "finished": "2026-01-02T03:04:06.250+00:00",
        "content_type": "text/event-stream",
        "body": "data: 1\n\ndata: {\ndata:}\n\n: hi\n\ndata: [DONE]\n\n",
        "writes": [[0.5, 9], [0.25, 10], [0, 7], [0.25, 20]],
        "left_at": [0.51, 0.8],
        "ending": "complete",
        "outcome": "delivered",
        **members,
    }


def test_times_are_those_noted_else_those_planned():
    """A server that was busy is late; where nothing was noted, the plan is what there is."""
    noted = timeline(line())
    assert [send["at"] for send in noted["sends"]] == [510.0, 800.0, 1250.0]
    assert (noted["first"], noted["longest_gap"], noted["finished"]) == (510.0, 450.0, 1250.0)
    planned = timeline(line(left_at=[], outcome="client left", finished=None))
    assert [send["at"] for send in planned["sends"]] == [500.0, 750.0, 1000.0]
    nothing = timeline(line(writes=[], body="", finished=None, outcome="pending", unsent=4))
    assert (nothing["sends"], nothing["first"], nothing["longest_gap"]) == ([], None, None)
    assert (nothing["unsent"], nothing["finished"]) == (4, None)


def test_a_stream_of_ten_thousand_sends_is_told_in_a_thousand():
    """No page draws ten thousand boxes."""
    event = "data: x\n\n"
    many = timeline(line(body=event * 10_000, writes=[[0.001, len(event)]] * 10_000, left_at=[]))
    assert (len(many["sends"]), many["sends"][0]["events"]) == (1000, 10)
    assert sum(send["bytes"] for send in many["sends"]) == 10_000 * len(event)
    at_once = timeline(line(body=event * 99, writes=[[0, len(event)]] * 99, left_at=[]))
    (send,) = at_once["sends"]
    assert (send["events"], len(send["words"])) == (99, 12)


CHUNK = {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "a" * 99}}]}


def test_events_are_told_in_few_words():
    """A row of a table says what the event was for; one that is no chunk is shown as it is."""
    events = [
        CHUNK,
        {"choices": [{"delta": {"tool_calls": [{"function": {"name": "f", "arguments": "{"}}]}}]},
        {"choices": [{"delta": {"tool_calls": [7, {"custom": 1}]}, "finish_reason": "stop"}, 3]},
        {"choices": [{"delta": 1}], "usage": {"total_tokens": 1}},
        {"error": {"message": "no"}},
        [1],
    ]
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: {\n\n"
    sent = timeline(line(body=body, writes=[[0, len(body)]], left_at=[]))["sends"][0]
    assert sent["words"] == [
        f"role assistant, {'a' * 64}…",
        "f{",
        ", finish_reason stop",
        "usage",
        "error",
        "[1]",
        "{",
    ]


MEDIA = [
    {"type": "text", "text": "look"},
    {"type": "refusal", "refusal": "no"},
    {"type": "image_url", "image_url": {"url": "https://a.test/b.png", "detail": "low"}},
    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
    {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
    {"type": "file", "file": {"file_data": "data:application/pdf;base64,AA", "filename": "a.pdf"}},
    {"type": "image_url", "image_url": 7},
    "bare",
]


def test_media_are_named_and_never_loaded():
    """A picture of an address somebody else chose tells them who looks."""
    (message,) = asked({"messages": [{"role": "user", "name": "Ann", "content": MEDIA}]})
    assert [(part.kind, part.title, part.text) for part in message.parts] == [
        ("text", "", "look"),
        ("refusal", "", "no"),
        ("media", "image", "https://a.test/b.png, detail low"),
        ("media", "image", "data:image/png;base64, 26 characters"),
        ("media", "audio", "data, 4 characters, format wav"),
        ("media", "file", "data:application/pdf;base64, 30 characters, filename a.pdf"),
        ("data", "", '{"type": "image_url", "image_url": 7}'),
        ("data", "", "bare"),
    ]
    assert (message.title, message.line[:7]) == ("Ann", "look no")


SPOKEN = [
    ({"role": "tool", "tool_call_id": "call_1", "content": "4 °C"}, [("text", "", "4 °C")]),
    ({"role": "assistant", "content": None, "refusal": "no"}, [("refusal", "refusal", "no")]),
    ({"role": "assistant", "reasoning_content": "hm"}, [("reasoning", "", "hm")]),
    ({"function_call": {"name": "f", "arguments": "{bad"}}, [("call", "f", "{bad")]),
    ({"tool_calls": [{"type": "custom", "custom": {"name": "g", "input": "x"}}]}, [("call", "g", "x")]),
    ({"tool_calls": [{"function": {"name": "f", "arguments": "7"}}]}, [("call", "f", "7")]),
    ({"tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]}, [("call", "f", '{"a": 1}')]),
    ({"tool_calls": [{"function": {"name": "f"}}]}, [("call", "f", "")]),
    ({"tool_calls": [7, {"type": "function", "function": 7}]}, [("data", "", "7"), ("data", "", '{"type": "function", "function": 7}')]),
    ({"audio": {"id": "audio_1"}}, [("media", "audio", "id audio_1")]),
    ({"audio": {"transcript": "hi"}}, [("media", "audio", "hi")]),
    ({"content": 7, "annotations": [], "more/less": [1]}, [("data", "content", "7"), ("data", "more/less", "[1]")]),
    ("text", [("data", "", "text")]),
]  # fmt: skip


@pytest.mark.parametrize(("message", "wanted"), SPOKEN, ids=range(len(SPOKEN)))
def test_every_message_can_be_read(message, wanted):
    """Nothing that a request carries is left out, however odd, and nothing of it fails the page."""
    (spoken,) = asked({"messages": [message]})
    parts = [(part.kind, part.title, part.text) for part in spoken.parts]
    assert parts == [
        (kind, "" if kind == "refusal" else title, text) for kind, title, text in wanted
    ]


def test_long_arguments_are_laid_out_in_lines():
    """One line of a thousand characters is no reading."""
    call = {"function": {"name": "f", "arguments": json.dumps({"a": list(range(30))})}}
    (spoken,) = asked({"messages": [{"role": "assistant", "tool_calls": [call]}]})
    assert spoken.parts[0].text.startswith('{\n  "a": [\n    0,\n')


@pytest.mark.parametrize("request_body", [None, 7, [], {}, {"messages": 7}])
def test_requests_without_messages_are_shown_as_they_are(request_body):
    """A body that is no conversation is still what was asked."""
    assert asked(request_body) == ()
    shown = [part.text for part in options(request_body)]
    assert shown == {7: ["7"]}.get(request_body if isinstance(request_body, int) else None, shown)
    assert [part.title for part in options({"messages": 7})] == ["messages"]


def test_what_left_of_a_stream_is_read_as_far_as_it_goes():
    """A stream that was cut, or that says what no stream says, must not fail the page."""

    def read(*events):
        body = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
        return completion_of(body + "data: {", "text/event-stream; charset=utf-8")

    (said,) = answered(read(CHUNK))
    assert (said.title, said.line) == ("unfinished", "a" * 99)
    assert read() is None
    assert read({"choices": [{"delta": 7}]}) is None
    assert read({"error": {"message": "no"}}) == {"error": {"message": "no"}}
    assert read(CHUNK, {"error": {"message": "no"}})["error"] == {"message": "no"}
    assert completion_of("data: 1", "text/plain") == "data: 1"
    assert answered(7) == ()


def test_what_stands_beside_the_reply_is_shown():
    """A page of a proxy, a list of models and an empty body are answers too."""
    assert [(part.title, part.text) for part in remarks("<h1>502</h1>")] == [
        ("body", "<h1>502</h1>")
    ]
    assert [part.title for part in remarks({"object": "list", "choices": 7})] == [
        "object",
        "choices",
    ]
    assert (remarks(None), remarks("")) == ((), ())
    (strange,) = answered({"choices": [{"message": {"content": "x"}}]})
    assert (strange.role, strange.title) == ("no role", "unfinished")
    (none,) = answered({"choices": [{"finish_reason": "stop"}]})
    assert (none.role, none.line) == ("no message", "null")


def test_exchanges_that_are_not_there_are_told(caller):
    """The journal is bounded: what was dropped is told so."""
    for index in ("0", "x", "²", "9" * 30):
        status, body = caller.control("GET", f"/journal/{index}")
        assert status in (400, 404), index
        assert "no exchange" in body["error"]["message"]


def test_workers_show_one_journal(redis_store):
    """Whichever worker the page meets, it shows what all of them answered."""
    app, other = (steered(state=SharedState(redis_store.url)) for _ in range(2))
    first, second = Caller(app), Caller(other)
    first.said()
    second.said()
    assert [one["index"] for one in overview(second)["exchanges"]] == [0, 1]
    assert [one["index"] for one in overview(second, "?after=0")["exchanges"]] == [1]
    assert overview(second, "?after=1")["newest"] == 1
    assert told(first, 1)["exchange"]["request"] == HELLO
