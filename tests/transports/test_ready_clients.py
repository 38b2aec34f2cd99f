"""Clients without a socket: what they reach, what they cost nothing for, and what they refuse."""

import asyncio
import gc
import subprocess
import sys
import threading
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import httpx
import httpx2
import openai
import pytest
from both_ways import BODY, REQUESTS, script, settled

import mockchat as package
from mockchat import (
    Ability,
    BadArgument,
    CannotPlay,
    CutStream,
    LateRequest,
    MissingPackage,
    MockServer,
    Pacing,
    Script,
    chunks_of,
    contract_for,
    together,
)
from mockchat.server.transports import libraries
from mockchat.server.transports.clients import ClientOptions
from mockchat.server.transports.libraries import http_library, openai_package, usual_library
from mockchat.server.unscripted import ServiceOptions

PROJECT = Path(__file__).parents[2]
OPTIONS = ", ".join(ClientOptions.__annotations__)


@pytest.fixture(name="chat")
def _chat():
    """Give the script of a server that is never started: no port, no thread."""
    with MockServer().script() as chat:
        yield chat


def test_an_openai_client_reaches_its_script(chat):
    """The shortest test there is: one line to answer, one to ask."""
    chat.reply("It is 4 °C in Oslo.")
    completion = chat.client().chat.completions.create(**BODY)
    assert completion.choices[0].message.content == "It is 4 °C in Oslo."
    assert chat.journal.last.request == BODY


def test_an_async_openai_client_reaches_its_script(chat):
    """The same on an event loop, piece by piece."""
    chat.reply("Hello, world", plan=chunks_of(5), pacing=Pacing(inter_token=0.001))

    async def pieces():
        stream = await chat.async_client().chat.completions.create(**REQUESTS["stream"])
        return [chunk.choices[0].delta.content async for chunk in stream]

    assert [piece for piece in asyncio.run(pieces()) if piece] == ["Hello", ", wor", "ld"]


@pytest.mark.parametrize("home", [httpx, httpx2], ids=lambda home: home.__name__)
def test_http_clients_are_of_the_library_asked_for(chat, home):
    """Code that checks the type of what it is given must not notice."""
    assert type(chat.http_client(home.__name__)) is home.Client
    assert type(chat.async_http_client(home.__name__)) is home.AsyncClient


def test_unless_said_the_library_is_that_of_the_openai_package(chat):
    """A client of the other one is refused by the package."""
    assert isinstance(chat.http_client(), openai.DefaultHttpxClient.__base__)
    own = openai.OpenAI(api_key="any", http_client=chat.http_client())
    chat.reply("Hello")
    assert own.chat.completions.create(**BODY).choices[0].message.content == "Hello"


@pytest.mark.parametrize("url", ["https://api.openai.com/v1", "https://eu.api.openai.com/v1"])
def test_whatever_url_is_asked_the_script_answers(chat, url):
    """Code with a base URL of its own needs no change, and nothing gets out to it."""
    chat.reply("Hello")
    answer = chat.http_client().post(f"{url}/chat/completions", json=BODY)
    assert answer.status_code == 200
    assert chat.journal.last.path == "/v1/chat/completions"


def test_a_token_in_the_url_goes_before_the_client_s_own(chat):
    """A base URL of a test leads to that test, by whichever client it is asked."""
    with MockServer().script() as other:
        other.client()
    answer = chat.http_client().get(f"{other.base_url}/models")
    assert answer.status_code == 410


def test_a_client_that_outlives_its_test_is_charged():
    """A background task of an earlier test must not eat the next one's replies."""
    server = MockServer()
    with server.script(name="test_early") as chat:
        client = chat.client(max_retries=0)
    with server.script(name="test_next"), pytest.raises(openai.APIStatusError):
        client.chat.completions.create(**BODY)
    assert [type(late) for late in server.late] == [LateRequest]
    assert "test_early" in str(server.late[0])


def test_options_reach_the_clients(chat):
    """Who passes none gets the package's own; who passes one must not be ignored."""
    client = chat.client(max_retries=0, timeout=7, default_headers={"x-note": "n"})
    assert (client.max_retries, client.timeout) == (0, 7)
    assert isinstance(client._client._transport, httpx2.BaseTransport)
    chat.reply("Hello")
    client.chat.completions.create(**BODY)
    assert ("x-note", "n") in chat.journal.last.headers
    plain = chat.http_client(timeout=3, headers={"x-other": "o"}, follow_redirects=True)
    assert plain.timeout == httpx2.Timeout(3)
    assert plain.headers["x-other"] == "o"
    assert plain.follow_redirects


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda chat: chat.client(max_retry=0),
            f"client() option is 'max_retry'; allowed: {OPTIONS}. Did you mean 'max_retries'?",
        ),
        (
            lambda chat: chat.async_client(timout=1),
            f"async_client() option is 'timout'; allowed: {OPTIONS}. Did you mean 'timeout'?",
        ),
        (
            lambda chat: chat.http_client(verify=False),
            "http_client() option is 'verify'; allowed: timeout, headers, follow_redirects.",
        ),
        (
            lambda chat: chat.async_http_client("requests"),
            "async_http_client() library is 'requests'; allowed: 'httpx', 'httpx2' or None.",
        ),
        (
            lambda chat: package.client(unmatched="fail"),
            "option is 'unmatched'; allowed: " + ", ".join(ServiceOptions.__annotations__) + ".",
        ),
        (
            lambda chat: package.client(kind="mild"),
            "kind is 'mild'; allowed: 'plain' or 'wild'. Did you mean 'wild'?",
        ),
    ],
)
def test_a_typo_is_answered_with_what_there_is(chat, make, message):
    """An option that is swallowed makes a test that tests something else."""
    with pytest.raises(BadArgument) as caught:
        make(chat)
    assert str(caught.value) == message


