"""Files judged by the contract: every part of an exchange, nothing that is no chat completion."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockchat.conformance.kinds import UnreadableFile
from mockchat.conformance.offline import NOT_JSON, judge_file, records_of
from mockchat.contract.contract import contract_for

REQUEST = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello?"}]}
COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hi", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
}
CHUNK = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "gpt-4o-mini-2024-07-18",
    "system_fingerprint": None,
}
ERROR = {"error": {"message": "m", "type": "t", "param": None, "code": None}}
CHAT = "https://api.openai.com/v1/chat/completions"


def chunk(delta, finish_reason=None):
    """Return a chunk of one choice."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return CHUNK | {"choices": [choice]}


def stream(*events):
    """Return a stream's text."""
    datas = [event if isinstance(event, str) else json.dumps(event) for event in events]
    return "".join(f"data: {data}\n\n" for data in datas)


WHOLE = stream(
    chunk({"role": "assistant", "content": "", "refusal": None}),
    chunk({"content": "Hi"}),
    chunk({}, "stop"),
    "[DONE]",
)


def exchange(**members):
    """Return a recorded exchange that conforms, with these members instead."""
    whole = {
        "path": "/v1/chat/completions",
        "request": REQUEST,
        "status": 200,
        "content_type": "application/json",
        "body": COMPLETION,
    }
    return whole | members


def lines(*exchanges):
    """Return the bytes of a file of exchanges."""
    return "".join(f"{json.dumps(each)}\n" for each in exchanges).encode()


def archive(*entries):
    """Return the bytes of a HAR."""
    return json.dumps({"log": {"version": "1.2", "entries": list(entries)}}).encode()


def entry(body, *, request=REQUEST, url=CHAT, status=200, kind="application/json"):
    """Return an entry of a HAR."""
    return {
        "request": {
            "method": "POST",
            "url": url,
            "postData": {"mimeType": "application/json", "text": json.dumps(request)},
        },
        "response": {
            "status": status,
            "headers": [{"name": "Server", "value": "x"}, {"name": "Content-Type", "value": kind}],
            "content": {"mimeType": "x-other", "text": body},
        },
    }


def verdict(data, kind, profile="openai", level="observed"):
    """Judge a file's content."""
    return judge_file(contract_for(profile), data, kind, level=level)


def found(data, kind, **options):
    """Return place, part, pointer and rule of every violation that counts."""
    return [
        (each.place, each.part, each.violation.pointer, each.violation.rule)
        for each in verdict(data, kind, **options).judgements
        if not each.violation.is_note
    ]


@pytest.mark.parametrize(
    ("kind", "value", "broken", "fault"),
    [
        ("request", REQUEST, {"n": 0}, ("", "request", "/n", "schema.minimum")),
        ("response", COMPLETION, {"choices": 1}, ("", "response", "/choices", "schema.type")),
        ("chunk", chunk({}), {"id": 1}, ("", "chunk", "/id", "schema.type")),
        ("error", ERROR, {"error": ""}, ("", "error", "/error", "schema.type")),
    ],
)
def test_a_payload_is_judged_by_its_document(kind, value, broken, fault):
    """The part that is named decides which document the pointer leads into."""
    assert found(json.dumps(value).encode(), kind) == []
    assert found(json.dumps(value | broken).encode(), kind) == [fault]


def test_level_decides_what_counts():
    """At level observed it is a note, which fails nothing."""
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 9}
    data = json.dumps(COMPLETION | {"usage": usage}).encode()
    lenient, strict = (verdict(data, "response", level=each) for each in ("observed", "documented"))
    assert (lenient.violations, lenient.notes) == (0, 1)
    assert (strict.violations, strict.notes) == (1, 0)
    assert strict.judgements[0].violation.rule == "reply.usage-adds-up"


def test_exchange_rules_are_asked_where_both_halves_are_there():
    """A reply that is fine by itself may be no answer."""
    data = lines(exchange(), exchange(request=REQUEST | {"n": 2}), exchange(request=None))
    assert found(data, "exchanges") == [("2", "response", "/choices", "exchange.n")]
    assert verdict(data, "exchanges").records == 3


def test_status_decides_between_reply_and_error():
    """An error is no completion, and a completion no error."""
    data = lines(
        exchange(status=404, body=ERROR), exchange(status=404), exchange(status=404, body="no")
    )
    assert found(data, "exchanges") == [
        ("2", "error", "/error", "schema.required"),
        ("3", "error", "", NOT_JSON),
    ]


def test_stream_is_judged_in_its_bytes_and_in_its_events():
    """What the framing hides from one judge, the other sees; in the order of the events."""
    damaged = WHOLE.replace('"Hi"', "3").replace("data: [DONE]", "dada: x\n\ndata: [DONE]")
    assert found(WHOLE.encode(), "stream") == []
    assert found(damaged.encode(), "stream") == [
        ("", "stream", "/1/choices/0/delta/content", "schema.type"),
        ("", "stream", "/3", "stream.field"),
    ]


def test_an_event_that_is_no_object_is_a_violation():
    """Clients fail on it, and the judge must not."""
    data = stream("[1]", "{", chunk({"role": "assistant"}), chunk({}, "stop"), "[DONE]")
    rules = [("/0", "stream.event-object"), ("/1", "stream.data-json")]
    assert [each[2:] for each in found(data.encode(), "stream")] == rules


def test_a_stream_that_does_not_end_is_one_violation():
    """Bytes and events both lack [DONE]; a stray line after it is another matter."""
    assert [
        each[2:] for each in found(WHOLE.removesuffix("data: [DONE]\n\n").encode(), "stream")
    ] == [("/3", "stream.done-missing")]
    late = found((WHOLE + "data: {}\n\n").encode(), "stream")
    assert ("", "stream", "/4", "stream.ending") in late


