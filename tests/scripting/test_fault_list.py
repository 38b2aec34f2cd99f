"""The named faults: each breaks exactly the rules it names, needs what it says, and can be found."""

import re

import pytest
from fault_samples import broken_rules, draw, streamed, whole

import mockchat
from mockchat.contract.stream_rules import STREAM_RULE_LEVELS
from mockchat.errors import BadArgument
from mockchat.exchange import Ending
from mockchat.scripting.fault_list import stream_fault, stream_faults
from mockchat.scripting.faults import Ability, FaultMissed
from mockchat.scripting.sent_events import events

FAULTS = pytest.mark.parametrize("fault", stream_faults(), ids=str)


def applied(fault):
    """Return what a named fault makes of a stream that gives it room."""
    return fault.apply(streamed(fault.occasion), draw())


@pytest.mark.parametrize("occasion", ["stream", "usage", "tool calls"])
def test_the_samples_are_whole(occasion):
    """A sample with a fault of its own would prove nothing."""
    assert broken_rules(streamed(occasion), occasion) == set()


@FAULTS
def test_a_named_fault_breaks_exactly_the_rules_it_names(fault):
    """The judge and the damage must agree, or one of them is wrong."""
    delivery = applied(fault)
    assert delivery != streamed(fault.occasion)
    found = broken_rules(delivery, fault.occasion) if delivery.status == 200 else set()
    assert found == fault.breaks


@FAULTS
def test_what_real_servers_send_breaks_nothing_observed(fault):
    """Rules that count only as documented are notes where servers are judged as they are."""
    delivery = applied(fault)
    found = broken_rules(delivery, fault.occasion, "observed") if delivery.status == 200 else set()
    observed = {
        rule for rule in fault.breaks if STREAM_RULE_LEVELS.get(rule, "observed") == "observed"
    }
    assert found == observed - ({"stream.ending"} if fault.name in HARMLESS_ENDINGS else set())


HARMLESS_ENDINGS = {"no-final-newline", "single-newlines"}
"""A missing last newline counts only as documented."""


@FAULTS
def test_a_named_fault_says_what_it_needs(fault):
    """An adapter that lacks an ability refuses the fault instead of faking it."""
    delivery = applied(fault)
    needs = set()
    if delivery.ending is not Ending.COMPLETE:
        needs.add({Ending.CUT: Ability.CUT, Ending.RESET: Ability.RESET}[delivery.ending])
    if any(write.delay for write in delivery.writes):
        needs.add(Ability.TIMING)
    whole_events = {event.data for event in events(delivery)}
    cut = [write for write in delivery.writes[:-1] if write.data and write.data not in whole_events]
    if cut and delivery.ending is Ending.COMPLETE and delivery.body == streamed().body:
        needs.add(Ability.WRITES)
    assert fault.needs == needs


@FAULTS
def test_a_named_fault_is_pure(fault):
    """The same delivery and the same seed: the same damage."""
    assert applied(fault) == applied(fault)
    assert fault.apply(streamed(fault.occasion), draw(1)).body == applied(fault).body


@FAULTS
def test_a_named_fault_happens_to_what_it_is_for(fault):
    """A fault for tool calls cannot happen to text, and says so."""
    if fault.occasion == "stream":
        return
    with pytest.raises(FaultMissed) as caught:
        fault.apply(streamed(), draw())
    lack = {"tool calls": "no tool call", "usage": "no chunk with usage alone"}[fault.occasion]
    assert str(caught.value) == f"stream_fault('{fault.name}') cannot happen: the stream has {lack}"


@FAULTS
def test_a_named_fault_of_streams_spares_json_or_says_so(fault):
    """A JSON reply is damaged, or the fault tells that it is none for it."""
    try:
        assert fault.apply(whole(), draw()) != whole()
    except FaultMissed as missed:
        assert "cannot happen: the reply" in str(missed)  # noqa: PT017 - either is right


def test_names_are_ids():
    """They stand in the ids of parametrized tests, and in scenario files."""
    names = [fault.name for fault in stream_faults()]
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)] == []
    assert [str(fault) for fault in stream_faults()] == names
    assert all(stream_fault(name).name == name for name in names)
    assert repr(stream_fault("crlf")) == "stream_fault('crlf')"


def test_each_fault_is_told_in_one_sentence_with_its_source():
    """A name alone does not say what a client should do."""
    for fault in stream_faults():
        assert re.fullmatch(r"[A-Z`].*\.", fault.meaning), fault.name
        assert fault.source, fault.name


def test_faults_are_chosen_by_occasion():
    """A test of a client without tools takes those that can happen to it."""
    every = stream_faults()
    assert stream_faults("stream", "usage", "tool calls") == every
    assert {fault.occasion for fault in stream_faults("usage")} == {"usage"}
    with pytest.raises(BadArgument, match=r"stream_faults\(\) is 'tools'; allowed: stream, tool"):
        stream_faults("tools")


def test_a_typo_in_a_name_is_answered_with_the_closest():
    """Fifty names are not remembered."""
    with pytest.raises(BadArgument, match=r"Did you mean 'missing-done'\?"):
        stream_fault("mising-done")
    with pytest.raises(BadArgument, match=r"stream_fault\(\) is 7; allowed: html-502, "):
        stream_fault(7)


def test_faults_are_public():
    """A test imports them from the package."""
    assert mockchat.stream_faults() == stream_faults()
    assert mockchat.stream_fault("crlf") is stream_fault("crlf")
