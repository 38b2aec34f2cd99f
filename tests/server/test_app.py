"""From a request to a delivery without a socket: the journey, mode by mode."""

import json
import re
import subprocess
import sys
from dataclasses import replace

import pytest

from mockchat import errors
from mockchat.contract.contract import contract_for
from mockchat.errors import BadArgument
from mockchat.exchange import Delivery, Ending, Exchange, Incoming, Outcome, Write, header
from mockchat.payloads.chunking import chunks_of, join
from mockchat.scripting.builders import error, unchecked
from mockchat.scripting.failures import InvalidReply, ServerFailed
from mockchat.scripting.faults import FaultMissed
from mockchat.scripting.faults_connection import CutStream
from mockchat.scripting.faults_timing import Pacing
from mockchat.scripting.script import Script
from mockchat.scripting.scripts import Scripts
from mockchat.server.app import App
from mockchat.server.settings import Settings
from mockchat.server.wire import SseDecoder

CHAT = "/v1/chat/completions"
HI = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
CONTRACT = contract_for()


def app_of(scripts=None, **settings):
    """Make an app of its own, so that tests share no state."""
    return App(Settings(**settings), scripts or Scripts())


def ask(  # noqa: PLR0913 - all but four by keyword
    app, method="POST", path=CHAT, body=None, *, query="", outcome=Outcome.DELIVERED, **headers
):
    """Hand a request to an app, and say at once that its answer was delivered."""
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    ticket = app.handle(Incoming(method=method, path=path, query=query, headers=fields, body=data))
    if outcome is not Outcome.PENDING:
        ticket.finish(outcome)  # a read of the journal waits for what is under way
    return ticket


def answer(app, *args, **options):
    """Return status and decoded body."""
    delivery = ask(app, *args, **options).delivery
    return delivery.status, json.loads(delivery.body)


def events(delivery):
    """Return the data of a stream's events."""
    decoder = SseDecoder()
    return [event.data for event in (*decoder.feed(delivery.body), *decoder.finish())]


# --- completions ---------------------------------------------------------------------------------


def test_a_completion_is_one_write_of_pretty_json():
    """Status, content type and body as recorded; framing is the adapter's."""
    delivery = ask(app_of(), body=HI).delivery
    completion = json.loads(delivery.body)

    assert (delivery.status, delivery.is_stream, len(delivery.writes)) == (200, False, 1)
    assert header(delivery.headers, "content-type") == "application/json"
    assert delivery.body == (json.dumps(completion, indent=2, ensure_ascii=False) + "\n").encode()
    assert CONTRACT.violations("response", completion) == ()
    assert re.fullmatch("req_[0-9a-f]{32}", header(delivery.headers, "x-request-id"))
    assert header(delivery.headers, "x-ratelimit-remaining-requests") == "9999"


def test_a_stream_is_one_write_for_each_event():
    """Chunks obey the stream rules, join to a completion, and end with [DONE]."""
    delivery = ask(app_of(), body={**HI, "stream": True}).delivery
    *chunks, done = events(delivery)
    judge = CONTRACT.stream_judge(request=HI)
    found = [violation for chunk in chunks for violation in judge.feed(json.loads(chunk))]

    assert (delivery.status, delivery.is_stream) == (200, True)
    assert header(delivery.headers, "content-type") == "text/event-stream; charset=utf-8"
    assert len(delivery.writes) == len(chunks) + 1
    assert done == "[DONE]"
    assert [*found, *judge.feed("[DONE]"), *judge.finish()] == []
    assert "usage" not in json.loads(chunks[0])


def test_a_stream_says_what_the_json_reply_says():
    """`stream` changes how an answer travels, so the same parts must come out whole."""
    options = {"include_usage": True, "include_obfuscation": False}
    body = {**HI, "stream": True, "stream_options": options}
    *chunks, _ = map(str, events(ask(app_of(), body=body).delivery))
    decoded = [json.loads(chunk) for chunk in chunks]
    completion = join(decoded)
    assert CONTRACT.violations("response", completion) == ()
    assert completion["usage"]["total_tokens"] > 0
    assert not any("obfuscation" in chunk for chunk in decoded)


