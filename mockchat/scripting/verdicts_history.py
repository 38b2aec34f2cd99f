"""What a client makes of replies in the history it sends back."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, zip_longest

from mockchat.exchange import Exchange, Outcome
from mockchat.scripting.request_view import objects, text_of
from mockchat.scripting.verdicts_kinds import Evidence, Verdict
from mockchat.types import Json, JsonView

DROPS_TRUNCATED_REPLIES = "client.drops-truncated-replies"
ANSWERS_TOOL_CALLS = "client.answers-tool-calls"

_SUCCESS = 200


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Call:
    """One call of a tool, or of a function: what tells it from others in a history.

    Attributes:
        id: The id of a tool call.
        function: The name in a function call, which has no id.
        arguments: Its arguments, spelt as any other JSON of the same value.
    """

    id: str = ""
    function: str = ""
    arguments: str = ""

    def __str__(self) -> str:
        return self.id or f"function {self.function!r}"

    def is_answered_by(self, message: JsonView) -> bool:
        """Tell whether a message brings its result."""
        if self.id:
            return message.get("tool_call_id") == self.id
        return message.get("role") == "function" and message.get("name") == self.function


@dataclass(slots=True, kw_only=True)
class Heard:
    """One choice of a reply as a client could read it.

    Attributes:
        pieces: The text, as it came.
        ids: The ids of its tool calls.
        function: The name of its function call, of the older kind that has no id.
        function_arguments: The arguments of that, as they came.
        arguments: How many characters of the arguments of all came.
        finish_reason: Why it ended, None where that was not said.
    """

    pieces: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    function: str = ""
    function_arguments: str = ""
    arguments: int = 0
    finish_reason: str | None = None

    @property
    def calls(self) -> list[Call]:
        """What it called for, as a history repeats it."""
        calls = [Call(id=name) for name in self.ids]
        if self.function:
            arguments = _spelt_alike(self.function_arguments)
            calls.append(Call(function=self.function, arguments=arguments))
        return calls

    @property
    def text(self) -> str:
        """All of the text."""
        return "".join(self.pieces)

    def is_meant(self, text: str | None) -> bool:
        """Tell whether a text is what a client got, or a part of it that came first."""
        if not text or not self.text.startswith(text):
            return False
        # A stream with a finish reason was read to its end; of any other a client may lack some.
        ends = {len(self.text)} if self.finish_reason else set(accumulate(map(len, self.pieces)))
        return len(text) in ends

    def add(self, said: Json, finish_reason: Json) -> None:
        """Take a message, or the next delta of one."""
        text = text_of(said) if isinstance(said, Mapping) else None
        self.pieces += [text] if text else []
        for call in objects(_member(said, "tool_calls")):
            name = call.get("id")
            if isinstance(name, str) and name and name not in self.ids:
                self.ids.append(name)
            self.arguments += len(_text(call.get("function"), "arguments"))
        older = _member(said, "function_call")
        arguments = _text(older, "arguments")
        self.function += _text(older, "name")
        self.function_arguments += arguments
        self.arguments += len(arguments)
        if isinstance(finish_reason, str):
            self.finish_reason = finish_reason


def drops_truncated_replies(evidence: Evidence) -> Iterator[Verdict]:
    """Judge whether a client sent a reply that broke off back as history, as if it were whole.

    A reply broke off where its finish reason is `length` or where its stream was damaged. It is
    taken for whole where something follows it in a later request; as the last message it asks to
    be continued. A client that left by itself may have wanted no more.
    """
    for exchange in evidence.exchanges:
        cut = [heard for meant, heard in _choices(exchange) if _broke_off(meant, heard)]
        later = evidence.exchanges[exchange.index - evidence.exchanges[0].index + 1 :]
        if not cut:
            continue
        if exchange.outcome is Outcome.CLIENT_LEFT:
            why = f"the client left reply {exchange.index} by itself; why cannot be seen"
            yield _verdict(DROPS_TRUNCATED_REPLIES, "unknown", why, exchange)
        elif not later:
            why = f"reply {exchange.index} broke off, and no later request was seen"
            yield _verdict(DROPS_TRUNCATED_REPLIES, "unknown", why, exchange)
        else:
            yield _kept_or_dropped(exchange, cut, later, evidence)


def answers_tool_calls(evidence: Evidence) -> Iterator[Verdict]:
    """Judge whether each tool call in the history that a client sends has its result behind it.

    A client that leaves the call out of its history may have given it up on purpose.
    """
    for position, exchange in enumerate(evidence.exchanges):
        called = {call for _, heard in _choices(exchange) for call in heard.calls}
        if not called:
            continue
        carried = False
        for later in evidence.exchanges[position + 1 :]:
            owed = _owed(later, called)
            if owed is None:
                continue
            names = ", ".join(map(str, sorted(owed)))
            if owed:
                sentence = f"request {later.index} came without the result of {names}"
                yield _verdict(
                    ANSWERS_TOOL_CALLS,
                    "broken",
                    f"{sentence}, which reply {exchange.index} called for",
                    exchange,
                    later,
                )
            elif not carried:
                sentence = f"request {later.index} brought what reply {exchange.index} called for"
                yield _verdict(ANSWERS_TOOL_CALLS, "ok", sentence, exchange, later)
            carried = True
        if not carried:
            sentence = f"no later request has the tool calls of reply {exchange.index}"
            yield _verdict(ANSWERS_TOOL_CALLS, "unknown", sentence, exchange)


def _kept_or_dropped(
    exchange: Exchange, cut: list[Heard], later: Sequence[Exchange], evidence: Evidence
) -> Verdict:
    asked = _messages(exchange)[-1:]
    whole = {
        heard.text
        for other in evidence.exchanges
        if other is not exchange and _messages(other)[-1:] == asked
        for meant, heard in _choices(other)
        if not _broke_off(meant, heard)
    }
    calls = {call for heard in cut for call in heard.calls}
    for one in later:
        messages = _messages(one)
        for before, message, behind in zip_longest(messages, messages[1:], messages[2:]):
            if message is None:
                continue
            text = text_of(message)
            is_cut = text not in whole and any(heard.is_meant(text) for heard in cut)
            is_it = message.get("role") == "assistant" and (before,) == asked
            if is_it and (is_cut or calls.intersection(_calls(message))):
                if behind is None:
                    sentence = f"request {one.index} asks to continue reply {exchange.index}"
                    return _verdict(DROPS_TRUNCATED_REPLIES, "ok", sentence, exchange, one)
                sentence = (
                    f"request {one.index} has reply {exchange.index} in its history as if it were "
                    f"whole; it {_how(cut)}"
                )
                return _verdict(DROPS_TRUNCATED_REPLIES, "broken", sentence, exchange, one)
    sentence = f"reply {exchange.index} broke off and is in no later request"
    return _verdict(DROPS_TRUNCATED_REPLIES, "ok", sentence, exchange)


def _how(cut: list[Heard]) -> str:
    reasons = {heard.finish_reason for heard in cut}
    return "ended with 'length'" if reasons == {"length"} else "broke off on its way"


def _broke_off(meant: Heard, heard: Heard) -> bool:
    if heard.finish_reason is not None:
        return heard.finish_reason == "length"
    is_all = (meant.text, meant.calls, meant.arguments) == (
        heard.text,
        heard.calls,
        heard.arguments,
    )
    is_end = is_all and meant.finish_reason != "length"
    return not is_end and meant.text.startswith(heard.text)


def _owed(later: Exchange, called: set[Call]) -> set[Call] | None:
    """Return the calls whose result is missing; None where the history has no such call."""
    messages = _messages(later)
    for place, message in enumerate(messages):
        calls = called.intersection(_calls(message))
        if calls:
            behind = messages[place + 1 :]
            return {call for call in calls if not any(map(call.is_answered_by, behind))}
    return None


def _choices(exchange: Exchange) -> Iterator[tuple[Heard, Heard]]:
    """Yield each choice as it was meant and as it was sent."""
    if exchange.status != _SUCCESS:
        return
    if exchange.chunks:
        meant, sent = _read(exchange.chunks, "delta"), _read(exchange.sent_chunks, "delta")
        yield from ((meant[index], sent.get(index, Heard())) for index in meant)
        return
    reply = exchange.reply
    if exchange.fault is not None:
        try:
            reply = json.loads(exchange.sent)
        except ValueError:
            return  # what cannot be read is in no history
    for heard in _read((reply,), "message").values():
        yield heard, heard


def _read(parts: Iterable[Json], name: str) -> dict[int, Heard]:
    found: dict[int, Heard] = {}
    for part in parts:
        for choice in objects(_member(part, "choices")):
            index = choice.get("index")
            if isinstance(index, int):
                heard = found.setdefault(index, Heard())
                heard.add(choice.get(name), choice.get("finish_reason"))
    return found


def _messages(exchange: Exchange) -> tuple[JsonView, ...]:
    return tuple(objects(_member(exchange.request, "messages")))


def _calls(message: JsonView) -> list[Call]:
    heard = Heard()
    if message.get("role") == "assistant":
        heard.add(message, None)
    return heard.calls


def _member(value: Json, name: str) -> Json:
    return value.get(name) if isinstance(value, Mapping) else None


def _text(value: Json, name: str) -> str:
    member = _member(value, name)
    return member if isinstance(member, str) else ""


def _spelt_alike(arguments: str) -> str:
    """Return arguments as any client would spell them that has decoded and encoded them."""
    try:
        return json.dumps(json.loads(arguments), sort_keys=True)
    except (ValueError, RecursionError):
        return arguments


def _verdict(rule: str, state: str, sentence: str, *exchanges: Exchange) -> Verdict:
    indexes = tuple(one.index for one in exchanges)
    return Verdict(rule=rule, state=state, exchanges=indexes, sentence=sentence)  # type: ignore[arg-type]  # one of the three
