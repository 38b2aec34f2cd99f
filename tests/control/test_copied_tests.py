"""The live page's "as a test": what it writes is run, and passes as it stands."""

import json

from test_control_api import HELLO, Caller, steered

from mockchat.contract.profile import load_profile
from mockchat.server.control.as_test import as_test
from mockchat.server.settings import Settings

STREAMED = {**HELLO, "stream": True}
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
QUOTED = 'He said: "\\n{x}" \u2028 \x00 \'\'\' """'
CALL = {"tool_call": "f", "arguments": {"city": "Oslo"}}
CUT = {
    "reply": "Hello, world",
    "plan": {"chunks_of": 3},
    "fault": {"CutStream": {"after_chunks": 2}},
}
RESET = {**CUT, "fault": {"CutStream": {"after_chunks": 2, "reset": True}}}
BROKEN = {"reply": "Hi", "fault": {"MalformedJson": {"after_chunks": 1}}}

# Name, the stub that answers, the request; what the test says besides.
SCRIPTED = [
    ("text", {"reply": "Hi there"}, HELLO, ("mockchat.reply('Hi there')",)),
    ("stream", {"reply": "Hi there"}, STREAMED, ("mockchat.reply('Hi there')",)),
    ("quoted", {"reply": QUOTED}, STREAMED, ()),
    ("call", {"reply": CALL}, {**HELLO, "tools": TOOLS}, ("import tool_call", "tool_call('f'")),
    ("calls", {"reply": ["So:", CALL, CALL]}, {**STREAMED, "tools": TOOLS}, ("['So:', tool_call",)),
    ("two", {"reply": "Hi"}, {**HELLO, "n": 2}, ("unchecked(REPLY)", "REPLY = ")),
    ("length", {"reply": "Hi", "finish_reason": "length"}, HELLO, ("unchecked(REPLY)",)),
    ("error", {"reply": {"error": 503, "retry_after": 2}}, HELLO, ("error(503, message=",)),
    ("named", {"reply": {"error": "rate_limit_requests"}}, STREAMED, ("error(429, message=",)),
    ("cut", CUT, STREAMED, ("Verbatim(status=200", "ending='cut'", "status is None")),
    ("cut_whole", CUT, HELLO, ("Verbatim(", "status is None")),
    ("broken", BROKEN, STREAMED, ("Verbatim(status=200",)),
    ("reset", RESET, STREAMED, ("ending='reset'",)),
]  # fmt: skip


def copied(caller, index):
    """Return the test of an exchange."""
    delivery = caller.send("GET", f"/_mockchat/journal/{index}/test")
    assert delivery.status == 200, delivery.body
    assert dict(delivery.headers)["content-type"] == "text/x-python; charset=utf-8"
    return delivery.body.decode()


def unscripted():
    """Yield the names and tests of what no stub answered."""
    caller = Caller(steered())
    chat = "/v1/chat/completions"
    for name, method, path, body in [
        ("generated", "POST", chat, STREAMED),
        ("violation", "POST", chat, {**HELLO, "temperature": 3}),
        ("models", "GET", "/v1/models?limit=1", None),
        ("nowhere", "POST", "/v1/nowhere", {"a": 1}),
        ("absent", "GET", f"{chat}/chatcmpl-none", None),
    ]:
        data = b"" if body is None else json.dumps(body).encode()
        caller.send(method, path, data)
        yield name, copied(caller, len(caller.app._sessions.everybody.script.journal) - 1)
    caller.control("PATCH", "/settings", {"unmatched": "fail"})
    caller.control("POST", "/stubs", {"when": {"model": "other"}, "reply": "x"})
    caller.said()
    yield "unmatched", copied(caller, 5)
    caller.control("PATCH", "/settings", {"validation": "warn"})
    caller.control("POST", "/stubs", {"reply": "warned"})
    caller.said({**HELLO, "temperature": 3})
    yield "warned", copied(caller, 6)


