"""Shrinking on a live target: honest about what does not show again, bounded, polite, interruptible."""

import json
from dataclasses import replace

import pytest
from bank import kinds
from broken_servers import CONTRACT, HIT, MODEL, fuzz, only, several_and_stop
from in_process import AppClient

from mockchat.conformance.answers import Answered, Failure, Sent
from mockchat.conformance.fuzz_shrink import Allowance
from mockchat.conformance.lacks import is_refused, members_of, refused_member, smaller, without
from mockchat.conformance.probes import Probe, chat, probes
from mockchat.conformance.report import Outcome

LOST = kinds()["reply exchange.n /choices"]
SILENT = Answered(failure=Failure.TIMEOUT, detail="no whole answer within 1 s", seconds=1.0)
CLOSED = Answered(failure=Failure.UNREACHABLE, detail="closed without an answer")


class Counting:
    """A target that counts; `act` may change the answer to a request of a number."""

    def __init__(self, act=None, spoil=None):
        self.client = AppClient(spoil=spoil)
        self.act = act or (lambda number, sent, answered: answered)
        self.sent = []

    def send(self, sent):
        """Answer one request."""
        self.sent.append(sent)
        return self.act(len(self.sent), sent, self.client.send(sent))


def is_hit(sent):
    """Tell whether a request asks for what is broken."""
    body = json.loads(sent.body)
    return isinstance(body, dict) and several_and_stop(body)


def failing(answer, *, since=None):
    """Return an act: whoever is asked for what is broken fails, and from then on all, if said so."""
    state = {"hits": 0}

    def act(_, sent, answered):
        state["hits"] += is_hit(sent)
        is_over = since is not None and state["hits"] >= since
        return answer if is_hit(sent) or is_over else answered

    return act


def only_shrunk(run):
    """Return the one finding that was shrunk."""
    (sending,) = run.report.shrunk
    return sending, sending.shrunk


def test_what_does_not_show_again_is_reported_as_flaky():
    """A race in the server is a fault as well; that it does not show at once hides nothing."""
    broken = only(several_and_stop, LOST.spoil)
    shown = []

    def once(_, sent, answered):
        spoilt = broken(sent, answered)
        shown.append(spoilt != answered)
        return spoilt if shown.count(True) == 1 else answered

    run = fuzz(Counting(once), seed=HIT)
    report = run.go()
    sending, told = only_shrunk(run)
    assert (told.check, told.is_flaky) == ("exchange.n", True)
    assert (told.repeats, told.shown, told.requests) == (3, 0, 3)
    assert sending.probe.id == told.drawn
    assert len(sending.probe.sent.body) == told.size
    assert told.told(told.size) == (
        f"flaky: {told.drawn} showed it, then 0 of 3 equal requests with 3 requests"
    )
    assert not report.conforms
    assert {each.check for each in report.failures} == {"exchange.n"}


def test_a_request_that_hangs_is_shrunk_within_few_timeouts():
    """Thirty seconds for each of a hundred requests would be an hour."""
    target = Counting(failing(SILENT))
    run = fuzz(target, seed=HIT)
    run.go()
    sending, told = only_shrunk(run)
    assert (told.check, told.ended) == ("answer.whole", "3 answers stayed out")
    assert told.requests <= 20
    assert len(sending.probe.sent.body) <= told.size


@pytest.mark.parametrize("answer", [SILENT, CLOSED])
def test_a_target_that_has_gone_is_not_asked_again(answer):
    """Of a dead server every request shows that it is dead: the one that killed it is the finding."""
    target = Counting(failing(answer, since=2))
    run = fuzz(target, seed=HIT)
    run.go()
    sending, told = only_shrunk(run)
    assert told.ended == "the target has not answered since"
    assert told.requests == 2
    assert is_hit(sending.probe.sent)
    assert sending.answered == answer


def test_a_request_that_closes_the_connection_is_shrunk():
    """A crashed worker answers the next request: then the request is at fault, and can be small."""
    run = fuzz(Counting(failing(CLOSED)), seed=HIT)
    run.go()
    sending, told = only_shrunk(run)
    assert (told.check, told.is_flaky) == ("answer.whole", False)
    assert len(sending.probe.sent.body) < told.size / 2


def test_time_is_bounded():
    """A target that answers slowly must not be asked for hours."""
    run = fuzz(Counting(spoil=only(several_and_stop, LOST.spoil)), seed=HIT, timeout=1e-9)
    run.go()
    _, told = only_shrunk(run)
    assert told.ended == "4e-09 s did not suffice"
    assert told.requests <= 1


