"""Limits at the door: the API's words and fields, and nothing counted unless asked for."""

import json
import re

import pytest

from mockchat.contract.contract import contract_for
from mockchat.contract.profile import load_profile, profile_names
from mockchat.errors import BadArgument
from mockchat.exchange import Incoming, Outcome, header
from mockchat.scripting.builders import error, unchecked
from mockchat.scripting.quotas import Limits
from mockchat.scripting.script import Script
from mockchat.scripting.scripts import Scripts
from mockchat.server.app import App
from mockchat.server.script_options import check_options
from mockchat.server.settings import Settings

BODY = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello!"}]}


class Clock:
    """Time that passes when a test says so."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        """Return the time in seconds."""
        return self.now


@pytest.fixture(name="clock")
def _clock():
    """Give a clock that stands."""
    return Clock()


def app_of(scripts=None, profile="openai", validation="strict", **limits):
    """Make an app with limits."""
    settings = Settings(
        profile=load_profile(profile), validation=validation, limits=Limits(**limits)
    )
    return App(settings, scripts or Scripts())


def ask(app, body=BODY, *, key="sk-one", path="/v1/chat/completions", more=()):
    """Return status, fields and decoded body of one request."""
    headers = (("authorization", f"Bearer {key}"), ("content-type", "application/json"), *more)
    incoming = Incoming(method="POST", path=path, headers=headers, body=json.dumps(body).encode())
    ticket = app.handle(incoming)
    ticket.finish(Outcome.DELIVERED)
    delivery = ticket.delivery
    is_json = header(delivery.headers, "content-type") == "application/json"
    fields = dict(delivery.headers)
    return delivery.status, fields, json.loads(delivery.body) if is_json else None


def limits_in(fields):
    """Return the rate-limit fields without their common beginning."""
    return {
        name.removeprefix("x-ratelimit-"): value
        for name, value in fields.items()
        if name.startswith("x-ratelimit-")
    }


def test_a_request_too_many_is_told_to_wait_in_the_apis_words(clock):
    """Clients show this text, read these fields, and branch on type and code."""
    app = app_of(requests=2, clock=clock)
    assert [ask(app)[0] for _ in range(2)] == [200, 200]
    clock.now = 10.5
    status, fields, body = ask(app)
    assert status == 429
    assert body == {
        "error": {
            "message": (
                "Rate limit reached for gpt-4o-mini in organization org-mockchat on requests per "
                "min (RPM): Limit 2, Used 2, Requested 1. Please try again in 19.5s. Visit "
                "https://platform.openai.com/account/rate-limits to learn more."
            ),
            "type": "requests",
            "param": None,
            "code": "rate_limit_exceeded",
        }
    }
    assert (fields["retry-after"], fields["retry-after-ms"]) == ("20", "19500")
    assert limits_in(fields) == {
        "limit-requests": "2",
        "remaining-requests": "0",
        "reset-requests": "49.5s",
        "limit-tokens": "2000000",
        "remaining-tokens": "2000000",
        "reset-tokens": "0s",
    }
    clock.now += 19.5
    assert ask(app)[0] == 200


def test_every_reply_tells_how_the_limits_stand(clock):
    """Clients that pace themselves read them from successes and errors alike."""
    scripts = Scripts()
    app = app_of(scripts, requests=10, tokens=1000, clock=clock)
    script = Script(unmatched="fail")
    path = f"/{scripts.open(script)}/v1/chat/completions"
    script.reply("Hi!", usage={"prompt_tokens": 40, "completion_tokens": 10}).then(error(503))
    _, fields, _ = ask(app, path=path)
    assert limits_in(fields) == {
        "limit-requests": "10",
        "remaining-requests": "9",
        "reset-requests": "6s",
        "limit-tokens": "1000",
        "remaining-tokens": "950",
        "reset-tokens": "3s",
    }
    status, fields, _ = ask(app, path=path)
    assert (status, fields["x-ratelimit-remaining-requests"]) == (503, "8")
    assert fields["x-ratelimit-remaining-tokens"] == "950"
    status, fields, _ = ask(app, path=path)  # no stub is left
    assert (status, fields["x-ratelimit-remaining-requests"]) == (400, "7")
    status, fields, _ = ask(app, {"model": 5}, path=path)  # refused before it is counted
    assert (status, limits_in(fields)) == (400, {})


def test_tokens_asked_for_count_until_the_reply_is_there(clock):
    """`max_tokens` far above the need is what makes real clients hit the token limit."""
    app = app_of(tokens=2000, clock=clock)
    asked = {**BODY, "max_tokens": 900, "n": 2}
    assert ask(app, asked)[0] == 200
    status, fields, body = ask(app, {**asked, "n": 3})
    assert status == 429
    assert body["error"]["type"] == "tokens"
    assert re.search(
        r"on tokens per min \(TPM\): Limit 2000, Requested 27\d\d\. The input or output tokens "
        r"must be reduced",
        body["error"]["message"],
    )
    assert "retry-after" not in fields
    answered = [ask(app, asked) for _ in range(30)]
    refused = next(one for one in answered if one[0] == 429)
    assert re.search(
        r"on tokens per min \(TPM\): Limit 2000, Used \d+, Requested 18\d\d\. Please try again in",
        refused[2]["error"]["message"],
    )


@pytest.mark.parametrize(
    ("window", "rate"),
    [
        (60, "requests per min (RPM)"),
        (86400, "requests per day (RPD)"),
        (3600, "requests per hour (RPH)"),
        (0.05, "requests per 50ms"),
    ],
)
def test_the_window_is_named(window, rate, clock):
    """The service limits by the day too; tests want windows of milliseconds."""
    app = app_of(requests=1, window=window, clock=clock)
    ask(app)
    assert f"org-mockchat on {rate}: Limit 1" in ask(app)[2]["error"]["message"]


@pytest.mark.parametrize("total", ["many", None, -5, 1.5, True])
def test_usage_that_is_no_number_counts_as_none(total, clock):
    """What a test sends unchecked must reach its client, not break the server's own count."""
    scripts = Scripts()
    app = app_of(scripts, tokens=100, clock=clock)
    script = Script()
    path = f"/{scripts.open(script)}/v1/chat/completions"
    script.reply(unchecked({"id": "x", "choices": [], "usage": {"total_tokens": total}}))
    status, fields, body = ask(app, path=path)
    assert (status, body["usage"]["total_tokens"]) == (200, total)
    assert fields["x-ratelimit-remaining-tokens"] == "100"
    script.verify()