def installed(monkeypatch, **requirements):
    """Pretend that these packages, and no others, are installed."""

    def requires(name):
        if name not in requirements:
            raise PackageNotFoundError(name)
        return requirements[name]

    def import_module(name):
        if name not in requirements:
            raise ModuleNotFoundError(name, name=name)
        return requirements[name]

    monkeypatch.setattr(libraries, "requires", requires)
    monkeypatch.setattr(libraries, "import_module", import_module)
    usual_library.cache_clear()
    monkeypatch.setattr(libraries, "usual_library", usual_library.__wrapped__)


@pytest.mark.parametrize(
    ("requirements", "library"),
    [
        ({"openai": ["anyio<5", "httpx2<3,>=2.12.0"], "httpx2": [], "httpx": ["idna"]}, "httpx2"),
        ({"openai": ["httpx<1,>=0.23.0"], "httpx": ["idna"], "httpx2": ["idna"]}, "httpx"),
        ({"openai": ["httpx<1", "httpx2<3; extra == 'httpx2'"], "httpx": ["idna"]}, "httpx"),
        ({"openai": ["pydantic"], "httpx": ["idna"], "httpx2": ["idna"]}, "httpx2"),
        ({"httpx": ["idna"]}, "httpx"),
        ({}, None),
    ],
)
def test_the_usual_library_follows_what_is_installed(monkeypatch, requirements, library):
    """The package changed its library with version 3, and both may be installed."""
    installed(monkeypatch, **requirements)
    assert libraries.usual_library() == library


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: http_library(None, "http_client()"),
            "http_client() needs httpx or httpx2: pip install httpx2",
        ),
        (
            lambda: http_library("httpx", "http_client()"),
            "http_client() needs the package httpx: pip install httpx",
        ),
        (
            lambda: openai_package("client()"),
            "client() needs the package openai: pip install openai",
        ),
    ],
)
def test_what_is_missing_is_named_with_the_command(monkeypatch, call, message):
    """None of them is a dependency of ours: whoever asks for one must learn how to get it."""
    installed(monkeypatch)
    with pytest.raises(MissingPackage) as caught:
        call()
    assert str(caught.value) == message


def test_an_openai_package_before_version_1_is_told(monkeypatch):
    """It has no client to make."""
    installed(monkeypatch, openai=object())
    with pytest.raises(MissingPackage, match=r"client\(\) needs openai 1 or newer: .*--upgrade"):
        openai_package("client()")


def test_a_package_that_lacks_something_of_its_own_says_so_itself(monkeypatch):
    """A broken installation is not a missing one."""

    def broken(name):
        raise ModuleNotFoundError("idna", name="idna")

    monkeypatch.setattr(libraries, "import_module", broken)
    with pytest.raises(ModuleNotFoundError, match="idna"):
        http_library("httpx", "http_client()")


def test_a_client_needs_no_script():
    """Without any set-up: the same question, the same generated answer, in any process."""
    answers = {
        package.client(seed=3).chat.completions.create(**BODY).choices[0].message.content
        for _ in range(2)
    }
    other = package.client(seed=4).chat.completions.create(**BODY).choices[0].message.content
    assert len(answers) == 1
    assert other not in answers
    assert package.http_client().get("/models").json()["data"]


def test_async_clients_need_no_script_either():
    """Every profile is there, under its own paths."""

    async def run():
        client = package.async_client(profile="perplexity")
        said = await client.chat.completions.create(**{**BODY, "model": "sonar"})
        answer = await package.async_http_client("httpx").get("/models")
        return said, answer

    said, answer = asyncio.run(run())
    assert said.choices[0].message.content
    assert answer.status_code == 200


def test_unscripted_clients_keep_what_was_stored():
    """Equal options are one service: what one client stores, the next one finds."""
    made = package.client(seed=5).chat.completions.create(**BODY, store=True)
    assert package.client(seed=5).chat.completions.retrieve(made.id).id == made.id


