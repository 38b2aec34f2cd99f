"""A live server for each vendor, asked over a socket and through OpenAI's own client."""

import http.client
import json

import openai
import pytest
from vendors import VENDORS, wrong

from mockchat.contract.contract import contract_for
from mockchat.contract.profile import load_profile
from mockchat.contract.stream_framing import FramingJudge
from mockchat.scripting.scripts import Scripts
from mockchat.server.app import App
from mockchat.server.settings import Settings
from mockchat.server.werkzeug_server import LiveServer

HI = [{"role": "user", "content": "Hi"}]
BASES = {
    "azure": "/openai/v1",
    "deepseek": "",
    "gemini": "/v1beta/openai",
    "groq": "/openai/v1",
    "openrouter": "/api/v1",
}
"""Where the vendors answer; all others do so at /v1."""

COMMENTS = {
    "deepseek": b": keep-alive\n\n",
    "litellm": b": ping\n\n",
    "openrouter": b": OPENROUTER PROCESSING\n\n",
}


@pytest.fixture(scope="module")
def live():
    """Give a server of a profile, started once and stopped at the end."""
    servers = {}

    def serving(name, **options):
        key = (name, *sorted(options.items()))
        if key not in servers:
            settings = Settings(profile=load_profile(name), **options)
            servers[key] = LiveServer(App(settings, Scripts())).start()
        return servers[key]

    yield serving
    for server in servers.values():
        server.stop()


def asked(server, path, body=None, method="POST", **headers):
    """Return the answer to one raw request: its status, fields and bytes."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    data = None if body is None else json.dumps(body)
    sent = {"content-type": "application/json", **headers} if data else headers
    connection.request(method, path, data, sent)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, dict(answer.getheaders()), content


def model_of(name):
    """Return a model the vendor lists."""
    return load_profile(name).models[0].id


@pytest.mark.parametrize("name", VENDORS)
def test_a_plain_call_is_answered_where_the_vendor_answers(name, live):
    """A base URL copied from production must work with nothing but another host."""
    contract = contract_for(name)
    request = {"model": model_of(name), "messages": HI}
    status, _, content = asked(live(name), f"{BASES.get(name, '/v1')}/chat/completions", request)
    completion = json.loads(content)
    assert status == 200
    for level in ("observed", "documented"):
        assert wrong(contract.violations("response", completion, level=level)) == []
    assert wrong(contract.exchange_violations(request, completion)) == []


@pytest.mark.parametrize("name", VENDORS)
def test_a_streamed_call_is_what_the_vendor_streams(name, live):
    """Bytes and events are judged as a client gets them, comments and empty chunks included."""
    contract = contract_for(name)
    request = {"model": model_of(name), "messages": HI, "stream": True}
    status, fields, content = asked(live(name), "/v1/chat/completions", request)
    assert status == 200
    framing = FramingJudge(
        contract.profile.settings, level="documented", content_type=fields["content-type"]
    )
    judge = contract.stream_judge(request=request, level="documented")
    texts = [line[6:] for line in content.decode().split("\n") if line.startswith("data: ")]
    events = [text if text == "[DONE]" else json.loads(text) for text in texts]
    found = [*framing.feed(content), *framing.finish()]
    found += [violation for event in events for violation in judge.feed(event)]
    assert wrong([*found, *judge.finish()]) == []
    assert content.startswith(COMMENTS.get(name, b"data: "))
    assert (events[0]["choices"] == []) is (name == "azure")


@pytest.mark.parametrize("name", VENDORS)
def test_the_openai_client_speaks_to_every_vendor(name, live):
    """It is what most of their users hold in their hands."""
    base = BASES.get(name, "/v1")
    client = openai.OpenAI(base_url=f"{live(name).url}{base}", api_key="sk-any", max_retries=0)
    with client:
        completion = client.chat.completions.create(model=model_of(name), messages=HI)
        assert completion.choices[0].message.content
        said = [
            chunk.choices[0].delta.content or ""
            for chunk in client.chat.completions.create(
                model=model_of(name), messages=HI, stream=True
            )
            if chunk.choices
        ]
        assert "".join(said)
        assert model_of(name) in {model.id for model in client.models.list()}
        status = 422 if name in {"deepseek", "mistral"} else 400
        with pytest.raises(openai.APIStatusError) as refused:
            client.chat.completions.create(model=model_of(name), messages=HI, temperature="hot")
        assert refused.value.status_code == status


class TestAzure:
    """Deployments, the api-key header, the client of its own."""

    PATH = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"

    @pytest.fixture
    def server(self, live):
        """Give a server that accepts one key and knows its deployments."""
        return live("azure", api_keys=("azure-key",), models="known")

    def client(self, server, **options):
        """Return Azure's client of the official package."""
        key = {"api_key": "azure-key", "api_version": "2024-10-21", "max_retries": 0}
        return openai.AzureOpenAI(azure_endpoint=server.url, **(key | options))

    def test_its_client_talks_to_deployments(self, server):
        """It puts the deployment into the path and the key into its own header."""
        with self.client(server) as client:
            completion = client.chat.completions.create(model="gpt-4o", messages=HI)
            assert completion.model == "gpt-4o-2024-08-06"
            assert completion.prompt_filter_results[0]["prompt_index"] == 0
            assert completion.choices[0].content_filter_results["hate"]["severity"] == "safe"
            chunks = list(
                client.chat.completions.create(
                    model="gpt-4o",
                    messages=HI,
                    stream=True,
                    stream_options={"include_usage": True},
                )
            )
        first, role, *_, usage = chunks
        assert (first.id, first.choices, first.object) == ("", [], "")
        assert first.prompt_filter_results[0]["content_filter_results"]
        assert role.choices[0].content_filter_results == {}
        assert usage.usage.total_tokens > usage.usage.completion_tokens
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)

    def test_its_client_sees_a_missing_deployment(self, server):
        """The first mistake everyone makes with Azure."""
        with self.client(server) as client, pytest.raises(openai.NotFoundError) as missing:
            client.chat.completions.create(model="gpt-9", messages=HI)
        assert missing.value.code == "DeploymentNotFound"
        assert "param" not in missing.value.body

    def test_its_client_sees_a_wrong_key(self, server):
        """The second."""
        with (
            self.client(server, api_key="wrong") as client,
            pytest.raises(openai.AuthenticationError) as refused,
        ):
            client.chat.completions.create(model="gpt-4o", messages=HI)
        assert refused.value.body.keys() == {"code", "message"}
        assert refused.value.code == "401"

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"api-key": "azure-key"}, 200),
            ({"authorization": "Bearer azure-key"}, 200),
            ({"api-key": "wrong", "authorization": "Bearer azure-key"}, 401),
            ({"x-api-key": "azure-key"}, 401),
            ({}, 401),
        ],
    )
    def test_a_key_comes_in_either_header(self, headers, status, server):
        """Keys in `api-key`, Entra tokens as bearer."""
        assert asked(server, self.PATH, {"messages": HI}, **headers)[0] == status

    def test_the_path_decides_which_model_answers(self, server):
        """A model in the body is ignored there, and may be missing."""
        key = {"api-key": "azure-key"}
        for body in ({"messages": HI}, {"messages": HI, "model": "gpt-9"}):
            _, _, content = asked(server, self.PATH, body, **key)
            assert json.loads(content)["model"] == "gpt-4o-2024-08-06"

    def test_its_headers_count_in_seconds(self, server):
        """A client that reads durations there crashes on Azure."""
        _, fields, _ = asked(server, self.PATH, {"messages": HI}, **{"api-key": "azure-key"})
        assert fields["x-ratelimit-reset-requests"].isdecimal()
        assert fields["apim-request-id"] == fields["x-request-id"]
        assert "openai-version" not in fields


