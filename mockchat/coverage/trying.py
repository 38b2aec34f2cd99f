"""Exchanges tried out: what a stub answers to a request, and what that meets."""

from mockchat.coverage.candidates import Candidate
from mockchat.coverage.catalogue import Catalogue
from mockchat.errors import MockchatError
from mockchat.exchange import Incoming, Outcome
from mockchat.payloads.encoding import encode_json
from mockchat.scripting.script import Script
from mockchat.scripting.scripts import Scripts
from mockchat.server.dispatcher import Dispatcher
from mockchat.server.face import API_KEY
from mockchat.server.routes import base_path
from mockchat.server.settings import Settings

_FIELDS = (("content-type", "application/json"), ("authorization", f"Bearer {API_KEY}"))


class Trial:
    """A server without a socket, on which candidates are tried.

    Args:
        catalogue: The items that are looked for.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        profile = catalogue.contract.profile
        self._settings = Settings(profile=profile, unmatched="fail")
        self._dispatcher = Dispatcher(Scripts())
        self._path = f"{base_path(profile.documents)}/chat/completions"

    def marks(self, candidate: Candidate) -> frozenset[str]:
        """Return what a client meets that sends the request and is given the reply.

        Nothing, where the request or the reply breaks the contract, or the reply is no answer.
        """
        script = Script(self._catalogue.contract, name="suggestion")
        try:
            body = encode_json(candidate.asked)
            script.reply(candidate.reply, **candidate.options)
        except (MockchatError, ValueError):
            return frozenset()
        token = self._dispatcher.open(script, self._settings)
        try:
            path = f"/{token}{self._path}"
            incoming = Incoming(method="POST", path=path, headers=_FIELDS, body=body)
            self._dispatcher.handle(incoming).finish(Outcome.DELIVERED)
        finally:
            self._dispatcher.close(token, script)
        exchange = script.journal.last
        if script.problems() or exchange.violations or exchange.stub is None:
            return frozenset()
        return self._catalogue.marks(exchange)
