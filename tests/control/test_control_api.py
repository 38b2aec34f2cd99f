"""The control API without a socket: each operation, and who may use it."""

import json
import queue
import threading
from functools import partial

import pytest

from mockchat.exchange import Incoming, Outcome
from mockchat.scripting.exchange_lines import as_json
from mockchat.scripting.journal_weight import JointMemory
from mockchat.server.control import operations
from mockchat.server.control.guard import Guard
from mockchat.server.control.metering import METERING
from mockchat.server.control.operations import MOST_WAITING, OPERATIONS, document
from mockchat.server.control.sessions import Sessions
from mockchat.server.control.steered import SteeredApp
from mockchat.server.control.watching import WATCHING
from mockchat.server.scenarios import ScenarioApp
from mockchat.server.settings import Settings
from mockchat.server.shared_state import SharedState

HELLO = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello!"}]}
HERE = {"host": "127.0.0.1:4010"}


def settings_of(asked):
    """Return the settings a scenario asks for, generated where nothing matches."""
    return Settings(**{"unmatched": "generate", **asked})


def steered(*files, most=1000, guard=None, **options):
    """Return an application of these scenario files."""
    make = partial(_session, files, options)
    return SteeredApp(Sessions(make, make(""), most=most), guard or Guard())


def _session(files, options, name):
    return ScenarioApp(files, settings_of, session=name, **options)


class Caller:
    """Sends requests to an application, as a client of a session."""

    def __init__(self, app, session=None, **fields):
        self.app = app
        self.fields = {**HERE, **fields}
        if session is not None:
            self.fields["x-mockchat-session"] = session

    def send(self, method, path, body=b"", **fields):
        """Return the delivery of a request."""
        path, _, query = path.partition("?")
        headers = tuple(
            (name.replace("_", "-"), value) for name, value in {**self.fields, **fields}.items()
        )
        ticket = self.app.handle(
            Incoming(method=method, path=path, query=query, headers=headers, body=body)
        )
        ticket.finish(Outcome.DELIVERED)
        return ticket.delivery

    def control(self, method, path, body=None, **fields):
        """Return status and decoded body of the control API's answer."""
        data = b"" if body is None else json.dumps(body).encode()
        kind = {} if body is None else {"content_type": "application/json"}
        delivery = self.send(method, f"/_mockchat{path}", data, **{**kind, **fields})
        return delivery.status, json.loads(delivery.body) if delivery.body else None

    def said(self, body=HELLO):
        """Ask for a completion and return its text, or the error's message."""
        delivery = self.send("POST", "/v1/chat/completions", json.dumps(body).encode())
        answer = json.loads(delivery.body)
        if delivery.status != 200:
            return answer["error"]["message"]
        return answer["choices"][0]["message"]["content"]


@pytest.fixture
def caller():
    """Give a client of an application without files."""
    return Caller(steered())


def test_every_operation_of_the_document_is_answered():
    """A document that promises more than there is misleads every generated client."""
    ids = {
        operation["operationId"]
        for item in document()["paths"].values()
        for operation in item.values()
    }
    assert ids == {*OPERATIONS, *WATCHING, *METERING}


def test_health_and_readiness(caller):
    """An orchestrator asks before it sends traffic."""
    assert caller.control("GET", "/health") == (200, {"status": "ok"})
    assert caller.control("GET", "/ready") == (200, {"status": "ready"})
    assert caller.control("GET", "/openapi.json") == (200, document())


def test_stubs_are_added_listed_and_taken_away(caller):
    """A test in any language scripts the server while it runs."""
    first = {"when": {"last_text": "Hello!"}, "reply": "one", "then": ["two"]}
    listed = {
        "place": 0,
        "name": "stub 1 (request.json:1)",
        "when": "last_text='Hello!'",
        "sent": 0,
        "left": 2,
    }
    assert caller.control("POST", "/stubs", first) == (201, listed)
    assert caller.control("POST", "/stubs", {"reply": "for ever", "forever": True})[0] == 201
    assert [caller.said() for _ in range(3)] == ["one", "two", "for ever"]
    status, body = caller.control("GET", "/stubs")
    assert status == 200
    assert [(stub["place"], stub["sent"], stub["left"]) for stub in body["stubs"]] == [
        (0, 2, 0),
        (1, 1, None),
    ]
    assert caller.control("DELETE", "/stubs/0") == (204, None)
    status, body = caller.control("GET", "/stubs")
    assert [(stub["place"], stub["sent"]) for stub in body["stubs"]] == [(1, 1)]
    assert caller.control("POST", "/stubs", {"reply": "late"})[0] == 400  # the other takes all
    assert caller.control("DELETE", "/stubs") == (204, None)
    assert caller.control("GET", "/stubs") == (200, {"stubs": []})
    status, body = caller.control("DELETE", "/stubs/7")
    assert (status, body["error"]["type"]) == (404, "NoSuchStub")


