"""Bad input against the live server: the API's own error, within a second, and life goes on."""

import http.client
import json
import time

import pytest
from doubles import RawClient

from mockchat.contract.profile import load_profile
from mockchat.scripting.scripts import Scripts
from mockchat.server.app import App
from mockchat.server.framing import Limits
from mockchat.server.settings import Settings
from mockchat.server.werkzeug_server import LiveServer

CHAT = "/v1/chat/completions"
HI = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
LIMIT = 1_000_000


@pytest.fixture(scope="module")
def server():
    """Serve the real app, with limits short enough to be met in a test."""
    app = App(Settings(body_limit=LIMIT), Scripts())
    with LiveServer(app, limits=Limits(head_time=0.3, body_time=0.3, linger_time=0.2)) as live:
        yield live


def ask(server, method, path, body=None, **headers):
    """Send one request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    try:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body=body, headers=fields)
        response = connection.getresponse()
        data = response.read()
        return response.status, json.loads(data) if data else None, response
    finally:
        connection.close()


def assert_alive(server):
    """Ask for a completion: whatever was sent before, the server answers."""
    assert ask(server, "POST", CHAT, json.dumps(HI))[0] == 200


def error(message, param=None, code=None, type_="invalid_request_error"):
    """Return the API's error body."""
    return {"error": {"message": message, "type": type_, "param": param, "code": code}}


NOT_JSON = error(load_profile("openai").errors["invalid_json"]["message"])


def not_object(got):
    """Return the error for a body that is no object."""
    return error(f"Invalid body: expected an object, but got {got} instead.", None, "invalid_type")


def wrong_type(path, expected, got):
    """Return the error for a value of the wrong type."""
    message = f"Invalid type for '{path}': expected {expected}, but got {got} instead."
    return error(message, path, "invalid_type")


def with_content(content):
    """Return a request with one user message."""
    return {**HI, "messages": [{"role": "user", "content": content}]}


def nested(depth):
    """Return a request with arrays inside each other."""
    value = "x"
    for _ in range(depth):
        value = [value]
    return {**HI, "metadata": value}


NO_MODEL = error("you must provide a model parameter")
SCHEMA_FORMAT = {"type": "json_schema", "json_schema": {"name": "x", "schema": 5}}

