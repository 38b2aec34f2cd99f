"""What an app hands to an adapter, and what an adapter asks of an app."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from mockchat.exchange import Delivery, Incoming, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A delivery to play, and where to tell how that went.

    Attributes:
        delivery: The answer as data.
        finish: To be called once, after the last byte or when there can be no more.
    """

    delivery: Delivery
    finish: Callable[[Outcome], None]


class Application(Protocol):
    """What an adapter needs: `App`, or a test's few lines."""

    @property
    def body_limit(self) -> int:
        """The largest request body to be read, in bytes."""
        ...

    def handle(self, incoming: Incoming) -> Ticket:
        """Answer a request."""
        ...

    def refuse(self, status: int, message: str, incoming: Incoming | None = None) -> Ticket:
        """Answer what the adapter could not make a whole request of, in the API's error format.

        Args:
            status: The HTTP status.
            message: The sentence for the client.
            incoming: The request as far as it was read, or None where not even its head was.
        """
        ...
