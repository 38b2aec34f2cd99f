"""Every limit of the server by the name it is set with: what it bounds and what is answered there.

The one list behind `mockchat serve --limit NAME=VALUE` and the table in `docs/operations.md`.
"""

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal

from mockchat.errors import BadArgument
from mockchat.server.framing import Limits
from mockchat.server.settings import Settings

Unit = Literal["bytes", "seconds", "fields", "connections", "exchanges", "completions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """One limit.

    Attributes:
        name: As it is set.
        field: The field of `Limits`, or of `Settings`, that holds it.
        unit: What it counts.
        meaning: What it bounds.
        answer: What happens where it is reached.
        most: The largest value that does anything, None where there is none.
        least: The smallest value.
    """

    name: str
    field: str
    unit: Unit
    meaning: str
    answer: str
    most: int | None = None
    least: int = 1

    @property
    def is_of_connections(self) -> bool:
        """Whether `Limits` holds it, not `Settings`."""
        return self.field in {one.name for one in fields(Limits)}

    @property
    def default(self) -> float:
        """The value unless told otherwise."""
        holder = Limits if self.is_of_connections else Settings
        found: float = next(one.default for one in fields(holder) if one.name == self.field)  # type: ignore[assignment]  # not MISSING: a test looks
        return found


BOUNDS: tuple[Bound, ...] = (
    Bound(
        name="head-size",
        field="head_size",
        unit="bytes",
        meaning="request line and header fields together",
        answer="431, or 414 where the request line alone is larger; the connection closes",
    ),
    Bound(
        name="head-fields",
        field="head_fields",
        unit="fields",
        meaning="header fields of a request",
        answer="431; the connection closes",
        most=100,
    ),
    Bound(
        name="head-time",
        field="head_time",
        unit="seconds",
        least=0,
        meaning="from the first byte of a request to the end of its head; the TLS handshake",
        answer="408; the connection closes",
    ),
    Bound(
        name="body-size",
        field="body_limit",
        unit="bytes",
        meaning="body of a request; `--body-limit` says the same",
        answer="413, before the body is read where its length is announced; the connection closes",
    ),
    Bound(
        name="body-time",
        field="body_time",
        unit="seconds",
        least=0,
        meaning="from the end of the head to the end of the body",
        answer="408; the connection closes",
    ),
    Bound(
        name="idle-time",
        field="idle_time",
        unit="seconds",
        least=0,
        meaning="silence between two requests of a connection",
        answer="the connection closes without a word",
    ),
    Bound(
        name="write-time",
        field="write_time",
        unit="seconds",
        least=0,
        meaning="how long a client that does not read holds up one write",
        answer="the connection is reset; the journal says `failed`",
    ),
    Bound(
        name="linger-time",
        field="linger_time",
        unit="seconds",
        least=0,
        meaning="how long the rest of a refused upload is read, so that its sender reads the answer",
        answer="the connection closes",
    ),
    Bound(
        name="connections",
        field="connections",
        unit="connections",
        meaning="open at once, in each worker; the engine `asyncio` takes 65,536 unless told",
        answer="the one that is silent for longest closes; without one, new ones wait",
    ),
    Bound(
        name="spare-time",
        field="grace_time",
        unit="seconds",
        least=0,
        meaning="silence after which a connection may be closed to make room for another",
        answer="it closes without a word",
    ),
    Bound(
        name="queue-time",
        field="queue_time",
        unit="seconds",
        least=0,
        meaning="how long new connections wait for room",
        answer="503 with `retry-after: 1`; over TLS they close",
    ),
    Bound(
        name="journal-exchanges",
        field="journal_limit",
        unit="exchanges",
        meaning="kept in a journal",
        answer="the oldest is dropped",
    ),
    Bound(
        name="journal-size",
        field="journal_bytes",
        unit="bytes",
        meaning="memory that the exchanges of a journal take",
        answer="the oldest are dropped; the newest is kept, whatever it takes",
    ),
    Bound(
        name="memory-size",
        field="memory_bytes",
        unit="bytes",
        meaning="requests without fault, and their replies, that are known again",
        answer="those not met for longest are forgotten; nothing but speed depends on it",
        least=0,
    ),
    Bound(
        name="stored-completions",
        field="stored_limit",
        unit="completions",
        meaning="kept because of `store: true`",
        answer="the oldest is dropped: 404 for its id",
    ),
)
"""All there are, in the order a request meets them."""


def with_bounds(settings: Settings, given: Mapping[str, float]) -> Settings:
    """Return settings with other limits.

    Args:
        settings: What else the server was told.
        given: Values by the names of `BOUNDS`.

    Raises:
        BadArgument: A name does not exist, or a value is out of range.
    """
    known = {bound.name: bound for bound in BOUNDS}
    of_connections: dict[str, float] = {}
    others: dict[str, float] = {}
    for name, value in given.items():
        if name not in known:
            close = next(iter(difflib.get_close_matches(name, known, n=1)), None)
            raise BadArgument("limit", name, ", ".join(known), close)
        bound = known[name]
        holder = of_connections if bound.is_of_connections else others
        holder[bound.field] = _checked(bound, value)
    if not of_connections and not others:
        return settings
    connection = replace(settings.connection, **of_connections)  # type: ignore[arg-type]  # by their fields
    return replace(settings, connection=connection, **others)  # type: ignore[arg-type]  # likewise


def _checked(bound: Bound, value: float) -> float:
    is_counted = bound.unit != "seconds"
    is_number = math.isfinite(value) and (not is_counted or value == int(value))
    if not is_number or value < bound.least or (bound.most is not None and value > bound.most):
        kind = "a number" if not is_counted else "a whole number"
        upper = "" if bound.most is None else f" to {bound.most}"
        allowed = f"{kind} of {bound.unit}, {bound.least:g}{upper or ' or more'}"
        raise BadArgument(f"limit {bound.name}", value, allowed)
    return int(value) if is_counted else value


def bounds_table(bounds: Iterable[Bound] = BOUNDS) -> str:
    """Return the limits as the table of the manual, in Markdown."""
    rows = [
        f"| `{bound.name}` | `{bound.default:.15g}` | {bound.unit} | {bound.meaning} | {bound.answer} |"
        for bound in bounds
    ]
    head = "| limit | default | | what it bounds | what happens there |\n|---|---|---|---|---|"
    return "\n".join([head, *rows])
