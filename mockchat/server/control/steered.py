"""The application of a standalone server: sessions, and the API that sees and steers them."""

from collections.abc import Callable
from http import HTTPStatus

from mockchat.contract.validation import schema_violations
from mockchat.errors import BadArgument, MockchatError
from mockchat.exchange import Delivery, Incoming, Outcome, Write, header
from mockchat.scripting.sharing import StateLost
from mockchat.server.control.as_test import NoTest
from mockchat.server.control.guard import Forbidden, Guard
from mockchat.server.control.metering import METERING, NotMetered
from mockchat.server.control.operations import (
    OPERATIONS,
    Answered,
    Asked,
    Figures,
    NoSuchStub,
    TooManyWait,
    document,
)
from mockchat.server.control.sessions import HEADER, Sessions
from mockchat.server.control.watching import WATCHING, NoSuchExchange, NoSuchPage
from mockchat.server.reports import report
from mockchat.server.requests import query_fields, typed
from mockchat.server.routes import NotRouted, Route, Routes
from mockchat.server.ticket import Ticket
from mockchat.server.wire import encode_json
from mockchat.types import Json, JsonObject, JsonView

PREFIX = "/_mockchat"
_KEYLESS = ("health", "ready")
_MOST_PLAIN = 4_096
"""Marks of heads that are known to name no session, and nothing of the control API."""
_ANSWERS = (OPERATIONS, WATCHING, METERING)
_OF_NO_SESSION = (*_KEYLESS, "document", "page", "pageFile", "readMetrics")
_STATUS = {
    NoSuchStub: HTTPStatus.NOT_FOUND,
    NoSuchExchange: HTTPStatus.NOT_FOUND,
    NoSuchPage: HTTPStatus.NOT_FOUND,
    NoTest: HTTPStatus.CONFLICT,
    NotMetered: HTTPStatus.NOT_FOUND,
    StateLost: HTTPStatus.SERVICE_UNAVAILABLE,
    TooManyWait: HTTPStatus.SERVICE_UNAVAILABLE,
}


class SteeredApp:
    """Answers the API as the session of a request says, and `/_mockchat` as the control API.

    Args:
        sessions: Whose scripts there are.
        guard: Who may use the control API.
        ready: Raises where requests cannot be answered.
        meter: What counts exchanges, None where nobody does.
    """

    def __init__(
        self,
        sessions: Sessions,
        guard: Guard,
        *,
        ready: Callable[[], None] = lambda: None,
        meter: Figures | None = None,
    ) -> None:
        self._sessions = sessions
        self._guard = guard
        self._ready = ready
        self._meter = meter
        self._routes = Routes({"openapi": document()})
        self._plain: set[bytes] = set()

    @property
    def body_limit(self) -> int:
        """The largest request body to be read, in bytes."""
        return self._sessions.everybody.body_limit

    @property
    def counted(self) -> str | None:
        """The first stub that does not say one thing for ever: see `ScenarioApp.counted`."""
        return self._sessions.everybody.counted

    def may_block(self, incoming: Incoming) -> bool:
        """Tell whether the answer may take its time."""
        if incoming.mark in self._plain:
            return self._sessions.everybody.may_block(incoming)
        if _is_control(incoming.path) or header(incoming.headers, HEADER) is not None:
            return True  # to make a session, or to change one, takes milliseconds
        return self._sessions.everybody.may_block(incoming)

    def handle(self, incoming: Incoming) -> Ticket:
        """Answer a request."""
        if incoming.mark in self._plain:
            return self._sessions.everybody.handle(incoming)
        if _is_control(incoming.path):
            return Ticket(delivery=_delivery(self._control(incoming)), finish=_forget)
        try:
            session = self._sessions.named(incoming.headers)
        except MockchatError as problem:
            status = _STATUS.get(type(problem), HTTPStatus.BAD_REQUEST)
            return self.refuse(status, str(problem), incoming)
        if session is self._sessions.everybody and incoming.mark:
            if len(self._plain) >= _MOST_PLAIN:
                self._plain = set()
            self._plain.add(incoming.mark)
        return session.handle(incoming)

    def refuse(self, status: int, message: str, incoming: Incoming | None = None) -> Ticket:
        """Answer what could not be read as a request, in the words of the profile."""
        return self._sessions.everybody.refuse(status, message, incoming)

    def _control(self, incoming: Incoming) -> Answered:
        try:
            return self._answered(incoming)
        except Forbidden as forbidden:
            return _problem(forbidden.status, forbidden)
        except NotRouted as missing:
            return _unrouted(incoming, missing)
        except MockchatError as problem:
            return _problem(_STATUS.get(type(problem), HTTPStatus.BAD_REQUEST), problem)
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets an answer
            report(f"{incoming.method} {incoming.path!r} could not be answered", error)
            failed = MockchatError("The server failed to answer; its log says why.")
            return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, failed)

    def _answered(self, incoming: Incoming) -> Answered:
        # Strangers do not even learn which paths there are.
        self._guard.check(incoming, asks_key=not _is_keyless(incoming.path))
        route = self._routes.find(incoming.method, incoming.path)
        is_of_none = route.operation.id in _OF_NO_SESSION
        sessions = self._sessions
        asked = Asked(
            incoming=incoming,
            session=sessions.everybody if is_of_none else sessions.named(incoming.headers),
            parameters=route.parameters,
            query=_query(incoming, route),
            ready=self._ready,
            sessions=sessions,
            meter=self._meter,
        )
        name = route.operation.id
        return next(table[name] for table in _ANSWERS if name in table)(asked)


