"""What no stub answers is asked of a real server once, and answered by its recording ever after."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from mockchat.contract.contract import Contract
from mockchat.errors import MockchatError
from mockchat.exchange import Delivery, Ending, Exchange, Incoming, Outcome, Write
from mockchat.payloads.chunking import join
from mockchat.recording.book import Book
from mockchat.recording.exchanges import RecordedExchange
from mockchat.recording.recorder import Recorder
from mockchat.recording.upstream import Upstream
from mockchat.scripting.matching import Matcher, RequestView, matcher
from mockchat.scripting.scenario_words import conditions_of
from mockchat.scripting.script import Script
from mockchat.scripting.sse import json_events
from mockchat.scripting.steering import Said, Steering
from mockchat.server.scenarios import ScenarioApp
from mockchat.server.ticket import Servable, Ticket
from mockchat.server.wire import BadBody, decode_json
from mockchat.types import Json, JsonObject

_ENDINGS = {"whole": Ending.COMPLETE, "reset": Ending.RESET}

Tell = Callable[[RecordedExchange, tuple[str, ...]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """A stub of the recording: what it matches, and its text."""

    matcher: Matcher
    said: Said


class FallbackApp:
    """Answers by the stubs of a server; what they leave open by a recording, or by the real server.

    A session is given a recorded stub when it first asks for it, so that its journal and its counts
    know of it as of any other.

    Args:
        app: What answers the rest.
        session_of: Returns whose stubs count for a request.
        upstream: The real server.
        book: The recording.
        contract: Whose words errors are told in.
        tell: Called with each exchange with the real server, and with what there is to tell.
        is_live: Whether the adapter passes streams on as they come; otherwise they are sent whole.
    """

    def __init__(  # noqa: PLR0913 - what it stands between
        self,
        app: Servable,
        session_of: Callable[[Incoming], ScenarioApp],
        *,
        upstream: Upstream,
        book: Book,
        contract: Contract,
        tell: Tell,
        is_live: bool,
    ) -> None:
        self._app = app
        self._session_of = session_of
        self._book = book
        self._tell = tell
        self._is_live = is_live
        self._lock = threading.Lock()
        self._known = [self._read(stub) for stub in book.stubs]
        self._upstream = upstream
        self._contract = contract

    @property
    def body_limit(self) -> int:
        """The largest request body to be read, in bytes."""
        return self._app.body_limit

    def may_block(self, incoming: Incoming) -> bool:  # noqa: ARG002 - every answer may
        """Say yes: the real server may take its time."""
        return True

    def handle(self, incoming: Incoming) -> Ticket:
        """Answer a request."""
        view = _view(incoming)
        if view is None:
            return self._app.handle(incoming)
        try:
            session = self._session_of(incoming)
        except MockchatError:  # no name of a session, which the application tells
            return self._app.handle(incoming)
        if not _has_answer(session.script, view):
            known = self._found(view)
            if known is None:
                return self._asked(incoming, session)
            session.change(lambda before: _with(before, known.said))
        return self._app.handle(incoming)

    def refuse(self, status: int, message: str, incoming: Incoming | None = None) -> Ticket:
        """Answer what could not be read as a request, in the words of the profile."""
        return self._app.refuse(status, message, incoming)

    def _asked(self, incoming: Incoming, session: ScenarioApp) -> Ticket:
        began = time.monotonic()

        def noted(exchange: RecordedExchange, notes: tuple[str, ...]) -> None:
            stub = self._book.stub_of(exchange)
            if stub is not None:
                with self._lock:
                    self._known.append(self._read(stub.stub))
            journal = session.script.journal
            received = journal.clock() - (time.monotonic() - began)
            journal.add(replace(_journaled(exchange), received=received))
            self._tell(exchange, notes)

        recorder = Recorder(
            self._upstream, self._book, self._contract, body_limit=self.body_limit, noted=noted
        )
        ticket = recorder.handle(incoming)
        if self._is_live:
            return ticket
        return Ticket(delivery=ticket.delivery, finish=ticket.finish)

    def _found(self, view: RequestView) -> _Known | None:
        with self._lock:
            return next((one for one in self._known if one.matcher.matches(view)), None)

    def _read(self, stub: JsonObject) -> _Known:
        text = json.dumps({"stubs": [stub]}, ensure_ascii=False)
        conditions = conditions_of(stub.get("when", {}))
        name = f"{self._book.path.stem}.json"
        return _Known(
            matcher=matcher(**conditions),
            said=Said(name=name, text=text),
        )


def _view(incoming: Incoming) -> RequestView | None:
    """Return a request for a completion as matchers see it, None for any other request."""
    if incoming.method != "POST" or not incoming.path.endswith("/chat/completions"):
        return None
    try:
        body = decode_json(incoming.body)
    except BadBody:
        return None
    if not isinstance(body, dict):
        return None
    return RequestView(
        method=incoming.method, path=incoming.path, headers=incoming.headers, body=body
    )


def _has_answer(script: Script, view: RequestView) -> bool:
    return any(stub.obstacle is None and stub.matcher.matches(view) for stub in script.stubs)


def _with(before: Steering, said: Said) -> Steering:
    return replace(before, said=(*before.said, said))


def _journaled(exchange: RecordedExchange) -> Exchange:
    """Return an exchange with the real server as the journal has it; credentials go there."""
    ended = _ENDINGS.get(exchange.ended, Ending.CUT)
    is_stream = exchange.content_type == "text/event-stream"
    delivery = Delivery(
        status=exchange.status,
        headers=exchange.reply_headers,
        writes=tuple(Write(data=data) for _, data in exchange.pieces),
        is_stream=is_stream,
        ending=ended,
    )
    events = json_events(exchange.reply_body) if is_stream else ()
    chunks = tuple(event for event in events if isinstance(event, dict))
    left = exchange.ended == "client left"
    return Exchange(
        index=0,
        method=exchange.method,
        path=exchange.path,
        query=exchange.query,
        headers=exchange.headers,
        request=exchange.request,
        status=exchange.status,
        reply=_joined(chunks) if is_stream else exchange.reply,
        chunks=chunks,
        delivery=delivery,
        stub="the upstream",
        ending=ended,
        outcome=Outcome.CLIENT_LEFT if left else Outcome.DELIVERED,
    )


def _joined(chunks: tuple[JsonObject, ...]) -> Json:
    """Return the completion that chunks make, None where they make none."""
    try:
        return dict(join(chunks))
    except (ValueError, LookupError, TypeError):
        return None
