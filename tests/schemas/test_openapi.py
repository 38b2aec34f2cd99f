"""`openapi.json`: what any OpenAPI tool can make of a profile."""

import json
import re
import warnings

import pytest
from schema_walk import walk_document

from mockchat.contract.profile import load_profile, schemas_directory

OPERATIONS = {
    "createChatCompletion": ("post", "/chat/completions"),
    "listChatCompletions": ("get", "/chat/completions"),
    "getChatCompletion": ("get", "/chat/completions/{completion_id}"),
    "updateChatCompletion": ("post", "/chat/completions/{completion_id}"),
    "deleteChatCompletion": ("delete", "/chat/completions/{completion_id}"),
    "getChatCompletionMessages": ("get", "/chat/completions/{completion_id}/messages"),
    "listModels": ("get", "/models"),
    "retrieveModel": ("get", "/models/{model}"),
    "deleteModel": ("delete", "/models/{model}"),
}
METHODS = {"get", "post", "put", "patch", "delete", "head", "options", "trace"}


@pytest.fixture(scope="module")
def openapi():
    """Give the document of the `openai` profile."""
    return load_profile("openai").documents["openapi"]


def _operations(document):
    return {
        operation["operationId"]: (method, path)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def _all(operations):
    return [pytest.param(*operations[name], id=name) for name in operations]


def _follow(document, part):
    while isinstance(part, dict) and set(part) == {"$ref"} and part["$ref"].startswith("#/"):
        target = document
        for token in part["$ref"].split("/")[1:]:
            target = target[token]
        part = target
    return part


def _parameters(document, method, path):
    item = document["paths"][path]
    both = [*item.get("parameters", []), *item[method].get("parameters", [])]
    return [_follow(document, each) for each in both]


def test_operations_are_those_of_the_service(openapi):
    """Handlers are found by these names."""
    assert openapi["openapi"].startswith("3.1.")
    assert _operations(openapi) == OPERATIONS


def test_operations_and_parameters_match_the_official_document(openapi, shared):
    """A parameter we forget is one our users cannot test."""
    yaml = pytest.importorskip("yaml")
    text = (shared / "facts" / "openai-spec" / "openapi-2026-08-21.yaml").read_text()
    paths = {path for _, path in OPERATIONS.values()}
    ours, theirs = {}, {}
    for path in paths:
        block = re.search(rf"^  {re.escape(path)}:\n(?:(?:    .*)?\n)+", text, re.MULTILINE)
        official = yaml.safe_load(block[0])[path]
        for method in METHODS & official.keys():
            theirs[official[method]["operationId"]] = {
                (each["name"], each["in"], each.get("required", False))
                for each in official[method].get("parameters", [])
            }
        for method in METHODS & openapi["paths"][path].keys():
            ours[openapi["paths"][path][method]["operationId"]] = {
                (each["name"], each["in"], each.get("required", False))
                for each in _parameters(openapi, method, path)
                if each["in"] != "header"
            }
    assert ours == theirs


@pytest.mark.parametrize(("method", "path"), _all(OPERATIONS))
def test_operation_answers_with_our_documents(method, path, openapi):
    """Every status has a document: an error is never left to the reader's fancy."""
    responses = openapi["paths"][path][method]["responses"]
    assert "200" in responses
    for status, response in responses.items():
        content = _follow(openapi, response)["content"]
        reference = content["application/json"]["schema"]["$ref"]
        assert (reference == "error.json") == (status != "200"), status
    assert {"400", "401", "403", "429", "500", "503"} <= responses.keys()


@pytest.mark.parametrize(("method", "path"), _all(OPERATIONS))
def test_path_parameters_are_those_of_the_path(method, path, openapi):
    """Tools refuse a template whose parameters do not match."""
    declared = {each["name"] for each in _parameters(openapi, method, path) if each["in"] == "path"}
    assert declared == set(re.findall(r"\{(\w+)\}", path))
    assert all(each.get("schema") for each in _parameters(openapi, method, path))


def test_every_document_is_used(openapi):
    """A document no operation speaks of is dead, or an operation is missing."""
    named = {
        schema["$ref"].partition("#")[0].removesuffix(".json")
        for _, schema in walk_document(openapi)
        if "$ref" in schema
    }
    documents = {name for name, body in load_profile("openai").documents.items() if "$id" in body}
    assert named - {""} == documents


@pytest.fixture(scope="module")
def schemathesis_schema():
    """Give what a third party's tool makes of the file on disk."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        schemathesis = pytest.importorskip("schemathesis")
        return schemathesis.openapi.from_path(schemas_directory() / "openai" / "openapi.json")


def _answer(body, media_type):
    import requests  # noqa: PLC0415 - only Schemathesis brings it
    from schemathesis.core.transport import Response  # noqa: PLC0415 - slow to import

    return Response(
        status_code=200,
        headers={"content-type": [media_type]},
        content=body.encode(),
        request=requests.Request("POST", "http://localhost/v1/chat/completions").prepare(),
        elapsed=0.0,
        verify=False,
    )


COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [],
}
CHUNK = COMPLETION | {"object": "chat.completion.chunk"}
ERROR = {"error": {"message": "m", "type": "server_error", "param": None, "code": None}}


def _stream(*events):
    datas = [event if isinstance(event, str) else json.dumps(event) for event in events]
    return "".join(f"data: {data}\n\n" for data in datas)


@pytest.mark.parametrize(
    ("body", "media_type", "is_valid"),
    [
        pytest.param(json.dumps(COMPLETION), "application/json", True, id="completion"),
        pytest.param(json.dumps(CHUNK), "application/json", False, id="chunk as completion"),
        pytest.param(_stream(CHUNK, "[DONE]"), "text/event-stream", True, id="stream"),
        pytest.param(_stream(CHUNK, ERROR), "text/event-stream", True, id="stream that fails"),
        pytest.param(_stream(COMPLETION), "text/event-stream", False, id="completion in stream"),
        pytest.param(_stream("done"), "text/event-stream", False, id="stream of words"),
    ],
)
def test_openapi_tool_judges_replies_by_it(body, media_type, is_valid, schemathesis_schema):
    """References between files and the shape of events have to work outside this project."""
    from schemathesis.core.failures import Failure, FailureGroup  # noqa: PLC0415 - slow to import

    operation = schemathesis_schema["/chat/completions"]["POST"]
    try:
        operation.validate_response(_answer(body, media_type))
        verdict = True
    except (Failure, FailureGroup):
        verdict = False
    assert verdict is is_valid


def test_openapi_tool_reads_every_operation(schemathesis_schema):
    """One broken reference and a tool leaves an operation out without a word."""
    read = [each.ok() for each in schemathesis_schema.get_all_operations()]
    assert {each.definition.raw["operationId"] for each in read} == OPERATIONS.keys()