def test_padding_is_on_unless_refused():
    """Recorded streams carry obfuscation by default."""
    *chunks, _ = events(ask(app_of(), body={**HI, "stream": True}).delivery)
    assert all("obfuscation" in json.loads(chunk) for chunk in chunks)


def test_the_same_request_gets_the_same_bytes():
    """The purity law: seed, profile, settings, method, path, body, and nothing else."""
    bodies = [HI, {**HI, "stream": True}]
    first, second = (
        [ask(app, body=body).delivery.body for body in bodies] for app in (app_of(), app_of())
    )
    assert first == second
    app = app_of()
    spelled = json.dumps(dict(reversed(HI.items())), indent=4).encode()
    again = [ask(app, body=spelled, x_more="header").delivery.body for _ in range(2)]
    assert again == [first[0]] * 2
    assert ask(app_of(seed=1), body=HI).delivery.body != first[0]
    assert ask(app_of(kind="wild"), body=HI).delivery.body != first[0]
    assert ask(app_of(locale="de_DE"), body=HI).delivery.body != first[0]


PROCESS = """
import json
from mockchat.exchange import Incoming
from mockchat.scripting.scripts import Scripts
from mockchat.server.app import App
from mockchat.server.settings import Settings
body = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}).encode()
incoming = Incoming(method="POST", path="/v1/chat/completions", body=body)
print(App(Settings(), Scripts()).handle(incoming).delivery.body.decode())
"""


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_another_process_answers_the_same(hash_seed):
    """Replicas behind a balancer share nothing and must agree."""
    printed = subprocess.run(
        [sys.executable, "-c", PROCESS],
        env={"PYTHONHASHSEED": hash_seed, "PATH": ""},
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    assert json.loads(printed) == answer(app_of(), body=HI)[1]


def test_repeats_vary_where_asked():
    """With `vary_repeats` a retry may meet another reply; the series is the same every time."""
    series = [
        [ask(app, body=HI).delivery.body for _ in range(3)]
        for app in (app_of(vary_repeats=True), app_of(vary_repeats=True))
    ]
    assert series[0] == series[1]
    assert len(set(series[0])) == 3


def test_a_schema_nothing_can_satisfy_is_refused_with_the_reason():
    """The service cannot answer such a request either; a 500 would hide whose mistake it is."""
    tool = {
        "name": "f",
        "parameters": {"type": "object", "required": ["a"], "properties": {"a": False}},
    }
    body = {**HI, "tools": [{"type": "function", "function": tool}], "tool_choice": "required"}
    status, body = answer(app_of(validation="off"), body=body)
    assert status == 400
    assert body["error"]["code"] == "mockchat_impossible_schema"
    assert body["error"]["message"].startswith("mockchat can make no value for a schema of this")


# --- validation ----------------------------------------------------------------------------------

WRONG_TYPE = {**HI, "temperature": "hot"}
WRONG_RULE = {**HI, "tool_choice": "auto"}


@pytest.mark.parametrize(
    ("validation", "body", "status", "rules"),
    [
        ("strict", WRONG_TYPE, 400, ["schema.type"]),
        ("strict", WRONG_RULE, 400, ["request.tool-choice-needs-tools"]),
        ("schema", WRONG_TYPE, 400, ["schema.type"]),
        ("schema", WRONG_RULE, 200, []),
        ("warn", WRONG_TYPE, 200, ["schema.type"]),
        ("warn", WRONG_RULE, 200, ["request.tool-choice-needs-tools"]),
        ("off", WRONG_TYPE, 200, []),
        ("off", {}, 200, []),
        ("off", [], 400, ["schema.type"]),
        ("warn", "x", 400, ["schema.type"]),
    ],
)
def test_each_validation_asks_what_it_says(validation, body, status, rules):
    """strict: schemas and rules; schema: schemas; warn: recorded only; off: an object, no more."""
    scripts = Scripts()
    script = Script(unmatched="generate", unused="ignore")
    scripts.open(script)
    delivery = ask(app_of(scripts, validation=validation), body=body).delivery
    assert delivery.status == status
    assert [violation.rule for violation in script.journal[0].violations] == rules


def test_warnings_are_logged(caplog):
    """`warn` that nobody sees would be `off`."""
    ask(app_of(validation="warn"), body=WRONG_TYPE)
    assert "request breaks the contract: /temperature: 'hot' is not of type" in caplog.text


def test_unknown_models_are_answered_unless_known_ones_are_asked_for():
    """`any` is for names of tomorrow, `known` for finding typing mistakes."""
    body = {**HI, "model": "gpt-40"}
    assert answer(app_of(), body=body)[1]["model"] == "gpt-40"
    assert answer(app_of(models="known"), body=body) == (
        404,
        {
            "error": {
                "message": "The model `gpt-40` does not exist or you do not have access to it.",
                "type": "invalid_request_error",
                "param": None,
                "code": "model_not_found",
            }
        },
    )


@pytest.mark.parametrize(
    "media_type", ["application/json", "Application/JSON; charset=utf-8", "application/vnd.x+json"]
)
def test_json_types_are_json(media_type):
    """Parameters, case and structured suffixes do not make it something else."""
    assert answer(app_of(), body=HI, content_type=media_type)[0] == 200


@pytest.mark.parametrize("validation", ["strict", "schema"])
@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonp"]
)
def test_another_type_hides_the_body(validation, media_type):
    """The service then sees no members and asks for a model: curl without -H meets this."""
    status, body = answer(app_of(validation=validation), body=HI, content_type=media_type)
    assert (status, body["error"]["message"]) == (400, "you must provide a model parameter")
    assert answer(app_of(validation="warn"), body=HI, content_type=media_type)[0] == 200


