"""Requests that were never seen before, answered by what others had in common with them."""

import json

import pytest

from mockchat.contract.contract import contract_for
from mockchat.exchange import Incoming, Outcome
from mockchat.payloads.plans import by_word
from mockchat.payloads.tokens import approximate_tokens
from mockchat.scripting.builders import choices, refusal, text, tool_call, unchecked
from mockchat.scripting.contents import reply_of
from mockchat.scripting.faults_connection import CutStream
from mockchat.scripting.request_view import RequestView
from mockchat.scripting.script import Script
from mockchat.scripting.scripts import Scripts
from mockchat.server import kin
from mockchat.server.app import App
from mockchat.server.kin import Families, Family, name_of
from mockchat.server.settings import Settings

CHAT = "/v1/chat/completions"
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:,"}}
CONVERSATIONS = [
    [{"role": "user", "content": "Weather in Oslo?"}],
    [{"role": "user", "content": "And in Ankara, which is much farther away?"}],
    [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Grüße \U0001f600"}],
    [{"role": "user", "content": [{"type": "text", "text": "What is that?"}, IMAGE]}],
    [{"role": "developer", "content": "x" * 5000}, {"role": "user", "content": "", "name": "a"}],
    [{"role": "user", "content": "Weather in Oslo?"}],
]
REPLIES = {
    "text": ("Grüße \u2028 \U0001f600", {}),
    "half a character": ("a \ud83d\ude00 \udc80", {}),
    "in words": ("one two three", {"plan": by_word(), "finish_reason": "length"}),
    "logprobs": (text("a b", logprobs={"content": [], "refusal": None}), {}),
    "refusal": (refusal("No."), {}),
    "usage": ("a", {"usage": {"prompt_tokens": 7}}),
    "call": (tool_call("f", a=1), {}),
    "choices": (choices(["a", refusal("b")]), {}),
    "damaged": ("a b c", {"fault": CutStream(after_chunks=2)}),
    "unchecked": (unchecked("a"), {}),
    "computed": (lambda request: str(request["messages"][0]["content"]), {}),
}
ASKED = {
    "whole": {},
    "stream": {"stream": True, "stream_options": {"include_usage": True}},
    "logprobs": {"logprobs": True, "top_logprobs": 2},
    "limited": {"max_completion_tokens": 100, "stop": ["zzz"]},
    "stored": {"store": True, "metadata": {"a": "b"}},
    "two": {"n": 2},
}


class Served:
    """An app with one script, and what it answered."""

    def __init__(self, reply, options, *, families, **settings):
        scripts = Scripts()
        self.script = Script(contract_for())
        self._path = f"/{scripts.open(self.script)}{CHAT}"
        self.script.reply(reply, **options).forever()
        self._app = App(Settings(**settings), scripts)
        if not families:
            self._app._service.families.find = lambda *_: None

    def told(self, members):
        """Ask all, and return what is no affair of one exchange alone."""
        said = []
        for messages in CONVERSATIONS:
            data = json.dumps({"model": "gpt-4o", "messages": messages, **members}).encode()
            ticket = self._app.handle(Incoming(method="POST", path=self._path, body=data))
            ticket.finish(Outcome.DELIVERED)
            one = ticket.delivery
            said.append((one.status, one.is_stream, one.writes, one.ending))
        journal = [(one.request, one.reply, one.chunks, one.sent) for one in self.script.journal]
        return said, journal


@pytest.mark.parametrize("reply", REPLIES)
@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("validation", ["strict", "off"])
def test_new_requests_are_answered_as_without_their_family(reply, asked, validation):
    """Bytes, usage and journal: a request is not to be told what another one cost."""
    members = {"tools": [TOOL], **ASKED[asked]}
    short, long = (
        Served(*REPLIES[reply], families=families, validation=validation)
        for families in (True, False)
    )
    assert short.told(members) == long.told(members)


def test_the_family_answers_from_the_third_request_on(monkeypatch):
    """Else all of this would prove nothing, and cost as before."""
    made = []
    monkeypatch.setattr(
        "mockchat.server.chat.answer", lambda *a, **o: made.append(a) or real(*a, **o)
    )
    real = kin.answer
    served = Served("Hello", {}, families=True)
    served.told({})
    assert len(made) == 2


def test_a_request_that_comes_once_leaves_no_shortest_way():
    """To prepare the answer to a repetition costs more than the answer; most requests never repeat."""
    served = Served("Hello", {}, families=True)
    data = json.dumps({"model": "gpt-4o", "messages": CONVERSATIONS[0]}).encode()
    agains = served._app._agains
    for times in (1, 2):
        incoming = Incoming(method="POST", path=served._path, body=data, mark=b"head")
        served._app.handle(incoming).finish(Outcome.DELIVERED)
        assert (agains.find(incoming) is not None) is (times == 2)


def test_a_reply_that_breaks_the_contract_has_no_family():
    """It is refused for each request, in the words of the long way."""
    served = Served("a stop b", {}, families=True)
    said, _ = served.told({"stop": ["stop"]})
    assert [status for status, *_ in said] == [500] * len(CONVERSATIONS)


def test_a_reply_that_goes_by_messages_has_no_family(monkeypatch):
    """A rule of tomorrow may look at them; it must be asked for each request then."""
    contract = contract_for()
    view = RequestView(method="POST", path=CHAT, body={"model": "gpt-4o", "messages": []})

    def family():
        tokenizer = approximate_tokens()
        return Family.of(
            reply_of("a"), view, contract=contract, level="observed", tokenizer=tokenizer
        )

    assert family() is not None
    monkeypatch.setattr(
        type(contract), "exchange_violations", lambda _, request, *a, **o: len(request["messages"])
    )
    assert family() is None


def test_families_are_bounded():
    """A server that runs for months meets any number of models, tools and replies."""
    reply, families = reply_of("a"), Families(10_000)
    for number in range(100):
        families.keep(f"{number}", reply, None)
        assert families.is_met(f"{number}", reply)
    assert not families.is_met("0", reply)
    assert families.find("99", reply) is None
    assert len(families._met) <= 5


def test_what_names_a_family_is_all_but_the_messages():
    """Whatever else differs may change the reply."""
    assert name_of({"messages": [1], "n": 1}) == name_of({"messages": [2], "n": 1})
    assert name_of({"messages": [1], "n": 1}) != name_of({"messages": [1], "n": True})