def test_stream_of_an_exchange_is_judged_by_what_was_asked_and_by_its_type():
    """Counts that were asked for and did not come, a type that no client reads as a stream."""
    asked = REQUEST | {"stream": True, "stream_options": {"include_usage": True}}
    event_stream = "text/event-stream; charset=utf-8"
    ours = exchange(request=REQUEST | {"stream": True}, body=WHOLE, content_type=event_stream)
    data = lines(
        ours,
        ours | {"request": asked},
        ours | {"content_type": "text/event-stream; charset=latin-1"},
        ours | {"content_type": None},
        ours | {"content_type": "text/plain"},
        exchange(body="Hello"),
    )
    assert found(data, "exchanges") == [
        ("2", "stream", "/3", "stream.usage-missing"),
        ("3", "stream", "/0", "stream.content-type"),
        ("5", "stream", "/0", "stream.content-type"),
        ("6", "response", "", NOT_JSON),
    ]


def test_json_where_a_stream_was_asked_for_is_a_violation():
    """A client that waits for events gets none."""
    data = lines(exchange(request=REQUEST | {"stream": True}, content_type=None))
    assert found(data, "exchanges") == [("1", "stream", "/0", "stream.content-type")]


def test_a_request_that_is_no_object_is_judged_alone():
    """Nothing can be asked of its answer."""
    data = lines(exchange(request=[]), exchange(request=REQUEST | {"stream": True}, body=None))
    assert found(data, "exchanges") == [("1", "request", "", "schema.type")]


def test_what_is_no_chat_completion_is_passed_over():
    """A browser's archive holds everything else too."""
    data = lines(
        exchange(path="/v1/models", body=3),
        exchange(method="GET", body=3),
        exchange(path="/openai/deployments/x/chat/completions?api-version=1"),
        {"request": REQUEST, "body": COMPLETION},
    )
    judged = verdict(data, "exchanges")
    assert (judged.records, judged.passed_over, judged.judgements) == (2, 2, ())


def test_archive_is_read_entry_by_entry():
    """Encoded bodies, missing bodies and other sites' traffic are all ordinary."""
    encoded = entry(base64.b64encode(json.dumps(COMPLETION).encode()).decode())
    encoded["response"]["content"]["encoding"] = "base64"
    bare = entry("")
    del bare["request"]["postData"]
    untyped = entry(WHOLE)
    untyped["response"]["headers"] = []
    untyped["response"]["content"]["mimeType"] = ""
    data = archive(
        entry(json.dumps(COMPLETION), request=REQUEST | {"n": 2}),
        encoded,
        bare,
        untyped,
        entry("<html>", url="https://example.com/"),
        entry("{", status=500),
        entry("", status=0),
        entry(WHOLE, kind="text/event-stream", request=REQUEST | {"stream": True}),
    )
    judged = verdict(b"\xef\xbb\xbf" + data, "har")
    assert (judged.records, judged.passed_over) == (7, 1)
    assert found(data, "har") == [
        ("/log/entries/0", "response", "/choices", "exchange.n"),
        ("/log/entries/5", "error", "", NOT_JSON),
    ]


@pytest.mark.parametrize(
    ("data", "kind", "problem"),
    [
        (b"{", "request", "not JSON: Expecting property name enclosed in double quotes at line 1"),
        (b"", "exchanges", "it holds no exchange"),
        (b"3\n", "exchanges", "line 1 is no exchange: an object with `request` and `body`"),
        (
            lines(exchange()) + b'\n{"request": }\n',
            "exchanges",
            "not JSON: Expecting value at line 3, column 13",
        ),
        (
            lines(exchange()) + b'{"request": NaN}\n',
            "exchanges",
            "not JSON: NaN is not a JSON number in line 2",
        ),
        (lines(exchange(status="200")), "exchanges", "line 1 is no exchange: `status` is a number"),
        (lines(exchange(content_type=3)), "exchanges", "line 1 is no exchange: `status` is a numb"),
        (lines(exchange(path=3)), "exchanges", "line 1 is no exchange: `path` is not text"),
        (b"[]", "har", "no HAR: the array /log/entries is missing"),
        (b'{"log": []}', "har", "no HAR: the array /log/entries is missing"),
        (archive({}), "har", "no HAR: /log/entries/0 is malformed (KeyError: 'request')"),
        (archive(3), "har", "no HAR: /log/entries/0 is malformed (TypeError: "),
    ],
)
def test_what_cannot_be_read_is_refused_with_place_and_reason(data, kind, problem):
    """A traceback names our lines, the user needs theirs."""
    with pytest.raises(UnreadableFile) as refused:
        records_of(data, kind)
    assert str(refused.value).startswith(problem)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
MEMBERS = st.sampled_from(
    ["stream", "stream_options", "n", "stop", "tools", "tool_choice", "messages", "logprobs"]
)


@given(
    members=st.dictionaries(MEMBERS, JSON, max_size=3),
    reply=st.dictionaries(st.sampled_from(["choices", "usage", "id"]), JSON),
    events=st.lists(JSON, max_size=3),
)
def test_no_exchange_is_too_broken_to_be_judged(members, reply, events):
    """A judge that fails on a broken payload says nothing of it."""
    sent = stream(*(json.dumps(event) for event in events))
    judged = verdict(
        lines(
            exchange(request=REQUEST | members, body=COMPLETION | reply),
            exchange(request=REQUEST | members, body=sent, content_type="text/event-stream"),
        ),
        "exchanges",
    )
    assert judged.records == 2
