"""What a reply can hold, as data, and how everything that `reply` takes becomes one of these."""

import difflib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias, TypedDict, cast

from mockchat.errors import BadArgument
from mockchat.exchange import Headers
from mockchat.payloads.mutation import Mutant
from mockchat.payloads.plans import Plan
from mockchat.payloads.shown import ShownAsCode
from mockchat.scripting.faults import Fault, checked
from mockchat.scripting.faults_timing import Pacing
from mockchat.types import ChatRequest, Chunk, Completion, JsonView, Kind


def _named(options: Mapping[str, object]) -> str:
    """Return options as they are written in a call."""
    return ", ".join(f"{name}={value!r}" for name, value in options.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A tool call as a test writes it; ids are drawn when it is sent.

    Attributes:
        name: The tool's name.
        input: JSON text of the arguments; for a custom tool, its input.
        is_text: True where the test gave text: it may be the input of a custom tool.
    """

    name: str
    input: str
    is_text: bool

    def __repr__(self) -> str:
        arguments = self.input if self.is_text else json.loads(self.input)
        return f"tool_call({self.name!r}, {arguments!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message of the assistant: text, calls, a refusal, or members as they are on the wire.

    Attributes:
        text: Its text.
        calls: The tools it calls.
        refusal: Why it refuses.
        reasoning: What the model thought before, in the member that the profile has for it.
        logprobs: The log probabilities of the choice, None for made-up ones where asked for.
        members: Members of the message; what they leave out of calls and audio is filled in.
    """

    text: str | None = None
    calls: tuple[Call, ...] = ()
    refusal: str | None = None
    reasoning: str | None = None
    logprobs: JsonView | None = None
    members: JsonView = field(default_factory=dict)

    def __repr__(self) -> str:
        if self.members:
            return f"message({dict(self.members)!r})"
        if self.refusal is not None:
            return f"refusal({self.refusal!r})"
        if not self.calls:
            more = {"reasoning": self.reasoning, "logprobs": self.logprobs}
            given = {name: value for name, value in more.items() if value is not None}
            return f"text({', '.join(filter(None, (repr(self.text), _named(given))))})"
        calls = [*map(repr, self.calls)]
        if self.text is None and len(calls) == 1:
            return calls[0]
        said = [] if self.text is None else [repr(self.text)]
        return f"[{', '.join(said + calls)}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A completion object, sent as it is."""

    completion: JsonView

    def __repr__(self) -> str:
        return repr(dict(self.completion))


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamed:
    """The chunks of a stream, sent as they are, or joined where no stream is asked for."""

    chunks: tuple[JsonView, ...]

    def __repr__(self) -> str:
        return repr([*self.chunks])


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An error, by its name in the profile's catalogue or by status alone.

    Attributes:
        name: The name in the catalogue, None for a bare status.
        status: The HTTP status, None for the catalogue's.
        changes: Members of the error object that replace the catalogue's.
        fields: What the catalogue's message template needs.
        headers: Further response fields.
    """

    name: str | None
    status: int | None
    changes: JsonView
    fields: JsonView
    headers: Headers

    def __repr__(self) -> str:
        more = {"fields": self.fields, "headers": dict(self.headers)}
        options = {name: value for name, value in more.items() if value} | dict(self.changes)
        what = repr(self.status if self.name is None else self.name)
        return f"error({', '.join(filter(None, (what, _named(options))))})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """A callable that is given the request and returns anything `reply` takes."""

    function: Callable[[ChatRequest], object]

    def __repr__(self) -> str:
        return str(getattr(self.function, "__name__", self.function))


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """A completion made up for the request.

    Attributes:
        kind: None for the script's.
        shapes: Weights of the shapes a reply can have, None for the usual ones.
        seed: None for the script's.
    """

    kind: Kind | None = None
    shapes: Mapping[str, float] | None = None
    seed: int | None = None

    def __repr__(self) -> str:
        options = {"kind": self.kind, "shapes": self.shapes, "seed": self.seed}
        given = {name: value for name, value in options.items() if value is not None}
        return f"generated({_named(given)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """A message for each choice, where the request asks for several."""

    replies: tuple["Reply", ...]

    def __repr__(self) -> str:
        return f"choices({[*self.replies]})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutated:
    """A completion, or a stream, that breaks the contract in one known place.

    Attributes:
        mutation: What is broken, by its id, or a mutant that was drawn.
    """

    mutation: str | Mutant

    def __repr__(self) -> str:
        return f"mutated({self.mutation!r})"


Content: TypeAlias = Said | Whole | Streamed | Failure | Computed | Generated | Choices | Mutated


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply(ShownAsCode):
    """One answer of a stub. Made by the builders, or by `reply` from text, JSON or a callable.

    Attributes:
        content: What is answered.
        finish_reason: Replaces the one that follows from the content.
        usage: Members that replace those of the counted usage.
        plan: How a stream is cut into chunks, None for token by token.
        pacing: When the parts leave, None for at once.
        fault: What goes wrong on purpose.
        is_checked: False: sent even if it breaks the contract.
    """

    content: Content
    finish_reason: str | None = None
    usage: JsonView | None = None
    plan: Plan | None = None
    pacing: Pacing | None = None
    fault: Fault | None = None
    is_checked: bool = True

    def __repr__(self) -> str:
        """Show the reply as the call that makes it, to be pasted into a test."""
        names = ("finish_reason", "usage", "plan", "pacing", "fault")
        given = {name: value for name in names if (value := getattr(self, name)) is not None}
        code = repr(self.content)
        if code.startswith("text("):
            own = {name: given.pop(name) for name in names[:2] if name in given}
            code = ", ".join(filter(None, (code[:-1], _named(own)))) + ")"
        if given:
            code = f"replace({code}, {_named(given)})"
        return code if self.is_checked else f"unchecked({code})"


Replying: TypeAlias = (
    str
    | Reply
    | JsonView
    | Completion
    | Sequence["str | Reply"]
    | Sequence[JsonView]
    | Sequence[Chunk]
    | Callable[[ChatRequest], object]
)
"""What `reply` takes: text, a built reply, a completion object, a list of chunks, several calls
(with a text before them, if any), or a callable given the request that returns one of these."""


class ReplyOptions(TypedDict, total=False):
    """The keywords of `reply` and `then`.

    Attributes:
        plan: How a stream is cut into chunks.
        pacing: When the parts leave.
        fault: What goes wrong on purpose.
        finish_reason: Replaces the one that follows from the content.
        usage: Members that replace those of the counted usage.
    """

    plan: Plan | None
    pacing: Pacing | None
    fault: Fault | None
    finish_reason: str | None
    usage: JsonView | None


_OPTIONS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "plan": (
        lambda value: isinstance(value, Plan),
        "chunks_of(3), by_word(), by_token(), at_once() or exactly(...)",
    ),
    "pacing": (
        lambda value: callable(getattr(value, "apply", None)) and not isinstance(value, type),
        "a timing, such as Pacing(ttft=0.2)",
    ),
    "finish_reason": (lambda value: isinstance(value, str), "a string"),
    "usage": (lambda value: isinstance(value, Mapping), "a mapping"),
}


def given_options(options: ReplyOptions) -> ReplyOptions:
    """Return the keywords that have a value, checked.

    Raises:
        BadArgument: A keyword does not exist, or its value is of another kind.
    """
    __tracebackhide__ = True
    known = ReplyOptions.__annotations__
    for name in options:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            wanted = ", ".join(known)
            raise BadArgument("keyword of reply()", name, wanted, close[0] if close else None)
    given = {name: value for name, value in options.items() if value is not None}
    for name, (is_allowed, allowed) in _OPTIONS.items():
        if name in given and not is_allowed(given[name]):
            raise BadArgument(f"reply({name}=)", given[name], allowed)
    if "fault" in given:
        checked("reply(fault=)", given["fault"])
    return cast("ReplyOptions", given)


def reply_of(value: object) -> Reply:
    """Return what `reply` takes as a `Reply`.

    Raises:
        BadArgument: It is none of those.
    """
    __tracebackhide__ = True
    if isinstance(value, Reply):
        return value
    if isinstance(value, str):
        return Reply(content=Said(text=value))
    if isinstance(value, Mutant):
        return Reply(content=Mutated(mutation=value), is_checked=False)
    if isinstance(value, Mapping):
        return Reply(content=Whole(completion=value))
    if isinstance(value, Sequence) and value and not isinstance(value, bytes):
        return _of_sequence(value)
    if callable(value):
        return Reply(content=Computed(function=value))
    raise BadArgument("reply()", value, _ALLOWED)


_ALLOWED = (
    "text, tool_call(...) or a list of them, refusal(...), audio(...), message(...), choices(...), "
    "error(...), generated(), mutated(...), a completion object, a list of chunks, or a callable "
    "given the request"
)


def _of_sequence(parts: Sequence[object]) -> Reply:
    __tracebackhide__ = True
    if all(isinstance(part, Mapping) for part in parts):
        return Reply(content=Streamed(chunks=tuple(parts)))  # type: ignore[arg-type]  # all are mappings
    replies = [reply_of(part) for part in parts if isinstance(part, str | Reply)]
    said = [reply.content for reply in replies if isinstance(reply.content, Said)]
    texts = [part.text for part in said if part.text is not None]
    is_message = len(said) == len(parts) and not any(
        part.refusal is not None or part.members for part in said
    )
    if not is_message or len(texts) > 1:
        raise BadArgument("reply()", list(parts), "a list of tool_call(...), with one text at most")
    calls = tuple(call for part in said for call in part.calls)
    opening = next((part for part in said if part.text is not None), Said())
    content = replace(opening, calls=calls)
    return Reply(content=content, is_checked=all(reply.is_checked for reply in replies))
