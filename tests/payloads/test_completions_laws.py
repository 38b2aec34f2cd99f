"""The laws of generated replies, over all requests the strictest server accepts."""

import os
import subprocess
import sys

import pytest

from mockchat.contract.contract import contract_for
from mockchat.errors import ImpossibleSchema
from mockchat.payloads.chunking import join, random_plan, split, stream_style
from mockchat.payloads.completions import complete
from mockchat.payloads.requests import make_request
from mockchat.payloads.seeded import SeededDraw

CONTRACT = contract_for("openai")
STYLE = stream_style(CONTRACT.profile)
LEVELS = ("observed", "documented")
FULL = 2000
BATCHES = 20


def wrong(violations):
    """Return the violations that are more than notes."""
    return [violation for violation in violations if not violation.is_note]


def answered(kind, seed):
    """Return a request and its completion; None where the request forces a Lark grammar."""
    request = make_request(CONTRACT, SeededDraw(f"request {seed}"), kind=kind)
    try:
        return request, complete(request, SeededDraw(seed), contract=CONTRACT, kind=kind)
    except ImpossibleSchema as impossible:
        assert impossible.pointer.endswith("/custom/format/grammar")  # noqa: PT017 - the one reason there is
        return request, None


@pytest.fixture(params=range(BATCHES))
def seeds(request, proof_count):
    """Give a share of the seeds, so that a failure names a small range."""
    size = max(1, proof_count(FULL) // BATCHES)
    return range(request.param * size, (request.param + 1) * size)


@pytest.mark.proof
@pytest.mark.parametrize("kind", ["plain", "wild"])
def test_generated_completions_break_nothing(seeds, kind):
    """Nothing is served that breaks the contract, at either level, whatever is asked."""
    for seed in seeds:
        request, completion = answered(kind, seed)
        for level in LEVELS if completion else ():
            assert not wrong(CONTRACT.violations("response", completion, level=level))
            assert not wrong(CONTRACT.exchange_violations(request, completion, level=level))


@pytest.mark.proof
@pytest.mark.parametrize("kind", ["plain", "wild"])
def test_generated_streams_break_nothing_and_say_the_completion(seeds, kind):
    """Any split obeys the stream rules at both levels and joins to what was split."""
    for seed in seeds:
        request, completion = answered(kind, seed)
        if completion is None:
            continue
        options = request.get("stream_options") or {}
        usage = options.get("include_usage") is True
        draw = SeededDraw(seed)
        chunks = split(
            completion,
            random_plan(draw, kind=kind),
            style=STYLE,
            include_usage=usage,
            obfuscation=options.get("include_obfuscation") is not False,
            draw=draw,
        )
        wanted = {name: completion[name] for name in completion if usage or name != "usage"}
        assert join(chunks) == wanted
        for level in LEVELS:
            judge = CONTRACT.stream_judge(request={**request, "stream": True}, level=level)
            found = [violation for chunk in chunks for violation in judge.feed(chunk)]
            assert not wrong([*found, *judge.feed("[DONE]"), *judge.finish()])


def test_a_completion_is_a_pure_function_of_what_is_given():
    """Any worker must answer with the same bytes, whatever its hash seed and history."""
    code = (
        "import hashlib, json, sys\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "from test_completions_laws import answered\n"
        "found = [answered(kind, seed) for kind in ('wild', 'plain') for seed in range(30)]\n"
        "print(hashlib.sha256(json.dumps(found).encode()).hexdigest())\n"
    )
    here = os.path.dirname(__file__)  # noqa: PTH120 - handed to another process as text
    digests = {
        subprocess.run(
            [sys.executable, "-c", code, here],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(digests) == 1
    assert answered("wild", 5) == answered("wild", 5)
