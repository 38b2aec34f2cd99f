"""Stubs made of rules of others, as far as a script takes them; what it does not take is told."""

from collections.abc import Iterable, Iterator

from mockchat.contract.contract import Contract
from mockchat.recording.imported import Notes, Ruled
from mockchat.scripting.scenario_places import START, Located
from mockchat.scripting.scenario_stubs import add_stubs
from mockchat.scripting.script import Script
from mockchat.types import JsonObject

_REPLY = ("reply", "plan", "pacing", "fault", "finish_reason", "usage")
"""What is said of one reply; the rest is said of the stub."""


def settled(rules: Iterable[Ruled], contract: Contract, notes: Notes) -> list[JsonObject]:
    """Return the stubs that a script takes, in order.

    A reply that breaks the contract is sent unchecked, for that is what the other tool sends. A
    stub that can never answer is left out, as is one that cannot be said here.

    Args:
        rules: The stubs, each with the place it comes from.
        contract: What replies are judged by.
        notes: Takes what was left out.
    """
    script = Script(contract)
    kept: list[JsonObject] = []
    for rule in rules:
        stub = _lawful(rule, contract, notes)
        if stub is None:
            continue
        faults = _faults(stub, script)
        if faults and rule.pointer is not None:
            notes.add(rule.pointer, f"the fixture is not imported: {faults[0]}")
        if not faults:
            kept.append(stub)
    return kept


def _lawful(rule: Ruled, contract: Contract, notes: Notes) -> JsonObject | None:
    """Return the stub with each reply marked that breaks the contract."""
    first = {name: value for name, value in rule.stub.items() if name != "then"}
    steps = [*_steps(rule, [first, *rule.stub.get("then", [])], contract, notes)]
    if None in steps:
        return None
    head, *others = [step for step in steps if step is not None]
    return {**head, "then": others} if others else head


def _steps(
    rule: Ruled, steps: list[JsonObject], contract: Contract, notes: Notes
) -> Iterator[JsonObject | None]:
    for step in steps:
        said = {name: value for name, value in step.items() if name in _REPLY or name == "when"}
        faults = _faults(said, Script(contract))
        if not faults:
            yield step
            continue
        unchecked = {"reply": {"unchecked": step["reply"]}}
        is_sayable = not _faults(said | unchecked, Script(contract))
        if rule.pointer is not None:
            result = "sent unchecked" if is_sayable else "not imported"
            notes.add(rule.pointer, f"the reply is {result}: {faults[0]}")
        yield step | unchecked if is_sayable else None


def _faults(stub: JsonObject, script: Script) -> list[str]:
    """Add one stub to a script; return what is wrong with it, in which case it was not added."""
    alone = Located(value={"stubs": [stub]}, values={"": START}, keys={})
    return [" ".join(words.split()) for _, words in add_stubs(alone, script, "import")]
