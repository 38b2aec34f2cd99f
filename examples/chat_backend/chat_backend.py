"""A chat with memory behind a web page, on LangChain: answers come as server-sent events."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.messages import SystemMessage as Instructions
from langchain_openai import ChatOpenAI
from openai import RateLimitError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

BE_BRIEF = Instructions("Be brief.")
ENDINGS = {"length": "too long", "content_filter": "refused"}


class NoAnswer(Exception):
    """The answer cannot be kept; the text of the exception is the reason that the page is told."""


@dataclass
class Conversation:
    """What was said in one session; only whole answers are remembered, with their questions.

    Attributes:
        messages: What is sent before the next question.
        turn: Held while a question is answered: the next one waits for what it is to follow.
    """

    messages: list[BaseMessage] = field(default_factory=lambda: [BE_BRIEF])
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def ask(self, model: ChatOpenAI, question: str) -> AsyncIterator[str]:
        """Yield the answer piece by piece, then remember it.

        Raises:
            NoAnswer: It is missing, or not whole.
        """
        async with self.turn:
            asked = [*self.messages, HumanMessage(question)]
            answer, ending = "", None
            try:
                async for chunk in model.astream(asked):
                    ending = _ending(chunk) or ending
                    if chunk.text:
                        answer += chunk.text
                        yield chunk.text
            except RateLimitError as error:
                raise NoAnswer("busy") from error
            except Exception as error:  # whatever it is, the page must hear of it
                raise NoAnswer("interrupted") from error
            # A stream that just ends raises nothing: that all is there, the service must have said.
            if ending != "stop":
                raise NoAnswer(ENDINGS.get(ending or "", "interrupted"))
            # LangChain drops the refusal of a stream; what is left of it is an answer without text.
            if not answer:
                raise NoAnswer("refused")
            self.messages = [*asked, AIMessage(answer)]


def create_app(model: str = "gpt-4o-mini", *, retries: int = 2) -> Starlette:
    """Return the application: `POST /sessions/NAME` takes `{"question": "…"}`.

    Its events are `piece` with a text, then `done`, or `failed` with the reason.
    """
    service = ChatOpenAI(model=model, max_retries=retries)
    conversations: defaultdict[str, Conversation] = defaultdict(Conversation)

    async def events(session: str, question: str) -> AsyncIterator[str]:
        try:
            async for piece in conversations[session].ask(service, question):
                yield _event("piece", {"text": piece})
        except NoAnswer as problem:
            yield _event("failed", {"reason": str(problem)})
        else:
            yield _event("done", {})

    async def ask(request: Request) -> Response:
        question = await _question(request)
        if question is None:
            return JSONResponse({"reason": 'send {"question": "…"}'}, status_code=400)
        told = events(request.path_params["session"], question)
        return StreamingResponse(told, media_type="text/event-stream")

    return Starlette(routes=[Route("/sessions/{session}", ask, methods=["POST"])])


async def _question(request: Request) -> str | None:
    """Return the question that a request asks, None where it asks none."""
    try:
        body: Any = await request.json()
    except ValueError:
        return None
    question = body.get("question") if isinstance(body, dict) else None
    return question if isinstance(question, str) and question else None


def _ending(chunk: AIMessageChunk) -> str | None:
    """Return the finish reason that a chunk carries."""
    found = chunk.response_metadata.get("finish_reason")
    return found if isinstance(found, str) else None


def _event(name: str, data: dict[str, str]) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"
