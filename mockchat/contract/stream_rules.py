"""The judge of a stream's events: a state machine over named rules, fed one event at a time.

The bytes around the events are judged by `stream_framing.FramingJudge`; what a single chunk must
look like, by the chunk schema, through the `check_chunk` a contract passes in.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from mockchat.contract import stream_choice_rules as choices
from mockchat.contract import stream_chunk_rules as chunks
from mockchat.contract import stream_place_rules as places
from mockchat.contract.stream_axes import DONE, stream_axes
from mockchat.contract.stream_framing import FRAMING_RULES
from mockchat.contract.stream_memory import (
    EntryView,
    StreamMemory,
    asked_by,
    chunk_view,
    entry_views,
    fragment_views,
    remember_chunk,
    remember_entry,
    remember_finish,
    remember_fragment,
)
from mockchat.contract.stream_rulebook import StreamRule, Verdict
from mockchat.exchange import Violation
from mockchat.types import JsonView, Level

StreamEnd: TypeAlias = Literal["open", "complete", "error"]
"""How far a stream has come: not ended, ended with `[DONE]`, ended by an error event."""

_EVENT_RULES = (
    chunks.event_object,
    chunks.done_once,
    chunks.done_last,
    chunks.error_last,
)
_CHUNK_RULES = (
    chunks.one_id,
    chunks.one_object,
    chunks.one_created,
    chunks.one_model,
    chunks.one_system_fingerprint,
    chunks.one_service_tier,
    chunks.one_choice_per_chunk,
    chunks.usage_unasked,
    chunks.usage_once,
    chunks.usage_placement,
    chunks.usage_last,
    chunks.usage_null,
    chunks.usage_sum,
    chunks.obfuscation_presence,
    chunks.obfuscation_alphabet,
    chunks.obfuscation_length,
    places.member_place,
    places.padding_presence,
)
_ENTRY_RULES = (
    choices.choice_index,
    choices.choice_order,
    choices.role_first,
    choices.role_once,
    choices.logprobs_unasked,
    choices.finish_once,
    choices.content_after_finish,
    choices.entry_after_finish,
    choices.finish_delta,
    choices.one_call_per_chunk,
    places.choice_member_place,
    places.reasoning_null,
)
_FRAGMENT_RULES = (
    choices.call_index,
    choices.call_header,
    choices.call_header_once,
    choices.call_header_arguments,
    choices.calls_in_turn,
)
_FINISH_RULES = (
    choices.finish_needs_calls,
    choices.calls_need_finish,
    choices.arguments_json,
)
_END_RULES = (
    chunks.done_missing,
    chunks.choice_missing,
    chunks.finish_missing,
    chunks.usage_missing,
)
_ALL: tuple[StreamRule[Any], ...] = (
    *_EVENT_RULES,
    chunks.side_chunk,
    *_CHUNK_RULES,
    *_ENTRY_RULES,
    *_FRAGMENT_RULES,
    *_FINISH_RULES,
    *_END_RULES,
    *FRAMING_RULES,
)

STREAM_RULES: Mapping[str, str] = MappingProxyType({rule.id: rule.summary for rule in _ALL})
"""Every stream rule, framing included: its id and its summary."""

STREAM_RULE_SOURCES: Mapping[str, str] = MappingProxyType({rule.id: rule.source for rule in _ALL})
"""How each stream rule is known."""

STREAM_RULE_LEVELS: Mapping[str, Level] = MappingProxyType({rule.id: rule.level for rule in _ALL})
"""The lowest level at which each rule counts; below it, what it finds is a note."""


class StreamJudge:
    """Judges the events of one stream as they arrive.

    Feed every event in order, then finish once. An answer names the event in its pointers:
    "/3/choices/0/delta/role" is in the fourth. Memory is bounded by the number of choices and
    calls, and by the arguments of calls not yet finished.

    Args:
        profile_settings: A profile's settings; the axes under "stream" are its parameters.
        request: The request that asked for the stream; without it, what was asked is not judged.
        level: `documented` or `observed`; what counts only at the former is a note at the latter.
        check_chunk: Judges a chunk by itself (the schema); its pointers are prefixed. Error events
            are not chunks and are not shown to it.

    Raises:
        BrokenProfile: The settings' axes cannot be read.
    """

    def __init__(
        self,
        profile_settings: JsonView,
        *,
        request: JsonView | None = None,
        level: Level = "observed",
        check_chunk: Callable[[JsonView], tuple[Violation, ...]] | None = None,
    ) -> None:
        axes, asked = stream_axes(profile_settings), asked_by(request)
        if asked.running_usage:
            axes = replace(axes, usage="every", usage_null=False)
        self._memory = StreamMemory(axes=axes, asked=asked)
        self._verdict = Verdict(level)
        self._check_chunk = check_chunk
        self._events = 0
        self._end: int | None = None

    @property
    def end(self) -> StreamEnd:
        """How the stream ended, as far as it was fed: an error counts as an end of its own."""
        if self._memory.has_error:
            return "error"
        return "complete" if self._memory.is_done else "open"

    def feed(self, event: JsonView | str) -> tuple[Violation, ...]:
        """Return what this event breaks: a decoded chunk, or the literal "[DONE]"."""
        found = tuple(self._event(event))
        self._events += 1
        return found

    def finish(self) -> tuple[Violation, ...]:
        """Return what is missing now that nothing follows; pointers name where it should be."""
        at = self._events if self._end is None else self._end
        return tuple(
            violation
            for rule in _END_RULES
            for violation in self._verdict.on(rule, at, self._memory)
        )

    def _event(self, event: JsonView | str) -> Iterator[Violation]:
        stream, verdict, number = self._memory, self._verdict, self._events
        if not isinstance(event, Mapping):
            yield from verdict.on(chunks.event_object, number, event)
            if event == DONE:
                yield from verdict.on(chunks.done_once, number, stream)
                self._end = number if self._end is None else self._end
                stream.is_done = True
            return
        if stream.is_done or stream.has_error:
            yield from verdict.on(chunks.done_last, number, stream)
            yield from verdict.on(chunks.error_last, number, stream)
        elif event.get("error"):
            stream.has_error = True
        else:
            yield from self._chunk(event)

    def _chunk(self, chunk: JsonView) -> Iterator[Violation]:
        stream, number = self._memory, self._events
        if self._check_chunk is not None:
            for violation in self._check_chunk(chunk):
                yield replace(violation, pointer=f"/{number}{violation.pointer}")
        view = chunk_view(chunk)
        yield from self._verdict.on(chunks.side_chunk, number, stream, view)
        if view.is_side:
            return
        for rule in _CHUNK_RULES:
            yield from self._verdict.on(rule, number, stream, view)
        remember_chunk(stream, view)
        for entry in entry_views(stream, view):
            yield from self._entry(entry)

    def _entry(self, entry: EntryView) -> Iterator[Violation]:
        stream, verdict, number = self._memory, self._verdict, self._events
        for rule in _ENTRY_RULES:
            yield from verdict.on(rule, number, stream, entry)
        remember_entry(stream, entry)
        for fragment in fragment_views(entry):
            for fragment_rule in _FRAGMENT_RULES:
                yield from verdict.on(fragment_rule, number, stream, fragment)
            remember_fragment(fragment)
        if entry.finish_reason is not None and entry.choice.finish_reason is None:
            for finish_rule in _FINISH_RULES:
                yield from verdict.on(finish_rule, number, stream, entry)
            remember_finish(entry)


def stream_violations(
    events: Iterable[JsonView | str],
    profile_settings: JsonView,
    *,
    request: JsonView | None = None,
    level: Level = "observed",
) -> tuple[Violation, ...]:
    """Judge a whole stream: what `StreamJudge` says of each event and of the end, in order."""
    judge = StreamJudge(profile_settings, request=request, level=level)
    found = [violation for event in events for violation in judge.feed(event)]
    return (*found, *judge.finish())