def test_a_stub_that_cannot_be_is_told_and_nothing_changes(caller):
    """A typo in another language gets the help that Python gets."""
    caller.control("POST", "/stubs", {"reply": "one"})
    status, body = caller.control("POST", "/stubs", {"when": {"modle": "x"}, "reply": "two"})
    assert status == 400
    assert body["error"]["type"] == "BrokenScenario"
    assert body["error"]["message"].endswith("'modle' is not a key here; did you mean 'model'?")
    assert caller.control("POST", "/stubs", {"reply": {"finish": 1}})[0] == 400
    assert len(caller.control("GET", "/stubs")[1]["stubs"]) == 1
    for body in (b"", b"[]", b"{"):
        assert caller.send("POST", "/_mockchat/stubs", body).status == 400
    status, body = caller.control("POST", "/stubs", {"reply": "x"}, content_type="text/plain")
    assert (status, body["error"]["message"]) == (
        415,
        "The content type is 'text/plain'. Send application/json.",
    )


SCENARIO = b"""\
seed: 5
unmatched: fail
stubs:
  - when: {last_text: Hello!}
    reply: from the scenario
"""


def test_a_scenario_takes_the_place_of_what_was_there(caller):
    """One request puts the server into a known state."""
    caller.control("POST", "/stubs", {"reply": "one"})
    delivery = caller.send("PUT", "/_mockchat/scenario", SCENARIO, content_type="application/yaml")
    assert delivery.status == 200
    (stub,) = json.loads(delivery.body)["stubs"]
    assert stub["name"] == "stub 1 (request.yaml:4)"
    assert caller.said() == "from the scenario"
    assert caller.said().startswith("POST /v1/chat/completions matched none of 1 stub.")
    settings = caller.control("GET", "/settings")[1]
    assert (settings["seed"], settings["unmatched"]) == (5, "fail")
    broken = caller.send("PUT", "/_mockchat/scenario", b"stubs: 1", content_type="text/yaml")
    assert broken.status == 400
    assert "request.yaml:1:8" in json.loads(broken.body)["error"]["message"]
    assert caller.control("GET", "/settings")[1] == settings


def test_settings_change_while_stubs_and_counts_stay(caller):
    """Another seed or locale needs no new server."""
    caller.control("POST", "/stubs", {"reply": "one", "then": "two"})
    assert caller.said() == "one"
    status, settings = caller.control("PATCH", "/settings", {"seed": 7, "unmatched": "fail"})
    assert (status, settings["seed"], settings["unmatched"]) == (200, 7, "fail")
    assert settings["profile"] == "openai"
    assert caller.said() == "two"
    assert "stub" in caller.said()
    for change in ({"sede": 7}, {"seed": "7"}, {"kind": "odd"}, {"locale": "xx_XX"}):
        status, body = caller.control("PATCH", "/settings", change)
        assert status == 400, change
        assert body["error"]["message"]
    assert caller.control("GET", "/settings")[1] == settings


def test_the_journal_is_read_filtered_and_cleared(caller):
    """What a client sent can be asserted from any language."""
    caller.control("PATCH", "/settings", {"unmatched": "fail"})
    caller.control("POST", "/stubs", {"when": {"model": "gpt-4o-mini"}, "reply": "one"})
    caller.said()
    caller.said({**HELLO, "model": "gpt-4o"})
    status, body = caller.control("GET", "/journal")
    assert status == 200
    assert [one["status"] for one in body["exchanges"]] == [200, 400]
    assert body["next"] == 1
    assert body["exchanges"][0]["request"] == HELLO
    assert body["exchanges"][0]["stub"] == "stub 1 (request.json:1)"

    def indexes(query):
        return [one["index"] for one in caller.control("GET", f"/journal?{query}")[1]["exchanges"]]

    assert indexes("after=0") == [1]
    assert indexes("limit=1") == [1]
    assert indexes("model=gpt-4o-mini") == [0]
    assert indexes("status=400") == [1]
    assert indexes("unmatched=true") == [1]
    assert indexes("unmatched=false&after=-1") == [0]
    assert caller.control("GET", "/journal?after=9")[1] == {"exchanges": [], "next": 9}
    for query in ("aftre=1", "after=x", "seconds=1000", "seconds=x", "unmatched=maybe"):
        assert caller.control("GET", f"/journal?{query}")[0] == 400, query
    assert caller.control("DELETE", "/journal") == (204, None)
    assert caller.control("GET", "/journal")[1]["exchanges"] == []
    caller.said()
    assert indexes("") == [2]


