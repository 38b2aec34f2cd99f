"""A server with a live page, and requests to look at: for the tests and for the pictures."""

import contextlib
import json
import urllib.error
import urllib.request
from functools import partial
from http.client import HTTPException

from mockchat.control import Control
from mockchat.scripting.scripts import Scripts
from mockchat.server.control.guard import Guard
from mockchat.server.control.sessions import Sessions
from mockchat.server.control.steered import SteeredApp
from mockchat.server.dispatcher import Dispatcher
from mockchat.server.scenarios import ScenarioApp
from mockchat.server.settings import Settings
from mockchat.server.werkzeug_server import LiveServer

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
STUBS = (
    {
        "when": {"tools": "get_weather", "last_role": "user"},
        "reply": {"tool_call": "get_weather", "arguments": {"city": "Oslo", "unit": "celsius"}},
        "plan": {"chunks_of": 6},
        "pacing": {"ttft": 0.2, "inter_token": 0.05},
    },
    {"when": {"last_role": "tool"}, "reply": "It is 4 °C in Oslo, and it rains."},
    {
        "when": {"last_text": "Tell me a story."},
        "reply": "Once upon a time there was a server.",
        "plan": {"chunks_of": 4},
        "pacing": {"ttft": 0.1, "inter_token": 0.03},
        "fault": {"CutStream": {"after_chunks": 5}},
    },
    {"when": {"last_text": "Hello!"}, "reply": "Hi there", "forever": True},
)


def body(text="Hello!", **members):
    """Return the body of a request."""
    messages = members.pop("messages", [{"role": "user", "content": text}])
    return {"model": "gpt-4o-mini", "messages": messages, **members}


SYSTEM = {"role": "system", "content": "You tell the weather, and nothing else."}
QUESTION = {"role": "user", "content": "What is the weather in Oslo?"}
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'},
}
REQUESTS = {
    "plain": body(),
    "tools": body(messages=[SYSTEM, QUESTION], tools=[WEATHER], stream=True),
    "result": body(
        messages=[
            SYSTEM,
            QUESTION,
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "call_1", "content": '{"celsius": 4}'},
        ]
    ),
    "cut": body("Tell me a story.", stream=True),
    "violation": body(temperature=3, messages=[{"role": "user", "content": "Be wild!"}]),
    "unmatched": body("Who are you?"),
}


class Live:
    """A server that runs, and hands to steer it.

    Attributes:
        page: The address of its live page.
        origin: Where all of it is.
        control: Its control API.
    """

    def __init__(self, url, key=None):
        self.origin = url
        self.page = f"{url}/_mockchat/"
        self.control = Control(url, key=key)

    def send(self, request, session=None):
        """Send a request, whole or by its name, and return the status; None for a broken reply."""
        asked = REQUESTS[request] if isinstance(request, str) else request
        headers = {"content-type": "application/json"}
        if session is not None:
            headers["x-mockchat-session"] = session
        url = f"{self.origin}/v1/chat/completions"
        sent = urllib.request.Request(url, json.dumps(asked).encode(), headers)
        try:
            with urllib.request.urlopen(sent, timeout=30) as response:
                response.read()
                return response.status
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code
        except (HTTPException, OSError):
            return None


@contextlib.contextmanager
def live(*, stubs=STUBS, key=None, port=0):
    """Run a server whose requests without a stub are refused."""
    make = partial(_session, Dispatcher(Scripts()))
    app = SteeredApp(Sessions(make, make("")), Guard(key=key))
    with LiveServer(app, port=port) as server:
        running = Live(server.url, key)
        for stub in stubs:
            running.control.add(stub)
        yield running


def _session(dispatcher, name):
    return ScenarioApp(
        (),
        lambda asked: Settings(**{"unmatched": "fail", **asked}),
        session=name,
        dispatcher=dispatcher,
    )