def test_an_async_callable_answers_a_client_on_an_event_loop(chat):
    """Its loop cannot be the client's, which waits; it is one of its own."""

    async def say(request):
        await asyncio.sleep(0)
        return request["messages"][0]["content"].upper()

    chat.reply(say).times(2)

    async def ask():
        said = await chat.async_client().chat.completions.create(**BODY)
        return said.choices[0].message.content

    assert asyncio.run(ask()) == "HI"
    assert chat.client().chat.completions.create(**BODY).choices[0].message.content == "HI"


def test_what_was_due_when_a_client_closes_counts_as_sent(chat):
    """A socket takes bytes that nobody reads; a test that counts them must get the same."""
    script(chat)
    with chat.http_client().stream("POST", "/chat/completions", json=REQUESTS["stream"]):
        pass
    assert settled(chat).outcome.value == "delivered"


def test_a_reader_who_is_late_finds_the_rest_waiting(chat):
    """The clock runs since the request, not since the last read."""
    script(chat, pacing=Pacing(delays=[0, 0.001, 0.001], inter_token=60))
    with chat.http_client().stream("POST", "/chat/completions", json=REQUESTS["stream"]) as answer:
        pieces = answer.iter_raw()
        next(pieces)
        threading.Event().wait(0.01)
    assert settled(chat).written == 3


def test_a_stream_that_is_forgotten_is_no_delivery_for_ever(chat):
    """Reading the journal waits for deliveries in flight; one that nobody holds is not."""
    script(chat, pacing=Pacing(inter_token=60))
    stream = chat.client().chat.completions.create(**REQUESTS["stream"])
    next(iter(stream))
    del stream
    gc.collect()
    assert [exchange.outcome.value for exchange in chat.journal] == ["client left"]


@pytest.mark.parametrize("home", [httpx, httpx2], ids=lambda home: home.__name__)
def test_a_cancelled_task_is_a_client_that_left(chat, home):
    """Cancelling is how an async application gives up."""
    script(chat, pacing=Pacing(ttft=60))

    async def run():
        async with chat.async_http_client(home.__name__) as client:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.post("/chat/completions", json=BODY), 0.01)
            return settled(chat).outcome.value

    assert asyncio.run(run()) == "client left"


def test_nothing_is_left_behind(chat):
    """No thread, no task: a suite makes thousands of these."""
    script(chat, pacing=Pacing(inter_token=60), occasion="stream")

    async def run():
        before = asyncio.all_tasks()
        async with chat.async_client() as client:
            stream = await client.chat.completions.create(**REQUESTS["stream"])
            await anext(aiter(stream))
            await stream.close()
        return asyncio.all_tasks() - before

    threads = threading.enumerate()
    assert asyncio.run(run()) == set()
    assert threading.enumerate() == threads


FAULT = CutStream(after_chunks=1, reset=True)
LIMITED = frozenset({Ability.WRITES, Ability.CUT})
REFUSED = (
    "CutStream(after_chunks=1, reset=True) cannot be played here: it needs reset, and of what "
    "faults need, what answers here can do writes, cut. The fixture's own server can do all."
)


def test_a_fault_that_cannot_be_played_is_refused_where_it_is_written():
    """An orderly close in the place of a reset would prove a client that is not proven."""
    limited = Script(contract_for(), abilities=LIMITED)
    with pytest.raises(CannotPlay) as caught:
        limited.reply("Hello", fault=together(FAULT))
    assert str(caught.value) == REFUSED.replace(repr(FAULT), f"together({FAULT!r})")
    with pytest.raises(CannotPlay, match=r"^Pacing\(ttft=1\) cannot be played .* needs timing, "):
        limited.reply("Hello", pacing=Pacing(ttft=1))
    with pytest.raises(CannotPlay, match="can do none of them"):
        Script(contract_for(), abilities=frozenset()).reply("Hello", fault=FAULT)


def test_a_fault_that_a_callable_chose_is_refused_when_it_comes():
    """It was not there to be looked at before."""
    server = MockServer()

    def run():
        with server.script() as chat:
            chat._script.abilities = LIMITED
            chat.reply(lambda request: replace(package.text("Hello"), fault=FAULT))
            with pytest.raises(openai.InternalServerError, match="cannot be played here"):
                chat.client(max_retries=0).chat.completions.create(**BODY)

    with pytest.raises(CannotPlay) as caught:
        run()
    assert str(caught.value) == REFUSED


@pytest.mark.parametrize("major", ["1", "2"])
def test_older_openai_packages_work_without_a_socket(major):
    """They are made on the other library; the fixture must hand out what they take."""
    python = PROJECT / ".venvs" / f"openai-{major}" / "bin" / "python"
    if not python.exists():
        pytest.skip(f"openai {major}.x is not installed: make sdks")
    program = Path(__file__).with_name("older_client.py")
    # Behind its own packages stand ours: what mockchat itself needs is not installed there.
    behind = [path for path in sys.path if "site-packages" in path]
    run = subprocess.run(
        [python, program, str(PROJECT), *behind],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    version, *said = run.stdout.split()
    assert version.startswith(f"{major}.")
    assert said == ["httpx", "Hello", "Hello", "RemoteProtocolError"]
