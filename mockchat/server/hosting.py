"""What is the same for all hosts of somebody else: WSGI and ASGI servers."""

from urllib.parse import quote

from mockchat.exchange import Delivery, Ending
from mockchat.scripting.faults import Ability
from mockchat.server import framing
from mockchat.server.framing import Arrangement
from mockchat.server.ticket import Ticket

ABILITIES = frozenset({Ability.TIMING, Ability.WRITES})
"""What a delivery can ask of a host: the connection itself is not ours, so it cannot break."""

_HOSTS_OWN = frozenset({b"connection", b"date", b"server", b"transfer-encoding"})


class BrokenOff(ConnectionError):
    """A delivery that is to break: the host is told by an exception, and does what it does then."""


def arranged(ticket: Ticket, method: str) -> tuple[Arrangement, list[tuple[bytes, bytes]]]:
    """Return a delivery as its sends, and the fields that are not the host's to say.

    Raises:
        ValueError: When a header's name is not an HTTP token.
    """
    made = framing.arrangement(ticket.delivery, method=method, version="HTTP/1.1", keeps_alive=True)
    return made, [field for field in made.fields if field[0].lower() not in _HOSTS_OWN]


def check_whole(delivery: Delivery) -> None:
    """See that a delivery was meant to arrive.

    Raises:
        BrokenOff: It was not.
    """
    if delivery.ending is not Ending.COMPLETE:
        raise BrokenOff(f"this delivery is to end by {delivery.ending.value}")


def encoded_path(path: str) -> str:
    """Return a path that a host has decoded, as a client could have sent it."""
    return quote(path, safe="/%:@!$&'()*+,;=~-._")