@pytest.mark.parametrize(
    ("budget", "ended"),
    [
        ("requests", "the budget of requests is spent"),
        ("tokens", "the budget of tokens is spent"),
    ],
)
def test_budgets_count_what_shrinking_takes(budget, ended):
    """Whoever pays for requests pays for these as well."""
    target = Counting(spoil=only(several_and_stop, LOST.spoil))
    drawn = fuzz(target, seed=HIT).probes
    most = {"requests": 40, "tokens": sum(probe.tokens for probe in drawn) + 1000}[budget]
    run = fuzz(target, seed=HIT, plan={budget: most})
    report = run.go()
    _, told = only_shrunk(run)
    assert told.ended == ended
    assert told.requests > 0
    assert report.requests == len(target.sent)
    assert report.requests <= 40


def test_a_budget_is_shared():
    """Written probes, drawn ones and shrinking: none takes everything."""
    written = probes(CONTRACT, model=MODEL)
    target = Counting(spoil=only(several_and_stop, LOST.spoil))
    report = fuzz(target, written=written, plan={"requests": 100}).go()
    drawn = [each for each in report.sendings if each.probe.id.startswith("drawn")]
    assert len(report.sendings) - len(drawn) == 50
    assert len(drawn) == 40
    assert len(target.sent) <= 100
    rest = [why for probe, why in report.skipped if not probe.id.startswith("drawn")]
    assert set(rest) == {"the budget of 50 requests is spent"}


def test_what_written_probes_show_is_not_shrunk():
    """A written probe is as simple as can be."""
    written = [each for each in probes(CONTRACT, model=MODEL) if each.id == "n.two"]
    run = fuzz(AppClient(spoil=LOST.spoil), seed=HIT, written=written)
    report = run.go()
    assert "exchange.n" in {each.check for each in report.failures}
    assert "exchange.n" not in {each.shrunk.check for each in report.shrunk}


def test_an_interruption_keeps_the_simplest_so_far():
    """Ctrl+C while a slow target is asked must not throw the finding away."""
    broken = only(several_and_stop, LOST.spoil)

    def act(number, sent, answered):
        if number > 20:
            raise KeyboardInterrupt
        return broken(sent, answered)

    run = fuzz(Counting(act), seed=HIT)
    with pytest.raises(KeyboardInterrupt):
        run.go()
    sending, told = only_shrunk(run)
    assert told.ended == "interrupted"
    assert len(sending.probe.sent.body) <= told.size
    assert run.report.seconds > 0


def test_an_interruption_of_drawn_requests_keeps_what_was_sent():
    """What was found before is told, shrunk or not."""

    def act(number, _, answered):
        if number > 5:
            raise KeyboardInterrupt
        return answered

    run = fuzz(Counting(act))
    with pytest.raises(KeyboardInterrupt):
        run.go()
    assert len(run.report.sendings) == 5
    assert run.report.shrunk == []


def test_a_target_that_refuses_everything_gets_no_drawn_request():
    """Without the simplest answer nothing drawn would tell anything."""
    written = [each for each in probes(CONTRACT, model=MODEL) if each.id == "chat.plain"]
    target = Counting(lambda _, __, ___: Answered(status=401, body=b"{}"))
    report = fuzz(target, written=written).go()
    assert len(target.sent) == 1
    assert report.stopped


def refusing(*names, param=None):
    """Return an act: a server that lacks these members and says so."""

    def act(_, sent, answered):
        body = json.loads(sent.body) if sent.body else None
        if isinstance(body, dict) and answered.is_success and set(names) & body.keys():
            error = {"message": "no", "type": "invalid_request_error", "param": param, "code": None}
            return replace(
                answered,
                status=400,
                headers=(("content-type", "application/json"),),
                body=json.dumps({"error": error}).encode(),
            )
        return answered

    return act


def test_what_a_target_lacks_is_left_out_of_drawn_requests():
    """Two hundred refusals of one missing feature would find nothing else."""
    written = [
        each
        for each in probes(CONTRACT, model=MODEL)
        if each.capability in {"chat", "member stop", "tools"}
    ]
    target = Counting(refusing("stop", "tools"))
    report = fuzz(target, written=written, count=40).go()
    assert {"member stop", "tools"} <= report.unsupported.keys()
    lawful = [each for each in report.sendings if each.probe.capability == "drawn requests"]
    assert {each.outcome for each in lawful} == {Outcome.ANSWERED}
    assert {"stop", "tools", "tool_choice"} & {
        name for each in lawful for name in each.probe.asked
    } == set()
    assert report.failures == ()


def test_a_member_that_a_refusal_names_is_unsupported_once():
    """The refusal of a capability in the API's own form is no finding."""
    report = fuzz(Counting(refusing("stop", param="stop")), count=40).go()
    assert report.unsupported.keys() == {"member stop"}
    assert report.failures == ()
    assert report.conforms


