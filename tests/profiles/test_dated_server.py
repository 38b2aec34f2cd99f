"""The server as the service of each profile: operations, replies, streams, models, headers."""

import json

import pytest

from mockchat.contract.contract import contract_for
from mockchat.contract.profile import load_profile
from mockchat.exchange import Incoming
from mockchat.scripting.scripts import Scripts
from mockchat.server.app import App
from mockchat.server.settings import Settings
from mockchat.server.wire import SseDecoder

PROFILES = (
    "openai-2023-03",
    "openai-2023-05",
    "openai-2023-06",
    "openai-2023-11",
    "openai-2024-08",
    "apifox-2023-06",
    "openai-2025-summary",
    "perplexity",
    "perplexity-outcode",
)
ASKED = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


def app_of(name):
    """Return an app that is the service of a profile."""
    return App(Settings(profile=load_profile(name)), Scripts())


def asked(app, method, path, body=None):
    """Return status, header fields and body of an answer."""
    sent = b"" if body is None else json.dumps(body).encode()
    headers = (("content-type", "application/json"),)
    incoming = Incoming(method=method, path=path, headers=headers, body=sent)
    delivery = app.handle(incoming).delivery
    return delivery.status, dict(delivery.headers), b"".join(w.data for w in delivery.writes)


@pytest.mark.parametrize("name", PROFILES)
def test_server_converses_under_every_profile(name):
    """The way from bytes to bytes must not ask for what only today's profile has."""
    app, contract = app_of(name), contract_for(name)
    status, _, body = asked(app, "POST", "/v1/chat/completions", ASKED)
    assert status == 200
    assert contract.violations("response", json.loads(body)) == ()
    status, headers, body = asked(app, "POST", "/v1/chat/completions", ASKED | {"stream": True})
    assert (status, headers["content-type"].partition(";")[0]) == (200, "text/event-stream")
    decoder = SseDecoder()
    events = [event.data for event in decoder.feed(body)]
    assert events[-1] == "[DONE]"
    judge = contract.stream_judge(request=ASKED | {"stream": True})
    found = [v for event in events[:-1] for v in judge.feed(json.loads(event))]
    assert [v for v in [*found, *judge.feed("[DONE]"), *judge.finish()] if not v.is_note] == []
    status, _, body = asked(app, "POST", "/v1/chat/completions", {"messages": []})
    assert status == 400
    assert contract.violations("error", json.loads(body)) == ()


@pytest.mark.parametrize("name", PROFILES)
def test_there_are_no_stored_completions(name):
    """They came in November 2024, to OpenAI alone."""
    app = app_of(name)
    assert asked(app, "GET", "/v1/chat/completions")[0] == 405
    assert asked(app, "GET", "/v1/chat/completions/chatcmpl-1")[0] == 404


@pytest.mark.parametrize("name", [name for name in PROFILES if not name.startswith("perplexity")])
def test_models_are_those_of_their_time(name):
    """A list with tomorrow's models would let a test choose one."""
    contract = contract_for(name)
    status, _, body = asked(app_of(name), "GET", "/v1/models")
    assert status == 200
    models = json.loads(body)
    assert contract.violations("model-list", models) == ()
    listed = {model["id"] for model in models["data"]}
    assert listed == {model.id for model in contract.profile.models}
    assert max(model["created"] for model in models["data"]) < LATEST[name]


LATEST = {
    "openai-2023-03": 1_678_000_000,
    "openai-2023-05": 1_686_000_000,
    "openai-2023-06": 1_688_200_000,
    "apifox-2023-06": 1_688_200_000,
    "openai-2023-11": 1_699_400_000,
    "openai-2024-08": 1_723_100_000,
    "openai-2025-summary": 1_800_000_000,
}


def test_request_ids_had_no_prefix_before_2024():
    """Log lines of that time have bare hexadecimal digits."""
    ids = {
        name: asked(app_of(name), "GET", "/v1/models")[1]["x-request-id"]
        for name in ("openai-2023-11", "openai-2024-08")
    }
    assert len(ids["openai-2023-11"]) == 32
    assert int(ids["openai-2023-11"], 16) >= 0
    assert ids["openai-2024-08"].startswith("req_")


def test_perplexity_has_no_models_and_no_headers_of_openai():
    """Its chat API has one operation."""
    app = app_of("perplexity")
    assert asked(app, "GET", "/v1/models")[0] == 404
    _, headers, _ = asked(app, "POST", "/chat/completions", ASKED)
    assert not [name for name in headers if name.startswith(("openai-", "x-ratelimit"))]
