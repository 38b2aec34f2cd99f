"""One stub of a script: which requests it answers, and its replies in order."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self, Unpack

from mockchat.errors import BadArgument
from mockchat.scripting.arguments import is_whole_number
from mockchat.scripting.contents import (
    Reply,
    Replying,
    ReplyOptions,
    given_options,
    reply_of,
)
from mockchat.scripting.matching import Matcher
from mockchat.scripting.sharing import Counts


@dataclass(slots=True)
class _Turn:
    """One reply of a stub; `times` is None where it repeats for ever."""

    reply: Reply
    times: int | None = 1


class Stub:
    """A matcher with the replies it gives, one after the other. Made by `when` and `reply`.

    Attributes:
        name: "stub 2 (test_agent.py:40)": position in the script, and where it was written.
        matcher: Which requests it answers.
        place: What its script counts its replies by.
    """

    def __init__(  # noqa: PLR0913 - what a script makes, in one place
        self,
        name: str,
        matches: Matcher,
        lock: threading.RLock,
        *,
        check: Callable[[Reply], None],
        reach: Callable[["Stub"], None],
        changed: Callable[[], None],
        counts: Counts,
        place: int,
    ) -> None:
        self.name = name
        self.matcher = matches
        self.place = place
        self._counts = counts
        self._turns: list[_Turn] = []
        self._lock = lock
        self._check = check
        self._reach = reach
        self._changed = changed

    def reply(self, reply: Replying, **options: Unpack[ReplyOptions]) -> Self:
        """Answer with this.

        Args:
            reply: Text, a built reply, JSON or a callable: see `Replying`.
            **options: See `ReplyOptions`.

        Raises:
            BadArgument: `reply` is none of those, or the stub has a reply already (use `then`).
            InvalidReply: It breaks the contract, whatever the request may be.
        """
        __tracebackhide__ = True
        if self._turns:
            raise BadArgument("reply()", reply, "one for each stub; a further one is .then(...)")
        return self._append(reply, options)

    def then(self, reply: Replying, **options: Unpack[ReplyOptions]) -> Self:
        """Answer the next matching request with this; arguments and errors as for `reply`."""
        __tracebackhide__ = True
        if not self._turns:
            raise BadArgument("then()", reply, "what follows .reply(...)")
        if self._turns[-1].times is None:
            raise BadArgument("then()", reply, "nothing after .forever(), which never ends")
        return self._append(reply, options)

    def times(self, count: int) -> Self:
        """Send the last reply `count` times.

        Raises:
            BadArgument: `count` is not a whole number above 0, or there is no reply yet.
        """
        __tracebackhide__ = True
        if not is_whole_number(count, lowest=1):
            raise BadArgument("times()", count, "a whole number above 0")
        return self._repeat("times()", count)

    def forever(self) -> Self:
        """Send the last reply to every further matching request; it must be asked for once.

        Raises:
            BadArgument: There is no reply yet.
            UnreachableStub: A later stub could never answer any more.
        """
        __tracebackhide__ = True
        if self._turns:
            self._reach(self)
        return self._repeat("forever()", None)

    @property
    def sent(self) -> int:
        """How many replies it gave."""
        return self._counts.taken(self.place)

    @property
    def total(self) -> int | None:
        """How many replies it can give; None: without end."""
        counts = [turn.times for turn in self._turns]
        return None if None in counts else sum(count for count in counts if count is not None)

    @property
    def is_endless(self) -> bool:
        """Whether it will always have a reply."""
        return bool(self._turns) and self.total is None

    @property
    def only(self) -> Reply | None:
        """The reply that it gives to all, for ever; None where it has several, or an end."""
        turns = self._turns
        return turns[0].reply if len(turns) == 1 and turns[0].times is None else None

    @property
    def is_counted(self) -> bool:
        """Whether what it answers depends on how often it answered before."""
        return self.only is None

    @property
    def is_waiting(self) -> bool:
        """Whether it has a reply to give, or none yet."""
        return not self._turns or self.obstacle is None

    @property
    def expected(self) -> int:
        """How many replies the test must ask for: a repeated one counts by its number, or once."""
        return sum(1 if turn.times is None else turn.times for turn in self._turns)

    @property
    def obstacle(self) -> str | None:
        """Why it could not answer even a matching request, None if it could."""
        if not self._turns:
            return "has no reply"
        if self.total is not None and self.sent >= self.total:
            noun = "reply" if self.total == 1 else "replies"
            return f"exhausted, {self.sent} of {self.total} {noun} sent"
        return None

    def given(self, ordinal: int) -> Reply:
        """Return the reply given after `ordinal` others."""
        with self._lock:
            seen = 0
            for turn in self._turns:
                if turn.times is None or ordinal < seen + turn.times:
                    return turn.reply
                seen += turn.times
            return self._turns[-1].reply  # `times` made it fewer meanwhile

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def _append(self, reply: Replying, options: ReplyOptions) -> Self:
        __tracebackhide__ = True
        built = replace(reply_of(reply), **given_options(options))
        self._check(built)
        with self._lock:
            self._turns.append(_Turn(built))
            self._changed()
        return self

    def _repeat(self, name: str, count: int | None) -> Self:
        __tracebackhide__ = True
        if not self._turns:
            raise BadArgument(name, count, "what follows .reply(...)")
        with self._lock:
            self._turns[-1].times = count
            self._changed()
        return self
