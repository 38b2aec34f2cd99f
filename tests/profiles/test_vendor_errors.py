"""The errors of each vendor: envelope, status, and what a broken request gets."""

import re

import pytest
from vendors import VENDORS, wrong

from mockchat.contract.contract import contract_for

NO_MESSAGES = {"model": "m"}
TEXT = "Missing required parameter: 'messages'."
OPENAI = {
    "message": TEXT,
    "type": "invalid_request_error",
    "param": "messages",
    "code": "missing_required_parameter",
}
WITHOUT_PARAM = {name: value for name, value in OPENAI.items() if name != "param"}
OLD_TEXT = "'messages' is a required property"

ENVELOPES = {
    "anthropic": (400, {"error": OPENAI}),
    "azure": (400, {"error": OPENAI}),
    "deepseek": (422, {"error": OPENAI}),
    "gemini": (400, [{"error": {"code": 400, "message": TEXT, "status": "INVALID_ARGUMENT"}}]),
    "groq": (400, {"error": WITHOUT_PARAM}),
    "litellm": (400, {"error": OPENAI | {"type": None, "code": "400"}}),
    "llamacpp": (400, {"error": WITHOUT_PARAM | {"code": 400}}),
    "mistral": (422, {"object": "error", **OPENAI, "code": None}),
    "ollama": (400, {"error": OPENAI | {"message": OLD_TEXT, "param": None, "code": None}}),
    "openrouter": (400, {"error": {"code": 400, "message": TEXT}}),
    "together": (400, {"error": OPENAI}),
    "vllm": (400, {"error": OPENAI | {"type": "BadRequestError", "code": 400}}),
    "xai": (400, {"code": "Client specified an invalid argument", "error": TEXT}),
}
"""What a request without messages gets from each vendor."""


@pytest.mark.parametrize("name", VENDORS)
def test_a_broken_request_gets_the_vendors_error(name):
    """Clients take the message from different places, and crash where it is not."""
    contract = contract_for(name)
    (violation,) = wrong(contract.request_violations(NO_MESSAGES))
    error = contract.api_error(violation, NO_MESSAGES)
    assert (error.status, contract.envelope(error)) == ENVELOPES[name]


@pytest.mark.parametrize("name", VENDORS)
def test_every_error_of_the_catalogue_fits_the_error_document(name):
    """An error that breaks its own document is one no client was written for."""
    contract = contract_for(name)
    for entry, template in contract.profile.errors.items():
        fields = dict.fromkeys(re.findall(r"\{([a-z_]+)\}", str(template)), "x")
        body = contract.envelope(contract.error(entry, **fields))
        assert wrong(contract.violations("error", body)) == [], entry


@pytest.mark.parametrize(
    ("name", "entry", "fields", "status", "body"),
    [
        (
            "azure",
            "model_not_found",
            {"model": "gpt-9"},
            404,
            {
                "error": {
                    "message": (
                        "The API deployment for this resource does not exist. If you created the "
                        "deployment within the last 5 minutes, please wait a moment and try again."
                    ),
                    "type": "invalid_request_error",
                    "code": "DeploymentNotFound",
                }
            },
        ),
        (
            "vllm",
            "model_not_found",
            {"model": "m"},
            404,
            {
                "error": {
                    "message": "The model `m` does not exist or you do not have access to it.",
                    "type": "NotFoundError",
                    "param": None,
                    "code": 404,
                }
            },
        ),
        (
            "deepseek",
            "insufficient_quota",
            {},
            402,
            {
                "error": {
                    "message": "Insufficient Balance",
                    "type": "insufficient_quota",
                    "param": None,
                    "code": "insufficient_quota",
                }
            },
        ),
    ],
)
def test_single_errors_of_vendors(name, entry, fields, status, body):
    """Deployments, models and balances are what production stumbles over."""
    contract = contract_for(name)
    error = contract.error(entry, **fields)
    assert (error.status, contract.envelope(error)) == (status, body)


def test_ollama_says_it_as_a_schema_library_would():
    """The words come from the validator it uses, as OpenAI's did in 2023."""
    contract = contract_for("ollama")
    body = {"model": "m", "messages": []}
    (violation,) = contract.request_violations(body)
    assert contract.api_error(violation, body).message == "[] is too short - 'messages'"


def test_malformed_json_is_no_invalid_parameter_for_deepseek():
    """Its reference has 400 for the one and 422 for the other."""
    assert contract_for("deepseek").error("invalid_json").status == 400
