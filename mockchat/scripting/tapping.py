"""What somebody beside a journal is told of every exchange."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from mockchat.exchange import Exchange, Outcome


class Tapped(Protocol):
    """An exchange that may still be going on; reading it costs only whoever does."""

    @property
    def outcome(self) -> Outcome:
        """What became of its delivery so far."""
        ...

    @property
    def exchange(self) -> Exchange:
        """It as it stands."""
        ...


Tap: TypeAlias = Callable[[Tapped], None]
"""Takes note of an exchange that begins."""