def altered():
    """Yield the names and tests of what other servers of ours would have answered."""
    caller = Caller(steered())
    caller.control("POST", "/stubs", {"reply": "Hi there"})
    caller.said()
    line = caller.control("GET", "/journal")[1]["exchanges"][0]
    failure = {"error": {"message": "short and stout", "type": "teapot", "more": True}}
    yield "vendor", as_test(line, Settings(profile=load_profile("mistral")))
    yield "page", as_test({**line, "body": "<p>", "content_type": "text/html"}, Settings())
    yield "teapot", as_test({**line, "body": failure, "status": 418}, Settings())
    yield "unlawful", as_test({**line, "body": {**line["body"], "id": 7}}, Settings())
    yield "odd", as_test({**line, "body": {"error": "no"}, "status": 500}, Settings())


def test_what_is_copied_passes(pytester):
    """It is pasted into a suite by somebody in a hurry: it must run, and repeat what happened."""
    texts = {**dict(unscripted()), **dict(altered())}
    for name, stub, body, said in SCRIPTED:
        caller = Caller(steered())
        assert caller.control("POST", "/stubs", stub)[0] == 201, name
        caller.send("POST", "/v1/chat/completions", json.dumps(body).encode())
        texts[name] = copied(caller, 0)
        for each in said:
            assert each in texts[name], texts[name]
    assert "@pytest.mark.mockchat(validation='warn')" in texts["warned"]
    assert "@pytest.mark.mockchat(profile='mistral')" in texts["vendor"]
    assert "Verbatim(status=418" in texts["teapot"]
    assert "# stub 1 (request.json:1): model is 'gpt-4o-mini', wanted 'other'" in texts["unmatched"]
    assert "-> 200, generated." in texts["generated"]
    assert "-> 400, by the server itself." in texts["violation"]
    assert "mockchat.reply" not in texts["violation"] + texts["models"] + texts["nowhere"]
    pytester.makepyfile(**{f"test_{name}": text for name, text in texts.items()})
    result = pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider", "-p", "no:randomly")
    result.assert_outcomes(passed=len(texts))


def test_a_copied_test_reads_well():
    """It is the beginning of a test that stays, not a dump."""
    caller = Caller(steered())
    caller.control("POST", "/stubs", {"reply": "Hi there"})
    caller.said()
    assert copied(caller, 0).partition("REQUEST = ")[2] == (
        "{'model': 'gpt-4o-mini', 'messages': [{'role': 'user', 'content': 'Hello!'}]}\n"
        "\n\n"
        "def status_of(url):\n"
        '    """Send the request and return the status, None where the reply breaks off."""\n'
        '    headers = {"content-type": "application/json", "authorization": "Bearer sk-mockchat"}\n'
        "    request = urllib.request.Request(url, json.dumps(REQUEST).encode(), headers, method='POST')\n"
        "    try:\n"
        "        with urllib.request.urlopen(request, timeout=10) as response:\n"
        "            response.read()\n"
        "            return response.status\n"
        "    except urllib.error.HTTPError as refused:\n"
        "        with refused:\n"
        "            return refused.code\n"
        "    except (http.client.HTTPException, OSError):\n"
        "        return None\n"
        "\n\n"
        "def test_exchange_0(mockchat):\n"
        '    """POST /v1/chat/completions -> 200, stub 1 (request.json:1)."""\n'
        "    mockchat.reply('Hi there')\n"
        "\n"
        "    status = status_of(mockchat.url + '/v1/chat/completions')  # your own client may stand here\n"
        "\n"
        "    assert status == 200\n"
        "    assert mockchat.journal.last.reply['choices'][0]['message']['content'] == 'Hi there'\n"
    )


def test_what_cannot_be_repeated_is_told():
    """A test that fails when pasted is worse than none."""
    caller = Caller(steered())
    caller.send("POST", "/v1/chat/completions", b"{")
    status, body = caller.control("GET", "/journal/0/test")
    assert (status, body["error"]["type"]) == (409, "NoTest")
    assert "is not kept" in body["error"]["message"]
    kept = json.loads(
        caller.send(
            "POST", "/v1/chat/completions", json.dumps({**HELLO, "store": True}).encode()
        ).body
    )
    caller.send("GET", f"/v1/chat/completions/{kept['id']}")
    status, body = caller.control("GET", "/journal/2/test")
    assert (status, "stored before" in body["error"]["message"]) == (409, True)
    assert caller.control("GET", "/journal/9/test")[0] == 404
