"""A recording through LiteLLM's proxy, with a mockchat as the model behind it: part of `make others`."""

import dataclasses
import json
import os
import threading
from contextlib import contextmanager

import openai
import pytest
from other_runs import NotRun, free_port, install, started
from other_servers import OTHERS, SETTINGS

from mockchat import CutStream, MockServer, Pacing, by_word, error, tool_call
from mockchat.contract.contract import contract_for
from mockchat.exchange import Incoming, Outcome
from mockchat.recording.book import Book
from mockchat.recording.recorder import Recorder
from mockchat.recording.redaction import Redaction
from mockchat.recording.upstream import Upstream
from mockchat.scripting.sse import json_events
from mockchat.server.scenarios import ScenarioApp
from mockchat.server.settings import Settings
from mockchat.server.werkzeug_server import LiveServer

pytestmark = pytest.mark.skipif(
    os.environ.get("MOCKCHAT_OTHERS") != "1", reason="`make others` installs and starts LiteLLM"
)

KEY, REAL_KEY = "sk-of-the-client-4711", "sk-of-the-gateway-0815"
SECRET = "Ann Example"
SECONDS = 120
WAIT = 30
SOON = 0.02
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


def body(text, **more):
    """Return a request about a text."""
    return {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}], **more}


@contextmanager
def gateway(base_url):
    """Start LiteLLM's proxy in front of a model, and give its base URL."""
    (litellm,) = (other for other in OTHERS if other.name == "litellm")
    settings = str(SETTINGS / "litellm-before-mockchat.yaml")
    command = tuple(word.replace("{settings}/litellm.yaml", settings) for word in litellm.command)
    litellm = dataclasses.replace(litellm, command=command)
    port = free_port()
    environment = {
        **litellm.variables(port),
        "REAL_BASE_URL": base_url,
        "REAL_KEY": REAL_KEY,
    }
    try:
        install(litellm)
        with started(litellm.words(port), port, environment, seconds=SECONDS):
            yield f"http://127.0.0.1:{port}/v1"
    except NotRun as missing:
        pytest.skip(str(missing))


def test_what_came_through_a_gateway_is_answered_again(tmp_path):
    """Most real servers stand behind one."""
    path = tmp_path / "recording.yaml"
    contract = contract_for("litellm")
    noted, failed, over = [], [], threading.Semaphore(0)

    def note(exchange, notes):
        noted.append((exchange, notes))
        over.release()

    with (
        MockServer() as server,
        server.script(unused="ignore") as real,
        gateway(real.base_url) as url,
    ):
        pacing = Pacing(ttft=0.2, inter_token=0.03)
        real.when(last_text="plain").reply(f"Hello, {SECRET}")
        real.when(last_text="stream").reply(
            f"Hello, {SECRET}, again", plan=by_word(), pacing=pacing
        )
        real.when(last_text="tool").reply(tool_call("get_weather", city="Oslo"))
        real.when(last_text="busy").reply(error(429, retry_after=2)).forever()
        real.when(last_text="cut").reply("a b c d", plan=by_word(), fault=CutStream(after_chunks=3))
        book = Book(path, contract, redaction=Redaction.of_rules([SECRET]))
        recorder = Recorder(Upstream(base_url=url), book, contract, body_limit=1 << 20, noted=note)
        with LiveServer(recorder) as recording:
            client = openai.OpenAI(base_url=recording.base_url, api_key=KEY, max_retries=0)
            requests = [
                body("plain"),
                body("stream", stream=True),
                body("tool", stream=True, tools=[TOOL]),
                body("busy"),
                body("cut", stream=True),
            ]
            for request in requests:
                try:
                    answer = client.chat.completions.create(**request)
                    list(answer if request.get("stream") else ())
                except openai.APIError:
                    failed.append(request["messages"][0]["content"])
                assert over.acquire(timeout=WAIT)
    assert set(failed) <= {"busy", "cut"}
    written = path.read_text()
    assert [each for each in (KEY, REAL_KEY, SECRET) if each in written] == []
    hide = Redaction.of_rules([SECRET])
    app = ScenarioApp(
        [path],
        lambda asked: Settings(
            profile=contract.profile, validation=asked["validation"], unmatched="fail"
        ),
    )
    for request, (exchange, _) in zip(requests, noted, strict=True):
        again = replayed(app, request)
        wanted = hide.of(exchange)
        assert again.status == exchange.status
        if again.is_stream:
            assert json_events(again.body) == json_events(wanted.reply_body)
            assert planned(again) == pytest.approx(arrivals(wanted), abs=SOON)
        else:
            assert json.loads(again.body) == wanted.reply


def replayed(app, request):
    """Return the delivery of the recording."""
    ticket = app.handle(
        Incoming(method="POST", path="/v1/chat/completions", body=json.dumps(request).encode())
    )
    delivery = ticket.delivery
    ticket.finish(Outcome.DELIVERED)
    return delivery


def planned(delivery):
    """Return when each event of a stream is to leave."""
    times, now = [], 0.0
    for write in delivery.writes:
        now += write.delay
        times += [now] * write.data.startswith(b"data:")
    return times


def arrivals(exchange):
    """Return when each event of a stream was there."""
    times, rest = [], b""
    for seconds, data in exchange.pieces:
        *events, rest = (rest + data).split(b"\n\n")
        times += [seconds for event in events if b"data:" in event]
    return times
