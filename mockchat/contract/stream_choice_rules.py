"""Rules on one choice as it is streamed: role, order, finish, calls and their arguments.

Facts 3.2 and 3.3 of the contract hold the evidence; tags as in `stream_rulebook`.
"""

from collections.abc import Iterator

from mockchat.contract.stream_json import is_json_text
from mockchat.contract.stream_memory import CallMemory, EntryView, FragmentView, StreamMemory
from mockchat.contract.stream_rulebook import Finding, stream_rule

_WHOLE = frozenset({"stop", "tool_calls", "function_call"})
"""Finish reasons after which arguments are complete; others cut them short."""


@stream_rule("stream.choice-index")
def choice_index(stream: StreamMemory, entry: EntryView) -> Iterator[Finding]:
    """The index of a choice is 0 or more and below the `n` asked for.

    Facts 3.2 (W), 3.3 (K: openai-node limits it to n).
    """
    index, n = entry.choice.index, stream.asked.n
    if index not in stream.choices and not _is_wanted(index, n):
        allowed = "0 or more" if n is None else f"0 to {n - 1}"
        yield Finding(
            at=f"{entry.at}/index",
            message=f"Choice {index} was not asked for; allowed: {allowed}.",
            expected=allowed,
            actual=index,
        )


@stream_rule("stream.choice-order")
def choice_order(stream: StreamMemory, entry: EntryView) -> Iterator[Finding]:
    """Choices begin in the order of their indices, from 0.

    Facts 3.2 (W), 3.3 (K): accumulators append, so another order puts text into the wrong choice.
    """
    index, wanted = entry.choice.index, stream.next_index()
    is_new = index not in stream.choices and _is_wanted(index, stream.asked.n)
    if is_new and index != wanted:
        yield Finding(
            at=f"{entry.at}/index",
            message=f"Choice {index} begins before choice {wanted}.",
            expected=wanted,
            actual=index,
        )


def _is_wanted(index: int, n: int | None) -> bool:
    return index >= 0 and (n is None or index < n)


@stream_rule("stream.role-first")
def role_first(stream: StreamMemory, entry: EntryView) -> Iterator[Finding]:
    """The first delta of a choice carries the role.

    Facts 3.2 (W), 3.3 (K: without it the role is None, openai-node refuses).
    """
    if entry.choice.index not in stream.choices and not entry.role:
        yield Finding(
            at=f"{entry.at}/delta/role", message="The first delta of a choice carries the role."
        )


@stream_rule("stream.role-once")
def role_once(stream: StreamMemory, entry: EntryView) -> Iterator[Finding]:
    """The role comes once per choice, unless the axis `role` is "every".

    Facts 3.3 (K): openai-python appends it each time ("assistantassistant"). OpenRouter, z.ai and
    old Ollama repeat it (facts 6, W).
    """
    if entry.role and entry.choice.has_role and stream.axes.role == "first":
        yield Finding(
            at=f"{entry.at}/delta/role", message="The role was sent before.", actual=entry.role
        )


@stream_rule("stream.logprobs-unasked")
def logprobs_unasked(stream: StreamMemory, entry: EntryView) -> Iterator[Finding]:
    """`logprobs` is null or absent unless the request asks for log probabilities.

    Facts 1.4, 3.2 (S, W).
    """
    if entry.logprobs is not None and stream.asked.logprobs is False:
        yield Finding(
            at=f"{entry.at}/logprobs", message="logprobs were not asked for.", actual=entry.logprobs
        )


@stream_rule("stream.finish-once")
def finish_once(stream: StreamMemory, entry: EntryView) -> Iterator[Finding]:
    """A choice has one finish reason.

    Facts 3.2 (W): 165 of 165 finishes.
    """
    del stream
    if entry.finish_reason is not None and entry.choice.finish_reason is not None:
        yield Finding(
            at=f"{entry.at}/finish_reason",
            message=f"Choice {entry.choice.index} finished before.",
            actual=entry.finish_reason,
        )


@stream_rule("stream.content-after-finish")
def content_after_finish(stream: StreamMemory, entry: EntryView) -> Iterator[Finding]:
    """A finished choice says nothing more: no content, refusal, call, audio or reasoning.

    Facts 3.2 (W): the finish is the last of a choice.
    """
    del stream
    if entry.choice.finish_reason is not None:
        for member in entry.said:
            yield Finding(
                at=f"{entry.at}/delta/{member}",
                message=f"Choice {entry.choice.index} has finished; {member} follows.",
                actual=entry.delta[member],
            )