def test_only_what_is_asked_for_of_the_journal_is_written(caller, monkeypatch):
    """The last of a thousand exchanges costs what one does, and a wait writes none of them."""
    written = []

    def counted(exchange, *, epoch):
        written.append(exchange.index)
        return as_json(exchange, epoch=epoch)

    monkeypatch.setattr(operations, "as_json", counted)
    for _ in range(5):
        caller.said()
    for query in ("limit=2", "after=2", "status=500", "after=3&count=9&seconds=0.01"):
        caller.control("GET", f"/journal?{query}")
    assert written == [3, 4, 3, 4, 4, 4]


def test_waiting_ends_when_enough_is_there_or_time_is_up(caller):
    """A test waits for what its client does on its own, without polling."""
    caller.said()
    status, body = caller.control("GET", "/journal?count=1&seconds=60")
    assert (status, len(body["exchanges"])) == (200, 1)
    status, body = caller.control("GET", "/journal?count=2&seconds=0.01")
    assert (status, len(body["exchanges"])) == (200, 1)


def test_exchanges_are_exported(caller):
    """Other tools read lines and archives."""
    caller.said()
    lines = caller.send("GET", "/_mockchat/journal.jsonl")
    assert dict(lines.headers)["content-type"] == "application/jsonl; charset=utf-8"
    (line,) = map(json.loads, lines.body.splitlines())
    assert line["request"] == HELLO
    status, har = caller.control("GET", "/journal.har")
    (entry,) = har["log"]["entries"]
    assert status == 200
    assert entry["request"]["url"] == "http://127.0.0.1:4010/v1/chat/completions"
    assert json.loads(entry["request"]["postData"]["text"]) == HELLO
    assert entry["response"]["status"] == 200


def test_the_verdict_tells_what_would_fail_a_test(caller):
    """A client in another language gets what the fixture's teardown says."""
    assert caller.control("GET", "/verdict") == (200, {"problems": []})
    caller.control("PATCH", "/settings", {"unmatched": "fail"})
    caller.control("POST", "/stubs", {"when": {"model": "other"}, "reply": "one"})
    caller.said()
    types = [one["type"] for one in caller.control("GET", "/verdict")[1]["problems"]]
    assert types == ["NoStubMatched", "UnusedReply"]


def test_reset_begins_anew(tmp_path):
    """Each test starts where the files say."""
    file = tmp_path / "scenario.yaml"
    file.write_text("stubs:\n  - reply: one\n")
    caller = Caller(steered(file))
    assert caller.said() == "one"
    assert caller.said() != "one"
    caller.control("POST", "/stubs", {"reply": "two"})
    assert caller.control("POST", "/reset") == (204, None)
    assert caller.control("GET", "/journal")[1]["exchanges"] == []
    assert [stub["left"] for stub in caller.control("GET", "/stubs")[1]["stubs"]] == [1]
    assert caller.said() == "one"
    file.write_text("stubs:\n  - reply: edited\n    then: twice\n")
    assert caller.said() == "edited"
    assert len(caller.control("GET", "/journal")[1]["exchanges"]) == 2  # the journal goes on


def test_sessions_do_not_meet(tmp_path):
    """Tests that run at once each have the scenario for themselves."""
    file = tmp_path / "scenario.yaml"
    file.write_text("stubs:\n  - reply: one\n    then: two\n")
    app = steered(file)
    mine, yours, everybody = Caller(app, "mine"), Caller(app, "yours"), Caller(app)
    mine.control("POST", "/stubs", {"reply": "three"})
    assert [mine.said(), yours.said(), mine.said(), everybody.said()] == [
        "one",
        "one",
        "two",
        "one",
    ]
    assert mine.said() == "three"
    assert len(mine.control("GET", "/journal")[1]["exchanges"]) == 3
    assert len(yours.control("GET", "/stubs")[1]["stubs"]) == 1
    yours.control("POST", "/reset")
    assert len(mine.control("GET", "/journal")[1]["exchanges"]) == 3
    refused = Caller(app, "no name")
    told = "the header x-mockchat-session is 'no name'; allowed: 1 to 64 letters"
    assert refused.said().startswith(told)
    assert refused.control("GET", "/stubs")[0] == 400


