"""A place of a journal that is noted in few words, and put together when somebody reads it."""

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from mockchat.exchange import Delivery, Ending, Exchange, Outcome
from mockchat.scripting.attempts import Key
from mockchat.scripting.entries import Entry
from mockchat.types import Json

Given_contra = TypeVar("Given_contra", contravariant=True)


class Makes(Protocol[Given_contra]):
    """Puts entries together."""

    def entry(self, given: Given_contra) -> Entry:
        """Return the whole entry of a request, but for its times and its place, without credentials.

        Args:
            given: What tells it from the others that are alike.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """What entries of one request have in common, as the journal looks at it.

    Attributes:
        key: See `Entry.key`.
        retry_count: See `Exchange.retry_count`.
        status: The HTTP status.
        weighs: How much memory one takes, by `journal_weight`.
        count: How many writes its delivery has, none of them with a delay.
    """

    key: Key
    retry_count: int | None
    status: int
    weighs: int
    count: int


class Later(Generic[Given_contra]):
    """What a journal notes of a request that is like another one; see `Entry` for what is not here.

    Args:
        alike: What it has in common with the other.
        makes: Puts it together.
        given: What it is put together of.
        received: When the request was read.
    """

    __slots__ = (
        "_alike",
        "_entry",
        "_given",
        "_makes",
        "answered",
        "attempt",
        "finished",
        "index",
        "left_at",
        "outcome",
        "received",
        "written",
    )

    held = 0.0
    ending = Ending.COMPLETE

    def __init__(
        self, alike: Alike, makes: Makes[Given_contra], given: Given_contra, received: float
    ) -> None:
        self._alike = alike
        self._makes = makes
        self._given = given
        self._entry: Entry | None = None
        self.received = received
        self.index = 0
        self.attempt = 1
        self.outcome = Outcome.PENDING
        self.written = 0
        self.left_at: tuple[float, ...] = ()
        self.answered = 0.0
        self.finished: float | None = None

    @property
    def key(self) -> Key:
        """What its repetitions have in common with it."""
        return self._alike.key

    @property
    def retry_count(self) -> int | None:
        """Which retry the client says this is."""
        return self._alike.retry_count

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._alike.status

    @property
    def weighs(self) -> int:
        """How much memory it takes."""
        return self._alike.weighs

    @property
    def count(self) -> int:
        """How many writes its delivery has."""
        return self._alike.count

    @property
    def request(self) -> Json:
        """The decoded body."""
        return self._whole.request

    @property
    def delivery(self) -> Delivery | None:
        """The answer as data."""
        return self._whole.delivery

    @property
    def exchange(self) -> Exchange:
        """The exchange as it stands, the same object until something of it changes."""
        entry = self._whole
        entry.index, entry.attempt, entry.outcome = self.index, self.attempt, self.outcome
        entry.received, entry.answered, entry.finished = self.received, self.answered, self.finished
        entry.written, entry.left_at = self.written, self.left_at
        return entry.exchange

    def clean(self) -> None:
        """Do nothing: there are no credentials in it."""

    @property
    def _whole(self) -> Entry:
        if self._entry is None:
            self._entry = self._makes.entry(self._given)
        return self._entry
