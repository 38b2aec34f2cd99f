"""Browsers: who may call, what a page may read, and OPTIONS for everybody else."""

import json

import pytest

from mockchat.contract.profile import load_profile
from mockchat.errors import BadArgument
from mockchat.exchange import Incoming, Outcome, header
from mockchat.scripting.script import Script
from mockchat.scripting.scripts import Scripts
from mockchat.server.app import App
from mockchat.server.settings import Settings

CHAT = "/v1/chat/completions"
HERE = "http://localhost:5173"
BODY = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}).encode()


def ask(app, method="POST", path=CHAT, body=b"", **headers):
    """Ask an app without a socket and return its delivery."""
    fields = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    ticket = app.handle(Incoming(method=method, path=path, headers=fields, body=body))
    ticket.finish(Outcome.DELIVERED)
    return ticket.delivery


def cors_of(delivery):
    """Return the fields of a delivery that browsers decide by."""
    return {
        name: value
        for name, value in delivery.headers
        if name.startswith("access-control-") or name in ("allow", "vary")
    }


def app_of(*origins, **settings):
    """Make an app for pages of some origins."""
    return App(Settings(cors=origins, **settings), Scripts())


def test_a_page_may_ask_and_send():
    """What a browser asks before a page's first request: method, fields, and for how long."""
    delivery = ask(
        app_of(HERE, api_keys=("sk-1",)),
        "OPTIONS",
        origin=HERE,
        access_control_request_method="POST",
        access_control_request_headers="authorization,content-type,x-stainless-lang",
        access_control_request_private_network="true",
    )
    assert (delivery.status, delivery.body) == (204, b"")
    assert cors_of(delivery) == {
        "access-control-allow-headers": "authorization,content-type,x-stainless-lang",
        "access-control-allow-methods": "GET, HEAD, POST, OPTIONS",
        "access-control-allow-origin": HERE,
        "access-control-allow-private-network": "true",
        "access-control-max-age": "600",
        "allow": "GET, HEAD, POST, OPTIONS",
        "vary": "Origin",
    }


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize(("allowed", "told"), [(HERE, HERE), ("*", "*")])
def test_a_page_reads_what_the_api_says_in_its_fields(allowed, told, is_stream):
    """A browser hides every field that is not exposed: request ids, limits, when to come again."""
    body = json.dumps({**json.loads(BODY), "stream": is_stream}).encode()
    delivery = ask(app_of(allowed), body=body, origin=HERE)
    assert delivery.status == 200
    assert header(delivery.headers, "access-control-allow-origin") == told
    exposed = [v for n, v in delivery.headers if n == "access-control-expose-headers"]
    assert len(exposed) == 1
    readable = set(exposed[0].split(", "))
    assert {"x-request-id", "x-ratelimit-remaining-tokens", "openai-processing-ms"} < readable
    assert readable & {"content-type", "cache-control"} == set()
    assert header(delivery.headers, "vary") == (None if allowed == "*" else "Origin")


ERRORS = [
    ("no such path", {"path": "/v1/nothing"}, 404),
    ("wrong body", {"body": b"{"}, 400),
    ("no key", {"body": BODY}, 401),
    ("wrong method", {"method": "PUT"}, 405),
]


@pytest.mark.parametrize(
    ("request_", "status"), [row[1:] for row in ERRORS], ids=[row[0] for row in ERRORS]
)
def test_a_page_reads_errors_too(request_, status):
    """Without these fields every error is the browser's own "Failed to fetch"."""
    keys = ("sk-1",) if status == 401 else ()
    delivery = ask(app_of(HERE, api_keys=keys), **request_, origin=HERE)
    assert delivery.status == status
    assert header(delivery.headers, "access-control-allow-origin") == HERE
    assert "x-request-id" in header(delivery.headers, "access-control-expose-headers")


def test_what_an_adapter_refuses_is_readable_too():
    """A body over the limit is refused by the adapter, which hands over the head alone."""
    head = Incoming(method="POST", path=CHAT, headers=(("origin", HERE),))
    delivery = app_of(HERE).refuse(413, "too large", head).delivery
    assert header(delivery.headers, "access-control-allow-origin") == HERE


