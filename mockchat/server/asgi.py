"""An app for ASGI servers, such as uvicorn."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from mockchat.exchange import Headers, Incoming, Outcome
from mockchat.server import framing
from mockchat.server.engine.playing import next_due
from mockchat.server.hosting import arranged, check_whole, encoded_path
from mockchat.server.ticket import Servable, Ticket, answered, takes_time

_Message: TypeAlias = MutableMapping[str, Any]
_Receive: TypeAlias = Callable[[], Awaitable[_Message]]
_Send: TypeAlias = Callable[[_Message], Awaitable[None]]


class AsgiApp:
    """Plays the deliveries of an application to ASGI 3 servers.

    Its abilities are those of `hosting`: what else a fault needs must be refused before.

    Args:
        application: What answers the requests.
    """

    def __init__(self, application: Servable) -> None:
        self._application = application

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Serve one connection of the host, as ASGI calls it."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})
        else:
            await self._exchange(scope, receive, send)

    async def _exchange(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        head = _head(scope)
        body = await self._body(receive)
        if body is None:
            limit = framing.too_large(self._application.body_limit)
            ticket = self._application.refuse(limit.status, limit.message, head)
        else:
            incoming = Incoming(
                method=head.method,
                path=head.path,
                query=head.query,
                headers=head.headers,
                body=body,
            )
            ticket = await self._answered(incoming)
        await _play(ticket, head.method, receive, send)

    async def _answered(self, incoming: Incoming) -> Ticket:
        if takes_time(self._application, incoming):
            return await asyncio.to_thread(answered, self._application, incoming)
        return answered(self._application, incoming)

    async def _body(self, receive: _Receive) -> bytes | None:
        """Return the request's body, None where it is too large; all of it is read at all events."""
        body, limit, is_over = bytearray(), self._application.body_limit, False
        while True:
            message = await receive()
            if not is_over:
                body += message.get("body", b"")
                is_over = len(body) > limit
            if is_over:
                body.clear()
            if not message.get("more_body"):
                return None if is_over else bytes(body)


def _head(scope: _Message) -> Incoming:
    prefix = scope.get("root_path", "")
    raw = scope.get("raw_path")
    path = raw.decode("latin-1") if raw else encoded_path(scope["path"])
    headers: Headers = tuple(
        (name.decode("latin-1").lower(), value.decode("latin-1"))
        for name, value in scope["headers"]
    )
    return Incoming(
        method=scope["method"],
        path=path.removeprefix(prefix) or "/",
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
    )


async def _play(ticket: Ticket, method: str, receive: _Receive, send: _Send) -> None:
    outcome = Outcome.FAILED
    try:
        outcome = await _deliver(ticket, method, receive, send)
    except OSError:  # what hosts raise where the client has gone
        outcome = Outcome.CLIENT_LEFT
    finally:
        ticket.finish(outcome)
    check_whole(ticket.delivery)


async def _deliver(ticket: Ticket, method: str, receive: _Receive, send: _Send) -> Outcome:
    made, fields = arranged(ticket, method)
    leaving = asyncio.ensure_future(receive())
    time = asyncio.get_running_loop().time
    due = time()
    try:
        for count, write in enumerate(made.sends):
            if count:
                ticket.wrote(count)
            if write.delay > 0:
                now = time()
                due = next_due(due, write.delay, now)
                await asyncio.wait([leaving], timeout=due - now)
                if leaving.done():
                    return Outcome.CLIENT_LEFT
            if not count:
                status = ticket.delivery.status
                await send({"type": "http.response.start", "status": status, "headers": fields})
            is_last = count + 1 == len(made.sends) and not made.is_short
            body = {"type": "http.response.body", "body": write.data, "more_body": not is_last}
            await send(body)
    finally:
        leaving.cancel()
    return Outcome.DELIVERED


async def _live(receive: _Receive, send: _Send) -> None:
    """Take part in the host's beginning and end, at which there is nothing to do."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
