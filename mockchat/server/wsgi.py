"""An app for WSGI servers, such as gunicorn."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mockchat.exchange import Headers, Incoming, Outcome, Write
from mockchat.server import framing
from mockchat.server.hosting import arranged, check_whole, encoded_path
from mockchat.server.ticket import Application, Ticket, answered

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_PIECE = 65_536


class WsgiApp:
    """Plays the deliveries of an application to WSGI servers; a paced one holds its thread.

    Its abilities are those of `hosting`: what else a fault needs must be refused before. Repeated
    fields of a request arrive joined, for so they stand in `environ`.

    Args:
        application: What answers the requests.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterator[bytes]:
        """Answer one request, as WSGI calls it."""
        incoming = _incoming(environ, self._application.body_limit)
        if len(incoming.body) > self._application.body_limit:
            refused = framing.too_large(self._application.body_limit)
            ticket = self._application.refuse(refused.status, refused.message, incoming)
        else:
            ticket = answered(self._application, incoming)
        return _Body(ticket, incoming.method, start_response)


class _Body:
    """The body of one reply; a host closes it at the end, or when the client has left."""

    def __init__(self, ticket: Ticket, method: str, start_response: "StartResponse") -> None:
        self._ticket = ticket
        self._outcome = Outcome.FAILED
        self._sends: Iterator[tuple[int, Write]] = iter(())
        made, fields = arranged(ticket, method)
        status = ticket.delivery.status
        start_response(
            f"{status} {framing.phrase(status)}",
            [(name.decode("latin-1"), value.decode("latin-1")) for name, value in fields],
        )
        self._outcome = Outcome.CLIENT_LEFT
        self._sends = enumerate(made.sends)

    def __iter__(self) -> "_Body":
        return self

    def __next__(self) -> bytes:
        count, write = next(self._sends, (0, None))
        if write is None:
            self._outcome = Outcome.DELIVERED
            check_whole(self._ticket.delivery)
            raise StopIteration
        if count:
            self._ticket.wrote(count)
        if write.delay > 0:
            time.sleep(write.delay)
        return write.data

    def close(self) -> None:
        """Tell what became of the delivery."""
        self._ticket.finish(self._outcome)


def _incoming(environ: "WSGIEnvironment", limit: int) -> Incoming:
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    if raw:
        path, _, query = framing.origin_form(raw).partition("?")
        path = path.removeprefix(environ.get("SCRIPT_NAME", "")) or "/"
    else:
        decoded = environ.get("PATH_INFO", "/").encode("latin-1").decode("utf-8", "replace")
        path, query = encoded_path(decoded), environ.get("QUERY_STRING", "")
    return Incoming(
        method=environ["REQUEST_METHOD"],
        path=path,
        query=query,
        headers=_headers(environ),
        body=_body(environ, limit),
    )


def _headers(environ: "WSGIEnvironment") -> Headers:
    fields = {
        key.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
        for key, value in environ.items()
        if key.startswith("HTTP_") or (key in {"CONTENT_TYPE", "CONTENT_LENGTH"} and value)
    }
    return tuple(fields.items())


def _body(environ: "WSGIEnvironment", limit: int) -> bytes:
    """Read a body, one byte more than allowed at most; without a length the host says its end."""
    length, source = environ.get("CONTENT_LENGTH"), environ["wsgi.input"]
    if length:
        return bytes(source.read(min(int(length), limit + 1)))
    if "HTTP_TRANSFER_ENCODING" not in environ:
        return b""
    body = bytearray()
    while len(body) <= limit and (piece := source.read(_PIECE)):
        body += piece
    return bytes(body)