def test_repeated_keys_are_noted_not_refused():
    """JSON parsers take the last; the journal tells whoever looks."""
    scripts = Scripts()
    script = Script(unmatched="generate", unused="ignore")
    scripts.open(script)
    data = json.dumps(HI)[:-1].encode() + b', "n": 1, "n": 2}'
    assert len(answer(app_of(scripts), body=data)[1]["choices"]) == 2
    (note,) = script.journal[0].violations
    assert (note.rule, note.is_note) == ("wire.duplicate-key", True)
    assert note.message == "repeated, the last one counts: 'n'"


# --- models --------------------------------------------------------------------------------------


def test_models_are_those_of_the_profile():
    """Lists and entries are valid by their documents; dated names are entries too."""
    status, listed = answer(app_of(), "GET", "/v1/models")
    assert (status, CONTRACT.violations("model-list", listed)) == (200, ())
    assert {"gpt-4o", "gpt-4o-2024-08-06"} <= {model["id"] for model in listed["data"]}
    for model in listed["data"]:
        assert answer(app_of(models="known"), "GET", f"/v1/models/{model['id']}") == (200, model)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_any_model_can_be_retrieved_and_deleted_unless_known_ones_are_asked_for(method):
    """The SDK's own tests ask for invented names; `known` answers with the API's 404."""
    document = "model" if method == "GET" else "model-deleted"
    status, model = answer(app_of(), method, "/v1/models/my/model%201")
    assert (status, model["id"]) == (200, "my/model 1")
    assert CONTRACT.violations(document, model) == ()
    status, body = answer(app_of(models="known"), method, "/v1/models/x")
    assert (status, body["error"]["code"]) == (404, "model_not_found")


# --- stored completions --------------------------------------------------------------------------


