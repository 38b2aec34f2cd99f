"""An exchange as a conversation that a person can read: who said what, and what is wrong where.

Nothing is trusted: a request may carry anything, and so may a reply that was sent unchecked.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from mockchat.contract.pointers import pointer_of, tokens_of
from mockchat.errors import BadArgument
from mockchat.payloads.joining import join
from mockchat.scripting.request_view import is_list, objects
from mockchat.scripting.sse import json_events
from mockchat.types import Json, JsonObject, JsonView

_TEXTS = ("content", "refusal", "reasoning_content", "reasoning")
_CALLS = ("tool_calls", "function_call")
_NAMED = ("role", "name", "tool_call_id")
_MEDIA = {"image_url": "image", "input_audio": "audio", "file": "file", "video_url": "video"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One thing that a message says.

    Attributes:
        kind: "text", "refusal", "reasoning", "call", "media" or "data".
        pointer: Where it stands in the body.
        title: What it is called: a tool's name, a member's.
        text: What it says.
    """

    kind: str
    pointer: str
    text: str
    title: str = ""

    @property
    def as_json(self) -> JsonObject:
        """The part as the control API's document has it."""
        return {
            "kind": self.kind,
            "pointer": self.pointer,
            "title": self.title,
            "text": self.text,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """One message of a conversation.

    Attributes:
        role: Who speaks.
        pointer: Where it stands in the body.
        title: What tells it from others of its role: a name, the call it answers, how it ended.
        parts: What it says.
    """

    role: str
    pointer: str
    title: str = ""
    parts: tuple[Part, ...] = field(default=())

    @property
    def as_json(self) -> JsonObject:
        """The message as the control API's document has it."""
        return {
            "role": self.role,
            "pointer": self.pointer,
            "title": self.title,
            "parts": [part.as_json for part in self.parts],
        }

    @property
    def line(self) -> str:
        """What it says in one line."""
        said = (
            f"{part.title}({part.text})" if part.kind == "call" else part.text or part.title
            for part in self.parts
        )
        return " ".join(" ".join(said).split())


def asked(request: Json) -> tuple[Spoken, ...]:
    """Return the messages of a request; none where it has none."""
    messages = request.get("messages") if isinstance(request, Mapping) else None
    if not is_list(messages):
        return ()
    return tuple(
        _spoken(one, f"/messages/{place}", _title(one)) for place, one in enumerate(messages)
    )


def options(request: Json) -> tuple[Part, ...]:
    """Return what a request says beside its messages, or all of it where it is no object."""
    if not isinstance(request, Mapping):
        return () if request is None else (_data("body", "", request),)
    return tuple(
        _data(name, pointer_of((name,)), value)
        for name, value in request.items()
        if name != "messages" or not is_list(value)
    )


def completion_of(body: Json, content_type: str) -> Json:
    """Return what was answered, the events of a stream joined as far as they left."""
    if not isinstance(body, str) or "event-stream" not in content_type:
        return body
    events = json_events(body.encode("utf-8", "surrogatepass"))
    chunks = [event for event in events if isinstance(event, Mapping)]
    failed = next((event for event in chunks if "error" in event), None)
    try:
        joined = join([event for event in chunks if "error" not in event])
    except (BadArgument, ValueError, LookupError, TypeError, AttributeError):
        return failed  # unchecked chunks may hold anything
    return joined if failed is None else {**joined, "error": failed["error"]}


def answered(completion: Json) -> tuple[Spoken, ...]:
    """Return the messages of a completion, one for each choice."""
    choices = completion.get("choices") if isinstance(completion, Mapping) else None
    return tuple(
        _spoken(
            one.get("message"),
            f"/choices/{place}/message",
            f"finish_reason {one['finish_reason']}" if one.get("finish_reason") else "unfinished",
        )
        for place, one in enumerate(objects(choices))
    )


def remarks(completion: Json) -> tuple[Part, ...]:
    """Return what a reply says beside its messages: usage, an error, a list of models."""
    if not isinstance(completion, Mapping):
        return () if completion in (None, "") else (_data("body", "", completion),)
    return tuple(
        _data(name, pointer_of((name,)), value)
        for name, value in completion.items()
        if name != "choices" or not is_list(value)
    )


def placed(violations: Sequence[JsonView], places: Sequence[str]) -> list[JsonObject]:
    """Return violations with the `place` they are marked at: the innermost one around them.

    Args:
        violations: Each with a `pointer`.
        places: The pointers of what is shown.
    """
    return [{**one, "place": _place(str(one.get("pointer")), places)} for one in violations]


def _place(pointer: str, places: Sequence[str]) -> str | None:
    path = tokens_of(pointer)
    around = [place for place in places if place and path[: len(own := tokens_of(place))] == own]
    return max(around, key=len, default=None)


def _spoken(message: Json, pointer: str, title: str) -> Spoken:
    if not isinstance(message, Mapping):
        return Spoken(role="no message", pointer=pointer, parts=(_data("", pointer, message),))
    parts = chain.from_iterable(
        _member(name, pointer + pointer_of((name,)), value)
        for name, value in message.items()
        if name not in _NAMED
    )
    role = str(message.get("role", "no role"))
    return Spoken(role=role, pointer=pointer, title=title, parts=tuple(parts))


def _title(message: Json) -> str:
    if not isinstance(message, Mapping):
        return ""
    named = (("", message.get("name")), ("answers ", message.get("tool_call_id")))
    return ", ".join(f"{word}{value}" for word, value in named if value is not None)


def _member(name: str, pointer: str, value: Json) -> Iterator[Part]:
    if value is None or value == []:
        return
    if name in _TEXTS and isinstance(value, str):
        kind = {"content": "text", "refusal": "refusal"}.get(name, "reasoning")
        yield Part(kind=kind, pointer=pointer, text=value)
    elif name == "content" and is_list(value):
        for place, part in enumerate(value):
            yield _content(part, f"{pointer}/{place}")
    elif name in _CALLS and isinstance(value, Mapping):
        yield _call(value, pointer)
    elif name in _CALLS and is_list(value):
        for place, call in enumerate(value):
            yield _call(call, f"{pointer}/{place}")
    elif name == "audio" and isinstance(value, Mapping):
        yield _audio(value, pointer)
    else:
        yield _data(name, pointer, value)


def _content(part: Json, pointer: str) -> Part:
    if isinstance(part, Mapping):
        kind = str(part.get("type"))
        for name in ("text", "refusal"):
            if kind == name and isinstance(part.get(name), str):
                return Part(kind=name, pointer=pointer, text=part[name])
        held = part.get(kind)
        if kind in _MEDIA and isinstance(held, Mapping):
            return Part(kind="media", pointer=pointer, title=_MEDIA[kind], text=_media(held))
    return _data("", pointer, part)


def _media(held: JsonView) -> str:
    """Name what is not loaded: where it is, or how large it is."""
    said = []
    for name, value in held.items():
        text = value if isinstance(value, str) else _json(value)
        if name in ("data", "file_data") or text.startswith("data:"):
            head, _, _ = text.partition(",") if text.startswith("data:") else (name, "", "")
            text = f"{head}, {len(text):,} characters"
        said.append(text if name in ("url", "data", "file_data") else f"{name} {text}")
    return ", ".join(said)


def _audio(audio: JsonView, pointer: str) -> Part:
    transcript = audio.get("transcript")
    if isinstance(transcript, str):
        return Part(kind="media", pointer=pointer, title="audio", text=transcript)
    return Part(kind="media", pointer=pointer, title="audio", text=_media(audio))


def _call(call: Json, pointer: str) -> Part:
    if not isinstance(call, Mapping):
        return _data("", pointer, call)
    called = call.get(str(call.get("type", "function")), call)
    if not isinstance(called, Mapping):
        return _data("", pointer, call)
    given = called.get("arguments", called.get("input"))
    title = f"{called.get('name')}"
    return Part(kind="call", pointer=pointer, title=title, text=_arguments(given))


def _arguments(given: Json) -> str:
    """Return arguments in lines, or as they are where they are no JSON."""
    if not isinstance(given, str):
        return "" if given is None else _json(given)
    try:
        decoded = json.loads(given)
    except (ValueError, RecursionError):
        return given
    return _json(decoded) if isinstance(decoded, dict | list) else given


def _data(title: str, pointer: str, value: Json) -> Part:
    text = value if isinstance(value, str) else _json(value)
    return Part(kind="data", pointer=pointer, title=title, text=text)


def _json(value: Json) -> str:
    short = json.dumps(value, ensure_ascii=False)
    return short if len(short) <= _SHORT else json.dumps(value, ensure_ascii=False, indent=2)


_SHORT = 60
"""Characters that JSON may have in one line."""
