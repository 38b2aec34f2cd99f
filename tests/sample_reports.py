"""Reports of servers that are right, wrong in many ways, and wrong everywhere."""

import json
from dataclasses import replace
from functools import cache
from string import ascii_lowercase

from mockchat.conformance.answers import Answered
from mockchat.conformance.probes import probes
from mockchat.conformance.runner import Plan, Run
from mockchat.conformance.target import Target
from mockchat.contract.contract import contract_for
from mockchat.scripting.builders import unchecked
from mockchat.server.mock_server import MockServer

TARGET = "http://127.0.0.1:8000/v1"
CONTRACT = contract_for("openai")
MODEL = "gpt-4o-mini"

HOSTILE = "</pre><script>alert(1)</script><img src=x onerror=alert(2)>\u2028\u202e\x00"
RAW = b'{"id": "\xff\xfe\x00<script>alert(3)</script>", "choices": 1}'
LARGE = 1024 * 1024


class Spoilt:
    """A client that changes answers on their way."""

    def __init__(self, client, spoil):
        self.client, self.spoil = client, spoil

    def send(self, sent):
        """Send a request, spoil its answer."""
        return self.spoil(sent, self.client.send(sent))


def made(spoil=lambda sent, answered: answered, *, depth="quick", level="observed", **options):
    """Return the report on a server of ours whose answers are spoilt."""
    plan = Plan(probes=probes(CONTRACT, model=MODEL, depth=depth), contract=CONTRACT, level=level)
    with (
        MockServer() as server,
        server.script(unmatched="generate", unused="ignore", **options) as script,
    ):
        if options:
            script.when(stream=False).reply(unchecked(HOSTILE)).forever()
        return Run(Spoilt(Target(base_url=script.base_url), spoil), plan).go()


def _spoilt(sent, answered):  # noqa: PLR0911 - a table of answers
    """Break what a page must show: bytes that are no text, sizes, streams, refusals."""
    asked = Answered(body=sent.body or b"").json
    if not isinstance(asked, dict):
        asked = {}
    if asked.get("n"):
        return replace(answered, body=RAW)
    if asked.get("stop"):
        return replace(answered, status=500, body=b"<html><h1>502</h1>" + b"a" * LARGE)
    if "logprobs" in asked:
        error = {"message": "no logprobs here", "type": "invalid_request_error"}
        body = json.dumps({"error": {**error, "param": None, "code": None}}).encode()
        return replace(answered, status=400, body=body)
    if asked.get("stream"):
        spoilt = answered.body.replace(b'"role":"assistant",', b"").replace(b"\n\n", b"\r\n\r\n", 1)
        return replace(answered, body=spoilt)
    if sent.path == "/models":
        filler = b'{"filler": "' + b"a" * LARGE + b'"'
        return replace(answered, body=filler + b', "object": "list", "data": [1]}')
    if sent.method == "DELETE":
        return Answered(
            status=405, headers=(("set-cookie", "session=secret"),), body=b"\n<b>no</b>"
        )
    return answered


@cache
def right():
    """Return a report without a finding."""
    return made()


@cache
def wrong():
    """Return a report with findings of many kinds, hostile bytes among them."""
    return made(_spoilt, validation="off")


@cache
def flawed():
    """Return a report as most servers get one: a few faults, one capability less."""

    def spoil(sent, answered):
        asked = Answered(body=sent.body or b"").json
        if not isinstance(asked, dict):
            return answered
        if "logprobs" in asked:
            return _spoilt(sent, answered)
        if asked.get("stream") and asked.get("tools"):
            return replace(
                answered, body=answered.body.replace(b'"index":0,"id"', b'"index":1,"id"')
            )
        if asked.get("n"):
            return replace(answered, body=answered.body.replace(b'"index": 1', b'"index": 0'))
        return answered

    return made(spoil)


@cache
def hopeless():
    """Return a report with more than two hundred findings: those of `wrong`, at many places each."""
    report = wrong()
    return replace(report, sendings=[_at_many_places(sending) for sending in report.sendings])


def _at_many_places(sending):
    found = [
        replace(each, violation=replace(each.violation, pointer=f"/member-{place}"))
        for each in sending.findings
        for place in ascii_lowercase
    ]
    return replace(sending, findings=(*sending.findings, *found))
