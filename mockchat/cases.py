"""Enumerations for `pytest.mark.parametrize`: the same cases in the same order, every time.

```python
@pytest.mark.parametrize("case", cases.invalid_cases("request"))
def test_my_server_refuses(case):
    assert post(case.payload).status == 400, case.mutation
```

pytest shows each case by its id without being asked to. Ids are stable within one version of
mockchat and of the profile, and equal in every worker of pytest-xdist. A payload is made when it is
read, anew each time.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from mockchat.contract.contract import Contract, contract_for
from mockchat.payloads.boundaries import Boundary, boundaries, payload_at
from mockchat.payloads.mutants import Making, mutations_of
from mockchat.payloads.mutation import Mutant, Mutation
from mockchat.payloads.simplest import SimplestDraw
from mockchat.payloads.wire_faults import WIRE_FAULTS
from mockchat.types import Json, JsonView, Level

__all__ = [
    "BoundaryCase",
    "InvalidCase",
    "WireCase",
    "boundary_cases",
    "invalid_cases",
    "wire_cases",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidCase:
    """One mutation of the simplest payload.

    Attributes:
        id: The place and what is done there: "/temperature above".
    """

    id: str
    _making: Making = field(repr=False, compare=False)

    @property
    def __name__(self) -> str:
        """The id, where pytest looks for one."""
        return self.id

    @property
    def mutant(self) -> Mutant:
        """The payload with its parent and its mutation."""
        return self._making(SimplestDraw(), "wild")

    @property
    def payload(self) -> Json:
        """What is wrong: a body, a chunk, the bytes of a stream."""
        return self.mutant.payload

    @property
    def mutation(self) -> Mutation:
        """What is wrong with it, and where."""
        return self.mutant.mutation

    @property
    def request(self) -> JsonView:
        """What a wrong reply answers, {} where it is wrong whatever was asked."""
        return self.mutant.request


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundaryCase:
    """One valid payload at the edge of what is allowed.

    Attributes:
        id: The place and which edge: "/top_logprobs is 20".
        pointer: JSON Pointer to the place, as the schema leads there.
    """

    id: str
    pointer: str
    _making: Callable[[], Json] = field(repr=False, compare=False)

    @property
    def __name__(self) -> str:
        """The id, where pytest looks for one."""
        return self.id

    @property
    def payload(self) -> Json:
        """The payload."""
        return self._making()


@dataclass(frozen=True, slots=True, kw_only=True)
class WireCase:
    """The body of a request that no JSON value can express.

    Attributes:
        id: What it is.
        body: Its bytes.
        reason: Why a server must refuse it.
    """

    id: str
    body: bytes = field(repr=False)
    reason: str

    @property
    def __name__(self) -> str:
        """The id, where pytest looks for one."""
        return self.id


def invalid_cases(
    document: str, *, profile: str | Contract = "openai", level: Level = "observed"
) -> tuple[InvalidCase, ...]:
    """Return every way to break a payload, the simplest payload broken in one place each.

    Every assertion of the document is broken by at least one case, every rule that can be.

    Args:
        document: "request", "response", "stream", "chunk", "error" or another of the profile's.
        profile: Whose contract they break, by name or as a `Contract`.
        level: At which level replies are wrong.

    Raises:
        BadArgument: The profile has no such document.
        UnknownProfile: There is no such profile.
    """
    known = mutations_of(_contract(profile), document, level=level)
    return tuple(InvalidCase(id=name, _making=making) for name, making in known.items())


def boundary_cases(
    document: str, *, profile: str | Contract = "openai", level: Level = "observed"
) -> tuple[BoundaryCase, ...]:
    """Return valid payloads at every edge: each listed value, each limit, each member and none.

    Args:
        document: "request", "response", "chunk", "error" or another of the profile's.
        profile: Whose contract they keep, by name or as a `Contract`.
        level: At which level replies are right.

    Raises:
        BadArgument: The profile has no such document.
        UnknownProfile: There is no such profile.
    """
    contract = _contract(profile)

    def case(boundary: Boundary) -> BoundaryCase:
        making = partial(payload_at, contract, document, boundary, level=level)
        return BoundaryCase(id=boundary.name, pointer=boundary.pointer, _making=making)

    return tuple(map(case, boundaries(contract, document, level=level).values()))


def wire_cases() -> tuple[WireCase, ...]:
    """Return bodies that no JSON value can express, with why a server must refuse them.

    What Python's own `json` accepts is among them: NaN, half a surrogate pair, repeated members.
    """
    return tuple(
        WireCase(id=name, body=body, reason=reason) for name, (body, reason) in WIRE_FAULTS.items()
    )


def _contract(profile: str | Contract) -> Contract:
    return profile if isinstance(profile, Contract) else contract_for(profile)
