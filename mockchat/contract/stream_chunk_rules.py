"""Rules on whole chunks and on the end of a stream: identity, usage, padding, `[DONE]`.

Facts 3.1 and 3.2 of the contract hold the evidence; tags as in `stream_rulebook`.
"""

import json
import re
from collections.abc import Iterator

from mockchat.contract.stream_axes import DONE, StreamAxes
from mockchat.contract.stream_memory import ChunkView, StreamMemory
from mockchat.contract.stream_rulebook import Finding, stream_rule
from mockchat.types import Json, JsonView

BLOCK = 16
"""Padded chunks have a multiple of so many bytes."""

_COUNTS = ("total_tokens", "prompt_tokens", "completion_tokens")
_PADDING = re.compile(r"[A-Za-z0-9]*", re.ASCII)


def padding_length(chunk: JsonView, axes: StreamAxes | None = None) -> int:
    """Return how long `obfuscation` must be on `chunk`, in characters: 0 to 15.

    The bytes of the compact JSON without the member, plus its length, are a multiple of 16.
    Facts 3.2 (W: 3,743 chunks, no exception). Members that stand beside text by the axis
    `choice_member_places` are not counted (W: 518 of 526 chunks of Azure's).
    """
    bare = {name: value for name, value in chunk.items() if name != "obfuscation"}
    if axes is not None and "choices" in bare:
        bare["choices"] = bare_choices(chunk, axes)
    text = json.dumps(bare, ensure_ascii=False, separators=(",", ":"))
    # A lone surrogate has no UTF-8; on the wire it is an escape, and so it is here.
    return -len(text.encode("utf-8", "backslashreplace")) % BLOCK


def bare_choices(chunk: JsonView, axes: StreamAxes) -> Json:
    """Return the `choices` of `chunk` as far as their length counts for its padding."""
    beside = {name for name, place in axes.choice_member_places.items() if place == "text"}
    choices: Json = chunk["choices"]
    if not beside or not isinstance(choices, list):
        return choices
    return [
        {name: choice[name] for name in choice if name not in beside}
        if isinstance(choice, dict)
        else choice
        for choice in choices
    ]


@stream_rule("stream.event-object")
def event_object(event: Json) -> Iterator[Finding]:
    """Every event is a JSON object or `[DONE]`.

    Facts 3.3 (K): clients fail on other data, an empty `data:` line included.
    """
    if event != DONE:
        yield Finding(
            message="An event must be a JSON object or [DONE].", expected="object", actual=event
        )


@stream_rule("stream.done-once")
def done_once(stream: StreamMemory) -> Iterator[Finding]:
    """`[DONE]` is sent once.

    Facts 3.1 (W): no stream has two.
    """
    if stream.is_done:
        yield Finding(message="[DONE] was sent before.", actual=DONE)


@stream_rule("stream.done-last")
def done_last(stream: StreamMemory) -> Iterator[Finding]:
    """No chunk follows `[DONE]`.

    Facts 3.3 (K): every client stops reading at it, so what follows is lost.
    """
    if stream.is_done:
        yield Finding(message="A chunk follows [DONE]; no client reads it.")


@stream_rule("stream.error-last")
def error_last(stream: StreamMemory) -> Iterator[Finding]:
    """Nothing but `[DONE]` follows an error event.

    Facts 3.2 (R, W, K): an error ends the stream; clients raise at it.
    """
    if stream.has_error and not stream.is_done:
        yield Finding(message="A chunk follows an error event, which ends the stream.")


@stream_rule("stream.one-id")
def one_id(stream: StreamMemory, view: ChunkView) -> Iterator[Finding]:
    """All chunks of a stream have the same `id`.

    Facts 3.1 (W): 163 OpenAI streams, no exception.
    """
    yield from _changed(stream, view, "id")


@stream_rule("stream.one-object")
def one_object(stream: StreamMemory, view: ChunkView) -> Iterator[Finding]:
    """All chunks of a stream have the same `object`.

    Facts 3.3 (K): accumulators skip a chunk with another one.
    """
    yield from _changed(stream, view, "object")


@stream_rule("stream.one-created", "documented")
def one_created(stream: StreamMemory, view: ChunkView) -> Iterator[Finding]:
    """All chunks of a stream have the same `created`.

    Facts 3.1 (S, W). Documented only: llama.cpp takes the time of each chunk (facts 6, K).
    """
    yield from _changed(stream, view, "created")


@stream_rule("stream.one-model")
def one_model(stream: StreamMemory, view: ChunkView) -> Iterator[Finding]:
    """All chunks of a stream have the same `model`.

    Facts 3.1 (W): 163 OpenAI streams, no exception.
    """
    yield from _changed(stream, view, "model")


@stream_rule("stream.one-system-fingerprint")
def one_system_fingerprint(stream: StreamMemory, view: ChunkView) -> Iterator[Finding]:
    """All chunks of a stream have the same `system_fingerprint`.

    Facts 3.1 (W). Giving it in some chunks alone counts only as documented: vLLM gives it in the
    last, OpenRouter in all but the last (facts 6, W).
    """
    yield from _changed(stream, view, "system_fingerprint")


