"""Rules that do not concern a request are not asked, and would have found nothing."""

import pytest

from mockchat.cases import invalid_cases
from mockchat.contract.capability_rules import BY_MODEL
from mockchat.contract.contract import contract_for
from mockchat.contract.exchange_rules import EXCHANGE, Exchanged
from mockchat.contract.request_rules import REQUEST
from mockchat.errors import ImpossibleSchema
from mockchat.payloads.completions import complete
from mockchat.payloads.requests import make_request
from mockchat.payloads.seeded import SeededDraw


def asked_for(contract, body):
    """Return a request as rules look at it."""
    sent = contract._without_nulls(body)
    return contract._asked(sent, list(contract._schema_violations("request", sent, "observed")))[0]


def bodies(contract, count):
    """Return valid requests over all members, and one with each fault there is."""
    valid = [make_request(contract, SeededDraw(n), kind="wild") for n in range(count)]
    faulty = [case.payload for case in invalid_cases("request", profile=contract.profile.name)]
    return [*valid, *(body for body in faulty if isinstance(body, dict))]


def reply_to(request, contract):
    """Return a reply, None where a schema of the request allows no value that can be made."""
    try:
        return complete(request, SeededDraw(0), contract=contract, kind="wild")
    except ImpossibleSchema:
        return None


@pytest.mark.parametrize("profile", ["openai", "mistral", "openai-2024-08"])
def test_rules_left_out_would_have_found_nothing_in_a_request(profile, proof_count):
    """A rule that is not asked must not be one that would have spoken."""
    contract = contract_for(profile)
    found = 0
    for body in bodies(contract, proof_count(100)):
        asked = asked_for(contract, body)
        for book in (REQUEST, BY_MODEL):
            every = list(book.violations(asked, contract._rules))
            assert list(book.violations(asked, contract._rules, given=asked.given)) == every
            found += len(every)
    assert found


def test_rules_left_out_would_have_found_nothing_in_an_exchange(proof_count):
    """The same for replies, of which each is the answer to another request here."""
    contract = contract_for()
    drawn = [make_request(contract, SeededDraw(n), kind="wild") for n in range(proof_count(400))]
    answered = [(each, reply_to(each, contract)) for each in drawn]
    requests = [request for request, reply in answered if reply is not None]
    replies = [reply for _, reply in answered if reply is not None]
    found = set()
    for request, reply in zip(requests, [*replies[1:], replies[0]], strict=True):
        asked = asked_for(contract, request)
        exchanged = Exchanged(request=asked.body, completion=reply, model=asked.model)
        every = list(EXCHANGE.violations(exchanged, contract._rules, "documented"))
        chosen = EXCHANGE.violations(exchanged, contract._rules, "documented", given=asked.given)
        assert list(chosen) == every
        found |= {violation.rule for violation in every}
    assert len(found) > 3


def test_a_flawless_request_is_read_as_it_is():
    """What is known of a request saves judging it again, and changes no verdict on its reply."""
    contract = contract_for()
    for seed in range(20):
        request = make_request(contract, SeededDraw(seed), kind="wild")
        other = make_request(contract, SeededDraw(seed + 1), kind="wild")
        reply = reply_to(other, contract)
        if reply is None:
            continue
        slow = contract.exchange_violations(request, reply, level="documented")
        quick = contract.exchange_violations(request, reply, level="documented", is_flawless=True)
        assert quick == slow


def test_rules_are_chosen_for_ever_new_profiles():
    """Tests make profiles by the hundred; what is remembered of one is not another's."""
    contract = contract_for()
    asked = asked_for(contract, {"model": "a", "messages": [], "tool_choice": "auto"})
    name = "request.tool-choice-needs-tools"
    for _ in range(70):
        assert [each.rule for each in REQUEST.violations(asked, {name: {}})] == [name]
        assert list(REQUEST.violations(asked, {name: False})) == []


def test_which_rules_concern_a_request_is_remembered_within_bounds():
    """Clients choose which members they send: no set of them may stay for ever."""
    contract = contract_for()
    switched_on = contract._rules
    asked = asked_for(contract, {"model": "gpt-4o", "messages": [{"role": "user", "content": "a"}]})
    for number in range(300):
        given = asked.given | {f"member {number}"}
        assert list(REQUEST.violations(asked, switched_on, given=given)) == []
    assert 0 < len(REQUEST._switched_on(switched_on)._by) <= 256