def _is_control(path: str) -> bool:
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def _is_keyless(path: str) -> bool:
    """Tell whether a path needs no key: probes have none, and the page itself asks for it."""
    keyless = (PREFIX, *(f"{PREFIX}/{name}" for name in ("", *_KEYLESS)))
    return path in keyless or path.startswith(f"{PREFIX}/page/")


def _query(incoming: Incoming, route: Route) -> JsonObject:
    """Return the query parameters of an operation, typed.

    Raises:
        BadArgument: One does not exist, or breaks its schema.
    """
    schemas, query = route.operation.query, {}
    for name, text in query_fields(incoming.query).items():
        if name not in schemas:
            known = ", ".join(schemas) or "none"
            raise BadArgument("the query parameter", name, f"one of: {known}")
        value = _of_type(text, schemas[name])
        violations = schema_violations(schemas[name], value)
        if violations:
            raise BadArgument(f"the query parameter {name}", value, violations[0].message)
        query[name] = value
    return query


def _of_type(text: Json, schema: JsonView) -> Json:
    if schema.get("type") == "boolean":
        return {"true": True, "false": False}.get(str(text), text)
    if schema.get("type") == "number":
        try:
            return float(str(text))
        except ValueError:
            return text
    return typed(text, schema)


def _unrouted(incoming: Incoming, missing: NotRouted) -> Answered:
    if incoming.path == PREFIX and incoming.method in ("GET", "HEAD"):
        # What the page loads and asks for is named relative to its folder.
        there = (("location", f"{PREFIX}/"),)
        return Answered(status=HTTPStatus.FOUND, body="", media_type="text/plain", headers=there)
    if not missing.allowed:
        return _problem(HTTPStatus.NOT_FOUND, missing)
    allow = (("allow", ", ".join(missing.allowed)),)
    if incoming.method == "OPTIONS":
        return Answered(status=HTTPStatus.NO_CONTENT, headers=allow)
    told = _problem(HTTPStatus.METHOD_NOT_ALLOWED, missing)
    return Answered(status=told.status, body=told.body, headers=allow)


def _problem(status: int, problem: MockchatError) -> Answered:
    headers = (("www-authenticate", "Bearer"),) if status == HTTPStatus.UNAUTHORIZED else ()
    body = {"error": {"type": type(problem).__name__, "message": str(problem)}}
    return Answered(status=status, body=body, headers=headers)


def _delivery(answered: Answered) -> Delivery:
    """Return an answer as data; nothing of it is ever read as a page, or kept."""
    fields = (
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        *answered.headers,
    )
    if answered.status == HTTPStatus.NO_CONTENT:
        return Delivery(status=answered.status, headers=fields)
    is_text = isinstance(answered.body, str)
    data = str(answered.body).encode() if is_text else encode_json(answered.body)
    kind = ("content-type", f"{answered.media_type}; charset=utf-8")
    return Delivery(status=answered.status, headers=(kind, *fields), writes=(Write(data=data),))


def _forget(outcome: Outcome) -> None:
    """Take note of nothing: the control API does not watch itself."""