@stream_rule("stream.one-service-tier")
def one_service_tier(stream: StreamMemory, view: ChunkView) -> Iterator[Finding]:
    """All chunks of a stream have the same `service_tier`.

    Facts 3.1 (W). Giving it in some chunks alone counts only as documented.
    """
    yield from _changed(stream, view, "service_tier")


def _changed(stream: StreamMemory, view: ChunkView, member: str) -> Iterator[Finding]:
    if member not in stream.identity or member in stream.axes.member_places:
        return
    first, value = stream.identity[member], view.chunk.get(member)
    if first == value:
        return
    is_unsaid = first is None or value is None
    if is_unsaid and member not in {"system_fingerprint", "service_tier"}:
        return  # where it is missing or null, the schema says so
    yield Finding(
        at=f"/{member}",
        message=f"{member} is {value!r}, but {first!r} in the chunks before.",
        expected=first,
        actual=value,
        level="documented" if is_unsaid else None,
    )


@stream_rule("stream.side-chunk", "documented")
def side_chunk(stream: StreamMemory, view: ChunkView) -> Iterator[Finding]:
    """A chunk carries a delta, a finish reason, usage or moderation.

    Facts 3.2, 3.3 (W, K): without `choices[0]` much client code breaks. Azure opens so (axis
    `leading_empty`), LiteLLM falls back so: a note at level observed.
    """
    if view.is_side and not (stream.axes.leading_empty and not stream.choices):
        yield Finding(at="/choices", message="The chunk carries nothing that a client reads.")


@stream_rule("stream.one-choice-per-chunk", "documented")
def one_choice_per_chunk(stream: StreamMemory, view: ChunkView) -> Iterator[Finding]:
    """A chunk has one choice at most.

    Facts 3.2 (W): no OpenAI chunk has two; no client needs it.
    """
    del stream
    if len(view.entries) > 1:
        yield Finding(
            at="/choices",
            message=f"The chunk carries {len(view.entries)} choices, not one.",
            expected=1,
            actual=len(view.entries),
        )


@stream_rule("stream.usage-unasked", "documented")
def usage_unasked(stream: StreamMemory, view: ChunkView) -> Iterator[Finding]:
    """`usage` is absent unless `stream_options.include_usage` is true.

    Facts 3.2 (S, W). Documented only, and not under the axis `usage_always`: Mistral, DeepSeek and
    others send it unasked.
    """
    is_unasked = stream.asked.usage is False and not stream.axes.usage_always
    if is_unasked and "usage" in view.chunk:
        yield Finding(at="/usage", message="usage was not asked for.", actual=view.chunk["usage"])


@stream_rule("stream.usage-once")
def usage_once(stream: StreamMemory, view: ChunkView) -> Iterator[Finding]:
    """The counts come once, unless the axis `usage` is "every".

    Facts 3.3 (K): langchain adds them up.
    """
    if view.usage is not None and stream.has_usage and stream.axes.usage != "every":
        yield Finding(at="/usage", message="usage was sent before.", actual=view.usage)


@stream_rule("stream.usage-placement", "documented")
def usage_placement(stream: StreamMemory, view: ChunkView) -> Iterator[Finding]:
    """The counts stand where the axis `usage` says: "own" chunk, "finish" or "every".

    Facts 3.2 (W): OpenAI sends them with empty `choices`; Mistral, DeepSeek, OpenRouter and others
    with the finish or behind it, so this is a note at level observed.
    """
    if view.usage is None or stream.axes.usage == "every" or not view.entries:
        return
    if stream.axes.usage == "own":
        yield Finding(at="/usage", message="usage belongs in a chunk with empty choices.")
        return
    is_finishing = any(entry.get("finish_reason") for _, entry in view.entries)
    if not stream.is_finished and (stream.axes.usage == "behind" or not is_finishing):
        yield Finding(at="/usage", message="usage belongs with the finish reason or behind it.")


@stream_rule("stream.usage-last")
def usage_last(stream: StreamMemory, view: ChunkView) -> Iterator[Finding]:
    """Only a moderation chunk follows the counts.

    Facts 3.2, 3.3 (W, K): each chunk overwrites `usage` in an accumulator, so they would be lost.
    """
    is_bound = stream.is_usage_last and stream.axes.usage != "every"
    if is_bound and view.usage is None and view.entries:
        yield Finding(message="A chunk follows the one with usage, which must be the last.")


@stream_rule("stream.usage-null", "documented")
def usage_null(stream: StreamMemory, view: ChunkView) -> Iterator[Finding]:
    """Where usage is asked for, every other chunk says `"usage": null` (axis `usage_null`).

    Facts 3.2 (S, W: 1,256 of 1,256 chunks). vLLM, llama.cpp and Ollama leave the null out.
    """
    if stream.asked.usage and stream.axes.usage_null and "usage" not in view.chunk:
        yield Finding(at="/usage", message="usage was asked for, so it must be null here.")


