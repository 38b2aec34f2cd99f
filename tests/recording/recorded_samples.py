"""Exchanges with a service, made without a socket, as a recorder sees them."""

import json

from mockchat.contract.contract import contract_for
from mockchat.exchange import Incoming, Outcome
from mockchat.payloads.requests import make_request
from mockchat.payloads.seeded import SeededDraw
from mockchat.recording.exchanges import RecordedExchange
from mockchat.scripting.scripts import Scripts
from mockchat.server.app import App
from mockchat.server.scenarios import ScenarioApp
from mockchat.server.settings import Settings

CONTRACT = contract_for()
PATH = "/v1/chat/completions"
JSON = (("content-type", "application/json"),)
EVENTS = (("content-type", "text/event-stream; charset=utf-8"),)
QUESTION = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Where is Oslo?"}]}


def incoming(body):
    """Return a request for a completion."""
    fields = (("content-type", "application/json"),)
    return Incoming(method="POST", path=PATH, headers=fields, body=json.dumps(body).encode())


def real_service(seed=0, **settings):
    """Return what stands for the real server: generated answers of everything the contract allows."""
    return App(Settings(seed=seed, **settings), Scripts())


def delivered(app, body):
    """Return what an app answers, as data."""
    ticket = app.handle(incoming(body))
    delivery = ticket.delivery
    ticket.finish(Outcome.DELIVERED)
    return delivery


def recorded(app, body, *, step=0.05, **changes):
    """Return the exchange with an app, each write so many seconds after the one before."""
    delivery = delivered(app, body)
    pieces = tuple(
        (round(step * (number + 1), 4), write.data) for number, write in enumerate(delivery.writes)
    )
    exchange = {
        "body": json.dumps(body).encode(),
        "status": delivery.status,
        "reply_headers": delivery.headers,
        "pieces": pieces,
        "answered": step,
    }
    return RecordedExchange(**exchange | changes)


def drawn_request(number):
    """Return a request over all fields, the same for the same number."""
    return make_request(CONTRACT, SeededDraw(number), kind="plain" if number % 2 else "wild")


def serving_file(path):
    """Return what answers as a scenario file says."""
    return ScenarioApp(
        [path],
        lambda asked: Settings(
            validation=asked.get("validation", "strict"), unmatched="fail", memory_bytes=0
        ),
    )


def planned(delivery):
    """Return when the bytes of each write are to leave, in seconds since the request."""
    times, now = [], 0.0
    for write in delivery.writes:
        now += write.delay
        times.append(now)
    return times
