"""All stubs of one test: which one answers, and whether everything went as written."""

import threading
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Unpack

from mockchat.contract.contract import Contract, contract_for
from mockchat.errors import MockchatError
from mockchat.exchange import Exchange
from mockchat.scripting.callers import caller_line
from mockchat.scripting.contents import (
    Computed,
    Reply,
    Replying,
    ReplyOptions,
)
from mockchat.scripting.failures import (
    NoStubMatched,
    UnfinishedDelivery,
    UnusedReply,
    add_notes,
    is_aftermath,
)
from mockchat.scripting.faults import Ability, check_playable
from mockchat.scripting.journal import Journal
from mockchat.scripting.journal_weight import JOURNAL_BYTES
from mockchat.scripting.matching import Conditions, Mismatch, RequestView, matcher
from mockchat.scripting.replies import check_written
from mockchat.scripting.shadowing import UnreachableStub, covers
from mockchat.scripting.sharing import Counts, OwnCounts, Sink
from mockchat.scripting.stub_index import StubIndex
from mockchat.scripting.stubs import Stub
from mockchat.types import Level, Unmatched, Unused

_MOST_NAMED = 100
"""How many stubs a refusal names: who has more reads no further."""
_MOST_PROBLEMS = 100
"""How many problems a script keeps: nobody verifies that of a server that runs for months."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What answers a request.

    Attributes:
        stub: The stub that matched.
        reply: Its next reply.
        ordinal: Which reply of the stub this is, from 0; the `repeat` of the draw.
    """

    stub: Stub
    reply: Reply
    ordinal: int


