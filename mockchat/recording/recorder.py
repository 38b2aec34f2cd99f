"""A server that passes requests on to a real one, and writes down what it answers."""

from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus

from mockchat.contract.contract import Contract
from mockchat.exchange import ApiError, Delivery, Ending, Headers, Incoming, Outcome, Write
from mockchat.payloads.encoding import encode_json
from mockchat.recording.book import Book
from mockchat.recording.exchanges import RecordedExchange
from mockchat.recording.secrets import all_secrets_of
from mockchat.recording.upstream import Passing, Upstream, UpstreamFailed
from mockchat.scripting.credentials import redact, redact_query
from mockchat.server.relaying import Relayed
from mockchat.server.reports import report
from mockchat.server.ticket import Ticket

_JSON = ("content-type", "application/json")
_ADAPTERS = frozenset({"content-length", "date", "server"})
"""Fields that the adapter writes itself."""

Noted = Callable[[RecordedExchange, tuple[str, ...]], None]


def _unnoted(exchange: RecordedExchange, notes: tuple[str, ...]) -> None:
    """Tell nobody."""


class Recorder:
    """Passes every request on; what comes back goes to the client as it comes, and into a book.

    Args:
        upstream: The real server.
        book: Where exchanges are written down.
        contract: Whose words errors are told in.
        body_limit: The largest request body to be read, in bytes.
        noted: Called with each exchange that is over, and with what there is to tell of it.
    """

    def __init__(
        self,
        upstream: Upstream,
        book: Book,
        contract: Contract,
        *,
        body_limit: int,
        noted: Noted = _unnoted,
    ) -> None:
        self.body_limit = body_limit
        self._upstream = upstream
        self._book = book
        self._contract = contract
        self._noted = noted

    def may_block(self, incoming: Incoming) -> bool:  # noqa: ARG002 - every answer may
        """Say yes: others may take their time."""
        return True

    def handle(self, incoming: Incoming) -> Ticket:
        """Answer as the real server does."""
        try:
            passing = self._upstream.ask(incoming)
        except UpstreamFailed as failed:
            return self.refuse(HTTPStatus.BAD_GATEWAY, str(failed), incoming)
        finish = partial(self._finish, incoming, passing)
        headers = tuple(field for field in passing.headers if field[0] not in _ADAPTERS)
        if _is_stream(headers):
            return Relayed(status=passing.status, headers=headers, source=passing, finish=finish)
        data, ending = passing.wait()
        delivery = Delivery(
            status=passing.status,
            headers=headers,
            writes=(Write(data=data),) if data or ending is not Ending.COMPLETE else (),
            ending=ending,
        )
        return Ticket(delivery=delivery, finish=finish)

    def refuse(self, status: int, message: str, incoming: Incoming | None = None) -> Ticket:  # noqa: ARG002 - the interface
        """Answer in the API's format what could not be passed on."""
        is_ours = status >= HTTPStatus.INTERNAL_SERVER_ERROR
        kind = "server_error" if is_ours else "invalid_request_error"
        code = "mockchat_upstream_failed" if status == HTTPStatus.BAD_GATEWAY else None
        error = ApiError(status=status, type=kind, message=message, code=code)
        body = encode_json(self._contract.envelope(error))
        delivery = Delivery(status=status, headers=(_JSON,), writes=(Write(data=body),))
        return Ticket(delivery=delivery, finish=_forget)

    def _finish(self, incoming: Incoming, passing: Passing, outcome: Outcome) -> None:
        """Let go of the upstream, then write down what came."""
        del outcome  # what counts is what the real server did, and how far it was let
        passing.close()
        exchange = recorded(incoming, passing, self._upstream.headers)
        try:
            if passing.is_too_large:
                title = f"{incoming.method} {incoming.path}"
                notes: tuple[str, ...] = (f"{title}: the answer is too large to be written down",)
            else:
                notes = self._book.add(exchange)
            self._noted(exchange, notes)
        except OSError as error:
            report("the recording could not be written", error)


def recorded(incoming: Incoming, passing: Passing, headers: Mapping[str, str]) -> RecordedExchange:
    """Return what went over the wire, without credentials in its fields.

    Args:
        incoming: The request.
        passing: Its answer, which is over.
        headers: Fields that were sent in place of the client's.
    """
    return RecordedExchange(
        method=incoming.method,
        path=incoming.path,
        query=redact_query(incoming.query),
        headers=redact(incoming.headers),
        body=incoming.body,
        status=passing.status,
        reply_headers=redact(passing.headers),
        pieces=tuple(passing.pieces),
        answered=passing.answered,
        ended=passing.ended,
        began=passing.began,
        secrets=all_secrets_of((*incoming.headers, *headers.items()), incoming.query),
    )


def _is_stream(headers: Headers) -> bool:
    return any(
        name == "content-type" and value.lower().startswith("text/event-stream")
        for name, value in headers
    )


def _forget(outcome: Outcome) -> None:
    """Write nothing down: nothing came back."""
