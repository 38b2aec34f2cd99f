"""Replies made for messages that nobody looks at are those made for the messages."""

import operator
from copy import deepcopy

import pytest

from mockchat.contract.contract import contract_for
from mockchat.contract.exchange_rules import EXCHANGE
from mockchat.contract.profile import profile_names
from mockchat.payloads.completions import framed
from mockchat.payloads.encoding import encode_json
from mockchat.payloads.forms import AlikeForm
from mockchat.payloads.requests import make_request
from mockchat.payloads.seeded import SeededDraw
from mockchat.payloads.tokens import approximate_tokens, message_token_kinds, prompt_token_kinds
from mockchat.payloads.unread import UNREAD, Looked, Sum, Unread, counted, has_sums, unread

TEXT = "Grüße \u2028 \U0001f600"


def numbers_of(request):
    """Return what the messages of a request cost, by kind."""
    tokens = message_token_kinds(request["messages"], approximate_tokens())
    return {"text": tokens.text, "image": tokens.image, "audio": tokens.audio}


@pytest.mark.parametrize("profile", sorted(profile_names()))
def test_bodies_of_requests_that_are_alike_differ_in_figures_alone(profile, proof_count):
    """The shortcut must give the very bytes of the long way, for whatever members a request has."""
    contract, message = contract_for(profile), {"role": "assistant", "content": TEXT}
    for seed in range(proof_count(40)):
        request = make_request(contract, SeededDraw(seed))
        made, frame = framed(request, SeededDraw(0), contract=contract, message=message)
        apart = unread(request)
        _, alike = framed(apart, SeededDraw(0), contract=contract, message=message)
        assert (frame is None) is (alike is None)
        if alike is None:
            continue
        numbers = numbers_of(request)
        assert counted(dict(alike.members), numbers) == frame.members
        form = AlikeForm.of(alike.members, alike.blanks).counted(numbers)
        drawn = {name: made[name] for name in frame.blanks}
        assert form.filled(drawn) == encode_json(made)


@pytest.mark.parametrize("profile", sorted(profile_names()))
def test_what_a_request_costs_is_its_messages_and_the_rest(profile, proof_count):
    """Usage is told of sums: a kind that is counted otherwise would be told wrong."""
    tokenizer = approximate_tokens()
    for seed in range(proof_count(40)):
        request = make_request(contract_for(profile), SeededDraw(seed))
        alike, numbers = prompt_token_kinds(unread(request), tokenizer), numbers_of(request)
        whole = prompt_token_kinds(request, tokenizer)
        sums = (alike.text, alike.image, alike.audio, alike.total)
        told = [counted(one, numbers) for one in sums]
        assert told == [whole.text, whole.image, whole.audio, whole.total]


def test_no_rule_on_a_reply_looks_at_what_messages_cost():
    """A reply is judged once for all requests that differ there."""
    sites = [site for rule in EXCHANGE.rules.values() for site in rule.looks_at]
    assert [site for site in sites if "prompt" in site or "total" in site] == []
    assert [site for site in sites if site.startswith("request/messages")] == []


@pytest.mark.parametrize(
    "look",
    [
        bool, len, list, dict, repr, str, lambda it: it == [], lambda it: it[0], lambda it: 1 in it,
        lambda it: isinstance(it, list), lambda it: it.get("role"), lambda it: it.__class__,
    ],
)  # fmt: skip
def test_messages_that_nobody_looks_at_refuse(look):
    """What is made without an error is proven to go by nothing of them."""
    with pytest.raises(Looked):
        look(UNREAD)
    assert isinstance(UNREAD, Unread)


@pytest.mark.parametrize(
    "use",
    [
        bool, int, operator.index, lambda it: it < 1, lambda it: it >= 1,
        lambda it: it > 1, lambda it: it <= 1, lambda it: it // 2, lambda it: it - 1,
        lambda it: it * 2, lambda it: it % 2, lambda it: it / 2,
    ],
)  # fmt: skip
def test_a_sum_is_only_added_to(use):
    """Whatever else is done with it would be true of one request alone."""
    with pytest.raises(Looked):
        use(Sum(1, "text"))


def test_sums_add_up():
    """Unknown numbers keep their names, also where one is there twice."""
    both = sum([1, Sum(2, "text"), Sum(3, "text", "image"), 4])
    assert deepcopy(both).of({"text": 10, "image": 100, "audio": 1000}) == 130
    assert has_sums({"a": {"b": both}})
    assert not has_sums({"a": {"b": 1}})
