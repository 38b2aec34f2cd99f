"""Requests that are known again: the same bytes at less cost, within bounds, and nobody's to change."""

import gc
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from mockchat.contract.contract import contract_for
from mockchat.contract.profile import load_profile
from mockchat.exchange import Incoming, Outcome
from mockchat.payloads.plans import by_word, chunks_of
from mockchat.payloads.requests import make_request
from mockchat.payloads.seeded import SeededDraw
from mockchat.scripting.builders import (
    choices,
    error,
    generated,
    message,
    refusal,
    text,
    tool_call,
    unchecked,
)
from mockchat.scripting.faults_connection import CutStream
from mockchat.scripting.faults_events import DuplicateChunk
from mockchat.scripting.faults_timing import Pacing
from mockchat.scripting.script import Script
from mockchat.scripting.scripts import Scripts
from mockchat.server.app import App
from mockchat.server.memory import Memory
from mockchat.server.settings import Settings

CHAT = "/v1/chat/completions"
HI = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
CONTRACT = contract_for()


class Served:
    """An app with one script, or none, and what it answered."""

    def __init__(self, *written, size=None, unmatched="fail", profile="openai", **settings):
        scripts = Scripts()
        contract = contract_for(profile)
        self.script = (
            Script(contract, unmatched=unmatched) if written or unmatched == "fail" else None
        )
        path = CHAT
        if self.script is not None:
            path = f"/{scripts.open(self.script)}{CHAT}"
        for reply, options in written:
            self.script.reply(reply, **options).forever()
        self.memory = Memory() if size is None else Memory(size)
        settings = Settings(profile=load_profile(profile), **settings)
        self._app, self._path = App(settings, scripts, memory=self.memory), path

    def ask(self, body, *, path=None, method="POST", **headers):
        """Return the delivery of a request."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        fields = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        incoming = Incoming(method=method, path=path or self._path, headers=fields, body=data)
        ticket = self._app.handle(incoming)
        ticket.finish(Outcome.DELIVERED)
        return ticket.delivery

    def told(self, body, times):
        """Ask as often, and return what is no affair of one exchange alone."""
        deliveries = [self.ask(body) for _ in range(times)]
        said = [(one.status, one.is_stream, one.writes, one.ending) for one in deliveries]
        if self.script is None:
            return said, ()
        same = {"received": 0.0, "answered": 0.0, "finished": None, "delivery": None, "stub": None}
        return said, [replace(one, **same) for one in self.script.journal]


def both(*written, **options):
    """Return the same app twice: as it is, and one that remembers nothing."""
    return Served(*written, **options), Served(*written, size=0, **options)


@pytest.mark.parametrize("kind", ["plain", "wild"])
def test_generated_replies_are_the_same_cold_warm_and_without_memory(kind, proof_count):
    """The purity law says so; a cache must not make it a lie."""
    known, unknown = both(unmatched="generate", kind=kind)
    for seed in range(proof_count(150)):
        body = make_request(CONTRACT, SeededDraw(seed), kind=kind)
        for asked in (body, {**body, "stream": True}):
            warm = known.told(asked, 3)[0]
            assert warm == unknown.told(asked, 3)[0]
            assert warm == [warm[0]] * 3
    assert len(known.memory) > 0
    assert len(unknown.memory) == 0


REPLIES = {
    "text": ("Grüße \u2028 \U0001f600", {}),
    "half a character": ("a \ud83d\ude00 \udc80", {"plan": chunks_of(1)}),
    "text in words": ("one two three", {"plan": by_word(), "finish_reason": "length"}),
    "logprobs": (text("a b", logprobs={"content": [], "refusal": None}), {}),
    "refusal": (refusal("No."), {}),
    "usage": ("a", {"usage": {"prompt_tokens": 7}}),
    "call": (tool_call("f", a=1), {}),
    "message": (message({"content": "a", "annotations": []}), {}),
    "choices": (choices(["a", refusal("b")]), {}),
    "several calls": ([tool_call("f"), tool_call("f")], {}),
    "generated": (generated(), {}),
    "error": (error(429), {}),
    "computed": (lambda request: request["messages"][0]["content"], {}),
    "paced": ("a b c", {"plan": chunks_of(1), "pacing": Pacing(ttft=1.0, inter_token=0.1)}),
    "damaged": ("a b c", {"fault": CutStream(after_chunks=2)}),
    "doubled": ("a b c", {"fault": DuplicateChunk(after_chunks=1)}),
    "no json": (unchecked({"id": 1, "choices": "no"}), {}),
}
ASKED = {
    "whole": {},
    "stream": {"stream": True},
    "with usage": {"stream": True, "stream_options": {"include_usage": True}},
    "without padding": {"stream": True, "stream_options": {"include_obfuscation": False}},
    "logprobs": {"logprobs": True, "top_logprobs": 2},
    "stored": {"store": True, "metadata": {"a": "b"}},
    "two": {"n": 2},
    "moderated": {"moderation": {"model": "omni-moderation-latest"}},
}


@pytest.mark.parametrize("reply", REPLIES)
@pytest.mark.parametrize("asked", ASKED)
def test_scripted_replies_are_the_same_cold_warm_and_without_memory(reply, asked):
    """Bytes and journal, one reply after the other: each has an id and a time of its own."""
    known, unknown = both(REPLIES[reply])
    body = {**HI, "tools": [TOOL], **ASKED[asked]}
    assert known.told(body, 4) == unknown.told(body, 4)


@pytest.mark.parametrize("profile", ["azure", "mistral", "deepseek", "groq", "openai-2023-03"])
@pytest.mark.parametrize("is_stream", [False, True])
def test_every_profile_is_the_same_with_memory(profile, is_stream):
    """Vendors draw more than ids, pad otherwise, and begin their streams in other ways."""
    known, unknown = both(("Hello there", {}), profile=profile)
    name = contract_for(profile).profile.models[0].id
    body = {**HI, "model": name, "stream": is_stream}
    assert known.told(body, 4) == unknown.told(body, 4)


def test_repeats_that_may_vary_are_counted_still():
    """`vary_repeats` lets a retry meet another reply; remembering the first would undo it."""
    known, unknown = both(unmatched="generate", vary_repeats=True)
    said, _ = known.told(HI, 4)
    assert said == unknown.told(HI, 4)[0]
    assert said[0] != said[1]


def test_what_a_caller_changes_is_changed_for_that_caller_alone():
    """A callable that tidies up the request it is given must not answer the next one."""

    def spoil(request):
        text = request["messages"][0]["content"]
        request["messages"][0]["content"] = "spoilt"
        request["messages"].append({"role": "user", "content": "more"})
        return text

    served = Served((spoil, {}))
    texts = [json.loads(served.ask(HI).body)["choices"][0]["message"]["content"] for _ in range(4)]
    assert texts == ["hi"] * 4


def test_a_condition_that_changes_the_request_changes_no_other_one():
    """Predicates are given the request as well."""
    seen = []

    def spoil(request):
        seen.append(json.dumps(request))
        request["messages"].clear()
        return True

    scripts = Scripts()
    script = Script(CONTRACT)
    script.when(where=spoil).reply("a").forever()
    app = App(Settings(), scripts)
    path = f"/{scripts.open(script)}{CHAT}"
    for _ in range(3):
        app.handle(Incoming(method="POST", path=path, body=json.dumps(HI).encode()))
    assert seen == [json.dumps(HI)] * 3


@pytest.mark.parametrize("asked", [{}, {"stream": True}], ids=["whole", "stream"])
@pytest.mark.parametrize("unmatched", ["fail", "generate"])
def test_what_a_test_changes_in_the_journal_is_in_no_other_exchange(asked, unmatched):
    """Tests take exchanges apart; the next reply must not be made of the pieces."""
    options = {"unmatched": unmatched}
    written = [("Hello there", {})] if unmatched == "fail" else []
    served, fresh = Served(*written, **options), Served(*written, size=0, **options)
    body = {**HI, **asked, "stream_options": {"include_usage": True}} if asked else HI
    said = []
    for _ in range(4):
        delivery = served.ask(body)
        said.append(delivery.writes)
        if served.script is not None:
            exchange = served.script.journal.last
            exchange.reply["choices"][0]["message"]["content"] = "spoilt"
            exchange.reply["usage"]["total_tokens"] = -1
            exchange.request["messages"].clear()
            for chunk in exchange.chunks:
                chunk["choices"].clear()
                (chunk.get("usage") or {}).clear()
    assert said == [fresh.ask(body).writes for _ in range(4)]


def test_what_is_stored_is_nobody_elses():
    """A stored completion is updated and deleted by requests; its twin is not."""
    served, fresh = both(("Hello", {}))
    body = {**HI, "store": True}
    for one in (served, fresh):
        first = json.loads(one.ask(body).body)["id"]
        one.ask({"metadata": {"a": "b"}}, path=f"{one._path}/{first}")
    assert served.told(body, 3)[0] == fresh.told(body, 3)[0]


def test_a_content_type_that_is_no_json_is_not_forgotten():
    """What was found out about the body does not excuse its header."""
    served = Served(("a", {}))
    assert [served.ask(HI).status for _ in range(2)] == [200, 200]
    assert served.ask(HI, content_type="text/plain").status == 400
    assert served.ask(HI, content_type="application/json").status == 200


def test_what_breaks_the_contract_is_told_each_time():
    """Only requests without fault are remembered, so that no error and no note is lost."""
    served = Served(("a", {}), validation="warn")
    doubled = (
        b'{"model": "gpt-4o", "model": "gpt-4o", "messages": [{"role": "user", "content": ""}]}'
    )
    for _ in range(3):
        served.ask({**HI, "n": "no"})
        served.ask(doubled)
    assert len(served.memory) == 0
    rules = [{found.rule for found in one.violations} for one in served.script.journal]
    assert rules == [{"schema.type"}, {"wire.duplicate-key"}] * 3


def test_paths_are_told_apart():
    """The deployment in a path names the model, not the body."""
    served = Served(unmatched="generate", profile="azure")
    paths = [f"/openai/deployments/{name}/chat/completions" for name in ("gpt-4o", "gpt-4.1")]
    models = [
        json.loads(served.ask(HI, path=path).body)["model"] for _ in range(2) for path in paths
    ]
    assert models[:2] == models[2:]
    assert models[0] != models[1]


def test_memory_is_bounded_in_bytes():
    """A load test asks a million different questions, some of them large."""
    limit = 100_000
    served = Served(unmatched="generate", size=limit)
    for number in range(200):
        served.ask({**HI, "messages": [{"role": "user", "content": str(number) * 100}]})
        assert 0 < served.memory.size <= limit
    assert 10 < len(served.memory) < 200
    before = len(served.memory)
    served.ask({**HI, "messages": [{"role": "user", "content": "x" * limit}]})
    assert len(served.memory) == before


@pytest.mark.parametrize("asked", [{}, {"stream": True}], ids=["whole", "stream"])
def test_what_is_written_of_scripted_replies_counts(asked):
    """A long reply takes its room, when it is sent again and from then on."""
    served = Served(("word " * 5000, {"plan": chunks_of(1)}))
    body, sizes = {**HI, **asked}, []
    for _ in range(4):
        served.ask(body)
        sizes.append(served.memory.size)
    assert sizes[0] < 10_000
    assert 25_000 < sizes[1] == sizes[2] == sizes[3]


def test_memory_is_bounded_in_number_and_the_oldest_go_first():
    """Small requests have a price as well."""
    memory = Memory(10**9)
    for number in range(5000):
        memory.keep(CHAT, str(number).encode())
        memory.get(CHAT, b"0")
    assert len(memory) == 4096
    assert memory.get(CHAT, b"0") is not None
    assert memory.get(CHAT, b"1") is None
    forgotten = memory.keep(CHAT, b"2")
    for number in range(5000):
        memory.keep("/other", str(number).encode())
    before = memory.size
    memory.grow(CHAT, forgotten, 10**6)
    assert memory.size == before
    memory.keep("/other", b"4999")
    assert memory.size == before


def test_replies_of_one_request_are_bounded():
    """A suite asks the same question in a thousand tests, each with a script of its own."""
    scripts, app = Scripts(), None
    app = App(Settings(), scripts)
    for number in range(30):
        script = Script(CONTRACT)
        script.reply(f"reply {number}").times(2)
        token = scripts.open(script)
        for _ in range(2):
            incoming = Incoming(method="POST", path=f"/{token}{CHAT}", body=json.dumps(HI).encode())
            body = json.loads(app.handle(incoming).delivery.body)
            assert body["choices"][0]["message"]["content"] == f"reply {number}"
        scripts.close(token)
    (known,) = app._service.memory._known.values()
    assert len(known._ready) == 8


def test_no_credential_is_remembered():
    """Memory outlives the exchange, so what it holds must be no secret."""
    served = Served(unmatched="generate")
    for _ in range(2):
        served.ask(HI, authorization="Bearer sk-very-secret", x_api_key="sk-very-secret")
    met, waiting = set(), [served.memory]
    while waiting:
        one = waiting.pop()
        if id(one) in met or isinstance(one, type) or callable(one) or hasattr(one, "__loader__"):
            continue
        met.add(id(one))
        assert "sk-very-secret" not in (one if isinstance(one, str) else "")
        assert b"sk-very-secret" not in (one if isinstance(one, bytes) else b"")
        waiting += gc.get_referents(one)
    assert len(met) > 10


@pytest.mark.parametrize("unmatched", ["fail", "generate"])
def test_threads_get_the_same_bytes(unmatched):
    """Several clients ask the same question at once, while it is being remembered."""
    written = [("Hello there", {})] if unmatched == "fail" else []
    served, fresh = (Served(*written, unmatched=unmatched, size=size) for size in (None, 0))
    bodies = [{**HI, "stream": number % 2 == 0, "seed": number % 3} for number in range(48)]
    with ThreadPoolExecutor(8) as pool:
        together = [one.writes for one in pool.map(served.ask, bodies)]
    alone = [one.writes for one in map(fresh.ask, bodies)]
    if unmatched == "generate":
        assert together == alone
    else:  # which reply of its stub a request gets is a matter of time
        assert {_without_padding(each) for each in together} == {
            _without_padding(each) for each in alone
        }


def _without_padding(writes):
    """Return the texts of a delivery without what is drawn for each reply."""
    data = b"".join(write.data for write in writes)
    if data.startswith(b"{"):
        return json.dumps(json.loads(data)["choices"])
    chunks = [json.loads(event[6:]) for event in data.split(b"\n\n")[:-2]]
    return json.dumps([chunk["choices"] for chunk in chunks])
