"""Servers of the bank that break for some requests alone, in this thread and behind a socket."""

import json
import threading
from contextlib import contextmanager

from in_process import AppClient
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from mockchat.conformance.answers import Sent
from mockchat.conformance.fuzz import Fuzzing, FuzzRun
from mockchat.conformance.fuzz_draws import Drawer
from mockchat.conformance.runner import Plan
from mockchat.contract.contract import contract_for

CONTRACT = contract_for("openai")
MODEL = "gpt-4o-mini"


def only(asks, spoil):
    """Return a spoiler that lets every answer be whose request does not `ask` for it."""

    def gated(sent, answered):
        try:
            body = json.loads(sent.body or b"")
            is_asked = isinstance(body, dict) and asks(body)
        except (ValueError, TypeError, LookupError, AttributeError):
            is_asked = False
        return spoil(sent, answered) if is_asked else answered

    return gated


def several_and_stop(body):
    """Tell whether a request asks for several choices and for stop sequences."""
    return isinstance(body.get("n"), int) and body["n"] > 1 and body.get("stop") is not None


def seed_that_draws(asks, *, first, count, wanted="completion"):
    """Return a seed among whose first requests is one that `asks`; `first` is tried first."""
    gated = only(asks, lambda *_: True)
    for seed in (first, *range(400)):
        drawn = Drawer(CONTRACT, model=MODEL, seed=seed).probes(count)
        if any(each.wanted == wanted and gated(each.sent, False) for each in drawn):
            return seed
    raise LookupError(asks)


HIT = seed_that_draws(several_and_stop, first=188, count=8)
"""A seed among whose first requests is one for several choices with stop sequences."""


def fuzz(client, *, contract=CONTRACT, model=MODEL, written=(), plan=None, **fuzzing):
    """Return a run that draws requests, and sends no others unless they are given."""
    planned = Plan(probes=written, contract=contract, **(plan or {}))
    return FuzzRun(client, planned, Fuzzing(model=model, **{"count": 8, **fuzzing}))


def shrunk(run):
    """Let a run go; return the body of each shrunk request by its check."""
    return {each.shrunk.check: json.loads(each.probe.sent.body) for each in run.go().shrunk}


class Quiet(WSGIRequestHandler):
    """Says nothing of each request."""

    def log_request(self, code="-", size="-"):
        """Say nothing."""


@contextmanager
def served(spoil=None):
    """Serve our own app, its answers spoilt, on a socket; give the base URL."""
    client = AppClient(spoil=spoil)

    @Request.application
    def answer(request):
        fields = tuple((name.lower(), text) for name, text in request.headers.items())
        answered = client.send(
            Sent(
                method=request.method,
                path=request.path.removeprefix("/v1"),
                body=request.get_data() or None,
                headers=fields,
            )
        )
        return Response(answered.body, status=answered.status, headers=[*answered.headers])

    server = make_server("127.0.0.1", 0, answer, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
