"""The models a server lists: those of its profile, and those it is told."""

import json
import urllib.error
import urllib.request

from click.testing import CliRunner
from serving import serving

from mockchat.cli import main


def asked(url, body=None):
    """Return status and decoded body of a request."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def question(model):
    """Return a request for `model`."""
    return {"model": model, "messages": [{"role": "user", "content": "Hello?"}]}


def test_a_model_that_is_named_is_listed_and_answers():
    """A mock of a gateway knows the gateway's models, and refuses a misspelt one."""
    with serving("--model", "our-model", "--model", "gpt-4o", "--models", "known") as served:
        url = served.base_url
        names = [each["id"] for each in asked(f"{url}/models")[1]["data"]]
        statuses = [
            asked(f"{url}/chat/completions", question(model))[0]
            for model in ("our-model", "gpt-4o-mini", "our-modell")
        ]
        error = asked(f"{url}/models/our-modell")[1]["error"]
    assert names[-1] == "our-model"
    assert names.count("gpt-4o") == 1
    assert statuses == [200, 200, 404]
    assert error["code"] == "model_not_found"


def test_an_empty_name_is_refused():
    """It could never be asked for."""
    outcome = CliRunner().invoke(main, ["serve", "--model", ""])
    message = "mockchat: model is ''; allowed: a name that is not empty.\n"
    assert (outcome.output, outcome.exit_code) == (message, 2)
