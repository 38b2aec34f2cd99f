"""Somebody else's tool reads our OpenAPI document and tries the live server with it.

Every check is on, but for `positive_data_acceptance` under `strict`, whose rules are what no schema
can say: valid by the schema is not yet valid. Three habits of the tool are turned off: query
parameters that the document does not name (it does not forbid them, and the server ignores them),
whole numbers written as floats (JSON Schema takes `5.0` for an integer; the service, measured, does
not), and `metadata` that is no object in a query, which it spells as an object with an empty key.
"""

from http import HTTPStatus

import pytest
from hypothesis import HealthCheck, assume, given, settings

from mockchat.contract.profile import schemas_directory
from mockchat.scripting.scripts import Scripts
from mockchat.server.app import App
from mockchat.server.settings import Settings
from mockchat.server.werkzeug_server import LiveServer

schemathesis = pytest.importorskip("schemathesis", reason="a development dependency")
checks = schemathesis.checks
Mode = schemathesis.GenerationMode

FULL_EXAMPLES = 100
KEY = "sk-schemathesis"
AUTHORIZED = {"Authorization": f"Bearer {KEY}"}
DOCUMENT = schemas_directory() / "openai" / "openapi.json"
CONFIG = schemathesis.Config()
CONFIG.projects.default.generation.update(allow_extra_parameters=False)
SCHEMA = schemathesis.openapi.from_path(DOCUMENT, config=CONFIG)
OPERATIONS = {result.ok().label: result.ok() for result in SCHEMA.get_all_operations()}


def whole(value):
    """Write whole floats as integers, at every depth."""
    if isinstance(value, list):
        return [whole(item) for item in value]
    if isinstance(value, dict):
        return {key: whole(member) for key, member in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


@pytest.fixture(scope="module", params=["schema", "strict"])
def server(request):
    """Serve the real app under both validations that refuse."""
    app = App(Settings(validation=request.param, api_keys=(KEY,)), Scripts())
    with LiveServer(app) as live:
        live.validation = request.param
        yield live


def test_every_operation_is_tried():
    """A document that a tool reads only in part would be tested only in part."""
    assert len(OPERATIONS) == 9


@pytest.mark.parametrize("mode", list(Mode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_the_server_keeps_to_its_document(server, label, mode, proof_count):
    """No server error, and status, type, headers and body of every answer as documented."""
    operation = OPERATIONS[label]
    excluded = []
    if server.validation == "strict":
        excluded.append(checks.positive_data_acceptance)

    @settings(
        max_examples=proof_count(FULL_EXAMPLES),
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case):
        if mode is Mode.POSITIVE:
            case.body = whole(case.body)
        query = case.query or {}
        assume(isinstance(query.get("metadata", {}), dict) and "metadata[]" not in query)
        response = case.call(base_url=server.base_url, headers=AUTHORIZED)
        assert response.status_code != HTTPStatus.INTERNAL_SERVER_ERROR
        case.validate_response(response, excluded_checks=excluded, headers=AUTHORIZED)

    run()
