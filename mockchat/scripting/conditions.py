"""The keywords of `when`: what each may be given, what it reads, and how it compares."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from mockchat.contract.pointers import tokens_of, value_at
from mockchat.contract.validation import schema_violations
from mockchat.exchange import header
from mockchat.scripting.credentials import REDACTED, is_credential
from mockchat.scripting.request_view import RequestView, is_list, text_of
from mockchat.scripting.wanted import (
    TextWanted,
    accepts,
    described,
    is_schema,
    is_text_wanted,
    name_of,
    short,
)
from mockchat.types import Json, JsonObject, JsonView


class Conditions(TypedDict, total=False):
    """The keywords of `when`; a request matches if all that are given hold.

    Attributes:
        model: The model's name.
        last_role: The role of the last message.
        last_text: The text of the last message (text parts joined).
        last_user_text: The text of the last user message that has any: behind tool calls and their
            results it is still what the user asked.
        any_text: The text of at least one message.
        any_message: What one message must be: a mapping of `role`, `text`, `name` and
            `tool_call_id` to what is wanted of them, or a callable given the message.
        system_text: The text of all system and developer messages, joined by newlines.
        turns: How many user messages the conversation has, or a callable given that number.
        tools: A name that is offered, or all names in any order; an empty sequence means none.
        tool_result: The text of a tool message after the last assistant message, or a mapping
            of tool call ids to such texts.
        response_format: Its `type`, or the whole object.
        stream: Whether a stream is asked for.
        headers: Field names (any case) to values; None means that the field is absent.
        path: The path, such as "/v1/chat/completions".
        pointer: JSON Pointers into the body to wanted values (any JSON, or as a text is matched).
        schema: A JSON Schema (2020-12) for the body.
        where: A callable given the body.
        any_of: Conditions of which one mapping, at least, must hold as a whole.
        not_: Conditions that must not all hold.
    """

    model: TextWanted
    last_role: TextWanted
    last_text: TextWanted
    last_user_text: TextWanted
    any_text: TextWanted
    any_message: Mapping[str, TextWanted] | Callable[[JsonView], object]
    system_text: TextWanted
    turns: int | Callable[[int], object]
    tools: TextWanted | Sequence[str]
    tool_result: TextWanted | Mapping[str, TextWanted]
    response_format: TextWanted | JsonView
    stream: bool
    headers: Mapping[str, TextWanted | None]
    path: TextWanted
    pointer: Mapping[str, Json]
    schema: JsonView | bool
    where: Callable[[JsonObject], object]
    any_of: Sequence["Conditions"]
    not_: "Conditions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """One condition that a request does not meet.

    Attributes:
        keyword: The keyword of `when`, with the member where it has several.
        wanted: What the stub asks for, as its author wrote it.
        actual: What the request has.
        reason: Words for what equality cannot say; printed instead of the two values.
    """

    keyword: str
    wanted: object
    actual: object
    reason: str | None = None

    def __str__(self) -> str:
        if self.reason is not None:
            return f"{self.keyword}: {self.reason}"
        return f"{self.keyword} is {short(self.actual)}, wanted {described(self.wanted)}"


@dataclass(frozen=True, slots=True)
class Keyword:
    """What one keyword of `when` may be given, in words and as a test, and how it compares."""

    allowed: str
    is_allowed: Callable[[object], bool]
    compare: Callable[[str, object, RequestView], Iterable[Mismatch]]


def _one(read: Callable[[RequestView], Json]) -> Callable[..., Iterator[Mismatch]]:
    """Compare the one value that `read` finds; None is never given to a callable."""

    def compare(keyword: str, wanted: object, view: RequestView) -> Iterator[Mismatch]:
        actual = read(view)
        if actual is None or not accepts(wanted, actual):
            yield Mismatch(keyword=keyword, wanted=wanted, actual=actual)

    return compare


def _any(read: Callable[[RequestView], Sequence[Json]]) -> Callable[..., Iterator[Mismatch]]:
    """Compare the values that `read` finds; one that is accepted is enough."""

    def compare(keyword: str, wanted: object, view: RequestView) -> Iterator[Mismatch]:
        actual = read(view)
        if not any(accepts(wanted, value) for value in actual):
            yield Mismatch(keyword=keyword, wanted=wanted, actual=list(actual))

    return compare


def _last_text(view: RequestView) -> str | None:
    return text_of(view.messages[-1]) if view.messages else None


def _last_user_text(view: RequestView) -> str | None:
    asked = (text_of(each) for each in reversed(view.messages) if each.get("role") == "user")
    return next((text for text in asked if text is not None), None)


def _texts(view: RequestView) -> list[str]:
    return [text for message in view.messages if (text := text_of(message)) is not None]


_MEMBERS: Mapping[str, Callable[[JsonView], Json]] = {
    "role": lambda message: message.get("role"),
    "text": text_of,
    "name": lambda message: message.get("name"),
    "tool_call_id": lambda message: message.get("tool_call_id"),
}
"""What `any_message` reads of a message."""


def _compare_any_message(keyword: str, wanted: object, view: RequestView) -> Iterator[Mismatch]:
    if not any(_is_wanted_message(wanted, message) for message in view.messages):
        count = len(view.messages)
        reason = (
            f"none of {count} is {described(wanted)}"
            if isinstance(wanted, Mapping)
            else f"{name_of(wanted)} is true of none of {count}"
        )
        actual = [dict(message) for message in view.messages]
        yield Mismatch(keyword=keyword, wanted=wanted, actual=actual, reason=reason)


def _is_wanted_message(wanted: object, message: JsonView) -> bool:
    if not isinstance(wanted, Mapping):
        return bool(wanted(message))  # type: ignore[operator]  # is_allowed makes it callable
    return all(
        (actual := _MEMBERS[name](message)) is not None and accepts(value, actual)
        for name, value in wanted.items()
    )


def _system_text(view: RequestView) -> str | None:
    instructions = (m for m in view.messages if m.get("role") in ("system", "developer"))
    texts = [text for message in instructions if (text := text_of(message)) is not None]
    return "\n".join(texts) if texts else None


def _strings(*values: Json) -> tuple[str, ...]:
    return tuple(value for value in values if isinstance(value, str))


TEXTS_OF: Mapping[str, Callable[[RequestView], tuple[str, ...]]] = {
    "last_text": lambda view: _strings(_last_text(view)),
    "any_text": lambda view: _strings(*_texts(view)),
    "system_text": lambda view: _strings(_system_text(view)),
    "model": lambda view: _strings(view.body.get("model")),
}
"""The texts that a keyword compares, of which one must be what is wanted; the most telling first."""


def _turns(view: RequestView) -> int:
    return sum(message.get("role") == "user" for message in view.messages)


def _tool_results(view: RequestView) -> dict[str, str | None]:
    results: dict[str, str | None] = {}
    for message in view.messages:
        if message.get("role") == "assistant":
            results.clear()
        elif message.get("role") in ("tool", "function"):
            results[str(message.get("tool_call_id", message.get("name")))] = text_of(message)
    return results


def _compare_tools(keyword: str, wanted: object, view: RequestView) -> Iterator[Mismatch]:
    if is_list(wanted):
        if sorted(wanted) != sorted(view.tool_names):
            yield Mismatch(keyword=keyword, wanted=wanted, actual=list(view.tool_names))
    else:
        yield from _any(lambda view: view.tool_names)(keyword, wanted, view)


def _compare_tool_result(keyword: str, wanted: object, view: RequestView) -> Iterator[Mismatch]:
    results = _tool_results(view)
    if not isinstance(wanted, Mapping):
        texts = [text for text in results.values() if text is not None]
        yield from _any(lambda _: texts)(keyword, wanted, view)
        return
    for call, text in wanted.items():
        yield from _one(lambda _, call=call: results.get(call))(f"{keyword}[{call!r}]", text, view)  # type: ignore[misc]  # mypy cannot type a lambda's default


def _compare_response_format(keyword: str, wanted: object, view: RequestView) -> Iterator[Mismatch]:
    actual = view.body.get("response_format")
    if not isinstance(wanted, Mapping) and isinstance(actual, Mapping):
        actual = actual.get("type")
    yield from _one(lambda _: actual)(keyword, wanted, view)


def _compare_stream(keyword: str, wanted: object, view: RequestView) -> Iterator[Mismatch]:
    actual = bool(view.body.get("stream"))
    if actual is not wanted:
        yield Mismatch(keyword=keyword, wanted=wanted, actual=actual)


def _compare_headers(keyword: str, wanted: object, view: RequestView) -> Iterator[Mismatch]:
    for name, value in wanted.items():  # type: ignore[attr-defined]  # is_allowed makes it a mapping
        actual = header(view.headers, name)
        if value is None and actual is None:
            continue
        if value is None or actual is None or not accepts(value, actual):
            is_secret = is_credential(name)
            yield Mismatch(
                keyword=f"{keyword}[{name!r}]",
                wanted=REDACTED if is_secret and isinstance(value, str) else value,
                actual=REDACTED if is_secret and actual is not None else actual,
            )


def _compare_pointers(keyword: str, wanted: object, view: RequestView) -> Iterator[Mismatch]:
    for pointer, value in wanted.items():  # type: ignore[attr-defined]  # is_allowed makes it a mapping
        try:
            actual = value_at(view.body, tokens_of(pointer))
        except LookupError:
            yield Mismatch(
                keyword=f"{keyword}[{pointer!r}]",
                wanted=value,
                actual=None,
                reason=f"the request has nothing there, wanted {described(value)}",
            )
        else:
            if not accepts(value, actual):
                yield Mismatch(keyword=f"{keyword}[{pointer!r}]", wanted=value, actual=actual)


def _compare_schema(keyword: str, wanted: object, view: RequestView) -> Iterator[Mismatch]:
    for violation in schema_violations(wanted, view.body):
        where = violation.pointer or "the body"
        yield Mismatch(
            keyword=keyword,
            wanted=wanted,
            actual=violation.actual,
            reason=f"{where}: {violation.message}",
        )


def _compare_where(keyword: str, wanted: object, view: RequestView) -> Iterator[Mismatch]:
    verdict = wanted(view.body)  # type: ignore[operator]  # is_allowed makes it callable
    if not verdict:
        reason = f"{name_of(wanted)} returned {short(verdict)}"
        yield Mismatch(keyword=keyword, wanted=wanted, actual=verdict, reason=reason)


_TEXT = "a string, re.compile(...), contains(...), matches_schema(...) or a callable"


def _text_keyword(compare: Callable[..., Iterable[Mismatch]]) -> Keyword:
    return Keyword(_TEXT, is_text_wanted, compare)


def _is_names(value: object) -> bool:
    return is_list(value) and all(isinstance(name, str) for name in value)


def _is_map(keys: Callable[[str], bool], values: Callable[[object], bool]) -> Callable[..., bool]:
    def check(value: object) -> bool:
        return isinstance(value, Mapping) and all(
            isinstance(key, str) and keys(key) and values(member) for key, member in value.items()
        )

    return check


_is_headers = _is_map(bool, lambda value: value is None or is_text_wanted(value))
_is_pointers = _is_map(lambda key: key == "" or key[0] == "/", lambda _: True)
_is_results = _is_map(bool, is_text_wanted)
_is_message = _is_map(_MEMBERS.__contains__, is_text_wanted)

KEYWORDS: Mapping[str, Keyword] = {
    "model": _text_keyword(_one(lambda view: view.body.get("model"))),
    "last_role": _text_keyword(_one(lambda view: view.last_role)),
    "last_text": _text_keyword(_one(_last_text)),
    "last_user_text": _text_keyword(_one(_last_user_text)),
    "any_text": _text_keyword(_any(_texts)),
    "any_message": Keyword(
        f"a mapping of {', '.join(_MEMBERS)} to {_TEXT}, or a callable",
        lambda value: callable(value) or (bool(value) and _is_message(value)),
        _compare_any_message,
    ),
    "system_text": _text_keyword(_one(_system_text)),
    "turns": Keyword(
        "a number or a callable",
        lambda value: callable(value) or (isinstance(value, int) and not isinstance(value, bool)),
        _one(_turns),
    ),
    "tools": Keyword(
        f"{_TEXT}, or a sequence of names",
        lambda value: is_text_wanted(value) or _is_names(value),
        _compare_tools,
    ),
    "tool_result": Keyword(
        f"{_TEXT}, or a mapping of tool call ids to them",
        lambda value: is_text_wanted(value) or _is_results(value),
        _compare_tool_result,
    ),
    "response_format": Keyword(
        f"{_TEXT}, or the whole object",
        lambda value: is_text_wanted(value) or isinstance(value, Mapping),
        _compare_response_format,
    ),
    "stream": Keyword("True or False", lambda value: isinstance(value, bool), _compare_stream),
    "headers": Keyword(
        f"a mapping of field names to {_TEXT}, or to None", _is_headers, _compare_headers
    ),
    "path": _text_keyword(_one(lambda view: view.path)),
    "pointer": Keyword(
        'a mapping of JSON Pointers ("" or "/…") to wanted values', _is_pointers, _compare_pointers
    ),
    "schema": Keyword(
        "a JSON Schema",
        is_schema,
        _compare_schema,
    ),
    "where": Keyword("a callable", callable, _compare_where),
}