@pytest.mark.parametrize(
    ("name", "asks"),
    [("n with stop", is_hit), ("stop", lambda sent: "stop" in json.loads(sent.body))],
)
def test_a_refusal_that_names_nothing_is_shrunk_to_what_it_is_about(name, asks):
    """That something is refused helps nobody: that `stop` is, or `n` beside `stop`, does."""

    def act(number, sent, answered):
        return refusing("messages")(number, sent, answered) if asks(sent) else answered

    report = fuzz(Counting(act), seed=HIT).go()
    assert report.unsupported.keys() == {name}
    assert report.failures == ()
    assert report.conforms
    (sending,) = report.shrunk
    assert (sending.shrunk.check, sending.answered.status) == ("", 400)
    assert report.requests == len(report.sendings) + sending.shrunk.requests


def test_what_its_own_probes_met_is_offered():
    """A server that streams, but not everything, must not be told to offer no streams."""
    written = [
        each for each in probes(CONTRACT, model=MODEL) if each.capability in {"chat", "stream"}
    ]

    def act(number, sent, answered):
        are_several = sent.body.count(b'"role": ') > 1
        is_refused = are_several and b'"stream": true' in sent.body
        return refusing("messages")(number, sent, answered) if is_refused else answered

    report = fuzz(Counting(act), written=written, count=60).go()
    assert report.unsupported.keys() == {"some requests with stream"}
    assert report.conforms


def test_messages_that_are_refused_are_told():
    """What is refused may stand in no member of its own."""

    def act(number, sent, answered):
        are_several = sent.body.count(b'"role": ') > 1
        return refusing("messages")(number, sent, answered) if are_several else answered

    report = fuzz(Counting(act), seed=HIT).go()
    assert report.unsupported.keys() == {"some messages"}
    assert len(report.shrunk) == 1


def test_a_rate_limit_is_no_missing_feature():
    """Who asks too fast learns nothing about what is offered."""
    lawful = {"model": MODEL, "messages": []}
    probe = Probe(id="a", capability="chat", sent=chat(lawful), asked=lawful)
    told = {status: is_refused(probe, Answered(status=status)) for status in (200, 400, 429, 501)}
    assert told == {200: False, 400: True, 429: False, 501: True}
    assert not is_refused(replace(probe, wanted="refusal"), Answered(status=400))
    assert not is_refused(probe, Answered(status=400, failure=Failure.CUT))


def test_allowances_without_limits_refuse_nothing():
    """No budget is no limit."""
    probe = Probe(id="a", capability="chat", sent=chat({}), asked={})
    allowance = Allowance()
    allowance.spend(probe)
    assert allowance.refusal(probe) == ""


@pytest.mark.parametrize(
    ("param", "member"),
    [
        ("stop", "stop"),
        ("stop[0]", "stop"),
        ("/stop/0", "stop"),
        ("stop.0", "stop"),
        ("n", None),
        ("messages", None),
        (None, None),
        (7, None),
    ],
)
def test_the_member_that_a_refusal_names(param, member):
    """Servers write paths in several ways; what is no member of the request is nothing it lacks."""
    asked = {"model": MODEL, "messages": [], "stop": ["a"]}
    probe = Probe(id="a", capability="chat", sent=chat(asked), asked=asked)
    body = json.dumps({"error": {"param": param}}).encode()
    assert refused_member(probe, Answered(status=400, body=body)) == member
    assert refused_member(probe, Answered(status=400, body=b"[]")) is None
    assert refused_member(replace(probe, asked=None), Answered(status=400, body=body)) is None


def test_requests_without_what_is_lacking():
    """What needs a missing member goes with it; what cannot do without it is not sent."""
    messages = [{"role": "user", "content": "hi"}]
    tool = {"type": "function", "function": {"name": "f"}}
    asked = {
        "model": MODEL,
        "messages": messages,
        "tools": [tool],
        "tool_choice": "required",
        "n": 2,
    }
    probe = Probe(id="a", capability="chat", sent=chat(asked), asked=asked)
    kept = without(CONTRACT, probe, members_of(["tools", "member seed"]))
    assert kept.asked == {"model": MODEL, "messages": messages, "n": 2}
    assert kept.sent == chat(kept.asked)
    assert without(CONTRACT, probe, members_of(["member seed"])) is probe
    broken = {"messages": [{"role": "nobody"}], "n": 2}
    hopeless = Probe(id="a", capability="chat", sent=chat(broken), asked=broken)
    assert without(CONTRACT, hopeless, frozenset({"n"})) is None
    assert members_of(["stream usage", "json_object", "chat"]) == {
        "stream_options",
        "response_format",
        "chat",
    }


def test_the_parts_of_a_request_that_can_go():
    """Members first, then items from the end; model and messages as a whole stay."""
    asked = {"model": MODEL, "messages": [1, 2], "n": 2}
    probe = Probe(id="a", capability="chat", sent=chat(asked), asked=asked)
    assert dict(smaller(probe)) == {
        "/n": {"model": MODEL, "messages": [1, 2]},
        "/messages/1": {"model": MODEL, "messages": [1], "n": 2},
        "/messages/0": {"model": MODEL, "messages": [2], "n": 2},
    }
    assert dict(smaller(replace(probe, asked=None, sent=Sent(path="/")))) == {}