def test_the_sessions_unused_for_longest_make_room():
    """A suite that names a session for each test must not fill the memory."""
    app = steered(most=2)
    for name in ("a", "b", "a", "c"):
        Caller(app, name).control("POST", "/stubs", {"reply": name})
    assert len(Caller(app, "a").control("GET", "/stubs")[1]["stubs"]) == 2
    assert Caller(app, "b").control("GET", "/stubs")[1]["stubs"] == []


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"host": "localhost:4010"}, 200),
        ({"host": "[::1]:4010"}, 200),
        ({"host": "LOCALHOST."}, 200),
        ({"host": "mock.test:4010"}, 200),
        ({"host": "evil.example:4010"}, 403),
        ({"host": ""}, 403),
        ({"host": "["}, 403),
        ({"origin": "http://127.0.0.1:4010", "sec-fetch-site": "same-origin"}, 200),
        ({"origin": "http://127.0.0.1:9999"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "none"}, 200),
    ],
)
def test_pages_of_others_are_kept_out(fields, status):
    """A web page that its developer visits must not read what tests send, nor change it."""
    app = steered(guard=Guard(hosts=("Mock.test",)))
    assert Caller(app, **fields).control("GET", "/journal")[0] == status
    assert Caller(app, **fields).control("GET", "/health")[0] == status


def test_the_key_is_asked_for_where_one_is_set():
    """A server that others can reach is steered by its owner alone; a probe needs no key."""
    app = steered(guard=Guard(key="sk-control"))
    assert Caller(app).control("GET", "/journal")[0] == 401
    assert Caller(app).control("GET", "/nothing")[0] == 401
    assert Caller(app, authorization="Bearer wrong").control("GET", "/journal")[0] == 401
    assert Caller(app, authorization="Basic sk-control").control("GET", "/journal")[0] == 401
    assert Caller(app, authorization="bearer sk-control").control("GET", "/journal")[0] == 200
    assert Caller(app).control("GET", "/ready")[0] == 200
    delivery = Caller(app).send("GET", "/_mockchat/journal")
    assert dict(delivery.headers)["www-authenticate"] == "Bearer"
    assert "sk-control" not in repr(Guard(key="sk-control"))
    assert "sk-control" not in delivery.body.decode()


def test_paths_and_methods_that_are_not_there_are_told(caller):
    """A typo in a path is seen at once; the API's own paths never lead here."""
    status, body = caller.control("GET", "/jurnal")
    assert (status, body["error"]["message"]) == (404, "there is no /_mockchat/jurnal")
    assert caller.send("PUT", "/_mockchat").status == 404
    delivery = caller.send("PUT", "/_mockchat/journal")
    assert (delivery.status, dict(delivery.headers)["allow"]) == (405, "GET, HEAD, DELETE, OPTIONS")
    assert caller.send("OPTIONS", "/_mockchat/journal").status == 204
    for path in ("/v1/_mockchat/journal", "/v1/../_mockchat/journal", "/%5fmockchat/journal"):
        delivery = caller.send("GET", path)
        assert delivery.status == 404
        assert json.loads(delivery.body)["error"]["type"] == "invalid_request_error"


def test_an_error_of_ours_is_answered_without_a_traceback(caller, monkeypatch, caplog):
    """The client is told where to look; the log has it."""
    monkeypatch.setitem(OPERATIONS, "listStubs", lambda asked: 1 / 0)
    status, body = caller.control("GET", "/stubs")
    told = {"type": "MockchatError", "message": "The server failed to answer; its log says why."}
    assert (status, body) == (500, {"error": told})
    assert "could not be answered" in caplog.text


def test_options_of_the_server_as_a_whole(caller):
    """A probe asks for `*`, which is no path of any session."""
    delivery = caller.send("OPTIONS", "*")
    assert (delivery.status, "POST" in dict(delivery.headers)["allow"]) == (204, True)
    assert caller.control("GET", "/journal")[1]["exchanges"][0]["path"] == "*"


