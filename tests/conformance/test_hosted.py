"""Applications checked inside the process: the same checks, no socket."""

import asyncio
import json
from collections.abc import Callable

import pytest
from in_process import AppClient
from test_right_server import told

from mockchat import Report, check
from mockchat.conformance.answers import Failure, Sent
from mockchat.conformance.hosted import AsgiClient, WsgiClient, is_asgi

OURS = AppClient()


def wsgi(environ, start_response):
    """Answer as our server does, behind WSGI."""
    headers = [
        (name[5:].replace("_", "-").lower(), text)
        for name, text in environ.items()
        if name.startswith("HTTP_")
    ]
    if "CONTENT_TYPE" in environ:
        headers.append(("content-type", environ["CONTENT_TYPE"]))
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if environ["REQUEST_METHOD"] == "POST" else None
    answered = answer(environ["REQUEST_METHOD"], environ["PATH_INFO"], headers, body)
    start_response(f"{answered.status} OK", list(answered.headers))
    return [answered.body]


async def asgi(scope, receive, send):
    """Answer as our server does, behind ASGI, in two parts."""
    message = await receive()
    headers = [(name.decode(), text.decode()) for name, text in scope["headers"]]
    body = message["body"] if scope["method"] == "POST" else None
    answered = answer(scope["method"], scope["path"], headers, body)
    fields = [(name.encode(), text.encode()) for name, text in answered.headers]
    start = {"type": "http.response.start", "status": answered.status, "headers": fields}
    await send(start)
    await send({"type": "http.response.body", "body": answered.body[:9], "more_body": True})
    await send({"type": "http.response.body", "body": answered.body[9:]})


class AsgiObject:
    """An application that is an object, as frameworks have them."""

    async def __call__(self, scope, receive, send):
        """Answer."""
        await asgi(scope, receive, send)


def answer(method, path, headers, body):
    """Return what our app answers."""
    sent = Sent(method=method, path=path.removeprefix("/v1"), body=body, headers=tuple(headers))
    return OURS.send(sent)


@pytest.mark.parametrize("app", [wsgi, asgi, AsgiObject()], ids=["WSGI", "ASGI", "ASGI object"])
@pytest.mark.parametrize("level", ["observed", "documented"])
def test_a_right_application_has_no_finding(app, level):
    """A framework's application is checked in its own suite, before it listens anywhere."""
    report = check(app, level=level)
    assert isinstance(report, Report)
    assert told(report) == []
    assert report.conforms
    assert len(report.sendings) == 29


def test_kinds_of_applications_are_told_apart():
    """Nobody should have to say which one it is."""
    assert [is_asgi(app) for app in (wsgi, asgi, AsgiObject(), Callable)] == [
        False,
        True,
        True,
        False,
    ]


def test_a_wrong_application_is_found():
    """The same findings as for a server."""

    def broken(environ, start_response):
        start_response("200 OK", [("content-type", "application/json")])
        return [b'{"object": "chat.completion"}']

    report = check(broken, model="m")
    assert not report.conforms
    assert {"schema.response", "stream.is-one", "refusal.refused"} <= {
        finding.check for finding in report.failures
    }


async def _stuck(scope, receive, send):
    await asyncio.Event().wait()


async def _half(scope, receive, send):
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": b"{", "more_body": True})
    await send({"type": "http.response.debug"})


async def _waiting(scope, receive, send):
    await receive()
    await receive()


def _raising(*_):
    message = "no"
    raise ValueError(message)


async def _raising_later(*_):
    _raising()


@pytest.mark.parametrize(
    ("kind", "app", "failure", "detail"),
    [
        (AsgiClient, _stuck, Failure.TIMEOUT, "no whole answer within 0.05 s"),
        (AsgiClient, _waiting, Failure.TIMEOUT, "no whole answer within 0.05 s"),
        (AsgiClient, _half, Failure.CUT, "the application returned before its answer was whole"),
        (AsgiClient, _raising_later, Failure.CUT, "the application raised ValueError: no"),
        (WsgiClient, _raising, Failure.CUT, "the application raised ValueError: no"),
    ],
    ids=["stuck", "waits for more", "half", "raises", "raises at once"],
)
def test_whatever_an_application_does_has_an_outcome(kind, app, failure, detail):
    """A check that raises what the application raised has no report."""
    answered = kind(app=app, base_path="/v1", timeout=0.05).send(Sent(path="/models?limit=1"))
    assert (answered.failure, answered.detail) == (failure, detail)


def test_credentials_are_sent_and_not_shown():
    """They are what a traceback must not carry."""
    seen = {}

    def app(environ, start_response):
        seen.update(environ)
        start_response("404 Not Found", [("content-type", "application/json")])
        return [json.dumps({"error": {"message": "no", "type": "t"}}).encode()]

    client = WsgiClient(app=app, base_path="", headers={"X-Key": "secret"})
    assert client.send(Sent(method="GET", path="/models?limit=1")).status == 404
    assert (seen["HTTP_X_KEY"], seen["QUERY_STRING"]) == ("secret", "limit=1")
    assert "secret" not in repr(client)