@stream_rule("stream.usage-sum", "documented")
def usage_sum(stream: StreamMemory, view: ChunkView) -> Iterator[Finding]:
    """`total_tokens` is the sum of `prompt_tokens` and `completion_tokens`.

    Facts 1.4 (W): so in all OpenAI bodies; Gemini adds thinking tokens, so this is a note at level
    observed.
    """
    del stream
    usage: Json = view.usage or {}
    total, prompt, completion = (usage.get(name) for name in _COUNTS)
    is_counted = all(type(count) is int for count in (total, prompt, completion))
    if is_counted and total != prompt + completion:
        yield Finding(
            at="/usage/total_tokens",
            message=f"total_tokens is {total}, but the parts add up to {prompt + completion}.",
            expected=prompt + completion,
            actual=total,
        )


@stream_rule("stream.obfuscation-presence", "documented")
def obfuscation_presence(stream: StreamMemory, view: ChunkView) -> Iterator[Finding]:
    """Every chunk is padded, or none if `stream_options.include_obfuscation` is false.

    Facts 3.2 (S, W): on role, finish and usage chunks alike. Older streams have no padding, and
    servers without the axis `obfuscation` are not judged.
    """
    asked, is_there = stream.asked.obfuscation, "obfuscation" in view.chunk
    if not stream.axes.obfuscation or asked is None or asked is is_there:
        return
    wanted = "is missing" if asked else "was switched off by the request"
    yield Finding(at="/obfuscation", message=f"obfuscation {wanted}.")


@stream_rule("stream.obfuscation-alphabet", "documented")
def obfuscation_alphabet(stream: StreamMemory, view: ChunkView) -> Iterator[Finding]:
    """Padding is made of ASCII letters and digits.

    Facts 3.2 (W: 3,743 chunks, no exception).
    """
    padding = _padding(stream, view)
    if padding is not None and not _PADDING.fullmatch(padding):
        yield Finding(
            at="/obfuscation",
            message="Padding is made of ASCII letters and digits.",
            expected=_PADDING.pattern,
            actual=padding,
        )


@stream_rule("stream.obfuscation-length", "documented")
def obfuscation_length(stream: StreamMemory, view: ChunkView) -> Iterator[Finding]:
    """Padding rounds the chunk up to a multiple of 16 bytes, its own key and quotes not counted.

    Facts 3.2 (W: 3,743 chunks, no exception). Azure counts without its filter results, which the
    axis `choice_member_places` puts beside text.
    """
    padding = _padding(stream, view)
    if padding is None:
        return
    wanted = padding_length(view.chunk, stream.axes)
    if len(padding) != wanted:
        yield Finding(
            at="/obfuscation",
            message=f"Padding has {len(padding)} characters, not {wanted}.",
            expected=wanted,
            actual=padding,
        )


def _padding(stream: StreamMemory, view: ChunkView) -> str | None:
    padding = view.chunk.get("obfuscation")
    return padding if stream.axes.obfuscation and isinstance(padding, str) else None


@stream_rule("stream.done-missing")
def done_missing(stream: StreamMemory) -> Iterator[Finding]:
    """The stream ends with `[DONE]` (axis `done`), unless an error ended it.

    Facts 3.1 (W): so in every stream; a stream without it was cut.
    """
    if stream.axes.done and not (stream.is_done or stream.has_error):
        yield Finding(message="The stream ended without [DONE].", expected=DONE)


@stream_rule("stream.choice-missing")
def choice_missing(stream: StreamMemory) -> Iterator[Finding]:
    """Each of the choices asked for is streamed.

    Facts 3.2 (W), 3.3 (K: clients fail without any). Fewer than asked for count only as documented:
    Ollama ignores `n` (facts 6, K).
    """
    wanted, streamed = stream.asked.n or 1, len(stream.choices)
    if not stream.has_error and streamed < wanted:
        yield Finding(
            message=f"{streamed} of {wanted} choices were streamed.",
            expected=wanted,
            actual=streamed,
            level="documented" if streamed else None,
        )


@stream_rule("stream.finish-missing")
def finish_missing(stream: StreamMemory) -> Iterator[Finding]:
    """Each choice gets a finish reason, unless it streamed audio or an error ended the stream.

    Facts 3.2, 3.3 (W, K): openai-node refuses a choice without one; audio may end without.
    """
    for choice in stream.choices.values():
        if not (choice.is_finished or stream.has_error):
            yield Finding(message=f"Choice {choice.index} got no finish_reason.")


@stream_rule("stream.usage-missing")
def usage_missing(stream: StreamMemory) -> Iterator[Finding]:
    """The counts come when `include_usage` asks for them or the axis `usage_always` promises them.

    Facts 3.2 (S, W). Not judged where a choice did not finish: that stream was cut.
    """
    is_due = stream.asked.usage or stream.axes.usage_always
    if is_due and not (stream.has_usage or stream.has_error) and stream.is_finished:
        yield Finding(message="The stream ended without usage.")
