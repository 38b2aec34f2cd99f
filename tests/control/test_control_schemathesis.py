"""Somebody else's tool reads the control API's document and tries the live server with it.

`positive_data_acceptance` is off where a body is a stub or a scenario, whose form is described by a
document of its own, and where something of a number is asked for that need not be there. Requests that break the document's own rules about hosts are not what it tries.
"""

import json
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection

import pytest
from hypothesis import HealthCheck, given, settings

from mockchat.contract.profile import schemas_directory
from mockchat.scripting.scripts import Scripts
from mockchat.server.control.guard import Guard
from mockchat.server.control.sessions import Sessions
from mockchat.server.control.steered import SteeredApp
from mockchat.server.dispatcher import Dispatcher
from mockchat.server.meter import Meter
from mockchat.server.scenarios import ScenarioApp
from mockchat.server.settings import Settings
from mockchat.server.werkzeug_server import LiveServer

schemathesis = pytest.importorskip("schemathesis", reason="a development dependency")
checks = schemathesis.checks
Mode = schemathesis.GenerationMode

FULL_EXAMPLES = 100
KEY = "sk-control"
AUTHORIZED = {"Authorization": f"Bearer {KEY}"}
CONFIG = schemathesis.Config()
SCHEMA = schemathesis.openapi.from_path(schemas_directory() / "control.openapi.json", config=CONFIG)
OPERATIONS = {result.ok().label: result.ok() for result in SCHEMA.get_all_operations()}
# Nothing can be wrong.
WITHOUT_INPUT = ("GET /", "GET /health", "GET /ready", "GET /openapi.json", "GET /metrics")
FREE_FORM = (
    "POST /stubs",
    "PUT /scenario",
    "PATCH /settings",
    "DELETE /stubs/{place}",
    "GET /journal/{index}",
    "GET /journal/{index}/test",
)


@pytest.fixture(scope="module")
def server():
    """Serve the control API with a key."""
    make = partial(_session, Dispatcher(Scripts()))
    meter = Meter((), lambda: ())
    app = SteeredApp(Sessions(make, make(""), most=50), Guard(key=KEY), meter=meter)
    with LiveServer(app) as live:
        body = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello!"}]})
        connection = HTTPConnection("127.0.0.1", live.port)
        connection.request("POST", "/v1/chat/completions", body)
        assert connection.getresponse().status == HTTPStatus.OK
        connection.close()
        yield live


def _session(dispatcher, name):
    return ScenarioApp(
        (),
        lambda asked: Settings(**{"unmatched": "generate", **asked}),
        session=name,
        dispatcher=dispatcher,
    )


CASES = [
    (label, mode)
    for label in sorted(OPERATIONS)
    for mode in Mode
    if mode is Mode.POSITIVE or label not in WITHOUT_INPUT
]


@pytest.mark.parametrize(
    ("label", "mode"), CASES, ids=[f"{label}-{mode.value}" for label, mode in CASES]
)
def test_the_server_keeps_to_its_document(server, label, mode, proof_count):
    """No server error, and status, type, headers and body of every answer as documented."""
    operation = OPERATIONS[label]
    excluded = [checks.positive_data_acceptance] if label in FREE_FORM else []

    @settings(
        max_examples=proof_count(FULL_EXAMPLES),
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case):
        if "seconds" in (case.query or {}):
            case.query["seconds"] = 0 if mode is Mode.POSITIVE else "x"  # nobody waits for minutes
        response = case.call(base_url=f"{server.url}/_mockchat", headers=AUTHORIZED)
        assert response.status_code != HTTPStatus.INTERNAL_SERVER_ERROR
        case.validate_response(response, excluded_checks=excluded, headers=AUTHORIZED)

    run()
