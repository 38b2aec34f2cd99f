"""A small application: a chat that shows its answers as they come, on pydantic-ai."""

from openai import AsyncOpenAI
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

UNFINISHED = (None, "length", "content_filter")


class AnswerLost(Exception):
    """The answer broke off; the chat goes on as if the question had not been asked."""


class Chat:
    """One conversation, which remembers what was said in whole; close it with `async with`."""

    def __init__(self, model="gpt-4o-mini", retries=2):
        self._client = AsyncOpenAI(max_retries=retries)
        provider = OpenAIProvider(openai_client=self._client)
        self._agent = Agent(OpenAIChatModel(model, provider=provider), instructions="Be brief.")
        self._said = []

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self._client.close()

    async def ask(self, question):
        """Yield the answer piece by piece; raise AnswerLost where it breaks off."""
        try:
            async with self._agent.run_stream(question, message_history=self._said) as answer:
                async for piece in answer.stream_text(delta=True, debounce_by=None):
                    yield piece
        except Exception as error:
            raise AnswerLost(str(error)) from error
        # A stream may also just end; pydantic-ai then says "stop", so the service's own word counts.
        finish_reason = (answer.response.provider_details or {}).get("finish_reason")
        if finish_reason in UNFINISHED:
            raise AnswerLost(f"finish reason {finish_reason}")
        self._said = answer.all_messages()
