"""Mutations: a valid payload, spoilt in one place, with the reason in words.

Two steps, neither of which throws anything away: draw a valid payload that has the place, change
that place. The contract then must report it there; that is an assertion, never a filter.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from mockchat.contract.contract import Contract
from mockchat.contract.pointers import pointer_of, tokens_of, value_at
from mockchat.exchange import Violation
from mockchat.payloads.draw import Draw
from mockchat.payloads.rule_keeping import keeping_rules
from mockchat.payloads.shown import ShownAsCode
from mockchat.payloads.simplest import SimplestDraw
from mockchat.payloads.targets import (
    Target,
    changed,
    compiled_document,
    drawn_for,
    targets_of,
)
from mockchat.types import Json, Kind, Level


class Harmless(Exception):
    """A mutation that a profile has no rule, no member or no model for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """What was done to a payload, and what is wrong with it now.

    Attributes:
        pointer: JSON Pointer to the fault, as in `exchange.Violation`.
        keyword: The JSON Schema keyword that is broken, None for a rule no schema can say.
        rule: The rule that is broken: "schema.maximum", "request.one-token-limit" …
        schema_pointer: Where the keyword stands ("request.json#/$defs/identifier/pattern"), "" for a
            rule no schema can say.
        variant: Which way it was broken: "above", "wrong case", "without model" …
        before: What stood there; None where nothing did.
        after: What stands there now; None where nothing does.
        reason: What is wrong, in words.
    """

    pointer: str
    keyword: str | None
    rule: str
    schema_pointer: str = ""
    variant: str
    before: Json
    after: Json
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant(ShownAsCode):
    """A payload that breaks the contract, with its reason.

    Attributes:
        payload: What is wrong: a request, a completion, a chunk, the bytes of a stream …
        mutation: What is wrong with it.
        parent: The payload it was made of, which breaks nothing; not shown.
        request: What a wrong reply answers, {} where it is wrong whatever was asked.
    """

    payload: Json
    mutation: Mutation
    parent: Json = None
    request: Mapping[str, Json] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Show what is wrong and why; the parent is the payload with `before` in its place."""
        said = f"payload={self.payload!r}, mutation={self.mutation!r}"
        return f"Mutant({said}, request={self.request!r})" if self.request else f"Mutant({said})"


def mutant_of(  # noqa: PLR0913 - four say what, two how
    contract: Contract,
    document: str,
    target: Target,
    draw: Draw,
    *,
    kind: Kind = "wild",
    level: Level = "observed",
) -> Mutant:
    """Return a payload of `document` that `target` has spoilt.

    Args:
        contract: Whose payloads.
        document: "request", "response", "chunk", "error", "model" …
        target: One of `targets(contract, document)`.
        draw: Where choices come from: what is left open by the target.
        kind: What the rest of the payload is like.
        level: At which level the parent is valid and the mutant is not.

    Raises:
        AssertionError: The contract does not report it there.
    """
    mutant, found = _spoilt(contract, document, target, draw, kind=kind, level=level)
    assert found is not None, (document, target.name, mutant.payload)  # noqa: S101 - the law itself
    return mutant


@lru_cache(maxsize=64)
def targets(
    contract: Contract, document: str, *, level: Level = "observed"
) -> Mapping[str, Target]:
    """Return every way to spoil a `document`, by its name, nearest places first.

    What a request may say although its schema would not have it (null for most members) is left
    out: each way is tried on the simplest payload.

    Raises:
        BadArgument: The profile has no such document.
    """
    node = compiled_document(contract.profile, document, level).node
    return {
        target.name: target
        for target in targets_of(node)
        if _spoilt(contract, document, target, SimplestDraw(), kind="wild", level=level)[1]
        is not None
    }


def _spoilt(  # noqa: PLR0913 - see mutant_of
    contract: Contract, document: str, target: Target, draw: Draw, *, kind: Kind, level: Level
) -> tuple[Mutant, Violation | None]:
    compiled = compiled_document(contract.profile, document, level)
    drawn = drawn_for(target, compiled, draw, kind)
    parent, path = keeping_rules(contract, document, drawn, target.path, level=level)
    payload = changed(parent, path, target.breakage)
    pointer = pointer_of((*path, *target.breakage.at))
    found = reported(contract.violations(document, payload, level=level), pointer)
    mutation = Mutation(
        pointer=pointer,
        keyword=None if found is None else found.keyword,
        rule="" if found is None else found.rule,
        schema_pointer="" if found is None else found.schema_pointer,
        variant=target.breakage.variant,
        before=found_at(parent, pointer),
        after=found_at(payload, pointer),
        reason=target.breakage.reason,
    )
    return Mutant(payload=payload, mutation=mutation, parent=parent), found


def reported(
    violations: Iterator[Violation] | tuple[Violation, ...], pointer: str
) -> Violation | None:
    """Return the violation at `pointer`, notes left out; None where there is none."""
    at_pointer = (one for one in violations if one.pointer == pointer and not one.is_note)
    return next(at_pointer, None)


def found_at(value: Json, pointer: str) -> Json:
    """Return what stands at `pointer`, None where nothing does."""
    try:
        return value_at(value, tokens_of(pointer))
    except LookupError:
        return None
