"""Routes come from the profile's OpenAPI document, and from nowhere else."""

import copy
import pickle

import pytest

from mockchat.contract.profile import load_profile, profile_names
from mockchat.server.app import OPERATIONS
from mockchat.server.routes import NotRouted, Routes

DOCUMENTS = load_profile("openai").documents
ROUTES = Routes(DOCUMENTS)

FOUND = [
    ("POST", "/chat/completions", "createChatCompletion", {}),
    ("GET", "/chat/completions", "listChatCompletions", {}),
    ("GET", "/chat/completions/x", "getChatCompletion", {"completion_id": "x"}),
    ("POST", "/chat/completions/x", "updateChatCompletion", {"completion_id": "x"}),
    ("DELETE", "/chat/completions/x", "deleteChatCompletion", {"completion_id": "x"}),
    ("GET", "/chat/completions/a%2Fb", "getChatCompletion", {"completion_id": "a/b"}),
    ("GET", "/chat/completions/x/messages", "getChatCompletionMessages", {"completion_id": "x"}),
    ("GET", "/models", "listModels", {}),
    ("GET", "/models/gpt-4o", "retrieveModel", {"model": "gpt-4o"}),
    ("DELETE", "/models/ft:gpt-4o:me::1", "deleteModel", {"model": "ft:gpt-4o:me::1"}),
    ("GET", "/models/meta-llama/Llama%203", "retrieveModel", {"model": "meta-llama/Llama 3"}),
    ("GET", "/models/a//b", "retrieveModel", {"model": "a//b"}),
    ("GET", "/models/..%2f%ff%0a", "retrieveModel", {"model": "../\ufffd\n"}),
    ("GET", "/models/%", "retrieveModel", {"model": "%"}),
]


@pytest.mark.parametrize("prefix", ["", "/v1"])
@pytest.mark.parametrize(("method", "path", "operation", "parameters"), FOUND)
def test_every_operation_is_served_with_and_without_the_version(
    prefix, method, path, operation, parameters
):
    """Base URLs end in /v1 or not; model names have slashes; encoded ones are decoded once."""
    route = ROUTES.find(method, prefix + path)
    assert (route.operation.id, route.parameters) == (operation, parameters)


MISSING = [
    ("GET", "/v1", ()),
    ("GET", "/", ()),
    ("GET", "", ()),
    ("GET", "*", ()),
    ("GET", "/v1/v1/models", ()),
    ("GET", "/v1/models/", ()),
    ("GET", "/v2/models", ()),
    ("POST", "/v1/completions", ()),
    ("POST", "/v1/chat/completions/", ()),
    ("GET", "/v1/chat/completions/x/y", ()),
    ("GET", "/v1/chat/completions//messages", ()),
    ("TRACE", "/v1/models", ("GET", "HEAD", "OPTIONS")),
    ("get", "/v1/models", ("GET", "HEAD", "OPTIONS")),
    ("POST", "/v1/models/x", ("GET", "HEAD", "DELETE", "OPTIONS")),
    ("OPTIONS", "/v1/chat/completions", ("GET", "HEAD", "POST", "OPTIONS")),
    ("BREW", "/v1/chat/completions/x", ("GET", "HEAD", "POST", "DELETE", "OPTIONS")),
]


@pytest.mark.parametrize(("method", "path", "allowed"), MISSING)
def test_what_is_not_in_the_document_is_not_served(method, path, allowed):
    """An unknown path and an unknown method are two answers: 404 and 405 with `allow`."""
    with pytest.raises(NotRouted) as caught:
        ROUTES.find(method, path)
    assert caught.value.allowed == allowed
    words = (
        f"{path} has no {method}, only {', '.join(allowed)}" if allowed else f"there is no {path}"
    )
    assert str(pickle.loads(pickle.dumps(caught.value))) == words


def test_query_parameters_come_with_their_schemas():
    """References are followed, into other documents too."""
    query = ROUTES.find("GET", "/chat/completions").operation.query
    assert list(query) == ["model", "metadata", "after", "limit", "order"]
    assert query["limit"]["minimum"] == 0
    assert query["metadata"]["maxProperties"] == 16
    assert ROUTES.find("POST", "/chat/completions/x").operation.query == {}


def test_every_operation_of_every_document_has_a_handler():
    """A document that names an operation nobody wrote would end in a 500."""
    ids = {
        item["operationId"]
        for name in profile_names()
        for path in load_profile(name).documents["openapi"]["paths"].values()
        for item in path.values()
        if isinstance(item, dict)
    }
    assert ids == OPERATIONS.keys()


@pytest.mark.parametrize(
    ("servers", "served", "missing"),
    [
        (["https://api.example/openai/v1", "/openai"], "/openai/v1/models", "/v1/models"),
        (["/openai", "/openai/v1"], "/openai/models", "/openai/v2/models"),
        (["/"], "/models", "/v1/models"),
    ],
)
def test_paths_are_served_behind_the_servers_of_the_document(servers, served, missing):
    """A vendor's base URL is in its document, whatever it is called."""
    openapi = DOCUMENTS["openapi"] | {"servers": [{"url": url} for url in servers]}
    routes = Routes({**DOCUMENTS, "openapi": openapi})
    assert routes.find("GET", served).operation.id == "listModels"
    with pytest.raises(NotRouted):
        routes.find("GET", missing)


def test_a_profile_adds_paths_by_document_alone():
    """A vendor's further path is served as soon as its document says so."""
    openapi = copy.deepcopy(DOCUMENTS["openapi"])
    operation = {"operationId": "listModels", "responses": {}}
    openapi["paths"]["/api/{tenant}/v9/models"] = {"get": operation}
    routes = Routes({**DOCUMENTS, "openapi": openapi})
    route = routes.find("GET", "/api/x%20y/v9/models")
    assert (route.operation.id, route.parameters) == ("listModels", {"tenant": "x y"})
    with pytest.raises(NotRouted):
        routes.find("GET", "/api/x/y/v9/models")