def test_a_plan_that_is_used_up_is_no_matter_of_waiting(clock):
    """`insufficient_quota` is a 429 too, and the one that must not be retried."""
    app = app_of(total_tokens=1, clock=clock)
    assert ask(app)[0] == 200
    clock.now = 10**9
    status, fields, body = ask(app)
    assert (status, body["error"]["code"]) == (429, "insufficient_quota")
    assert "retry-after" not in fields


def test_a_conversation_too_long_for_the_model_is_refused():
    """The error that agents must answer by cutting their history."""
    long = {**BODY, "messages": [{"role": "user", "content": "word " * 300}]}
    status, _, body = ask(app_of(context_window=256), long)
    assert (status, body["error"]["code"], body["error"]["param"]) == (
        400,
        "context_length_exceeded",
        "messages",
    )
    assert re.match(
        r"This model's maximum context length is 256 tokens\. However, your messages resulted in "
        r"3\d\d tokens\.",
        body["error"]["message"],
    )
    assert ask(app_of(context_window=256))[0] == 200
    by_model = app_of(context_window="model")
    long["messages"][0]["content"] = "word " * 9000
    assert ask(by_model, {**long, "model": "gpt-4"})[0] == 400
    assert ask(by_model, long)[0] == 200
    assert ask(by_model, {**long, "model": "my-own"})[0] == 200


