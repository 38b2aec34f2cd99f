"""Calls of the openai SDK, written once for its sync and its async client and for every major version.

As a script, `sdk_calls.py BASE_URL` makes them all and prints what came of each, as JSON:
`{"version": "2.1.0", "calls": {"sync plain": null, "async plain": "Traceback …"}}`.
"""

import asyncio
import inspect
import json
import sys
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, Literal

import openai
from pydantic import BaseModel

MODEL = "gpt-4o-mini"
QUESTION = [{"role": "user", "content": "What is the weather in Oslo?"}]
WEATHER_TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Look the weather up.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}


class Weather(BaseModel):
    """What a structured reply must hold."""

    city: str
    degrees: float
    sky: Literal["clear", "cloudy", "rain"]


async def done(value: Any) -> Any:
    """Return what a method of either client gives."""
    return await value if inspect.isawaitable(value) else value


async def items(stream: Any) -> AsyncIterator[Any]:
    """Yield from a stream or a page of either client."""
    if hasattr(stream, "__aiter__"):
        async for item in stream:
            yield item
    else:
        for item in stream:
            yield item


async def entered(stack: AsyncExitStack, manager: Any) -> Any:
    """Enter a context manager of either client."""
    if hasattr(manager, "__aenter__"):
        return await stack.enter_async_context(manager)
    return stack.enter_context(manager)


async def plain(client: Any) -> None:
    """A whole completion, with usage that adds up."""
    completion = await done(client.chat.completions.create(model=MODEL, messages=QUESTION))
    assert completion.object == "chat.completion"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.choices[0].message.role == "assistant"
    assert completion.choices[0].message.content
    usage = completion.usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens > 0
    assert completion._request_id


async def any_model(client: Any) -> None:
    """A model name nobody has heard of is answered."""
    name = "a-model-of-next-year"
    completion = await done(client.chat.completions.create(model=name, messages=QUESTION))
    assert completion.model == name


async def streamed(client: Any) -> None:
    """A stream: a role, pieces of text, one finish, usage last."""
    stream = await done(
        client.chat.completions.create(
            model=MODEL, messages=QUESTION, stream=True, stream_options={"include_usage": True}
        )
    )
    chunks = [chunk async for chunk in items(stream)]
    *others, last = chunks
    deltas = [chunk.choices[0].delta for chunk in others]
    assert deltas[0].role == "assistant"
    assert "".join(delta.content or "" for delta in deltas)
    reasons = [chunk.choices[0].finish_reason for chunk in others]
    assert [reason for reason in reasons if reason] == ["stop"]
    assert last.choices == []
    assert last.usage.total_tokens > 0
    assert len({chunk.id for chunk in chunks}) == 1


async def required_tool(client: Any) -> None:
    """A forced tool call whose arguments fit the tool's parameters."""
    completion = await done(
        client.chat.completions.create(
            model=MODEL, messages=QUESTION, tools=[WEATHER_TOOL], tool_choice="required"
        )
    )
    choice = completion.choices[0]
    assert choice.finish_reason == "tool_calls"
    for call in choice.message.tool_calls:
        assert call.function.name == "get_weather"
        assert isinstance(json.loads(call.function.arguments)["city"], str)


async def streamed_tool(client: Any) -> None:
    """The same in fragments, which join to JSON."""
    stream = await done(
        client.chat.completions.create(
            model=MODEL,
            messages=QUESTION,
            tools=[WEATHER_TOOL],
            tool_choice="required",
            stream=True,
        )
    )
    arguments: dict[int, str] = {}
    async for chunk in items(stream):
        for call in chunk.choices[0].delta.tool_calls or ():
            arguments[call.index] = arguments.get(call.index, "") + (call.function.arguments or "")
    assert arguments
    assert all(isinstance(json.loads(text)["city"], str) for text in arguments.values())


