"""What only some servers show: keys asked for, models known by name, features left out, silence."""

from dataclasses import replace

import pytest
from in_process import AppClient, KeyedClient
from test_right_server import run, told

from mockchat.conformance.answers import Answered, Failure
from mockchat.conformance.checks import CHECKS
from mockchat.conformance.probes import probes
from mockchat.conformance.report import Verdict
from mockchat.conformance.runner import Plan, Run
from mockchat.contract.contract import contract_for

CONTRACT = contract_for("openai")
QUICK = probes(CONTRACT, model="gpt-4o-mini", depth="quick")


def refusing(*names, status=400):
    """Return a spoiler: a server that lacks what needs these members."""

    def spoil(sent, answered):
        asks = sent.body is not None and any(f'"{name}"'.encode() in sent.body for name in names)
        if not asks or not answered.is_success:
            return answered
        return replace(answered, status=status, body=b'{"error": {"message": "no", "type": "t"}}')

    return spoil


def test_keys_and_models_are_judged_where_they_count():
    """A server that asks for keys and knows its models is right when it says 401 and 404."""
    report = run(KeyedClient(models="known"), depth="quick")
    assert told(report) == []
    verdicts = report.verdicts()
    assert verdicts["auth.refused"] is verdicts["models.not-found"] is Verdict.PASSED


@pytest.mark.parametrize(
    ("status", "check"), [("401", "auth.refused"), ("404", "models.not-found")]
)
def test_another_status_is_found(status, check):
    """SDKs raise their exceptions by the status alone."""

    def spoil(_, answered):
        return replace(answered, status=400) if answered.status == int(status) else answered

    report = run(KeyedClient(models="known", spoil=spoil), depth="quick")
    assert check in {finding.check for finding in report.findings}


def test_a_refused_stream_that_is_a_stream_is_found():
    """Clients read the body of a refusal as JSON."""

    def spoil(sent, answered):
        if sent.body is not None and b'"stream": true' in sent.body:
            fields = (("content-type", "text/event-stream"),)
            return replace(answered, status=400, headers=fields, body=b"data: {}\n\n")
        return answered

    report = run(AppClient(spoil=spoil), depth="quick", level="observed")
    assert "refusal.not-a-stream" in {finding.check for finding in report.failures}


def test_what_a_target_lacks_is_told_once():
    """Fifty failures for one missing feature hide the fifty-first."""
    report = run(AppClient(spoil=refusing("tools", "logprobs")), level="observed")
    assert report.unsupported["tools"] == "tools.required"
    assert report.unsupported["logprobs"] == "logprobs.plain"
    lacking = [reason for _, reason in report.skipped]
    assert "the target does not offer tools" in lacking
    assert {sending.probe.id for sending in report.sendings} & {
        "tools.named",
        "tools.auto",
    } == set()


def test_a_lacking_form_is_told_apart_from_a_lacking_feature():
    """Who streams no two choices may still give two."""

    def spoil(sent, answered):
        both = sent.body is not None and b'"n": 2' in sent.body and b'"stream": true' in sent.body
        return refusing("n")(sent, answered) if both else answered

    report = run(AppClient(spoil=spoil), depth="quick", level="observed")
    assert report.unsupported == {}
    outcomes = {each.probe.id: each.outcome.value for each in report.sendings}
    assert outcomes["n.two"] == "answered"
    assert outcomes["n.stream"] == "unsupported"


def test_a_target_that_refuses_everything_is_left_alone():
    """Without the simplest request nothing can be judged; the reason is what the target says."""
    report = run(AppClient(api_keys=("sk-other",)), depth="quick")
    assert report.stopped.startswith("the simplest request is refused with status 401: Incorrect")
    assert len(report.sendings) == 1
    assert len(report.skipped) == len(QUICK) - 1
    assert not report.conforms


@pytest.mark.parametrize("body", [b"no", b'{"error": "no"}', b'{"error": {"message": 1}}'])
def test_a_refusal_without_words_is_told_by_its_status(body):
    """What a target says is only repeated where it says something."""

    def spoil(_, answered):
        return replace(answered, status=403, body=body)

    report = run(AppClient(spoil=spoil), depth="quick")
    assert report.stopped == "the simplest request is refused with status 403"


class Silent:
    """A target that stops answering after some requests."""

    def __init__(self, answers):
        self.answers = answers
        self.client = AppClient()

    def send(self, sent):
        """Answer, or do not."""
        self.answers -= 1
        if self.answers >= 0:
            return self.client.send(sent)
        return Answered(failure=Failure.TIMEOUT, detail="no whole answer within 1 s")


@pytest.mark.parametrize(("answers", "sent"), [(0, 1), (2, 5)])
def test_a_silent_target_is_given_up(answers, sent):
    """Thirty timeouts of thirty seconds are a quarter of an hour."""
    report = Run(Silent(answers), Plan(probes=QUICK, contract=CONTRACT)).go()
    assert report.stopped == ("the target does not answer (timeout): no whole answer within 1 s")
    assert len(report.sendings) == sent
    assert {finding.check for finding in report.failures} == {"answer.whole"}


def test_budgets_are_kept():
    """Whoever pays for tokens decides how many."""
    by_requests = Run(AppClient(), Plan(probes=QUICK, contract=CONTRACT, requests=4)).go()
    assert len(by_requests.sendings) == 4
    assert by_requests.skipped[0][1] == "the budget of 4 requests is spent"
    by_tokens = Run(AppClient(), Plan(probes=QUICK, contract=CONTRACT, tokens=200)).go()
    assert sum(sending.probe.tokens for sending in by_tokens.sendings) <= 200
    assert "the budget of 200 tokens does not allow it" in [why for _, why in by_tokens.skipped]


def test_several_requests_at_once_give_the_same_report():
    """Concurrency is a matter of time alone."""
    one = Run(AppClient(), Plan(probes=QUICK, contract=CONTRACT)).go()
    four = Run(AppClient(), Plan(probes=QUICK, contract=CONTRACT, concurrency=4)).go()
    assert four.verdicts() == one.verdicts()
    assert {each.probe.id for each in four.sendings} == {each.probe.id for each in one.sendings}


def test_checks_left_out_do_not_count():
    """--only and --skip change what counts, not what is sent."""
    wanted = frozenset({"answer.json"})
    client = AppClient(validation="off")
    report = Run(client, Plan(probes=QUICK, contract=CONTRACT, checks=wanted)).go()
    assert report.verdicts() == {"answer.json": Verdict.PASSED}
    assert report.conforms


def test_the_catalogue_explains_itself():
    """A check whose reason and source are empty convinces nobody."""
    for check in CHECKS.values():
        assert check.sentence
        assert check.source, check.id
