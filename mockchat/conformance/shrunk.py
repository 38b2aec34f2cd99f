"""How a finding on a drawn request came to its simplest request."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrunk:
    """What shrinking came to.

    Attributes:
        check: The id of the check that found something; "" where a lawful request was refused.
        drawn: The id of the probe that showed it first.
        size: Bytes of that probe's body.
        requests: How many requests were sent to shrink it.
        repeats: How often a request that had shown it was sent once more.
        shown: How many of those showed it again.
        ended: Why it was not shrunk to the end; "" where it was.
    """

    check: str
    drawn: str
    size: int
    requests: int
    repeats: int
    shown: int
    ended: str = ""

    @property
    def is_flaky(self) -> bool:
        """Whether equal requests did not always show it."""
        return self.shown < self.repeats

    def told(self, size: int) -> str:
        """Return it in one line.

        Args:
            size: Bytes of the body it was shrunk to.
        """
        if self.is_flaky:
            told = (
                f"flaky: {self.drawn} showed it, then {self.shown} of {self.repeats} equal requests"
            )
        else:
            told = f"{self.drawn}, shrunk from {self.size} bytes to {size}"
        ended = f"; ended early: {self.ended}" if self.ended else ""
        return f"{told} with {self.requests} requests{ended}"