def test_keys_are_told_apart_and_scripts_too(clock):
    """One client's flood must not fail another's test."""
    scripts = Scripts()
    app = app_of(scripts, requests=1, clock=clock)
    assert [ask(app, key=key)[0] for key in ("a", "b", "a")] == [200, 200, 429]
    for _ in range(2):
        script = Script(unmatched="generate")
        path = f"/{scripts.open(script)}/v1/chat/completions"
        assert [ask(app, path=path)[0] for _ in range(2)] == [200, 429]
        assert [exchange.status for exchange in script.journal] == [200, 429]
    app = app_of(requests=1, per="all", clock=clock)
    assert [ask(app, key=key)[0] for key in ("a", "b")] == [200, 429]
    app = app_of(requests=1, clock=clock)
    keys = [(("api-key", "x"),), (("api-key", "y"),), (("cookie", "other"),), ()]
    assert [ask(app, more=more)[0] for more in keys] == [200, 200, 200, 429]


def test_a_refused_request_takes_no_reply_of_its_stub(clock):
    """The retry must find the reply that the first try was refused."""
    scripts = Scripts()
    app = app_of(scripts, requests=1, clock=clock)
    script = Script()
    path = f"/{scripts.open(script)}/v1/chat/completions"
    script.reply("first").then("second")
    assert [ask(app, path=path)[0] for _ in range(2)] == [200, 429]
    clock.now = 60
    assert ask(app, path=path)[2]["choices"][0]["message"]["content"] == "second"
    script.verify()


def test_streams_count_as_other_replies_do(clock):
    """Half of all clients stream."""
    app = app_of(requests=5, tokens=10_000, clock=clock)
    _, whole, body = ask(app)
    status, fields, _ = ask(app, {**BODY, "stream": True})
    assert (status, fields["x-ratelimit-remaining-requests"]) == (200, "3")
    used = [10_000 - int(one["x-ratelimit-remaining-tokens"]) for one in (whole, fields)]
    assert used[0] == body["usage"]["total_tokens"]
    assert used[1] > used[0]


@pytest.mark.parametrize("profile", profile_names())
def test_every_profile_can_say_its_limits(profile, clock):
    """Vendors say the same with other words; what is answered must be an error of theirs."""
    contract = contract_for(profile)
    request = {**BODY, "model": contract.profile.models[0].id if contract.profile.models else "m"}
    long = {**request, "messages": [{"role": "user", "content": "word " * 300}]}
    for limits, body, is_let_in_once in (
        ({"requests": 1}, request, True),
        ({"tokens": 200}, long, False),
        ({"total_tokens": 1}, request, True),
        ({"context_window": 200}, long, False),
    ):
        app = app_of(profile=profile, validation="off", clock=clock, **limits)
        path = next(iter(paths_of(contract)))
        once, again = (ask(app, body, path=path) for _ in range(2))
        assert (once[0] == 200) == is_let_in_once
        assert again[0] >= 400
        assert contract.violations("error", again[2]) == ()


def paths_of(contract):
    """Return the paths of the chat operation, behind the first server of the document."""
    document = contract.profile.documents["openapi"]
    prefix = re.sub(r"^https?://[^/]*", "", document.get("servers", [{"url": ""}])[0]["url"])
    for path, item in document["paths"].items():
        if item.get("post", {}).get("operationId", "").endswith("ChatCompletion"):
            yield (
                (prefix.rstrip("/") + path)
                .replace("{deployment}", "gpt-4o")
                .replace("{deployment-id}", "gpt-4o")
            )


def test_without_limits_nothing_is_counted():
    """The purity law: a server without limits answers the millionth request as the first."""
    app = App(Settings(), Scripts())
    fields = [limits_in(ask(app)[1]) for _ in range(3)]
    assert fields[0] == fields[2]
    assert fields[0]["remaining-requests"] == "9999"


def test_an_option_that_is_no_limit_is_refused():
    """A dict would be ignored in silence, were it not for this."""
    with pytest.raises(BadArgument, match=r"limits is .*; allowed: such as Limits\(requests=3"):
        check_options({"limits": {"requests": 3}})
    check_options({"limits": Limits(requests=3)})
