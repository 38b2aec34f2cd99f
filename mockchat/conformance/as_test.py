"""One finding as a test in Python, to be run before and after the server is mended."""

import re
from dataclasses import dataclass

from mockchat.conformance.observed import Check, Finding
from mockchat.conformance.probes import Probe, asked_of, chat
from mockchat.conformance.report import Report, Sending, check_of
from mockchat.payloads.shown import as_code
from mockchat.types import Level

_TEST = """\
import os

from mockchat import check_request

REQUEST = {request}


def test_{name}():
    {sentence}
    found = check_request(
        os.environ.get("OPENAI_BASE_URL", {target}),
        REQUEST,
        api_key=os.environ.get("OPENAI_API_KEY", "none"),{options}
    )
    assert [each.violation.message for each in found if each.check == {check}] == []
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """How a finding that was shrunk is seen again.

    Attributes:
        told: How it was found, in one line.
        test: The test in Python.
    """

    told: str
    test: str


def told_again(report: Report, finding: Finding, sending: Sending, *, target: str) -> Again | None:
    """Return how a finding that was shrunk is seen again; None for others."""
    if sending.shrunk is None:
        return None
    probe, check = sending.probe, check_of(finding)
    test = as_test(probe, check, target=target, profile=report.profile, level=report.level)
    return Again(told=sending.shrunk.told(len(probe.sent.body or b"")), test=test)


def as_test(probe: Probe, check: Check, *, target: str, profile: str, level: Level) -> str:
    """Return the test: it sends the request and fails where the check finds something.

    It needs mockchat and pytest alone. The target and the key come from the environment, where they
    stand; without a target there, it is the one that was checked.

    Args:
        probe: The request.
        check: What was found.
        target: The base URL.
        profile: The profile judged by.
        level: How strictly.
    """
    name = re.sub(r"\W+", "_", check.id)
    options = [("profile", profile, "openai"), ("level", level, "observed")]
    told = (f"\n        {each}={value!r}," for each, value, usual in options if value != usual)
    return _TEST.format(
        request=_request(probe),
        name=name,
        sentence=_docstring(check.sentence),
        target=repr(target),
        options="".join(told),
        check=repr(check.id),
    )


def _request(probe: Probe) -> str:
    """Return the body as a Python value, as bytes where its bytes are what matters."""
    body, asked = probe.sent.body or b"", asked_of(probe)
    if asked is None or chat(asked).body != body:
        return repr(body)
    return as_code(asked)


def _docstring(sentence: str) -> str:
    return f'"""{sentence.replace(chr(92), chr(92) * 2).replace(chr(34), chr(39))}"""'
