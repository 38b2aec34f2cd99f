"""Make a reply for a request: checked where it is written, and again when the request is known."""

import asyncio
import difflib
import inspect
from collections.abc import Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from http.client import responses
from typing import TypeVar, cast

from mockchat.contract.contract import Contract
from mockchat.contract.profile import Profile
from mockchat.errors import BadArgument
from mockchat.exchange import ApiError, Violation
from mockchat.payloads.chunking import join
from mockchat.payloads.completions import complete, framed
from mockchat.payloads.draw import Draw
from mockchat.payloads.encoding import encode_json
from mockchat.payloads.frames import Frame
from mockchat.payloads.mutation import Mutant
from mockchat.payloads.plans import Plan, by_token
from mockchat.payloads.seeded import SeededDraw
from mockchat.payloads.tokens import Tokenizer
from mockchat.scripting.arguments import unsayable
from mockchat.scripting.contents import (
    Choices,
    Computed,
    Failure,
    Generated,
    Mutated,
    Reply,
    Said,
    Streamed,
    Whole,
    reply_of,
)
from mockchat.scripting.failures import InvalidReply
from mockchat.scripting.faults import Fault, together
from mockchat.scripting.faults_timing import Pacing
from mockchat.scripting.messages import check_asked, message_of
from mockchat.scripting.mutated import SentInstead, chunks_in, mutant_of
from mockchat.scripting.request_view import RequestView
from mockchat.types import (
    ChatRequest,
    Choice,
    Chunk,
    Completion,
    Json,
    JsonObject,
    JsonView,
    Kind,
    Level,
)

Completed = TypeVar("Completed", Completion, JsonView)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A reply made for one request: exactly one of completion, chunks and error.

    Attributes:
        completion: The completion, to be split where a stream is asked for.
        chunks: Chunks to be sent as they are; () unless a stream was scripted and asked for.
        error: The error.
        plan: How the completion is split.
        pacing: When the parts leave.
        fault: What goes wrong on purpose.
        frame: What the completion was filled into, where the same request gets the next one from
            it; nobody may change what is in it, so nobody else gets the completion itself.
        drawn: What it was filled with.
    """

    completion: Completion | None = None
    chunks: tuple[Chunk, ...] = ()
    error: ApiError | None = None
    plan: Plan = field(default_factory=by_token)
    pacing: Pacing | None = None
    fault: Fault | None = None
    frame: Frame | None = None
    drawn: JsonView = field(default_factory=dict)


def check_written(reply: Reply, contract: Contract, *, level: Level = "observed") -> None:
    """Raise what is wrong with a reply whatever the request may be.

    Raises:
        InvalidReply: It breaks the contract and is not marked `unchecked`.
        BadArgument: An option does not go with this content, or the catalogue lacks the error.
    """
    __tracebackhide__ = True
    content = reply.content
    has_overrides = reply.finish_reason is not None or reply.usage is not None
    if has_overrides and not isinstance(content, Said | Choices | Computed):
        raise BadArgument(
            "reply(finish_reason=, usage=)",
            reply.finish_reason or reply.usage,
            "for text, tool calls and refusals only; an object has its own",
        )
    place = unsayable(_carried(reply))
    if place is not None:
        raise BadArgument(f"reply() at {place[0]}", place[1], "what JSON can carry")
    if isinstance(content, Failure):
        api_error(content, contract)
    elif isinstance(content, Mutated):
        mutant_of(content.mutation, contract, SeededDraw(0), kind="plain", level=level)
    elif reply.is_checked:
        _refuse(f"The reply {_BREAKS}", _written_violations(reply, contract, level), contract)


def _carried(reply: Reply) -> Json:
    """Return what of a reply will be JSON as it is."""
    match reply.content:
        case Whole(completion=completion):
            return dict(completion)
        case Streamed(chunks=chunks):
            return [dict(chunk) for chunk in chunks]
        case Failure(changes=changes):
            return dict(changes)
        case _:
            spoken = [{"members": one.members, "logprobs": one.logprobs} for one in _spoken(reply)]
            return {"usage": dict(reply.usage or {}), "messages": spoken}


def answer(  # noqa: PLR0913 - what a reply may depend on, by name
    reply: Reply,
    view: RequestView,
    *,
    contract: Contract,
    draw: Draw,
    kind: Kind = "plain",
    level: Level = "observed",
    source: str = "The reply",
    tokenizer: Tokenizer | None = None,
    is_flawless: bool = False,
) -> Answer:
    """Make a scripted reply for a request.

    Args:
        reply: What the stub says.
        view: The request.
        contract: Judges the result.
        draw: Decides what the reply leaves open: ids, counts, generated parts.
        kind: What is generated where the reply does not say.
        level: How the result is judged.
        source: The stub's name, for messages.
        tokenizer: What counts tokens, None for the approximate one.
        is_flawless: Whether the request is known to break nothing.

    Raises:
        InvalidReply: For this request the API could not have answered so.
        BadArgument: A callable returned what `reply` does not take.
    """
    if isinstance(reply.content, Computed):
        reply = _computed(reply, reply.content, view, contract, level)
        is_flawless = False  # it was given the request, and may have changed it
    if reply.is_checked:
        for said in _spoken(reply):
            check_asked(said, view, contract, source)
    if isinstance(reply.content, Mutated):
        mutation = reply.content.mutation
        mutant = mutant_of(mutation, contract, draw, kind=kind, level=level)
        made = _broken(mutant, view, source)
    else:
        made = _made(
            reply, reply.content, view, contract=contract, draw=draw, kind=kind, tokenizer=tokenizer
        )
    if reply.is_checked and made.completion is not None:
        asked = contract.exchange_violations(
            view.body, made.completion, level=level, is_flawless=is_flawless
        )
        _refuse(f"{source} {_BREAKS_HERE}", asked, contract)
    return _timed(made, reply)


def _timed(made: Answer, reply: Reply) -> Answer:
    """Return the answer with the plan, pacing and fault of the reply."""
    fault = made.fault or reply.fault
    if made.fault is not None and reply.fault is not None:
        fault = together(made.fault, reply.fault)
    return replace(made, plan=reply.plan or made.plan, pacing=reply.pacing, fault=fault)


def _broken(mutant: Mutant, view: RequestView, source: str) -> Answer:
    """Return the lawful parent, whose bytes the mutant's replace on the wire."""
    is_stream = bool(view.body.get("stream"))
    if isinstance(mutant.payload, bytes) != is_stream:
        sent, asked = ("stream", "none") if is_stream is False else ("completion", "a stream")
        raise InvalidReply(f"{source} sends a broken {sent}; the request asks for {asked}.")
    if is_stream:
        fault = SentInstead(payload=mutant.payload)
        return Answer(chunks=cast("tuple[Chunk, ...]", chunks_in(mutant.parent)), fault=fault)
    parent = cast("Completion", dict(mutant.parent))
    return Answer(completion=parent, fault=SentInstead(payload=encode_json(mutant.payload)))


