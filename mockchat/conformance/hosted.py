"""Targets inside this process: a WSGI or an ASGI application, asked without a socket."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import unquote

from werkzeug.test import Client as WsgiTestClient

from mockchat.conformance.answers import JSON_TYPE, Answered, Failure, Sent
from mockchat.exchange import Headers  # noqa: TC001 - a dataclass of ours is annotated with it

Application: TypeAlias = Callable[..., Any]
"""A WSGI application, or an ASGI one: that is a coroutine function, or an object that is called so."""

_Message: TypeAlias = MutableMapping[str, Any]


def is_asgi(app: Application) -> bool:
    """Tell an ASGI application from a WSGI one: calling it gives a coroutine."""
    called = app if inspect.isroutine(app) else getattr(app, "__call__", app)  # noqa: B004
    return inspect.iscoroutinefunction(called)


def client_of(
    app: Application, *, base_path: str, headers: Mapping[str, str], timeout: float
) -> "WsgiClient | AsgiClient":
    """Return what asks `app` the probes of a run."""
    kind = AsgiClient if is_asgi(app) else WsgiClient
    return kind(app=app, base_path=base_path.rstrip("/"), headers=headers, timeout=timeout)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hosted:
    """What both kinds of application need.

    Attributes:
        app: The application.
        base_path: What stands before "/chat/completions".
        headers: Fields of every request; never shown.
        timeout: Seconds an answer may take; only ASGI applications can be stopped.
    """

    app: Application
    base_path: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = 30.0

    def fields(self, sent: Sent) -> dict[str, str]:
        """Return the header fields of one request."""
        fields = {"host": "localhost", "accept": "*/*"}
        fields |= {name.lower(): value for name, value in self.headers.items()}
        if sent.body is not None:
            fields |= {"content-type": JSON_TYPE, "content-length": str(len(sent.body))}
        fields |= {name.lower(): value for name, value in sent.headers}
        return {name: value for name, value in fields.items() if name not in sent.drops}


class WsgiClient(_Hosted):
    """Asks a WSGI application, in the thread of the run."""

    def send(self, sent: Sent) -> Answered:
        """Return what was answered; an exception of the application is a failure."""
        started = time.monotonic()
        fields = self.fields(sent)
        content_type = fields.pop("content-type", None)
        try:
            response = WsgiTestClient(self.app).open(
                path=f"{self.base_path}{sent.path}",
                method=sent.method,
                headers=[*fields.items()],
                data=sent.body or b"",
                content_type=content_type,
                buffered=True,
            )
        except Exception as error:  # noqa: BLE001 - what an application raises, a server would not send
            return _raised(error, time.monotonic() - started)
        seconds = time.monotonic() - started
        headers = tuple((name.lower(), value) for name, value in response.headers)
        return Answered(
            status=response.status_code,
            headers=headers,
            body=response.get_data(),
            first_byte=seconds,
            seconds=seconds,
        )


class AsgiClient(_Hosted):
    """Asks an ASGI application, each request in an event loop of its own."""

    def send(self, sent: Sent) -> Answered:
        """Return what was answered; an exception of the application is a failure."""
        started = time.monotonic()
        try:
            return asyncio.run(asyncio.wait_for(self._answer(sent, started), self.timeout))
        except TimeoutError:
            detail = f"no whole answer within {self.timeout:g} s"
            return Answered(failure=Failure.TIMEOUT, detail=detail, seconds=self.timeout)
        except Exception as error:  # noqa: BLE001 - what an application raises, a server would not send
            return _raised(error, time.monotonic() - started)

    async def _answer(self, sent: Sent, started: float) -> Answered:
        path, _, query = f"{self.base_path}{sent.path}".partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": sent.method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.encode(), text.encode()) for name, text in self.fields(sent).items()],
            "client": ("127.0.0.1", 1),
            "server": ("localhost", 80),
        }
        received = _Received()
        call: Awaitable[None] = self.app(scope, _Request(sent.body or b""), received)
        await call
        return received.answered(time.monotonic() - started)


class _Request:
    """Gives an ASGI application the body of a request, then says that the client is there still."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body

    async def __call__(self) -> _Message:
        if self._body is None:
            await asyncio.Event().wait()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


class _Received:
    """Takes the messages of an ASGI application's answer."""

    def __init__(self) -> None:
        self._status: int | None = None
        self._headers: Headers = ()
        self._body = bytearray()
        self._is_over = False

    async def __call__(self, message: _Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = tuple(
                (name.decode("latin-1").lower(), text.decode("latin-1"))
                for name, text in message.get("headers", ())
            )
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            self._is_over = not message.get("more_body", False)

    def answered(self, seconds: float) -> Answered:
        """Return the answer; one that was not ended is cut."""
        whole = self._is_over
        return Answered(
            status=self._status,
            headers=self._headers,
            body=bytes(self._body),
            failure=None if whole else Failure.CUT,
            detail="" if whole else "the application returned before its answer was whole",
            first_byte=seconds,
            seconds=seconds,
        )


def _raised(error: Exception, seconds: float) -> Answered:
    detail = f"the application raised {type(error).__name__}: {error}"
    return Answered(failure=Failure.CUT, detail=detail, seconds=seconds)