BODIES = [
    ("no body", b"", NOT_JSON),
    ("white space", b" \n", NOT_JSON),
    ("cut off", b'{"model": "gpt-4o", "messages": [', NOT_JSON),
    ("trailing comma", b'{"model": "gpt-4o",}', NOT_JSON),
    ("NaN", json.dumps({**HI, "temperature": float("nan")}).encode(), NOT_JSON),
    ("Infinity", json.dumps({**HI, "temperature": float("inf")}).encode(), NOT_JSON),
    ("1e999", b'{"model": "gpt-4o", "temperature": 1e999}', NOT_JSON),
    ("5,000 digits", b'{"model": "gpt-4o", "seed": ' + b"9" * 5000 + b"}", NOT_JSON),
    ("100,000 brackets", b'{"a": ' + b"[" * 100_000, NOT_JSON),
    ("100,000 brackets, closed", b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", NOT_JSON),
    ("invalid UTF-8", b'{"model": "\xff\xfe"}', NOT_JSON),
    ("half a surrogate pair", b'{"model": "\\ud800", "messages": []}', NOT_JSON),
    ("byte order mark", b"\xef\xbb\xbf" + json.dumps(HI).encode(), NOT_JSON),
    ("UTF-16", json.dumps(HI).encode("utf-16"), NOT_JSON),
    ("two values", json.dumps(HI).encode() * 2, NOT_JSON),
    ("null", b"null", not_object("null")),
    ("array", b"[]", not_object("an array")),
    ("string", b'"hi"', not_object("a string")),
    ("number", b"1", not_object("an integer")),
    ("empty object", b"{}", NO_MODEL),
    ("model null", {**HI, "model": None}, NO_MODEL),
    ("model a number", {**HI, "model": 5}, wrong_type("model", "a string", "an integer")),
    (
        "no messages",
        {"model": "gpt-4o"},
        error("Missing required parameter: 'messages'.", "messages", "missing_required_parameter"),
    ),
    (
        "empty messages",
        {**HI, "messages": []},
        error(
            "Invalid 'messages': empty array. Expected an array with minimum length 1, "
            "but got an empty array instead.",
            "messages",
            "empty_array",
        ),
    ),
    (
        "a message that is none",
        {**HI, "messages": [1]},
        wrong_type("messages[0]", "an object", "an integer"),
    ),
    (
        "a text part that is none",
        with_content([{"type": "text", "text": 5}]),
        wrong_type("messages[0].content[0].text", "a string", "an integer"),
    ),
    (
        "a tool's name",
        {**HI, "tools": [{"type": "function", "function": {"name": 5}}]},
        wrong_type("tools[0].function.name", "a string", "an integer"),
    ),
    (
        "a schema",
        {**HI, "response_format": SCHEMA_FORMAT},
        wrong_type("response_format.json_schema.schema", "an object", "an integer"),
    ),
    ("n as 1.0", {**HI, "n": 1.0}, wrong_type("n", "an integer", "a decimal number")),
    ("n as true", {**HI, "n": True}, wrong_type("n", "an integer", "a boolean")),
    ("stop", {**HI, "stop": ["a", 1]}, wrong_type("stop[1]", "a string", "an integer")),
    (
        "temperature",
        {**HI, "temperature": 3},
        error(
            "Invalid 'temperature': decimal above maximum value. "
            "Expected a value <= 2, but got 3 instead.",
            "temperature",
            "decimal_above_max_value",
        ),
    ),
    (
        "unknown member",
        {**HI, "frobnicate": 1},
        error("Unknown parameter: 'frobnicate'.", "frobnicate", "unknown_parameter"),
    ),
    (
        "nested in metadata",
        nested(100),
        wrong_type("metadata", "a metadata object", "an array"),
    ),
]


@pytest.mark.parametrize(
    ("body", "expected"), [case[1:] for case in BODIES], ids=[case[0] for case in BODIES]
)
def test_a_bad_body_is_the_apis_400(server, body, expected, capfd):
    """Exact status, type, code, param and message; quickly, quietly, and not for the last time."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    started = time.monotonic()
    status, answered, response = ask(server, "POST", CHAT, data, content_type="application/json")

    assert time.monotonic() - started < 1
    assert (status, answered) == (400, expected)
    assert response.getheader("content-type") == "application/json"
    assert response.getheader("x-request-id").startswith("req_")
    assert response.getheader("x-ratelimit-limit-requests") is None
    assert_alive(server)
    assert capfd.readouterr() == ("", "")


REQUESTS = [
    ("unknown path", "POST", "/v1/x", None, 404, error("Invalid URL (POST /v1/x)")),
    ("root", "GET", "/", None, 404, error("Invalid URL (GET /)")),
    ("bad percent encoding", "GET", "/v1/%zz%ff", None, 404, error("Invalid URL (GET /v1/%zz%ff)")),
    (
        "a legacy endpoint",
        "POST",
        "/v1/completions",
        b"{}",
        404,
        error("Invalid URL (POST /v1/completions)"),
    ),
    *(
        (
            method,
            method,
            CHAT,
            None,
            405,
            error(
                f"Not allowed to {method} on {CHAT}. "
                "(HINT: Perhaps you meant to use a different HTTP method?)"
            ),
        )
        for method in ("PUT", "DELETE", "PATCH", "TRACE", "BREW", "get")
    ),
    (
        "POST to a list",
        "POST",
        "/v1/models",
        b"{}",
        405,
        error(
            "Not allowed to POST on /v1/models. "
            "(HINT: Perhaps you meant to use a different HTTP method?)"
        ),
    ),
    (
        "too large",
        "POST",
        CHAT,
        b"x" * (LIMIT + 1),
        413,
        error(
            f"The body of your request is too large: {LIMIT + 1} bytes, "
            f"where at most {LIMIT} are accepted.",
            type_="server_error",
        ),
    ),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "expected"),
    [case[1:] for case in REQUESTS],
    ids=[case[0] for case in REQUESTS],
)
def test_a_wrong_request_is_the_apis_error(server, method, path, body, status, expected, capfd):  # noqa: PLR0913, PLR0917 - one name for each column
    """Unknown paths, methods and sizes have the API's form too, and 405 says what would do."""
    answered = ask(server, method, path, body)
    assert answered[:2] == (status, expected)
    if status == 405:
        allowed = "GET, HEAD, OPTIONS" if path == "/v1/models" else "GET, HEAD, POST, OPTIONS"
        assert answered[2].getheader("allow") == allowed
    assert_alive(server)
    assert capfd.readouterr() == ("", "")


def test_head_is_told_without_a_body(server):
    """HEAD is GET without the body, errors too: the length of what must not come."""
    for path, expected in ((CHAT, 200), ("/v1/completions", 404)):
        status, answered, response = ask(server, "HEAD", path)
        assert (status, answered) == (expected, None)
        assert int(response.getheader("content-length")) > 50
    assert_alive(server)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"accept": "text/html"}, 200),
        ({"accept": "*/*;q=0"}, 200),
        ({"accept": "application/json", "content_type": "application/json"}, 200),
        ({"content_type": "text/plain"}, 400),
        ({"content_type": "multipart/form-data"}, 400),
    ],
)
def test_accept_is_not_looked_at_and_a_wrong_content_type_is_a_400(server, headers, status):
    """Page 002 calls both headers required; recorded servers answer without them."""
    answered = ask(server, "POST", CHAT, json.dumps(HI), **headers)
    assert answered[0] == status
    if status == 400:
        assert answered[1] == NO_MODEL


