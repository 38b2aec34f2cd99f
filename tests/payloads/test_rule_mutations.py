"""Mutants of rules and of streams: every rule that can be broken is, alone, at the place it names."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockchat.contract.capability_rules import BY_MODEL
from mockchat.contract.contract import Contract, contract_for
from mockchat.contract.exchange_rules import EXCHANGE
from mockchat.contract.profile import profile_names
from mockchat.contract.reply_rules import REPLY
from mockchat.contract.request_rules import REQUEST, RESTATING
from mockchat.contract.stream_framing import FramingJudge
from mockchat.contract.stream_rules import STREAM_RULES
from mockchat.errors import BadArgument
from mockchat.payloads.drawn import HypothesisDraw
from mockchat.payloads.mutants import mutations_of
from mockchat.payloads.mutation import found_at
from mockchat.payloads.seeded import SeededDraw
from mockchat.payloads.simplest import SimplestDraw
from mockchat.server.wire import SseDecoder

PROFILES = profile_names()
LEVELS = ("observed", "documented")
ONLY_NOTES = {
    "exchange.model",  # gateways answer with other models
    "reply.id-prefix",  # no document says how ids start
    "reply.logprobs-spell-content",  # tokens may end within a character
    "stream.comment",  # servers keep connections alive with them
}
"""Rules whose findings are never wrong, so that no mutant can break them."""

IN_A_HEADER = {"stream.content-type"}
"""Rules on what no body shows."""


def rules(document, contract, level):
    """Return the mutations of rules: those of the schema are tested elsewhere."""
    known = mutations_of(contract, document, level=level)
    return {
        name: making for name, making in known.items() if document == "stream" or "." in name[:9]
    }


def wrong(violations):
    """Return what counts: notes do not."""
    return [violation for violation in violations if not violation.is_note]


def events_of(data):
    """Return the events of a stream's bytes."""
    decoder = SseDecoder()
    found = [event.data for event in (*decoder.feed(data), *decoder.finish())]
    return [text if text == "[DONE]" else json.loads(text) for text in found]


def framed(contract, payload, level):
    """Return what is wrong with the lines of a stream."""
    framing = FramingJudge(contract.profile.settings, level=level)
    return wrong([*framing.feed(payload), *framing.finish()])


def judged(contract, document, payload, request, level):
    """Return what is wrong with a payload, by the judges a user would ask."""
    if document == "request":
        return wrong(contract.request_violations(payload))
    if document == "response":
        found = contract.violations("response", payload, level=level)
        found += contract.exchange_violations(request, payload, level=level) if request else ()
        return wrong(found)
    found = framed(contract, payload, level)
    # A stream that is framed wrongly has other events than it was made of.
    if not found or {one.rule for one in found} == {"stream.ending"}:
        judge = contract.stream_judge(request=request, level=level)
        events = events_of(payload)
        found = [one for event in events for one in judge.feed(event)] + [*judge.finish()]
    return wrong(found)


def check(contract, document, mutant, level, name):
    """Assert what holds of every mutant of a rule."""
    mutation = mutant.mutation
    found = judged(contract, document, mutant.payload, mutant.request, level)
    told = {(violation.rule, violation.pointer) for violation in found}
    if mutation.rule == "stream.ending":
        # What ends too early lacks its last event as well: of the lines alone nothing else is told.
        assert {rule for rule, _ in told} <= {"stream.done-missing"}, name
        told = {(one.rule, one.pointer) for one in framed(contract, mutant.payload, level)}
    assert (mutation.rule, mutation.pointer) in told, name
    assert {pointer for _, pointer in told} == {mutation.pointer}, name
    assert judged(contract, document, mutant.parent, mutant.request, level) == [], name
    assert mutant.payload != mutant.parent
    assert mutation.reason
    assert mutation.keyword is None


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("document", ["request", "response", "stream"])
@pytest.mark.parametrize("profile", PROFILES)
def test_every_rule_mutation_breaks_its_rule_alone(profile, document, level, proof_count):
    """A mutant with two faults would not show which of them a server found."""
    contract = contract_for(profile)
    step = 1 if profile == "openai" else 10 // proof_count(10)
    for name, making in [*rules(document, contract, level).items()][::step]:
        check(contract, document, making(SimplestDraw(), "wild"), level, name)


