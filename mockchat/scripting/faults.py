"""What a fault is, how faults combine, and how timing and damage meet a finished delivery.

The faults themselves stand by kind: `faults_connection`, `faults_timing`, `faults_http` and, for
streams, `faults_events` (whole events), `faults_framing` (the bytes around them) and `faults_chunks`
(what chunks say). `fault_list` gives them names.
"""

from dataclasses import MISSING, dataclass, fields
from enum import Enum
from typing import Literal, Protocol, TypeAlias, cast

from mockchat.errors import BadArgument, MockchatError
from mockchat.exchange import Delivery
from mockchat.payloads.draw import Draw
from mockchat.scripting.arguments import is_share


class Ability(Enum):
    """What an adapter must be able to do to play a damaged delivery; not every host can."""

    TIMING = "timing"
    """Each write leaves at its time."""
    WRITES = "writes"
    """Each write with a delay leaves by itself, wherever its bytes were cut."""
    CUT = "cut"
    """The connection closes before the body is whole."""
    RESET = "reset"
    """The connection is reset."""


class FaultMissed(MockchatError, ValueError):
    """A fault that the delivery gives no room for; sending it undamaged would fake a test.

    Args:
        fault: The fault as its author wrote it.
        reason: What the delivery lacks.
        stub: The stub whose reply it is, where that is known.
    """

    def __init__(self, fault: str, reason: str, stub: str | None = None) -> None:
        super().__init__(fault, reason, stub)
        self.fault = fault
        self.reason = reason
        self.stub = stub

    def __str__(self) -> str:
        if self.stub is None:
            return f"{self.fault} cannot happen: {self.reason}"
        return (
            f"{self.fault} cannot happen to the reply of {self.stub}: {self.reason}.\n\n"
            "Choose a fault or a place that this reply has, or give it room: a longer text, "
            "plan=chunks_of(1), stream=True in the request: README.md#faults"
        )


class CannotPlay(MockchatError, ValueError):
    """A fault, or timing, that the adapter in use cannot play; leaving it out would fake a test.

    Args:
        effect: The fault or the pacing as its author wrote it.
        lacking: The abilities that it needs and the adapter does not have, by name.
        able: Those that the adapter has, by name.
    """

    def __init__(self, effect: str, lacking: tuple[str, ...], able: tuple[str, ...]) -> None:
        super().__init__(effect, lacking, able)
        self.effect = effect
        self.lacking = lacking
        self.able = able

    def __str__(self) -> str:
        needs, able = ", ".join(self.lacking), ", ".join(self.able) or "none of them"
        return (
            f"{self.effect} cannot be played here: it needs {needs}, and of what faults need, what "
            f"answers here can do {able}. The fixture's own server can do all."
        )


class Fault(Protocol):
    """One kind of damage: a pure function from a delivery, and a draw, to a worse delivery.

    Implementations are frozen values whose `repr` is how a test writes them; it stands in journals
    and messages. They may change status, headers, writes, delays and the ending, but do no I/O, and
    take what they leave open from the draw alone.
    """

    @property
    def needs(self) -> frozenset[Ability]:
        """What an adapter must be able to do for it."""
        ...

    def apply(self, delivery: Delivery, draw: Draw) -> Delivery:
        """Return the damaged delivery.

        Args:
            delivery: The delivery, timing included.
            draw: The reply's draw.

        Raises:
            FaultMissed: The delivery has no place where this fault could happen.
        """
        ...