def test_vllm_counts_in_every_chunk_when_asked(live):
    """Its clients show the counts while the text is written."""
    body = {
        "model": "facebook/opt-125m",
        "messages": HI,
        "stream": True,
        "stream_options": {"include_usage": True, "continuous_usage_stats": True},
    }
    _, _, content = asked(live("vllm"), "/v1/chat/completions", body)
    texts = [line[6:] for line in content.decode().split("\n") if line.startswith("data: {")]
    chunks = [json.loads(text) for text in texts]
    assert all(chunk["usage"]["prompt_tokens"] for chunk in chunks)
    judge = contract_for("vllm").stream_judge(request=body)
    assert wrong(violation for chunk in chunks for violation in judge.feed(chunk)) == []


def test_vllm_answers_without_a_model(live):
    """A server of one model needs no name."""
    _, _, content = asked(live("vllm"), "/v1/chat/completions", {"messages": HI})
    assert json.loads(content)["model"] == "Qwen/Qwen3-8B"


def test_stored_completions_are_openais_alone(live):
    """A vendor's server knows no such path, and a client that relies on it must hear so."""
    status, _, content = asked(live("groq"), "/v1/chat/completions", method="GET")
    assert status == 405
    assert json.loads(content)["error"]["type"] == "invalid_request_error"


def test_mistral_streams_padding_of_no_rule(live):
    """A client that forbids members it does not know breaks on it."""
    body = {"model": "mistral-tiny", "messages": HI, "stream": True}
    _, _, content = asked(live("mistral"), "/v1/chat/completions", body)
    chunks = [json.loads(line[6:]) for line in content.decode().split("\n") if '{"id"' in line]
    assert "p" not in chunks[0]
    assert all("abcdefghijklmnopqrstuvwxyz0123456789".startswith(each["p"]) for each in chunks[1:])
    assert chunks[-1]["usage"]["total_tokens"]
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


def test_groq_tells_its_own_at_both_ends(live):
    """Its client reads the counts from `x_groq` in the last chunk."""
    body = {"model": "llama3-8b-8192", "messages": HI, "stream": True}
    _, _, content = asked(live("groq"), "/openai/v1/chat/completions", body)
    chunks = [json.loads(line[6:]) for line in content.decode().split("\n") if '{"id"' in line]
    first, last = chunks[0]["x_groq"], chunks[-1]["x_groq"]
    assert first["id"] == last["id"]
    assert "usage" not in first
    assert last["usage"]["total_tokens"]
    assert not any("x_groq" in chunk for chunk in chunks[1:-1])


def test_openrouter_counts_behind_the_finish(live):
    """A client that stops at the finish reason never learns the cost."""
    body = {"model": "moonshotai/kimi-k2", "messages": HI, "stream": True}
    body["stream_options"] = {"include_usage": True}
    _, _, content = asked(live("openrouter"), "/api/v1/chat/completions", body)
    chunks = [json.loads(line[6:]) for line in content.decode().split("\n") if '{"id"' in line]
    finish, counts = chunks[-2], chunks[-1]
    assert finish["choices"][0]["finish_reason"] == "stop"
    assert finish["choices"][0]["native_finish_reason"] == "stop"
    assert counts["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert counts["usage"]["cost"] >= 0
