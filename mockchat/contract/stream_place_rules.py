"""Rules on what few servers add to a stream: where their own members stand, how they pad.

Each asks what an axis of the profile says, and nothing where the axis is silent; they count only as
documented, because no client reads these members by their place. Tags as in `stream_rulebook`.
"""

from collections.abc import Iterator

from mockchat.contract.stream_memory import ChunkView, EntryView, StreamMemory
from mockchat.contract.stream_rulebook import Finding, stream_rule


@stream_rule("stream.member-place", "documented")
def member_place(stream: StreamMemory, view: ChunkView) -> Iterator[Finding]:
    """A member of the axis `member_places` stands in no other chunk than it says.

    Facts 6 (W): Azure's prompt results open the stream, Groq's `x_groq` is in the first and the
    last chunk, vLLM's fingerprint in the last.
    """
    is_last = any(entry.get("finish_reason") for _, entry in view.entries)
    allowed = {"leading": False, "edges": is_last or not stream.choices, "last": is_last}
    for name, place in stream.axes.member_places.items():
        value = view.chunk.get(name)
        if value is not None and not allowed[place]:
            yield Finding(
                at=f"/{name}",
                message=f"{name} does not belong into this chunk.",
                expected=place,
                actual=value,
            )


@stream_rule("stream.choice-member-place", "documented")
def choice_member_place(stream: StreamMemory, entry: EntryView) -> Iterator[Finding]:
    """A member of the axis `choice_member_places` is empty where it says.

    Facts 6 (W): Azure's filter results stand beside text, OpenRouter's `native_finish_reason` is
    null until the finish.
    """
    for name, place in stream.axes.choice_member_places.items():
        value = entry.members.get(name)
        is_due = entry.finish_reason is not None or (place == "text" and "content" in entry.said)
        if value and not is_due:
            yield Finding(
                at=f"{entry.at}/{name}",
                message=f"{name} is told before its time.",
                expected=place,
                actual=value,
            )


@stream_rule("stream.padding-presence", "documented")
def padding_presence(stream: StreamMemory, view: ChunkView) -> Iterator[Finding]:
    """All chunks but the first carry the member of the axis `padding_field`.

    Facts 6 (W: 353 chunks of Mistral's).
    """
    name = stream.axes.padding_field
    if name is None or (name in view.chunk) is bool(stream.choices):
        return
    wanted = "is missing" if stream.choices else "does not belong into the first chunk"
    yield Finding(at=f"/{name}", message=f"{name} {wanted}.", actual=view.chunk.get(name))


@stream_rule("stream.reasoning-null", "documented")
def reasoning_null(stream: StreamMemory, entry: EntryView) -> Iterator[Finding]:
    """A delta of reasoning says that its content is null (axis `reasoning_null`).

    Facts 6 (D): DeepSeek's reasoner names both members in every delta, one of them null.
    """
    if not stream.axes.reasoning_null or stream.axes.reasoning_field not in entry.said:
        return
    if entry.delta.get("content", "") is not None:
        yield Finding(
            at=f"{entry.at}/delta/content",
            message="content is null beside reasoning.",
            actual=entry.delta.get("content"),
        )
