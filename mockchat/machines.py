"""A Hypothesis state machine that talks with a client: many turns, tools, errors, any stream.

```python
class Conversations(ChatMachine):
    def ask(self, messages, *, tools, stream):
        return my_client(self.base_url).chat(messages, tools=tools, stream=stream)

TestConversations = Conversations.TestCase
```

The machine is the user, the tools and the model; the client under test stands between them. After
every step both sides must remember the same conversation.
"""

import atexit
import difflib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from typing import Any, ClassVar, Protocol, TypedDict, Unpack

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from mockchat.contract.contract import contract_for
from mockchat.errors import BadArgument
from mockchat.exchange import Exchange
from mockchat.machine_turns import Turn, results, turns, user_texts
from mockchat.payloads.chunking import join
from mockchat.payloads.shapes import SHAPES
from mockchat.payloads.stream_style import stream_style
from mockchat.scripting.builders import error
from mockchat.scripting.dialogue import (
    ConversationBroken,
    SaidCall,
    Utterance,
    conversation,
    reported,
    utterance,
)
from mockchat.server.mock_server import MockServer
from mockchat.types import JsonObject, JsonView, Kind

__all__ = ["Ask", "ChatMachine", "Turn", "chat_machine"]

_FIRST_ERROR = 400
_SOON = 0.001
"""Seconds to wait before a retry: none at all is what some clients take for no word on it."""


def _tool(name: str, member: str, schema: JsonObject) -> JsonObject:
    parameters = {"type": "object", "properties": {member: schema}, "required": [member]}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


_TOOLS = (
    _tool("get_weather", "city", {"type": "string"}),
    _tool("set_alarm", "minutes", {"type": "array", "items": {"type": "integer"}}),
)


class Ask(Protocol):
    """The client under test: one request for the whole conversation so far."""

    def __call__(self, messages: list[Any], *, tools: list[JsonObject], stream: bool) -> object:
        """Return what the model answers; see `ChatMachine.ask`."""
        ...


class MachineOptions(TypedDict, total=False):
    """What `chat_machine` sets: the attributes of `ChatMachine`."""

    profile: str
    kind: Kind
    tools: Sequence[JsonView]
    shapes: Collection[str]
    streams: Collection[bool]
    statuses: Sequence[int]
    retries: int
    failures: tuple[type[Exception], ...]
    server: MockServer | None