async def parsed(client: Any) -> None:
    """A structured reply as a pydantic model."""
    completion = await done(
        client.chat.completions.parse(model=MODEL, messages=QUESTION, response_format=Weather)
    )
    assert isinstance(completion.choices[0].message.parsed, Weather)


async def three_choices(client: Any) -> None:
    """As many choices as were asked for."""
    completion = await done(client.chat.completions.create(model=MODEL, messages=QUESTION, n=3))
    assert [choice.index for choice in completion.choices] == [0, 1, 2]


async def logprobs(client: Any) -> None:
    """Log probabilities whose tokens are the text."""
    completion = await done(
        client.chat.completions.create(
            model=MODEL, messages=QUESTION, logprobs=True, top_logprobs=2
        )
    )
    choice = completion.choices[0]
    assert "".join(token.token for token in choice.logprobs.content) == choice.message.content
    assert {len(token.top_logprobs) for token in choice.logprobs.content} == {2}


async def stream_helper(client: Any) -> None:
    """The SDK's own reading of a stream, down to the parsed model."""
    async with AsyncExitStack() as stack:
        manager = client.chat.completions.stream(
            model=MODEL, messages=QUESTION, response_format=Weather
        )
        stream = await entered(stack, manager)
        kinds = [event.type async for event in items(stream)]
        completion = await done(stream.get_final_completion())
    assert "content.delta" in kinds
    assert kinds.count("content.done") == 1
    assert isinstance(completion.choices[0].message.parsed, Weather)


async def list_models(client: Any) -> None:
    """The models, as a page."""
    models = [model async for model in items(await done(client.models.list()))]
    assert MODEL in {model.id for model in models}
    assert {model.object for model in models} == {"model"}


async def retrieve_model(client: Any) -> None:
    """One model, of whatever name."""
    for name in (MODEL, "a-model-of-next-year"):
        model = await done(client.models.retrieve(name))
        assert model.id == name


async def bad_request(client: Any) -> None:
    """A wrong parameter is the SDK's BadRequestError, naming it."""
    try:
        await done(client.chat.completions.create(model=MODEL, messages=QUESTION, temperature=3))
    except openai.BadRequestError as error:
        assert (error.status_code, error.type, error.param) == (  # noqa: PT017 - pytest is not there
            400,
            "invalid_request_error",
            "temperature",
        )
    else:
        message = "temperature=3 was accepted"
        raise AssertionError(message)


CALLS: dict[str, Callable[[Any], Awaitable[None]]] = {
    function.__name__: function
    for function in (
        plain,
        any_model,
        streamed,
        required_tool,
        streamed_tool,
        parsed,
        three_choices,
        logprobs,
        stream_helper,
        list_models,
        retrieve_model,
        bad_request,
    )
}
CLIENTS = ("sync", "async")


async def _make(call: str, client_kind: str, base_url: str) -> None:
    make = openai.OpenAI if client_kind == "sync" else openai.AsyncOpenAI
    async with AsyncExitStack() as stack:
        client = await entered(
            stack, make(base_url=base_url, api_key="any", max_retries=0, timeout=20)
        )
        await CALLS[call](client)


def make_call(call: str, client_kind: str, base_url: str) -> None:
    """Make one call with a client of its own; an AssertionError says what was wrong."""
    asyncio.run(_make(call, client_kind, base_url))


def report(base_url: str) -> dict[str, Any]:
    """Make every call with both clients and return what came of each."""
    outcomes: dict[str, str | None] = {}
    for client_kind in CLIENTS:
        for call in CALLS:
            try:
                make_call(call, client_kind, base_url)
            except Exception:  # noqa: BLE001 - whatever went wrong belongs in the report
                outcomes[f"{client_kind} {call}"] = traceback.format_exc(limit=-3)
            else:
                outcomes[f"{client_kind} {call}"] = None
    return {"version": openai.__version__, "calls": outcomes}


if __name__ == "__main__":
    print(json.dumps(report(sys.argv[1])))
