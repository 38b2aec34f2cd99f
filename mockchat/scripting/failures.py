"""What fails a test: fields first, so that they pickle; the text is built when it is read."""

import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path

from mockchat.errors import MockchatError
from mockchat.scripting.credentials import redact_text
from mockchat.scripting.faults import FaultMissed

_PACKAGE = str(Path(__file__).parents[1])
UNSEEN_CLIENT = (
    "Is an await missing, or was the client given another base_url? Was it built before the test "
    "set OPENAI_BASE_URL, at import or in a wider fixture? Build it in the test, or set "
    "mockchat_env = session: README.md#a-client-built-at-import"
)
"""What to look at where not one request arrived."""


class NoStubMatched(MockchatError, AssertionError):
    """A request that no stub of the script answers.

    Args:
        request: Method and path.
        summary: The fields that tell the request from others.
        stubs: Name of each stub with the reasons why it did not answer, closest first.
        exhausted: The name of a stub that matches and has no reply left, if there is one.
        further: How many stubs there are besides, none of them closer.
    """

    def __init__(
        self,
        request: str,
        summary: str,
        stubs: Sequence[tuple[str, tuple[str, ...]]],
        exhausted: str | None = None,
        further: int = 0,
    ) -> None:
        super().__init__(request, summary, stubs, exhausted, further)
        self.request = request
        self.summary = summary
        self.stubs = tuple(stubs)
        self.exhausted = exhausted
        self.further = further

    @property
    def lines(self) -> tuple[str, ...]:
        """One line for each stub, closest first."""
        return tuple(redact_text(f"{name}: {'; '.join(reasons)}") for name, reasons in self.stubs)

    def __str__(self) -> str:
        count = len(self.stubs) + self.further
        fact = f"{self.request} matched none of {count} stub{'' if count == 1 else 's'}."
        request = f"Request: {redact_text(self.summary)}"
        reasons = "".join(f"\n- {line}" for line in self.lines)
        if self.further:
            reasons += f"\n- and {self.further} further stub{'' if self.further == 1 else 's'}"
        return f"{fact}\n\n{request}{reasons}\n\n{self._advice}"

    @property
    def _advice(self) -> str:
        if self.exhausted is not None:
            nickname = self.exhausted.partition(" (")[0]
            return (
                f"Add a stub for this request, or let {nickname} repeat: "
                "README.md#repeating-a-reply"
            )
        if self.stubs:
            nickname = self.stubs[0][0].partition(" (")[0]
            return (
                f"Add a stub for this request, or change what {nickname} wants: "
                "README.md#matching-a-request"
            )
        return "Add a stub for this request: README.md#matching-a-request"


class UnusedReply(MockchatError, AssertionError):
    """Scripted replies that nothing asked for.

    Args:
        stubs: Name of each such stub with what became of its replies, in written order.
        replies: How many replies the script has.
        unused: How many of them were not sent.
        requests: How many requests arrived.
    """

    def __init__(
        self, stubs: Sequence[tuple[str, str]], replies: int, unused: int, requests: int
    ) -> None:
        super().__init__(stubs, replies, unused, requests)
        self.stubs = tuple(stubs)
        self.replies = replies
        self.unused = unused
        self.requests = requests

    def __str__(self) -> str:
        arrived = {0: "no request arrived", 1: "1 request arrived"}.get(
            self.requests, f"{self.requests} requests arrived"
        )
        stubs = "\n".join(f"- {name}: {fate}" for name, fate in self.stubs)
        if not self.replies:
            noun = "stub is" if len(self.stubs) == 1 else "stubs are"
            return f"{len(self.stubs)} {noun} without a reply, {arrived}.\n\n{stubs}"
        noun = "reply" if self.replies == 1 else "replies"
        fact = f"{self.unused} of {self.replies} {noun} unused, {arrived}."
        advice = (
            'Remove what is not needed, or allow it with unused="ignore": README.md#unused-replies'
            if self.requests
            else UNSEEN_CLIENT
        )
        return f"{fact}\n\n{stubs}\n\n{advice}"


class InvalidReply(MockchatError, ValueError, AssertionError):
    """A scripted reply that the API could not have sent.

    Args:
        fact: What is wrong with which reply, in one sentence.
        violations: One line for each broken rule.
    """

    def __init__(self, fact: str, violations: Sequence[str] = ()) -> None:
        super().__init__(fact, violations)
        self.fact = fact
        self.violations = tuple(violations)

    def __str__(self) -> str:
        violations = "".join(f"\n- {violation}" for violation in self.violations)
        gap = "\n" if violations else ""
        return (
            f"{self.fact}{gap}{violations}\n\n"
            "Correct the reply, or send it as it is with unchecked(...): "
            "README.md#replies-that-break-the-contract"
        )


