"""Requests drawn by Hypothesis: the same for everybody, harmless to a right server, and cheap."""

import json

import pytest
from bank import kinds
from broken_servers import CONTRACT, MODEL, fuzz, only, seed_that_draws, several_and_stop, shrunk
from hypothesis import configuration
from in_process import AppClient

from mockchat.conformance.asked_probes import LAWFUL, UNLAWFUL
from mockchat.conformance.fuzz import MOST_TO_SHRINK
from mockchat.conformance.fuzz_draws import Drawer, own_home
from mockchat.conformance.report import Outcome
from mockchat.contract.contract import contract_for
from mockchat.contract.profile import profile_names
from mockchat.types import Level

LIMITS = {"max_tokens", "max_completion_tokens"}


def model_of(contract):
    """Return a model of a profile."""
    return next((each.id for each in contract.profile.models), MODEL)


def drawn(seed, count, contract=CONTRACT):
    """Return the requests of one seed."""
    return Drawer(contract, model=model_of(contract), seed=seed).probes(count)


def test_the_same_seed_draws_the_same_requests():
    """A finding that cannot be drawn again cannot be worked on."""
    first, again, other = drawn(1, 12), drawn(1, 12), drawn(2, 12)
    assert first == again
    assert [probe.sent for probe in first[1:]] != [probe.sent for probe in other[1:]]
    assert drawn(1, 6) == first[:6]
    assert first[0].sent == other[0].sent, "the simplest comes first, whatever the seed"


def test_a_folder_that_the_user_names_is_kept_to(monkeypatch, tmp_path):
    """Tables that are computed once for all runs spare a second each."""
    before = configuration.storage_directory(intent_to_write=False).path
    monkeypatch.setenv("HYPOTHESIS_STORAGE_DIRECTORY", str(tmp_path))
    with own_home():
        assert configuration.storage_directory(intent_to_write=False).path == before
    monkeypatch.delenv("HYPOTHESIS_STORAGE_DIRECTORY")
    with own_home():
        assert configuration.storage_directory(intent_to_write=False).path != before
    assert configuration.storage_directory(intent_to_write=False).path == before


def test_drawn_requests_are_what_they_are_counted_as(proof_count):
    """A request that is lawful by mistake, or broken by mistake, accuses a right server."""
    seen = {LAWFUL: 0, UNLAWFUL: 0}
    for probe in drawn(3, proof_count(300)):
        seen[probe.capability] += 1
        found = [each for each in CONTRACT.request_violations(probe.asked) if not each.is_note]
        assert bool(found) == (probe.capability == UNLAWFUL) == (probe.wanted == "refusal")
        assert json.loads(probe.sent.body) == probe.asked
        assert probe.tokens < 10_000
        if probe.capability == LAWFUL:
            assert probe.asked["model"] == model_of(CONTRACT)
            assert LIMITS & probe.asked.keys()
            assert all(
                probe.asked.get(name) in (None, 64) or probe.asked[name] < 64 for name in LIMITS
            )
            assert (probe.asked.get("n") or 1) <= 4
    assert 0.5 < seen[LAWFUL] / sum(seen.values()) < 0.9


@pytest.mark.parametrize("level", ["observed", "documented"])
def test_our_server_is_accused_of_nothing(level: Level, proof_count):
    """A fuzzer that cries wolf is switched off."""
    for seed in range(proof_count(6)):
        client = AppClient(seed=seed, kind="wild" if seed % 2 else "plain")
        report = fuzz(client, seed=seed, count=60, plan={"level": level}).go()
        assert [each for each in report.findings if not each.violation.is_note] == []
        assert (report.conforms, report.unsupported, report.shrunk) == (True, {}, [])
        assert {each.outcome for each in report.sendings} == {Outcome.ANSWERED}


@pytest.mark.parametrize("profile", profile_names())
def test_every_profile_is_fuzzed_by_its_own_contract(profile, proof_count):
    """Vendors differ on purpose: what is drawn for one is drawn from its own documents."""
    if proof_count(10) == 1 and profile not in {"azure", "openai-2023-03", "perplexity"}:
        pytest.skip("under proof all profiles")
    contract = contract_for(profile)
    client = AppClient(profile=profile)
    report = fuzz(client, contract=contract, model=model_of(contract), count=proof_count(60)).go()
    found = [(each.check, each.violation.message) for each in report.failures]
    assert (found, report.conforms, report.unsupported) == ([], True, {})


def asks(*names):
    """Return what tells whether a request says something under each of these names."""
    return lambda body: all(body.get(name) for name in names)


def calls_and_counts(body):
    """Tell whether a request asks for counted streams with tools."""
    return asks("stream", "tools")(body) and body["stream_options"]["include_usage"]


def has_role(role):
    """Return what tells whether a message of this role is in a request."""
    return lambda body: any(each["role"] == role for each in body["messages"])


KINDS = kinds()
BROKEN = {
    "several choices and stop": (
        "reply reply.choice-indices /choices/0/index",
        several_and_stop,
        {"n", "stop"},
    ),
    "one choice of several": ("reply exchange.n /choices", several_and_stop, {"n", "stop"}),
    "a server error": (
        "status 500 for a completion",
        asks("logit_bias", "user"),
        {"logit_bias", "user"},
    ),
    "a counted stream with tools": (
        "bytes stream.data-prefix no space behind the colon",
        calls_and_counts,
        {"stream", "stream_options", "tools"},
    ),
    "a refusal of a tool's result": ("a refusal of text", has_role("tool"), None),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_for_some_requests_alone_is_found_and_shrunk(name, proof_count):
    """No written probe asks for it; what is drawn says in the end just that."""
    if proof_count(10) == 1:
        pytest.skip("under proof; one kind stands in the tests of the commands")
    kind, asks_for, members = BROKEN[name]
    check, spoil = KINDS[kind].check, KINDS[kind].spoil
    wanted = "refusal" if members is None else "completion"
    seed = seed_that_draws(asks_for, first=8, count=25, wanted=wanted)
    run = fuzz(
        AppClient(spoil=only(asks_for, spoil)), seed=seed, count=25, plan={"level": "documented"}
    )
    body = shrunk(run)[check]
    assert asks_for(body)
    if members is not None:
        assert body.keys() == {"model", "messages"} | members
        assert len(json.dumps(body)) < 60 + 80 * len(members)
    (told,) = [each.shrunk for each in run.report.shrunk if each.shrunk.check == check]
    assert told.shown == told.repeats
    assert told.ended in {"", "120 requests did not suffice"}
    assert told.requests <= MOST_TO_SHRINK
    assert not run.report.conforms
