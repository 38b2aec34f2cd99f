"""Answer a request: a completion that keeps to all it asks, or the same around a scripted message."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import cast

from mockchat.contract.contract import Contract
from mockchat.payloads.answering import Answering, answering_of
from mockchat.payloads.choices import Answer, answer
from mockchat.payloads.draw import Draw
from mockchat.payloads.frames import BLANKS, NO_DRAW, Drawn, Frame, time_of
from mockchat.payloads.logprobs import logprobs_of
from mockchat.payloads.members import EMPTY_DELTA, MESSAGE_ORDER, ReplyMembers
from mockchat.payloads.moderation import moderation_of
from mockchat.payloads.names import completion_id, spelt, system_fingerprint
from mockchat.payloads.promises import keep_promises
from mockchat.payloads.scripted import scripted_answer
from mockchat.payloads.shapes import checked_shapes
from mockchat.payloads.sources import sources_of
from mockchat.payloads.tokens import Tokenizer
from mockchat.payloads.usage import usage_of
from mockchat.types import Completion, Json, JsonObject, JsonView, Kind

_NO_TIER = "auto"
"""The tier a request asks for that names none, or none we know."""

_FUTURE_MEMBER = "x_future_member"


def complete(  # noqa: PLR0913 - what a reply may depend on, by name
    request: JsonView,
    draw: Draw,
    *,
    contract: Contract,
    kind: Kind = "plain",
    shapes: Mapping[str, float] | None = None,
    tokenizer: Tokenizer | None = None,
) -> Completion:
    """Return a completion that answers `request`; a pure function of what is given.

    Everything asked for has its effect: n, stop, the limits, tools and tool_choice, functions,
    response_format, logprobs, audio, prediction, reasoning, verbosity, web search, service tier,
    metadata, moderation. Members the profile's response document does not declare are not sent.

    Args:
        request: The decoded body; nulls count as left out.
        draw: What decides.
        contract: Whose replies these are.
        kind: `plain`: what every client accepts. `wild`: everything the contract allows.
        shapes: Weights of the shapes in `shapes.SHAPES`, None for the kind's own.
        tokenizer: What counts tokens, None for the approximate one.

    Raises:
        ImpossibleSchema: The request asks for a value no draw can make; its pointer leads into the
            request.
        BadArgument: `shapes` are not weights of shapes.
    """
    answering = answering_of(
        request, contract, kind=kind, shapes=checked_shapes(shapes), tokenizer=tokenizer
    )
    created = time_of(draw)
    making = partial(answer, answering, created, draw)
    answers = [draw.together(making) for _ in range(answering.asked.n)]
    return cast("Completion", _completion(answering, answers, created, draw))


def completion_of(  # noqa: PLR0913 - what a script may say; all but two are named by keyword
    request: JsonView,
    draw: Draw,
    *,
    contract: Contract,
    message: JsonView | Sequence[JsonView],
    finish_reason: str | None = None,
    usage: JsonView | None = None,
    tokenizer: Tokenizer | None = None,
) -> Completion:
    """Return a completion around a scripted message: as it would be if the model had said that.

    Ids, types of calls, refusal, logprobs and usage are filled in where they are missing; limits
    and stop sequences are the script's own business.

    Args:
        request: The decoded body the message answers.
        draw: What decides on ids.
        contract: Whose replies these are.
        message: The message of every one of the `n` choices, or a message for each choice.
        finish_reason: Of every choice; follows from the message if not given.
        usage: Members that replace the counted ones; the total follows them.
        tokenizer: What counts tokens, None for the approximate one.
    """
    return framed(
        request,
        draw,
        contract=contract,
        message=message,
        finish_reason=finish_reason,
        usage=usage,
        tokenizer=tokenizer,
    )[0]


def framed(  # noqa: PLR0913 - see completion_of
    request: JsonView,
    draw: Draw,
    *,
    contract: Contract,
    message: JsonView | Sequence[JsonView],
    finish_reason: str | None = None,
    usage: JsonView | None = None,
    tokenizer: Tokenizer | None = None,
) -> tuple[Completion, Frame | None]:
    """Return what `completion_of` does, and the completion's frame.

    The frame is None where more than id, time and fingerprint is drawn: ids of calls, audio, log
    probabilities. Otherwise the same request gets any further completion from it.
    """
    answering = answering_of(request, contract, tokenizer=tokenizer)
    messages = [message] * answering.asked.n if isinstance(message, Mapping) else message
    patterns = answering.members.id_patterns
    try:
        made = _said(answering, messages, finish_reason, BLANKS["created"], NO_DRAW)
    except Drawn:
        made = _said(answering, messages, finish_reason, time_of(draw), draw)
        return cast("Completion", _with_usage(made, usage)), None
    frame = Frame.of(_with_usage(made, usage), patterns)
    return frame.completion(frame.drawn(draw)), frame


def _said(
    answering: Answering,
    messages: Sequence[JsonView],
    finish_reason: str | None,
    created: int,
    draw: Draw,
) -> JsonObject:
    answers = [
        scripted_answer(one, finish_reason, answering, draw, created=created) for one in messages
    ]
    return _completion(answering, answers, created, draw)


def _with_usage(completion: JsonObject, usage: JsonView | None) -> JsonObject:
    if usage is None:
        return completion
    counted = {**completion["usage"], **usage}
    total = counted["prompt_tokens"] + counted["completion_tokens"]
    return {**completion, "usage": {**counted, "total_tokens": usage.get("total_tokens", total)}}


def _completion(
    answering: Answering, answers: Sequence[Answer], created: int, draw: Draw
) -> JsonObject:
    """Put the answers into the object that recorded replies are, member by member in their order."""
    asked, members = answering.asked, answering.members
    top, spell = members.top, _spelling(members, draw)
    profile, is_stream = answering.profile, asked.is_stream
    spent = [one.spent for one in answers]
    completion: JsonObject = {
        "id": spell("id", completion_id),
        "object": "chat.completion",
        "created": created,
        "model": asked.known.snapshot if asked.known else asked.model,
        "choices": [_choice(index, one, answering, draw) for index, one in enumerate(answers)],
        "usage": keep_promises(
            usage_of(spent, answering, draw), "usage", profile, draw, is_stream=is_stream
        ),
        "service_tier": _tier(asked.request.get("service_tier"), members),
        "system_fingerprint": spell("system_fingerprint", system_fingerprint),
    }
    if isinstance(asked.request.get("metadata"), dict) and not is_stream:
        completion["metadata"] = asked.request["metadata"]
    if isinstance(asked.request.get("moderation"), Mapping) and "moderation" in top:
        verdicts = moderation_of(asked.request["moderation"], len(answers), draw, answering.kind)
        completion["moderation"] = verdicts
    if "citations" in top:
        completion |= sources_of(asked.request, draw)
    declared = {
        name: None if name in members.only_null else value
        for name, value in completion.items()
        if name in top
    }
    declared = keep_promises(declared, "completion", profile, draw, is_stream=is_stream)
    if answering.kind == "wild" and draw.chance(0.05):
        declared[_FUTURE_MEMBER] = draw.text(0, 40, "wild")
    return declared


def _spelling(members: ReplyMembers, draw: Draw) -> Callable[[str, Callable[[Draw], str]], Json]:
    """Return what makes the identifiers of a completion, or blanks where nothing is drawn."""
    if draw is NO_DRAW:
        return lambda name, _: BLANKS[name]
    return lambda name, usual: spelt(draw, members.id_patterns.get(name), usual)


def _tier(asked: Json, members: ReplyMembers) -> str:
    """Return the tier that serves: as the profile maps them, or as its document lists them."""
    served, listed = members.served_tiers, members.service_tiers
    usual = served.get(_NO_TIER, _NO_TIER)
    known = asked if isinstance(asked, str) else _NO_TIER
    candidates = (served.get(known, usual), known, *listed)
    return next((tier for tier in candidates if tier in listed), candidates[0])


def _choice(index: int, made: Answer, answering: Answering, draw: Draw) -> JsonObject:
    asked, members = answering.asked, answering.members
    message: JsonObject = {"role": "assistant", **made.message}
    if "refusal" in (members.message & members.delta if asked.is_stream else members.message):
        message.setdefault("refusal", None)
    if "annotations" in members.message - members.nullable and not asked.is_stream:
        message.setdefault("annotations", [])
    choice: JsonObject = {"index": index, "message": _message(message, answering, draw)}
    if "logprobs" in members.choice:
        told = logprobs_of(message, answering, draw) if asked.logprobs else None
        if told is not None or members.has_null_logprobs:
            choice["logprobs"] = told
    if "delta" in members.choice:
        choice["delta"] = dict(EMPTY_DELTA)
    choice["finish_reason"] = made.finish_reason
    return keep_promises(choice, "choice", answering.profile, draw, is_stream=asked.is_stream)


def _message(message: JsonObject, answering: Answering, draw: Draw) -> JsonObject:
    """Return `message` in the usual order, as the profile's have it.

    What the profile promises is added; a null that its document does not allow is left out.
    """
    is_stream, members = answering.asked.is_stream, answering.members
    ordered = [name for name in MESSAGE_ORDER if name in message]
    said = {
        name: message[name]
        for name in (*ordered, *(key for key in message if key not in ordered))
        if message[name] is not None or name in members.nullable or name not in members.message
    }
    return keep_promises(said, "message", answering.profile, draw, is_stream=is_stream)