class RequestsDiffer(MockchatError, AssertionError):
    """Requests that are otherwise than a test asserts.

    Args:
        fact: What arrived and what was wanted, in one sentence.
        lines: One line for each request concerned.
        advice: What to do.
    """

    def __init__(self, fact: str, lines: Sequence[str] = (), advice: str = "") -> None:
        super().__init__(fact, tuple(lines), advice)
        self.fact = fact
        self.lines = tuple(lines)
        self.advice = advice

    def __str__(self) -> str:
        parts = [self.fact, "\n".join(f"- {line}" for line in self.lines), self.advice]
        return redact_text("\n\n".join(part for part in parts if part))


class CarelessClient(MockchatError, AssertionError):
    """A client that behaved otherwise than a good one.

    Args:
        broken: What it did, a line for each time it broke a rule.
        unknown: What the journal cannot show, a line for each rule.
    """

    def __init__(self, broken: Sequence[str], unknown: Sequence[str] = ()) -> None:
        super().__init__(tuple(broken), tuple(unknown))
        self.broken = tuple(broken)
        self.unknown = tuple(unknown)

    def __str__(self) -> str:
        count = len(self.broken)
        fact = f"The client broke {count} rule{'' if count == 1 else 's'} of good behaviour."
        broken = "".join(f"\n- {line}" for line in self.broken)
        unknown = "".join(f"\n- {line}" for line in self.unknown)
        unseen = f"\n\nNot to be seen from here:{unknown}" if unknown else ""
        return redact_text(
            f"{fact}\n{broken}{unseen}\n\n"
            "Correct the client, set another threshold, or name the rule in ignore=: "
            "README.md#how-the-client-behaved"
        )


class UnfinishedDelivery(MockchatError, AssertionError):
    """A reply that was still on its way when the test ended.

    Args:
        request: Index, method and path of the exchange.
        stub: The stub that answers, or None.
        written: How many writes of its body have left.
        writes: How many it has.
        patience: How long was waited for it, in seconds.
    """

    def __init__(
        self, request: str, stub: str | None, written: int, writes: int, patience: float
    ) -> None:
        super().__init__(request, stub, written, writes, patience)
        self.request = request
        self.stub = stub
        self.written = written
        self.writes = writes
        self.patience = patience

    def __str__(self) -> str:
        by = "" if self.stub is None else f" by {self.stub}"
        return (
            f"{self.request} is still being answered{by}: {self.written} of {self.writes} writes "
            f"left in time, and {self.patience:g} s were waited for the others.\n\n"
            "Read the stream to its end or close it (`with stream:`) before the test ends, or give "
            "the reply shorter delays: README.md#streams-timing-errors-and-faults"
        )


class LateRequest(MockchatError, AssertionError):
    """A request that came after its test had ended.

    Args:
        test: The name of the test whose base URL was used; None: of no test at all.
        request: Method and path.
    """

    def __init__(self, test: str | None, request: str) -> None:
        super().__init__(test, request)
        self.test = test
        self.request = request

    def __str__(self) -> str:
        if self.test is None:
            return f"{self.request} came while no test was running; it was refused."
        return (
            f"{self.request} came after {self.test} had ended; it was refused. "
            "Close the client and join its threads in that test."
        )


class ServerFailed(MockchatError, AssertionError):
    """A problem in the server's thread, carried to the test that caused it.

    Args:
        request: Method and path.
        problem: Type and text of the exception.
        trace: The traceback as text; exceptions of foreign types may not pickle.
    """

    def __init__(self, request: str, problem: str, trace: str = "") -> None:
        super().__init__(request, problem, trace)
        self.request = request
        self.problem = problem
        self.trace = trace

    def __str__(self) -> str:
        trace = f"\n\n{self.trace.rstrip()}" if self.trace else ""
        return redact_text(f"{self.request} could not be answered: {self.problem}{trace}")


def carried(error: Exception, request: str, stub: str | None = None) -> MockchatError:
    """Return the error as one that pickles and can be raised in the test's thread.

    Frames of mockchat itself are left out: what failed is a callable of the test.

    Args:
        error: What an answer met.
        request: Method and path.
        stub: The name of the stub that answered, where one did.
    """
    if isinstance(error, FaultMissed):
        return FaultMissed(error.fault, error.reason, stub)
    if isinstance(error, MockchatError):
        return error
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(_PACKAGE)
    ]
    trace = "".join(traceback.format_list(frames))
    return ServerFailed(request, f"{type(error).__name__}: {error}", trace)


def add_notes(error: BaseException, problems: Iterable[MockchatError]) -> None:
    """Add problems to an error as its notes, but for those that it says itself."""
    said = str(error)
    for problem in problems:
        # A client's exception often quotes what the server answered: the very same text.
        if str(problem) not in said:
            error.add_note(f"\n{type(problem).__name__}: {problem}")


def is_aftermath(problem: MockchatError) -> bool:
    """Tell whether a problem is what a test that broke off leaves behind."""
    if isinstance(problem, UnusedReply):
        return problem.requests > 0
    return isinstance(problem, UnfinishedDelivery)
