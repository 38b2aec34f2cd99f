"""The official client against rate limits: it waits as it is told, and then gets its answer."""

import asyncio

import openai
import pytest

from mockchat import Limits

REQUEST = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
WAIT = 0.05


class PatientClock:
    """Time that passes only while a client waits: with every refusal, as long as it was told."""

    def __init__(self):
        self.journal = ()

    def __call__(self):
        """Return the time in seconds."""
        return WAIT * sum(exchange.status == 429 for exchange in self.journal)


@pytest.fixture(name="limited")
def _limited(mockchat_server):
    """Give a script with limits, whose clock follows its journal."""
    opened = []

    def script(**limits):
        clock = PatientClock()
        context = mockchat_server.script(limits=Limits(window=WAIT, clock=clock, **limits))
        mockchat = context.__enter__()
        clock.journal = mockchat.journal._kept
        opened.append(context)
        return mockchat

    yield script
    for context in opened:
        context.__exit__(None, None, None)


def sync(mockchat, count, **options):
    """Ask several times, one after the other; return what was said."""
    client = openai.OpenAI(base_url=mockchat.base_url, api_key="sk-one", **options)
    made = [client.chat.completions.create(**REQUEST) for _ in range(count)]
    return [completion.choices[0].message.content for completion in made]


def asynchronous(mockchat, count, **options):
    """The same with the asyncio client."""

    async def ask():
        async with openai.AsyncOpenAI(
            base_url=mockchat.base_url, api_key="sk-one", **options
        ) as client:
            made = [await client.chat.completions.create(**REQUEST) for _ in range(count)]
        return [completion.choices[0].message.content for completion in made]

    return asyncio.run(ask())


@pytest.mark.parametrize("ask", [sync, asynchronous])
def test_the_client_waits_as_told_and_succeeds(limited, ask):
    """The whole purpose of the fields: no backoff of its own, no error for its user."""
    mockchat = limited(requests=1)
    mockchat.reply("first").then("second").then("third")

    assert ask(mockchat, 3) == ["first", "second", "third"]

    exchanges = list(mockchat.journal)
    assert [exchange.status for exchange in exchanges] == [200, 429, 200, 429, 200]
    assert mockchat.journal.retries == 2
    for refused, retry in ((exchanges[1], exchanges[2]), (exchanges[3], exchanges[4])):
        # A sleep is never shorter than asked for; the client's own backoff starts at 375 ms.
        assert retry.received - refused.received >= WAIT


def test_what_the_client_raises_without_retries(limited):
    """Code that handles the error itself reads status, code and fields from it."""
    mockchat = limited(tokens=20)
    mockchat.reply("first", usage={"prompt_tokens": 8, "completion_tokens": 8})
    client = openai.OpenAI(base_url=mockchat.base_url, api_key="sk-one", max_retries=0)
    client.chat.completions.create(**REQUEST)

    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(**REQUEST)

    assert (caught.value.code, caught.value.type) == ("rate_limit_exceeded", "tokens")
    fields = caught.value.response.headers
    assert 0 < int(fields["retry-after-ms"]) <= WAIT * 1000
    assert fields["retry-after"] == "1"
    assert fields["x-ratelimit-limit-tokens"] == "20"


def test_a_used_up_plan_is_retried_in_vain(limited):
    """The client cannot know better: 429 is 429 to it. Code that should stop must read `code`."""
    mockchat = limited(total_tokens=1)
    mockchat.reply("first")
    client = openai.OpenAI(base_url=mockchat.base_url, api_key="sk-one", max_retries=1)
    client.chat.completions.create(**REQUEST)

    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(**REQUEST)

    assert caught.value.code == "insufficient_quota"
    assert [exchange.status for exchange in mockchat.journal] == [200, 429, 429]


@pytest.mark.mockchat(limits=Limits(requests=2, window=3600, clock=lambda: 0.0))
def test_the_marker_sets_limits(mockchat):
    """The shortest way to a rate limit is one line above the test."""
    mockchat.reply("yes").forever()
    client = openai.OpenAI(max_retries=0)
    said = [client.chat.completions.with_raw_response.create(**REQUEST) for _ in range(2)]
    assert [raw.headers["x-ratelimit-remaining-requests"] for raw in said] == ["1", "0"]
    assert said[0].headers["x-ratelimit-reset-requests"] == "30m0s"
    with pytest.raises(openai.RateLimitError, match="429"):
        client.chat.completions.create(**REQUEST)
