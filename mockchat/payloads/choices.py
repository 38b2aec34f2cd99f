"""Make one choice of a generated reply: its message, why it ends and what it costs."""

from collections.abc import Container, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from mockchat.errors import ImpossibleSchema
from mockchat.payloads.answering import Answering
from mockchat.payloads.asked import Asked, member
from mockchat.payloads.audio import audio_of
from mockchat.payloads.draw import Draw
from mockchat.payloads.names import spelt, told_apart, tool_call_id
from mockchat.payloads.shapes import pick_shape
from mockchat.payloads.simplest import SimplestDraw
from mockchat.payloads.text import prose
from mockchat.payloads.tool_use import Tool, call_text
from mockchat.payloads.usage import Spent
from mockchat.payloads.written import Room, Written, cited, write, write_to_the_limit
from mockchat.types import Json, JsonObject

_THOUGHT = 64  # reasoning is charged in steps of so many tokens
_EFFORTS = {"minimal": 0, "low": 2, "medium": 4, "high": 8, "xhigh": 12, "max": 16}
_LONGEST_THOUGHT = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One choice before it gets its index, its logprobs and the members that all choices share.

    Attributes:
        message: The members that say something.
        finish_reason: Why it ends.
        spent: What it costs.
    """

    message: JsonObject
    finish_reason: str
    spent: Spent


def answer(answering: Answering, created: int, draw: Draw) -> Answer:
    """Return one choice that keeps to everything the request asks.

    Raises:
        ImpossibleSchema: It must call a tool, or fit a schema, for which no value can be made.
    """
    thought = _reasoning_tokens(answering, draw)
    limit = answering.asked.limit
    room = Room(
        stop=answering.asked.stop,
        limit=None if limit is None else limit - thought,
        tokenizer=answering.tokenizer,
    )
    made = _shaped(answering, room, created, draw)
    if answering.reasoning_field and thought:
        shown = prose(draw, at_most=thought, tokenizer=answering.tokenizer)
        made = replace(made, message={answering.reasoning_field: shown, **made.message})
    return replace(made, spent=replace(made.spent, reasoning=thought))


def _shaped(answering: Answering, room: Room, created: int, draw: Draw) -> Answer:
    shape = pick_shape(
        draw,
        kind=answering.kind,
        use=answering.use,
        members=answering.members,
        last_role=answering.asked.last_role,
        shapes=answering.shapes,
    )
    match shape:
        case "tool_calls":
            return _calling(answering, room, draw) or _speaking(answering, room, created, draw)
        case "refusal":
            said = write(replace(answering.asked, format="text"), room, draw, "plain")
            return _answer({"content": None, "refusal": said.text}, said)
        case "length":
            cut = write_to_the_limit(answering.asked, room, draw, answering.kind)
            if cut is not None:
                return _answer({"content": cut.text}, cut)
        case "content_filter":
            said = write(answering.asked, room, draw, answering.kind)
            pieces = answering.tokenizer.split(said.text)
            kept = room.fit("".join(pieces[: draw.index(len(pieces) + 1)]))
            return _answer({"content": kept.text}, replace(kept, finish_reason="content_filter"))
    return _speaking(answering, room, created, draw)


def _answer(message: JsonObject, written: Written) -> Answer:
    return Answer(
        message=message, finish_reason=written.finish_reason, spent=Spent(text=written.tokens)
    )


def _speaking(answering: Answering, room: Room, created: int, draw: Draw) -> Answer:
    asked = answering.asked
    if asked.audio_format and "audio" in answering.members.message:
        half = replace(room, limit=None if room.limit is None else room.limit // 2)
        said = write(asked, half, draw, "plain")
        audio = audio_of(said.text, asked.audio_format, created, draw)
        spent = Spent(text=said.tokens, audio=said.tokens)
        message = {"content": None, "audio": audio}
        return Answer(message=message, finish_reason=said.finish_reason, spent=spent)
    predicted = _prediction(asked)
    if predicted and asked.format == "text":
        return _predicted(predicted, answering, room, draw)
    said = write(asked, room, draw, answering.kind)
    searches = "web_search_options" in asked.request and "annotations" in answering.members.message
    if searches and asked.format == "text" and said.finish_reason == "stop":
        return _citing(said, room, draw)
    return _answer({"content": said.text}, said)


def _citing(said: Written, room: Room, draw: Draw) -> Answer:
    host = draw.format("hostname")
    url = f"https://{host}/"
    citation = f" ([{host}]({url}))"
    longer = cited(said, room, citation)
    if longer is None:
        return _answer({"content": said.text, "annotations": []}, said)
    passage: JsonObject = {
        "end_index": len(longer.text),
        "start_index": len(said.text) + 1,
        "title": prose(draw, at_most=8),
        "url": url,
    }
    annotation = {"type": "url_citation", "url_citation": passage}
    return _answer({"content": longer.text, "annotations": [annotation]}, longer)


def _prediction(asked: Asked) -> str:
    prediction = member(asked.request, "prediction", dict) or {}
    content: Json = prediction.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list | tuple) else ()
    texts = [member(part, "text", str) for part in parts if isinstance(part, dict)]
    return "".join(text for text in texts if text)


def _predicted(predicted: str, answering: Answering, room: Room, draw: Draw) -> Answer:
    """Answer with the predicted text up to where the model knows better."""
    pieces = answering.tokenizer.split(predicted)
    kept = len(pieces) - draw.index(len(pieces) // 2 + 1)
    text = "".join(pieces[:kept])
    if kept < len(pieces):
        text = f"{text} {prose(draw)}"
    said = room.fit(text)
    if said.text != text:
        kept, said = 0, write(answering.asked, room, draw, answering.kind)
    left = len(pieces) if room.limit is None else room.limit - said.tokens
    accepted = min(kept, said.tokens)
    spent = Spent(text=said.tokens, accepted=accepted, rejected=min(len(pieces) - kept, left))
    message = {"content": said.text}
    return Answer(message=message, finish_reason=said.finish_reason, spent=spent)


def _calling(answering: Answering, room: Room, draw: Draw) -> Answer | None:
    """Answer with calls; None where none can be made and none has to."""
    calls: list[JsonObject] = []
    spent = 0
    is_cut = False
    for _ in range(_call_count(answering, draw)):
        left = None if room.limit is None else room.limit - spent
        try:
            call = _call(answering, left, draw)
        except ImpossibleSchema:
            if answering.use.mode == "required":
                raise
            return None
        if call.is_cut and (calls or answering.use.mode == "auto"):
            break
        taken = {str(one.get("id")) for one in calls}
        calls.append(_call_object(call, answering, draw, taken))
        spent += call.tokens
        is_cut = call.is_cut
        if is_cut:
            break
    if not calls:
        return None
    is_legacy = "id" not in calls[0]
    name = "function_call" if is_legacy else "tool_calls"
    message: JsonObject = {"content": None, name: calls[0] if is_legacy else calls}
    usual = answering.named_call_finish if answering.use.is_named and not is_legacy else name
    finish = "length" if is_cut else usual
    return Answer(message=message, finish_reason=finish, spent=Spent(text=spent))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    tool: Tool
    text: str
    tokens: int
    is_cut: bool = False


def _call_count(answering: Answering, draw: Draw) -> int:
    if answering.use.at_most is not None:
        return answering.use.at_most
    if answering.kind == "wild":
        return 1 + draw.index(4)
    return 2 if draw.chance(0.2) else 1


def _call(answering: Answering, left: int | None, draw: Draw) -> _Call:
    """Call a tool: the drawn one, or the first behind it for which a value can be made."""
    tools = answering.use.tools
    at = draw.index(len(tools))
    impossible: ImpossibleSchema | None = None
    for tool in (*tools[at:], *tools[:at]):
        try:
            return _fitted(tool, answering, left, draw)
        except ImpossibleSchema as problem:
            impossible = impossible or problem
    raise impossible or AssertionError("a mode with calls has tools")


def _fitted(tool: Tool, answering: Answering, left: int | None, draw: Draw) -> _Call:
    counter = answering.tokenizer
    name = counter.count(tool.name)
    text = ""
    for text in _texts(tool, answering, draw):
        tokens = name + counter.count(text)
        if left is None or tokens <= left:
            return _Call(tool=tool, text=text, tokens=tokens)
    pieces = counter.split(text)[: max(0, (left or 0) - name)]
    return _Call(tool=tool, text="".join(pieces), tokens=left or 0, is_cut=True)


def _texts(tool: Tool, answering: Answering, draw: Draw) -> Iterator[str]:
    yield call_text(tool, draw, answering.kind)
    with suppress(ImpossibleSchema):  # a pattern may have no text among the simplest choices
        yield call_text(tool, SimplestDraw(), "plain")


def _call_object(
    call: _Call, answering: Answering, draw: Draw, taken: Container[str]
) -> JsonObject:
    tool = call.tool
    called = {"name": tool.name, "input" if tool.kind == "custom" else "arguments": call.text}
    if tool.kind == "legacy":
        return called
    pattern = answering.members.id_patterns.get("call")
    call_id = told_apart(spelt(draw, pattern, tool_call_id), taken, pattern)
    return {"id": call_id, "type": tool.kind, tool.kind: called}


def _reasoning_tokens(answering: Answering, draw: Draw) -> int:
    asked = answering.asked
    is_told = answering.reasoning_field or "completion_tokens_details" in answering.members.usage
    if not asked.reasons or not is_told:
        return 0
    if answering.kind == "wild" and asked.limit is not None and draw.chance(0.1):
        return min(asked.limit, _LONGEST_THOUGHT)  # thought may leave no room for an answer
    effort = asked.request.get("reasoning_effort")
    average = _EFFORTS.get(effort, _EFFORTS["medium"]) if isinstance(effort, str) else 4
    steps = draw.size(1, 32, average) if average else 0
    if asked.limit is not None:
        steps = min(steps, asked.limit // 2 // _THOUGHT)
    return steps * _THOUGHT
