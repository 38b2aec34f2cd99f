"""A server whose answers a test changes in one place, and recordings of it as it was."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from mockchat.conformance.answers import Answered, Failure, Sent
from mockchat.contract.contract import contract_for
from mockchat.exchange import Ending, Incoming, Outcome
from mockchat.recording.exchanges import RecordedExchange
from mockchat.recording.scenario_text import scenario_of, write_scenario
from mockchat.scripting.scripts import Scripts
from mockchat.server.app import App
from mockchat.server.settings import Settings

TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
FORCED = {"type": "function", "function": {"name": "get_weather"}}


def asking(text="Hello", **members):
    """Return the body of a request."""
    return {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": text}],
        **members,
    }


REQUESTS = (
    asking(),
    asking("Again", n=2, seed=3),
    asking(logprobs=True, top_logprobs=2),
    asking("Weather?", tools=[TOOL], tool_choice="required"),
    asking(stream=True, stream_options={"include_usage": True}),
    asking("Once more", stream=True),
    asking("Weather?", tools=[TOOL], tool_choice="required", stream=True),
    asking(temperature=7),
    asking(n=0),
)


class Served:
    """A mockchat in this process as a client of it, its answers changed on their way."""

    def __init__(self, seed: int = 1, **settings: object) -> None:
        self._app = App(Settings(seed=seed, **settings), Scripts())
        self.change: Callable[[Answered], Answered] = lambda answered: answered

    def send(self, sent: Sent) -> Answered:
        """Answer as the server behind a URL would."""
        incoming = Incoming(
            method=sent.method,
            path=f"/v1{sent.path}",
            headers=(("content-type", "application/json"), ("authorization", "Bearer any")),
            body=sent.body or b"",
        )
        ticket = self._app.handle(incoming)
        ticket.finish(Outcome.DELIVERED)
        delivery = ticket.delivery
        whole = delivery.ending is Ending.COMPLETE
        return self.change(
            Answered(
                status=delivery.status,
                headers=delivery.headers,
                body=delivery.body,
                failure=None if whole else Failure.CUT,
            )
        )


def recorded(served: Served, requests=REQUESTS) -> tuple[RecordedExchange, ...]:
    """Return what a recorder writes down of a server."""
    return tuple(_exchange(served, request) for request in requests)


def _exchange(served: Served, request) -> RecordedExchange:
    body = json.dumps(request).encode()
    answered = served.send(Sent(path="/chat/completions", body=body))
    return RecordedExchange(
        body=body,
        status=answered.status or 0,
        reply_headers=answered.headers,
        pieces=((0.1, answered.body),),
        answered=0.1,
    )


def scenario_file(path: Path, exchanges, profile: str = "openai") -> Path:
    """Write a scenario of exchanges, as `mockchat record` does."""
    contract_for(profile)
    write_scenario(path, scenario_of(exchanges, profile=profile))
    return path


def json_changed(change: Callable[[dict], None], when=lambda body: "choices" in body):
    """Return a change of the JSON bodies of which `when` is true."""

    def changed(answered: Answered) -> Answered:
        body = answered.json
        if not isinstance(body, dict) or not when(body):
            return answered
        change(body)
        return replace(answered, body=json.dumps(body).encode())

    return changed


def error_changed(change: Callable[[dict], None]):
    """Return a change of the error objects."""
    return json_changed(lambda body: change(body["error"]), when=lambda body: "error" in body)


def events_changed(change: Callable[[list], list]):
    """Return a change of the events of streams, as a list of chunks and `[DONE]`."""

    def changed(answered: Answered) -> Answered:
        if answered.content_type != "text/event-stream":
            return answered
        texts = [part[len("data: ") :] for part in answered.body.decode().split("\n\n") if part]
        events = [text if text == "[DONE]" else json.loads(text) for text in texts]
        written = [event if event == "[DONE]" else json.dumps(event) for event in change(events)]
        return replace(answered, body="".join(f"data: {text}\n\n" for text in written).encode())

    return changed


def each_chunk(change: Callable[[dict], None]):
    """Return a change of every chunk of a stream."""

    def changed(events: list) -> list:
        for event in events:
            if event != "[DONE]":
                change(event)
        return events

    return events_changed(changed)