class Script:
    """The stubs of one test, in the order written, with the journal of what arrived.

    Args:
        contract: Judges the replies where they are written; the profile `openai` if not given.
        name: Whose script it is, such as a test's id.
        unmatched: "fail": a request that matches no stub fails the test.
        unused: "fail": a reply that nothing asked for fails the test.
        level: How replies are judged.
        journal_limit: How many exchanges the journal keeps.
        journal_bytes: How much memory they may take.
        abilities: What the adapters that play its replies can do; all unless said.
        counts: How many replies of each stub were given; of this process alone if not given.
        sink: Where the journal sends its exchanges besides.
        journal: One that goes on, of a script that this one replaces; an own one if not given.

    Attributes:
        may_block: Whether an answer may take its time: somebody's own code is asked, by a condition
            or for a reply, or what is shared with other workers.
        revision: How often its stubs have become others.
    """

    def __init__(  # noqa: PLR0913 - one keyword for each option of the fixture
        self,
        contract: Contract | None = None,
        *,
        name: str = "script",
        unmatched: Unmatched = "fail",
        unused: Unused = "fail",
        level: Level = "observed",
        journal_limit: int = 1000,
        journal_bytes: int = JOURNAL_BYTES,
        abilities: frozenset[Ability] = frozenset(Ability),
        counts: Counts | None = None,
        sink: Sink | None = None,
        journal: Journal | None = None,
    ) -> None:
        self.name = name
        self.contract = contract or contract_for()
        self.unmatched = unmatched
        self.unused = unused
        self.level: Level = level
        self.abilities = abilities
        if journal is None:
            journal = Journal(limit=journal_limit, memory=journal_bytes, sink=sink)
        self.journal = journal
        self.counts = counts or OwnCounts()
        self._next = 0
        self.may_block = sink is not None
        self.revision = 0
        self._stubs: list[Stub] = []  # their places rise
        self._index = StubIndex()
        self._problems: list[MockchatError] = []
        self._told: set[str] = set()
        self._lock = threading.RLock()

    def when(self, **conditions: Unpack[Conditions]) -> Stub:
        """Add a stub for requests that meet all conditions; give it a reply next.

        Raises:
            BadArgument: A keyword does not exist, or its value cannot be compared.
            UnreachableStub: An earlier stub takes all these requests for ever.
        """
        __tracebackhide__ = True
        matches = matcher(**conditions)
        with self._lock:
            self.may_block = self.may_block or matches.has_predicates
            line = caller_line()
            name = f"stub {self._next + 1}" + (f" ({line})" if line else "")
            for earlier in self._index.around(matches):
                if earlier.is_endless and covers(earlier.matcher, matches):
                    raise UnreachableStub(name, earlier.name, str(earlier.matcher))
            stub = Stub(
                name,
                matches,
                self._lock,
                check=self._check,
                reach=self._reach,
                changed=self._change,
                counts=self.counts,
                place=self._next,
            )
            self._next += 1
            self._stubs.append(stub)
            self._index.add(stub)
            self._change()
        return stub

    def reply(self, reply: Replying, **options: Unpack[ReplyOptions]) -> Stub:
        """Add a stub that answers any request; arguments and errors as for `Stub.reply`."""
        __tracebackhide__ = True
        built = self.when()
        try:
            return built.reply(reply, **options)
        except MockchatError:
            with self._lock:
                self._stubs.remove(built)
                self._index.remove(built)
                self._change()
                if built.place == self._next - 1:
                    self._next -= 1
            raise

    def remove(self, place: int) -> bool:
        """Take a stub away by its place, and say whether there was one; the others keep theirs."""
        with self._lock:
            at = bisect_left(self._stubs, place, key=_place)
            is_there = at < len(self._stubs) and self._stubs[at].place == place
            if is_there:
                self._index.remove(self._stubs.pop(at))
                self._change()
            return is_there

    @property
    def stubs(self) -> tuple[Stub, ...]:
        """The stubs in the order written."""
        with self._lock:
            return tuple(self._stubs)

    @property
    def has_stubs(self) -> bool:
        """Whether there is a stub."""
        return bool(self._stubs)

    def select(self, view: RequestView) -> Selection:
        """Return the reply of the first stub that matches and has one left, and count it as sent.

        Raises:
            NoStubMatched: There is none; under `unmatched="fail"` this fails the test as well.
        """
        asked: dict[int, tuple[Stub, tuple[Mismatch, ...]]] = {}
        with self._lock:
            stubs = self._index.asked_by(view)

        def matching() -> Iterator[tuple[int, int | None]]:
            for stub in stubs:
                mismatches = stub.matcher.mismatches(view)
                asked[stub.place] = stub, mismatches
                if not mismatches:
                    yield stub.place, stub.total

        # Outside the lock: a callable of the test may take its time or read the journal.
        taken = self.counts.take(matching())
        if taken is not None:
            stub, ordinal = asked[taken[0]][0], taken[1]
            return Selection(stub=stub, reply=stub.given(ordinal), ordinal=ordinal)
        error = _no_stub_matched(view, self.stubs, asked)
        if self.unmatched == "fail":
            self.charge(error)
        raise error

    def given(self, stub: Stub) -> int:
        """Count one more reply of a stub that has one for ever; return how many came before."""
        taken = self.counts.take(((stub.place, None),))
        return 0 if taken is None else taken[1]

    def charge(self, problem: MockchatError) -> None:
        """Keep a problem found in the server's thread, to be raised by `verify`: the first hundred."""
        with self._lock:
            is_known = str(problem) in map(str, self._problems)
            if not is_known and len(self._problems) < _MOST_PROBLEMS:
                self._problems.append(problem)

    @property
    def charged(self) -> tuple[MockchatError, ...]:
        """The problems found so far."""
        with self._lock:
            return tuple(self._problems)

    def problems(self) -> tuple[MockchatError, ...]:
        """Return all that fails the test, in the order found, unused replies last.

        Waits for deliveries in flight, within the journal's patience.
        """
        unfinished = tuple(map(self._unfinished, self.journal.unfinished))
        with self._lock:
            unused = self._unused() if self.unused == "fail" else None
            return (*self._problems, *unfinished, *(() if unused is None else (unused,)))

    def verify(self, raised: BaseException | None = None, *, is_over: bool = True) -> None:
        """Raise the first problem, the others in its notes; each is told once.

        Args:
            raised: What the test raised already, if so. It is not hidden: what was found becomes
                notes of it, and replies left over count only if not one request arrived.
            is_over: Whether there will be no more requests; until then no reply is left over.

        Raises:
            NoStubMatched: A request matched no stub.
            UnusedReply: A reply was not asked for.
            UnfinishedDelivery: A reply was on its way still.
            InvalidReply: A reply was no answer to its request.
            ServerFailed: The server's thread met an error, a callable's included.
        """
        __tracebackhide__ = True
        at_the_end = () if is_over else (UnusedReply, UnfinishedDelivery)
        problems = [
            problem
            for problem in self.problems()
            if str(problem) not in self._told and not isinstance(problem, at_the_end)
        ]
        self._told.update(map(str, problems))
        if raised is None and problems:
            raised, *problems = problems
            add_notes(raised, problems)
            raise raised
        if raised is not None:
            add_notes(raised, [problem for problem in problems if not is_aftermath(problem)])

    def _change(self) -> None:
        """Take note that another stub may answer now than before."""
        self.revision += 1

    def _reach(self, endless: Stub) -> None:
        """Refuse to let a stub answer for ever where a later one still has a reply to give."""
        __tracebackhide__ = True
        with self._lock:
            later = self._stubs[bisect_left(self._stubs, endless.place + 1, key=_place) :]
        for stub in later:
            if stub.is_waiting and covers(endless.matcher, stub.matcher):
                raise UnreachableStub(stub.name, endless.name, str(endless.matcher))

    def _check(self, reply: Reply) -> None:
        __tracebackhide__ = True
        check_playable(reply.pacing, reply.fault, self.abilities)
        check_written(reply, self.contract, level=self.level)
        self.may_block = self.may_block or isinstance(reply.content, Computed)

    def _unfinished(self, exchange: Exchange) -> UnfinishedDelivery:
        writes = () if exchange.delivery is None else exchange.delivery.writes
        return UnfinishedDelivery(
            f"request {exchange.index} ({exchange.method} {exchange.path})",
            exchange.stub,
            exchange.written,
            len(writes),
            self.journal.patience,
        )

    def _unused(self) -> UnusedReply | None:
        fates = [(stub, _fate(stub)) for stub in self._stubs]
        waiting = [(stub.name, fate) for stub, fate in fates if fate is not None]
        if not waiting:
            return None
        expected = sum(stub.expected for stub in self._stubs)
        sent = sum(min(stub.sent, stub.expected) for stub in self._stubs)
        arrived = self.journal.dropped + len(self.journal)
        return UnusedReply(waiting, expected, expected - sent, arrived)


