"""One request, one answer as data, and the record of both: no I/O, no imports from other rooms."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from mockchat.types import Json, JsonView, Level

Headers = tuple[tuple[str, str], ...]
"""Header fields in order of arrival; names of incoming ones are lower case."""


def header(headers: Headers, name: str) -> str | None:
    """Return the first value of the field called `name` (any case), or None."""
    wanted = name.lower()
    size = len(wanted)
    for field_name, value in headers:
        if len(field_name) == size and (field_name == wanted or field_name.lower() == wanted):
            return value
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """An HTTP request as an adapter received it.

    Attributes:
        method: The method as sent, such as "POST".
        path: The path without the query, percent-encoded as sent.
        query: What stands behind "?", undecoded.
        headers: All fields, credentials included; never journal them unredacted.
        body: The body's bytes.
        mark: What the head has in common with every other head of the same bytes, and with no
            other, in this process; b"" where the adapter does not say. No credential can be read
            from it.
    """

    method: str
    path: str
    query: str = ""
    headers: Headers = ()
    body: bytes = b""
    mark: bytes = field(default=b"", compare=False, repr=False)


class Ending(Enum):
    """How the bytes of a delivery end on the connection."""

    COMPLETE = "complete"
    """The body is whole: the last chunk or the announced length is sent."""
    CUT = "cut"
    """The connection closes in an orderly way before the body is whole."""
    RESET = "reset"
    """The connection is reset (TCP RST) before the body is whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Bytes that leave together, `delay` seconds after the write before them."""

    data: bytes
    delay: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One answer as data: what any adapter plays and any test can read without a server.

    Attributes:
        status: The HTTP status.
        headers: Response fields without framing ones (`content-length`, `transfer-encoding`,
            `connection`, `date`, `server`): those are the adapter's.
        writes: The body, in timed writes. The first delay also holds back the head.
        is_stream: True: sent as chunks without a length. False: sent with `content-length`.
        ending: How it ends; anything but COMPLETE must look broken to the client.
    """

    status: int
    headers: Headers = ()
    writes: tuple[Write, ...] = ()
    is_stream: bool = False
    ending: Ending = Ending.COMPLETE

    @property
    def body(self) -> bytes:
        """All bytes of the body, joined."""
        return b"".join(write.data for write in self.writes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One constraint of the contract, broken at one place.

    Attributes:
        rule: The rule's id: "schema.required", "request.tool-choice-needs-tools", …
        pointer: JSON Pointer to the offending value; for a missing member, to where it should be;
            for an unknown one, to it.
        message: One sentence in our own words.
        keyword: The JSON Schema keyword, or None for a rule no schema can say.
        schema_pointer: Where the keyword stands in its document, "" for a rule.
        expected: What the contract asks (the keyword's value, or words).
        actual: The offending value; None where it is missing.
        level: The lowest level at which this counts.
        is_note: True for what is worth saying but not wrong at this level.
        details: What an error template needs besides (names, limits).
    """

    rule: str
    pointer: str
    message: str
    keyword: str | None = None
    schema_pointer: str = ""
    expected: Json = None
    actual: Json = None
    level: Level = "observed"
    is_note: bool = False
    details: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiError:
    """An error as the API words it, before a profile's envelope is put around it."""

    status: int
    type: str | None
    message: str
    code: str | int | None = None
    param: str | None = None
    headers: Headers = ()


class Outcome(Enum):
    """What became of a delivery."""

    PENDING = "pending"
    """The first byte may have left, the last has not."""
    DELIVERED = "delivered"
    """Every byte was handed to the connection and the end was as planned."""
    CLIENT_LEFT = "client left"
    """The client closed the connection before the end."""
    FAILED = "failed"
    """The adapter could not play the delivery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request with all that became of it, as the journal keeps it.

    Times are seconds on the journal's monotonic clock.

    Attributes:
        index: Position in its journal, from 0.
        method: The HTTP method.
        path: The path without the query and without a test's token.
        query: What stands behind "?", credentials replaced.
        headers: Request fields, credentials replaced by "[redacted]".
        request: The decoded body, or None where it was not JSON.
        attempt: Which attempt at this request it is, from 1: see `Journal.retries`.
        status: The HTTP status answered.
        reply: What was answered: a completion, an error body, a model list …; None for raw bytes.
        chunks: The chunks of a streamed completion as they were meant, before any fault; () where
            it is not streamed.
        sent_chunks: The events that left, damage included: objects decoded, the text of an event
            that is no JSON, `[DONE]` left out. () while the delivery is in flight.
        delivery: The answer as data, damage included; None where it is not known.
        written: How many writes of the delivery left so far.
        left_at: When each send but the last had left, where writes without a delay leave with those
            before them; () where all left at once.
        fault: What was damaged on purpose, as a test writes it, or None.
        stub: The name of the stub that answered ("stub 2 (test_x.py:31)"), or None.
        mismatches: Why no stub matched, a line each; () where one did.
        violations: What the request broke in the contract.
        ending: How the delivery was planned to end; a fault makes it anything but COMPLETE.
        outcome: What became of the delivery.
        received: When the request was read.
        answered: When the answer was ready: no byte of it left before.
        finished: When the outcome was known; None while the delivery is in flight.
    """

    index: int
    method: str
    path: str
    query: str = ""
    headers: Headers = ()
    request: Json = None
    attempt: int = 1
    status: int
    reply: Json = None
    chunks: tuple[JsonView, ...] = ()
    sent_chunks: tuple[Json, ...] = ()
    delivery: Delivery | None = None
    written: int = 0
    left_at: tuple[float, ...] = ()
    fault: str | None = None
    stub: str | None = None
    mismatches: tuple[str, ...] = ()
    violations: tuple[Violation, ...] = ()
    ending: Ending = Ending.COMPLETE
    outcome: Outcome = Outcome.PENDING
    received: float = 0.0
    answered: float = 0.0
    finished: float | None = None

    @property
    def reply_headers(self) -> Headers:
        """The response fields, credentials replaced; the adapter's own are not among them."""
        return () if self.delivery is None else self.delivery.headers

    @property
    def sent(self) -> bytes:
        """The bytes of the body that left, damage included."""
        writes = () if self.delivery is None else self.delivery.writes[: self.written]
        return b"".join(write.data for write in writes)

    @property
    def retry_count(self) -> int | None:
        """Which retry the client says this is (`x-stainless-retry-count`), None if it is silent."""
        return counted_retries(self.headers)


def counted_retries(headers: Headers) -> int | None:
    """Return which retry the client says this is, None if it is silent."""
    said = header(headers, "x-stainless-retry-count") or ""
    if not (said.isascii() and said.isdigit()):
        return None
    # A header holds any text: int() refuses thousands of digits, and nobody retries as often.
    return int(said.lstrip("0")[:_DIGITS] or "0")


_DIGITS = 9
"""How many digits of a client's count of its retries are read."""