@stream_rule("stream.entry-after-finish", "documented")
def entry_after_finish(stream: StreamMemory, entry: EntryView) -> Iterator[Finding]:
    """A finished choice has no more entries, not even empty ones.

    Facts 3.2 (W). Under the axis `usage` "finish" one may carry the counts, as OpenRouter's does;
    elsewhere an empty one is a note at level observed.
    """
    is_empty = not entry.said and entry.finish_reason is None
    is_for_usage = entry.has_usage and stream.axes.usage != "own"
    if entry.choice.finish_reason is not None and is_empty and not is_for_usage:
        yield Finding(
            at=entry.at,
            message=f"Choice {entry.choice.index} has finished; an empty delta follows.",
        )


@stream_rule("stream.finish-delta", "documented")
def finish_delta(stream: StreamMemory, entry: EntryView) -> Iterator[Finding]:
    """The finish reason comes with the delta that the axes `finish` and `finish_delta` name.

    Facts 3.2 (W): `{}` in 165 of 165 OpenAI finishes; vLLM finishes with the last content, Mistral
    and DeepSeek with empty content (facts 6, W), so this is a note at level observed.
    """
    axes, delta = stream.axes, dict(entry.delta)
    if axes.role == "every":
        delta.pop("role", None)
    if axes.finish == "own" and entry.finish_reason is not None and delta != axes.finish_delta:
        yield Finding(
            at=f"{entry.at}/delta",
            message="The finish reason comes in a chunk of its own.",
            expected=axes.finish_delta,
            actual=delta,
        )


@stream_rule("stream.finish-needs-calls")
def finish_needs_calls(stream: StreamMemory, entry: EntryView) -> Iterator[Finding]:
    """A choice that finishes with "tool_calls" or "function_call" has streamed such a call.

    Facts 1.4 (W): 74 finishes with tool_calls, each after calls.
    """
    del stream
    made = _calls(entry)
    reason = entry.finish_reason
    if reason in {"tool_calls", "function_call"} and reason not in made:
        yield Finding(
            at=f"{entry.at}/finish_reason",
            message=f"finish_reason is {reason!r}, but no such call was streamed.",
            actual=reason,
        )


@stream_rule("stream.calls-need-finish", "documented")
def calls_need_finish(stream: StreamMemory, entry: EntryView) -> Iterator[Finding]:
    """A choice that streamed calls does not finish with "stop".

    Facts 1.4 (W: 44 forced calls). vLLM, and OpenAI before 2025, say "stop" for a call that the
    request named, so this is a note at level observed, and nothing where the axis
    `named_call_finish` says so.
    """
    if stream.axes.named_call_finish == "stop":
        return
    for made in _calls(entry):
        if entry.finish_reason == "stop":
            yield Finding(
                at=f"{entry.at}/finish_reason",
                message=f"finish_reason is 'stop' after {made}.",
                expected=made,
                actual="stop",
            )


def _calls(entry: EntryView) -> tuple[str, ...]:
    choice = entry.choice
    made = {"tool_calls": choice.calls, "function_call": choice.function_call}
    return tuple(name for name, calls in made.items() if calls)


@stream_rule("stream.arguments-json")
def arguments_json(stream: StreamMemory, entry: EntryView) -> Iterator[Finding]:
    """The arguments of a call, joined, are JSON text when its choice finishes.

    Facts 3.2 (W). A finish that cuts a choice short ("length", "content_filter") makes it a note;
    nothing at all counts only as documented.
    """
    del stream
    choice = entry.choice
    calls: list[tuple[str, CallMemory]] = [
        (f"call {index}", call) for index, call in choice.calls.items() if call.kind == "function"
    ]
    if choice.function_call is not None:
        calls.append(("function_call", choice.function_call))
    for name, call in calls:
        joined = "".join(call.fragments)
        if not is_json_text(joined):
            yield Finding(
                at=f"{entry.at}/finish_reason",
                message=f"The arguments of {name} ({call.name!r}) are not JSON text.",
                actual=joined,
                level=None if joined else "documented",
                is_note=entry.finish_reason not in _WHOLE,
            )