def test_a_stored_completion_lives_until_it_is_deleted():
    """Create with `store`, then every operation on it: what the SDK's pages show."""
    app = app_of()
    kept = {**HI, "store": True, "metadata": {"k": "v"}}
    first = answer(app, body=kept)[1]
    other = answer(app, body={**kept, "metadata": {"k": "w"}, "seed": 1})[1]
    answer(app, body={**HI, "store": False})
    path = f"{CHAT}/{first['id']}"
    expected = {**first, "metadata": {"k": "v"}}

    assert answer(app, "GET", path) == (200, expected)
    assert answer(app, "GET", query="metadata[k]=v&model=gpt-4o")[1]["data"] == [expected]
    both = answer(app, "GET", query="limit=1&order=desc")[1]
    assert both["has_more"] is True
    rest = answer(app, "GET", query=f"limit=1&order=desc&after={both['last_id']}")[1]
    assert {both["first_id"], rest["first_id"]} == {first["id"], other["id"]}
    assert CONTRACT.violations("stored-list", both) == ()

    messages = answer(app, "GET", f"{path}/messages")[1]
    assert CONTRACT.violations("stored-messages", messages) == ()
    assert [(message["id"], message["content"]) for message in messages["data"]] == [
        (f"{first['id']}-0", "hi")
    ]

    changed = {**first, "metadata": {"l": "x"}}
    assert answer(app, path=path, body={"metadata": {"l": "x"}}) == (200, changed)
    assert answer(app, "GET", path) == (200, changed)
    assert answer(app, "DELETE", path) == (
        200,
        {"object": "chat.completion.deleted", "id": first["id"], "deleted": True},
    )
    assert answer(app, "GET", path)[0] == 404


def test_a_streamed_completion_is_stored_whole():
    """`store` with `stream`: what is kept is the completion, not its chunks."""
    app = app_of()
    *chunks, _ = events(ask(app, body={**HI, "stream": True, "store": True}).delivery)
    id_ = json.loads(chunks[0])["id"]
    status, completion = answer(app, "GET", f"{CHAT}/{id_}")
    assert (status, completion["object"]) == (200, "chat.completion")
    assert CONTRACT.violations("response", completion) == ()


STORED = [
    ("GET", "", None, "response"),
    ("POST", "", {"metadata": {"a": "b"}}, "response"),
    ("DELETE", "", None, "stored-deleted"),
    ("GET", "/messages", None, "stored-messages"),
]