def test_an_adapter_knows_what_takes_time(caller):
    """Waiting must not stop an event loop."""
    blocking = [
        caller.app.may_block(Incoming(method="GET", path=path, headers=headers))
        for path, headers in [
            ("/_mockchat/journal", ()),
            ("/v1/models", (("x-mockchat-session", "a"),)),
            ("/v1/models", ()),
        ]
    ]
    assert blocking == [True, True, False]
    assert caller.app.body_limit == Settings().body_limit


def test_workers_are_steered_as_one(redis_store, tmp_path):
    """Whichever worker the control request meets, all of them know, in one order."""
    file = tmp_path / "scenario.yaml"
    file.write_text("stubs:\n  - reply: one\n")
    first, second = (
        Caller(steered(file, state=SharedState(redis_store.url)), "mine") for _ in range(2)
    )
    assert first.said() == "one"
    first.control("POST", "/stubs", {"reply": "two"})
    second.control("POST", "/stubs", {"reply": "three"})
    assert [second.said(), first.said()] == ["two", "three"]
    exchanges = first.control("GET", "/journal?count=3&seconds=60")[1]["exchanges"]
    replies = [one["body"]["choices"][0]["message"]["content"] for one in exchanges]
    assert replies == ["one", "two", "three"]
    assert len(second.control("GET", "/journal?count=4&seconds=0.1")[1]["exchanges"]) == 3
    names = [stub["name"] for stub in second.control("GET", "/stubs")[1]["stubs"]]
    assert names == [
        "stub 1 (scenario.yaml:2)",
        "stub 2 (request.json:1)",
        "stub 3 (request.json:1)",
    ]
    assert second.control("POST", "/stubs", {"reply": {"finish": 1}})[0] == 400
    second.control("POST", "/reset")
    assert first.control("GET", "/journal")[1]["exchanges"] == []
    assert first.said() == "one"
    redis_store.stop()
    status, body = first.control("GET", "/stubs")
    assert (status, body["error"]["type"]) == (503, "StateLost")
    assert "cannot be used" in first.said()
    assert "cannot be used" in Caller(first.app, "never seen").said()


def test_readiness_is_that_of_what_is_shared(redis_store):
    """A worker without its store takes no traffic."""
    state = SharedState(redis_store.url)
    make = partial(_session, (), {"state": state})
    sessions = Sessions(make, make(""))
    caller = Caller(SteeredApp(sessions, Guard(), ready=state.check))
    assert caller.control("GET", "/ready")[0] == 200
    redis_store.stop()
    assert caller.control("GET", "/ready")[0] == 503
    assert caller.control("GET", "/health")[0] == 200


def test_few_requests_wait_for_the_journal_at_once():
    """Each holds a thread: whoever asks in vain must not hold up the answers of the others."""
    app, answers = steered(), queue.SimpleQueue()

    def wait():
        answers.put(Caller(app).control("GET", "/journal?count=1&seconds=60"))

    threads = [threading.Thread(target=wait) for _ in range(MOST_WAITING + 1)]
    for thread in threads:
        thread.start()
    status, body = answers.get(timeout=30)
    assert (status, body["error"]["type"]) == (503, "TooManyWait")
    assert Caller(app).control("GET", "/journal?count=1")[0] == 200
    Caller(app).said()
    assert [answers.get(timeout=30)[0] for _ in range(MOST_WAITING)] == [200] * MOST_WAITING
    for thread in threads:
        thread.join()


def test_the_journals_of_all_sessions_are_bounded_together():
    """Whoever reaches the port can name sessions: a thousand of them must not take all memory."""
    joint = JointMemory(200_000)
    make = partial(_session, (), {"joint": joint})
    app = SteeredApp(Sessions(make, _session((), {}, ""), joint=joint), Guard())
    everybody, callers = Caller(app), [Caller(app, f"s{number}") for number in range(20)]
    everybody.said()
    callers[0].control("POST", "/stubs", {"reply": "still here", "forever": True})
    for caller in callers:
        for _ in range(5):
            caller.said()
    kept = [len(caller.control("GET", "/journal")[1]["exchanges"]) for caller in callers]
    assert kept == sorted(kept)
    assert kept[0] == 0
    assert kept[-1] == 5
    assert not joint.is_full
    assert len(everybody.control("GET", "/journal")[1]["exchanges"]) == 1
    assert callers[0].said() == "still here"
