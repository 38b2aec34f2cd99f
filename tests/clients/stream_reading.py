"""What the openai SDK reads, as data: written once for both its clients and every version.

As a script it takes `{"deadline": seconds, "jobs": [{"url", "occasion", "reader", "kind", "timeout"},
…]}` from stdin, makes every job and prints `{"client": …, "found": […]}`: of each job, in order,
`{"read": …}`, `{"raised": …}` or `{"waits": true}`. `read_streams.mjs` does the same in JavaScript.
"""

import asyncio
import inspect
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai

AT_ONCE = 48
"""How many jobs are under way together: most of them wait, for a back-off or a deadline."""

THREADS = 128
"""A sync job that is given up keeps its thread."""

TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
BODY = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
REQUESTS = {
    "stream": BODY,
    "usage": {**BODY, "stream_options": {"include_usage": True}},
    "tool calls": {**BODY, "tools": [TOOL]},
}


async def _done(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


async def _items(stream: Any) -> list[Any]:
    return [item async for item in stream] if hasattr(stream, "__aiter__") else list(stream)


async def loop(client: Any, occasion: str) -> dict[str, Any]:
    """Return what a loop over the chunks puts together."""
    stream = await _done(client.chat.completions.create(stream=True, **REQUESTS[occasion]))
    chunks = await _items(stream)
    choices = [choice for chunk in chunks for choice in chunk.choices or ()]
    calls: dict[str, list[str]] = {}
    for choice in choices:
        for call in choice.delta.tool_calls or ():
            known = calls.setdefault(str(call.index), ["", "", ""])
            known[0] = known[0] or call.type or ""
            known[1] = known[1] or call.function.name or ""
            known[2] += call.function.arguments or ""
    return {
        "role": next((choice.delta.role for choice in choices if choice.delta.role), None),
        "text": "".join(choice.delta.content or "" for choice in choices),
        "finish": next((one.finish_reason for one in choices if one.finish_reason), None),
        "calls": sorted([index, *call] for index, call in calls.items()),
        "usage": any(chunk.usage for chunk in chunks),
    }


async def helper(client: Any, occasion: str) -> dict[str, Any]:
    """Return what the SDK's own `.stream()` puts together."""
    # Older versions have it under `beta` alone.
    home = client.chat.completions
    home = home if hasattr(home, "stream") else client.beta.chat.completions
    manager = home.stream(**REQUESTS[occasion])
    if hasattr(manager, "__aenter__"):
        async with manager as stream:
            return _said(await stream.get_final_completion())
    with manager as stream:
        return _said(stream.get_final_completion())


async def reply(client: Any, occasion: str) -> dict[str, Any]:
    """Return what a completion without streaming says."""
    asked = {name: value for name, value in REQUESTS[occasion].items() if name != "stream_options"}
    return _said(await _done(client.chat.completions.create(**asked)))


def _said(completion: Any) -> dict[str, Any]:
    choice = completion.choices[0]
    return {
        "role": choice.message.role,
        "text": choice.message.content or "",
        "finish": choice.finish_reason,
        "calls": [
            [str(place), call.type, call.function.name, call.function.arguments]
            for place, call in enumerate(choice.message.tool_calls or ())
        ],
        "usage": completion.usage is not None,
    }


READERS = {"loop": loop, "helper": helper, "reply": reply}


async def _found(job: dict[str, Any], clients: dict[str, Any], deadline: float) -> dict[str, Any]:
    # The copy shares the connections, which cost more than all else together.
    client = clients[job["kind"]].with_options(base_url=job["url"], timeout=job["timeout"])
    reading = READERS[job["reader"]](client, job["occasion"])
    if job["kind"] == "sync":
        reading = asyncio.to_thread(asyncio.run, reading)
    try:
        return {"read": await asyncio.wait_for(reading, deadline)}
    except TimeoutError:
        return {"waits": True}
    except Exception as error:  # noqa: BLE001 - which one it is, is what was found
        return {"raised": type(error).__name__}


async def _all(jobs: list[dict[str, Any]], deadline: float) -> list[dict[str, Any]]:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
    made = {"sync": openai.OpenAI, "async": openai.AsyncOpenAI}
    clients = {kind: make(base_url="http://unused", api_key="any") for kind, make in made.items()}
    places = asyncio.Semaphore(AT_ONCE)

    async def found(job: dict[str, Any]) -> dict[str, Any]:
        async with places:
            return await _found(job, clients, deadline)

    return await asyncio.gather(*map(found, jobs))


async def _main() -> None:
    asked = json.load(sys.stdin)
    found = await _all(asked["jobs"], asked["deadline"])
    print(json.dumps({"client": f"openai {openai.__version__}", "found": found}), flush=True)
    os._exit(0)  # a sync job that was given up must not hold the process


if __name__ == "__main__":
    asyncio.run(_main())