@pytest.mark.parametrize(("method", "suffix", "body", "document"), STORED)
def test_an_unknown_id_is_made_up_unless_strict(method, suffix, body, document):
    """Under `schema` clients' tests need not store first; under `strict` it is the API's 404."""
    path = f"{CHAT}/chatcmpl-x{suffix}"
    status, made = answer(app_of(validation="schema"), method, path, body)
    assert (status, CONTRACT.violations(document, made)) == (200, ())
    assert made.get("id", "chatcmpl-x") == "chatcmpl-x"
    assert answer(app_of(validation="schema"), method, path, body) == (200, made)
    assert answer(app_of(), method, path, body) == (
        404,
        {
            "error": {
                "message": "No chat completion found with id 'chatcmpl-x'.",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
    )


@pytest.mark.parametrize(
    ("query", "param", "code"),
    [
        ("limit=-1", "limit", "integer_below_min_value"),
        ("limit=x", "limit", "invalid_type"),
        ("limit=", "limit", "invalid_type"),
        ("limit=1.0", "limit", "invalid_type"),
        ("limit=%D9%A1", "limit", "invalid_type"),
        ("order=up", "order", "invalid_value"),
        ("metadata=x", "metadata", "invalid_type"),
        (f"metadata[k]={'x' * 513}", "metadata.k", "string_above_max_length"),
        (f"metadata[[k]]={'x' * 513}", "metadata.[k]", "string_above_max_length"),
    ],
)
def test_query_parameters_are_judged_by_their_schemas(query, param, code):
    """A wrong value is the API's 400; without validation it counts as left out."""
    status, body = answer(app_of(), "GET", query=query)
    assert (status, body["error"]["param"], body["error"]["code"]) == (400, param, code)
    assert answer(app_of(validation="off"), "GET", query=query)[0] == 200


@pytest.mark.parametrize(
    "query",
    [f"limit={10**299}&x=%ff&&=&metadata[]=", "limit=5&limit=1", "metadata=1&metadata[k]=v"],
)
def test_odd_queries_are_read(query):
    """The last repeated value counts, unknown names are ignored, nothing fails."""
    app = app_of(validation="off")
    for seed in range(3):
        answer(app, body={**HI, "store": True, "seed": seed})
    status, listed = answer(app, "GET", query=query)
    assert status == 200
    assert len(listed["data"]) <= 3


@pytest.mark.parametrize("body", [{}, {"metadata": 1}, {"metadata": {}, "x": 1}, [], b"{"])
def test_only_labels_can_be_updated(body):
    """The body of an update has a document of its own."""
    app = app_of()
    id_ = answer(app, body={**HI, "store": True})[1]["id"]
    assert answer(app, path=f"{CHAT}/{id_}", body=body)[0] == 400


# --- unknown paths and credentials ---------------------------------------------------------------


def test_unknown_paths_and_methods_have_the_apis_words():
    """404 names method and path; 405 hints, and lists the methods in `allow`."""
    assert answer(app_of(), "POST", "/v1/completions") == (
        404,
        {
            "error": {
                "message": "Invalid URL (POST /v1/completions)",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
    )
    delivery = ask(app_of(), "PUT", CHAT).delivery
    assert delivery.status == 405
    assert header(delivery.headers, "allow") == "GET, HEAD, POST, OPTIONS"
    assert json.loads(delivery.body)["error"]["message"].startswith(
        "Not allowed to PUT on /v1/chat/completions."
    )


KEY = "sk-proj-0123456789abcdef"


@pytest.mark.parametrize(
    ("authorization", "status", "code"),
    [
        (None, 401, None),
        ("Token x", 401, None),
        ("Bearer wrong", 401, "invalid_api_key"),
        (f"Bearer {KEY}", 200, None),
    ],
)
def test_keys_are_asked_for_where_there_are_any(authorization, status, code):
    """401 in the API's words; the key itself stands nowhere."""
    headers = {} if authorization is None else {"authorization": authorization}
    scripts = Scripts()
    script = Script(unmatched="generate", unused="ignore")
    scripts.open(script)
    app = app_of(scripts, api_keys=(KEY,))
    delivery = ask(app, body=HI, **headers).delivery
    assert delivery.status == status
    if status == 401:
        assert json.loads(delivery.body)["error"]["code"] == code
    assert KEY not in repr(script.journal[0])
    assert KEY not in repr(Settings(api_keys=(KEY,)))


def test_an_unknown_path_needs_no_key():
    """The route is looked for first: a wrong base URL is told even to who has no key."""
    assert answer(app_of(api_keys=(KEY,)), "GET", "/nothing")[0] == 404


@pytest.mark.parametrize(
    ("name", "value"), [("body_limit", 0), ("stored_limit", 0), ("api_keys", ("",))]
)
def test_settings_out_of_range_are_refused(name, value):
    """An empty key would let everybody in who sends an empty one."""
    with pytest.raises(BadArgument, match=name):
        Settings(**{name: value})


def test_a_body_over_the_limit_is_refused_by_the_app_too():
    """Adapters stop reading at the limit; one that reads first gets the same answer."""
    status, body = answer(app_of(body_limit=20), body=HI, content_length="77")
    assert (status, body["error"]["message"]) == (
        413,
        "The body of your request is too large: 77 bytes, where at most 20 are accepted.",
    )
    assert "over 20 bytes" in answer(app_of(body_limit=20), body=HI)[1]["error"]["message"]


# --- scripts -------------------------------------------------------------------------------------


@pytest.fixture
def opened():
    """Open a script on an app of its own."""
    scripts = Scripts()

    def open_script(**settings):
        options = {"unused": "ignore", "unmatched": settings.pop("unmatched", "fail")}
        script = Script(**options)
        token = scripts.open(script)
        return app_of(scripts, **settings), script, f"/{token}{CHAT}", lambda: scripts.close(token)

    return open_script


def test_a_scripted_reply_is_sent_and_journaled_before_it_leaves(opened):
    """The exchange is whole in the journal when `handle` returns; `finish` adds how it ended."""
    app, script, path, _ = opened()
    script.reply("Hello, world", plan=chunks_of(5))
    ticket = ask(
        app,
        path=path,
        body={**HI, "stream": True},
        authorization="Bearer sk-secret",
        outcome=Outcome.PENDING,
    )
    *chunks, _ = map(json.loads, [*events(ticket.delivery)[:-1], '"[DONE]"'])

    assert len(script.journal) == 1
    pending = script.journal._kept[0].exchange
    assert pending == Exchange(
        index=0,
        method="POST",
        path=CHAT,
        headers=(("authorization", "[redacted]"),),
        request={**HI, "stream": True},
        status=200,
        reply=join(chunks) | {"usage": pending.reply["usage"]},
        chunks=tuple(chunks),
        stub=pending.stub,
        delivery=ticket.delivery,
        received=pending.received,
        answered=pending.answered,
    )
    assert pending.answered >= pending.received
    assert pending.stub.startswith("stub 1 (")
    text = "".join(
        choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"]
    )
    assert text == "Hello, world"
    ticket.finish(Outcome.CLIENT_LEFT)
    ended = script.journal[0]
    assert ended == replace(pending, outcome=Outcome.CLIENT_LEFT, finished=ended.finished)


def test_scripted_errors_carry_status_body_and_headers(opened):
    """A scripted 429 is what the service sends: JSON even for a stream."""
    app, script, path, _ = opened()
    script.reply(error(429, retry_after=2))
    delivery = ask(app, path=path, body={**HI, "stream": True}).delivery
    assert (delivery.status, delivery.is_stream) == (429, False)
    assert header(delivery.headers, "retry-after") == "2"
    assert json.loads(delivery.body)["error"]["code"] == "rate_limit_exceeded"
    assert header(delivery.headers, "x-ratelimit-limit-requests") is None


def test_scripted_chunks_are_sent_as_they_are(opened):
    """What a test wrote by hand is not split again."""
    app, script, path, _ = opened()
    *chunks, _ = events(ask(app_of(), body={**HI, "stream": True}).delivery)
    written = [json.loads(chunk) for chunk in chunks]
    script.reply(written)
    assert events(ask(app, path=path, body={**HI, "stream": True}).delivery) == [*chunks, "[DONE]"]


def test_pacing_and_faults_shape_the_delivery(opened):
    """Delays stand on the writes, damage in the ending; the journal knows what was planned."""
    app, script, path, _ = opened()
    script.reply("a b c", pacing=Pacing(ttft=1.5, inter_token=0.5), fault=CutStream(after_chunks=2))
    delivery = ask(app, path=path, body={**HI, "stream": True}).delivery
    assert [write.delay for write in delivery.writes] == [1.5, 0.5]
    assert delivery.ending is Ending.CUT
    assert script.journal._kept[0].ending is Ending.CUT


def test_an_unmatched_request_is_told_and_not_retried(opened):
    """The client's error shows which stub came closest; the same text fails the test."""
    app, script, path, _ = opened()
    script.when(model="other").reply("x")
    delivery = ask(app, path=path, body=HI).delivery
    body = json.loads(delivery.body)["error"]
    assert (delivery.status, body["type"]) == (400, "mockchat_no_stub_matched")
    assert header(delivery.headers, "x-should-retry") == "false"
    assert body["message"].startswith("POST /v1/chat/completions matched none of 1 stub.")
    assert "model is 'gpt-4o', wanted 'other'" in script.journal._kept[0].mismatches[0]
    (problem,) = script.problems()
    assert str(problem) == body["message"]


def test_an_unmatched_request_is_generated_where_asked(opened):
    """`unmatched="generate"`: the journal says why no stub answered."""
    app, script, path, _ = opened(unmatched="generate")
    script.when(model="other").reply("x")
    assert ask(app, path=path, body=HI).delivery.status == 200
    assert len(script.journal._kept[0].mismatches) == 1
    assert script.problems() == ()


def test_a_late_request_is_refused_for_good(opened):
    """A request of a finished test must not eat the next test's replies."""
    app, _, path, close = opened()
    close()
    for ticket in (
        ask(app, path=path, body=HI),
        app.refuse(413, "", Incoming(method="POST", path=path)),
    ):
        assert ticket.delivery.status == 410
        assert header(ticket.delivery.headers, "x-should-retry") == "false"
        assert json.loads(ticket.delivery.body)["error"]["type"] == "mockchat_late_request"


def test_a_request_of_no_script_is_refused_where_scripts_must_answer():
    """With `unmatched="fail"` and no script open there is nobody to ask."""
    scripts = Scripts()
    app = app_of(scripts, unmatched="fail")
    assert ask(app, body=HI).delivery.status == 410
    assert len(scripts.late) == 1


@pytest.mark.parametrize(
    ("script_it", "raised"),
    [
        (lambda script: script.reply(lambda request: 1 / 0), ServerFailed),
        (lambda script: script.reply("x", fault=CutStream(after_chunks=99)), FaultMissed),
        (lambda script: script.reply(lambda request: {"id": "x"}), InvalidReply),
        (lambda script: script.reply(lambda request: object()), BadArgument),
        (lambda script: script.reply(lambda request: unchecked({"x": {1}})), BadArgument),
    ],
)
def test_what_a_scripted_reply_meets_is_charged_to_its_script(opened, script_it, raised):
    """A 500 alone would hide it behind the client's retries, and the journal has to show the cause."""
    app, script, path, _ = opened(validation="warn")
    script_it(script)
    body = {**HI, "stream": True, "temperature": 3}
    ticket = ask(app, path=path, body=body)
    ticket.finish(Outcome.DELIVERED)
    (problem,) = script.problems()
    assert type(problem) is raised
    (exchange,) = script.journal
    message = f"{raised.__name__}: {problem}"
    told = {"error": {"message": message, "type": "server_error", "param": None, "code": None}}
    assert (exchange.status, exchange.reply, exchange.chunks) == (500, told, ())
    assert (exchange.request, exchange.stub) == (body, script.stubs[0].name)
    assert [violation.pointer for violation in exchange.violations] == ["/temperature"]
    assert json.loads(ticket.delivery.body) == told
    assert header(ticket.delivery.headers, "x-should-retry") == "false"


def test_an_unchecked_object_is_one_event_of_a_stream(opened):
    """A body that is no completion is what a test of broken servers wants to send."""
    app, script, path, _ = opened()
    script.reply(unchecked({"error": {"message": "x"}}))
    delivery = ask(app, path=path, body={**HI, "stream": True}).delivery
    assert events(delivery) == ['{"error":{"message":"x"}}', "[DONE]"]


def test_without_a_script_every_exception_is_the_apis_500(monkeypatch, caplog, capfd):
    """The server stays alive, the client sees no traceback, the log has it for who asks."""
    caplog.set_level("DEBUG", "mockchat.server")

    def fail(*args, **kwargs):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("mockchat.server.chat.complete", fail)
    delivery = ask(app_of(), body=HI).delivery
    assert delivery.status == 500
    assert json.loads(delivery.body)["error"]["type"] == "server_error"
    assert b"secret" not in delivery.body
    assert "RuntimeError: secret detail" in caplog.text
    assert "Traceback" in caplog.text
    assert capfd.readouterr() == ("", "")


def test_what_an_adapter_refuses_has_the_apis_form_and_is_journaled(opened):
    """Framing errors and oversized bodies belong to the exchanges of a test like any other."""
    app, script, path, _ = opened()
    ticket = app.refuse(408, "too slow", Incoming(method="POST", path=path))
    assert ticket.delivery.status == 408
    assert json.loads(ticket.delivery.body) == {
        "error": {
            "message": "too slow",
            "type": "invalid_request_error",
            "param": None,
            "code": None,
        }
    }
    ticket.finish(Outcome.DELIVERED)
    assert [(exchange.status, exchange.path) for exchange in script.journal] == [(408, CHAT)]

    body = json.loads(app.refuse(501, "cannot").delivery.body)
    assert body["error"]["type"] == "server_error"
    app.refuse(410, "late", Incoming(method="POST", path=path)).finish(Outcome.DELIVERED)
    assert len(script.journal) == 1


def test_comments_of_a_profile_are_sent(monkeypatch):
    """Servers that send keep-alive comments send them before the first chunk."""
    app = app_of()
    style = replace(app._service.style, comments=("PROCESSING",), done=False)
    monkeypatch.setattr(app, "_service", replace(app._service, style=style))
    delivery = ask(app, body={**HI, "stream": True}).delivery
    assert delivery.writes[0] == Write(data=b": PROCESSING\n\n")
    assert "[DONE]" not in events(delivery)


def test_a_delivery_is_data():
    """No socket, no thread: equal answers are equal values."""
    assert Delivery(status=200) == Delivery(status=200)
    assert issubclass(BadArgument, errors.MockchatError)
