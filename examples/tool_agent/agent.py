"""A support agent: it looks orders up with tools, and says so when it has no answer."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from openai import OpenAI

SYSTEM = {"role": "system", "content": "You help customers of a shop. Look orders up."}


class NoAnswer(Exception):
    """The agent has nothing to say that could be relied on."""


@dataclass(frozen=True)
class Tool:
    """A function that the model may call.

    Attributes:
        run: What is called, with the arguments by name.
        parameters: The JSON Schema of the arguments.
    """

    run: Callable[..., object]
    parameters: Mapping[str, object]


@dataclass
class Agent:
    """Asks the model, runs the tools it calls, and asks again.

    Attributes:
        tools: What the model may call, by name.
        model: Which model is asked.
        most: How many requests one question may take.
        messages: The conversation so far; it goes on with the next question.
    """

    tools: Mapping[str, Tool]
    model: str = "gpt-4o-mini"
    most: int = 5
    messages: list[Any] = field(default_factory=lambda: [SYSTEM])

    def ask(self, question: str) -> str:
        """Return the answer to a question.

        Raises:
            NoAnswer: The model refused, was cut short, or went on calling tools.
        """
        self.messages.append({"role": "user", "content": question})
        with OpenAI() as client:
            for _ in range(self.most):
                choice = self._completion(client).choices[0]
                self.messages.append(choice.message.model_dump(exclude_none=True))
                if choice.finish_reason in {"length", "content_filter"}:
                    raise NoAnswer(f"the answer was cut short: {choice.finish_reason}")
                if choice.message.refusal:
                    raise NoAnswer(choice.message.refusal)
                if not choice.message.tool_calls:
                    return choice.message.content or ""
                self.messages.extend(map(self._result, choice.message.tool_calls))
        raise NoAnswer(f"still looking things up after {self.most} requests")

    def _completion(self, client: OpenAI) -> Any:
        offered = [
            {"type": "function", "function": {"name": name, "parameters": tool.parameters}}
            for name, tool in self.tools.items()
        ]
        return client.chat.completions.create(
            model=self.model, messages=self.messages, tools=offered
        )

    def _result(self, call: Any) -> dict[str, str]:
        """Run one call; what goes wrong is told to the model, which may do better."""
        try:
            tool = self.tools[call.function.name]
            said = json.dumps(tool.run(**json.loads(call.function.arguments)))
        except Exception as error:  # noqa: BLE001 - whatever it is
            said = f"error: {type(error).__name__}: {error}"
        return {"role": "tool", "tool_call_id": call.id, "content": said}