HALVES = [
    ("a slow head", b"POST /v1/chat", 408),
    ("a slow body", b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: 50\r\n\r\n{", 408),
    ("no HTTP", b"hello\r\n\r\n", 400),
    ("two lengths", b"GET / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", 400),
]


@pytest.mark.parametrize(
    ("data", "status"), [case[1:] for case in HALVES], ids=[case[0] for case in HALVES]
)
def test_half_a_request_has_the_apis_form(server, data, status, capfd):
    """Slow and broken requests get JSON as well, within the limit, beside others being served."""
    client = RawClient(server.port)
    started = time.monotonic()
    client.send(data)
    assert_alive(server)
    head, _, body = client.rest().partition(b"\r\n\r\n")
    client.socket.close()
    assert time.monotonic() - started < 1
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert json.loads(body)["error"]["type"] == "invalid_request_error"
    assert capfd.readouterr() == ("", "")


def test_text_of_every_kind_is_echoed_safely(server):
    """A model's name comes back in replies and errors: no character may break them."""
    for name in ("\u2028", "\x00", "\U0001f600", "\ud83d\ude00", '"\\\n', "data: [DONE]\n\n"):
        status, answered, _ = ask(server, "POST", CHAT, json.dumps({**HI, "model": name}))
        assert (status, answered["model"]) == (
            200,
            name.encode("utf-16", "surrogatepass").decode("utf-16"),
        )


def test_keys_are_masked_on_the_wire(capfd):
    """With keys set: 401 in the API's words, the offered key masked, ours nowhere."""
    key = "sk-mine-0123456789abcdefghij"
    with LiveServer(App(Settings(api_keys=(key,)), Scripts())) as live:
        wrong = "Bearer sk-theirs-0123456789abcdef"
        status, answered, _ = ask(live, "GET", "/v1/models", authorization=wrong)
        assert (status, answered) == (
            401,
            error(
                "Incorrect API key provided: sk-their**************cdef. You can find your API key "
                "at https://platform.openai.com/account/api-keys.",
                code="invalid_api_key",
            ),
        )
        assert ask(live, "GET", "/v1/models")[0] == 401
        assert ask(live, "GET", "/v1/models", authorization=f"Bearer {key}")[0] == 200
    assert capfd.readouterr() == ("", "")
