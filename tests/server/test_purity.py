"""The purity law as clients see it: two processes, two hash seeds, the same bytes for every request."""

import http.client
import json
from collections import Counter
from urllib.parse import urlsplit

import pytest
from serving import server_environment, serving

from mockchat.contract.contract import contract_for
from mockchat.payloads.requests import make_request
from mockchat.payloads.seeded import SeededDraw


def asked(kind, count):
    """Return bodies of valid requests, each once for a JSON reply and once for a stream."""
    contract = contract_for()
    bodies = []
    for seed in range(count):
        request = make_request(contract, SeededDraw(seed), kind=kind)
        plain = {key: value for key, value in request.items() if key != "stream_options"}
        bodies += [{**plain, "stream": False}, {**request, "stream": True}]
    return [json.dumps(body).encode() for body in bodies]


def answers(bodies, kind, hash_seed):
    """Ask a server of its own for each; return status, content type and body by the request."""
    environment = server_environment(PYTHONHASHSEED=hash_seed)
    with serving("--kind", kind, "--seed", "5", environment=environment) as served:
        connection = http.client.HTTPConnection(urlsplit(served.base_url).netloc, timeout=20)
        found = {}
        for body in bodies:
            fields = {"content-type": "application/json"}
            connection.request("POST", "/v1/chat/completions", body=body, headers=fields)
            response = connection.getresponse()
            found[body] = (response.status, response.headers["content-type"], response.read())
        connection.close()
        assert served.errors() == ""
    return found


@pytest.mark.parametrize("kind", ["plain", "wild"])
def test_bytes_depend_on_nothing_but_seed_settings_and_request(kind, proof_count):
    """Replicas behind a balancer, reruns and retries must agree, in whatever order they are asked."""
    bodies = asked(kind, proof_count(200))
    first = answers(bodies, kind, "1")
    second = answers(reversed(bodies), kind, "4242")
    assert [body for body in bodies if first[body] != second[body]] == []
    # Answers, not refusals, are what is compared: one of each sort for almost every request.
    sorts = Counter((status, media.partition(";")[0]) for status, media, _ in first.values())
    enough = len(bodies) // 2 * 0.8
    assert sorts[200, "application/json"] > enough
    assert sorts[200, "text/event-stream"] > enough
