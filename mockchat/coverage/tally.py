"""How much of a profile was met: marks added up, and the counts made of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mockchat.coverage.capabilities import CAPABILITIES
from mockchat.coverage.items import SIDES, Item, Side


@dataclass(slots=True, kw_only=True)
class Tally:
    """What exchanges of one profile have met.

    Attributes:
        profile: The profile's name.
        given: The ids of items that a client sent or was given.
        well: Those of them that a test met which passed.
        exchanges: How many exchanges were looked at.
        others: How many exchanges of other profiles were left out.
    """

    profile: str
    given: set[str] = field(default_factory=set)
    well: set[str] = field(default_factory=set)
    exchanges: int = 0
    others: int = 0

    def add(self, marks: Iterable[str], *, went_well: bool) -> None:
        """Take in what one exchange met."""
        met = frozenset(marks)
        self.exchanges += 1
        self.given |= met
        if went_well:
            self.well |= met

    def merge(self, other: "Tally") -> None:
        """Take in what another process or run has found."""
        self.given |= other.given
        self.well |= other.well
        self.exchanges += other.exchanges
        self.others += other.others


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The counts of some items.

    Attributes:
        side: Whether a client sends them or is given them.
        name: The capability, or "total".
        items: How many there are, excluded ones left out.
        given: How many were met.
        well: How many were met by a test that passed.
        missing: The ids of those that were not.
    """

    side: Side
    name: str
    items: int
    given: int
    well: int
    missing: tuple[str, ...]

    @property
    def percent(self) -> float:
        """How many of a hundred items went well; 100 where there are none."""
        return 100.0 * self.well / self.items if self.items else 100.0

    @property
    def shown(self) -> int:
        """The percent as a whole number that is 0 and 100 only where that is exact."""
        if 0 < self.well < self.items:
            return min(99, max(1, round(self.percent)))
        return round(self.percent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The counts of a tally.

    Attributes:
        rows: A row for each capability of each side that has items, and none else.
        totals: A row for each side.
        excluded: The items that nobody can meet.
        unknown: The ids of marks that no item has: of another version of the contract.
    """

    rows: tuple[Row, ...]
    totals: Mapping[Side, Row]
    excluded: tuple[Item, ...]
    unknown: tuple[str, ...]

    @property
    def percent(self) -> float:
        """How much of what a client can be given went well, in percent."""
        return self.totals["reply"].percent


def counted(items: Mapping[str, Item], tally: Tally) -> Counted:
    """Return the counts of what a tally has of these items.

    An item that is excluded counts as soon as it was met: then somebody can.
    """
    met = tally.given | tally.well
    known = [item for item in items.values() if not item.excluded or item.id in met]
    sides: dict[Side, list[Item]] = {side: [] for side in SIDES}
    kinds: dict[tuple[Side, str], list[Item]] = {
        (side, name): [] for side in SIDES for name in CAPABILITIES
    }
    for item in known:
        sides[item.side].append(item)
        kinds[item.side, item.capability].append(item)
    return Counted(
        rows=tuple(_row(side, name, of, tally) for (side, name), of in kinds.items() if of),
        totals={side: _row(side, "total", of, tally) for side, of in sides.items()},
        excluded=tuple(item for item in items.values() if item.excluded and item.id not in met),
        unknown=tuple(sorted(met - items.keys())),
    )


def _row(side: Side, name: str, items: list[Item], tally: Tally) -> Row:
    return Row(
        side=side,
        name=name,
        items=len(items),
        given=sum(item.id in tally.given for item in items),
        well=sum(item.id in tally.well for item in items),
        missing=tuple(item.id for item in items if item.id not in tally.well),
    )