def api_error(failure: Failure, contract: Contract, view: RequestView | None = None) -> ApiError:
    """Return the error a test asks for, in the profile's words.

    `profile.json` says under "scripted_errors" which error is `usual` for a status ("429") or for
    the rest of a class ("5xx", which keeps the status and says its standard phrase), and gives
    `samples` of what the messages need. Model, method and path are the request's.

    Args:
        failure: What the test asks for.
        contract: Whose words these are.
        view: The request; None while it is not known.

    Raises:
        BadArgument: The catalogue has no such name or status, or a field is missing.
    """
    __tracebackhide__ = True
    scripted = contract.profile.settings.get("scripted_errors", {})
    usual, status = scripted.get("usual", {}), str(failure.status)
    name = failure.name or usual.get(status) or usual.get(f"{status[0]}xx")
    if name not in contract.profile.errors:
        raise _no_such_error(failure, usual, contract.profile)
    fields = {**_of_request(contract, view), **scripted.get("samples", {}).get(name, {})}
    made = contract.error(name, **(fields | dict(failure.fields)))
    if failure.status is not None and made.status != failure.status:
        phrase = responses.get(failure.status, f"Status {failure.status}")
        made = replace(made, status=failure.status, message=phrase)
    return replace(made, **failure.changes, headers=(*made.headers, *failure.headers))


def _no_such_error(failure: Failure, usual: JsonObject, profile: Profile) -> BadArgument:
    if failure.name is None:
        return BadArgument("error()", failure.status, f"a name, or a status of {', '.join(usual)}")
    # All names would fill the screen: some eighty of them.
    close = difflib.get_close_matches(failure.name, list(profile.errors), n=3)
    names = f"close ones are {', '.join(close)}" if close else "none is close to this"
    allowed = f"a status, or a name in schemas/{profile.name}/errors.json, where {names}"
    return BadArgument("error()", failure.name, allowed, close[0] if close else None)


def _of_request(contract: Contract, view: RequestView | None) -> JsonObject:
    if view is None:
        return {"model": contract.profile.models[0].id, "method": "POST", "path": ""}
    return {"model": view.body.get("model"), "method": view.method, "path": view.path}


_BREAKS = "breaks the contract of profile {profile!r} in {count} place{s}."
_BREAKS_HERE = "is no answer to this request under profile {profile!r} in {count} place{s}."


def _refuse(fact: str, violations: Iterable[Violation], contract: Contract) -> None:
    __tracebackhide__ = True
    lines = [f"{v.pointer or '/'}: {v.message} ({v.rule})" for v in violations if not v.is_note]
    if lines:
        plural = "" if len(lines) == 1 else "s"
        words = fact.format(profile=contract.profile.name, count=len(lines), s=plural)
        raise InvalidReply(words, lines)


