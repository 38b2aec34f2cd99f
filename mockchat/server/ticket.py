"""What an app hands to an adapter, and what an adapter asks of an app."""

from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple, Protocol

from mockchat.exchange import Delivery, Incoming, Outcome
from mockchat.server.reports import report


def _unnoted(sends: int) -> None:
    """Take no note of progress."""


class Sheet(NamedTuple):
    """A whole answer without a delay, as bytes: what its delivery says, and nothing more.

    Attributes:
        status: The HTTP status.
        lines: The fields that are not the adapter's, each as a line of a head.
        body: All bytes of the body.
        is_stream: True: they are sent as chunks.
    """

    status: int
    lines: bytes
    body: bytes
    is_stream: bool


class Ticket:
    """A delivery to play, and where to tell how that went.

    Args:
        delivery: The answer as data, or what makes it when it is asked for.
        finish: To be called once, after the last byte or when there can be no more.
        wrote: To be called after each send but the last with their number so far, where writes
            without a delay leave together with the one before them.
        sheet: The same answer as bytes, where it is known so.
    """

    __slots__ = ("_delivery", "finish", "sheet", "wrote")

    def __init__(
        self,
        *,
        delivery: Delivery | Callable[[], Delivery],
        finish: Callable[[Outcome], None],
        wrote: Callable[[int], None] = _unnoted,
        sheet: Sheet | None = None,
    ) -> None:
        self._delivery = delivery
        self.finish = finish
        self.wrote = wrote
        self.sheet = sheet

    @property
    def delivery(self) -> Delivery:
        """The answer as data."""
        if not isinstance(self._delivery, Delivery):
            self._delivery = self._delivery()
        return self._delivery


def forget(outcome: Outcome) -> None:
    """Take note of nothing: there is no journal for a request without a script."""


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


class Servable(Application, Protocol):
    """What an adapter with an event loop needs: to know which answers may take their time."""

    def may_block(self, incoming: Incoming) -> bool:
        """Tell whether somebody's own code may be asked for the answer."""
        ...


_LARGE = 65_536


def takes_time(application: Servable, incoming: Incoming) -> bool:
    """Tell whether a request is to be answered in a thread, so that others need not wait for it.

    Somebody's own code may take any time, and to read and judge a large body takes milliseconds.
    """
    return len(incoming.body) >= _LARGE or application.may_block(incoming)


def answered(application: Application, incoming: Incoming) -> Ticket:
    """Let an application answer; whatever it raises, the client gets an answer."""
    try:
        return application.handle(incoming)
    except Exception as error:  # noqa: BLE001 - see above
        report("the app failed", error)
        return application.refuse(
            HTTPStatus.INTERNAL_SERVER_ERROR, "The server failed to answer.", incoming
        )
