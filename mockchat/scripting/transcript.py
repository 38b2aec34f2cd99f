"""A journal as a conversation: what a failed test shows of what was said."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from mockchat.exchange import Ending, Exchange, Outcome
from mockchat.payloads.chunking import join
from mockchat.scripting.credentials import redact_text
from mockchat.scripting.request_view import objects, text_of
from mockchat.types import Json, JsonView

_LONGEST = 200


def transcript(exchanges: Iterable[Exchange], *, dropped: int = 0) -> str:
    """Return one paragraph for each exchange: head line, last message sent, what was answered.

    Earlier messages of a request are left out: they stand in the paragraphs above, or the number
    of messages tells that they do not.
    """
    head = [f"({dropped} earlier exchanges were dropped)"] if dropped else []
    lines = chain(head, *map(_lines, exchanges))
    return redact_text("\n".join(lines)) or "no request arrived"


def _lines(exchange: Exchange) -> Iterator[str]:
    yield f"[{exchange.index}] {', '.join(_head(exchange))}"
    messages = list(objects(_member(exchange.request, "messages")))
    if messages:
        yield f"    {_spoken(messages[-1])}"
    for violation in exchange.violations:
        yield f"    ! {violation.pointer or '/'}: {_short(violation.message)} ({violation.rule})"
    for mismatch in exchange.mismatches:
        yield f"    - {_short(mismatch)}"
    if exchange.mismatches:
        return
    reply = exchange.reply if exchange.reply is not None else _joined(exchange.chunks)
    failure = _member(reply, "error")
    if isinstance(failure, Mapping):
        fact, _, _ = str(failure.get("message")).partition("\n\n")
        yield f"    error: {_short(fact)}"
    for choice in objects(_member(reply, "choices")):
        yield f"    {_spoken(choice.get('message', {}))} [{choice.get('finish_reason')}]"


def _head(exchange: Exchange) -> Iterator[str]:
    yield f"{exchange.method} {exchange.path} -> {exchange.status}"
    if isinstance(exchange.request, Mapping):
        yield f"model {exchange.request.get('model')!r}"
        yield _count(len(list(objects(exchange.request.get("messages")))), "message")
    if exchange.chunks:
        yield _count(len(exchange.chunks), "chunk")
    if exchange.attempt > 1:
        yield f"attempt {exchange.attempt}"
    if exchange.stub is not None:
        yield exchange.stub
    if exchange.fault is not None:
        yield exchange.fault
    if exchange.ending is not Ending.COMPLETE:
        yield exchange.ending.value
    yield exchange.outcome.value
    if exchange.delivery is not None and exchange.outcome is not Outcome.DELIVERED:
        yield f"{exchange.written} of {_count(len(exchange.delivery.writes), 'write')} left"


def _joined(chunks: tuple[JsonView, ...]) -> Json:
    if not chunks:
        return None
    try:
        return join(chunks)
    except (ValueError, LookupError, TypeError):  # an unchecked stream may be no stream at all
        return None


def _spoken(message: JsonView) -> str:
    parts = [f"{message.get('role', 'assistant')}:"]
    text = text_of(message)
    if text is not None:
        parts.append(_short(text))
    if isinstance(message.get("refusal"), str):
        parts.append(f"refuses: {_short(message['refusal'])}")
    calls = [_member(call, str(_member(call, "type"))) for call in _calls(message)]
    calls.append(message.get("function_call"))
    parts += [_call(call) for call in objects(calls)]
    return " ".join(parts)


def _calls(message: JsonView) -> Iterator[JsonView]:
    return objects(message.get("tool_calls"))


def _call(call: JsonView) -> str:
    return f"{call.get('name')}({_short(str(call.get('arguments', call.get('input'))))})"


def _member(value: Json, name: str) -> Json:
    return value.get(name) if isinstance(value, Mapping) else None


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _short(text: str) -> str:
    line = text.replace("\n", "\\n")
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
