"""Generated requests and replies under the official document, of which many readers are made.

That they break nothing of ours, rules included, is the law of `payloads/test_completions_laws.py`.
"""

import pytest
from disagreements import Verdicts
from official_document import official_schema

from mockchat.contract.contract import contract_for
from mockchat.errors import ImpossibleSchema
from mockchat.payloads.chunking import random_plan, split, stream_style
from mockchat.payloads.completions import complete
from mockchat.payloads.requests import make_request
from mockchat.payloads.seeded import SeededDraw

CONTRACT = contract_for("openai")
STYLE = stream_style(CONTRACT.profile)
REQUESTS = 2000
BATCHES = 10
CUSTOM_CALLS = ("*.delta.tool_calls[].type", "enum")
"""The one thing replies say that the official document does not know: custom calls, streamed."""


@pytest.fixture(scope="module")
def verdicts(shared):
    """Give the judges of each document."""
    return {
        document: Verdicts(official_schema(shared, document), document)
        for document in ("request", "response", "chunk")
    }


@pytest.fixture(params=range(BATCHES))
def seeds(request, proof_count):
    """Give a share of the seeds, so that a failure names a small range."""
    size = max(1, proof_count(REQUESTS) // BATCHES)
    return range(request.param * size, (request.param + 1) * size)


def differences(verdicts, document, value):
    """Return the listed differences that `value` needs; ours must have nothing against it."""
    judges = verdicts[document]
    official, ours = judges.sides(value)
    assert ours.faults == (), value
    rows = [judges.excuse(official, fault, value) for fault in official.faults]
    assert None not in rows, (official.faults[rows.index(None)], value)
    return {(row.place, row.keyword) for row in rows}


def answers(seed, kind):
    """Yield a request, its completion and its chunks, each with its document.

    There is no answer where the request forces a Lark grammar, for which text cannot be made.
    """
    draw = SeededDraw(f"official {seed}")
    request = make_request(CONTRACT, draw, kind=kind)
    yield "request", request
    try:
        completion = complete(request, draw, contract=CONTRACT, kind=kind)
    except ImpossibleSchema as impossible:
        assert impossible.pointer.endswith("/custom/format/grammar")  # noqa: PT017 - the one reason there is
        return
    yield "response", completion
    plan = random_plan(draw, kind=kind)
    for chunk in split(completion, plan, style=STYLE, include_usage=seed % 2 == 0, draw=draw):
        yield "chunk", chunk


@pytest.mark.parametrize("kind", ["plain", "wild"])
def test_generated_replies_satisfy_the_official_document(seeds, kind, verdicts):
    """A client made from the official document must understand every reply of ours."""
    for seed in seeds:
        for document, value in answers(seed, kind):
            found = differences(verdicts, document, value)
            assert document == "request" or not found - {CUSTOM_CALLS}, (seed, found)


def test_streamed_custom_calls_are_met(verdicts):
    """An exception that nothing needs would excuse the next mistake."""
    met = set()
    for seed in range(200):
        for document, value in answers(seed, "wild"):
            met |= differences(verdicts, document, value) if document == "chunk" else set()
    assert met == {CUSTOM_CALLS}