# Rules that OpenAI's own profile has switched off are broken in these.
TELLING = ("azure", "deepseek", "mistral")


def test_every_rule_is_broken_by_some_mutation(proof_count):
    """A rule without a mutant is one whose check could be deleted unnoticed."""
    broken = set()
    openai = contract_for("openai").profile
    # Off in our profiles, as its evidence contradicts itself; a user's may ask for it.
    switched = {**openai.settings["rules"], "request.metadata-needs-store": {}}
    strict = Contract(replace(openai, settings={**openai.settings, "rules": switched}))
    books = (REQUEST, RESTATING, BY_MODEL, REPLY, EXCHANGE)
    known = {rule for book in books for rule in book.rules} | STREAM_RULES.keys()
    for contract in (strict, *map(contract_for, (*TELLING, *PROFILES))):
        for document in ("request", "response", "stream"):
            for name, making in rules(document, contract, "documented").items():
                if name.partition(" ")[0] not in broken:
                    broken.add(making(SimplestDraw(), "wild").mutation.rule)
        # `make proof` goes on: in no profile may what is listed be broken.
        if proof_count(10) == 1 and known - broken == ONLY_NOTES | IN_A_HEADER:
            break
    assert known - broken == ONLY_NOTES | IN_A_HEADER


def test_a_drawn_rule_mutation_breaks_its_rule_alone(proof_count):
    """What the draw decides must not touch what is broken."""

    @settings(deadline=None, max_examples=proof_count(60))
    @given(data=st.data(), document=st.sampled_from(["request", "response", "stream"]))
    def breaks(data, document):
        # The page profiles have documents and no rules for some of them.
        first = data.draw(st.integers(0, len(PROFILES) - 1))
        others = (*PROFILES[first:], *PROFILES[:first])
        profile = next(name for name in others if rules(document, contract_for(name), "observed"))
        level = data.draw(st.sampled_from(LEVELS))
        known = rules(document, contract_for(profile), level)
        name = data.draw(st.sampled_from([*known]))
        mutant = known[name](HypothesisDraw(data.draw), "wild")
        check(contract_for(profile), document, mutant, level, name)

    breaks()


@pytest.mark.proof
@pytest.mark.parametrize("document", ["request", "response", "stream"])
def test_rule_mutations_of_seeds(document, proof_count):
    """The command line makes mutants from seeds: the same law, another draw."""
    contract = contract_for("openai")
    known = rules(document, contract, "documented")
    for seed in range(proof_count(10)):
        for name, making in known.items():
            check(contract, document, making(SeededDraw(seed), "wild"), "documented", name)


def test_a_mutant_of_a_rule_tells_what_was_there():
    """Before and after are what a reader looks at first."""
    making = mutations_of(contract_for("openai"), "request")["request.one-token-limit /max_tokens"]
    mutant = making(SimplestDraw(), "wild")
    assert mutant.mutation.pointer == "/max_tokens"
    assert (mutant.mutation.before, mutant.mutation.after) == (None, 9)
    assert found_at(mutant.payload, "/max_completion_tokens") == 9


def test_a_wrong_answer_comes_with_its_question():
    """Nobody can see that two choices are too few without knowing that three were asked for."""
    known = mutations_of(contract_for("openai"), "response")
    assert known["exchange.n /choices"](SimplestDraw(), "wild").request["n"] == 2
    assert known["reply.choice-indices /choices/0/index"](SimplestDraw(), "wild").request == {}


def test_a_document_that_is_not_there_is_told():
    """A typo must not give an empty list."""
    with pytest.raises(BadArgument, match="streem"):
        mutations_of(contract_for("openai"), "streem")
