"""A target without a socket: our own app, answering probes in this thread."""

from dataclasses import replace

from mockchat.conformance.answers import JSON_TYPE, Answered
from mockchat.contract.contract import contract_for
from mockchat.exchange import Incoming, Outcome
from mockchat.scripting.scripts import Scripts
from mockchat.server.app import App
from mockchat.server.settings import Settings


class AppClient:
    """Sends probes to an app of ours; `spoil` may change each answer."""

    def __init__(self, *, profile="openai", spoil=None, **settings):
        loaded = contract_for(profile).profile
        self.app = App(Settings(profile=loaded, **settings), Scripts())
        servers = loaded.document("openapi").get("servers", [{"url": "/v1"}])
        self.prefix = servers[0]["url"].rstrip("/")
        self.spoil = spoil or (lambda sent, answered: answered)

    def send(self, sent):
        """Answer one request."""
        fields = {"authorization": "Bearer sk-any"}
        if sent.body is not None:
            fields["content-type"] = JSON_TYPE
        fields |= dict(sent.headers)
        path, _, query = sent.path.partition("?")
        incoming = Incoming(
            method=sent.method,
            path=f"{self.prefix}{path}",
            query=query,
            headers=tuple((name, text) for name, text in fields.items() if name not in sent.drops),
            body=sent.body or b"",
        )
        ticket = self.app.handle(incoming)
        ticket.finish(Outcome.DELIVERED)
        delivery = ticket.delivery
        return self.spoil(
            sent,
            Answered(status=delivery.status, headers=delivery.headers, body=delivery.body),
        )


class KeyedClient(AppClient):
    """A target that asks for a key, and a run that has it."""

    def __init__(self, **settings):
        super().__init__(api_keys=("sk-right",), **settings)

    def send(self, sent):
        """Answer one request that has the run's key unless it says otherwise."""
        named = {name for name, _ in sent.headers} | sent.drops
        fields = sent.headers if "authorization" in named else (*sent.headers, KEY)
        return super().send(replace(sent, headers=fields))


KEY = ("authorization", "Bearer sk-right")
