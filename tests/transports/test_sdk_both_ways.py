"""What the openai package makes of each named fault, by a socket and without one."""

import asyncio
from contextlib import asynccontextmanager

import both_ways
import httpx2
import openai
import pytest
from both_ways import REQUESTS, script

from mockchat import stream_faults


async def outcome(client, body):
    """Return the chunks that were read, and the exception that came instead of more."""
    read = []
    try:
        stream = client.chat.completions.create(**body)
        if isinstance(client, openai.AsyncOpenAI):
            read.extend([chunk.model_dump() async for chunk in await stream])
        else:
            read.extend(chunk.model_dump() for chunk in stream)
    except Exception as error:  # noqa: BLE001 - which one it is, is the outcome
        return read, type(error), type(error.__cause__), getattr(error, "body", None)
    return read, None, None, None


@asynccontextmanager
async def connecting(chat, *, asynchronous):
    """Give a client of the package that connects; no TLS context is made for it."""
    options = {"base_url": chat.base_url, "api_key": chat.api_key, "max_retries": 0}
    if asynchronous:
        async with httpx2.AsyncClient(verify=False, trust_env=False) as http:
            yield openai.AsyncOpenAI(http_client=http, **options)
    else:
        with httpx2.Client(verify=False, trust_env=False) as http:
            yield openai.OpenAI(http_client=http, **options)


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("fault", stream_faults(), ids=str)
def test_the_package_cannot_tell_the_difference(mockchat_server, asynchronous, fault):
    """This is what an application sees: the same chunks, and the same exception with its cause."""

    def write(chat):
        script(chat, fault, fault.occasion)

    async def run(left, right):
        body = REQUESTS[fault.occasion]
        async with connecting(left, asynchronous=asynchronous) as client:
            by_socket = await outcome(client, body)
        make = right.async_client if asynchronous else right.client
        return by_socket, await outcome(make(max_retries=0), body)

    with both_ways.two_scripts(mockchat_server, write) as (left, right):
        by_socket, without = asyncio.run(run(left, right))
    assert without == by_socket