def _written_violations(reply: Reply, contract: Contract, level: Level) -> Sequence[Violation]:
    match reply.content:
        case Said() | Choices() as content:
            request = {"model": contract.profile.models[0].id, "messages": []}
            view = RequestView(method="POST", path="", body=request)
            made = _made(reply, content, view, contract=contract, draw=SeededDraw(0))
            return contract.violations("response", made.completion, level=level)
        case Whole(completion=completion):
            return contract.violations("response", completion, level=level)
        case Streamed(chunks=chunks):
            judge = contract.stream_judge(level=level)
            found = [violation for chunk in chunks for violation in judge.feed(chunk)]
            return [*found, *judge.feed("[DONE]"), *judge.finish()]
        case _:
            return ()


def _made(  # noqa: PLR0913 - see answer
    reply: Reply,
    content: Said | Choices | Whole | Streamed | Failure | Generated | Computed,
    view: RequestView,
    *,
    contract: Contract,
    draw: Draw,
    kind: Kind = "plain",
    tokenizer: Tokenizer | None = None,
) -> Answer:
    match content:
        case Said() | Choices():
            return _said(reply, view, contract=contract, draw=draw, tokenizer=tokenizer)
        case Whole(completion=completion):
            return Answer(completion=cast("Completion", dict(completion)))
        case Streamed(chunks=chunks):
            if view.body.get("stream"):
                return Answer(chunks=cast("tuple[Chunk, ...]", chunks))
            return Answer(completion=join(chunks))
        case Failure() as failure:
            return Answer(error=api_error(failure, contract, view))
        case Generated() as wish:
            own = draw if wish.seed is None else SeededDraw(wish.seed)
            made = complete(
                view.body,
                own,
                contract=contract,
                kind=wish.kind or kind,
                shapes=wish.shapes,
                tokenizer=tokenizer,
            )
            return Answer(completion=made)
        case Computed(function=function):
            name = getattr(function, "__name__", "callable")
            raise BadArgument(f"what {name}() returned", function, "a reply, not one more callable")


def _said(
    reply: Reply,
    view: RequestView,
    *,
    contract: Contract,
    draw: Draw,
    tokenizer: Tokenizer | None,
) -> Answer:
    """Put messages into a completion, and into a frame where that can be used again."""
    messages = [message_of(one, view, contract) for one in _spoken(reply)]
    completion, frame = framed(
        view.body,
        draw,
        contract=contract,
        message=messages[0] if isinstance(reply.content, Said) else messages,
        finish_reason=reply.finish_reason,
        usage=reply.usage,
        tokenizer=tokenizer,
    )
    if frame is None:
        return Answer(completion=_overridden(completion, reply))
    drawn = {name: completion[name] for name in frame.blanks}  # type: ignore[literal-required]  # members of it
    frame = replace(frame, members=_overridden(frame.members, reply))
    return Answer(completion=frame.completion(drawn), frame=frame, drawn=drawn)


def _spoken(reply: Reply) -> tuple[Said, ...]:
    """Return the messages of a reply, in the order of its choices; () where they are not told."""
    match reply.content:
        case Said() as said:
            return (said,)
        case Choices(replies=replies):
            return tuple(said for one in replies for said in _spoken(one))
        case _:
            return ()


def _overridden(completion: Completed, reply: Reply) -> Completed:
    """Return the completion with what the test says of single choices."""
    content = reply.content
    if isinstance(content, Said) and content.logprobs is None:
        return completion
    replies = (
        content.replies if isinstance(content, Choices) else [reply] * len(completion["choices"])
    )
    choices: list[Choice] = []
    for choice, one in zip(completion["choices"], replies, strict=True):
        (said,) = _spoken(one)
        own = cast(
            "Choice", {**choice, "finish_reason": one.finish_reason or choice["finish_reason"]}
        )
        if said.logprobs is not None:
            own["logprobs"] = dict(said.logprobs)
        choices.append(own)
    return cast("Completed", {**completion, "choices": choices})


def _computed(
    reply: Reply, computed: Computed, view: RequestView, contract: Contract, level: Level
) -> Reply:
    result = computed.function(cast("ChatRequest", view.body))
    if inspect.iscoroutine(result):
        result = _awaited(result)
    inner = reply_of(result)
    inner = replace(
        inner,
        finish_reason=reply.finish_reason or inner.finish_reason,
        usage=reply.usage or inner.usage,
        plan=reply.plan or inner.plan,
        pacing=reply.pacing or inner.pacing,
        fault=reply.fault or inner.fault,
        is_checked=reply.is_checked and inner.is_checked,
    )
    check_written(inner, contract, level=level)
    return inner


def _awaited(coroutine: Coroutine[Json, Json, Json]) -> Json:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    # A client without a socket asks from inside its loop: another loop needs another thread.
    with ThreadPoolExecutor(max_workers=1) as other:
        return other.submit(asyncio.run, coroutine).result()