class Timing(Protocol):
    """What sets the delays of a delivery; `Pacing` is one."""

    def apply(self, delivery: Delivery, draw: Draw) -> Delivery:
        """Return the delivery with other delays and the same bytes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """Timing and damage of one delivery, with the draw that decides what they leave open."""

    pacing: Timing | None
    fault: Fault | None
    draw: Draw

    def on(self, delivery: Delivery) -> Delivery:
        """Return the delivery as it is to be played.

        Raises:
            FaultMissed: It gives the fault no room.
        """
        if self.pacing is not None:
            delivery = self.pacing.apply(delivery, self.draw)
        return delivery if self.fault is None else self.fault.apply(delivery, self.draw)


def check_playable(
    pacing: Timing | None, fault: Fault | None, abilities: frozenset[Ability]
) -> None:
    """Refuse what an adapter with these abilities cannot play.

    Raises:
        CannotPlay: The fault, or the pacing, needs more.
    """
    __tracebackhide__ = True
    wanted = (
        (pacing, NOTHING if pacing is None else frozenset({Ability.TIMING})),
        (fault, NOTHING if fault is None else fault.needs),
    )
    for effect, needs in wanted:
        if needs - abilities:
            lacking, able = (
                tuple(ability.value for ability in Ability if ability in found)
                for found in (needs - abilities, abilities)
            )
            raise CannotPlay(repr(effect), lacking, able)


def sometimes(fault: Fault, p: float) -> Fault:
    """Let a fault happen with probability `p`; the reply's draw decides, so a seed repeats it.

    Raises:
        BadArgument: `fault` is none, or `p` is not from 0 to 1.
    """
    __tracebackhide__ = True
    if not is_share(p):
        raise BadArgument("sometimes(p)", p, "a probability from 0 to 1")
    return _Sometimes(fault=checked("sometimes(fault)", fault), p=p)


def together(*faults: Fault) -> Fault:
    """Let several faults happen to one delivery, each to what the one before has left.

    Raises:
        BadArgument: There is none, or one of them is no fault.
    """
    __tracebackhide__ = True
    if not faults:
        raise BadArgument("together()", faults, "one fault or more")
    return _Together(faults=tuple(checked("together()", fault) for fault in faults))


def checked(name: str, fault: object) -> Fault:
    """Return the fault: what a test hands over may be none, for its author may run no type checker.

    Raises:
        BadArgument: It is none; the argument is called `name`.
    """
    __tracebackhide__ = True
    is_made = not isinstance(fault, type)
    if not (is_made and hasattr(fault, "needs") and callable(getattr(fault, "apply", None))):
        allowed = "a fault, such as CutStream(after_chunks=2) or stream_fault('missing-done')"
        raise BadArgument(name, fault, allowed)
    return cast("Fault", fault)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sometimes:
    fault: Fault
    p: float

    @property
    def needs(self) -> frozenset[Ability]:
        return self.fault.needs

    def apply(self, delivery: Delivery, draw: Draw) -> Delivery:
        happens = draw.chance(self.p)
        # Applied in any case: that it cannot happen must not be found out by luck.
        damaged = self.fault.apply(delivery, draw)
        return damaged if happens else delivery

    def __repr__(self) -> str:
        return f"sometimes({self.fault!r}, {self.p})"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Together:
    faults: tuple[Fault, ...]

    @property
    def needs(self) -> frozenset[Ability]:
        return frozenset(need for fault in self.faults for need in fault.needs)

    def apply(self, delivery: Delivery, draw: Draw) -> Delivery:
        for fault in self.faults:
            delivery = fault.apply(delivery, draw)
        return delivery

    def __repr__(self) -> str:
        return f"together({', '.join(map(repr, self.faults))})"


Occasion: TypeAlias = Literal["stream", "tool calls", "usage"]
"""What a reply must be for a named fault to happen: any stream, one with tool calls, one with usage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFault:
    """A fault with a name, for parametrizing a test over all there are; itself a fault.

    Attributes:
        name: Its id, which stays the same over versions.
        meaning: What goes wrong, in one sentence.
        source: Which server does so, or which client was measured with it.
        fault: The damage.
        occasion: What the reply must be for it to happen.
        is_survivable: True: the whole reply is there, and a client is expected to read it. False:
            it is not, and a client is expected to say so.
        breaks: The rules of the contract it breaks at level `documented`; () where the contract
            allows it, or where bytes alone do not show it.
    """

    name: str
    meaning: str
    source: str
    fault: Fault
    occasion: Occasion = "stream"
    is_survivable: bool = False
    breaks: frozenset[str] = frozenset()

    @property
    def needs(self) -> frozenset[Ability]:
        """What an adapter must be able to do for it."""
        return self.fault.needs

    def apply(self, delivery: Delivery, draw: Draw) -> Delivery:
        """Return the damaged delivery.

        Raises:
            FaultMissed: The delivery has no place where it could happen.
        """
        return self.fault.apply(delivery, draw)

    def __repr__(self) -> str:
        return f"stream_fault({self.name!r})"

    def __str__(self) -> str:
        return self.name


def as_written(record: object) -> str:
    """Return a frozen record as a test writes it: members that have their default left out."""
    said = [
        f"{field.name}={getattr(record, field.name)!r}"
        for field in fields(record)  # type: ignore[arg-type]  # the `__repr__` of dataclasses only
        if field.default is MISSING or getattr(record, field.name) != field.default
    ]
    return f"{type(record).__name__}({', '.join(said)})"


NOTHING: frozenset[Ability] = frozenset()
"""The needs of a fault that any adapter can play."""
