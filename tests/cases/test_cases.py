"""Enumerations: the same ids in every process, every case what it says."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mockchat import cases
from mockchat.contract.contract import contract_for
from mockchat.errors import BadArgument, UnknownProfile
from mockchat.server.wire import BadBody, decode_body

PROJECT = Path(__file__).parents[2]
OPENAI = contract_for("openai")
DOCUMENTS = [name for name in OPENAI.profile.documents if name != "openapi"]

LISTING = """
from mockchat import cases
for document in ("request", "response", "error"):
    for case in (*cases.invalid_cases(document), *cases.boundary_cases(document)):
        print(case.id)
for case in cases.invalid_cases("stream"):
    print(case.id)
for case in cases.wire_cases():
    print(case.id)
"""


def listed(seed):
    """Return the ids as another process sees them."""
    return subprocess.run(
        [sys.executable, "-c", LISTING],
        env={**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONHASHSEED": seed},
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_ids_are_the_same_in_every_process():
    """pytest-xdist refuses collections that differ between workers."""
    assert listed("1") == listed("2") != ""


@pytest.mark.parametrize("document", DOCUMENTS)
def test_ids_are_unique(document):
    """Two tests of one id cannot be run apart."""
    made = (*cases.invalid_cases(document), *cases.boundary_cases(document))
    ids = [case.id for case in made]
    assert len(set(ids)) == len(ids)
    assert [case.__name__ for case in made] == ids


@pytest.mark.parametrize("document", ["request", "response"])
def test_invalid_cases_break_the_contract(document):
    """A case that passes would be a test that cannot fail."""
    for case in cases.invalid_cases(document, profile=OPENAI):
        found = OPENAI.violations(document, case.payload)
        found += OPENAI.exchange_violations(case.request, case.payload) if case.request else ()
        wrong = [violation.pointer for violation in found if not violation.is_note]
        assert case.mutation.pointer in wrong, case.id


def test_cases_of_streams_are_bytes():
    """A client reads bytes; what breaks framing cannot be told in any other way."""
    case = cases.invalid_cases("stream")[0]
    assert case.payload != case.mutant.parent
    assert case.payload.startswith(b"data: {")
    assert case.request["stream"] is True


def test_a_payload_is_made_anew():
    """One test must not see what another did to a payload."""
    case = cases.invalid_cases("request")[-1]
    case.payload.clear()
    assert case.payload != {}
    assert case.payload is not case.payload
    boundary = cases.boundary_cases("request")[-1]
    boundary.payload.clear()
    assert boundary.payload != {}


def test_cases_of_a_profile_and_level():
    """Cases are those of the contract asked for."""
    old = {case.id for case in cases.invalid_cases("request", profile="openai-2023-03")}
    assert "/tools object" not in old
    strict = {case.id for case in cases.invalid_cases("response", level="documented")}
    assert strict - {case.id for case in cases.invalid_cases("response")}
    assert {case.pointer for case in cases.boundary_cases("response", level="documented")} >= {""}


def test_a_document_or_profile_that_is_not_there_is_told():
    """A typo must not give an empty parametrization, which pytest skips."""
    with pytest.raises(BadArgument, match="respnse"):
        cases.invalid_cases("respnse")
    with pytest.raises(BadArgument, match="respnse"):
        cases.boundary_cases("respnse")
    with pytest.raises(UnknownProfile):
        cases.invalid_cases("request", profile="opnai")


@pytest.mark.parametrize("case", cases.wire_cases())
def test_wire_cases_are_refused_by_our_own_server(case):
    """What we ask of other servers we do ourselves."""
    with pytest.raises(BadBody):
        decode_body(case.body)
    assert case.reason


def test_some_wire_cases_are_read_by_python():
    """These are the ones a server that trusts its json module lets in."""
    lenient = []
    for case in cases.wire_cases():
        try:
            json.loads(case.body)
        except (ValueError, RecursionError):
            continue
        lenient.append(case.id)
    assert {"NaN", "Infinity", "number out of range", "half a surrogate pair"} <= {*lenient}


TESTS = """
import pytest
from mockchat import cases


@pytest.mark.parametrize("case", cases.invalid_cases("error"))
def test_case(case):
    assert case.mutation.reason
"""


def test_pytest_shows_the_ids(pytester):
    """Nobody should have to pass ids= to learn which case failed."""
    pytester.makepyfile(TESTS)
    outcome = pytester.runpytest("--collect-only", "-q")
    outcome.stdout.fnmatch_lines(["*test_case[[]/error without message[]]"])


def test_cases_run_under_xdist(pytester):
    """Workers collect on their own and must agree."""
    pytester.makepyfile(TESTS)
    count = len(cases.invalid_cases("error"))
    outcome = pytester.runpytest_subprocess("-q", "-n", "2", "-p", "no:cacheprovider")
    outcome.assert_outcomes(passed=count)