def _fate(stub: Stub) -> str | None:
    if not stub.expected:
        return "has no reply; give it one with .reply(...)"
    if stub.sent >= stub.expected:
        return None
    noun = "reply" if stub.expected == 1 else "replies"
    return f"{stub.sent} of {stub.expected} {noun} sent"


def _place(stub: Stub) -> int:
    return stub.place


def _no_stub_matched(
    view: RequestView,
    stubs: Sequence[Stub],
    asked: Mapping[int, tuple[Stub, tuple[Mismatch, ...]]],
) -> NoStubMatched:
    """Return the error with the closest stubs; `asked` has what is known of some of them."""
    reasons: list[tuple[Stub, tuple[str, ...]]] = []
    close = 0
    for stub in stubs:
        if stub.place in asked:
            mismatches = asked[stub.place][1]
        elif close < _MOST_NAMED:
            mismatches = stub.matcher.mismatches(view)
        else:
            continue  # none can be closer than those there are
        said = (*map(str, mismatches), *filter(None, (stub.obstacle,)))
        close += len(said) == 1
        reasons.append((stub, said))
    closest = sorted(reasons, key=lambda pair: len(pair[1]))
    exhausted = [
        stub.name
        for stub, said in closest
        if len(said) == 1 and stub.total and stub.obstacle is not None
    ]
    return NoStubMatched(
        f"{view.method} {view.path}",
        view.summary,
        tuple((stub.name, said) for stub, said in closest[:_MOST_NAMED]),
        exhausted[0] if exhausted else None,
        max(0, len(stubs) - _MOST_NAMED),
    )