class ChatMachine(RuleBasedStateMachine):
    """Hold conversations with a client; implement `ask`, run the class's `TestCase`.

    In each step the user says something, or the results of all pending tool calls are sent, in any
    order. The model answers with text, calls, a refusal or a text that is cut off, whole or as any
    legal stream, after some errors or at once. Then must hold: each request is valid, is one that
    was asked for, and tells the conversation as it was, ids included; the client reports the text,
    the refusal and the calls that were sent, their arguments parsed.

    Attributes:
        profile: Whose API it is.
        kind: "wild": any text and any cut; "plain": words, and whole tokens.
        tools: What the model may call, as a request offers it.
        shapes: What the model answers: "text", "tool_calls", "refusal", "length" (the text is cut
            off), "content_filter". What the profile does not know is left out.
        streams: Whether streams are asked for: (False, True), or one of them.
        statuses: The errors that come before an answer; () for none.
        retries: How many times the client tries again by itself after such an error. After the
            last one it must raise; the machine then asks again.
        failures: What the client raises then.
        server: Who serves; None for the one that all machines of the process share.
        base_url: What the client needs as its base URL; another one in each conversation.
        api_key: A key for it.
        mockchat: This conversation's script, with its journal.
        messages: The conversation, as it is handed to `ask`.

    Raises:
        BadArgument: `shapes` or `streams` have values that do not exist.
    """

    profile: ClassVar[str] = "openai"
    kind: ClassVar[Kind] = "wild"
    tools: ClassVar[Sequence[JsonView]] = _TOOLS
    shapes: ClassVar[Collection[str]] = SHAPES
    streams: ClassVar[Collection[bool]] = (False, True)
    statuses: ClassVar[Sequence[int]] = (429, 500, 503)
    retries: ClassVar[int] = 0
    failures: ClassVar[tuple[type[Exception], ...]] = (Exception,)
    server: ClassVar[MockServer | None] = None

    def __init__(self) -> None:
        super().__init__()
        _check("shapes", self.shapes, SHAPES)
        _check("streams", self.streams, (False, True))
        self._resources = ExitStack()
        server = _shared_server() if self.server is None else self.server
        script = server.unverified(name=type(self).__name__, profile=self.profile)
        self.mockchat = self._resources.enter_context(script)
        self.base_url = self.mockchat.base_url
        self.api_key = self.mockchat.api_key
        self.messages: list[Any] = []
        self._said: tuple[Utterance, ...] = ()

    def ask(self, messages: list[Any], *, tools: list[JsonObject], stream: bool) -> object:
        """Let the client under test send the conversation, and return what it makes of the answer.

        Args:
            messages: The conversation so far: mappings in wire form, and the messages of the model
                as this method returned them. A client that remembers for itself takes what follows
                the last of those.
            tools: The tools to offer, in wire form.
            stream: Whether to ask for a stream.

        Returns:
            The message, as a mapping in wire form or an object of the openai package; or the whole
            choice, whose `finish_reason` then must be right, too.
        """
        raise NotImplementedError(f"{type(self).__name__}.ask: let your client send the messages")

    @precondition(lambda self: not self.pending)
    @rule(
        text=st.runner().flatmap(user_texts),
        turn=st.runner().flatmap(turns),
    )
    def user_says(self, text: str, turn: Turn) -> None:
        """Let the user say something."""
        self._step([{"role": "user", "content": text}], turn)

    @precondition(lambda self: bool(self.pending))
    @rule(
        results=st.runner().flatmap(results),
        turn=st.runner().flatmap(turns),
    )
    def tools_answer(self, results: Mapping[int, str], turn: Turn) -> None:
        """Send the result of each call, by its position, in any order."""
        calls = self.pending
        answers = [
            {"role": "tool", "tool_call_id": calls[position].id, "content": result}
            for position, result in results.items()
        ]
        self._step(answers, turn)

    def teardown(self) -> None:
        """Close the conversation; what was wrong with it has been told in its step."""
        self._resources.close()

    @property
    def pending(self) -> tuple[SaidCall, ...]:
        """The calls that wait for their results."""
        return self._said[-1].calls if self._said else ()

    def _step(self, new: list[JsonObject], turn: Turn) -> None:
        with self._told():
            self.messages += new
            self._said += conversation(new)
            for status in turn.errors:
                self.mockchat.reply(error(status, retry_after=_SOON))
            self.mockchat.reply(turn.reply, plan=turn.plan)
            result = self._asked(len(turn.errors), stream=turn.plan is not None)
            self._hear(result)
            self.mockchat.verify()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Add the conversation to whatever goes wrong."""
        try:
            yield
        except Exception as problem:
            self.mockchat.verify(problem)
            problem.add_note(f"\n{self.mockchat.transcript()}")
            raise

    def _asked(self, errors: int, *, stream: bool) -> object:
        """Ask until there is an answer, through all errors that come first."""
        while True:
            journal = self.mockchat.journal
            before = len(journal)
            tries = min(errors, self.retries) + 1
            gives_up = errors > self.retries
            offered = [dict(tool) for tool in self.tools]
            try:
                result = self.ask([*self.messages], tools=offered, stream=stream)
            except self.failures as failure:
                failed = gives_up or any(each.status >= _FIRST_ERROR for each in journal[-1:])
                self._check_requests(before, tries if failed else None, failure, stream=stream)
                if not gives_up:
                    raise
            else:
                self._check_requests(before, tries, None, stream=stream)
                if not gives_up:
                    return result
                status = journal.last.status
                fact = "The client reports a message where it got an error."
                raise ConversationBroken(fact, f"an exception for status {status}", result)
            errors -= tries

    def _check_requests(
        self, before: int, tries: int | None, failure: Exception | None, *, stream: bool
    ) -> None:
        exchanges = self.mockchat.journal[before:]
        for exchange in exchanges:
            self._check_request(exchange, failure, stream=stream)
        if tries is not None and len(exchanges) != tries:
            fact = f"The client sent another number of requests than with retries = {self.retries}."
            raise ConversationBroken(fact, tries, len(exchanges)) from failure

    def _check_request(
        self, exchange: Exchange, failure: Exception | None, *, stream: bool
    ) -> None:
        for violation in exchange.violations:
            if not violation.is_note:
                fact = (
                    f"Request {exchange.index} breaks the contract at {violation.pointer or '/'}."
                )
                raise ConversationBroken(fact, violation.message, violation.actual) from failure
        request: JsonView = exchange.request if isinstance(exchange.request, Mapping) else {}
        said = conversation(request.get("messages") or ())
        for position, (ours, theirs) in enumerate(zip(self._said, said, strict=False)):
            _compare(f"Message {position} of request {exchange.index} has", ours, theirs, failure)
        wanted: tuple[tuple[str, object, object], ...] = (
            ("more or fewer messages", len(self._said), len(said)),
            ("other tools", list(self.tools), request.get("tools") or []),
            ("another stream", stream, bool(request.get("stream"))),
        )
        for name, asked, found in wanted:
            if asked != found:
                fact = f"Request {exchange.index} has {name} than asked for."
                raise ConversationBroken(fact, asked, found) from failure

    def _hear(self, result: object) -> None:
        """Compare what the client reports with what was sent, and remember it."""
        exchange = self.mockchat.journal.last
        style = stream_style(contract_for(self.profile).profile)
        sent = exchange.reply or join(exchange.chunks, style=style)
        choice = sent["choices"][0]
        message, finish_reason = reported(result)
        ours = utterance(choice["message"])
        _compare("The client reports", ours, utterance(message))
        if finish_reason not in {None, choice["finish_reason"]}:
            fact = "The client reports another finish_reason than was sent."
            raise ConversationBroken(fact, choice["finish_reason"], finish_reason)
        self._said += (ours,)
        if isinstance(message, Mapping):
            message = {"role": "assistant", **message}
        self.messages.append(message)


def chat_machine(
    connect: Callable[[str, str], Ask], **options: Unpack[MachineOptions]
) -> type[ChatMachine]:
    """Return a machine for a client that is connected once for each conversation.

    Args:
        connect: Is given base URL and key, and returns the function that asks: see
            `ChatMachine.ask`.
        **options: See the attributes of `ChatMachine`.

    Raises:
        BadArgument: There is no such option.
    """
    for name in options:
        if name not in MachineOptions.__annotations__:
            known = MachineOptions.__annotations__
            close = difflib.get_close_matches(name, known, n=1)
            raise BadArgument("option", name, ", ".join(known), close[0] if close else None)

    def start(self: ChatMachine) -> None:
        ChatMachine.__init__(self)
        self.__dict__["ask"] = connect(self.base_url, self.api_key)

    name = getattr(connect, "__name__", "client")
    return type(f"ChatMachine_{name}", (ChatMachine,), {"__init__": start, **options})


_DIFFERENT = {
    "role": "another role than it had",
    "text": "another text than was sent",
    "refusal": "another refusal than was sent",
    "calls": "other tool calls than were sent",
    "answers": "another tool_call_id than that of the call",
}


def _compare(
    place: str, ours: Utterance, theirs: Utterance, failure: Exception | None = None
) -> None:
    found = ours.difference(theirs)
    if found is not None:
        name, wanted, given = found
        raise ConversationBroken(f"{place} {_DIFFERENT[name]}.", wanted, given) from failure


def _check(name: str, values: Collection[object], allowed: Collection[object]) -> None:
    for value in values:
        if value not in allowed:
            raise BadArgument(name, value, ", ".join(map(str, allowed)))
    if not values:
        raise BadArgument(name, values, f"at least one of {', '.join(map(str, allowed))}")


@lru_cache(maxsize=1)
def _shared_server() -> MockServer:
    """Return the server of all machines of this process, started by the first, stopped at exit."""
    server = MockServer().start()
    atexit.register(server.stop)
    return server