@stream_rule("stream.call-index")
def call_index(stream: StreamMemory, fragment: FragmentView) -> Iterator[Finding]:
    """Calls are numbered from 0 without a gap.

    Facts 3.2 (W), 3.3 (K): an index that starts at 1 is an IndexError in openai-python. Where the
    index is missing, the schema says so.
    """
    del stream
    wanted = len(fragment.choice.calls)
    is_new = fragment.call is None and fragment.kind != "function_call"
    if is_new and fragment.index != wanted:
        yield Finding(
            at=f"{fragment.at}/index",
            message=f"Call {fragment.index} begins where call {wanted} should.",
            expected=wanted,
            actual=fragment.index,
        )


@stream_rule("stream.call-header")
def call_header(stream: StreamMemory, fragment: FragmentView) -> Iterator[Finding]:
    """The first fragment of a call carries its id, type and name.

    Facts 3.2 (W), 3.3 (K: None in openai-python, refused by openai-node). A legacy function_call
    has a name only.
    """
    del stream
    if fragment.call is not None:
        return
    for member, value in _header(fragment).items():
        if not value:
            yield Finding(
                at=f"{fragment.at}/{member}",
                message=f"The first fragment of a call carries its {member.rpartition('/')[2]}.",
            )


@stream_rule("stream.call-header-once")
def call_header_once(stream: StreamMemory, fragment: FragmentView) -> Iterator[Finding]:
    """Later fragments of a call do not repeat its id and name; null and "" are fine.

    Facts 3.3 (K): openai-python appends them ("call_1call_1"). It replaces a repeated type, so that
    counts only as documented.
    """
    del stream
    if fragment.call is None:
        return
    for member, value in _header(fragment).items():
        if value:
            yield Finding(
                at=f"{fragment.at}/{member}",
                message=f"The {member.rpartition('/')[2]} of the call was sent before.",
                actual=value,
                level="documented" if member == "type" else None,
            )


def _header(fragment: FragmentView) -> dict[str, str]:
    if fragment.kind == "function_call":
        return {"name": fragment.name}
    return {"id": fragment.id, "type": fragment.type, f"{fragment.kind}/name": fragment.name}


@stream_rule("stream.call-header-arguments", "documented")
def call_header_arguments(stream: StreamMemory, fragment: FragmentView) -> Iterator[Finding]:
    """Arguments follow their header in fragments, or come whole with it (axis `tool_calls`).

    Facts 3.2 (W: header arguments "" in 74 OpenAI streams). Ollama, Mistral, xAI and Gemini send a
    call whole (facts 6, K), so this is a note at level observed.
    """
    is_header, is_whole = fragment.call is None, stream.axes.tool_calls == "whole"
    if fragment.text and is_header is not is_whole:
        wanted = "with its header" if is_whole else "in fragments behind its header"
        yield Finding(
            at=fragment.at,
            message=f"The arguments of a call come {wanted}.",
            expected=stream.axes.tool_calls,
            actual=fragment.text,
        )


@stream_rule("stream.calls-in-turn", "documented")
def calls_in_turn(stream: StreamMemory, fragment: FragmentView) -> Iterator[Finding]:
    """A call ends before the next begins: fragments of calls are not interleaved.

    Facts 3.2 (W: 22 streams with parallel calls). Clients take either, so this is a note at level
    observed.
    """
    del stream
    is_later = fragment.call is not None and fragment.kind != "function_call"
    if is_later and fragment.index != fragment.choice.latest:
        yield Finding(
            at=f"{fragment.at}/index",
            message=f"Call {fragment.index} goes on after call {fragment.choice.latest} began.",
            expected=fragment.choice.latest,
            actual=fragment.index,
        )


@stream_rule("stream.one-call-per-chunk", "documented")
def one_call_per_chunk(stream: StreamMemory, entry: EntryView) -> Iterator[Finding]:
    """A delta carries a piece of one call.

    Facts 3.2 (W). Servers that send calls whole may send them together, so under the axis
    `tool_calls` "whole" it is not asked.
    """
    pieces = entry.delta.get("tool_calls")
    is_split = stream.axes.tool_calls == "fragments"
    if is_split and isinstance(pieces, list) and len(pieces) > 1:
        yield Finding(
            at=f"{entry.at}/delta/tool_calls",
            message=f"The delta carries pieces of {len(pieces)} calls, not of one.",
            expected=1,
            actual=len(pieces),
        )
