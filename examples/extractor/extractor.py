"""Reads invoices out of e-mails: text in, a checked record out, by pydantic-ai."""

import asyncio
from datetime import date
from decimal import Decimal

from openai import AsyncOpenAI
from pydantic import BaseModel, Field, model_validator
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.exceptions import AgentRunError
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

INSTRUCTIONS = "Extract the invoice. Amounts are decimal texts, dates ISO 8601."


class Unreadable(Exception):
    """No invoice could be read out of a text, and why."""


class Line(BaseModel):
    """One position of an invoice."""

    what: str
    amount: Decimal = Field(ge=0)


class Invoice(BaseModel):
    """What is read out."""

    number: str = Field(min_length=1)
    day: date
    total: Decimal
    lines: list[Line] = Field(min_length=1)

    @model_validator(mode="after")
    def adds_up(self) -> "Invoice":
        """Refuse what does not add up: the model is asked again."""
        found = sum(line.amount for line in self.lines)
        if found != self.total:
            raise ValueError(f"the lines add up to {found}, the total is {self.total}")
        return self


def extract(text: str, *, model: str = "gpt-4o-mini", retries: int = 1) -> Invoice:
    """Return the invoice in a text.

    Args:
        text: An e-mail.
        model: Which model is asked.
        retries: How often it is asked again where its answer does not add up.

    Raises:
        Unreadable: The model refused, was cut short, failed, or never answered right.
    """
    return asyncio.run(_extract(text, model, retries))


async def _extract(text: str, model: str, retries: int) -> Invoice:
    async with AsyncOpenAI() as client:
        agent = Agent(
            OpenAIChatModel(model, provider=OpenAIProvider(openai_client=client)),
            output_type=NativeOutput(Invoice),
            instructions=INSTRUCTIONS,
            retries=retries,
        )
        try:
            run = await agent.run(text)
        except AgentRunError as problem:
            raise Unreadable(str(problem)) from problem
    said = (run.response.provider_details or {}).get("finish_reason")
    if said != "stop":
        raise Unreadable(f"the answer was cut short: {said}")
    return run.output
