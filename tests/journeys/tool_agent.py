"""A small application: an agent that answers with the help of tools, on the openai SDK."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from openai import OpenAI

SYSTEM = {"role": "system", "content": "Answer in one sentence. Use the tools."}


class NoAnswer(Exception):
    """The agent has no answer that it could vouch for."""


@dataclass(frozen=True)
class Tool:
    """A function the model may call, with the JSON Schema of its arguments."""

    run: Callable[..., str]
    parameters: Mapping[str, object]


@dataclass(frozen=True)
class Agent:
    """Asks the model, runs what it calls for, and asks again, for `max_steps` requests at most."""

    tools: Mapping[str, Tool]
    model: str = "gpt-4o-mini"
    max_steps: int = 4

    def ask(self, question):
        """Return the answer to a question; raise NoAnswer where there is none."""
        with OpenAI() as client:
            return self._answer(client, [SYSTEM, {"role": "user", "content": question}])

    def _answer(self, client, messages):
        for _ in range(self.max_steps):
            completion = client.chat.completions.create(
                model=self.model, messages=messages, tools=self._offered()
            )
            choice = completion.choices[0]
            if choice.message.tool_calls:
                messages.append(choice.message.model_dump(exclude_none=True))
                messages.extend(map(self._result, choice.message.tool_calls))
            elif choice.finish_reason != "stop" or not choice.message.content:
                raise NoAnswer(choice.message.refusal or choice.finish_reason)
            else:
                return choice.message.content
        raise NoAnswer(f"still calling tools after {self.max_steps} requests")

    def _offered(self):
        return [
            {"type": "function", "function": {"name": name, "parameters": tool.parameters}}
            for name, tool in self.tools.items()
        ]

    def _result(self, call):
        try:
            said = self.tools[call.function.name].run(**json.loads(call.function.arguments))
        except Exception as error:  # noqa: BLE001 - the model is told, and may do better
            said = f"error: {type(error).__name__}: {error}"
        return {"role": "tool", "tool_call_id": call.id, "content": said}
