"""Answers of a server, as other tools keep them, and a server of what was imported."""

import json
from functools import partial
from pathlib import Path

from click.testing import CliRunner

from mockchat.cli import main
from mockchat.contract.profile import load_profile
from mockchat.exchange import Incoming
from mockchat.server.scenarios import ScenarioApp
from mockchat.server.settings import Settings

KEY = "sk-proj-abcdefgh12345678"
URL = "https://api.openai.com/v1/chat/completions?api-key=" + KEY
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {}}}


def asking(*texts, **members):
    """Return a request with messages of the user and the assistant in turn."""
    roles = ("user", "assistant")
    messages = [
        {"role": roles[at % 2], "content": text} for at, text in enumerate(texts or ("Hello",))
    ]
    return {"model": "gpt-4o-mini", "messages": messages, **members}


def completion(text="Hi there", **members):
    """Return a completion as a server sends it."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
        **members,
    }


def chunk(delta, reason=None):
    """Return a chunk as a server sends it."""
    return {
        "id": "chatcmpl-2",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}],
    }


CHUNKS = (
    chunk({"role": "assistant", "content": "", "refusal": None}),
    chunk({"content": "Grüße, "}),
    chunk({"content": "世界"}),
    chunk({}, "stop"),
)
STREAM = (
    b"".join(b"data: " + json.dumps(each, ensure_ascii=False).encode() + b"\n\n" for each in CHUNKS)
    + b"data: [DONE]\n\n"
)
REFUSAL = {
    "error": {
        "message": "Slow down.",
        "type": "requests",
        "param": None,
        "code": "rate_limit_exceeded",
    }
}


def imported(path: Path, *options: str):
    """Import a file by the command; return the scenario's path and the lines that were told."""
    output = path.with_name("scenario.yaml")
    arguments = ["import", str(path), "-o", str(output), *options]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert KEY not in output.read_text()
    return output, [line.replace(str(path), "F") for line in result.output.splitlines()]


def refused(path: Path, *options: str) -> str:
    """Import a file that cannot be; return the line that was told."""
    output = path.with_name("scenario.yaml")
    result = CliRunner().invoke(main, ["import", str(path), "-o", str(output), *options])
    assert isinstance(result.exception, SystemExit), result.exception
    assert (result.exit_code, output.exists()) == (2, False), result.output
    (line,) = result.output.splitlines()
    return line.removeprefix("mockchat: ").replace(str(path), "F")


class Asked:
    """A server of a scenario, in this process."""

    def __init__(self, scenario: Path) -> None:
        self._app = ScenarioApp((scenario,), partial(_settings))

    def __call__(self, request, **fields):
        """Return status and body of an answer: bytes of a stream, else decoded."""
        headers = (("content-type", "application/json"), *fields.items())
        incoming = Incoming(
            method="POST",
            path="/v1/chat/completions",
            headers=headers,
            body=json.dumps(request).encode(),
        )
        delivery = self._app.handle(incoming).delivery
        body = delivery.body if delivery.is_stream else json.loads(delivery.body)
        return delivery.status, body

    def text(self, *texts, **members):
        """Return the text that is answered to messages, or the message of an error."""
        _, body = self(asking(*texts, **members))
        if "error" in body:
            return body["error"]["message"]
        return body["choices"][0]["message"]["content"]


def _settings(asked):
    asked = {name: value for name, value in asked.items() if name != "unused"}
    return Settings(**{**asked, "profile": load_profile(asked["profile"])})


def chunks_in(body: bytes):
    """Return the chunks of a stream's bytes, and whether it ended with `[DONE]`."""
    parts = [part.removeprefix("data: ") for part in body.decode().split("\n\n") if part]
    is_done = bool(parts) and parts[-1] == "[DONE]"
    return [json.loads(part) for part in (parts[:-1] if is_done else parts)], is_done
