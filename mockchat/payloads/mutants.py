"""All mutations of one kind of payload, by name: what strategies draw from and cases list."""

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import TypeAlias

from mockchat.contract.contract import Contract
from mockchat.payloads.draw import Draw
from mockchat.payloads.mutation import Mutant, mutant_of, targets
from mockchat.types import Kind, Level

Making: TypeAlias = Callable[[Draw, Kind], Mutant]
"""Makes the mutant of one mutation: the draw decides what the mutation leaves open."""


@lru_cache(maxsize=64)
def mutations_of(
    contract: Contract, document: str, *, level: Level = "observed"
) -> Mapping[str, Making]:
    """Return every mutation of a payload by its name, always in the same order.

    Args:
        contract: Whose payloads.
        document: "request", "response", "chunk", "error" or another document of the profile.
        level: At which level parents are valid and mutants are not.

    Raises:
        BadArgument: The profile has no such document.
    """

    def making(name: str, draw: Draw, kind: Kind) -> Mutant:
        target = targets(contract, document, level=level)[name]
        return mutant_of(contract, document, target, draw, kind=kind, level=level)

    return {name: partial(making, name) for name in targets(contract, document, level=level)}