@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
@pytest.mark.parametrize("origin", ["http://localhost:3000", "null", "https://localhost:5173"])
def test_another_page_gets_no_permission(origin, method):
    """The browser then keeps the answer from it; a cache must know that it depends on who asks."""
    delivery = ask(
        app_of(HERE), method, body=BODY, origin=origin, access_control_request_method="POST"
    )
    told = {name: value for name, value in cors_of(delivery).items() if name != "allow"}
    told.pop("access-control-expose-headers")  # the service's own, without effect alone
    assert told == {"vary": "Origin"}


@pytest.mark.parametrize(
    "headers", [{}, {"origin": HERE}, {"origin": HERE, "access_control_request_method": "POST"}]
)
def test_it_is_off_unless_asked_for(headers):
    """A page that nobody thought of must not call a server on this machine."""
    told = cors_of(ask(app_of(), body=BODY, **headers))
    assert told == {"access-control-expose-headers": "X-Request-ID"}
    options = cors_of(ask(app_of(), "OPTIONS", **headers))
    del options["access-control-expose-headers"]
    assert options == {"allow": "GET, HEAD, POST, OPTIONS"}


def test_fields_that_are_none_are_not_repeated():
    """What a page asks for is copied into the answer, so it must be names and nothing else."""
    delivery = ask(
        app_of("*"),
        "OPTIONS",
        origin=HERE,
        access_control_request_method="POST",
        access_control_request_headers="a, b\r\nset-cookie: x",
    )
    assert "access-control-allow-headers" not in dict(delivery.headers)


def test_a_profile_that_sends_no_fields_exposes_none():
    """An empty list is no list."""
    app = app_of("*", profile=load_profile("gemini"))
    delivery = ask(app, "OPTIONS", "/v1beta/openai/models", origin=HERE)
    assert delivery.status == 204
    exposed = header(delivery.headers, "access-control-expose-headers")
    assert exposed == "allow"


@pytest.mark.parametrize(
    ("path", "status", "allowed"),
    [
        ("*", 204, "GET, HEAD, POST, DELETE, OPTIONS"),
        (CHAT, 204, "GET, HEAD, POST, OPTIONS"),
        ("/v1/models/x", 204, "GET, HEAD, DELETE, OPTIONS"),
        ("/v1/nothing", 404, None),
    ],
)
def test_options_tell_what_a_path_has(path, status, allowed):
    """Without a browser too, and `*` is the server as a whole: a probe that needs no key."""
    delivery = ask(app_of(api_keys=("sk-1",)), "OPTIONS", path)
    assert (delivery.status, header(delivery.headers, "allow")) == (status, allowed)


def test_a_browsers_question_takes_no_reply():
    """It comes before every request of a page: a script must not be used up by it."""
    scripts, script = Scripts(), Script(unmatched="fail")
    script.reply("once")
    token = scripts.open(script)
    app = App(Settings(cors=("*",), unmatched="fail"), scripts)
    path = f"/{token}{CHAT}"
    asked = ask(app, "OPTIONS", path, origin=HERE, access_control_request_method="POST")
    assert asked.status == 204
    assert json.loads(ask(app, path=path, body=BODY, origin=HERE).body)["object"]
    script.verify()


@pytest.mark.parametrize(
    ("origin", "hint"),
    [
        ("http://localhost:5173/", " Did you mean 'http://localhost:5173'?"),
        ("localhost:5173", ""),
        ("http://a b", ""),
        ("", ""),
    ],
)
def test_what_is_no_origin_is_told(origin, hint):
    """A slash too many would never match, and nobody would see why."""
    with pytest.raises(BadArgument) as caught:
        Settings(cors=(origin,))
    assert str(caught.value) == (
        f"cors is {origin!r}; allowed: an origin without a path, such as 'http://localhost:5173', "
        f"'null', or '*' for any.{hint}"
    )


def test_origins_are_compared_as_browsers_write_them():
    """Scheme and host come in lower case, whatever was typed."""
    app = App(Settings(cors=("HTTP://LocalHost:5173",)), Scripts())
    assert "access-control-allow-origin" in dict(ask(app, body=BODY, origin=HERE).headers)
