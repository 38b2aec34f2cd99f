"""One request by a socket and without one, and what a client and the journal tell of each."""

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace

import httpx
import httpx2

from mockchat import chunks_of, tool_call

TEXT = "Grüße, \u2028 Welt"
HI = [{"role": "user", "content": "hi"}]
TOOL = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object"}},
}
BODY = {"model": "gpt-4o", "messages": HI}
REQUESTS = {
    "json": BODY,
    "stream": {**BODY, "stream": True},
    "usage": {**BODY, "stream": True, "stream_options": {"include_usage": True}},
    "tool calls": {**BODY, "stream": True, "tools": [TOOL]},
}
LIBRARIES = {"httpx": httpx, "httpx2": httpx2}
OF_ONE_EXCHANGE = {"date", "x-request-id", "openai-processing-ms"}
"""Response fields that are never the same twice, whichever way a reply takes."""


@dataclass(frozen=True)
class Told:
    """What a client tells of a reply: its head, the bytes of its body, and how it ended."""

    status: int | None = None
    headers: tuple = ()
    body: bytes = b""
    raised: str = ""

    @property
    def fields(self):
        """The header fields, but for those of one exchange."""
        return [field for field in self.headers if field[0] not in OF_ONE_EXCHANGE]

    @property
    def comparable(self):
        """All that must be the same."""
        return self.status, self.fields, self.body, self.raised


def settled(chat):
    """Return the only exchange of a script without what is of one exchange only."""
    (exchange,) = chat.journal
    return untimed(exchange)


def untimed(exchange, *own):
    """Return an exchange without what is of one exchange only, and without fields of its own."""
    times = [field.name for field in fields(exchange) if field.type in {float, float | None}]
    same = [field for field in exchange.delivery.headers if field[0] not in OF_ONE_EXCHANGE]
    return replace(
        exchange,
        headers=tuple(field for field in exchange.headers if field[0] not in own),
        delivery=replace(exchange.delivery, headers=tuple(same)),
        left_at=(0.0,) * len(exchange.left_at),
        **dict.fromkeys(times, 0.0),
    )


def script(chat, fault=None, occasion="stream", **options):
    """Script the reply of an occasion."""
    said = tool_call("get_weather", city="Oslo") if occasion == "tool calls" else TEXT
    chat.reply(said, plan=chunks_of(4), fault=fault, **options)


@contextmanager
def two_scripts(server, write):
    """Open two scripts that differ in nothing but their token, one for each way."""
    with (
        server.unverified(name="both") as left,
        server.unverified(name="both") as right,
    ):
        for chat in (left, right):
            write(chat)
        yield left, right


PATIENCE = 30
"""Seconds that a client waits where waiting is not the point: the machine may be busy."""


def patience(library, read):
    """Return a timeout that is short for reads alone: connecting may take as long as it likes."""
    return LIBRARIES[library].Timeout(PATIENCE, read=read)


def socket_client(library, chat, *, asynchronous=False, read=PATIENCE):
    """Return a client of a library that connects."""
    home = LIBRARIES[library]
    make = home.AsyncClient if asynchronous else home.Client
    # No TLS context: making one costs more than all else here.
    return make(
        base_url=chat.base_url, verify=False, trust_env=False, timeout=patience(library, read)
    )


def direct_client(library, chat, *, asynchronous=False, read=PATIENCE):
    """Return a client of a library that does not."""
    make = chat.async_http_client if asynchronous else chat.http_client
    return make(library, timeout=patience(library, read))


def ask(client, body, *, method="POST", path="/chat/completions", **options):
    """Send a request and read the reply to its end, however that comes."""
    told = Told()
    try:
        with client.stream(method, path, json=body, **options) as response:
            told = _headed(response)
            for piece in response.iter_raw():
                told = replace(told, body=told.body + piece)
    except Exception as error:  # noqa: BLE001 - which one it is, is what is compared
        told = replace(told, raised=_said(error))
    return told


async def ask_async(client, body):
    """Do the same on an event loop."""
    told = Told()
    try:
        async with client.stream("POST", "/chat/completions", json=body) as response:
            told = _headed(response)
            async for piece in response.aiter_raw():
                told = replace(told, body=told.body + piece)
    except Exception as error:  # noqa: BLE001 - see above
        told = replace(told, raised=type(error).__name__)  # the text is the event loop's
    return told


def told_by(make, chat, body, *, library="httpx2", **how):
    """Ask by one kind of client and close it."""

    async def run():
        async with make(library, chat, **how) as client:
            return await ask_async(client, body)

    if how.get("asynchronous"):
        return asyncio.run(run())
    with make(library, chat, **how) as client:
        return ask(client, body)


def _headed(response):
    raw = ((name.decode().lower(), value.decode("latin-1")) for name, value in response.headers.raw)
    return Told(status=response.status_code, headers=tuple(raw))


def _said(error):
    return f"{type(error).__name__}: {error}"
