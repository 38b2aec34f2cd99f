"""What the client of a soak did, held against what the server's journal says of it.

Every request carries a number. Both sides are kept only until they have met, so that an hour of them
takes no room; which numbers have met is kept in a bit each.
"""

from dataclasses import dataclass

HEADER = "x-soak"
_MOST_TOLD = 20


@dataclass(frozen=True, slots=True)
class Line:
    """What the client knows of one request.

    Attributes:
        kind: What was asked, in a word.
        request: The decoded body, None where it is no JSON.
        status: The status that arrived, None where the connection broke before.
        is_scripted: Whether a stub must have answered.
        has_fault: Whether it must have been damaged.
        outcomes: What may have become of the delivery.
    """

    kind: str
    request: object = None
    status: int | None = None
    is_scripted: bool = False
    has_fault: bool = False
    outcomes: frozenset = frozenset({"delivered"})


class Book:
    """Numbers requests, and tells where client and journal differ."""

    def __init__(self):
        self.numbers = 0
        self.met = 0
        self.differences = 0
        self.told = []
        self._seen = {}  # by the client, not read in the journal yet
        self._read = {}  # the other way round
        self._over = bytearray()
        self._next = 0

    def number(self):
        """Return the number of the next request."""
        self.numbers += 1
        if self.numbers % 8 == 1:
            self._over.append(0)
        return self.numbers - 1

    def seen(self, number, line):
        """Note a request that is over, as the client saw it."""
        self._seen[number] = line
        self._meet(number)

    def read(self, exchange):
        """Note an exchange of the journal; they must come in order, none left out."""
        index = exchange["index"]
        if index != self._next:
            self._tell(f"exchanges {self._next} to {index - 1} are not in the journal")
        self._next = index + 1
        number = next((value for name, value in exchange["headers"] if name == HEADER), None)
        if number is None or not number.isdigit() or int(number) >= self.numbers:
            self._tell(f"exchange {index} is of a request that nobody sent: {number}")
        elif int(number) in self._read or self._is_over(int(number)):
            self._tell(f"request {number} is in the journal twice: again as exchange {index}")
        else:
            self._read[int(number)] = exchange
            self._meet(int(number))

    @property
    def read_to(self):
        """The index of the last exchange that was read, -1 before the first."""
        return self._next - 1

    @property
    def waiting(self):
        """How many requests the client has seen end that the journal has not told yet."""
        return len(self._seen)

    def problems(self):
        """Return what differs, when all is over."""
        lost = [
            f"request {n} ({line.kind}) is not in the journal" for n, line in self._seen.items()
        ]
        extra = [f"request {n} is in the journal, and not over for its client" for n in self._read]
        told = [*self.told, *lost, *extra][:_MOST_TOLD]
        more = self.differences + len(lost) + len(extra) - len(told)
        return [*told, f"and {more} more"] if more > 0 else told

    def _meet(self, number):
        if number not in self._seen or number not in self._read:
            return
        line, exchange = self._seen.pop(number), self._read.pop(number)
        self._over[number // 8] |= 1 << number % 8
        self.met += 1
        for what, wanted, found in (
            ("request", line.request, exchange["request"]),
            (
                "status",
                exchange["status"] if line.status is None else line.status,
                exchange["status"],
            ),
            ("stub", line.is_scripted, "stub" in exchange),
            ("fault", line.has_fault, "fault" in exchange),
        ):
            if wanted != found:
                self._tell(f"request {number} ({line.kind}): {what} {wanted!r}, journal {found!r}")
        if exchange["outcome"] not in line.outcomes:
            self._tell(f"request {number} ({line.kind}): its outcome is {exchange['outcome']!r}")

    def _is_over(self, number):
        return bool(self._over[number // 8] >> number % 8 & 1)

    def _tell(self, difference):
        self.differences += 1
        if len(self.told) < _MOST_TOLD:
            self.told.append(difference[:400])
